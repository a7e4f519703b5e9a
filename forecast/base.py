"""The base year's own lines: what is known, what waits for a decision, and what has been promised for later."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from forecast.history import Past
from forecast.parts import CELLS, CHUNK, Filled, Fixed, by_district, district_cells, place_of
from forecast.streams import Ints, Seeds, bits, stream
from forecast.units import decisions
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE, PENDING
from schemas.districts import DISTRICTS

NINE = len(DISTRICTS)


def known(lines: pl.DataFrame, year: int) -> Fixed:
    """Payable lines of the base year, less what that year has paid already."""
    due = lines.filter((pl.col("status") == PAYABLE) & (pl.col("to_pay") > 0))
    cells = (
        due.group_by("item", "district")
        .agg(fen=pl.col("to_pay").sum().to_physical().cast(pl.Int64), lines=pl.len().cast(pl.Int64))
        .sort("item", "district")
    )
    keys = cells.with_columns(award_year=year, basis=pl.lit("known"), ranged=False, open=False, settled=True)
    amounts = cells["fen"].to_numpy()
    return Fixed(
        keys.select(pl.col(c).cast(t) for c, t in CELLS.items()),
        amounts,
        cells["lines"].to_numpy(),
        amounts,
        amounts,
    )


@dataclass
class Pending:
    """One item's lines that wait for a decision, drawn as its department decided before; else at their low end."""

    item: str
    year: int
    district: Ints
    low: Ints
    high: Ints
    table: np.ndarray | None
    open_ended: bool
    cells: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.cells = district_cells(
            self.item, [self.year], "pending", True, self.open_ended, self.table is not None
        )

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """See forecast.parts.Part."""
        size, draw = self.low.size, np.arange(count)
        part = np.zeros((count, size))
        if self.table is not None:
            for begun in range(0, count, CHUNK):
                some = part[begun : begun + CHUNK]
                index = bits(stream(seeds.assessed, "pending", self.item, first + begun), some.size)
                some[:] = self.table[index & (self.table.size - 1)].reshape(some.shape)
        fen = self.low + np.rint(part * (self.high - self.low)).astype(np.int64)
        amounts = by_district(np.repeat(draw, size), np.tile(self.district, count), fen.ravel(), count)
        ends = [
            by_district(np.zeros(size, np.int64), self.district, end, 1)[0] for end in (self.low, self.high)
        ]
        lines = np.bincount(self.district, minlength=NINE)
        return Filled(amounts, lines * count, ends[0] * count, ends[1] * count, amounts.sum(0))


def pending(lines: pl.DataFrame, past: Past, law: Catalogue, year: int) -> list[Pending]:
    """The base year's pending lines by item. What earlier lines were decided on tells how these may be."""
    content = [
        "item",
        "uscc",
        "person_id",
        "project_id",
        "certificate_no",
        "level",
        "on",
        "award_low",
        "award_high",
    ]
    waiting = lines.filter(pl.col("status") == PENDING).sort(content, nulls_last=True)
    found = []
    for (item,), part in waiting.partition_by("item", as_dict=True, maintain_order=True).items():
        granted = decisions(past, law.items[str(item)])
        high = part["award_high"]
        ends = [one.to_physical().cast(pl.Int64) for one in (part["award_low"], high.fill_null(0))]
        low, most = ends[0].to_numpy(), ends[1].to_numpy()
        table = None if granted is None else granted.table
        found.append(
            Pending(
                str(item),
                year,
                place_of(part["district"]),
                low,
                np.maximum(low, most),
                table,
                high.null_count() > 0,
            )
        )
    return found


@dataclass
class Promised:
    """What one item's payments promise for years after its policy has ended: fen by promise and year.

    `goes_on`: the chance that a promise is taken up for another year.
    """

    item: str
    years: list[int]
    district: Ints
    fen: Ints
    goes_on: tuple[float, float]
    cells: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.cells = district_cells(self.item, self.years, "promised")

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """See forecast.parts.Part."""
        amounts = np.zeros((count, self.cells.height), np.int64)
        lines = np.zeros(self.cells.height, np.int64)
        for begun in range(0, count, CHUNK):
            draws = min(CHUNK, count - begun)
            rng = stream(seeds.counts, "promised", self.item, first + begun)
            share = rng.beta(*self.goes_on, (draws, 1))
            live = np.ones((draws, self.district.size), bool)
            draw = np.repeat(np.arange(draws), self.district.size)
            for place in range(len(self.years)):
                live &= rng.random(live.shape) < share
                paid = (live * self.fen[:, place]).ravel()
                at = slice(place * NINE, (place + 1) * NINE)
                amounts[begun : begun + draws, at] = by_district(
                    draw, np.tile(self.district, draws), paid, draws
                )
                held = by_district(draw, np.tile(self.district, draws), (paid > 0).astype(np.int64), draws)
                lines[at] += held.sum(0)
        total = amounts.sum(0)
        return Filled(amounts, lines, total, total, total)


def promised(past: Past, item: str, unit: str, longest: int, base: int, years: list[int]) -> Promised | None:
    """The run-off of an item's promises in `years`, after its policy has ended; None where none is left.

    `longest` months or years (`unit`) are promised. The stock of promises in the policy's last year is taken
    to be that of the base year.
    """
    lines = past.of(item).filter(pl.col("payable") & (pl.col("low") > 0) & pl.col("district").is_not_null())
    thing = ["uscc", "person_id"] if unit == "months" else ["uscc", "project_id"]
    used = pl.col("months").fill_null(12).sum() if unit == "months" else pl.col("year").n_unique()
    held = (
        lines.group_by(thing)
        .agg(
            used=used,
            last=pl.col("year").max(),
            district=pl.col("district").last(),
            worth=pl.col("low").filter(pl.col("year") == pl.col("year").max()).sum(),
            span=pl.col("months").fill_null(12).filter(pl.col("year") == pl.col("year").max()).sum(),
        )
        .filter((pl.col("last") == base) & (pl.col("used") < longest))
        .sort(thing, nulls_last=True)
    )
    if held.is_empty() or not years:
        return None
    left, worth = held["used"].to_numpy(), held["worth"].to_numpy()
    step = 12 if unit == "months" else 1
    each = worth / np.maximum(1, held["span"].to_numpy()) * 12 if unit == "months" else worth
    fen = np.stack(
        [each * np.clip(longest - left - step * place, 0, step) / step for place in range(len(years))], axis=1
    )
    return Promised(
        item,
        years,
        place_of(held["district"]),
        np.rint(100 * fen).astype(np.int64),
        _goes_on(lines, thing, base),
    )


def _goes_on(lines: pl.DataFrame, thing: list[str], base: int) -> tuple[float, float]:
    """Promises taken up again a year later, and those that were not; all are where no earlier year is known."""
    by_year = lines.select(*thing, "year").unique()
    again = by_year.with_columns(pl.col("year") - 1).join(
        by_year, on=[*thing, "year"], how="inner", nulls_equal=True
    )
    before = by_year.filter(pl.col("year") < base).height
    return (again.height + 1.0, before - again.height + 0.1) if before else (1e6, 1.0)
