"""Open a file as grids of text: one per sheet, with the row numbers that Excel shows."""

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import fastexcel
import polars as pl

from registries.cells import written
from registries.formulas import DAMAGE, Hidden, hidden_cells
from schemas.errors import Unusable

_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_ZIP = b"PK\x03\x04"
_BEYOND = "beyond"
"""The column after the widest of a CSV's first rows."""


@dataclass
class Grid:
    """All cells of a sheet as text: columns c0, c1 …; the first row is row 1.

    `first` is the sheet's column (0-based) that is c0. `widths` holds how many cells the first rows of a
    CSV have.
    """

    path: Path
    sheet: str | None
    cells: pl.DataFrame
    workbook: fastexcel.ExcelReader | None = None
    first: int = 0
    widths: list[int] = field(default_factory=list)

    @property
    def binary(self) -> bool:
        """True where numbers come from Excel's doubles, of which 15 significant digits count."""
        return self.workbook is not None

    def exact(self, places: Sequence[int], numeric: Sequence[int]) -> pl.DataFrame:
        """The cells, with numbers in full in the `numeric` places, and what Excel hides in all `places`.

        Reading a workbook as text rounds numbers to 9 decimals, and leaves out errors and formulas that
        have no saved result.
        """
        if self.workbook is None or self.sheet is None:
            return self.cells
        cells = self.cells.with_columns(self._in_full(numeric)) if numeric else self.cells
        for place in places:
            texts = {cell.row: cell.text for cell in self._hidden if cell.column == place + self.first}
            if texts:
                longer = max(texts) + 1 - cells.height
                cells = pl.concat([cells, cells.clear(longer)]) if longer > 0 else cells
                cells = cells.with_columns(cells[f"c{place}"].scatter(list(texts), list(texts.values())))
        return cells

    @cached_property
    def _hidden(self) -> list[Hidden]:
        assert self.sheet is not None
        try:
            return hidden_cells(self.path, self.sheet)
        except DAMAGE as error:
            raise _damaged(self.path) from error

    def _in_full(self, places: Sequence[int]) -> list[pl.Series]:
        assert self.workbook is not None and self.sheet is not None
        ordered = sorted(places)
        doubles = self.workbook.load_sheet(
            self.sheet,
            header_row=None,
            skip_rows=0,
            use_columns=[place + self.first for place in ordered],
            dtypes="float",
            dtype_coercion="coerce",
        ).to_polars()
        doubles.columns = [f"d{place}" for place in ordered]
        number = r"^-?\d+(\.\d{1,9})?$"
        in_full = (
            pl.when(pl.col(f"c{place}").str.contains(number))
            .then(pl.coalesce(written(pl.col(f"d{place}")), f"c{place}"))
            .otherwise(f"c{place}")
            .alias(f"c{place}")
            for place in ordered
        )
        return self.cells.hstack(doubles).select(in_full).get_columns()

    def shifted(self, body: pl.DataFrame, header: slice) -> pl.Series:
        """True for the rows of a CSV's body with something in a column after those of its header rows."""
        width = max(self.widths[header], default=body.width)
        after = [pl.col(name).fill_null("") != "" for name in body.columns[width:]]
        return body.select(pl.any_horizontal(pl.repeat(False, pl.len()), *after)).to_series()


def open_grids(path: Path) -> list[Grid]:
    """The grids of an .xlsx or .csv file. Raises Unusable when the file cannot be read."""
    try:
        return _open_workbook(path) if path.suffix.casefold() == ".xlsx" else [_open_csv(path)]
    except OSError as error:
        raise Unusable(
            f"文件「{path}」不能打开（{error.strerror or error}）。请检查权限，或先关闭正在使用它的程序。"
        ) from error


def _open_workbook(path: Path) -> list[Grid]:
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        raise Unusable(
            f"工作簿「{path}」带有密码，或其实是旧的 .xls 格式，不能读取。"
            "请在 Excel 中取消密码并另存为 .xlsx。"
        )
    try:
        workbook = fastexcel.read_excel(path)
        return [_open_sheet(path, workbook, name) for name in workbook.sheet_names]
    except (fastexcel.FastExcelError, ValueError, OSError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> Unusable:
    return Unusable(
        f"工作簿「{path}」已损坏或不是 .xlsx 文件，不能打开。请用 Excel 重新保存或向报送部门索取。"
    )


def _open_sheet(path: Path, workbook: fastexcel.ExcelReader, name: str) -> Grid:
    sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    columns = sheet.available_columns()
    cells = sheet.to_polars()
    cells.columns = [f"c{place}" for place in range(cells.width)]
    return Grid(path, name, cells, workbook, columns[0].absolute_index if columns else 0)


def _open_csv(path: Path) -> Grid:
    text = _decode(path).replace("\r\n", "\n").replace("\r", "\n")
    try:
        widths = [len(row) for row in itertools.islice(csv.reader(io.StringIO(text)), 60)]
        names = [f"c{place}" for place in range(max(widths, default=1))] + [_BEYOND]
        return Grid(path, None, _split(text, names), widths=widths)
    except csv.Error as error:
        raise Unusable(
            f"文件「{path}」不是完整的 CSV（引号不成对？），不能读取。请用 Excel 重新另存。"
        ) from error


def _split(text: str, names: list[str]) -> pl.DataFrame:
    try:
        return pl.read_csv(
            (",".join(names) + "\n" + text).encode(), infer_schema=False, truncate_ragged_lines=True
        )
    except pl.exceptions.PolarsError:  # quotation marks inside a cell that is not quoted
        rows = csv.reader(io.StringIO(text), strict=True)
        cells = [[cell or None for cell in itertools.islice(row, len(names))] for row in rows]
        padded = [row + [None] * (len(names) - len(row)) for row in cells]
        return pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")


def _decode(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((_OLE, _ZIP)):
        raise Unusable(f"文件「{path}」其实是 Excel 工作簿，不是 CSV。请用 Excel 打开并另存为 .xlsx。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unusable(
        f"文件「{path}」的编码既不是 UTF-8 也不是 GB18030，不能读取。请用 Excel 另存为「CSV UTF-8」。"
    )
