"""The first two sheets: 说明, what this workbook rests on; and 汇总, the totals with charts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.series import SeriesLabel

from reports.detail import collected, has_prefecture
from reports.sheets import Book, Column, Sheet, wan
from schemas.districts import DISTRICTS
from schemas.labels import filled
from schemas.money import YUAN
from schemas.outputs import CLASSES
from schemas.registries import REGISTRIES

REGISTRY_TITLES = {name: registry.title for name, registry in REGISTRIES.items()}

_SUZHOU = "苏州市级"
_TOTAL_COLUMNS = [
    Column("项目", 34),
    Column("户数", 8, "count"),
    Column("笔数", 8, "count"),
    Column("应兑付", 15, "wan"),
    Column("市级负担", 15, "wan"),
    Column("区镇负担", 15, "wan"),
    Column(_SUZHOU, 12, "wan"),
    Column("上年已兑付", 14, "wan"),
    Column("比上年增减", 11, "percent"),
    Column("待核定笔数", 9, "count"),
    Column("待核定下限", 14, "wan"),
    Column("待核定上限（空为无上限）", 15, "wan"),
]


def notes_sheet(
    book: Book, manifest: dict[str, Any], awards: pl.LazyFrame, rejects: pl.LazyFrame, today: str
) -> None:
    """说明: the result in three sentences, its basis, readings, inputs, remarks, and blanks to sign."""
    year = manifest["year"]
    sheet = Sheet(book, "说明", [Column("", 30, "wide"), Column("", 78, "wide")], landscape=False)
    sheet.title(f"昆山市{year}年度产业政策奖补兑现测算")
    if manifest["scenarios"]:
        sheet.line(
            "情景测算，非正式兑现结果：" + "、".join(s["name"] for s in manifest["scenarios"]), "center", True
        )
    for text in _result(awards, rejects):
        sheet.line(text)
    sheet.blank()

    def section(title: str, pairs: Sequence[tuple[str, str]]) -> None:
        sheet.line(title, bold=True)
        sheet.rows(pairs)
        sheet.blank()

    section(
        "一、政策依据",
        [
            (
                f"政策{p['policy']}",
                f"{p['title']}，{_window(p)}{'' if p['enabled'] else '（未执行）'}",
            )
            for p in manifest["policies"]
        ],
    )
    section("二、执行口径", [(r["title"], r["value"]) for r in manifest["readings"]])
    if manifest["changes"]:
        section("　　方案改动", [(str(n), text) for n, text in enumerate(manifest["changes"], 1)])
    section(
        "三、数据来源",
        [
            (
                REGISTRY_TITLES[i["registry"]],
                f"{i['file']}（{i['bytes']:,} 字节，SHA-256 {i['sha256'][:16]}…）",
            )
            for i in manifest["inputs"]
        ],
    )
    notes = manifest["notes"] or ["无"]
    section("四、读取提示", [(str(n), text) for n, text in enumerate(notes, 1)])
    section(
        "五、版本",
        [
            (
                "参数版本",
                f"条款目录 {manifest['catalogue']['version']}，共 {manifest['catalogue']['items']} 条",
            ),
            ("软件版本", f"兑现 {manifest['software']['version']}"),
            ("生成日期", today),
            ("金额单位", "明细以元、分为准；汇总以万元显示，尾数差在汇总表下注明"),
        ],
    )
    sheet.line("编制：　　　　　　　　　复核：　　　　　　　　　审批：　　　　　　　　　日期：　　　　　　")


def _window(policy: dict[str, Any]) -> str:
    return f"{policy['from']} 至 {policy['to']}" if policy["from"] or policy["to"] else "未定有效期"


def _result(awards: pl.LazyFrame, rejects: pl.LazyFrame) -> list[str]:
    lines, faulty = collected(
        awards.group_by("status").agg(
            pl.len(),
            pl.col("uscc").n_unique().alias("households"),
            pl.sum("award", "city_share", "district_share", "prefecture_share", "award_low", "award_high"),
            pl.col("award_high").null_count().alias("open_ended"),
        ),
        rejects.select("registry", "source_file", "source_sheet", "source_row").unique().select(pl.len()),
    )
    of = {row["status"]: row for row in lines.iter_rows(named=True)}
    nothing = dict.fromkeys(lines.columns, 0)
    payable, pending = of.get("payable", nothing), of.get("pending", nothing)
    refused = sum(of.get(status, nothing)["len"] for status in ("ineligible", "duplicate"))

    def told(figures: dict[str, Any], column: str) -> str:
        return f"{wan(Decimal(figures[column])):,.2f} 万元"

    high = told(pending, "award_high")
    if pending["open_ended"]:
        high += f"，另有 {pending['open_ended']:,} 笔无上限"
    suzhou = f"，苏州市级 {told(payable, 'prefecture_share')}" if payable["prefecture_share"] else ""
    return [
        f"应兑付 {payable['households']:,} 户 {payable['len']:,} 笔，合计 {told(payable, 'award')}，"
        f"其中市级 {told(payable, 'city_share')}，区镇 {told(payable, 'district_share')}{suzhou}。",
        f"待核定 {pending['len']:,} 笔，法定区间 {told(pending, 'award_low')}至 {high}。",
        f"不予兑现 {refused:,} 笔（原因见「不予兑现」「跨年补报」），数据有问题 {faulty.item():,} 行（见「数据问题」）。",
    ]


def totals_sheet(book: Book, year: int, awards: pl.LazyFrame, last_year: pl.DataFrame | None) -> None:
    """汇总: by district, article, department and item, with two charts at the end."""
    columns = [c for c in _TOTAL_COLUMNS if c.title != _SUZHOU or has_prefecture(awards)]
    sheet = Sheet(book, "汇总", columns)
    sheet.title(f"{year}年度产业政策奖补汇总表")
    sheet.line("单位：万元", "right")
    sheet.header()
    named = {
        "by_article": filled("{}第{}条", "policy", "article"),
        "by_item": filled("{} {}", "item", "title"),
        "by_class": pl.col("class").replace_strict(CLASSES, default="转引"),
    }
    awards = awards.with_columns(**named)
    before = _last_year_by(awards, last_year)
    districts = _block(sheet, "按区镇", awards, "district", before, DISTRICTS)
    articles = _block(sheet, "按条", awards, "by_article", before)
    _block(sheet, "按类别", awards, "by_class", before)
    _block(sheet, "按牵头部门", awards, "lead_department", before)
    _block(sheet, "按条款", awards, "by_item", before)
    everything = awards.with_columns(all=pl.lit("总计"))
    rows = _rows(everything, "all", before.with_columns(all=pl.lit("总计")))
    sheet.total(rows[0] if rows else ["总计", *[0] * (len(columns) - 1)])
    _rounding_note(sheet, awards)
    sheet.page_break()
    payers = (5, 6, 7) if has_prefecture(awards) else (5, 6)
    _chart(sheet, "各区镇应兑付（万元）", districts, payers, f"A{sheet.row + 1}")
    _chart(sheet, "各条应兑付（万元）", articles, payers, f"F{sheet.row + 1}")


def _last_year_by(awards: pl.LazyFrame, last_year: pl.DataFrame | None) -> pl.DataFrame:
    """Last year's payments with the groups of their items."""
    (groups,) = collected(
        awards.select("item", "by_item", "by_article", "lead_department", "by_class").unique()
    )
    schema: dict[str, Any] = {"item": pl.String, "district": pl.String, "amount": YUAN}
    before = pl.DataFrame(schema=schema) if last_year is None else last_year
    return before.join(groups, on="item", how="left")


def _rows(awards: pl.LazyFrame, by: str, before: pl.DataFrame) -> list[list[Any]]:
    """A row a group, in the order of the lines: name and figures as _TOTAL_COLUMNS has them, in 万元."""
    payable, pending = pl.col("status") == "payable", pl.col("status") == "pending"
    highs = pl.col("award_high").filter(pending)
    grouped = (
        awards.with_row_index("_line")
        .group_by(by)
        .agg(
            pl.col("_line").min(),
            households=pl.col("uscc").filter(payable).n_unique(),
            lines=payable.sum(),
            paid=pl.col("award").sum(),
            city=pl.col("city_share").sum(),
            district_share=pl.col("district_share").sum(),
            prefecture=pl.col("prefecture_share").sum(),
            pending=pending.sum(),
            low=pl.col("award_low").filter(pending).sum(),
            high=pl.when(highs.null_count() == 0).then(highs.sum()),
        )
    )
    (groups,) = collected(grouped.sort("_line").drop("_line"))
    paid_before = dict(before.group_by(by).agg(pl.col("amount").sum()).rows())
    shown = has_prefecture(awards)
    rows = []
    for (
        name,
        households,
        lines,
        paid,
        city,
        district,
        prefecture,
        pending_lines,
        low,
        high,
    ) in groups.iter_rows():
        was = paid_before.get(name)
        suzhou = [wan(prefecture)] if shown else []
        change = [wan(was), float(paid / was - 1)] if was else [None, None]
        figures = [wan(paid), wan(city), wan(district), *suzhou, *change]
        rows.append([name, households, lines, *figures, pending_lines, wan(low), wan(high)])
    return rows


def _block(
    sheet: Sheet,
    title: str,
    awards: pl.LazyFrame,
    by: str,
    before: pl.DataFrame,
    order: Sequence[str] | None = None,
) -> tuple[int, int]:
    """One group of rows; returns its first and last row number."""
    sheet.line(title, bold=True)
    first = sheet.row + 1
    rows = _rows(awards, by, before)
    sheet.rows(sorted(rows, key=lambda row: order.index(row[0])) if order else rows)
    return first, sheet.row


def _rounding_note(sheet: Sheet, awards: pl.LazyFrame) -> None:
    by_item = collected(awards.group_by("item").agg(pl.col("award").sum()))[0]["award"].to_list()
    yuan = sum(by_item, Decimal(0))
    shown = sum((wan(amount) or Decimal(0) for amount in by_item), Decimal(0))
    sheet.line(
        f"总计 {yuan:,.2f} 元；按条款各行四舍五入到万元后相加为 {shown:,.2f} 万元，"
        f"尾数差 {shown - yuan / 10000:,.4f} 万元。"
    )


def _chart(sheet: Sheet, title: str, rows: tuple[int, int], places: tuple[int, ...], anchor: str) -> None:
    first, last = rows
    if last < first:
        return
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap = "bar", "stacked", 100
    chart.title = title
    chart.height, chart.width = max(11.0, 0.56 * (last - first + 1)), 16
    chart.gapWidth = 50
    chart.x_axis.tickLblSkip = 1
    for place in places:
        series = Reference(sheet.worksheet, min_col=place, min_row=first, max_row=last)
        chart.add_data(series, titles_from_data=False)
    payers = (("市级负担", "2F5597"), ("区镇负担", "F4B183"), ("苏州市级负担", "A5A5A5"))
    for held, (name, colour) in zip(chart.series, payers, strict=False):
        held.tx = SeriesLabel(v=name)
        held.graphicalProperties.solidFill = colour
    chart.set_categories(Reference(sheet.worksheet, min_col=1, min_row=first, max_row=last))
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.numFmt = "#,##0"
    chart.legend.position = "b"
    sheet.chart(chart, anchor)
