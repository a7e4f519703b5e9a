"""The first two sheets: 说明, what this workbook rests on; and 汇总, the totals with charts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.series import SeriesLabel

from reports.figures import GROUPS, REFUSALS, Figures, collected
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
    book: Book, manifest: dict[str, Any], sums: Figures, rejects: pl.LazyFrame, today: str
) -> None:
    """说明: the result in three sentences, its basis, readings, inputs, remarks, and blanks to sign."""
    year = manifest["year"]
    sheet = Sheet(book, "说明", [Column("", 30, "wide"), Column("", 78, "wide")], landscape=False)
    sheet.title(f"昆山市{year}年度产业政策奖补兑现测算")
    if manifest["scenarios"]:
        sheet.line(
            "情景测算，非正式兑现结果：" + "、".join(s["name"] for s in manifest["scenarios"]), "center", True
        )
    for text in _result(sums.whole, rejects):
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


def _result(sums: dict[str, Any], rejects: pl.LazyFrame) -> list[str]:
    rows = rejects.select("registry", "source_file", "source_sheet", "source_row").unique()
    faulty = collected(rows.select(pl.len()))[0].item()
    money = {name: f"{wan(value):,.2f} 万元" for name, value in sums.items() if isinstance(value, Decimal)}
    suzhou = f"，苏州市级 {money['prefecture_share']}" if sums["prefecture_share"] else ""
    endless = f"，另有 {sums['open_ended']:,} 笔无上限" if sums["open_ended"] else ""
    refused = sum(sums[kind] for kind in REFUSALS)
    return [
        f"应兑付 {sums['households']:,} 户 {sums['lines']:,} 笔，合计 {money['award']}，"
        f"其中市级 {money['city_share']}，区镇 {money['district_share']}{suzhou}。",
        f"待核定 {sums['pending']:,} 笔，法定区间 {money['low']}至 {money['high']}{endless}。",
        f"不予兑现 {refused:,} 笔（原因见「不予兑现」「跨年补报」），数据有问题 {faulty:,} 行（见「数据问题」）。",
    ]


def totals_sheet(book: Book, year: int, sums: Figures, last_year: pl.DataFrame | None) -> None:
    """汇总: by district, article, department and item, with two charts at the end."""
    columns = [c for c in _TOTAL_COLUMNS if c.title != _SUZHOU or sums.has_prefecture]
    sheet = Sheet(book, "汇总", columns)
    sheet.title(f"{year}年度产业政策奖补汇总表")
    sheet.line("单位：万元", "right")
    sheet.header()
    before = _last_year_by_item(sums, last_year)
    districts = _block(sheet, "按区镇", sums, "district", before)
    articles = _block(sheet, "按条", sums, "article", before)
    _block(sheet, "按类别", sums, "class", before)
    _block(sheet, "按牵头部门", sums, "department", before)
    _block(sheet, "按条款", sums, "item", before)
    rows = _rows(sums, "all", before.with_columns(year=pl.lit(year, pl.Int32)))
    sheet.total(rows[0] if rows else ["总计", *[0] * (len(columns) - 1)])
    _rounding_note(sheet, sums)
    sheet.page_break()
    payers = (5, 6, 7) if sums.has_prefecture else (5, 6)
    _chart(sheet, "各区镇应兑付（万元）", districts, payers, f"A{sheet.row + 1}")
    _chart(sheet, "各条应兑付（万元）", articles, payers, f"F{sheet.row + 1}")


def _last_year_by_item(sums: Figures, last_year: pl.DataFrame | None) -> pl.DataFrame:
    """Last year's payments with what tells the groups of their items apart."""
    schema: dict[str, Any] = {"item": pl.String, "district": pl.String, "amount": YUAN}
    before = pl.DataFrame(schema=schema) if last_year is None else last_year
    groups = sums.cells.select("item", "policy", "article", "lead_department", "class").unique()
    return before.join(groups, on="item", how="left")


_NAMES = {
    "district": pl.col("district"),
    "article": filled("{}第{}条", "policy", "article"),
    "class": pl.col("class").replace_strict(CLASSES, default="转引"),
    "department": pl.col("lead_department"),
    "item": filled("{} {}", "item", "title"),
    "all": pl.lit("总计"),
}


def _rows(sums: Figures, group: str, before: pl.DataFrame) -> list[list[Any]]:
    """A row a group, in the order of the lines: name and figures as _TOTAL_COLUMNS has them, in 万元."""
    keys = list(GROUPS[group])
    paid = before.group_by(keys).agg(pl.col("amount").sum().alias("was"))
    held = sums.by(group).with_columns(name=_NAMES[group])
    rows = []
    for row in held.join(paid, on=keys, how="left", maintain_order="left").iter_rows(named=True):
        was, paid_now = row["was"], row["award"]
        suzhou = [wan(row["prefecture_share"])] if sums.has_prefecture else []
        change = [wan(was), float(paid_now / was - 1)] if was else [None, None]
        figures = [wan(paid_now), wan(row["city_share"]), wan(row["district_share"]), *suzhou, *change]
        pending = [row["pending"], wan(row["low"]), wan(row["high"])]
        rows.append([row["name"], row["households"], row["lines"], *figures, *pending])
    return rows


def _block(sheet: Sheet, title: str, sums: Figures, group: str, before: pl.DataFrame) -> tuple[int, int]:
    """One group of rows; returns its first and last row number."""
    sheet.line(title, bold=True)
    first = sheet.row + 1
    rows = _rows(sums, group, before)
    if group == "district":
        rows.sort(key=lambda row: DISTRICTS.index(row[0]))
    sheet.rows(rows)
    return first, sheet.row


def _rounding_note(sheet: Sheet, sums: Figures) -> None:
    by_item = sums.by("item")["award"].to_list()
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
