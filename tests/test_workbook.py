"""The workbook as officers expect it: sheets, values that agree, text that stays text."""

from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl.workbook import Workbook

from reports.workbook import write_workbook
from schemas.outputs import AWARDS, REJECTS, SETTLEMENT, SUMMARY

SHEETS = [
    "说明",
    "汇总",
    "兑现明细",
    "拨付清单",
    "区镇负担通知",
    "待核定",
    "不予兑现",
    "跨年补报",
    "数据问题",
    "公示",
    "校验",
]


@pytest.fixture(scope="module")
def book(published: Path) -> Workbook:
    return openpyxl.load_workbook(published / "awards.xlsx")


def column(book: Workbook, sheet: str, heading: str) -> list[object]:
    """The body of a column, from below its heading to the row 合计."""
    page = book[sheet]
    header = next(r for r in page.iter_rows() if heading in [c.value for c in r])
    place = [c.value for c in header].index(heading)
    body = []
    for row in page.iter_rows(min_row=header[0].row + 1, values_only=True):
        if row[0] == "合计":
            break
        body.append(row[place])
    return body


def test_sheets_in_order_and_print_ready(book: Workbook) -> None:
    assert book.sheetnames == SHEETS
    for page in book.worksheets:
        assert page.page_setup.paperSize == 9 and page.page_setup.fitToWidth == 1
        assert "&P" in page.oddFooter.center.text
        assert any(str(r).startswith("A1:") for r in page.merged_cells.ranges)
    assert book["兑现明细"].freeze_panes and book["兑现明细"].print_title_rows
    assert len(book["汇总"]._charts) == 2


def test_details_and_totals_agree_with_the_parquet(book: Workbook, published: Path) -> None:
    awards = pl.read_parquet(published / "awards.parquet")
    payable = awards.filter(pl.col("status") == "payable")
    paid = [Decimal(str(v)) for v in column(book, "兑现明细", "兑付额")]
    assert sorted(paid) == sorted(payable["award"].to_list())
    by_applicant = [Decimal(str(v)) for v in column(book, "拨付清单", "拨付合计")]
    assert sum(by_applicant) == payable["award"].sum() and len(by_applicant) == payable["uscc"].n_unique()
    assert len(column(book, "待核定", "下限")) == awards.filter(pl.col("status") == "pending").height
    refused = len(column(book, "不予兑现", "原因")) + len(column(book, "跨年补报", "处理"))
    assert refused >= awards.filter(pl.col("status").is_in(["ineligible", "duplicate"])).height
    assert set(column(book, "校验", "结论")) >= {"相符"} and "不符" not in column(book, "校验", "结论")


def test_publicity_shows_no_figures(book: Workbook) -> None:
    for row in book["公示"].iter_rows(min_row=4, min_col=2, values_only=True):
        assert not any(isinstance(value, int | float) for value in row)


def test_no_formulas_at_all(book: Workbook) -> None:
    for page in book.worksheets:
        for row in page.iter_rows():
            assert all(cell.data_type != "f" for cell in row)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    whole = ("gross", "award", "award_low", "award_high", "city_share")
    nothing = ("cap_reduction", "overlap_reduction", "district_share", "prefecture_share")
    line = dict.fromkeys(AWARDS) | dict.fromkeys(whole, Decimal("1.00")) | dict.fromkeys(nothing, Decimal(0))
    line |= {"item": "A4.02", "policy": "A", "article": 4, "title": "t", "class": "recognition"}
    line |= {"uscc": "1" * 18, "name": "=1+1\x07<&>", "district": "开发区", "status": "payable"}
    line |= {"source_file": "=x", "source_row": 2, "working": "@SUM(A1)"}
    lists = dict.fromkeys(
        ("policies", "readings", "changes", "inputs", "notes", "scenarios", "identities"), []
    )
    manifest = {
        **lists,
        "year": 2023,
        "rows": {},
        "catalogue": {"version": "", "items": 1},
        "software": {"version": ""},
    }
    path = tmp_path / "awards.xlsx"
    write_workbook(
        path,
        awards=pl.LazyFrame([line], schema=AWARDS),
        summary=pl.DataFrame(schema=SUMMARY),
        settlement=pl.LazyFrame(schema=SETTLEMENT),
        rejects=pl.LazyFrame(schema=REJECTS),
        manifest=manifest,
        today="2024-01-15",
    )
    cells = [c for row in openpyxl.load_workbook(path)["兑现明细"].iter_rows() for c in row]
    for text in ("=1+1<&>", "@SUM(A1)"):
        found = [c for c in cells if c.value == text]
        assert found and all(c.data_type == "s" for c in found)
