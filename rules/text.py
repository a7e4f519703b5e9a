"""Expressions and amounts in Chinese, whole columns at a time."""

from typing import Any

import polars as pl

from rules.columns import available, label
from rules.compile import CompiledItem, term_text
from rules.expressions import tokens
from rules.terms import Ladder
from schemas.money import grouped

_MARKS = {"*": " × ", "/": " ÷ ", "+": " + ", "-": " - ", ">=": " ≥ ", "<=": " ≤ ", "<>": " ≠ "}
_WORDS = {"AND": " 且 ", "OR": " 或 ", "NOT": "非 ", "IS": "", "NULL": "为空"}


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


def render(text: str, compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    """An expression with each name followed by its value: `研发费用增长额 4,500,000.00 × 6%`."""
    item = compiled.item
    columns = available(item.registry or "")
    parts: list[pl.Expr] = []
    for kind, word in tokens(text, item.id):
        if kind == "mark":
            parts.append(pl.lit(_MARKS.get(word, word if word in "()," else f" {word} ")))
        elif kind == "number":
            parts.append(pl.lit(word))
        elif word.upper() in _WORDS:
            parts.append(pl.lit(_WORDS[word.upper()]))
        elif isinstance(term := item.terms.get(word), Ladder):
            name = label(item.registry or "", term.of)
            parts += [pl.lit(f"{name} "), value_text(term.of, schema[term.of])]
            before = value_text(term.after, schema[term.after]).str.replace("（缺）", "无", literal=True)
            parts += [pl.lit("（以前最高 "), before, pl.lit("）的新台阶奖励 "), _term_value(word)]
        elif word in item.terms:
            fixed = term_text(item.terms[word], readings)
            parts.append(pl.lit(fixed) if fixed is not None else _term_value(word))
        elif word in columns or word in item.let:
            name = label(item.registry or "", word)
            parts += [pl.lit(f"{name} "), value_text(word, schema[word])]
        else:
            parts.append(pl.lit(f" {word} "))
    return pl.concat_str(parts) if parts else pl.lit("")


def _term_value(name: str) -> pl.Expr:
    value = pl.col(name)
    return (
        pl.when((value > 0) & (value < 1))
        .then(percent(value.cast(pl.Decimal(38, 10))))
        .otherwise(grouped(value))
    ).fill_null("（缺）")
