"""What earlier award years paid: under caps over a life, for ladders, and in how many years."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from rules.compile import PAID_RUNG, SUPPORT_YEAR, CompiledCap, CompiledItem, paid_before
from rules.placing import with_found
from rules.terms import Ladder
from schemas.money import YUAN

_STRICT, _LOOSE = ("uscc", "person_id"), ("project_id", "level")
"""Keys that must agree, and those that must agree only where row and payment both have them."""


def with_earlier_figure(rows: pl.DataFrame, compiled: CompiledItem, earlier: pl.DataFrame) -> pl.DataFrame:
    """A ladder's rows with the highest figure that earlier rows of the same thing show."""
    ladder = compiled.ladder
    if ladder is None or earlier.is_empty() or "item" not in earlier.columns:
        return rows
    seen = earlier.filter((pl.col("item") == compiled.item.id) & pl.col(ladder.of).is_not_null())
    held = seen.select(
        "uscc", pl.col("project_id").str.to_uppercase().alias("_project"), pl.col(ladder.of).alias("_seen")
    )
    found = (
        rows.with_row_index("_row")
        .select("_row", "uscc", pl.col("project_id").str.to_uppercase())
        .join(held, on="uscc")
        .filter((pl.col("project_id") == pl.col("_project")).fill_null(True))
        .group_by("_row")
        .agg(pl.col("_seen").max())
    )
    highest = pl.max_horizontal(ladder.after, "_seen").alias(ladder.after)
    return _joined(rows, found).with_columns(highest).drop("_seen")


def with_payments(
    rows: pl.DataFrame, compiled: CompiledItem, payments: pl.DataFrame | None, year: int
) -> pl.DataFrame:
    """An item's rows with what its earlier payments mean for them.

    Adds `paid_before_<cap>` (yuan) for caps that earlier years have used, `paid_rung` (the highest ladder
    threshold paid for, yuan) and `support_year` where the item reads it.
    """
    counts_years = any(SUPPORT_YEAR in clause.reads for clause in compiled.clauses)
    if counts_years:
        rows = rows.with_columns(pl.lit(1, pl.Int64).alias(SUPPORT_YEAR))
    if payments is None:
        return rows
    before = payments.filter(pl.col("year") < year)
    if before.is_empty():
        return rows
    for place, cap in enumerate(compiled.caps):
        if cap.per and not ("year" in cap.per and "year" in rows.columns):  # else only this year's figures
            rows = _joined(rows, _paid_under(rows, before, cap).rename({"paid": paid_before(place)}))
    if compiled.ladder:
        rows = _joined(rows, _paid_rung(rows, before, compiled.ladder))
    if counts_years:
        rows = _with_support_year(rows, before)
    return rows


def _joined(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`found` brought to the rows by their place (`_row`)."""
    return with_found(rows.with_row_index("_row"), found, "_row").drop("_row")


def _matches(rows: pl.DataFrame, before: pl.DataFrame, per: Sequence[str]) -> pl.DataFrame:
    """Pairs of a row (`_row`, `on`) and a payment (`paid_year`, `amount`, `months`, `level`) of its matter."""
    strict = [column for column in _STRICT if column in per]
    loose = [column for column in _LOOSE if column in per and column in rows.columns]
    held = before.select(
        *strict,
        *(_thing(column, before).alias(f"_{column}") for column in loose),
        pl.col("year").alias("paid_year"),
        "amount",
        "months",
        pl.col("level").alias("paid_level"),
    )
    own = rows.with_row_index("_row").select(
        "_row", "on", *strict, *(_thing(c, rows).alias(c) for c in loose)
    )
    pairs = own.join(held, on=strict)
    same = [(pl.col(c) == pl.col(f"_{c}")).fill_null(True) for c in loose]
    if "year" in per:
        same.append(pl.col("paid_year") == pl.col("on").dt.year())
    return pairs.filter(pl.all_horizontal(pl.lit(True), *same))


def _thing(column: str, frame: pl.DataFrame) -> pl.Expr:
    """A key as it is compared; a status without a project is told by its certificate (rules/evaluate.py)."""
    with_certificate = column == "project_id" and "certificate_no" in frame.columns
    held = pl.coalesce(column, "certificate_no") if with_certificate else pl.col(column)
    return held.str.to_uppercase()


def _paid_under(rows: pl.DataFrame, before: pl.DataFrame, cap: CompiledCap) -> pl.DataFrame:
    """By row what was paid under the cap; where it counts months, each at its full monthly amount."""
    worth = pl.col("amount")
    if cap.monthly is not None:
        worth = pl.coalesce(pl.col("months") * pl.lit(cap.monthly, YUAN), worth)
    return _matches(rows, before, cap.per).group_by("_row").agg(paid=worth.cast(YUAN).sum())


def _paid_rung(rows: pl.DataFrame, before: pl.DataFrame, ladder: Ladder) -> pl.DataFrame:
    """By row the highest threshold already paid for; a payment without a level counts as the highest."""
    rungs = dict(zip(ladder.labels, ladder.ladder, strict=True))
    reached = pl.col("paid_level").replace_strict(
        {text: str(rung) for text, rung in rungs.items()},
        default=str(max(rungs.values(), default=Decimal(0))),
        return_dtype=pl.String,
    )
    pairs = _matches(rows, before, ("uscc", "project_id"))
    return pairs.group_by("_row").agg(reached.cast(YUAN).max().alias(PAID_RUNG))


def _with_support_year(rows: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    first = _matches(rows, before, ("uscc", "project_id")).group_by("_row").agg(pl.col("paid_year").min())
    number = (pl.col("on").dt.year() - pl.col("paid_year") + 1).cast(pl.Int64)
    return (
        _joined(rows, first)
        .with_columns(pl.coalesce(number, SUPPORT_YEAR).alias(SUPPORT_YEAR))
        .drop("paid_year")
    )
