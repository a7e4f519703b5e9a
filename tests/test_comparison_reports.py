"""The workbook of a comparison: figures as in the frames, charts, lists, sentences, what is hidden."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.chart import BarChart

from reports import comparison_lists
from reports.comparison import write_comparison
from reports.comparison_charts import axis_floor
from reports.svg import escaped
from reports.versions import HIDDEN, Steps, in_chinese, money, sentences, steps_of, versions
from schemas.comparing import KINDS
from tests.comparing_frames import about, level, public_frames, scenario_frames, several_frames

SHEETS = ["结论", "对比", "增减名单", "前十集中度", "临界企业", "增减分解", "预算盘子", "敏感性", "预测对比"]
SHEETS += ["校验", "图表数据"]
Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return scenario_frames()


@pytest.fixture(scope="module")
def several() -> Frames:
    return several_frames()


@pytest.fixture(scope="module")
def book(frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return written(tmp_path_factory.mktemp("book"), about("rnd_8"), frames)


def written(folder: Path, told: dict[str, Any], frames: Frames) -> Any:
    write_comparison(folder / "compare.xlsx", told, frames)
    return openpyxl.load_workbook(folder / "compare.xlsx")


def values(book: Any, sheet: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in book[sheet].iter_rows()]


def texts(book: Any, sheet: str) -> str:
    return "\n".join(str(v) for row in values(book, sheet) for v in row if v is not None)


def wan(yuan: Decimal) -> float:
    return float((yuan / 10_000).quantize(Decimal("0.01"), ROUND_HALF_UP))


# The workbook.


def test_sheets_and_paper(book: Any) -> None:
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)


def test_no_formulas(frames: Frames, tmp_path: Path) -> None:
    sly = "=HYPERLINK(1)"
    frames = frames | {
        "households": frames["households"].with_columns(name=pl.lit(sly)),
        "misses": frames["misses"].with_columns(name=pl.lit(sly)),
    }
    told = about("rnd_8", notes=[sly])
    told["scenarios"][0] |= {"title": sly, "changes": [sly]}
    book = written(tmp_path, told, frames)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert sum(cell.value == sly for cell in cells) > 200
    assert all(cell.data_type != "f" for cell in cells)


def test_side_by_side_equals_the_totals(book: Any, frames: Frames) -> None:
    rows = {(row[0], row[1]): row for row in values(book, "对比")}
    checked = 0
    for name, coded in (("payer", 0), ("district", 0), ("article", 1), ("item", 1), ("size", 0)):
        for row in level(frames, name):
            if row["before"] or row["after"]:
                shown = rows[row["key"] if coded else None, row["title"]]
                assert shown[2:5] == [
                    *(wan(row["before"]), row["households_before"]),
                    wan(row["per_household_before"]),
                ]
                assert shown[5:7] == [wan(row["after"]), wan(row["change"])]
                assert shown[7] == pytest.approx(row["percent"] / 100)
                assert shown[8:] == [row["households_after"], wan(row["per_household_after"])]
                checked += 1
    assert checked == 2 + 9 + 5 + 6 + 4
    assert (None, "苏州市级") not in rows
    (whole,) = level(frames, "all")
    totals = [row for row in values(book, "对比") if row[1] == "合计"]
    assert len(totals) == 9 and all(row[2] == wan(whole["before"]) for row in totals)


def test_four_scenarios_take_two_sheets(several: Frames, tmp_path: Path) -> None:
    book = written(tmp_path, about("rnd_8", "rnd_4", "mild", "none"), several)
    assert book.sheetnames[:4] == ["结论", "对比", "对比（二）", "增减名单"]
    heads = [v for row in values(book, "对比") for v in row if isinstance(v, str) and v.endswith("金额")]
    assert heads == ["现行政策 金额", "方案一 金额", "方案二 金额", "方案三 金额"]
    (whole,) = level(several, "all", "none/totals")
    total = next(row for row in values(book, "对比（二）") if row[1] == "合计")
    assert total[5:7] == [wan(whole["after"]), wan(whole["change"])]
    labels = {row[0] for row in values(book, "增减名单")}
    assert {"方案一", "方案二", "方案三", "方案四"} <= labels


def test_lists_are_complete_and_in_order(book: Any, frames: Frames) -> None:
    rows = [row for row in values(book, "增减名单") if isinstance(row[2], int)]
    moved = frames["households"].filter(pl.col("kind") != "unchanged")
    assert len(rows) == moved.height > 100
    assert sorted(dict.fromkeys(row[1] for row in rows)) == sorted(KINDS[k] for k in moved["kind"].unique())
    by_code = {row["uscc"]: row for row in moved.to_dicts()}
    for row in rows:
        told = by_code[row[3]]
        assert row[4:] == [
            told["name"],
            told["district"],
            *(wan(told[c]) for c in ("before", "after", "change")),
        ]
    winners = [abs(row[8]) for row in rows if row[1] == "增加"]
    assert winners == sorted(winners, reverse=True)
    assert [row[2] for row in rows if row[1] == "增加"] == list(range(1, len(winners) + 1))


def test_long_lists_say_what_they_leave_out(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_lists, "LIST_ROWS", 5)
    book = written(tmp_path, about("rnd_8"), frames)
    rows = [row for row in values(book, "增减名单") if isinstance(row[2], int)]
    winners = frames["households"].filter(pl.col("kind") == "winner")
    kept = winners.sort("change", descending=True).head(5)["uscc"].to_list()
    assert [row[3] for row in rows if row[1] == "增加"] == kept
    assert f"每类只列增减最大的 5 户，未列 减少 2 户、增加 {winners.height - 5} 户" in texts(book, "增减名单")


def test_concentration_and_misses(book: Any, frames: Frames) -> None:
    rows = [row for row in values(book, "前十集中度") if isinstance(row[3], int)]
    assert len(rows) == frames["concentration"].height
    first = frames["concentration"].to_dicts()[0]
    assert rows[0][1:3] == [None, "合计"] and rows[0][3:7] == [
        *(first["households_before"], wan(first["before"]), wan(first["top_before"])),
        pytest.approx(first["share_before"]),
    ]
    missed = values(book, "临界企业")
    assert any(row[5:7] == ["9 万元", 7] and row[9] == 123.46 for row in missed)
    assert sum(row[4] in frames["misses"]["uscc"] for row in missed if row[4]) == 7


def test_waterfall_stands_on_its_base(book: Any, frames: Frames) -> None:
    (chart,) = book["增减分解"]._charts
    assert isinstance(chart, BarChart) and chart.grouping == "stacked"
    assert chart.series[0].graphicalProperties.noFill
    data = [row for row in values(book, "图表数据") if row[0] and row[0].startswith("方案：")]
    assert [s.val.numRef.f for s in chart.series] == [
        f"'图表数据'!${c}$5:${c}${4 + len(data)}" for c in "CDEF"
    ]
    steps = steps_of(versions(about("rnd_8"), frames)[0])
    assert steps is not None and len(data) == len(steps.rows) + 2
    assert (data[0][3], data[-1][3]) == (wan(steps.start), wan(steps.end))
    for shown, row in zip(data[1:-1], steps.rows, strict=True):
        assert shown[2] == wan(min(row["before"], row["after"]))
        assert (shown[4] or 0) - (shown[5] or 0) == wan(row["change"])
    floor = chart.y_axis.scaling.min
    assert floor == 18_000 and f"从 {floor:,.0f} 万元起" in texts(book, "增减分解")


def test_tornado_is_sorted_and_covers_its_table(book: Any) -> None:
    (chart,) = book["敏感性"]._charts
    rows = values(book, "敏感性")
    first = next(n for n, row in enumerate(rows, 1) if row[0] == "A4.06 rate")
    assert [s.val.numRef.f for s in chart.series] == [f"'敏感性'!${c}${first}:${c}${first + 3}" for c in "EF"]
    assert [row[0] for row in rows[first - 1 :][:4]] == [
        *("A4.06 rate", "A11.02 rate", "A16.01 min_tax", "A4.03 award")
    ]
    assert rows[first][4:6] == [-234.56, 210]


def test_checks_can_fail(book: Any, frames: Frames, tmp_path: Path) -> None:
    verdicts = [row[5] for row in values(book, "校验") if row[5] in ("相符", "不符")]
    assert len(verdicts) > 30 and set(verdicts) == {"相符"}
    wrong = frames["totals"].with_columns(
        after=pl.when(pl.col("key") == "花桥").then(pl.col("after") + 1).otherwise("after")
    )
    bad = written(tmp_path, about("rnd_8"), frames | {"totals": wrong})
    failed = [row[1:5] for row in values(bad, "校验") if row[5] == "不符"]
    assert [row[0] for row in failed] == ["各区镇之和 ＝ 合计（方案）"] and failed[0][3] == 1


def test_conclusion(book: Any, frames: Frames) -> None:
    told = texts(book, "结论")
    (whole,) = level(frames, "all")
    assert f"增加 {wan(whole['change']):,.2f} 万元（{whole['percent']:+.2f}%）" in told
    for text in (
        "A4.06 rate：从 5% 到 8%（政策A 第4条）",
        "提出：示例",
        "登记表共 <3> 行有问题",
        "全周期合计",
    ):
        assert text in told


def test_small_cells_are_hidden(tmp_path: Path) -> None:
    found = public_frames()
    gone = [row["key"] for row in level(found, "item") if row["before"] is None]
    book = written(tmp_path, about("rnd_8", suppressed=True), found)
    rows = {row[0]: row for row in values(book, "对比")}
    assert gone and "不公开的说明" in texts(book, "对比") and "不足三户" in texts(book, "结论")
    for key in gone:
        assert rows[key][2:10] == [HIDDEN] * 8 and "不公开" in rows[key][10]
    assert "内部使用" not in texts(book, "结论")
    assert "不符" not in texts(book, "校验")
    named = found | {"misses": scenario_frames(60)["misses"]}
    assert "内部使用" in texts(written(tmp_path, about("rnd_8", suppressed=True), named), "结论")


@pytest.mark.parametrize("given", ["nothing", "empty"])
def test_little_to_show(given: str, frames: Frames, tmp_path: Path) -> None:
    held = {} if given == "nothing" else {name: frame.clear() for name, frame in frames.items()}
    book = written(tmp_path, about("rnd_8", forecast=None, readings=[], notes=[]), held)
    left_out = {"预算盘子", "敏感性", "预测对比", "图表数据"}
    assert book.sheetnames == [sheet for sheet in SHEETS if sheet not in left_out]
    for sheet in book.sheetnames:
        assert "无" in texts(book, sheet)


# The sentences.


def test_sentences_tell_totals_kinds_and_payers(frames: Frames) -> None:
    (version,) = versions(about("rnd_8"), frames)
    first, second, third = sentences(about("rnd_8"), version)
    (whole,) = level(frames, "all")
    assert money(whole["before"]) in first and "另有待核定 19 笔" in first
    overall = pl.col("district").is_null() & pl.col("item").is_null()
    kinds = {row["kind"]: row for row in frames["kinds"].filter(overall).to_dicts()}
    for kind in ("winner", "loser", "no_longer"):
        assert (
            f"{KINDS[kind]} {kinds[kind]['households']} 户（{money(kinds[kind]['change'], True)} 万元）"
            in second
        )
    assert "新增受益" not in second and second.endswith(f"不变 {kinds['unchanged']['households']} 户。")
    by = {row["key"]: row for row in level(frames, "payer")}
    assert third == (
        f"由谁负担：市级 {money(by['city']['change'], True)} 万元（{by['city']['percent']:+.2f}%），"
        f"区镇 {money(by['district']['change'], True)} 万元（{by['district']['percent']:+.2f}%）。"
    )


def test_a_change_of_payers_alone_is_told(frames: Frames) -> None:
    totals = frames["totals"].with_columns(
        change=pl.when(pl.col("level") == "payer").then("change").otherwise(0),
        after=pl.when(pl.col("level") == "payer").then("after").otherwise("before"),
    )
    (version,) = versions(about("rnd_8"), {"totals": totals})
    first, _, third = sentences(about("rnd_8"), version)
    assert "总额不变" in first and third.startswith("总额不变，只改变由谁负担：市级 +")


def test_small_words() -> None:
    assert [in_chinese(n) for n in (1, 10, 11, 20, 21)] == ["一", "十", "十一", "二十", "二十一"]
    assert [money(Decimal(v), True) for v in ("12345678.5", "-50", "-49.99", "0")] == [
        *("+1,234.57", "-0.01", "0.00", "0.00")
    ]
    assert money(None) == HIDDEN
    assert escaped("<a href='x'>&\x00") == "&lt;a href=&#x27;x&#x27;&gt;&amp;"


def test_axis_begins_at_nothing_where_steps_are_large() -> None:
    def between(start: int, end: int) -> Steps:
        row = {"before": Decimal(start), "after": Decimal(end)}
        return Steps("按步骤", Decimal(start), [row], Decimal(end))

    assert axis_floor(between(0, 100)) == axis_floor(between(50, 100)) == axis_floor(between(7, 7)) == 0
    assert 0 < axis_floor(between(100_000_000, 100_500_000)) < 100_000_000
