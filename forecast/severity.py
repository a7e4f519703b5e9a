"""What departments decided before: rates, parts of a ceiling, amounts in proportion to a figure."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.growth import SIZE
from forecast.streams import Floats
from rules.history import Frames, counting, summed
from rules.model import Item

ENOUGH = 5
"""Decisions needed before they are taken for a distribution."""


@dataclass(frozen=True)
class Severity:
    """Past decisions as SIZE equally likely values. `of`: what a value is a part of: `rate` (a rate itself),
    `ceiling`, or a money column of the registry."""

    of: str
    table: Floats
    count: int


def severity(values: pl.Series, of: str) -> Severity | None:
    """The distribution of past decisions; None where there are too few."""
    held = np.sort(values.drop_nulls().drop_nans().cast(pl.Float64).to_numpy())
    if held.size < ENOUGH:
        return None
    places = ((np.arange(SIZE) + 0.5) / SIZE * held.size).astype(np.int64)
    return Severity(of, held[places], held.size)


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
