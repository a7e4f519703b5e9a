"""The payments registry that a run's payable lines become once they are paid."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from reports.sheets import Book, Column, Sheet
from schemas.errors import Unusable
from schemas.registries import REGISTRIES

_PAYMENTS = REGISTRIES["payments"]


def write_template(rows: pl.DataFrame, path: Path) -> None:
    """Write the registry as .xlsx, .csv or .parquet, whole or not at all, readable by its owner only."""
    writers: dict[str, Callable[[pl.DataFrame, Path], None]] = {
        ".xlsx": _write_xlsx,
        ".csv": lambda held, file: held.rename(_headers()).write_csv(file, include_bom=True),
        ".parquet": lambda held, file: held.write_parquet(file),
    }
    write = writers.get(path.suffix.lower())
    if write is None:
        raise Unusable(f"已兑付登记表「{path.name}」的后缀应为 .xlsx、.csv 或 .parquet。")
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)  # mode 0600
    os.close(handle)
    try:
        write(rows, Path(name))
        Path(name).chmod(0o600)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _headers() -> dict[str, str]:
    return {column: _PAYMENTS.header(column) for column in _PAYMENTS.columns}


def _write_xlsx(rows: pl.DataFrame, path: Path) -> None:
    book = Book()
    kinds = {"money": "yuan", "year": "index", "count": "index"}
    # The kinds of `kinds` are those of a sheet, which mypy takes for any text.
    columns = [Column(h, 22, kinds.get(_PAYMENTS.kind(c), "code")) for c, h in _headers().items()]  # type: ignore[arg-type]
    sheet = Sheet(book, _PAYMENTS.title, columns)
    sheet.header()
    sheet.frame(rows.with_columns(pl.col("paid_on").cast(pl.String)))
    book.save(path)
