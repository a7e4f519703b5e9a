"""What is in force for a line: the policy's window, and the run's own year."""

from datetime import date

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PENDING
from rules.model import Policy
from rules.placing import with_changed
from schemas.labels import filled
from schemas.money import grouped

_ON, _BY_YEAR = pl.col("on"), pl.col("registry").is_in(["rnd", "equipment"])
_SHOWN = pl.when(_BY_YEAR).then(filled("{}年度", _ON.dt.year())).otherwise(filled("发生于{}", _ON))


def in_window(lines: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """Lines of events outside their policy's window become ineligible, before they could share a cap."""
    said = {key: f"{p.short}：{p.begins}至{p.ends}" for key, p in law.policies.items()}
    window = pl.col("policy").replace_strict(said, return_dtype=pl.String)
    closed = filled("{}，不在政策有效期内（{}）", _SHOWN, window)
    return _told(lines, pl.any_horizontal(map(_outside, law.policies.values())), closed)


def _outside(policy: Policy) -> pl.Expr:
    begins, ends = policy.begins, policy.ends
    years = _ON.is_between(date(begins.year, 1, 1), date(ends.year, 12, 31))
    inside = pl.when(_BY_YEAR).then(years).otherwise(_ON.is_between(begins, ends))
    return (pl.col("policy") == policy.key) & ~inside


def of_year(lines: pl.DataFrame, year: int, law: Catalogue) -> pl.DataFrame:
    """Lines of events of another year become ineligible.

    One of an earlier year that was never paid says what it would earn then (属该年度，应补兑).
    """
    late = filled("{}，不属{}年度，请在所属年度申报", _SHOWN, pl.lit(year))
    closed = pl.col("reason").str.contains("不在政策有效期内").fill_null(False)
    away = (_ON.dt.year() != year) & ~closed
    return _told(lines, away, pl.when(_ON.dt.year() > year).then(late).otherwise(_earned(_ON, law)))


def _told(lines: pl.DataFrame, which: pl.Expr, reason: pl.Expr) -> pl.DataFrame:
    """The lines with `which` made ineligible for `reason`; only those are worded, since wording is dear."""
    lines = lines.with_row_index("_line")
    told = lines.lazy().filter(which).select("_line", status=pl.lit(INELIGIBLE), reason=reason)
    return with_changed(lines, told.drop_nulls("reason").collect()).drop("_line")


def _earned(on: pl.Expr, law: Catalogue) -> pl.Expr:
    """What a line of an earlier year would have earned then, were this year's lines not there."""
    lasting = [i.id for i in law.items.values() if any(c.per and "year" not in c.per for c in i.caps)]
    shared = pl.when(pl.col("item").is_in(lasting)).then(pl.lit("，与本年度共用上限")).otherwise(pl.lit(""))
    belongs = filled("属{}年度", on.dt.year())
    low, high = grouped(pl.col("award_low")), grouped(pl.col("award_high")).fill_null("无上限")
    return (
        pl.when(pl.col("status") == PENDING)
        .then(filled("{}，核定后补兑（{} 至 {} 元{}）", belongs, low, high, shared))
        .when(pl.col("status").is_in([INELIGIBLE, DUPLICATE]))
        .then(pl.concat_str([belongs, pl.lit("；"), pl.col("reason")]))
        .otherwise(filled("{}，应补兑 {} 元{}", belongs, low, shared))
    )
