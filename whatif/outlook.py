"""A law's forecast on the bench, for comparing laws on the same draws: differences have quantiles of their own."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from forecast.plan import first_year, plan
from forecast.run import simulate
from forecast.streams import Floats, Seeds
from forecast.tables import by_payer, weighted
from rules.catalogue import Catalogue
from rules.frames import Frames
from schemas.districts import DISTRICTS
from schemas.outputs import PAYERS, QUANTILES
from whatif.bench import Bench, changed

AHEAD: dict[str, Any] = {
    "pay_year": pl.Int32,
    "payer": pl.String,
    "district": pl.String,
    "before": pl.Float64,
    "after": pl.Float64,
    "change": pl.Float64,
    **{f"change_{name}": pl.Float64 for name in QUANTILES},
}
"""Means before and after and the distribution of the change (yuan), on the same draws; null: all together."""


@dataclass(frozen=True)
class Asked:
    """What is drawn: award years ahead, draws, seed, and how many threads draw them."""

    horizon: int = 3
    draws: int = 1000
    seed: int = 1
    workers: int = 1


@dataclass(frozen=True)
class Sums:
    """Yuan by payment year, payer, district and draw, and how far years differ in cases (forecast.plan)."""

    years: list[int]
    yuan: Floats
    spread: float

    def of(self, measure: str, district: str | None, year: int) -> Floats:
        """One measure (award or <payer>_share) of a payment year by draw."""
        payers = list(PAYERS) if measure == "award" else [measure.removesuffix("_share")]
        places = slice(None) if district is None else [DISTRICTS.index(district)]
        found = self.yuan[self.years.index(year), [list(PAYERS).index(p) for p in payers]]
        return np.asarray(found[:, places].sum((0, 1)))


def sums(frames: Frames, law: Catalogue, year: int, asked: Asked, spread: float | None = None) -> Sums:
    """A law's forecast, summed."""
    made = plan(frames, law, year, asked.horizon, spread=spread)
    totals = simulate(made.parts, asked.draws, Seeds.of(asked.seed), asked.workers)
    held = weighted(totals, law, range(first_year(law, year), year + asked.horizon + 1))
    found = np.zeros((len(held.years), len(PAYERS), len(DISTRICTS), asked.draws))
    places = held.cells.with_row_index("_cell").filter(pl.Series(held.weights["current"] > 0))
    for (pay, district), part in places.partition_by("pay_year", "district", as_dict=True).items():
        parts = by_payer(held, "current", part["_cell"].to_numpy(), np.zeros(1, np.int64))
        at = held.years.index(int(str(pay))), DISTRICTS.index(str(district))
        for number, payer in enumerate(PAYERS):
            found[at[0], number, at[1]] = parts[payer][0] / 100
    return Sums(held.years, found, made.spread)


def under(bench: Bench, before: Sums, law: Catalogue, asked: Asked) -> Sums:
    """Another law's forecast from the baseline's: only what the law changes is drawn anew, from the same numbers."""
    items = changed(bench.law, law)
    if law.prospect != bench.law.prospect or law.readings != bench.law.readings:
        return sums(bench.frames, law, bench.year, asked, before.spread)
    if not items:
        return before
    few = _narrowed(bench.frames, law, items)
    old, new = (sums(few, one, bench.year, asked, before.spread) for one in (bench.law, law))
    return replace(before, yuan=before.yuan - old.yuan + new.yuan)


def _narrowed(frames: Frames, law: Catalogue, items: set[str]) -> Frames:
    """The registries with the rows of some items only; R&D stays, since claims grow with it."""
    yearly = {law.items[item].registry for item in items if item in law.items}
    return {
        name: frame.filter(pl.col("item").is_in(list(items))) if "item" in frame.columns else frame
        for name, frame in frames.items()
        if name != "equipment" or "equipment" in yearly
    }


def compared(before: Sums, after: Sums) -> pl.DataFrame:
    """The two forecasts and the distribution of their difference, in the shape AHEAD."""
    rows = []
    for number, year in enumerate(before.years):
        for payer in (*PAYERS, None):
            for district in (*DISTRICTS, None):
                at = (
                    number,
                    slice(None) if payer is None else list(PAYERS).index(payer),
                    slice(None) if district is None else DISTRICTS.index(district),
                )
                old, new = (_flat(one.yuan[at]) for one in (before, after))
                change = np.sort(new - old)
                quantiles = {
                    f"change_{name}": change[int(np.ceil(at_ * change.size)) - 1]
                    for name, at_ in QUANTILES.items()
                }
                means = {"before": old.mean(), "after": new.mean(), "change": change.mean()}
                rows.append({"pay_year": year, "payer": payer, "district": district, **means, **quantiles})
    return pl.DataFrame(rows, schema=AHEAD).with_columns(cs.float().round(2))


def _flat(yuan: Floats) -> Floats:
    return np.asarray(yuan.reshape(-1, yuan.shape[-1]).sum(0))
