"""What is in force for a line: the policy's window, and the run's own year."""

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PENDING
from schemas.money import grouped


def in_window(lines: pl.DataFrame, law: Catalogue, year: int) -> pl.DataFrame:
    """Lines of events outside their policy's window, or of another year, become ineligible.

    A line of an earlier year that was never paid says what it would earn then (属该年度，应补兑).
    """
    windows = pl.DataFrame(
        [(p.key, p.short, p.first_day, p.last_day) for p in law.policies.values()],
        schema={"policy": pl.String, "short": pl.String, "first_day": pl.Date, "last_day": pl.Date},
        orient="row",
    )
    lines = lines.join(windows, on="policy", how="left", maintain_order="left")
    on, by_year = pl.col("on"), pl.col("registry").is_in(["rnd", "equipment"])
    begins = (
        pl.when(by_year).then(pl.date(pl.col("first_day").dt.year(), 1, 1)).otherwise(pl.col("first_day"))
    )
    ends = pl.when(by_year).then(pl.date(pl.col("last_day").dt.year(), 12, 31)).otherwise(pl.col("last_day"))
    outside = ~on.is_between(begins, ends)
    shown = pl.when(by_year).then(pl.format("{}年度", on.dt.year())).otherwise(pl.format("发生于{}", on))
    closed = pl.format("{}，不在政策有效期内（{}：{}至{}）", shown, "short", "first_day", "last_day")
    other = on.dt.year() != year
    belongs = pl.format("属{}年度", on.dt.year())
    earned = (
        pl.when(pl.col("status") == PENDING)
        .then(
            pl.format(
                "{}，核定后补兑（{} 至 {} 元）",
                belongs,
                grouped(pl.col("award_low")),
                grouped(pl.col("award_high")).fill_null("无上限"),
            )
        )
        .when(pl.col("status").is_in([INELIGIBLE, DUPLICATE]))
        .then(pl.concat_str([belongs, pl.lit("；"), pl.col("reason")]))
        .otherwise(pl.format("{}，应补兑 {} 元", belongs, grouped(pl.col("award_low"))))
    )
    late = pl.format("{}，不属{}年度，请在所属年度申报", shown, pl.lit(year))
    return lines.with_columns(
        status=pl.when(outside | other).then(pl.lit(INELIGIBLE)).otherwise(pl.col("status")),
        reason=pl.when(outside)
        .then(closed)
        .when(other & (on.dt.year() > year))
        .then(late)
        .when(other)
        .then(earned)
        .otherwise(pl.col("reason")),
    ).drop("short", "first_day", "last_day")
