"""What small cells must not tell, by themselves or by difference."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.comparing import PUBLIC_TOTALS
from schemas.districts import DISTRICTS
from tests.comparing import cell, frame, line, quick, runs
from whatif.compare import compare
from whatif.suppress import _partitions, public, suppressed, words


def test_small_cells_are_hidden_and_cannot_be_computed() -> None:
    many = [line(n, "A4.06", 100 + n, 0) for n in range(5)] + [line(9, "A4.06", 70, 1)]
    many += [line(n + 10, "A4.06", 50, 2) for n in range(4)] + [
        line(n + 20, "A4.06", 60, 3) for n in range(3)
    ]
    totals = compare(frame(*many), frame(*many)).totals
    shown = suppressed(totals)
    assert dict(shown.schema) == PUBLIC_TOTALS
    places = {d: cell(shown, "district", DISTRICTS[d]) for d in range(4)}
    assert [places[d]["before"] for d in range(4)] == [510, None, 200, None]
    assert [places[d]["households_after"] for d in range(4)] == [5, None, 4, None]
    assert "少于3户" in places[1]["note"] and "倒算" in places[3]["note"]
    assert not places[0]["suppressed"] and cell(shown, "all", "all")["before"] == 960
    assert "共 2 行" in words(shown) and "没有" in words(suppressed(totals, 2).filter(key="all"))
    assert not suppressed(totals.filter(pl.col("key") != DISTRICTS[1]))["suppressed"].any()


def test_a_change_of_two_is_hidden_though_many_are_paid() -> None:
    before = [line(n, "A4.06", 100) for n in range(9)] + [line(n, "A4.03", 100) for n in range(9)]
    after = [*before[:7], line(7, "A4.06", 150), line(8, "A4.06", 130), *before[9:]]
    shown = suppressed(compare(frame(*before), frame(*after)).totals)
    assert cell(shown, "item", "A4.06")["after"] is None and cell(shown, "all", "all")["change"] is None


def test_what_few_wait_for_or_one_payer_bears_is_hidden_by_itself() -> None:
    rows = [line(n, "A4.06", 100, n % 2) for n in range(20)] + [
        line(30, "C7.01", 70),
        line(31, "C7.01", 5, 1),
    ]
    rows += [line(n, "A4.06", 100, 2) for n in range(40, 44)] + [line(0, "A11.02", None, 0, Decimal(20))]
    shown = suppressed(compare(frame(*rows), frame(*rows)).totals)
    here, other = (cell(shown, "district", DISTRICTS[d]) for d in (0, 2))
    assert here["before"] == 1070 and here["prefecture_before"] is here["pending_low_before"] is None
    assert "分负担方" in here["note"] and "待核定" in here["note"]
    assert other["city_before"] == 200
    assert cell(shown, "payer", "prefecture")["before"] is None
    assert cell(shown, "all", "all")["pending_high_after"] is None


@quick
@given(runs(), runs(), st.integers(2, 5))
def test_no_hidden_cell_follows_from_those_shown(
    before: pl.DataFrame, after: pl.DataFrame, least: int
) -> None:
    """Whoever knows the sums of the table still has a choice for every hidden figure."""
    totals = compare(before, after).totals
    shown = suppressed(totals, least)
    few = pl.any_horizontal(
        pl.col(c).is_between(1, least - 1) for c in ("households_before", "households_after", "changed")
    )
    assert shown.filter(totals.select(few).to_series())["before"].null_count() == totals.filter(few).height
    for column in ("before", "city_after", "pending_low_after"):
        held = totals.filter(pl.col("level") != "payer") if column != "before" else totals
        public_now = shown[column].is_null().to_list()
        unknown = [n for n in range(totals.height) if public_now[n] and totals[column][n] is not None]
        rows = []
        for total, members in _partitions(totals):
            if held.height < totals.height and totals["level"][members[0]] == "payer":
                continue
            if total is not None:
                equation = np.zeros(totals.height)
                equation[members], equation[total] = 1, -1
                rows.append(equation[unknown])
        small = [n for n in unknown if totals.select(few).to_series()[n]]
        if unknown and rows:
            _, sizes, basis = np.linalg.svd(np.array(rows))
            free = basis[int((sizes > 1e-9).sum()) :]
            for n in small:
                assert np.abs(free[:, unknown.index(n)]).max(initial=0) > 1e-9, totals.row(n)


def test_the_public_comparison_names_nobody() -> None:
    rows = [line(n, "A4.06", 100, n % 2) for n in range(8)]
    after = [*rows[:4], *(line(n, "A4.06", 170, n % 2) for n in range(4, 8)), line(20, "A4.03", 9)]
    told = public(compare(frame(*rows), frame(*after)))
    assert told.households.is_empty() and told.details.is_empty()
    whole = told.kinds.filter(pl.col("district").is_null() & pl.col("item").is_null())
    hidden = dict(whole.select("kind", "households").rows())
    assert hidden["newly"] is None and None in (hidden["winner"], hidden["unchanged"])
    assert told.kinds.filter(pl.col("households") < 3).filter(pl.col("households") > 0).is_empty()
    assert told.concentration.filter(item="A4.03")["top_after"].to_list() == [None]
    assert told.changes.filter(pl.col("households").is_between(1, 2)).is_empty()
    with pytest.raises(ValueError, match="least"):
        public(compare(frame(*rows), frame(*after)), 50)
