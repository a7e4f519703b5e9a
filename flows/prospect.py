"""The forecast as a Prefect flow: read, check, look ahead, publish; on a schedule an hour after the annual run."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

# First of Prefect's importers: it makes Prefect's settings before their import.
from flows.annual import announce, check_parts, finish, is_io_fault, law_of, read, say  # isort: skip
from prefect import flow, task
from prefect.artifacts import create_table_artifact

from flows import ahead, folders, steps
from flows.direct import scenario_name
from flows.parts import Division, wanted_parts
from flows.runners import on_runner, one_after_the_other, wanted_runner


@task(name="估计增长")
def make_plan(work: str, asked: dict[str, Any], scenarios: list[str]) -> str:
    folder = Path(work)
    ahead.make_plan(folder, ahead.Asked(**asked), law_of(scenarios), Division.of(folder), say)
    return work


@task(
    name="模拟",
    task_run_name="模拟第 {first} 次起",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=is_io_fault,
)
def draw(work: str, asked: dict[str, Any], first: int, count: int, workers: int) -> str:
    return str(ahead.draw(Path(work), ahead.Asked(**asked), first, count, workers))


@task(name="汇总预测")
def conclude(work: str, asked: dict[str, Any], scenarios: list[str]) -> str:
    folder = Path(work)
    ahead.conclude(folder, ahead.Asked(**asked), law_of(scenarios), Division.of(folder), say)
    return work


@task(name="编制预测工作簿并发布", retries=2, retry_delay_seconds=5, retry_condition_fn=is_io_fault)
def publish(work: str, out: str, asked: dict[str, Any], scenarios: list[str]) -> str:
    paths, wanted = tuple(Path(path) for path in scenarios), ahead.Asked(**asked)
    result = Path(work) / "result"
    if not result.is_dir():
        ahead.tell(Path(work), wanted, law_of(scenarios), paths, date.today().isoformat(), say)
    target = folders.published(Path(out), wanted.year, scenario_name(paths), "forecast")
    return str(folders.publish(target, result))


@flow(name="负担预测", flow_run_name="负担预测", log_prints=False, task_runner=one_after_the_other())
def forecast(
    asked: dict[str, Any] | None = None,
    raw: str = "data/raw",
    out: str = "data/out",
    scenarios: list[str] | None = None,
    partitions: str | None = None,
    workers: int = 1,
) -> str:
    """Forecast from a base year (by default the year before today's, three years ahead); returns its folder.

    `workers`: how many tasks make the draws, each in one thread; one makes them in as many as were asked for.
    """
    wanted = ahead.Asked(**({"year": date.today().year - 1, "horizon": 3} | (asked or {})))
    told, scenarios = asdict(wanted), scenarios or []
    target = folders.published(
        Path(out), wanted.year, scenario_name([Path(p) for p in scenarios]), "forecast"
    )
    work = folders.new_work_folder(target)
    try:
        read(str(work), raw, wanted.year)
        check_parts(str(work), wanted.year, scenarios, partitions, workers)
        make_plan(str(work), told, scenarios)
        threads = wanted.workers if workers == 1 else 1
        drawn = ahead.blocks(wanted.draws, workers)
        finish([draw.submit(str(work), told, first, count, threads) for first, count in drawn])
        conclude(str(work), told, scenarios)
        published = publish(str(work), out, told, scenarios)
    finally:
        folders.remove_work_folder(work)
    _show_totals(published, wanted.year)
    return published


def _show_totals(target: str, year: int) -> None:
    """A table artifact: by payment year mean, P10 and P90, in 万元."""
    rows = pl.read_parquet(Path(target) / "forecast.parquet")
    level = [pl.col(c).is_null() for c in ("award_year", "payer", "district", "article", "item", "basis")]
    totals = rows.filter(pl.col("outlook") == "current", *level).sort("pay_year")
    shown = [
        {"支付年度": year} | {f"{name}（万元）": f"{value / 10000:,.2f}" for name, value in figures.items()}
        for year, *values in totals.select("pay_year", "mean", "P10", "P90").iter_rows()
        for figures in [dict(zip(("均值", "P10", "P90"), values, strict=True))]
    ]
    create_table_artifact(shown, key=f"forecast-{year}", description=f"以{year}年为基准的负担预测")


def run_flow(
    asked: ahead.Asked,
    raw: Path,
    out: Path,
    scenarios: tuple[Path, ...],
    api: str | None,
    partitions: str | None = None,
    runner: str | None = None,
) -> Path:
    """Run the flow on the configured API, else on Prefect's own embedded server; see flows.annual.run_flow."""
    wanted, where = wanted_parts(partitions), wanted_runner(runner)
    steps.law_of(scenarios)  # what is wrong with a scenario is told before anything starts
    announce(api)
    paths = [str(path.absolute()) for path in scenarios]
    with on_runner(forecast, where, api) as (run, workers):
        published: str = run(asdict(asked), str(raw.absolute()), str(out.absolute()), paths, wanted, workers)
    return out / Path(published).relative_to(out.absolute())
