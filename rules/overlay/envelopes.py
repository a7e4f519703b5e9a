"""Budget envelopes (预算盘子) as a scenario declares them. Sharing them out is not the law's business."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from rules.overlay.changes import Change, plain
from rules.terms import Number, Strict
from schemas.districts import DISTRICTS
from schemas.errors import Unusable, did_you_mean
from schemas.outputs import AWARDS

if TYPE_CHECKING:
    from rules.catalogue import Catalogue

PAYERS_IN_WORDS = {"city": "市级", "district": "区镇", "prefecture": "苏州市级"}
RULES_IN_WORDS = {"proportional": "按比例", "ranked": "按排序", "queue": "按先后，不足的结转"}


class Envelope(Strict):
    """A sum of money (yuan) for the lines that agree with all that is named, and the rule where it falls short.

    `policy` … `district` say what it pays for (nothing named: everything), `year` the award year (none: any),
    `payer` whose share it bounds (none: the whole award). `rank_by`: columns of award lines, `-` before one
    for descending. `floor_per_household`: yuan an applicant gets before the rule applies;
    `not_below_last_year`: the share of last year's award that nobody falls below.
    """

    name: str = Field(min_length=1)
    amount: Number
    policy: str | None = None
    article: int | None = None
    items: tuple[str, ...] = ()
    department: str | None = None
    district: str | None = None
    year: int | None = Field(default=None, ge=2000, le=2100)
    payer: Literal["city", "district", "prefecture"] | None = None
    rule: Literal["proportional", "ranked", "queue"] = "proportional"
    rank_by: tuple[str, ...] = ()
    floor_per_household: Number | None = None
    not_below_last_year: Number | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> "Envelope":
        if self.amount < 0 or (self.floor_per_household or 0) < 0:
            raise ValueError(f"预算盘子「{self.name}」的金额不能为负数")
        if self.not_below_last_year is not None and not 0 <= self.not_below_last_year <= 1:
            raise ValueError(f"预算盘子「{self.name}」的 not_below_last_year 应在 0 到 1 之间")
        if (self.rule == "ranked") != bool(self.rank_by):
            raise ValueError(f"预算盘子「{self.name}」：ranked 须写 rank_by，其他规则不写")
        if self.article is not None and self.policy is None:
            raise ValueError(f"预算盘子「{self.name}」写了 article，也须写 policy")
        return self

    @property
    def order(self) -> list[tuple[str, bool]]:
        """The columns to rank by, and whether each goes from high to low."""
        return [(name.removeprefix("-"), name.startswith("-")) for name in self.rank_by]


def items_of(law: "Catalogue", envelope: Envelope) -> list[str]:
    """The items that an envelope pays for, in text order. A department has those of which it is named first."""
    return [
        key
        for key, item in law.items.items()
        if envelope.policy in (None, item.policy)
        and envelope.article in (None, item.article)
        and (not envelope.items or key in envelope.items)
        and (envelope.department is None or envelope.department in _departments(law.departments[key]))
    ]


def with_envelopes(
    law: "Catalogue", given: tuple[Envelope, ...], by: str
) -> tuple[tuple[Envelope, ...], list[Change]]:
    """The envelopes of the law and of a scenario; one of the same name takes the other's place.

    Raises Unusable for names that are not in the law.
    """
    held = {envelope.name: envelope for envelope in law.envelopes}
    found, seen = [], set()
    for envelope in given:
        if envelope.name in seen:
            raise Unusable(f"预算盘子「{envelope.name}」写了两次")
        seen.add(envelope.name)
        for fault in _faults(law, envelope):
            raise Unusable(f"预算盘子「{envelope.name}」：{fault}")
        what = f"预算盘子「{envelope.name}」"
        old = held.get(envelope.name)
        was = "无" if old is None else in_words(old)
        found.append(Change(("envelope", envelope.name), what, what, was, in_words(envelope), by))
        held[envelope.name] = envelope
    return tuple(held.values()), found


def in_words(envelope: Envelope) -> str:
    """An envelope in one line."""
    floor, last = envelope.floor_per_household, envelope.not_below_last_year
    said = [
        plain(envelope.amount),
        f"政策{envelope.policy}" if envelope.policy else "",
        f"第{envelope.article}条" if envelope.article else "",
        "、".join(envelope.items),
        envelope.department or "",
        envelope.district or "",
        f"{envelope.year}年度" if envelope.year else "",
        f"{PAYERS_IN_WORDS[envelope.payer]}承担部分" if envelope.payer else "",
        " ".join([RULES_IN_WORDS[envelope.rule], *envelope.rank_by]),
        f"每户先得 {plain(floor)}" if floor is not None else "",
        f"不低于上年的 {plain(last)}" if last is not None else "",
    ]
    return "，".join(word for word in said if word)


def _departments(text: str) -> tuple[str, str]:
    """An article's lead departments: all together as written, and the one named first."""
    return text, text.split("、")[0]


def _faults(law: "Catalogue", envelope: Envelope) -> Iterator[str]:
    if envelope.policy is not None and envelope.policy not in law.policies:
        yield f"没有政策「{envelope.policy}」{did_you_mean(envelope.policy, law.policies)}"
    for item in envelope.items:
        law.item(item)
    articles = {item.article for item in law.items.values() if item.policy == envelope.policy}
    if envelope.article is not None and envelope.article not in articles:
        yield f"政策{envelope.policy}没有第{envelope.article}条，现有第{min(articles)}至{max(articles)}条"
    known = {name for text in law.departments.values() for name in _departments(text)}
    if envelope.department is not None and envelope.department not in known:
        yield f"没有主管部门「{envelope.department}」{did_you_mean(envelope.department, sorted(known))}"
    if envelope.district is not None and envelope.district not in DISTRICTS:
        yield f"没有区镇「{envelope.district}」{did_you_mean(envelope.district, DISTRICTS)}"
    for name, _ in envelope.order:
        if name not in AWARDS:
            yield f"rank_by 没有列「{name}」{did_you_mean(name, AWARDS)}"
    if not items_of(law, envelope):
        yield "范围内没有任何条款"
