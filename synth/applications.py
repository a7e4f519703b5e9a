"""Claims and persons' claims: whatever items the catalogue reads from these two registries."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from rules.evaluate import JUDGED
from rules.model import Item
from rules.terms import Ladder, Scalar
from schemas.money import RATE
from schemas.registries import REGISTRIES
from synth.city import City
from synth.codes import resident_ids
from synth.draws import Floats, Ints, days, fen, masked, serials, stream, words, yuan
from synth.law import Law, level_chances, needs_level, reads

_RATE_PER_ITEM, _TOTAL = 0.012, {"claims": 0.35, "talents": 0.3}
"""Claims a year per enterprise: at most this many of one item, and in all of a registry."""

_BASE = {"claims": 5_000_000.0, "talents": 300_000.0}
"""The usual base amount where the item does not hint at one, in yuan."""

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
        parts = [self._claims(item, name, rate, year) for item in items]
        empty = pl.DataFrame(schema=REGISTRIES[name].dtypes())
        found = pl.concat([empty, *parts], how="diagonal").sort("event_on", "item", "uscc", maintain_order=True)
        return self._persons(found, year) if name == "talents" else found

    def _claims(self, item: Item, name: str, rate: float, year: int) -> pl.DataFrame:
        window = self.law.days(item, year)
        if window is None:
            return pl.DataFrame()
        rng = stream(self.seed, name, item.id, year)
        alive = np.flatnonzero(self.city.alive(year))
        wanted = max(int(rng.poisson(rate * alive.size)), 1)
        places = alive[rng.choice(alive.size, min(wanted, alive.size), replace=False)]
        count = places.size
        level = rng.choice(len(item.levels), count, p=level_chances(item)) if item.levels else None
        columns = {
            "uscc": self.city.codes(places),
            "item": pl.repeat(item.id, count, eager=True),
            "event_on": days(rng, *window, count),
            **self._project(item, places, year, rng),
            **self._figures(item, name, count, year, rng),
            **self._assessment(item, level, count, year, rng),
        }
        if level is not None:
            told = rng.random(count) < (1 if needs_level(item) else 0.8)
            columns["level"] = masked(words(list(item.levels), level), told)
        held = REGISTRIES[name].columns
        return pl.DataFrame({column: values for column, values in columns.items() if column in held})

    def _project(self, item: Item, places: Ints, year: int, rng: np.random.Generator) -> dict[str, pl.Series]:
        count = places.size
        told = rng.random(count) < (1 if "project_id" in reads(item) else 0.6)
        names = "示例" + words(_PROJECTS, rng.integers(0, len(_PROJECTS), count))
        codes = serials(f"XM{year}-{item.id.replace('.', '')}-", places + 1)
        return {"project_id": masked(codes, told), "project_name": masked(names, told)}

    def _figures(
        self, item: Item, name: str, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, pl.Series]:
        """The columns that the item's expressions read, some left blank."""
        wanted = reads(item)
        base = self._usual(item, name, year) * np.exp(0.8 * rng.standard_normal(count))
        before = base / np.exp(0.4 + 0.4 * rng.standard_normal(count))
        upper = fen(500_000 * np.exp(0.8 * rng.standard_normal(count)), 1_000_000)
        made = {
            "base_amount": yuan(fen(base, 100), rng.random(count) > 0.03),
            "base_amount_prior": yuan(fen(before, 100), rng.random(count) > 0.05),
            "quantity": masked(pl.Series(1 + rng.poisson(0.4, count)), rng.random(count) > 0.15),
            "months": masked(pl.Series(rng.integers(3, 25, count)), rng.random(count) > 0.05),
            "upper_award": yuan(upper, rng.random(count) > 0.05),
            "medical": masked(pl.Series(rng.random(count) < 0.2), rng.random(count) > 0.05),
            "related_party": masked(pl.Series(rng.random(count) < 0.1), rng.random(count) > 0.05),
        }
        return {column: values for column, values in made.items() if column in wanted}

    def _usual(self, item: Item, name: str, year: int) -> float:
        """A base amount (yuan) of the size at which the item's thresholds and cap matter."""
        for term in item.terms.values():
            if isinstance(term, Ladder):
                return float(list(term.ladder)[len(term.ladder) // 2])
        clauses = " ".join(clause.when for clause in item.eligible.values())
        floor = self.law.figure(item, clauses, item.levels[0] if item.levels else None, year)
        if floor is not None and floor >= 100_000:
            return 1.5 * floor
        rates = [float(t.value) for t in item.terms.values() if isinstance(t, Scalar) and 0 < t.value < 1]
        most = self.law.ceiling(item, item.levels[-1] if item.levels else None, year)
        return 0.6 * most / max(rates) if rates and most else _BASE[name]

    def _assessment(
        self, item: Item, level: Ints | None, count: int, year: int, rng: np.random.Generator
    ) -> dict[str, pl.Series]:
        """What the department decided, for most rows: an amount within the cap, or a rate."""
        decided = rng.random(count)
        ends = self.law.rates(item)
        if ends:
            rate = np.round(ends[0] + (ends[1] - ends[0]) * rng.integers(0, 11, count) / 10, 4)
            return {"assessed_rate": self._rate(rate, decided < 0.85)}
        if item.basis not in JUDGED or item.assessed is None:
            return {}
        levels = [self.law.ceiling(item, label, year) for label in (item.levels or (None,))]
        most = np.array([amount or 2_000_000.0 for amount in levels])[level if level is not None else 0]
        amount = fen(np.maximum(most * rng.beta(2, 1.5, count), 10_000), 1_000_000)
        if item.base is None:
            return {"assessed_amount": yuan(amount, decided < 0.8)}
        rate = rng.integers(5, 31, count) / 100
        return {
            "assessed_amount": yuan(amount, decided < 0.6),
            "assessed_rate": self._rate(rate, (decided >= 0.6) & (decided < 0.8)),
        }

    @staticmethod
    def _rate(rate: Floats, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pl.Series:
        return masked(pl.Series(rate).cast(pl.Decimal(38, 4)).cast(RATE), known)

    def _persons(self, claims: pl.DataFrame, year: int) -> pl.DataFrame:
        """A made-up person for every claim; one in twenty shows another document than a resident id."""
        rng, count = stream(self.seed, "persons", year), claims.height
        people = (year - 1900) * 1_000_000 + np.arange(count, dtype=np.int64)
        passports = serials("SL", people, 9)
        foreign = pl.Series(rng.random(count) < 0.05)
        return claims.with_columns(
            person_id=pl.when(foreign).then(passports).otherwise(resident_ids(people)),
            person_name=words(_SURNAMES, rng.integers(0, len(_SURNAMES), count)) + "示例",
        )
