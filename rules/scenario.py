"""A scenario: a thin overlay on terms, readings and windows, validated like the law itself."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.model import Item, Prospect, Reading, Shares
from rules.terms import Strict, values
from schemas.districts import DISTRICTS
from schemas.errors import Unusable, did_you_mean

if TYPE_CHECKING:
    from rules.catalogue import Catalogue


_PROSPECTS: dict[object, str] = {None: "按登记表", "trend": "按趋势", "target": "按目标"}


class Window(Strict):
    """New first and last day of a policy, or its switch."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    enabled: bool | None = None


class Scenario(Strict):
    """What a scenario file may hold: only what it changes, and why."""

    name: str
    title: str
    author: str = ""
    date: dt.date | None = None
    reason: str = ""
    reference: str = ""
    terms: dict[str, dict[str, Any]] = {}
    readings: dict[str, Any] = {}
    policies: dict[str, Window] = {}
    forecast: dict[str, Any] = {}


def load_scenario(path: Path) -> Scenario:
    """A scenario file; its stem is its name. Raises Unusable when it is missing or does not fit."""
    if not path.is_file():
        raise Unusable(f"没有找到方案文件「{path}」。")
    if not re.fullmatch(r"[\w.-]+", path.stem):
        raise Unusable(
            f"方案文件名「{path.stem}」只能用文字、数字、点、下划线和连字符，它是结果文件夹的名字。"
        )
    try:
        content = read_yaml(path)
        if not isinstance(content, dict):
            raise Unusable(f"方案文件「{path}」应是 YAML 键值，至少写 title。")
        return Scenario.model_validate({"name": path.stem, **content})
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"方案文件「{path.name}」")) from error
    except RuleError as error:
        raise Unusable(str(error)) from error


def apply_scenario(law: "Catalogue", scenario: Scenario) -> "Catalogue":
    """The catalogue with one scenario laid over it, and a line for each change in `changes`.

    Raises Unusable for unknown names (with the closest match) and values that do not fit.
    """
    changes: list[str] = []
    items, readings, policies = dict(law.items), dict(law.readings), dict(law.policies)
    for key, terms in scenario.terms.items():
        items[key] = _with_terms(law.item(key), terms, changes)
    for key, value in scenario.readings.items():
        if key not in readings:
            raise Unusable(f"方案「{scenario.title}」：没有口径「{key}」{did_you_mean(key, readings)}")
        new = _reading(law.reading_titles[key], key, value, law)
        reading = law.reading_titles[key]
        _note(changes, f"口径「{reading.title}」", reading.words(readings[key]), reading.words(new))
        readings[key] = new
    for key, window in scenario.policies.items():
        if key not in policies:
            raise Unusable(f"方案「{scenario.title}」：没有政策「{key}」{did_you_mean(key, policies)}")
        for name, new in window.model_dump(exclude_none=True).items():
            words = {"first_day": "起始日", "last_day": "截止日"}
            old = getattr(policies[key], name)
            if name == "enabled":
                _note(changes, f"政策{key}", *("执行" if on else "未执行" for on in (old, new)))
            else:
                _note(changes, f"政策{key}的{words[name]}", old, new)
        policies[key] = policies[key].model_copy(update=window.model_dump(exclude_none=True))
        if policies[key].begins > policies[key].ends:
            raise Unusable(f"方案「{scenario.title}」：政策{key}的起始日晚于截止日")
    prospect = _prospect(law, scenario, changes)
    if not changes:
        changes.append(f"方案「{scenario.title}」没有改变任何内容")
    law = replace(law, items=items, readings=readings, policies=policies, prospect=prospect)
    return replace(law, changes=(*law.changes, *changes))


def _prospect(law: "Catalogue", scenario: Scenario, changes: list[str]) -> Prospect:
    try:
        new = Prospect.model_validate(law.prospect.model_dump() | scenario.forecast)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"方案「{scenario.title}」的 forecast")) from error
    words = {"counts": "预测的户数", "payment_lag": "兑付滞后年数", "renewal": "到期续期比例"}
    for name, what in words.items():
        _note(changes, what, *(_told(getattr(held, name)) for held in (law.prospect, new)))
    return new


def _told(value: object) -> object:
    return _PROSPECTS.get(value, value) if value is None or isinstance(value, str) else value


def _note(changes: list[str], what: str, old: object, new: object) -> None:
    if old != new:
        changes.append(f"{what}：{_plain(old)} → {_plain(new)}")


def _plain(value: object) -> str:
    if isinstance(value, Shares):
        value = value.model_dump(exclude_defaults=True)
    if isinstance(value, dict):
        return "、".join(f"{key} {_plain(held)}" for key, held in value.items()) or "无"
    return {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _with_terms(item: Item, terms: dict[str, Any], changes: list[str]) -> Item:
    old = item.model_dump(by_alias=True)["terms"]
    for name in terms:
        if name not in item.terms:
            raise Unusable(f"条款 {item.id} 没有标量「{name}」{did_you_mean(name, item.terms)}")
    raw = item.model_dump(by_alias=True)
    raw["terms"] = old | terms
    try:
        new = Item.model_validate(raw)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"方案对条款 {item.id} 的修改")) from error
    if any(value < 0 for name in terms for value in values(new.terms[name])):
        raise Unusable(f"条款 {item.id} 的「{'、'.join(terms)}」不能为负数")
    for name in terms:
        if type(new.terms[name]) is not type(item.terms[name]):
            raise Unusable(f"条款 {item.id} 的「{name}」应保持原来的形式：{_plain(old[name])}")
        before, after = old[name], new.model_dump()["terms"][name]
        _note(changes, f"{item.id} {item.title}的 {name}", _bare(before), _bare(after))
    return new


def _bare(term: Any) -> Any:
    return term["value"] if isinstance(term, dict) and set(term) == {"value"} else term


def _reading(reading: Reading, key: str, value: Any, law: "Catalogue") -> Any:
    try:
        new = Reading.model_validate(
            {"title": reading.title, "default": value, "options": reading.options}
        ).default
    except ValidationError as error:
        raise Unusable(
            f"口径「{key}」的值「{value}」不能用"
            + (f"，可选：{'、'.join(reading.options)}" if reading.options else "，应是 0 到 1 的份额")
        ) from error
    if isinstance(new, Shares):
        for name in new.items:
            law.item(name)
        for name in new.districts:
            if name not in DISTRICTS:
                raise Unusable(f"口径「{key}」：没有区镇「{name}」{did_you_mean(name, DISTRICTS)}")
    if key == "class" and isinstance(new, dict):
        for name in new:
            law.item(name)
    if type(new) is not type(reading.default):
        raise Unusable(f"口径「{key}」的值「{value}」形式不对，默认是「{_plain(reading.default)}」")
    return new
