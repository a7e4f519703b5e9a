"""One fact once: nothing is paid that an earlier year paid, and what must be the first is the first."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.history import Frames, searched_text, years_searched
from rules.model import Item
from schemas.money import YUAN, grouped

_KEYS = ("level", "project_id", "certificate_no", "person_id")


def once(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """Lines that an earlier award year paid become duplicate; those that are not the first ineligible.

    Adds `paid_lower`: what earlier years paid for lower levels, where the reading `upgrade` pays only
    the difference (yuan, else null).
    """
    first = [item.id for item in law.items.values() if item.first]
    lines = lines.with_row_index("_line")
    for found in (
        _paid(lines, frames, law, year),
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
    once_only = _once_only(law)
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


def _payments(frames: Frames, of: pl.Expr) -> pl.DataFrame | None:
    held = frames.get("payments")
    return None if held is None else held.filter(of & (pl.col("amount") > 0))


def _paid(lines: pl.DataFrame, frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """By line `_paid`, the latest earlier award year that paid it and how much, in words.

    A yearly item is paid only by its own year's payment.
    """
    each = [item.id for item in law.items.values() if item.recurs == "each"]
    again = _once_only(law) | (pl.col("item").is_in(each) & pl.col("_same_matter").fill_null(False))
    of_that_year = pl.col("_paid_year") == pl.col("on").dt.year()
    return _matched(lines, _payments(frames, pl.col("year") < year), again | of_that_year, "_paid")


def _paid_now(lines: pl.DataFrame, frames: Frames, year: int) -> pl.DataFrame:
    """By line `_paid_now`, what the run's own year has already paid for it, in words."""
    return _matched(lines, _payments(frames, pl.col("year") == year), pl.lit(True), "_paid_now")


def _matched(lines: pl.DataFrame, held: pl.DataFrame | None, fits: pl.Expr, name: str) -> pl.DataFrame:
    """By line the payments of its matter, in words.

    Keys match where both sides have them, the certificate before the project; a person's payments count
    whichever unit they went through.
    """
    if held is None or held.is_empty():
        return pl.DataFrame(schema={"_line": pl.UInt32, name: pl.String})
    payments = held.select(
        *("uscc", "item", "person_id"),
        pl.col("year").alias("_paid_year"),
        pl.col("amount").alias("_amount"),
        *(pl.col(c).str.to_uppercase().alias(f"_{c}") for c in _KEYS),
    )
    agree = {c: pl.col(c).str.to_uppercase() == pl.col(f"_{c}") for c in _KEYS}
    matter = pl.coalesce(agree["certificate_no"], agree["project_id"])
    same = pl.all_horizontal(e.fill_null(True) for e in (agree["level"], agree["person_id"], matter))
    words = pl.format("{}年度已兑付 {} 元", "_paid_year", grouped(pl.col("_amount")))
    own = lines.select("_line", "uscc", "item", "on", *_KEYS)
    of_applicant = own.join(payments.drop("person_id"), on=["uscc", "item"])
    elsewhere = own.join(payments, on=["person_id", "item"], suffix="_paying")
    elsewhere = elsewhere.filter(pl.col("uscc") != pl.col("uscc_paying")).select(of_applicant.columns)
    return (
        pl.concat([of_applicant, elsewhere])
        .with_columns(_same_matter=matter)
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
        frame.filter(pl.col("item").is_in(first)).select(
            "uscc", "item", pl.col(day).alias("_seen"), _thing(frame).alias("_seen_project")
        )
        for name, day in (("certifications", "certified_on"), ("claims", "event_on"), ("talents", "event_on"))
        if (frame := frames.get(name)) is not None
    ]
    if not held or not first:
        return pl.DataFrame(schema=schema)
    return (
        lines.filter(pl.col("item").is_in(first))
        .select("_line", "uscc", "item", "on", pl.col("project_id").str.to_uppercase())
        .join(pl.concat(held), on=["uscc", "item"])
        .filter(pl.col("_seen") < pl.col("on"))
        .filter((pl.col("project_id") == pl.col("_seen_project")).fill_null(True))
        .group_by("_line")
        .agg(pl.col("_seen").max())
        .select("_line", _seen=pl.format("{}已有同一事项", "_seen"))
    )


def _thing(frame: pl.DataFrame) -> pl.Expr:
    """What may be first by itself, such as one product of several."""
    has = "project_id" in frame.columns
    return pl.col("project_id").str.to_uppercase() if has else pl.lit(None, pl.String)


def _searched(frames: Frames, first: Sequence[str], law: Catalogue, year: int) -> dict[str, str]:
    notes = {}
    for key in first:
        years = years_searched(frames, law.items[key].registry or "", year)
        notes[key] = f"按首次计，{searched_text(years)}"
    return notes
