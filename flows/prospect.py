"""The forecast as a Prefect flow: read, check, look ahead, publish; on a schedule an hour after the annual run."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

# First of Prefect's importers: it makes Prefect's settings before their import.
from flows.annual import announce, check, is_io_fault, law_of, read, say  # isort: skip
from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.schedules import Cron

from flows import ahead, folders
from flows.direct import scenario_name

SCHEDULE = Cron("0 3 15 1 *", timezone="Asia/Shanghai")
"""An hour after the annual run, on the same registries."""


@task(name="预测")
def look_ahead(work: str, asked: dict[str, Any], scenarios: list[str]) -> str:
    return str(ahead.look_ahead(Path(work), ahead.Asked(**asked), law_of(scenarios), say))


@task(name="编制预测工作簿并发布", retries=2, retry_delay_seconds=5, retry_condition_fn=is_io_fault)
def publish(work: str, out: str, asked: dict[str, Any], scenarios: list[str]) -> str:
    paths, wanted = tuple(Path(path) for path in scenarios), ahead.Asked(**asked)
    result = Path(work) / "result"
    if not result.is_dir():
        ahead.tell(Path(work), wanted, law_of(scenarios), paths, date.today().isoformat(), say)
    target = folders.published(Path(out), wanted.year, scenario_name(paths), "forecast")
    return str(folders.publish(target, result))


@flow(name="负担预测", flow_run_name="负担预测", log_prints=False)
def forecast(
    asked: dict[str, Any] | None = None,
    raw: str = "data/raw",
    out: str = "data/out",
    scenarios: list[str] | None = None,
) -> str:
    """Forecast from a base year (by default the year before today's, three years ahead); returns its folder."""
    wanted = ahead.Asked(**({"year": date.today().year - 1, "horizon": 3} | (asked or {})))
    told, scenarios = asdict(wanted), scenarios or []
    target = folders.published(
        Path(out), wanted.year, scenario_name([Path(p) for p in scenarios]), "forecast"
    )
    work = folders.new_work_folder(target)
    try:
        read(str(work), raw, wanted.year)
        check(str(work), wanted.year, scenarios)
        look_ahead(str(work), told, scenarios)
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


def run_flow(asked: ahead.Asked, raw: Path, out: Path, scenarios: tuple[Path, ...], api: str | None) -> Path:
    """Run the flow on the configured API, else on Prefect's own embedded server.

    Raises Unusable when the configured API does not answer.
    """
    announce(api)
    return Path(forecast(asdict(asked), str(raw), str(out), [str(path) for path in scenarios]))


def deployment(raw: Path, out: Path) -> dict[str, Any]:
    """What `serve` schedules: name, schedule and the flow's parameters."""
    return {
        "name": "负担预测",
        "schedule": SCHEDULE,
        "parameters": {"raw": str(raw), "out": str(out)},
        "concurrency_limit": 1,
    }
