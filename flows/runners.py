"""Where a flow's parts run: one after the other in this process, or on the workers of a Dask scheduler."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from prefect import Flow
from prefect.futures import PrefectFuture
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from schemas.errors import Unusable

DASK = "dask"


def wanted_runner(text: str | None) -> str | None:
    """The option --runner: `dask` (workers on this machine), `dask=tcp://scheduler:8786`, or None. Raises Unusable."""
    name, _, address = (text or DASK).partition("=")
    if name != DASK or (address and not address.startswith(("tcp://", "tls://"))):
        raise Unusable(f"运行方式「{text}」应是 dask 或 dask=tcp://地址:端口。")
    return text


def one_after_the_other() -> TaskRunner[PrefectFuture[Any]]:
    """Tasks in this process, so that memory holds one part."""
    return cast(TaskRunner[PrefectFuture[Any]], ThreadPoolTaskRunner(max_workers=1))


@contextmanager
def on_runner(
    flow: Flow[..., str], text: str | None, api: str | None
) -> Iterator[tuple[Flow[..., str], int]]:
    """The flow as it runs there, and on how many workers.

    Workers report to the configured API, else to a server of this run's own.

    Raises Unusable where Dask is not installed or the scheduler does not answer.
    """
    runner = wanted_runner(text)
    if runner is None:
        yield flow, 1
        return
    try:
        from distributed import Client, LocalCluster
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise Unusable("没有安装 Dask。请运行 pip install 'duixian[dask]' 后再用 --runner dask。") from error
    with ExitStack() as stack:
        if api is None:
            server = stack.enter_context(SubprocessASGIServer())
            stack.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
            os.environ["PREFECT_API_URL"] = server.api_url
        _, _, address = runner.partition("=")
        if address:
            try:
                client = stack.enter_context(Client(address, timeout=10))
            except OSError as error:
                raise Unusable(
                    f"Dask 调度器「{address}」没有应答。请检查地址，或用 --runner dask 在本机运行。"
                ) from error
        else:
            cores = os.cpu_count() or 1
            local = LocalCluster(
                n_workers=cores, threads_per_worker=1, dashboard_address=None, env={"POLARS_MAX_THREADS": "1"}
            )
            address = stack.enter_context(local).scheduler_address
            client = stack.enter_context(Client(address))
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        tasks = cast(TaskRunner[PrefectFuture[Any]], DaskTaskRunner(address=address))
        yield flow.with_options(task_runner=tasks), max(1, workers)
