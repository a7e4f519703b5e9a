"""Measure everything, or a part, and write docs/benchmarks.md and benchmarks/results.json.

python -m benchmarks.report [--only contest,whatif,reading,scaling,forecast] [--sizes 100000,1000000] [--large]
    [--runs 3] [--python .venv-bench/bin/python]
python -m benchmarks.report --from benchmarks/results.json     the page again, without measuring
python -m benchmarks.report --quote     the README's table

A section that was measured replaces its part of results.json and leaves the others, as does each size of the
contest, so that a long run can be done in pieces. `--large`: the contest also at 10,000,000 and the scaling to 10⁷.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import prospect, reading, scaling, whatif
from benchmarks.contest.__main__ import AGAINST, contest
from benchmarks.page import page
from benchmarks.quoted import quoted

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
LARGE = 10_000_000
Figures = dict[str, Any]


def circumstances() -> Figures:
    """Where and when a section was measured, and what else the machine was doing (processes that want a core)."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "date": date.today().isoformat(),
        "machine": f"{cpu[0].partition(':')[2].strip() if cpu else platform.machine()}, {os.cpu_count()} cores",
        "memory_gib": round(memory() / 1024**3, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "commit": head.stdout.strip(),
    }


def memory() -> int:
    """Bytes of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def defaults(arguments: Callable[[argparse.ArgumentParser], None], **given: Any) -> argparse.Namespace:
    """A section's arguments as usual, but for those given."""
    parser = argparse.ArgumentParser()
    arguments(parser)
    asked = parser.parse_args([])
    vars(asked).update({name: value for name, value in given.items() if value is not None})
    return asked


def measure_contest(asked: argparse.Namespace, results: Figures) -> None:
    """One city after the other, each kept at once."""
    for size in [*asked.sizes, *([LARGE] if asked.large else [])]:
        about = circumstances()
        with tempfile.TemporaryDirectory() as folder:
            wanted = argparse.Namespace(
                enterprises=size,
                seed=1,
                runs=asked.runs if size < LARGE else 1,
                only=asked.contenders,
                python=asked.python,
                limit_gb=asked.limit_gb,
            )
            found = contest(wanted, Path(folder))
        kept = results.setdefault("contest", {})
        kept[str(size)] = {"about": about, "seed": wanted.seed, **found}
        results["contest"] = dict(sorted(kept.items(), key=lambda one: int(one[0])))
        keep(results)


def measure_whatif(asked: argparse.Namespace, results: Figures) -> None:
    """The section `whatif`."""
    given = {"python": asked.python, "runs": asked.runs, "limit_gb": asked.limit_gb}
    wanted = defaults(whatif.arguments, **given, enterprises=asked.enterprises, scenarios=asked.scenarios)
    _section("whatif", results, lambda folder: whatif.whatif(wanted, folder))


def measure_reading(asked: argparse.Namespace, results: Figures) -> None:
    """The section `reading`."""
    given = {"python": asked.python, "runs": asked.runs, "limit_gb": asked.limit_gb}
    wanted = defaults(reading.arguments, **given, rows=asked.rows)
    _section("reading", results, lambda folder: reading.reading(wanted, folder))


def measure_scaling(asked: argparse.Namespace, results: Figures) -> None:
    """The section `scaling`."""
    power = max(asked.to or 6, 7 if asked.large else 0)
    given = {"runs": asked.runs, "limit_gb": asked.limit_gb, "partitions": asked.partitions, "to": power}
    wanted = defaults(scaling.arguments, **given, enterprises=asked.enterprises)
    _section("scaling", results, lambda folder: scaling.scaling(wanted))


def measure_forecast(asked: argparse.Namespace, results: Figures) -> None:
    """The section `forecast`."""
    wanted = defaults(prospect.arguments, runs=asked.runs, enterprises=asked.enterprises, draws=asked.draws)
    _section("forecast", results, lambda folder: prospect.forecast(wanted, folder))


def _section(name: str, results: Figures, measured: Callable[[Path], Figures]) -> None:
    about = circumstances()
    with tempfile.TemporaryDirectory() as folder:
        results[name] = {"about": about, **measured(Path(folder))}
    keep(results)


SECTIONS: dict[str, Callable[[argparse.Namespace, Figures], None]] = {
    "contest": measure_contest,
    "whatif": measure_whatif,
    "reading": measure_reading,
    "scaling": measure_scaling,
    "forecast": measure_forecast,
}


def keep(results: Figures) -> None:
    """Write all figures, and the page that tells them."""
    ordered = {name: results[name] for name in SECTIONS if name in results}
    RESULTS.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(ordered), encoding="utf-8")


def read_results(path: Path = RESULTS) -> Figures:
    """The figures kept so far."""
    found: Figures = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def words(text: str) -> list[str]:
        return text.split(",")

    parser.add_argument("--only", type=words, default=list(SECTIONS), help="sections")
    parser.add_argument("--contenders", type=words, default=list(AGAINST), help="of the contest")
    parser.add_argument("--python", default=sys.executable, help="the Python of the contenders")
    parser.add_argument("--from", type=Path, dest="source", help="make the page from these figures")
    parser.add_argument("--quote", action="store_true", help="print the README's table")
    parser.add_argument("--large", action="store_true", help="also ten million enterprises")
    most = round(memory() * 0.9 / 1e9, 1)
    parser.add_argument("--limit-gb", type=float, default=most, help="a process that holds more is ended")
    sizes = [100_000, 1_000_000]
    parser.add_argument("--sizes", type=lambda text: [*map(int, text.split(","))], default=sizes)
    parser.add_argument("--runs", type=int, default=3)
    for name in ("enterprises", "scenarios", "rows", "draws", "to", "partitions"):
        parser.add_argument(f"--{name}", type=int, help="as the section has it")
    return parser


def main() -> None:
    """Measure what was asked for and write the page, or write it from figures that are there."""
    parser = _parser()
    asked = parser.parse_args()
    if unknown := [name for name in asked.only if name not in SECTIONS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if asked.quote:
        print(quoted(read_results(asked.source or RESULTS)), end="")
    elif asked.source:
        PAGE.write_text(page(read_results(asked.source)), encoding="utf-8")
    else:
        results = read_results()
        for name in asked.only:
            SECTIONS[name](asked, results)


if __name__ == "__main__":
    main()
