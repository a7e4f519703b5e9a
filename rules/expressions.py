"""Compile the catalogue's SQL expressions, and refuse whatever could silently compute something else."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from schemas.errors import did_you_mean

_TOKEN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[^\W\d]\w*)|(?P<mark><=|>=|<>|[-+*/()=<>,]))")
_KEYWORDS = {
    *(
        "AND",
        "OR",
        "NOT",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "IS",
        "NULL",
        "BETWEEN",
        "LEAST",
        "GREATEST",
    ),
    *("TRUE", "FALSE"),
}
_NUMBERS = {"0", "1"}


class RuleError(Exception):
    """A fault in the catalogue or a scenario: says file, item, clause, and the closest match."""


def tokens(text: str, where: str) -> list[tuple[str, str]]:
    """(kind, text) of every token; kinds number, name and mark. Raises RuleError for anything else."""
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.end() == place:
            raise RuleError(f"{where}：表达式「{text}」在「{text[place:].strip()[:8]}」处不能理解")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        place = match.end()
    return found


def names_in(text: str, where: str = "") -> list[str]:
    """The column and term names an expression uses, in order."""
    return [word for kind, word in tokens(text, where) if kind == "name" and word.upper() not in _KEYWORDS]


def compile_expression(text: str, known: Mapping[str, Any], where: str) -> pl.Expr:
    """The Polars expression of `text` over columns `known` (name → dtype).

    Raises RuleError for unknown names (with the closest), numbers other than 0 and 1 (they belong in
    `terms`), and any node that would be a float.
    """
    for kind, word in tokens(text, where):
        if kind == "number" and word not in _NUMBERS:
            raise RuleError(f"{where}：表达式「{text}」里的数字 {word} 应写进 terms 并命名")
        if kind == "name" and word.upper() not in _KEYWORDS and word not in known:
            raise RuleError(
                f"{where}：表达式「{text}」中的「{word}」不是列也不是标量{did_you_mean(word, known)}"
            )
    try:
        expression = pl.sql_expr(text)
        probe = pl.LazyFrame(schema={name: known[name] for name in names_in(text)} or {"_": pl.Boolean})
        # Columns, terms and the numbers 0 and 1 are exact: only a division can make a float.
        nodes = _nodes(expression) if ("mark", "/") in tokens(text, where) else [expression]
        for node in nodes:
            if probe.select(node.alias("node")).collect_schema()["node"].is_float():
                raise RuleError(f"{where}：表达式「{text}」会产生浮点数，金额不能这样计算")
    except pl.exceptions.PolarsError as error:
        raise RuleError(f"{where}：表达式「{text}」不能编译：{error}") from error
    return expression


def _nodes(expression: pl.Expr) -> Iterator[pl.Expr]:
    yield expression
    for child in expression.meta.pop():
        yield from _nodes(child)
