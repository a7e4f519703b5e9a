"""What-if against full runs, on one synthetic city in one process: one term, a hundred scenarios, solving for a budget.

python -m benchmarks.scenarios [--enterprises 100000] [--scenarios 100]
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from flows import steps
from flows.files import checked_frames
from rules.award import settle
from rules.catalogue import Catalogue, load_catalogue
from rules.scenario import Scenario, apply_scenario
from rules.terms import Scalar
from synth import generate
from whatif.bench import Bench
from whatif.compare import compare
from whatif.solve import parse_target, parse_varied, solve


def seconds(work: Callable[[], Any], times: int = 5) -> float:
    """The median time of a call, after one that does not count."""
    work()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def with_term(law: Catalogue, item: str, term: str, value: str) -> Catalogue:
    """The law with one term changed."""
    return apply_scenario(law, Scenario(name="b", title="b", terms={item: {term: value}}))


def some_scenarios(law: Catalogue, count: int) -> list[Catalogue]:
    """One plain figure of an item changed in each, over the whole catalogue."""
    places = [
        (item.id, name, term.value * Decimal("1.1"))
        for item in law.items.values()
        for name, term in item.terms.items()
        if isinstance(term, Scalar) and item.registry and law.in_force(item) and term.value >= 10_000
    ]
    step = max(1, len(places) // count)
    return [with_term(law, item, name, f"{value:f}") for item, name, value in places[::step][:count]]


def main() -> None:
    """Generate the city, load it once, and time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enterprises", type=int, default=100_000)
    parser.add_argument("--scenarios", type=int, default=100)
    asked = parser.parse_args()
    law = load_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        raw, work = Path(folder) / "raw", Path(folder) / "work"
        work.mkdir()
        generate(asked.enterprises, (2021, 2023), 1, raw, "parquet")
        steps.read(work, raw, 2023, lambda _: None)
        steps.check_rows(work, 2023, law, lambda _: None)
        bench = Bench(checked_frames(work), 2023, law)
    cores, version = os.cpu_count(), platform.python_version()
    print(f"{platform.machine()}, {cores} cores, Python {version}, polars {pl.__version__}")
    print(f"{asked.enterprises:,} enterprises, {bench.lines.height:,} award lines")
    full = seconds(lambda: settle(bench.frames, law, 2023), 3)
    print(f"{'full settlement':<44}{full:>9.3f} s")
    for item, term, value in (("A4.06", "rate", "8%"), ("A7.08", "rate", "25%"), ("A11.03", "cap", "500万")):
        other = with_term(law, item, term, value)
        one = seconds(lambda other=other: bench.owed_under(other))
        print(f"{f'one term, {item}.{term}: amounts':<44}{one:>9.3f} s   1/{full / one:.0f} of full")
        told = seconds(lambda other=other: bench.lines_of(other))
        print(
            f"{f'one term, {item}.{term}: lines with words':<44}{told:>9.3f} s   1/{full / told:.0f} of full"
        )
    laws = some_scenarios(law, asked.scenarios)
    begun = time.perf_counter()
    for one_law in laws:
        bench.owed_under(one_law)
    spent = time.perf_counter() - begun
    print(f"{f'{len(laws)} scenarios of one term each':<44}{spent:>9.3f} s   {spent / len(laws):.3f} s each")
    half = bench.lines.filter(item="A4.06")["city_share"].sum() * 2 / 3
    target, varied = (
        parse_target(f"A4.06.city_share <= {half}", law),
        parse_varied("A4.06.rate", "0.02..0.08", law),
    )
    begun = time.perf_counter()
    solved = solve(bench, target, varied)
    spent = time.perf_counter() - begun
    print(f"{f'solve, {solved.evaluations} evaluations':<44}{spent:>9.3f} s")
    after = bench.lines_of(laws[0])
    print(f"{'compare two runs':<44}{seconds(lambda: compare(bench.lines, after), 3):>9.3f} s")


if __name__ == "__main__":
    main()
