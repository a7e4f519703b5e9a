"""The whole catalogue: time to load and compile it, and a run over all items at many claims.

python -m benchmarks.catalogue [--claims 1000000] [--runs 3]

The claims are those of a synthetic city, given to other applicants until there are enough; certifications
and talents come as the city has them. `rules` is the engine alone, `end to end` the command, Parquet to
Parquet and workbook.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from rules.award import settle
from rules.catalogue import Catalogue, load_catalogue
from schemas.registries import PROVENANCE
from synth import generate

DUIXIAN = str(Path(sys.executable).with_name("duixian"))
YEAR, PER_ENTERPRISE = 2023, 0.35


def loading(runs: int) -> tuple[float, float]:
    """Median seconds to load the catalogue, and to compile all of it."""
    loads, compiles = [], []
    for _ in range(runs):
        begun = time.perf_counter()
        law = load_catalogue()
        loaded = time.perf_counter()
        for item in law.items.values():
            if item.registry:
                law.compiled(item)
        loads.append(loaded - begun)
        compiles.append(time.perf_counter() - loaded)
    return statistics.median(loads), statistics.median(compiles)


def multiply(folder: Path, claims: int) -> int:
    """Replace the claims of `folder` by `claims` rows, each copy moved on to other applicants."""
    own = pl.read_parquet(folder / "claims.parquet")
    codes = pl.read_parquet(folder / "enterprises.parquet")["uscc"]
    copies = -(-claims // own.height)
    place = own.select("uscc").join(
        pl.DataFrame({"uscc": codes, "place": range(codes.len())}), on="uscc", maintain_order="left"
    )["place"]
    step = codes.len() // (copies + 1)
    moved = [
        own.with_columns(codes.gather((place + copy * step) % codes.len()).alias("uscc"))
        for copy in range(copies)
    ]
    many = pl.concat(moved).head(claims)
    many.write_parquet(folder / "claims.parquet")
    return many["item"].n_unique()


def rules_alone(folder: Path, law: Catalogue) -> float:
    """Seconds of the engine on the checked frames of one year."""
    frames = {}
    for path in sorted(folder.glob("*.parquet")):
        rows = (
            pl.read_parquet(path)
            .with_row_index("source_row")
            .with_columns(
                pl.col("source_row").cast(pl.Int64),
                *(pl.lit(None, t).alias(c) for c, t in PROVENANCE.items() if c != "source_row"),
                role=pl.lit("line"),
                same_as=pl.lit(None, pl.String),
            )
        )
        frames[path.stem] = rows
    certificates = frames["certifications"].filter(pl.col("item").is_not_null())
    begun = time.perf_counter()
    settle(frames | {"certifications": certificates}, law, YEAR)
    return time.perf_counter() - begun


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, polars {pl.__version__}"
    )
    load, compiled = loading(5)
    print(f"catalogue: load {load:.3f} s, compile {compiled:.3f} s")
    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary) / "raw"
        enterprises = int(arguments.claims / PER_ENTERPRISE / 10)
        generate(enterprises, (YEAR, YEAR), 1, raw, "parquet", mess=False)
        items = multiply(raw / str(YEAR), arguments.claims)
        law = load_catalogue()
        rules = statistics.median(rules_alone(raw / str(YEAR), law) for _ in range(arguments.runs))
        whole = []
        for _ in range(arguments.runs):
            run = [DUIXIAN, "annual", "--year", str(YEAR), "--raw", str(raw), "--out", f"{temporary}/out"]
            begun = time.perf_counter()
            process = subprocess.Popen(run, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                raise SystemExit(f"{' '.join(run)} ended with {status}")
            whole.append((time.perf_counter() - begun, usage.ru_maxrss / 1024))
    seconds, memory = (statistics.median(column) for column in zip(*whole, strict=True))
    print(f"{arguments.claims:,} claims under {items} items, {enterprises:,} enterprises:")
    print(f"rules {rules:.1f} s; end to end {seconds:.1f} s, {memory:,.0f} MiB")


if __name__ == "__main__":
    main()
