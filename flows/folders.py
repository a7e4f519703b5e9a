"""Run folders: work apart, then one atomic switch of the year's link; a lock keeps two switches apart."""

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from schemas.errors import Unusable

_PARTIAL = ".partial"


def published(out: Path, year: int, scenario: str | None, kind: str = "annual") -> Path:
    """Where the result of a year stands (`kind`: annual or forecast): the official run's folder, or the scenario's."""
    base = out / "scenarios" / scenario if scenario else out
    return base / kind / str(year)


def new_work_folder(target: Path) -> Path:
    """A fresh folder beside the finished runs, named for this process."""
    runs = target.parent / ".runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{target.name}-{os.getpid()}-", suffix=_PARTIAL, dir=runs))
    except OSError as error:
        raise Unusable(f"不能写入「{runs}」：{error.strerror}。请检查 --out 的位置和权限。") from error


def remove_work_folder(work: Path) -> None:
    """Remove a work folder, and `.runs`, its folder and the out folder if that leaves them empty."""
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):
        for folder in list(work.parents)[:3]:
            folder.rmdir()


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the year's lock; says so when another run has it. The system frees a dead process's lock."""
    with (target.parent / f".{target.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"另一次运行正在发布「{target}」，等它结束……", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def publish(target: Path, result: Path) -> Path:
    """Make `result` the year's folder by one atomic rename of a link; the run before last goes."""
    runs = target.parent / ".runs"
    with _locked(target):
        if target.exists() and not target.is_symlink():
            raise Unusable(f"「{target}」不是本软件生成的结果链接，请移走后再运行。")
        before = target.resolve() if target.is_symlink() else None
        finished = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=runs))
        result.replace(finished)
        finished.chmod(0o755)
        link = runs / f".{target.name}.link"
        link.unlink(missing_ok=True)
        link.symlink_to(Path(".runs") / finished.name)
        link.replace(target)
        for old in runs.glob(f"{target.name}-*"):
            if old not in (finished, before) and not _at_work(old):
                shutil.rmtree(old, ignore_errors=True)
    return target


def _at_work(folder: Path) -> bool:
    """Whether a run folder is the work of a process that still lives."""
    if folder.suffix != _PARTIAL:
        return False
    try:
        os.kill(int(folder.name.split("-")[1]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
