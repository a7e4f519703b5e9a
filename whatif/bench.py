"""A year's registries, loaded once, on which many laws are tried: only what a law changes is computed anew."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

import polars as pl

from forecast.readings import SPLITS, touched
from rules.award import owed, settle
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.frames import Frames
from rules.history import Rows
from rules.overlap import touching
from rules.split import kind_of, split
from schemas.outputs import AWARDS, PAYERS

_KEPT = [*AWARDS, "on"]
"""Columns of a line: what is published, with persons in full, and the day that dates it."""

_OWED = ["policy", "item", "class", "uscc", "district", "award", *(f"{payer}_share" for payer in PAYERS)]
"""Columns of a line that sums need."""

_ORDER = ["item", "registry", "source_file", "source_sheet", "source_row", "uscc", "status", "reason"]


@dataclass(frozen=True)
class Totals:
    """What a law owes for certain, in yuan, by payer and in all, and to how many applicants."""

    award: Decimal
    city_share: Decimal
    district_share: Decimal
    prefecture_share: Decimal
    households: int


@dataclass(frozen=True, eq=False)
class Bench:
    """Checked registries of a year with the lines of the law that comparisons start from.

    Evaluating a law that differs in one item costs that item (and those it may touch), not the run.
    """

    frames: Frames
    year: int
    law: Catalogue

    @cached_property
    def rows(self) -> Rows:
        """The rows that items are evaluated on; they depend on no law."""
        return Rows(self.frames, self.year)

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Every line of the baseline, in the order of its source."""
        return self._settled(self.law, None)

    def lines_of(self, law: Catalogue) -> pl.DataFrame:
        """Every line under another law: the same as a run of its own would give."""
        items = changed(self.law, law)
        kept = self.lines.filter(~pl.col("item").is_in(list(items)))
        if _who_pays(self.law) != _who_pays(law):
            kept = _split_anew(kept, law)
        return pl.concat([kept, self._settled(law, items)]).sort(_ORDER, nulls_last=True)

    def owed_under(self, law: Catalogue) -> list[pl.DataFrame]:
        """The payable lines under another law, in parts and without words; enough for sums."""
        items = changed(self.law, law)
        kept = self._kept(frozenset(items))
        if _who_pays(self.law) != _who_pays(law):
            kept = _split_anew(kept, law)
        return [kept, owed(self.rows, law, items).filter(status=PAYABLE).select(_OWED)] if items else [kept]

    @lru_cache(maxsize=64)  # noqa: B019  (a bench lives as long as its command)
    def _kept(self, items: frozenset[str]) -> pl.DataFrame:
        """The baseline's payable lines of all other items."""
        return self.lines.filter((pl.col("status") == PAYABLE) & ~pl.col("item").is_in(list(items))).select(
            _OWED
        )

    def _settled(self, law: Catalogue, items: Collection[str] | None) -> pl.DataFrame:
        lines = settle(self.frames, law, self.year, items, self.rows).lines
        return lines.select(_KEPT).sort(_ORDER, nulls_last=True)


def changed(before: Catalogue, after: Catalogue) -> set[str]:
    """The items whose lines may differ between two laws, with all that these may touch."""
    items = {*before.items, *after.items}
    found = {item for item in items if before.items.get(item) != after.items.get(item)}
    policies = {*before.policies, *after.policies}
    moved = {key for key in policies if before.policies.get(key) != after.policies.get(key)}
    found |= {item for item in items if item[0] in moved or _switched(before, item) != _switched(after, item)}
    for key, value in after.readings.items():
        if before.readings[key] != value and key not in SPLITS:
            found |= touched(before, key) | touched(after, key)
    return touching(before, found) | touching(after, found) if found else found


def _switched(law: Catalogue, item: str) -> bool | None:
    return law.in_force(law.items[item]) if item in law.items else None


def _who_pays(law: Catalogue) -> list[object]:
    return [law.readings[key] for key in SPLITS]


def _split_anew(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """The lines with the classes and shares of another law."""
    kind = kind_of(law).alias("class")
    return split(lines.with_columns(kind), law).select(lines.columns)


def totals(parts: Sequence[pl.DataFrame]) -> Totals:
    """Sums over payable lines in several frames."""
    columns = ["award", *(f"{payer}_share" for payer in PAYERS)]
    sums = pl.concat(part.select(pl.col(columns).sum()) for part in parts).sum().row(0)
    who = pl.concat([part["uscc"] for part in parts]).n_unique()
    award, city, district, prefecture = (Decimal(str(amount)) for amount in sums)
    return Totals(award, city, district, prefecture, who)
