"""A year's registries, loaded once, on which many laws are tried: only what a law changes is computed anew."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import polars as pl

from forecast.readings import SPLITS, touched
from rules.award import settle
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.history import Frames, Rows
from rules.overlap import touching
from rules.split import split
from schemas.outputs import AWARDS, PAYERS

_KEPT = [*AWARDS, "on"]
"""Columns of a line: what is published, with persons in full, and the day that dates it."""

_ORDER = ["item", "registry", "source_file", "source_sheet", "source_row", "uscc", "status", "reason"]


@dataclass(frozen=True)
class Totals:
    """What a law owes for certain, in yuan, by payer and in all, and to how many applicants."""

    award: Decimal
    city_share: Decimal
    district_share: Decimal
    prefecture_share: Decimal
    households: int


@dataclass(frozen=True)
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

    def totals_of(self, law: Catalogue) -> Totals:
        """What another law owes."""
        items = changed(self.law, law)
        if _who_pays(self.law) != _who_pays(law):
            return totals(self.lines_of(law))
        if not items:
            return totals(self.lines)
        return totals(self.lines.filter(~pl.col("item").is_in(list(items))), self._settled(law, items))

    def _settled(self, law: Catalogue, items: Collection[str] | None) -> pl.DataFrame:
        lines = settle(self.frames, law, self.year, items, self.rows).lines
        return lines.select(_KEPT).sort(_ORDER, nulls_last=True)


def changed(before: Catalogue, after: Catalogue) -> set[str]:
    """The items whose lines may differ between two laws, with all that these may touch."""
    items = {*before.items, *after.items}
    found = {item for item in items if before.items.get(item) != after.items.get(item)}
    policies = {*before.policies, *after.policies}
    moved = {key for key in policies if before.policies.get(key) != after.policies.get(key)}
    found |= {item for item in items if item[0] in moved}
    for key, value in after.readings.items():
        if before.readings[key] != value and key not in SPLITS:
            found |= touched(before, key) | touched(after, key)
    return touching(before, found) | touching(after, found) if found else found


def _who_pays(law: Catalogue) -> list[object]:
    return [law.readings[key] for key in SPLITS]


def _split_anew(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """The lines with the classes and shares of another law."""
    kinds = {item.id: law.class_of(item) for item in law.items.values() if item.class_}
    kind = pl.col("item").replace_strict(kinds, default=None, return_dtype=pl.String).alias("class")
    return split(lines.with_columns(kind), law).select(lines.columns)


def totals(*parts: pl.DataFrame) -> Totals:
    """Sums over the payable lines of several frames together."""
    columns = ["award", *(f"{payer}_share" for payer in PAYERS)]
    paid = pl.concat([part.filter(status=PAYABLE).select("uscc", *columns) for part in parts])
    sums = paid.select(pl.col(columns).sum(), pl.col("uscc").n_unique()).row(0)
    return Totals(*(Decimal(str(amount)) for amount in sums[:-1]), households=int(sums[-1]))
