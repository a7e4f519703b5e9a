"""The annual run and the forecast without Prefect: the same steps, one after the other."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from flows import folders, steps

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
    say: steps.Say,
    template: Path | None = None,
) -> Path:
    """Run the steps and publish; returns the year's folder. Raises Unusable; leaves nothing half-written."""
    steps.check_template(template, out)
    law = steps.law_of(scenarios)
    target = folders.published(out, year, scenario_name(scenarios))
    work = folders.new_work_folder(target)
    try:
        steps.read(work, raw, year, say)
        steps.check_rows(work, year, law, say)
        steps.compute(work, year, law, say, template is not None)
        result = steps.report(work, year, law, scenarios, date.today().isoformat(), say)
        steps.hand_over(work, template, say)
        return folders.publish(target, result)
    finally:
        folders.remove_work_folder(work)


def run_forecast(asked: "Asked", raw: Path, out: Path, scenarios: tuple[Path, ...], say: steps.Say) -> Path:
    """Run a forecast's steps and publish; returns the base year's folder. Raises Unusable; whole or not at all."""
    from flows import ahead

    law = steps.law_of(scenarios)
    target = folders.published(out, asked.year, scenario_name(scenarios), "forecast")
    work = folders.new_work_folder(target)
    try:
        steps.read(work, raw, asked.year, say)
        steps.check_rows(work, asked.year, law, say)
        ahead.look_ahead(work, asked, law, say)
        return folders.publish(target, ahead.tell(work, asked, law, scenarios, date.today().isoformat(), say))
    finally:
        folders.remove_work_folder(work)
