"""An item's figures and expressions as officers write them: 300万元, 6%, 研发费用增长额 × 6%."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import polars as pl

from rules.catalogue import Catalogue
from rules.columns import available, label
from rules.expressions import names_in
from rules.model import Item
from rules.numbers import number
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from rules.text import parts

TERMS = {
    "award": ("奖励金额", "元"),
    "cap": ("上限", "元"),
    "yearly_cap": ("每年上限", "元"),
    "total_cap": ("各年总上限", "元"),
    "rate": ("比例", "%"),
    "proportion": ("配套比例", "%"),
    "matching": ("配套倍数", ""),
    "multiplier": ("加乘系数", ""),
    "uplift": ("上浮幅度", "%"),
    "cap_rises": ("上限随奖励上浮", ""),
    "floor": ("门槛", "元"),
    "smart_floor": ("智能化数字化投入的门槛", "元"),
    "growth": ("增幅的门槛", "%"),
    "rung": ("台阶奖励", "元"),
    "monthly": ("每月金额", "元"),
    "longest": ("最长月数", "个月"),
    "months_a_year": ("一年的月数", "个月"),
    "in_force": ("须实施的月数", "个月"),
    "years": ("年数", "年"),
    "per_person": ("每人金额", "元"),
    "per_standard": ("每项标准的金额", "元"),
    "per_occupation": ("每个职业（工种）的金额", "元"),
    "per_speciality": ("每个专业的金额", "元"),
    "extra": ("另加的个数", "个"),
    "registered_capital": ("注册资本的门槛", "元"),
    "paid_in": ("实际到账的门槛", "元"),
    "registered_usd": ("注册外资的门槛", "美元"),
    "paid_in_usd": ("实际到账的门槛", "美元"),
    "companies": ("投资企业数的门槛", "家"),
    "enterprises": ("服务企业数的门槛", "家"),
    "devices": ("连接设备数的门槛", "台"),
    "patent_share": ("专利占比的门槛", "%"),
    "least_grade": ("最低等级", "级"),
    "rank": ("名次", "名以内"),
    "a_year": ("每年计划数", "项"),
}
"""The Chinese name of a term and its unit (%: a rate)."""

_MARKS = str.maketrans({"-": "−", "(": "（", ")": "）", ",": "，"})


def term_name(name: str) -> str:
    """The Chinese name of a term; one without is printed as it is."""
    return TERMS.get(name, (name, ""))[0]


def figure(name: str, value: Decimal) -> str:
    """A number of a term with its unit: 300万元, 6%, 12个月."""
    unit = TERMS.get(name, ("", ""))[1]
    return f"{number(value * 100)}%" if unit == "%" else f"{number(value)}{unit}"


def figures(name: str, term: Term, item: Item, law: Catalogue) -> Iterator[tuple[str, str]]:
    """Every figure of a term with what it holds for: a level, a period, a threshold, a reading's option.

    A reading's 0 and 1 are a switch, not figures.
    """
    match term:
        case Scalar(value=value):
            yield "", figure(name, value)
        case Range(range=(low, high)):
            yield "", f"{figure(name, low)}～{figure(name, high)}"
        case ByLevel(level=table):
            yield from ((level, figure(name, value)) for level, value in table.items())
        case Dated():
            yield from ((f"{first} 至 {last}", figure(name, value)) for first, last, value in term.periods())
        case Ladder(ladder=table):
            climbs = f"{label(item.registry or '', term.of)}{'超过' if term.crossed == 'above' else '达到'}"
            for (threshold, award), text in zip(table.items(), term.labels, strict=True):
                yield f"{text}（{climbs} {number(threshold)}元）", figure(name, award)
        case ByReading(reading=key, options=options) if set(options.values()) != {0, 1}:
            for option, value in options.items():
                chosen = "，现行" if option == law.readings[key] else ""
                yield f"{law.reading_titles[key].options[option]}（口径{chosen}）", figure(name, value)


def _term(name: str, item: Item, law: Catalogue) -> str:
    """A term within an expression: its figure where there is one, else its name."""
    match term := item.terms[name]:
        case Range():
            return "核定比例"
        case Ladder():
            return "新达到台阶的奖励"
        case ByReading(reading=key, options=options):
            return figure(name, options[law.readings[key]])
        case ByLevel(level=table) if len(set(table.values())) > 1:
            return f"{term_name(name)}（按级别）"
        case Dated():
            return f"{term_name(name)}（按时段）"
    return next(figures(name, term, item, law))[1]


def said(text: str, item: Item, law: Catalogue) -> str:
    """An expression in Chinese, with the figures of its terms: `研发费用增长额 × 6%`."""
    registry, found = item.registry or "", []
    for kind, word in parts(text, item):
        if kind == "column":
            is_flag = available(registry).get(word) == pl.Boolean
            found.append(label(registry, word) + ("为“是”" if is_flag else ""))
        elif kind == "said":
            found.append(word.translate(_MARKS))
        else:
            found.append(_term(word, item, law) if kind == "term" else "所报级别的奖励")
    words = re.sub(r"非 (\w+)为“是”", r"\1为“否”", "".join(found))
    return re.sub(r"较([小大])值（([^（）]*)，([^（）]*)）", r"（\2 与 \3 中较\1的一个）", words)


def amount_of(text: str, item: Item, law: Catalogue) -> str:
    """An amount in words: by level or flag where that decides it, else the expression and what it comes to."""
    words, found = said(text, item, law), worth(text, item, law)
    if len(set(found.values())) > 1:
        return "；".join(f"{case} {number(value)}元" for case, value in found.items())
    if not found:
        return words
    comes_to = f"{number(next(iter(found.values())))}元"
    return comes_to if len(found) > 1 or words == comes_to else f"{words} ＝ {comes_to}"


def worth(text: str, item: Item, law: Catalogue) -> dict[str, Decimal]:
    """What an expression comes to by level and by flag, where it reads nothing else; else empty."""
    terms = {name: item.terms[name] for name in names_in(text) if name in item.terms}
    flags = [name for name in dict.fromkeys(names_in(text)) if name not in terms]
    kinds, registry = available(item.registry or ""), item.registry or ""
    plain = all(isinstance(term, Scalar | ByLevel | ByReading) for term in terms.values())
    if not plain or any(kinds.get(name) != pl.Boolean for name in flags):
        return {}
    levels = item.levels if any(isinstance(term, ByLevel) for term in terms.values()) else ("",)
    found: dict[str, Decimal] = {}
    for level in levels:
        bound = {name: _bound(term, level, law) for name, term in terms.items()}
        for held in product((True, False), repeat=len(flags)):
            answers = dict(zip(flags, held, strict=True))
            words = [f"{label(registry, flag)}为“{'是' if yes else '否'}”" for flag, yes in answers.items()]
            value = pl.DataFrame([bound | answers]).select(pl.sql_expr(text)).item()
            found["，".join(filter(None, [level, *words]))] = Decimal(value)
    return found


def _bound(term: Term, level: str, law: Catalogue) -> Decimal:
    """A plain term's value at a level."""
    match term:
        case ByLevel(level=table):
            return table[level]
        case ByReading(reading=key, options=options):
            return options[law.readings[key]]
    assert isinstance(term, Scalar)
    return term.value
