"""Expressions and amounts in Chinese, whole columns at a time."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from rules.columns import available, label
from rules.compile import CompiledItem, claimed, term_text
from rules.expressions import tokens
from rules.model import Item
from rules.terms import Ladder
from schemas.money import grouped

_MARKS = {"*": " × ", "/": " ÷ ", "+": " + ", "-": " - ", ">=": " ≥ ", "<=": " ≤ ", "<>": " ≠ "}
_WORDS = {
    "AND": " 且 ",
    "OR": " 或 ",
    "NOT": "非 ",
    "NULL": "为空",
    "THEN": "的，",
    "ELSE": "；否则 ",
    "LEAST": "较小值",
    "GREATEST": "较大值",
} | dict.fromkeys(("IS", "CASE", "WHEN", "END"), "")


def percent(rate: pl.Expr) -> pl.Expr:
    """A fraction as a percentage without needless zeros."""
    text = (rate * 100).cast(pl.Decimal(38, 8)).cast(pl.String)
    return pl.concat_str([text.str.replace(r"\.?0+$", ""), pl.lit("%")])


def value_text(column: str, dtype: Any) -> pl.Expr:
    """A column's values in words; 缺 where unknown."""
    value = pl.col(column)
    text: pl.Expr
    if dtype == pl.Boolean:
        text = pl.when(value).then(pl.lit("是")).when(~value).then(pl.lit("否"))
    elif isinstance(dtype, pl.Decimal):
        text = grouped(value) if dtype.scale == 2 else percent(value)
    else:
        text = value.cast(pl.String)
    return text.fill_null("（缺）")


def parts(text: str, item: Item) -> Iterator[tuple[str, str]]:
    """(kind, word) of an expression as people read it.

    Kinds: said (to print as it is), column (also a let), term, and claimed, the ladder whose award for the
    level that a row claims is meant.
    """
    columns = available(item.registry or "")
    ladders = {claimed(name): name for name, term in item.terms.items() if isinstance(term, Ladder)}
    for kind, word in tokens(text, item.id):
        if kind == "mark":
            yield "said", _MARKS.get(word, word if word in "()," else f" {word} ")
        elif kind == "number" or word.upper() in _WORDS:
            yield "said", _WORDS.get(word.upper(), word)
        elif word in item.terms:
            yield "term", word
        elif word in ladders:
            yield "claimed", ladders[word]
        else:
            yield ("column", word) if word in columns or word in item.let else ("said", f" {word} ")


def render(text: str, compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    """An expression with each name followed by its value: `研发费用增长额 4,500,000.00 × 6%`."""
    item = compiled.item
    found: list[pl.Expr] = []
    for kind, word in parts(text, item):
        if kind == "claimed":
            found += [pl.lit("所报级别的奖励 "), _term_value(claimed(word))]
        elif kind == "column":
            found += [pl.lit(f"{label(item.registry or '', word)} "), value_text(word, schema[word])]
        elif kind == "said":
            found.append(pl.lit(word))
        elif isinstance(term := item.terms[word], Ladder):
            name = label(item.registry or "", term.of)
            found += [pl.lit(f"{name} "), value_text(term.of, schema[term.of])]
            before = value_text(term.after, schema[term.after]).str.replace("（缺）", "无", literal=True)
            found += [pl.lit("（以前最高 "), before, pl.lit("）的新台阶奖励 "), _term_value(word)]
        else:
            assessed = (
                item.basis == "floor" and word == "rate"
            )  # the larger of the text's rate and the assessed
            fixed = None if assessed else term_text(item.terms[word], readings)
            found.append(pl.lit(fixed) if fixed is not None else _term_value(word))
    return pl.concat_str(found) if found else pl.lit("")


def _term_value(name: str) -> pl.Expr:
    value = pl.col(name)
    return (
        pl.when((value > 0) & (value < 1))
        .then(percent(value.cast(pl.Decimal(38, 10))))
        .otherwise(grouped(value))
    ).fill_null("（缺）")
