"""Terms of items as a scenario changes them: only the numbers it lists, in the form the item has them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rules.compile import compile_item
from rules.files import explain_invalid
from rules.model import Item
from rules.numbers import parse_number
from rules.overlay.changes import Change, named, plain
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term, values
from schemas.errors import Unusable, did_you_mean

if TYPE_CHECKING:
    from rules.catalogue import Catalogue

_BODIES: dict[str, type[Term]] = {
    "value": Scalar,
    "level": ByLevel,
    "dated": Dated,
    "range": Range,
    "ladder": Ladder,
    "options": ByReading,
}
"""The key that holds a term's numbers, and the kind of term it makes."""
_TABLES: dict[type[Term], str] = {ByLevel: "级别", ByReading: "选项"}
_MONEY = 500
"""A term whose numbers are all at least this is money; a fraction in its place is a slip."""


def with_terms(law: "Catalogue", item: Item, given: Mapping[str, Any], by: str) -> tuple[Item, list[Change]]:
    """The item with the terms that a scenario lists, and what that changed.

    Raises Unusable for unknown names and for values that the term cannot take.
    """
    for name in given:
        if name not in item.terms:
            raise Unusable(f"条款 {item.id} 没有标量「{name}」{did_you_mean(name, item.terms)}")
    raw = item.model_dump(by_alias=True)
    for name, value in given.items():
        raw["terms"][name] = _merged(f"条款 {item.id} 的「{name}」", item.terms[name], value)
    try:
        new = Item.model_validate(raw)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"对条款 {item.id} 的修改")) from error
    found: list[Change] = []
    for name in given:
        _fits(item, name, new.terms[name])
        found += _changes(item, name, new.terms[name], by)
    if new.registry is not None:
        compile_item(new, law.readings)
    return new, found


def _merged(where: str, old: Term, given: Any) -> Term:
    """The term with what is given in place of what was there. Raises Unusable where it is not such a term."""
    merged = _data(where, old, given)
    kind = next(kind for body, kind in _BODIES.items() if body in merged)
    try:
        return kind.model_validate(merged)
    except ValidationError as error:
        raise Unusable(explain_invalid(error, where)) from error


def _data(where: str, old: Term, given: Any) -> dict[str, Any]:
    """The term's data; tables keep the rows not named."""
    held = old.model_dump(by_alias=True)
    body = next(name for name in _BODIES if name in held)
    if isinstance(given, list):
        given = {"range": given}
    elif not isinstance(given, dict):
        given = {"value": given}
    elif given and not set(given) & {*_BODIES, *held}:
        given = {"dated" if all(".." in str(key) for key in given) else body: given}
    if body not in given:
        if {body, *given} <= {"value", "dated"}:
            return dict(given)
        raise Unusable(f"{where}应保持原来的形式：{words(old)}")
    for name in set(given) - {body}:
        if name not in held:
            raise Unusable(f"{where}：不认识的键「{name}」{did_you_mean(name, held)}")
        if given[name] != held[name] and list(given[name]) != list(held[name]):
            raise Unusable(f"{where}：方案只改数字，不改「{name}」")
    if not isinstance(given[body], dict):
        return held | {body: given[body]}
    return held | {body: _table(where, old, held[body], given[body])}


def _table(where: str, old: Term, held: Mapping[str, Any], given: Mapping[Any, Any]) -> dict[str, Any]:
    if isinstance(old, Dated):
        return {**held, **given} if set(given) <= set(held) else dict(given)
    if isinstance(old, Ladder):
        try:
            rungs = {format(parse_number(key), "f"): value for key, value in given.items()}
        except ValueError as error:
            raise Unusable(f"{where}：{error}") from error
        if set(rungs) <= set(held):
            return {**held, **rungs}
        if len(rungs) == len(held):
            return rungs
        raise Unusable(f"{where}：没有这样的台阶，现有 {words(old)}；改台阶须写全 {len(held)} 级")
    table = {str(key): value for key, value in given.items()}
    for key in table:
        if key not in held:
            raise Unusable(f"{where}没有{_TABLES.get(type(old), '键')}「{key}」{did_you_mean(key, held)}")
    return {**held, **table}


def _fits(item: Item, name: str, new: Term) -> None:
    """Raises Unusable where a number cannot be what the term means."""
    where, numbers = f"条款 {item.id} 的「{name}」", list(values(new))
    if isinstance(new, Ladder):
        numbers += list(new.ladder)
    if any(value < 0 for value in numbers):
        raise Unusable(f"{where}不能为负数")
    if (name == "rate" or name.endswith("_share")) and any(value > 1 for value in numbers):
        raise Unusable(f"{where}是比例，应在 0 到 1 之间（如 6%），不能是 {plain(max(numbers))}")
    money = all(value >= _MONEY for value in values(item.terms[name]))
    if money and any(0 < value < 1 for value in numbers):
        raise Unusable(f"{where}是金额，不能是 {plain(min(value for value in numbers if value))}")
    if isinstance(new, Range) and new.range[0] > new.range[1]:
        raise Unusable(f"{where}的下限高于上限：{words(new)}")
    fixed = {item.quota, *(cap.monthly for cap in item.caps)}
    if isinstance(new, Dated) and name in fixed:
        raise Unusable(f"{where}不能按时段设定")


def cover_windows(law: "Catalogue") -> None:
    """Raises Unusable where a dated term says nothing for a part of its policy's window."""
    for item in law.items.values():
        policy = law.policies[item.policy]
        for name, term in item.terms.items():
            if isinstance(term, Dated):
                periods = term.periods()
                if periods[0][0] > policy.begins or periods[-1][1] < policy.ends:
                    where = f"条款 {item.id} 的「{name}」的时段"
                    raise Unusable(f"{where}没有覆盖政策{policy.key}的有效期（{policy.window}）")


def words(term: Term) -> str:
    """A whole term in words."""
    return "、".join(f"{label} {value}" if label else value for label, value in _rows(term).items())


def _rows(term: Term) -> dict[str, str]:
    """The rows of a term in words; one without a label where it has no table."""
    match term:
        case Scalar(value=value):
            return {"": plain(value)}
        case Range(range=(low, high)):
            return {"": f"{plain(low)}～{plain(high)}"}
        case Ladder(ladder=table, labels=labels, crossed=crossed):
            to = "超过" if crossed == "above" else "达到"
            said = (f"{to} {plain(bound)} 奖 {plain(value)}" for bound, value in table.items())
            return dict(zip(labels, said, strict=True))
        case Dated():
            return {f"{first}至{last}": plain(value) for first, last, value in term.periods()}
        case ByLevel(level=options) | ByReading(options=options):
            return {label: plain(value) for label, value in options.items()}


def _changes(item: Item, name: str, new: Term, by: str) -> Iterator[Change]:
    """The rows that differ; where none does, one entry saying so."""
    short, place = f"{item.id} 的 {name}", f"{named(item)}的 {name}"
    before, after = _rows(item.terms[name]), _rows(new)
    if list(before) != list(after):
        yield Change((item.id, name), short, place, words(item.terms[name]), words(new), by, item.id)
        return
    moved = [label for label in after if after[label] != before[label]]
    for label in moved:
        of = f"（{label}）" if label else ""
        key = (item.id, name, label) if label else (item.id, name)
        yield Change(key, short + of, place + of, before[label], after[label], by, item.id)
    if not moved:
        yield Change((item.id, name), short, place, words(new), words(new), by, item.id)
