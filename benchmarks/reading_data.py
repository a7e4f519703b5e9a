"""A department's R&D workbook, as messy as they come, and what it says: python -m benchmarks.reading_data ROWS SEED FOLDER

A merged title, a line with 填报单位 and 单位：万元, a header of two lines, a serial column, blank rows, a 合计 row and
a note; figures as text, in full width, with separators, with the dust that formulas leave in floats. Leaves
`rnd.xlsx` and `truth.parquet`: one row for each row of data, with the row's number in Excel, money in fen, and the
trap that was set in it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from openpyxl import Workbook

from benchmarks.contest.data import credit_codes
from synth.cells import wide
from synth.draws import stream

TITLE = "昆山市2023年度企业研发投入汇总表（合成数据）"
UPPER = ["序号", "企业名称", "统一社会\n信用代码", "所属年度", "投入情况", None, None, "备注"]
LOWER = [None, None, None, None, "研发费用\n金额", "是否享受\n加计扣除", "营业收入", None]
MERGED = ("A1:H1", "A2:H2", "E3:G3", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "H3:H4")
FIRST = 5
"""The row in Excel of the first row of data."""

_PAGE = 500
"""Rows between two blank ones."""

_FEN = 1_000_000
"""Fen in 10,000 yuan."""

TRAPS = {
    "plain": 0.80,
    "grouped": 0.08,
    "full_width": 0.04,
    "dust": 0.05,
    "blank": 0.0285,
    "tiny": 0.0005,
    "finer_than_a_fen": 0.0005,
    "unreadable": 0.0005,
}
"""How R&D spending is written, and how often."""

_YEARS = [2023, "2023年度", "2023年", "２０２３"]
_AS_NUMBER = 913205831234567000.0
"""A code of digits only that was typed into a cell for numbers: the last three digits are gone."""

_FLAGS: list[tuple[bool | None, str | None]] = [
    *((True, "是"), (True, "√"), (True, "Y")),
    *((False, "否"), (False, "×"), (None, None)),
]


def make(rows: int, seed: int, folder: Path) -> None:
    """Write the workbook and the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    book = Workbook(write_only=True)
    page = book.create_sheet("研发投入")
    page.merged_cells.ranges.update(MERGED)
    for cells in ([TITLE], ["填报单位：市科技局（合成数据）　　单位：万元"], UPPER, LOWER):
        page.append(cells)
    truth, number = [], FIRST
    for place, (cells, told) in enumerate(_rows(rows, seed)):
        if place and place % _PAGE == 0:
            page.append([])
            number += 1
        page.append(cells)
        truth.append({"row": number, **told})
        number += 1
    frame = pl.DataFrame(truth, infer_schema_length=None)
    sums = [(frame[name].sum() or 0) / _FEN for name in ("rnd_expense", "revenue")]
    page.append(["合计", None, None, None, sums[0], None, sums[1]])
    page.append([])
    page.append(["注：本表为合成数据，由程序生成，不对应任何真实的企业和资金。"])
    book.save(folder / "rnd.xlsx")
    frame.write_parquet(folder / "truth.parquet")


def _rows(rows: int, seed: int) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Cells of each row, and what they say."""
    rng = stream(seed, "reading")
    codes = credit_codes(np.arange(rows, dtype=np.int64) * 7919 + seed).to_list()
    spent = np.maximum(np.rint(rng.lognormal(19.0, 1.3, rows)), 100).astype(np.int64).tolist()
    revenue = np.rint(rng.lognormal(22.0, 1.3, rows)).astype(np.int64).tolist()
    traps = rng.choice(len(TRAPS), rows, p=list(TRAPS.values()))
    years, flags = (
        rng.choice(4, rows, p=[0.9, 0.05, 0.03, 0.02]),
        rng.choice(6, rows, p=[0.6, 0.1, 0.05, 0.15, 0.05, 0.05]),
    )
    coded = rng.choice(5, rows, p=[0.9495, 0.02, 0.02, 0.01, 0.0005])
    for place in range(rows):
        trap = list(TRAPS)[traps[place]]
        fen, cell = _amount(trap, spent[place])
        flag, mark = _FLAGS[flags[place]]
        code = codes[place]
        forms = [code, code.lower(), f" {code}\u00a0", wide(code), _AS_NUMBER]
        name = f"昆山评测企业{place:08}有限公司"
        told = {
            "uscc": code,
            "year": 2023,
            "rnd_expense": fen,
            "super_deduction": flag,
            "revenue": revenue[place],
        }
        yield (
            [
                place + 1,
                name,
                forms[coded[place]],
                _YEARS[years[place]],
                cell,
                mark,
                revenue[place] / _FEN,
                None,
            ],
            {**told, "trap": trap, "code_as_number": bool(coded[place] == 4)},
        )


def _amount(trap: str, fen: int) -> tuple[int | None, Any]:
    """Fen, and the cell (10,000 yuan) that says so in the way of the trap."""
    amount = fen / _FEN
    match trap:
        case "grouped":
            return fen, f"{amount:,.6f}"
        case "full_width":
            return fen, wide(f"{amount:,.6f}")
        case "dust":
            return fen, float(np.nextafter(amount, np.inf))
        case "blank":
            return None, "—" if fen % 2 else None
        case "tiny":
            return 1, 1e-06
        case "finer_than_a_fen":
            return fen, f"{amount:.6f}4"
        case "unreadable":
            return None, "待核"
    return fen, amount


if __name__ == "__main__":
    make(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
