"""The enterprises: who they are, where, and from when to when."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.districts import DISTRICTS
from synth.codes import credit_codes
from synth.draws import Bools, Floats, Ints, masked, serials, stream, words

# Table D (electronics, 2025), row 高新技术企业认定数（家）, in the order of its columns.
DISTRICT_WEIGHTS = dict(
    zip(
        ("开发区", "高新区", "花桥", "旅游度假区", "张浦", "周市", "陆家", "巴城", "千灯"),
        (119, 60, 11, 17, 11, 12, 10, 14, 10),
        strict=True,
    )
)

# Industry: share of the enterprises, word in the name, manufacturing or not.
_INDUSTRIES = {
    "新一代电子信息": (0.38, "电子", True),
    "高端装备制造": (0.24, "精密机械", True),
    "新材料": (0.12, "新材料", True),
    "新能源汽车及零部件": (0.09, "汽车部件", True),
    "生物医药": (0.06, "生物医药", True),
    "软件和信息服务": (0.07, "软件", False),
    "现代服务业": (0.04, "科技服务", False),
}

ENTRY, EXIT = 0.025, 0.015
"""Yearly shares of enterprises that begin and that end."""

_SPARE = 8


@dataclass(frozen=True)
class City:
    """All enterprises, one row each; `entry` is the first year, `exit` the first year without them.

    `size` is how large an enterprise is, standard normal. `spare` are valid codes of no enterprise.
    """

    table: pl.DataFrame
    entry: Ints
    exit: Ints
    size: Floats
    manufacturing: Bools
    spare: list[str]

    @property
    def count(self) -> int:
        return self.table.height

    def alive(self, year: int) -> Bools:
        """Who is in business in a year."""
        return np.asarray((self.entry <= year) & (year < self.exit))

    def enterprises(self, year: int) -> pl.DataFrame:
        """The registry of a year."""
        return self.table.filter(pl.Series(self.alive(year)))

    def codes(self, places: Ints) -> pl.Series:
        """The credit codes of enterprises by their place."""
        return self.table["uscc"].gather(pl.Series(places))


def found_city(count: int, first: int, last: int, seed: int) -> City:
    """A city of `count` enterprises over the years `first`..`last`; some begin later, some end earlier."""
    rng = stream(seed, "city")
    codes = credit_codes(count + _SPARE, seed)
    later = rng.random(count) < min(0.5, ENTRY * (last - first))
    entry = np.where(later, rng.integers(first + 1, max(last, first + 1) + 1, count), first)
    industry = _shared(rng, [share for share, _, _ in _INDUSTRIES.values()], count)
    manufacturing = np.array([made for _, _, made in _INDUSTRIES.values()])[industry]
    makes = manufacturing ^ (rng.random(count) < 0.02)
    table = pl.DataFrame(
        {
            "uscc": codes.head(count),
            "name": _names(industry, count),
            "district": words(list(DISTRICTS), _shared(rng, [DISTRICT_WEIGHTS[d] for d in DISTRICTS], count)),
            "industry": masked(words(list(_INDUSTRIES), industry), rng.random(count) > 0.03),
            "industrial": masked(pl.Series(makes), rng.random(count) > 0.02),
            "registered_on": masked(_registered(rng, entry, first), rng.random(count) > 0.03),
        }
    )
    return City(
        table=table,
        entry=entry,
        exit=entry + rng.geometric(EXIT, count),
        size=rng.standard_normal(count),
        manufacturing=manufacturing,
        spare=codes.tail(_SPARE).to_list(),
    )


def _shared(rng: np.random.Generator, weights: list[float] | list[int], count: int) -> Ints:
    """Which part each of `count` belongs to: as many as the weights say, in random order."""
    bounds = np.cumsum(weights) / sum(weights)
    places = (rng.permutation(count) + 0.5) / count
    return np.minimum(np.searchsorted(bounds, places), len(weights) - 1)


def _names(industry: Ints, count: int) -> pl.Series:
    middle = words([word for _, word, _ in _INDUSTRIES.values()], industry)
    numbered = serials("昆山示例", np.arange(1, count + 1))
    return numbered + "号" + middle + "有限公司"


def _registered(rng: np.random.Generator, entry: Ints, first: int) -> pl.Series:
    """Established firms over thirty years, mostly lately; entrants in the year they begin."""
    count = entry.size
    age = np.where(entry > first, 0, 1 + np.minimum(rng.exponential(9, count), 30)).astype(np.int64)
    start = (entry - age - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return pl.Series(start + rng.integers(0, 362, count).astype("timedelta64[D]")).cast(pl.Date)
