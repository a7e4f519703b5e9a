"""This product through its public functions: amounts, caps and shares, without a word. Money: Decimal(38, 2) yuan."""

import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from flows import steps
from flows.files import checked_frames
from rules.award import owed
from rules.history import Rows

YEAR = 2023
SCENARIO = Path(__file__).with_name("contest.yaml")
LINE = (
    *("item", "uscc", "project_id", "district", "status"),
    *("gross", "award", "city_share", "district_share", "award_low", "award_high"),
)


def read_and_checked(raw: Path) -> tuple[dict[str, pl.DataFrame], Any]:
    """The registries as the product reads and checks them, and the law in force."""
    law = steps.law_of((SCENARIO,))
    with tempfile.TemporaryDirectory(dir=raw.parent) as work:
        steps.read(Path(work), raw, YEAR, lambda _: None)
        steps.check_rows(Path(work), YEAR, law, lambda _: None)
        return checked_frames(Path(work)), law


def prepare(raw: Path) -> tuple[dict[str, pl.DataFrame], Any]:
    """Checked frames and the law."""
    return read_and_checked(raw)


def compute(loaded: tuple[dict[str, pl.DataFrame], Any]) -> pl.DataFrame:
    """Every line considered with status, award and shares."""
    frames, law = loaded
    return owed(Rows(frames, YEAR), law)


def keep(lines: pl.DataFrame, out: Path) -> None:
    """Write the payable and pending lines of `compute`, and totals by 区镇 and item."""
    due = lines.filter(pl.col("status").is_in(["payable", "pending"])).select(LINE)
    totals = due.group_by("district", "item").agg(
        pl.len().alias("lines"), pl.sum("award", "city_share", "district_share")
    )
    due.write_parquet(out / "lines.parquet")
    totals.sort("district", "item").write_parquet(out / "totals.parquet")


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read and checked as in every run, to lines and totals."""
    keep(compute(prepare(raw)), out)
