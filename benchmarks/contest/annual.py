"""The whole command `duixian annual`: reads, checks, computes, verifies, writes tables, workbook and manifest."""

from pathlib import Path

from benchmarks.contest.ours import SCENARIO, YEAR
from flows.cli import main


def end_to_end(raw: Path, out: Path) -> None:
    """One complete published run in `<out>/scenarios/contest/annual/2023`."""
    places = ["--raw", str(raw), "--out", str(out), "--scenario", str(SCENARIO)]
    code = main(["annual", "--year", str(YEAR), *places])
    if code:
        raise SystemExit(code)
