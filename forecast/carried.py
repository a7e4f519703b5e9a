"""R&D: every enterprise's amount is carried forward year by year; some leave, others come."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecast.carriers import KINDS, enterprises, of_base_year, panel_of, rows_of
from forecast.growth import SIZE, Growth
from forecast.parts import cell_starts
from forecast.severity import Severity
from forecast.spending import Grown, Spending
from forecast.streams import Bools, Floats, Ints, Seeds, bits, stream
from rules.catalogue import Catalogue
from rules.frames import Frames, counting

WHOLE = 65_536
"""The number of 16-bit numbers: a chance is a part of it."""


@dataclass(frozen=True)
class Flag:
    """How a yes or no goes on: the chance of yes after yes, after no, and where nothing is known."""

    after_yes: float
    after_no: float
    unknown: float

    def chances(self, last: pl.Series) -> Ints:
        """By enterprise the chance of yes, in parts of WHOLE, after what it said last."""
        chance = pl.when(last).then(self.after_yes).when(~last).then(self.after_no).otherwise(self.unknown)
        parts: Ints = np.rint(WHOLE * pl.select(chance).to_series().to_numpy()).astype(np.int64)
        return parts

    def next(self, said: Bools, drawn: NDArray[np.uint16]) -> Bools:
        """What follows what was said, by uniform 16-bit draws."""
        yes, no = (drawn < round(WHOLE * after) for after in (self.after_yes, self.after_no))
        return np.asarray(no ^ (said & (yes ^ no)))


STEADY = Flag(1.0, 0.0, 0.0)
"""A flag that stays as it is; an unknown one is taken for no."""


def flag_of(frames: Frames, registry: str, column: str) -> Flag:
    """The habits of a flag in the registry's consecutive years; where there are none, it stays as it is."""
    rows = counting(frames[registry]).select("uscc", "year", column).drop_nulls().unique(["uscc", "year"])
    later = rows.with_columns(pl.col("year") - 1).rename({column: "_next"})
    pairs = rows.join(later, on=["uscc", "year"])
    kept, won = (pairs.filter(pl.col(column) == told)["_next"] for told in (True, False))
    share = rows[column].mean()
    return Flag(
        float(str(kept.mean())) if len(kept) else 1.0,
        float(str(won.mean())) if len(won) else 0.0,
        float(str(share)) if share is not None else 0.0,
    )


@dataclass
class Carried(Spending):
    """Enterprises of the base year one by one, and newcomers like them, who can earn after their first year.

    `start`: what each one's last growth leaves behind; `population`: enterprises by year as a multiple of
    the base year's, where a target says so (None: as the registry's comings and goings have it).
    """

    start: Floats
    flags: dict[str, Flag]
    population: Floats | None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.places: dict[tuple[int, int], tuple[Ints, Ints]] = {}
        self.offset = self.growth.stratum(self.who["amount"].to_numpy()) * SIZE
        self.reported = self.who["reported"].to_numpy()
        base = self.prepared.select("uscc", *self.flags).unique("uscc")
        said = self.who.select("uscc").join(base, on="uscc", how="left", maintain_order="left")
        self.said: dict[str, Bools] = {name: said[name].fill_null(False).to_numpy() for name in self.flags}
        self.chance = {name: flag.chances(said[name]) for name, flag in self.flags.items()}

    def newcomers(self, number: int) -> float:
        """Enterprises that came after the base year and were there the year before, as a part of its enterprises."""
        stay, arrive = self.growth.stay, self.growth.arrive
        if self.population is None:
            return arrive * sum(stay**k for k in range(1, number + 1))
        before = self.population[number - 1] if number else 1.0
        return max(0.0, float(before) - stay**number) * stay

    def populations(self, draws: Ints, seeds: Seeds) -> Iterator[list[list[Grown]]]:
        """See Spending."""
        growth, count, many = self.growth, self.who.height, draws.size
        shocks = self.shocks(draws, seeds)
        own = [stream(seeds.own, self.registry, int(d)) for d in draws]

        def drawn() -> NDArray[np.uint16]:
            return np.stack([bits(rng, count) for rng in own])

        ends, factors, echoes = drawn(), growth.factors.ravel(), growth.echoes.ravel()
        factor, echo = np.ones((1, 1)), self.start[None, :]
        reported: Bools = np.broadcast_to(self.reported, (many, count))
        flags = {name: np.broadcast_to(said, (many, count)) for name, said in self.said.items()}
        last = [
            {name: np.broadcast_to(base, (many, count)) for name, base in held.money.items()}
            for held in self.carriers
        ]
        for number, year in enumerate(self.years):
            place = (drawn() & (SIZE - 1)) + self.offset
            grown = factors.take(place)
            for part in (np.exp(shocks[:, number])[:, None], echo, factor):
                grown *= part
            factor = grown
            echo = echoes.take(place) if growth.theta and year != self.years[-1] else np.ones((1, 1))
            stays = ends >= min(WHOLE - 1, round(WHOLE * (1 - growth.stay ** (number + 1))))
            there = (stays & reported).ravel()  # last year's flag needs last year's figure
            if growth.zero:
                reported = drawn() >= round(growth.zero * WHOLE)
            columns: dict[str, NDArray[np.generic]] = {}
            for name, flag in self.flags.items():
                columns[self.kind.flags[name]] = flags[name]
                flags[name] = flag.next(flags[name], drawn()) if number else drawn() < self.chance[name]
                columns[name] = flags[name]
            found = []
            for which, held in enumerate(self.carriers):
                figures = {name: base * factor for name, base in held.money.items()}
                told = {name: one * reported if growth.zero else one for name, one in figures.items()}
                before = {self.kind.before[name]: one for name, one in last[which].items()}
                stay = self._stayers(which, year, columns | told | before, many, there)
                found.append([stay, *self._newcomers(which, year, number, draws, shocks, seeds)])
                last[which] = figures
            yield found

    def _stayers(
        self, which: int, year: int, columns: dict[str, NDArray[np.generic]], many: int, there: Bools
    ) -> Grown:
        draw, starts = self._places(which, many)
        frame = self.frame(self.fixed_rows(which, many), columns, year)
        return Grown(frame, draw, starts, counts=there)

    def _places(self, which: int, many: int) -> tuple[Ints, Ints]:
        """The draw of every row of so many draws, and the first row of each draw and district, made once."""
        if (which, many) not in self.places:
            held = self.carriers[which]
            draw = np.repeat(np.arange(many), held.rows.height)
            self.places[which, many] = draw, cell_starts(draw, np.tile(held.district, many), many)
        return self.places[which, many]

    def _newcomers(
        self, which: int, year: int, number: int, draws: Ints, shocks: Floats, seeds: Seeds
    ) -> Iterator[Grown]:
        """Enterprises that were not there in the base year, each like one that was."""
        growth, held, share = self.growth, self.carriers[which], self.newcomers(number)
        chosen, indexes = [], []
        for d in draws:
            rng = stream(seeds.counts, self.registry, "newcomers", number, int(d))
            chosen.append(np.sort(rng.integers(0, self.who.height, rng.poisson(share * self.who.height))))
            indexes.append(
                bits(stream(seeds.own, self.registry, "newcomers", number, int(d)), 2 * chosen[-1].size)
            )
        donors = np.concatenate(chosen)
        if not donors.size:
            return
        draw = np.repeat(np.arange(draws.size), [one.size for one in chosen])
        index = np.concatenate([one[: one.size // 2] for one in indexes])
        spare = np.concatenate([one[one.size // 2 :] for one in indexes])
        before = np.exp(shocks[:, :number].sum(1))[draw]
        now = before * np.exp(shocks[:, number])[draw]
        now = now * growth.factors.ravel().take((index & (SIZE - 1)) + self.offset[donors])
        rows, of = rows_of(held.starts, donors)
        columns: dict[str, NDArray[np.generic]] = {
            name: base[rows] * now[of] for name, base in held.money.items()
        }
        columns |= {self.kind.before[name]: base[rows] * before[of] for name, base in held.money.items()}
        for name, was in self.kind.flags.items():
            columns[was] = self.said[name][donors][of]
            columns[name] = (spare < self.chance[name][donors])[of]
        yield Grown(
            frame=self.frame(self.fixed_rows(which, 1)[rows], columns, year),
            draw=draw[of],
            starts=cell_starts(draw[of], held.district[rows], draws.size),
            rows=rows,
            unit=of,
        )


def carried(
    frames: Frames,
    law: Catalogue,
    registry: str,
    base: int,
    years: list[int],
    growth: Growth,
    severities: dict[str, Severity],
    population: Floats | None = None,
) -> Carried:
    """The base year's enterprises of a registry, to be carried through `years`."""
    panel = panel_of(frames, registry).filter(pl.col("year") <= base)
    rows = of_base_year(frames, registry, base, panel)
    return Carried(
        law,
        registry,
        years,
        growth,
        severities,
        rows,
        start=growth.start(panel, enterprises(rows)["uscc"]),
        flags={
            name: STEADY if growth.still else flag_of(frames, registry, name)
            for name in KINDS[registry].flags
        },
        population=population,
    )
