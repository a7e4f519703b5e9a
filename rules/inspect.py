"""Look at the catalogue: list, show, export."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.model import Item
from rules.numbers import show
from rules.pages.words import figures
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term

BASES = {
    "exact": "按公式计算",
    "ceiling": "部门核定，有上限",
    "range": "比例在区间内核定",
    "floor": "按最低比例计算",
    "open": "部门核定，文本无金额",
    "case_by_case": "一事一议",
    "reference": "转引其他文件",
}
CLASSES = {"recognition": "认定类", "general": "一般类", None: "—"}


def listing(law: Catalogue) -> list[str]:
    """One line an item."""
    return [
        f"{item.id:7}{CLASSES[item.class_]}　{BASES[item.basis]:　<10}{item.title}"
        for item in law.items.values()
    ]


def showing(law: Catalogue, item: Item) -> list[str]:
    """All of one item in words."""
    policy = law.policies[item.policy]
    lines = [
        f"{item.id} {item.title}",
        f"政策：{policy.title}，第{item.article}条，{policy.window}",
        f"牵头部门：{law.departments[item.id]}",
        f"类别：{CLASSES[law.class_of(item) if item.class_ else None]}"
        f"（{'文本写明' if item.class_basis == 'stated' else '推定'}）",
        f"计算方式：{BASES[item.basis]}；登记表：{item.registry or '无'}；"
        f"{'一次性' if item.recurs == 'once' else '每年可享受'}",
    ]
    if item.refers_to:
        lines.append(f"转引：{item.refers_to}")
    lines += [f"级别：{'、'.join(item.levels)}"] if item.levels else []
    lines += [f"标量 {name}：{_term_text(name, term, item, law)}" for name, term in item.terms.items()]
    lines += [f"其中 {name} ＝ {text}" for name, text in item.let.items()]
    lines += [f"条件 {name}：{clause.when}" for name, clause in item.eligible.items()]
    if item.amount:
        lines.append(f"金额 ＝ {item.amount}")
    if item.uplift:
        lines.append(f"加成：{item.uplift.when} 时乘以 {item.uplift.factor}")
    for cap in item.caps:
        per = "、".join(cap.per) or "每笔"
        lines.append(f"封顶：{cap.amount}，按 {per}")
    lines += [f"提请复核：{text}" for text in item.review]
    return lines


def _term_text(name: str, term: Term, item: Item, law: Catalogue) -> str:
    if isinstance(term, ByReading):
        options = "；".join(f"{option} → {show(value)}" for option, value in term.options.items())
        return f"按口径 {term.reading}：{options}"
    return "；".join(f"{holds_for} {value}".strip() for holds_for, value in figures(name, term, item, law))


def exported(law: Catalogue) -> list[str]:
    """One JSON object an item (DATA.md, rules export): money in yuan, rates as fractions."""
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
