"""One fact once: nothing is paid that an earlier year paid, and what must be the first is the first."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.compile import PAID_BEFORE, PAID_RUNG
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.history import Frames, searched_text, years_searched
from rules.model import Item
from rules.terms import Ladder
from schemas.money import YUAN, grouped

_KEYS = ("level", "project_id", "certificate_no", "person_id")


def with_paid_rung(rows: pl.DataFrame, frames: Frames, item: str, ladder: Ladder, year: int) -> pl.DataFrame:
    """Rows with the highest threshold already paid for; a payment without a level counts as the highest."""
    if "payments" not in frames:
        return rows
    rungs = dict(zip(ladder.labels, ladder.ladder, strict=True))
    reached = pl.col("level").replace_strict(
        {text: str(rung) for text, rung in rungs.items()},
        default=str(max(rungs.values())),
        return_dtype=pl.String,
    )
    paid = (
        frames["payments"]
        .filter((pl.col("item") == item) & (pl.col("year") < year) & (pl.col("amount") > 0))
        .group_by("uscc")
        .agg(reached.cast(YUAN).max().alias(PAID_RUNG))
    )
    return rows.join(paid, on="uscc", how="left", maintain_order="left")


def with_paid_before(rows: pl.DataFrame, frames: Frames, item: Item, year: int) -> pl.DataFrame:
    """Rows with what earlier years paid under the item's shared cap: of the same thing, or of the row's year."""
    held = _payments(frames, pl.col("year") < year)
    per = item.shared_per
    if held is None or not per or ("year" in per and "year" in rows.columns):  # this year's figures only
        return rows
    names = [f"_{column}" for column in per]

    def keys(year_of: pl.Expr) -> list[pl.Expr]:
        parts = [year_of if column == "year" else pl.col(column).str.to_uppercase() for column in per]
        return [part.alias(name) for part, name in zip(parts, names, strict=True)]

    own = held.filter(pl.col("item") == item.id).with_columns(keys(pl.col("year")))
    paid = own.group_by(names).agg(pl.col("amount").sum().alias(PAID_BEFORE))
    keyed = rows.with_columns(keys(pl.col("on").dt.year()))
    return keyed.join(paid, on=names, how="left", maintain_order="left").drop(names)


def once(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """Lines that an earlier award year paid become duplicate; those that are not the first ineligible.

    Adds `paid_lower`: what earlier years paid for lower levels, where the reading `upgrade` pays only
    the difference (yuan, else null).
    """
    first = [item.id for item in law.items.values() if item.first]
    single = [item.id for item in law.items.values() if item.recurs == "once" and not item.first]
    lines = lines.with_row_index("_line")
    for found in (
        _paid(lines, frames, [*single, *first], year),
        _paid_now(lines, frames, year),
        _earlier(lines, frames, first),
        _paid_lower(lines, frames, law, year),
    ):
        lines = lines.join(found, on="_line", how="left", maintain_order="left")
    live, must_be_first = pl.col("status").is_in([PAYABLE, PENDING]), pl.col("item").is_in(first)
    paid = pl.col("_paid")
    seen = pl.coalesce("_paid", "_seen")
    again = live & ~must_be_first & paid.is_not_null()
    refuted = live & must_be_first & seen.is_not_null()
    searched = pl.col("item").replace_strict(
        _searched(frames, first, law, year), default=None, return_dtype=pl.String
    )
    once_only = pl.col("item").is_in([*single, *first])
    several = live & once_only & (live.sum().over("uscc", "person_id", "item", "level") > 1)
    notes = [
        pl.when(must_be_first & seen.is_null()).then(searched),
        pl.when(several).then(pl.lit("同一申报人本条另有一笔，请核是否同一事项")),
        pl.when(pl.col("_paid_now").is_not_null()).then(pl.format("{}，请核对应补或应退", "_paid_now")),
        pl.when(pl.col("has_rejects")).then(
            pl.lit("该申报人另有登记行未采用（见数据问题），首次、合计和上年数可能不全")
        ),
    ]
    noted = pl.concat_str(["review", *notes], separator="；", ignore_nulls=True)
    return lines.with_columns(
        status=pl.when(again)
        .then(pl.lit(DUPLICATE))
        .when(refuted)
        .then(pl.lit(INELIGIBLE))
        .otherwise(pl.col("status")),
        reason=pl.when(again)
        .then(pl.concat_str([pl.lit("重复："), paid]))
        .when(refuted)
        .then(pl.concat_str([pl.lit("非首次："), seen]))
        .otherwise(pl.col("reason")),
        review=pl.when(live).then(noted).otherwise(pl.col("review")),
    ).drop("_line", "_paid", "_paid_now", "_seen")


def _payments(frames: Frames, of: pl.Expr) -> pl.DataFrame | None:
    held = frames.get("payments")
    return None if held is None else held.filter(of & (pl.col("amount") > 0))


def _paid(lines: pl.DataFrame, frames: Frames, once_only: Sequence[str], year: int) -> pl.DataFrame:
    """By line `_paid`, the latest earlier award year that paid it and how much, in words.

    A yearly item is paid only by its own year's payment.
    """
    of_that_year = pl.col("item").is_in(once_only) | (pl.col("_paid_year") == pl.col("on").dt.year())
    return _matched(lines, _payments(frames, pl.col("year") < year), of_that_year, "_paid")


def _paid_now(lines: pl.DataFrame, frames: Frames, year: int) -> pl.DataFrame:
    """By line `_paid_now`, what the run's own year has already paid for it, in words."""
    return _matched(lines, _payments(frames, pl.col("year") == year), pl.lit(True), "_paid_now")


def _matched(lines: pl.DataFrame, held: pl.DataFrame | None, fits: pl.Expr, name: str) -> pl.DataFrame:
    """By line the payments of its matter, in words.

    Keys match where both sides have them, the certificate before the project.
    """
    if held is None or held.is_empty():
        return pl.DataFrame(schema={"_line": pl.UInt32, name: pl.String})
    payments = held.select(
        "uscc",
        "item",
        pl.col("year").alias("_paid_year"),
        pl.col("amount").alias("_amount"),
        *(pl.col(c).str.to_uppercase().alias(f"_{c}") for c in _KEYS),
    )
    agree = {c: pl.col(c).str.to_uppercase() == pl.col(f"_{c}") for c in _KEYS}
    matter = pl.coalesce(agree["certificate_no"], agree["project_id"])
    same = pl.all_horizontal(e.fill_null(True) for e in (agree["level"], agree["person_id"], matter))
    words = pl.format("{}年度已兑付 {} 元", "_paid_year", grouped(pl.col("_amount")))
    return (
        lines.select("_line", "uscc", "item", "on", *_KEYS)
        .join(payments, on=["uscc", "item"])
        .filter(same & fits)
        .group_by("_line")
        .agg(pl.col("_paid_year").max(), pl.col("_amount").sum())
        .select("_line", words.alias(name))
    )


def _paid_lower(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """By line what earlier years paid for lower levels of its item, where only the difference is due."""
    held = _payments(frames, pl.col("year") < year)
    ranks = [
        (item.id, level, rank)
        for item in law.items.values()
        for rank, level in enumerate(item.upgrade)
        if law.readings["upgrade"] == "difference"
    ]
    if held is None or not ranks:
        return pl.DataFrame(schema={"_line": pl.UInt32, "paid_lower": YUAN})
    table = pl.DataFrame(
        ranks, schema={"item": pl.String, "level": pl.String, "rank": pl.Int32}, orient="row"
    )
    lower = held.join(table, on=["item", "level"]).select(
        "uscc", "item", "amount", pl.col("rank").alias("lower"), pl.col("project_id").alias("_project_id")
    )
    same = pl.col("project_id").str.to_uppercase() == pl.col("_project_id").str.to_uppercase()
    return (
        lines.select("_line", "uscc", "item", "level", "project_id")
        .join(table, on=["item", "level"])
        .join(lower, on=["uscc", "item"])
        .filter((pl.col("lower") < pl.col("rank")) & same.fill_null(True))
        .group_by("_line")
        .agg(pl.col("amount").sum().alias("paid_lower"))
    )


def _earlier(lines: pl.DataFrame, frames: Frames, first: Sequence[str]) -> pl.DataFrame:
    """By line of a first-only item `_seen`, the latest earlier day a registry shows the same item, in words."""
    schema: dict[str, Any] = {"_line": pl.UInt32, "_seen": pl.String}
    held = [
        frame.filter(pl.col("item").is_in(first)).select("uscc", "item", pl.col(day).alias("_seen"))
        for name, day in (("certifications", "certified_on"), ("claims", "event_on"), ("talents", "event_on"))
        if (frame := frames.get(name)) is not None
    ]
    if not held or not first:
        return pl.DataFrame(schema=schema)
    return (
        lines.filter(pl.col("item").is_in(first))
        .select("_line", "uscc", "item", "on")
        .join(pl.concat(held), on=["uscc", "item"])
        .filter(pl.col("_seen") < pl.col("on"))
        .group_by("_line")
        .agg(pl.col("_seen").max())
        .select("_line", _seen=pl.format("{}已有同一事项", "_seen"))
    )


def _searched(frames: Frames, first: Sequence[str], law: Catalogue, year: int) -> dict[str, str]:
    notes = {}
    for key in first:
        years = years_searched(frames, law.items[key].registry or "", year)
        notes[key] = f"按首次计，{searched_text(years)}"
    return notes
