"""What if a number of the law were another? The product's bench against running scripts and a reform anew.

python -m benchmarks.whatif [--enterprises 100000] [--scenarios 100] [--runs 3] [--only ours,polars_script]

The contest's city and its nine items. One term changed (A4.06 from 6% to 8%; the yearly cap of A7.08 from 300万
to 200万), then many scenarios of one term each. Everybody has the data in memory and ends with totals by 区镇 and
item, which must agree to the fen. Ours computes the items that a scenario changes; the others run whole, as they
are written. Every contender in a process of its own, in turns.
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
from benchmarks.contest.terms import TERMS, Terms

CONTENDERS = ("ours", "polars_script", "duckdb_query", "pandas_script", "openfisca_model")
ONE: list[Terms] = [{"A4.06.rate": 8}, {"A7.08.cap": 2_000_000}]
FIGURES = ("prepare", "many", "many_cores", "peak")
Figures = dict[str, Any]


def scenarios(count: int) -> list[Terms]:
    """So many changes of one term each, all terms in turn: 10%, 20%, … more and less, in whole percents and yuan."""
    found: list[Terms] = []
    for share in (10, 20, 30, 40, 50):
        for sign in (1, -1):
            found += [{name: value + sign * max(1, value * share // 100)} for name, value in TERMS.items()]
    if count > len(found):
        raise SystemExit(f"there are {len(found)} scenarios at most")
    return found[:count]


def measured(name: str, folder: Path, asked: argparse.Namespace) -> Figures:
    """One process of a contender."""
    python = sys.executable if name == "ours" else asked.python
    command = [python, "-m", "benchmarks.whatif_measured", name, str(folder / "raw")]
    command += [str(folder / "scenarios.json"), str(folder / name), str(asked.times)]
    told, whole = run(command, asked.limit_gb)
    return whole if "failed" in whole else json.loads(told.splitlines()[-1])


def compared(name: str, folder: Path) -> Figures:
    """Totals of a contender that are not ours, by how many fen at most, of how many."""
    code = "import sys; from benchmarks.whatif_agree import told; told(sys.argv[1], sys.argv[2])"
    told, whole = run([sys.executable, "-c", code, str(folder / "ours"), str(folder / name)], math.inf)
    return whole if "failed" in whole else json.loads(told)


def whatif(asked: argparse.Namespace, folder: Path) -> Figures:
    """Generate the city, let the contenders take turns, compare their totals."""
    laid_out = {"one": ONE, "many": scenarios(asked.scenarios)}
    (folder / "scenarios.json").write_text(json.dumps(laid_out), encoding="utf-8")
    made = "from pathlib import Path; from benchmarks.contest.data import generate; import sys;"
    made += "generate(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))"
    command = [sys.executable, "-c", made, str(asked.enterprises), str(asked.seed), str(folder / "raw")]
    if "failed" in run(command, math.inf)[1]:
        raise SystemExit("the city was not written")
    found: dict[str, list[Figures]] = defaultdict(list)
    for number in range(asked.runs):
        for name in asked.only:
            if not any("failed" in one for one in found[name]):
                found[name].append(measured(name, folder, asked))
                print(f"whatif {number + 1}/{asked.runs} {name}", file=sys.stderr, flush=True)
    return {
        "enterprises": asked.enterprises,
        "seed": asked.seed,
        "runs": asked.runs,
        "scenarios": len(laid_out["many"]),
        "versions": {name: v for held in found.values() for name, v in held[0].get("versions", {}).items()},
        "figures": {name: median(held) for name, held in found.items()},
        "agreement": {
            name: compared(name, folder)
            for name in asked.only
            if name != "ours" and not any("failed" in one for one in [*found[name], *found["ours"]])
        },
    }


def median(found: list[Figures]) -> Figures:
    """The medians of processes, or how one of them failed."""
    if failed := next((one for one in found if "failed" in one), None):
        return failed
    return {
        "one": {
            key: {
                n: statistics.median(run["one"][key][n] for run in found)
                for n in ("first", "seconds", "cores")
            }
            for key in found[0]["one"]
        },
        **{name: statistics.median(one[name] for one in found) for name in FIGURES},
        "each": [{name: one[name] for name in ("one", *FIGURES)} for one in found],
    }


def show(result: Figures) -> None:
    """Print the figures and the agreement."""
    print(
        f"{result['enterprises']:,} enterprises, {result['scenarios']} scenarios, medians of {result['runs']}"
    )
    print(f"{'':<17}{'prepare s':>10}" + "".join(f"{key:>12}" for one in ONE for key in one), end="")
    print(f"{'many s':>9}{'peak MiB':>10}")
    for name, row in result["figures"].items():
        if "failed" in row:
            print(f"{name:<17}{row['failed']:>28}")
            continue
        ones = "".join(f"{one['seconds']:>12.4f}" for one in row["one"].values())
        print(f"{name:<17}{row['prepare']:>10.2f}{ones}{row['many']:>9.2f}{row['peak']:>10,.0f}")
    for name, found in result["agreement"].items():
        print(f"{name}: {found}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be asked of this section alone."""
    for name, usual in (("enterprises", 100_000), ("scenarios", 100), ("runs", 3), ("times", 5), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CONTENDERS))
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
        show(whatif(asked, Path(folder)))


if __name__ == "__main__":
    main()
