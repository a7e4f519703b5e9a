"""This product with every column of awards.parquet: reasons, notes and workings. Money: Decimal(38, 2) yuan."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from benchmarks.contest import ours
from flows.files import checked_frames, write_parquet
from flows.parts import Division
from rules.award import award
from rules.catalogue import Catalogue
from rules.frames import Frames
from schemas.outputs import ORDER


def prepare(raw: Path) -> ours.Loaded:
    """Checked frames, part by part, and the law."""
    return ours.prepare(raw)


def compute(loaded: ours.Loaded) -> pl.DataFrame:
    """Every line considered, in the shape and order of awards.parquet."""
    return _awards(*loaded)


def _awards(parts: Iterable[Frames], law: Catalogue) -> pl.DataFrame:
    awards = [award(frames, law, ours.YEAR) for frames in parts]
    return awards[0] if len(awards) == 1 else pl.concat(awards).sort(ORDER, nulls_last=True)


def keep(awards: pl.DataFrame, out: Path) -> None:
    """Write what `compute` returned."""
    write_parquet(awards, out / "awards.parquet")


def from_tables(work: Path, out: Path) -> None:
    """From the tables that `ours.check` left to awards.parquet."""
    keep(_awards(map(checked_frames, Division.of(work).folders), ours.law_in_force()), out)


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read and checked as in every run, to awards.parquet."""
    keep(compute(prepare(raw)), out)
