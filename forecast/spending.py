"""Microsimulation of what enterprises spend: the compiled rules see every draw."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecast.carriers import KINDS, carrier, enterprises
from forecast.formula import DRAWN, Formula, fen, pool_codes, within_pools
from forecast.growth import SIZE, Growth, common_paths
from forecast.parts import Filled, added, counted, district_cells
from forecast.severity import Severity
from forecast.streams import Bools, Floats, Ints, Seeds, bits, stream
from rules.catalogue import Catalogue
from rules.evaluate import JUDGED
from rules.model import Item
from schemas.districts import DISTRICTS

ROWS = 1_048_576
"""Rows evaluated at once: few enough for memory, many enough to forget the cost of a call, which only one worker
can make at a time."""

ENDS = 8
"""The ends of a statutory range are worked out in every eighth draw."""

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
    """Rows of some draws in one year, ordered by draw and district's name: the `draw` of each, and its figures.

    `starts`: the first row of every draw and district (see forecast.parts.cell_starts). `counts`: the rows that
    are there (None: all). `rows` and `unit`: of chosen rows their places among the carrier's and the enterprise
    drawn that each belongs to; None where there are all rows of every draw.
    """

    frame: pl.DataFrame
    draw: Ints
    starts: Ints
    counts: Bools | None = None
    rows: Ints | None = None
    unit: Ints | None = None


@dataclass
class Spending(ABC):
    """The items of one yearly registry over the award years after a base year. Amounts in fen.

    How enterprises of the coming years come about is the subclasses' affair: carried forward one by one
    (forecast.carried), or like those of earlier years (forecast.resampled).
    """

    law: Catalogue
    registry: str
    years: Sequence[int]
    growth: Growth
    severities: dict[str, Severity]
    prepared: pl.DataFrame

    def __post_init__(self) -> None:
        self.kind = KINDS[self.registry]
        self.who = enterprises(self.prepared)
        self.fixed: dict[tuple[int, int], pl.DataFrame] = {}
        groupings = sorted({item.rows for item in self.items})
        read = {c for item in self.items for c in Formula(self.law.compiled(item)).reads}
        read |= {severity.of for severity in self.severities.values()}
        self.carriers = [carrier(self.prepared, self.registry, g, self.who, read) for g in groupings]
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

    @abstractmethod
    def populations(self, draws: Ints, seeds: Seeds) -> Iterator[list[list[Grown]]]:
        """Year by year, by carrier: the rows of these draws."""

    def shocks(self, draws: Ints, seeds: Seeds) -> Floats:
        """The common log growth [draws, years]."""
        return common_paths(self.growth, self.registry, draws, len(self.years), seeds.common)

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
        return Line(
            item, place, decided, ends, severity, pool_codes(decided, self.carriers[place].rows, "uscc")
        )

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
        for number, populations in enumerate(self.populations(draws, seeds)):
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
        paid, lines = self._sums(line.decided, line.pools, frame, grown)
        amounts += paid
        sums[0] += lines.sum(0)
        every = ENDS if line.severity is not None or line.item.basis == "range" else 1
        sampled = draws % every == 0
        if line.ends is None:
            sums[1:] += paid.sum(0)
        elif sampled.any():
            keep = sampled[grown.draw]
            some = replace(
                grown, frame=frame.filter(keep), draw=grown.draw[keep],
                starts=np.concatenate([[0], np.cumsum(keep)])[grown.starts],
                counts=None if grown.counts is None else grown.counts[keep], rows=np.flatnonzero(keep),
            )  # fmt: skip
            low, high = (self._sums(end, [None] * len(line.pools), some.frame, some)[0] for end in line.ends)
            sums[1:] += np.stack([low.sum(0), high.sum(0), paid[sampled].sum(0)])

    def _sums(
        self, formula: Formula, pools: list[Ints | None], frame: pl.DataFrame, grown: Grown
    ) -> tuple[Ints, Ints]:
        """Fen and number of paying lines, by draw and district."""
        due, yuan, caps = formula.amounts(frame, pools, grown.counts)
        for codes, cap in zip(pools, caps, strict=True):
            if codes is not None and cap is not None:  # else a cap of one row has cut it already
                own = codes[due % codes.size if grown.rows is None else grown.rows[due]]
                unit = grown.draw[due] if grown.unit is None else grown.unit[due]
                yuan = within_pools(yuan, cap, unit * (codes.max() + 1) + own)
        paid, starts = fen(yuan), np.searchsorted(due, grown.starts)
        return added(paid, starts), counted(paid > 0, starts)

    def _decisions(self, line: Line, grown: Grown, draws: Ints, seeds: Seeds, number: int) -> pl.Series:
        """What the department decides on each row: a rate, a part of the ceiling, or an amount in yuan."""
        severity = line.severity
        assert severity is not None
        sizes = np.bincount(grown.draw, minlength=draws.size)
        names = (self.registry, line.item.id, number, grown.rows is None)
        drawn = [
            bits(stream(seeds.assessed, *names, int(d)), int(n)) for d, n in zip(draws, sizes, strict=True)
        ]
        decision = pl.Series(severity.table[np.concatenate(drawn) & (SIZE - 1)])
        return decision * grown.frame[severity.of] if severity.of in self.kind.grown else decision

    def frame(
        self, fixed: pl.DataFrame, columns: Mapping[str, NDArray[np.generic]], year: int
    ) -> pl.DataFrame:
        """Fixed columns with those that were drawn; what is unknown stays unknown."""
        made = [pl.Series(name, value.ravel()) for name, value in columns.items()]
        unknown = [one.name for one in made if one.name in self.gaps]
        frame = fixed.with_columns(*made, pl.lit(date(year, 12, 31)).alias("on"))
        return frame.with_columns(pl.col(unknown).fill_nan(None)) if unknown else frame

    @cached_property
    def gaps(self) -> set[str]:
        """The figures that some row leaves blank."""
        return {
            name for held in self.carriers for name, values in held.money.items() if np.isnan(values).any()
        }

    def fixed_rows(self, which: int, many: int) -> pl.DataFrame:
        """The fixed columns that some item reads of a carrier's rows, repeated for so many draws."""
        if (which, many) not in self.fixed:
            read = set().union(*(line.decided.reads for line in self.lines))
            rows = self.carriers[which].rows
            place = pl.int_range(pl.len(), dtype=pl.Int32).alias("_row")  # so that there is a column at all
            rows = rows.select(place, *(c for c in rows.columns if c in read))
            self.fixed[which, many] = pl.concat([rows] * many).rechunk()
        return self.fixed[which, many]
