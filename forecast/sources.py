"""What the band comes from: the share of each source of uncertainty in the variance of a payment year's total."""

from collections.abc import Sequence

import numpy as np

from forecast.parts import CHUNK, Part
from forecast.run import simulate
from forecast.streams import SOURCES, Floats, Seeds
from forecast.tables import Weighted, by_payer, weighted
from rules.catalogue import Catalogue
from schemas.outputs import SOURCES as NAMES

DRAWS = 6 * CHUNK
"""Draws compared for each source, at most."""


def shares(
    parts: Sequence[Part], law: Catalogue, held: Weighted, seed: int, workers: int
) -> list[dict[str, object]]:
    """By payment year the share (0..1) of every source in the variance of the total, and its sampling error.

    A second run shares only one source's random numbers with the first; what the two runs' totals have in
    common is that source's doing. What no source does alone is 交互.
    """
    draws, award_years = min(DRAWS, held.draws), [y - law.prospect.payment_lag for y in held.years]
    drawn = [part for part in parts if part.cells.height]
    first = _yearly(held, draws)
    found: dict[str, dict[int, float]] = {}
    for source in SOURCES:
        totals = simulate(drawn, draws, Seeds.of(seed).only(source), workers)
        second = _yearly(weighted(totals, law, award_years), draws)
        found[source] = {year: _common(one, second[year]) for year, one in first.items()}
    rows: list[dict[str, object]] = []
    for year, one in first.items():
        if not one.std():
            continue
        parted = {name: found[name][year] for name in SOURCES}
        whole = sum(parted.values())
        scale = 1 / whole if whole > 1 else 1.0  # by chance they may exceed the whole
        for name, share in parted.items():
            rows.append(
                {"pay_year": year, "source": NAMES[name], "share": share * scale, "error": draws**-0.5}
            )
        rows.append(
            {"pay_year": year, "source": NAMES["together"], "share": max(0.0, 1 - whole), "error": None}
        )
    return rows


def _yearly(held: Weighted, draws: int) -> dict[int, Floats]:
    """The total of each payment year by draw, in fen."""
    years = held.cells["pay_year"].to_numpy()
    found = {}
    for year in sorted(set(years.tolist())):
        cells = np.flatnonzero((years == year) & (held.weights["current"] > 0))
        if cells.size:
            found[year] = by_payer(held, "current", cells, np.zeros(1, np.int64))[None][0, :draws]
    return found


def _common(one: Floats, other: Floats) -> float:
    """The part of the variance that two runs have in common; none where chance alone would give as much."""
    if not one.std() or not other.std():
        return 0.0
    share = float(np.corrcoef(one, other)[0, 1])
    return share if share > 2 * one.size**-0.5 else 0.0
