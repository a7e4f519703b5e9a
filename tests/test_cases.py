"""The worked cases beside the law hold and pin every figure; the runner can fail; files are strict."""

from pathlib import Path
from typing import Any

import pytest

from rules.cases import Case, load_cases, run_cases
from rules.catalogue import Catalogue
from rules.expressions import RuleError

CASES = load_cases()
COVERED = sorted({(case.item[0], int(case.item[1:].split(".")[0])) for case in CASES})


@pytest.fixture(scope="module")
def outcome(law: Catalogue) -> dict[str, list[str]]:
    """By case what came out otherwise than expected."""
    return dict(zip(map(str, CASES), run_cases(CASES, law), strict=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_holds(case: Case, outcome: dict[str, list[str]]) -> None:
    found = outcome[str(case)]
    assert not found, "\n".join([str(case), *found])


@pytest.mark.parametrize(("policy", "article"), COVERED)
def test_every_item_of_an_article_with_cases_has_one(law: Catalogue, policy: str, article: int) -> None:
    items = {i.id for i in law.items.values() if (i.policy, i.article) == (policy, article) and i.registry}
    paid = {case.item for case in CASES if any(e.status == "payable" for e in case.expect)}
    assert not items - paid, "没有应兑付算例的条款"


def _raw(**changes: Any) -> dict[str, Any]:
    rows = [
        {"year": 2022, "rnd_expense": "100万", "super_deduction": "是"},
        {"year": 2023, "rnd_expense": "120万", "super_deduction": "是"},
    ]
    expect = {"status": "payable", "award": 12000, "city": 6000, "district": 6000}
    return {"case": "例", "item": "A4.06", "rnd": rows, "expect": expect} | changes


def _found(law: Catalogue, **changes: Any) -> str:
    return "\n".join(run_cases([Case.model_validate(_raw(**changes))], law)[0])


def test_the_runner_says_what_differs(law: Catalogue) -> None:
    right = _raw()["expect"]
    assert _found(law) == ""
    assert "award 应为 12,000.01，得到 12,000.00" in _found(law, expect=right | {"award": "12000.01"})
    ineligible = {"status": "ineligible", "reason": "门槛"}
    assert "状态应为 ineligible，得到 payable" in _found(law, expect=ineligible)
    assert "working 应含「7%」" in _found(law, expect=right | {"working": "7%"})
    assert "没有得到这一行" in _found(law, expect=[right, right])
    assert "没有得到这一行" in _found(law, expect=[right, {"status": "rejected", "reason": "不同"}])
    assert "多出一行：payable" in _found(law, expect=[])
    assert "多出一行：rejected" in _found(law, claims=[{"event_on": None}])


def test_cases_run_together_do_not_touch_each_other(law: Catalogue, outcome: dict[str, list[str]]) -> None:
    some = CASES[::40]
    alone = [run_cases([case], law)[0] for case in some]
    assert alone == [outcome[str(case)] for case in some]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"enterprize": {}}, "不认识的键"),
        ({"expect": {"status": "payable", "award": 1, "city": 1}}, "payable 的一行须写 district"),
        ({"expect": {"status": "ineligible"}}, "ineligible 的一行须写 reason"),
        ({"expect": {"status": "pending", "low": 0, "high": 0.5}}, "请加引号"),
        ({"expect": {"status": "paid"}}, "expect"),
    ],
)
def test_a_file_with_a_mistake_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    folder = tmp_path / "policies" / "A"
    folder.mkdir(parents=True)
    (folder / "a04.cases.yaml").write_text(f"- {_raw(**changes)}", encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        load_cases(tmp_path)


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "policies" / "A"
    folder.mkdir(parents=True)
    (folder / "a04.cases.yaml").write_text(f"- {_raw()}\n- {_raw()}", encoding="utf-8")
    with pytest.raises(RuleError, match="出现两次"):
        load_cases(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rnd_expence": "1万"}, "没有列「rnd_expence」.*rnd_expense"),
        ({"rnd_expense": 0.5}, "请加引号"),
        ({"rnd_expense": "0.001"}, "不足一分"),
        ({"super_deduction": "Y"}, "super_deduction"),
        ({"year": "2023"}, "应为 int"),
    ],
)
def test_a_row_with_a_mistake_is_refused(law: Catalogue, row: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        _found(law, rnd=[{"year": 2023, "rnd_expense": "1万", "super_deduction": "是"} | row])
