"""The growth model finds what a made-up panel was made with, and says where it has to assume."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.fit import fit
from forecast.growth import SIZE, Growth
from forecast.parts import added, by_district, cell_starts, counted, in_cell_order
from forecast.streams import Floats
from schemas.districts import DISTRICTS

FIRST = 2011


def amounts(
    count: int, years: int, seed: int, *, sd: float = 0.08, theta: float = 0.0, tails: float = np.inf
) -> Floats:
    """Enterprises × years: a common shock, own growth of deviation 0.2, and what last year's leaves behind."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((count, years))
    if np.isfinite(tails):
        own /= np.sqrt(rng.chisquare(tails, own.shape) / (tails - 2))
    own *= 0.2
    growth = 0.05 + sd * rng.standard_normal(years) + own
    growth[:, 1:] += theta * own[:, :-1]
    sizes = np.log(3e6) + 1.5 * rng.standard_normal((count, 1))
    return np.asarray(np.exp(sizes + np.cumsum(growth, axis=1)))


def panel(values: Floats) -> pl.DataFrame:
    """The rows of a registry; NaN is an enterprise that is not there."""
    rows, columns = np.nonzero(np.isfinite(values))
    codes = pl.Series(rows).cast(pl.String).str.zfill(5)
    return pl.DataFrame({"uscc": codes, "year": FIRST + columns, "amount": values[rows, columns]})


def kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def source(model: Growth, what: str) -> str:
    return next(told for name, _, told in model.notes if name == what)


def test_common_shock_is_found() -> None:
    """Over many years the deviation comes out; the estimate of every year is close to its shock."""
    found = [fit(panel(amounts(400, 30, seed))).common for seed in range(8)]
    assert np.mean([common.sd for common in found]) == pytest.approx(0.08, abs=0.012)
    assert np.mean([common.mean for common in found]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([common.sd for common in found]) > 1.5 * np.mean(
        [fit(panel(amounts(400, 30, seed, sd=0.02))).common.sd for seed in range(8)]
    )


@pytest.mark.parametrize("theta", [-0.4, 0.3])
def test_theta_is_found(theta: float) -> None:
    model = fit(panel(amounts(1500, 8, 3, theta=theta, tails=4)))
    assert model.theta == pytest.approx(theta, abs=0.05)
    ratio = np.log(model.echoes) / (np.log(model.factors) - model.centres[:, None])
    assert np.allclose(ratio, model.theta)


def test_no_memory_where_there_is_none() -> None:
    """What is not significant is none at all, most times."""
    found = np.array([fit(panel(amounts(800, 7, seed))).theta for seed in range(10)])
    assert np.abs(found).max() < 0.06
    assert (found == 0).sum() >= 4


def test_error_of_the_yearly_effects_is_no_common_shock() -> None:
    """Forty enterprises without a common shock: their chance average (0.03) is not taken for one."""
    found = [fit(panel(amounts(40, 30, seed, sd=0.0))).common.sd for seed in range(8)]
    assert np.mean(found) < 0.023


def test_start_carries_the_last_residual_on() -> None:
    """With theta < 0, who jumped in the last year starts below one; who is unknown, or new, starts at one."""
    values = amounts(600, 7, 5, theta=-0.4)
    values[0, -1], values[1, -1], values[2, :-1] = 5 * values[0, -2], values[1, -2] / 5, np.nan
    model = fit(panel(values))
    start = model.start(panel(values), pl.Series(["00001", "00000", "99999", "00002"]))
    assert start[0] > 1.5 and start[1] < 0.7
    assert start[2] == start[3] == 1


def test_residuals_have_no_memory_left() -> None:
    rows = panel(amounts(1500, 8, 5, theta=-0.4))
    codes = rows["uscc"].unique().sort()
    now, before = (np.log(fit(rows, FIRST + last).start(rows, codes)) for last in (7, 6))
    assert abs(np.corrcoef(now, before)[0, 1]) < 0.1


def test_later_years_are_not_seen() -> None:
    rows = panel(amounts(300, 7, 5, theta=-0.4))
    earlier = rows.filter(pl.col("year") <= FIRST + 5)
    one, two = fit(rows, FIRST + 5), fit(earlier)
    assert np.array_equal(one.factors, two.factors)
    codes = rows["uscc"].unique()
    assert np.array_equal(one.start(rows, codes), two.start(earlier, codes))


def test_stay_arrive_and_zeros_are_found() -> None:
    rng = np.random.default_rng(8)
    values = amounts(4000, 8, 8)
    values[rng.random(values.shape) < 0.03] = 0
    there = np.ones(values.shape, bool)
    for year in range(1, 8):
        chance = rng.random(4000)
        there[:, year] = np.where(there[:, year - 1], chance < 0.94, chance < 0.2)
    values[~there] = np.nan
    model = fit(panel(values))
    before, after = there[:, :-1], there[:, 1:]
    assert model.stay == pytest.approx(0.94, abs=0.006)
    assert model.arrive == pytest.approx((after & ~before).sum() / before.sum())
    assert model.zero == pytest.approx(0.03, abs=0.004)


def test_tails_are_those_of_the_panel() -> None:
    """Draws from a panel with fat tails have them; those from a normal panel have not."""
    fat, thin = (fit(panel(amounts(1500, 7, 2, tails=tails))) for tails in (3.0, np.inf))
    assert kurtosis(np.log(fat.factors[2])) > 7
    assert kurtosis(np.log(thin.factors[2])) == pytest.approx(3, abs=0.4)
    assert np.log(fat.factors).max() > 1.5 > 1.1 > np.log(thin.factors).max()


def test_small_enterprises_swing_more_where_the_panel_says_so() -> None:
    values = amounts(1200, 8, 4)
    small = values[:, :1] < np.median(values[:, 0])
    logs = np.log(values)
    swing = np.diff(logs, axis=1, prepend=logs[:, :1]) * np.where(small, 2.0, 1.0)
    model = fit(panel(np.exp(logs[:, :1] + np.cumsum(swing, axis=1))))
    spread = np.log(model.factors).std(axis=1)
    assert spread[0] > 1.6 * spread[-1]
    assert model.stratum(np.array([1.0, 1e12])).tolist() == [0, len(spread) - 1]


def test_model_generates_growth_like_the_panels() -> None:
    """Draws of one year without the common part have the centre and deviation of the panel's own part."""
    model = fit(panel(amounts(1000, 9, 6)))
    logs = np.log(model.factors)
    assert logs.shape == (len(model.edges) + 1, SIZE)
    assert logs.mean() == pytest.approx(0, abs=0.01)
    assert logs.std() == pytest.approx(0.2, rel=0.05)


def test_shocks_spread_more_than_the_estimate() -> None:
    """Paths carry the error of the mean: their average over years varies more than independent years would."""
    model = fit(panel(amounts(300, 8, 1)))
    rng = np.random.default_rng(0)
    paths = np.array([model.common.draw(rng, 5) for _ in range(4000)])
    assert paths.shape == (4000, 5)
    assert paths.mean() == pytest.approx(model.common.mean, abs=0.01)
    assert paths[:, 0].std() > 1.05 * model.common.sd
    assert paths.mean(axis=1).std() > 1.2 * paths[:, 0].std() / np.sqrt(5)


def test_same_panel_same_model_in_any_order() -> None:
    rows = panel(amounts(200, 6, 9, theta=-0.3))
    one, two = fit(rows), fit(rows.sample(fraction=1, shuffle=True, seed=1))
    assert np.array_equal(one.factors, two.factors) and np.array_equal(one.echoes, two.echoes)
    assert one.common.sd == two.common.sd and one.notes == two.notes
    first, second = (model.common.draw(np.random.default_rng(4), 3) for model in (one, two))
    assert np.array_equal(first, second)


def test_frozen_has_no_spread() -> None:
    rows = panel(amounts(200, 6, 9, theta=-0.3))
    model, still = fit(rows), fit(rows).frozen()
    assert np.ptp(still.factors, axis=1).max() == 0 and (still.echoes == 1).all()
    assert np.allclose(still.factors[:, 0], np.exp(model.centres))
    assert np.array_equal(still.common.draw(np.random.default_rng(1), 3), np.full(3, model.common.mean))
    assert still.zero == 0 and (still.stay, still.arrive) == (model.stay, model.arrive)
    assert (still.start(rows, rows["uscc"].unique()) == 1).all()


ROWS = panel(amounts(60, 6, 11))
APART = pl.DataFrame({"uscc": ["a", "b"], "year": [2011, 2012], "amount": [1e6, 2e6]})
DEGENERATE = {
    "empty": ROWS.clear(),
    "one year": ROWS.filter(pl.col("year") == FIRST),
    "two years": ROWS.filter(pl.col("year") <= FIRST + 1),
    "three years": ROWS.filter(pl.col("year") <= FIRST + 2),
    "years apart": ROWS.filter(pl.col("year").is_in([FIRST, FIRST + 2, FIRST + 4])),
    "one missing year": ROWS.filter(pl.col("year") != FIRST + 2),
    "all zeros": ROWS.with_columns(amount=pl.lit(0.0)),
    "all equal": ROWS.with_columns(amount=pl.lit(1e6)),
    "all null": ROWS.with_columns(amount=pl.lit(None, pl.Float64)),
    "some null": ROWS.with_columns(amount=pl.when(pl.col("year") != FIRST + 1).then("amount")),
    "one enterprise": ROWS.filter(pl.col("uscc") == "00000"),
    "none continues": APART,
}


@pytest.mark.parametrize("rows", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_any_panel_gives_a_model(rows: pl.DataFrame) -> None:
    model = fit(rows)
    assert model.factors.shape == model.echoes.shape == (len(model.edges) + 1, SIZE)
    assert np.isfinite(model.factors).all() and (model.factors > 0).all() and np.isfinite(model.echoes).all()
    assert np.isfinite(model.common.draw(np.random.default_rng(0), 4)).all()
    assert np.isfinite(model.start(rows, pl.Series(["00000", "zz"]))).all()
    assert 0 <= model.stay <= 1 and model.arrive >= 0 and 0 <= model.zero < 1
    assert np.isfinite(model.frozen().factors).all() and model.stratum(np.array([0.0, 1e9])).min() >= 0


@pytest.mark.parametrize(
    "name", ["empty", "one year", "years apart", "all zeros", "one enterprise", "none continues"]
)
def test_growth_nobody_saw_is_assumed(name: str) -> None:
    """Nothing known: the assumed growth, for every stratum, with tails, and the notes say so."""
    model = fit(DEGENERATE[name])
    assert (model.common.mean, model.common.sd, model.theta) == (0.06, 0.06, 0.0)
    assert np.abs(np.log(model.factors)).mean() == pytest.approx(0.18, rel=0.02)
    for what in ("共同增长均值", "共同增长波动", "企业自身增长", "增长延续或回归"):
        assert source(model, what).startswith("假设")


@pytest.mark.parametrize(("last", "assumed"), [(2, True), (3, True), (4, False), (5, False)])
def test_common_spread_of_few_years_is_an_assumption(last: int, assumed: bool) -> None:
    """`last` growth years: fewer than four cannot tell a spread."""
    model = fit(ROWS, FIRST + last)
    assert model.common.years == last
    assert (model.common.sd == 0.06) == assumed
    assert source(model, "共同增长波动").startswith("假设") == assumed
    assert not source(model, "共同增长均值").startswith("假设")


def test_notes_are_chinese_and_name_the_years() -> None:
    model = fit(ROWS)
    assert len({what for what, _, _ in model.notes}) == len(model.notes)
    for note in model.notes:
        assert all(re.search("[\u4e00-\u9fff]", text) for text in note), note
        assert not re.search("[A-Za-z]{2,}|nan", " ".join(note)), note
    assert "2011–2016" in source(model, "留存")
    assert source(fit(DEGENERATE["one year"]), "留存").startswith("假设")


@given(st.data())
def test_sums_by_place_are_sums_by_code(data: st.DataObject) -> None:
    """Cells without rows, and rows that are left out, included."""
    draws = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.tuples(st.integers(0, draws - 1), st.sampled_from(sorted(DISTRICTS)))))
    rows.sort()
    draw = np.array([d for d, _ in rows], np.int64)
    district = np.array([DISTRICTS.index(name) for _, name in rows], np.int64)
    amounts = np.array(
        data.draw(st.lists(st.integers(0, 10**12), min_size=len(rows), max_size=len(rows))), np.int64
    )
    starts = cell_starts(draw, district, draws)
    assert np.array_equal(added(amounts, starts), by_district(draw, district, amounts, draws))
    whole = by_district(draw, district, (amounts > 0).astype(np.int64), draws)
    assert np.array_equal(counted(amounts > 0, starts), whole)


def test_rows_out_of_order_are_seen() -> None:
    by_name = [DISTRICTS.index(name) for name in sorted(DISTRICTS)]
    assert in_cell_order(np.array(by_name)) and not in_cell_order(np.array(by_name[::-1]))
