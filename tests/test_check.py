"""`duixian rules check` finds what is wrong, missing or dead in a catalogue."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rules.cases import Case
from rules.catalogue import Catalogue
from rules.check import _case_faults, _compile_faults, _index_faults, _name_faults, _period_faults, unnoticed
from rules.model import Item


def changed(law: Catalogue, key: str, **raw: Any) -> Catalogue:
    """The catalogue with some keys of one item changed."""
    item = Item.model_validate(law.items[key].model_dump(by_alias=True) | raw)
    return replace(law, items=law.items | {key: item})


def test_the_catalogue_is_whole(law: Catalogue) -> None:
    found = [*_compile_faults(law), *_index_faults(law), *_period_faults(law), *_name_faults(law)]
    assert found == []


def test_a_dead_term_and_a_wrong_name_are_told(law: Catalogue) -> None:
    terms = law.items["A4.02"].model_dump()["terms"] | {"idle": 3}
    assert list(_compile_faults(changed(law, "A4.02", terms=terms))) == ["A4.02 的标量 idle 没有用到"]
    broken = changed(law, "A4.02", amount="awards")
    assert any("「awards」不是列也不是标量，是否为「award」" in fault for fault in _compile_faults(broken))


def test_a_lost_item_or_level_is_told(law: Catalogue) -> None:
    without = replace(law, items={key: item for key, item in law.items.items() if key != "A4.09"})
    assert list(_index_faults(without)) == ["A 第4条：条款、登记表或级别与条款索引不符（应有 11 条）"]
    terms = {"cap": {"level": {"省级": "100万"}}}
    fewer = changed(law, "A23.03", levels=["省级"], upgrade=[], names={}, terms=terms)
    assert [fault[:7] for fault in _index_faults(fewer)] == ["A 第23条："]


def test_a_period_that_ends_early_is_told(law: Catalogue) -> None:
    dated = {"award": {"dated": {"2022-01-01..2023-12-31": "5万"}}}
    assert list(_period_faults(changed(law, "A4.02", terms=dated))) == [
        "A4.02 的标量 award 没有覆盖政策的整个有效期"
    ]
    whole = {"award": {"dated": {"2022-01-01..2022-12-31": "5万", "2023-01-01..2024-12-31": "6万"}}}
    assert list(_period_faults(changed(law, "A4.02", terms=whole))) == []
    assert law.policies["A"].last_day == date(2024, 12, 31)


def test_a_gap_between_periods_is_an_error() -> None:
    with pytest.raises(ValueError, match="空档或重叠"):
        Item.model_validate(
            {
                "id": "A4.02",
                "title": "t",
                "registry": "certifications",
                "class": "recognition",
                "basis": "exact",
                "amount": "award",
                "terms": {"award": {"dated": {"2022-01-01..2022-12-31": 1, "2023-02-01..2024-12-31": 1}}},
            }
        )


def test_one_name_of_two_items_is_told(law: Catalogue) -> None:
    doubled = changed(law, "A4.11", names=["瞪羚企业"])
    assert any("「瞪羚企业」同时指 A4.02、A4.11" in fault for fault in _name_faults(doubled))
    assert "A4.02 没有资质名称" in list(_name_faults(changed(law, "A4.02", names=[])))


def test_too_few_cases_are_told(law: Catalogue) -> None:
    assert "A4.06 只有 0 个案例，至少应有 3 个" in list(_case_faults(law, []))


def test_a_figure_that_no_case_pins_is_told(law: Catalogue) -> None:
    row = {"certified_on": date(2023, 5, 1)}
    expect = {"status": "payable", "award": "5万", "city": "5万", "district": 0}
    pins = Case.model_validate({"case": "例", "item": "A4.02", "certifications": [row], "expect": expect})
    assert unnoticed(law, [pins]) == []
    blind = Case.model_validate(
        {"case": "例", "item": "A4.02", "policies": {"A": {"enabled": False}}, "certifications": [row]}
        | {"expect": {"status": "ineligible", "reason": "未执行"}}
    )
    assert unnoticed(law, [blind]) == ["A4.02 的 award 上调", "A4.02 的 award 下调"]
