"""Lists: who gains and who loses, and who narrowly misses a threshold."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.forecast_sheets import narrow_margins
from reports.sheets import Book, Column, Sheet, wan
from reports.versions import HIDDEN, Row, Version, count, kinds_of, money
from schemas.comparing import KINDS
from schemas.money import YUAN

LIST_ROWS = 20_000
"""Applicants of one kind at most; the rest is in the Parquet files, and the sheet says so."""

SHEET_ROWS = 1_000_000
"""A worksheet ends at 1,048,576 rows."""

_LISTED = ("winner", "loser", "newly", "no_longer")


def households_sheet(book: Book, told: Mapping[str, Any], found: Sequence[Version]) -> None:
    """增减名单: winners, losers, newly and no longer paid, those with the largest change first."""
    columns = [Column("方案", 9), Column("增减", 10), Column("序号", 8, "index")]
    columns += [Column("统一社会信用代码", 22, "code"), Column("申报人", 40, "wide"), Column("区镇", 12)]
    columns += [Column(name, 15, "wan") for name in ("现行政策", "方案", "增减金额")]
    sheet = Sheet(book, "增减名单", columns)
    sheet.title(f"{told['year']}年度增减名单")
    most = min(LIST_ROWS, SHEET_ROWS // (len(_LISTED) * len(found)))
    for version in found:
        sheet.line(_told(version, most))
    sheet.line("单位：万元", "right")
    sheet.header()
    rows = [part for version in found for part in _listed(version, most)]
    if any(part.height for part in rows):
        sheet.frame(pl.concat(rows))
    else:
        sheet.line("无。")


def _told(version: Version, most: int) -> str:
    """How many of each kind there are, and how many the list leaves out."""
    found, households = kinds_of(version), version.frame("households")
    parts = [
        f"{KINDS[kind]} {count(row['households'])} 户（{money(row['change'], sign=True)}）"
        for kind, row in found.items()
    ]
    text = f"{version.label}：{'，'.join(parts) or '无'}。"
    if households is None:
        return f"{text}未附名单。"
    over = (
        households.filter(pl.col("kind").is_in(_LISTED)).group_by("kind").len().filter(pl.col("len") > most)
    )
    left = [f"{KINDS[kind]} {number - most:,} 户" for kind, number in sorted(over.iter_rows())]
    return text + (
        f"每类只列增减最大的 {most:,} 户，未列 {'、'.join(left)}，见 Parquet 文件。" if left else ""
    )


def _listed(version: Version, most: int) -> list[pl.DataFrame]:
    """By kind the rows as shown."""
    households = version.frame("households")
    return [] if households is None else [_of_kind(version.label, households, kind, most) for kind in _LISTED]


def _of_kind(label: str, households: pl.DataFrame, kind: str, most: int) -> pl.DataFrame:
    rows = households.filter(pl.col("kind") == kind)
    rows = rows.sort(pl.col("change").abs(), "uscc", descending=[True, False]).head(most)
    return rows.select(
        pl.lit(label).alias("label"),
        pl.lit(KINDS[kind]).alias("kind"),
        pl.int_range(1, pl.len() + 1).alias("number"),
        *("uscc", "name", "district"),
        *(_in_wan(pl.col(c)).alias(c) for c in ("before", "after", "change")),
    )


def _in_wan(yuan: pl.Expr) -> pl.Expr:
    """Yuan as 万元 to two places, half away from zero; exact."""
    fen = yuan.to_physical()
    hundreds = (fen.abs() + 5_000) // 10_000 * fen.sign()
    return hundreds.cast(YUAN) * pl.lit(Decimal("0.01"), YUAN)


def misses_sheet(book: Book, found: Sequence[Version]) -> None:
    """临界企业: what moving each threshold would cost, then who it would let in."""
    columns = [Column("方案", 8), Column("条款", 9), Column("事项", 22, "wide"), Column("门槛", 26, "wide")]
    columns += [Column("统一社会信用代码", 21, "code"), Column("申报人", 24, "wide"), Column("区镇", 11)]
    columns += [Column("指标", 15, "wide"), Column("数值", 13, "yuan"), Column("门槛值", 13, "yuan")]
    columns += [Column("差", 12, "yuan"), Column("可得奖补（万元）", 11, "wan"), Column("状态", 8)]
    sheet = Sheet(book, "临界企业", columns)
    narrow_margins(sheet)
    sheet.title("临界企业：只差一个门槛、且差得不多的申报人")
    costs = [(version, row) for version in found for row in version.rows("miss_costs")]
    sheet.line("一、放宽门槛要多少钱（万元）", bold=True)
    if costs:
        _costs(sheet, costs)
    else:
        sheet.line("无。")
    sheet.line("二、名单（数值、门槛值、差以指标自身的单位计）", bold=True)
    most = LIST_ROWS // len(found)
    held = [(v.label, frame) for v in found if (frame := v.frame("misses")) is not None]
    over = [label for label, frame in held if frame.height > most]
    if over:
        sheet.line(f"{'、'.join(over)}只列前 {most:,} 行，其余见 Parquet 文件。")
    sheet.header(freeze=False)
    sheet.worksheet.print_title_rows = f"{sheet.row}:{sheet.row}"
    if held:
        sheet.frame(pl.concat([_missed(label, frame, most) for label, frame in held]))
    else:
        sheet.line("无。")


def _costs(sheet: Sheet, costs: Sequence[tuple[Version, Row]]) -> None:
    """A further table in the widths of the sheet's columns."""
    whole = sheet.columns
    kinds: list[Any] = ["text", "text", "wide", "wide", "text", "text", "count", "wide"]
    kinds += ["count", "wan", "wan", "wan", "text"]
    heads = ["方案", "条款", "事项", "门槛", "现行标准", "放宽到", "新增户数", "待核定（区间）", "新增笔数"]
    heads += ["增加支出", "其中新进", "其他申报人", ""]
    sheet.columns = [Column(h, c.width, k) for h, c, k in zip(heads, whole, kinds, strict=True)]
    sheet.header(freeze=False)
    sheet.rows([version.label, *_cost(row), None] for version, row in costs)
    sheet.columns = whole


def _cost(row: Row) -> list[Any]:
    amounts = [HIDDEN if row[c] is None else wan(row[c]) for c in ("cost", "to_admitted", "to_others")]
    low, high = row["pending_low"], row["pending_high"]
    waiting = "" if not low and high == 0 else f"{money(low)}～{'另议' if high is None else money(high)}"
    return [
        *(row["item"], row["title"], row["clause"], row["old"], row["new"]),
        *(row["households"], waiting or None, row["lines"], *amounts),
    ]


def _missed(label: str, misses: pl.DataFrame, most: int) -> pl.DataFrame:
    words = {"payable": "应兑付", "pending": "待核定"}
    return misses.head(most).select(
        pl.lit(label).alias("label"),
        *("item", "title", "clause", "uscc", "name", "district", "figure", "value", "threshold", "shortfall"),
        _in_wan(pl.col("award")).alias("award"),
        pl.col("status").replace(words),
    )
