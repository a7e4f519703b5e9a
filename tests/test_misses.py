"""Near misses: who fails one threshold alone and narrowly, and what letting them in would cost."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from rules.award import settle
from rules.catalogue import Catalogue
from schemas.comparing import MISS_COSTS, MISSES
from tests.forecasting import codes, enterprises, registry, with_scenario
from whatif.bench import Bench
from whatif.misses import near_misses, thresholds

WAN = 10_000


def claim(who: int, item: str, **given: Any) -> dict[str, Any]:
    return {
        "uscc": codes(30)[who],
        "item": item,
        "event_on": date(2023, 5, 1),
        "project_id": f"P{who}",
    } | given


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """R&D growth about the floor of 20 万元, and claims about theirs."""
    grown = {0: "19", 1: "18", 2: "17.99", 3: "20", 4: "19.5", 5: "30"}
    rnd = [
        {
            "uscc": codes(30)[who],
            "year": year,
            "rnd_expense": Decimal(spent) * WAN,
            "super_deduction": who != 4,
        }
        for who, growth in grown.items()
        for year, spent in ((2022, "100"), (2023, str(100 + Decimal(growth))))
    ]
    claims = [
        claim(
            0,
            "A4.10",
            base_amount=Decimal(149),
            base_amount_prior=Decimal(100),
            assessed_amount=Decimal(50 * WAN),
        ),
        claim(
            1,
            "A4.10",
            base_amount=Decimal(145),
            base_amount_prior=Decimal(100),
            assessed_amount=Decimal(50 * WAN),
        ),
        claim(2, "A13.04", base_amount=Decimal(460 * WAN), related_party=False),
        claim(3, "A13.04", base_amount=Decimal(460 * WAN), related_party=True),
        claim(4, "A13.04", base_amount=Decimal(440 * WAN), related_party=False),
        claim(5, "A13.04", base_amount=Decimal(460 * WAN), related_party=False, event_on=date(2021, 5, 1)),
        claim(6, "A9.09", months=11, quantity=1),
    ]
    return {
        "enterprises": enterprises(30, 2023),
        "rnd": registry("rnd", rnd, 2023),
        "claims": registry("claims", [row | {"year": 2023} for row in claims], 2023),
    }


def test_who_misses_narrowly_and_what_it_costs(frames: dict[str, pl.DataFrame], law: Catalogue) -> None:
    misses = near_misses(Bench(frames, 2023, law))
    assert dict(misses.lines.schema) == MISSES and dict(misses.costs.schema) == MISS_COSTS
    found = misses.lines.select("item", "name", "value", "threshold", "shortfall", "status", "award").rows()
    assert found == [
        ("A4.06", "企业0", 19 * WAN, 20 * WAN, 1 * WAN, "payable", 19 * WAN * 6 / 100),
        ("A4.06", "企业1", 18 * WAN, 20 * WAN, 2 * WAN, "payable", 18 * WAN * 6 / 100),
        ("A4.10", "企业0", 149, 150, 1, "payable", 50 * WAN),
        ("A9.09", "企业6", 11, 12, 1, "payable", 20 * WAN),
        ("A13.04", "企业2", 460 * WAN, 500 * WAN, 40 * WAN, "pending", 0),
    ]
    assert misses.lines["figure"].to_list()[:3] == ["研发费用增长额"] * 2 + ["申报基数"]
    costs = misses.costs.rows_by_key("item", named=True, unique=True)
    assert costs["A4.06"]["cost"] == costs["A4.06"]["to_admitted"] == 37 * WAN * 6 / 100
    assert (costs["A4.06"]["old"], costs["A4.06"]["new"], costs["A4.06"]["households"]) == (
        "200,000.00",
        "180,000.00",
        2,
    )
    assert costs["A4.10"]["new"] == "45%" and costs["A4.10"]["city_share"] == 25 * WAN
    assert (costs["A13.04"]["cost"], costs["A13.04"]["pending_high"]) == (0, 100 * WAN)


def test_the_cost_is_the_difference_of_two_runs(frames: dict[str, pl.DataFrame], law: Catalogue) -> None:
    costs = near_misses(Bench(frames, 2023, law)).costs.rows_by_key("item", named=True, unique=True)
    for item, terms in (
        ("A4.06", {"floor": "18万"}),
        ("A4.10", {"growth": "45%"}),
        ("A9.09", {"in_force": "10.8"}),
    ):
        other = settle(frames, with_scenario(terms={item: terms}), 2023).lines
        lines = settle(frames, law, 2023).lines
        for column, cost in (("award", "cost"), ("district_share", "district_share")):
            assert costs[item][cost] == other[column].sum() - lines[column].sum()


def test_a_wider_margin_finds_more(frames: dict[str, pl.DataFrame], law: Catalogue) -> None:
    bench = Bench(frames, 2023, law)
    names = near_misses(bench, Decimal("0.2")).lines.filter(item="A4.06")["name"].to_list()
    assert names == ["企业0", "企业1", "企业2"]
    assert near_misses(bench, Decimal("0.01")).lines.is_empty()


def test_a_policy_that_is_off_has_no_misses(frames: dict[str, pl.DataFrame]) -> None:
    off = with_scenario(policies={"A": {"enabled": False}})
    misses = near_misses(Bench(frames, 2023, off))
    assert misses.lines.is_empty() and misses.costs.is_empty()


def test_thresholds_are_read_from_the_clauses(law: Catalogue) -> None:
    held = {(t.item.id, t.term): t for item in law.items.values() for t in thresholds(item)}
    assert held["A4.10", "growth"].bound == "base_amount_prior * (1 + growth)"
    assert held["A16.01", "years"].least is False and held["A15.01", "enterprises"].least
    assert not {"A3.05", "A14.01"} & {item for item, _ in held}, (
        "台阶，以及也用来计算金额的标量，不能单独移动"
    )


def test_a_greatest_figure_is_missed_from_above(law: Catalogue) -> None:
    """The fourth year of support, where three are allowed: in if there were half as many again."""
    paid = {"uscc": codes(30)[0], "item": "A16.01", "project_id": "P0", "amount": Decimal(10 * WAN)}
    years = registry("payments", [paid | {"year": year} for year in (2020, 2021, 2022)], 2023)
    claims = registry("claims", [claim(0, "A16.01", assessed_amount=Decimal(80 * WAN))], 2023)
    held = {"enterprises": enterprises(30, 2023), "claims": claims, "payments": years}
    bench = Bench(held, 2023, law)
    assert near_misses(bench).lines.is_empty()
    found = near_misses(bench, Decimal("0.5"))
    assert found.lines.select("item", "value", "threshold", "shortfall", "award").rows() == [
        ("A16.01", 4, 3, 1, 80 * WAN)
    ]
    assert found.costs["new"].to_list() == ["4.5"]
