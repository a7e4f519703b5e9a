"""Near misses: what one threshold alone keeps out, narrowly, and what letting it in would cost."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from rules.award import item_rows
from rules.catalogue import Catalogue
from rules.columns import label
from rules.compile import PAID_RUNG, CompiledItem
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.expressions import names_in, tokens
from rules.model import Item
from rules.numbers import show
from rules.scenario import Scenario, apply_scenario
from rules.terms import ByLevel, ByReading, Dated, Scalar, Term
from schemas.comparing import MISS_COSTS, MISSES
from schemas.money import YUAN, to_fen, total
from schemas.outputs import PAYERS
from whatif.bench import Bench
from whatif.order import by_number

_COMPARES = (">=", ">", "<=", "<")
_PLACE = ["item", "registry", "source_file", "source_sheet", "source_row", "uscc"]
_FINE = pl.Decimal(38, 10)


@dataclass(frozen=True)
class Misses:
    """Lines that a threshold keeps out narrowly (shape MISSES), and by threshold what they cost (MISS_COSTS)."""

    lines: pl.DataFrame
    costs: pl.DataFrame


@dataclass(frozen=True)
class Threshold:
    """One comparison of a clause: the side that is measured, the side that bounds it, and the term in it."""

    item: Item
    clause: str
    value: str
    bound: str
    least: bool
    term: str


def thresholds(item: Item) -> Iterator[Threshold]:
    """The clauses of an item that hold one figure against one term of it; `<figure> >= <term>` and the like.

    The bound may be a sum or product over the term (`base_amount_prior * (1 + growth)`). Clauses with AND,
    OR, NOT or a ladder are none: their thresholds have no single figure, or move one another; nor is a term
    that the amount is computed from.
    """
    formulas = [item.amount, item.rate_base, *item.let.values(), *(cap.amount for cap in item.caps)]
    paid_by = {name for text in formulas if text for name in names_in(text)}
    for name, clause in item.eligible.items():
        words = tokens(clause.when, item.id)
        marks = [word for kind, word in words if kind == "mark" and word in _COMPARES]
        if len(marks) != 1 or any(word.upper() in ("AND", "OR", "NOT", "CASE") for _, word in words):
            continue
        left, right = re.split(re.escape(marks[0]), clause.when)
        least = marks[0] in (">=", ">")
        for value, bound, at_least in ((left, right, least), (right, left, not least)):
            terms = [n for n in names_in(bound) if isinstance(item.terms.get(n), _NUMBERS)]
            measured = names_in(value) and not any(n in item.terms for n in names_in(value))
            rises = not {"-", "/"} & {word for _, word in tokens(bound, item.id)}
            if measured and rises and len(terms) == 1 and terms[0] not in paid_by:
                yield Threshold(item, name, value.strip(), bound.strip(), at_least, terms[0])


_NUMBERS = (Scalar, ByLevel, Dated, ByReading)


def near_misses(bench: Bench, within: Decimal = Decimal("0.1")) -> Misses:
    """Near misses of a bench's law: ineligible by one threshold, and in if its term moved by `within`.

    A least figure's term is lowered by that share, a greatest one's raised. The cost is the difference of
    two evaluations of the whole law, so that caps, overlaps and payers' shares count; the moved term may
    change other lines too (`to_others`). Lines that would earn nothing all the same are no near misses.
    """
    lines, costs = [], []
    for item, registry, rows in item_rows(bench.frames, bench.law, bench.year):
        for threshold in thresholds(item):
            near = _near(bench.law.compiled(item), threshold, rows, within)
            if near.height:
                moved = bench.lines_of(_moved(bench.law, threshold, within))
                near = near.with_columns(registry=pl.lit(registry))
                found, cost = _priced(bench, threshold, near, moved, within)
                if found.height:
                    lines.append(found)
                    costs.append(cost)
    return Misses(_gathered(lines, MISSES, ["shortfall", "uscc"]), _gathered(costs, MISS_COSTS, []))


def _gathered(parts: list[pl.DataFrame], shape: Mapping[str, Any], then: list[str]) -> pl.DataFrame:
    shaped = [part.select(pl.col(c).cast(t) for c, t in shape.items()) for part in parts]
    whole = pl.concat([pl.DataFrame(schema=dict(shape)), *shaped])
    last = [c for c in ("source_file", "source_row") if c in shape]
    return whole.sort(*by_number(), "clause", *then, *last, nulls_last=True)


def _near(compiled: CompiledItem, threshold: Threshold, rows: pl.DataFrame, within: Decimal) -> pl.DataFrame:
    """The rows that fail this clause only, and pass it with the moved term; with `value` and `threshold`."""
    item = compiled.item
    rows = rows.with_columns(pl.col(column).fill_null(value) for column, value in item.blank.items())
    if PAID_RUNG not in rows.columns:
        rows = rows.with_columns(pl.lit(None, YUAN).alias(PAID_RUNG))
    rows = rows.with_columns(compiled.low).with_columns(compiled.lets)
    this = next(c for c in compiled.clauses if c.name == threshold.clause)
    others = [c.when.fill_null(True) for c in compiled.clauses if c is not this]
    rows = rows.filter(~this.when, *others).with_columns(
        value=pl.sql_expr(threshold.value), threshold=pl.sql_expr(threshold.bound)
    )
    factor = 1 - within if threshold.least else 1 + within
    moved = pl.col(threshold.term).cast(_FINE) * pl.lit(factor, _FINE)
    return rows.with_columns(moved.alias(threshold.term)).filter(this.when)


def _moved(law: Catalogue, threshold: Threshold, within: Decimal) -> Catalogue:
    factor = 1 - within if threshold.least else 1 + within
    scaled = _scaled(threshold.item.terms[threshold.term], factor)
    terms = {threshold.item.id: {threshold.term: scaled}}
    return apply_scenario(law, Scenario(name="near", title="门槛移动", terms=terms))


def _scaled(term: Term, factor: Decimal) -> Any:
    """A term as a scenario writes it, every number times the factor."""
    match term:
        case Scalar(value=value):
            return _plain(value * factor)
        case ByLevel(level=table):
            return {"level": {key: _plain(value * factor) for key, value in table.items()}}
        case Dated(dated=table):
            return {"dated": {key: _plain(value * factor) for key, value in table.items()}}
        case ByReading(reading=reading, options=table):
            return {
                "reading": reading,
                "options": {key: _plain(value * factor) for key, value in table.items()},
            }
    raise TypeError(type(term))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _priced(
    bench: Bench, threshold: Threshold, near: pl.DataFrame, moved: pl.DataFrame, within: Decimal
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The near misses with what they would be, and one row of what admitting them costs."""
    item = threshold.item
    out = bench.lines.filter((pl.col("item") == item.id) & (pl.col("status") == INELIGIBLE)).select(_PLACE)
    live = pl.col("status").is_in([PAYABLE, PENDING])
    yields = (pl.col("status") == DUPLICATE) & (pl.col("overlap_reduction") > 0)
    admitted = moved.filter((pl.col("item") == item.id) & (live | yields))
    admitted = admitted.join(out, on=_PLACE, how="semi", nulls_equal=True)
    measured = near.with_columns(item=pl.lit(item.id)).select(
        *_PLACE, *(to_fen(pl.col(c).cast(_FINE)).alias(c) for c in ("value", "threshold"))
    )
    found = admitted.join(measured, on=_PLACE, nulls_equal=True).with_columns(
        clause=pl.lit(threshold.clause),
        term=pl.lit(threshold.term),
        figure=pl.lit(_figure(threshold)),
        shortfall=(pl.col("threshold") - pl.col("value")).abs(),
    )
    old, new = _sums(bench.lines), _sums(moved)
    change = {c: new[c] - old[c] for c in new}
    admitted_gets = total(found["award"])
    high = found.filter(pl.col("status") == PENDING)["award_high"]
    law = _moved(bench.law, threshold, within)
    return found, pl.DataFrame(
        {
            "item": [item.id],
            "title": [item.title],
            "clause": [threshold.clause],
            "term": [threshold.term],
            "old": [_words(item.terms[threshold.term])],
            "new": [_words(law.items[item.id].terms[threshold.term])],
            "households": [found["uscc"].n_unique()],
            "lines": [found.height],
            "cost": [change["award"]],
            **{f"{payer}_share": [change[f"{payer}_share"]] for payer in PAYERS},
            "to_admitted": [admitted_gets],
            "to_others": [change["award"] - admitted_gets],
            "pending_low": [total(found.filter(pl.col("status") == PENDING)["award_low"])],
            "pending_high": [None if high.null_count() else total(high)],
        },
        schema_overrides={c: MISS_COSTS[c] for c in MISS_COSTS if MISS_COSTS[c] == YUAN},
    )


def _sums(lines: pl.DataFrame) -> dict[str, Decimal]:
    columns = ["award", *(f"{payer}_share" for payer in PAYERS)]
    return {c: total(lines[c]) for c in columns}


def _figure(threshold: Threshold) -> str:
    """What is measured, in words: the column's header, a let's name, or the expression."""
    registry = threshold.item.registry or ""
    return " ".join(label(registry, w) if kind == "name" else w for kind, w in tokens(threshold.value, ""))


def _words(term: Term) -> str:
    match term:
        case Scalar(value=value):
            return show(value)
        case ByLevel(level=table) | Dated(dated=table) | ByReading(options=table):
            return "、".join(f"{key} {show(value)}" for key, value in table.items())
    raise TypeError(type(term))
