"""The orders in which people read: items as the texts number them, districts and payers as always listed."""

import polars as pl

from schemas.districts import DISTRICTS


def by_number(item: str = "item") -> list[pl.Expr]:
    """Sort keys that put A4.06 before A11.02; articles (`A4`) and policies (`A`) sort alike."""
    text = pl.col(item)
    return [
        text.str.head(1),
        *(text.str.extract(r"^[A-Z](\d+)(?:\.(\d+))?$", place).cast(pl.Int32) for place in (1, 2)),
        text,
    ]


def by_district(district: str = "district") -> pl.Expr:
    """Sort key of the nine districts; anything else after them."""
    places = {name: place for place, name in enumerate(DISTRICTS)}
    return pl.col(district).replace_strict(places, default=len(DISTRICTS), return_dtype=pl.Int32)
