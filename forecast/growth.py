"""How amounts grow: a common yearly shock and an enterprise's own draw, both read off the registry's panel.

log growth = common(year) + centre(stratum) + e + theta × (last year's e); e has its stratum's scale and one
shape, that of all residuals: fat tails come from the panel itself, not from a curve.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from forecast.panels import log_growth, matrix, without_echo
from forecast.streams import Floats, Ints, stream

SIZE = 4096
"""Entries of a table of equally likely draws (a power of two)."""

WIDEST = 3.0
"""No factor of one year exceeds exp(±3), twentyfold: such a jump is a registry's error, or a new enterprise."""

_HELD = 64
"""Blocks of draws whose common growth is kept."""


@dataclass(frozen=True)
class Common:
    """The common log growth of a year: what the panel's years say and what is assumed."""

    mean: float
    sd: float
    years: int
    dof: float
    effects: Floats  # [growth years] estimates, NaN where the panel has none

    def draw(self, rng: np.random.Generator, horizon: int) -> Floats:
        """A path: deviation and mean are drawn once (they are estimates), then every year's own shock."""
        if self.dof == np.inf:
            return np.full(horizon, self.mean)
        sd = self.sd * np.sqrt(self.dof / rng.chisquare(self.dof))
        mean = self.mean + sd / np.sqrt(max(self.years, 1)) * rng.standard_normal()
        return np.asarray(mean + sd * rng.standard_normal(horizon))

    def moved(self, way: str) -> "Common":
        """The same with its mean one standard deviation of that mean lower or higher, or as it is."""
        error = self.sd / np.sqrt(max(self.years, 1))
        return replace(self, mean=self.mean + {"low": -error, "middle": 0.0, "high": error}[way])


@dataclass(frozen=True)
class Growth:
    """The growth of one year as tables to draw from; see `fit`.

    An enterprise's amount in the h-th year is
    `level × exp(shock[h]) × factors[s, i[h]] × (start if h is the first year else echoes[s, i[h-1]])`
    with `s` its stratum in the base year and every `i` uniform over SIZE.
    """

    years: tuple[int, ...]
    edges: Floats
    factors: Floats
    echoes: Floats
    theta: float
    zero: float
    stay: float
    arrive: float
    common: Common
    centres: Floats
    notes: tuple[tuple[str, str, str], ...]

    def stratum(self, amounts: Floats) -> Ints:
        """The size stratum of each amount."""
        return np.searchsorted(self.edges, amounts, side="right").astype(np.int64)

    def start(self, panel: pl.DataFrame, uscc: pl.Series) -> Floats:
        """What each enterprise's last residual does to its first year ahead; 1 where unknown."""
        if self.theta == 0 or len(self.years) < 2:
            return np.ones(len(uscc))
        codes, amounts = matrix(panel, self.years)
        growth = log_growth(amounts)
        own = growth - self.common.effects - self.centres[self.stratum(amounts[:, :-1])]
        last = without_echo(own, self.theta)[:, -1]
        known = pl.DataFrame({"uscc": codes, "last": np.nan_to_num(last)})
        asked = pl.DataFrame({"uscc": uscc.cast(pl.String)})
        found = asked.join(known, on="uscc", how="left", maintain_order="left")["last"].fill_null(0.0)
        return np.asarray(np.exp(np.clip(self.theta * found.to_numpy(), -WIDEST, WIDEST)))

    @property
    def still(self) -> bool:
        """Whether there is no uncertainty in it (see `frozen`)."""
        return self.common.dof == np.inf

    def moved(self, way: str) -> "Growth":
        """The same with a low, middle or high common growth; a note says so."""
        common = self.common.moved(way)
        if way == "middle":
            return self
        words = {"low": "低", "high": "高"}[way]
        note = (
            "共同增长取值",
            f"取{words}：每年 {common.mean:.1%}（对数增长）",
            "方案设定：均值减或加一个标准差",
        )
        return replace(self, common=common, notes=(*self.notes, note))

    def frozen(self) -> "Growth":
        """The same without uncertainty: every draw its stratum's centre, every year the mean, nobody comes or goes."""
        factors = np.repeat(np.exp(self.centres)[:, None], SIZE, axis=1)
        calm = replace(self.common, dof=np.inf)
        still = replace(self, theta=0.0, zero=0.0, stay=1.0, arrive=0.0, common=calm)
        return replace(still, factors=factors, echoes=np.ones_like(factors))


def common_paths(growth: Growth, registry: str, draws: Ints, horizon: int, seed: int) -> Floats:
    """The common log growth of draws [draws, horizon], with what the panel leaves unsure about it."""
    return np.stack([growth.common.draw(stream(seed, registry, int(draw)), horizon) for draw in draws])


@dataclass(frozen=True)
class Paths:
    """The common log growth that all claims follow, a registry's: made once for every block of draws."""

    growth: Growth
    registry: str
    horizon: int
    _held: dict[tuple[int, int, int], Floats] = field(default_factory=dict, init=False, repr=False)

    def of(self, first: int, count: int, seed: int) -> Floats:
        """`common_paths` of the draws first..first+count-1, to read only."""
        found = self._held.get((first, count, seed))
        if found is None:
            draws = np.arange(first, first + count)
            found = common_paths(self.growth, self.registry, draws, self.horizon, seed)
            found.flags.writeable = False
            if len(self._held) >= _HELD:  # blocks come in turn: earlier ones are done with
                self._held.clear()
            self._held[first, count, seed] = found
        return found
