"""Run a plan: blocks of draws over workers, into one table of totals by cell and draw on disk."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from forecast.parts import CELLS, CHUNK, Filled, Part
from forecast.streams import Ints, Seeds

BLOCK = 2 * CHUNK
"""Draws of one task."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Totals:
    """Fen by cell and draw (`amounts`, [cells, draws]) and, by cell, the sums of forecast.parts.Filled."""

    cells: pl.DataFrame
    amounts: Ints
    lines: Ints
    low: Ints
    high: Ints
    seen: Ints

    @property
    def draws(self) -> int:
        return int(self.amounts.shape[1])


def simulate(
    parts: Sequence[Part],
    draws: int,
    seeds: Seeds,
    workers: int = 1,
    store: Path | None = None,
    progress: Progress = lambda _: None,
    start: int = 0,
) -> Totals:
    """Fill every part's cells for all draws. `store`: the file that holds the totals (None: memory).

    `start`: the first of the draws, a multiple of CHUNK, where others are drawn elsewhere (see joined). Neither
    the number of workers nor the size of a block changes a figure.
    """
    sizes = [part.cells.height for part in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    shape = (int(starts[-1]), draws)
    amounts = (
        np.zeros(shape, np.int64)
        if store is None
        else np.lib.format.open_memmap(store, mode="w+", dtype=np.int64, shape=shape)
    )
    sums = np.zeros((4, shape[0]), np.int64)
    tasks = [(p, first) for first in range(0, draws, BLOCK) for p in range(len(parts))]

    def work(place: int, first: int) -> tuple[int, int, Filled]:
        return place, first, parts[place].fill(start + first, min(BLOCK, draws - first), seeds)

    def keep(place: int, first: int, found: Filled) -> None:
        rows = slice(starts[place], starts[place + 1])
        amounts[rows, first : first + found.amounts.shape[0]] = found.amounts.T
        sums[:, rows] += np.stack(found[1:])

    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        waiting, queue, done = set(), iter(tasks), 0
        for task in queue:
            waiting.add(pool.submit(work, *task))
            if len(waiting) < 2 * workers:
                continue
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in ready:
                keep(*one.result())
            done += len(ready)
            progress(done / len(tasks))
        for one in waiting:
            keep(*one.result())
        progress(1.0)
    finally:
        pool.shutdown(cancel_futures=True)
    return Totals(_cells(parts), amounts, *sums)


def keep_sums(totals: Totals, store: Path) -> None:
    """Put down the sums by cell (.npz) beside the file that holds the amounts."""
    np.savez(
        store.with_suffix(".npz"), lines=totals.lines, low=totals.low, high=totals.high, seen=totals.seen
    )


def joined(parts: Sequence[Part], stores: Sequence[Path], whole: Path) -> Totals:
    """The totals of successive draws that were made apart: amounts in `stores`, each with its sums beside it.

    `whole`: the file for all amounts, where there is more than one.
    """
    held = [np.load(store, mmap_mode="r") for store in stores]
    amounts = held[0]
    if len(held) > 1:
        shape = (amounts.shape[0], sum(one.shape[1] for one in held))
        amounts = np.lib.format.open_memmap(whole, mode="w+", dtype=np.int64, shape=shape)
        np.concatenate(held, axis=1, out=amounts)
    sums = [dict(np.load(store.with_suffix(".npz"))) for store in stores]
    names = ("lines", "low", "high", "seen")
    return Totals(_cells(parts), amounts, *(np.sum([one[name] for one in sums], axis=0) for name in names))


def _cells(parts: Sequence[Part]) -> pl.DataFrame:
    return pl.concat([part.cells for part in parts]) if parts else pl.DataFrame(schema=CELLS)
