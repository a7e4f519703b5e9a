"""Reading a messy workbook: the product against pandas and a Python loop: time, memory, and what goes wrong unsaid.

python -m benchmarks.reading [--rows 100000] [--runs 3] [--seed 1]

The workbook is made by benchmarks/reading_data.py, which knows what it says. The product is told which registry it
is and nothing about its layout; the scripts know the rows above the data, the columns and the unit. Every reader in
a process of its own, in turns; imports are left out.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.contest.__main__ import run

READERS = ("ours", "pandas_openpyxl", "pandas_calamine", "openpyxl_loop")
FIGURES = ("seconds", "cores", "peak")
Figures = dict[str, Any]


def child(module: str, *words: object, python: str = sys.executable, limit: float = math.inf) -> Figures:
    """What a process printed as JSON, or how it failed."""
    told, whole = run([python, "-m", f"benchmarks.{module}", *map(str, words)], limit)
    if "failed" in whole:
        return whole
    found: Figures = json.loads(told.splitlines()[-1]) if told.strip() else {}
    return found


def reading(asked: argparse.Namespace, folder: Path) -> Figures:
    """Make the workbook, let the readers take turns, compare what they read."""
    if "failed" in child("reading_data", asked.rows, asked.seed, folder):
        raise SystemExit("the workbook was not written")
    found: dict[str, list[Figures]] = defaultdict(list)
    for number in range(asked.runs):
        for name in asked.only:
            if not any("failed" in one for one in found[name]):
                python = sys.executable if name == "ours" else asked.python
                found[name].append(
                    child("reading_measured", name, folder, python=python, limit=asked.limit_gb)
                )
                print(f"reading {number + 1}/{asked.runs} {name}", file=sys.stderr, flush=True)
    good = [name for name in asked.only if not any("failed" in one for one in found[name])]
    return {
        "rows": asked.rows,
        "seed": asked.seed,
        "runs": asked.runs,
        "bytes": (folder / "rnd.xlsx").stat().st_size,
        "versions": {n: v for name in good for n, v in found[name][0]["versions"].items()},
        "figures": {name: _median(held) for name, held in found.items()},
        "agreement": {name: child("reading_agree", name, folder) for name in good},
    }


def _median(found: list[Figures]) -> Figures:
    if failed := next((one for one in found if "failed" in one), None):
        return failed
    each = {name: [one[name] for one in found] for name in FIGURES}
    return {name: statistics.median(values) for name, values in each.items()} | {"each": each}


def show(result: Figures) -> None:
    """Print figures, sums and what is wrong."""
    print(f"{result['rows']:,} rows, {result['bytes'] / 1e6:.1f} MB, medians of {result['runs']}")
    for name, row in result["figures"].items():
        if "failed" in row:
            print(f"{name:<17}{row['failed']}")
            continue
        found = result["agreement"][name]
        if "failed" in found:
            raise SystemExit(f"{name} could not be compared: {found['failed']}")
        print(f"{name:<17}{row['seconds']:>8.2f} s{row['cores']:>8.2f} s of cores{row['peak']:>8,.0f} MiB")
        print(f"    {found['rows']:,} of {found['rows_truth']:,} rows, {found['said']} cells said unreadable")
        print(f"    wrong and unsaid: {found['silent']}")
        gaps = {n: (found["sums"][n] - total) / 100 for n, total in found["sums_truth"].items()}
        print(f"    sums off by {gaps} yuan")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked of this section alone."""
    for name, usual in (("rows", 100_000), ("runs", 3), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(READERS))
    parser.add_argument("--limit-gb", type=float, default=1000.0, help="a process that holds more is ended")
    parser.add_argument("--python", default=sys.executable, help="the Python of the contenders")


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show(reading(asked, Path(folder)))


if __name__ == "__main__":
    main()
