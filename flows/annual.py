"""The annual run as a Prefect flow: read, check, compute, publish."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

# The embedded server needs far longer than its default 20 s on a first start; nothing is reported outside.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
os.environ.setdefault("DO_NOT_TRACK", "1")
# A fault reaches the user as one message of ours; Prefect's own traceback goes to its API only.
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")

import httpx
import polars as pl
from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.futures import PrefectFuture, wait
from prefect.logging import get_run_logger

from flows import folders, gather, parts, reporting, steps
from flows.direct import scenario_name
from flows.runners import on_runner, one_after_the_other, wanted_runner
from rules.catalogue import Catalogue
from schemas.errors import Unusable
from schemas.outputs import PAYERS


def say(text: str) -> None:
    get_run_logger().info(text)
    print(text, flush=True)


def is_io_fault(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what a busy disk may cause, never what a clerk must correct."""
    return isinstance(state.data, OSError) or isinstance(getattr(state.data, "exception", None), OSError)


@task(name="读取登记表", retries=2, retry_delay_seconds=5, retry_condition_fn=is_io_fault)
def read(work: str, raw: str, year: int) -> str:
    return str(steps.read(Path(work), Path(raw), year, say))


@task(name="分区")
def divide(work: str, partitions: str | None, workers: int) -> list[tuple[str, str]]:
    division = parts.divide(Path(work), parts.wanted_parts(partitions), say, workers)
    return [(str(folder), title) for folder, title in division.named_folders()]


@task(
    name="检查",
    task_run_name="检查 {title}",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=is_io_fault,
)
def check(part: str, title: str, work: str, year: int, scenarios: list[str]) -> str:
    with parts.named(title):
        steps.check_part(Path(part), Path(work), year, law_of(scenarios))
    return part


@task(name="汇总检查结果")
def gather_checks(work: str, year: int) -> str:
    gather.gather_checks(Path(work), parts.Division.of(Path(work)), year)
    steps.say_rejected(Path(work), say)
    return work


@task(
    name="计算",
    task_run_name="计算 {title}",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=is_io_fault,
)
def compute(part: str, title: str, work: str, year: int, scenarios: list[str], template: bool) -> str:
    with parts.named(title):
        steps.compute_part(Path(part), Path(work), year, law_of(scenarios), template)
    return part


@task(name="汇总计算结果")
def gather_awards(work: str, scenarios: list[str]) -> str:
    gather.gather_awards(Path(work), parts.Division.of(Path(work)), law_of(scenarios))
    steps.say_totals(Path(work), say)
    return work


@task(name="编制工作簿并发布", retries=2, retry_delay_seconds=5, retry_condition_fn=is_io_fault)
def publish(work: str, out: str, year: int, scenarios: list[str], template: str | None) -> str:
    paths = tuple(Path(path) for path in scenarios)
    result = Path(work) / "result"
    if not result.is_dir():
        reporting.report(Path(work), year, law_of(scenarios), paths, date.today().isoformat(), say)
    reporting.hand_over(Path(work), Path(template) if template else None, say)
    return str(folders.publish(folders.published(Path(out), year, scenario_name(paths)), result))


def law_of(scenarios: list[str]) -> Catalogue:
    return steps.law_of(tuple(Path(path) for path in scenarios))


def check_parts(
    work: str, year: int, scenarios: list[str], partitions: str | None, workers: int
) -> list[tuple[str, str]]:
    """Divide what was read and check every part; returns the parts' folders and titles."""
    divided = divide(work, partitions, workers)
    finish([check.submit(part, title, work, year, scenarios) for part, title in divided])
    gather_checks(work, year)
    return divided


def finish(runs: list[PrefectFuture[Any]]) -> None:
    """Wait for all parts; the first failure is raised once none is at work any more."""
    wait(runs)
    for run in runs:
        run.result()


@flow(
    name="年度兑现",
    flow_run_name="{year}年度兑现",
    log_prints=False,
    task_runner=one_after_the_other(),
)
def annual(
    year: int | None = None,
    raw: str = "data/raw",
    out: str = "data/out",
    scenarios: list[str] | None = None,
    template: str | None = None,
    partitions: str | None = None,
    workers: int = 1,
) -> str:
    """Run one year (by default the year before today's) and return its folder.

    Parts run where the flow's task runner has them run; tasks pass paths, so that its machines share the folders.
    """
    year, scenarios = year or date.today().year - 1, scenarios or []
    target = folders.published(Path(out), year, scenario_name([Path(path) for path in scenarios]))
    work = folders.new_work_folder(target)
    try:
        read(str(work), raw, year)
        divided = check_parts(str(work), year, scenarios, partitions, workers)
        told = template is not None
        finish([compute.submit(part, title, str(work), year, scenarios, told) for part, title in divided])
        gather_awards(str(work), scenarios)
        published = publish(str(work), out, year, scenarios, template)
    finally:
        folders.remove_work_folder(work)
    _show_totals(published, year)
    return published


def _show_totals(target: str, year: int) -> None:
    """A table artifact: payable by district, in 万元."""
    summary = pl.read_parquet(Path(target) / "summary.parquet")
    by_district = summary.group_by("district", "payer").agg(pl.col("amount").sum()).sort("district", "payer")
    rows = [
        {"区镇": district, "负担方": PAYERS[payer], "应兑付（万元）": f"{amount / 10000:,.2f}"}
        for district, payer, amount in by_district.iter_rows()
    ]
    create_table_artifact(rows, key=f"annual-{year}", description=f"{year}年度应兑付，按区镇和负担方")


def run_flow(
    year: int,
    raw: Path,
    out: Path,
    scenarios: tuple[Path, ...],
    api: str | None,
    template: Path | None = None,
    partitions: str | None = None,
    runner: str | None = None,
) -> Path:
    """Run the flow on the configured API, else on Prefect's own embedded server.

    `partitions`: see flows.parts.wanted_parts; `runner`: see flows.runners. Raises Unusable when the configured
    API or the scheduler does not answer.
    """
    reporting.check_template(template, out)
    asked, where = parts.wanted_parts(partitions), wanted_runner(runner)
    steps.law_of(scenarios)  # what is wrong with a scenario is told before anything starts
    announce(api)
    paths = [str(path.absolute()) for path in scenarios]
    filed = str(template.absolute()) if template else None
    with on_runner(annual, where, api) as (run, workers):
        published: str = run(year, str(raw.absolute()), str(out.absolute()), paths, filed, asked, workers)
    return out / Path(published).relative_to(out.absolute())


def announce(api: str | None) -> None:
    """Say that the embedded server starts, or check that the configured API answers (else Unusable)."""
    if api is not None:
        try:
            httpx.get(f"{api.rstrip('/')}/health", timeout=10).raise_for_status()
        except httpx.HTTPError as error:
            raise Unusable(
                f"配置的 Prefect 服务 {api} 没有应答。请检查服务，或取消 PREFECT_API_URL 后直接运行。"
            ) from error
    else:
        print("启动 Prefect 内置服务，首次约需半分钟，请稍候……", file=sys.stderr, flush=True)
