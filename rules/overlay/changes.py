"""What scenarios changed, told line by line: from what to what, by whom, and what had no effect."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from rules.model import Item, Shares
from rules.numbers import brief, number
from schemas.outputs import CLASSES

if TYPE_CHECKING:
    from rules.catalogue import Catalogue

READING, SWITCH, NEW = "reading", "switch", "new"
"""Kinds of key that the remarks below tell apart."""

_BETWEEN = {"overlap_B": "B", "overlap_A_C": "C"}
"""Readings about a policy beside the others."""

_PAID = {"recognition_payer": "recognition", "general_split": "general"}
"""Shares that count for one class only."""


class Change(NamedTuple):
    """One thing as it was and as a scenario leaves it, in words.

    `key` says which thing, `short` and `place` name it briefly and in full; `by`: the scenario's title.
    """

    key: tuple[str, ...]
    short: str
    place: str
    old: str
    new: str
    by: str
    item: str | None = None


def plain(value: Decimal) -> str:
    """A number the way people write it: 20万, 6%, 500."""
    return brief(value) if value < 1 or value >= 10_000 else number(value)


def named(item: Item) -> str:
    """An item with its article: A第4条 A4.06 研发费用增长奖励."""
    return f"{item.policy}第{item.article}条 {item.id} {item.title}"


def told(changes: Sequence[Change], law: "Catalogue", titles: Sequence[str]) -> tuple[str, ...]:
    """The lines for a run's manifest: each change from the law in force to the last scenario, then remarks."""
    first: dict[tuple[str, ...], Change] = {}
    for change in changes:
        first.setdefault(change.key, change)
    last = {change.key: change for change in changes}
    net = {key: last[key] for key in first if first[key].old != last[key].new}
    lines = [f"{change.place}：{first[key].old} → {change.new}" for key, change in net.items()]
    lines += [*_conflicts(changes), *_unchanged(changes, titles), *_idle(net, law)]
    return tuple(dict.fromkeys(lines))


def _conflicts(changes: Sequence[Change]) -> Iterator[str]:
    """Where a later scenario moved what an earlier one had moved."""
    for place, change in enumerate(changes):
        if change.old == change.new:
            continue
        for before in reversed(changes[:place]):
            depth = min(len(before.key), len(change.key))
            same = before.key[:depth] == change.key[:depth]
            if same and before.by != change.by and before.old != before.new:
                what = _moved(change.short.replace(" 的 ", " "))
                yield f"「{change.by}」改写了「{before.by}」对 {what}：{change.old} → {change.new}"
                break


def _unchanged(changes: Sequence[Change], titles: Sequence[str]) -> Iterator[str]:
    """Entries, and whole scenarios, that ask for what was so already."""
    for change in changes:
        if change.old == change.new:
            gap = " " if change.new[:1].isascii() else ""
            yield f"没有效果：{change.short} 本来就是{gap}{change.new}"
    moving = {change.by for change in changes if change.old != change.new}
    for title in titles:
        if title not in moving:
            yield f"没有效果：方案「{title}」没有改变任何内容"


def _idle(net: Mapping[tuple[str, ...], Change], law: "Catalogue") -> Iterator[str]:
    """Changes that act on nothing, as the law now stands."""
    for key, change in net.items():
        item = None if change.item is None else law.items[change.item]
        policy = _BETWEEN.get(key[1]) if key[0] == READING else _redated(key)
        if policy is not None and not any(i.policy == policy and law.in_force(i) for i in law.items.values()):
            yield f"没有效果：{law.policies[policy].short}未执行，{_moved(change.short)}不影响金额"
        if item is None:
            continue
        if item.registry is None:
            yield f"没有效果：{item.id} 转引其他文件，不计算金额"
        elif key[0] not in (SWITCH, READING) and not law.in_force(item):
            yield f"没有效果：{item.id} 未执行，{_moved(change.short)}不影响金额"
        elif key[0] == READING and _PAID.get(key[1], law.class_of(item)) != law.class_of(item):
            kind = CLASSES[law.class_of(item)]
            yield f"没有效果：{item.id} 是{kind}，{_moved(change.short)}对它不起作用"


def _moved(what: str) -> str:
    return f"{what}{' ' if what[-1].isascii() else ''}的改动"


def _redated(key: tuple[str, ...]) -> str | None:
    """The policy whose window a change moves."""
    return key[1] if key[0] == SWITCH and len(key) == 3 and key[2] != "enabled" else None


def shared(shares: Shares) -> dict[str, Decimal]:
    """A share and its exceptions, by name ("": the share of all others)."""
    return {"": shares.default, **shares.items, **shares.districts}
