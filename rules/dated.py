"""What is in force for a line: the policy's window, and the run's own year."""

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PENDING
from schemas.money import grouped


def in_window(lines: pl.DataFrame, law: Catalogue, year: int) -> pl.DataFrame:
    """Lines of events outside their policy's window, or of another year, become ineligible.

    A line of an earlier year that was never paid says what it would earn then (属该年度，应补兑).
    """
    windows = {key: (p.short, p.first_day, p.last_day) for key, p in law.policies.items()}
    short, first_day, last_day = (
        pl.col("policy").replace_strict(
            {key: held[place] for key, held in windows.items()}, return_dtype=dtype
        )
        for place, dtype in enumerate((pl.String, pl.Date, pl.Date))
    )
    on, by_year = pl.col("on"), pl.col("registry").is_in(["rnd", "equipment"])
    begins = pl.when(by_year).then(pl.date(first_day.dt.year(), 1, 1)).otherwise(first_day)
    ends = pl.when(by_year).then(pl.date(last_day.dt.year(), 12, 31)).otherwise(last_day)
    outside = ~on.is_between(begins, ends)
    used = ["on", "policy", "registry", "status", "reason", "award_low", "award_high"]
    away = lines.select(used).with_row_index("_line").filter(outside | (on.dt.year() != year))
    shown = pl.when(by_year).then(pl.format("{}年度", on.dt.year())).otherwise(pl.format("发生于{}", on))
    closed = pl.format("{}，不在政策有效期内（{}：{}至{}）", shown, short, first_day, last_day)
    late = pl.format("{}，不属{}年度，请在所属年度申报", shown, pl.lit(year))
    reason = pl.when(outside).then(closed).when(on.dt.year() > year).then(late).otherwise(_earned(on))
    told = away.select("_line", reason.alias("_away"))
    lines = lines.with_row_index("_line").join(told, on="_line", how="left", maintain_order="left")
    return lines.with_columns(
        status=pl.when(pl.col("_away").is_not_null()).then(pl.lit(INELIGIBLE)).otherwise(pl.col("status")),
        reason=pl.coalesce("_away", "reason"),
    ).drop("_line", "_away")


def _earned(on: pl.Expr) -> pl.Expr:
    """What a line of an earlier year would have earned then."""
    belongs = pl.format("属{}年度", on.dt.year())
    low, high = grouped(pl.col("award_low")), grouped(pl.col("award_high")).fill_null("无上限")
    return (
        pl.when(pl.col("status") == PENDING)
        .then(pl.format("{}，核定后补兑（{} 至 {} 元）", belongs, low, high))
        .when(pl.col("status").is_in([INELIGIBLE, DUPLICATE]))
        .then(pl.concat_str([belongs, pl.lit("；"), pl.col("reason")]))
        .otherwise(pl.format("{}，应补兑 {} 元", belongs, low))
    )
