"""校验: the sums of parts equal totals, frame by frame, to the fen."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.sheets import Book, Column, Sheet
from reports.versions import Version
from schemas.comparing import LEVELS
from schemas.money import total
from schemas.outputs import PAYERS

Check = tuple[str, Decimal, Decimal]


def checks_sheet(book: Book, told: Mapping[str, Any], found: Sequence[Version]) -> None:
    """校验: both sides of every identity; what holds a hidden figure cannot be added up."""
    columns = [Column("方案", 9), Column("核对事项", 58, "wide")]
    columns += [Column(name, 22, "yuan") for name in ("一方（元）", "另一方（元）", "差额（元）")]
    sheet = Sheet(book, "校验", [*columns, Column("结论", 9)])
    sheet.title(f"{told['year']}年度方案比较勾稽核对表")
    sheet.line("单位：元。含不公开数据的各项不能相加，不在此核对。")
    sheet.header()
    for version in found:
        checks = list(checks_of(version))
        sheet.rows([version.label, what, a, b, a - b, "相符" if a == b else "不符"] for what, a, b in checks)
        if not checks:
            sheet.line(f"{version.label}：无。")


def checks_of(version: Version) -> Iterator[Check]:
    """The identities that a scenario's frames must satisfy."""
    whole = version.whole()
    if whole is not None and whole["change"] is not None:
        yield from _of_totals(version, whole)
        yield from _of_frames(version, whole)
        yield from _of_steps(version, whole)
    for row in version.rows("envelopes"):
        name = row.get("envelope") or row.get("name") or ""
        yield f"预算盘子「{name}」：实付 ＋ 结余 ＝ 盘子", row["paid"] + row["balance"], row["amount"]


def _of_totals(version: Version, whole: Mapping[str, Any]) -> Iterator[Check]:
    yield "合计：方案 － 现行政策 ＝ 增减", whole["after"] - whole["before"], whole["change"]
    totals = version.frame("totals")
    assert totals is not None
    for level, name in LEVELS.items():
        rows = totals.filter(pl.col("level") == level)
        for column, word in (("before", "现行政策"), ("after", "方案")):
            if level != "all" and rows.height and not rows[column].null_count():
                yield f"各{name}之和 ＝ 合计（{word}）", total(rows[column]), whole[column]
    for side, word in (("before", "现行政策"), ("after", "方案")):
        shares = [whole[f"{payer}_{side}"] for payer in PAYERS]
        if None not in shares:
            yield f"市级、区镇、苏州市级之和 ＝ 合计（{word}）", sum(shares, Decimal(0)), whole[side]


def _of_frames(version: Version, whole: Mapping[str, Any]) -> Iterator[Check]:
    change = whole["change"]
    parts = {"households": "名单增减之和", "details": "逐户逐条款增减之和", "changes": "变化分布之和"}
    for what, name in parts.items():
        frame = version.frame(what)
        if frame is not None and not frame["change"].null_count():
            yield f"{name} ＝ 增减", total(frame["change"]), change
    kinds = version.frame("kinds")
    if kinds is None:
        return
    for where, name in (("all", "合计"), ("district", "区镇"), ("item", "条款")):
        districts, items = pl.col("district").is_not_null(), pl.col("item").is_not_null()
        pick = {"all": ~districts & ~items, "district": districts, "item": items}[where]
        rows = kinds.filter(pick)
        if rows.height and not rows["change"].null_count():
            yield f"增减各类之和（{name}）＝ 增减", total(rows["change"]), change


def _of_steps(version: Version, whole: Mapping[str, Any]) -> Iterator[Check]:
    bridge = version.frame("bridge")
    if bridge is None:
        return
    district, item = pl.col("district").is_null(), pl.col("item").is_null()
    steps = bridge.filter(district & item).to_dicts()
    if steps:
        yield "分解的起点 ＝ 现行政策", steps[0]["before"], whole["before"]
        yield "分解的终点 ＝ 方案", steps[-1]["after"], whole["after"]
    for here, there in zip(steps, steps[1:], strict=False):
        yield f"「{here['title']}」之后 ＝ 下一步之前", here["after"], there["before"]
    picks = {"合计": district & item, "分区镇": ~district & item, "分条款": district & ~item}
    for name, pick in (picks | {"分区镇、条款": ~district & ~item}).items():
        rows = bridge.filter(pick)
        if rows.height:
            yield f"分解各步之和（{name}）＝ 增减", total(rows["change"]), whole["change"]
    for row in steps:
        shares = sum((row[f"{payer}_share"] for payer in PAYERS), Decimal(0))
        yield f"「{row['title']}」三方之和 ＝ 增减", shares, row["change"]
