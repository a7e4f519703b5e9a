"""Equipment: projects come and go, so that a coming year's enterprises are like those of the years that were."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.carriers import of_all_years, panel_of, rows_of
from forecast.counts import Counts, trend
from forecast.growth import Growth
from forecast.parts import cell_starts
from forecast.severity import Severity
from forecast.spending import Grown, Spending
from forecast.streams import Floats, Ints, Seeds, stream
from rules.catalogue import Catalogue
from rules.frames import Frames


@dataclass
class Resampled(Spending):
    """A number of enterprises a year, each with all the projects of one that was, grown with the city."""

    counts: Counts

    def populations(self, draws: Ints, seeds: Seeds) -> Iterator[list[list[Grown]]]:
        """See Spending."""
        shocks = self.shocks(draws, seeds)
        numbers = np.stack(
            [self.counts.draw(stream(seeds.counts, self.registry, int(d)), 1)[0] for d in draws]
        )
        for number, year in enumerate(self.years):
            chosen = [
                np.sort(
                    stream(seeds.own, self.registry, number, int(d)).integers(
                        0, self.who.height, numbers[place, number]
                    )
                )
                for place, d in enumerate(draws)
            ]
            draw = np.repeat(np.arange(draws.size), [one.size for one in chosen])
            factor = np.exp(shocks[:, : number + 1].sum(1))
            yield [
                [self._grown(which, year, np.concatenate(chosen), draw, factor)]
                for which in range(len(self.carriers))
            ]

    def _grown(self, which: int, year: int, donors: Ints, draw: Ints, factor: Floats) -> Grown:
        held = self.carriers[which]
        rows, of = rows_of(held.starts, donors)
        draw = draw[of]
        by = factor[draw]
        columns = {name: base[rows] * by for name, base in held.money.items()}
        return Grown(
            frame=self.frame(self.fixed_rows(which, 1)[rows], columns, year),
            draw=draw,
            starts=cell_starts(draw, held.district[rows], factor.size),
            rows=rows,
            unit=of,
        )


def resampled(
    frames: Frames,
    law: Catalogue,
    registry: str,
    base: int,
    years: list[int],
    growth: Growth,
    severities: dict[str, Severity],
    dispersion: float,
) -> Resampled:
    """The enterprises of all years to `base`, to be drawn from; as many a year as the years brought."""
    seen = (
        panel_of(frames, registry)
        .filter(pl.col("year") <= base)
        .group_by("year")
        .len()
        .sort("year")["len"]
        .to_list()
    )
    counts = trend(seen, [1.0] * len(seen), len(years), dispersion)
    rows = of_all_years(frames, registry, base)
    return Resampled(law, registry, years, growth, severities, rows, counts)
