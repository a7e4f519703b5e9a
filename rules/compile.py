"""Turn an item's data into Polars expressions, once, so that evaluating it is only arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from rules.columns import available
from rules.expressions import RuleError, compile_expression, names_in
from rules.model import Cap, Item
from rules.numbers import brief, show
from rules.terms import ByLevel, ByReading, Dated, Ladder, Range, Scalar, Term
from schemas.errors import did_you_mean
from schemas.money import RATE, YUAN

PAID_RUNG = "paid_rung"
"""Column of the highest ladder threshold already paid for (yuan), null where none was."""

SUPPORT_YEAR = "support_year"
"""Column of the award year's number among those in which a thing is supported: 1, 2, …"""


def paid_before(place: int) -> str:
    """Column of what earlier years paid under the cap at `place` of an item (yuan, null: nothing)."""
    return f"paid_before_{place}"


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
    """A cap's amount; `per` groups lines, under the number `pool`. `fallback` holds where it is unknown.

    `monthly`: yuan by which a month paid earlier counts. `shared`: lines share it; else each is bound by
    itself. `varies`: the amount may differ between lines that share it; a line's own then bounds that
    line too. `reads`: the registry columns behind the amount.
    """

    amount: pl.Expr
    per: tuple[str, ...]
    pool: int
    fallback: pl.Expr
    monthly: Decimal | None
    shared: bool
    varies: bool
    reads: tuple[str, ...]


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
    uplift_reads: tuple[str, ...]
    factor: pl.Expr | None
    review: str

    @cached_property
    def reads(self) -> set[str]:
        """Every column that an expression names, terms and `let`s among them."""
        found = [*self.low, *self.high, *self.lets, *(clause.when for clause in self.clauses)]
        found += [one for cap in self.caps for one in (cap.amount, cap.fallback)]
        found += [one for one in (self.amount, self.base, self.uplift, self.factor) if one is not None]
        return {name for one in found for name in one.meta.root_names()}

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


def claimed(ladder: str) -> str:
    """Name of the award for the level that a row claims on a ladder (yuan)."""
    return f"{ladder}_claimed"


def _claimed_rung(name: str, term: Ladder) -> pl.Expr:
    awards = dict(zip(term.labels, term.ladder.values(), strict=True))
    return pl.col("level").replace_strict(awards, default=None, return_dtype=YUAN).alias(claimed(name))


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
        if isinstance(term, Ladder) and "level" in columns:
            known[claimed(name)], behind[claimed(name)] = YUAN, ("level",)
    return _Names(item, known, behind)


def compile_item(item: Item, readings: Mapping[str, Any]) -> CompiledItem:
    """Compile one item. Raises RuleError naming item and clause for anything that does not fit."""
    names = _names(item)
    bound = [_bind(name, term, readings, pl.col("on")) for name, term in item.terms.items()]
    for name, term in item.terms.items():
        if claimed(name) in names.known and isinstance(term, Ladder):
            bound.append((_claimed_rung(name, term),) * 2)
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
            _cap(names, place, cap, readings) for place, cap in enumerate(item.caps) if _holds(cap, readings)
        ],
        uplift=names.compile(item.uplift.when, "uplift") if item.uplift else None,
        uplift_reads=names.roots(item.uplift.when) if item.uplift else (),
        factor=names.compile(item.uplift.factor, "uplift") if item.uplift else None,
        review="；".join(noted(item)),
    )


def _holds(cap: Cap, readings: Mapping[str, Any]) -> bool:
    return all(readings[key] == option for key, option in cap.under.items())


def _cap(names: _Names, place: int, cap: Cap, readings: Mapping[str, Any]) -> CompiledCap:
    item, per = names.item, cap.per
    for column in {*per} - {"year"}:
        if column not in names.known:
            raise RuleError(f"{item.id} 的封顶按「{column}」，没有这一列{did_you_mean(column, names.known)}")
    if per and "year" not in per and cap.period == "unstated" and readings["unstated_cap_period"] == "year":
        per = (*per, "year")
    monthly = item.terms[cap.monthly] if cap.monthly else None
    shared = cap.shared and not _alone(item, per)
    return CompiledCap(
        amount=names.compile(lifted(item, cap), "caps"),
        per=per,
        pool=_pool(item.id, place),
        fallback=_fallback(names, cap.amount, readings),
        monthly=monthly.value if isinstance(monthly, Scalar) else None,
        shared=shared,
        varies=bool(per) and shared and _varies(names, cap.amount),
        reads=names.roots(cap.amount),
    )


def _pool(item: str, place: int) -> int:
    """A number for each cap of each item, of 23 bits. Raises RuleError for an id that it cannot hold."""
    policy, article, number = ord(item[0]) - ord("A"), *map(int, item[1:].split("."))
    if not (article < 128 and number < 256 and place < 8):
        raise RuleError(f"{item} 的条款号或封顶过多，不能编号")
    return ((policy * 128 + article) * 256 + number) * 8 + place


def _alone(item: Item, per: Sequence[str]) -> bool:
    """Whether no two lines of an item can agree on `per`: it has one line for every enterprise and year."""
    key = item.rows or (("uscc", "year") if item.registry == "rnd" else ())
    return bool(key) and {*key} <= {*per}


def lifted(item: Item, cap: Cap) -> str:
    """A cap's expression, also where the uplift raises it."""
    if cap.lifted is None or item.uplift is None:
        return cap.amount
    raised = f"{cap.amount} * (1 + ({item.uplift.factor} - 1) * {cap.lifted})"
    return f"CASE WHEN {item.uplift.when} THEN {raised} ELSE {cap.amount} END"


def _varies(names: _Names, text: str) -> bool:
    terms = [names.item.terms.get(name) for name in names_in(text)]
    return bool(names.roots(text)) or any(isinstance(term, ByLevel | Dated | Ladder) for term in terms)


def noted(item: Item) -> list[str]:
    """What a department has to judge, with the figures of the terms it names."""
    figures = {name: brief(term.value) for name, term in item.terms.items() if isinstance(term, Scalar)}
    try:
        return [text.format_map(figures) for text in item.review]
    except KeyError as error:
        raise RuleError(
            f"{item.id} 的 review 中没有标量 {error}{did_you_mean(error.args[0], figures)}"
        ) from error


def _fallback(names: _Names, text: str, readings: Mapping[str, Any]) -> pl.Expr:
    """Where a ladder's rung is unknown: the award for the level claimed, else the most it can award."""
    term = names.item.terms.get(text)
    if not isinstance(term, Ladder):
        return pl.lit(None, YUAN)
    awards = term.ladder.values()
    most = pl.lit(sum(awards, Decimal(0)) if readings["ladder"] == "all" else max(awards), YUAN)
    return pl.coalesce(pl.col(claimed(text)), most) if claimed(text) in names.known else most
