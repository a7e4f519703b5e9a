"""Finish the Chinese working of a line: what the caps and overlaps did to the arithmetic."""

import polars as pl

from rules.evaluate import PAYABLE, PENDING
from rules.placing import with_changed, with_found
from schemas.labels import filled
from schemas.money import grouped


def finish_working(lines: pl.DataFrame) -> pl.DataFrame:
    """`working` with the cap that cut or did not cut, or the range a pending line may fall in.

    Each kind of line is worded on its own: formatting amounts is the dearest thing a run does.
    """
    payable, cut = pl.col("status") == PAYABLE, pl.col("cap_reduction") > 0
    paid = filled("（已扣除以前兑付 {}）", grouped(pl.col("cap_paid"))).fill_null("")
    cap = pl.concat_str([pl.col("_cap"), paid])
    capped = pl.when(pl.col("gross") > pl.col("cap")).then(filled("，按上限 {}", cap)).otherwise(pl.lit(""))
    lower = filled("{}，减去低级别已兑付 {}，只补差额", capped, grouped(pl.col("paid_lower")))
    shared = filled(
        "，合计超过上限 {}，按比例核减 {}，兑付 {}",
        cap,
        grouped(pl.col("cap_reduction")),
        grouped(pl.col("award")),
    )
    span = filled("待核定：{} 至 {}", grouped(pl.col("award_low")), _open_end())
    kinds: list[tuple[pl.Expr, list[pl.Expr]]] = [
        (pl.col("status") == PENDING, [pl.lit("，"), span]),
        (payable & pl.col("paid_lower").is_not_null(), [lower]),
        (payable & cut & pl.col("cap_shared"), [shared]),
        (payable & cut, [filled("，超过上限 {}，按上限兑付", cap)]),
        (payable & pl.col("cap").is_not_null(), [filled("，未超上限 {}", cap)]),
    ]
    kind = pl.coalesce(pl.when(holds).then(place) for place, (holds, _) in enumerate(kinds))
    lines = lines.with_row_index("_line")
    caps = lines.select(pl.col("cap").unique()).with_columns(
        _cap=grouped(pl.col("cap"))
    )  # few amounts, many lines
    of_kinds = with_found(lines.with_columns(_kind=kind), caps, "cap").lazy()
    before = pl.col("working").fill_null("")
    worded = pl.concat(
        of_kinds.filter(_kind=place).select(
            "_line", working=pl.concat_str([before, *said]).str.strip_prefix("，")
        )
        for place, (_, said) in enumerate(kinds)
    )
    return with_changed(lines, worded.collect()).drop("_line")


def _open_end() -> pl.Expr:
    return grouped(pl.col("award_high")).fill_null("无上限")
