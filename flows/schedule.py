"""Both flows on their schedules, in one process."""

from pathlib import Path
from typing import Any

from flows import annual, prospect  # isort: skip  (makes Prefect's settings before its import)
from prefect import serve


def deployments(raw: Path, out: Path) -> list[Any]:
    """The annual run and, an hour after it, the forecast."""
    return [
        annual.annual.to_deployment(**annual.deployment(raw, out)),
        prospect.forecast.to_deployment(**prospect.deployment(raw, out)),
    ]


def serve_all(raw: Path, out: Path) -> None:
    """Serve scheduled runs until interrupted."""
    print("按日程运行：每年1月15日2时年度兑现，3时负担预测（北京时间）。按 Ctrl-C 结束。", flush=True)
    serve(*deployments(raw, out))
