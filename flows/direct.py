"""The annual run and the forecast without Prefect: the same steps, one after the other."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from flows import folders, reporting, steps
from flows.files import Say
from flows.gather import gather_awards, gather_checks
from flows.parts import divide, wanted_parts

if TYPE_CHECKING:
    from flows.ahead import Asked


def scenario_name(scenarios: Sequence[Path]) -> str | None:
    """The folder name of a stack of scenarios."""
    return "+".join(path.stem for path in scenarios) or None


def run_annual(
    year: int,
    raw: Path,
    out: Path,
    scenarios: tuple[Path, ...],
    say: Say,
    template: Path | None = None,
    partitions: str | None = None,
) -> Path:
    """Run the steps and publish; returns the year's folder. Raises Unusable; leaves nothing half-written.

    `partitions`: see flows.parts.wanted_parts. Parts are computed one after the other, so that memory holds one.
    """
    reporting.check_template(template, out)
    asked = wanted_parts(partitions)
    law = steps.law_of(scenarios)
    target = folders.published(out, year, scenario_name(scenarios))
    work = folders.new_work_folder(target)
    try:
        steps.read(work, raw, year, say)
        division = divide(work, asked, say)
        division.each("检查", lambda part: steps.check_part(part, work, year, law), say)
        gather_checks(work, division, year)
        steps.say_rejected(work, say)
        told = template is not None
        division.each("计算", lambda part: steps.compute_part(part, work, year, law, told), say)
        gather_awards(work, division, law)
        steps.say_totals(work, say)
        result = reporting.report(work, year, law, scenarios, date.today().isoformat(), say)
        reporting.hand_over(work, template, say)
        return folders.publish(target, result)
    finally:
        folders.remove_work_folder(work)


def run_forecast(
    asked: "Asked",
    raw: Path,
    out: Path,
    scenarios: tuple[Path, ...],
    say: Say,
    partitions: str | None = None,
) -> Path:
    """Run a forecast's steps and publish; returns the base year's folder. Raises Unusable; whole or not at all."""
    from flows import ahead

    wanted = wanted_parts(partitions)
    law = steps.law_of(scenarios)
    target = folders.published(out, asked.year, scenario_name(scenarios), "forecast")
    work = folders.new_work_folder(target)
    try:
        steps.read(work, raw, asked.year, say)
        division = divide(work, wanted, say)
        division.each("检查", lambda part: steps.check_part(part, work, asked.year, law), say)
        gather_checks(work, division, asked.year)
        steps.say_rejected(work, say)
        ahead.make_plan(work, asked, law, division, say)
        ahead.draw_all(work, asked, say)
        ahead.conclude(work, asked, law, division, say)
        return folders.publish(target, ahead.tell(work, asked, law, scenarios, date.today().isoformat(), say))
    finally:
        folders.remove_work_folder(work)
