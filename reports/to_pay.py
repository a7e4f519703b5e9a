"""What is still to pay, as rows of the payments registry."""

import polars as pl

from schemas.registries import REGISTRIES


def payments_of(lines: pl.DataFrame) -> pl.DataFrame:
    """What is still to pay (persons in full) as rows of the payments registry; `amount` in yuan."""
    rows = lines.filter(pl.col("to_pay") > 0).with_columns(
        amount=pl.col("to_pay"), paid_on=pl.lit(None, pl.Date)
    )
    return in_order(rows.select(pl.col(c).cast(t) for c, t in REGISTRIES["payments"].dtypes().items()))


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the payments registry in the order of their content."""
    order = ("item", "uscc", "person_id", "project_id", "certificate_no", "level", "months", "amount")
    return rows.sort(order, nulls_last=True)
