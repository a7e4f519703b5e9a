"""Several engines and scripts compute the same awards: time, memory, and whether they agree to the fen.

python -m benchmarks.contest [--enterprises 100000] [--runs 3] [--only ours,polars_script] [--limit-gb 20]

Every measurement is a process of its own. The contenders take turns, so that a machine that slows down slows
all of them. `rules`: from figures in memory to lines and totals in memory. The others are whole processes, from the
start of Python to the results on disk. `end to end`: from the raw Parquet files, which the product reads and checks as
in every run (check digits, repetitions, contradictions) and the scripts trust. `tables`: from the tables that the
product's checks have left, which it trusts too: there enterprises are numbered, so that codes need not be joined as in
the scripts, repetitions are marked and rows divided. A script has one run from files, which stands against both.
The product keeps a line for every row that is due or may be. `cores`: seconds of all cores.
`×`: against the product's own amounts, or its own full table for those who write all its columns.
"""

import argparse
import compileall
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.words import OURS

AGAINST = {
    "ours": "ours",
    "polars_script": "ours",
    "duckdb_query": "ours",
    "pandas_script": "ours",
    "openfisca_model": "ours",
    "ours_full": "ours_full",
    "polars_full": "ours_full",
    "annual": "ours_full",
}
"""Every contender, and the one of ours that does the same work."""

MODES = ("rules", "end_to_end", "tables")
ROOT = Path(__file__).parents[2]
FIGURES = ("seconds", "cores", "peak")
Figures = dict[str, Any]


def run(command: list[str], limit: float) -> tuple[str, Figures]:
    """What a process printed, with its seconds on the wall and of all cores.

    A process that comes to hold more than `limit` GB is ended, and one that fails tells so: `failed`.
    """
    begun, over = time.perf_counter(), threading.Event()
    # A user's Python keeps the bytecode of what it imports, that of the product as that of libraries.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=usual) as process:
        watch = threading.Thread(target=_watch, args=(process, limit, over), daemon=True)
        watch.start()
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    figures = {"seconds": time.perf_counter() - begun, "cores": usage.ru_utime + usage.ru_stime}
    if over.is_set():
        return "", {"failed": f"more than {limit:g} GB"}
    return told, figures if not process.returncode else {"failed": f"ended with {process.returncode}"}


def _watch(process: "subprocess.Popen[str]", limit: float, over: threading.Event) -> None:
    """End the process when it holds more than `limit` GB."""
    status = Path(f"/proc/{process.pid}/status")
    while process.returncode is None:
        try:
            held = next((line for line in status.read_text().splitlines() if line.startswith("VmRSS:")), "")
        except OSError:
            return
        if held and int(held.split()[1]) > limit * 1e6:
            over.set()
            process.kill()
            return
        time.sleep(0.1)


def measured(contender: str, mode: str, folder: Path, asked: argparse.Namespace) -> Figures:
    """One measurement. Seconds and cores are those of the whole process, but for `rules`."""
    python = sys.executable if contender in OURS else asked.python
    source = folder / ("checked" if mode == "tables" else "raw")
    target = folder / _results(contender, mode)
    command = [python, "-m", "benchmarks.contest.measured", contender, mode, str(source), str(target)]
    told, whole = run(command, asked.limit_gb)
    if "failed" in whole:
        return whole
    found: Figures = json.loads(told.splitlines()[-1])
    return found | (whole if mode != "rules" else {})


def contest(asked: argparse.Namespace, folder: Path) -> Figures:
    """Generate the city, let the contenders take turns, compare what they found."""
    compileall.compile_dir(ROOT, maxlevels=3, quiet=2, rx=re.compile(r"/\.|/data/"))
    rows = _city(asked, folder)
    turns = [(c, m) for c in asked.only for m in MODES if _runs(c, m)]
    if any(mode == "tables" for _, mode in turns):
        _checked(asked, folder)
    found: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for number in range(asked.runs):
        for turn in turns:
            if not any("failed" in figures for figures in found[turn]):
                found[turn].append(measured(*turn, folder, asked))
                print(f"{number + 1}/{asked.runs} {' '.join(turn)}", end="   \r", file=sys.stderr, flush=True)
    medians = {turn: _median(figures) for turn, figures in found.items()}
    medians |= {(c, "tables"): one for (c, m), one in medians.items() if c not in OURS and m == "end_to_end"}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "enterprises": asked.enterprises,
        "runs": asked.runs,
        "rows": rows,
        "versions": _versions(found),
        "figures": [
            {"contender": c, "mode": m, **figures, **_ratios(c, m, figures, medians)}
            for (c, m), figures in sorted(medians.items(), key=_place)
        ],
        "agreement": _agreement(asked.only, medians, folder, asked.limit_gb),
        "differences": {c: held[0].get("differences", "") for (c, _), held in found.items()},
    }


def _city(asked: argparse.Namespace, folder: Path) -> dict[str, int]:
    """Make the registries; the rows by registry."""
    made = "from pathlib import Path; from benchmarks.contest.data import generate; import json, sys;"
    made += "print(json.dumps(generate(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))"
    size = [str(asked.enterprises), str(asked.seed), str(folder / "raw")]
    told, whole = run([sys.executable, "-c", made, *size], math.inf)
    if "failed" in whole:
        raise SystemExit(f"the city was not made: {whole['failed']}")
    rows: dict[str, int] = json.loads(told)
    return rows


def _checked(asked: argparse.Namespace, folder: Path) -> None:
    """Leave the tables that the product's checks make of the registries."""
    places = [str(folder / "raw"), str(folder / "checked")]
    command = [sys.executable, "-m", "benchmarks.contest.measured", "ours", "check", *places]
    _, whole = run(command, asked.limit_gb)
    if "failed" in whole:
        raise SystemExit(f"the city was not checked: {whole['failed']}")


def _results(contender: str, mode: str) -> str:
    """The folder of a run's results; of several modes of a script they are the same."""
    return f"{contender}_tables" if mode == "tables" else contender


def _runs(contender: str, mode: str) -> bool:
    """Whether there is such a run: a script's from checked tables is its run from files."""
    return mode == "end_to_end" or (contender != "annual" and (mode == "rules" or contender in OURS))


def _place(turn: tuple[tuple[str, str], Figures]) -> tuple[int, int]:
    contender, mode = turn[0]
    return list(AGAINST).index(contender), MODES.index(mode)


def _median(figures: list[Figures]) -> Figures:
    failed = next((one for one in figures if "failed" in one), None)
    if failed:
        return failed
    each = {name: [one[name] for one in figures] for name in FIGURES}
    return {name: statistics.median(values) for name, values in each.items()} | {"each": each}


def _ratios(contender: str, mode: str, figures: Figures, medians: dict[tuple[str, str], Figures]) -> Figures:
    """Ours against theirs: how many times longer our process took."""
    mine = medians.get((AGAINST[contender], mode), {"failed": ""})
    if "failed" in figures or "failed" in mine:
        return {}
    return {f"ours_{name}": mine[name] / figures[name] for name in FIGURES}


def _versions(found: dict[tuple[str, str], list[Figures]]) -> Figures:
    return {
        name: number
        for held in found.values()
        for one in held
        for name, number in one.get("versions", {}).items()
    }


def _agreement(
    only: list[str], medians: dict[tuple[str, str], Figures], folder: Path, limit: float
) -> Figures:
    """By contender, and for our runs from checked tables, whether the results are those of our own run from files."""
    pairs = {c: (AGAINST[c], (c, "end_to_end")) for c in only if c not in OURS}
    pairs |= {_results(c, "tables"): (c, (c, "tables")) for c in only if c in OURS}
    found = {}
    for name, (ours, turn) in pairs.items():
        if all("failed" not in medians.get(one, {"failed": ""}) for one in ((ours, "end_to_end"), turn)):
            command = [
                sys.executable,
                "-m",
                "benchmarks.contest.agree",
                str(folder / ours),
                str(folder / name),
            ]
            told, whole = run(command, limit)
            found[name] = whole if "failed" in whole else json.loads(told)
    return found


def show(result: Figures) -> None:
    """Print the figures, the agreement and where differences come from."""
    print(f"{result['machine']}; {result['enterprises']:,} enterprises, medians of {result['runs']}")
    print(", ".join(f"{name} {number}" for name, number in result["versions"].items()))
    print(f"{'':<17}{'':<12}{'seconds':>9}{'cores':>9}{'peak MiB':>10}{'ours ×':>9}{'cores ×':>9}")
    for row in result["figures"]:
        head = f"{row['contender']:<17}{row['mode'].replace('_', ' '):<12}"
        if "failed" in row:
            print(f"{head}{row['failed']:>28}")
            continue
        times = "".join(f"{row[f'ours_{n}']:>9.2f}" for n in FIGURES[:2] if f"ours_{n}" in row)
        print(f"{head}{row['seconds']:>9.2f}{row['cores']:>9.2f}{row['peak']:>10,.0f}{times}")
    for contender, found in result["agreement"].items():
        print(f"{contender}: {_told(found)}")
        if result["differences"].get(contender):
            print(f"    {result['differences'][contender]}")


def _told(found: Figures) -> str:
    if "failed" in found:
        return str(found["failed"])
    if "cells" in found or "columns" in found:
        cells = f"{found['lines']:,} lines, {found.get('cells', 0):,} cells"
        return f"{cells}, all equal" if found["alike"] else f"{cells}, different: {found['columns']}"
    lines = f"{found['equal']:,} of {found['lines']:,} lines equal, {found['alone']:,} in one only"
    totals = f"{found['totals_different']} of {found['totals']} totals different"
    if not found["different"]:
        return f"{lines}; {totals}"
    most, gap, sizes = (found[f"{n}_fen"] / 100 for n in ("largest", "sum", "sum_of_sizes"))
    return (
        f"{lines}; {found['different']:,} different, at most {most:,.2f} yuan, {gap:,.2f} together, "
        f"{sizes:,.2f} in size, by item {found['by_item']}; {totals}"
    )


def main() -> None:
    """Print what was measured; with --json leave it as data too."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, usual in (("enterprises", 100_000), ("runs", 3), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(AGAINST))
    parser.add_argument("--limit-gb", type=float, default=1000.0, help="a process that holds more is ended")
    parser.add_argument("--python", default=sys.executable, help="the Python of the contenders")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="leave the figures here")
    asked = parser.parse_args()
    if unknown := [name for name in asked.only if name not in AGAINST]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(AGAINST)}")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        result = contest(asked, Path(folder))
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
