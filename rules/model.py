"""The schema of the law's files: policies, articles, items and readings."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from rules.terms import AnyTerm, ByLevel, Ladder, Number, Range, Strict
from schemas.outputs import CLASSES

Basis = Literal["exact", "ceiling", "range", "floor", "open", "case_by_case", "reference"]
Class = Literal["recognition", "general"]
Recurs = Literal["once", "each", "yearly"]
"""Paid once; once for each project or certificate; every year."""


class Clause(Strict):
    """A named condition. Where a figure is missing, `review` lets the department's listing stand for it."""

    when: str
    unknown: Literal["missing", "review"] = "missing"


class Cap(Strict):
    """An upper bound: an expression, over one line, or over all lines that agree on `per`.

    Without `year` in `per` it bounds a thing over its life, less what earlier years paid; where the text
    does not say so (`period: unstated`), the reading `unstated_cap_period` decides. `shared: false`
    bounds each line by itself, less what earlier years paid on `per`. `monthly` names the term by which
    months paid earlier count. `lifted` names the term that says how far (1: fully, 0: not) the item's
    uplift raises the cap too. `under` names the readings under which the cap holds.
    """

    amount: str
    per: tuple[str, ...] = ()
    shared: bool = True
    period: Literal["unstated", "stated"] = "unstated"
    monthly: str | None = None
    lifted: str | None = None
    under: dict[str, str] = {}


class Uplift(Strict):
    """A factor (an expression over terms) where `when` holds. `labels`: the level without and with it.

    `unknown`: with a missing figure the line is pending between both, or goes without it and is noted.
    """

    when: str
    factor: str
    unknown: Literal["pending", "review"]
    labels: tuple[str, str] | None = None


class Item(Strict):
    """One award item of a policy; see docs/rules.md for every key."""

    id: str
    title: str
    registry: str | None = None
    class_: Class | None = Field(None, alias="class")
    class_basis: Literal["stated", "assumed"] | None = None
    basis: Basis
    recurs: Recurs | dict[str, Recurs] = "yearly"
    first: bool = False
    linked: bool = False
    replaces: str | None = None
    quota: str | None = None
    levels: tuple[str, ...] = ()
    upgrade: tuple[str, ...] = ()
    names: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    event: str | None = None
    terms: dict[str, AnyTerm] = {}
    blank: dict[str, int] = {}
    let: dict[str, str] = {}
    eligible: dict[str, Clause] = {}
    base: str | None = None
    assessed: str | None = "assessed_amount"
    amount: str | None = None
    uplift: Uplift | None = None
    caps: tuple[Cap, ...] = ()
    rows: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    refers_to: str | None = None

    @field_validator("eligible", mode="before")
    @classmethod
    def _bare_clauses(cls, value: Any) -> Any:
        return {name: {"when": text} if isinstance(text, str) else text for name, text in value.items()}

    @model_validator(mode="after")
    def _holds_together(self) -> "Item":
        for name, term in self.terms.items():
            labels: tuple[str, ...] = ()
            if isinstance(term, ByLevel):
                labels = tuple(term.level)
            elif isinstance(term, Ladder):
                labels = term.labels
            if labels and set(labels) != set(self.levels):
                raise ValueError(f"{self.id} 的 {name} 的级别与条款的级别不一致：{'、'.join(labels)}")
        if (self.basis == "reference") != (self.registry is None) or (
            self.basis == "reference" and not self.refers_to
        ):
            raise ValueError(f"{self.id}：reference 条款没有 registry，须写 refers_to；其余条款相反")
        if self.basis in ("exact", "floor", "range") and self.amount is None:
            raise ValueError(f"{self.id}：{self.basis} 条款须写 amount")
        if self.basis == "range" and not any(isinstance(term, Range) for term in self.terms.values()):
            raise ValueError(f"{self.id}：range 条款须有一个 range 标量")
        if self.registry is not None and self.class_ is None:
            raise ValueError(f"{self.id} 没有 class")
        if not set(self.upgrade) <= set(self.levels):
            raise ValueError(f"{self.id} 的 upgrade 含未知级别")
        if isinstance(self.names, dict) and not set(self.names) <= {*self.levels, ""}:
            raise ValueError(f"{self.id} 的 names 含未知级别")
        if isinstance(self.recurs, dict) and set(self.recurs) != set(self.levels):
            raise ValueError(f"{self.id} 的 recurs 与级别不一致")
        if self.quota is not None and self.quota not in self.terms:
            raise ValueError(f"{self.id} 的 quota 应是一个标量")
        return self

    @property
    def named(self) -> dict[str | None, tuple[str, ...]]:
        """The names that mean this item, by the level they imply (None: none)."""
        held = self.names if isinstance(self.names, dict) else {"": self.names}
        return {level or None: names for level, names in held.items()}

    @property
    def rate_base(self) -> str | None:
        """What an assessed rate multiplies: as the item says, else the claim's base."""
        judged = self.basis in ("ceiling", "open", "case_by_case") and self.assessed == "assessed_amount"
        return self.base or ("base_amount" if judged and self.registry in ("claims", "talents") else None)

    @property
    def policy(self) -> str:
        return self.id[0]

    @property
    def article(self) -> int:
        return int(self.id[1:].split(".")[0])


class Article(Strict):
    """One article's file."""

    article: int
    title: str
    lead_department: str
    items: tuple[Item, ...]


class Policy(Strict):
    """One policy document: who pays, its window (both days inclusive), whether it is in force by default.

    Without dates it is in force for the whole of any year.
    """

    key: str
    title: str
    short: str
    payer: Literal["city", "prefecture"]
    first_day: date | None = None
    last_day: date | None = None
    enabled: bool = True

    @property
    def begins(self) -> date:
        return self.first_day or date.min

    @property
    def ends(self) -> date:
        return self.last_day or date.max

    @property
    def window(self) -> str:
        return f"{self.first_day} 至 {self.last_day}" if self.first_day or self.last_day else "未定有效期"


class Shares(Strict):
    """A share 0..1, with exceptions by item and by district (an item's goes before a district's)."""

    default: Number
    items: dict[str, Number] = {}
    districts: dict[str, Number] = {}

    @field_validator("default", "items", "districts")
    @classmethod
    def _is_share(cls, value: Any) -> Any:
        for share in value.values() if isinstance(value, dict) else [value]:
            if not 0 <= share <= 1:
                raise ValueError(f"份额 {share} 不在 0 到 1 之间")
        return value


class Prospect(Strict):
    """What a forecast assumes beyond the law and the registries.

    `counts`: coming recognitions and claims follow the registry's trend or the target path. `payment_lag`
    is in years. `renewal`: the share of expiring certificates that is renewed (None: as the registry shows).
    `growth`: the mean common log growth as estimated, or one standard deviation of that mean lower or
    higher. `take_up`: by item the share of expected cases that claim.
    """

    counts: Literal["trend", "target"] = "trend"
    payment_lag: int = Field(default=1, ge=0, le=5)
    renewal: Number | None = None
    growth: Literal["low", "middle", "high"] = "middle"
    take_up: dict[str, Number] = {}

    @field_validator("growth", mode="before")
    @classmethod
    def _in_chinese(cls, value: Any) -> Any:
        return {"低": "low", "中": "middle", "高": "high"}.get(str(value), value)

    @field_validator("renewal", "take_up")
    @classmethod
    def _is_share(cls, value: Any) -> Any:
        what = "申报率" if isinstance(value, dict) else "续期比例"
        for share in value.values() if isinstance(value, dict) else [value]:
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{what} {share} 不在 0 到 1 之间")
        return value


class Reading(Strict):
    """One open point of the texts: what is open, the default, and the alternatives.

    `options` lists the words an option may take; without them the value is a share, or (`classes`) a
    class by item.
    """

    title: str
    default: str | Shares | dict[str, Class]
    options: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _bare_default(cls, raw: Any) -> Any:
        """A bare number is a share, or, where there are options, one of them."""
        value = raw.get("default")
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return raw
        return raw | {"default": str(value) if raw.get("options") else {"default": value}}

    @model_validator(mode="after")
    def _default_is_an_option(self) -> "Reading":
        if isinstance(self.default, str) and self.default not in self.options:
            raise ValueError(f"口径「{self.title}」没有选项「{self.default}」")
        return self

    def words(self, value: Any) -> str:
        """A value of this reading in words an officer understands."""
        if isinstance(value, Shares):
            exceptions = [
                f"其中 {name} 为 {_percent(share)}" for name, share in (value.items | value.districts).items()
            ]
            return "，".join([_percent(value.default), *exceptions])
        if isinstance(value, str):
            return self.options[value]
        return "、".join(f"{item} 改为{CLASSES[c]}" for item, c in value.items()) or "按条款目录"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}%"
