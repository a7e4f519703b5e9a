"""Read how amounts grow off a registry's panel: robust centres and scales, shrunk where little is known."""

import numpy as np
import polars as pl

from forecast.growth import SIZE, WIDEST, Common, Growth
from forecast.panels import log_growth, matrix, without_echo, years_of
from forecast.streams import Bools, Floats, Ints

_STRATA, _EACH = 6, 60
"""The most size strata, and the fewest observed growths in each."""

_SHRINK = 100.0
"""A stratum's centre and scale count as its own observations; the pool's count as this many more."""

_CUT = 1.5
"""Beyond so many scales an observation pulls the common part no harder (Huber)."""

_ENOUGH = 4
"""Growth years from which the spread of the common part is estimated, not assumed."""

_ASSUMED_MEAN, _ASSUMED_SD, _WEIGHT = 0.06, 0.06, 2.0
"""Common log growth a year where the panel cannot say: mean, deviation, and the years the deviation counts as."""

_ASSUMED_SCALE = 0.18
"""An enterprise's own log growth where the panel shows too little: mean absolute deviation."""

_FEW = 30
"""With fewer observations than this nothing is estimated from them: growth (or staying) is assumed."""


def fit(panel: pl.DataFrame, until: int | None = None) -> Growth:
    """The growth model of a panel (`uscc`, `year`, `amount` in yuan) from its years up to `until`."""
    known = panel.filter(pl.col("amount").is_not_null() & pl.col("year").is_not_null())
    if until is not None:
        known = known.filter(pl.col("year") <= until)
    years = years_of(known)
    _, amounts = matrix(known, years)
    growth, before = log_growth(amounts), amounts[:, :-1]
    if (pairs := int(np.isfinite(growth).sum())) < _FEW:
        growth = np.full_like(growth, np.nan)
    seen = np.isfinite(growth)
    edges = _edges(before[seen])
    strata = np.searchsorted(edges, before, side="right")
    effects, centres, scales = _split(growth, strata, edges.size + 1)
    own = growth - effects - centres[strata]
    theta = _theta(own / scales[strata])
    residuals = without_echo(own, theta)
    scales = _scales(residuals, strata, edges.size + 1)
    draws = np.clip(scales[:, None] * _shape((residuals / scales[strata])[seen]), -WIDEST, WIDEST)
    common = _common(growth, effects, scales[strata], residuals)
    zero, moves = _zero(amounts), _moves(np.isfinite(amounts))
    return Growth(
        years=years,
        edges=edges,
        factors=np.exp(centres[:, None] + draws),
        echoes=np.exp(theta * draws),
        theta=theta,
        zero=zero,
        stay=1.0 if moves is None else moves[0],
        arrive=0.0 if moves is None else moves[1],
        common=common,
        centres=centres,
        notes=_notes(years, pairs, common, scales, theta, zero, moves),
    )


def _edges(before: Floats) -> Floats:
    """Bounds that cut the amounts growth started from into equally filled strata."""
    count = min(_STRATA, before.size // _EACH)
    if count < 2:
        return np.empty(0)
    return np.unique(np.quantile(before, np.arange(1, count) / count))


def _split(growth: Floats, strata: Ints, count: int) -> tuple[Floats, Floats, Floats]:
    """Yearly effects, and the centre and scale of every stratum around them."""
    centres, scales = np.zeros(count), np.ones(count)
    effects = np.full(growth.shape[1], np.nan)
    if not np.isfinite(growth).any():
        return effects, centres, np.full(count, _ASSUMED_SCALE)
    for _ in range(3):
        effects = _located(growth - centres[strata], scales[strata])
        centres = _centres(growth - effects, strata, scales)
        scales = _scales(growth - effects - centres[strata], strata, count)
    return _located(growth - centres[strata], scales[strata]), centres, scales


def _located(values: Floats, scales: Floats) -> Floats:
    """The centre of each column, precise observations counting more and outliers less (Huber)."""
    seen = np.isfinite(values)
    filled = np.where(seen, values, 0.0)
    with np.errstate(invalid="ignore"):
        centre = np.array(
            [np.median(v[s]) if s.any() else np.nan for v, s in zip(values.T, seen.T, strict=True)]
        )
        for _ in range(12):
            far = np.abs(filled - centre) / scales
            weight = np.where(seen, np.minimum(1, _CUT / np.maximum(far, _CUT)) / scales**2, 0.0)
            centre = (weight * filled).sum(0) / weight.sum(0)
    return np.asarray(centre)


def _centres(values: Floats, strata: Ints, scales: Floats) -> Floats:
    """The centre of each stratum, shrunk towards that of all, which is none."""
    found = np.zeros(scales.size)
    for s in range(scales.size):
        mine = values[(strata == s) & np.isfinite(values)]
        if mine.size:
            centre = _located(mine[:, None], np.full((mine.size, 1), scales[s]))[0]
            found[s] = centre * mine.size / (mine.size + _SHRINK)
    return found


def _scales(values: Floats, strata: Ints, count: int) -> Floats:
    """The mean absolute residual of each stratum, shrunk towards that of all; never none."""
    seen = np.isfinite(values)
    size = np.bincount(strata[seen], minlength=count)
    total = np.bincount(strata[seen], np.abs(values[seen]), minlength=count)
    pool = (total.sum() + _ASSUMED_SCALE) / (size.sum() + 1)
    return np.asarray(np.maximum((total + _SHRINK * pool) / (size + _SHRINK), 1e-6))


def _theta(standard: Floats) -> float:
    """What stays of last year's residual: MA(1) from the correlation of years, as far as it is significant."""
    earlier, later = standard[:, :-1], standard[:, 1:]
    both = np.isfinite(earlier) & np.isfinite(later)
    if both.sum() < _FEW:
        return 0.0
    x, y = np.clip(earlier[both], -4, 4), np.clip(later[both], -4, 4)
    power = float(np.sqrt((x * x).sum() * (y * y).sum()))
    if power == 0:
        return 0.0
    rho, error = float((x * y).sum()) / power, float(np.sqrt((x * x * y * y).sum())) / power
    rho *= max(0.0, 1 - (error / rho) ** 2) if rho else 0.0
    rho = min(max(rho, -0.47), 0.47)
    return (1 - float(np.sqrt(1 - 4 * rho * rho))) / (2 * rho) if rho else 0.0


def _shape(standard: Floats) -> Floats:
    """SIZE equally likely standard residuals: the panel's own, or Student's t where it has too few."""
    grid = (np.arange(SIZE) + 0.5) / SIZE
    return np.asarray(np.quantile(standard, grid, method="hazen")) if standard.size else _student(grid)


def _student(grid: Floats) -> Floats:
    """Quantiles of Student's t with four degrees of freedom (closed form), of mean absolute value one."""
    root = np.sqrt(4 * grid * (1 - grid))
    t = np.sign(grid - 0.5) * np.sqrt(np.cos(np.arccos(root) / 3) / root - 1)
    return np.asarray(t / np.abs(t).mean())


def _common(growth: Floats, effects: Floats, scales: Floats, residuals: Floats) -> Common:
    """Mean and spread of the common part; a year's effect is itself an estimate, which is taken off."""
    found = effects[np.isfinite(effects)]
    count = found.size
    if not count:
        return Common(_ASSUMED_MEAN, _ASSUMED_SD, 0, _WEIGHT * 2, effects)
    mean = float(found.mean())
    if count < _ENOUGH:
        return Common(mean, _ASSUMED_SD, count, _WEIGHT * 2, effects)
    weight = np.where(np.isfinite(growth), 1 / scales**2, 0.0)
    noise = ((weight * np.nan_to_num(residuals)) ** 2).sum(0) / np.maximum(weight.sum(0), 1e-12) ** 2
    spread = max(float(found.var(ddof=1) - noise[np.isfinite(effects)].mean()), 0.0)
    dof = count - 1 + _WEIGHT
    sd = float(np.sqrt((spread * (count - 1) + _ASSUMED_SD**2 * _WEIGHT) / dof))
    return Common(mean, sd, count, dof, effects)


def _moves(there: Bools) -> tuple[float, float] | None:
    """The share there again a year later, and arrivals as a share of those there; None if too few are seen."""
    before, after = there[:, :-1], there[:, 1:]
    running = before.any(0) & after.any(0)
    base = int(before[:, running].sum())
    if base < _FEW:
        return None
    stays = int((before & after)[:, running].sum())
    arrives = int((~before & after)[:, running].sum())
    return stays / base, arrives / base


def _zero(amounts: Floats) -> float:
    """The share of zeros among what enterprises report that spend at all."""
    spends = amounts[(amounts > 0).any(1)]
    reported = np.isfinite(spends)
    return float((spends == 0).sum() / reported.sum()) if reported.any() else 0.0


def _notes(
    years: tuple[int, ...],
    pairs: int,
    common: Common,
    scales: Floats,
    theta: float,
    zero: float,
    moves: tuple[float, float] | None,
) -> tuple[tuple[str, str, str], ...]:
    """What the model rests on, for the sheet of assumptions."""
    panel = f"登记表 {years[0]}–{years[-1]} 年" if years else "登记表没有金额"
    observed = f"{panel}，{pairs} 个企业年增长"
    few = f"假设：{observed}，不足 {_FEW} 个，无法估计"
    stay, arrive = moves or (1.0, 0.0)
    moved = panel if moves else f"假设：{panel}，连续两年都有登记表的企业不足 {_FEW} 户次，视为不进不出"
    spread = f"{panel}估计，并入假设的 {_ASSUMED_SD:.0%}（权重相当于 {_WEIGHT:.0f} 年）"
    if common.years < _ENOUGH:
        spread = f"假设：只有 {common.years} 个增长年，不足 {_ENOUGH} 个，无法估计"
    return (
        (
            "共同增长均值",
            f"每年 {common.mean:.1%}（对数增长）",
            f"{panel}，{common.years} 个增长年，计入均值本身的误差" if common.years else few,
        ),
        ("共同增长波动", f"标准差 {common.sd:.1%}", spread),
        (
            "企业自身增长",
            f"平均绝对偏差 {scales.min():.1%} 至 {scales.max():.1%}，按规模分 {scales.size} 层",
            f"{observed}，按残差分布抽取" if pairs >= _FEW else f"{few}，取自由度 4 的学生 t 分布",
        ),
        (
            "单年增长上限",
            f"企业自身部分不超过 {np.exp(WIDEST):.0f} 倍或 {np.exp(WIDEST):.0f} 分之一",
            "假设：更大的跳动视为登记差错或新设企业",
        ),
        (
            "增长延续或回归",
            f"上年偏离的 {theta:+.2f} 倍带入下年",
            observed if theta else "假设：没有（数据不足或不显著）",
        ),
        ("零申报", f"每年 {zero:.1%}，次年恢复原水平", f"比例按{panel}；假设：恢复原水平"),
        ("留存", f"每年 {stay:.1%}", moved),
        ("新增", f"每年为上年户数的 {arrive:.1%}", moved),
    )
