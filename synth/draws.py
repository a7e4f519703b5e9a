"""Random draws that later parts cannot disturb, and numpy arrays as columns of the registries."""

import zlib
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.money import RATE, YUAN

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ONE_FEN = pl.Series([Decimal("0.01")], dtype=YUAN)
_FINE = pl.Series([Decimal("0.0001")], dtype=RATE)


def stream(seed: int, *names: object) -> np.random.Generator:
    """The generator for one named purpose: another purpose, item or year has other draws."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


def fen(amount: Floats, step: int = 1) -> Ints:
    """Yuan as whole fen, rounded to multiples of `step` fen."""
    return np.rint(amount * 100 / step).astype(np.int64) * step


def yuan(amount: Ints, known: Bools | None = None) -> pl.Series:
    """Fen as exact yuan; null where not known."""
    return masked(pl.Series(amount).cast(YUAN) * _ONE_FEN, known)


def rates(ten_thousandths: Ints, known: Bools) -> pl.Series:
    """Exact fractions; null where not known."""
    return masked(pl.Series(ten_thousandths).cast(RATE) * _FINE, known)


def masked(values: pl.Series, known: Bools | None) -> pl.Series:
    """The values, null where not known."""
    if known is None:
        return values
    return pl.select(pl.when(pl.Series(known)).then(values)).to_series()


def words(options: list[str], choice: Ints) -> pl.Series:
    """The options chosen, as text."""
    return pl.Series(options, dtype=pl.String).gather(pl.Series(choice))


def serials(prefix: str | pl.Series, numbers: Ints, width: int = 5) -> pl.Series:
    """`prefix` and a number of at least `width` digits."""
    padded = pl.Series("serial", numbers).cast(pl.String).to_frame().select(pl.col("serial").str.zfill(width))
    return prefix + padded.to_series()


def day_numbers(rng: np.random.Generator, first: date, last: date, count: int) -> Ints:
    """Days between two days, both inclusive, counted from 1970."""
    start = (first - date(1970, 1, 1)).days
    return rng.integers(start, start + (last - first).days + 1, count)


def days(rng: np.random.Generator, first: date, last: date, count: int) -> pl.Series:
    """Days between two days, both inclusive."""
    return pl.Series(day_numbers(rng, first, last, count)).cast(pl.Int32).cast(pl.Date)
