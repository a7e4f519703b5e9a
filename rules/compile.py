"""Turn an item's data into Polars expressions, once, so that evaluating it is only arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from rules.columns import available, label
from rules.expressions import RuleError, compile_expression, names_in
from rules.model import Item
from rules.numbers import show
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from schemas.money import RATE, YUAN

PAID_RUNG = "paid_rung"
"""Column of the highest ladder threshold already paid for (yuan), null where none was."""


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


def _rungs(term: Ladder, cumulative: bool) -> pl.Expr:
    """The award for the rungs newly crossed; null where the climbing figure is unknown."""
    of, after = pl.col(term.of), pl.col(term.after).fill_null(Decimal(0))
    paid = pl.col(PAID_RUNG).fill_null(Decimal(-1))
    total = pl.lit(Decimal(0), YUAN)
    for threshold, award in term.ladder.items():
        bound = _decimal(threshold)
        passes = (lambda c, b: c > b) if term.crossed == "above" else (lambda c, b: c >= b)
        newly = passes(of, bound) & ~passes(after, bound) & (paid < bound)
        total = pl.when(newly).then(total + _decimal(award) if cumulative else _decimal(award)).otherwise(total)
        if not cumulative:  # a rung crossed earlier hides the rungs below it
            crossed = passes(of, bound) & ~newly
            total = pl.when(crossed).then(pl.lit(Decimal(0), YUAN)).otherwise(total)
    return pl.when(of.is_not_null()).then(total.cast(YUAN))


def rung_label(term: Ladder) -> pl.Expr:
    """The label of the highest rung newly crossed, null where none is."""
    found = pl.lit(None, pl.String)
    of, after = pl.col(term.of), pl.col(term.after).fill_null(Decimal(0))
    for (threshold, _), text in zip(term.ladder.items(), term.labels, strict=True):
        bound = _decimal(threshold)
        reached = of > bound if term.crossed == "above" else of >= bound
        before = after > bound if term.crossed == "above" else after >= bound
        paid = (pl.col(PAID_RUNG) >= bound).fill_null(False)
        found = pl.when(reached & ~before & ~paid).then(pl.lit(text)).otherwise(found)
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


def compile_item(item: Item, readings: Mapping[str, Any]) -> CompiledItem:
    """Compile one item. Raises RuleError naming item and clause for anything that does not fit."""
    if item.registry is None:
        raise RuleError(f"{item.id} 是转引条款，没有可计算的内容")
    columns = available(item.registry)
    clash = set(item.terms) & set(columns)
    if clash:
        raise RuleError(f"{item.id} 的标量「{'、'.join(sorted(clash))}」与登记表的列同名，请改名")
    terms = {name: _dtype(term) for name, term in item.terms.items()}
    known = columns | terms
    on = pl.col("on")
    bound = [_bind(name, term, readings, on) for name, term in item.terms.items()]
    lets, reads = [], {name: (name,) for name in columns}
    for name, term in item.terms.items():
        reads[name] = (term.of,) if isinstance(term, Ladder) else ()
    for name, text in item.let.items():
        expression = compile_expression(text, known, f"{item.id} let {name}")
        probe = pl.DataFrame(schema=known).select(expression.alias(name))
        lets.append(expression.alias(name))
        reads[name] = tuple(dict.fromkeys(c for used in names_in(text) for c in reads[used]))
        known = known | dict(probe.schema)

    def expression(text: str, part: str) -> pl.Expr:
        return compile_expression(text, known, f"{item.id} {part}")

    def roots(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for used in names_in(text) for c in reads[used]))

    clauses = [
        CompiledClause(
            name, expression(c.when, f"eligible {name}"), c.when, roots(c.when), c.unknown == "review"
        )
        for name, c in item.eligible.items()
    ]
    factor = Decimal(1)
    if item.uplift:
        factor = _factor(item.terms.get(item.uplift.factor), item, readings)
    return CompiledItem(
        item=item,
        low=[low for low, _ in bound],
        high=[high for _, high in bound],
        lets=lets,
        clauses=clauses,
        amount=expression(item.amount, "amount") if item.amount else None,
        amount_reads=roots(item.amount) if item.amount else (),
        base=expression(item.base, "base") if item.base else None,
        caps=[
            CompiledCap(
                expression(cap.amount, "caps"), cap.per, cap.pool or f"{item.id}/{place}", _fallback(item, cap.amount)
            )
            for place, cap in enumerate(item.caps)
        ],
        uplift=expression(item.uplift.when, "uplift") if item.uplift else None,
        factor=factor,
    )


def _dtype(term: Term) -> Any:
    return YUAN if isinstance(term, Ladder) else RATE


def _factor(term: Term | None, item: Item, readings: Mapping[str, Any]) -> Decimal:
    match term:
        case Scalar(value=value):
            return value
        case ByReading(reading=key, options=options):
            return options[readings[key]]
    raise RuleError(f"{item.id} 的 uplift 的 factor 应是一个标量")


def _fallback(item: Item, text: str) -> Decimal | None:
    term = item.terms.get(text)
    return max(term.ladder.values()) if isinstance(term, Ladder) else None


def year_end(year: int) -> date:
    """The day that stands for a year of figures."""
    return date(year, 12, 31)


__all__ = ["PAID_RUNG", "CompiledItem", "compile_item", "label", "rung_label", "term_text", "year_end"]
