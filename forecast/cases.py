"""The cases of coming years, item by item: from the registry's trend, a target path, or expiring certificates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from forecast.counts import Counts, trend
from forecast.events import Cohort, Events
from forecast.grown import grown_units, is_computed
from forecast.growth import Growth, Paths
from forecast.history import Past
from forecast.parts import place_of
from forecast.special import CohortRule, Special
from forecast.streams import Floats, Ints
from forecast.targets import Targets
from forecast.units import stated_units, units_of
from rules.catalogue import Catalogue
from rules.frames import Frames
from rules.model import Item
from schemas.districts import DISTRICTS

Path = list[dict[str, Any]]


@dataclass(frozen=True)
class Makings:
    """What the parts of a forecast are made from. `law` is in force for ever; `weights`: the 区镇's shares of enterprises."""

    frames: Frames
    law: Catalogue
    year: int
    horizon: int
    past: Past
    targets: Targets
    special: Special
    growths: dict[str, Growth]
    weights: dict[str, float]
    dispersion: float

    @cached_property
    def paths(self) -> Paths | None:
        """The common growth that claims follow, the R&D registry's."""
        growth = self.growths.get("rnd")
        return None if growth is None else Paths(growth, "rnd", self.horizon)

    @property
    def years(self) -> list[int]:
        """The award years ahead."""
        return list(range(self.year + 1, self.year + self.horizon + 1))


@dataclass(frozen=True)
class _Goal:
    """What the target path expects of an item: cases by year, of the levels named (None: of all)."""

    row: str
    cases: Floats
    levels: tuple[str, ...] | None


def counted(makings: Makings, item: Item) -> Iterator[tuple[Events | None, Path]]:
    """An item's cases ahead, by the levels that a target drives and the others; and both paths for the report."""
    goal = _goal(makings, item)
    if goal is None or goal.levels is None:
        yield _events(makings, item, None, goal)
        return
    yield _events(makings, item, goal.levels, goal)
    others = tuple(level for level in item.levels if level not in goal.levels)
    if others:
        yield _events(makings, item, others, None)


def _events(
    makings: Makings, item: Item, levels: Sequence[str] | None, goal: _Goal | None
) -> tuple[Events | None, Path]:
    units = units_of(makings.past, item, levels, makings.weights)
    ahead = trend(units.seen, units.exposure, makings.horizon, makings.dispersion)
    path = [] if goal is None else _path(makings, item, ahead, goal)
    if goal is not None and makings.law.prospect.counts == "target":
        ahead = Counts(goal.cases, np.inf, makings.dispersion)
        if not units.rows.height:
            shares = makings.targets.district_shares(item.id)
            weights = shares.shares if shares else makings.weights
            units = stated_units(item, levels[0] if levels else None, weights) or units
    if not units.rows.height:
        return None, path
    ahead = replace(ahead, taken=_taken(makings, item.id))
    name = f"{item.id} {'/'.join(levels or ())}"
    if levels is None and is_computed(makings.law, item) and units.settled:
        grown = grown_units(makings.frames, makings.law, item, makings.past, makings.paths, makings.years)
        if grown is not None:
            return Events(item.id, name, makings.years, grown.units(units), ahead, grown), path
    return Events(item.id, name, makings.years, units, ahead), path


def _taken(makings: Makings, item: str) -> float:
    """The share of an item's expected cases that claim."""
    return float(makings.law.prospect.take_up.get(item, 1))


def _path(makings: Makings, item: Item, ahead: Counts, goal: _Goal) -> Path:
    return [
        {
            "item": item.id,
            "title": item.title,
            "award_year": year,
            "used": makings.law.prospect.counts,
            "trend": round(float(ahead.mean[place]), 1),
            "target": round(float(goal.cases[place]), 1),
            "source": f"{goal.row} {makings.targets.rows[goal.row].title}",
        }
        for place, year in enumerate(makings.years)
    ]


def _goal(makings: Makings, item: Item) -> _Goal | None:
    """The target path of an item over all years; None where no row of table E drives it."""
    found = [makings.targets.events(item.id, None, year) for year in makings.years]
    events = [one for one in found if one is not None]
    if len(events) < len(found):
        return None
    first = events[0]
    mine = [level for name, level in first.among if name == item.id]
    levels = None if None in mine else tuple(level for level in mine if level is not None)
    cases = np.asarray([one.count for one in events]) * _part(
        makings, item.id, [name for name, _ in first.among]
    )
    if first.how == "net":
        cases = cases + _lapses(makings, item.id)
    return _Goal(first.row, cases, levels)


def _part(makings: Makings, item: str, among: Sequence[str]) -> float:
    """An item's part of a target that several share: as their past cases; without any all is the first one's."""
    seen = {name: makings.past.of(name).height for name in dict.fromkeys(among)}
    total = sum(seen.values())
    return seen[item] / total if total else float(item == among[0])


def _lapses(makings: Makings, item: str) -> Floats:
    """Certificates that expire and are not renewed, by year; none where they are unknown."""
    for rule in makings.special.cohorts:
        if rule.new == item:
            issued, (kept, lost) = _issued(makings, rule), _renewals(makings, rule)
            due = [issued[y - rule.term].sum() if y - rule.term in issued else 0 for y in makings.years]
            return np.asarray(due) * lost / (kept + lost)
    return np.zeros(makings.horizon)


def _issued(makings: Makings, rule: CohortRule) -> dict[int, Ints]:
    """Certificates conferred by year and 区镇, as far as the registry goes back."""
    lines = pl.concat([makings.past.of(rule.new), makings.past.of(rule.renewed)])
    lines = lines.filter(pl.col("district").is_not_null())
    years = makings.past.covered.get("certifications") or tuple(sorted(set(lines["year"].to_list())))
    return {
        year: np.bincount(
            place_of(lines.filter(pl.col("year") == year)["district"]), minlength=len(DISTRICTS)
        )
        for year in years
    }


def _renewals(makings: Makings, rule: CohortRule) -> tuple[float, float]:
    """Renewals and lapses: those seen, on top of the assumption; a scenario's share is taken as given."""
    given = makings.law.prospect.renewal
    if given is not None:
        return max(float(given), 1e-9) * 1e6, max(1 - float(given), 1e-9) * 1e6
    issued = {year: int(one.sum()) for year, one in _issued(makings, rule).items()}
    renewed = dict(makings.past.of(rule.renewed).group_by("year").agg(pl.len()).rows())
    due = {year + rule.term: count for year, count in issued.items() if year + rule.term in issued}
    again = sum(min(renewed.get(year, 0), count) for year, count in due.items())
    return rule.renewal[0] + again, rule.renewal[1] + sum(due.values()) - again


def cohort(makings: Makings, rule: CohortRule) -> tuple[Cohort | None, tuple[str, str, str]]:
    """Renewals of certificates that expire, and the note for the report.

    None where those conferred a term before the first year are unknown: then renewals follow their trend.
    """
    issued, title = _issued(makings, rule), makings.law.items[rule.new].title.removeprefix("新认定")
    unit = stated_units(makings.law.items[rule.renewed], None, makings.weights)
    first = makings.years[0] - rule.term
    if first not in issued or unit is None:
        return None, (f"{title}到期续期", "按历年再次认定户数推算", f"登记表没有 {first} 年的认定数据")
    goal = _goal(makings, makings.law.items[rule.new])
    seen = makings.past.seen(rule.new), makings.past.exposure(rule.new)
    new = trend(*seen, makings.horizon, 0).mean
    if goal is not None and makings.law.prospect.counts == "target":
        new = goal.cases
    share = np.asarray([makings.weights[name] for name in DISTRICTS])
    for place, year in enumerate(makings.years):
        issued[year] = np.rint(new[place] * share).astype(np.int64)
    kept, lost = _renewals(makings, rule)
    award = round(100 * float(unit.rows["most"][0]))
    part = Cohort(
        rule.renewed, makings.years, rule.term, issued, (kept, lost), award, _taken(makings, rule.renewed)
    )
    return part, (
        f"{title}到期续期比例",
        f"{kept / (kept + lost):.0%}",
        _renewal_source(makings, rule, kept + lost),
    )


def _renewal_source(makings: Makings, rule: CohortRule, weight: float) -> str:
    assumed, count = rule.renewal[0] / sum(rule.renewal), sum(rule.renewal)
    if makings.law.prospect.renewal is not None:
        return "方案设定"
    if weight > count:
        return f"登记表 {weight - count:.0f} 家到期企业，并入设定值 {assumed:.0%}（计 {count:.0f} 家）"
    return f"设定值：登记表没有满 {rule.term} 年的认定数据"
