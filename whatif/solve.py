"""The inverse question: which value of one term meets a budget, and what every value would cost and serve."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Literal

import numpy as np
import polars as pl

from rules.catalogue import Catalogue
from rules.numbers import brief, parse_number
from rules.scenario import Scenario, apply_scenario
from rules.terms import Scalar
from schemas.districts import ALIASES, DISTRICTS
from schemas.errors import Unusable, did_you_mean
from whatif import outlook
from whatif.bench import Bench, Totals, totals

MEASURES = {
    "award": "兑付合计",
    "city_share": "市级负担",
    "district_share": "区镇负担",
    "prefecture_share": "苏州市级负担",
    "households": "户数",
}
"""What a target may speak of, in words."""

POINTS = 9
"""Values of the frontier, from one end of the range to the other."""

STEPS = 4096
"""The range is searched in so many steps at most; a rate in hundredths of a percent, an amount in yuan."""

Compared = Literal["<=", ">="]


@dataclass(frozen=True)
class Target:
    """A bound on one measure, of everything or of one item, policy or district (`of`)."""

    measure: str
    compared: Compared
    bound: Decimal
    of: str | None = None

    def met_by(self, value: Decimal) -> bool:
        """Whether a value of the measure meets the bound."""
        return value <= self.bound if self.compared == "<=" else value >= self.bound

    @property
    def words(self) -> str:
        """The target as an officer would say it."""
        whose = f"{self.of} 的" if self.of else ""
        unit = "户" if self.measure == "households" else ""
        sign = "不超过" if self.compared == "<=" else "不少于"
        return f"{whose}{MEASURES[self.measure]}{sign} {brief(self.bound)}{unit}"


def parse_target(text: str, law: Catalogue) -> Target:
    """`city_share <= 3亿`, `A4.06.award <= 5000万`, `张浦.district_share <= 800万`. Raises Unusable with the closest names."""
    match = re.fullmatch(r"\s*(?:(.+)\.)?([^.\s<>=]+)\s*(<=|>=|≤|≥)\s*(\S+)\s*", text)
    if match is None:
        raise Unusable(f"目标「{text}」应写成 city_share <= 3亿，可以加条款或区镇：A4.06.award <= 5000万。")
    of, name, sign, number = match.groups()
    words = {word: key for key, word in MEASURES.items()}
    measure = words.get(name, name)
    if measure not in MEASURES:
        known = [*MEASURES, *words]
        raise Unusable(f"目标里没有「{name}」这个数{did_you_mean(name, known)}可用：{'、'.join(MEASURES)}。")
    try:
        bound = parse_number(number)
    except ValueError as error:
        raise Unusable(f"目标里的{error}。") from error
    if of is not None:
        of = ALIASES.get(of, of)
        places = {*law.items, *law.policies, *ALIASES.values()}
        if of not in places:
            raise Unusable(f"目标里没有条款、政策或区镇「{of}」{did_you_mean(of, places)}")
    return Target(measure, "<=" if sign in ("<=", "≤") else ">=", bound, of)


@dataclass(frozen=True)
class Varied:
    """One term of one item (`A4.06.rate`), and the range in which it is searched."""

    item: str
    term: str
    low: Decimal
    high: Decimal

    @property
    def step(self) -> Decimal:
        """The finest difference tried: hundredths of a percent or whole yuan, or a round 4096th of the range."""
        finest = Decimal("0.0001") if self.high <= 1 else Decimal(1)
        least = max(finest, (self.high - self.low) / STEPS)
        unit = Decimal(1).scaleb(least.adjusted())
        return next(step for step in (unit, 2 * unit, 5 * unit, 10 * unit) if step >= least)


def parse_varied(name: str, span: str, law: Catalogue) -> Varied:
    """`A4.06.rate` and `0.02..0.08`. Raises Unusable for unknown names (with the closest), kinds and ranges."""
    item, _, term = name.rpartition(".")
    held = law.item(item)
    if term not in held.terms:
        raise Unusable(f"条款 {item} 没有标量「{term}」{did_you_mean(term, held.terms)}")
    if not isinstance(held.terms[term], Scalar):
        raise Unusable(f"{name} 不是单个数字（按级别、台阶、幅度或口径取值），不能求解；请用方案逐个比较。")
    low, dots, high = span.partition("..")
    try:
        ends = parse_number(low), parse_number(high)
    except ValueError as error:
        raise Unusable(f"范围「{span}」应写成 0.02..0.08 或 100万..500万：{error}") from error
    if not dots or ends[0] >= ends[1] or ends[0] < 0:
        raise Unusable(f"范围「{span}」应由小到大，且不为负。")
    return Varied(item, term, *ends)


@dataclass(frozen=True)
class Point:
    """One value tried: what it costs and whom it serves."""

    value: Decimal
    totals: Totals
    measured: Decimal


@dataclass(frozen=True)
class Solved:
    """The answer. `value`: the extreme value that meets the target (None: none does); `rising`: whether the measure
    rises with the value over the frontier (None: neither rises nor falls throughout)."""

    target: Target
    varied: Varied
    now: Point
    value: Point | None
    rising: bool | None
    frontier: list[Point]
    evaluations: int
    probable: bool = False


def law_with(law: Catalogue, varied: Varied, value: Decimal) -> Catalogue:
    """The law with one term at another value."""
    terms = {varied.item: {varied.term: f"{value:f}"}}
    return apply_scenario(law, Scenario(name="solve", title="求解", terms=terms))


def measured(parts: list[pl.DataFrame], target: Target) -> Decimal:
    """The target's measure of payable lines (yuan, or applicants)."""
    if target.of is not None:
        parts = [
            part.filter(pl.any_horizontal(pl.col("item", "policy", "district") == target.of))
            for part in parts
        ]
    return Decimal(getattr(totals(parts), target.measure))


def solve(
    bench: Bench,
    target: Target,
    varied: Varied,
    ahead: outlook.Asked | None = None,
    tried: Callable[[Point], None] = lambda _: None,
) -> Solved:
    """Try the range's ends and points between, then close in on the value where the target begins to hold.

    The answer is the last value that still meets the target on the side where it stops holding: the most
    generous within a budget, the least that reaches a number. Where the measure does not move in one
    direction over the frontier, the last crossing is taken, and `rising` says that there may be others.
    `ahead`: the target is held with 90% probability by the forecast of the first year not yet known.
    """
    known: dict[Decimal, Point] = {}
    measure = _certain(target) if ahead is None else _probable(bench, target, ahead)

    def at(value: Decimal) -> Point:
        if value not in known:
            law = law_with(bench.law, varied, value)
            parts = bench.owed_under(law)
            known[value] = Point(value, totals(parts), measure(law, parts))
            tried(known[value])
        return known[value]

    frontier = [at(value) for value in _spread(varied)]
    direction = _direction([point.measured for point in frontier])
    answer = _closest(at, frontier, target, varied.step)
    term = bench.law.items[varied.item].terms[varied.term]
    assert isinstance(term, Scalar)
    now = at(term.value)
    return Solved(target, varied, now, answer, direction, frontier, len(known), ahead is not None)


Measure = Callable[[Catalogue, list[pl.DataFrame]], Decimal]


def _certain(target: Target) -> Measure:
    return lambda _, parts: measured(parts, target)


def _probable(bench: Bench, target: Target, asked: outlook.Asked) -> Measure:
    """The measure that 90 of 100 draws keep within (for ≥: reach) in the first payment year not yet known."""
    if target.measure == "households" or target.of not in (None, *DISTRICTS):
        raise Unusable("用预测求解时，目标只能是全市或一个区镇的兑付合计或负担，例如 city_share <= 3亿。")
    before = outlook.sums(bench.frames, bench.law, bench.year, asked)
    year = bench.year + 1 + bench.law.prospect.payment_lag
    chance = 0.9 if target.compared == "<=" else 0.1

    def measure(law: Catalogue, _: list[pl.DataFrame]) -> Decimal:
        drawn = np.sort(outlook.under(bench, before, law, asked).of(target.measure, target.of, year))
        return Decimal(str(round(float(drawn[int(np.ceil(chance * drawn.size)) - 1]), 2)))

    return measure


def _spread(varied: Varied) -> Iterator[Decimal]:
    """Values evenly over the range, on the grid of its steps; both ends included."""
    steps = (varied.high - varied.low) / varied.step
    for number in range(POINTS):
        place = (steps * number / (POINTS - 1)).to_integral_value(ROUND_FLOOR)
        yield varied.high if number == POINTS - 1 else varied.low + place * varied.step


def _direction(values: list[Decimal]) -> bool | None:
    pairs = list(zip(values, values[1:], strict=False))
    if all(a <= b for a, b in pairs):
        return True
    return False if all(a >= b for a, b in pairs) else None


def _closest(
    at: Callable[[Decimal], Point], frontier: list[Point], target: Target, step: Decimal
) -> Point | None:
    """The last value, on the side where the target stops holding, that still meets it."""
    held = [target.met_by(point.measured) for point in frontier]
    if not any(held):
        return None
    edges = [n for n in range(len(held) - 1) if held[n] != held[n + 1]]
    if not edges:  # it holds all over the range: the value that comes nearest to the bound
        return min(frontier, key=lambda point: (abs(point.measured - target.bound), point.value))
    low, high = frontier[edges[-1]], frontier[edges[-1] + 1]
    good, bad = (low, high) if held[edges[-1]] else (high, low)
    while abs(good.value - bad.value) > step:
        steps = ((good.value + bad.value) / 2 - low.value) / step
        middle = at(low.value + steps.to_integral_value(ROUND_FLOOR) * step)
        if middle.value in (good.value, bad.value):
            break
        good, bad = (middle, bad) if target.met_by(middle.measured) else (good, middle)
    return good


def described(solved: Solved, law: Catalogue) -> list[str]:
    """The answer in Chinese, line by line."""
    item = law.items[solved.varied.item]
    what = f"{item.id} {item.title}的 {solved.varied.term}"
    span = f"{brief(solved.varied.low)}～{brief(solved.varied.high)}"
    sure = "有九成把握" if solved.probable else ""
    lines = [f"目标：{sure}{solved.target.words}；变动：{what}，范围 {span}，现为 {brief(solved.now.value)}"]
    if solved.value is None:
        lines.append(f"范围内没有满足目标的值：{_ends(solved)}。")
    else:
        lines.append(
            f"满足目标的{'最高' if _is_upper(solved) else '最低'}值：{brief(solved.value.value)}，"
            f"{_said(solved.target, solved.value)}，{solved.value.totals.households:,} 户。"
        )
    way = {True: "随之上升", False: "随之下降", None: "时升时降，答案可能不止一个，请看各点"}[solved.rising]
    lines.append(f"{MEASURES[solved.target.measure]}{way}（试算 {solved.evaluations} 次）。")
    return lines


def _is_upper(solved: Solved) -> bool:
    answer = solved.value
    above = [p for p in solved.frontier if answer and p.value > answer.value]
    return not above or not all(solved.target.met_by(p.measured) for p in above)


def _said(target: Target, point: Point) -> str:
    if target.measure == "households":
        return f"{MEASURES[target.measure]} {point.measured:,} 户"
    return f"{MEASURES[target.measure]} {point.measured / 10_000:,.2f} 万元"


def _ends(solved: Solved) -> str:
    return "；".join(
        f"{brief(p.value)} 时{_said(solved.target, p)}" for p in (solved.frontier[0], solved.frontier[-1])
    )


def frontier_rows(solved: Solved) -> list[dict[str, Any]]:
    """The frontier for a table: value, yuan by payer and in all, applicants, and whether the target is met."""
    points = sorted(
        {p.value: p for p in [*solved.frontier, solved.now, *filter(None, [solved.value])]}.items()
    )
    return [
        {
            "value": value,
            **vars(point.totals),
            "measured": point.measured,
            "met": solved.target.met_by(point.measured),
        }
        for value, point in points
    ]
