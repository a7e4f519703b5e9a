"""A worked case in words: what is registered, and what comes out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from rules.cases import Case, Expected
from rules.model import Item
from rules.numbers import number, parse_number
from schemas.outputs import STATUSES
from schemas.registries import REGISTRIES

_HEADERS = {"folder": "文件夹年度", "uscc": "申报单位", "person_id": "人员"}
_SHARES = {"prefecture": "苏州市级", "city": "市级", "district": "区镇"}
_OWED = {"to_pay": "应补", "to_recover": "应退"}
_ALIKE = 4
"""From so many rows or lines that say the same, the first stands for all."""


def told(case: Case, item: Item) -> tuple[str, str, str]:
    """A case's title, its rows and its result, each on lines of their own."""
    rows = [(_row(case, item, name, row), row.get("project_id")) for name, row in _rows(case)]
    lines = [(_line(case, line), line.project_id) for line in case.expect]
    year = f"（{case.year}年度）" if case.year != Case.model_fields["year"].default else ""
    return case.case + year, _grouped(rows), _grouped(lines) or "不产生兑付记录"


def _rows(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if case.enterprise:
        yield "enterprises", case.enterprise
    for name in REGISTRIES:
        yield from ((name, row) for row in getattr(case, name, ()))


def _row(case: Case, item: Item, name: str, row: Mapping[str, Any]) -> str:
    """A row's cells but for the project, which tells rows apart, and a day within the case's year."""
    cells = [
        f"{_HEADERS.get(column) or REGISTRIES[name].header(column)} {_cell(name, column, value)}"
        for column, value in row.items()
        if column != "project_id" and not (isinstance(value, date) and value.year == case.year)
    ]
    return ("" if name == item.registry else f"{REGISTRIES[name].title}：") + ("，".join(cells) or "登记一行")


def _cell(name: str, column: str, value: Any) -> str:
    kind = REGISTRIES[name].kind(column) if column in REGISTRIES[name].columns else "year"
    if value is None:
        return "空白"
    if kind == "money":
        return f"{number(parse_number(value))}元"
    return f"{number(parse_number(value) * 100)}%" if kind == "rate" else str(value)


def _line(case: Case, line: Expected) -> str:
    """An expected line: which one, its status, the amount or the reason, and its level."""
    others = (line.item if line.item != case.item else None, line.certificate_no)
    which = "".join(f"{word}：" for word in others if word)
    status = STATUSES.get(line.status, "退回更正")
    if line.status == "payable":
        shares = [f"{who} {number(paid)}元" for c, who in _SHARES.items() if (paid := getattr(line, c))]
        status += f" {number(line.award or Decimal(0))}元" + (f"（{'，'.join(shares)}）" if shares else "")
    elif line.status == "pending":
        high = f"{number(line.high)}元" if isinstance(line.high, Decimal) else line.high
        status += f" {f'{number(line.low)}元' if line.low else '0'} 至 {high}"
    elif reasons := [text for text in line.reason if text != status]:
        status += f"（原因：{'，'.join(reasons)}）"
    balance = [f"，{word} {number(owed)}元" for c, word in _OWED.items() if (owed := getattr(line, c))]
    return which + status + "".join(balance) + (f"，级别 {line.level}" if line.level else "")


def _grouped(texts: Iterable[tuple[str, str | None]]) -> str:
    """Texts with the project each is about, many alike in a row as one."""
    found = []
    for text, group in groupby(texts, lambda pair: pair[0]):
        projects = [project for _, project in group]
        if len(projects) >= _ALIKE:
            found.append(f"{text}（同样的共 {len(projects)} 项）")
        else:
            found += [f"{project}：{text}" if project else text for project in projects]
    return "<br>".join(found)
