"""Readings, windows, switches, new items and forecast assumptions as a scenario changes them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rules.compile import compile_item
from rules.expressions import RuleError
from rules.files import explain_invalid
from rules.model import Item, Policy, Prospect, Reading, Shares
from rules.overlay.changes import NEW, READING, SWITCH, Change, named, plain, shared
from rules.overlay.terms import words
from schemas.districts import DISTRICTS
from schemas.errors import Unusable, did_you_mean
from schemas.outputs import CLASSES
from schemas.registries import REGISTRIES

if TYPE_CHECKING:
    from rules.catalogue import Catalogue

COUNTED = ("certifications", "claims", "talents")
"""Registries whose rows are cases, of which a forecast expects a number."""

_DAYS = {"first_day": "起始日", "last_day": "截止日"}
_PROSPECTS: dict[str, tuple[str, dict[Any, str]]] = {
    "counts": ("预测的户数", {"trend": "按趋势", "target": "按目标"}),
    "payment_lag": ("兑付滞后年数", {}),
    "renewal": ("到期续期比例", {None: "按登记表"}),
    "growth": ("预测的共同增长", {"low": "低", "middle": "中", "high": "高"}),
}


def with_reading(law: "Catalogue", key: str, given: Any, by: str) -> tuple[Any, list[Change]]:
    """A reading as a scenario leaves it; of shares and classes only what it lists.

    Raises Unusable for what the reading cannot be.
    """
    if key not in law.reading_titles:
        raise Unusable(f"没有口径「{key}」{did_you_mean(key, law.reading_titles)}")
    reading, old = law.reading_titles[key], law.readings[key]
    raw = given
    if isinstance(old, Shares):
        raw = _shares(key, old, given)
    elif isinstance(old, dict) and isinstance(given, dict):
        for name, kind in given.items():
            law.item(name)
            if kind not in CLASSES:
                raise Unusable(f"口径「class」：{name} 没有类别「{kind}」{did_you_mean(str(kind), CLASSES)}")
        raw = old | given
    try:
        new = Reading.model_validate(
            {"title": reading.title, "default": raw, "options": reading.options}
        ).default
    except ValidationError as error:
        near = did_you_mean(str(given), reading.options)
        allowed = f"，可选：{'、'.join(reading.options)}" if reading.options else "，应是 0 到 1 的份额"
        raise Unusable(f"口径「{key}」的值「{given}」不能用{near or allowed}") from error
    if type(new) is not type(old):
        raise Unusable(f"口径「{key}」的值「{given}」形式不对，现为「{reading.words(old)}」")
    return new, list(_reading_changes(law, key, old, new, by))


def _shares(key: str, old: Shares, given: Any) -> dict[str, Any]:
    """A bare share changes the default; exceptions are added to those there, and null takes one away."""
    if not isinstance(given, dict):
        return {**dict(old), "default": str(given)}
    for name in given:
        if name not in Shares.model_fields:
            raise Unusable(f"口径「{key}」：不认识的键「{name}」{did_you_mean(name, Shares.model_fields)}")
    merged: dict[str, Any] = {"default": given.get("default", old.default)}
    for name in ("items", "districts"):
        both = {**getattr(old, name), **(given.get(name) or {})}
        merged[name] = {k: share for k, share in both.items() if share is not None}
    return merged


def _reading_changes(law: "Catalogue", key: str, old: Any, new: Any, by: str) -> Iterator[Change]:
    reading = law.reading_titles[key]
    what = f"口径「{reading.title}」"
    if isinstance(new, str):
        yield Change((READING, key), what, what, reading.words(old), reading.words(new), by)
        return
    if isinstance(new, dict):
        for name, kind in new.items():
            if old.get(name) != kind:
                place, was = f"{named(law.items[name])}的类别", law.class_of(law.items[name])
                thing = (READING, key, name)
                yield Change(thing, f"{name} 的类别", place, CLASSES.get(was, was), CLASSES[kind], by, name)
        if old == new:
            yield Change((READING, key), what, what, reading.words(old), reading.words(new), by)
        return
    yield from _share_changes(law, key, old, new, by)


def _share_changes(law: "Catalogue", key: str, old: Shares, new: Shares, by: str) -> Iterator[Change]:
    """The default and every exception that moved; where none did, one entry saying so."""
    what = f"口径「{law.reading_titles[key].title}」"
    for name in new.items:
        law.item(name)
    for name in new.districts:
        if name not in DISTRICTS:
            raise Unusable(f"口径「{key}」：没有区镇「{name}」{did_you_mean(name, DISTRICTS)}")
    before, after = shared(old), shared(new)
    if before == after:
        yield Change((READING, key, ""), what, what, _whole(new.default), _whole(new.default), by)
    for name in {**before, **after}:
        if before.get(name) == after.get(name):
            continue
        was, now = (
            _whole(held[name]) if name in held else f"同其他（{_whole(held[''])}）"
            for held in (before, after)
        )
        if name not in before and after[name] == new.default:
            was = now
        of = f"{what}对 {name}" if name else what
        yield Change((READING, key, name), of, of, was, now, by, name if name in law.items else None)


def with_window(policy: Policy, given: Mapping[str, Any], by: str) -> tuple[Policy, list[Change]]:
    """A policy with another window, or switched. Raises Unusable where it would end before it begins."""
    found = []
    for name, new in given.items():
        what = f"政策{policy.key}（{policy.short}）" + ("" if name == "enabled" else f"的{_DAYS[name]}")
        old = getattr(policy, name)
        was, now = (_switch(one) if name == "enabled" else str(one or "未定") for one in (old, new))
        found.append(Change((SWITCH, policy.key, name), what, what, was, now, by))
    changed = policy.model_copy(update=dict(given))
    if changed.begins > changed.ends:
        raise Unusable(f"政策{policy.key}的起始日晚于截止日")
    return changed, found


def switched(law: "Catalogue", item: Item, on: bool, by: str) -> Change:
    """One item switched on or off, whatever its policy."""
    was, now = _switch(law.in_force(item)), _switch(on)
    return Change((SWITCH, item.id), item.id, named(item), was, now, by, item.id)


def _switch(on: bool) -> str:
    return "执行" if on else "不执行"


def new_item(law: "Catalogue", raw: Mapping[str, Any], by: str) -> tuple[Item, Change]:
    """An item that a scenario adds to an article, validated and compiled like the law. Raises Unusable."""
    key = str(raw.get("id", ""))
    if not re.fullmatch(r"[A-Z][1-9]\d?\.\d\d", key):
        raise Unusable(f"新增条款的 id「{key}」应写成政策、条和序号，如 A4.91")
    if key in law.items:
        raise Unusable(f"新增条款 {key} 已经存在（{law.items[key].title}），请换一个序号，如 {key[:-2]}91")
    fields = {field.alias or name for name, field in Item.model_fields.items()}
    for name in raw:
        if name not in fields:
            raise Unusable(f"新增条款 {key}：不认识的键「{name}」{did_you_mean(str(name), fields)}")
    try:
        item = Item.model_validate(raw)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"新增条款 {key}")) from error
    _belongs(law, item)
    try:
        if item.registry is not None:
            compile_item(item, law.readings)
    except KeyError as error:
        raise RuleError(f"新增条款 {key}：没有口径或级别 {error}") from error
    terms = "、".join(f"{name} {words(term)}" for name, term in item.terms.items())
    registry = REGISTRIES[item.registry].title if item.registry else item.refers_to
    said = f"按{registry}，{CLASSES.get(item.class_ or '', '无类别')}" + (f"，{terms}" if terms else "")
    return item, Change((NEW, key), f"新增条款 {key}", f"新增条款 {named(item)}", "无", said, by, key)


def _belongs(law: "Catalogue", item: Item) -> None:
    """Raises Unusable where the policy, the article, the registry or a replaced item is not there."""
    if item.policy not in law.policies:
        raise Unusable(f"新增条款 {item.id}：没有政策「{item.policy}」，现有 {'、'.join(law.policies)}")
    articles = sorted({one.article for one in law.items.values() if one.policy == item.policy})
    if item.article not in articles:
        raise Unusable(
            f"新增条款 {item.id}：政策{item.policy}没有第{item.article}条，现有第{articles[0]}至{articles[-1]}条"
        )
    registries = [name for name, registry in REGISTRIES.items() if registry.has_lines]
    if item.registry is not None and item.registry not in registries:
        raise Unusable(
            f"新增条款 {item.id}：没有登记表「{item.registry}」{did_you_mean(item.registry, registries)}"
        )
    if item.replaces is not None:
        law.item(item.replaces)


def adding(law: "Catalogue", item: Item) -> "Catalogue":
    """The catalogue with a new item after the last of its article, led like the others there."""
    near = [key for key, one in law.items.items() if _article(one) == _article(item)][-1]
    held = list(law.items.items())
    place = list(law.items).index(near) + 1
    return replace(
        law,
        items=dict([*held[:place], (item.id, item), *held[place:]]),
        departments=law.departments | {item.id: law.departments[near]},
        articles=law.articles | {item.id: law.articles[near]},
    )


def _article(item: Item) -> tuple[str, int]:
    return item.policy, item.article


def with_prospect(law: "Catalogue", given: Mapping[str, Any], by: str) -> tuple[Prospect, list[Change]]:
    """What a forecast assumes, as a scenario leaves it; take-up by item is added to what there is."""
    old = law.prospect
    taken = given.get("take_up") or {}
    if not isinstance(taken, dict):
        raise Unusable("take_up 应按条款写，如 take_up: {A7.08: 80%}")
    for name in taken:
        item = law.item(name)
        if item.registry not in COUNTED:
            raise Unusable(f"take_up：{name} 不按申报户数预测，不能设申报率")
    merged = {**dict(old), **given, "take_up": {**old.take_up, **taken}}
    try:
        new = Prospect.model_validate(merged)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, "forecast")) from error
    found = []
    for name, (what, names) in _PROSPECTS.items():
        if name in given:
            was, now = (_told(getattr(one, name), names) for one in (old, new))
            found.append(Change(("forecast", name), what, what, was, now, by))
    for name in taken:
        was, now = (_whole(one.take_up.get(name, Decimal(1))) for one in (old, new))
        place = f"{named(law.items[name])}的申报率"
        found.append(Change(("take_up", name), f"{name} 的申报率", place, was, now, by, name))
    return new, found


def _whole(share: Decimal) -> str:
    return "100%" if share == 1 else "0%" if share == 0 else plain(share)


def _told(value: Any, names: Mapping[Any, str]) -> str:
    if value is None or isinstance(value, str):
        return names.get(value, str(value))
    return _whole(value) if isinstance(value, Decimal) else str(value)
