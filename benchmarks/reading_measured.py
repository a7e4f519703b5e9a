"""What benchmarks/reading.py measures, in a process of its own: python -m benchmarks.reading_measured READER FOLDER

Reads `rnd.xlsx`, leaves `<READER>.parquet`: row in Excel, code, year, R&D spending and revenue in fen, deduction.
Prints one line of JSON.
"""

import importlib.util
import json
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.contest.measured import clocked, peak

COLUMNS = ("row", "uscc", "year", "rnd_expense", "super_deduction", "revenue")
NAMES = ["serial", "name", "uscc", "year", "rnd_expense", "super_deduction", "revenue", "remark"]
HEADER = 4
"""Rows above the data; who writes a script has looked."""

UNIT = 10_000
"""Yuan in what amounts are written in, as the sheet says."""

Read = tuple[Any, list[dict[str, Any]]]
"""A frame with COLUMNS, and the cells that the reader says it could not read: row and column."""


def ours(path: Path) -> Read:
    """The product: nothing about the layout is told to it. Check digits, its next step, are included."""
    import polars as pl

    from registries.read import read_table
    from schemas.codes import uscc_check_digit_fits
    from schemas.registries import REGISTRIES

    table = read_table(path, REGISTRIES["rnd"], path.name)
    place = pl.col("source_row").alias("row")
    codes = table.frame.filter(~uscc_check_digit_fits(pl.col("uscc"))).select(
        place, pl.lit("uscc").alias("column")
    )
    faults = pl.concat([table.located_faults().select(place, "column"), codes])
    money = [(pl.col(c).to_physical().cast(pl.Int64)) for c in ("rnd_expense", "revenue")]
    named = ("uscc", "year", "super_deduction")
    return table.frame.select(place, *named, *money), faults.to_dicts()


def pandas(engine: str) -> Callable[[Path], Read]:
    """The cleaning that an analyst writes for this sheet."""

    def read(path: Path) -> Read:
        import pandas as pd

        frame = pd.read_excel(
            path, engine=engine, header=None, skiprows=HEADER, names=NAMES, dtype={"uscc": str}
        )
        frame["row"] = frame.index + HEADER + 1
        frame = frame[(frame["serial"] != "合计") & frame["uscc"].notna()].copy()
        frame["uscc"] = frame["uscc"].str.strip().str.upper()
        frame["year"] = pd.to_numeric(frame["year"].astype(str).str[:4], errors="coerce").astype("Int64")
        for name in ("rnd_expense", "revenue"):
            text = frame[name].astype(str).str.replace(",", "", regex=False).str.strip()
            yuan = pd.to_numeric(text, errors="coerce") * UNIT
            frame[name] = (yuan * 100).round().astype("Int64")
        frame["super_deduction"] = frame["super_deduction"].isin(["是", "√", "Y"])
        return frame[list(COLUMNS)], []

    return read


def loop(path: Path) -> Read:
    """A loop over cells in Python, with decimals, by someone who knows that departments type numbers as text."""
    import polars as pl
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    rows: list[tuple[Any, ...]] = []
    cells = book.worksheets[0].iter_rows(min_row=HEADER + 1, max_col=len(NAMES), values_only=True)
    for number, (serial, _, code, year, spent, flag, revenue, _) in enumerate(cells, HEADER + 1):
        if serial == "合计" or code is None:
            continue
        deducts = flag in ("是", "√", "Y")
        rows.append(
            (number, str(code).strip().upper(), int(str(year)[:4]), _fen(spent), deducts, _fen(revenue))
        )
    return pl.DataFrame(rows, schema=COLUMNS, orient="row", infer_schema_length=None), []


def _fen(cell: Any) -> int | None:
    try:
        return int((Decimal(str(cell).replace(",", "").strip()) * UNIT * 100).quantize(Decimal(1)))
    except InvalidOperation:
        return None


READERS: dict[str, Callable[[Path], Read]] = {
    "ours": ours,
    "pandas_openpyxl": pandas("openpyxl"),
    "pandas_calamine": pandas("calamine"),
    "openpyxl_loop": loop,
}
_IMPORTS = {
    "ours": ("registries.read",),
    "pandas_openpyxl": ("pandas", "openpyxl"),
    "pandas_calamine": ("pandas", "python_calamine"),
    "openpyxl_loop": ("polars", "openpyxl"),
}
_LIBRARIES = {
    "ours": ("polars", "fastexcel"),
    "pandas_openpyxl": ("pandas", "openpyxl"),
    "pandas_calamine": ("pandas", "python-calamine"),
    "openpyxl_loop": ("openpyxl",),
}


def measure(reader: str, folder: Path) -> dict[str, Any]:
    """Read once, with everything imported; keep what was read."""
    if absent := [name for name in _IMPORTS[reader] if importlib.util.find_spec(name) is None]:
        return {"failed": f"without {', '.join(absent)}"}
    for name in _IMPORTS[reader]:
        importlib.import_module(name)
    figures, (frame, told) = clocked(READERS[reader], folder / "rnd.xlsx")
    figures |= {"peak": peak()}
    path = folder / f"{reader}.parquet"
    frame.to_parquet(path, index=False) if reader.startswith("pandas") else frame.write_parquet(path)
    (folder / f"{reader}.json").write_text(json.dumps(told), encoding="utf-8")
    return figures | {"versions": {name: version(name) for name in _LIBRARIES[reader]}}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2])), ensure_ascii=False))
