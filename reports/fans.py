"""Fan charts: nested bands of quantiles by year, native to Excel; what they draw is the sheet 图表数据."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from openpyxl.chart import AreaChart, BarChart, LineChart, Reference, Series
from openpyxl.chart.legend import Legend, LegendEntry
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.chart.title import Title, title_maker
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.utils.units import pixels_to_EMU

from reports.sheets import Book, Column, Sheet

DATA = "图表数据"
_EDGES = ("P5", "P10", "P25", "P75", "P90", "P95")
_BANDS = [None, ("P5–P95", "DAE5F3"), ("P10–P90", "A9C4E4"), ("P25–P75", "6C98CC")]
_BANDS += [("P75–P90", "A9C4E4"), ("P90–P95", "DAE5F3")]
_HIDDEN = (0, 4, 5)  # legend: the base has no colour, the upper bands have their lower twins'
_SOURCE_COLOURS = ("2F5597", "8FAADC", "F4B183", "70AD47", "A5A5A5", "FFD966", "7F6084")
_COLUMNS = [
    Column("图", 22),
    Column("支付年度", 10, "index"),
    Column("P5（底，不着色）", 17, "wan"),
    *(Column(f"{a}–{b}", 14, "wan") for a, b in zip(_EDGES, _EDGES[1:], strict=False)),
    Column("P50", 14, "wan"),
    Column("政策续期 P50", 14, "wan"),
]
_HEADER = 4


class Fans:
    """Makes fan charts and keeps what they draw, to be written as the last sheet."""

    def __init__(self) -> None:
        self._rows: list[list[Any]] = []

    def chart(
        self,
        title: str,
        years: Mapping[int, Mapping[str, Decimal]],
        renewed: Sequence[Decimal],
        small: bool = False,
    ) -> Any:
        """A fan over the years (quantiles in 万元), with the median of the renewed policy as a dashed line."""
        first = _HEADER + len(self._rows) + 1
        for (year, at), other in zip(years.items(), renewed, strict=True):
            edges = [at[name] for name in _EDGES]
            bands = [high - low for low, high in zip(edges, edges[1:], strict=False)]
            self._rows.append([title, year, edges[0], *bands, at["P50"], other])
        return _fan(title, first, first + len(years) - 1, small)

    def sheet(self, book: Book) -> None:
        """图表数据: a row a chart and year."""
        sheet = Sheet(book, DATA, _COLUMNS)
        sheet.title("图表数据")
        sheet.line(
            "扇形图的数据。各带为相邻两个分位数之差，在 P5 上逐列相加即得 P10、P25、P75、P90、P95；虚线为政策续期时的 P50。"
        )
        sheet.line("单位：万元", "right")
        sheet.header()
        sheet.rows(self._rows)


def _fan(title: str, first: int, last: int, small: bool) -> Any:
    def reference(column: int) -> Any:
        letter = "ABCDEFGHIJ"[column - 1]
        return Reference(range_string=f"'{DATA}'!${letter}${first}:${letter}${last}")

    alone = first == last  # an area of one year has no width: a column then
    chart = BarChart() if alone else AreaChart()
    chart.grouping = "stacked"
    if alone:
        chart.overlap, chart.gapWidth = 100, 150
    for column, band in enumerate(_BANDS, 3):
        series = Series(reference(column))
        series.tx = SeriesLabel(v=band[0] if band else "P5 以下")
        series.graphicalProperties.line.noFill = True
        if band:
            series.graphicalProperties.solidFill = band[1]
        else:
            series.graphicalProperties.noFill = True
        chart.series.append(series)
    lines = LineChart()
    for column, name, colour, dash in ((9, "P50", "1F3864", None), (10, "政策续期 P50", "C55A11", "sysDash")):
        series = Series(reference(column))
        series.tx = SeriesLabel(v=name)
        series.smooth = False
        series.graphicalProperties.line = LineProperties(solidFill=colour, w=19050, prstDash=dash)
        series.marker.symbol = ("diamond" if dash else "circle") if alone else "none"
        series.marker.graphicalProperties.solidFill = colour
        series.marker.graphicalProperties.line.solidFill = colour
        lines.series.append(series)
    for part in (chart, lines):
        part.set_categories(reference(2))
    _dress(chart, title, small)
    chart.y_axis.crossBetween = "between" if alone else "midCat"
    chart.legend.legendEntry = [LegendEntry(idx=place, delete=True) for place in _HIDDEN]
    if small:
        chart.legend = None
    chart += lines
    return chart


def shares_chart(sheet: Sheet, names: Sequence[str], first: int, last: int) -> Any:
    """Shares of the variance: a stacked bar a year; names are in columns 2 and following."""
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 60
    for column, (name, colour) in enumerate(zip(names, _SOURCE_COLOURS, strict=False), 2):
        series = Series(Reference(sheet.worksheet, min_col=column, min_row=first, max_row=last))
        series.tx = SeriesLabel(v=name)
        series.graphicalProperties.solidFill = colour
        chart.series.append(series)
    chart.set_categories(Reference(sheet.worksheet, min_col=1, min_row=first, max_row=last))
    chart.x_axis.scaling.orientation = "maxMin"
    _dress(chart, "带宽来源：占合计方差的比例", False)
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.numFmt, chart.y_axis.crosses = "0%", "max"
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, 1
    return chart


def _dress(chart: Any, title: str, small: bool) -> None:
    """Title, axes and legend; openpyxl's defaults hide axes and overlay titles."""
    chart.roundedCorners = False
    chart.title = _title(title, 1000 if small else 1200)
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete = False
        axis.txPr = _text(800 if small else 900)
    chart.x_axis.number_format, chart.y_axis.number_format = "0", "#,##0"
    chart.x_axis.majorTickMark = "out"
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9", w=6350))
    chart.legend = Legend()
    chart.legend.position, chart.legend.overlay = "b", False
    chart.legend.txPr = _text(900)


def _title(text: str, size: int) -> Title:
    title = title_maker(text)
    title.overlay = False
    for paragraph in title.tx.rich.p:
        paragraph.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=size, b=True))
        for run in paragraph.r:
            run.rPr = CharacterProperties(sz=size, b=True)
    return title


def _text(size: int) -> RichText:
    style = ParagraphProperties(defRPr=CharacterProperties(sz=size))
    return RichText(p=[Paragraph(pPr=style, endParaRPr=CharacterProperties(sz=size))])


def place(sheet: Sheet, chart: Any, across: tuple[float, float], top: int, rows: int) -> None:
    """Put a chart over part of the sheet's width (0 to 1) and some rows; it follows the columns' widths."""
    start, end = (_marker(sheet, part, row) for part, row in ((across[0], top), (across[1], top + rows)))
    sheet.chart(chart, TwoCellAnchor(editAs="oneCell", _from=start, to=end))


def _marker(sheet: Sheet, part: float, row: int) -> AnchorMarker:
    """The top of a row, at a part of the sheet's width."""
    left, number = part * sum(column.width for column in sheet.columns), 0
    while left > sheet.columns[number].width and number + 1 < len(sheet.columns):
        left -= sheet.columns[number].width
        number += 1
    return AnchorMarker(col=number, colOff=pixels_to_EMU(int(left * 7)), row=row - 1)
