"""Certifications: statuses conferred in a year, by the names that departments use."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from rules.evaluate import JUDGED
from rules.model import Item
from schemas.registries import REGISTRIES
from synth.city import City
from synth.draws import Bools, Ints, day_numbers, fen, masked, serials, stream
from synth.law import Law, level_chances, reads
from synth.rows import UNKNOWN, Rows, known

COMMON = {
    "A2.15": 0.008,
    "A3.09": 0.008,
    "A4.02": 0.015,
    "A4.07": 0.004,
    "A4.08": 0.04,
    "A9.02": 0.006,
    "A9.07": 0.01,
}
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
        young = self.city.entry > self.years[0]
        began = np.where(young, np.maximum(began, self.city.entry + 1), began)
        self._began = np.where(aims, began, 9999)
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
        alive, rows = self.city.alive(year), Rows()
        self._high_tech(rows, alive, year)
        for item in self._named():
            self._status(rows, item, alive, year)
        number = rows.numbers("serial")
        kind = rows.words("kind")
        frame = pl.DataFrame(
            {
                "uscc": self.city.codes(rows.numbers("who")),
                **{column: rows.words(column) for column in ("item", "certification", "level", "event")},
                "certified_on": rows.dates("certified_on"),
                "certificate_no": masked(serials("SL" + kind, number), number != UNKNOWN),
                "project_id": serials("XM" + rows.words("project"), rows.numbers("who") + 1),
                "project_name": rows.words("project_name"),
                "assessed_amount": rows.money("assessed_amount"),
            }
        )
        columns = list(REGISTRIES["certifications"].columns)
        return frame.select(columns).sort("certified_on", "certificate_no", "uscc", "item", "certification")

    def _high_tech(self, rows: Rows, alive: Bools, year: int) -> None:
        """Certificates of three years: first recognised, renewed while they last, a few moved in."""
        rng = stream(self.seed, HIGH_TECH, year)
        age = year - self._began
        due = (age >= 0) & (age % _TERM == 0) & (age // _TERM <= self._renewals)
        who = np.flatnonzero(due & alive)
        event = np.where(age[who] == 0, np.where(self._moved_in[who], 2, 0), 1)
        provided = {item.event for item in self.law.items("certifications")}
        who, event = (
            part[np.isin(event, [n for n, e in enumerate(_EVENTS) if e in provided])] for part in (who, event)
        )
        spelled = rows.places([HIGH_TECH, "国家高新技术企业", "高企"])
        rows.add(
            who.size,
            {
                "who": who,
                "certification": rng.choice(spelled, who.size, p=[0.85, 0.1, 0.05]),
                "certified_on": day_numbers(rng, date(year, 10, 1), date(year, 12, 20), who.size),
                "event": rows.places(list(_EVENTS))[event],
                "kind": rows.place(f"GR{year}32"),
                "serial": np.arange(1, who.size + 1),
            },
        )

    def _status(self, rows: Rows, item: Item, alive: Bools, year: int) -> None:
        rng = stream(self.seed, "status", item.id, year)
        who = self.drawn[item.id][year]
        who = who[alive[who]]
        level = rng.choice(len(item.levels), who.size, p=level_chances(item)) if item.levels else None
        serial = known(np.arange(1, who.size + 1), rng.random(who.size) > 0.04)
        for place, label in enumerate(item.levels or (None,)):
            here = np.ones(who.size, np.bool_) if level is None else level == place
            columns = {"who": who[here], "serial": serial[here]}
            rows.add(
                int(here.sum()), columns | self._conferred(rows, item, label, int(here.sum()), year, rng)
            )

    def _conferred(
        self, rows: Rows, item: Item, level: str | None, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, Ints | int]:
        """Columns of one item and level, by name where a name says which it is, else by the item's id."""
        names = self.law.names(item)
        spellings = (names.get(level) or names.get(None) or [])[:_SPELLINGS]
        bare = item.id.replace(".", "")
        columns: dict[str, Ints | int] = {
            "certified_on": day_numbers(rng, date(year, 1, 5), date(year, 12, 25), count),
            "kind": rows.place(f"{bare}-{year}-"),
        }
        if spellings:
            columns["certification"] = rng.choice(rows.places(spellings), count)
        else:
            columns["item"] = rows.place(item.id)
        if not (spellings and level in names):
            columns["level"] = rows.place(level)
        if "project_id" in reads(item):
            columns["project"] = rows.place(f"{year}-{bare}-")
            columns["project_name"] = rows.place(f"示例{item.title}项目")
        if item.basis in JUDGED and item.assessed == "assessed_amount":
            most = self.law.usual(item, level, year) or 1_000_000.0
            amount = fen(most * rng.choice([0.4, 0.5, 0.6, 0.8, 1.0, 1.0, 1.0], count), 1_000_000)
            columns["assessed_amount"] = known(amount, rng.random(count) < 0.88)
        return columns
