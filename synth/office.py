"""Write registries as departments send them: workbooks with titles, notes and totals, and a GB18030 CSV."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import polars as pl
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from schemas.money import total
from schemas.registries import REGISTRIES, Registry
from synth.cells import Cell, written
from synth.layouts import COMPANY, GUIDE, LAYOUTS, REMARK, SERIAL, SYNTHETIC, Layout


@dataclass
class Scribbles:
    """Texts to write instead of a value, by registry, row (0-based) and column; and yuan added to a
    registry's first total."""

    texts: dict[tuple[str, int, str], str] = field(default_factory=dict)
    wrong_totals: dict[str, Decimal] = field(default_factory=dict)


_MADE = datetime(2024, 1, 1)
_UNITS = {"（元）": 1, "（万元）": 10_000}
_PAGE = 60
"""Rows between two blank ones."""

_THIN = Border(*(Side(style="thin"),) * 4)
_WIDTHS = {"uscc": 22, COMPANY: 30, "name": 30, "project_name": 26, "certification": 26, "certificate_no": 24}


@dataclass
class Sheet:
    """A table as cells. `data_rows` are the row numbers (from 1) in which the registry's rows stand."""

    layout: Layout
    before: list[str]
    header: list[list[str]]
    body: list[list[Cell]] = field(default_factory=list)
    data_rows: list[int] = field(default_factory=list)

    @property
    def last_row(self) -> int:
        """The number of the last row so far."""
        return len(self.before) + len(self.header) + len(self.body)


def office_file(
    name: str,
    frame: pl.DataFrame,
    names: dict[str, str],
    year: int,
    folder: Path,
    scribbles: Scribbles,
    seed: int,
) -> tuple[str, list[int], int]:
    """Write one registry; the file's name, the numbers of its rows, and that of its total (0 without one).

    `names` gives the enterprises' names by code.
    """
    registry = REGISTRIES[name]
    rng = Random(f"{seed}-{name}-{year}")
    layout = LAYOUTS[name]
    sheet = _laid_out(layout, year)
    _fill_body(sheet, registry, frame, names, scribbles, rng)
    wrong = scribbles.wrong_totals.get(name, Decimal(0))
    total_row = _totals(sheet, registry, frame, wrong) if layout.total and frame.height else 0
    path = folder / f"{registry.title}{'.csv' if name == 'enterprises' else '.xlsx'}"
    if path.suffix == ".csv":
        _write_csv(path, sheet)
    else:
        _write_workbook(path, sheet, registry)
    return path.name, sheet.data_rows, total_row


def _laid_out(layout: Layout, year: int) -> Sheet:
    title = f"{layout.title.format(year=year)}（{SYNTHETIC}）"
    unit = f"　　{layout.unit_line}" if layout.unit_line else ""
    texts = list(layout.headers.values())
    upper = [text.split("|")[0] for text in texts]
    header = [[text if text not in upper[:place] else "" for place, text in enumerate(upper)]]
    if layout.lines == 2:
        header.append([text.partition("|")[2] for text in texts])
    return Sheet(layout, [title, f"填报单位：{layout.department}（{SYNTHETIC}）{unit}"], header)


def _fill_body(
    sheet: Sheet,
    registry: Registry,
    frame: pl.DataFrame,
    names: dict[str, str],
    scribbles: Scribbles,
    rng: Random,
) -> None:
    for place, row in enumerate(frame.iter_rows(named=True)):
        if place and place % _PAGE == 0:
            sheet.body.append([None] * len(sheet.layout.headers))
        cells: list[Cell] = []
        for column in sheet.layout.headers:
            if column == SERIAL:
                cells.append(place + 1)
            elif column == COMPANY:
                cells.append(names.get(row["uscc"]))
            elif column == REMARK:
                cells.append("已核验" if rng.random() < 0.05 else None)
            elif (registry.name, place, column) in scribbles.texts:
                cells.append(scribbles.texts[registry.name, place, column])
            else:
                unit = _unit(sheet.layout, column)
                cells.append(written(row[column], registry.kind(column), unit, rng))
        sheet.body.append(cells)
        sheet.data_rows.append(sheet.last_row)


def _unit(layout: Layout, column: str) -> int:
    return next((unit for text, unit in _UNITS.items() if text in layout.headers[column]), layout.unit)


def _totals(sheet: Sheet, registry: Registry, frame: pl.DataFrame, wrong: Decimal) -> int:
    """Add a 合计 row, its first amount wrong by `wrong` yuan; its row number."""
    cells: list[Cell] = []
    for column in sheet.layout.headers:
        if column == SERIAL:
            cells.append("合计")
        elif column in registry.columns and registry.kind(column) == "money" and frame[column].count():
            amount = total(frame[column]) + wrong
            wrong = Decimal(0)
            cells.append(float(amount / _unit(sheet.layout, column)))
        else:
            cells.append(None)
    sheet.body.append(cells)
    return sheet.last_row


def _write_csv(path: Path, sheet: Sheet) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    width = len(sheet.layout.headers)
    for line in sheet.before:
        writer.writerow([line, *[""] * (width - 1)])
    rows: list[Sequence[Cell]] = [*sheet.header, *sheet.body]
    for row in rows:
        writer.writerow(["" if cell is None else cell for cell in row])
    path.write_bytes(text.getvalue().encode("gb18030"))


def _write_workbook(path: Path, sheet: Sheet, registry: Registry) -> None:
    book = Workbook()
    guide = book.active
    guide.title = "填表说明"
    for line in GUIDE:
        guide.append([line])
    page = book.create_sheet(f"{registry.title}（{SYNTHETIC}）")
    book.active = page
    _fill(page, sheet, registry)
    book.properties.title = sheet.before[0]
    book.properties.creator = SYNTHETIC
    book.properties.created = _MADE
    buffer = io.BytesIO()
    book.save(buffer)
    _write_reproducibly(path, buffer)


def _fill(page: Worksheet, sheet: Sheet, registry: Registry) -> None:
    left, width = sheet.layout.indent + 1, len(sheet.layout.headers)
    for number, line in enumerate(sheet.before, 1):
        page.cell(number, left, line)
        page.merge_cells(start_row=number, start_column=left, end_row=number, end_column=left + width - 1)
    page.cell(1, left).font = Font(bold=True, size=14)
    page.cell(1, left).alignment = Alignment(horizontal="center")
    first = len(sheet.before) + 1
    for number, texts in enumerate(sheet.header, first):
        for place, text in enumerate(texts):
            cell = page.cell(number, left + place, text or None)
            cell.font, cell.border = Font(bold=True), _THIN
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    if len(sheet.header) == 2:
        _merge_header(page, sheet, first, left)
    formats = [_format(registry, column) for column in sheet.layout.headers]
    for number, row in enumerate(sheet.body, first + len(sheet.header)):
        for place, value in enumerate(row):
            if value is not None:
                cell = page.cell(number, left + place, value)
                cell.number_format = formats[place] if not isinstance(value, date) else "yyyy-mm-dd"
    for number, note in enumerate(sheet.layout.notes, page.max_row + 2):
        page.cell(number, left, note)
    for place, column in enumerate(sheet.layout.headers):
        page.column_dimensions[get_column_letter(left + place)].width = _WIDTHS.get(column, 13)


def _merge_header(page: Worksheet, sheet: Sheet, first: int, left: int) -> None:
    upper, lower = sheet.header
    for place, text in enumerate(upper):
        end = place
        while lower[place] and end + 1 < len(upper) and not upper[end + 1] and lower[end + 1]:
            end += 1
        if text and (end > place or not lower[place]):
            last = first if lower[place] else first + 1
            page.merge_cells(start_row=first, start_column=left + place, end_row=last, end_column=left + end)


def _format(registry: Registry, column: str) -> str:
    kind = registry.kind(column) if column in registry.columns else None
    return {"money": "#,##0.00", "rate": "0.0%", "code": "@", "id": "@"}.get(kind or "", "General")


def _write_reproducibly(path: Path, buffer: io.BytesIO) -> None:
    """The workbook with fixed times inside, so that the same cells give the same bytes."""
    modified = f"{_MADE:%Y-%m-%dT%H:%M:%SZ}"
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fixed:
        for entry in made.infolist():
            content = made.read(entry)
            if entry.filename == "docProps/core.xml":
                pattern = rb"(<dcterms:modified[^>]*>)[^<]*"
                content = re.sub(pattern, rb"\g<1>" + modified.encode(), content)
            info = zipfile.ZipInfo(entry.filename, (_MADE.year, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            fixed.writestr(info, content)
