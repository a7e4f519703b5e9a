"""Claims, statuses and persons of coming years: how many, and each like one that was."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from forecast.counts import Counts
from forecast.grown import GrownUnits
from forecast.parts import CHUNK, Filled, by_district, district_cells
from forecast.streams import Ints, Seeds, stream
from forecast.units import Units
from schemas.districts import DISTRICTS

NINE = len(DISTRICTS)


@dataclass
class Events:
    """One item's cases over the award years: `counts` of them, each drawn from `units`. Amounts in fen.

    `grown`: where the text computes the amount from a figure, the units' own rows, to compute it anew on
    figures that have grown. `name` tells its random numbers from those of other parts.
    """

    item: str
    name: str
    years: Sequence[int]
    units: Units
    counts: Counts
    grown: GrownUnits | None = None
    basis: str = "counted"
    cells: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        ranged = bool((self.units.rows["least"] != self.units.rows["most"]).any()) or self.units.open_ended
        self.cells = district_cells(
            self.item, self.years, self.basis, ranged, self.units.open_ended, self.units.settled
        )
        held = [self.units.yuan(name) for name in ("amount", "least", "most")]
        self.fen = [np.rint(100 * one).astype(np.int64) for one in held]
        self.means = [
            np.bincount(self.units.district, one, NINE) / max(1, self.units.district.size) for one in self.fen
        ]

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """See forecast.parts.Part."""
        amounts = np.zeros((count, self.cells.height), np.int64)
        sums = np.zeros((4, self.cells.height), np.int64)
        if self.units.rows.height:
            for begun in range(0, count, CHUNK):
                size = min(CHUNK, count - begun)
                self._chunk(first + begun, amounts[begun : begun + size], sums, seeds)
        return Filled(amounts, *sums)

    def _chunk(self, first: int, amounts: Ints, sums: Ints, seeds: Seeds) -> None:
        draws = amounts.shape[0]
        numbers = self.counts.draw(stream(seeds.counts, "events", self.name, first), draws)
        share = np.bincount(self.units.district, minlength=NINE) / self.units.district.size
        choice = seeds.assessed if self.cells["ranged"].any() else seeds.counts
        for place in range(len(self.years)):
            rng = stream(choice, "events", self.name, first, place)
            number = numbers[:, place]
            case = np.arange(number.max(initial=0))[
                :, None
            ]  # the n-th case of a draw is alike whatever the number
            picked = rng.integers(0, self.units.district.size, (case.size, draws))
            draw = np.repeat(np.arange(draws), number)
            chosen = picked.T[(case < number).T]
            if self.grown is None:
                paid = by_district(draw, self.units.district[chosen], self.fen[0][chosen], draws)
                total = number.sum()
                ends = [np.rint(total * mean).astype(np.int64) for mean in (*self.means[1:], self.means[0])]
            else:
                paid, ends = self.grown.pay(first, draw, chosen, draws, place, seeds)
            at = slice(place * NINE, (place + 1) * NINE)
            amounts[:, at] += paid
            sums[:, at] += np.stack([np.rint(number.sum() * share).astype(np.int64), *ends])


@dataclass
class Cohort:
    """Certificates that expire after `term` years and are renewed in part: units times one amount (fen).

    `issued`: by year and district what was issued, as far as it is known; years ahead add what the
    recognitions of those years bring. `kept` (yes, no): renewals seen and not seen, from which the share is drawn.
    """

    item: str
    years: Sequence[int]
    term: int
    issued: dict[int, Ints]
    kept: tuple[float, float]
    award: int
    taken: float = 1.0
    cells: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.cells = district_cells(self.item, self.years, "cohort")

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """See forecast.parts.Part."""
        renewed = np.zeros((count, len(self.years), NINE), np.int64)
        for begun in range(0, count, CHUNK):
            rng = stream(seeds.counts, "cohort", self.item, first + begun)
            part = renewed[begun : begun + CHUNK]
            share = np.asarray(rng.beta(*self.kept, part.shape[0]))[:, None]
            for place, year in enumerate(self.years):
                before = self.issued.get(year - self.term)
                again = place - self.term  # renewed again, within the forecast
                due = np.zeros(NINE, np.int64) if before is None else before
                due = part[:, again] + due if again >= 0 else due
                part[:, place] = rng.binomial(np.broadcast_to(due, (part.shape[0], NINE)), share)
            if self.taken < 1:
                part[:] = rng.binomial(part, self.taken)
        flat = renewed.reshape(count, -1)
        amounts = flat * self.award
        total = amounts.sum(0)
        return Filled(amounts, flat.sum(0), total, total, total)
