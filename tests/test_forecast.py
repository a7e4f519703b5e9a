"""A forecast: the same rules on every draw, parts that add up, and figures worked by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast.run
import forecast.spending
from forecast import base
from forecast.carried import carried, flag_of
from forecast.carriers import KINDS, panel_of
from forecast.cases import cohort
from forecast.counts import Counts, dispersion, trend
from forecast.fit import fit
from forecast.formula import DRAWN, Formula, fen
from forecast.grown import is_computed
from forecast.history import look_back, part_in_force
from forecast.plan import Plan, _makings, first_year, plan
from forecast.run import Totals, simulate
from forecast.severity import credible
from forecast.sources import shares
from forecast.streams import Seeds
from forecast.tables import Weighted, draw_rows, forecast_rows, unsettled, weighted
from rules.award import assessed, item_rows, settle
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from schemas.districts import DISTRICTS
from schemas.money import YUAN
from schemas.outputs import DRAWS, FORECAST, QUANTILES
from tests.forecasting import codes, enterprises, read_city, registry, rnd_rows, told, with_scenario, yuan

LAW = load_catalogue()
BASE = 2023


@pytest.fixture(scope="module")
def frames(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return read_city(city, BASE, tmp_path_factory.mktemp("work"), LAW)


@pytest.fixture(scope="module")
def made(frames: Frames) -> Plan:
    return plan(frames, LAW, BASE, 3)


@pytest.fixture(scope="module")
def totals(made: Plan) -> Totals:
    return simulate(made.parts, 192, Seeds.of(1), 2)


@pytest.fixture(scope="module")
def held(totals: Totals) -> Weighted:
    return weighted(totals, LAW, range(BASE, BASE + 4))


@pytest.fixture(scope="module")
def rows(held: Weighted) -> pl.DataFrame:
    return forecast_rows(held)


# The same rules


def all_fen(item: str, frame: pl.DataFrame) -> np.ndarray:
    """Fen of every row, 0 where a condition is not met."""
    due, yuan, _ = Formula(LAW.compiled(LAW.items[item])).amounts(frame)
    paid = np.zeros(frame.height, np.int64)
    paid[due] = fen(yuan)
    return paid


def test_formulas_pay_what_the_award_run_pays(frames: Frames) -> None:
    """Every line of the base year whose amount a formula makes, to the fen, with the department's own figures."""
    decided = {"A11.02": "assessed_rate", "A11.03": "assessed_base", "A11.04": "assessed_amount"}
    lines = settle(frames, LAW, BASE).lines.filter(pl.col("status") == "payable")
    place, checked = ["uscc", "source_file", "source_row"], {}
    for item, kind, rows in item_rows(frames, LAW, BASE):
        if kind not in KINDS and not (is_computed(LAW, item) and item.basis == "exact"):
            continue
        frame = rows.with_columns(
            pl.col(c).cast(pl.Float64) for c, t in rows.schema.items() if t.is_decimal()
        )
        if item.id in decided:
            frame = frame.with_columns(pl.col(decided[item.id]).alias(DRAWN))
        paid = all_fen(item.id, frame)
        due = lines.filter(pl.col("item") == item.id, ~pl.col("cap_shared"), pl.col("cap_paid").is_null())
        both = due.select(*place, "award").join(frame.select(*place, fen=pl.Series(paid)), on=place)
        wrong = both.filter(pl.col("award").to_physical() != pl.col("fen"))
        assert wrong.is_empty(), (item.id, wrong)
        checked[item.id] = both.height
    assert sum(checked.values()) > 150 and len([n for n in checked.values() if n]) > 8
    assert checked["A4.06"] > 80 and all(checked[item] for item in decided)


def test_without_uncertainty_it_is_the_award_run_on_the_grown_registry(frames: Frames) -> None:
    """A4.06 of the next year, by district and to the fen, where nobody comes or goes."""
    growth = fit(panel_of(frames, "rnd"), BASE).frozen()
    part = carried(frames, LAW, "rnd", BASE, [BASE + 1], growth, {})
    drawn = told(simulate([part], 64, Seeds.of(3)))
    assert drawn["sd"].max() == pytest.approx(0, abs=1e-6)

    factor = np.exp(growth.centres[growth.stratum(part.who["amount"].to_numpy())] + growth.common.mean)
    amounts = pl.DataFrame(
        {"uscc": part.who["uscc"], "next": np.round(part.who["amount"].to_numpy() * factor, 2)}
    )
    now = frames["rnd"].filter(pl.col("year") == BASE, pl.col("same_as").is_null())
    reported = now.filter(pl.col("rnd_expense") > 0)
    later = reported.join(amounts, on="uscc").with_columns(
        pl.lit(BASE + 1, pl.Int32).alias("year"),
        pl.col("next").cast(YUAN).alias("rnd_expense"),
        role=pl.lit("line"),
    )
    grown = {
        "enterprises": frames["enterprises"],
        "rnd": pl.concat([now.with_columns(role=pl.lit("history")), later.select(now.columns)]),
    }
    ever = with_scenario(policies={"A": {"last_day": date(BASE + 2, 12, 31)}})
    due = settle(grown, ever, BASE + 1).lines.filter(pl.col("status") == "payable", pl.col("item") == "A4.06")
    sums = dict(due.group_by("district").agg(pl.col("award").sum().cast(pl.Float64)).rows())
    lines = dict(due.group_by("district").agg(pl.len()).rows())
    assert sum(lines.values()) > 50
    for district, mean, count in drawn.select("district", "mean", "lines").iter_rows():
        # the registry's figures are rounded to the fen before the rule sees them
        assert mean == pytest.approx(sums.get(district, 0), abs=0.01 * max(1, lines.get(district, 0)))
        assert count == lines.get(district, 0)


@given(before=st.floats(0, 1e9), now=st.floats(0, 1e9), more=st.floats(0, 1e8), both=st.booleans())
@settings(max_examples=60, deadline=None)
def test_more_growth_never_pays_less(before: float, now: float, more: float, both: bool) -> None:
    frame = pl.DataFrame(
        {
            "rnd_expense": [now, now + more],
            "rnd_expense_prev": [before, before],
            "super_deduction": [True, True],
            "super_deduction_prev": [both, both],
        }
    )
    less, greater = all_fen("A4.06", frame)
    assert 0 <= less <= greater <= 300_000_000
    assert both or greater == 0


def test_an_amount_of_exactly_half_a_fen_is_rounded_up() -> None:
    assert fen(np.asarray([0.005, 1.005, 2.675, 0.0])).tolist() == [1, 101, 268, 0]


# Parts worked by hand


def test_a_city_that_grows_by_a_tenth_every_year() -> None:
    """1,000万, 1,100万 … : growth 110万 and 121万 at 6%: 6.6万 and 7.26万 an enterprise."""
    figures = {2020: [826.446281] * 40, 2021: [909.090909] * 40, 2022: [1000.0] * 40, 2023: [1100.0] * 40}
    frames = {"enterprises": enterprises(40, BASE), "rnd": registry("rnd", rnd_rows(figures), BASE)}
    growth = fit(panel_of(frames, "rnd"), BASE).frozen()
    found = yuan(carried(frames, LAW, "rnd", BASE, [2024, 2025], growth, {}), draws=64)
    by_year = dict(found.group_by("award_year").agg(pl.col("mean").sum()).rows())
    assert by_year[2024] == pytest.approx(40 * 66_000, rel=1e-4)
    assert by_year[2025] == pytest.approx(40 * 72_600, rel=1e-4)
    assert found.filter(pl.col("district") == DISTRICTS[0])["lines"].to_list() == [5, 5]


def certificates(item: str, year: int, count: int) -> list[dict[str, Any]]:
    who = codes(200)
    return [
        {"uscc": who[n], "item": item, "certified_on": date(year, 6, 1), "certificate_no": f"{item}{year}{n}"}
        for n in range(count)
    ]


def city_with_certificates() -> Frames:
    """Certificates of high-tech enterprises: 30 new and 12 renewed in 2021, 40 new a year later on."""
    rows = [*certificates("A4.03", 2021, 30), *certificates("A4.04", 2021, 12)]
    rows += [*certificates("A4.03", 2022, 40), *certificates("A4.03", 2023, 40)]
    return {
        "enterprises": enterprises(200, BASE),
        "certifications": registry("certifications", rows, BASE),
    }


def test_certificates_expire_after_three_years_and_are_renewed_in_part() -> None:
    """42 certificates of 2021 expire in 2024, 40 each of 2022 and 2023 later; 7 of 10 renew at 5万 each."""
    law = with_scenario(forecast={"renewal": 0.7})
    frames = city_with_certificates()
    makings = _makings(frames, law, BASE, 3, False)
    part, (_, value, source) = cohort(makings, makings.special.cohorts[0])
    assert part is not None and (value, source) == ("70%", "方案设定")
    found = (
        yuan(part, 2048)
        .group_by("award_year")
        .agg(pl.col("mean").sum(), pl.col("lines").sum())
        .sort("award_year")
    )
    assert found["lines"].to_list() == pytest.approx([29.4, 28, 28], rel=0.03)
    assert found["mean"].to_list() == pytest.approx([29.4 * 50_000, 28 * 50_000, 28 * 50_000], rel=0.03)


def test_the_renewed_share_is_the_registrys_on_top_of_the_assumption() -> None:
    """12 of the 30 certificates of 2020 were renewed in 2023: (7 + 12) / (10 + 30)."""
    rows = [
        *certificates("A4.03", 2020, 30),
        *certificates("A4.04", 2023, 12),
        *certificates("A4.03", 2021, 5),
    ]
    frames = {"enterprises": enterprises(200, BASE), "certifications": registry("certifications", rows, BASE)}
    makings = _makings(frames, LAW, BASE, 1, False)
    part, (_, value, source) = cohort(makings, makings.special.cohorts[0])
    assert part is not None and part.kept == (19, 21) and value == "48%"
    assert source == "登记表 30 家到期企业，并入设定值 70%（计 10 家）"


def test_a_target_path_adds_what_lapses() -> None:
    """E12.1: 300 more in 2024 and 400 in 2025, plus three tenths of the 42 and of the 40 that expire."""
    law = with_scenario(forecast={"counts": "target", "renewal": 0.7})
    made = plan(city_with_certificates(), law, BASE, 2)
    path = [(p["award_year"], p["used"], p["target"]) for p in made.paths if p["item"] == "A4.03"]
    assert path == [(2024, "target", 312.6), (2025, "target", 412.0)]
    found = told(simulate(made.parts, 512, Seeds.of(1))).filter(
        pl.col("item") == "A4.03", pl.col("award_year") > BASE
    )
    sums = found.group_by("award_year").agg(pl.col("mean").sum()).sort("award_year")["mean"].to_list()
    assert sums == pytest.approx([312.6 * 250_000, 412 * 250_000], rel=0.03)


def test_trend_and_target_are_both_told_and_only_one_is_used() -> None:
    made = plan(city_with_certificates(), LAW, BASE, 1)
    path = next(p for p in made.paths if p["item"] == "A4.03")
    assert path["used"] == "trend" and 110 / 3 < path["trend"] < 41 and path["target"] > 300
    found = told(simulate(made.parts, 512, Seeds.of(1))).filter(
        pl.col("item") == "A4.03", pl.col("award_year") > BASE
    )
    assert found["mean"].sum() == pytest.approx(path["trend"] * 250_000, rel=0.05)


def persons(item: str, year: int, months: list[int], amount: int) -> list[dict[str, Any]]:
    return [
        {
            "person_id": f"P{n}",
            "person_name": "张三",
            "uscc": codes(200)[n],
            "item": item,
            "event_on": date(year, 3, 1),
        }
        | {"months": m, "base_amount": Decimal(amount), "assessed_amount": Decimal(amount) * m}
        for n, m in enumerate(months)
    ]


def test_rent_is_paid_on_after_the_policy_has_ended() -> None:
    """A22.07, 36 months: after 24 months one more year of 12 × 5,000; after 30 months six months; after 36 none."""
    rows = [*persons("A22.07", 2022, [12, 12, 12], 5_000), *persons("A22.07", 2023, [12, 12, 12], 5_000)]
    rows += persons("A22.07", 2021, [0, 6, 12], 5_000)[1:]
    frames = {
        "enterprises": enterprises(200, BASE),
        "talents": registry("talents", rows, BASE),
    }
    past = look_back(frames, LAW, BASE)
    part = base.promised(past, "A22.07", "months", 36, BASE, [2025, 2026])
    assert part is not None
    assert (part.fen / 100).tolist() == [[60_000, 0], [30_000, 0]]
    assert part.goes_on[0] > part.goes_on[1]


def test_a_promise_counts_only_where_its_policy_has_ended(held: Weighted, rows: pl.DataFrame) -> None:
    kinds = (
        rows.filter(pl.col("basis").is_not_null())
        .group_by("outlook", "award_year")
        .agg(pl.col("basis").unique())
    )
    bases = {(o, y): set(b) for o, y, b in kinds.iter_rows()}
    assert "promised" not in bases["current", 2024] and "promised" in bases["current", 2025]
    assert "promised" not in bases["renewed", 2025]


def pending_lines(share: list[float | None]) -> Frames:
    """Claims of A4.09 (at most 100万 a year), some decided at a part of it and some not yet."""
    rows = [
        {"uscc": code, "item": "A4.09", "event_on": date(BASE, 5, 1)}
        | {"assessed_amount": None if part is None else Decimal(str(part)) * 1_000_000}
        for code, part in zip(codes(len(share)), share, strict=True)
    ]
    return {"enterprises": enterprises(len(share), BASE, "张浦"), "claims": registry("claims", rows, BASE)}


def test_pending_lines_are_drawn_as_earlier_ones_were_decided() -> None:
    frames = pending_lines([0.2, 0.2, 0.4, 0.4, 0.6, None, None])
    lines = settle(frames, LAW, BASE).lines
    [part] = base.pending(lines, look_back(frames, LAW, BASE), LAW, BASE)
    found = yuan(part, 2048).filter(pl.col("district") == "张浦").row(0, named=True)
    assert found["mean"] == pytest.approx(2 * 360_000, rel=0.03)
    assert (found["least"], found["most"]) == (2 * 200_000, 2 * 600_000)


def test_without_history_only_the_range_is_told() -> None:
    frames = pending_lines([None, None])
    made = plan(frames, LAW, BASE, 1)
    held = weighted(simulate(made.parts, 64, Seeds.of(1)), LAW, range(BASE, BASE + 2))
    ranges, endless = unsettled(held, LAW)
    first = next(r for r in ranges if r["award_year"] == BASE)
    assert (first["item"], first["lines"], first["low"], first["high"]) == ("A4.09", 2, 0, 2_000_000)
    assert not endless
    waiting = told(held.totals).filter(pl.col("basis") == "pending")
    assert waiting["mean"].sum() == 0


def test_few_decisions_lean_on_those_of_all_items() -> None:
    """One decision counts a quarter beside the pool's three; nine count three quarters; none is none."""
    pool = pl.Series([0.0] * 10)
    one, nine = (credible(pl.Series([1.0] * n), pool) for n in (1, 9))
    assert one is not None and nine is not None and credible(pool.clear(), pool) is None
    assert (one.table.mean(), nine.table.mean()) == (0.25, 0.75)


def test_what_is_decided_case_by_case_is_named_and_in_no_total() -> None:
    rows = [
        {"uscc": code, "item": "A11.05", "event_on": date(year, 5, 1), "assessed_amount": Decimal(9_000_000)}
        for year in (2022, BASE)
        for code in codes(6)
    ]
    rows.append({"uscc": codes(7)[6], "item": "A11.05", "event_on": date(BASE, 5, 1)})
    frames = {"enterprises": enterprises(7, BASE), "claims": registry("claims", rows, BASE)}
    made = plan(frames, LAW, BASE, 1)
    held = weighted(simulate(made.parts, 64, Seeds.of(1)), LAW, range(BASE, BASE + 2))
    ranges, endless = unsettled(held, LAW)
    assert not ranges and {(e["award_year"], e["why"]) for e in endless} == {
        (2023, "一事一议"),
        (2024, "一事一议"),
    }
    sums = dict(told(held.totals).group_by("basis").agg(pl.col("mean").sum()).rows())
    assert sums == {"known": 6 * 9_000_000, "pending": 0, "counted": 0}


def test_claims_with_a_rate_grow_with_the_city() -> None:
    """A7.08 pays 20% of purchases, at most 300万 an enterprise and year: 20万 and the cap, each 10% more a year."""
    figures = {2021: [909.090909] * 40, 2022: [1000.0] * 40, 2023: [1100.0] * 40}
    claims = [
        {"uscc": code, "item": "A7.08", "event_on": date(BASE, 4, day), "base_amount": Decimal(base)}
        for code, base, day in (
            (codes(1)[0], 1_000_000, 1),
            (codes(2)[1], 9_000_000, 1),
            (codes(2)[1], 9_000_000, 2),
        )
    ]
    frames = {
        "enterprises": enterprises(40, BASE, "千灯"),
        "rnd": registry("rnd", rnd_rows(figures), BASE),
        "claims": registry("claims", claims, BASE),
    }
    made = plan(frames, LAW, BASE, 2, frozen=True)
    found = told(simulate(made.parts, 4096, Seeds.of(1))).filter(
        pl.col("item") == "A7.08", pl.col("award_year") > BASE
    )
    by_year = found.group_by("award_year").agg(pl.col("mean").sum(), pl.col("lines").sum()).sort("award_year")
    for (_, mean, lines), growth in zip(by_year.iter_rows(), (1.1, 1.21), strict=True):
        assert lines == pytest.approx(2, rel=0.06)
        assert mean / lines == pytest.approx((200_000 * growth + 3_000_000) / 2, rel=0.03)


def test_what_is_missing_is_said() -> None:
    """R&D to 2022 only, no equipment, no claims under C; of 2022 six times 50万 and 6万 are due, 20万 was paid."""
    rows = [
        {"uscc": code, "item": "A4.09", "event_on": date(BASE, 5, 1), "assessed_amount": Decimal(500_000)}
        for code in codes(6)
    ]
    earlier = [row | {"event_on": date(2022, 5, 1)} for row in rows]
    paid = [{"year": 2022, "uscc": codes(1)[0], "item": "A4.09", "amount": Decimal(200_000)}]
    frames = {
        "enterprises": enterprises(6, BASE),
        "rnd": registry("rnd", rnd_rows({2021: [100] * 6, 2022: [200] * 6}), BASE),
        "claims": registry("claims", [*earlier, *rows], BASE),
        "payments": registry("payments", paid, BASE),
    }
    said = plan(frames, LAW, BASE, 2).absent
    assert "研发投入登记表没有 2023 年度的行，A4.06 1 条的今后负担未计入。" in said
    assert any(text.startswith("没有设备投入登记表，A11.02、A11.03、A11.04 3 条") for text in said)
    assert any(text.startswith("政策C登记表没有可依据的申报历史") for text in said)
    assert any(text.startswith("2022 年度应兑付的还有 316.00 万元没有兑付记录") for text in said)


def test_equipment_of_coming_years_is_like_that_of_the_years_that_were() -> None:
    """Ten enterprises a year at 3,000万 and ten at 9,000万, all decided at 10%: 300万 and 900万 each."""
    rows = [
        {
            "uscc": codes(40)[n + (year - 2022) * 20],
            "year": year,
            "project_id": f"P{n}",
            "assessed_rate": "0.1",
        }
        | {"equipment_investment": Decimal(30_000_000 if n < 10 else 90_000_000)}
        for year in (2022, BASE)
        for n in range(20)
    ]
    rows = [row | {"assessed_rate": Decimal("0.1")} for row in rows]
    frames = {"enterprises": enterprises(40, BASE, "陆家"), "equipment": registry("equipment", rows, BASE)}
    made = plan(frames, LAW, BASE, 1, frozen=True)
    found = told(simulate(made.parts, 2048, Seeds.of(1))).filter(basis="simulated", item="A11.02")
    growth = np.exp(fit(panel_of(frames, "equipment"), BASE).common.mean)
    assert found["lines"].sum() == pytest.approx(20, rel=0.02)
    capped = min(9_000_000 * growth, 10_000_000)
    assert found["mean"].sum() == pytest.approx(10 * (3_000_000 * growth + capped), rel=0.02)


def test_a_flag_goes_on_as_the_registry_has_it() -> None:
    """Of ten that deducted in 2022 nine do in 2023; of ten that did not, two do."""
    rows = rnd_rows({2022: [100] * 20, 2023: [100] * 20})
    for n, row in enumerate(rows):
        row["super_deduction"] = n < 10 if n < 20 else (n < 29 or n in (30, 31))
    frames = {"enterprises": enterprises(20, BASE), "rnd": registry("rnd", rows, BASE)}
    flag = flag_of(frames, "rnd", "super_deduction")
    assert (flag.after_yes, flag.after_no, flag.unknown) == (0.9, 0.2, 21 / 40)
    assert flag.chances(pl.Series([True, False, None])).tolist() == [58982, 13107, 34406]


# Counts


def test_counts_follow_the_average_and_are_unsure_of_it() -> None:
    counts = trend([90, 110, 100], [1, 1, 1], 2, 0.0)
    assert counts.mean.tolist() == pytest.approx([100, 100])
    drawn = counts.draw(np.random.default_rng(1), 20_000)[:, 0]
    assert drawn.mean() == pytest.approx(100, rel=0.01)
    assert drawn.var() == pytest.approx(100 + 100**2 / 300.5, rel=0.05)


def test_a_part_of_a_year_counts_for_its_part() -> None:
    assert trend([50, 100], [0.5, 1], 1, 0.0).mean.tolist() == pytest.approx([100])


def test_a_clear_slope_goes_on_and_flattens() -> None:
    mean = trend([100, 200, 400, 800], [1] * 4, 3, 0.0).mean
    assert 800 < mean[0] < mean[1] < mean[2] < 800 * 2**3
    assert mean[1] / mean[0] > mean[2] / mean[1]


def test_years_that_differ_more_than_chance_widen_the_band() -> None:
    assert dispersion([[100, 100, 100]]) == 0
    assert dispersion([[50, 150], [100, 100]]) == pytest.approx((5000 - 100 - 100) / 20_000)
    assert dispersion([[7], []]) is None
    wide = Counts(np.asarray([100.0]), np.inf, 0.25).draw(np.random.default_rng(1), 20_000)
    assert wide.var() == pytest.approx(100 + 0.25 * 100**2, rel=0.06)


def test_a_window_counts_its_days() -> None:
    policy = LAW.policies["C"]
    assert part_in_force(policy, 2026, whole_years=False) == pytest.approx(142 / 365)
    assert part_in_force(policy, 2026, whole_years=True) == 1
    assert part_in_force(policy, 2027, whole_years=True) == 0


# Totals and tables


def test_shapes_and_order(rows: pl.DataFrame, held: Weighted) -> None:
    assert dict(rows.schema) == FORECAST and dict(draw_rows(held).schema) == DRAWS
    keys = ["outlook", "pay_year", "award_year", "payer", "district", "policy", "article", "item", "basis"]
    assert rows.select(keys).is_unique().all()


def test_quantiles_ascend_within_the_statutory_range(rows: pl.DataFrame) -> None:
    names = list(QUANTILES)
    for low, high in zip(names, names[1:], strict=False):
        assert (rows[low] <= rows[high]).all()
    assert (rows["statutory_low"] <= rows["mean"] + 0.011).all()
    assert (
        rows["statutory_high"].drop_nulls()
        >= rows.filter(pl.col("statutory_high").is_not_null())["mean"] - 0.011
    ).all()


def level(rows: pl.DataFrame, **known: bool) -> pl.DataFrame:
    """Rows of one level: keys named are present, the others are together."""
    keys = ("award_year", "payer", "district", "policy", "item", "basis")
    return rows.filter(pl.col(k).is_not_null() if known.get(k) else pl.col(k).is_null() for k in keys)


def test_means_add_up_on_every_level(rows: pl.DataFrame) -> None:
    by = ["outlook", "pay_year"]
    whole = {(o, y): m for o, y, m in level(rows).select(*by, "mean").iter_rows()}
    parts: list[dict[str, bool]] = [
        {"payer": True},
        {"district": True},
        {"policy": True},
        {"policy": True, "item": True},
        dict.fromkeys(("award_year", "payer", "district", "policy", "item", "basis"), True),
    ]
    assert len(whole) == 8
    for known in parts:
        found = level(rows, **known)
        sums = {(o, y): m for o, y, m in found.group_by(by).agg(pl.col("mean").sum()).iter_rows()}
        assert sums == pytest.approx(whole, abs=0.01 * found.height), known


def test_a_totals_quantiles_come_from_its_own_draws(rows: pl.DataFrame, held: Weighted) -> None:
    drawn = draw_rows(held).group_by("outlook", "pay_year", "draw").agg(pl.col("amount").sum())
    for outlook, year, p10, p90 in level(rows).select("outlook", "pay_year", "P10", "P90").iter_rows():
        one = np.sort(
            drawn.filter(pl.col("outlook") == outlook, pl.col("pay_year") == year)["amount"].to_numpy()
        )
        assert p10 == pytest.approx(one[int(np.ceil(0.1 * one.size)) - 1], abs=0.01)
        assert p90 == pytest.approx(one[int(np.ceil(0.9 * one.size)) - 1], abs=0.01)
    districts = level(rows, district=True).filter(pl.col("pay_year") == 2025, pl.col("outlook") == "current")
    city = level(rows).filter(pl.col("pay_year") == 2025, pl.col("outlook") == "current")
    assert districts["P90"].sum() > city["P90"][0], "区镇的分位数相加应超过全市的"


def test_the_first_payment_year_holds_the_base_years_payable_lines(
    frames: Frames, rows: pl.DataFrame
) -> None:
    due = settle(frames, LAW, BASE).lines
    known = rows.filter(pl.col("basis") == "known", pl.col("outlook") == "current")
    assert set(known["pay_year"]) == {BASE + 1}
    assert known["mean"].sum() == pytest.approx(float(due["to_pay"].sum()), abs=0.01 * known.height)
    city = due.filter(pl.col("status") == "payable")["city_share"].sum()
    assert known.filter(pl.col("payer") == "city")["mean"].sum() == pytest.approx(
        float(city), abs=0.02 * known.height
    )


def test_a_policy_that_ends_owes_nothing_new(rows: pl.DataFrame) -> None:
    ended = rows.filter(pl.col("policy") == "A", pl.col("award_year") > 2024, pl.col("outlook") == "current")
    assert set(ended["basis"]) == {"promised"}
    renewed = rows.filter(
        pl.col("policy") == "A", pl.col("award_year") > 2024, pl.col("outlook") == "renewed"
    )
    assert {"simulated", "counted"} <= set(renewed["basis"])


def test_a_renewed_policy_is_the_renewed_outlook(frames: Frames, rows: pl.DataFrame) -> None:
    """A scenario that lengthens every policy makes the current outlook what the other said it would be."""
    law = with_scenario(policies={key: {"last_day": date(2030, 12, 31)} for key in ("A", "C")})
    made = plan(frames, law, BASE, 3)
    again = forecast_rows(weighted(simulate(made.parts, 192, Seeds.of(1)), law, range(BASE, BASE + 4)))
    said = level(rows, item=True, policy=True).filter(pl.col("outlook") == "renewed").drop("outlook")
    became = level(again, item=True, policy=True).filter(pl.col("outlook") == "current").drop("outlook")
    assert became.equals(said)


def test_payments_come_later_where_a_scenario_says_so(frames: Frames) -> None:
    law = with_scenario(forecast={"payment_lag": 2})
    made = plan(frames, law, BASE, 1)
    years = range(first_year(law, BASE), BASE + 2)
    found = forecast_rows(weighted(simulate(made.parts, 64, Seeds.of(1)), law, years))
    assert set(found["pay_year"]) == {2024, 2025, 2026}
    known = found.filter(pl.col("basis") == "known", pl.col("outlook") == "current")
    assert known.group_by("award_year").agg(pl.col("pay_year").unique()).sort("award_year").rows() == [
        (2022, [2024]),
        (2023, [2025]),
    ]


@pytest.mark.parametrize("rows_at_once", [1_000, 1_000_000])
@pytest.mark.parametrize("block", [64, 192])
def test_neither_blocks_nor_workers_change_a_fen(
    made: Plan, totals: Totals, monkeypatch: pytest.MonkeyPatch, rows_at_once: int, block: int
) -> None:
    monkeypatch.setattr(forecast.spending, "ROWS", rows_at_once)
    monkeypatch.setattr(forecast.run, "BLOCK", block)
    again = simulate(made.parts, 192, Seeds.of(1), workers=1)
    assert (again.amounts == totals.amounts).all()
    assert all(
        (getattr(again, name) == getattr(totals, name)).all() for name in ("lines", "low", "high", "seen")
    )


def test_other_seeds_draw_otherwise_and_more_draws_begin_alike(made: Plan, totals: Totals) -> None:
    other = simulate(made.parts, 192, Seeds.of(2))
    assert (other.amounts != totals.amounts).any(1).mean() > 0.1
    fewer = simulate(made.parts, 64, Seeds.of(1))
    assert (fewer.amounts == totals.amounts[:, :64]).all()


def test_on_disk_it_is_the_same(made: Plan, totals: Totals, tmp_path: Path) -> None:
    stored = simulate(made.parts, 192, Seeds.of(1), store=tmp_path / "totals.npy")
    assert (np.load(tmp_path / "totals.npy", mmap_mode="r") == totals.amounts).all()
    assert (stored.amounts == totals.amounts).all()


def test_a_fault_in_a_part_stops_the_run(made: Plan) -> None:
    class Broken:
        cells = made.parts[0].cells

        def fill(self, first: int, count: int, seeds: Seeds) -> Any:
            raise OSError("磁盘已满")

    with pytest.raises(OSError, match="磁盘已满"):
        simulate([*made.parts[:3], Broken()], 192, Seeds.of(1), workers=2)


def test_sources_of_the_band() -> None:
    """Where only numbers of cases are unsure, all of the band is theirs."""
    made = plan(city_with_certificates(), LAW, BASE, 1)
    held = weighted(simulate(made.parts, 384, Seeds.of(1)), LAW, range(BASE, BASE + 2))
    found = {s["source"]: s["share"] for s in shares(made.parts, LAW, held, 1, 1) if s["pay_year"] == 2025}
    assert found["户数笔数"] == pytest.approx(1, abs=0.02)
    assert found["共同增长"] == found["核定金额"] == found["企业自身增长"] == 0


def test_windows_end_for_a_catalogue_without_end() -> None:
    open_law: Catalogue = with_scenario(policies={"B": {"enabled": True}})
    assert part_in_force(open_law.policies["B"], 2040, whole_years=False) == 1


def test_low_and_high_growth_move_the_mean_by_its_own_error() -> None:
    """Three growth years with the assumed deviation of 6%: its error is 6% over the root of three."""
    figures = {2020: [1000] * 40, 2021: [1100] * 40, 2022: [1210] * 40, 2023: [1331] * 40}
    frames = {"enterprises": enterprises(40, BASE), "rnd": registry("rnd", rnd_rows(figures), BASE)}
    means = {
        way: fit(panel_of(frames, "rnd"), BASE).moved(way).common.mean for way in ("low", "middle", "high")
    }
    assert means["middle"] == pytest.approx(np.log(1.1))
    assert means["high"] - means["middle"] == pytest.approx(0.06 / 3**0.5) == means["middle"] - means["low"]
    law = with_scenario(forecast={"growth": "high"})
    assert any(
        a["what"].endswith("共同增长取值") and "方案设定" in a["source"]
        for a in plan(frames, law, BASE, 1).assumptions
    )


def test_only_a_part_of_the_cases_claims() -> None:
    law = with_scenario(forecast={"take_up": {"A4.03": "40%"}})
    cells = [
        told(simulate(plan(city_with_certificates(), one, BASE, 1).parts, 1024, Seeds.of(1)))
        for one in (LAW, law)
    ]
    lines = [c.filter(item="A4.03", basis="counted")["lines"].sum() for c in cells]
    assert lines[1] == pytest.approx(0.4 * lines[0], rel=0.03)


def test_looking_back_codes_that_are_not_listed_share_their_caps() -> None:
    """A7.08 pays at most 300万 an enterprise and year; who has left the list since is one enterprise all the same."""
    gone, other = codes(4)[2:]
    claims = [
        {"uscc": code, "item": "A7.08", "event_on": date(BASE, 5, day), "base_amount": Decimal(base)}
        for code, day, base in ((gone, 1, 10_000_000), (gone, 2, 20_000_000), (other, 1, 5_000_000))
    ]
    frames = {"enterprises": enterprises(2, BASE), "claims": registry("claims", claims, BASE)}
    lines = assessed(frames, LAW, BASE)
    paid = lines.group_by("uscc").agg(pl.col("award_low").sum())
    assert dict(paid.iter_rows()) == {gone: Decimal(3_000_000), other: Decimal(1_000_000)}
