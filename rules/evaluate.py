"""Evaluate one item on all its rows: eligibility, the low and the high of the award, and its caps."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from rules.compile import PAID_RUNG, CompiledCap, CompiledItem, paid_before, rung_label
from rules.frames import APPLICANT
from schemas.money import RATE, YUAN, to_fen

PAYABLE, PENDING, INELIGIBLE, DUPLICATE = "payable", "pending", "ineligible", "duplicate"
MISSING = "missing"
"""A line that lacks a figure: ineligible, with another reason."""

TRUE, UNKNOWN = 255, 100
JUDGED = ("ceiling", "open", "case_by_case")
"""Bases whose amount is the department's assessment, which may also stand for a missing condition."""

UNNAMED = "?"
"""Stands in a cap's key for a project or level that a row leaves blank."""

POOL: dict[str, Any] = {"key": pl.UInt64, "thing": pl.String, "of_thing": pl.Boolean, "amount": YUAN}
"""A cap that lines share. Lines of one `key` (which tells cap, year and, where it is theirs, the applicant) and
`thing` (project, person, level) share `amount`, yuan; `of_thing`: it bounds one project or person."""

_EPOCH = 1900
"""Years count from here in a key of 8 bits for the year and 32 for the applicant."""

_ZERO = pl.lit(Decimal(0), YUAN)
_FINE, _FACTOR = pl.Decimal(38, 14), pl.Decimal(38, 8)


def evaluate(compiled: CompiledItem, rows: pl.LazyFrame, live: bool = False) -> pl.LazyFrame:
    """The rows with their verdict: `status`, and `low` and `high`, yuan to the fen before caps.

    `high` is null where open-ended. `gross`, `award_low` and `award_high` are the same after the caps of one
    line, `cap` the least cap met on the way, for the working, and `cap_paid` what earlier years paid under it.
    Caps that lines share come as POOL in `pool_0` …. `assessed` marks pending lines whose figure is there and
    only a factor is open. `_code` and `_uplift` tell how the verdict came about, `_cap_0` is the first cap.
    `live`: leave out rows of which a condition is false.
    """
    item = compiled.item
    rows = rows.with_columns(pl.col(column).fill_null(value) for column, value in item.blank.items())
    columns = rows.collect_schema().names()
    if PAID_RUNG not in columns:
        rows = rows.with_columns(pl.lit(None, YUAN).alias(PAID_RUNG))
    rows = rows.with_columns(compiled.low)
    rows = rows.with_columns(compiled.lets).with_columns(_code=_eligibility(compiled))
    if live:
        rows = rows.filter(pl.col("_code") >= UNKNOWN)
    rows = _judged(compiled, _with_amounts(compiled, _with_factors(compiled, rows)))
    return _capped(rows, _limits(compiled, columns)).with_columns(level=_level(compiled))


def _with_factors(compiled: CompiledItem, rows: pl.LazyFrame) -> pl.LazyFrame:
    """`_uplift`, whether its condition holds; where there is one, also the factors for both ends of the award."""
    if compiled.uplift is None or compiled.factor is None or compiled.item.uplift is None:
        return rows.with_columns(_uplift=pl.lit(None, pl.Boolean))
    rows = rows.with_columns(_uplift=compiled.uplift, _factor=compiled.factor.cast(_FACTOR))
    may_be = pl.col("_uplift").fill_null(compiled.item.uplift.unknown == "pending")
    return rows.with_columns(
        pl.when(on).then(pl.col("_factor")).otherwise(pl.lit(Decimal(1), _FACTOR)).alias(name)
        for name, on in (("_low_factor", pl.col("_uplift")), ("_high_factor", may_be))
    )


def _with_amounts(compiled: CompiledItem, rows: pl.LazyFrame) -> pl.LazyFrame:
    """`_lowest` and `_highest` by the text's terms, `_given` by the assessed rate, `_assessed`: the amount.

    Each is rounded once, after its factor. `_assessed_high`: the assessed amount with the high factor.
    """

    def amount(factor: str) -> pl.Expr:
        if compiled.amount is None:
            return pl.lit(None, YUAN)
        return _times(compiled, compiled.amount.cast(_FINE), factor)

    ranged = compiled.range_name
    if ranged:
        rows = rows.with_columns(compiled.high).with_columns(compiled.lets)
        rows = rows.with_columns(_highest=amount("_high_factor"))
        rate = pl.col("assessed_rate").cast(RATE).alias(ranged)
        rows = rows.with_columns(rate).with_columns(compiled.lets).with_columns(_given=amount("_low_factor"))
    rows = rows.with_columns(compiled.low)
    if compiled.item.basis == "floor":
        rows = rows.with_columns(pl.max_horizontal("rate", "assessed_rate").alias("rate"))
    rows = rows.with_columns(compiled.lets).with_columns(
        _lowest=amount("_low_factor"),
        _assessed=_assessed(compiled, "_low_factor"),
        _assessed_high=_assessed(compiled, "_high_factor"),
    )
    return rows if ranged else rows.with_columns(_highest=pl.col("_lowest"), _given=pl.lit(None, YUAN))


def _assessed(compiled: CompiledItem, factor: str) -> pl.Expr:
    """The department's figure: its amount, else its rate on the base; null where there is neither."""
    amount = pl.lit(None, YUAN) if compiled.item.assessed is None else pl.col(compiled.item.assessed)
    found = amount.cast(_FINE)
    if compiled.base is not None and compiled.item.basis in JUDGED:
        found = pl.coalesce(found, compiled.base.cast(_FINE) * pl.col("assessed_rate"))
    return _times(compiled, found, factor)


def _times(compiled: CompiledItem, amount: pl.Expr, factor: str) -> pl.Expr:
    """The amount with the uplift's factor, to the fen."""
    return to_fen(amount if compiled.uplift is None else amount * pl.col(factor))


def _eligibility(compiled: CompiledItem) -> pl.Expr:
    """The least of: place of a false clause, 100 + place of an unknown one, 255 for all true."""
    codes = [
        pl.when(clause.when.is_null())
        .then(pl.lit(TRUE if clause.waived else UNKNOWN + place, pl.Int16))
        .when(clause.when)
        .then(pl.lit(TRUE, pl.Int16))
        .otherwise(pl.lit(place, pl.Int16))
        for place, clause in enumerate(compiled.clauses)
    ]
    return pl.min_horizontal(pl.lit(TRUE, pl.Int16), *codes)


def _judged(compiled: CompiledItem, rows: pl.LazyFrame) -> pl.LazyFrame:
    """`low`, `high` and `status` as the basis and what is missing decide."""
    code, assessed, given = pl.col("_code"), pl.col("_assessed"), pl.col("_given")
    doubtful = code.is_between(UNKNOWN, TRUE - 1)
    missing: pl.Expr = pl.lit(False)
    if compiled.item.basis in JUDGED:
        bounded = pl.all_horizontal(
            pl.lit(True), *(pl.coalesce(c.amount, c.fallback).is_not_null() for c in compiled.caps)
        )
        settled = assessed.is_not_null() & bounded
        low, high = pl.when(settled).then(assessed).otherwise(_ZERO), pl.col("_assessed_high")
        high = pl.when(settled).then(high)
    elif compiled.item.basis == "range":
        decided = pl.when(pl.col("_highest").is_not_null()).then(pl.coalesce(assessed, given))
        settled = decided.is_not_null()
        statutory = pl.when(doubtful).then(_ZERO).otherwise(pl.col("_lowest").fill_null(_ZERO))
        low, high = decided.fill_null(statutory), decided.fill_null(pl.col("_highest"))
    else:
        low = high = pl.col("_lowest")
        missing = doubtful | low.is_null()
        settled = pl.lit(True)
    varies = pl.col("_low_factor") != pl.col("_high_factor")
    factor_open = pl.lit(False) if compiled.uplift is None else varies
    status = (
        pl.when(code < UNKNOWN)
        .then(pl.lit(INELIGIBLE))
        .when(missing)
        .then(pl.lit(MISSING))
        .when(settled & ~factor_open)
        .then(pl.lit(PAYABLE))
        .otherwise(pl.lit(PENDING))
    )
    rows = rows.with_columns(low=low, high=high, status=status, assessed=settled & factor_open)
    return rows.with_columns(assessed=pl.col("assessed") & (pl.col("status") == PENDING))


class _Limit(NamedTuple):
    """A cap of a line: its amount, less what earlier years `paid` under it, and which lines share it (POOL)."""

    amount: pl.Expr
    paid: pl.Expr
    pool: list[pl.Expr] | None


def _limits(compiled: CompiledItem, columns: Sequence[str]) -> list[_Limit]:
    limits = [_limit(cap, paid_before(place), columns) for place, cap in enumerate(compiled.caps)]
    # Where lines that share a cap may differ in it, a line's own bounds that line too.
    limits += [
        limit._replace(pool=None) for limit, cap in zip(limits, compiled.caps, strict=True) if cap.varies
    ]
    if compiled.range and compiled.item.assessed:  # an assessed amount above the range is cut to its high end
        highest = pl.when(pl.col("_assessed").is_not_null()).then(pl.col("_highest"))
        limits.append(_Limit(highest, pl.lit(None, YUAN), None))
    return limits


def _limit(cap: CompiledCap, paid: str, columns: Sequence[str]) -> _Limit:
    amount = pl.coalesce(to_fen(cap.amount.cast(_FINE)), cap.fallback)
    if paid not in columns:
        return _Limit(_positive(amount), pl.lit(None, YUAN), _pool(cap, columns))
    used = pl.col(paid).cast(YUAN)
    left = pl.max_horizontal(amount - used.fill_null(_ZERO), _ZERO)
    return _Limit(pl.when(amount.is_not_null()).then(left), used, _pool(cap, columns))


def _capped(rows: pl.LazyFrame, limits: Sequence[_Limit]) -> pl.LazyFrame:
    """Apply the caps of one line; lay those that lines share beside it."""
    nothing = pl.lit(None, YUAN)
    amounts = [pl.col(f"_cap_{place}") for place in range(len(limits))]
    rows = rows.with_columns(
        limit.amount.cast(YUAN).alias(f"_cap_{place}") for place, limit in enumerate(limits)
    )
    own = [amount for amount, limit in zip(amounts, limits, strict=True) if limit.pool is None]
    least = pl.min_horizontal(*amounts, nothing)
    paid = [pl.when(amount == least).then(limit.paid) for amount, limit in zip(amounts, limits, strict=True)]
    shared = [
        pl.struct(*limit.pool, amount.alias("amount"))
        for limit, amount in zip(limits, amounts, strict=True)
        if limit.pool is not None
    ]
    return rows.with_columns(
        *(pool.alias(f"pool_{place}") for place, pool in enumerate(shared)),
        gross=pl.col("low"),
        award_low=_positive(pl.min_horizontal("low", *own)),
        award_high=_positive(pl.min_horizontal("high", *own)),
        cap=least,
        cap_paid=pl.coalesce(*paid, nothing),
        cap_shared=pl.lit(False),
    )


def _positive(amount: pl.Expr) -> pl.Expr:
    """At least nothing; null stays null."""
    return pl.when(amount.is_not_null()).then(pl.max_horizontal(amount, _ZERO))


def _pool(cap: CompiledCap, columns: Sequence[str]) -> list[pl.Expr] | None:
    """What of POOL tells which lines share a cap; None for a cap of one line.

    Lines that do not name their project count as one, so that a blank opens no second cap. Lines of
    different years never share: those of another year are not paid in this run.
    """
    if not (cap.shared and cap.per):
        return None
    year = (pl.col("on").dt.year() - _EPOCH).clip(0, 255).cast(pl.UInt64)  # no run is of a year beyond
    who = pl.col(APPLICANT).cast(pl.UInt64) if "uscc" in cap.per else pl.lit(0, pl.UInt64)
    key = pl.lit(cap.pool << 40, pl.UInt64) + year * (1 << 32) + who
    things = [_thing(column, columns) for column in cap.per if column not in ("uscc", "year")]
    named = [thing.str.to_uppercase().fill_null(UNNAMED) for thing in things]
    of_thing = not {"project_id", "person_id"}.isdisjoint(cap.per)
    thing = pl.concat_str(named, separator="|") if named else pl.lit(None, pl.String)
    return [key.alias("key"), thing.alias("thing"), pl.lit(of_thing).alias("of_thing")]


def _thing(column: str, columns: Sequence[str]) -> pl.Expr:
    """A key of a cap; a status without a project is told by its certificate."""
    if column == "project_id" and "certificate_no" in columns:
        return pl.coalesce(column, "certificate_no")
    return pl.col(column)


def _level(compiled: CompiledItem) -> pl.Expr:
    item = compiled.item
    if compiled.ladder:
        return rung_label(compiled.ladder)
    if item.uplift and item.uplift.labels:
        without, with_it = item.uplift.labels
        label = pl.when(pl.col("_uplift")).then(pl.lit(with_it)).otherwise(pl.lit(without))
        return pl.when(pl.col("_code") >= UNKNOWN).then(label)
    has_level = item.registry in ("certifications", "claims", "talents")
    return pl.col("level") if has_level else pl.lit(None, pl.String)
