"""Claims and persons' claims: whatever items the catalogue reads from these two registries."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from rules.evaluate import JUDGED
from rules.model import Item
from rules.terms import Ladder, Scalar
from schemas.registries import REGISTRIES
from synth.city import City
from synth.codes import resident_ids
from synth.draws import Ints, day_numbers, fen, serials, stream, words
from synth.law import Law, level_chances, needs_level, reads
from synth.rows import Rows, known

_RATE_PER_ITEM, _TOTAL = 0.012, {"claims": 0.35, "talents": 0.3}
"""Claims a year per enterprise: at most this many of one item, and in all of a registry."""

_BASE = {"claims": 5_000_000.0, "talents": 300_000.0}
"""The usual base amount where the item does not hint at one, in yuan."""

_REVENUE = 50_000_000.0
"""The usual revenue (yuan), for items that compare a base with the year before."""

_AMOUNTS = ("base_amount", "base_amount_prior", "assessed_amount", "upper_award")
_SURNAMES = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
_PROJECTS = ["研发及产业化项目", "示范应用项目", "公共服务项目", "技术攻关项目", "平台建设项目"]


@dataclass(frozen=True)
class Applications:
    """The claims and talents of a city."""

    city: City
    law: Law
    seed: int

    def registry(self, name: str, year: int) -> pl.DataFrame:
        """One of the two registries in a year, in order of the day: items whose policy is in force."""
        items = self.law.items(name)
        rate = min(_RATE_PER_ITEM, _TOTAL[name] / max(len(items), 1))
        alive, rows = np.flatnonzero(self.city.alive(year)), Rows()
        for item in items:
            self._claims(rows, item, name, rate * alive.size, alive, year)
        who = rows.numbers("who")
        made = {
            "uscc": self.city.codes(who),
            **{column: rows.words(column) for column in ("item", "level", "project_name")},
            "event_on": rows.dates("event_on"),
            "project_id": serials("XM" + rows.words("project"), who + 1),
            **{column: rows.money(column) for column in _AMOUNTS},
            **{column: rows.counts(column) for column in ("quantity", "months")},
            **{column: rows.flags(column) for column in ("medical", "related_party")},
            "assessed_rate": rows.rates("assessed_rate"),
        }
        found = pl.DataFrame(made).sort("event_on", "item", "uscc")
        if name == "talents":
            found = self._persons(found, year)
        return found.select(list(REGISTRIES[name].columns))

    def _claims(self, rows: Rows, item: Item, name: str, expected: float, alive: Ints, year: int) -> None:
        window = self.law.days(item, year)
        if window is None:
            return
        rng = stream(self.seed, name, item.id, year)
        wanted = max(int(rng.poisson(expected)), 1)
        who = alive[rng.choice(alive.size, min(wanted, alive.size), replace=False)]
        count = who.size
        level = rng.choice(len(item.levels), count, p=level_chances(item)) if item.levels else None
        columns: dict[str, Ints | int] = {
            "who": who,
            "item": rows.place(item.id),
            "event_on": day_numbers(rng, *window, count),
            **self._project(rows, item, count, year, rng),
            **self._figures(item, name, count, year, rng),
            **self._assessment(item, level, count, year, rng),
        }
        if level is not None:
            told = rng.random(count) < (1 if needs_level(item) else 0.8)
            columns["level"] = known(rows.places(list(item.levels))[level], told)
        rows.add(count, columns)

    def _project(
        self, rows: Rows, item: Item, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, Ints | int]:
        told = rng.random(count) < (1 if "project_id" in reads(item) else 0.6)
        code = np.full(count, rows.place(f"{year}-{item.id.replace('.', '')}-"))
        titled = rng.choice(rows.places([f"示例{project}" for project in _PROJECTS]), count)
        return {"project": known(code, told), "project_name": known(titled, told)}

    def _figures(
        self, item: Item, name: str, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, Ints | int]:
        """The columns that the item's expressions read, some left blank."""
        wanted = reads(item)
        base = self._usual(item, name, year) * np.exp(0.8 * rng.standard_normal(count))
        before = base / np.exp(0.4 + 0.4 * rng.standard_normal(count))
        upper = fen(500_000 * np.exp(0.8 * rng.standard_normal(count)), 1_000_000)
        made = {
            "base_amount": known(fen(base, 100), rng.random(count) > 0.03),
            "base_amount_prior": known(fen(before, 100), rng.random(count) > 0.05),
            "quantity": known(1 + rng.poisson(0.4, count), rng.random(count) > 0.15),
            "months": known(rng.integers(3, 25, count), rng.random(count) > 0.05),
            "upper_award": known(upper, rng.random(count) > 0.05),
            "medical": known(rng.integers(0, 5, count) // 4, rng.random(count) > 0.05),
            "related_party": known(rng.integers(0, 10, count) // 9, rng.random(count) > 0.05),
        }
        return {column: values for column, values in made.items() if column in wanted}

    def _usual(self, item: Item, name: str, year: int) -> float:
        """A base amount (yuan) of the size at which the item's thresholds and cap matter."""
        for term in item.terms.values():
            if isinstance(term, Ladder):
                return float(list(term.ladder)[len(term.ladder) // 2])
        if "base_amount_prior" in reads(item):
            return _REVENUE
        clauses = " ".join(clause.when for clause in item.eligible.values())
        floor = self.law.figure(item, clauses, item.levels[0] if item.levels else None, year)
        if floor is not None and floor >= 100_000:
            return 1.5 * floor
        rates = [float(t.value) for t in item.terms.values() if isinstance(t, Scalar) and 0 < t.value < 1]
        most = self.law.ceiling(item, item.levels[-1] if item.levels else None, year)
        return 0.6 * most / max(rates) if rates and most else _BASE[name]

    def _assessment(
        self, item: Item, level: Ints | None, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, Ints | int]:
        """What the department decided, for most rows: an amount within the cap, or a rate."""
        decided = rng.random(count)
        ends = self.law.rates(item)
        if ends:
            rate = 10_000 * (ends[0] + (ends[1] - ends[0]) * rng.integers(0, 11, count) / 10)
            return {"assessed_rate": known(np.rint(rate).astype(np.int64), decided < 0.85)}
        if item.basis not in JUDGED or item.assessed is None:
            return {}
        levels = [self.law.usual(item, label, year) for label in (item.levels or (None,))]
        most = np.array([amount or 2_000_000.0 for amount in levels])[level if level is not None else 0]
        amount = fen(np.maximum(most * rng.beta(2, 1.5, count), 10_000), 1_000_000)
        if item.base is None:
            return {"assessed_amount": known(amount, decided < 0.8)}
        return {
            "assessed_amount": known(amount, decided < 0.6),
            "assessed_rate": known(rng.integers(5, 31, count) * 100, (decided >= 0.6) & (decided < 0.8)),
        }

    def _persons(self, claims: pl.DataFrame, year: int) -> pl.DataFrame:
        """A made-up person for every claim; one in twenty shows another document than a resident id."""
        rng, count = stream(self.seed, "persons", year), claims.height
        people = (year - 1900) * 10_000_000 + np.arange(count, dtype=np.int64)
        passports = serials("SL", people, 9)
        foreign = pl.Series(rng.random(count) < 0.05)
        return claims.with_columns(
            person_id=pl.when(foreign).then(passports).otherwise(resident_ids(people)),
            person_name=words(_SURNAMES, rng.integers(0, len(_SURNAMES), count)) + "示例",
        )
