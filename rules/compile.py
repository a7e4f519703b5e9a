"""Turn an item's data into Polars expressions, once, so that evaluating it is only arithmetic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from rules.columns import available
from rules.expressions import RuleError, compile_expression, names_in
from rules.model import Item
from rules.numbers import show
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from schemas.money import RATE, YUAN

PAID_RUNG = "paid_rung"
"""Column of the highest ladder threshold already paid for (yuan), null where none was."""

PAID_BEFORE = "paid_before"
"""Column of what earlier years paid for the thing that a cap without a year bounds (yuan)."""


@dataclass(frozen=True)
class CompiledClause:
    """A condition: its expression, its text, and the registry columns it reads in the end."""

    name: str
    when: pl.Expr
    text: str
    reads: tuple[str, ...]
    waived: bool


@dataclass(frozen=True)
class CompiledCap:
    """A cap's amount; `per` groups lines, under the name `pool`. `fallback` holds where it is unknown."""

    amount: pl.Expr
    per: tuple[str, ...]
    pool: str
    fallback: Decimal | None


@dataclass(frozen=True)
class CompiledItem:
    """An item ready to evaluate. `low` and `high` bind its terms for the two ends of a range."""

    item: Item
    low: list[pl.Expr]
    high: list[pl.Expr]
    lets: list[pl.Expr]
    clauses: list[CompiledClause]
    amount: pl.Expr | None
    amount_reads: tuple[str, ...]
    base: pl.Expr | None
    caps: list[CompiledCap]
    uplift: pl.Expr | None
    factor: Decimal

    @property
    def ladder(self) -> Ladder | None:
        return next((t for t in self.item.terms.values() if isinstance(t, Ladder)), None)

    @property
    def range_name(self) -> str | None:
        return next((name for name, t in self.item.terms.items() if isinstance(t, Range)), None)

    @property
    def range(self) -> tuple[Decimal, Decimal] | None:
        return next((t.range for t in self.item.terms.values() if isinstance(t, Range)), None)


def _decimal(value: Decimal) -> pl.Expr:
    scale = max(0, -int(value.as_tuple().exponent))
    return pl.lit(value, pl.Decimal(38, max(2, scale)))


def _dated(term: Dated, on: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        pl.when(on.is_between(pl.lit(first), pl.lit(last))).then(_decimal(value))
        for first, last, value in term.periods()
    )


def _crossings(term: Ladder) -> Iterator[tuple[Decimal, str, pl.Expr, pl.Expr]]:
    """By rung, lowest first: its award and label, whether it is reached, and whether it was reached before."""
    of, after = pl.col(term.of), pl.col(term.after).fill_null(Decimal(0))
    for (threshold, award), text in zip(term.ladder.items(), term.labels, strict=True):
        bound = _decimal(threshold)
        reached, before = (
            (of > bound, after > bound) if term.crossed == "above" else (of >= bound, after >= bound)
        )
        paid = (pl.col(PAID_RUNG) >= bound).fill_null(False)
        yield award, text, reached, before | paid


def _rungs(term: Ladder, cumulative: bool) -> pl.Expr:
    """The award for the rungs newly reached, all or only the highest; null where the figure is unknown.

    The highest rung reached decides: where it was reached before, the lower ones earn nothing. Once the
    top rung was reached, no figure can earn anything any more.
    """
    nothing = pl.lit(Decimal(0), YUAN)
    total: pl.Expr = nothing
    before: pl.Expr = pl.lit(False)
    for award, _, reached, before in _crossings(term):
        value = _decimal(award)
        if cumulative:
            total = total + pl.when(reached & ~before).then(value).otherwise(nothing)
        else:
            here = pl.when(before).then(nothing).otherwise(value)
            total = pl.when(reached).then(here).otherwise(total)
    return pl.when(pl.col(term.of).is_not_null() | before).then(total.cast(YUAN))


def rung_label(term: Ladder) -> pl.Expr:
    """The label of the highest rung newly reached, null where none is."""
    found: pl.Expr = pl.lit(None, pl.String)
    for _, text, reached, before in _crossings(term):
        found = pl.when(reached & ~before).then(pl.lit(text)).otherwise(found)
    return found


def _bind(name: str, term: Term, readings: Mapping[str, Any], on: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    match term:
        case Scalar(value=value):
            bound = _decimal(value)
        case ByReading(reading=key, options=options):
            bound = _decimal(options[readings[key]])
        case ByLevel(level=table):
            scale = max(2, *(-int(v.as_tuple().exponent) for v in table.values()))
            bound = pl.col("level").replace_strict(table, default=None, return_dtype=pl.Decimal(38, scale))
            if len(set(table.values())) == 1:
                bound = _decimal(next(iter(table.values())))
        case Dated():
            bound = _dated(term, on)
        case Ladder():
            bound = _rungs(term, readings["ladder"] == "all")
        case Range(range=(lowest, highest)):
            return _decimal(lowest).alias(name), _decimal(highest).alias(name)
    return bound.alias(name), bound.alias(name)


def term_text(term: Term, readings: Mapping[str, Any]) -> str | None:
    """A term's value as a working prints it, or None where it differs from line to line."""
    match term:
        case Scalar(value=value):
            return show(value)
        case ByReading(reading=key, options=options):
            return show(options[readings[key]])
        case Range(range=(lowest, highest)):
            return f"{show(lowest)}～{show(highest)}"
    return None


@dataclass
class _Names:
    """The names an item's expressions may use, with their dtypes and the registry columns behind them."""

    item: Item
    known: dict[str, Any]
    reads: dict[str, tuple[str, ...]]

    def compile(self, text: str, part: str) -> pl.Expr:
        return compile_expression(text, self.known, f"{self.item.id} {part}")

    def roots(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for name in names_in(text) for c in self.reads[name]))

    def define(self, name: str, text: str) -> pl.Expr:
        expression = self.compile(text, f"let {name}").alias(name)
        self.reads[name] = self.roots(text)
        self.known[name] = pl.DataFrame(schema=self.known).select(expression).schema[name]
        return expression


def _names(item: Item) -> _Names:
    columns = available(item.registry or "")
    clash = set(item.terms) & set(columns)
    if clash:
        raise RuleError(f"{item.id} 的标量「{'、'.join(sorted(clash))}」与登记表的列同名，请改名")
    known, reads = dict(columns), {name: (name,) for name in columns}
    behind: dict[str, tuple[str, ...]] = dict(reads)
    for name, term in item.terms.items():
        known[name] = YUAN if isinstance(term, Ladder) else RATE
        behind[name] = (term.of,) if isinstance(term, Ladder) else ()
    return _Names(item, known, behind)


def compile_item(item: Item, readings: Mapping[str, Any]) -> CompiledItem:
    """Compile one item. Raises RuleError naming item and clause for anything that does not fit."""
    names = _names(item)
    bound = [_bind(name, term, readings, pl.col("on")) for name, term in item.terms.items()]
    return CompiledItem(
        item=item,
        low=[low for low, _ in bound],
        high=[high for _, high in bound],
        lets=[names.define(name, text) for name, text in item.let.items()],
        clauses=[
            CompiledClause(
                name,
                names.compile(clause.when, f"eligible {name}"),
                clause.when,
                names.roots(clause.when),
                clause.unknown == "review",
            )
            for name, clause in item.eligible.items()
        ],
        amount=names.compile(item.amount, "amount") if item.amount else None,
        amount_reads=names.roots(item.amount) if item.amount else (),
        base=names.compile(item.rate_base, "base") if item.rate_base else None,
        caps=[
            CompiledCap(
                names.compile(cap.amount, "caps"),
                cap.per,
                cap.pool or f"{item.id}/{place}",
                _fallback(item, cap.amount, readings),
            )
            for place, cap in enumerate(item.caps)
        ],
        uplift=names.compile(item.uplift.when, "uplift") if item.uplift else None,
        factor=_factor(item, readings) if item.uplift else Decimal(1),
    )


def _factor(item: Item, readings: Mapping[str, Any]) -> Decimal:
    match item.terms.get(item.uplift.factor) if item.uplift else None:
        case Scalar(value=value):
            return value
        case ByReading(reading=key, options=options):
            return options[readings[key]]
    raise RuleError(f"{item.id} 的 uplift 的 factor 应是一个标量")


def _fallback(item: Item, text: str, readings: Mapping[str, Any]) -> Decimal | None:
    """The most a ladder can award caps the line where the rung is unknown."""
    term = item.terms.get(text)
    if not isinstance(term, Ladder):
        return None
    return sum(term.ladder.values(), Decimal(0)) if readings["ladder"] == "all" else max(term.ladder.values())
