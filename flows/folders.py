"""Run folders: work apart, then one atomic switch of the year's link; a lock keeps two runs apart."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import Unusable

_PARTIAL = ".partial"


def published(out: Path, year: int, scenario: str | None) -> Path:
    """Where the result of a year stands: the official run's folder, or the scenario's."""
    base = out / "scenarios" / scenario if scenario else out
    return base / "annual" / str(year)


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the year's lock; says so when another run has it, and waits. The system frees a dead run's lock."""
    _make(target.parent)
    with (target.parent / f".{target.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"另一次运行正在生成「{target}」，等它结束……", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def new_work_folder(target: Path) -> Path:
    """A fresh folder beside the finished runs; what killed runs left behind is removed. Call while locked."""
    runs = target.parent / ".runs"
    _make(runs)
    for left in runs.glob(f"{target.name}-*{_PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{target.name}-", suffix=_PARTIAL, dir=runs))


def publish(target: Path, result: Path) -> Path:
    """Make `result` the year's folder by one atomic rename of a link. Call while locked."""
    runs = target.parent / ".runs"
    if target.exists() and not target.is_symlink():
        raise Unusable(f"「{target}」不是本软件生成的结果链接，请移走后再运行。")
    before = target.resolve() if target.is_symlink() else None
    finished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=runs))
    finished.chmod(0o755)
    os.replace(result, finished)
    link = runs / f".{target.name}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(".runs") / finished.name)
    os.replace(link, target)
    for old in runs.iterdir():
        if old.name.startswith(f"{target.name}-") and old not in (finished, before):
            shutil.rmtree(old, ignore_errors=True)
    return target


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unusable(f"不能写入「{folder}」：{error.strerror}。请检查 --out 的位置和权限。") from error
