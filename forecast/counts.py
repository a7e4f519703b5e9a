"""How many cases a year brings: from the registry's own years, or from a target path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.streams import Floats, Ints

ASSUMED_DISPERSION = 0.05
"""Squared deviation of a year's own factor on its number of cases, where no item shows two years."""

DAMPED = 0.7
"""What remains of a trend with every further year."""


@dataclass(frozen=True)
class Counts:
    """Cases a year as a distribution: a mean that is itself unsure, a factor of the year, and Poisson.

    `mean` by year; `weight`: cases seen, on which the mean rests (inf: a target, taken as given).
    """

    mean: Floats
    weight: float
    dispersion: float
    taken: float = 1.0

    def draw(self, rng: np.random.Generator, draws: int) -> Ints:
        """Numbers of cases [draws, years]."""
        mean = np.broadcast_to(self.mean, (draws, self.mean.size))
        if np.isfinite(self.weight):
            shape = self.weight + 0.5
            mean = mean * (rng.gamma(shape, 1 / shape, draws)[:, None])
        if self.dispersion > 0:
            mean = mean * rng.gamma(1 / self.dispersion, self.dispersion, mean.shape)
        cases = rng.poisson(mean)
        return (cases if self.taken == 1 else rng.binomial(cases, self.taken)).astype(np.int64)


def trend(seen: Sequence[int], exposure: Sequence[float], horizon: int, dispersion: float) -> Counts:
    """Counts of the years after those `seen`: their average, with a slope as far as it is significant.

    `exposure`: the part of each year in which cases could arise.
    """
    cases, years = np.asarray(seen, float), np.asarray(exposure, float)
    if not cases.size:
        return Counts(np.zeros(horizon), 0.0, dispersion)
    slope = _slope(cases / years)
    last = cases.sum() / years.sum() * np.exp(slope * (cases.size - 1) / 2)
    ahead = np.exp(slope * np.cumsum(DAMPED ** np.arange(horizon)))
    return Counts(last * ahead, float(cases.sum()), dispersion)


def _slope(cases: Floats) -> float:
    """Yearly log growth of counts, shrunk to none where it is within its own error; none from fewer than three."""
    if cases.size < 3 or cases.sum() == 0:
        return 0.0
    logs, time = np.log(cases + 0.5), np.arange(cases.size) - (cases.size - 1) / 2
    weight = cases + 0.5
    centre = (weight * time).sum() / weight.sum()
    spread = (weight * (time - centre) ** 2).sum()
    slope = float((weight * (time - centre) * (logs - (weight * logs).sum() / weight.sum())).sum() / spread)
    return slope * max(0.0, 1 - 1 / (spread * slope**2)) if slope else 0.0


def dispersion(histories: Iterable[Sequence[int]]) -> float | None:
    """What years differ by beyond chance, from all items together; None where no item has two years."""
    excess, square = 0.0, 0.0
    for seen in histories:
        cases = np.asarray(seen, float)
        if cases.size > 1 and cases.sum() > 0:
            excess += cases.var(ddof=1) - cases.mean()
            square += cases.mean() ** 2
    return float(np.clip(excess / square, 0.0, 1.0)) if square else None
