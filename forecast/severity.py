"""What departments decided before: rates, parts of a ceiling, amounts in proportion to a figure."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.growth import SIZE
from forecast.streams import Floats
from rules.frames import Frames, counting
from rules.history import summed
from rules.model import Item

ENOUGH = 5
"""Decisions needed before they are taken for a distribution."""

POOLED = 3
"""An item's own decisions count each as one, those of all items together as so many (credibility)."""


@dataclass(frozen=True)
class Severity:
    """Past decisions as SIZE equally likely values. `of`: what a value is a part of: `rate` (a rate itself),
    `ceiling`, or a money column of the registry."""

    of: str
    table: Floats
    count: int


def severity(values: pl.Series, of: str) -> Severity | None:
    """The distribution of past decisions; None where there are too few."""
    held = values.drop_nulls().drop_nans()
    return None if len(held) < ENOUGH else Severity(of, _grid(held, SIZE), len(held))


def credible(own: pl.Series, pool: pl.Series) -> Severity | None:
    """The parts of their range that an item's decisions granted, leaning on those of all items where they are few.

    None without any of its own.
    """
    if own.is_empty():
        return None
    mine = round(SIZE * len(own) / (len(own) + POOLED))
    table = np.concatenate([_grid(own, mine), _grid(pool, SIZE - mine)])
    return Severity("ceiling", table, len(own))


def _grid(values: pl.Series, size: int) -> Floats:
    """So many equally likely values of a distribution, lowest first."""
    held = np.sort(values.cast(pl.Float64).to_numpy())
    return np.asarray(held[((np.arange(size) + 0.5) / size * held.size).astype(np.int64)])


def from_registry(frames: Frames, registry: str, item: Item, of: str) -> Severity | None:
    """Decisions found in a registry's rows of all years: assessed rates, or amounts in proportion to `of`."""
    rows = counting(frames[registry])
    if of == "rate":
        return severity(rows["assessed_rate"], of)
    if item.assessed is None:
        return None
    rows = (
        rows.with_columns(pl.col("smart_investment").alias("smart_investment_known")) if item.rows else rows
    )
    rows = summed(rows, item.rows) if item.rows else rows
    told = rows.filter((pl.col(item.assessed) > 0) & (pl.col(of) > 0))
    return severity(told[item.assessed].cast(pl.Float64) / told[of].cast(pl.Float64), of)
