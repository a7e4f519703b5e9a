"""Certifications: statuses conferred in a year, by the names that departments use."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from rules.evaluate import JUDGED
from rules.model import Item
from schemas.registries import REGISTRIES
from synth.city import City
from synth.draws import Ints, days, fen, serials, stream, words, yuan
from synth.law import Law, level_chances, reads

COMMON = {"A4.02": 0.015, "A4.07": 0.004, "A4.08": 0.04, "A9.02": 0.006, "A9.07": 0.01, "A2.15": 0.008, "A3.09": 0.008}
"""Share of the enterprises that gain a status in a year; any other item has RARE."""

RARE = 0.0015

HIGH_TECH = "高新技术企业"
_EVENTS = ("新认定", "再次认定", "整体迁入")
_TERM, _RENEWED = 3, 0.85
"""A high-tech certificate's years, and the share renewed when it lapses."""

_SPELLINGS = 3
"""How many of a status's names are in use."""


@dataclass
class Statuses:
    """Who gains which status when: drawn once for all years, so that nobody gains a once-only one twice."""

    city: City
    law: Law
    years: tuple[int, int]
    seed: int
    drawn: dict[str, dict[int, Ints]] = field(init=False)

    def __post_init__(self) -> None:
        self.drawn = {item.id: self._holders(item) for item in self._named()}
        rng, count = stream(self.seed, HIGH_TECH), self.city.count
        aims = rng.random(count) < np.where(self.city.size > 0, 0.6, 0.35)
        began = rng.integers(self.years[0] - 8, self.years[1] + 2, count)
        self._began = np.where(aims, np.maximum(began, self.city.entry - 8), 9999)
        self._renewals = rng.geometric(1 - _RENEWED, count) - 1
        self._moved_in = rng.random(count) < 0.01

    def _named(self) -> list[Item]:
        return [item for item in self.law.items("certifications") if item.event is None]

    def _holders(self, item: Item) -> dict[int, Ints]:
        rng, count = stream(self.seed, "status", item.id), self.city.count
        span = range(self.years[0], self.years[1] + 1)
        numbers = np.maximum(rng.poisson(COMMON.get(item.id, RARE) * count, len(span)), 1)
        places = rng.choice(count, min(int(numbers.sum()), count), replace=False)
        return dict(zip(span, np.split(places, np.cumsum(numbers)[:-1]), strict=True))

    def registry(self, year: int) -> pl.DataFrame:
        """The certifications registry of a year, in order of the day."""
        parts = [self._high_tech(year), *(self._status(item, year) for item in self._named())]
        schema = REGISTRIES["certifications"].dtypes()
        empty = pl.DataFrame(schema=schema)
        return pl.concat([empty, *parts], how="diagonal").sort("certified_on", "certificate_no", maintain_order=True)

    def _alive(self, places: Ints, year: int) -> Ints:
        return places[self.city.alive(year)[places]]

    def _high_tech(self, year: int) -> pl.DataFrame:
        """Certificates of three years: first recognised, renewed while they last, a few moved in."""
        events = {item.event for item in self.law.items("certifications") if item.event}
        if not events:
            return pl.DataFrame()
        rng = stream(self.seed, HIGH_TECH, year)
        age = year - self._began
        due = (age >= 0) & (age % _TERM == 0) & (age // _TERM <= self._renewals)
        places = np.flatnonzero(due & self.city.alive(year))
        event = np.where(age[places] == 0, np.where(self._moved_in[places], 2, 0), 1)
        numbers = serials(f"SLGR{year}32", np.arange(1, places.size + 1))
        spelled = rng.choice([HIGH_TECH, "国家高新技术企业", "高企"], places.size, p=[0.85, 0.1, 0.05])
        frame = pl.DataFrame(
            {
                "uscc": self.city.codes(places),
                "certification": pl.Series(spelled.tolist(), dtype=pl.String),
                "certified_on": days(
                    rng, np.datetime64(f"{year}-10-01"), np.datetime64(f"{year}-12-20"), places.size
                ),
                "event": words(list(_EVENTS), event),
                "certificate_no": numbers,
            }
        )
        return frame.filter(pl.col("event").is_in(list(events)))

    def _status(self, item: Item, year: int) -> pl.DataFrame:
        rng = stream(self.seed, "status", item.id, year)
        drawn = self._alive(self.drawn[item.id][year], year)
        names = self.law.names(item)
        parts = [pl.DataFrame()]
        level_of = rng.choice(len(item.levels), drawn.size, p=level_chances(item)) if item.levels else None
        for place, level in enumerate(item.levels or (None,)):
            places = drawn if level_of is None else drawn[level_of == place]
            if places.size:
                parts.append(self._conferred(item, level, names, places, year, rng))
        found = pl.concat(parts, how="diagonal")
        numbers = serials(f"SL{item.id.replace('.', '')}-{year}-", np.arange(1, found.height + 1))
        told = pl.Series(rng.random(found.height) > 0.04)
        return found.with_columns(certificate_no=pl.when(told).then(numbers))

    def _conferred(
        self,
        item: Item,
        level: str | None,
        names: dict[str | None, list[str]],
        places: Ints,
        year: int,
        rng: np.random.Generator,
    ) -> pl.DataFrame:
        """Rows of one item and level, by name where a name says which it is, else by the item's id."""
        count = places.size
        spellings = (names.get(level) or names.get(None) or [])[:_SPELLINGS]
        implied = level in names
        columns = {
            "uscc": self.city.codes(places),
            "certified_on": days(rng, np.datetime64(f"{year}-01-05"), np.datetime64(f"{year}-12-25"), count),
        }
        if spellings:
            columns["certification"] = words(spellings, rng.integers(0, len(spellings), count))
        else:
            columns["item"] = pl.repeat(item.id, count, eager=True)
        if level is not None and not (spellings and implied):
            columns["level"] = pl.repeat(level, count, eager=True)
        if "project_id" in reads(item):
            columns["project_id"] = serials(f"XM{year}-{item.id.replace('.', '')}-", places + 1)
            columns["project_name"] = pl.repeat(f"示例{item.title}项目", count, eager=True)
        if item.basis in JUDGED and item.assessed == "assessed_amount":
            most = self.law.ceiling(item, level, year) or 1_000_000.0
            amount = fen(most * rng.choice([0.4, 0.5, 0.6, 0.8, 1.0, 1.0, 1.0], count), 1_000_000)
            columns["assessed_amount"] = yuan(amount, rng.random(count) < 0.88)
        return pl.DataFrame(columns)
