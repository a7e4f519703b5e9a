"""Put a forecast together: every part from the registries, the law and the targets, and what it rests on."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from forecast import base
from forecast.absent import absent
from forecast.carried import carried
from forecast.carriers import KINDS, panel_of
from forecast.cases import Makings, cohort, counted
from forecast.counts import ASSUMED_DISPERSION, dispersion
from forecast.fit import fit
from forecast.growth import Growth
from forecast.history import at_year, everlasting, look_back
from forecast.parts import Part
from forecast.resampled import resampled
from forecast.severity import Severity, from_registry
from forecast.special import load_special
from forecast.spending import Spending
from forecast.streams import Floats
from forecast.targets import load_targets
from forecast.units import decisions, placed
from rules.award import settle
from rules.catalogue import Catalogue
from rules.frames import Frames
from schemas.districts import DISTRICTS
from schemas.errors import Unusable
from schemas.registries import REGISTRIES

EVENTS = ("certifications", "claims", "talents")
"""Registries whose rows are cases of their own."""


@dataclass
class Plan:
    """The parts of a forecast, and what the report says about them.

    `assumptions`: {what, value, source}; `paths`: by item and award year the cases that the trend and the
    target path expect; `findings`: where the tables of targets disagree with themselves; `absent`: what the
    totals leave out; `spread`: see `plan`.
    """

    parts: list[Part] = field(default_factory=list)
    assumptions: list[dict[str, str]] = field(default_factory=list)
    paths: list[dict[str, Any]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    spread: float = 0.0

    def assume(self, what: str, value: str, source: str) -> None:
        """Put down one assumption for the report."""
        self.assumptions.append({"what": what, "value": value, "source": source})


def plan(
    frames: Frames, law: Catalogue, year: int, horizon: int, frozen: bool = False, spread: float | None = None
) -> Plan:
    """The forecast of the `horizon` award years after `year`. `frozen`: growth without uncertainty.

    `spread`: by how much years differ in their number of cases (see forecast.counts.dispersion), where it is
    known from more than these registries. Raises Unusable where the registries hold nothing of the base year to start from.
    """
    lines = _lines(frames, law, year)
    if lines.is_empty():
        raise Unusable(f"登记表中没有 {year} 年度的任何申报，无从预测；请检查基准年度和登记表。")
    makings = _makings(frames, law, year, horizon, frozen)
    if spread is not None:
        makings = replace(makings, dispersion=spread)
    made = Plan(spread=makings.dispersion)
    for earlier in range(first_year(law, year), year + 1):
        due = lines if earlier == year else _lines(at_year(frames, earlier), law, earlier)
        due = due.with_columns(
            placed(due["district"], makings.weights).alias("district")
        )  # who has left since
        made.parts.append(base.known(due, earlier))
        made.parts += base.pending(due, makings.past, law, earlier)
    made.parts += _spending(made, makings)
    made.parts += _cases(made, makings)
    made.parts += _promises(made, makings, law)
    made.findings = [*makings.targets.findings(), makings.targets.after_path]
    made.absent = list(absent(frames, law, makings.past, year, makings.years[-1]))
    _general(made, makings)
    return made


def first_year(law: Catalogue, year: int) -> int:
    """The first award year that is still to be paid after `year`, where payment takes more than one."""
    return year - max(0, law.prospect.payment_lag - 1)


def _lines(frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    return settle(frames, law, year).lines.filter(pl.col("on").dt.year() == year)


def _makings(frames: Frames, law: Catalogue, year: int, horizon: int, frozen: bool) -> Makings:
    ever = everlasting(law)
    growths = {}
    for registry in KINDS:
        if registry in frames and not _of_year(frames[registry], year).is_empty():
            growth = fit(panel_of(frames, registry), year).moved(law.prospect.growth)
            growths[registry] = growth.frozen() if frozen else growth
    past = look_back(frames, law, year)
    listed = dict(frames["enterprises"].group_by("district").agg(pl.len()).rows())
    total = sum(listed.values()) or 1
    found = dispersion([past.seen(item.id) for item in ever.items.values() if item.registry in EVENTS])
    return Makings(
        frames=frames,
        law=ever,
        year=year,
        horizon=horizon,
        past=past,
        targets=load_targets(law),
        special=load_special(law),
        growths=growths,
        weights={name: listed.get(name, 0) / total for name in DISTRICTS},
        dispersion=ASSUMED_DISPERSION if found is None else found,
    )


def _of_year(frame: pl.DataFrame, year: int) -> pl.DataFrame:
    return frame.filter((pl.col("year") == year) & (pl.col("role") == "line"))


def _spending(made: Plan, makings: Makings) -> Iterator[Part]:
    for registry, growth in makings.growths.items():
        severities: dict[str, Severity] = {}
        for item in makings.law.of_registry(registry):
            of = makings.special.severity.get(item.id)
            found = None
            if of == "ceiling":
                found = decisions(makings.past, item)
            elif of is not None:
                found = from_registry(makings.frames, registry, item, of)
            if found is not None:
                severities[item.id] = found
                made.assume(
                    f"{item.id} {item.title}的核定", f"按以往 {found.count} 笔核定抽样", "登记表历年核定"
                )
        if any(True for _ in makings.law.of_registry(registry)):
            yield _simulated(makings, registry, growth, severities)
        for what, value, source in growth.notes:
            made.assume(f"{REGISTRIES[registry].title}：{what}", value, source)


def _simulated(makings: Makings, registry: str, growth: Growth, severities: dict[str, Severity]) -> Spending:
    common = (makings.frames, makings.law, registry, makings.year, makings.years, growth, severities)
    if registry == "equipment":
        return resampled(*common, makings.dispersion)
    return carried(*common, _population(makings))


def _population(makings: Makings) -> Floats | None:
    """By award year the enterprises as a multiple of the base year's, as E12's stock has it where targets are chosen."""
    if makings.law.prospect.counts != "target":
        return None
    stock = [makings.targets.stock("A4.06", year) for year in (makings.year, *makings.years)]
    known = [one for one in stock if one is not None]
    return np.asarray(known[1:]) / known[0] if len(known) == len(stock) else None


def _cases(made: Plan, makings: Makings) -> Iterator[Part]:
    renewals = {rule.renewed: rule for rule in makings.special.cohorts}
    for item in makings.law.items.values():
        if item.registry not in EVENTS or not makings.law.in_force(item):
            continue
        if item.id in renewals:
            part, note = cohort(makings, renewals[item.id])
            made.assume(*note)
            if part is not None:
                yield part
                continue
        for events, path in counted(makings, item):
            made.paths += path
            if events is not None:
                yield events


def _promises(made: Plan, makings: Makings, law: Catalogue) -> Iterator[Part]:
    for item, (unit, longest) in makings.special.promises.items():
        policy = law.policies[law.items[item].policy]
        if not law.in_force(law.items[item]) or policy.ends.year >= makings.years[-1]:
            continue
        end = max(policy.ends.year, makings.year)
        part = base.promised(
            makings.past, item, unit, longest, makings.year, [y for y in makings.years if y > end]
        )
        if part is not None:
            yield part
            made.assume(
                f"{item} {law.items[item].title}的续付",
                f"{part.district.size} 笔在政策到期后仍按期限续付",
                "登记表已付的月数或年数；政策最后一年的存量按基准年",
            )


def _general(made: Plan, makings: Makings) -> None:
    """What else the forecast rests on."""
    prospect = makings.law.prospect
    lag = "方案设定" if prospect.payment_lag != 1 else "默认：次年兑付"
    made.assume("兑付滞后", f"{prospect.payment_lag} 年", lag)
    for item, share in prospect.take_up.items():
        made.assume(f"{item} {makings.law.items[item].title}的申领率", f"{share:.0%}", "方案设定")
    counts = "按目标" if prospect.counts == "target" else "按登记表趋势"
    made.assume("新增事项的户数", counts, "方案可改（forecast: counts: trend 或 target）")
    several = any(len(years) > 1 for years in makings.past.covered.values())
    source = "登记表各条款历年户数" if several else "设定值：登记表只有一年"
    made.assume("户数的年际波动", f"除随机外标准差约 {np.sqrt(makings.dispersion):.0%}", source)
    for registry in EVENTS:
        if years := makings.past.covered.get(registry):
            made.assume(
                f"{REGISTRIES[registry].title}的历史", "、".join(map(str, years)) + " 年", "登记表文件夹"
            )
    grows = "rnd" in makings.growths
    made.assume(
        "申报基数的增长",
        "随研发投入的共同增长" if grows else "不增长",
        "研发投入登记表" if grows else "没有研发投入登记表",
    )
