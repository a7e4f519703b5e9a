"""The bureau's workbook of an annual run: what is owed, to whom, by whom, and why not."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from reports import detail, overview
from reports.figures import Figures, collected
from reports.sheets import Book, Column, Sheet
from schemas.districts import DISTRICTS
from schemas.money import total

DETAIL_ROWS = 20_000
"""Rows of a detail sheet at most; the rest is in the Parquet files, and the sheet says so."""


def write_workbook(
    path: Path,
    *,
    awards: pl.LazyFrame,
    sums: Figures,
    summary: pl.DataFrame,
    settlement: pl.LazyFrame,
    rejects: pl.LazyFrame,
    manifest: dict[str, Any],
    last_year: pl.DataFrame | None = None,
    today: str,
) -> None:
    """Write the workbook from frames in the shapes AWARDS, SUMMARY, SETTLEMENT and REJECTS, sorted as published.

    `sums`: the figures of the awards. `last_year` holds payments of the year before (`item`, `district`,
    `amount` in yuan); `today` is the day to print.
    """
    book = Book()
    overview.notes_sheet(book, manifest, sums, rejects, today)
    overview.totals_sheet(book, manifest["year"], sums, last_year)
    detail.payable_sheet(book, manifest["year"], awards, sums, DETAIL_ROWS)
    detail.applicants_sheet(book, manifest["year"], awards, sums, DETAIL_ROWS)
    detail.district_notices_sheet(book, manifest["year"], sums)
    detail.settlement_sheet(book, manifest["year"], settlement, DETAIL_ROWS)
    detail.pending_sheet(book, manifest["year"], awards, sums, DETAIL_ROWS)
    detail.refused_sheet(book, manifest["year"], awards, sums, DETAIL_ROWS)
    detail.other_years_sheet(book, manifest["year"], awards, sums, DETAIL_ROWS)
    detail.rejects_sheet(book, manifest, rejects, DETAIL_ROWS)
    detail.publicity_sheet(book, manifest["year"], awards, DETAIL_ROWS)
    _checks_sheet(book, manifest, awards, sums, summary)
    book.save(path)


def _checks_sheet(
    book: Book, manifest: dict[str, Any], awards: pl.LazyFrame, sums: Figures, summary: pl.DataFrame
) -> None:
    columns = [
        Column("核对事项", 52),
        Column("一方（元）", 22, "yuan"),
        Column("另一方（元）", 22, "yuan"),
        Column("差额（元）", 16, "yuan"),
        Column("结论", 10),
    ]
    sheet = Sheet(book, "校验", columns)
    sheet.title(f"{manifest['year']}年度兑现勾稽核对表")
    sheet.line("单位：元", "right")
    sheet.header()
    applicants = awards.group_by("uscc").agg(pl.col("award").sum()).select(pl.col("award").sum())
    districts = sums.by("district")
    paid = total(districts["award"])
    pairs = [(what, Decimal(a), Decimal(b)) for what, a, b in manifest["identities"]]
    pairs.append(("汇总表合计 ＝ 明细合计", total(summary["amount"]), paid))
    pairs.append(("拨付清单合计 ＝ 明细合计", total(collected(applicants)[0]["award"]), paid))
    listed, every = (
        total(d["district_share"]) for d in (districts.filter(pl.col("district").is_in(DISTRICTS)), districts)
    )
    pairs.append(("区镇负担通知合计 ＝ 区镇负担合计", listed, every))
    sheet.rows((what, a, b, a - b, "相符" if a == b else "不符") for what, a, b in pairs)
    sheet.blank()
    sheet.line("登记表行数去向（每一行或进入结果，或列入数据问题，或作为历史资料）", bold=True)
    for name, rows in manifest["rows"].items():
        sheet.line(
            f"{overview.REGISTRY_TITLES[name]}：读入 {rows['read']:,} 行 ＝ 采用 {rows['lines']:,} ＋ 历史 {rows['history']:,}"
            f" ＋ 重复 {rows['repeated']:,} ＋ 有问题 {rows['rejected']:,}"
        )
