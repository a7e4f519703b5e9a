"""Tables D and E as data: every cell, what drives what, and what is reported instead of repaired."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from forecast.targets import FILE, DividedRow, PathRow, Targets, load_targets
from rules.catalogue import Catalogue
from rules.expressions import RuleError
from schemas.districts import ALIASES, DISTRICTS

POLICIES = Path(__file__).parents[2] / "shared" / "policies"
with_texts = pytest.mark.skipif(not POLICIES.is_dir(), reason="the texts are not here")

YEARS = (2022, 2023, 2024, 2025)


@pytest.fixture(scope="module")
def targets(law: Catalogue) -> Targets:
    return load_targets(law)


def changed(law: Catalogue, tmp_path: Path, old: str, new: str) -> Targets:
    """The targets with one place of the file changed."""
    text = FILE.read_text("utf-8")
    assert text.count(old) == 1, old
    path = tmp_path / "targets.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return load_targets(law, path)


# Every row and cell -----------------------------------------------------------------------------------------


def test_every_row_is_there(targets: Targets) -> None:
    subs = {"E01.1", "E02.1", "E12.1", "E13.1"}
    assert set(targets.paths) == {f"E{n:02}" for n in range(1, 29)} | subs
    assert list(targets.divisions) == [f"D{n:02}" for n in range(1, 18)]
    assert list(targets.rows) == [*targets.paths, *targets.divisions]


@pytest.mark.parametrize(
    ("key", "kind", "values"),
    [
        ("E01", "stock", ["155", "170", "185", "200"]),
        ("E02.1", "flow", ["20", "25", "25", "30"]),
        ("E05", "stock", ["5.12", "5.46", "5.82", "6.2"]),
        ("E10", "flow", ["1", "1", "1", "2"]),
        ("E11", "flow", ["120", "120", "130", "130"]),
        ("E12", "stock", ["2500", "2800", "3100", "3500"]),
        ("E12.1", "flow", ["300", "300", "300", "400"]),
        ("E13.1", "flow", ["3", "4", "6", "7"]),
        ("E14", "stock", ["100", "120", "150", "200"]),
        ("E15", "stock", ["20", "30", "40", "50"]),
        ("E20", "ratio", ["1.7", "1.8", "1.9", "2"]),
        ("E27", "level", ["284", "285", "287", "290"]),
        ("E28", "flow", ["2500", "2500", "2500", "2500"]),
    ],
)
def test_paths_by_hand(targets: Targets, key: str, kind: str, values: list[str]) -> None:
    row = targets.paths[key]
    assert row.kind == kind
    assert row.values == dict(zip(YEARS, map(Decimal, values), strict=True))


@pytest.mark.parametrize(
    ("key", "total", "cells"),
    [
        ("D02", "2", "-- -- -- -- -- -- -- -- --"),
        ("D03", "1119", "502 255 46 72 48 51 44 58 42"),
        ("D06", "50", "18 10 0 3 5 5 3 3 3"),
        ("D08", "2", "1 1 -- -- -- -- -- -- --"),
        ("D09", "4", "2 -- -- 2 -- -- -- -- --"),
        ("D14", "1", "-- 1 -- -- -- -- -- -- --"),
        ("D17", "600", "356 84 -- 47 12 11 2 70 18"),
    ],
)
def test_divisions_by_hand(targets: Targets, key: str, total: str, cells: str) -> None:
    row = targets.divisions[key]
    assert row.total == Decimal(total)
    wanted = [None if cell == "--" else Decimal(cell) for cell in cells.split()]
    assert [row.districts[name] for name in DISTRICTS] == wanted


def test_checksums(targets: Targets) -> None:
    """Sums of whole columns, taken from the texts: they stand where the texts are not at hand."""
    columns = [sum(row.values[year] for row in targets.paths.values()) for year in YEARS]
    assert columns == [Decimal(text) for text in ("20109.02", "20715.56", "21437.22", "22296.7")]
    cells = [sum(row.districts[name] or 0 for row in targets.divisions.values()) for name in DISTRICTS]
    assert cells == [6827, 1925, 130, 908, 301, 307, 139, 1129, 382]
    assert sum(row.total for row in targets.divisions.values()) == 12049


def _figure(text: str) -> Decimal | None:
    return None if text == "--" else Decimal(text.rstrip("%"))


def _is_figure(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?%?|--", text) is not None


@with_texts
def test_every_cell_of_e_is_the_texts(targets: Targets) -> None:
    text = (POLICIES / "E_talent_2022_2025.txt").read_text("utf-8").split("指标体系\n")[-1]
    number, above, seen = "", "", []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("\t")]
        starts = [i for i in range(2, len(cells) - 3) if all(map(_is_figure, cells[i : i + 4]))]
        if not starts:
            continue
        name, unit, departments = cells[starts[0] - 2], cells[starts[0] - 1], "".join(cells[starts[0] + 4 :])
        number = cells[0] or number
        key = f"E{int(number):02}" + (".1" if name.startswith("其中：") else "")
        above = departments or above
        row = targets.paths[key]
        assert (row.title, row.unit) == (name.removeprefix("其中："), unit), key
        assert list(row.values.values()) == [_figure(cell) for cell in cells[starts[0] : starts[0] + 4]], key
        assert " ".join(row.departments) == above, key
        seen.append(key)
    assert seen == list(targets.paths)


@with_texts
def test_every_cell_of_d_is_the_texts(targets: Targets) -> None:
    text = (POLICIES / "D_electronics_2025.txt").read_text("utf-8")
    table = text.split("目标分解表\n")[-1].split("备注：")[0]
    head = next(line for line in table.splitlines() if line.startswith("类型")).split("\t")
    assert [ALIASES[name] for name in head[3:12]] == list(DISTRICTS)
    rows = iter(targets.divisions.values())
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) < 12 or cells[0] == "类型":
            continue
        row = next(rows)
        department = next(cell for cell in cells[3:] if cell.startswith("市"))
        figures = [_figure(cell) for cell in cells[2 : cells.index(department)]]
        wide = f"{row.title}（{row.unit}）" if row.unit != "%" else row.title
        assert (cells[1].replace(" ", ""), department) == (wide, *row.departments), row.key
        assert figures[:10] == [row.total, *(row.districts[name] for name in DISTRICTS)], row.key
        assert figures[10:] == [None] * row.surplus, row.key
    assert next(rows, None) is None


@with_texts
def test_stated_figures_are_the_texts(targets: Targets) -> None:
    """Every four-year total and 2025 level kept for checking is said in E's general goals."""
    text = (POLICIES / "E_talent_2022_2025.txt").read_text("utf-8")
    goals = text.split("二、总体目标")[1].split("三、基本原则")[0].replace("\n", "")
    said = {Decimal(number) * 10_000 for number in re.findall(r"(\d+) *万", goals)}
    said |= {Decimal(n) for n in re.findall(r"\d+(?:\.\d+)?", goals)}
    for row in targets.paths.values():
        for stated in (row.stated_total, row.stated_end):
            assert stated is None or stated in said, row.key


# What drives what -------------------------------------------------------------------------------------------

DRIVERS = {
    ("E12.1", "A4.03", "net"),
    ("E12", "A4.04", "renewals"),
    ("E12", "A4.06", "population"),
    ("E13", "A4.08", "net"),
    ("E13.1", "A4.07", "count"),
    ("E13", "A4.09", "on_stock"),
    ("E14", "A4.02", "net"),
    ("E15", "A4.01", "on_stock"),
    ("E07", "A23.04", "count"),
    ("E07", "A23.05", "count"),
    ("E08", "A2.15", "count"),
    ("E09", "A3.09", "count"),
    ("E10", "A2.14", "count"),
    ("E11", "A6.04", "count"),
    ("E02.1", "A18.02", "count"),
    ("E02.1", "A18.03", "count"),
    ("E03", "A20.02", "count"),
    ("E18", "A9.08", "count"),
    ("E24", "A7.03", "count"),
    ("E25", "A6.07", "count"),
    ("D04", "A4.03", "districts"),
    ("D06", "A4.08", "districts"),
    ("D07", "A4.02", "districts"),
    ("D08", "A4.01", "districts"),
    ("D11", "A14.04", "districts"),
    ("D12", "A6.04", "districts"),
    ("D15", "A19.01", "districts"),
    ("D16", "A2.14", "districts"),
    ("D17", "A11.02", "investment"),
}
"""The drivers table of the design, line by line."""


def test_the_drivers_are_the_designs(targets: Targets) -> None:
    assert {(r.key, d.item, d.how) for r in targets.rows.values() for d in r.drives} == DRIVERS
    assert {"D05", "D09", "E23", "E26", "E28"} <= {r.key for r in targets.rows.values() if r.no_award}
    assert [r.key for r, _ in targets.drivers("A6.04")] == ["E11", "D12"]


def test_unit_awards_are_the_catalogues(targets: Targets) -> None:
    assert not any("award" in name or "amount" in name for name in {*PathRow.model_fields} - {"no_award"})


def test_a_flow_is_its_year(targets: Targets) -> None:
    counts = []
    for year in YEARS:
        events = targets.events("A6.04", None, year)
        assert events is not None and (events.row, events.how, events.held) == ("E11", "count", False)
        counts.append(events.count)
    assert counts == [120, 120, 130, 130]


def test_a_stock_means_its_increments(targets: Targets) -> None:
    found = [targets.events("A4.02", None, year) for year in YEARS]
    assert found[0] is None
    assert [e.count for e in found[1:] if e] == [20, 30, 50]
    first = targets.events("A4.02", None, 2022, base=85)
    assert first is not None and (first.count, first.how, first.row) == (15, "net", "E14")
    assert [e.count for y in YEARS if (e := targets.events("A4.03", None, y))] == [300, 300, 300, 400]
    assert [e.count for y in YEARS if (e := targets.events("A4.01", None, y))] == [20, 30, 40, 50]


def test_no_path_no_answer(targets: Targets) -> None:
    assert targets.events("A6.04", None, 2021) is None
    assert targets.events("A1.01", None, 2023) is None
    assert targets.events("A3.09", "苏州市级", 2023) is None
    # Renewals and the number of enterprises follow the stock but are no count of events.
    assert targets.events("A4.04", None, 2023) is None
    assert targets.events("A4.06", None, 2023) is None
    # D alone counts nothing.
    assert targets.events("A14.04", None, 2025) is None
    assert targets.events("A19.01", None, 2025) is None


def test_one_figure_for_several_levels_says_so(targets: Targets) -> None:
    for level in (None, "省级", "国家级"):
        events = targets.events("A3.09", level, 2024)
        assert events is not None and events.count == 15
        assert events.among == (("A3.09", "省级"), ("A3.09", "国家级"))
    both = targets.events("A18.03", "苏州市级以上双创团队计划", 2025)
    assert both is not None and both.count == 30 and [item for item, _ in both.among] == ["A18.02", "A18.03"]
    # The stock of 专精特新 does not tell levels apart: any level is answered by the whole, named as such.
    whole = targets.events("A4.08", "昆山市级专精特新企业", 2023)
    assert whole is not None and whole.count == 50 and whole.among == (("A4.08", None),)


def test_after_the_path_the_last_addition_goes_on(targets: Targets) -> None:
    for item, count in (("A6.04", 130), ("A4.03", 400), ("A4.02", 50), ("A4.01", 70), ("A4.09", 650)):
        events = targets.events(item, None, 2027)
        assert events is not None and (events.count, events.held) == (count, True), item
    assert targets.after_path == "2025 年以后没有目标，沿用 2025 年的年度新增数"


def test_district_shares_are_of_the_districts_sum(targets: Targets) -> None:
    jaguars = targets.district_shares("A4.02")
    assert jaguars is not None and jaguars.row == "D07"
    assert jaguars.shares["开发区"] == pytest.approx(8 / 19)  # not of the stated 18
    plants = targets.district_shares("A14.04")
    assert plants is not None and plants.shares == {"开发区": 0.5, "高新区": 0.5}
    special = targets.district_shares("A4.08")
    assert special is not None and special.shares["花桥"] == 0  # a stated zero, unlike 「--」
    invested = targets.district_shares("A11.02")
    assert invested is not None and invested.row == "D17" and "花桥" not in invested.shares
    for row in targets.divisions.values():
        for drive in row.drives:
            shares = targets.district_shares(drive.item)
            assert shares is not None and sum(shares.shares.values()) == pytest.approx(1)
    assert targets.district_shares("A4.04") is None


def test_d_and_e_are_never_added(targets: Targets, law: Catalogue, tmp_path: Path) -> None:
    """An item in both tables is counted by E alone, and D changes no count."""
    both = {d.item for r in targets.paths.values() for d in r.drives} & {
        d.item for r in targets.divisions.values() for d in r.drives
    }
    assert both == {"A4.01", "A4.02", "A4.03", "A4.08", "A6.04", "A2.14"}
    without = Targets(targets.paths, {})
    for item in both:
        for year in range(2021, 2028):
            events = targets.events(item, None, year)
            assert events == without.events(item, None, year)
            assert events is None or events.row.startswith("E")
    with pytest.raises(RuleError, match="D16：没有适合这一行的 how「count」"):
        changed(law, tmp_path, "{item: A2.14, how: districts}", "{item: A2.14, how: count}")


# What is reported, and what is refused ----------------------------------------------------------------------


def test_findings(targets: Targets) -> None:
    surplus = "比九个区镇多 1 格「--」，按左对齐舍去行末的"
    seven = "未划分（不是零）：花桥、旅游度假区、张浦、周市、陆家、巴城、千灯"
    assert targets.findings() == [
        "D02 研发投入占比：未划分（不是零）：全部区镇",
        "D03 科技型中小企业评价入库：合计 1119家，区镇之和 1118家；合计照原表，按区镇数占比划分",
        "D05 培育创新领航企业数：合计 48家，区镇之和 49家；合计照原表，按区镇数占比划分",
        "D07 新增苏州市级“瞪羚”企业遴选数：合计 18家，区镇之和 19家；合计照原表，按区镇数占比划分",
        f"D08 新增“独角兽”培育企业数：{surplus}",
        f"D08 新增“独角兽”培育企业数：{seven}",
        f"D09 入选电子信息竞争力百强企业数：{surplus}",
        "D09 入选电子信息竞争力百强企业数：未划分（不是零）：高新区、花桥、张浦、周市、陆家、巴城、千灯",
        f"D10 新增产值超50亿企业数：{surplus}",
        "D10 新增产值超50亿企业数：未划分（不是零）：高新区、花桥、旅游度假区、张浦、周市、陆家、巴城、千灯",
        f"D11 新增全球“灯塔工厂”数：{surplus}",
        f"D11 新增全球“灯塔工厂”数：{seven}",
        "D13 新增特色产业集聚区：未划分（不是零）：高新区、花桥、旅游度假区、张浦、周市、陆家、巴城、千灯",
        "D14 新增特色产业园区：未划分（不是零）：开发区、花桥、旅游度假区、张浦、周市、陆家、巴城、千灯",
        f"D16 新增新型研发机构：{seven}",
        "D17 新增电子信息领域工业投资：未划分（不是零）：花桥",
    ]


def test_what_disagrees_is_reported_and_kept(law: Catalogue, tmp_path: Path) -> None:
    net = "{2022: 300, 2023: 300, 2024: 300, 2025: 400}"
    targets = changed(law, tmp_path, net, net.replace("2024: 300", "2024: 310"))
    assert targets.findings()[:2] == [
        "E12.1 净增高新技术企业：各年之和 1310家，正文合计 1300家，用各年数",
        "E12.1 净增高新技术企业：2024 年 310家，E12 存量增加 300家，各照原表",
    ]
    assert targets.paths["E12.1"].values[2024] == 310
    targets = changed(law, tmp_path, "stated_end: 6.2", "stated_end: 6.5")
    assert targets.findings()[0] == "E05 高层次人才总量：末年 6.2万人，正文 6.5万人，用表中数"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{item: A4.02, how: net}", "{item: A4.2, how: net}", "E14：没有条款「A4.2」，是否为「A4.02」？"),
        (
            "level: 国家标准",
            "level: 国家的标准",
            "E18：没有 A9.08 的级别「国家的标准」，是否为「国家标准」？",
        ),
        (
            "{item: A4.02, how: net}",
            "{item: A4.02, how: nett}",
            "E14：没有适合这一行的 how「nett」，是否为「net」？",
        ),
        ("{item: A4.02, how: net}", "{item: A4.08, how: net}", "E14：A4.08 已由 E13 推动"),
        ("net_of: E12", "net_of: E11", "E12.1：没有存量行「E11」"),
        ("花桥: 59, 旅游度假区", "花桥: 59, 旅度区", "D15：没有区镇「旅度区」，是否为「旅游度假区」？"),
        (", 巴城: 75, 千灯: 53}", ", 巴城: 75}", "D15：缺少区镇 千灯"),
        ("2025: 6.2}", "2026: 6.2}", "E05：values 应有 2022、2023、2024、2025 各年"),
        (", 2025: 6.2}", "}", "E05：values 应有"),
        ("2025: 6.2}", "二五: 6.2}", "「二五」不是年份"),
        ("花桥: 59,", "花桥: 无,", "D15：districts.花桥：「无」不是数字"),
        ("no_award: 面积没有奖补", "no_award:", "E23：drives 和 no_award 应写且只写一个"),
        ("no_award: 面积没有奖补", "no_awards: 面积", "E23：no_awards：不认识的键"),
        ("key: E28", "key: E27", "E27：出现两次"),
    ],
)
def test_what_is_unknown_is_refused(law: Catalogue, tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RuleError) as error:
        changed(law, tmp_path, old, new)
    assert said in str(error.value)
    assert "targets.yaml" in str(error.value)


def test_rows_are_of_their_table(targets: Targets) -> None:
    assert all(isinstance(row, PathRow) == key.startswith("E") for key, row in targets.rows.items())
    assert all(isinstance(row, DividedRow) == key.startswith("D") for key, row in targets.rows.items())
