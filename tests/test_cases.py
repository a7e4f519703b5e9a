"""The worked cases beside the law hold, the runner can fail, and its files are strict."""

from pathlib import Path

import pytest

from rules.cases import Case, load_cases, run_case
from rules.catalogue import HERE, Catalogue, load_catalogue
from rules.expressions import RuleError

CASES = load_cases()


@pytest.fixture(scope="module")
def law() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_holds(case: Case, law: Catalogue) -> None:
    found = run_case(case, law)
    assert not found, "\n".join([str(case), *found])
