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
    """Yuan as text with thousands separators, `1,234,567.89`; null stays null."""
    text = amount.cast(YUAN).cast(pl.String)
    digits = text.str.strip_prefix("-")
    whole, cents = digits.str.head(-3), digits.str.tail(3)
    comma = pl.lit(",")
    length = whole.str.len_bytes()
    groups = [whole.str.slice(-3 * k, 3) for k in range(1, 5)]

    def with_groups(count: int) -> pl.Expr:
        parts = [whole.str.head(-3 * count)]
        for k in range(count, 0, -1):
            parts += [comma, groups[k - 1]]
        return pl.concat_str(parts)

    body = (
        pl.when(length <= 3)
        .then(whole)
        .when(length <= 6)
        .then(with_groups(1))
        .when(length <= 9)
        .then(with_groups(2))
        .when(length <= 12)
        .then(with_groups(3))
        .otherwise(with_groups(4))
    )
    return pl.concat_str(
        [pl.when(text.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit("")), body, cents]
    )
