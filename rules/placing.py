"""Bring what a step found about some rows back to the wide frame they came from."""

import polars as pl


def with_found(frame: pl.DataFrame, found: pl.DataFrame, on: str) -> pl.DataFrame:
    """`frame` with the other columns of `found`, which names each `on` once; null where it does not.

    Only the key is joined: joining the frame itself would copy every column of every row to add one.
    """
    if found.is_empty():
        return frame.with_columns(pl.lit(None, t).alias(c) for c, t in found.schema.items() if c != on)
    return frame.hstack(frame.select(on).join(found, on=on, how="left", maintain_order="left").drop(on))
