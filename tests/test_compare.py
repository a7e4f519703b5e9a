"""Two runs compared: worked by hand, against a plain count, and what small cells must not tell."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.award import award, settle
from rules.catalogue import Catalogue
from schemas.comparing import KINDS, LEVELS, MOST_COUNTED, TOTALS
from schemas.districts import DISTRICTS
from schemas.outputs import PAYERS
from tests.comparing import cell, frame, line, quick, runs
from tests.forecasting import codes, enterprises, registry, rnd_rows, with_scenario
from whatif.compare import Comparison, compare
from whatif.sizes import size_classes
from whatif.suppress import suppressed

BEFORE = frame(
    line(0, "A4.06", "100.01"),
    line(1, "A4.06", 200, 1),
    line(2, "A4.03", 300, 1),
    line(2, "A11.02", None, 1, Decimal(90)),
    line(3, "A4.06", 0, 0, status="ineligible"),
)
AFTER = frame(
    line(0, "A4.06", 150),
    line(1, "A4.06", 200, 1),
    line(2, "A4.03", 0, 1, status="duplicate"),
    line(2, "A11.02", None, 1),
    line(3, "C7.01", 60),
)


def test_totals_by_hand() -> None:
    totals = compare(BEFORE, AFTER).totals
    assert dict(totals.schema) == TOTALS
    assert totals["level"].unique(maintain_order=True).to_list() == [
        name for name in LEVELS if name != "size"
    ]
    whole = cell(totals, "all", "all")
    assert (whole["before"], whole["after"], whole["change"]) == (Decimal("600.01"), 410, Decimal("-190.01"))
    assert (whole["households_before"], whole["households_after"], whole["changed"]) == (3, 3, 3)
    assert whole["percent"] == pytest.approx(-190.01 / 600.01 * 100)
    assert (whole["per_household_before"], whole["per_household_after"]) == (200, Decimal("136.67"))
    assert (whole["pending_low_before"], whole["pending_high_before"]) == (10, 90)
    assert (whole["pending_low_after"], whole["pending_high_after"]) == (10, None)
    assert (whole["payer_households"], whole["pending_households"]) == (1, 1)
    city = cell(totals, "payer", "city")
    assert (city["before"], city["after"], city["households_after"]) == (450, 175, 2)
    assert (city["city_before"], city["district_before"], city["pending_low_before"]) == (450, 0, None)
    new = cell(totals, "item", "C7.01")
    assert (new["before"], new["after"], new["percent"], new["per_household_before"]) == (0, 60, None, None)
    assert (new["prefecture_after"], new["title"], new["changed"]) == (60, "奖C7.01", 1)
    assert cell(totals, "article", "A4")["title"] == "A 第4条"
    assert cell(totals, "district", DISTRICTS[1])["change"] == -300
    assert cell(totals, "department", "工信局")["pending_lines_before"] == 1
    items = totals.filter(level="item")["key"].to_list()
    assert items == ["A4.03", "A4.06", "A11.02", "C7.01"], "条款按条文编号排列"


def test_who_gains_and_who_loses_by_hand() -> None:
    told = compare(BEFORE, AFTER)
    households = dict(told.households.select("name", "kind").rows())
    assert households == {"企业0": "winner", "企业1": "unchanged", "企业2": "no_longer", "企业3": "newly"}
    assert told.households["change"].to_list() == [Decimal("49.99"), 0, -300, 60]
    assert told.details.select("name", "item", "change").rows() == [
        ("企业0", "A4.06", Decimal("49.99")),
        ("企业2", "A4.03", -300),
        ("企业3", "C7.01", 60),
    ]
    whole = told.kinds.filter(pl.col("district").is_null() & pl.col("item").is_null())
    assert whole["kind"].to_list() == list(KINDS)
    assert whole["households"].to_list() == [1, 1, 1, 0, 1]
    there = told.kinds.filter(district=DISTRICTS[1]).select("kind", "households", "change").rows()
    assert there == [("no_longer", 1, -300), ("unchanged", 1, 0)]
    rnd = told.kinds.filter(item="A4.06").select("kind", "households").rows()
    assert rnd == [("winner", 1), ("unchanged", 1)]
    bins = told.changes.filter(pl.col("households") > 0).select("bin", "title", "households", "change").rows()
    assert bins == [
        (-1, "减少不足 1 万元", 1, -300),
        (0, "不变", 1, 0),
        (1, "增加不足 1 万元", 2, Decimal("109.99")),
    ]


def test_the_bins_of_changes_begin_where_they_say() -> None:
    steps = [9_999, 10_000, 50_000, 100_000, 500_000, 1_000_000]
    after = frame(*(line(n, "A4.06", 2_000_000 + step) for n, step in enumerate(steps)))
    before = frame(*(line(n, "A4.06", 2_000_000) for n in range(len(steps))))
    ups = compare(before, after).changes.filter(pl.col("households") > 0)
    downs = compare(after, before).changes.filter(pl.col("households") > 0)
    assert ups["bin"].to_list() == [1, 2, 3, 4, 5, 6]
    assert downs["bin"].to_list() == [-6, -5, -4, -3, -2, -1]
    assert ups["lower"].to_list() == [0, 10_000, 50_000, 100_000, 500_000, 1_000_000]
    assert downs["upper"].to_list()[::-1] == [-low for low in ups["lower"].to_list()]


def test_the_ten_with_most() -> None:
    before = frame(*(line(n, "A4.06", 100) for n in range(20)))
    after = frame(*(line(n, "A4.06", 100 if n else 900) for n in range(20)), line(30, "A4.03", 100))
    told = compare(before, after).concentration
    assert told["item"].to_list() == [None, "A4.03", "A4.06"]
    whole, new, rnd = told.rows(named=True)
    assert (whole["top_before"], whole["share_before"], whole["top_after"]) == (1000, 0.5, 1800)
    assert rnd["share_after"] == pytest.approx(1800 / 2800) and whole["share_after"] == pytest.approx(
        1800 / 2900
    )
    assert (new["share_before"], new["share_after"], new["households_after"]) == (None, 1.0, 1)


def test_an_applicant_that_moved_stands_where_it_is_now() -> None:
    told = compare(frame(line(0, "A4.06", 100, 0)), frame(line(0, "A4.06", 100, 1, name="新名")))
    assert told.households.select("name", "district", "kind").rows() == [("新名", DISTRICTS[1], "unchanged")]
    here, there = (cell(told.totals, "district", DISTRICTS[n])["change"] for n in (0, 1))
    assert (here, there) == (-100, 100)
    assert cell(told.totals, "all", "all")["changed"] == 0


def test_a_new_split_changes_payers_but_no_household() -> None:
    moved = {"city_share": Decimal(80), "district_share": Decimal(20)}
    told = compare(frame(line(0, "A4.06", 100)), frame(line(0, "A4.06", 100, **moved)))
    assert told.households["kind"].to_list() == ["unchanged"] and told.details.is_empty()
    assert cell(told.totals, "all", "all")["changed"] == 1
    assert cell(told.totals, "payer", "city")["change"] == 30


def test_nothing_at_all() -> None:
    told = compare(frame(), frame())
    assert cell(told.totals, "all", "all")["before"] == 0
    assert told.households.is_empty() and told.changes["households"].sum() == 0
    assert suppressed(told.totals)["suppressed"].sum() == 0


def test_size_classes_are_terciles() -> None:
    rows = rnd_rows({2023: [1, 2, 3, 4, 5, 6, 6]})
    held = registry("rnd", rows, 2023)
    assert dict(size_classes(held, 2023).rows())[codes(1)[0]] == "小"
    assert size_classes(held, 2023)["size"].to_list() == ["小", "小", "小", "中", "中", "大", "大"]
    sold = [row | {"revenue": Decimal(100 - n)} for n, row in enumerate(rows)]
    assert size_classes(registry("rnd", sold, 2023), 2023)["size"].to_list()[0] == "大"
    sizes = size_classes(held, 2023)
    totals = compare(BEFORE, frame(line(90, "A4.06", 5)), sizes).totals.filter(level="size")
    assert totals["key"].to_list() == ["小", "未知"]
    assert totals["before"].to_list() == [Decimal("600.01"), 0]


@pytest.fixture(scope="module")
def settled(law: Catalogue) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forty enterprises with growing R&D, under the law and with 8% for growth."""
    figures = {2022: [100.0 + n for n in range(40)], 2023: [150.0 + 3 * n for n in range(40)]}
    frames = {"enterprises": enterprises(40, 2023), "rnd": registry("rnd", rnd_rows(figures), 2023)}
    other = with_scenario(terms={"A4.06": {"rate": "8%"}})
    return settle(frames, law, 2023).lines, settle(frames, other, 2023).lines


def test_an_empty_scenario_changes_nothing(settled: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    told = compare(settled[0], settled[0])
    assert told.totals["change"].sum() == 0 and told.totals["changed"].sum() == 0
    assert told.households["kind"].unique().to_list() == ["unchanged"] and told.details.is_empty()


def test_a_higher_rate_on_settled_and_on_published_lines(
    settled: tuple[pl.DataFrame, pl.DataFrame], law: Catalogue
) -> None:
    told = compare(*settled)
    whole = cell(told.totals, "all", "all")
    grown = sum(Decimal(500_000 + 20_000 * n) for n in range(40))
    assert (whole["before"], whole["after"]) == (grown * 6 / 100, grown * 8 / 100)
    assert whole["percent"] == pytest.approx(100 / 3) and told.households["kind"].unique().to_list() == [
        "winner"
    ]
    figures = {2022: [100.0] * 3, 2023: [150.0, 160.0, 170.0]}
    frames = {"enterprises": enterprises(3, 2023), "rnd": registry("rnd", rnd_rows(figures), 2023)}
    out = award(frames, law, 2023)
    assert compare(out, out).totals.equals(compare(*[settle(frames, law, 2023).lines] * 2).totals)


@quick
@given(runs(), runs())
def test_parts_add_up(before: pl.DataFrame, after: pl.DataFrame) -> None:
    told = compare(before, after, pl.DataFrame({"uscc": codes(20), "size": ["大", "小"] * 10}))
    paid = [run.filter(status="payable")["award"].sum() for run in (before, after)]
    whole = cell(told.totals, "all", "all")
    assert [whole["before"], whole["after"]] == paid
    money = ["before", "after", "change", "lines_before", "lines_after"]
    ranges = ["pending_lines_before", "pending_lines_after", "pending_low_before", "pending_low_after"]
    for level in list(LEVELS)[1:]:
        sums = told.totals.filter(level=level).select(pl.col(money + ranges).sum()).row(0, named=True)
        skipped = {"lines_before", "lines_after", *ranges} if level == "payer" else set()
        assert all(sums[c] == whole[c] for c in money + ranges if c not in skipped), level
    for side in ("before", "after"):
        shares = told.totals.select(pl.sum_horizontal(f"{payer}_{side}" for payer in PAYERS)).to_series()
        assert shares.to_list() == told.totals[side].to_list()
    kinds = told.kinds.filter(pl.col("item").is_null())
    for level in (pl.col("district").is_null(), pl.col("district").is_not_null()):
        assert kinds.filter(level)["change"].sum() == whole["change"]
        assert kinds.filter(level)["households"].sum() == told.households.height
    assert told.kinds.filter(pl.col("item").is_not_null())["change"].sum() == whole["change"]
    assert told.households["change"].sum() == told.details["change"].sum() == whole["change"]
    assert told.changes["change"].sum() == whole["change"]
    assert told.changes["households"].sum() == told.households.height


@quick
@given(runs(120), runs(120))
def test_counts_are_those_of_a_plain_loop(before: pl.DataFrame, after: pl.DataFrame) -> None:
    totals = compare(before, after).totals
    keys: dict[str, Any] = {
        "all": lambda r: "all",
        "policy": lambda r: r["policy"],
        "item": lambda r: r["item"],
    }
    keys |= {"district": lambda r: r["district"], "class": lambda r: r["class"]}
    keys |= {"article": lambda r: f"{r['policy']}{r['article']}"}
    for level, key in keys.items():
        for name in totals.filter(level=level)["key"]:
            money: dict[str, dict[str, list[Decimal]]] = defaultdict(
                lambda: defaultdict(lambda: [Decimal(0)] * 2)
            )
            waiting: list[set[str]] = [set(), set()]
            for side, run in enumerate((before, after)):
                for row in run.rows(named=True):
                    if row["status"] == "payable" and key(row) == name:
                        for payer in PAYERS:
                            money[row["uscc"]][payer][side] += row[f"{payer}_share"]
                    elif row["status"] == "pending" and key(row) == name:
                        waiting[side].add(row["uscc"])
            here = cell(totals, level, name)
            paid = [sum(any(v[side] > 0 for v in m.values()) for m in money.values()) for side in (0, 1)]
            assert [here["households_before"], here["households_after"]] == paid
            assert here["changed"] == sum(any(b != a for b, a in m.values()) for m in money.values())
            behind = [sum(m[p][side] > 0 for m in money.values()) for p in PAYERS for side in (0, 1)]
            assert here["payer_households"] == min([min(n, MOST_COUNTED) for n in behind if n], default=None)
            held = [min(len(w), MOST_COUNTED) for w in waiting if w]
            assert here["pending_households"] == min(held, default=None)


@quick
@given(runs(), runs(), st.randoms(use_true_random=False))
def test_order_of_rows_moves_nothing(before: pl.DataFrame, after: pl.DataFrame, chance: Any) -> None:
    def shuffled(run: pl.DataFrame) -> pl.DataFrame:
        order = list(range(run.height))
        chance.shuffle(order)
        return run[order]

    one, other = compare(before, after), compare(shuffled(before), shuffled(after))
    for name in Comparison.__dataclass_fields__:
        assert getattr(one, name).equals(getattr(other, name)), name
