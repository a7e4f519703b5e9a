"""This product with every column of awards.parquet: reasons, notes and workings. Money: Decimal(38, 2) yuan."""

from pathlib import Path

import polars as pl

from benchmarks.contest import ours
from flows.files import write_parquet
from rules.award import award
from rules.catalogue import Catalogue
from rules.frames import Frames
from schemas.outputs import ORDER


def prepare(raw: Path) -> tuple[list[Frames], Catalogue]:
    """Checked frames, part by part, and the law."""
    return ours.prepare(raw)


def compute(loaded: tuple[list[Frames], Catalogue]) -> pl.DataFrame:
    """Every line considered, in the shape and order of awards.parquet."""
    parts, law = loaded
    awards = [award(frames, law, ours.YEAR) for frames in parts]
    return awards[0] if len(awards) == 1 else pl.concat(awards).sort(ORDER, nulls_last=True)


def keep(awards: pl.DataFrame, out: Path) -> None:
    """Write what `compute` returned."""
    write_parquet(awards, out / "awards.parquet")


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read and checked as in every run, to awards.parquet."""
    keep(compute(prepare(raw)), out)
