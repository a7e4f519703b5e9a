"""This product with every column of awards.parquet: reasons, notes and workings. Money: Decimal(38, 2) yuan."""

from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.contest.ours import YEAR, read_and_checked
from flows.files import write_parquet
from rules.award import award


def prepare(raw: Path) -> tuple[dict[str, pl.DataFrame], Any]:
    """Checked frames and the law."""
    return read_and_checked(raw)


def compute(loaded: tuple[dict[str, pl.DataFrame], Any]) -> pl.DataFrame:
    """Every line considered, in the shape and order of awards.parquet."""
    frames, law = loaded
    return award(frames, law, YEAR)


def keep(awards: pl.DataFrame, out: Path) -> None:
    """Write what `compute` returned."""
    write_parquet(awards, out / "awards.parquet")


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read and checked as in every run, to awards.parquet."""
    keep(compute(prepare(raw)), out)
