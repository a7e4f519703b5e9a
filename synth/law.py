"""What the catalogue says that synthetic rows must fit: amounts, the columns an item reads, its days."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from rules.catalogue import Catalogue
from rules.expressions import names_in
from rules.identify import needs_level
from rules.model import Item
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar
from schemas.labels import plain

_LARGE = 10_000_000.0
"""From here on ceilings (yuan) are for the rare great case; awards usually stay far below."""

_COLUMN = re.compile(r"[a-z_]{3,}")


@dataclass(frozen=True)
class Law:
    """A catalogue, as the generator asks it. Amounts are yuan."""

    catalogue: Catalogue

    def items(self, registry: str) -> list[Item]:
        """The items of one registry, in text order."""
        return list(self.catalogue.of_registry(registry))

    def term(self, key: str, name: str) -> float | None:
        """A plain number of an item, None where the catalogue has no such item or number."""
        item = self.catalogue.items.get(key)
        term = item.terms.get(name) if item else None
        return float(term.value) if isinstance(term, Scalar) else None

    def rungs(self, key: str) -> dict[float, float]:
        """Threshold → award of an item's ladder, lowest first; empty where there is none."""
        item = self.catalogue.items.get(key)
        ladders = [t for t in item.terms.values() if isinstance(t, Ladder)] if item else []
        return {float(rung): float(award) for rung, award in ladders[0].ladder.items()} if ladders else {}

    def rates(self, item: Item | None) -> tuple[float, float] | None:
        """The two ends of an item's range of rates."""
        terms = item.terms.values() if item else ()
        return next(((float(t.range[0]), float(t.range[1])) for t in terms if isinstance(t, Range)), None)

    def figure(self, item: Item, expression: str, level: str | None, year: int) -> float | None:
        """The first amount that an expression names: of the level, of the year, a ladder's highest."""
        for name in names_in(expression, item.id):
            match item.terms.get(name):
                case Scalar(value=value):
                    return float(value)
                case ByLevel(level=table):
                    return float(table[level] if level else min(table.values()))
                case ByReading(reading=key, options=options):
                    return float(options[self.catalogue.readings[key]])
                case Ladder(ladder=table):
                    return float(max(table.values()))
                case Dated() as dated:
                    periods = dated.periods()
                    return float(next((v for a, z, v in periods if a.year <= year <= z.year), periods[-1][2]))
        return None

    def ceiling(self, item: Item, level: str | None, year: int) -> float | None:
        """The lowest amount that bounds one award, None where the item is open-ended."""
        found = [self.figure(item, cap.amount, level, year) for cap in item.caps]
        return min((amount for amount in found if amount is not None and amount >= 1000), default=None)

    def usual(self, item: Item, level: str | None, year: int) -> float | None:
        """The size of a large award: its ceiling, of ceilings above 10 million only a part."""
        most = self.ceiling(item, level, year)
        return most if most is None or most <= _LARGE else _LARGE * (most / _LARGE) ** 0.25

    def days(self, item: Item, year: int) -> tuple[date, date] | None:
        """The days of a year on which the item's policy is in force, both inclusive."""
        policy = self.catalogue.policies[item.policy]
        first, last = max(policy.begins, date(year, 1, 1)), min(policy.ends, date(year, 12, 31))
        return (first, last) if first <= last else None

    @cached_property
    def _owners(self) -> dict[str, set[tuple[str, str | None]]]:
        """By name (plain) the items and levels that it may mean."""
        owners: dict[str, set[tuple[str, str | None]]] = {}
        for item in self.catalogue.items.values():
            for level, name in (*_named(item), (None, item.title)):
                owners.setdefault(plain(name), set()).add((item.id, level))
        return owners

    def names(self, item: Item) -> dict[str | None, list[str]]:
        """By level (None: the item has none, or its names imply none) the names that mean this item only."""
        found: dict[str | None, list[str]] = {}
        for level, name in _named(item):
            if self._owners[plain(name)] <= {(item.id, level), (item.id, None)}:
                found.setdefault(level, []).append(name)
        return found


def _named(item: Item) -> Iterator[tuple[str | None, str]]:
    yield from ((level, name) for level, names in item.named.items() for name in names)


def reads(item: Item) -> set[str]:
    """The words in an item's expressions that may be columns."""
    texts = [*item.let.values(), *(c.when for c in item.eligible.values()), *(c.amount for c in item.caps)]
    texts += [item.amount or "", item.base or "", *(" ".join(c.per) for c in item.caps)]
    texts += [item.uplift.when if item.uplift else "", *item.blank]
    texts += [f"{t.of} {t.after}" for t in item.terms.values() if isinstance(t, Ladder)]
    return set(_COLUMN.findall(" ".join(texts)))


def level_chances(item: Item) -> list[float]:
    """How likely each level is: texts list the highest first, and each next one is twice as common."""
    weights = [2.0**place for place in range(len(item.levels))]
    return [weight / sum(weights) for weight in weights]


__all__ = ["Law", "level_chances", "needs_level", "reads"]
