"""This product through its public functions: amounts, caps and shares, without a word. Money: Decimal(38, 2) yuan."""

import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from flows.files import checked_tables
from flows.parts import Division
from rules.award import owed
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from rules.history import Rows
from rules.scenario import load_scenario
from schemas.registries import PROVENANCE

YEAR = 2023
SCENARIO = Path(__file__).with_name("contest.yaml")
LINE = (
    *("item", "uscc", "project_id", "district", "status"),
    *("gross", "award", "city_share", "district_share", "award_low", "award_high"),
)

UNREAD = ("project_name", *PROVENANCE, "folder", "has_rejects")
"""Columns of checked tables that only words need, or items that add up rows, of which the contest has none.
Picked by hand, as the scripts pick theirs; the command reads all."""

AT_ONCE = 2
"""Parts that are computed side by side, to keep the cores busy."""

Loaded = tuple[list[Frames], Catalogue]
Result = tuple[pl.DataFrame, pl.DataFrame]


def law_in_force() -> Catalogue:
    """The catalogue with the contest's items alone switched on."""
    return load_catalogue([load_scenario(SCENARIO)])


def check(raw: Path, work: Path) -> None:
    """Read, divide and check the registries as every run does; its tables stay in `work`."""
    from flows import parts, steps  # who starts from checked tables loads no checks

    law = law_in_force()
    work.mkdir(exist_ok=True)
    steps.read(work, raw, YEAR, _quiet)
    for part in parts.divide(work, None, _quiet).folders:
        steps.check_part(part, work, YEAR, law)


def checked(raw: Path, work: Path, law: Catalogue) -> Iterator[Frames]:
    """The same in memory, part by part."""
    from flows import parts, steps

    steps.read(work, raw, YEAR, _quiet)
    folders = parts.divide(work, None, _quiet).folders
    return (steps.checked_part(part, work, YEAR, law).frames for part in folders)


def _quiet(_: str) -> None:
    pass


def prepare(raw: Path) -> Loaded:
    """Checked frames, part by part, and the law."""
    law = law_in_force()
    with tempfile.TemporaryDirectory(dir=raw.parent) as work:
        return list(checked(raw, Path(work), law)), law


def compute(loaded: Loaded) -> Result:
    """Every payable or pending line with status, award and shares, and totals by 区镇 and item."""
    frames, law = loaded
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return _summed(threads.map(lambda part: _lines(part, law), frames))


def _lines(frames: Frames, law: Catalogue) -> pl.DataFrame:
    return owed(Rows(frames, YEAR), law).select(LINE)


def _summed(lines: Iterable[pl.DataFrame]) -> Result:
    due = pl.concat(lines)
    sums = pl.sum("award", "city_share", "district_share")
    return due, due.group_by("district", "item").agg(pl.len().alias("lines"), sums).sort("district", "item")


def keep(result: Result, out: Path) -> None:
    """Write what `compute` returned."""
    for name, frame in zip(("lines", "totals"), result, strict=True):
        frame.write_parquet(out / f"{name}.parquet")


def from_tables(work: Path, out: Path) -> None:
    """From the tables that `check` left to lines and totals."""
    law = law_in_force()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        due = threads.map(lambda part: _lines(_columns_that_count(part), law), Division.of(work).folders)
        keep(_summed(due), out)


def _columns_that_count(part: Path) -> Frames:
    """A part's checked tables. Rows without a column of items tell their enterprise by its number alone."""
    tables = checked_tables(part)
    unread = {name: UNREAD if name not in ("rnd", "equipment") else (*UNREAD, "uscc") for name in tables}
    lazy = [table.drop(unread[name], strict=False) for name, table in tables.items()]
    return dict(zip(tables, pl.collect_all(lazy), strict=True))


def end_to_end(raw: Path, out: Path) -> None:
    """From the raw files, read, divided and checked as in every run, to lines and totals."""
    law = law_in_force()
    with tempfile.TemporaryDirectory(dir=raw.parent) as work:
        keep(_summed(_lines(frames, law) for frames in checked(raw, Path(work), law)), out)
