"""What every alternative reading of the texts would change in the base year's liability."""

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from rules.award import settle
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.frames import Frames
from rules.history import Rows
from rules.model import Shares
from rules.overlap import touching
from rules.scenario import Scenario, apply_scenario
from rules.split import kind_of, split
from rules.terms import ByReading, Ladder
from schemas.outputs import CLASSES, PAYERS

_SHARES = {
    "recognition_payer": Decimal("0.5"),
    "general_split": Decimal("0.6"),
    "prefecture_payer": Decimal("0.5"),
}
"""The alternative shown for a share that may be anything: the city's part, or Suzhou's."""

SPLITS = ("class", *_SHARES)
"""Readings that change only who pays."""

_DOUBTFUL = ("A11.08", "A15.05", "A16.02", "A18.01", "A18.02", "A18.03")
"""Items whose class is most open: taken together, what they would move to the 区镇."""


def effects(frames: Frames, law: Catalogue, year: int) -> list[dict[str, Any]]:
    """By alternative the change (yuan) of what `year` owes for certain: in total and by payer."""
    rows = Rows(frames, year)
    everything = _payable(rows, law, None)
    found = []
    for key, option in alternatives(law):
        other = apply_scenario(law, Scenario(name=key, title=key, readings={key: option}))
        items = set() if key in SPLITS else touched(law, key)
        before = after = everything
        if items:
            before = everything.filter(pl.col("item").is_in(list(items)))
            after = _payable(rows, other, items)
        old, new = _owed(before, law), _owed(after, other)
        reading = law.reading_titles[key]
        found.append(
            {
                "title": reading.title,
                "default": reading.words(law.readings[key]),
                "alternative": reading.words(other.readings[key]),
                **{payer: float(new[payer] - old[payer]) for payer in new},
            }
        )
    return found


def alternatives(law: Catalogue) -> Iterator[tuple[str, Any]]:
    """Every reading with each option that is not in force; for a share or the classes one alternative."""
    for key, reading in law.reading_titles.items():
        now = law.readings[key]
        if reading.options:
            yield from ((key, option) for option in reading.options if option != now)
        elif isinstance(now, Shares) and key in _SHARES:
            yield key, now.model_dump() | {"default": str(_SHARES[key])}
        elif key == "class":
            yield key, now | {item: _other(law.class_of(law.items[item])) for item in _DOUBTFUL}


def _other(kind: str) -> str:
    return next(name for name in CLASSES if name != kind)


def touched(law: Catalogue, key: str) -> set[str]:
    """The items whose award a reading can change, with all that may overlap with them; none where none is live."""
    items = [item for item in law.items.values() if law.in_force(item)]
    if key == "overlap_B" and not any(item.policy == "B" for item in items):
        return set()
    if key.startswith("overlap"):
        found = {item for group in law.overlaps.values() for item in group}
    elif key == "ladder":
        found = {i.id for i in items if any(isinstance(t, Ladder) for t in i.terms.values())}
    elif key == "upgrade":
        found = {i.id for i in items if i.upgrade}
    elif key == "unstated_cap_period":
        found = {i.id for i in items if any(c.per and c.period == "unstated" for c in i.caps)}
    else:
        read = {
            i.id for i in items for t in i.terms.values() if isinstance(t, ByReading) and t.reading == key
        }
        found = read | {i.id for i in items if any(key in c.under for c in i.caps)}
    return touching(law, found)


def _payable(rows: Rows, law: Catalogue, items: Collection[str] | None) -> pl.DataFrame:
    lines = settle(rows.frames, law, rows.year, items, rows).lines
    return lines.filter(status=PAYABLE).select("policy", "item", "district", "award")


def _owed(lines: pl.DataFrame, law: Catalogue) -> dict[str, Decimal]:
    """Yuan in total and by payer."""
    kind = kind_of(law).alias("class")
    paid = split(lines.with_columns(kind), law)
    sums = paid.select(pl.col("award", *(f"{p}_share" for p in PAYERS)).sum()).row(0, named=True)
    return {"total": sums["award"], **{payer: sums[f"{payer}_share"] for payer in PAYERS}}
