"""Look at the catalogue: list it, export it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.model import Item
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from schemas.outputs import CLASSES

BASES = {
    "exact": "按公式计算",
    "ceiling": "部门核定，有上限",
    "range": "比例在区间内核定",
    "floor": "按最低比例计算",
    "open": "部门核定，文本无金额",
    "case_by_case": "一事一议",
    "reference": "转引其他文件",
}


def listing(law: Catalogue) -> list[str]:
    """One line an item."""
    return [
        f"{item.id:7}{CLASSES.get(item.class_ or '', '—　　')}　{BASES[item.basis]:　<11}{item.title}"
        for item in law.items.values()
    ]


def exported(law: Catalogue) -> list[str]:
    """One JSON object an item: money in yuan, rates as fractions."""
    lines = []
    for item in law.items.values():
        compiled_params = {name: _param(term, law) for name, term in item.terms.items()}
        content = {
            "id": item.id,
            "policy": item.policy,
            "article": item.article,
            "title": item.title,
            "class": law.class_of(item) if item.class_ else None,
            "registry": item.registry,
            "basis": item.basis,
            "params": compiled_params,
            "caps": list(_caps(item, law)) if item.registry else [],
            "eligible": {name: clause.when for name, clause in item.eligible.items()},
            "amount": item.amount,
        }
        lines.append(json.dumps(content, ensure_ascii=False))
    return lines


def _json(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _param(term: Term, law: Catalogue) -> Any:
    match term:
        case Scalar(value=value):
            return _json(value)
        case Range(range=(low, high)):
            return [_json(low), _json(high)]
        case ByLevel(level=table):
            return {name: _json(value) for name, value in table.items()}
        case Dated(dated=table):
            return {name: _json(value) for name, value in table.items()}
        case Ladder(ladder=table):
            return {str(_json(k)): _json(v) for k, v in table.items()}
        case ByReading(reading=key, options=options):
            return _json(options[law.readings[key]])


def _caps(item: Item, law: Catalogue) -> Iterator[dict[str, Any]]:
    """The caps in force: a number, a table by level or threshold, or the expression that gives one."""
    compiled = law.compiled(item)
    held = [cap for cap in item.caps if all(law.readings[k] == option for k, option in cap.under.items())]
    for cap, ready in zip(held, compiled.caps, strict=True):
        amount: Any = cap.amount
        if cap.amount in item.terms:
            amount = _param(item.terms[cap.amount], law)
        elif not ready.reads:
            amount = _json(
                pl.DataFrame({"on": [None]}).with_columns(compiled.low).select(ready.amount).item()
            )
        yield {"amount": amount, "per": list(ready.per)}
