"""Scenarios: what they may hold, what they refuse, what they say they changed, and what that does to the lines."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows import steps
from forecast.readings import alternatives
from rules.award import settle
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from rules.overlay.envelopes import items_of
from rules.scenario import Scenario, apply_scenario, load_scenario
from schemas.errors import Unusable
from tests.conftest import ROOT
from tests.forecasting import codes, enterprises, read_city, registry, rnd_rows

LIBRARY = sorted((ROOT / "scenarios").glob("*.yaml"))

NEW: dict[str, Any] = {
    "id": "A4.91",
    "title": "研发强度奖励",
    "registry": "rnd",
    "class": "general",
    "class_basis": "assumed",
    "basis": "exact",
    "terms": {"rate": "1%", "cap": "50万"},
    "eligible": {"享受加计扣除": "super_deduction"},
    "amount": "rnd_expense * rate",
    "caps": [{"amount": "cap", "per": ["uscc", "year"]}],
}

Stack = Callable[..., Catalogue]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """The law with scenario files over it, titled 甲, 乙, … and written as YAML text."""

    def laid(*texts: str) -> Catalogue:
        paths = []
        for title, text in zip("甲乙丙", texts, strict=False):
            paths.append(tmp_path / f"{title}.yaml")
            paths[-1].write_text(f"title: {title}\n{text}\n", encoding="utf-8")
        return load_catalogue([load_scenario(path) for path in paths])

    return laid


def as_yaml(content: dict[str, Any]) -> str:
    """JSON is YAML."""
    return json.dumps(content, ensure_ascii=False).removeprefix("{").removesuffix("}")


def lines_of(frames: Frames, law: Catalogue) -> pl.DataFrame:
    return settle(frames, law, 2023).lines


def spenders() -> Frames:
    """Two enterprises whose R&D grew by 500万 and 1000万 from 1000万."""
    rows = rnd_rows({2022: [1000, 1000], 2023: [1500, 2000]})
    return {"enterprises": enterprises(2, 2023, "花桥"), "rnd": registry("rnd", rows, 2023)}


def paid(lines: pl.DataFrame, item: str) -> list[Decimal]:
    return lines.filter(item=item, status="payable").sort("uscc")["award"].to_list()


@pytest.fixture(scope="module")
def checked(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return read_city(city, 2023, tmp_path_factory.mktemp("work"), load_catalogue())


# What a scenario may change, and how it says so


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("terms: {A4.06: {rate: 4%}}", "A第4条 A4.06 研发费用增长奖励的 rate：6% → 4%"),
        ("terms: {A4.06: {cap: 2000}}", "A第4条 A4.06 研发费用增长奖励的 cap：300万 → 2000"),
        (
            "terms: {A2.15: {award: {level: {省院士工作站: 120万}}}}",
            "A第2条 A2.15 院士站与工程技术中心的 award（省院士工作站）：100万 → 120万",
        ),
        ("terms: {A2.15: {award: {省院士工作站: 120万}}}", "（省院士工作站）：100万 → 120万"),
        ("terms: {A11.02: {rate: [5%, 15%]}}", "集群工业企业设备投入奖励的 rate：6%～15% → 5%～15%"),
        ("terms: {A3.05: {rung: {ladder: {1亿: 55万}}}}", "：超过 1亿 奖 50万 → 超过 1亿 奖 55万"),
        (
            "terms: {A3.05: {rung: {2亿: 50万, 3亿: 60万, 5亿: 70万, 10亿: 100万}}}",
            "：超过 1亿 奖 50万 → 超过 2亿 奖 50万",
        ),
        ("terms: {A11.03: {multiplier: {'2': 2.5}}}", "的 multiplier（2）：2 → 2.5"),
        (
            "terms: {A4.06: {rate: {2022-01-01..2023-12-31: 6%, 2024-01-01..2024-12-31: 4%}}}",
            "6% → 2022-01-01至2023-12-31 6%、2024-01-01至2024-12-31 4%",
        ),
        ("readings: {general_split: 60%}", "（其余由区镇承担）」：50% → 60%"),
        ("readings: {general_split: {districts: {花桥: 40%}}}", "」对 花桥：同其他（50%） → 40%"),
        ("readings: {general_split: {items: {A4.06: 40%}}}", "」对 A4.06：同其他（50%） → 40%"),
        ("readings: {prefecture_payer: {items: {C4.02: null}}}", "」对 C4.02：50% → 同其他（100%）"),
        ("readings: {ladder: all}", "：只奖新跨过的最高一级 → 新跨过的各级相加"),
        (
            "readings: {class: {A11.08: general}}",
            "A第11条 A11.08 信创应用示范项目补助的类别：认定类 → 一般类",
        ),
        (
            "policies: {A: {last_day: 2027-12-31}}",
            "（昆山产业创新集群政策）的截止日：2024-12-31 → 2027-12-31",
        ),
        ("policies: {B: {enabled: true}}", "政策B（苏州融合发展政策（征求意见稿））：不执行 → 执行"),
        ("items: {A11.02: {enabled: false}}", "A第11条 A11.02 集群工业企业设备投入奖励：执行 → 不执行"),
        ("forecast: {growth: 低}", "预测的共同增长：中 → 低"),
        ("forecast: {growth: high}", "预测的共同增长：中 → 高"),
        ("forecast: {take_up: {A7.08: 80%}}", "A第7条 A7.08 赴沪购买科技服务创新券的申报率：100% → 80%"),
        ("forecast: {counts: target}", "预测的户数：按趋势 → 按目标"),
        ("forecast: {renewal: 60%}", "到期续期比例：按登记表 → 60%"),
        (
            "envelopes: [{name: 研发, amount: 1亿, policy: A, article: 4, year: 2023, payer: city}]",
            "预算盘子「研发」：无 → 1亿，政策A，第4条，2023年度，市级承担部分，按比例",
        ),
    ],
)
def test_a_change_says_from_what_to_what(stack: Stack, text: str, said: str) -> None:
    (change,) = stack(text).changes
    assert change.endswith(said)


def test_only_what_is_listed_changes(stack: Stack, law: Catalogue) -> None:
    other = stack("terms: {A2.15: {award: {省院士工作站: 120万}}}\nreadings: {prefecture_payer: 60%}")
    awards = other.items["A2.15"].model_dump()["terms"]["award"]["level"]
    assert awards == {
        "省院士工作站": "1200000",
        "省工程技术研究中心": "200000",
        "苏州工程技术研究中心": "100000",
    }
    shares = other.readings["prefecture_payer"]
    assert shares.default == Decimal("0.6") and shares.items == {"C4.02": Decimal("0.5")}
    kept = set(law.items) - {"A2.15"}
    assert all(other.items[key] == law.items[key] for key in kept) and list(other.items) == list(law.items)
    assert {k: v for k, v in other.readings.items() if v != law.readings[k]}.keys() == {"prefecture_payer"}


# What it refuses


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("term: {}", "「term」，是否为「terms」"),
        ("name: 丙", "不认识的键「name」"),
        ("terms: {A4.6: {rate: 4%}}", "没有条款「A4.6」，是否为「A4.06」"),
        ("terms: {A4.06: {rat: 4%}}", "没有标量「rat」，是否为「rate」"),
        ("terms: {A4.06: {rate: 百分之四}}", "「rate」：value：「百分之四」不是数字"),
        ("terms: {A4.06: {rate: -1%}}", "不能为负数"),
        ("terms: {A4.06: {rate: 6}}", "是比例，应在 0 到 1 之间（如 6%），不能是 6"),
        ("terms: {A4.06: {cap: 3%}}", "是金额，不能是 3%"),
        ("terms: {A11.02: {rate: [16%, 15%]}}", "下限高于上限：16%～15%"),
        ("terms: {A11.02: {rate: 5%}}", "应保持原来的形式：6%～15%"),
        ("terms: {A2.15: {award: 5万}}", "应保持原来的形式：省院士工作站 100万"),
        ("terms: {A2.15: {award: {省院士工作: 5万}}}", "没有级别「省院士工作」，是否为「省院士工作站」"),
        (
            "terms: {A2.15: {award: {level: {省院士工作站: 5万}, lvl: 1}}}",
            "不认识的键「lvl」，是否为「level」",
        ),
        ("terms: {A3.05: {rung: {2亿: 55万}}}", "没有这样的台阶"),
        ("terms: {A3.05: {rung: {ladder: {1亿: 55万}, crossed: reach}}}", "不改「crossed」"),
        ("terms: {A3.05: {rung: {4亿: 50万, 3亿: 60万, 5亿: 70万, 10亿: 100万}}}", "由低到高"),
        ("terms: {A4.06: {rate: {dated: {2022-01-01..2023-12-31: 6%}}}}", "没有覆盖政策A的有效期"),
        (
            "terms: {A4.06: {rate: {2022-01-01..2022-12-31: 6%, 2023-02-01..2024-12-31: 6%}}}",
            "有空档或重叠",
        ),
        ("terms: {A20.03: {monthly: {2022-01-01..2024-12-31: 3500}}}", "不能按时段设定"),
        ("readings: {general_splt: 0.6}", "没有口径「general_splt」，是否为「general_split」"),
        ("readings: {general_split: 1.6}", "0 到 1"),
        ("readings: {general_split: {district: {花桥: 40%}}}", "不认识的键「district」，是否为「districts」"),
        ("readings: {general_split: {districts: {花乔: 40%}}}", "没有区镇「花乔」，是否为「花桥」"),
        ("readings: {general_split: {items: {A4.6: 40%}}}", "没有条款「A4.6」，是否为「A4.06」"),
        ("readings: {ladder: al}", "是否为「all」"),
        ("readings: {ladder: 每级}", "可选：highest、all"),
        ("readings: {class: {A11.8: general}}", "没有条款「A11.8」，是否为「A11.08」"),
        ("readings: {class: {A11.08: generl}}", "没有类别「generl」，是否为「general」"),
        ("policies: {D: {enabled: true}}", "没有政策「D」"),
        ("policies: {A: {lastday: 2027-12-31}}", "policies.A.lastday」，是否为「last_day」"),
        ("policies: {A: {last_day: 2021-12-31}}", "起始日晚于截止日"),
        ("items: {A11.2: {enabled: false}}", "没有条款「A11.2」，是否为「A11.02」"),
        ("items: {A11.02: {enable: false}}", "items.A11.02.enable」，是否为「enabled」"),
        ("forecast: {growt: low}", "forecast.growt」，是否为「growth」"),
        ("forecast: {growth: lower}", "growth：不是允许的值"),
        ("forecast: {renewal: 160%}", "续期比例 1.6 不在 0 到 1 之间"),
        ("forecast: {take_up: {A7.8: 80%}}", "没有条款「A7.8」，是否为「A7.08」"),
        ("forecast: {take_up: {A7.08: 180%}}", "申报率 1.8 不在 0 到 1 之间"),
        ("forecast: {take_up: {A4.06: 80%}}", "A4.06 不按申报户数预测"),
        ("envelopes: [{name: 甲, amout: 1}]", "envelopes.0.amout」，是否为「amount」"),
        ("envelopes: [{name: 甲, amount: 1, polic: A}]", "envelopes.0.polic」，是否为「policy」"),
        ("envelopes: [{name: 甲, amount: -1}]", "金额不能为负数"),
        ("envelopes: [{name: 甲, amount: 1, items: [A4.6]}]", "没有条款「A4.6」，是否为「A4.06」"),
        ("envelopes: [{name: 甲, amount: 1, district: 花乔}]", "没有区镇「花乔」，是否为「花桥」"),
        ("envelopes: [{name: 甲, amount: 1, department: 市科技}]", "是否为「市科技局」"),
        ("envelopes: [{name: 甲, amount: 1, policy: A, article: 44}]", "现有第1至23条"),
        ("envelopes: [{name: 甲, amount: 1, article: 4}]", "也须写 policy"),
        ("envelopes: [{name: 甲, amount: 1, policy: B, items: [A4.06]}]", "没有任何条款"),
        ("envelopes: [{name: 甲, amount: 1, rule: ranked}]", "ranked 须写 rank_by"),
        ("envelopes: [{name: 甲, amount: 1, rank_by: [award]}]", "其他规则不写"),
        ("envelopes: [{name: 甲, amount: 1, rule: rank}]", "不是允许的值"),
        ("envelopes: [{name: 甲, amount: 1, rule: ranked, rank_by: [-awards]}]", "是否为「award」"),
        ("envelopes: [{name: 甲, amount: 1, not_below_last_year: 2}]", "0 到 1"),
        ("envelopes: [{name: 甲, amount: 1}, {name: 甲, amount: 2}]", "写了两次"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(stack: Stack, text: str, said: str) -> None:
    with pytest.raises(Unusable) as error:
        stack(text)
    assert said in str(error.value) and "甲" in str(error.value)


def test_a_renewed_policy_needs_dated_terms_to_the_end(stack: Stack) -> None:
    dated, renewed = (
        "terms: {A4.06: {rate: {2022-01-01..2024-12-31: 5%}}}",
        "policies: {A: {last_day: 2027-12-31}}",
    )
    with pytest.raises(Unusable, match="「乙」：条款 A4.06 的「rate」的时段没有覆盖政策A的有效期"):
        stack(dated, renewed)
    stack(renewed, dated.replace("2024-12-31", "2027-12-31"))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"id": "A4.06"}, "A4.06 已经存在（研发费用增长奖励）"),
        ({"id": "A4.9"}, "应写成政策、条和序号"),
        ({"id": "D4.91"}, "没有政策「D」，现有 A、B、C"),
        ({"id": "A44.91"}, "没有第44条，现有第1至23条"),
        ({"registry": "rmd"}, "没有登记表「rmd」，是否为「rnd」"),
        ({"amount": "rnd_expence * rate"}, "是否为「rnd_expense」"),
        ({"titel": "x"}, "不认识的键「titel」，是否为「title」"),
        ({"basis": "exakt"}, "basis：不是允许的值"),
        ({"caps": [{"amount": "cap", "per": ["usc"]}]}, "是否为「uscc」"),
        ({"terms": {"rate": "x", "cap": 1}}, "「x」不是数字"),
        ({"replaces": "A4.6"}, "没有条款「A4.6」，是否为「A4.06」"),
    ],
)
def test_a_new_item_is_held_to_what_the_law_is_held_to(
    stack: Stack, block: dict[str, Any], said: str
) -> None:
    with pytest.raises(Unusable) as error:
        stack(as_yaml({"add": [NEW | block]}))
    assert said in str(error.value)


# Stacks, and changes without effect


def test_the_later_scenario_wins_and_says_so(stack: Stack) -> None:
    law = stack("terms: {A4.06: {rate: 4%}}", "terms: {A4.06: {rate: 8%}}")
    assert law.changes == (
        "A第4条 A4.06 研发费用增长奖励的 rate：6% → 8%",
        "「乙」改写了「甲」对 A4.06 rate 的改动：4% → 8%",
    )
    assert next(iter(law.items["A4.06"].model_dump()["terms"]["rate"].values())) == "0.08"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("readings: {general_split: 60%}", "readings: {general_split: 70%}", "承担）」的改动：60% → 70%"),
        (
            "policies: {A: {last_day: 2027-12-31}}",
            "policies: {A: {last_day: 2026-12-31}}",
            "2027-12-31 → 2026-12-31",
        ),
        (
            "items: {A11.02: {enabled: false}}",
            "items: {A11.02: {enabled: true}}",
            "A11.02 的改动：不执行 → 执行",
        ),
        ("forecast: {growth: low}", "forecast: {growth: high}", "预测的共同增长的改动：低 → 高"),
        (
            "terms: {A2.15: {award: {省院士工作站: 120万}}}",
            "terms: {A2.15: {award: {省院士工作站: 130万}}}",
            "A2.15 award（省院士工作站）的改动：120万 → 130万",
        ),
        (
            "terms: {A4.06: {rate: 4%}}",
            "terms: {A4.06: {rate: {2022-01-01..2024-12-31: 5%}}}",
            "4% → 2022-01-01至2024-12-31 5%",
        ),
        (
            "envelopes: [{name: 盘, amount: 1亿}]",
            "envelopes: [{name: 盘, amount: 2亿}]",
            "1亿，按比例 → 2亿，按比例",
        ),
    ],
)
def test_every_kind_of_conflict_is_reported(stack: Stack, first: str, second: str, said: str) -> None:
    (line,) = [line for line in stack(first, second).changes if "改写了" in line]
    assert line.startswith("「乙」改写了「甲」对 ") and line.endswith(said)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("terms: {A4.06: {rate: 4%}}", "terms: {A4.06: {cap: 200万}}"),
        (
            "readings: {general_split: {items: {A4.06: 60%}}}",
            "readings: {general_split: {districts: {花桥: 40%}}}",
        ),
        (
            "terms: {A2.15: {award: {省院士工作站: 120万}}}",
            "terms: {A2.15: {award: {省工程技术研究中心: 30万}}}",
        ),
        ("forecast: {take_up: {A7.08: 80%}}", "forecast: {take_up: {A7.05: 80%}, growth: low}"),
    ],
)
def test_changes_side_by_side_both_hold(stack: Stack, first: str, second: str) -> None:
    law = stack(first, second)
    assert not any("改写" in line or "没有效果" in line for line in law.changes)
    assert {*stack(first).changes, *stack(second).changes} <= {*law.changes}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("terms: {A4.06: {rate: 6%}}", "没有效果：A4.06 的 rate 本来就是 6%"),
        ("terms: {A4.06: {rate: 4%, cap: 300万}}", "没有效果：A4.06 的 cap 本来就是 300万"),
        ("terms: {B8.01: {rate: 4%}}", "没有效果：B8.01 未执行，B8.01 的 rate 的改动不影响金额"),
        ("readings: {overlap_B: both}", "没有效果：苏州融合发展政策（征求意见稿）未执行，"),
        ("policies: {B: {first_day: 2023-01-01}}", "没有效果：苏州融合发展政策（征求意见稿）未执行，"),
        ("readings: {general_split: {items: {A4.02: 40%}}}", "没有效果：A4.02 是认定类，"),
        ("readings: {general_split: {items: {A4.06: 50%}}}", "对 A4.06 本来就是 50%"),
        ("readings: {class: {A11.08: recognition}}", "没有效果：A11.08 的类别 本来就是认定类"),
        ("readings: {general_split: 0.5}", "本来就是 50%"),
        ("items: {A11.02: {enabled: true}}", "没有效果：A11.02 本来就是执行"),
        ("policies: {A: {last_day: 2024-12-31}}", "的截止日 本来就是 2024-12-31"),
        ("forecast: {take_up: {A7.08: 1}}", "A7.08 的申报率 本来就是 100%"),
        ("reason: 什么也不改", "没有效果：方案「甲」没有改变任何内容"),
    ],
)
def test_what_has_no_effect_is_reported(stack: Stack, text: str, said: str) -> None:
    assert any(said in line and line.startswith("没有效果：") for line in stack(text).changes)


def test_a_change_comes_to_life_when_a_later_scenario_switches_its_policy_on(stack: Stack) -> None:
    alone, together = "terms: {B8.01: {rate: 4%}}", "policies: {B: {enabled: true}}"
    assert any("未执行" in line for line in stack(alone).changes)
    assert not any("未执行" in line for line in stack(alone, together).changes)


def test_two_scenarios_of_one_title_are_told_apart(tmp_path: Path) -> None:
    for name, rate in (("x", 4), ("y", 8)):
        (tmp_path / f"{name}.yaml").write_text(f"title: 同名\nterms: {{A4.06: {{rate: {rate}%}}}}\n", "utf-8")
    law = load_catalogue([load_scenario(tmp_path / f"{name}.yaml") for name in "xy"])
    assert "「同名（y）」改写了「同名」对 A4.06 rate 的改动：4% → 8%" in law.changes


# What it does to the lines


def test_an_empty_scenario_is_the_baseline(stack: Stack, checked: Frames, law: Catalogue) -> None:
    empty = lines_of(checked, stack("reason: 什么也不改"))
    assert empty.height > 500 and empty.equals(lines_of(checked, law))


def test_a_term_by_date_is_the_one_of_the_lines_day(stack: Stack) -> None:
    law = stack("terms: {A4.06: {rate: {2022-01-01..2022-12-31: 6%, 2023-01-01..2024-12-31: 4%}}}")
    assert paid(lines_of(spenders(), law), "A4.06") == [Decimal(200_000), Decimal(400_000)]


def test_a_new_item_is_paid_beside_the_others_and_can_be_changed(stack: Stack, law: Catalogue) -> None:
    added = stack(as_yaml({"add": [NEW]}), "terms: {A4.91: {rate: 2%}}")
    assert added.changes[0].startswith(
        "新增条款 A第4条 A4.91 研发强度奖励：无 → 按研发投入，一般类，rate 1%、cap 50万"
    )
    assert list(added.items).index("A4.91") == list(added.items).index("A4.11") + 1
    assert added.departments["A4.91"] == law.departments["A4.06"]
    lines = lines_of(spenders(), added)
    assert paid(lines, "A4.91") == [Decimal(300_000), Decimal(400_000)]
    assert lines.filter(item="A4.91").select("lead_department", "class", "city_share").unique().height == 2
    assert paid(lines, "A4.06") == paid(lines_of(spenders(), law), "A4.06") == [300_000, 600_000]
    assert lines_of(spenders(), law).filter(item="A4.91").is_empty()


def test_an_item_switched_off_pays_nothing_and_says_why(
    stack: Stack, checked: Frames, law: Catalogue
) -> None:
    before = lines_of(checked, law)
    item = before.filter(status="payable", registry="claims")["item"].value_counts(sort=True)["item"][0]
    off = lines_of(checked, stack(f"items: {{{item}: {{enabled: false}}}}"))
    mine = off.filter(item=item)
    assert mine.height == before.filter(item=item).height and mine["award"].sum() == 0
    said = mine.filter(pl.col("status") != "duplicate")["reason"]
    assert said.str.contains("方案停用本条").all() and said.len()
    kept = before.filter(pl.col("item") != item)["award"].sum()
    assert off["award"].sum() == kept


def test_an_item_of_a_whole_registry_switched_off_makes_no_lines(stack: Stack) -> None:
    lines = lines_of(spenders(), stack("items: {A4.06: {enabled: false}}"))
    assert lines.filter(item="A4.06").is_empty()


def test_one_item_of_a_draft_can_be_in_force_alone(stack: Stack) -> None:
    """B8.01 pays 5% in place of A11.02, and nothing else of B is in force."""
    law = load_catalogue([load_scenario(ROOT / "scenarios" / "b_equipment.yaml")])
    row = {"uscc": codes(1)[0], "year": 2023, "project_id": "P", "equipment_investment": Decimal(100_000_000)}
    frames = {
        "enterprises": enterprises(1, 2023),
        "equipment": registry("equipment", [row | {"assessed_rate": Decimal("0.1")}], 2023),
    }
    lines = lines_of(frames, law)
    assert paid(lines, "B8.01") == [5_000_000] and lines.filter(item="A11.02").is_empty()
    assert lines.filter(item="B8.01")["prefecture_share"].to_list() == [5_000_000]
    assert [item.id for item in law.items.values() if item.policy == "B" and law.in_force(item)] == ["B8.01"]
    both = lines_of(frames, stack("policies: {B: {enabled: true}}\nitems: {B8.01: {enabled: false}}"))
    assert both.filter(item="B8.01").is_empty() and paid(both, "A11.02") == [10_000_000]


def test_payers_shares_by_district_item_and_class(stack: Stack) -> None:
    text = "readings: {general_split: {default: 60%, districts: {花桥: 40%}}}"
    lines = lines_of(spenders(), stack(text)).filter(item="A4.06").sort("uscc")
    assert lines["city_share"].to_list() == [120_000, 240_000]
    lines = lines_of(spenders(), stack(text, "readings: {general_split: {items: {A4.06: 100%}}}"))
    assert lines.filter(item="A4.06")["district_share"].sum() == 0


def test_windows_can_be_renewed(stack: Stack) -> None:
    rows = rnd_rows({2024: [1000, 1000], 2025: [1500, 2000]})
    frames = {"enterprises": enterprises(2, 2025), "rnd": registry("rnd", rows, 2025)}
    said = settle(frames, load_catalogue(), 2025).lines.filter(item="A4.06")
    assert said["reason"].str.contains("不在政策有效期内").all()
    renewed = settle(frames, stack("policies: {A: {last_day: 2027-12-31}}"), 2025).lines
    assert paid(renewed, "A4.06") == [300_000, 600_000]


def test_what_is_compiled_is_kept_only_where_nothing_changed(law: Catalogue, stack: Stack) -> None:
    held = law.compiled(law.items["A4.06"]), law.compiled(law.items["A4.09"])
    one = apply_scenario(law, Scenario(name="x", title="x", terms={"A4.06": {"rate": "4%"}}))
    assert one.compiled(one.items["A4.09"]) is held[1]
    assert one.compiled(one.items["A4.06"]) is not held[0]
    read = apply_scenario(law, Scenario(name="x", title="x", readings={"ladder": "all"}))
    assert read.compiled(read.items["A4.09"]) is not held[1]


# Envelopes


def test_envelopes_are_read_and_reach_their_items(stack: Stack, law: Catalogue) -> None:
    text = """envelopes:
- {name: 研发, amount: 3000万, policy: A, department: 市科技局, rule: ranked, rank_by: [-award, uscc]}"""
    (envelope,) = stack(text).envelopes
    assert envelope.amount == 30_000_000 and envelope.order == [("award", True), ("uscc", False)]
    items = items_of(law, envelope)
    assert {"A4.06"} <= set(items) and {key[0] for key in items} == {"A"}
    assert {law.departments[key].split("、")[0] for key in items} == {"市科技局"}
    later = stack(text, "envelopes: [{name: 研发, amount: 1亿}, {name: 人才, amount: 1亿, policy: C}]")
    assert [one.name for one in later.envelopes] == ["研发", "人才"]
    assert later.envelopes[0].amount == 100_000_000


# The library


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.stem)
def test_the_librarys_scenarios_change_what_they_say(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.author == "示例" and scenario.date is not None and scenario.date <= date(2026, 12, 31)
    assert scenario.reason and scenario.reference
    law = load_catalogue([scenario])
    assert law.changes and not any("没有效果" in line for line in law.changes)
    text = "\n".join(law.changes)
    things = [*scenario.terms, *scenario.items, *(f"政策{key}（" for key in scenario.policies)]
    things += [law.reading_titles[key].title for key in scenario.readings if key != "class"]
    things += [*scenario.readings.get("class", {}), *(["共同增长"] if scenario.forecast else [])]
    assert things and all(thing in text for thing in things)


def test_the_library_has_every_alternative_reading(law: Catalogue) -> None:
    """Each option of every reading, and one alternative for shares and classes, as the forecast lists them."""
    held = [load_scenario(path).readings for path in LIBRARY]
    for key, option in alternatives(law):
        told = [str(readings[key]) for readings in held if key in readings]
        assert told, f"没有口径 {key} 的方案"
        if law.reading_titles[key].options:
            assert str(option) in told, f"没有口径 {key} 为 {option} 的方案"


def test_the_documents_example_is_a_scenario(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "例.yaml").write_text(text, encoding="utf-8")
    scenario = load_scenario(tmp_path / "例.yaml")
    law = load_catalogue([scenario])
    assert scenario.model_fields_set == set(Scenario.model_fields), "示例应写到每一种键"
    assert len(law.changes) > 15 and not any("没有效果" in line for line in law.changes)


def test_the_index_names_every_scenario() -> None:
    text = (ROOT / "scenarios" / "README.md").read_text("utf-8")
    for path in LIBRARY:
        assert f"`{path.name}`" in text and load_scenario(path).title in text


def test_a_run_with_scenario_files_tells_their_changes() -> None:
    law = steps.law_of((ROOT / "scenarios" / "rnd_4.yaml", ROOT / "scenarios" / "rnd_8.yaml"))
    assert law.changes == (
        "A第4条 A4.06 研发费用增长奖励的 rate：6% → 8%",
        "「研发费用增长奖励8%」改写了「研发费用增长奖励4%」对 A4.06 rate 的改动：4% → 8%",
    )
