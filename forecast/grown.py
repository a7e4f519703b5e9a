"""Claims whose amount the text computes: the compiled rule on claims whose base has grown with the city."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from forecast.carriers import rows_of
from forecast.formula import DRAWN, Formula, fen, pool_codes, within_pools
from forecast.growth import Paths
from forecast.history import Past
from forecast.parts import by_district, place_of
from forecast.streams import Floats, Ints, Seeds
from forecast.units import Units
from rules.catalogue import Catalogue
from rules.frames import Frames
from rules.history import prepared
from rules.model import Item

BASE = "base_amount"


def is_computed(law: Catalogue, item: Item) -> bool:
    """Whether the text computes the award from the claim's own figure."""
    return item.basis in ("exact", "range", "floor") and BASE in law.compiled(item).amount_reads


@dataclass
class GrownUnits:
    """The rows of each unit, to be paid anew: `starts` the first row of each, `district` of each unit.

    `paths` gives the common growth, the same draws as those of the R&D registry (None: bases stay).
    """

    law: Catalogue
    item: Item
    rows: pl.DataFrame
    starts: Ints
    district: Ints
    paths: Paths | None
    years: Sequence[int]
    formulas: list[Formula] = field(init=False)

    def __post_init__(self) -> None:
        compiled = self.law.compiled(self.item)
        ranged = self.item.basis == "range"
        self.formulas = [Formula(compiled), *(Formula(compiled, end) for end in ("low", "high") if ranged)]
        self.base = self.rows[BASE].cast(pl.Float64).to_numpy()
        self.pools = pool_codes(self.formulas[0], self.rows, "_unit")
        self.rows = self.rows.select(
            c for c in self.rows.columns if c in self.formulas[0].reads and c != BASE
        )

    def units(self, counted: Units) -> Units:
        """The same cases for drawing from: only their 区镇 count here, amounts come from `pay`."""
        size, ranged = self.district.size, float(self.item.basis == "range")
        rows = pl.DataFrame(
            {
                "district": self.district,
                "amount": [0.0] * size,
                "least": [0.0] * size,
                "most": [ranged] * size,
            }
        )
        return Units(rows, counted.seen, counted.exposure, False, True)

    def pay(
        self, first: int, draw: Ints, chosen: Ints, draws: int, place: int, seeds: Seeds
    ) -> tuple[Ints, list[Ints]]:
        """Fen by draw and district, and low, high and amount (fen) summed by district."""
        rows, of = rows_of(self.starts, chosen)
        factor = self._factor(first, draws, place, seeds)[draw][of]
        frame = self.rows[rows].with_columns(
            pl.Series(BASE, self.base[rows] * factor), pl.lit(date(self.years[place], 12, 31)).alias("on")
        )
        paid = [self._paid(formula, frame, rows, of, chosen.size) for formula in self.formulas]
        found = [by_district(draw, self.district[chosen], one, draws) for one in paid]
        ends = [one.sum(0) for one in found]
        return found[0], [*(ends[1:] or [ends[0], ends[0]]), ends[0]]

    def _factor(self, first: int, draws: int, place: int, seeds: Seeds) -> Floats:
        """How much more than in the units' own years, by draw."""
        if self.paths is None:
            return np.ones(draws)
        shocks = self.paths.of(first, draws, seeds.common)
        return np.asarray(np.exp(shocks[:, : place + 1].sum(1)))

    def _paid(self, formula: Formula, frame: pl.DataFrame, rows: Ints, of: Ints, units: int) -> Ints:
        """Fen by chosen unit, after the caps its rows share."""
        due, yuan, caps = formula.amounts(frame, self.pools)
        for pool, cap in zip(self.pools, caps, strict=True):
            if pool is not None and cap is not None:  # else a cap of one row has cut it already
                yuan = within_pools(yuan, cap, of[due] * (pool.max() + 1) + pool[rows[due]])
        return np.rint(np.bincount(of[due], fen(yuan), units)).astype(np.int64)


def grown_units(
    frames: Frames, law: Catalogue, item: Item, past: Past, paths: Paths | None, years: Sequence[int]
) -> GrownUnits | None:
    """An item's cases as rows to pay anew; None where no row tells its base."""
    name, place = item.registry or "", ["source_file", "source_sheet", "source_row"]
    held = {**frames, name: frames[name].filter(item=item.id).with_columns(role=pl.lit("line"))}
    live = past.of(item.id).select(*place, _year="year")
    rows = prepared(name, held, years[0] - 1).filter(pl.col(BASE) > 0, pl.col("district").is_not_null())
    rows = rows.join(live, on=place, nulls_equal=True)
    if rows.is_empty():
        return None
    key = ["_year", "uscc", *(c for c in ("person_id",) if c in rows.columns)]
    rows = rows.sort(*key, *place, nulls_last=True).with_columns(_unit=pl.struct(key).rle_id().cast(pl.Int64))
    if item.basis == "range":
        rows = rows.with_columns(_rates(law, item, past).alias(DRAWN))
    unit = rows["_unit"].to_numpy()
    starts = np.append(np.flatnonzero(np.diff(unit, prepend=-1)), unit.size)
    district = place_of(rows["district"])[starts[:-1]]
    return GrownUnits(law, item, rows, starts, district, paths, years)


def _rates(law: Catalogue, item: Item, past: Past) -> pl.Expr:
    """Each row's rate: as assessed, by rate or amount; else that of past decisions, in the middle without any."""
    low, high = (float(end) for end in law.compiled(item).range or (0, 0))
    parts = past.parts(item.id)
    usual = low + (high - low) * float(str(parts.median())) if len(parts) else low
    own = pl.col("assessed_rate").cast(pl.Float64)
    amount = pl.col("assessed_amount").cast(pl.Float64) / pl.col(BASE).cast(pl.Float64)
    return pl.coalesce(amount, own, pl.lit(usual)).clip(low, high)
