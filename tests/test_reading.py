"""Real files in every mess that departments send: read to the cell, or refused naming file, sheet and row."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from registries.formulas import hidden_cells
from registries.grids import Grid
from registries.headers import find_header
from registries.locate import locate, locate_years
from registries.read import RAW, Table, read_table
from schemas.errors import Unusable
from schemas.registries import REGISTRIES, Registry

甲, 乙, 丙 = "914403001922038216", "9144030071526726XG", "91110000802100433B"
表头 = ["统一社会信用代码", "年度", "研发费用", "享受加计扣除"]
两行 = [[甲, 2023, 1000.5, "是"], [乙, 2023, 2000, "否"]]

Rows = Sequence[Sequence[Any]]


def sheet(workbook: Workbook, title: str, rows: Rows, down: int = 0, right: int = 0) -> Worksheet:
    """Write rows from A1, or so many rows down and columns right."""
    page = workbook.create_sheet(title)
    for y, row in enumerate(rows, 1 + down):
        for x, value in enumerate(row, 1 + right):
            if value is not None:
                page.cell(y, x, value)
    return page


def book(path: Path, *pages: tuple[str, Rows], down: int = 0, right: int = 0) -> Path:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for title, rows in pages:
        sheet(workbook, title, rows, down, right)
    workbook.save(path)
    return path


def text(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    lines = (",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def read(path: Path, registry: str = "rnd") -> Table:
    return read_table(path, REGISTRIES[registry], path.name)


def rnd(folder: Path, rows: Rows, down: int = 0, right: int = 0) -> Table:
    return read(book(folder / "研发投入.xlsx", ("表一", rows), down=down, right=right))


def amounts(table: Table, column: str = "rnd_expense") -> list[Any]:
    return [None if v is None else str(v) for v in table.frame[column]]


def at(table: Table) -> list[int]:
    return table.frame["source_row"].to_list()


def faults(table: Table) -> list[tuple[int, str, str, str]]:
    """(row, column, raw text, check) of every cell that could not be read."""
    found = []
    for row, column, check in table.faults.sort("row", "column").select("row", "column", "check").iter_rows():
        raw = table.frame[row, RAW + column] if column else None
        found.append((table.frame[row, "source_row"], column, raw, check))
    return found


# The table in a sheet


def test_a_plain_workbook(tmp_path: Path) -> None:
    table = rnd(tmp_path, [表头, *两行])
    assert table.frame.select("uscc", "year", "super_deduction").rows() == [
        (甲, 2023, True),
        (乙, 2023, False),
    ]
    assert amounts(table) == ["1000.50", "2000.00"]
    assert table.frame.select("source_file", "source_sheet", "source_row").rows() == [
        ("研发投入.xlsx", "表一", 2),
        ("研发投入.xlsx", "表一", 3),
    ]
    assert table.faults.is_empty()
    assert table.notes == []


def test_titles_units_serial_numbers_blanks_totals_and_notes(tmp_path: Path) -> None:
    rows: Rows = [
        ["昆山市2023年度企业研发投入情况表"],
        [],
        ["填报单位：昆山市科技局", None, None, None, "单位：万元"],
        ["序号", *表头, "备注"],
        [1, 甲, 2023, 100.05, "是"],
        [],
        [2, 乙, 2023, 200, "否", "口径含税"],
        [3],
        ["小计", None, None, 300.05],
        [4, 丙, 2023, 50, "是"],
        ["小计", None, None, 50],
        ["合　计", None, None, 350.05],
        [],
        ["注：1.数据来自汇算清缴"],
        ["2.金额含税"],
        ["填表人：张三", None, "审核人：李四", None, "日期：2024年1月5日"],
    ]
    table = rnd(tmp_path, rows)
    assert at(table) == [5, 7, 10]
    assert amounts(table) == ["1000500.00", "2000000.00", "500000.00"]
    assert table.faults.is_empty()
    assert table.notes == [
        "研发投入.xlsx「表一」略过合计行3行、说明行3行",
        "研发投入.xlsx「表一」金额单位为万元，已换算为元",
        "研发投入.xlsx「表一」未使用的列：序号、备注",
    ]


def test_leading_blank_rows_and_columns(tmp_path: Path) -> None:
    table = rnd(tmp_path, [表头, *两行], down=3, right=2)
    assert at(table) == [5, 6]
    assert amounts(table) == ["1000.50", "2000.00"]


def test_merged_titles_and_merged_codes(tmp_path: Path) -> None:
    workbook = Workbook()
    page = workbook.active
    page.title = "表一"
    for row in [["研发投入"], 表头, 两行[0], [None, 2022, 900, "是"]]:
        page.append(row)
    page.merge_cells("A1:D1")
    page.merge_cells("A3:A4")
    workbook.save(tmp_path / "研发投入.xlsx")
    table = read(tmp_path / "研发投入.xlsx")
    assert table.frame["uscc"].to_list() == [甲, None]  # the check rejects the second row: required


def test_blank_columns_between(tmp_path: Path) -> None:
    table = rnd(tmp_path, [[表头[0], None, *表头[1:]], [甲, None, 2023, 5, "是"]])
    assert amounts(table) == ["5.00"]
    assert table.notes == []


def test_two_line_headers(tmp_path: Path) -> None:
    rows: Rows = [
        ["统一社会信用代码", "年度", "研发费用", None, "享受加计扣除"],
        [None, None, "金额（万元）", "其中：委外", None],
        [甲, 2023, 1.5, 1, "是"],
    ]
    table = rnd(tmp_path, rows)
    assert (amounts(table), at(table)) == (["15000.00"], [3])
    assert table.notes == ["研发投入.xlsx「表一」未使用的列：其中：委外"]


@pytest.mark.parametrize("unit", ["（万元）", "万元", "单位：万元", "(人民币万元)"])
def test_units_on_a_second_header_line(tmp_path: Path, unit: str) -> None:
    table = rnd(tmp_path, [表头, [None, None, unit, "是/否"], *两行])
    assert amounts(table) == ["10005000.00", "20000000.00"]
    assert at(table) == [3, 4]


def test_a_unit_line_right_above_the_header_serves_all_columns(tmp_path: Path) -> None:
    header = [*表头, "营业收入"]
    table = rnd(tmp_path, [[None, None, None, None, "单位：万元"], header, [甲, 2023, 1, "是", 2]])
    assert amounts(table) == ["10000.00"]
    assert amounts(table, "revenue") == ["20000.00"]


def test_newlines_blanks_and_stars_in_header_cells(tmp_path: Path) -> None:
    header = ["*统一社会\n信用代码", "年 度", "研发费用\r\n（ 万元 ）", "是否享受\u3000加计扣除*"]
    table = rnd(tmp_path, [header, *两行])
    assert amounts(table) == ["10005000.00", "20000000.00"]


@pytest.mark.parametrize(
    ("title", "factor"),
    [
        ("研发费用", 1),
        ("研发费用（元）", 1),
        ("研发费用(万元)", 10_000),
        ("研发费用（万元）", 10_000),
        ("研发费用【万元】", 10_000),
        ("研发费用（单位：万元）", 10_000),
        ("研发费用（人民币万元）", 10_000),
        ("研发费用（千元）", 1000),
        ("研发费用（亿元）", 100_000_000),
        ("rnd_expense(万元)", 10_000),
        ("研发投入（2023年）（万元）", 10_000),
        ("研发费用　单位：万元", 10_000),
    ],
)
def test_units_in_headers(tmp_path: Path, title: str, factor: int) -> None:
    table = rnd(tmp_path, [[*表头[:2], title, 表头[3]], [甲, 2023, 2.5, "是"]])
    assert table.frame["rnd_expense"].to_list() == [Decimal("2.5") * factor]


@pytest.mark.parametrize(
    "title",
    [
        "研发费用（美元）",
        "研发费用（万美元）",
        "研发费用（含税，万元）",
        "研发费用（上年）",
        "研发费用（预计）",
    ],
)
def test_a_header_that_means_another_figure_is_not_taken(tmp_path: Path, title: str) -> None:
    with pytest.raises(Unusable, match="缺少「研发费用」"):
        rnd(tmp_path, [[*表头[:2], title, 表头[3]], *两行])


@pytest.mark.parametrize(
    "said",
    [
        ["单位：万元"],
        ["单位:万元"],
        ["单位 ： 万元"],
        ["单位：人民币万元"],
        ["金额单位：万元"],
        ["单位：家、万元"],
        ["单位：", "万元"],
        ["填报单位：科技局", "单位：万元"],
        ["填报单位：科技局　　单位：万元"],
        ["2023年研发投入表（万元）"],
        ["本表以万元为单位"],
        ["金额单位均为万元"],
    ],
)
def test_the_sheets_unit(tmp_path: Path, said: list[str]) -> None:
    assert amounts(rnd(tmp_path, [said, 表头, 两行[0]])) == ["10005000.00"]


@pytest.mark.parametrize("said", ["单位：万元", "注：金额单位为万元", "注：单位：万元"])
def test_the_sheets_unit_below_the_table(tmp_path: Path, said: str) -> None:
    table = rnd(tmp_path, [表头, 两行[0], [], [said]])
    assert amounts(table) == ["10005000.00"]


@pytest.mark.parametrize(
    "said", ["填报单位：万元科技有限公司", "设备投资额500（万元）以上的填报", "单位：元", "说明"]
)
def test_what_is_no_statement_of_the_unit(tmp_path: Path, said: str) -> None:
    assert amounts(rnd(tmp_path, [[said], 表头, 两行[0]])) == ["1000.50"]


def test_a_headers_unit_wins_over_the_sheets(tmp_path: Path) -> None:
    header = [*表头[:2], "研发费用（元）", 表头[3], "营业收入"]
    table = rnd(tmp_path, [["单位：万元"], header, [甲, 2023, 3, "是", 4]])
    assert amounts(table) == ["3.00"]
    assert amounts(table, "revenue") == ["40000.00"]


def test_two_units_of_one_sheet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="两种金额单位：万元、元"):
        rnd(tmp_path, [["单位：万元"], ["单位：元"], 表头, *两行])


@pytest.mark.parametrize("unit", ["美元", "万美元", "万"])
def test_a_sheet_in_another_unit_is_refused(tmp_path: Path, unit: str) -> None:
    with pytest.raises(Unusable, match=f"「{unit}」不能换算为元"):
        rnd(tmp_path, [[f"金额单位：{unit}"], 表头, *两行])


def test_the_unit_in_the_name_of_the_sheet(tmp_path: Path) -> None:
    path = book(tmp_path / "研发投入.xlsx", ("研发投入（万元）", [表头, 两行[0]]))
    assert amounts(read(path)) == ["10005000.00"]


def test_columns_in_any_order_english_chinese_and_by_alias(tmp_path: Path) -> None:
    header = ["是否享受加计扣除", "revenue", "研发费用金额", "YEAR", "信用代码"]
    table = rnd(tmp_path, [header, ["√", 9, 8, "2023年", 甲.lower()]])
    assert table.frame.select("uscc", "year", "super_deduction").rows() == [(甲, 2023, True)]
    assert (amounts(table), amounts(table, "revenue")) == (["8.00"], ["9.00"])
    assert list(table.frame.columns[:6]) == list(REGISTRIES["rnd"].columns)


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_every_spelling_of_every_header_is_recognised(registry: Registry) -> None:
    for place, column in enumerate(registry.columns):
        for spelling in registry.spellings(column):
            titles = [registry.header(c) for c in registry.columns]
            titles[place] = spelling
            grid = Grid(Path("x.csv"), None, pl.DataFrame({f"c{n}": [t] for n, t in enumerate(titles)}))
            header = find_header(grid, registry)
            assert header is not None
            assert {name: field.place for name, field in header.fields.items()} == {
                name: n for n, name in enumerate(registry.columns)
            }


def test_columns_without_a_header_are_named(tmp_path: Path) -> None:
    table = rnd(tmp_path, [[*表头, None, "联系人"], [*两行[0], "附言", "张三"]], right=1)
    assert table.notes == [
        "研发投入.xlsx「表一」未使用的列：联系人",
        "研发投入.xlsx「表一」有内容而没有表头的列未使用：F列",
    ]


def test_one_column_under_two_headers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="有两列都是「研发费用」：「研发费用」和「研发投入」"):
        rnd(tmp_path, [[*表头, "研发投入"], [*两行[0], 7]])


def test_repeated_headers_and_titles_of_printed_pages_are_dropped(tmp_path: Path) -> None:
    page = [["2023年研发投入表"], ["序号", *表头]]
    rows = [*page, [1, *两行[0]], *page, [2, *两行[1]]]
    table = rnd(tmp_path, rows)
    assert at(table) == [3, 6]
    assert "研发投入.xlsx「表一」略过重复表头2行" in table.notes


# What is a row


def test_a_row_that_says_anything_is_kept(tmp_path: Path) -> None:
    header = ["序号", "企业名称", *表头]
    rows: Rows = [
        header,
        [1, "甲公司", None, 2023, 5, "是"],  # no code
        [2, "乙公司"],  # a name and nothing else
        [3, None, None, None, 7],  # an amount only
        [4],  # blank
        [5, "—", "/", "-", " ", "　"],  # blank too
        [6, "注册中的公司", "查无此号", 2023, 5, "是"],
        ["7."],  # blank
        [None, None, None, None, None, "是"],
        ["单位1"],
        [None, "来源科技（昆山）公司"],
    ]
    assert at(rnd(tmp_path, rows)) == [2, 3, 4, 7, 9, 10, 11]


def test_words_like_total_in_a_row_with_a_code_make_no_total(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额"]
    path = book(
        tmp_path / "设备投入.xlsx",
        ("表", [header, [甲, 2023, "P1", "合计", 5], [乙, 2023, "P2", "注：改造", 6]]),
    )
    assert at(read(path, "equipment")) == [2, 3]


@pytest.mark.parametrize(
    "label",
    ["合计", "合 计", "总计", "合计：", "合计（万元）", "花桥小计", "2023年度合计", "合计12家", "本页小计"],
)
def test_totals_are_dropped_and_counted(tmp_path: Path, label: str) -> None:
    for place in range(2):
        total = [None] * place + [label] + [None] * (2 - place) + [3000.5]
        table = rnd(tmp_path, [["序号", *表头], [1, *两行[0]], [2, *两行[1]], total])
        assert at(table) == [2, 3]
        assert table.notes[0] == "研发投入.xlsx「表一」略过合计行1行"


def total_notes(folder: Path, rows: Rows) -> list[str]:
    return [
        note
        for note in rnd(folder, [["单位：万元"], 表头, *rows]).notes
        if "合计" in note and "略过" not in note
    ]


def row(amount: Any) -> list[Any]:
    return [甲, 2023, amount, "是"]


def total(amount: Any, word: str = "合计") -> list[Any]:
    return [word, None, amount]


def test_a_total_that_differs_is_told_with_both_figures(tmp_path: Path) -> None:
    assert total_notes(tmp_path, [row(100), row("200.01"), total(310)]) == [
        "研发投入.xlsx「表一」第5行合计与明细不符：研发费用合计填 3,100,000.00 元，"
        "明细相加为 3,000,100.00 元，相差 99,900.00 元。请核对是否漏行或改动"
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [row(1), row(2), total(3)],
        [row(1), total(1, "小计"), row(2), row(3), total(5, "小计"), total(6)],
        [row(1), total(1, "小计"), row(2), total(3, "累计")],
        [row(1), total(1, "本页合计"), row(2), total(2, "本页合计"), total(3, "总计")],
        [total(6), row(1), row(2), row(3)],
        [total(6), total(3, "开发区小计"), row(1), row(2), total(3, "花桥小计"), row(3)],
        [total(3), row(1), total(1, "小计"), row(2), total(2, "小计")],
        [row(None), total(None), row(1), total(1)],
    ],
)
def test_totals_that_agree_are_silent(tmp_path: Path, rows: Rows) -> None:
    assert total_notes(tmp_path, rows) == []


@pytest.mark.parametrize(
    ("rows", "line", "shown"),
    [
        ([row(1), total(1, "小计"), row(2), total(9, "小计"), total(3)], 6, "20,000.00"),
        ([total(7), row(1), row(2)], 3, "30,000.00"),
        ([total(3), total(2, "开发区小计"), row(1), total(2, "花桥小计"), row(2)], 4, "10,000.00"),
        ([row(1), row("读不懂"), total(2)], 5, "10,000.00"),
    ],
)
def test_totals_that_disagree(tmp_path: Path, rows: Rows, line: int, shown: str) -> None:
    (note,) = total_notes(tmp_path, rows)
    assert f"第{line}行合计与明细不符" in note
    assert f"明细相加为 {shown} 元" in note


def test_a_total_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert total_notes(tmp_path, [row(1), total("约1")]) == [
        "研发投入.xlsx「表一」第4行的研发费用合计「约1」不是金额，未能与明细核对"
    ]


# Several sheets


def test_sheets_without_the_header_are_passed_over(tmp_path: Path) -> None:
    path = book(
        tmp_path / "研发投入.xlsx",
        (
            "填表说明",
            [
                ["填表说明"],
                ["统一社会信用代码", "统一社会信用代码：18位"],
                ["研发费用", "研发费用、研发投入"],
            ],
        ),
        ("空表", []),
        ("明细", [表头, *两行]),
        ("图", [["x", 1]]),
    )
    table = read(path)
    assert table.frame["source_sheet"].to_list() == ["明细", "明细"]


def test_two_sheets_that_fit_are_refused_by_name(tmp_path: Path) -> None:
    path = book(tmp_path / "研发投入.xlsx", ("一季度", [表头, *两行]), ("二季度", [表头, *两行]))
    with pytest.raises(Unusable, match="有2个工作表都像研发投入：「一季度」、「二季度」"):
        read(path)


def test_a_chart_sheet_is_passed_over(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.create_chartsheet("图表")
    sheet(workbook, "明细", [表头, *两行])
    workbook.save(tmp_path / "研发投入.xlsx")
    assert at(read(tmp_path / "研发投入.xlsx")) == [2, 3]


# Cells of a workbook


def test_numbers_are_read_at_fifteen_digits(tmp_path: Path) -> None:
    header = [*表头[:2], "研发费用（亿元）", 表头[3]]
    figures = [1.2345678901, 0.1 + 0.2, 1e-10, 0.0000123, 1234567.5, "1.2345678901", 5, 1.5000000001]
    table = rnd(tmp_path, [header, *([甲, 2023, value, "是"] for value in figures)])
    assert amounts(table) == [
        *("123456789.01", "30000000.00", "0.01", "1230.00", "123456750000000.00"),
        *("123456789.01", "500000000.00", "150000000.01"),
    ]


def test_numbers_behind_leading_blank_columns(tmp_path: Path) -> None:
    header = [*表头[:2], "研发费用（亿元）", 表头[3], "营业收入（亿元）"]
    rows: Rows = [header, [甲, 2023, 1.2345678901, "是", 9.8765432109], [乙, 2023, 0.1 + 0.2, "否", 7]]
    table = rnd(tmp_path, rows, right=2)
    assert amounts(table) == ["123456789.01", "30000000.00"]
    assert amounts(table, "revenue") == ["987654321.09", "700000000.00"]


def test_what_is_finer_than_a_fen_is_refused(tmp_path: Path) -> None:
    table = rnd(tmp_path, [表头, row(1 / 3), row(1.005), row(0.1 + 0.2), row("1.001"), row(True), row("1e5")])
    assert amounts(table) == [None, None, "0.30", None, None, None]
    assert faults(table) == [
        (2, "rnd_expense", "0.3333333333333333", "unreadable_money"),
        (3, "rnd_expense", "1.005", "unreadable_money"),
        (5, "rnd_expense", "1.001", "unreadable_money"),
        (6, "rnd_expense", "true", "unreadable_money"),
        (7, "rnd_expense", "1e5", "unreadable_money"),
    ]


def test_faults_quote_the_cell_as_it_stands(tmp_path: Path) -> None:
    table = rnd(tmp_path, [表头, [甲, "去年", "约 100 万元", "不详"]], down=2)
    assert faults(table) == [
        (4, "rnd_expense", "约 100 万元", "unreadable_money"),
        (4, "super_deduction", "不详", "unreadable_flag"),
        (4, "year", "去年", "unreadable_year"),
    ]
    assert all("请" in reason for reason in table.faults["reason"])


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        (date(2023, 5, 1), "yyyy-mm-dd"),
        (datetime(2023, 5, 1, 10, 30), "yyyy/m/d h:mm"),
        (date(2023, 5, 1), 'yyyy"年"m"月"d"日"'),
        (date(2023, 5, 1), '[$-804]yyyy"年"m"月"d"日";@'),
        (date(2023, 5, 1), "m/d/yy"),
        (45047, "General"),
        (45047, "0"),
        ("45047", "@"),
        ("2023年5月1日", "@"),
        (20230501, "General"),
    ],
)
def test_days_in_a_workbook(tmp_path: Path, value: Any, number_format: str) -> None:
    workbook = Workbook()
    page = workbook.active
    page.append(["统一社会信用代码", "条款编号", "认定日期"])
    page.append([甲, "A4.06", value])
    page["C2"].number_format = number_format
    workbook.save(tmp_path / "资质认定.xlsx")
    assert read(tmp_path / "资质认定.xlsx", "certifications").frame["certified_on"].to_list() == [
        date(2023, 5, 1)
    ]


@pytest.mark.parametrize(
    "number_format",
    ["#,##0.00", "#,##0.00;[Red]-#,##0.00", "_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ", '0.00"元"', "0.00_);(0.00)"],
)
def test_formats_of_money_do_not_matter(tmp_path: Path, number_format: str) -> None:
    workbook = Workbook()
    page = workbook.active
    page.append(表头)
    page.append(row(1234567.89))
    page["C2"].number_format = number_format
    workbook.save(tmp_path / "研发投入.xlsx")
    assert amounts(read(tmp_path / "研发投入.xlsx")) == ["1234567.89"]


def test_rates_in_a_workbook(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额", "核定比例"]
    rates = [0.06, "6%", "６.00％", 0.07 * 3, 6, 1.5]
    workbook = Workbook()
    page = workbook.active
    for line in [header, *([甲, 2023, f"P{n}", "改造", 5, rate] for n, rate in enumerate(rates))]:
        page.append(line)
    page["F2"].number_format = "0.00%"
    workbook.save(tmp_path / "设备投入.xlsx")
    table = read(tmp_path / "设备投入.xlsx", "equipment")
    assert table.frame["assessed_rate"].to_list() == [
        *map(Decimal, ("0.06", "0.06", "0.06", "0.21")),
        None,
        None,
    ]
    assert faults(table) == [
        (6, "assessed_rate", "6", "unreadable_rate"),
        (7, "assessed_rate", "1.5", "unreadable_rate"),
    ]


def test_rates_under_a_header_in_percent(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额（万元）", "核定比例（%）"]
    path = book(
        tmp_path / "设备投入.xlsx",
        ("表", [header, [甲, 2023, "P1", "改造", 5, 6], [甲, 2023, "P2", "改造", 5, 0.06]]),
    )
    table = read(path, "equipment")
    assert table.frame["assessed_rate"].to_list() == [Decimal("0.06"), None]
    assert faults(table) == [(3, "assessed_rate", "0.06", "unreadable_rate")]


def test_yes_and_no_as_boolean_cells(tmp_path: Path) -> None:
    table = rnd(tmp_path, [表头, [甲, 2023, 1, True], [乙, 2023, 1, False], [丙, 2023, 1, 1]])
    assert table.frame["super_deduction"].to_list() == [True, False, True]


def test_a_workbook_that_counts_days_from_1904(tmp_path: Path) -> None:
    workbook = Workbook()
    workbook.epoch = CALENDAR_MAC_1904
    workbook.active.append(["统一社会信用代码", "条款编号", "认定日期"])
    workbook.active.append([甲, "A4.06", date(2023, 5, 1)])
    workbook.save(tmp_path / "资质认定.xlsx")
    assert read(tmp_path / "资质认定.xlsx", "certifications").frame["certified_on"].to_list() == [
        date(2023, 5, 1)
    ]


def test_codes_and_ids_stored_as_numbers(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额"]
    path = book(tmp_path / "设备投入.xlsx", ("表", [header, [914403001922038216, 2023.0, 7, "改造", 5]]))
    table = read(path, "equipment").frame
    assert table["uscc"].to_list() != [甲]  # a double has lost its last digits: the check digit catches it
    assert table["project_id"].to_list() == ["7"]
    assert table["year"].to_list() == [2023]


# Errors and formulas


def formula_book(path: Path, cells: dict[str, Any], right: int = 0, title: str = "研发 & <投入>") -> Path:
    workbook = Workbook()
    sheet(workbook, "填表说明", [["说明"]])
    page = sheet(workbook, title, [["研发投入"], ["序号", *表头], [1, *两行[0]], [2, *两行[1]]], right=right)
    for place, value in cells.items():
        page[place] = value
    workbook.save(path)
    return path


def test_error_cells_are_faults_of_their_rows(tmp_path: Path) -> None:
    cells = {"B3": "#N/A", "D4": "#REF!", "E4": "#DIV/0!", "G4": "#VALUE!"}
    table = read(formula_book(tmp_path / "研发投入.xlsx", cells))
    assert faults(table) == [
        (3, "uscc", "#N/A", "formula"),
        (4, "rnd_expense", "#REF!", "formula"),
        (4, "super_deduction", "#DIV/0!", "formula"),
    ]
    assert table.faults.sort("row")["reason"][0].startswith("单元格是公式错误 #N/A")
    assert table.frame["uscc"].to_list() == [None, 乙]
    assert table.frame["source_sheet"][0] == "研发 & <投入>"


def test_formulas_without_a_saved_result_are_faults(tmp_path: Path) -> None:
    cells = {"D3": "=1000+0.5", "C4": '=IF(A4>1,"2023<","")', "A4": "=ROW()-2"}
    table = read(formula_book(tmp_path / "研发投入.xlsx", cells))
    assert faults(table) == [
        (3, "rnd_expense", "=1000+0.5", "formula"),
        (4, "year", '=IF(A4>1,"2023<","")', "formula"),
    ]
    assert set(table.faults["reason"]) == {"公式没有保存结果，请在 Excel 中打开并保存后再报送"}


def test_hidden_cells_behind_blank_columns_and_below_the_last_row(tmp_path: Path) -> None:
    cells = {"F3": "#N/A", "D6": "=VLOOKUP(1,A:B,2)", "E6": "=D6"}
    table = read(formula_book(tmp_path / "研发投入.xlsx", cells, right=2))
    assert at(table) == [3, 4, 6]
    assert faults(table) == [
        (3, "rnd_expense", "#N/A", "formula"),
        (6, "uscc", "=VLOOKUP(1,A:B,2)", "formula"),
        (6, "year", "=D6", "formula"),
    ]


def test_formulas_outside_the_data_are_no_faults(tmp_path: Path) -> None:
    cells = {
        "A1": "=TODAY()",
        "A5": "合计",
        "D5": "=SUM(D3:D4)",
        "A7": "=ROW()",
        "H3": "=1/0",
        "A8": "注：",
        "D8": "#N/A",
    }
    table = read(formula_book(tmp_path / "研发投入.xlsx", cells))
    assert (at(table), faults(table)) == ([3, 4], [])
    assert (
        "研发投入.xlsx「研发 & <投入>」第5行的研发费用合计「=SUM(D3:D4)」不是金额，未能与明细核对"
        in table.notes
    )


def patched(path: Path, part: str, old: str, new: str) -> Path:
    """The workbook with a text of one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(out, "w") as copy:
        for name in book.namelist():
            content = book.read(name)
            if name == part:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            copy.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("<f>A1*2</f><v>7.5</v>", "7.50"),
        ('<f t="shared" ref="D3:D4" si="0">A1*2</f><v>7.5</v>', "7.50"),
        ('<f t="shared" si="0"/><v>7.5</v>', "7.50"),
    ],
)
def test_formulas_with_a_saved_result_are_read(tmp_path: Path, cell: str, value: str) -> None:
    path = formula_book(tmp_path / "研发投入.xlsx", {"D3": "=A1*2"})
    table = read(patched(path, "xl/worksheets/sheet3.xml", "<f>A1*2</f><v></v>", cell))
    assert (amounts(table)[0], faults(table)) == (value, [])


@pytest.mark.parametrize(
    "cell", ['<f t="shared" si="0"/>', "<f>A1*2</f>", "<f>A1*2</f><v/>", "<f>A1*2</f> <v> </v>"]
)
def test_all_shapes_of_a_formula_without_a_result(tmp_path: Path, cell: str) -> None:
    path = formula_book(tmp_path / "研发投入.xlsx", {"D3": "=A1*2"})
    table = read(patched(path, "xl/worksheets/sheet3.xml", "<f>A1*2</f><v></v>", cell))
    assert [(line, column, check) for line, column, _, check in faults(table)] == [
        (3, "rnd_expense", "formula")
    ]


def test_a_formula_whose_result_is_no_text_is_blank(tmp_path: Path) -> None:
    path = formula_book(tmp_path / "研发投入.xlsx", {"E3": '=IF(1,"","x")'})
    with zipfile.ZipFile(path) as book:
        assert b'<c r="E3"><f>' in book.read("xl/worksheets/sheet3.xml")
    table = read(patched(path, "xl/worksheets/sheet3.xml", '<c r="E3"><f>', '<c r="E3" t="str"><f>'))
    assert (faults(table), table.frame["super_deduction"].to_list()) == ([], [None, False])


def test_prefixed_xml_and_far_columns(tmp_path: Path) -> None:
    path = formula_book(tmp_path / "研发投入.xlsx", {"AB3": "=A1*2", "D4": "#N/A"})
    patched(
        path,
        "xl/worksheets/sheet3.xml",
        '<c r="D4" t="e"><v>#N/A</v></c>',
        '<x:c r="D4" t="e"><x:v>#N/A</x:v></x:c>',
    )
    assert hidden_cells(path, "研发 & <投入>") == [(2, 27, "=A1*2"), (3, 3, "#N/A")]
    assert hidden_cells(path, "填表说明") == []
    assert hidden_cells(path, "没有这个表") == []


def test_error_words_in_a_csv_are_faults_too(tmp_path: Path) -> None:
    path = text(
        tmp_path / "企业名录.csv", [["统一社会信用代码", "企业名称", "所属区镇"], [甲, "#N/A", "#REF!"]]
    )
    assert faults(read(path, "enterprises")) == [
        (2, "district", "#REF!", "formula"),
        (2, "name", "#N/A", "formula"),
    ]


# CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    names = ["㛃𠮷龘工业（昆山）有限公司", "ä-Ω€"]
    rows = [["统一社会信用代码", "企业名称", "所属区镇"], *([甲, name, "花桥镇"] for name in names)]
    table = read(text(tmp_path / "企业名录.csv", rows, encoding), "enterprises")
    assert table.frame.select("name", "district", "source_file", "source_sheet", "source_row").rows() == [
        (names[0], "花桥", "企业名录.csv", None, 2),
        (names[1], "花桥", "企业名录.csv", None, 3),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_quotes_and_blank_lines(tmp_path: Path, newline: str) -> None:
    lines = ["填报单位：科技局", "", ",".join(['"统一社会', '信用代码",年度', "研发费用,享受加计扣除"])]
    content = newline.join([lines[0], lines[1], '"统一社会', '信用代码",年度,研发费用,享受加计扣除'])
    content += newline + newline.join([f'{甲},2023,"1,234.50",是', "", f'"{乙}","2023","2","否"', " , ,,"])
    (tmp_path / "研发投入.csv").write_bytes(content.encode())
    table = read(tmp_path / "研发投入.csv")
    assert (at(table), amounts(table)) == ([4, 6], ["1234.50", "2.00"])


def test_totals_units_and_notes_of_a_csv(tmp_path: Path) -> None:
    rows: Rows = [["单位：万元"], 表头, *两行, ["合计", "", "3000.5"], [], ["注：含税"]]
    table = read(text(tmp_path / "研发投入.csv", rows))
    assert amounts(table) == ["10005000.00", "20000000.00"]
    assert table.notes[0] == "研发投入.csv略过合计行1行、说明行1行"


def test_shifted_rows_are_faults(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "享受加计扣除", "研发费用"]
    rows: Rows = [
        ["标题", "", "", "", "", ""],
        header,
        [甲, 2023, "是", "1", "234.00"],
        [乙, 2023, "是", "5", "", ""],
        ["合计", "", "", "1", "239"],
    ]
    table = read(text(tmp_path / "研发投入.csv", rows))
    assert at(table) == [3, 4, 5]
    shifted = table.faults.filter(pl.col("check") == "shifted")
    assert shifted["row"].to_list() == [0, 1, 2]
    assert "错位" in shifted["reason"][0]


def test_a_second_header_line_longer_than_the_first_shifts_nothing(tmp_path: Path) -> None:
    rows: Rows = [
        ["统一社会信用代码", "年度", "享受加计扣除"],
        ["", "", "", "研发费用（万元）"],
        [甲, 2023, "是", 5],
    ]
    table = read(text(tmp_path / "研发投入.csv", rows))
    assert (amounts(table), faults(table)) == (["50000.00"], [])


def test_quotation_marks_inside_a_name(tmp_path: Path) -> None:
    rows: Rows = [
        ["统一社会信用代码", "企业名称", "所属区镇"],
        [甲, '6"管业', "花桥"],
        [乙, '"鼎"字号', "张浦"],
        [丙, "丙", "千灯"],
    ]
    path = text(tmp_path / "企业名录.csv", rows[:2] + rows[3:])
    assert read(path, "enterprises").frame["name"].to_list() == ['6"管业', "丙"]
    with pytest.raises(Unusable, match="不是完整的 CSV"):
        read(text(path, rows), "enterprises")


def test_a_quotation_mark_that_never_ends_is_refused(tmp_path: Path) -> None:
    rows: Rows = [表头, [甲, 2023, '"100', "是"], *两行]
    with pytest.raises(Unusable, match=r"研发投入\.csv」不是完整的 CSV"):
        read(text(tmp_path / "研发投入.csv", rows))


def test_a_csv_of_many_rows_whose_widest_comes_late(tmp_path: Path) -> None:
    rows = [表头, *([甲, 2023, n, "是"] for n in range(100)), [甲, 2023, 5, "是", "多", "余"]]
    table = read(text(tmp_path / "研发投入.csv", rows))
    assert table.frame.height == 101
    assert table.faults["row"].to_list() == [100]


# Parquet


def test_typed_parquet(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "uscc": [甲, 乙],
            "year": [2023, 2022],
            "rnd_expense": [Decimal("1.50"), None],
            "super_deduction": [True, None],
            "收入": [1, 2],
            "revenue": [0.1 + 0.2, 1 / 3],
        }
    ).write_parquet(tmp_path / "rnd.parquet")
    table = read(tmp_path / "rnd.parquet")
    assert table.frame.select("year", "super_deduction", "source_row").rows() == [
        (2023, True, 1),
        (2022, None, 2),
    ]
    assert (amounts(table), amounts(table, "revenue")) == (["1.50", None], ["0.30", None])
    assert faults(table) == [(2, "revenue", "0.3333333333333333", "unreadable_money")]
    assert table.notes == ["rnd.parquet未使用的列：收入"]


def test_text_in_parquet_is_cleaned_like_everywhere(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "统一社会信用代码": [" ９１440300192203821６", "", "—"],
            "企业名称": ["甲 公司 ", " ", "丙"],
            "区镇": ["昆山高新区", "太仓", None],
            "是否工业企业": ["√", "不详", "—"],
            "成立日期": ["2001年2月3日", "45047", "昨天"],
        }
    )
    frame.write_parquet(tmp_path / "企业名录.parquet")
    table = read(tmp_path / "企业名录.parquet", "enterprises")
    assert table.frame.select("uscc", "name", "district", "industrial", "registered_on").rows() == [
        (甲, "甲 公司", "高新区", True, date(2001, 2, 3)),
        (None, None, None, None, date(2023, 5, 1)),
        (None, "丙", None, None, None),
    ]
    assert faults(table) == [
        (2, "district", "太仓", "unreadable_district"),
        (2, "industrial", "不详", "unreadable_flag"),
        (3, "registered_on", "昨天", "unreadable_date"),
    ]


@pytest.mark.parametrize(
    ("values", "yuan"),
    [
        (pl.Series([125]), "125.00"),
        (pl.Series([125], dtype=pl.UInt8), "125.00"),
        (pl.Series([Decimal("125.0000")]), "125.00"),
        (pl.Series([Decimal("125.0050")]), None),
        (pl.Series([125.5]), "125.50"),
        (pl.Series([0.00001]), None),
        (pl.Series([1e16]), None),
        (pl.Series([float("nan")]), None),
        (pl.Series(["1,250"]), "1250.00"),
        (pl.Series(["1250"], dtype=pl.Categorical), "1250.00"),
        (pl.Series([10**15]), None),
        (pl.Series([Decimal(10**30)]), None),
    ],
)
def test_amounts_in_parquet(tmp_path: Path, values: pl.Series, yuan: str | None) -> None:
    frame = pl.DataFrame({"uscc": [甲], "year": [2023], "rnd_expense": values, "super_deduction": [True]})
    frame.write_parquet(tmp_path / "rnd.parquet")
    table = read(tmp_path / "rnd.parquet")
    assert amounts(table) == [yuan]
    assert table.faults.height == (yuan is None)


def test_units_and_days_in_parquet(tmp_path: Path) -> None:
    shanghai = pl.Series([datetime(2023, 1, 1)]).dt.replace_time_zone("Asia/Shanghai")
    frame = pl.DataFrame({"uscc": [甲], "item": ["a4.06"], "event_on": shanghai, "申报基数（万元）": [1.5]})
    frame.write_parquet(tmp_path / "claims.parquet")
    table = read(tmp_path / "claims.parquet", "claims").frame
    assert table.select("item", "event_on", "base_amount").rows() == [
        ("A4.06", date(2023, 1, 1), Decimal(15000))
    ]


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rnd.parquet"
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(Unusable, match="已损坏或不是 Parquet.*请重新导出"):
        read(path)
    pl.DataFrame(
        {"uscc": [甲], "year": [2023], "rnd_expense": [[1]], "super_deduction": [True]}
    ).write_parquet(path)
    with pytest.raises(Unusable, match=r"列「rnd_expense」是 List\(Int64\) 类型"):
        read(path)
    pl.DataFrame({"uscc": [甲], "年份": [2023], "研发": [1]}).write_parquet(path)
    with pytest.raises(Unusable, match="缺少「研发费用」；最接近的列是「研发」"):
        read(path)


# The same rows in every form


def test_every_form_reads_the_same(tmp_path: Path) -> None:
    rows = [[甲, 2023, 1000.5, "是"], [乙, 2023, 1234567.89, "否"], [丙, 2022, None, None]]
    files = [
        book(tmp_path / "a.xlsx", ("表", [表头, *rows])),
        text(tmp_path / "a.csv", [表头, *rows]),
        text(tmp_path / "b.csv", [表头, *rows], "gb18030"),
    ]
    pl.DataFrame(rows, schema=表头, orient="row").write_parquet(tmp_path / "a.parquet")
    data = list(REGISTRIES["rnd"].columns)
    first, *others = (read(path).frame.select(data) for path in [*files, tmp_path / "a.parquet"])
    assert all(other.equals(first) for other in others)


def test_rows_in_another_order_change_only_their_numbers(tmp_path: Path) -> None:
    rows: list[list[Any]] = [*两行, [丙, "去年", 3, "是"], [None, 2023, 4, "是"]]
    ahead = rnd(tmp_path, [表头, *rows])
    back = rnd(tmp_path, [表头, *reversed(rows)])
    data = pl.exclude("source_row")
    assert ahead.frame.select(data).equals(back.frame.reverse().select(data))
    assert faults(ahead)[0][1:] == faults(back)[0][1:]


# Files that cannot be used


def refused(path: Path, registry: str = "rnd") -> str:
    with pytest.raises(Unusable) as error:
        read(path, registry)
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_missing_column_names_the_expected_and_the_closest(tmp_path: Path) -> None:
    message = refused(
        book(
            tmp_path / "研发投入.xlsx",
            ("表一", [["统一社会信用代码", "年度", "研发经费", "加计扣除"], 两行[0]]),
        )
    )
    assert "应有的列：统一社会信用代码、年度、研发费用、享受加计扣除" in message
    assert "工作表「表一」第1行缺少「研发费用」；最接近的列是「研发经费」" in message


def test_one_of_two_columns_is_needed(tmp_path: Path) -> None:
    message = refused(
        text(tmp_path / "资质认定.csv", [["统一社会信用代码", "认定日期"], [甲, "2023-1-1"]]),
        "certifications",
    )
    assert "条款编号或资质名称" in message
    assert "表头第1行缺少「条款编号」" in message


def test_no_header_at_all(tmp_path: Path) -> None:
    message = refused(book(tmp_path / "研发投入.xlsx", ("表一", [["a", "b"], [1, 2]]), ("表二", [["c"]])))
    assert "已查看：表一、表二，前40行没有一列能识别" in message


@pytest.mark.parametrize("name", ["研发投入.csv", "研发投入.xlsx", "研发投入.parquet"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert ("没有任何内容" in refused(tmp_path / name)) == name.endswith("csv")


def test_empty_sheets(tmp_path: Path) -> None:
    assert "没有任何内容" in refused(book(tmp_path / "研发投入.xlsx", ("表一", []), ("表二", [])))


def test_a_header_without_rows_is_an_empty_registry(tmp_path: Path) -> None:
    for path in (book(tmp_path / "研发投入.xlsx", ("表", [表头])), text(tmp_path / "研发投入.csv", [表头])):
        table = read(path)
        assert (table.frame.height, table.faults.height) == (0, 0)


def test_a_password_or_an_old_workbook_in_disguise(tmp_path: Path) -> None:
    path = tmp_path / "研发投入.xlsx"
    path.write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(512))
    assert "带有密码，或其实是旧的 .xls 格式" in refused(path)
    csv = path.rename(tmp_path / "研发投入.csv")
    assert "其实是 Excel 工作簿" in refused(csv)


def test_damaged_workbooks(tmp_path: Path) -> None:
    path = book(tmp_path / "研发投入.xlsx", ("表", [表头, *两行]))
    whole = path.read_bytes()
    for damaged in (whole[:-200], whole[: len(whole) // 2], b"<html>", whole[:10], b"PK\x03\x04"):
        path.write_bytes(damaged)
        assert "已损坏" in refused(path)
    csv = tmp_path / "研发投入.csv"
    csv.write_bytes(whole)
    assert "其实是 Excel 工作簿" in refused(csv)


def test_a_workbook_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path = formula_book(tmp_path / "研发投入.xlsx", {"D4": "=1+1"})
    whole = path.read_bytes()
    for place in range(20, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            table = read(path)
        except Unusable as error:
            assert str(path) in str(error)
        else:
            assert at(table) == [3, 4]


def test_a_workbook_without_its_sheet(tmp_path: Path) -> None:
    path = book(tmp_path / "研发投入.xlsx", ("表", [表头, *两行]))
    out = io.BytesIO()
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(out, "w") as part:
        for name in whole.namelist():
            if "sheet1" not in name:
                part.writestr(name, whole.read(name))
    path.write_bytes(out.getvalue())
    assert "已损坏" in refused(path)


@pytest.mark.parametrize(
    "content", ["企业名称,研发费用\n".encode("utf-16"), b"\xff\xfe\x00abc", b"\x81\xff,\xff\xff\n"]
)
def test_unknown_encodings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "研发投入.csv"
    path.write_bytes(content)
    assert "编码既不是 UTF-8 也不是 GB18030" in refused(path)


def test_a_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    files = [book(tmp_path / "研发投入.xlsx", ("表", [表头])), text(tmp_path / "研发投入.csv", [表头])]
    monkeypatch.setattr(Path, "open", locked)
    monkeypatch.setattr(Path, "read_bytes", locked)
    assert all("不能打开（Permission denied）" in refused(path) for path in files)


# Finding the files


def folder(raw: Path, names: Iterable[str], year: int = 2023) -> Path:
    (raw / str(year)).mkdir(parents=True)
    for name in names:
        (raw / str(year) / name).write_bytes(b"")
    return raw


def test_files_by_english_or_chinese_stem(tmp_path: Path) -> None:
    names = [
        "企业名录.xlsx",
        "RND.CSV",
        "equipment.parquet",
        "资质认定.csv",
        ".hidden",
        "~$企业名录.xlsx",
        "说明.md",
    ]
    raw = folder(tmp_path, names)
    folder(raw, ["研发投入.csv"], 2021)
    folder(raw, [], 2022)
    (raw / "旧").mkdir()
    (raw / "２０２０").mkdir()
    current, earlier = locate_years(raw, 2023)
    assert {name: path.name for name, path in current.files.items()} == {
        "enterprises": "企业名录.xlsx",
        "rnd": "RND.CSV",
        "equipment": "equipment.parquet",
        "certifications": "资质认定.csv",
    }
    assert [(found.year, list(found.files)) for found in earlier] == [(2021, ["rnd"]), (2022, [])]
    assert current.notes == []


def test_files_under_other_names_are_told(tmp_path: Path) -> None:
    raw = folder(tmp_path, ["企业名录.csv", "研发投入.csv", "研发投入（终稿）.xlsx", "目录.pdf"])
    notes = locate(raw / "2023", 2023).notes
    assert (
        "2023年文件夹中的「研发投入（终稿）.xlsx」不是登记表文件名，未读取；若是研发投入，请改名为「研发投入.xlsx」"
        in notes
    )
    assert any(note.startswith("2023年文件夹中的「目录.pdf」不是登记表文件名") for note in notes)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "没有企业名录"),
        (["研发投入.csv"], "没有企业名录"),
        (["企业名单.csv", "研发投入.csv"], "企业名单.csv」不是登记表文件名，未读取；若是企业名录，请改名"),
        (["企业名录.csv"], "除企业名录外至少要有一张登记表"),
        (["企业名录.csv", "已兑付.csv"], "除企业名录外至少要有一张登记表"),
        (
            ["企业名录.csv", "研发投入.xls"],
            "研发投入.xls」是 .xls 格式，不能读取。请用 Excel 或 WPS 打开，另存为 .xlsx",
        ),
        (["企业名录.csv", "研发投入.et"], "是 .et 格式"),
        (["企业名录.csv", "研发投入"], "是 无扩展名 格式"),
        (
            ["企业名录.csv", "研发投入.csv", "研发投入.xlsx"],
            "研发投入有两个文件：「研发投入.csv」和「研发投入.xlsx」",
        ),
        (["企业名录.csv", "研发投入.csv", "rnd.csv"], "研发投入有两个文件：「rnd.csv」和「研发投入.csv」"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(Unusable) as error:
        locate_years(folder(tmp_path, names), 2023)
    assert message in str(error.value)


def test_no_folder_of_the_year(tmp_path: Path) -> None:
    folder(tmp_path, ["企业名录.csv"], 2021)
    with pytest.raises(Unusable, match="没有找到2023年度的登记表文件夹.*现有年度：2021"):
        locate_years(tmp_path, 2023)
    with pytest.raises(Unusable, match="现有年度：无"):
        locate_years(tmp_path / "没有", 2023)


# What a sheet says about its unit, and headers of several lines


@pytest.mark.parametrize(
    "said",
    [
        *("单位：万元人民币", "金额：万元", "（金额：万元）", "（人民币万元）", "单位为：万元", "万元"),
        *("计量单位：（人民币）万元", "单位:RMB万元", "数据均以万元计", "单位 万元", "单位：万元、%"),
        *("填表说明：1.金额单位为万元", "币种：人民币　金额单位：万元", "单位：万元（保留两位小数）"),
        *("（附件1）研发投入表（万元）", "1.金额单位：万元", "所有金额单位均以万元计"),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_forms_of_a_statement_of_the_unit(tmp_path: Path, said: str, below: bool) -> None:
    rows: Rows = [表头, 两行[0], [said]] if below else [[said], 表头, 两行[0]]
    assert amounts(rnd(tmp_path, rows))[0] == "10005000.00"


def test_the_unit_in_a_cell_of_the_header_row(tmp_path: Path) -> None:
    assert amounts(rnd(tmp_path, [[*表头, "单位：万元"], 两行[0]])) == ["10005000.00"]


@pytest.mark.parametrize(
    "said",
    [
        *("注：营业收入单位：万元", "说明：合计以万元为单位", "备注：增加值单位为亿元，其余为元"),
        *("营业收入单位：万元", "注：研发费用（万元）按审计口径填写", "备注：营业收入为亿元"),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_an_unclear_statement_of_the_unit_is_refused(tmp_path: Path, said: str, below: bool) -> None:
    rows: Rows = [表头, 两行[0], [said]] if below else [[said], 表头, 两行[0]]
    with pytest.raises(Unusable) as error:
        rnd(tmp_path, rows)
    assert f"第{3 if below else 1}行的「{said}」像是在说明金额单位" in str(error.value)
    assert "请在表头上方单独写「单位：万元」，或把单位写进列名" in str(error.value)


def test_two_units_in_one_statement_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="两种金额单位：万元、元"):
        rnd(tmp_path, [["单位：元、万元"], 表头, *两行])


@pytest.mark.parametrize("said", ["亿元以上项目汇总表", "填报单位：万元户公司", "金额在百万元以上的项目"])
def test_harmless_words_about_money(tmp_path: Path, said: str) -> None:
    assert amounts(rnd(tmp_path, [[said], 表头, 两行[0]])) == ["1000.50"]


def test_the_unit_of_a_group_of_columns(tmp_path: Path) -> None:
    rows: Rows = [
        ["统一社会信用代码", "年度", "享受加计扣除", "金额（万元）"],
        [None, None, None, "研发费用", "营业收入（元）"],
        [甲, 2023, "是", 1.5, 2],
    ]
    table = rnd(tmp_path, rows)
    assert (amounts(table), amounts(table, "revenue")) == (["15000.00"], ["2.00"])


def test_units_on_a_third_header_line(tmp_path: Path) -> None:
    rows: Rows = [
        ["统一社会信用代码", "年度", "享受加计扣除", "金额"],
        [None, None, None, "研发费用", "营业收入"],
        [None, None, None, "万元", "元"],
        [甲, 2023, "是", 1.5, 2],
    ]
    table = rnd(tmp_path, rows)
    assert (amounts(table), amounts(table, "revenue"), at(table)) == (["15000.00"], ["2.00"], [4])


@pytest.mark.parametrize(
    "parts", [("其中：人工", "小计"), ("2022年", "2023年"), (2022, 2023), (None, "小计")]
)
@pytest.mark.parametrize("end", [(), ("营业收入（万元）",)])
def test_a_header_over_several_columns_is_refused(tmp_path: Path, parts: Any, end: Any) -> None:
    header = ["统一社会信用代码", "年度", "享受加计扣除", "研发费用（万元）", None, *end]
    with pytest.raises(Unusable, match="第2行：「研发费用（万元）」下面又分为.*请只保留一列"):
        rnd(tmp_path, [header, [None, None, None, *parts], [甲, 2023, "是", 1, 2, 3]])


@pytest.mark.parametrize("quoted", ["", '"甲,\n乙"'])
def test_a_comma_that_shifts_empty_cells_is_a_fault(tmp_path: Path, quoted: str) -> None:
    lines = [
        "统一社会信用代码,条款编号,发生日期,申报基数,上期数,数量,备注",
        f"{甲},A4.09,2023-05-01,200000,,,{quoted}",
        f"{甲},A4.09,2023-05-01,200,000,,,",
        f"{甲},A4.09,2023-05-01,200000",
        ",,,,,,,,",
    ]
    for padding in ("", ",,"):
        path = tmp_path / "申报项目.csv"
        path.write_text("\n".join([lines[0] + padding, lines[1] + padding, *lines[2:]]) + "\n")
        table = read(path, "claims")
        assert table.frame.height == 3
        assert table.faults.filter(pl.col("check") == "shifted")["row"].to_list() == ([] if padding else [1])


def test_blanks_between_digits_are_faults(tmp_path: Path) -> None:
    figures = ["500000\n300000", "50 60 70", "500\n300", "1 234 567.00", "1\u3000234", " 12 "]
    table = rnd(tmp_path, [表头, *([甲, 2023, figure, "是"] for figure in figures)])
    assert amounts(table) == [None, None, None, "1234567.00", "1234.00", "12.00"]
    assert [line for line, *_ in faults(table)] == [2, 3, 4]
    header = ["统一社会信用代码", "条款编号", "认定日期"]
    days = ["2023-5-1 2", "2023 - 5 - 1", "2023年5月 1日", "2023-5-1 12:00", "20230501\n20230601"]
    path = book(tmp_path / "资质认定.xlsx", ("表", [header, *([甲, "A4.06", day] for day in days)]))
    day = date(2023, 5, 1)
    assert read(path, "certifications").frame["certified_on"].to_list() == [None, day, day, day, None]


def test_a_fraction_under_a_header_in_percent_is_told_what_to_do(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额", "核定比例（%）"]
    path = book(tmp_path / "设备投入.xlsx", ("表", [header, [甲, 2023, "P2", "改造", 5, 0.06]]))
    (reason,) = read(path, "equipment").faults["reason"]
    assert "表头已注明（%），请填 6 或 6%；若确为小数请去掉表头的（%）" in reason


@pytest.mark.parametrize("separator", ["\t", ";", "；"])
def test_a_csv_with_another_separator_is_told(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "研发投入.csv"
    path.write_text("\n".join(separator.join(map(str, line)) for line in [表头, *两行]))
    assert "请用 Excel 打开后另存为逗号分隔的「CSV UTF-8」" in refused(path)


def test_rows_that_hold_something_of_data_are_no_totals_or_notes(tmp_path: Path) -> None:
    header = ["统一社会信用代码", "条款编号", "发生日期", "项目编号", "申报基数", "备注"]
    rows: Rows = [
        header,
        ["9144030019220", "A4.09", "2023-05-01", "P1", 5, "合计"],
        [None, "A4.09", None, "P1", 5, "小计"],
        [None, None, date(2023, 5, 1), "P1", 5, "小计"],
        ["待补", None, None, "累计", 5],
        ["注：见附件", None, None, None, 5],
        ["合计", None, None, None, 25],
    ]
    table = read(book(tmp_path / "申报项目.xlsx", ("表", rows)), "claims")
    assert at(table) == [2, 3, 4, 5, 6]
    assert table.notes[0] == "申报项目.xlsx「表」略过合计行1行"


def test_units_and_parts_that_cannot_be_placed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="第3行的「万元」像是研发费用的单位"):
        rnd(tmp_path, [表头, [None, None, "金额"], [None, None, "万元", "是/否"], 两行[0]])
    header = ["统一社会信用代码", "年度", "研发费用（万元）", None, "营业收入", "享受加计扣除"]
    with pytest.raises(Unusable, match="「研发费用（万元）」下面又分为「2022年」、「2023年」"):
        rnd(tmp_path, [header, [None, None, "2022年", "2023年", "万元"], [甲, 2023, 1, 2, 3, "是"]])


def test_the_unit_of_a_column_not_used_is_not_the_sheets(tmp_path: Path) -> None:
    rows: Rows = [[*表头, "其他"], [None, None, None, None, "万元"], [*两行[0], 3]]
    assert amounts(rnd(tmp_path, rows)) == ["1000.50"]
    assert amounts(rnd(tmp_path, [[*表头, "其他（万元）"], [*两行[0], 3]])) == ["1000.50"]


def test_a_title_in_the_middle_states_the_sheets_unit(tmp_path: Path) -> None:
    title = [None, None, None, "2023年研发投入（万元）"]
    table = rnd(tmp_path, [title, [*表头, "营业收入"], [甲, 2023, 1, "是", 2]])
    assert (amounts(table), amounts(table, "revenue")) == (["10000.00"], ["20000.00"])


def test_a_first_row_without_a_code_is_no_line_of_the_header(tmp_path: Path) -> None:
    rows: Rows = [["统一社会信用代码", "企业名称", "所属区镇"], [None, "甲公司", "花桥", "附言"]]
    assert at(read(book(tmp_path / "企业名录.xlsx", ("表", rows)), "enterprises")) == [2]


def test_a_parquet_column_of_lists_is_refused_by_its_own_name(tmp_path: Path) -> None:
    row = {"uscc": "91320583MA4T1WW72E", "年度": 2023, "研发费用": [1], "super_deduction": True}
    pl.DataFrame([row]).write_parquet(tmp_path / "rnd.parquet")
    with pytest.raises(Unusable, match="列「研发费用」是 List.*请以文本、数字或日期重新导出"):
        read_table(tmp_path / "rnd.parquet", REGISTRIES["rnd"], "rnd.parquet")
