"""The forecast against a hand-written NumPy loop: wall time and peak memory, each in a process of its own.

python -m benchmarks.prospect [--enterprises 100000] [--draws 1000] [--years 3] [--workers 2] [--runs 1]

One synthetic city with so many enterprises that report R&D, its registries read and checked beforehand.
`floor` is the loop: plain lognormal growth, A4.06 by 区镇, no rule engine and no output. `A4.06` is the
forecast's own growth (tables from the panel, exits, newcomers, zeros) and the compiled rule, all totals on
disk; `computed` adds A11.02-04 and every claim that the text computes. The other rows show how time and
memory grow; then where the time goes. `ns`: nanoseconds per enterprise, draw and year. `cores`: seconds of all
cores together, which others at work on the machine change less than those on the wall.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("prospect_measured.py")
PROFILED = 64
"""Draws that are profiled, by one worker: a profile slows what it measures."""

Figures = dict[str, Any]


def measure(child: str, *arguments: object) -> dict[str, float]:
    """The figures of one process that must succeed, with `process` seconds and `peak` MiB.

    A child's peak is never below that of the process that started it, so this one imports nothing large.
    """
    command = [sys.executable, str(MEASURED), child, *map(str, arguments)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    found: dict[str, float] = json.loads(told)
    return found | {"process": time.perf_counter() - begun, "peak": usage.ru_maxrss / 1024}


def median(runs: int, child: str, *arguments: object) -> dict[str, float]:
    """The median of every figure over some runs."""
    found = [measure(child, *arguments) for _ in range(runs)]
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def forecast(asked: argparse.Namespace, folder: Path) -> Figures:
    """The rows of the table, and where the time goes."""
    many, draws = asked.enterprises, asked.draws
    tenth, few = max(1, many // 10), max(1, draws // 10)
    city = {n: folder / str(n) for n in {many, tenth}}
    made = {n: measure("prepare", at, asked.years, 1, 1, n) for n, at in city.items()}
    size = {n: int(told["enterprises"]) for n, told in made.items()}
    plan = [
        ("floor", "floor", many, draws),
        ("A4.06", "single", many, draws),
        ("computed", "computed", many, draws),
        ("A4.06, a tenth of the draws", "single", many, few),
        ("floor, a tenth of the city", "floor", tenth, draws),
        ("A4.06, a tenth of the city", "single", tenth, draws),
    ]
    rows: list[Figures] = []
    bare: dict[int, dict[str, float]] = {}
    for title, child, n, d in plan:
        found = median(asked.runs, child, city[n], asked.years, d, asked.workers)
        each = {name: found[name] * 1e9 / (size[n] * d * asked.years) for name in ("seconds", "cores")}
        if child == "floor":
            bare[n] = each
        against = {f"floor_{name}": each[name] / bare[n][name] for name in each}
        rows.append(
            {"title": title, "enterprises": size[n], "draws": d, **found, "ns": each["seconds"], **against}
        )
        print(f"forecast {title}: {found['seconds']:.2f} s", file=sys.stderr, flush=True)
    stages = {
        of: measure(f"profile_{of}", city[many], asked.years, PROFILED, 1) for of in ("single", "computed")
    }
    return {
        **{name: getattr(asked, name) for name in ("years", "workers", "runs")},
        "seed": int(made[many]["seed"]),
        "versions": {name: version(name) for name in ("polars", "numpy")},
        "rows": rows,
        "stages": {
            of: {name: part for name, part in found.items() if name not in ("process", "peak")}
            for of, found in stages.items()
        },
    }


def show(result: Figures) -> None:
    """Print the table, what it aims at, and the stages."""
    print(f"{result['years']} years, {result['workers']} workers, medians of {result['runs']}")
    print(
        f"{'':<28}{'enterprises':>12}{'draws':>8}{'seconds':>9}{'cores':>8}{'process':>9}{'peak MiB':>10}{'ns':>7}"
        f"{'× floor':>9}{'× cores':>9}{'file KiB':>10}{'yuan a draw':>17}"
    )
    for row in result["rows"]:
        print(
            f"{row['title']:<28}{row['enterprises']:>12,}{row['draws']:>8,}{row['seconds']:>9.2f}"
            f"{row['cores']:>8.2f}{row['process']:>9.2f}{row['peak']:>10,.0f}{row['ns']:>7.1f}"
            f"{row['floor_seconds']:>9.2f}{row['floor_cores']:>9.2f}"
            f"{row.get('bytes', 0) / 1024:>10,.0f}{row['yuan']:>17,.0f}"
        )
    print("aims: A4.06 at most 1.5 × floor; computed below 60 s and 2,048 MiB")
    for of, parts in result["stages"].items():
        print(f"{of}, one worker: {', '.join(f'{k} {v:.0%}' for k, v in parts.items())}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked of this section alone."""
    for name, usual in (("enterprises", 100_000), ("draws", 1000), ("years", 3), ("workers", 2), ("runs", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    asked = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"polars {version('polars')}, numpy {version('numpy')}"
    )
    with tempfile.TemporaryDirectory() as folder:
        show(forecast(asked, Path(folder)))


if __name__ == "__main__":
    main()
