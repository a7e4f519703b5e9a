"""Where a flow's parts run: one after the other in this process, or on the workers of a Dask scheduler."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

from prefect import Flow
from prefect.futures import PrefectFuture
from prefect.logging.handlers import APILogHandler
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from schemas.errors import Unusable

if TYPE_CHECKING:
    from distributed import Client

DASK = "dask"

PART_BYTES = 4_000_000_000
"""Memory that a worker needs for a part, with what reads and writes it."""


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
    flow: Flow[..., str], runner: str | None, api: str | None
) -> Iterator[tuple[Flow[..., str], int]]:
    """The flow as it runs there, and on how many workers.

    `runner`: see wanted_runner. Workers report to the configured API, else to a server of this run's own.

    Raises Unusable where Dask is not installed or the scheduler does not answer.
    """
    if runner is None:
        yield flow, 1
        return
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise Unusable("没有安装 Dask。请运行 pip install 'duixian[dask]' 后再用 --runner dask。") from error
    _, _, address = runner.partition("=")
    with ExitStack() as stack:
        client = stack.enter_context(_there(address) if address else _here())
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if api is None:
            server = stack.enter_context(SubprocessASGIServer())
            stack.callback(lambda: APILogHandler().flush())  # what is not sent in time would be a complaint
            stack.enter_context(temporary_settings({PREFECT_API_URL: server.api_url}))
        tasks = cast(TaskRunner[PrefectFuture[Any]], DaskTaskRunner(address=client.scheduler.address))
        yield flow.with_options(task_runner=tasks), workers


def _there(address: str) -> "Client":
    """A client of a running scheduler that has workers."""
    from distributed import Client

    try:
        client = Client(address, timeout=10)
    except OSError as error:
        raise Unusable(
            f"Dask 调度器「{address}」没有应答。请检查地址，或用 --runner dask 在本机运行。"
        ) from error
    try:
        client.wait_for_workers(1, timeout=10)
    except TimeoutError as error:
        client.close()
        raise Unusable(f"Dask 调度器「{address}」没有工作进程。请先在各台机器上启动 dask worker。") from error
    return client


def _here() -> "Client":
    """A client of some processes on this machine, each with its share of the cores and room for a part."""
    from distributed import Client
    from distributed.system import MEMORY_LIMIT

    cores = os.cpu_count() or 1
    count = max(1, min(cores, MEMORY_LIMIT // PART_BYTES))
    threads = {"POLARS_MAX_THREADS": str(-(-cores // count))}
    return Client(
        n_workers=count, threads_per_worker=1, dashboard_address=None, env=threads, memory_limit=None
    )
