"""What benchmarks/prospect.py measures; each of CHILDREN is run in a process of its own and tells its figures.

`seconds` are those of the simulation alone.
"""

import cProfile
import json
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows import steps
from flows.files import checked_frames
from forecast.carried import carried
from forecast.carriers import panel_of
from forecast.events import Events
from forecast.fit import fit
from forecast.parts import Part
from forecast.plan import plan
from forecast.run import simulate
from forecast.spending import Spending
from forecast.streams import Seeds
from synth import generate

BASE, SEED = 2023, 1
CITY = 1.18
"""Enterprises of a synthetic city for each that reports R&D in the base year."""

Frames = dict[str, pl.DataFrame]


def prepare(work: Path, years: int, draws: int, workers: int, enterprises: int) -> dict[str, float]:
    """Make a city and leave its checked registries in `work`."""
    law = steps.law_of(())
    work.mkdir()
    generate(round(enterprises * CITY), (BASE - 2, BASE), SEED, work / "raw", "parquet", mess=False)
    steps.read(work, work / "raw", BASE, lambda _: None)
    steps.check_rows(work, BASE, law, lambda _: None)
    return {"enterprises": _reporting(work).height, "seed": SEED}


def _reporting(work: Path) -> pl.DataFrame:
    """The base year's enterprises of the R&D registry, by 区镇, with amounts (yuan) by year."""
    rnd, enterprises = (pl.read_parquet(work / "checked" / f"{n}.parquet") for n in ("rnd", "enterprises"))
    rows = rnd.group_by("uscc").agg(
        *(
            pl.col("rnd_expense").filter(pl.col("year") == year).first().cast(pl.Float64).alias(str(year))
            for year in (BASE - 1, BASE)
        ),
        pl.col("super_deduction").filter(pl.col("year") == BASE).first().alias("deducts"),
    )  # fmt: skip
    known = rows.join(enterprises.select("uscc", "district"), on="uscc")
    return known.drop_nulls(str(BASE)).sort("district", "uscc")


def floor(work: Path, years: int, draws: int, workers: int) -> dict[str, float]:
    """What a specialist writes in an afternoon: one buffer a step, no copies, threads over draws."""
    rows = _reporting(work)
    base, deducts = rows[str(BASE)].to_numpy().copy(), rows["deducts"].fill_null(False).to_numpy().copy()
    starts = np.flatnonzero(np.diff(rows["district"].rle_id().to_numpy(), prepend=-1))
    seen = rows.filter((pl.col(str(BASE)) > 0) & (pl.col(str(BASE - 1)) > 0))
    log = np.log(seen[str(BASE)].to_numpy() / seen[str(BASE - 1)].to_numpy())
    mean, deviation = float(np.median(log)), float(np.quantile(log, 0.84) - np.quantile(log, 0.16)) / 2

    def draw(number: int) -> NDArray[np.float64]:
        rng = np.random.Generator(np.random.SFC64([SEED, number]))
        before, now, paid = base.copy(), np.empty(base.size), np.empty(base.size)
        earns, fen = np.empty(base.size, bool), np.empty((years, starts.size))
        for year in range(years):
            rng.standard_normal(out=now)
            now *= deviation
            now += mean
            np.exp(now, out=now)
            now *= before
            np.subtract(now, before, out=paid)
            np.greater_equal(paid, 200_000, out=earns)
            earns &= deducts
            paid *= 6.0  # 6%, in fen
            np.minimum(paid, 300_000_000, out=paid)
            np.rint(paid, out=paid)
            paid *= earns
            fen[year] = np.add.reduceat(paid, starts)
            before, now = now, before
        return fen

    clock = _clock()
    with ThreadPoolExecutor(workers) as pool:
        fen = np.stack(list(pool.map(draw, range(draws))))
    return clock() | {"yuan": float(fen.sum()) / draws / 100}


def _clock() -> Callable[[], dict[str, float]]:
    """Starts a clock that tells seconds on the wall and of all cores together."""
    wall, cores = time.perf_counter(), time.process_time()
    return lambda: {"seconds": time.perf_counter() - wall, "cores": time.process_time() - cores}


def single(work: Path, years: int, draws: int, workers: int) -> dict[str, float]:
    """A4.06 alone."""
    return _simulated([_rnd(checked_frames(work), years)], work, draws, workers)


def _rnd(frames: Frames, years: int) -> Part:
    growth = fit(panel_of(frames, "rnd"), BASE)
    return carried(frames, steps.law_of(()), "rnd", BASE, [BASE + 1 + n for n in range(years)], growth, {})


def computed(work: Path, years: int, draws: int, workers: int) -> dict[str, float]:
    """Every item whose award the text computes from an enterprise's own figures."""
    return _simulated(_computed(checked_frames(work), years), work, draws, workers)


def _computed(frames: Frames, years: int) -> list[Part]:
    parts = plan(frames, steps.law_of(()), BASE, years).parts
    return [p for p in parts if isinstance(p, Spending) or (isinstance(p, Events) and p.grown is not None)]


def _simulated(parts: list[Part], work: Path, draws: int, workers: int) -> dict[str, float]:
    store = work / "totals.npy"
    clock = _clock()
    totals = simulate(parts, draws, Seeds.of(SEED), workers, store)
    spent = clock()
    items = len({item for part in parts for item in part.cells["item"]})
    yuan = float(totals.amounts.sum(dtype=float)) / draws / 100
    return spent | {"yuan": yuan, "bytes": store.stat().st_size, "items": items}


def profile_single(work: Path, years: int, draws: int, workers: int) -> dict[str, float]:
    """The part of the time by stage, of one worker."""
    return _profile([_rnd(checked_frames(work), years)], draws)


def profile_computed(work: Path, years: int, draws: int, workers: int) -> dict[str, float]:
    """The part of the time by stage, of one worker."""
    return _profile(_computed(checked_frames(work), years), draws)


def _profile(parts: list[Part], draws: int) -> dict[str, float]:
    profiler = cProfile.Profile()
    profiler.enable()
    for part in parts:
        part.fill(0, draws, Seeds.of(SEED))
    profiler.disable()
    # The stubs leave out the table that the class is for.
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    spent: Counter[str] = Counter()
    for function, (_, _, own, _, _) in stats.items():
        for stage, share in _stages(stats, function, ()).items():
            spent[stage] += own * share
    total = spent.total()
    return {stage: seconds / total for stage, seconds in spent.most_common()}


STAGES = {
    "random numbers": "stream bits draw drawn shocks common_paths",
    "sums": "_sums added counted cell_starts by_district within_pools _paid fen",
    "rule in Polars": "amounts of _met _paid _shared _column _terms _gross _ceiling",
    "rows into Polars": "frame fixed_rows",
    "newcomers": "_newcomers newcomers rows_of",
    "growth": "populations next _stayers _places _grown _factor",
    "decisions": "_decisions",
}
"""By stage the functions of `forecast` that work for it; what they call counts as theirs."""


def _stages(stats: dict[Any, Any], function: Any, below: tuple[Any, ...]) -> dict[str, float]:
    """The stages a function works for: its own, or those of its callers by the time they spend in it."""
    path, _, name = function
    ours = Path(path).parent.name == "forecast" and not name.startswith("<")
    for stage, names in STAGES.items():
        if ours and name in names.split():
            return {stage: 1.0}
    callers = {c: edge[3] for c, edge in stats[function][4].items() if c not in below}
    total = sum(callers.values())
    if ours or not total or len(below) > 40:
        return {"other": 1.0}
    found: Counter[str] = Counter()
    for caller, seconds in callers.items():
        for stage, share in _stages(stats, caller, (*below, function)).items():
            found[stage] += share * seconds / total
    return dict(found)


CHILDREN: dict[str, Callable[..., dict[str, float]]] = {
    one.__name__: one for one in (prepare, floor, single, computed, profile_single, profile_computed)
}


if __name__ == "__main__":
    child, work, *numbers = sys.argv[1:]
    print(json.dumps(CHILDREN[child](Path(work), *map(int, numbers))))
