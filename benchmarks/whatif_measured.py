"""What benchmarks/whatif.py measures, in a process of its own:
python -m benchmarks.whatif_measured CONTENDER RAW SCENARIOS OUT TIMES

SCENARIOS: a JSON file with lists of changed terms, `{"one": [{"A4.06.rate": 8}, …], "many": […]}`, as
benchmarks.contest.terms has them. The data is in memory before the clock starts. Each scenario ends with totals
by 区镇 and item, which are left in OUT (Parquet, fen). Prints one line of JSON.
"""

import importlib
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.contest.measured import clocked, peak, versions
from benchmarks.contest.terms import TERMS, Terms

Totals = Any
"""A frame with `district`, `item`, `award`, `city_share` and `district_share`; pandas, Polars or Arrow."""

Evaluate = Callable[[Terms], Totals]
"""From the terms that change to the totals."""


def bench(raw: Path) -> Evaluate:
    """Ours: one bench, of which every scenario computes only what it changes."""
    import polars as pl

    from benchmarks.contest.ours import YEAR, prepare
    from whatif.bench import Bench

    (frames,), law = prepare(raw)  # small enough for one part
    held = Bench(frames, YEAR, law)
    _ = held.lines  # the baseline, settled once with every word

    def evaluate(changed: Terms) -> pl.DataFrame:
        parts = held.owed_under(changed_law(law, changed))
        sums = pl.sum("award", "city_share", "district_share")
        return pl.concat(part.group_by("district", "item").agg(sums) for part in parts)

    return evaluate


def changed_law(law: Any, changed: Terms) -> Any:
    """The product's law with terms changed, as a scenario file changes them."""
    from rules.scenario import Scenario, apply_scenario

    terms = {".".join(name.split(".")[:2]): _figure(name, value) for name, value in changed.items()}
    return apply_scenario(law, Scenario(name="b", title="b", terms=terms))


def _figure(name: str, value: int) -> dict[str, Any]:
    """The changed term of an item: `{"rate": "8%"}`, of a range both ends, of a table the changed row."""
    term, *key = name.split(".")[2:]
    if term != "rate":
        return {term: {key[0]: str(value)} if key else str(value)}
    if not key:
        return {term: f"{value}%"}
    ends = {end: TERMS[f"A11.02.rate.{end}"] for end in ("low", "high")} | {key[0]: value}
    return {term: [f"{end}%" for end in ends.values()]}


def script(name: str) -> Callable[[Path], Evaluate]:
    """A script of the contest, run again from its data in memory with other numbers."""

    def loaded(raw: Path) -> Evaluate:
        module = importlib.import_module(f"benchmarks.contest.{name}")
        held = module.prepare(raw)
        return lambda changed: module.compute(held, TERMS | changed)[1]

    return loaded


def query(raw: Path) -> Evaluate:
    """The DuckDB script, run again on its tables in memory with other numbers."""
    from benchmarks.contest import duckdb_query

    database = duckdb_query.prepare(raw)

    def evaluate(changed: Terms) -> Totals:
        duckdb_query.compute(database, TERMS | changed)
        return database.table("totals").to_arrow_table()

    return evaluate


def reform(raw: Path) -> Evaluate:
    """The OpenFisca model under a reform of its parameters; its inputs stay, all it computed is computed anew."""
    from benchmarks.contest import openfisca_model

    loaded = openfisca_model.prepare(raw)
    baseline = loaded[0].tax_benefit_system

    def evaluate(changed: Terms) -> Totals:
        openfisca_model.reform(loaded[0], baseline, changed)
        return openfisca_model.compute(loaded)[1]

    return evaluate


CONTENDERS: dict[str, Callable[[Path], Evaluate]] = {
    "ours": bench,
    "polars_script": script("polars_script"),
    "duckdb_query": query,
    "pandas_script": script("pandas_script"),
    "openfisca_model": reform,
}


def measure(name: str, raw: Path, scenarios: dict[str, list[Terms]], out: Path, times: int) -> dict[str, Any]:
    """Median seconds of each single change, after a first run that is told apart; seconds of all of the many."""
    figures, evaluate = clocked(CONTENDERS[name], raw)
    found: dict[str, Any] = {"prepare": figures["seconds"], "one": {}}
    results = []
    for changed in scenarios["one"]:
        first = clocked(evaluate, changed)[0]["seconds"]
        again = [clocked(evaluate, changed)[0] for _ in range(times)]
        medians = {name: statistics.median(one[name] for one in again) for name in ("seconds", "cores")}
        found["one"][next(iter(changed))] = {"first": first, **medians}
        results.append(evaluate(changed))
    figures, evaluated = clocked(lambda: [evaluate(changed) for changed in scenarios["many"]])
    results += evaluated
    found |= {"many": figures["seconds"], "many_cores": figures["cores"]}
    found["peak"] = peak()  # before anything is compared
    out.mkdir(parents=True, exist_ok=True)
    _keep(results, out / "totals.parquet")
    return found | {"versions": versions()}


def _keep(results: list[Totals], path: Path) -> None:
    """All totals as fen, one row by scenario, 区镇 and item that has an award."""
    import polars as pl

    from benchmarks.contest.agree import in_fen

    money, kept = ["award", "city_share", "district_share"], []
    for number, totals in enumerate(results):
        frame = totals if isinstance(totals, pl.DataFrame) else pl.DataFrame(_columns(totals))
        named = frame.select(pl.lit(number).alias("scenario"), pl.col("district", "item").cast(pl.String))
        kept.append(named.with_columns(in_fen(frame[name]) for name in money).filter(pl.col("award") > 0))
    pl.concat(kept).sort("scenario", "district", "item").write_parquet(path)


def _columns(totals: Totals) -> dict[str, list[Any]]:
    """The columns of a pandas or Arrow frame."""
    names = ("district", "item", "award", "city_share", "district_share")
    if hasattr(totals, "to_pydict"):
        return {name: totals.column(name).to_pylist() for name in names}
    return {name: totals[name].tolist() for name in names}


if __name__ == "__main__":
    contender, source, laid_out, target, repeat = sys.argv[1:]
    asked = json.loads(Path(laid_out).read_text("utf-8"))
    print(json.dumps(measure(contender, Path(source), asked, Path(target), int(repeat)), ensure_ascii=False))
