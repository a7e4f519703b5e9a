"""The files of a work folder, and how published ones are written."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from schemas.registries import REGISTRIES

Say = Callable[[str], None]


def checked_tables(part: Path) -> dict[str, pl.LazyFrame]:
    """The checked registries of a part, not yet read."""
    found = {name: part / "checked" / f"{name}.parquet" for name in REGISTRIES}
    return {name: pl.scan_parquet(path) for name, path in found.items() if path.is_file()}


def checked_frames(part: Path) -> dict[str, pl.DataFrame]:
    """The checked registries of a part."""
    tables = checked_tables(part)
    return dict(zip(tables, pl.collect_all(tables.values()), strict=True))


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes `target` at once; where that is there already, it stays.

    A task whose worker was given up for dead may run twice, even at the same time, and makes the same files.
    """
    made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield made
        if not target.is_dir():
            made.rename(target)
    except OSError:
        if not target.is_dir():  # else another run of the task was faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


ROW_GROUP = 250_000


def write_parquet(frame: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    """Write a published table: fixed row groups, so that the bytes depend on content only, not on its chunks."""
    frame.lazy().sink_parquet(path, compression="zstd", row_group_size=ROW_GROUP)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashes(result: Path) -> dict[str, str]:
    """The SHA-256 of every published table."""
    return {path.name: sha256(path) for path in sorted(result.glob("*.parquet"))}
