"""Open a file as grids of text: one per sheet, with the row numbers that Excel shows."""

import csv
import io
import itertools
import re
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

    `first` is the sheet's column (0-based) that is c0. `widths` holds how many cells each row of a CSV has.
    """

    path: Path
    sheet: str | None
    cells: pl.DataFrame
    workbook: fastexcel.ExcelReader | None = None
    first: int = 0
    widths: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Int64))

    @property
    def separator(self) -> bool:
        """True for a CSV of which the first lines hold tabs or semicolons and no comma."""
        if self.widths.is_empty() or self.widths.head(20).max() != 1:
            return False
        return bool(self.cells["c0"].head(20).str.contains("[\t;；]").any())

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
        """True for the rows of a CSV's body with more cells, even empty ones, than its header rows."""
        if self.widths.is_empty():
            return pl.repeat(False, body.height, dtype=pl.Boolean, eager=True)
        return self.widths.tail(body.height) > self.widths[header].max()


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
        first = [len(row) for row in itertools.islice(csv.reader(io.StringIO(text)), 60)]
        names = [f"c{place}" for place in range(max(first, default=1))] + [_BEYOND]
        return _split(path, text, names)
    except csv.Error as error:
        raise Unusable(
            f"文件「{path}」不是完整的 CSV（引号不成对？），不能读取。请用 Excel 重新另存。"
        ) from error


def _split(path: Path, text: str, names: list[str]) -> Grid:
    try:
        cells = pl.read_csv(
            (",".join(names) + "\n" + text).encode(), infer_schema=False, truncate_ragged_lines=True
        )
        # without what is quoted, each line is a row and each comma separates two cells
        lines = pl.Series(re.sub('"[^"]*"', "", text).removesuffix("\n").split("\n"))
        widths = lines.str.count_matches(",", literal=True).cast(pl.Int64) + 1
        if widths.len() == cells.height:
            return Grid(path, None, cells, widths=widths)
    except pl.exceptions.PolarsError:  # quotation marks inside a cell that is not quoted
        pass
    rows = list(csv.reader(io.StringIO(text), strict=True))
    padded = [[cell or None for cell in row[: len(names)]] + [None] * (len(names) - len(row)) for row in rows]
    cells = pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")
    return Grid(path, None, cells, widths=pl.Series([len(row) for row in rows], dtype=pl.Int64))


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
