"""The Prefect flow gives the same result as the direct run, and its schedule fits its signature."""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_publish import parquet_bytes


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A temporary Prefect server with its own home."""
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    from prefect.testing.utilities import prefect_test_harness

    import flows.annual  # noqa: F401  (sets Prefect's environment before its import)

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.mark.filterwarnings("ignore")
def test_flow_equals_direct_run(prefect: None, city: Path, published: Path, tmp_path: Path) -> None:
    from flows.annual import run_flow

    target = run_flow(2023, city, tmp_path, (), None)
    assert parquet_bytes(target) == parquet_bytes(published)
    assert (target / "manifest.json").read_bytes() == (published / "manifest.json").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_flow_passes_a_clerks_fault_on(prefect: None, city: Path, tmp_path: Path) -> None:
    from flows.annual import run_flow
    from schemas.errors import Unusable

    with pytest.raises(Unusable, match="2019"):
        run_flow(2019, city, tmp_path / "o", (), None)
    assert not (tmp_path / "o").exists()


def test_a_prefect_service_that_does_not_answer_is_one_message(city: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    command = ["annual", "--year", "2023", "--raw", str(city), "--out", str(tmp_path / "o")]
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *command], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and "没有应答" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()


@pytest.mark.filterwarnings("ignore")
def test_forecast_flow_equals_direct_run(prefect: None, city: Path, tmp_path: Path) -> None:
    from flows.ahead import Asked
    from flows.direct import run_forecast
    from flows.prospect import run_flow

    asked = Asked(2023, 2, draws=64, workers=2)
    flowed = run_flow(asked, city, tmp_path / "flow", (), None)
    direct = run_forecast(asked, city, tmp_path / "direct", (), lambda _: None)
    assert parquet_bytes(flowed) == parquet_bytes(direct)
    assert (flowed / "manifest.json").read_bytes() == (direct / "manifest.json").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_the_forecast_is_scheduled_after_the_annual_run(prefect: None) -> None:
    from flows.schedule import FLOWS, deployments

    planned = deployments(Path("raw"), Path("out"))
    assert [one.name for one in planned] == ["年度兑现", "负担预测"]
    assert [one.schedules[0].schedule.cron for one in planned] == ["0 2 15 1 *", "0 3 15 1 *"]
    assert {one.schedules[0].schedule.timezone for one in planned} == {"Asia/Shanghai"}
    for one, (flow, _) in zip(planned, FLOWS.values(), strict=True):
        assert one.parameters == {"raw": "raw", "out": "out"} and one.concurrency_limit == 1
        inspect.signature(flow.fn).bind(**one.parameters)
        flow.validate_parameters(one.parameters)
