"""Who pays: 市级, 区镇 and 苏州市级, as the readings in force say."""

from decimal import Decimal
from typing import TypeVar

import polars as pl

from rules.catalogue import Catalogue
from rules.model import Shares
from schemas.money import YUAN

Lines = TypeVar("Lines", pl.DataFrame, pl.LazyFrame)

_SHARE = pl.Decimal(38, 10)
_ONE = 10**10
"""The whole, as a share counts it."""
_FEN = pl.lit(Decimal("0.01"), YUAN)


def kind_of(law: Catalogue) -> pl.Expr:
    """The class of each line's item, recognition or general; null where it has none."""
    kinds = {item.id: law.class_of(item) for item in law.items.values() if item.class_}
    return pl.col("item").replace_strict(kinds, default=None, return_dtype=pl.String)


def split(lines: Lines, law: Catalogue, amount: str = "award") -> Lines:
    """`city_share`, `district_share` and `prefecture_share` of `amount`, in yuan; they add up to it.

    Kunshan's part is rounded first and Suzhou pays the rest; the 区镇's part of it is rounded and the
    city pays the rest.
    """
    of_suzhou = pl.col("policy").is_in([p.key for p in law.policies.values() if p.payer == "prefecture"])
    kunshan_part = _part(pl.col(amount), 1 - _share(law.readings["prefecture_payer"]))
    kunshan = pl.when(of_suzhou).then(kunshan_part).otherwise(pl.col(amount)).cast(YUAN)
    recognised, general = _share(law.readings["recognition_payer"]), _share(law.readings["general_split"])
    city = pl.when(pl.col("class") == "recognition").then(recognised).otherwise(general)
    lines = lines.with_columns(_kunshan=kunshan, _city=city)
    lines = lines.with_columns(district_share=_part(pl.col("_kunshan"), 1 - pl.col("_city")))
    return lines.with_columns(
        city_share=pl.col("_kunshan") - pl.col("district_share"),
        prefecture_share=pl.col(amount) - pl.col("_kunshan"),
    ).drop("_kunshan", "_city")


def _part(amount: pl.Expr, share: pl.Expr) -> pl.Expr:
    """That share of an amount, to the fen, half a fen up: no amount is negative. In whole numbers, ten times as fast."""
    parts = amount.to_physical() * share.cast(_SHARE).to_physical()
    fen = (parts + _ONE // 2) // _ONE
    return (fen.cast(YUAN) * _FEN).cast(YUAN)


def _share(shares: Shares) -> pl.Expr:
    """The share of each line: its item's, else its district's, else the default."""
    held: pl.Expr = pl.lit(shares.default, _SHARE)
    for column, exceptions in (("district", shares.districts), ("item", shares.items)):
        for name, value in exceptions.items():
            held = pl.when(pl.col(column) == name).then(pl.lit(value, _SHARE)).otherwise(held)
    return held
