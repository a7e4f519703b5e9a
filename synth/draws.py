"""Random draws that later parts cannot disturb, and numpy arrays as columns of the registries."""

import zlib
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.money import YUAN

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def stream(seed: int, *names: object) -> np.random.Generator:
    """The generator for one named purpose: another purpose, item or year has other draws."""
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


def fen(amount: Floats, step: int = 1) -> Ints:
    """Yuan as whole fen, rounded to multiples of `step` fen."""
    return np.rint(amount * 100 / step).astype(np.int64) * step


def yuan(amount: Ints, known: Bools | None = None) -> pl.Series:
    """Fen as exact yuan; null where not known."""
    exact = pl.Series(amount).cast(YUAN).to_frame("yuan").select(pl.col("yuan") * pl.lit(Decimal("0.01")))
    return masked(exact.to_series().cast(YUAN), known)


def masked(values: pl.Series, known: Bools | None) -> pl.Series:
    """The values, null where not known."""
    if known is None:
        return values
    return pl.select(pl.when(pl.Series(known)).then(values)).to_series()


def words(options: list[str], choice: Ints) -> pl.Series:
    """The options chosen, as text."""
    return pl.Series(options, dtype=pl.String).gather(pl.Series(choice))


def serials(prefix: str, numbers: Ints, width: int = 5) -> pl.Series:
    """`prefix` and a number of at least `width` digits."""
    padded = pl.Series("serial", numbers).cast(pl.String).to_frame().select(pl.col("serial").str.zfill(width))
    return prefix + padded.to_series()


def days(rng: np.random.Generator, first: np.datetime64, last: np.datetime64, count: int) -> pl.Series:
    """Days between two days, both inclusive."""
    length = int((last - first) / np.timedelta64(1, "D")) + 1
    drawn = first.astype("datetime64[D]") + rng.integers(0, length, count).astype("timedelta64[D]")
    return pl.Series(drawn).cast(pl.Date)
