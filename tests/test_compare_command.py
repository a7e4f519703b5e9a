"""`duixian compare` and `duixian solve` as people use them."""

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from flows.comparing import Asked, run_compare
from flows.direct import run_annual
from schemas.comparing import BRIDGE, TOTALS
from tests.conftest import ROOT
from tests.test_cli import run
from tests.test_publish import parquet_bytes
from whatif import outlook
from whatif.outlook import AHEAD

LIBRARY = ROOT / "scenarios"


@pytest.fixture(scope="module")
def compared(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenarios against the policy as it is, with forecasts."""
    drawn = outlook.Asked(1, 64, 1, 2)
    asked = Asked(2023, "current", (LIBRARY / "rnd_8.yaml", LIBRARY / "split_6_4.yaml"), drawn)
    return run_compare(asked, city, tmp_path_factory.mktemp("compared"), lambda _: None)


def test_the_folder_and_its_tables(compared: Path) -> None:
    assert compared.parts[-2:] == ("compare", "current--rnd_8--split_6_4")
    names = {path.name for path in compared.iterdir()}
    tables = {
        "compare",
        "households",
        "details",
        "kinds",
        "concentration",
        "changes",
        "bridge",
        "misses",
        "forecast",
    }
    assert {f"{name}.parquet" for name in tables} | {"compare.xlsx", "compare.html", "manifest.json"} <= names
    totals = pl.read_parquet(compared / "compare.parquet")
    assert set(TOTALS) < set(totals.columns) and set(totals["scenario"]) == {"rnd_8", "split_6_4"}
    assert set(BRIDGE) < set(pl.read_parquet_schema(compared / "bridge.parquet"))


def test_a_split_moves_no_total_and_a_rate_no_split(compared: Path, published: Path) -> None:
    totals = pl.read_parquet(compared / "compare.parquet").filter(level="all")
    change = dict(totals.select("scenario", "change").rows())
    assert change["split_6_4"] == 0 and change["rnd_8"] > 0
    due = pl.read_parquet(published / "awards.parquet")["award"].sum()
    assert set(totals["before"]) == {due}, "基准与年度兑现的结果应相等"
    steps = pl.read_parquet(compared / "bridge.parquet").filter(
        pl.col("district").is_null() & pl.col("item").is_null()
    )
    for name, step in (("rnd_8", "rule"), ("split_6_4", "split")):
        mine = steps.filter(scenario=name)
        assert mine["change"].sum() == change[name]
        moved = mine.filter((pl.col("change") != 0) | (pl.col("city_share") != 0))
        assert moved["step"].to_list() == [step]


def test_forecasts_are_compared_on_the_same_draws(compared: Path) -> None:
    ahead = pl.read_parquet(compared / "forecast.parquet")
    assert set(AHEAD) < set(ahead.columns)
    whole = ahead.filter(pl.col("payer").is_null() & pl.col("district").is_null())
    split = whole.filter(scenario="split_6_4")
    assert split["change_P95"].abs().max() == 0, "只改分担，合计每次抽样都不变"
    rate = whole.filter(scenario="rnd_8", pay_year=2025)
    assert 0 < rate["change_P5"][0] <= rate["change"][0] <= rate["change_P95"][0]


def test_reports_can_be_read(compared: Path) -> None:
    book = openpyxl.load_workbook(compared / "compare.xlsx", read_only=True)
    assert {"结论", "对比", "增减分解", "敏感性"} <= set(book.sheetnames)
    page = (compared / "compare.html").read_text("utf-8")
    assert "研发费用增长奖励8%" in page and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    manifest = json.loads((compared / "manifest.json").read_text("utf-8"))
    assert [one["name"] for one in manifest["scenarios"]] == ["rnd_8", "split_6_4"]
    assert any("A4.06" in line and "6% → 8%" in line for line in manifest["scenarios"][0]["changes"])


def test_a_scenario_without_effect_equals_the_baseline(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "无改动.yaml"
    nothing.write_text("title: 什么都不改\n", "utf-8")
    words = ("--year", "2023", "--raw", str(city), "--out", str(tmp_path / "o"), "--public")
    code, said, faults = run(capsys, "compare", "current", str(nothing), *words)
    assert (code, faults) == (0, "") and "（+0.00 万元）" in said
    folder = tmp_path / "o" / "compare" / "current--无改动"
    totals = pl.read_parquet(folder / "compare.parquet")
    assert totals["change"].drop_nulls().unique().to_list() == [0]
    assert totals["suppressed"].any(), "小城市里应有不足三家的格"
    assert not (folder / "households.parquet").exists(), "公开用的结果不列名单"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert "没有改变任何内容" in " ".join(manifest["scenarios"][0]["changes"]) and manifest["suppressed"]


def test_a_run_under_an_empty_scenario_has_the_same_bytes(
    city: Path, published: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("title: 什么都不改\n", "utf-8")
    folder = run_annual(2023, city, tmp_path / "o", (nothing,), lambda _: None)
    assert parquet_bytes(folder) == parquet_bytes(published)


def test_two_years_of_results(city: Path, published: Path, tmp_path: Path) -> None:
    before = run_annual(2022, city, tmp_path / "o", (), lambda _: None)
    official = parquet_bytes(before)
    asked = Asked(2023, str(before), (LIBRARY / "a_to_2027.yaml",))
    folder = run_compare(asked, city, tmp_path / "o", lambda _: None)
    assert folder.name == "annual-2022--a_to_2027"
    steps = pl.read_parquet(folder / "bridge.parquet").filter(
        pl.col("district").is_null() & pl.col("item").is_null()
    )
    due = [pl.read_parquet(one / "awards.parquet")["award"].sum() for one in (before, published)]
    assert steps["change"].sum() == due[1] - due[0]
    assert parquet_bytes(before) == official, "比较不改动正式结果"


def test_an_envelope_is_shared_out(city: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "盘子.yaml"
    scenario.write_text(
        "title: 第4条预算\nenvelopes:\n"
        "- {name: 第4条, amount: 100万, policy: A, article: 4, rule: proportional}\n",
        "utf-8",
    )
    folder = run_compare(Asked(2023, "current", (scenario,)), city, tmp_path / "o", lambda _: None)
    row = pl.read_parquet(folder / "envelopes.parquet").row(0, named=True)
    assert (row["envelope"], row["paid"], row["balance"]) == ("第4条", 1_000_000, 0)
    assert row["exposure"] > row["paid"] and row["exposure"] == row["paid"] + row["unpaid"]
    book = openpyxl.load_workbook(folder / "compare.xlsx", read_only=True)
    assert "预算盘子" in book.sheetnames


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("curent", "rnd_8.yaml"), "基准「curent」应是 current"),
        (("current", "rnd_9.yaml"), "没有找到方案文件"),
        (("empty", "rnd_8.yaml"), "没有 awards.parquet，不是年度兑现的结果文件夹"),
    ],
)
def test_what_cannot_be_compared_is_one_message(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path, words: tuple[str, str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    baseline = str(tmp_path / "empty") if words[0] == "empty" else words[0]
    out = tmp_path / "o"
    options = ("--year", "2023", "--raw", str(city), "--out", str(out))
    code, _, faults = run(capsys, "compare", baseline, str(LIBRARY / words[1]), *options)
    assert code == 2 and message in faults and "Traceback" not in faults and not out.exists()


def test_solve_answers(capsys: pytest.CaptureFixture[str], city: Path, published: Path) -> None:
    paid = pl.read_parquet(published / "awards.parquet").filter(item="A4.06")["city_share"].sum()
    target = f"A4.06.city_share <= {paid}"
    words = ("--vary", "A4.06.rate", "--in", "2%..8%", "--raw", str(city))
    code, said, faults = run(capsys, "solve", "--year", "2023", "--target", target, *words)
    assert (code, faults) == (0, "") and "最高值：6%" in said and "市级负担随之上升" in said
    assert len([line for line in said.splitlines() if line.endswith(("是", "否"))]) >= 9


def test_solve_on_the_forecast(capsys: pytest.CaptureFixture[str], city: Path) -> None:
    words = ("--vary", "A4.06.rate", "--in", "2%..8%", "--raw", str(city), "--forecast", "--draws", "64")
    code, said, faults = run(capsys, "solve", "--year", "2023", "--target", "city_share <= 1000亿", *words)
    assert (code, faults) == (0, "") and "有九成把握市级负担不超过 1000亿" in said and "最高值：8%" in said
    code, _, faults = run(capsys, "solve", "--year", "2023", "--target", "户数 >= 3", *words)
    assert code == 2 and "用预测求解时，目标只能是" in faults
