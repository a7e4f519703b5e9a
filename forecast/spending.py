"""Microsimulation: every enterprise's spending is carried forward, and the compiled rules see each draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecast.carriers import KINDS, Carrier, Kind, carrier, enterprises_of, panel_of, pool_starts, rows_of
from forecast.formula import DRAWN, Formula, fen
from forecast.growth import SIZE, Growth
from forecast.parts import Filled, by_district, district_cells
from forecast.severity import Severity
from forecast.streams import Floats, Ints, Seeds, bits, stream
from rules.catalogue import Catalogue
from rules.evaluate import JUDGED
from rules.history import Frames
from rules.model import Item
from schemas.districts import DISTRICTS

ROWS = 131_072
"""Rows evaluated at once: few enough for the processor's cache, many enough to forget the cost of a call."""

ENDS = 8
"""The ends of a statutory range are worked out in every eighth draw."""

Bools = NDArray[np.bool_]
_V = TypeVar("_V", bound=np.generic)
NINE = len(DISTRICTS)


@dataclass(frozen=True)
class Line:
    """An item simulated on a carrier: as decided, and at both ends where a department decides."""

    item: Item
    carrier: int
    decided: Formula
    ends: tuple[Formula, Formula] | None
    severity: Severity | None
    pools: list[Ints | None]


@dataclass(frozen=True)
class Grown:
    """Rows of some draws in one year: `draw` and `district` of each row, its factors since the base year.

    `rectangle`: draws × all rows of the carrier; else chosen rows. `counts`: the rows that are there.
    """

    frame: pl.DataFrame
    draw: Ints
    district: Ints
    counts: Bools | None
    rectangle: bool


@dataclass
class Spending:
    """The items of one yearly registry over the award years after `base`. Amounts in fen."""

    frames: Frames
    law: Catalogue
    registry: str
    base: int
    years: Sequence[int]
    growth: Growth
    severities: dict[str, Severity]
    kind: Kind = field(init=False)

    def __post_init__(self) -> None:
        self.kind = KINDS[self.registry]
        panel = panel_of(self.frames, self.registry)
        self.who = enterprises_of(self.frames, self.registry, self.base, panel)
        if self.kind.lumpy:
            self.growth = levelled(self.growth)
        self.start = self.growth.start(panel.filter(pl.col("year") <= self.base), self.who["uscc"])
        self.offset = self.growth.stratum(self.who["amount"].to_numpy()).astype(np.int32) * SIZE
        self.reported = self.who["reported"].to_numpy()
        self.fixed: dict[tuple[int, int], pl.DataFrame] = {}
        groupings = sorted({item.rows for item in self.items})
        self.carriers = [carrier(self.frames, self.registry, self.base, g, self.who) for g in groupings]
        self.lines = [self._line(item, groupings.index(item.rows)) for item in self.items]
        self.cells = pl.concat(
            district_cells(
                line.item.id,
                self.years,
                "simulated",
                ranged=line.ends is not None,
                settled=line.ends is None or line.severity is not None,
            )
            for line in self.lines
        )

    @cached_property
    def items(self) -> list[Item]:
        """The items simulated."""
        return list(self.law.of_registry(self.registry))

    def _line(self, item: Item, place: int) -> Line:
        compiled, severity = self.law.compiled(item), self.severities.get(item.id)
        decides = item.basis == "range" or item.basis in JUDGED
        ends = (Formula(compiled, "low"), Formula(compiled, "high")) if decides else None
        end = "drawn" if severity or not decides else "low"
        decided = Formula(compiled, end, of_ceiling=severity is not None and severity.of == "ceiling")
        return Line(item, place, decided, ends, severity, pool_starts(decided, self.carriers[place].rows))

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """See forecast.parts.Part."""
        cells = self.cells.height
        amounts = np.zeros((count, cells), np.int64)
        sums = np.zeros((4, cells), np.int64)
        tile = max(1, ROWS // max(1, max(c.rows.height for c in self.carriers)))
        for begun in range(0, count, tile):
            draws = np.arange(first + begun, first + min(begun + tile, count))
            self._tile(draws, seeds, amounts[begun : begun + tile], sums)
        return Filled(amounts, *sums)

    def _tile(self, draws: Ints, seeds: Seeds, amounts: Ints, sums: Ints) -> None:
        for number, populations in enumerate(self._populations(draws, seeds)):
            for place, line in enumerate(self.lines):
                at = (place * len(self.years) + number) * NINE
                for grown in populations[line.carrier]:
                    if grown.frame.height:
                        self._pay(
                            line,
                            grown,
                            draws,
                            seeds,
                            number,
                            amounts[:, at : at + NINE],
                            sums[:, at : at + NINE],
                        )

    def _pay(
        self, line: Line, grown: Grown, draws: Ints, seeds: Seeds, number: int, amounts: Ints, sums: Ints
    ) -> None:
        """Evaluate one item on grown rows and add what it pays by draw and district."""
        frame = grown.frame
        if line.severity is not None:
            frame = frame.with_columns(self._decisions(line, grown, draws, seeds, number).alias(DRAWN))
        paid, lines = self._sums(line.decided, line.pools, frame, grown, draws.size)
        amounts += paid
        sums[0] += lines.sum(0)
        every = ENDS if line.severity is not None or line.item.basis == "range" else 1
        sampled = np.flatnonzero(draws % every == 0)
        if line.ends is None:
            sums[1:] += paid.sum(0)
        elif sampled.size:
            keep = np.isin(grown.draw, sampled)
            some = replace(
                grown, frame=frame.filter(keep), draw=grown.draw[keep], district=grown.district[keep],
                counts=None if grown.counts is None else grown.counts[keep], rectangle=False,
            )  # fmt: skip
            low, high = (
                self._sums(end, [None] * len(line.pools), some.frame, some, draws.size)[0]
                for end in line.ends
            )
            sums[1:] += np.stack([low.sum(0), high.sum(0), paid[sampled].sum(0)])

    def _sums(
        self, formula: Formula, pools: list[Ints | None], frame: pl.DataFrame, grown: Grown, draws: int
    ) -> tuple[Ints, Ints]:
        """Fen and number of paying lines, by draw and district."""
        yuan, caps = formula.amounts(frame)
        if grown.rectangle:
            for starts, cap in zip(pools, caps, strict=True):
                yuan = _shared(yuan, cap, starts, draws) if starts is not None else yuan
        paid = fen(yuan)
        if grown.counts is not None:
            paid *= grown.counts
        return _by_district(paid, grown, draws), _by_district((paid > 0).astype(np.int64), grown, draws)

    def _decisions(self, line: Line, grown: Grown, draws: Ints, seeds: Seeds, number: int) -> pl.Series:
        """What the department decides on each row: a rate, a part of the ceiling, or an amount in yuan."""
        severity = line.severity
        assert severity is not None
        sizes = np.bincount(grown.draw, minlength=draws.size)
        names = (self.registry, line.item.id, number, grown.rectangle)
        drawn = [
            bits(stream(seeds.assessed, *names, int(d)), int(n)) for d, n in zip(draws, sizes, strict=True)
        ]
        decision = pl.Series(severity.table[np.concatenate(drawn) & (SIZE - 1)])
        return decision * grown.frame[severity.of] if severity.of in self.kind.grown else decision

    def _populations(self, draws: Ints, seeds: Seeds) -> Iterator[list[list[Grown]]]:
        """Year by year, by carrier: those who stay, and newcomers."""
        growth, count, many = self.growth, self.who.height, draws.size
        shocks = np.stack(
            [growth.shocks(stream(seeds.common, self.registry, int(d)), len(self.years)) for d in draws]
        )
        own = [stream(seeds.own, self.registry, int(d)) for d in draws]
        ends = np.stack([bits(rng, count) for rng in own])
        factors, echoes = growth.factors.ravel(), growth.echoes.ravel()
        now: Floats = np.ones((many, count))
        echo: Floats = self.start[None, :]
        reported: Bools = np.broadcast_to(self.reported, (many, count))
        highest = [c.highest for c in self.carriers]
        for number, year in enumerate(self.years):
            place = (np.stack([bits(rng, count) for rng in own]) & (SIZE - 1)) + self.offset
            before, was_reported = now, reported
            now = before * (np.exp(shocks[:, number])[:, None] * factors.take(place) * echo)
            echo = echoes.take(place) if growth.theta else np.ones((1, 1))
            there = ends >= min(65535, round(65536 * (1 - growth.stay ** (number + 1))))
            there = (
                there & was_reported if self.kind.needs else there
            )  # last year's flags need last year's figure
            told = now
            if growth.zero:
                reported = np.stack([bits(rng, count) for rng in own]) >= round(growth.zero * 65536)
                told = now * reported
            found = []
            for which, (held, most) in enumerate(zip(self.carriers, highest, strict=True)):
                stay = self._stayers(which, year, told, before, most, there)
                found.append([stay, *self._newcomers(which, year, number, draws, shocks, seeds)])
                for name, was in self.kind.highest.items():
                    most = most | {was: np.fmax(most[was], held.money[name] * self._spread(held, told))}
                highest[which] = most
            yield found

    def _stayers(
        self, which: int, year: int, now: Floats, before: Floats, highest: dict[str, Floats], there: Bools
    ) -> Grown:
        held, many = self.carriers[which], now.shape[0]
        rows = held.rows.height
        spread = self._spread(held, now)
        columns = {name: base * spread for name, base in held.money.items()}
        if self.kind.before:
            past = self._spread(held, before)
            columns |= {was: held.money[name] * past for name, was in self.kind.before.items()}
        columns |= {name: np.broadcast_to(value, (many, rows)) for name, value in highest.items()}
        counts = np.broadcast_to(self._spread(held, there), (many, rows)).ravel()
        return Grown(
            frame=self._frame(self._fixed(which, many), columns, year),
            draw=np.repeat(np.arange(many), rows),
            district=np.tile(held.district, many),
            counts=counts,
            rectangle=True,
        )

    def _newcomers(
        self, which: int, year: int, number: int, draws: Ints, shocks: Floats, seeds: Seeds
    ) -> Iterator[Grown]:
        """Enterprises that were not there in the base year, each like one that was."""
        growth, held = self.growth, self.carriers[which]
        share = growth.arrive * sum(growth.stay**k for k in range(self.kind.needs, number + 1))
        if not share:
            return
        chosen = []
        for d in draws:
            rng = stream(seeds.counts, self.registry, "newcomers", number, int(d))
            chosen.append(np.sort(rng.integers(0, self.who.height, rng.poisson(share * self.who.height))))
        sizes = [one.size for one in chosen]
        donors = np.concatenate(chosen)
        if not donors.size:
            return
        draw = np.repeat(np.arange(draws.size), sizes)
        index = np.concatenate(
            [
                bits(stream(seeds.own, self.registry, "newcomers", number, int(d)), size)
                for d, size in zip(draws, sizes, strict=True)
            ]
        )
        before = np.exp(shocks[:, :number].sum(1))[draw]
        now = (
            before
            * np.exp(shocks[:, number])[draw]
            * growth.factors.ravel().take((index & (SIZE - 1)) + self.offset[donors])
        )
        rows, of = rows_of(held.starts, donors)
        columns = {name: base[rows] * now[of] for name, base in held.money.items()}
        columns |= {was: held.money[name][rows] * before[of] for name, was in self.kind.before.items()}
        columns |= {name: np.full(rows.size, np.nan) for name in self.kind.highest.values()}
        yield Grown(
            frame=self._frame(self._fixed(which, 1)[rows], columns, year),
            draw=draw[of],
            district=held.district[rows],
            counts=None,
            rectangle=False,
        )

    def _spread(self, held: Carrier, values: NDArray[_V]) -> NDArray[_V]:
        """Enterprises' values brought to their rows."""
        alone = held.rows.height == self.who.height
        return values if alone or values.shape[1] == 1 else values[:, held.enterprise]

    def _frame(self, fixed: pl.DataFrame, columns: dict[str, Floats], year: int) -> pl.DataFrame:
        made = [pl.Series(name, value.ravel()) for name, value in columns.items()]
        unknown = [one.name for one in made if one.is_nan().any()] if self.registry == "equipment" else []
        frame = fixed.with_columns(*made, pl.lit(date(year, 12, 31)).alias("on"))
        return frame.with_columns(pl.col(unknown).fill_nan(None)) if unknown else frame

    def _fixed(self, which: int, many: int) -> pl.DataFrame:
        """The fixed columns that some item reads of a carrier's rows, repeated for so many draws."""
        if (which, many) not in self.fixed:
            read = {"uscc"}.union(*(line.decided.reads for line in self.lines))
            rows = self.carriers[which].rows
            rows = rows.select(c for c in rows.columns if c in read)
            self.fixed[which, many] = pl.concat([rows] * many).rechunk()
        return self.fixed[which, many]


def levelled(growth: Growth) -> Growth:
    """Growth whose own part, a jump and what it leaves behind, neither adds nor takes in the mean."""
    factors = growth.factors / growth.factors.mean(1, keepdims=True)
    return replace(
        growth, factors=factors, echoes=growth.echoes / (factors * growth.echoes).mean(1, keepdims=True)
    )


def _shared(yuan: Floats, cap: Floats, starts: Ints, draws: int) -> Floats:
    """Lines that share a cap, scaled to it where together they exceed it."""
    lines, bounds = yuan.reshape(draws, -1), cap.reshape(draws, -1)
    total = np.add.reduceat(lines, starts, axis=1)
    bound = np.maximum.reduceat(bounds, starts, axis=1)
    scale = np.minimum(1, bound / np.maximum(total, 0.01))
    sizes = np.diff(starts, append=lines.shape[1])
    scaled: Floats = lines * np.repeat(scale, sizes, axis=1)
    return scaled.ravel()


def _by_district(values: Ints, grown: Grown, draws: int) -> Ints:
    if not grown.rectangle:
        return by_district(grown.draw, grown.district, values, draws)
    district = grown.district[: values.size // draws]
    starts = np.flatnonzero(np.diff(district, prepend=-1))
    found = np.zeros((draws, NINE), np.int64)
    found[:, district[starts]] = np.add.reduceat(values.reshape(draws, -1), starts, axis=1)
    return found
