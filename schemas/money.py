"""Yuan: one dtype, one rounding."""

from decimal import Decimal

import polars as pl

YUAN = pl.Decimal(38, 2)
RATE = pl.Decimal(38, 10)


def to_fen(amount: pl.Expr) -> pl.Expr:
    """Round yuan to the fen, half away from zero (四舍五入)."""
    return amount.round(2, mode="half_away_from_zero").cast(YUAN)


def total(amounts: pl.Series) -> Decimal:
    """The sum of yuan amounts; nulls are left out."""
    return Decimal(str(amounts.sum()))


def grouped(amount: pl.Expr) -> pl.Expr:
    """Yuan as text with thousands separators, `1,234,567.89`, up to 999 兆; null stays null."""
    text = amount.cast(YUAN).cast(pl.String)
    for _ in range(4):  # one separator each; a short expression costs less to plan than a clever one
        text = text.str.replace(r"(\d)(\d{3})([.,])", "${1},${2}${3}")
    return text
