"""A worked case in words: what is registered, and what comes out."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from rules.cases import OPEN_ENDED, Case, Expected
from rules.catalogue import Catalogue, reading_text
from rules.numbers import number, parse_number
from rules.scenario import Scenario, apply_scenario
from schemas.outputs import STATUSES
from schemas.registries import REGISTRIES

_OTHERS = {"folder": "文件夹年度", "uscc": "申报单位", "person_id": "人员"}
_SHARES = {"city": "市级", "district": "区镇", "prefecture": "苏州市级"}


def told(case: Case, law: Catalogue) -> tuple[str, str]:
    """The rows and the result of a case."""
    setting = "；".join(_setting(case, law))
    rows = [f"{REGISTRIES[name].title}：{_row(name, row)}" for name, row in _rows(case)]
    return "<br>".join([setting, *rows] if setting else rows), "<br>".join(
        _line(case, e) for e in case.expect
    )


def _setting(case: Case, law: Catalogue) -> Iterator[str]:
    """What holds in the case otherwise than usual: year, readings, policies."""
    if case.year != Case.model_fields["year"].default:
        yield f"测算{case.year}年度"
    overlay = {"name": "case", "title": case.case, "readings": case.readings, "policies": case.policies}
    changed = apply_scenario(law, Scenario.model_validate(overlay))
    for key in case.readings:
        reading = law.reading_titles[key]
        yield f"口径“{reading.title}”：{reading_text(reading, changed.readings[key])}"
    for key, window in case.policies.items():
        policy = changed.policies[key]
        if (key, window) != (case.item[0], {"enabled": True}):
            dates = f"（{policy.window}）" if len(window) > 1 or "enabled" not in window else ""
            yield f"{policy.short}{'执行' if policy.enabled else '不执行'}{dates}"


def _rows(case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    if case.enterprise:
        yield "enterprises", case.enterprise
    for name in REGISTRIES:
        yield from ((name, row) for row in getattr(case, name, ()))


def _row(name: str, row: dict[str, Any]) -> str:
    return "，".join(
        f"{_OTHERS.get(c) or REGISTRIES[name].header(c)} {_cell(name, c, v)}" for c, v in row.items()
    )


def _cell(name: str, column: str, value: Any) -> str:
    kind = "year" if column == "folder" else REGISTRIES[name].kind(column)
    if value is None:
        return "空白"
    if kind == "money":
        return f"{number(parse_number(value))}元"
    if kind == "rate":
        return f"{number(parse_number(value) * 100)}%"
    return value.isoformat() if isinstance(value, date) else str(value)


def _line(case: Case, line: Expected) -> str:
    """One expected line: which, its status, and the amount or the reason."""
    which = [line.item if line.item != case.item else None, line.level, line.project_id, line.certificate_no]
    about = "，".join(word for word in which if word)
    return (f"{about}：" if about else "") + STATUSES.get(line.status, "退回更正") + _amount(line)


def _amount(line: Expected) -> str:
    if line.status == "payable":
        parts = [f"{words} {number(v)}元" for c, words in _SHARES.items() if (v := getattr(line, c))]
        return f" {number(line.award or Decimal(0))}元" + (f"（{'、'.join(parts)}）" if parts else "")
    if line.status == "pending":
        high = line.high if line.high in (None, OPEN_ENDED) else f"{number(line.high)}元"
        return f" {number(line.low or Decimal(0))}元 至 {high}"
    return f"（{'，'.join(line.reason)}）" if line.reason else ""
