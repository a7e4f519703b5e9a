"""One fact once: nothing is paid that an earlier year paid, and what must be the first is the first."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.frames import Frames
from rules.matching import matched_payments
from rules.model import Item
from rules.placing import with_changed, with_found
from schemas.labels import filled
from schemas.money import YUAN, grouped

_LIVE = pl.col("status").is_in([PAYABLE, PENDING])
_FOUND = ("_paid", "_maybe", "_seen", "_several")
_SEVERAL: dict[str, Any] = {"_line": pl.UInt32, "_several": pl.Boolean}
_ZERO = pl.lit(Decimal(0), YUAN)
_UNCLEAR = "以前年度已有兑付，记录没有写明是哪个项目或哪个人"
_UNNUMBERED = "（已兑付记录没有可核对的证书、项目或证件号码，如非同一事项请补填）"


def once(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int, told: bool = True) -> pl.DataFrame:
    """Lines that an earlier award year paid become duplicate; those that are not the first ineligible.

    Adds `paid_lower`: what earlier years paid for lower levels, where the reading `upgrade` pays only
    the difference (yuan, else null), and takes it off. `told`: also note what is to be looked at.
    """
    first = [item.id for item in law.items.values() if item.first]
    lines = lines.with_row_index("_line")
    lines = _less_lower(lines, _paid_lower(lines, frames, law, year))
    several = _several(lines, law) if told else pl.DataFrame(schema=_SEVERAL)
    findings = [_paid(lines, frames, law, year), _earlier(lines, frames, first), several]
    if not told and all(found.is_empty() for found in findings):
        return lines.drop("_line", "searched")
    for found in findings:
        lines = with_found(lines, found, "_line")
    must_be_first = pl.col("item").is_in(first)
    paid = pl.col("_paid")
    seen = pl.coalesce("_paid", pl.when("_maybe").then(pl.lit(_UNCLEAR)), "_seen")
    again = ~must_be_first & paid.is_not_null()
    refuted = must_be_first & seen.is_not_null()
    notes = [
        pl.when(must_be_first & seen.is_null()).then(filled("按首次计，{}", "searched")),
        pl.when(pl.col("_maybe") & paid.is_null()).then(pl.lit(f"{_UNCLEAR}，请核是否同一事项")),
        pl.when("_several").then(
            pl.lit("同一申报人（个人按证件号码）本条另有一笔，请核是否同一事项，同一事项只兑付一次")
        ),
        pl.when(pl.col("has_rejects")).then(
            pl.lit("该申报人另有登记行未采用（见数据问题），首次、合计和上年数可能不全")
        ),
    ]
    noted = pl.concat_str(["review", *notes], separator="；", ignore_nulls=True)
    to_note = pl.any_horizontal(must_be_first, "has_rejects") if told else pl.lit(False)
    touched = lines.lazy().filter(_LIVE & (to_note | pl.any_horizontal(pl.col(_FOUND).is_not_null())))
    changed = touched.select(
        "_line",
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
        review=pl.when(noted != "").then(noted),
    )
    return with_changed(lines, changed.collect()).drop("_line", *_FOUND, "searched")


def _less_lower(lines: pl.DataFrame, lower: pl.DataFrame) -> pl.DataFrame:
    lines = with_found(lines, lower, "_line")
    if lower.is_empty():
        return lines
    paid = pl.col("paid_lower").fill_null(_ZERO)
    left = {end: pl.max_horizontal(pl.col(end) - paid, _ZERO) for end in ("award_low", "award_high")}
    return lines.with_columns(
        pl.when(pl.col(end).is_not_null()).then(rest).alias(end) for end, rest in left.items()
    )


def _several(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Live lines whose applicant has another one of the same item and level, though it is paid once only.

    A person is the applicant, whichever unit applies.
    """
    used = lines.select("_line", "status", "item", "level", "uscc", "person_id")
    applicant = pl.coalesce(pl.col("person_id").str.to_uppercase(), "uscc")
    again = pl.len().over(applicant, "item", "level") > 1
    return used.filter(_LIVE & _once_only(law)).filter(again).select("_line", _several=pl.lit(True))


def _once_levels(item: Item) -> list[str | None]:
    """The levels of an item that are paid once only; [None] where all are, empty where none is."""
    if isinstance(item.recurs, dict):
        return [level for level, recurs in item.recurs.items() if recurs == "once"]
    return [None] if item.recurs == "once" else []


def _once_only(law: Catalogue) -> pl.Expr:
    """Whether a line's matter is paid once only; where only some levels are, a blank level is not."""
    whole = [item.id for item in law.items.values() if None in _once_levels(item)]
    some = [
        (pl.col("item") == item.id) & pl.col("level").is_in(_once_levels(item)).fill_null(False)
        for item in law.items.values()
        if isinstance(item.recurs, dict)
    ]
    return pl.any_horizontal(pl.col("item").is_in(whole), *some)


def _lifetime(law: Catalogue) -> list[str]:
    """Items with a cap on one thing over its life, which an unidentified payment may have used."""
    return [i.id for i in law.items.values() if any(c.per and "year" not in c.per for c in i.caps)]


def _payments(frames: Frames, year: int) -> pl.DataFrame | None:
    """The payments of award years before `year`, if any."""
    held = frames.get("payments")
    earlier = None if held is None else held.filter((pl.col("year") < year) & (pl.col("amount") > 0))
    return None if earlier is None or earlier.is_empty() else earlier


def _paid(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """By line `_paid`, the earlier award years that paid it and how much, in words.

    A yearly item is paid only by its own year's payment. `_maybe`: an earlier payment does not say of
    which thing it was, and the item is paid for each thing, or has a cap on one over its life.
    """
    held = _payments(frames, year)
    if held is None:
        return pl.DataFrame(schema={"_line": pl.UInt32, "_paid": pl.String, "_maybe": pl.Boolean})
    each = [item.id for item in law.items.values() if item.recurs == "each"]
    again = _once_only(law) | (pl.col("item").is_in(each) & pl.col("same_matter").fill_null(False))
    pairs = matched_payments(lines, held).join(lines.select("_line", "item", "level"), on="_line")
    which = pairs.select("_line", again | (pl.col("paid_year") == pl.col("on").dt.year()))
    yearly = (
        pairs.filter(which.to_series(1))
        .group_by("_line", "paid_year")
        .agg(pl.col("paid").sum(), pl.col("identified").any())
        .sort("paid_year")
    )
    words = filled("{}年度已兑付 {} 元", "paid_year", grouped(pl.col("paid")))
    told = yearly.group_by("_line").agg(words.str.join("、").alias("_paid"), pl.col("identified").any())
    unclear = pl.when(~pl.col("identified")).then(pl.lit(_UNNUMBERED)).otherwise(pl.lit(""))
    said = told.select("_line", pl.concat_str(["_paid", unclear]))
    doubtful = ~pl.col("identified") & pl.col("item").is_in([*each, *_lifetime(law)])
    maybe = pairs.filter(doubtful).select("_line").unique().with_columns(_maybe=pl.lit(True))
    return said.join(maybe, on="_line", how="full", coalesce=True)


def _paid_lower(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """By line what earlier years paid for lower levels of its item, where only the difference is due."""
    held = _payments(frames, year)
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
        frame.lazy()
        .filter(pl.col("item").is_in(first))
        .select(
            "uscc",
            "item",
            pl.col(day).alias("_seen"),
            pl.col("level").alias("_seen_level"),
            _thing(frame).alias("_seen_project"),
        )
        for name, day in (("certifications", "certified_on"), ("claims", "event_on"), ("talents", "event_on"))
        if (frame := frames.get(name)) is not None
    ]
    if not held or not first:
        return pl.DataFrame(schema=schema)
    return (
        lines.lazy()
        .filter(pl.col("item").is_in(first))
        .select("_line", "uscc", "item", "on", "level", pl.col("project_id").str.to_uppercase())
        .join(pl.concat(held), on=["uscc", "item"])
        .filter(pl.col("_seen") < pl.col("on"))
        .filter((pl.col("project_id") == pl.col("_seen_project")).fill_null(True))
        .filter((pl.col("level") == pl.col("_seen_level")).fill_null(True))
        .group_by("_line")
        .agg(pl.col("_seen").max())
        .select("_line", _seen=filled("{}已有同一事项", "_seen"))
        .collect()
    )


def _thing(frame: pl.DataFrame) -> pl.Expr:
    """What may be first by itself, such as one product of several."""
    has = "project_id" in frame.columns
    return pl.col("project_id").str.to_uppercase() if has else pl.lit(None, pl.String)
