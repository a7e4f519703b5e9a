"""A result appears whole or not at all, twice the same, whatever happens to the process."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from flows.direct import run_annual
from schemas.outputs import AWARDS, REJECTS, SUMMARY

FILES = {
    *("awards.parquet", "rejects.parquet", "summary.parquet", "settlement.parquet"),
    *("awards.xlsx", "manifest.json"),
}


def annual(raw: Path, out: Path) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "annual",
        "--year",
        "2023",
        "--raw",
        str(raw),
        "--out",
        str(out),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def parquet_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def test_the_files_in_their_shapes(published: Path) -> None:
    assert {path.name for path in published.iterdir()} == FILES
    for name, shape in (("awards", AWARDS), ("rejects", REJECTS), ("summary", SUMMARY)):
        assert dict(pl.read_parquet_schema(published / f"{name}.parquet")) == shape
    manifest = json.loads((published / "manifest.json").read_text("utf-8"))
    awards = pl.read_parquet(published / "awards.parquet")
    assert manifest["totals"]["award"] == str(awards["award"].sum())
    assert sum(manifest["lines"].values()) == awards.height
    assert {r["key"] for r in manifest["readings"]} >= {
        "class",
        "general_split",
        "ladder",
        "smart_multiplier",
    }
    assert all(len(i["sha256"]) == 64 for i in manifest["inputs"])


def test_summary_adds_up_to_the_awards(published: Path) -> None:
    awards = pl.read_parquet(published / "awards.parquet")
    summary = pl.read_parquet(published / "summary.parquet")
    for payer in ("city", "district", "prefecture"):
        part = summary.filter(pl.col("payer") == payer)
        assert part["amount"].sum() == awards[f"{payer}_share"].sum()
    assert summary["amount"].sum() == awards["award"].sum()
    assert summary["amount_low"].sum() == awards["award_low"].sum()


def test_same_files_same_bytes(city: Path, published: Path, tmp_path: Path) -> None:
    again = run_annual(2023, city, tmp_path, (), lambda _: None)
    assert parquet_bytes(again) == parquet_bytes(published)
    assert (again / "manifest.json").read_bytes() == (published / "manifest.json").read_bytes()


def test_rows_in_another_order_change_only_source_rows(city: Path, published: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(city, raw)
    for path in raw.glob("*/*.parquet"):
        pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=3).write_parquet(path)
    again = run_annual(2023, raw, tmp_path / "out", (), lambda _: None)
    here, there = (pl.read_parquet(p / "awards.parquet").drop("source_row") for p in (published, again))
    assert here.equals(there)
    assert (again / "summary.parquet").read_bytes() == (published / "summary.parquet").read_bytes()


def test_a_killed_run_leaves_the_previous_result(city: Path, tmp_path: Path) -> None:
    target = run_annual(2023, city, tmp_path, (), lambda _: None)
    before = parquet_bytes(target)
    chance = random.Random(5)
    for _ in range(5):
        run = annual(city, tmp_path)
        time.sleep(chance.uniform(0.8, 3.0))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert {path.name for path in target.iterdir()} == FILES
        assert parquet_bytes(target) == before
    finished = annual(city, tmp_path)
    finished.communicate()
    left = [path.name for path in (tmp_path / "annual" / ".runs").iterdir() if path.name.endswith(".partial")]
    assert left == [] and parquet_bytes(target) == before


def test_two_runs_at_once_take_turns(city: Path, tmp_path: Path) -> None:
    runs = [annual(city, tmp_path) for _ in range(2)]
    ends = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ends
    assert {path.name for path in (tmp_path / "annual" / "2023").iterdir()} == FILES


def test_a_year_without_files_writes_nothing(city: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "flows.cli",
            "annual",
            "--year",
            "2019",
            "--raw",
            str(city),
            "--out",
            str(tmp_path / "o"),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2 and "2019" in run.stderr and "2021、2022、2023" in run.stderr
    assert "Traceback" not in run.stderr and not (tmp_path / "o").exists()


def test_a_folder_in_the_way_is_not_overwritten(city: Path, tmp_path: Path) -> None:
    from schemas.errors import Unusable

    (tmp_path / "annual" / "2023").mkdir(parents=True)
    with pytest.raises(Unusable, match="请移走"):
        run_annual(2023, city, tmp_path, (), lambda _: None)
    assert list((tmp_path / "annual" / "2023").iterdir()) == []


def test_publishing_waits_for_the_lock(city: Path, tmp_path: Path) -> None:
    import fcntl

    target = run_annual(2023, city, tmp_path, (), lambda _: None)
    with (target.parent / ".2023.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = annual(city, tmp_path)
        assert run.stderr is not None and "另一次运行正在发布" in run.stderr.readline()
        assert run.poll() is None
    run.communicate()
    assert run.returncode == 0


def registries(folder: Path, **files: str) -> Path:
    """A raw folder for 2023 with CSV files of these texts, by registry."""
    (folder / "2023").mkdir(parents=True)
    for name, text in files.items():
        (folder / "2023" / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


APPLICANT = "uscc,name,district\n91320583NP6544AQ33,甲,开发区\n"


@pytest.mark.parametrize(
    "rnd", ["uscc,year,rnd_expense,super_deduction\n91320583NP6544AQ33,2023,-1,是\n", None]
)
def test_a_run_without_any_line_is_complete(rnd: str | None, tmp_path: Path) -> None:
    text = rnd or "uscc,year,rnd_expense,super_deduction\n"
    raw = registries(tmp_path / "raw", enterprises=APPLICANT, rnd=text)
    target = run_annual(2023, raw, tmp_path / "out", (), lambda _: None)
    assert {path.name for path in target.iterdir()} == FILES
    assert pl.read_parquet(target / "awards.parquet").is_empty()
    assert pl.read_parquet(target / "rejects.parquet").height == (1 if rnd else 0)


def test_a_line_of_an_applicant_with_rejected_rows_says_so(tmp_path: Path) -> None:
    claims = "uscc,item,event_on,project_id,assessed_amount\n"
    claims += "91320583NP6544AQ33,A4.09,2023-05-01,P1,100000\n91320583NP6544AQ33,A4.09,2023-05-01,P2,十万\n"
    raw = registries(tmp_path / "raw", enterprises=APPLICANT, claims=claims)
    target = run_annual(2023, raw, tmp_path / "out", (), lambda _: None)
    review = pl.read_parquet(target / "awards.parquet")["review"].item()
    assert "另有登记行未采用" in review


def test_a_report_that_failed_can_be_written_again(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import reporting, steps
    from flows.gather import gather_awards
    from flows.parts import Division

    law, quiet = steps.law_of(()), lambda _: None
    steps.read(tmp_path, city, 2023, quiet)
    steps.check_rows(tmp_path, 2023, law, quiet)
    steps.compute_part(tmp_path, tmp_path, 2023, law)
    whole = Division([tmp_path], [""], [])
    whole.save(tmp_path)
    gather_awards(tmp_path, whole, law)

    def full_disk(path: Path, **_: object) -> None:
        path.write_bytes(b"PK half a workbook")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(reporting, "write_workbook", full_disk)
        with pytest.raises(OSError, match="No space"):
            reporting.report(tmp_path, 2023, law, (), "2024-01-15", quiet)
    assert not (tmp_path / "result").exists()
    result = reporting.report(tmp_path, 2023, law, (), "2024-01-15", quiet)
    assert {path.name for path in result.iterdir()} == FILES
    assert (result / "awards.xlsx").stat().st_size > 10_000
