"""Good rows go on with their role; every fault of every other row is told, with its place and its remedy."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook

from flows.check import Checked, check, notes
from registries.locate import locate_years
from registries.read import read_table
from rules.catalogue import Catalogue
from schemas.outputs import REJECTS
from schemas.registries import REGISTRIES

甲, 乙, 丙, 无名 = "914403001922038216", "9144030071526726XG", "91110000802100433B", "913205830000000027"
年 = 2023

Rows = Sequence[Sequence[Any]]

名录表头 = ["统一社会信用代码", "企业名称", "所属区镇"]
名录: Rows = [名录表头, [甲, "甲公司", "花桥"], [乙, "乙公司", "张浦"], [丙, "丙公司", "千灯"]]
研发表头 = ["统一社会信用代码", "年度", "研发费用", "享受加计扣除"]
设备表头 = ["统一社会信用代码", "年度", "项目编号", "项目名称", "设备投资额"]
资质表头 = ["统一社会信用代码", "条款编号", "资质名称", "级别", "事项", "认定日期", "证书编号"]
申报表头 = ["统一社会信用代码", "条款编号", "级别", "发生日期", "项目编号", "申报基数", "数量", "月数"]
人才表头 = ["证件号码", "姓名", "统一社会信用代码", "条款编号", "发生日期"]
兑付表头 = ["年度", "统一社会信用代码", "条款编号", "金额", "级别"]


def put(raw: Path, year: int, stem: str, rows: Rows) -> None:
    (raw / str(year)).mkdir(parents=True, exist_ok=True)
    lines = (",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    (raw / str(year) / f"{stem}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run(raw: Path, law: Catalogue, year: int = 年) -> Checked:
    """Read and check the registries under `raw` as the annual run does."""
    current, earlier = locate_years(raw, year)
    frames: dict[str, list[pl.DataFrame]] = {}
    faults: dict[str, list[pl.DataFrame]] = {}
    for folder in (*earlier, current):
        for name, path in folder.files.items():
            label = path.name if folder is current else f"{folder.year}/{path.name}"
            table = read_table(path, REGISTRIES[name], label)
            frames.setdefault(name, []).append(table.frame.with_columns(folder=pl.lit(folder.year, pl.Int32)))
            faults.setdefault(name, []).append(table.located_faults())
    whole = {name: pl.concat(parts, how="diagonal") for name, parts in frames.items()}
    checked = check(whole, {name: pl.concat(parts) for name, parts in faults.items()}, law, year)
    _conserves(whole, checked)
    return checked


def _conserves(read: dict[str, pl.DataFrame], checked: Checked) -> None:
    """Every row of the year's folder is a good row or a reject, never both, never neither."""
    assert dict(checked.rejects.schema) == REJECTS
    place = ["source_file", "source_sheet", "source_row"]
    for name, frame in read.items():
        here = set(frame.filter(pl.col("folder") == 年).select(place).rows())
        good = set(checked.frames[name].select(place).rows())
        bad = set(checked.rejects.filter(pl.col("registry") == name).select(place).rows())
        assert here <= good | bad
        assert not good & bad
        counted = checked.rows[name]
        assert (
            counted["read"]
            == counted["rejected"] + counted["repeated"] + counted["lines"] + counted["history"]
        )
    assert checked.rejects["reason"].null_count() == 0


class City:
    """A folder of registries that grows by one call a registry."""

    def __init__(self, raw: Path, law: Catalogue) -> None:
        self.raw, self.law = raw, law
        put(raw, 年, "企业名录", 名录)

    def check(self, stem: str, rows: Rows, year: int = 年) -> Checked:
        put(self.raw, year, stem, rows)
        if not any((self.raw / str(年)).glob("研发投入.csv")):
            put(self.raw, 年, "研发投入", [研发表头])
        return run(self.raw, self.law)

    def rejects(self, stem: str, rows: Rows) -> list[tuple[int, str, str, str]]:
        """(row, column, value, check) of the rejects of one registry."""
        found = self.check(stem, rows).rejects.filter(pl.col("source_file") == f"{stem}.csv")
        return found.select("source_row", "column", "value", "check").rows()


@pytest.fixture
def city(tmp_path: Path, law: Catalogue) -> City:
    return City(tmp_path, law)


def good(checked: Checked, name: str) -> list[int]:
    return checked.frames[name]["source_row"].to_list()


# One fault at a time


def test_a_reject_names_registry_file_sheet_row_column_value_reason_and_check(
    tmp_path: Path, law: Catalogue
) -> None:
    put(tmp_path, 年, "企业名录", 名录)
    workbook = Workbook()
    page = workbook.active
    page.title = "研发明细"
    for row in [
        ["单位：万元"],
        [],
        研发表头,
        [甲, 2023, 5, "是"],
        [乙, 2023, "约5", "是"],
        [丙, 2023, "=1+1", "是"],
    ]:
        page.append(row)
    workbook.save(tmp_path / str(年) / "研发投入.xlsx")
    checked = run(tmp_path, law)
    assert good(checked, "rnd") == [4]
    common = ("rnd", "研发投入.xlsx", "研发明细")
    assert checked.rejects.rows() == [
        (
            *common,
            *(5, "rnd_expense", "约5"),
            "不是金额；请只填数字（可带千分位），金额最细到分、小于一千万亿元，不要用科学计数法",
            "unreadable_money",
        ),
        (
            *common,
            *(6, "rnd_expense", "=1+1"),
            "公式没有保存结果，请在 Excel 中打开并保存后再报送",
            "formula",
        ),
    ]


def test_good_registries_have_no_faults(city: City) -> None:
    checked = city.check(
        "研发投入", [研发表头, [甲, 2023, 5, "是"], [乙, 2023, 0, None], [丙, 2022, 5, "否"]]
    )
    assert checked.rejects.is_empty()
    assert checked.frames["rnd"].select("super_deduction", "role").rows() == [
        (True, "line"),
        (None, "line"),  # blank is unknown, and no fault
        (False, "history"),
    ]
    assert checked.rows["rnd"] == {"read": 3, "rejected": 0, "repeated": 0, "lines": 2, "history": 1}
    assert notes(checked.late, 年) == [
        f"没有{name}登记表，相关条款未计算" for name in ("设备投入", "资质认定", "申报项目", "人才申报")
    ]
    assert not [column for column in checked.frames["rnd"].columns if column.startswith("raw:")]


RND_FAULTS: list[tuple[list[Any], str, str]] = [
    ([None, 2023, 5, "是"], "uscc", "required"),
    (["914403001922038217", 2023, 5, "是"], "uscc", "uscc"),
    (["91440300192203821", 2023, 5, "是"], "uscc", "uscc"),
    (["91440300192203821O", 2023, 5, "是"], "uscc", "uscc"),
    ([无名, 2023, 5, "是"], "uscc", "unknown_applicant"),
    ([甲, None, 5, "是"], "year", "required"),
    ([甲, "去年", 5, "是"], "year", "unreadable_year"),
    ([甲, 1923, 5, "是"], "year", "year"),
    ([甲, 20230, 5, "是"], "year", "year"),
    ([甲, 2024, 5, "是"], "year", "later_year"),
    ([甲, 2023, None, "是"], "rnd_expense", "required"),
    ([甲, 2023, "—", "是"], "rnd_expense", "required"),
    ([甲, 2023, -5, "是"], "rnd_expense", "not_negative"),
    ([甲, 2023, "1e5", "是"], "rnd_expense", "unreadable_money"),
    ([甲, 2023, "0.001", "是"], "rnd_expense", "unreadable_money"),
    ([甲, 2023, 5, "不详"], "super_deduction", "unreadable_flag"),
    ([甲, 2023, "#REF!", "是"], "rnd_expense", "formula"),
    (["#N/A", 2023, 5, "是"], "uscc", "formula"),
]

CLAIM_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"条款编号": None}, "item", "required"),
    ({"条款编号": "A9.99"}, "item", "unknown_item"),
    ({"条款编号": "A4.06"}, "item", "wrong_registry"),
    ({"条款编号": "A4.02"}, "item", "wrong_registry"),
    ({"条款编号": "A9.08"}, "level", "level_needed"),
    ({"条款编号": "A9.08", "级别": "世界标准"}, "level", "unknown_level"),
    ({"发生日期": None}, "event_on", "required"),
    ({"发生日期": "2023-02-30"}, "event_on", "unreadable_date"),
    ({"发生日期": "1930-01-01"}, "event_on", "date"),
    ({"发生日期": "2101-01-01"}, "event_on", "date"),
    ({"申报基数": "-0.01"}, "base_amount", "not_negative"),
    ({"数量": "-1"}, "quantity", "not_negative"),
    ({"数量": "三项"}, "quantity", "unreadable_count"),
    ({"月数": "-1"}, "months", "months"),
    ({"月数": "1201"}, "months", "months"),
    ({"月数": "12.5"}, "months", "unreadable_count"),
]


def expected(
    name: str, headers: list[str], faults: list[tuple[list[Any], str, str]]
) -> list[tuple[Any, ...]]:
    """The rejects of a file with these rows below its header, each with one fault."""
    columns = [next(c for c in REGISTRIES[name].columns if REGISTRIES[name].header(c) == h) for h in headers]
    return [
        (n, column, None if (value := row[columns.index(column)]) is None else str(value), check)
        for n, (row, column, check) in enumerate(faults, 2)
    ]


def test_faults_of_rnd(city: City) -> None:
    found = city.rejects("研发投入", [研发表头, *(row for row, _, _ in RND_FAULTS), [乙, 2023, 1, "是"]])
    assert found == expected("rnd", 研发表头, RND_FAULTS)


def test_faults_of_enterprises(city: City) -> None:
    faults: list[tuple[list[Any], str, str]] = [
        ([甲, None, "花桥"], "name", "required"),
        ([甲, "甲", None], "district", "required"),
        ([甲, "甲", "太仓"], "district", "unreadable_district"),
        (["123", "甲", "花桥"], "uscc", "uscc"),
    ]
    found = city.rejects("企业名录", [名录表头, *(row for row, _, _ in faults), 名录[2]])
    assert found == expected("enterprises", 名录表头, faults)


def test_faults_of_claims(city: City) -> None:
    plain = dict.fromkeys(申报表头) | {"统一社会信用代码": 甲, "条款编号": "A9.01", "发生日期": "2023-5-1"}
    faults = [(list((plain | changes).values()), column, check) for changes, column, check in CLAIM_FAULTS]
    found = city.rejects("申报项目", [申报表头, *(row for row, _, _ in faults)])
    assert found == expected("claims", 申报表头, faults)


def test_rates_outside_zero_and_one(city: City) -> None:
    rates = ["150%", "-1%", "6", "6%", "0.06"]
    rows = [[甲, 2023, f"P{n}", "改造", 5, rate] for n, rate in enumerate(rates)]
    assert city.rejects("设备投入", [[*设备表头, "核定比例"], *rows]) == [
        (2, "assessed_rate", "150%", "rate"),
        (3, "assessed_rate", "-1%", "rate"),
        (4, "assessed_rate", "6", "unreadable_rate"),
    ]


def test_the_equipment_registry_needs_the_project_but_not_its_name(city: City) -> None:
    rows: Rows = [设备表头, [甲, 2023, None, "改造", 5], [甲, 2023, "P1", None, 5]]
    assert city.rejects("设备投入", rows) == [(2, "project_id", None, "required")]


def test_resident_ids_and_other_documents(city: City) -> None:
    rows: Rows = [
        人才表头,
        ["11010519491231002X", "张三", 甲, "A9.01", "2023-5-1"],
        ["110105194912310021", "李四", 甲, "A9.01", "2023-5-1"],
        ["E1234567", "Smith", 甲, "A9.01", "2023-5-1"],
        ["11010519491231002x", "张三", 甲, "A9.01", "2023-6-1"],
        ["110105491231002", "王五", 甲, "A9.01", "2023-5-1"],
        [None, "赵六", 甲, "A9.01", "2023-5-1"],
    ]
    found = [reject for reject in city.rejects("人才申报", rows) if reject[3] != "wrong_registry"]
    assert found == [
        (3, "person_id", "110105********0021", "resident_id"),  # a document number is never published whole
        (7, "person_id", None, "required"),
    ]


def test_all_faults_of_a_row_are_told_at_once(city: City) -> None:
    found = city.rejects("研发投入", [研发表头, ["123", "去年", -5, "不详"], [乙, 2023, 5, "是"]])
    assert found == [
        (2, "rnd_expense", "-5", "not_negative"),
        (2, "super_deduction", "不详", "unreadable_flag"),
        (2, "uscc", "123", "uscc"),
        (2, "year", "去年", "unreadable_year"),
    ]


def test_a_row_of_a_csv_with_too_many_cells(city: City) -> None:
    found = city.rejects("研发投入", [研发表头, [甲, 2023, "1,234", "是"]])
    assert (2, None, None, "shifted") in found


def test_every_reason_says_what_to_do(city: City) -> None:
    rows: Rows = [
        申报表头,
        [甲, "A9.99", None, "2023-2-30", None, -1, "三", 9999],
        ["123", "A9.08", "世界", None, None, "x", -1, None],
        [无名, "A4.06", None, "1900-1-1"],
        [None, "A9.08", None, "2023-1-1"],
    ]
    rejects = city.check("申报项目", rows).rejects
    assert rejects["check"].n_unique() >= 10
    for reason in rejects["reason"]:
        assert "请" in reason


# References


def test_a_claim_of_an_unknown_or_faulty_applicant(city: City) -> None:
    put(city.raw, 年, "企业名录", [名录表头, [甲, "甲", "花桥"], [乙, "乙", "太仓"]])
    checked = city.check(
        "研发投入", [研发表头, [甲, 2023, 1, "是"], [乙, 2023, 1, "是"], [丙, 2023, 1, "是"]]
    )
    reasons = checked.rejects.filter(pl.col("registry") == "rnd").select("source_row", "reason").rows()
    assert reasons == [
        (3, "企业名录中该企业的行有误未能采用；请先更正企业名录"),
        (4, "企业名录中没有该统一社会信用代码；请核对代码，或在企业名录补登该企业"),
    ]


def test_history_and_payments_may_speak_of_those_who_left(city: City) -> None:
    put(city.raw, 年, "已兑付", [兑付表头, [2022, 无名, "A4.06", 100, None]])
    checked = city.check("研发投入", [研发表头, [无名, 2022, 1, "是"], [甲, 2023, 1, "是"]])
    assert checked.rejects.is_empty()
    assert checked.frames["rnd"]["role"].to_list() == ["history", "line"]
    assert checked.frames["payments"]["role"].to_list() == ["history"]


# Items, certifications and levels


def certified(*cells: Any) -> list[Any]:
    """A row of certifications: item, certification, level, event."""
    return [甲, *cells, "2023-5-1", None]


FOUND: list[tuple[tuple[Any, ...], str, str | None]] = [
    (("A4.02", None, None, None), "A4.02", None),
    (("ａ4.02", None, None, None), "A4.02", None),
    ((None, "苏州瞪羚企业", None, None), "A4.02", None),
    ((None, " 苏州　瞪羚企业 ", None, None), "A4.02", None),
    ((None, "高新技术企业", None, "新认定"), "A4.03", None),
    ((None, "国家高新技术企业", None, "再次认定"), "A4.04", None),
    ((None, "高企", None, "重新认定"), "A4.04", None),
    ((None, "高新技术企业", None, "整体迁入"), "A4.05", None),
    (("A4.03", "高新技术企业", None, None), "A4.03", None),
    ((None, "国家级知识产权示范企业", None, None), "A9.02", "国家知识产权示范企业"),
    (("A9.02", None, "“国家知识产权优势企业”", None), "A9.02", "国家知识产权优势企业"),
    (("A9.11", None, " 省 ", None), "A9.11", "省"),
    (("A9.03", None, None, None), "A9.03", None),
]

NOT_FOUND: list[tuple[tuple[Any, ...], str, str, str]] = [
    ((None, None, None, None), "item", "required", "条款编号、资质名称须填一项"),
    (("A4.2", None, None, None), "item", "unknown_item", "最接近的是："),
    ((None, "小羚羊企业", None, None), "certification", "unknown_certification", "最接近的是："),
    ((None, "高新技术企业", None, None), "event", "unclear_event", "写明新认定、再次认定或整体迁入"),
    ((None, "高新技术企业", None, "搬迁"), "event", "unclear_event", "请补填"),
    (("A4.02", "高新技术企业", None, None), "item", "item_and_name", "不是同一事项"),
    (("A4.03", None, None, "再次认定"), "event", "item_and_event", "与事项「再次认定」不符"),
    (
        ("A9.02", None, None, None),
        "level",
        "level_needed",
        "请填写：国家知识产权示范企业、国家知识产权优势企业",
    ),
    (("A9.02", None, "省级", None), "level", "unknown_level", "没有级别「省级」"),
    ((None, "国家级知识产权示范企业", "国家知识产权优势企业", None), "level", "name_and_level", "不一致"),
    (("A9.08", None, None, None), "item", "wrong_registry", "从申报项目登记表计算"),
]


def test_items_and_levels_are_found(city: City) -> None:
    checked = city.check("资质认定", [资质表头, *(certified(*cells) for cells, _, _ in FOUND)])
    assert checked.rejects.is_empty()
    assert checked.frames["certifications"].select("item", "level").rows() == [found[1:] for found in FOUND]


def test_faults_of_items_and_levels(city: City) -> None:
    rejects = city.check("资质认定", [资质表头, *(certified(*cells) for cells, *_ in NOT_FOUND)]).rejects
    told = {(row, column, fault): reason for *_, row, column, _, reason, fault in rejects.iter_rows()}
    for row, (_, column, fault, said) in enumerate(NOT_FOUND, 2):
        assert said in told[row, column, fault]
    assert rejects["source_row"].n_unique() == len(NOT_FOUND)


def test_the_three_closest_are_offered(city: City) -> None:
    rows: Rows = [
        资质表头,
        certified("A4.066", None, None, None),
        certified(None, "苏州瞪玲企业", None, None),
    ]
    item, name = city.check("资质认定", rows).rejects["reason"]
    assert item.count("、") == name.count("、") == 2
    assert "A4.06" in item
    assert "苏州瞪羚企业" in name


# Rows that speak of the same matter


def same_as(checked: Checked, name: str) -> dict[int, str | None]:
    return dict(checked.frames[name].select("source_row", "same_as").iter_rows())


def test_identical_rows_count_once(city: City) -> None:
    checked = city.check("研发投入", [研发表头, *[[甲, 2023, 5, "是"]] * 3, [甲, "2023年", "5.00", "√"]])
    assert same_as(checked, "rnd") == {2: None} | dict.fromkeys([3, 4, 5], "研发投入.csv第2行")
    assert checked.rows["rnd"] == {"read": 4, "rejected": 0, "repeated": 3, "lines": 1, "history": 0}


def test_conflicting_rows_are_all_rejected_naming_the_others(city: City) -> None:
    rows: Rows = [
        研发表头,
        [甲, 2023, 5, "是"],
        [乙, 2023, 1, "是"],
        [甲, 2023, 6, "是"],
        [甲, 2023, 5, "是"],
    ]
    checked = city.check("研发投入", rows)
    assert good(checked, "rnd") == [3]
    said = "的统一社会信用代码、年度相同而数据不同，不能确定以哪一行为准；请核对后只保留正确的一行"
    assert checked.rejects.select("source_row", "column", "value", "reason", "check").rows() == [
        (2, "year", "2023", f"与研发投入.csv第4行、研发投入.csv第5行{said}", "conflict"),
        (4, "year", "2023", f"与研发投入.csv第2行、研发投入.csv第5行{said}", "conflict"),
        (5, "year", "2023", f"与研发投入.csv第2行、研发投入.csv第4行{said}", "conflict"),
    ]


def test_a_crowd_of_conflicts_is_named_in_part(city: City) -> None:
    checked = city.check("研发投入", [研发表头, *([甲, 2023, n, "是"] for n in range(500))])
    reason = checked.rejects["reason"][0]
    assert reason.startswith("与研发投入.csv第")
    assert "等499行" in reason
    assert reason.count("第") < 25


def test_a_blank_figure_contradicts_a_filled_one(city: City) -> None:
    checked = city.check("研发投入", [研发表头, [甲, 2023, 5, "是"], [甲, 2023, 5, None]])
    assert checked.rejects["check"].to_list() == ["conflict", "conflict"]


def test_a_faulty_row_does_not_conflict_with_a_good_one(city: City) -> None:
    checked = city.check("研发投入", [研发表头, [甲, 2023, 5, "是"], [甲, 2023, -6, "是"]])
    assert good(checked, "rnd") == [2]
    assert checked.rejects.select("source_row", "check").rows() == [(3, "not_negative")]


def test_enterprises_that_contradict_each_other(city: City) -> None:
    put(city.raw, 年, "企业名录", [*名录, [甲, "甲公司", "巴城"], 名录[2]])
    checked = city.check("研发投入", [研发表头, [甲, 2023, 1, "是"], [乙, 2023, 1, "是"]])
    assert same_as(checked, "enterprises") == {3: None, 4: None, 6: "企业名录.csv第3行"}
    assert checked.rejects.select("registry", "source_row", "check").rows() == [
        ("enterprises", 2, "conflict"),
        ("enterprises", 5, "conflict"),
        ("rnd", 2, "unknown_applicant"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (("A4.02", "2023-5-1", "Z1"), ("A4.02", "2023-5-1", "Z1"), "repeated"),
        (("A4.02", "2023-5-1", "z1"), ("A4.02", "2023-5-1", "Ｚ1"), "repeated"),
        (("A4.02", "2023-5-1", "Z1"), ("A4.02", "2023-6-1", "Z1"), "conflict"),
        (("A4.02", "2023-5-1", "Z1"), ("A4.02", "2023-5-1", "Z2"), "two"),
        (("A4.02", "2023-5-1", None), ("A4.02", "2023-6-1", None), "two"),
        (("A4.02", "2023-5-1", None), ("A4.02", "2023-5-1", None), "repeated"),
        (("A4.02", "2023-5-1", None), ("A9.05", "2023-5-1", None), "two"),
    ],
)
def test_what_makes_two_certifications_one(city: City, first: Any, second: Any, outcome: str) -> None:
    rows = [[甲, item, None, None, None, day, number] for item, day, number in (first, second)]
    checked = city.check("资质认定", [资质表头, *rows])
    assert outcome_of(checked, "certifications") == outcome


def outcome_of(checked: Checked, name: str) -> str:
    if not checked.rejects.is_empty():
        assert checked.rejects["check"].to_list() == ["conflict", "conflict"]
        return "conflict"
    return "repeated" if checked.rows[name]["repeated"] else "two"


def test_a_certification_by_name_and_by_item_is_one(city: City) -> None:
    rows: Rows = [资质表头, certified("A4.02", None, None, None), certified(None, "瞪羚", None, None)]
    assert city.check("资质认定", rows).rows["certifications"]["repeated"] == 1


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (("2023-5-1", "P1", 5, 1), ("2023-5-1", "p1", 5, 1), "repeated"),
        (("2023-5-1", "P1", 5, 1), ("2023-6-1", "P1", 5, 1), "conflict"),
        (("2023-5-1", "P1", 5, 1), ("2023-5-1", "P2", 5, 1), "two"),
        (("2023-5-1", None, 5, 1), ("2023-5-1", None, 6, 1), "two"),
        (("2023-5-1", None, 5, 1), ("2023-6-1", None, 5, 1), "two"),
        (("2023-5-1", None, 5, 1), ("2023-5-1", None, 5, 2), "conflict"),
        (("2023-5-1", None, 5, 1), ("2023-5-1", None, "5.00", 1), "repeated"),
    ],
)
def test_what_makes_two_claims_one(city: City, first: Any, second: Any, outcome: str) -> None:
    rows = [
        [甲, "A9.01", None, day, project, base, quantity, None]
        for day, project, base, quantity in (first, second)
    ]
    assert outcome_of(city.check("申报项目", [申报表头, *rows]), "claims") == outcome


@pytest.mark.parametrize(
    ("person", "day", "outcome"),
    [
        ("11010519491231002x", "2023-5-1", "repeated"),
        ("11010519491231002X", "2023-6-1", "two"),
        ("E1234567", "2023-5-1", "two"),
    ],
)
def test_what_makes_two_talents_one(
    tmp_path: Path, law: Catalogue, person: str, day: str, outcome: str
) -> None:
    items = law.items | {"A9.01": law.items["A9.01"].model_copy(update={"registry": "talents"})}
    city = City(tmp_path, replace(law, items=items))
    rows = [["11010519491231002X", "张三", 甲, "A9.01", "2023-5-1"], [person, "张三", 甲, "A9.01", day]]
    assert outcome_of(city.check("人才申报", [人才表头, *rows]), "talents") == outcome


def test_payments_are_never_compared(city: City) -> None:
    checked = city.check(
        "已兑付", [兑付表头, *[[2022, 甲, "A4.06", 100, None]] * 2, [2022, 甲, "A4.06", 200, None]]
    )
    assert checked.rejects.is_empty()
    assert set(same_as(checked, "payments").values()) == {None}


def test_faults_of_payments(city: City) -> None:
    rows: Rows = [
        兑付表头,
        [2022, 甲, "A9.99", 100, None],
        [2024, 甲, "A4.06", 100, None],
        [2022, 甲, "A4.06", -100, None],
        [2022, 甲, "A9.08", 100, None],  # a blank level is no fault of a payment
        [2022, 甲, "A9.08", 100, "世界"],
    ]
    assert city.rejects("已兑付", rows) == [
        (2, "item", "A9.99", "unknown_item"),
        (3, "year", "2024", "later_year"),
        (4, "amount", "-100", "not_negative"),
        (6, "level", "世界", "unknown_level"),
    ]


# Earlier years


def test_earlier_folders_are_history_and_named_with_their_year(city: City) -> None:
    put(
        city.raw,
        2022,
        "rnd",
        [研发表头, [甲, 2022, 4, "是"], [甲, 2021, -3, "是"], [乙, 2023, 9, "是"], [乙, None, 1, "是"]],
    )
    put(city.raw, 2022, "企业名录", [名录表头, [无名, "走了", "花桥"]])
    checked = city.check("研发投入", [研发表头, [甲, 2023, 5, "是"]])
    frame = checked.frames["rnd"].select("source_file", "source_row", "role", "year")
    assert frame.rows() == [("2022/rnd.csv", 2, "history", 2022), ("研发投入.csv", 2, "line", 2023)]
    assert checked.rejects.select("source_file", "source_row", "check").rows() == [
        ("2022/rnd.csv", 3, "not_negative"),
        ("2022/rnd.csv", 5, "required"),
    ]
    assert "研发投入：以前年度文件夹中有1行属于2023年度或以后，未使用；如需使用请放入2023文件夹" in notes(
        checked.late, 年
    )
    assert checked.frames["enterprises"]["source_file"].unique().to_list() == ["企业名录.csv"]


def test_the_same_history_in_two_folders_counts_once_and_fills_its_blanks(city: City) -> None:
    put(city.raw, 2022, "rnd", [[*研发表头, "营业收入"], [甲, 2022, 4, "是", 70], [乙, 2022, 4, "是", 70]])
    rows: Rows = [研发表头, [甲, 2022, 4, None], [乙, 2022, 5, "是"], [甲, 2023, 5, "是"]]
    checked = city.check("研发投入", rows)
    marks = checked.frames["rnd"].select("source_file", "source_row", "same_as").rows()
    assert marks == [
        ("2022/rnd.csv", 2, None),
        ("研发投入.csv", 2, "2022/rnd.csv第2行"),
        ("研发投入.csv", 4, None),
    ]
    assert checked.rejects.select("source_file", "source_row", "check").rows() == [
        ("2022/rnd.csv", 3, "conflict"),
        ("研发投入.csv", 3, "conflict"),
    ]


def test_events_of_earlier_folders_do_not_conflict_with_this_years(city: City) -> None:
    put(city.raw, 2022, "资质认定", [资质表头, [无名, "A4.02", None, None, None, "2022-5-1", "Z1"]])
    checked = city.check("资质认定", [资质表头, [甲, "A4.02", None, None, None, "2022-5-1", "Z1"]])
    assert checked.rejects.is_empty()
    assert checked.frames["certifications"]["role"].to_list() == ["line", "history"]


# All rows together


def test_rows_in_another_order_give_the_same_rows_and_rejects(city: City) -> None:
    rows: list[list[Any]] = [
        [甲, 2023, 5, "是"],
        [甲, 2023, 5, "是"],
        [乙, 2023, -1, "是"],
        [丙, 2023, 1, "是"],
        [丙, 2023, 2, "是"],
        [丙, 2022, 2, "是"],
        ["123", "去年", "x", "y"],
    ]
    data = [*REGISTRIES["rnd"].columns, "role"]
    ahead = city.check("研发投入", [研发表头, *rows])
    back = city.check("研发投入", [研发表头, *reversed(rows)])
    for first, second, columns in (
        (ahead.frames["rnd"], back.frames["rnd"], data),
        (ahead.rejects, back.rejects, ["column", "value", "check"]),
    ):
        assert first.select(columns).sort(columns).equals(second.select(columns).sort(columns))
    assert ahead.rows == back.rows


def test_empty_registries_are_no_fault(city: City) -> None:
    checked = city.check("资质认定", [资质表头])
    assert checked.rejects.is_empty()
    assert checked.rows["certifications"]["read"] == 0
    assert checked.frames["certifications"].is_empty()


def test_every_column_keeps_its_type(city: City) -> None:
    put(city.raw, 年, "申报项目", [申报表头, [甲, "A9.01", None, "2023-5-1", "P1", "1.5", 2, 3]])
    checked = city.check("研发投入", [研发表头, [甲, 2023, 5, "是"]])
    for name, frame in checked.frames.items():
        dtypes = REGISTRIES[name].dtypes()
        assert {column: frame.schema[column] for column in dtypes} == dtypes
    claim = checked.frames["claims"].row(0, named=True)
    assert (claim["event_on"], claim["base_amount"], claim["months"]) == (
        date(2023, 5, 1),
        Decimal("1.50"),
        3,
    )
