"""Finish the Chinese working of a line: what the caps and overlaps did to the arithmetic."""

import polars as pl

from rules.evaluate import PAYABLE, PENDING
from schemas.money import grouped


def finish_working(lines: pl.DataFrame) -> pl.DataFrame:
    """`working` with the cap that cut or did not cut, or the range a pending line may fall in."""
    cut = pl.col("cap_reduction") > 0
    upgraded = pl.format("，减去低级别已兑付 {}，只补差额", grouped(pl.col("paid_lower"))).fill_null("")
    capped = (
        pl.when(pl.col("cap").is_null())
        .then(pl.lit(""))
        .when(cut & pl.col("cap_shared"))
        .then(
            pl.format(
                "，合计超过上限 {}，按比例核减 {}，兑付 {}",
                grouped(pl.col("cap")),
                grouped(pl.col("cap_reduction")),
                grouped(pl.col("award")),
            )
        )
        .when(cut & pl.col("paid_lower").is_null())
        .then(pl.format("，超过上限 {}，按上限兑付", grouped(pl.col("cap"))))
        .when(~cut)
        .then(pl.format("，未超上限 {}", grouped(pl.col("cap"))))
        .otherwise(pl.lit(""))
    )
    span = pl.format(
        "待核定：{} 至 {}", grouped(pl.col("award_low")), grouped(pl.col("award_high")).fill_null("无上限")
    )
    pending = pl.concat_str(["working", span], separator="，", ignore_nulls=True)
    paid = pl.concat_str([pl.col("working"), capped, upgraded])
    return lines.with_columns(
        working=pl.when(pl.col("status") == PAYABLE)
        .then(paid)
        .when(pl.col("status") == PENDING)
        .then(pending)
        .otherwise(pl.col("working"))
    )
