"""One measurement in a process of its own: python -m benchmarks.contest.measured CONTENDER MODE RAW OUT

MODE `rules`: what `compute` takes on figures already in memory; imports and loading are left out.
MODE `check`: makes the tables that MODE `tables` starts from, as the product's checks leave them in OUT.
MODE `end_to_end` and `tables`: from the raw files or those tables to the results on disk, without the start of Python
and the imports, which the driver measures with the whole process. Prints one line of JSON: seconds on the wall, seconds of
all cores, and the most memory the process ever held (MiB).
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_LIBRARIES = ("polars", "duckdb", "pandas", "numpy", "pyarrow", "OpenFisca-Core")


def clocked(work: Callable[..., Any], *arguments: Any) -> tuple[dict[str, float], Any]:
    """Seconds on the wall and of all cores, and what the work returned."""
    wall, cores = time.perf_counter(), time.process_time()
    result = work(*arguments)
    return {"seconds": time.perf_counter() - wall, "cores": time.process_time() - cores}, result


def peak() -> float:
    """The most resident memory of this process so far, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def versions() -> dict[str, str]:
    """The libraries installed here."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def measure(contender: str, mode: str, raw: Path, out: Path) -> dict[str, Any]:
    """Run one mode; the results are left in `out`."""
    module = importlib.import_module(f"benchmarks.contest.{contender}")
    out.mkdir(parents=True, exist_ok=True)
    if mode == "rules":
        loaded = module.prepare(raw)
        held = peak()
        figures, result = clocked(module.compute, loaded)
        figures |= {"loaded": held, "peak": peak()}
        module.keep(result, out)
    else:
        work = {"check": "check", "tables": "from_tables", "end_to_end": "end_to_end"}[mode]
        figures, _ = clocked(getattr(module, work), raw, out)
        figures["peak"] = peak()
    return figures | {"differences": getattr(module, "DIFFERENCES", ""), "versions": versions()}


if __name__ == "__main__":
    name, how, source, target = sys.argv[1:]
    print(json.dumps(measure(name, how, Path(source), Path(target)), ensure_ascii=False))
