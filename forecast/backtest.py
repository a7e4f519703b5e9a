"""Rolling origin: what the method would have said in earlier years, against what came and simpler methods."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from forecast.carried import carried
from forecast.carriers import panel_of
from forecast.fit import fit
from forecast.history import at_year, everlasting
from forecast.run import simulate
from forecast.streams import Floats, Seeds
from rules.award import settle
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.frames import Frames
from schemas.districts import DISTRICTS
from schemas.outputs import BACKTEST, QUANTILES

_LONG, _GROWTHS = 6, 3
"""A panel of so many years starts from this many observed growths; a shorter one from its first."""

METHODS = {"mean": "本方法", "last_year": "上年数", "last_year_grown": "上年数×平均增幅"}


def backtest(frames: Frames, law: Catalogue, year: int, draws: int, seed: int, workers: int) -> pl.DataFrame:
    """Forecasts of every year of the panel from the years before it, in the shape BACKTEST (yuan).

    For the items that the text computes from R&D alone, as if their policy had always been in force. A
    district's row is the sum of its own enterprises; null is the city.
    """
    ever, rows = everlasting(law), [pl.DataFrame(schema=BACKTEST)]
    items = [item.id for item in ever.of_registry("rnd") if item.basis == "exact"]
    if "rnd" not in frames or not items:
        return rows[0]
    alone = {name: frames[name] for name in ("enterprises", "rnd")}
    panel = panel_of(alone, "rnd")
    years = sorted(set(panel["year"].to_list()))
    paid = {year: _paid(alone, ever, year, items) for year in years}
    for origin in origins(years):
        then, growth = at_year(alone, origin), fit(panel, origin)
        part = carried(then, ever, "rnd", origin, [origin + 1], growth, {})
        totals = simulate([part], draws, Seeds.of(seed), workers)
        for item in items:
            cells = np.flatnonzero((part.cells["item"] == item).to_numpy())
            rows.append(_compared(item, origin, years[0], totals.amounts[cells] / 100, paid))
    return pl.concat(rows)


def origins(years: Sequence[int]) -> list[int]:
    """The years from which the next one is forecast: consecutive ones with enough growth before them."""
    known = _GROWTHS if len(years) >= _LONG else 1
    return [y for y in years if y + 1 in years and y - 1 in years and y - years[0] >= known]


def _paid(frames: Frames, law: Catalogue, year: int, items: Sequence[str]) -> dict[str, Floats]:
    """By item what a year owed, in the order of the districts."""
    lines = settle(at_year(frames, year), law, year).lines.filter(pl.col("status") == PAYABLE)
    found = {}
    for item in items:
        sums = dict(
            lines.filter(pl.col("item") == item).group_by("district").agg(pl.col("award").sum()).rows()
        )
        found[item] = np.asarray([float(sums.get(name, 0)) for name in DISTRICTS])
    return found


def _compared(
    item: str, origin: int, first: int, drawn: Floats, paid: dict[int, dict[str, Floats]]
) -> pl.DataFrame:
    """One origin's rows: the nine districts and the city."""
    past = [float(paid[y][item].sum()) for y in sorted(paid) if first < y <= origin]
    growth = (past[-1] / past[0]) ** (1 / (len(past) - 1)) if len(past) > 1 and past[0] and past[-1] else 1.0
    rows = []
    for place, district in enumerate((*DISTRICTS, None)):
        one = drawn[place] if district else drawn.sum(0)
        actual, before = (
            paid[y][item][place] if district else paid[y][item].sum() for y in (origin + 1, origin)
        )
        ordered = np.sort(one)
        quantiles = {q: ordered[int(np.ceil(at * one.size)) - 1] for q, at in QUANTILES.items()}
        rows.append(
            {"item": item, "origin": origin, "year": origin + 1, "district": district, "actual": actual}
            | {"mean": one.mean(), **quantiles, "last_year": before, "last_year_grown": before * growth}
        )
    return pl.DataFrame(rows, schema=BACKTEST)


def summary(rows: pl.DataFrame) -> dict[str, Any]:
    """By item: each method's errors over districts and for the city, and how often P10–P90 held the truth."""
    return {
        str(item): {
            "methods": list(_methods(part)),
            "city": _city(part),
            **_coverage(part.filter(pl.col("district").is_not_null())),
        }
        for (item,), part in rows.partition_by("item", as_dict=True, maintain_order=True).items()
    }


def _methods(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """MAPE of the median, bias of the mean, pinball loss of all quantiles (yuan), by level and method."""
    for level, where in (("区镇", rows.filter(pl.col("district").is_not_null())), ("全市", _total(rows))):
        actual = where["actual"].to_numpy()
        seen = actual > 0
        if where.is_empty():
            continue
        for column, name in METHODS.items():
            said = where[column].to_numpy()
            middle = where["P50" if column == "mean" else column].to_numpy()
            error = middle[seen] / actual[seen] - 1
            yield {
                "method": name,
                "level": level,
                "mape": float(np.abs(error).mean()) if seen.any() else None,
                "bias": float(said.sum() / actual.sum() - 1) if actual.sum() else None,
                "pinball": float(_pinball(where, column).mean()),
            }


def _total(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("district").is_null())


def _pinball(rows: pl.DataFrame, column: str) -> Floats:
    """By row the mean pinball loss over the quantiles (yuan); a point forecast is every quantile alike."""
    actual = rows["actual"].to_numpy()
    losses = []
    for name, at in QUANTILES.items():
        over = actual - rows[name if column == "mean" else column].to_numpy()
        losses.append(np.maximum(at * over, (at - 1) * over))
    return np.asarray(np.mean(losses, axis=0))


def _inside(rows: pl.DataFrame) -> pl.Series:
    return rows.select(pl.col("actual").is_between("P10", "P90").alias("in"))["in"]


def _coverage(rows: pl.DataFrame) -> dict[str, Any]:
    """Coverage over districts × origins, with an interval from the differences between origins.

    Districts of one origin share its common shock, so that the origins are what is independent.
    """
    each = (
        rows.with_columns(_inside(rows))
        .group_by("origin")
        .agg(pl.col("in").mean())
        .sort("origin")["in"]
        .to_numpy()
    )
    mean, error = float(each.mean()), float(each.std(ddof=1) / np.sqrt(each.size)) if each.size > 1 else None
    reach = None if error is None else _T[min(each.size - 1, len(_T) - 1)] * error
    return {
        "coverage": mean,
        "coverage_low": None if reach is None else max(0.0, mean - reach),
        "coverage_high": None if reach is None else min(1.0, mean + reach),
        "cells": rows.height,
        "origins": int(each.size),
    }


_T = (0.0, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
"""Student's t for a 95% interval, by degrees of freedom."""


def _city(rows: pl.DataFrame) -> list[dict[str, Any]]:
    total = _total(rows)
    return total.select("year", "actual", "mean", "P10", "P90", _inside(total).alias("inside")).to_dicts()
