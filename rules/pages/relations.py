"""What an item has to do with others and with earlier years, and which open points of the texts touch it."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rules.catalogue import Catalogue
from rules.model import Item, Shares
from rules.numbers import number
from rules.pages.words import figures, term_name
from rules.terms import ByReading, Ladder
from schemas.outputs import CLASSES

_RECURS = {
    "once": "只兑付一次，同一事项以前年度已兑付的不再兑付",
    "each": "每个项目、每张证书各兑付一次",
    "yearly": "每年可享受",
}


def chosen(law: Catalogue, key: str) -> str:
    """The option in force of a reading, in words."""
    return law.reading_titles[key].options[law.readings[key]]


def relations(law: Catalogue, item: Item) -> Iterator[str]:
    """How often it is paid, and what it excludes or yields to."""
    if isinstance(item.recurs, dict):
        yield "；".join(f"{level}：{_RECURS[recurs]}" for level, recurs in item.recurs.items())
    else:
        yield _RECURS[item.recurs]
    if item.first:
        yield "须为首次：以前年度的登记或兑付中已有的不予兑现；没有以前数据可查的按首次计，并作提示"
    if item.upgrade:
        yield f"级别由低到高为 {'、'.join(item.upgrade)}；低级别已兑付后升级的，{chosen(law, 'upgrade')}"
    if item.linked:
        yield "联动条款：与上级奖补相配套，不参加不同政策之间的就高不重复"
    if item.replaces:
        yield f"同一项目当年按本条兑付的，不再按 {_link(law, item.replaces)} 兑付"
    for other in (other for other in law.items.values() if other.replaces == item.id):
        yield f"同一项目当年按 {_link(law, other.id)} 兑付的，不再按本条兑付"
    if item.quota:
        most = next(figures(item.quota, item.terms[item.quota], item, law))[1]
        yield f"{term_name(item.quota)} {most}，超过的只提示，不核减"
    for group, members in law.overlaps.items():
        if item.id in members:
            others = "、".join(_link(law, key, levels) for key, levels in members.items() if key != item.id)
            rule = "本条不参加比较" if item.linked else "不同政策之间怎样兑付见“口径”"
            yield f"重复事项组“{group}”{_only(members[item.id])}：与 {others} 可能是同一事项，{rule}"


def _link(law: Catalogue, key: str, levels: Sequence[str] = ()) -> str:
    """A link to an item's page, with what limits it."""
    linked = "（联动，不比较）" if law.items[key].linked else ""
    return f"[{key} {law.items[key].title}](../{key[0]}/{key}.md){_only(levels)}{linked}"


def _only(levels: Sequence[str]) -> str:
    return f"（限{'、'.join(level or '未填级别' for level in levels)}）" if levels else ""


def _share(shares: Shares, item: Item) -> Decimal:
    return shares.items.get(item.id, shares.default)


def _touching(law: Catalogue, item: Item) -> set[str]:
    """The keys of the readings that can change what the item pays or who pays it."""
    found = {term.reading for term in item.terms.values() if isinstance(term, ByReading)}
    found |= {key for cap in item.caps for key in cap.under} | ({"upgrade"} if item.upgrade else set())
    found |= {"ladder" for term in item.terms.values() if isinstance(term, Ladder)}
    if any(cap.per and "year" not in cap.per and cap.period == "unstated" for cap in item.caps):
        found.add("unstated_cap_period")
    from_suzhou = law.policies[item.policy].payer == "prefecture"
    found |= {"prefecture_payer"} if from_suzhou else set()
    if not from_suzhou or _share(law.readings["prefecture_payer"], item) < 1:
        found |= {"class", "recognition_payer" if law.class_of(item) == "recognition" else "general_split"}
    rivals = [key for members in law.overlaps.values() if item.id in members for key in members]
    rivals = [key for key in rivals if not (item.linked or law.items[key].linked or key[0] == item.policy)]
    for key in rivals:
        found |= {"overlap_B" if "B" in (key[0], item.policy) else "overlap_A_C", "overlap_tie"}
    return found


def readings(law: Catalogue, item: Item) -> Iterator[tuple[str, str, str]]:
    """The readings that touch the item: title, what is in force, and what else a scenario may choose."""
    touching = _touching(law, item) if item.registry else set()
    for key, reading in law.reading_titles.items():
        value = law.readings[key]
        if isinstance(value, Shares):
            now, others = f"{number(_share(value, item) * 100)}%", ["0 至 100% 的其他份额"]
        elif isinstance(value, str):
            now = reading.options[value]
            others = [words for option, words in reading.options.items() if option != value]
        else:
            now = CLASSES[law.class_of(item)] if item.class_ else ""
            others = [words for key, words in CLASSES.items() if key and words != now]
        if key in touching:
            yield reading.title, now, "；".join(others)
