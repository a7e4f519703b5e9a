"""One fact once: nothing is paid that an earlier year paid, and what must be the first is the first."""

from collections.abc import Sequence

import polars as pl

from rules.catalogue import Catalogue
from rules.compile import PAID_RUNG
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.history import Frames, years_searched
from rules.terms import Ladder
from schemas.money import YUAN, grouped

_KEYS = ("level", "project_id", "certificate_no", "person_id")


def with_paid_rung(rows: pl.DataFrame, frames: Frames, item: str, ladder: Ladder, year: int) -> pl.DataFrame:
    """Rows with the highest threshold already paid for; a payment without a level counts as the highest."""
    if "payments" not in frames:
        return rows
    rungs = dict(zip(ladder.labels, ladder.ladder, strict=True))
    reached = pl.col("level").replace_strict(
        {text: str(rung) for text, rung in rungs.items()}, default=str(max(rungs.values())), return_dtype=pl.String
    )
    paid = (
        frames["payments"]
        .filter((pl.col("item") == item) & (pl.col("year") < year) & (pl.col("amount") > 0))
        .group_by("uscc")
        .agg(reached.cast(YUAN).max().alias(PAID_RUNG))
    )
    return rows.join(paid, on="uscc", how="left", maintain_order="left")


def once(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """Lines of once-only items that earlier award years paid become duplicate; those not first ineligible."""
    items = law.items.values()
    lines = lines.with_row_index("_line")
    paid = _paid(lines, frames, year)
    first = [item.id for item in items if item.first]
    single = [item.id for item in items if item.recurs == "once" and not item.first]
    lines = lines.join(paid, on="_line", how="left", maintain_order="left")
    lines = lines.join(_earlier(lines, frames, first), on="_line", how="left", maintain_order="left")
    live = pl.col("status").is_in([PAYABLE, PENDING])
    again = live & pl.col("item").is_in(single) & pl.col("_paid_year").is_not_null()
    seen = pl.coalesce(
        pl.format("{}年度已兑付 {} 元", "_paid_year", grouped(pl.col("_paid"))),
        pl.format("{}已有同一事项", "_seen"),
    )
    refuted = live & pl.col("item").is_in(first) & seen.is_not_null()
    notes = _searched(frames, first, law, year)
    assumed = live & pl.col("item").is_in(first) & seen.is_null()
    note = pl.col("item").replace_strict(notes, default=None, return_dtype=pl.String)
    reviewed = pl.concat_str(["review", note], separator="；", ignore_nulls=True)
    return lines.with_columns(
        status=pl.when(again)
        .then(pl.lit(DUPLICATE))
        .when(refuted)
        .then(pl.lit(INELIGIBLE))
        .otherwise(pl.col("status")),
        reason=pl.when(again)
        .then(pl.concat_str([pl.lit("重复："), seen]))
        .when(refuted)
        .then(pl.concat_str([pl.lit("非首次："), seen]))
        .otherwise(pl.col("reason")),
        review=pl.when(assumed).then(reviewed).otherwise(pl.col("review")),
    ).drop("_line", "_paid", "_paid_year", "_seen")


def _paid(lines: pl.DataFrame, frames: Frames, year: int) -> pl.DataFrame:
    """By line the latest earlier award year that paid it, and how much (yuan).

    Keys match where both sides have them.
    """
    schema = {"_line": pl.UInt32, "_paid_year": pl.Int32, "_paid": YUAN}
    if "payments" not in frames:
        return pl.DataFrame(schema=schema)
    earlier = frames["payments"].filter((pl.col("year") < year) & (pl.col("amount") > 0))
    held = earlier.select(
        "uscc",
        "item",
        pl.col("year").alias("_paid_year"),
        pl.col("amount").alias("_paid"),
        *(pl.col(c).alias(f"_{c}") for c in _KEYS),
    )
    same = pl.all_horizontal(
        (pl.col(c).str.to_uppercase() == pl.col(f"_{c}").str.to_uppercase()).fill_null(True) for c in _KEYS
    )
    return (
        lines.select("_line", "uscc", "item", *_KEYS)
        .join(held, on=["uscc", "item"])
        .filter(same)
        .group_by("_line")
        .agg(pl.col("_paid_year").max(), pl.col("_paid").sum())
    )


def _earlier(lines: pl.DataFrame, frames: Frames, first: Sequence[str]) -> pl.DataFrame:
    """By line of a first-only item the latest earlier day on which a registry shows the same item."""
    schema = {"_line": pl.UInt32, "_seen": pl.Date}
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
    )


def _searched(frames: Frames, first: Sequence[str], law: Catalogue, year: int) -> dict[str, str]:
    notes = {}
    for key in first:
        years = years_searched(frames, law.items[key].registry or "", year)
        found = "、".join(f"{y}年" for y in years)
        notes[key] = f"按首次计，已查{found}数据" if found else "按首次计，无以前年度数据可查"
    return notes
