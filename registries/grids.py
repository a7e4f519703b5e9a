"""Open a file as grids of text: one per sheet, with the row numbers that Excel shows."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from schemas.errors import Unusable

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_BEYOND = "beyond"
"""The column after the widest header of a CSV: a row that reaches it is shifted."""


@dataclass
class Grid:
    """All cells of a sheet as text: columns c0, c1 …; the first row is row 1."""

    sheet: str | None
    cells: pl.DataFrame
    workbook: fastexcel.ExcelReader | None = None

    @property
    def binary(self) -> bool:
        """True where numbers come from Excel's doubles, of which 15 significant digits count."""
        return self.workbook is not None

    def numbers(self, place: int) -> pl.Series:
        """A workbook's column as doubles written in full; null for text. Reading as text keeps 9 decimals."""
        assert self.workbook is not None and self.sheet is not None
        sheet = self.workbook.load_sheet(
            self.sheet,
            header_row=None,
            skip_rows=0,
            use_columns=[place],
            dtypes={place: "float"},
            dtype_coercion="coerce",
        )
        return sheet.to_polars().to_series().cast(pl.String)


def open_grids(path: Path) -> list[Grid]:
    """The grids of an .xlsx or .csv file. Raises Unusable when the file cannot be read."""
    return _open_workbook(path) if path.suffix.casefold() == ".xlsx" else [_open_csv(path)]


def _open_workbook(path: Path) -> list[Grid]:
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise Unusable(
            f"工作簿「{path}」带有密码，或其实是旧的 .xls 格式，不能读取。请在 Excel 中取消密码并另存为 .xlsx。"
        )
    try:
        workbook = fastexcel.read_excel(path)
        return [Grid(name, _load_sheet(workbook, name), workbook) for name in workbook.sheet_names]
    except (fastexcel.FastExcelError, ValueError, OSError) as error:
        raise Unusable(
            f"工作簿「{path}」已损坏或不是 .xlsx 文件，不能打开。请用 Excel 重新保存或向报送部门索取。"
        ) from error


def _load_sheet(workbook: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    frame = sheet.to_polars()
    return frame.rename({old: f"c{place}" for place, old in enumerate(frame.columns)})


def _open_csv(path: Path) -> Grid:
    text = _decode(path)
    head = list(csv.reader(io.StringIO("\n".join(text.splitlines()[:60]))))
    width = max((len(row) for row in head), default=1)
    names = [f"c{place}" for place in range(width)] + [_BEYOND]
    try:
        cells = pl.read_csv(
            (",".join(names) + "\n" + text).encode(), infer_schema=False, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError as error:
        raise Unusable(f"文件「{path}」不是完整的 CSV（引号不成对？），不能读取。请用 Excel 重新另存。") from error
    return Grid(None, cells)


def _decode(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unusable(f"文件「{path}」的编码既不是 UTF-8 也不是 GB18030，不能读取。请用 Excel 另存为「CSV UTF-8」。")


def shifted_rows(cells: pl.DataFrame) -> pl.Series:
    """True for the rows of a CSV with more cells than its header."""
    if _BEYOND in cells.columns:
        return cells[_BEYOND].is_not_null()
    return pl.repeat(False, cells.height, eager=True)
