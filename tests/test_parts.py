"""However a year is divided, and whatever becomes of a worker, the published bytes are the same."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from flows import gather, parts, slices, steps
from flows.direct import run_annual, run_forecast
from flows.files import whole_folder
from flows.parts import Division, divide, wanted_parts
from registries import read
from schemas.districts import DISTRICTS
from schemas.errors import Unusable
from tests.test_publish import APPLICANT, parquet_bytes, registries

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "raw"


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published run of the sample city: workbooks with faults, payments and persons."""
    return run_annual(2023, SAMPLE, tmp_path_factory.mktemp("whole"), (), quiet)


def same(one: Path, other: Path) -> None:
    assert parquet_bytes(one) == parquet_bytes(other)
    assert (one / "manifest.json").read_bytes() == (other / "manifest.json").read_bytes()


@pytest.mark.parametrize("asked", ["2", "7", "district"])
def test_parts_give_the_bytes_of_the_whole(asked: str, sample: Path, tmp_path: Path) -> None:
    same(run_annual(2023, SAMPLE, tmp_path, (), quiet, partitions=asked), sample)


def test_slices_give_the_bytes_of_the_whole(
    city: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "SLICE", 50)
    monkeypatch.setattr(slices, "SLICE", 77)
    monkeypatch.setattr(parts, "PART_ROWS", 1500)
    heard: list[str] = []
    same(run_annual(2023, city, tmp_path, (), heard.append), published)
    assert sum("计算分区" in text for text in heard) > 2


def test_the_template_is_the_same_from_parts(city: Path, tmp_path: Path) -> None:
    made = []
    for name, asked in (("whole", None), ("parts", "3")):
        template = tmp_path / f"{name}.csv"
        run_annual(2023, city, tmp_path / name, (), quiet, template, asked)
        made.append(template.read_bytes())
    assert made[0] == made[1] and made[0].count(b"\n") > 10


def test_a_forecast_from_parts_is_the_same(city: Path, tmp_path: Path) -> None:
    from flows.ahead import Asked

    asked = Asked(2023, 2, draws=64)
    whole = run_forecast(asked, city, tmp_path / "whole", (), quiet)
    same(run_forecast(asked, city, tmp_path / "parts", (), quiet, "3"), whole)


def divided(raw: Path, work: Path, asked: str) -> Division:
    work.mkdir(exist_ok=True)
    steps.read(work, raw, 2023, quiet)
    return divide(work, asked, quiet)


def codes(part: Path, name: str) -> set[str]:
    return {
        code for path in (part / "read" / name).glob("*.parquet") for code in pl.read_parquet(path)["uscc"]
    }


def test_an_applicant_is_in_one_part_with_all_rows(city: Path, tmp_path: Path) -> None:
    division = divided(city, tmp_path / "work", "4")
    names = [path.name for path in (division.folders[0] / "read").iterdir()]
    assert len(division.folders) == 4 and "rnd" in names
    held = [set.union(*(codes(part, name) for name in names)) for part in division.folders]
    assert sum(map(len, held)) == len(set.union(*held)) > 300


def test_parts_by_district_hold_their_districts(city: Path, tmp_path: Path) -> None:
    division = divided(city, tmp_path / "work", "district")
    assert division.titles == [*DISTRICTS, "其他"]  # who has left the list of enterprises
    for part, district in zip(division.folders, DISTRICTS, strict=False):
        rows = pl.read_parquet(part / "read" / "enterprises" / "*.parquet")
        assert set(rows["district"]) == {district}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A person who applies through two units and was paid through a third the year before; nobody's junk id."""
    return registries(
        tmp_path / "raw",
        enterprises=APPLICANT + "914403001922038216,乙,花桥\n91320583MA4T1WW72E,丙,张浦\n",
        talents="person_id,person_name,uscc,item,event_on\n"
        "P1,张三,91320583NP6544AQ33,A19.01,2023-05-01\np1,张三,914403001922038216,A19.01,2023-06-01\n",
        payments="year,uscc,item,amount,person_id\n2022,91320583MA4T1WW72E,A19.01,10000,P1\n"
        "2022,91320583NP6544AQ33,A4.03,250000,无\n2022,914403001922038216,A4.03,1,无\n",
    )


def test_units_of_one_person_stay_together(shared: Path, tmp_path: Path) -> None:
    division = divided(shared, tmp_path / "work", "3")
    assert division.titles[-1] == "同一个人经由的各单位"
    assert codes(division.folders[-1], "talents") == {"91320583NP6544AQ33", "914403001922038216"}
    assert not any(codes(part, "talents") for part in division.folders[:-1])
    assert "91320583MA4T1WW72E" in codes(division.folders[-1], "payments")


def test_a_person_of_several_units_gets_the_same_from_parts(shared: Path, tmp_path: Path) -> None:
    whole = run_annual(2023, shared, tmp_path / "whole", (), quiet)
    same(run_annual(2023, shared, tmp_path / "parts", (), quiet, partitions="3"), whole)
    reviews = pl.read_parquet(whole / "awards.parquet").filter(item="A19.01")
    assert reviews.height == 2
    assert reviews["review"].str.contains("另有一笔").any() or (reviews["status"] == "duplicate").all()


def test_an_id_that_nobody_applies_with_links_no_units(shared: Path, tmp_path: Path) -> None:
    (shared / "2023" / "talents.csv").unlink()
    (shared / "2023" / "rnd.csv").write_text("uscc,year,rnd_expense,super_deduction\n", encoding="utf-8")
    assert "同一个人经由的各单位" not in divided(shared, tmp_path / "work", "3").titles


def test_a_broken_part_names_itself_and_the_row(city: Path, tmp_path: Path) -> None:
    from rules.invariants import Broken

    def break_one(part: Path, work: Path, year: int, law: object, template: bool) -> None:
        raise Broken("校验不通过：没有负数。A4.06 91320583（rnd.parquet第7行）")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "compute_part", break_one)
        with pytest.raises(Broken, match=r"分区「代码.* 之前」.*rnd\.parquet第7行"):
            run_annual(2023, city, tmp_path, (), quiet, partitions="2")
    assert not (tmp_path / "annual" / "2023").exists()


def test_lost_rows_are_found(city: Path, tmp_path: Path) -> None:
    from rules.invariants import Broken

    work, law = tmp_path / "work", steps.law_of(())
    division = divided(city, work, "2")
    lost = next((division.folders[0] / "read" / "rnd").glob("*.parquet"))
    pl.read_parquet(lost).head(-1).write_parquet(lost)
    for part in division.folders:
        steps.check_part(part, work, 2023, law)
    with pytest.raises(Broken, match="研发投入读入"):
        gather.gather_checks(work, division, 2023)


def test_a_task_may_run_twice(city: Path, tmp_path: Path) -> None:
    work, law = tmp_path / "work", steps.law_of(())
    part = divided(city, work, "2").folders[0]
    made = []
    for _ in range(2):
        steps.check_part(part, work, 2023, law)
        steps.check_part(part, work, 2023, law)  # the zombie's files go
        made.append({path.name: path.read_bytes() for path in (part / "checked").iterdir()})
        assert {path.name for path in part.iterdir()} == {"read", "checked"}
        (part / "checked").rename(tmp_path / f"checked-{len(made)}")
    assert made[0] == made[1] and len(made[0]) > 5


def test_reading_may_be_tried_again(city: Path, tmp_path: Path) -> None:
    steps.read(tmp_path, city, 2023, quiet)
    steps.read(tmp_path, city, 2023, quiet)
    assert divide(tmp_path, "2", quiet).folders


def test_a_file_that_changes_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "2023"
    raw.mkdir(parents=True)
    row = {"uscc": "91320583MA4T1WW72E", "name": "甲", "district": "张浦"}
    pl.DataFrame([row]).write_parquet(raw / "enterprises.parquet")
    spent = {"uscc": row["uscc"], "year": 2023, "rnd_expense": 100, "super_deduction": True}
    pl.DataFrame([spent]).write_parquet(raw / "rnd.parquet")
    steps.read(tmp_path, raw.parent, 2023, quiet)
    pl.DataFrame([spent, spent]).write_parquet(raw / "rnd.parquet")
    with pytest.raises(Unusable, match="rnd.parquet」在运行中被改动"):
        steps.check_rows(tmp_path, 2023, steps.law_of(()), quiet)
    (raw / "rnd.parquet").unlink()
    with pytest.raises(Unusable, match="rnd.parquet」在运行中不见了"):
        steps.check_rows(tmp_path, 2023, steps.law_of(()), quiet)


def test_draws_made_twice_at_once_are_the_same(city: Path, tmp_path: Path) -> None:
    """One writes while the other is at it; the first to be complete stays."""
    from flows import ahead

    work, law, asked = tmp_path, steps.law_of(()), ahead.Asked(2023, 1, draws=64)
    steps.read(work, city, 2023, quiet)
    steps.check_rows(work, 2023, law, quiet)
    ahead.make_plan(work, asked, law, Division([work], [""], []), quiet)

    def again(_: float) -> None:
        if not (work / "draws" / "000000000").exists():
            ahead.draw(work, asked, 0, 64, 1)

    alone = ahead.draw(work, asked, 0, 64, 1).rename(tmp_path / "alone")
    raced = ahead.draw(work, asked, 0, 64, 1, again)
    assert [path.name for path in (work / "draws").iterdir()] == [raced.name]
    for name in ("amounts.npy", "amounts.npz"):
        assert (raced / name).read_bytes() == (alone / name).read_bytes()


def test_what_is_read_in_slices_is_quoted_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from schemas.registries import REGISTRIES

    amounts = ["-1", "1,000", "-5", "坏", "3"]
    path = tmp_path / "rnd.parquet"
    pl.DataFrame({"uscc": ["甲"] * 5, "year": [2023] * 5, "rnd_expense": amounts}).with_columns(
        super_deduction=True
    ).write_parquet(path)
    found = []
    for rows in (100, 2, 1):
        starts = range(0, len(amounts), rows)
        tables = [read.read_parquet(path, REGISTRIES["rnd"], "rnd", first, rows).frame for first in starts]
        found.append(pl.concat(tables, how="diagonal").select("rnd_expense", f"{read.RAW}rnd_expense").rows())
    assert found[0] == found[1] == found[2]
    assert [raw for _, raw in found[0]] == [None, None, None, "坏", None]


def test_a_folder_that_failed_does_not_appear(tmp_path: Path) -> None:
    with pytest.raises(ValueError), whole_folder(tmp_path / "made") as folder:
        (folder / "half").touch()
        raise ValueError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "区", "100000"])
def test_an_impossible_division_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="应是 1 到 10,000 的整数，或 district"):
        wanted_parts(text)


# Real processes on loopback: a scheduler and two workers, Prefect's own embedded server.


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a Prefect home of its own."""
    return {**os.environ, "PREFECT_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(ROOT)}


Started = list["subprocess.Popen[bytes]"]


@pytest.fixture
def cluster(home: dict[str, str], tmp_path: Path) -> Iterator[Callable[[int], tuple[str, Started]]]:
    """Starts a scheduler with so many workers, in a folder of their own; returns its address and the workers."""
    file = tmp_path / "scheduler.json"
    started: Started = []

    def dask(*arguments: str) -> None:
        with (tmp_path / f"{arguments[0]}-{len(started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
            started.append(subprocess.Popen(command, env=home, cwd=tmp_path, stdout=log, stderr=log))

    def start(workers: int) -> tuple[str, Started]:
        dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        until(file.is_file)
        for _ in range(workers):
            dask("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny")
        return json.loads(file.read_text())["address"], started[1:]

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def until(holds: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_a_killed_worker_loses_and_doubles_nothing(
    cluster: Callable[[int], tuple[str, Started]], home: dict[str, str], tmp_path: Path
) -> None:
    """The scenario's path is relative, and means nothing where the workers run."""
    scenario = Path("docs/examples/growth-4-percent.yaml")
    alone = run_annual(2023, SAMPLE, tmp_path / "alone", (ROOT / scenario,), quiet)
    address, (first, second) = cluster(2)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "flows.cli", "annual", "--year", "2023", "--raw", str(SAMPLE)]
    command += ["--out", str(out), "--partitions", "6", "--scenario", str(scenario)]
    command += ["--runner", f"dask={address}"]
    run = subprocess.Popen(
        command, env=home, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    checked = "scenarios/*/annual/.runs/*/parts/*/checked"
    until(lambda: len(list(out.glob(checked))) >= 3 or run.poll() is not None)
    first.send_signal(signal.SIGKILL)
    told, errors = run.communicate()
    assert run.returncode == 0, errors
    assert second.poll() is None and "个分区" in told and "Traceback" not in errors
    same(out / "scenarios" / scenario.stem / "annual" / "2023", alone)


def test_a_scheduler_without_workers_is_one_message(
    cluster: Callable[[int], tuple[str, Started]], home: dict[str, str], city: Path, tmp_path: Path
) -> None:
    address, _ = cluster(0)
    command = [sys.executable, "-m", "flows.cli", "annual", "--year", "2023", "--raw", str(city)]
    command += ["--out", str(tmp_path / "o"), "--runner", f"dask={address}"]
    done = subprocess.run(command, env=home, capture_output=True, text=True)
    assert done.returncode == 2 and "没有工作进程" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_forecast_on_local_workers_is_the_same(city: Path, home: dict[str, str], tmp_path: Path) -> None:
    from flows.ahead import Asked

    whole = run_forecast(Asked(2023, 2, draws=128), city, tmp_path / "whole", (), quiet)
    command = [sys.executable, "-m", "flows.cli", "forecast", "--base-year", "2023", "--horizon", "2"]
    command += ["--draws", "128", "--raw", str(city), "--out", str(tmp_path / "dask"), "--runner", "dask"]
    done = subprocess.run(command, env=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    same(tmp_path / "dask" / "forecast" / "2023", whole)


@pytest.mark.parametrize(
    "runner, told", [("ray", "应是 dask 或 dask=tcp://"), ("dask=tcp://127.0.0.1:9", "没有应答")]
)
def test_an_impossible_runner_is_one_message(
    runner: str, told: str, city: Path, home: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "flows.cli", "annual", "--year", "2023", "--raw", str(city)]
    command += ["--out", str(tmp_path / "o"), "--runner", runner]
    done = subprocess.run(command, env=home, capture_output=True, text=True)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()
