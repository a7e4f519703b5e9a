"""What a run reads, slice by slice: Excel and CSV files as they were parsed, Parquet files where they stand."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from flows.files import read_json
from registries.locate import Folder
from registries.read import CELL_FAULTS, Table, read_parquet, read_table, survey
from schemas.errors import Unusable
from schemas.registries import PROVENANCE, REGISTRIES

SLICE = 1_000_000
"""Rows of a Parquet file that are read at once, since it may be larger than memory."""

FAULTS = {column: dtype for column, dtype in CELL_FAULTS.items() if column != "row"} | PROVENANCE
"""A cell that could not be read, by its place in the files."""


class Rows(NamedTuple):
    """Rows as read, with the year of their `folder`, and their cells' faults (columns FAULTS)."""

    frame: pl.DataFrame
    faults: pl.DataFrame


@dataclass(frozen=True)
class Slice:
    """Some rows of a file. `label` is how provenance names it, `year` its folder's; `name` sorts slices.

    `stamp`: size and time of a Parquet file, which is read when it is needed; None for rows that were parsed.
    """

    registry: str
    name: str
    path: str
    label: str
    year: int
    first: int
    rows: int
    stamp: tuple[int, int] | None

    def read(self, columns: list[str] | None = None) -> Rows:
        """The rows, of all columns or some. Raises Unusable where the file has changed since it was found."""
        path = Path(self.path)
        if self.stamp is None:
            faults = pl.read_parquet(_faults(path)) if columns is None else pl.DataFrame(schema=FAULTS)
            return Rows(pl.read_parquet(path, columns=columns), faults)
        self.refuse_changed()
        table = read_parquet(path, REGISTRIES[self.registry], self.label, self.first, self.rows, columns)
        self.refuse_changed()
        return _rows(table, self.year)

    def refuse_changed(self) -> None:
        """Raises Unusable where the file has changed since it was found."""
        if self.stamp is not None and tuple(self.stamp) != _stamp(Path(self.path), self.label):
            raise Unusable(f"文件「{self.label}」在运行中被改动，请重新运行。")


def _rows(table: Table, year: int) -> Rows:
    folder = pl.lit(year, pl.Int32).alias("folder")
    return Rows(table.frame.with_columns(folder), table.located_faults().select(list(FAULTS)))


def _faults(parsed: Path) -> Path:
    return parsed.with_suffix(".faults")


def _stamp(path: Path, label: str) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise Unusable(f"文件「{label}」在运行中不见了，请放回后重新运行。") from error
    return found.st_size, found.st_mtime_ns


def found(into: Path, registry: str, folder: Folder, label: str) -> tuple[list[Slice], list[str]]:
    """The slices of a folder's file and notes on it; what is not Parquet is parsed, into `<into>/<registry>`."""
    path = folder.files[registry]
    whole = Slice(registry, f"{folder.year}-000000", str(path), label, folder.year, 0, 0, None)
    if path.suffix.casefold() == ".parquet":
        whole = replace(whole, path=str(path.absolute()), stamp=_stamp(path, label))
        rows, notes = survey(path, REGISTRIES[registry], label)
        whole.refuse_changed()
        starts = range(0, max(1, rows), SLICE)
        return [
            replace(whole, name=f"{folder.year}-{number:06}", first=first, rows=min(SLICE, rows - first))
            for number, first in enumerate(starts)
        ], notes
    table = read_table(path, REGISTRIES[registry], label)
    parsed = into / registry / f"{whole.name}.parquet"
    parsed.parent.mkdir(parents=True, exist_ok=True)
    frame, faults = _rows(table, folder.year)
    frame.write_parquet(parsed, compression="lz4", statistics=False)
    faults.write_parquet(_faults(parsed))
    return [replace(whole, path=str(parsed), rows=frame.height)], table.notes


def put(slices: Sequence[Slice]) -> list[dict[str, object]]:
    """Slices as they are put down in `read.json`."""
    return [asdict(one) for one in slices]


def slices(work: Path, registry: str) -> list[Slice]:
    """The slices of a registry that `read` found, in their order."""
    return [Slice(**one) for one in read_json(work / "read.json")["slices"] if one["registry"] == registry]


def all_rows(
    work: Path, registries: Sequence[str]
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """By registry its rows and their faults, whole; each slice has the texts of its own faulty cells."""
    wanted = [one for registry in registries for one in slices(work, registry)]
    with ThreadPoolExecutor() as threads:  # a column of text keeps one core busy
        read = list(threads.map(Slice.read, wanted))
    frames, faults = {}, {}
    for registry in registries:
        held = [rows for one, rows in zip(wanted, read, strict=True) if one.registry == registry]
        frames[registry] = pl.concat([rows.frame for rows in held], how="diagonal")
        faults[registry] = pl.concat([rows.faults for rows in held])
    return frames, faults
