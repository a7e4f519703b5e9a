"""Evaluate one item on all its rows: eligibility, the low and the high of the award, and its caps."""

from decimal import Decimal

import polars as pl

from rules.compile import PAID_BEFORE, PAID_RUNG, CompiledCap, CompiledItem, rung_label
from schemas.money import RATE, YUAN, to_fen

PAYABLE, PENDING, INELIGIBLE, DUPLICATE = "payable", "pending", "ineligible", "duplicate"
MISSING = "missing"
"""A line that lacks a figure: ineligible, with another reason."""

TRUE, UNKNOWN = 255, 100
JUDGED = ("ceiling", "open", "case_by_case")
"""Bases whose amount is the department's assessment, which may also stand for a missing condition."""

_ZERO = pl.lit(Decimal(0), YUAN)
_FINE = pl.Decimal(38, 14)


def evaluate(compiled: CompiledItem, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their verdict: `status`, `low`, `high` (yuan to the fen, before caps) and `cap_0` ….

    `high` is null where open-ended. A cap is a struct of `amount` (null: none) and `pool`, the key of the
    lines that share it (null: this line alone). `assessed` marks pending lines whose figure is there and
    only a factor is open. `_code` and `_uplift` tell how the verdict came about.
    """
    item = compiled.item
    rows = rows.with_columns(pl.col(column).fill_null(value) for column, value in item.blank.items())
    unpaid = [pl.lit(None, YUAN).alias(c) for c in (PAID_RUNG, PAID_BEFORE) if c not in rows.columns]
    rows = rows.with_columns(unpaid)
    rows = _with_amounts(compiled, rows).with_columns(_code=_eligibility(compiled))
    rows = _uplifted(compiled, _judged(compiled, rows))
    caps = [_cap(_bound(cap, item.shared_per), _pool(cap.pool, cap.per)) for cap in compiled.caps]
    if compiled.range and item.assessed:  # an assessed amount above the range is cut to its high end
        caps.append(
            _cap(pl.when(pl.col("_assessed").is_not_null()).then(pl.col("_highest")), pl.lit(None, pl.String))
        )
    return rows.with_columns(cap.alias(f"cap_{place}") for place, cap in enumerate(caps)).with_columns(
        level=_level(compiled)
    )


def _with_amounts(compiled: CompiledItem, rows: pl.DataFrame) -> pl.DataFrame:
    """`_lowest` and `_highest` by the text's terms, `_given` by the assessed rate, `_assessed`: the amount."""
    ranged = compiled.range_name
    amount = pl.lit(None, YUAN) if compiled.amount is None else to_fen(compiled.amount.cast(_FINE))
    if ranged:
        rows = rows.with_columns(compiled.high).with_columns(compiled.lets).with_columns(_highest=amount)
        rate = pl.col("assessed_rate").cast(RATE).alias(ranged)
        rows = rows.with_columns(rate).with_columns(compiled.lets).with_columns(_given=amount)
    rows = rows.with_columns(compiled.low)
    if compiled.item.basis == "floor":
        rows = rows.with_columns(pl.max_horizontal("rate", "assessed_rate").alias("rate"))
    rows = rows.with_columns(compiled.lets).with_columns(_lowest=amount, _assessed=_assessed(compiled))
    return rows if ranged else rows.with_columns(_highest=pl.col("_lowest"), _given=pl.lit(None, YUAN))


def _assessed(compiled: CompiledItem) -> pl.Expr:
    """The department's figure: its amount, else its rate on the base; null where there is neither."""
    amount = pl.col(compiled.item.assessed) if compiled.item.assessed else pl.lit(None, YUAN)
    if compiled.base is not None and compiled.item.basis in JUDGED:
        return pl.coalesce(amount, to_fen(compiled.base.cast(_FINE) * pl.col("assessed_rate")))
    return amount


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


def _judged(compiled: CompiledItem, rows: pl.DataFrame) -> pl.DataFrame:
    """`low`, `high` and `status` as the basis and what is missing decide (READINGS, Missing figures)."""
    code, assessed, given = pl.col("_code"), pl.col("_assessed"), pl.col("_given")
    doubtful = code.is_between(UNKNOWN, TRUE - 1)
    missing: pl.Expr = pl.lit(False)
    if compiled.item.basis in JUDGED:
        low, high = assessed.fill_null(_ZERO), assessed
        settled = assessed.is_not_null()
    elif compiled.item.basis == "range":
        decided = pl.coalesce(assessed, given)
        settled = decided.is_not_null()
        statutory = pl.when(doubtful).then(_ZERO).otherwise(pl.col("_lowest").fill_null(_ZERO))
        low, high = decided.fill_null(statutory), decided.fill_null(pl.col("_highest"))
    else:
        low = high = pl.col("_lowest")
        missing = doubtful | low.is_null()
        settled = pl.lit(True)
    status = (
        pl.when(code < UNKNOWN)
        .then(pl.lit(INELIGIBLE))
        .when(missing)
        .then(pl.lit(MISSING))
        .when(settled)
        .then(pl.lit(PAYABLE))
        .otherwise(pl.lit(PENDING))
    )
    return rows.with_columns(low=low, high=high, status=status)


def _uplifted(compiled: CompiledItem, rows: pl.DataFrame) -> pl.DataFrame:
    """Multiply low and high where the uplift's condition holds; where unknown, as the uplift says."""
    uplift = compiled.item.uplift
    if uplift is None or compiled.uplift is None:
        return rows.with_columns(_uplift=pl.lit(None, pl.Boolean), assessed=pl.lit(False))
    rows = rows.with_columns(_uplift=compiled.uplift)
    on, factor = pl.col("_uplift"), pl.lit(compiled.factor, pl.Decimal(38, 4))
    may_be = on.fill_null(uplift.unknown == "pending")
    undecided = on.is_null() & (pl.col("status") == PAYABLE) & (uplift.unknown == "pending")
    return rows.with_columns(
        low=pl.when(on).then(to_fen(pl.col("low").cast(_FINE) * factor)).otherwise(pl.col("low")),
        high=pl.when(may_be).then(to_fen(pl.col("high").cast(_FINE) * factor)).otherwise(pl.col("high")),
        status=pl.when(undecided).then(pl.lit(PENDING)).otherwise(pl.col("status")),
        assessed=undecided,
    )


def _bound(cap: CompiledCap, shared_per: tuple[str, ...]) -> pl.Expr:
    """A cap's amount, less what was paid under it before."""
    amount = pl.coalesce(cap.amount.cast(YUAN), pl.lit(cap.fallback, YUAN))
    if not cap.per or cap.per != shared_per:
        return amount
    return pl.when(amount.is_not_null()).then(
        pl.max_horizontal(amount - pl.col(PAID_BEFORE).fill_null(_ZERO), _ZERO)
    )


def _cap(amount: pl.Expr, pool: pl.Expr) -> pl.Expr:
    return pl.struct(amount.alias("amount"), pool.alias("pool"))


def _pool(pool: str, per: tuple[str, ...]) -> pl.Expr:
    """The key of the lines that share a cap; null for a cap of one line or a line without that key.

    Lines of different years never share: those of another year are not paid in this run.
    """
    if not per:
        return pl.lit(None, pl.String)
    year = pl.col("on").dt.year().cast(pl.String)
    keys = [pl.col(column).str.to_uppercase() for column in per if column != "year"]
    return pl.concat_str([pl.lit(pool), year, *keys], separator="|")


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
