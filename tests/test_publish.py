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

FILES = {"awards.parquet", "rejects.parquet", "summary.parquet", "awards.xlsx", "manifest.json"}


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


def test_five_files_in_their_shapes(published: Path) -> None:
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
