"""Sensitivity: every figure of the items that matter, moved by a tenth, ranked by the money it moves."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.model import Item
from rules.numbers import number, show
from rules.scenario import Scenario, apply_scenario
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from schemas.errors import Unusable
from schemas.money import YUAN, total
from whatif.bench import Bench, totals

SHARE = Decimal("0.9")
"""The items that matter: the largest that together pay so much of the total."""

BY = Decimal("0.1")

SENSITIVITY: dict[str, Any] = {
    "item": pl.String,
    "title": pl.String,
    "term": pl.String,
    "low_value": pl.String,
    "high_value": pl.String,
    **{f"{name}_{end}": YUAN for name in ("change", "city", "district") for end in ("low", "high")},
    "reach": YUAN,
}
"""One row a term: its values a tenth lower and higher, and how the total, the city's and the 区镇's share (yuan)
change with each. `reach`: the larger of both changes, by which rows are ranked."""


def sensitivity(bench: Bench, tried: Callable[[str], None] = lambda _: None) -> pl.DataFrame:
    """Every term of the items that matter, in the shape SENSITIVITY, the one that moves most first."""
    before = totals(bench.owed_under(bench.law))
    found = []
    for item in mattering(bench):
        tried(item.id)
        for name, term in item.terms.items():
            ends = [_changed(bench, item, name, term, up) for up in (False, True)]
            if not any(ends):
                continue
            row: dict[str, Any] = {"item": item.id, "title": item.title, "term": name}
            for end, told in zip(("low", "high"), ends, strict=True):
                value, after = told or ("不能再动", before)
                row |= {
                    f"{end}_value": value,
                    f"change_{end}": after.award - before.award,
                    f"city_{end}": after.city_share - before.city_share,
                    f"district_{end}": after.district_share - before.district_share,
                }
            found.append(row | {"reach": max(abs(row["change_low"]), abs(row["change_high"]))})
    rows = pl.DataFrame(found, schema=SENSITIVITY)
    return rows.sort("reach", "item", "term", descending=[True, False, False])


def mattering(bench: Bench) -> Iterator[Item]:
    """The items that pay most, until they pay SHARE of the total together."""
    paid = bench.lines.filter(status="payable").group_by("item").agg(pl.col("award").sum())
    paid = paid.filter(pl.col("award") > 0).sort("award", "item", descending=[True, False])
    enough, so_far = total(paid["award"]) * SHARE, Decimal(0)
    for item, amount in paid.iter_rows():
        if so_far >= enough:
            return
        yield bench.law.items[item]
        so_far += amount


def _changed(bench: Bench, item: Item, name: str, term: Term, up: bool) -> Any:
    """The nudged value in words and the totals it gives; None where the law does not allow it."""
    raw = nudged(term, up)
    try:
        law = _with(bench.law, item.id, name, raw)
    except Unusable:
        return None
    return _words(law.items[item.id].terms[name]), totals(bench.owed_under(law))


def _with(law: Catalogue, item: str, name: str, raw: Any) -> Catalogue:
    return apply_scenario(law, Scenario(name="nudge", title="敏感性", terms={item: {name: raw}}))


def nudged(term: Term, up: bool) -> Any:
    """A term with its numbers a tenth higher or lower, small whole numbers by one, as a scenario writes it."""
    match term:
        case Scalar(value=value):
            return _moved(value, up)
        case ByLevel(level=table):
            return {"level": {key: _moved(value, up) for key, value in table.items()}}
        case Dated(dated=table):
            return {"dated": {key: _moved(value, up) for key, value in table.items()}}
        case Range(range=ends):
            return {"range": [_moved(end, up) for end in ends]}
        case Ladder():
            held = term.model_dump()
            return held | {"ladder": {f"{rung:f}": _moved(award, up) for rung, award in term.ladder.items()}}
        case ByReading(reading=reading, options=options):
            moved = {key: _moved(value, up) for key, value in options.items()}
            return {"reading": reading, "options": moved}


def _moved(value: Decimal, up: bool) -> str:
    if 1 <= value <= 100 and value == value.to_integral_value():
        return f"{value + (1 if up else -1):f}"
    return f"{value * (1 + BY if up else 1 - BY):f}"


def _words(term: Term) -> str:
    match term:
        case Scalar(value=value):
            return show(value) if value < 1 else number(value)
        case Range(range=(low, high)):
            return f"{show(low)}～{show(high)}"
    return "各级" if isinstance(term, ByLevel | Ladder) else "各值"
