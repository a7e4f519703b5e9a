"""Both flows on their schedules, in one process."""

from pathlib import Path
from typing import Any

from flows import annual, prospect  # isort: skip  (makes Prefect's settings before its import)
from prefect import Flow, serve
from prefect.schedules import Cron, Schedule

FLOWS: dict[str, tuple[Flow[..., Any], Schedule]] = {
    "年度兑现": (annual.annual, Cron("0 2 15 1 *", timezone="Asia/Shanghai")),
    "负担预测": (prospect.forecast, Cron("0 3 15 1 *", timezone="Asia/Shanghai")),
}
"""By the name of a deployment its flow and when it runs: the forecast an hour after the annual run."""


def deployments(raw: Path, out: Path) -> list[Any]:
    """What `serve` schedules."""
    folders = {"raw": str(raw), "out": str(out)}
    return [
        flow.to_deployment(name=name, schedule=schedule, parameters=folders, concurrency_limit=1)
        for name, (flow, schedule) in FLOWS.items()
    ]


def serve_all(raw: Path, out: Path) -> None:
    """Serve scheduled runs until interrupted."""
    print("按日程运行：每年1月15日2时年度兑现，3时负担预测（北京时间）。按 Ctrl-C 结束。", flush=True)
    serve(*deployments(raw, out))
