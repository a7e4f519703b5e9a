"""Sheets with native charts: the change in steps as a waterfall, sensitivity as a tornado."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from openpyxl.chart import BarChart, Reference, Series
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import LegendEntry
from openpyxl.chart.series import SeriesLabel

from reports.fans import _dress, place
from reports.forecast_sheets import narrow_margins, natural, table
from reports.sheets import Book, Column, Kind, Sheet, wan
from reports.versions import Row, Steps, Version, reached, short, steps_of, value_of
from schemas.districts import DISTRICTS
from schemas.outputs import PAYERS

DATA = "图表数据"
TORNADO_BARS = 20
_COLUMNS = [Column("图", 40, "wide"), Column("步骤", 34, "wide")]
_COLUMNS += [Column(name, 16, "wan") for name in ("底（不着色）", "两端", "增加", "减少")]
_HEADER = 4
_COLOURS = {"两端": "BFBFBF", "增加": "7FA7D6", "减少": "E8B27D"}
_ZERO = Decimal(0)


class Plots:
    """Makes waterfalls and keeps what they draw, to be written as the last sheet."""

    def __init__(self) -> None:
        self._rows: list[list[Any]] = []

    def waterfall(self, title: str, steps: Steps) -> Any:
        """A column for each end and a floating one a step (万元)."""
        first = _HEADER + len(self._rows) + 1
        self._rows.append([title, "现行政策", None, wan(steps.start), None, None])
        for row in steps.rows:
            low = wan(min(row["before"], row["after"]))
            size = wan(abs(row["change"]))
            up = row["change"] > 0
            sizes = [None, None] if not row["change"] else [size, None] if up else [None, size]
            self._rows.append([title, short(row["title"]), low, None, *sizes])
        self._rows.append([title, "方案", None, wan(steps.end), None, None])
        return _waterfall(title, steps, first, _HEADER + len(self._rows))

    def sheet(self, book: Book) -> None:
        """图表数据: a row a chart and step; nothing where there is no chart."""
        if not self._rows:
            return
        sheet = Sheet(book, DATA, _COLUMNS)
        sheet.title("图表数据")
        sheet.line("增减分解图的数据：每一步的柱子立在不着色的底上，从上一步结束处开始。")
        sheet.line("单位：万元", "right")
        sheet.header()
        sheet.rows(self._rows)


def axis_floor(steps: Steps) -> Decimal:
    """Where the money axis begins: at nothing, unless the steps would then be too small to see (yuan)."""
    ends: list[Decimal] = [steps.start, steps.end]
    ends += [row[side] for row in steps.rows for side in ("before", "after")]
    low, high = min(ends), max(ends)
    if low <= 0 or (high - low) * 3 > high or high == low:
        return _ZERO
    floor = low - (high - low) / 2
    unit = Decimal(10) ** ((high - low).adjusted())
    return max(_ZERO, floor // unit * unit)


def _waterfall(title: str, steps: Steps, first: int, last: int) -> Any:
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth = "stacked", 100, 40
    for letter, name in zip("CDEF", ("底", *_COLOURS), strict=True):
        series = Series(Reference(range_string=f"'{DATA}'!${letter}${first}:${letter}${last}"))
        series.tx = SeriesLabel(v=name)
        series.graphicalProperties.line.noFill = True
        if name in _COLOURS:
            series.graphicalProperties.solidFill = _COLOURS[name]
            series.dLbls = _labels()
        else:
            series.graphicalProperties.noFill = True
        chart.series.append(series)
    chart.set_categories(Reference(range_string=f"'{DATA}'!$B${first}:$B${last}"))
    _dress(chart, title, False)
    chart.legend.legendEntry = [LegendEntry(idx=0, delete=True)]
    floor = axis_floor(steps)
    if floor:
        chart.y_axis.scaling.min = float(floor / 10_000)
    return chart


def _labels() -> Any:
    """The amount on a column; none where it is nothing."""
    labels = DataLabelList()
    labels.showVal = True
    labels.showSerName = labels.showCatName = labels.showLegendKey = labels.showPercent = False
    labels.numFmt = "#,##0.00;-#,##0.00;;"
    return labels


def bridge_sheet(book: Book, plots: Plots, found: Sequence[Version]) -> None:
    """增减分解: the steps with a waterfall, then by district and by item."""
    columns = [Column("步骤", 42, "wide")]
    columns += [Column(name, 15, "wan") for name in ("之前", "之后", "增减")]
    columns += [Column(f"{name}增减", 15, "wan") for name in PAYERS.values()]
    columns += [Column("", 15)] * 2
    sheet = Sheet(book, "增减分解", columns)
    narrow_margins(sheet)
    sheet.title("应兑付增减分解")
    sheet.line("单位：万元", "right")
    sheet.rows([])  # nothing is to freeze here
    for number, version in enumerate(found):
        if number:
            sheet.page_break()
        steps = steps_of(version)
        sheet.line(f"{version.label}：{version.title}", bold=True)
        if steps is None:
            sheet.line("无。")
            continue
        if steps.by != "按步骤":
            sheet.line("没有逐步分解，以下按政策条文。")
        _steps(sheet, steps)
        floor = axis_floor(steps)
        if floor:
            sheet.line(f"图的纵轴从 {wan(floor):,.0f} 万元起，不从零起。")
        sheet.blank()
        title = f"{version.label}：由现行政策到方案（万元）"
        place(sheet, plots.waterfall(title, steps), (0.02, 0.98), sheet.row + 1, 20)
        sheet.blank(21)
        _pivots(sheet, version)


def _steps(sheet: Sheet, steps: Steps) -> None:
    heads: list[tuple[str, Kind]] = [("步骤", "wide"), ("之前", "wan"), ("之后", "wan"), ("增减", "wan")]
    heads += [(f"{name}增减", "wan") for name in PAYERS.values()]
    shares = [f"{payer}_share" for payer in PAYERS]
    rows = [
        [row["title"], *(wan(row[c]) for c in ("before", "after", "change", *shares))] for row in steps.rows
    ]
    sums = [
        None if any(row[c] is None for row in steps.rows) else wan(sum((row[c] for row in steps.rows), _ZERO))
        for c in ("change", *shares)
    ]
    table(sheet, heads, [*rows, ["合计", wan(steps.start), wan(steps.end), *sums]])


def _pivots(sheet: Sheet, version: Version) -> None:
    """The bridge's steps by district, and by item: a column a step."""
    rows = version.rows("bridge")
    steps = list(dict.fromkeys(row["title"] for row in rows))
    for name, key, other in (("区镇", "district", "item"), ("条款", "item", "district")):
        held = [row for row in rows if row[key] is not None and row[other] is None and row["change"] != 0]
        if held and len(steps) < len(sheet.columns) - 1:
            if key == "item":
                sheet.page_break()
            sheet.line(f"按{name}（只列有增减的）", bold=True)
            heads: list[tuple[str, Kind]] = [(name, "text"), *((short(step), "wan") for step in steps)]
            table(sheet, [*heads, ("合计", "wan")], _pivot(held, key, steps))


def _pivot(rows: list[Row], key: str, steps: list[str]) -> list[list[Any]]:
    found = {(row[key], row["title"]): row["change"] for row in rows}
    names = {row[key] for row in rows}
    order = (
        [d for d in DISTRICTS if d in names] if key == "district" else sorted(names, key=lambda n: natural(n))
    )
    order += sorted(names - set(order))
    lines = ((name, [found.get((name, step), _ZERO) for step in steps]) for name in order)
    return [[name, *map(wan, held), wan(sum(held, _ZERO))] for name, held in lines]


def sensitivity_sheet(book: Book, found: Sequence[Version]) -> None:
    """敏感性: what a nudge of each term moves, the largest first, with a tornado; only where it was tried."""
    held = [(version, rows) for version in found if (rows := version.rows("sensitivity"))]
    if not held:
        return
    columns = [Column("条款和标准", 34, "wide"), Column("事项", 40, "wide")]
    columns += [Column("调低到", 18), Column("调高到", 18)]
    columns += [Column("调低：增减", 17, "wan"), Column("调高：增减", 17, "wan")]
    sheet = Sheet(book, "敏感性", columns)
    sheet.title("敏感性：各项标准调低、调高一成（或一级）时应兑付的增减")
    sheet.line("单位：万元", "right")
    sheet.rows([])
    for version, rows in held:
        rows = sorted(rows, key=lambda row: (-reached(row), natural(row["item"]), row["term"]))
        sheet.line(f"{version.label}：{version.title}" if len(found) > 1 else "按影响大小排列", bold=True)
        first = sheet.row + 2
        heads = [(c.title, c.kind) for c in columns]
        table(sheet, heads, [_nudged(row) for row in rows])
        bars = rows[:TORNADO_BARS]
        height = 8 + int(len(bars) * 1.4)
        sheet.blank()
        if len(rows) > 12:
            sheet.page_break()
        place(sheet, _tornado(sheet, first, bars), (0.02, 0.98), sheet.row + 2, height)
        sheet.blank(height + 2)


def _nudged(row: Row) -> list[Any]:
    values = [value_of(row["low_value"]), value_of(row["high_value"])]
    return [
        f"{row['item']} {row['term']}",
        row["title"],
        *values,
        wan(row["change_low"]),
        wan(row["change_high"]),
    ]


def _tornado(sheet: Sheet, first: int, shown: Sequence[Row]) -> Any:
    chart, last = BarChart(), first + len(shown) - 1
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "clustered", 100, 40
    if any(row["change_low"] * row["change_high"] > 0 for row in shown):
        chart.overlap = 0  # bars to one side would hide each other
    for column, name, colour in ((5, "调低", "E8B27D"), (6, "调高", "5B7FA8")):
        series = Series(Reference(sheet.worksheet, min_col=column, min_row=first, max_row=last))
        series.tx = SeriesLabel(v=name)
        series.graphicalProperties.solidFill = colour
        series.invertIfNegative = False
        chart.series.append(series)
    chart.set_categories(Reference(sheet.worksheet, min_col=1, min_row=first, max_row=last))
    _dress(chart, "应兑付的增减（万元）", False)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.crosses = "max"
    return chart
