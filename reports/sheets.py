"""Tables as the bureau prints them: title, unit line, bordered header, body, total, page set-up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

import polars as pl
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties

from reports.bulk import MARK, fill

Kind = Literal["text", "wide", "code", "index", "yuan", "wan", "count", "number", "percent"]

_FONT = "宋体"
_EDGE = Side(style="thin", color="FF7F7F7F")
_BOX = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
_FORMATS = {"yuan": "#,##0.00", "wan": "#,##0.00", "count": "#,##0", "percent": "0.0%", "code": "@"}
_FORMATS |= {"number": "#,##0.0"}  # an expected count


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, width in characters, and how its values are shown."""

    title: str
    width: float
    kind: Kind = "text"


class Book:
    """A workbook written top down; long tables are filled in when it is saved."""

    def __init__(self) -> None:
        self.workbook = Workbook(write_only=True)
        self.tables: dict[str, tuple[pl.DataFrame, list[float | None]]] = {}

    def save(self, path: Path) -> None:
        """Write the file."""
        self.workbook.save(path)
        fill(path, self.tables)


class Sheet:
    """A sheet written top down. `row` is the number of the last row written."""

    def __init__(self, book: Book, title: str, columns: Sequence[Column], landscape: bool = True) -> None:
        self.columns = columns
        self.row = 0
        self._book = book
        self._sheet = book.workbook.create_sheet(title)
        self._styles: dict[str, Any] = {}
        self._held: list[list[WriteOnlyCell]] | None = []  # rows above the header: panes freeze before rows
        for place, column in enumerate(columns, 1):
            self._sheet.column_dimensions[get_column_letter(place)].width = column.width
        page = self._sheet.page_setup
        page.orientation = "landscape" if landscape else "portrait"
        page.paperSize = 9  # A4
        page.fitToWidth, page.fitToHeight = 1, 0
        self._sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self._sheet.oddFooter.center.text = "第 &P 页 共 &N 页"
        self._sheet.print_options.horizontalCentered = True
        for side in ("left", "right"):
            setattr(self._sheet.page_margins, side, 0.4)

    def title(self, text: str) -> None:
        """A merged, centred title over all columns."""
        self._span(text, Font(name="黑体", size=16, bold=True), "center", 30)

    def line(self, text: str, align: str = "left", bold: bool = False) -> None:
        """A line of text over all columns, wrapped; its height follows its length."""
        width = sum(column.width for column in self.columns)
        self._span(text, Font(name=_FONT, size=10.5, bold=bold), align, 15.0 * _lines(text, width))

    def header(self, freeze: bool = True) -> None:
        """The headings of the columns; repeated on every printed page, and frozen."""
        if freeze and self._held is not None:
            self._sheet.freeze_panes = f"A{self.row + 2}"
            self._sheet.print_title_rows = f"{self.row + 1}:{self.row + 1}"
        self._append([(column.title, "header") for column in self.columns], 30)
        self._release()

    def rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Body rows; None is an empty cell."""
        self._release()
        kinds = [column.kind for column in self.columns]
        wide = [(place, column.width) for place, column in enumerate(self.columns) if column.kind == "wide"]
        for row in rows:
            lines = max((_lines(row[place], width) for place, width in wide), default=1)
            self._append(list(zip(row, kinds, strict=True)), 13.5 * lines if lines > 1 else None)

    def frame(self, rows: pl.DataFrame) -> None:
        """A long body: a placeholder row now, filled when the book is saved. Columns as the sheet has them."""
        if rows.height:
            self._release()
            self._append([(MARK, self.columns[0].kind), *((None, c.kind) for c in self.columns[1:])])
            self.row += rows.height - 1
            wraps = [column.width if column.kind == "wide" else None for column in self.columns]
            self._book.tables[self._sheet.title] = (rows, wraps)

    def total(self, row: Sequence[Any]) -> None:
        """A total row in bold."""
        self._append([(value, f"{c.kind}!") for value, c in zip(row, self.columns, strict=True)])

    def blank(self, count: int = 1) -> None:
        """Empty rows."""
        for _ in range(count):
            self._write([])
            self.row += 1

    def page_break(self) -> None:
        """Start a new printed page after the last row written."""
        self._sheet.row_breaks.append(Break(id=self.row))

    def chart(self, chart: Any, anchor: str) -> None:
        """Place a native chart."""
        self._sheet.add_chart(chart, anchor)

    @property
    def worksheet(self) -> Any:
        """The openpyxl sheet, for chart references."""
        return self._sheet

    def _span(self, text: str, font: Font, align: str, height: float) -> None:
        cell = WriteOnlyCell(self._sheet, _clean(text))
        cell.data_type = "s"
        cell.font = font
        cell.alignment = Alignment(horizontal=align, vertical="center", wrap_text=True)
        self.row += 1
        self._sheet.row_dimensions[self.row].height = height
        self._write([cell])
        if len(self.columns) > 1:
            last = get_column_letter(len(self.columns))
            self._sheet.merged_cells.add(f"A{self.row}:{last}{self.row}")

    def _append(self, cells: list[tuple[Any, str]], height: float | None = None) -> None:
        self.row += 1
        if height:
            self._sheet.row_dimensions[self.row].height = height
        self._write([self._cell(value, kind) for value, kind in cells])

    def _write(self, cells: list[WriteOnlyCell]) -> None:
        if self._held is None:
            self._sheet.append(cells)
        else:
            self._held.append(cells)

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for cells in held:
            self._sheet.append(cells)

    def _cell(self, value: Any, kind: str) -> WriteOnlyCell:
        is_text = isinstance(value, str)
        cell = WriteOnlyCell(self._sheet, _clean(value) if is_text else value)
        if is_text:
            cell.data_type = "s"  # a text that begins with = must never become a formula
        if kind not in self._styles:
            self._styles[kind] = _styled(self._sheet, kind)._style
        cell._style = self._styles[kind]
        return cell


def _lines(text: str | None, width: float) -> int:
    """How many lines a text takes in a column; a Chinese character is twice as wide as a Latin one."""
    return max(1, -(-(len(text) + sum(c > "ÿ" for c in text)) // max(1, int(width * 1.05)))) if text else 1


def _clean(text: str) -> str:
    return str(ILLEGAL_CHARACTERS_RE.sub("", text))


def _styled(sheet: Any, kind: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, None)
    bare = kind.rstrip("!")
    bold = kind.endswith("!") or kind == "header"
    cell.font = Font(name=_FONT, size=10, bold=bold)
    cell.border = _BOX
    if bare == "header":
        cell.fill = PatternFill("solid", fgColor="FFDCE6F1")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    elif bare == "index":
        cell.alignment = Alignment(horizontal="center", vertical="center")
    elif bare in ("yuan", "wan", "count", "number", "percent"):
        cell.alignment = Alignment(horizontal="right", vertical="center")
    else:
        cell.alignment = Alignment(horizontal="left", vertical="center", wrap_text=bare == "wide")
    cell.number_format = _FORMATS.get(bare, "General")
    return cell


def wan(yuan: Decimal | None) -> Decimal | None:
    """Yuan as 万元 to two places, half away from zero, for display."""
    return None if yuan is None else (yuan / 10000).quantize(Decimal("0.01"), ROUND_HALF_UP)
