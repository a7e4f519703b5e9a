"""`duixian forecast` as people use it: whole results, one message where it cannot be, poor registries."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from flows.ahead import Asked
from flows.direct import run_forecast
from forecast.backtest import backtest, origins, summary
from forecast.readings import effects
from rules.award import settle
from rules.catalogue import load_catalogue
from rules.frames import Frames
from schemas.districts import DISTRICTS
from schemas.outputs import BACKTEST, DRAWS, FORECAST
from tests.conftest import SHARED
from tests.forecasting import codes, enterprises, read_city, registry, rnd_rows, with_scenario
from tests.test_cli import run
from tests.test_publish import parquet_bytes

LAW = load_catalogue()
QUICK = {"draws": 64, "workers": 2}


@pytest.fixture(scope="module")
def ahead(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published forecast of the small city with a backtest."""
    out = tmp_path_factory.mktemp("ahead")
    return run_forecast(Asked(2023, 2, backtest=True, **QUICK), city, out, (), lambda _: None)


def test_the_files_in_their_shapes(ahead: Path) -> None:
    names = {"backtest.parquet", "draws.parquet", "forecast.parquet", "forecast.xlsx", "manifest.json"}
    assert {p.name for p in ahead.iterdir()} == names | {"rejects.parquet"}
    for name, shape in (("forecast", FORECAST), ("draws", DRAWS), ("backtest", BACKTEST)):
        assert dict(pl.read_parquet_schema(ahead / f"{name}.parquet")) == shape
    draws = pl.read_parquet(ahead / "draws.parquet")
    assert draws["draw"].unique().sort().to_list() == list(range(1, 65))
    sheets = openpyxl.load_workbook(ahead / "forecast.xlsx", read_only=True).sheetnames
    assert sheets[:4] == ["结论", "分年度", "分区镇", "分条"] and {"假设", "带宽来源", "回测"} <= set(sheets)


def test_the_manifest_says_what_it_rests_on(ahead: Path) -> None:
    manifest = json.loads((ahead / "manifest.json").read_text("utf-8"))
    assert (manifest["year"], manifest["horizon"], manifest["draws"], manifest["seed"]) == (2023, 2, 64, 1)
    assert len(manifest["conclusion"]) == 3 and "2024-12-31" in manifest["conclusion"][2]
    assert all(a["what"] and a["value"] and a["source"] for a in manifest["assumptions"])
    assert {p["source"][:3] for p in manifest["paths"]} >= {"E12", "E11", "E24"}
    assert len(manifest["inputs"]) > 10 and set(manifest["outputs"]) >= {"forecast.parquet", "draws.parquet"}
    assert any("1118" in finding for finding in manifest["targets"])


def test_same_seed_same_bytes_with_one_worker(city: Path, ahead: Path, tmp_path: Path) -> None:
    again = run_forecast(Asked(2023, 2, 64, workers=1, backtest=True), city, tmp_path, (), lambda _: None)
    assert parquet_bytes(again) == parquet_bytes(ahead)
    assert (again / "manifest.json").read_bytes() == (ahead / "manifest.json").read_bytes()


def test_the_command_ends_with_the_conclusion(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path
) -> None:
    scenario = tmp_path / "续期2027.yaml"
    scenario.write_text("title: 续期\npolicies: {A: {last_day: 2027-12-31}}\n", "utf-8")
    words = (
        "--base-year",
        "2023",
        "--horizon",
        "1",
        "--draws",
        "64",
        "--raw",
        str(city),
        "--out",
        str(tmp_path),
    )
    code, said, faults = run(capsys, "forecast", *words, "--scenario", str(scenario))
    assert (code, faults) == (0, "")
    folder = tmp_path / "scenarios" / "续期2027" / "forecast" / "2023"
    assert f"工作簿：{folder / 'forecast.xlsx'}" in said and "2024年支付，" in said
    assert "2027-12-31 到期" in said and not (tmp_path / "forecast").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--base-year", "2019"), "没有找到"),
        (("--base-year", "2023", "--draws", "5"), "抽样次数应在 20 到 1,000,000 之间，现为 5"),
        (("--base-year", "2023", "--horizon", "0"), "预测年数应在 1 到 20 之间"),
        (("--base-year", "2023", "--seed", "-1"), "随机种子不能为负数"),
        (("--base-year", "2023", "--workers", "-2"), "并行数应在 1 到 256 之间"),
        ((), "缺少参数：--base-year"),
    ],
)
def test_what_cannot_be_is_one_message(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "o"
    code, _, faults = run(capsys, "forecast", *words, "--raw", str(city), "--out", str(out))
    assert code == 2 and message in faults and "Traceback" not in faults
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forecast: {counts: trends}", "counts：不是允许的值"),
        ("forecast: {payment_lag: 9}", "payment_lag"),
        ("forecast: {renewal: 1.2}", "续期比例 1.2 不在 0 到 1 之间"),
        ("forecast: {growht: high}", "不认识的键"),
    ],
)
def test_a_wrong_assumption_is_one_message(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path, text: str, message: str
) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text(f"title: 试\n{text}\n", "utf-8")
    words = (
        "--base-year",
        "2023",
        "--raw",
        str(city),
        "--out",
        str(tmp_path / "o"),
        "--scenario",
        str(scenario),
    )
    code, _, faults = run(capsys, "forecast", *words)
    assert code == 2 and message in faults and not (tmp_path / "o").exists()


def test_interrupted_it_leaves_nothing_half_written(city: Path, tmp_path: Path) -> None:
    words = ["--base-year", "2023", "--draws", "20000", "--raw", str(city), "--out", str(tmp_path / "o")]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "flows.cli", "forecast", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("模拟"):
            break
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    _, faults = process.communicate(timeout=60)
    assert process.returncode == 1 and faults.strip() == "已中断，没有改动以前的结果。"
    assert not (tmp_path / "o").exists()


# Registries that hold little


def written(folder: Path, frames: Frames) -> Path:
    """Registries as files of one year's folder."""
    target = folder / "raw" / "2023"
    target.mkdir(parents=True)
    extra = ("source_file", "source_sheet", "source_row", "role", "same_as", "folder", "has_rejects")
    for name, frame in frames.items():
        frame.drop(c for c in extra if c in frame.columns).write_parquet(target / f"{name}.parquet")
    return folder / "raw"


def with_codes(rows: list[dict[str, Any]], known: list[str]) -> list[dict[str, Any]]:
    """Rows whose made-up codes become valid ones."""
    return [row | {"uscc": known[int(row["uscc"])]} for row in rows]


def poor_city(known: list[str], figures: dict[int, list[float]], flag: bool = True) -> Frames:
    """A few enterprises of two districts with R&D of some years (万元)."""
    rows = [row | {"super_deduction": flag} for row in with_codes(rnd_rows(figures), known)]
    held = [
        {"uscc": code, "name": f"企业{n}", "district": DISTRICTS[n % 2]}
        for n, code in enumerate(known[: len(next(iter(figures.values())))])
    ]
    return {"enterprises": registry("enterprises", held, 2023), "rnd": registry("rnd", rows, 2023)}


@pytest.fixture(scope="module")
def known(city: Path) -> list[str]:
    return pl.read_parquet(city / "2023" / "enterprises.parquet")["uscc"].sort().to_list()


POOR: dict[str, dict[int, list[float]]] = {
    "只有一年": {2023: [100, 200, 300]},
    "两年": {2022: [100, 200, 300], 2023: [150, 260, 330]},
    "都是零": {2022: [0, 0, 0], 2023: [0, 0, 0]},
    "有零": {2022: [0, 200, 300], 2023: [100, 0, 330]},
    "只有一户": {2021: [100], 2022: [150], 2023: [260]},
}


@pytest.mark.parametrize("name", POOR)
def test_little_data_gives_a_sensible_result(name: str, known: list[str], tmp_path: Path) -> None:
    raw = written(tmp_path, poor_city(known, POOR[name]))
    folder = run_forecast(Asked(2023, 12, 64), raw, tmp_path / "out", (), lambda _: None)
    rows = pl.read_parquet(folder / "forecast.parquet")
    total = rows.filter(
        pl.col("outlook") == "renewed",
        *(pl.col(c).is_null() for c in ("payer", "district", "item", "policy", "basis")),
    ).sort("pay_year")
    means = total["mean"].to_list()
    assert total["pay_year"].to_list() == list(range(2024, 2037))
    assert all(mean >= 0 for mean in means)
    assert (sum(means) == 0) == (name == "都是零")
    assert set(rows["district"].drop_nulls()) <= set(DISTRICTS)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert any("假设" in a["source"] for a in manifest["assumptions"])


def test_where_nobody_qualifies_nothing_is_owed(known: list[str], tmp_path: Path) -> None:
    raw = written(tmp_path, poor_city(known, POOR["两年"], flag=False))
    folder = run_forecast(Asked(2023, 2, 64), raw, tmp_path / "out", (), lambda _: None)
    assert pl.read_parquet(folder / "forecast.parquet")["P95"].max() == 0


def test_a_base_year_without_any_line_says_so(known: list[str], tmp_path: Path) -> None:
    frames = poor_city(known, {2021: [100, 200], 2022: [150, 260]})
    raw = written(tmp_path, frames)
    from schemas.errors import Unusable

    with pytest.raises(Unusable, match="没有 2023 年度的任何申报"):
        run_forecast(Asked(2023, 2, 64), raw, tmp_path / "out", (), lambda _: None)
    assert not (tmp_path / "out").exists()


# Backtest


def steady(years: range, growth: float) -> Frames:
    """Forty enterprises that all grow alike every year."""
    figures = {y: [1000 * growth ** (y - years[0])] * 40 for y in years}
    return {
        "enterprises": enterprises(40, years[-1]),
        "rnd": registry("rnd", rnd_rows(figures), years[-1]),
    }


def test_origins_need_growth_before_them() -> None:
    assert origins(list(range(2013, 2023))) == [2016, 2017, 2018, 2019, 2020, 2021]
    assert origins([2021, 2022, 2023]) == [2022]
    assert origins([2021, 2023, 2024]) == [] and origins([2023]) == [] and origins([]) == []


def test_a_backtest_evaluates_every_year_whatever_the_policys_window() -> None:
    """1.1 times a year from 1,000万 in 2012: 2016's growth is 133.1万, 6% of it 7.986万, 40 enterprises."""
    rows = backtest(steady(range(2012, 2018), 1.1), LAW, 2017, 64, 1, 1)
    assert rows["origin"].unique().to_list() == [2015, 2016]
    city = rows.filter(pl.col("district").is_null(), pl.col("year") == 2016).row(0, named=True)
    assert city["actual"] == pytest.approx(40 * 79_860, abs=1)
    assert city["last_year"] == pytest.approx(40 * 72_600, abs=1)
    assert city["last_year_grown"] == pytest.approx(40 * 79_860, rel=1e-6)
    assert city["P10"] < city["actual"] < city["P90"]
    one = rows.filter(pl.col("district") == DISTRICTS[0], pl.col("year") == 2016)
    assert one["actual"][0] == pytest.approx(5 * 79_860, abs=1)


def test_measures_of_a_backtest_by_hand() -> None:
    """Two districts, two origins: errors of 10% and −20%, one of four actuals outside its band."""
    told = [
        # origin, district, actual, low, high
        (2020, "张浦", 100.0, 80.0, 130.0),
        (2020, "千灯", 200.0, 210.0, 260.0),
        (2021, "张浦", 100.0, 80.0, 130.0),
        (2021, "千灯", 200.0, 150.0, 260.0),
    ]
    rows = pl.DataFrame(
        [
            {"item": "A4.06", "origin": o, "year": o + 1, "district": d, "actual": actual}
            | {
                "mean": actual * (1.1 if d == "张浦" else 0.8),
                "P5": low,
                "P10": low,
                "P25": low,
                "P50": actual * (1.1 if d == "张浦" else 0.8),
            }
            | {"P75": high, "P90": high, "P95": high, "last_year": actual / 2, "last_year_grown": actual}
            for o, d, actual, low, high in told
        ],
        schema=BACKTEST,
    )
    found = summary(rows)["A4.06"]
    districts = {m["method"]: m for m in found["methods"] if m["level"] == "区镇"}
    assert districts["本方法"]["mape"] == pytest.approx(0.15)
    assert districts["本方法"]["bias"] == pytest.approx((110 + 160) / 300 - 1)
    # last year's figure is half of what came: the loss of quantile q is q × half, over 100 and 200
    assert districts["上年数"]["pinball"] == pytest.approx(
        sum((0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)) / 7 * 75
    )
    assert districts["上年数×平均增幅"]["pinball"] == 0
    assert found["coverage"] == 0.75 and (found["cells"], found["origins"]) == (4, 2)
    assert found["coverage_low"] == 0 and found["coverage_high"] == 1, "两个起点的区间应很宽"


def test_the_method_beats_simpler_ones_on_a_panel(city: Path, tmp_path: Path) -> None:
    """On the real panel where it is at hand, else on a synthetic city's years."""
    raw, year = (SHARED / "panel", 2022) if (SHARED / "panel").is_dir() else (city, 2023)
    rows = backtest(read_city(raw, year, tmp_path / "work", LAW), LAW, year, 500, 1, 2)
    found = summary(rows)["A4.06"]
    for where in ("区镇", "全市"):
        loss = {m["method"]: m["pinball"] for m in found["methods"] if m["level"] == where}
        assert loss["本方法"] < min(loss["上年数"], loss["上年数×平均增幅"])
    assert found["coverage"] > 0.7


# Readings


def test_a_readings_effect_is_the_difference_of_two_runs(city: Path, tmp_path: Path) -> None:
    frames = read_city(city, 2023, tmp_path / "work", LAW)
    talents = frames["certifications"].filter(pl.col("item").str.starts_with("A18"))
    frames = {name: frames[name] for name in ("enterprises", "equipment")} | {"certifications": talents}
    table = effects(frames, LAW, 2023)
    row = next(e for e in table if e["alternative"] == "加2倍即乘以3")
    runs = [
        settle(frames, law, 2023).lines for law in (LAW, with_scenario(readings={"smart_multiplier": "3"}))
    ]
    before, after = (lines.filter(pl.col("status") == "payable") for lines in runs)
    for name, column in (("total", "award"), ("city", "city_share"), ("district", "district_share")):
        assert row[name] == float(after[column].sum() - before[column].sum())
    assert row["total"] > 0
    moved = next(e for e in table if "A18.01" in e["alternative"])
    assert moved["total"] == 0 and moved["district"] == -moved["city"] > 0
    assert len(table) == 15


def test_a_reading_that_acts_on_nothing_here_changes_nothing() -> None:
    frames = {
        "enterprises": enterprises(3, 2023),
        "claims": registry(
            "claims",
            [
                {"uscc": codes(1)[0], "item": "A7.08", "event_on": date(2023, 5, 1)}
                | {"base_amount": Decimal(1_000_000)}
            ],
            2023,
        ),
    }
    table = {e["alternative"]: e for e in effects(frames, LAW, 2023)}
    assert table["加2倍即乘以3"]["total"] == 0
    assert table["60%"]["city"] == 20_000 == -table["60%"]["district"]
