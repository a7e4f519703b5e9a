"""The cases that a registry's past years brought: one unit is an applicant's (or a person's) lines of an item and year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.history import CONTENT, UNIT, Past
from forecast.parts import place_of
from forecast.severity import ENOUGH, Severity, credible
from forecast.streams import Floats, Ints
from rules.model import Item
from rules.terms import ByLevel, Scalar
from schemas.districts import DISTRICTS


@dataclass(frozen=True)
class Units:
    """Cases to draw from, and how many each year brought.

    `rows`: one a unit: `district` (its place), `amount`, `least`, `most` (yuan). `seen`: by year the number of
    units, `exposure` the part of the year in which they could arise. `open_ended`: the texts set no upper
    end. `settled`: amounts rest on decisions or on the text; else only the statutory range is known, and
    `amount` is its low end.
    """

    rows: pl.DataFrame
    seen: tuple[int, ...]
    exposure: tuple[float, ...]
    open_ended: bool
    settled: bool

    @property
    def district(self) -> Ints:
        return self.rows["district"].to_numpy()

    def yuan(self, column: str) -> Floats:
        return self.rows[column].to_numpy()


def decisions(past: Past, item: Item) -> Severity | None:
    """What part of the statutory range an item's department granted; None where it has decided nothing yet."""
    return credible(past.parts(item.id), past.all_parts)


def units_of(past: Past, item: Item, levels: Sequence[str] | None, weights: Mapping[str, float]) -> Units:
    """The units of an item (of some of its levels; None: all). `weights`: shares of the 区镇, where a unit has none."""
    lines = past.of(item.id)
    lines = lines.filter(pl.col("level").is_in(list(levels))) if levels is not None else lines
    years = past.years_of(item.id)
    granted = decisions(past, item)
    units = (
        _imputed(lines, granted)
        .group_by(*UNIT)
        .agg(pl.col("district").first(), *(pl.col(c).sum() for c in ("amount", "least")), _most())
        .sort(*UNIT, nulls_last=True)
    )
    counts = dict(units.group_by("year").agg(pl.len()).rows())
    open_ended = item.basis == "case_by_case" or units["most"].null_count() > 0
    enough = granted is not None or int(lines["payable"].sum()) >= ENOUGH
    settled = item.basis in ("exact", "floor") or (enough and item.basis != "case_by_case")
    rows = units.select("amount", "least", pl.col("most").fill_null(0.0)).with_columns(
        amount=pl.col("amount") if settled else pl.col("least"),
        district=pl.Series(place_of(placed(units["district"], weights)), dtype=pl.Int64),
    )
    return Units(rows, tuple(counts.get(y, 0) for y in years), past.exposure(item.id), open_ended, settled)


def _most() -> pl.Expr:
    """The high end of a unit; null where one of its lines has none."""
    return pl.when(pl.col("most").null_count() == 0).then(pl.col("most").sum()).alias("most")


def _imputed(lines: pl.DataFrame, granted: Severity | None) -> pl.DataFrame:
    """Every line with an `amount`: as decided, else as past decisions are spread, else its low end."""
    lines = lines.with_columns(
        least=pl.coalesce("least", "low"),
        most=pl.when(pl.col("least").is_null()).then("high").otherwise("most"),
    )
    waiting = lines.filter(~pl.col("payable")).sort(CONTENT, nulls_last=True)
    if waiting.is_empty():
        return lines.with_columns(amount=pl.col("low"))
    paid = lines.filter("payable")["low"]
    places = (np.arange(waiting.height) + 0.5) / waiting.height
    amount = pl.col("low")
    if granted is not None:
        part = granted.table[(_mixed(places) * granted.table.size).astype(np.int64)]
        amount = pl.col("least") + pl.lit(pl.Series(part)) * (pl.col("most") - pl.col("least"))
    elif len(paid) >= ENOUGH:
        amount = pl.lit(pl.Series(np.quantile(paid.to_numpy(), _mixed(places), method="inverted_cdf")))
    told = waiting.with_columns(amount=pl.coalesce(amount, "low"))
    return pl.concat([lines.filter("payable").with_columns(amount=pl.col("low")), told])


def _mixed(places: Floats) -> Floats:
    """Even quantiles in a fixed order that has nothing to do with the lines'."""
    return np.asarray((places * 0.6180339887498949 * places.size) % 1)


def placed(districts: pl.Series, weights: Mapping[str, float]) -> pl.Series:
    """Every unit in a 区镇: its own, else as the shares say."""
    missing = districts.null_count()
    if not missing:
        return districts
    bounds = np.cumsum([weights.get(name, 0.0) for name in DISTRICTS])
    places = np.searchsorted(bounds / max(bounds[-1], 1e-9), _mixed((np.arange(missing) + 0.5) / missing))
    filled = iter(np.asarray(DISTRICTS)[np.minimum(places, len(DISTRICTS) - 1)])
    return pl.Series([one if one is not None else str(next(filled)) for one in districts], dtype=pl.String)


def stated(item: Item, level: str | None) -> tuple[float, float] | None:
    """The low and high (yuan) of one case as the item's terms state it; None where more than a term decides."""
    exact = item.basis == "exact"
    name = item.amount if exact else item.caps[0].amount if item.caps else None
    term = item.terms.get(name or "")
    value = None
    if isinstance(term, Scalar):
        value = float(term.value)
    elif isinstance(term, ByLevel) and level in term.level:
        value = float(term.level[level])
    return None if value is None else (value if exact else 0.0, value)


def stated_units(item: Item, level: str | None, weights: Mapping[str, float]) -> Units | None:
    """Units of an item without any history, one a 区镇 for each hundredth of its share."""
    found = stated(item, level)
    if found is None:
        return None
    least, most = found
    empty = pl.Series([None] * 100, dtype=pl.String)
    rows = pl.DataFrame({"amount": [least] * 100, "least": [least] * 100, "most": [most] * 100})
    rows = rows.with_columns(district=pl.Series(place_of(placed(empty, weights)), dtype=pl.Int64))
    return Units(rows, (), (), False, item.basis == "exact")
