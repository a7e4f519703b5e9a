"""Trying laws on one bench: the same as a run of its own; budgets met; figures nudged."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rules.award import OWED, owed, settle
from rules.catalogue import load_catalogue
from rules.frames import Frames
from rules.history import Rows
from schemas.errors import Unusable
from tests.forecasting import codes, enterprises, read_city, registry, rnd_rows, with_scenario
from whatif.bench import Bench, changed, totals
from whatif.solve import described, frontier_rows, parse_target, parse_varied, solve
from whatif.tornado import SENSITIVITY, mattering, nudged, sensitivity

LAW = load_catalogue()


@pytest.fixture(scope="module")
def bench(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(read_city(city, 2023, tmp_path_factory.mktemp("work"), LAW), 2023, LAW)


SCENARIOS: list[dict[str, Any]] = [
    {"terms": {"A4.06": {"rate": "8%"}}},
    {"terms": {"A8.01": {"cap": "300万"}}},
    {"terms": {"A5.07": {"cap": "1万"}}},
    {"readings": {"general_split": 0.6}},
    {"readings": {"class": {"A18.01": "general"}}},
    {"readings": {"overlap_A_C": "both"}},
    {"readings": {"unstated_cap_period": "year"}},
    {"policies": {"B": {"enabled": True}}},
    {"policies": {"C": {"enabled": False}}},
    {"policies": {"A": {"last_day": date(2023, 6, 30)}}},
    {"terms": {"A11.03": {"cap": "100万"}}, "readings": {"smart_multiplier": "3", "general_split": 0.3}},
    {},
]


@pytest.mark.parametrize("content", SCENARIOS, ids=str)
def test_a_law_on_the_bench_gives_what_a_run_of_its_own_gives(bench: Bench, content: dict[str, Any]) -> None:
    law = with_scenario(**content)
    lines = bench.lines_of(law)
    alone = Bench(bench.frames, 2023, law).lines
    assert lines.equals(alone)
    payable = alone.filter(status="payable")
    assert totals(bench.owed_under(law)) == totals([payable])


def test_only_what_may_differ_is_computed_anew() -> None:
    assert changed(LAW, with_scenario(terms={"A7.08": {"rate": "25%"}})) == {"A7.08"}
    assert changed(LAW, with_scenario(terms={"A5.07": {"cap": "1万"}})) >= {"A5.06", "A5.07"}
    assert changed(LAW, with_scenario(readings={"general_split": 0.6})) == set()
    assert changed(LAW, LAW) == set()


def test_without_words_the_amounts_are_the_same(bench: Bench) -> None:
    said = settle(bench.frames, LAW, 2023).lines
    unsaid = owed(Rows(bench.frames, 2023), LAW)
    columns = list(OWED)
    live = said.filter(pl.col("status").is_in(["payable", "pending"]))
    assert unsaid.select(columns).sort(columns).equals(live.select(columns).sort(columns))


def growing(figures: list[int]) -> Bench:
    """Enterprises of 千灯 whose R&D grew by so many 万元, from 1,000万 each."""
    rows = rnd_rows({2022: [1000] * len(figures), 2023: [1000 + more for more in figures]})
    frames: Frames = {
        "enterprises": enterprises(len(figures), 2023, "千灯"),
        "rnd": registry("rnd", rows, 2023),
    }
    return Bench(frames, 2023, LAW)


def test_the_rate_that_meets_a_budget_by_hand() -> None:
    """Growth of 100万, 200万 and 700万 is 1,000万: 45万 are 4.5% of it, half of them the city's."""
    bench = growing([100, 200, 700])
    target = parse_target("city_share <= 22.5万", LAW)
    solved = solve(bench, target, parse_varied("A4.06.rate", "2%..8%", LAW))
    assert solved.value is not None and solved.value.value == Decimal("0.045")
    assert solved.value.totals.award == 450_000 and solved.rising is True
    assert solved.now.value == Decimal("0.06") and solved.now.totals.city_share == 300_000
    assert solved.evaluations <= 20
    text = "\n".join(described(solved, LAW))
    assert "市级负担不超过 22.5万" in text and "最高值：4.5%" in text and "22.50 万元" in text
    rows = frontier_rows(solved)
    assert [row["met"] for row in rows] == [row["value"] <= Decimal("0.045") for row in rows]


def test_the_floor_that_serves_enough_households_by_hand() -> None:
    """Growth of 10万, 15万, 30万 and 60万: three are served with any floor to 15万."""
    bench = growing([10, 15, 30, 60])
    solved = solve(bench, parse_target("户数 >= 3", LAW), parse_varied("A4.06.floor", "5万..50万", LAW))
    assert solved.value is not None and solved.rising is False
    assert 149_000 <= solved.value.value <= 150_000 and solved.value.totals.households == 3


def test_no_value_meets_a_budget() -> None:
    solved = solve(
        growing([100]), parse_target("award <= 1万", LAW), parse_varied("A4.06.rate", "2%..8%", LAW)
    )
    assert solved.value is None
    assert "范围内没有满足目标的值：2% 时兑付合计 2.00 万元；8% 时兑付合计 8.00 万元。" in described(
        solved, LAW
    )


def test_what_rises_and_falls_is_said() -> None:
    """Under the cap's own lower bound: a claim's rate outside the range makes the line ineligible."""
    rows = [
        {"uscc": codes(1)[0], "year": 2023, "project_id": "P", "equipment_investment": Decimal(90_000_000)}
        | {"assessed_rate": Decimal("0.1")}
    ]
    frames = {"enterprises": enterprises(1, 2023), "equipment": registry("equipment", rows, 2023)}
    bench = Bench(frames, 2023, LAW)
    with pytest.raises(Unusable, match="不是单个数字"):
        parse_varied("A11.02.rate", "0.05..0.2", LAW)
    solved = solve(
        bench, parse_target("A11.02.award <= 1亿", LAW), parse_varied("A11.02.cap", "100万..2000万", LAW)
    )
    assert solved.value is not None and solved.value.totals.award == 9_000_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("city_shar <= 3亿", "没有「city_shar」这个数，是否为「city_share」？"),
        ("city_share = 3亿", "应写成 city_share <= 3亿"),
        ("city_share <= 三亿", "「三亿」不是数字"),
        ("A4.60.award <= 3亿", "没有条款、政策或区镇「A4.60」，是否为「A4.06」？"),
        ("张浦区.award <= 3亿", "没有条款、政策或区镇「张浦区」，是否为「张浦」？"),
    ],
)
def test_a_wrong_target_is_one_message(text: str, message: str) -> None:
    with pytest.raises(Unusable) as error:
        parse_target(text, LAW)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "span", "message"),
    [
        ("A4.06.rat", "0.02..0.08", "没有标量「rat」，是否为「rate」？"),
        ("A4.66.rate", "0.02..0.08", "没有条款「A4.66」"),
        ("A4.06.rate", "0.08..0.02", "由小到大"),
        ("A4.06.rate", "0.02-0.08", "应写成 0.02..0.08"),
        ("A4.06.rate", "-1..2", "不为负"),
    ],
)
def test_a_wrong_term_or_range_is_one_message(name: str, span: str, message: str) -> None:
    with pytest.raises(Unusable) as error:
        parse_varied(name, span, LAW)
    assert message in str(error.value)


def test_targets_of_an_item_and_a_district(bench: Bench) -> None:
    lines = bench.lines.filter(status="payable")
    of_item, of_district = pl.col("item") == "A4.06", pl.col("district") == "张浦"
    for text, mine in (("A4.06.award >= 1", of_item), ("张浦镇.district_share >= 1", of_district)):
        target = parse_target(text, LAW)
        solved = solve(bench, target, parse_varied("A4.06.rate", "5%..7%", LAW))
        assert solved.now.measured == lines.filter(mine)[target.measure].sum()


def test_a_nudge_moves_every_kind_of_term() -> None:
    terms = LAW.items["A4.06"].terms | LAW.items["A11.02"].terms
    assert nudged(terms["floor"], True) == "22000000.0" and nudged(terms["rate"], False) == {
        "range": ["0.054", "0.135"]
    }
    assert nudged(LAW.items["A22.07"].terms["longest"], True) == "37"
    rung = nudged(LAW.items["A11.04"].terms["rung"], True)
    assert rung["ladder"] == {"100000000": "1100000.0", "300000000": "3300000.0", "500000000": "5500000.0"}


def test_sensitivity_by_hand() -> None:
    """Growth of 100万 and 6,000万 (capped at 300万): a tenth of the rate moves 0.6万, a tenth of the cap 30万."""
    rows = sensitivity(growing([100, 6000]))
    assert dict(rows.schema) == SENSITIVITY
    told = {row["term"]: (row["change_low"], row["change_high"]) for row in rows.iter_rows(named=True)}
    assert told["rate"] == (-6_000, 6_000) and told["cap"] == (-300_000, 300_000) and told["floor"] == (0, 0)
    assert rows["term"].to_list() == ["cap", "rate", "floor"]
    assert rows["city_high"][0] == rows["district_high"][0] == 150_000


def test_items_that_matter_pay_nearly_all(bench: Bench) -> None:
    paid = bench.lines.filter(status="payable")
    chosen = [item.id for item in mattering(bench)]
    part = paid.filter(pl.col("item").is_in(chosen))["award"].sum() / paid["award"].sum()
    assert 0.9 <= part < 1 and len(chosen) < paid["item"].n_unique()
