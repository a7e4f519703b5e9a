"""How time and memory of `duixian annual` grow: with the city, and with the items that are evaluated.

python -m benchmarks.scaling [--to 6] [--runs 3] [--items 0,9,50,100,all] [--enterprises 100000]

The city is the contest's (nine items), at 10⁴, 10⁵, … enterprises; the whole command as a process of its own, from
the start of Python to the published folder. Slopes are of the logarithms, over the last two decades, where fixed
cost flatters least: 1.00 is in proportion. The items are those of the catalogue, in an order of their own, on a
synthetic city whose claims cover the whole catalogue; the others are switched off by a scenario.
"""

import argparse
import json
import math
import random
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.contest.__main__ import run

YEAR = 2023
NINE = Path(__file__).parent / "contest" / "contest.yaml"
Figures = dict[str, Any]

_CITY = "from pathlib import Path; import sys, json; from benchmarks.contest.data import generate; "
_CITY += "print(sum(generate(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])).values()))"
_SYNTH = "from pathlib import Path; import sys; from synth import generate; "
_SYNTH += "generate(int(sys.argv[1]), (2022, 2023), int(sys.argv[2]), Path(sys.argv[3]), 'parquet')"
_IN_FORCE = "import json; from rules.catalogue import load_catalogue; law = load_catalogue(); "
_IN_FORCE += "print(json.dumps([i.id for i in law.items.values() if law.in_force(i)]))"
_ANNUAL = "import sys; from pathlib import Path; from flows.cli import main; from benchmarks.contest.measured import peak; "
_ANNUAL += "code = main(sys.argv[1:]); print(peak()); sys.exit(code)"
_LINES = "import polars as pl, sys; lines = pl.scan_parquet(sys.argv[1]).select(pl.len(), "
_LINES += "pl.col('status').is_in(['payable', 'pending']).sum().alias('due')); print(*lines.collect().row(0))"


def python(code: str, *words: object) -> tuple[str, Figures]:
    """What a Python process that must succeed printed, and its seconds."""
    told, figures = run([sys.executable, "-c", code, *map(str, words)], math.inf)
    if "failed" in figures:
        raise SystemExit(f"{' '.join(map(str, words))}: {figures['failed']}")
    return told, figures


def annual(raw: Path, out: Path, scenario: Path | None, asked: argparse.Namespace) -> Figures:
    """Seconds, seconds of all cores and peak MiB of one run of the command, as a whole process."""
    words: list[object] = ["annual", "--year", YEAR, "--raw", raw, "--out", out]
    words += ["--scenario", scenario] if scenario else []
    words += ["--partitions", asked.partitions] if asked.partitions else []
    told, figures = run([sys.executable, "-c", _ANNUAL, *map(str, words)], asked.limit_gb)
    return figures if "failed" in figures else figures | {"peak": float(told.splitlines()[-1])}


def repeated(runs: int, raw: Path, out: Path, scenario: Path | None, asked: argparse.Namespace) -> Figures:
    """Medians of so many runs, and each; the lines considered, and those payable or pending. Or how it failed."""
    found: list[Figures] = []
    while len(found) < runs:
        found.append(annual(raw, out, scenario, asked))
        if "failed" in found[-1]:
            return found[-1]
    each = {name: [one[name] for one in found] for name in ("seconds", "cores", "peak")}
    lines, due = map(int, python(_LINES, next(out.rglob("awards.parquet")))[0].split())
    medians = {name: statistics.median(values) for name, values in each.items()}
    return {"lines": lines, "due": due, **medians, "each": each}


def by_city(asked: argparse.Namespace) -> list[Figures]:
    """One row for each decade."""
    rows = []
    for power in range(4, asked.to + 1):
        with tempfile.TemporaryDirectory() as folder:
            raw, out = Path(folder) / "raw", Path(folder) / "out"
            registry_rows = int(python(_CITY, 10**power, asked.seed, raw)[0])
            found = repeated(asked.runs if power < 7 else 1, raw, out, NINE, asked)
        rows.append({"enterprises": 10**power, "rows": registry_rows, **found})
        print(
            f"scaling {10**power:,}: {found.get('failed') or round(found['seconds'], 1)}",
            file=sys.stderr,
            flush=True,
        )
    return rows


def by_items(asked: argparse.Namespace) -> list[Figures]:
    """One row for each number of items that stay in force."""
    items: list[str] = json.loads(python(_IN_FORCE)[0])
    random.Random(asked.seed).shuffle(items)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        python(_SYNTH, asked.enterprises, asked.seed, raw)
        for words in asked.items:
            count = len(items) if words == "all" else min(int(words), len(items))
            scenario = _without(items[count:], Path(folder) / f"items{count}.yaml")
            found = repeated(asked.runs, raw, Path(folder) / f"out{count}", scenario, asked)
            rows.append({"items": count, **found})
            print(
                f"scaling {count} items: {found.get('failed') or round(found['seconds'], 1)}",
                file=sys.stderr,
                flush=True,
            )
    return rows


def _without(items: list[str], path: Path) -> Path | None:
    """A scenario that switches items off."""
    if not items:
        return None
    lines = [f"  {item}: {{enabled: false}}" for item in items]
    path.write_text("\n".join(["title: 部分条款", "items:", *lines]) + "\n", encoding="utf-8")
    return path


def slope(rows: list[Figures], x: str, y: str) -> float:
    """The slope of log y on log x by least squares."""
    return fitted([math.log(row[x]) for row in rows], [math.log(row[y]) for row in rows])[1]


def fitted(x: list[float], y: list[float]) -> tuple[float, float]:
    """The line through points by least squares: where it begins, and its slope."""
    line = statistics.linear_regression(x, y)
    return line.intercept, line.slope


def scaling(asked: argparse.Namespace) -> Figures:
    """Both tables with what was fitted to them."""
    city, items = by_city(asked), by_items(asked)
    return {
        "seed": asked.seed,
        "runs": asked.runs,
        "enterprises": asked.enterprises,
        "partitions": asked.partitions,
        **fits(city, items),
    }


def fits(city: list[Figures], items: list[Figures]) -> Figures:
    """The rows and the lines through them.

    `fixed`: seconds and MiB that the line through the two smallest cities leaves for none (MiB: of the largest two).
    """
    result: Figures = {"city": city, "items": items}
    city, items = ([row for row in rows if "failed" not in row] for rows in (city, items))
    if len(city) > 1:
        last = city[-3:]
        result["slopes"] = {name: slope(last, "rows", name) for name in ("seconds", "cores", "peak")}
        result["last_slopes"] = {
            name: slope(city[-2:], "rows", name) for name in ("seconds", "cores", "peak")
        }
        result["fixed"] = {
            "seconds": fitted([row["rows"] for row in city[:2]], [row["seconds"] for row in city[:2]])[0],
            "peak": fitted([row["rows"] for row in city[-2:]], [row["peak"] for row in city[-2:]])[0],
        }
    if len(items) > 1:
        names = ("seconds", "cores", "peak")
        lines = {n: fitted([row["items"] for row in items], [row[n] for row in items]) for n in names}
        result["an_item"] = {name: line[1] for name, line in lines.items()}
    return result


def show(result: Figures) -> None:
    """Print both tables and the fits."""
    for table, first in (("city", "enterprises"), ("items", "items")):
        print(f"{first:>12}{'rows':>12}{'due':>12}{'seconds':>9}{'cores':>9}{'peak MiB':>10}")
        for row in result[table]:
            if "failed" in row:
                print(f"{row[first]:>12,} {row['failed']}")
                continue
            print(
                f"{row[first]:>12,}{row.get('rows', 0):>12,}{row['due']:>12,}"
                f"{row['seconds']:>9.2f}{row['cores']:>9.2f}{row['peak']:>10,.0f}"
            )
    for name in ("slopes", "last_slopes", "fixed", "an_item"):
        print(name, result.get(name))


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked of this section alone."""
    usual = {"to": 6, "runs": 3, "seed": 1, "enterprises": 100_000}
    for name, value in usual.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--partitions", type=int, help="parts the command divides the year into")
    parser.add_argument("--limit-gb", type=float, default=1000.0, help="a process that holds more is ended")
    chosen = ["0", "9", "50", "100", "all"]
    parser.add_argument("--items", type=lambda text: text.split(","), default=chosen, help="numbers, or all")


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(parser)
    show(scaling(parser.parse_args()))


if __name__ == "__main__":
    main()
