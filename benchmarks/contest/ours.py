"""This product through its public functions: amounts, caps and shares, without a word. Money: Decimal(38, 2) yuan."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows import steps
from flows.parts import divide
from rules.award import owed
from rules.catalogue import Catalogue
from rules.frames import Frames
from rules.history import Rows

YEAR = 2023
SCENARIO = Path(__file__).with_name("contest.yaml")
LINE = (
    *("item", "uscc", "project_id", "district", "status"),
    *("gross", "award", "city_share", "district_share", "award_low", "award_high"),
)


def checked(raw: Path, work: Path) -> tuple[Iterator[Frames], Catalogue]:
    """The registries as the product reads, divides and checks them, part by part, and the law in force."""
    law = steps.law_of((SCENARIO,))
    steps.read(work, raw, YEAR, _quiet)
    parts = divide(work, None, _quiet).folders
    return (steps.checked_part(part, work, YEAR, law).frames for part in parts), law


def _quiet(_: str) -> None:
    pass


def prepare(raw: Path) -> tuple[list[Frames], Catalogue]:
    """Checked frames, part by part, and the law."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as work:
        parts, law = checked(raw, Path(work))
        return list(parts), law


def compute(loaded: tuple[list[Frames], Catalogue]) -> pl.DataFrame:
    """Every payable or pending line with status, award and shares."""
    parts, law = loaded
    return pl.concat([_lines(frames, law) for frames in parts])


def _lines(frames: Frames, law: Catalogue) -> pl.DataFrame:
    return owed(Rows(frames, YEAR), law).select(LINE)


def keep(due: pl.DataFrame, out: Path) -> None:
    """Write the lines of `compute`, and totals by 区镇 and item."""
    totals = due.group_by("district", "item").agg(
        pl.len().alias("lines"), pl.sum("award", "city_share", "district_share")
    )
    due.write_parquet(out / "lines.parquet")
    totals.sort("district", "item").write_parquet(out / "totals.parquet")


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read, divided and checked as in every run, to lines and totals."""
    with tempfile.TemporaryDirectory(dir=raw.parent) as work:
        parts, law = checked(raw, Path(work))
        keep(pl.concat([_lines(frames, law) for frames in parts]), out)
