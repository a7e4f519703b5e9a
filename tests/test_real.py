"""A4.06 recomputed by plain Python, one enterprise at a time, on every city at hand."""

import csv
import io
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from flows.direct import run_annual
from tests.conftest import SHARED

FEN = Decimal("0.01")
Key = tuple[str, int]


def yes(value: object) -> bool | None:
    return True if value in ("是", True) else False if value in ("否", False) else None


def from_csv(path: Path, encoding: str, unit: int) -> dict[Key, tuple[Decimal, bool | None]]:
    rows = list(csv.reader(io.StringIO(path.read_text(encoding))))
    money = next(i for i, name in enumerate(rows[0]) if name.startswith("研发费用"))
    year, flag = rows[0].index("年度"), rows[0].index("享受加计扣除")
    return {(r[0], int(r[year])): (Decimal(r[money]) * unit, yes(r[flag])) for r in rows[1:]}


def from_workbook(path: Path) -> dict[Key, tuple[Decimal, bool | None]]:
    found = {}
    for row in openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True):
        if row[0] and len(str(row[0])) == 18 and str(row[0]).isascii():
            figure = Decimal(str(row[3]).replace(",", "")) * 10_000
            found[str(row[0]), int(str(row[2]))] = (figure, yes(row[4]))
    return found


def from_parquet(raw: Path) -> dict[Key, tuple[Decimal, bool | None]]:
    found: dict[Key, tuple[Decimal, bool | None]] = {}
    for path in sorted(raw.glob("*/rnd.parquet")):
        for row in pl.read_parquet(path).select("uscc", "year", "rnd_expense", "super_deduction").iter_rows():
            found[row[0], int(row[1])] = (Decimal(row[2]), row[3])
    return found


def expected(figures: dict[Key, tuple[Decimal, bool | None]], year: int) -> dict[str, Decimal]:
    """The award of every enterprise of the year: 6% of growth of at least 20万, at most 300万, both years' deduction."""
    awards = {}
    for (uscc, y), (now, deducted) in figures.items():
        if y != year:
            continue
        before, deducted_before = figures.get((uscc, year - 1), (None, None))
        growth = None if before is None else now - before
        due = growth is not None and growth >= 200_000 and deducted and deducted_before
        six = (growth * 6 / 100).quantize(FEN, ROUND_HALF_UP) if due and growth is not None else Decimal(0)
        awards[uscc] = min(six, Decimal(3_000_000))
    return awards


def agrees(raw: Path, out: Path, year: int, figures: dict[Key, tuple[Decimal, bool | None]]) -> None:
    target = run_annual(year, raw, out, (), lambda _: None)
    lines = pl.read_parquet(target / "awards.parquet").filter(pl.col("item") == "A4.06")
    computed = dict(lines.select("uscc", "award").iter_rows())
    by_hand = expected(figures, year)
    assert computed.keys() == by_hand.keys() and len(by_hand) > 100
    assert {u: (computed[u], by_hand[u]) for u in by_hand if computed[u] != by_hand[u]} == {}
    halves = lines.select("award", "city_share", "district_share").iter_rows()
    for award, city, district in halves:
        assert district == (award / 2).quantize(FEN, ROUND_HALF_UP) and city == award - district


def test_synthetic_city(city: Path, tmp_path: Path) -> None:
    agrees(city, tmp_path, 2023, from_parquet(city))


@pytest.mark.parametrize("name", ["scoreboard", "panel"])
def test_real_registries(name: str, city: Path, tmp_path: Path) -> None:
    """On the real registries where they are at hand, else on the synthetic city's other year."""
    raw = SHARED / name
    if not raw.is_dir():
        raw, figures = city, from_parquet(city)
    elif name == "scoreboard":
        figures = from_csv(raw / "2021" / "rnd.csv", "gb18030", 1)
        figures |= from_workbook(raw / "2022" / "研发投入.xlsx")
    else:
        figures = from_csv(raw / "2022" / "rnd.csv", "utf-8-sig", 10_000)
    agrees(raw, tmp_path, 2022, figures)
