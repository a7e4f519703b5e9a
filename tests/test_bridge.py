"""The bridge: every step worked by hand, and for any two runs the steps add up to the fen."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.award import award, settle
from rules.catalogue import Catalogue
from rules.frames import Frames
from rules.invariants import Broken
from schemas.comparing import BRIDGE, PUBLISHED_STEPS, STEPS
from schemas.districts import DISTRICTS
from schemas.outputs import PAYERS
from tests.forecasting import codes, enterprises, registry, with_scenario
from whatif import bridge as bridges
from whatif.bench import Bench
from whatif.between import between
from whatif.bridge import bridge
from whatif.published import bridge_published

SHARES = [f"{payer}_share" for payer in PAYERS]
WAN = 10_000


def city(growth: dict[int, float], year: int = 2023, claims: list[dict[str, Any]] | None = None) -> Frames:
    """Applicants (by number) whose R&D of 1,000 万元 grew by so much, and claims."""
    rows = [
        {
            "uscc": codes(30)[who],
            "year": at,
            "rnd_expense": Decimal(str(spent)) * WAN,
            "super_deduction": True,
        }
        for who, grown in growth.items()
        for at, spent in ((year - 1, 1000), (year, 1000 + grown))
    ]
    listed = enterprises(30, year).filter(pl.col("uscc").is_in([codes(30)[who] for who in growth]))
    frames = {"enterprises": listed, "rnd": registry("rnd", rows, year)}
    return frames | ({"claims": registry("claims", claims, year)} if claims else {})


def whole(steps: pl.DataFrame, column: str = "change") -> dict[str, Any]:
    """Each step's figure over all districts and items."""
    rows = steps.filter(pl.col("district").is_null() & pl.col("item").is_null())
    return dict(rows.select("step", column).rows())


def test_each_step_by_hand(law: Catalogue) -> None:
    other = with_scenario(terms={"A4.06": {"rate": "8%", "cap": "10万"}}, readings={"general_split": "0.6"})
    old, new = city({0: 50, 1: 50, 2: 50}), city({0: 100, 1: 50, 3: 200})
    steps = bridge(Bench(old, 2023, law), Bench(new, 2023, other))
    assert dict(steps.schema) == BRIDGE
    assert list(whole(steps)) == list(STEPS)
    amounts = {step: change / WAN for step, change in whole(steps).items()}
    assert amounts == {"data": 3, "entry": 12, "exit": -3, "rule": 7, "reading": 0, "cap": -6, "split": 0}
    assert list(whole(steps, "before").values())[0] == 9 * WAN
    assert list(whole(steps, "after").values())[-1] == 22 * WAN
    assert list(whole(steps, "after").values())[:-1] == list(whole(steps, "before").values())[1:]
    assert whole(steps, "city_share")["split"] == Decimal("2.2") * WAN
    assert whole(steps, "district_share")["split"] == -Decimal("2.2") * WAN
    here = steps.filter((pl.col("district") == DISTRICTS[3]) & pl.col("item").is_null())
    assert dict(here.select("step", "change").rows()) == {
        "entry": 12 * WAN,
        "exit": 0,
        "rule": 4 * WAN,
        "reading": 0,
        "cap": -6 * WAN,
        "split": 0,
    }
    assert steps.filter(item="A4.06").height and set(steps["title"]) == set(STEPS.values())


def test_from_one_year_to_the_next(law: Catalogue) -> None:
    old, new = city({0: 50, 1: 60}, 2022), city({1: 80, 2: 30}, 2023)
    steps = whole(bridge(Bench(old, 2022, law), Bench(new, 2023, law)))
    assert {step: change for step, change in steps.items() if change} == {
        "data": 12_000,
        "entry": 18_000,
        "exit": -30_000,
    }


def test_the_same_run_has_no_steps(law: Catalogue) -> None:
    frames = city({0: 50, 1: 60})
    steps = bridge(Bench(frames, 2023, law), Bench(frames, 2023, with_scenario()))
    assert steps["change"].abs().sum() == 0
    assert steps.select(pl.col(SHARES).abs().sum()).row(0) == (0, 0, 0)


def test_readings_windows_and_classes_have_their_own_steps(law: Catalogue) -> None:
    claims = [
        {
            "uscc": codes(30)[0],
            "item": "A3.05",
            "event_on": date(2023, 5, 1),
            "level": "首次突破5亿元",
            "project_id": "P1",
            "base_amount": Decimal(60_000 * WAN),
            "base_amount_prior": Decimal(5_000 * WAN),
            "assessed_amount": Decimal(200 * WAN),
        },
        {
            "uscc": codes(30)[1],
            "item": "A4.01",
            "event_on": date(2023, 5, 1),
            "project_id": "P2",
            "assessed_amount": Decimal(30 * WAN),
        },
    ]
    frames = city({0: 50, 1: 60}, claims=claims)
    start = Bench(frames, 2023, law)

    def moved(**content: Any) -> dict[str, Any]:
        steps = bridge(start, Bench(frames, 2023, with_scenario(**content)))
        return {step: change for step, change in whole(steps).items() if change}

    assert moved(readings={"ladder": "all"}) == {"reading": 110 * WAN}
    assert moved(policies={"A": {"enabled": False}}) == {"rule": -(70 + 30 + 3 + Decimal("3.6")) * WAN}
    assert moved(policies={"A": {"last_day": "2023-04-30"}}) == {"rule": -100 * WAN}
    assert moved(readings={"class": {"A4.01": "recognition"}}) == {}
    assert moved(
        terms={
            "A3.05": {
                "rung": {
                    "ladder": {"1亿": "50万", "3亿": "60万", "5亿": "80万", "10亿": "100万"},
                    "of": "base_amount",
                    "after": "base_amount_prior",
                    "crossed": "above",
                    "labels": list(law.items["A3.05"].levels),
                }
            }
        }
    ) == {"rule": 10 * WAN}, "台阶也是条件，不只是封顶"
    split = bridge(start, Bench(frames, 2023, with_scenario(readings={"class": {"A4.01": "recognition"}})))
    assert whole(split, "city_share")["split"] == 15 * WAN


def test_an_item_the_old_law_does_not_know_comes_with_the_rules(law: Catalogue) -> None:
    claims = [
        {
            "uscc": codes(30)[0],
            "item": "A4.01",
            "event_on": date(2023, 5, 1),
            "project_id": "P",
            "assessed_amount": Decimal(30 * WAN),
        }
    ]
    older = replace(law, items={key: item for key, item in law.items.items() if key != "A4.01"})
    old, new = city({0: 50}), city({0: 50}, claims=claims)
    steps = bridge(Bench(old, 2023, older), Bench(new, 2023, law))
    assert {step: change for step, change in whole(steps).items() if change} == {"rule": 30 * WAN}


def test_laws_between_take_over_group_by_group(law: Catalogue) -> None:
    new = with_scenario(
        terms={"A4.06": {"rate": "8%", "cap": "10万"}, "A9.09": {"in_force": 6}},
        readings={"general_split": "0.6", "ladder": "all"},
        policies={"B": {"enabled": True}},
    )
    laws = dict(between(law, new))
    assert list(laws) == ["rule", "reading", "cap", "split"] and laws["split"] is new
    rule = laws["rule"]
    assert rule.items["A4.06"].terms["rate"] == new.items["A4.06"].terms["rate"]
    assert rule.items["A4.06"].terms["cap"] == law.items["A4.06"].terms["cap"]
    assert rule.policies["B"].enabled and rule.readings == law.readings
    assert (laws["reading"].readings["ladder"], laws["reading"].readings["general_split"].default) == (
        "all",
        Decimal("0.5"),
    )
    assert laws["cap"].items == new.items


def test_caps_that_cannot_be_taken_apart_change_as_a_rule(law: Catalogue) -> None:
    item = law.items["A4.06"]
    raw = item.model_dump(by_alias=True)
    raw["let"] = {"增长": "rnd_expense - rnd_expense_prev"}
    raw |= {"eligible": {"增长": "增长 >= floor"}, "amount": "增长 * rate"}
    raw["caps"] = [{"amount": "增长 * rate", "per": ["uscc", "year"]}]
    other = replace(law, items=law.items | {"A4.06": type(item).model_validate(raw)})
    assert dict(between(other, law))["rule"].items["A4.06"] == item
    assert dict(between(law, other))["rule"].items["A4.06"].caps == item.caps


def test_a_step_that_does_not_add_up_breaks(law: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = city({0: 50}), city({0: 60})
    monkeypatch.setattr(
        bridges,
        "between",
        lambda a, b: iter([("rule", b), ("split", with_scenario(terms={"A4.06": {"rate": "7%"}}))]),
    )
    with pytest.raises(Broken, match="校验不通过"):
        bridge(Bench(old, 2023, law), Bench(new, 2023, law))
    with pytest.raises(Broken, match="分担一步"):
        bridge(Bench(old, 2023, law), Bench(old, 2023, law))


def test_published_runs_by_hand(law: Catalogue) -> None:
    other = with_scenario(terms={"A4.06": {"rate": "8%"}}, readings={"general_split": "0.6"})
    old = award(city({0: 50, 1: 50, 2: 5}), law, 2023)
    new = award(city({1: 100, 2: 50, 3: 200}), other, 2023)
    steps = bridge_published(old, new)
    assert dict(steps.schema) == BRIDGE and list(whole(steps)) == list(PUBLISHED_STEPS)
    assert whole(steps) == {"entry": 16 * WAN, "exit": -3 * WAN, "lines": 9 * WAN, "split": 0}
    split = steps.filter((pl.col("step") == "split") & (pl.col("district") == DISTRICTS[1]))
    assert split.filter(pl.col("item").is_null())["city_share"].to_list() == [8 * WAN * Decimal("0.1")]
    assert whole(steps, "city_share")["split"] == 8 * WAN * Decimal("0.1"), "以前没有兑付的区镇无从比较分担"
    odd, large = (award(city({1: growth}), law, 2023) for growth in (20.000017, 3000))
    assert odd["district_share"].sum() - odd["city_share"].sum() == Decimal("0.01")
    same = bridge_published(odd, large)
    assert whole(same, "city_share")["split"] == 0, "尾差不是分担的变化"


money = st.integers(0, 3000).map(lambda n: n / 7)
laws = st.fixed_dictionaries(
    {},
    optional={
        "terms": st.fixed_dictionaries(
            {
                "A4.06": st.fixed_dictionaries(
                    {},
                    optional={
                        "rate": st.sampled_from(["1%", "6%", "7.77%"]),
                        "cap": st.sampled_from(["1万", "10万", "500万"]),
                        "floor": st.sampled_from(["1万", "50万"]),
                    },
                ),
                "A4.01": st.fixed_dictionaries({}, optional={"cap": st.sampled_from(["5万", "300万"])}),
            }
        ),
        "readings": st.fixed_dictionaries(
            {},
            optional={
                "general_split": st.sampled_from(["0.3", "0.777"]),
                "class": st.just({"A4.01": "recognition"}),
                "recognition_payer": st.sampled_from(["0.9"]),
                "overlap_A_C": st.just("both"),
                "overlap_tie": st.just("other"),
            },
        ),
        "policies": st.fixed_dictionaries(
            {},
            optional={
                "A": st.sampled_from([{"last_day": "2023-06-30"}, {"enabled": False}]),
                "B": st.just({"enabled": True}),
                "C": st.just({"enabled": False}),
            },
        ),
    },
)


@st.composite
def cities(draw: st.DrawFn) -> Frames:
    """Some of eight applicants with R&D, and claims some of which two policies pay."""
    who = draw(st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True))
    claims = [
        {
            "uscc": codes(30)[draw(st.sampled_from(who))],
            "item": draw(st.sampled_from(["A4.01", "A16.04", "C7.01", "A6.04", "C4.02"])),
            "event_on": draw(st.sampled_from([date(2023, 6, 1), date(2023, 9, 1)])),
            "project_id": draw(st.sampled_from(["P1", "P2", None])),
            "base_amount": Decimal(draw(st.integers(0, 10**9))) / 100,
            "assessed_amount": draw(st.none() | st.integers(0, 10**8).map(lambda n: Decimal(n) / 100)),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]
    return city({n: draw(money) for n in who}, claims=claims)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cities(), cities(), laws, laws, st.booleans())
def test_the_steps_add_up_for_any_two_runs(
    before: Frames, after: Frames, old: dict[str, Any], new: dict[str, Any], same: bool
) -> None:
    after = before if same else after
    first, then = with_scenario(**old), with_scenario(**new)
    steps = bridge(Bench(before, 2023, first), Bench(after, 2023, then))
    ends = [settle(frames, law, 2023).lines for frames, law in ((before, first), (after, then))]
    for level in (pl.col("district").is_null(), pl.col("district").is_not_null()):
        for other in (pl.col("item").is_null(), pl.col("item").is_not_null()):
            here = steps.filter(level & other)
            for column, held in (("change", "award"), *((c, c) for c in SHARES)):
                assert here[column].sum() == ends[1][held].sum() - ends[0][held].sum()
    assert whole(steps)["split"] == 0
    if same:
        assert [whole(steps)[step] for step in ("data", "entry", "exit")] == [0, 0, 0]
    told = bridge_published(*ends)
    assert sum(whole(told).values()) == ends[1]["award"].sum() - ends[0]["award"].sum()
    assert (
        sum(whole(told, "city_share").values()) == ends[1]["city_share"].sum() - ends[0]["city_share"].sum()
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cities(), cities(), laws, st.randoms(use_true_random=False))
def test_order_of_rows_moves_nothing(before: Frames, after: Frames, new: dict[str, Any], chance: Any) -> None:
    def shuffled(frames: Frames) -> Frames:
        return {name: held[chance.sample(range(held.height), held.height)] for name, held in frames.items()}

    law, then = with_scenario(), with_scenario(**new)
    one = bridge(Bench(before, 2023, law), Bench(after, 2023, then))
    other = bridge(Bench(shuffled(before), 2023, law), Bench(shuffled(after), 2023, then))
    assert one.equals(other)
