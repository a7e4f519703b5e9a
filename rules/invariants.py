"""What must hold in every run, checked before anything leaves it."""

from decimal import Decimal

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING
from rules.frames import Frames
from schemas.money import total
from schemas.registries import PROVENANCE, REGISTRIES


class Broken(Exception):
    """A run whose results contradict themselves; nothing of it may be published."""


def verify(
    awards: pl.DataFrame, settlement: pl.DataFrame, frames: Frames, law: Catalogue, year: int
) -> list[tuple[str, Decimal, Decimal]]:
    """Check the identities of awards (shape AWARDS) and settlement (shape SETTLEMENT).

    Raises Broken naming the first line that breaks one.

    Returns (what, one side, other side) in yuan for the workbook's 校验 sheet.
    """
    status, award = pl.col("status"), pl.col("award")
    nothing = status.is_in([INELIGIBLE, DUPLICATE])
    rules = {
        "兑付额等于计算额减封顶核减减重复核减": award
        == pl.col("gross") - pl.col("cap_reduction") - pl.col("overlap_reduction"),
        "市级、区镇、苏州市级之和等于兑付额": award
        == pl.col("city_share") + pl.col("district_share") + pl.col("prefecture_share"),
        "没有负数": pl.min_horizontal(
            "gross", "cap_reduction", "overlap_reduction", "award", "city_share", "district_share"
        )
        >= 0,
        "应兑付的上下限等于兑付额": (status != PAYABLE)
        | ((pl.col("award_low") == award) & (pl.col("award_high") == award) & (award > 0)),
        "待核定的兑付额为零且下限不高于上限": (status != PENDING)
        | ((award == 0) & (pl.col("award_low") <= pl.col("award_high").fill_null(pl.col("award_low")))),
        "不予兑现的各项金额为零": ~nothing
        | ((award == 0) & (pl.col("award_low") == 0) & (pl.col("award_high") == 0)),
        "不予兑现的都有原因": ~nothing | pl.col("reason").is_not_null(),
        "每行都有企业、区镇和条款": pl.all_horizontal(
            pl.col(c).is_not_null() for c in ("uscc", "district", "item", "status")
        ),
    }
    for what, holds in rules.items():
        wrong = awards.filter(~holds.fill_null(False))
        if wrong.height:
            line = wrong.row(0, named=True)
            raise Broken(
                f"校验不通过：{what}。{line['item']} {line['uscc']}（{line['source_file']}第{line['source_row']}行）"
            )
    _every_row_has_a_line(awards, frames, law)
    sums = awards.select(
        pl.sum("gross", "cap_reduction", "overlap_reduction", "award", "city_share", "district_share"),
        pl.sum("prefecture_share"),
    ).row(0, named=True)
    reduced = sums["gross"] - sums["cap_reduction"] - sums["overlap_reduction"]
    shares = sums["city_share"] + sums["district_share"] + sums["prefecture_share"]
    return [
        ("计算额 − 封顶核减 − 重复核减 ＝ 兑付额", reduced, sums["award"]),
        ("市级 ＋ 区镇 ＋ 苏州市级 ＝ 兑付额", shares, sums["award"]),
        *_settles(settlement, frames, sums["award"], year),
    ]


def _settles(
    settlement: pl.DataFrame, frames: Frames, award: Decimal, year: int
) -> list[tuple[str, Decimal, Decimal]]:
    """Every payment of the year is in the settlement once, and its balance is what the lines still owe."""
    payments = frames.get("payments")
    paid = Decimal(0) if payments is None else total(payments.filter(pl.col("year") == year)["amount"])
    sums = settlement.select(pl.sum("award", "paid", "to_pay", "to_recover")).row(0, named=True)
    shares = settlement.select(
        pl.sum_horizontal("city_share", "district_share", "prefecture_share").sum()
    ).item()
    balance = sums["to_pay"] - sums["to_recover"]
    pending = settlement.filter(status=PENDING)
    held = total(pending["paid"]) - total(pending["to_recover"])
    found = [
        ("应补应退表中的本年度已兑付 ＝ 已兑付登记", sums["paid"], paid),
        ("应补 − 应退 ＝ 兑付额 − 本年度已兑付 ＋ 待核定的已兑付", balance, award - paid + held),
        ("各负担方应补应退之和 ＝ 应补 − 应退", shares, balance),
    ]
    for what, one, other in found:
        if one != other:
            raise Broken(f"校验不通过：{what}（{one} 与 {other}）")
    return found


def _every_row_has_a_line(awards: pl.DataFrame, frames: Frames, law: Catalogue) -> None:
    place = list(PROVENANCE)
    for name, frame in frames.items():
        items = list(law.of_registry(name))
        if not REGISTRIES[name].has_lines or ("item" not in frame.columns and not items):
            continue
        held = awards.lazy().filter(registry=name).select(place)
        rows = frame.lazy().filter(role="line").select(place)
        lost = rows.join(held, on=place, how="anti", nulls_equal=True).collect()
        if lost.height:
            row = lost.row(0, named=True)
            raise Broken(f"校验不通过：{row['source_file']}第{row['source_row']}行没有进入结果")
