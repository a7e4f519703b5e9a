"""Put a forecast together: every part from the registries, the law and the targets, and what it rests on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from forecast import base as base_year
from forecast.carriers import KINDS, panel_of
from forecast.counts import ASSUMED_DISPERSION, Counts, dispersion, trend
from forecast.events import Cohort, Events
from forecast.grown import GrownUnits, grown_units, is_computed
from forecast.growth import Growth, fit
from forecast.history import Past, everlasting, look_back
from forecast.parts import Part, place_of
from forecast.severity import Severity, from_registry
from forecast.special import CohortRule, Special, load_special
from forecast.spending import Spending
from forecast.streams import Ints
from forecast.targets import Targets, load_targets
from forecast.units import Units, decisions, stated_units, units_of
from rules.award import settle
from rules.catalogue import Catalogue
from rules.history import Frames
from rules.model import Item
from schemas.districts import DISTRICTS
from schemas.errors import Unusable

Note = dict[str, Any]


@dataclass
class Plan:
    """The parts of a forecast, and what the report says about them (dicts as docs/forecast.md lists them)."""

    law: Catalogue
    base: int
    horizon: int
    parts: list[Part] = field(default_factory=list)
    assumptions: list[Note] = field(default_factory=list)
    range_only: list[Note] = field(default_factory=list)
    open_ended: list[Note] = field(default_factory=list)
    paths: list[Note] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def years(self) -> list[int]:
        """The award years ahead."""
        return list(range(self.base + 1, self.base + self.horizon + 1))

    def assume(self, what: str, value: str, source: str) -> None:
        """Put down one assumption for the report."""
        self.assumptions.append({"what": what, "value": value, "source": source})


@dataclass
class _Makings:
    frames: Frames
    past: Past
    targets: Targets
    special: Special
    growths: dict[str, Growth]
    weights: dict[str, float]
    dispersion: float


def plan(frames: Frames, law: Catalogue, base: int, horizon: int, frozen: bool = False) -> Plan:
    """The forecast of the award years after `base`. `frozen`: growth without uncertainty.

    Raises Unusable where the registries hold nothing of the base year to start from.
    """
    made = Plan(law, base, horizon)
    ever = everlasting(law)
    lines = settle(frames, law, base).lines.filter(pl.col("on").dt.year() == base)
    if lines.is_empty():
        raise Unusable(f"登记表中没有 {base} 年度的任何申报，无从预测；请检查基准年度和登记表。")
    makings = _makings(frames, ever, base, frozen)
    _known_lines(made, lines, makings)
    for registry, growth in makings.growths.items():
        _spending(made, makings, ever, registry, growth)
    _events(made, makings, ever)
    _promises(made, makings, law)
    _told(made, makings)
    return made


def _makings(frames: Frames, law: Catalogue, base: int, frozen: bool) -> _Makings:
    growths = {}
    for registry in KINDS:
        if registry in frames and _there(frames[registry], base):
            growth = fit(panel_of(frames, registry), base)
            growths[registry] = growth.frozen() if frozen else growth
    past = look_back(frames, law, base)
    histories = {}
    for item in law.items.values():
        if item.registry in ("certifications", "claims", "talents"):
            units = units_of(past, item, None, {})
            histories[item.id] = units.seen
    listed = dict(frames["enterprises"].group_by("district").agg(pl.len()).rows())
    total = sum(listed.values()) or 1
    found = dispersion(histories)
    return _Makings(
        frames,
        past,
        load_targets(law),
        load_special(law),
        growths,
        {name: listed.get(name, 0) / total for name in DISTRICTS},
        ASSUMED_DISPERSION if found is None else found,
    )


def _there(frame: pl.DataFrame, year: int) -> bool:
    return frame.filter((pl.col("year") == year) & (pl.col("role") == "line")).height > 0


def _known_lines(made: Plan, lines: pl.DataFrame, makings: _Makings) -> None:
    made.parts.append(base_year.known(lines, made.base))
    for part in base_year.pending(lines, makings.past, made.law, made.base):
        made.parts.append(part)
        if part.open_ended:
            made.open_ended.append(
                _about(made, part.item, made.base, int(part.low.size)) | {"why": _why(made, part.item)}
            )
        elif listed := base_year.range_only(part):
            made.range_only.append(_about(made, part.item, made.base, int(part.low.size)) | listed)


def _about(made: Plan, item: str, year: int, lines: float) -> Note:
    return {"item": item, "title": made.law.items[item].title, "award_year": year, "lines": lines}


def _why(made: Plan, item: str) -> str:
    return "一事一议" if made.law.items[item].basis == "case_by_case" else "政策未定标准和上限"


def _spending(made: Plan, makings: _Makings, law: Catalogue, registry: str, growth: Growth) -> None:
    items = list(law.of_registry(registry))
    if not items:
        return
    severities: dict[str, Severity] = {}
    for item in items:
        of = makings.special.severity.get(item.id)
        if of is None:
            continue
        past = makings.past
        found = (
            decisions(past, item) if of == "ceiling" else from_registry(makings.frames, registry, item, of)
        )
        if found is not None:
            severities[item.id] = found
            made.assume(f"{item.id} {item.title}的核定", f"按以往 {found.count} 笔核定抽样", "登记表历年核定")
        else:
            made.range_only.append(_about(made, item.id, made.years[0], np.nan) | {"low": None, "high": None})
    part = Spending(makings.frames, law, registry, made.base, made.years, growth, severities)
    if part.who.height:
        made.parts.append(part)
    for what, value, source in growth.notes:
        made.assume(f"{_TITLES[registry]}：{what}", value, source)


_TITLES = {"rnd": "研发投入", "equipment": "设备投入"}


def _events(made: Plan, makings: _Makings, law: Catalogue) -> None:
    renewed = {rule.renewed: rule for rule in makings.special.cohorts}
    for item in law.items.values():
        if (
            item.registry not in ("certifications", "claims", "talents")
            or not law.policies[item.policy].enabled
        ):
            continue
        cohort = _cohort(made, makings, renewed[item.id]) if item.id in renewed else None
        if cohort is not None:
            made.parts.append(cohort)
            continue
        for part in _counted(made, makings, law, item):
            made.parts.append(part)
            _listed(made, item, part)


def _listed(made: Plan, item: Item, part: Events) -> None:
    """Put down what has no amount in the totals: open-ended cases, and those known by their range only."""
    units = part.units
    for place, year in enumerate(made.years):
        expected = round(float(part.counts.mean[place]), 1)
        if units.open_ended:
            made.open_ended.append(_about(made, item.id, year, expected) | {"why": _why(made, item.id)})
        elif not units.settled:
            ends = {
                end: expected * float(units.yuan(name).mean())
                for end, name in (("low", "least"), ("high", "most"))
            }
            made.range_only.append(_about(made, item.id, year, expected) | ends)


def _counted(made: Plan, makings: _Makings, law: Catalogue, item: Item) -> Iterator[Events]:
    """An item's cases: by the registry's trend, or by the target path for the levels that it drives."""
    driven = _driven(made, makings, item)
    levels = {level for _, level in driven[2]} if driven else set()
    mine = None if not levels or None in levels else [level for level in item.levels if level in levels]
    for chosen, target in (((mine, driven),) if driven else ()) + (
        (((None if driven is None else [x for x in item.levels if x not in (mine or [])]), None),)
        if driven is None or mine is not None
        else ()
    ):
        units = units_of(makings.past, item, chosen, makings.weights)
        ahead = trend(units.seen, made.horizon, makings.dispersion)
        if target is not None:
            ahead, units = _by_target(made, makings, item, units, ahead, target)
        if units is None or not units.rows.height:
            continue
        name = item.id if chosen is None else f"{item.id} {'/'.join(chosen)}"
        grown = _grown(made, makings, law, item, units) if chosen is None else None
        yield Events(
            item.id, name, made.years, grown[0] if grown else units, ahead, grown[1] if grown else None
        )


def _grown(
    made: Plan, makings: _Makings, law: Catalogue, item: Item, units: Units
) -> tuple[Units, GrownUnits] | None:
    """Units that are paid anew on grown figures, where the text computes the amount."""
    if not is_computed(law, item) or not units.settled:
        return None
    found = grown_units(
        makings.frames, law, item, makings.past, makings.growths.get("rnd"), made.base, made.horizon
    )
    if found is None:
        return None
    _, grown = found
    size = grown.district.size
    place = pl.DataFrame(
        {"district": grown.district, "amount": [0.0] * size, "least": [0.0] * size, "most": [0.0] * size}
    )
    if item.basis == "range":
        place = place.with_columns(most=pl.lit(1.0))
    return Units(place, units.years, units.seen, False, True), grown


def _driven(
    made: Plan, makings: _Makings, item: Item
) -> tuple[list[float], str, tuple[tuple[str, str | None], ...], str] | None:
    """The target path of an item: cases by year, its row, what it drives, and how; None without one."""
    found = [makings.targets.events(item.id, None, year) for year in made.years]
    if any(one is None for one in found):
        return None
    events = [one for one in found if one is not None]
    first = events[0]
    among = tuple(pair for pair in first.among if pair[0] == item.id)
    share = _share(makings, item, first.among, made.law)
    counts = [one.count * share for one in events]
    return (counts, first.row, among, first.how)


def _share(makings: _Makings, item: Item, among: tuple[tuple[str, str | None], ...], law: Catalogue) -> float:
    """An item's part of a target that several items share: as their past cases, else all is the first one's."""
    items = list(dict.fromkeys(name for name, _ in among))
    if len(items) == 1:
        return 1.0
    seen = {name: makings.past.of(name).height for name in items}
    total = sum(seen.values())
    return seen[item.id] / total if total else float(items[0] == item.id)


def _by_target(
    made: Plan,
    makings: _Makings,
    item: Item,
    units: Units,
    ahead: Counts,
    target: tuple[list[float], str, tuple[tuple[str, str | None], ...], str],
) -> tuple[Counts, Units | None]:
    """Counts as the scenario chooses, and units, also where there is no history; puts down both paths."""
    counts, row, among, how = target
    lapses = _lapses(made, makings, item.id) if how == "net" else np.zeros(made.horizon)
    goal = np.asarray(counts) + lapses
    used = made.law.prospect.counts if units.rows.height else "target"
    for place, year in enumerate(made.years):
        made.paths.append(
            _about(made, item.id, year, float("nan"))
            | {
                "used": made.law.prospect.counts,
                "trend": round(float(ahead.mean[place]), 1),
                "target": round(float(goal[place]), 1),
                "source": f"{row} {makings.targets.rows[row].title}",
            }
        )
    if made.law.prospect.counts == "trend":
        return ahead, units
    if not units.rows.height:
        shares = makings.targets.district_shares(item.id)
        level = next((level for _, level in among), None)
        held = stated_units(item, level, shares.shares if shares else makings.weights)
        return Counts(goal, np.inf, makings.dispersion), held
    assert used == "target"
    return Counts(goal, np.inf, makings.dispersion), units


def _lapses(made: Plan, makings: _Makings, item: str) -> np.ndarray:
    """Certificates of a cohort's term ago that are not renewed; none where unknown."""
    for rule in makings.special.cohorts:
        if rule.new == item:
            issued = _issued(makings, rule)
            kept = _renewal(made, makings, rule)
            lost = 1 - kept[0] / sum(kept)
            return np.asarray([lost * issued.get(year - rule.term, np.zeros(1)).sum() for year in made.years])
    return np.zeros(made.horizon)


def _issued(makings: _Makings, rule: CohortRule) -> dict[int, Ints]:
    """Certificates by year and district."""
    lines = pl.concat([makings.past.of(rule.new), makings.past.of(rule.renewed)])
    years = makings.past.covered.get("certifications", ()) or tuple(sorted(set(lines["year"].to_list())))
    found = {}
    for year in years:
        held = lines.filter((pl.col("year") == year) & pl.col("district").is_not_null())
        found[year] = np.bincount(place_of(held["district"]), minlength=len(DISTRICTS))
    return found


def _renewal(made: Plan, makings: _Makings, rule: CohortRule) -> tuple[float, float]:
    """Renewals and lapses seen, on top of the assumption; a scenario's share is taken as given."""
    if made.law.prospect.renewal is not None:
        share = float(made.law.prospect.renewal)
        return max(share, 1e-9) * 1e6, max(1 - share, 1e-9) * 1e6
    issued = _issued(makings, rule)
    renewed = dict(makings.past.of(rule.renewed).group_by("year").agg(pl.len()).rows())
    due = {year: int(count.sum()) for year, count in issued.items() if year + rule.term in issued}
    again = sum(min(renewed.get(year + rule.term, 0), count) for year, count in due.items())
    return rule.renewal[0] + again, rule.renewal[1] + sum(due.values()) - again


def _cohort(made: Plan, makings: _Makings, rule: CohortRule) -> Cohort | None:
    """Renewals of certificates that expire; None where those of the term before the first year are unknown."""
    issued = _issued(makings, rule)
    award = stated_units(made.law.items[rule.renewed], None, makings.weights)
    if made.years[0] - rule.term not in issued or award is None:
        made.assume(
            f"{rule.renewed} 到期续期",
            "按历年再次认定户数推算",
            f"没有 {made.years[0] - rule.term} 年的认定数据",
        )
        return None
    kept = _renewal(made, makings, rule)
    value = f"{kept[0] / sum(kept):.0%}"
    seen = sum(kept) - sum(rule.renewal)
    source = "方案设定" if made.law.prospect.renewal is not None else (
        f"登记表 {seen:.0f} 家到期企业，并入设定 {rule.renewal[0] / sum(rule.renewal):.0%}（计 {sum(rule.renewal):.0f} 家）"
        if seen
        else "设定值：登记表没有满三年的认定数据"
    )  # fmt: skip
    made.assume("高新技术企业到期续期比例", value, source)
    for (
        year
    ) in made.years:  # certificates conferred within the forecast expire within it only after three years
        if year not in issued:
            new = trend(
                units_of(makings.past, made.law.items[rule.new], None, makings.weights).seen, made.horizon, 0
            )
            share = np.asarray([makings.weights[d] for d in DISTRICTS])
            issued[year] = np.rint(new.mean[year - made.base - 1] * share).astype(np.int64)
    return Cohort(
        rule.renewed, made.years, rule.term, issued, kept, round(100 * float(award.yuan("most")[0]))
    )


def _promises(made: Plan, makings: _Makings, law: Catalogue) -> None:
    for item, (unit, longest) in makings.special.promises.items():
        policy = law.policies[law.items[item].policy]
        if not policy.enabled or policy.ends.year >= made.base + made.horizon:
            continue
        part = base_year.promised(
            makings.past, item, unit, longest, made.base, policy.ends.year, made.horizon
        )
        if part is not None:
            made.parts.append(part)
            made.assume(
                f"{item} {law.items[item].title}的续付",
                f"{part.district.size} 笔在政策到期后仍按期限续付",
                "登记表已付月数或年数；政策末年的存量按基准年存量",
            )


def _told(made: Plan, makings: _Makings) -> None:
    """What else the forecast rests on."""
    prospect, covered = made.law.prospect, makings.past.covered
    made.findings = makings.targets.findings()
    made.assume(
        "兑付滞后",
        f"{prospect.payment_lag} 年",
        "方案设定" if prospect.payment_lag != 1 else "默认：次年兑付",
    )
    made.assume(
        "新增事项的户数",
        "按目标" if prospect.counts == "target" else "按登记表趋势",
        "方案可改（forecast: counts）",
    )
    spread = f"标准差约 {np.sqrt(makings.dispersion):.0%}"
    known = any(len(years) > 1 for years in covered.values())
    made.assume("户数的年际波动", spread, "登记表各条款历年户数" if known else "设定值：登记表只有一年")
    for registry, years in covered.items():
        if registry in _EVENTS and years:
            made.assume(f"{_EVENTS[registry]}的历史", "、".join(map(str, years)) + " 年", "登记表文件夹")
    if "rnd" not in makings.growths:
        made.assume("申报基数的增长", "不增长", "没有研发投入登记表")
    else:
        made.assume("申报基数的增长", "随研发投入的共同增长", "研发投入登记表")


_EVENTS = {"certifications": "资质认定", "claims": "申报项目", "talents": "人才申报"}
