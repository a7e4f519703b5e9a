"""What a forecast is made of: parts that fill cells (year, item, district) draw by draw, in whole fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl

from forecast.streams import Bools, Ints, Seeds
from schemas.districts import DISTRICTS

CHUNK = 64
"""Draws that are always made together; blocks are whole chunks, so that their size changes nothing."""

CELLS: dict[str, Any] = {
    "award_year": pl.Int32,
    "item": pl.String,
    "district": pl.String,
    "basis": pl.String,
    "ranged": pl.Boolean,
    "open": pl.Boolean,
    "settled": pl.Boolean,
}
"""A cell's key. `ranged`: a department has still to decide, so the texts give a range; `open`: one without an
end; `settled`: decisions of the past, or the text, tell the amounts: else they stand at the range's low end."""


class Filled(NamedTuple):
    """What one block of draws came to. `amounts`: fen by draw and cell; the others are sums by cell.

    `lines`: payable lines of all draws. `low` and `high`: the range's ends (fen) in the draws for which they
    were worked out, and `seen` the amounts of those draws.
    """

    amounts: Ints
    lines: Ints
    low: Ints
    high: Ints
    seen: Ints


class Part(Protocol):
    """A part of the forecast. `cells` in the shape CELLS; `drawn` whether its amounts differ between draws."""

    cells: pl.DataFrame

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """Fen of the draws first..first+count-1; `first` is a multiple of CHUNK."""


@dataclass
class Fixed:
    """Amounts that are known: the same in every draw. Fen by cell."""

    cells: pl.DataFrame
    amounts: Ints
    lines: Ints
    low: Ints
    high: Ints

    def fill(self, first: int, count: int, seeds: Seeds) -> Filled:
        """The same for every draw."""
        every = np.broadcast_to(self.amounts, (count, self.amounts.size))
        return Filled(every, self.lines * count, self.low * count, self.high * count, self.amounts * count)


def district_cells(
    item: str,
    years: Sequence[int],
    basis: str,
    ranged: bool = False,
    open_ended: bool = False,
    settled: bool = True,
) -> pl.DataFrame:
    """The cells of one item: years × the nine districts, in that order."""
    return pl.DataFrame(
        {
            "award_year": np.repeat(years, len(DISTRICTS)),
            "item": [item] * (len(years) * len(DISTRICTS)),
            "district": list(DISTRICTS) * len(years),
            "basis": [basis] * (len(years) * len(DISTRICTS)),
            "ranged": [ranged] * (len(years) * len(DISTRICTS)),
            "open": [open_ended] * (len(years) * len(DISTRICTS)),
            "settled": [settled] * (len(years) * len(DISTRICTS)),
        },
        schema=CELLS,
    )


def place_of(districts: pl.Series) -> Ints:
    """Each district's place among the nine."""
    places = {name: place for place, name in enumerate(DISTRICTS)}
    return districts.replace_strict(places, return_dtype=pl.Int64).to_numpy()


_BY_NAME = np.array([sorted(DISTRICTS).index(name) for name in DISTRICTS])
"""Each district's place in the order of their names, in which carriers have their rows."""


def in_cell_order(district: Ints) -> bool:
    """Whether rows of one draw are ordered as `cell_starts` needs them."""
    return bool((np.diff(_BY_NAME[district]) >= 0).all())


def cell_starts(draw: Ints, district: Ints, draws: int) -> Ints:
    """The first row of every draw and district, of rows ordered by draw and district's name; then their number."""
    nine = len(DISTRICTS)
    return np.searchsorted(draw * nine + _BY_NAME[district], np.arange(draws * nine + 1))


def added(amounts: Ints, starts: Ints) -> Ints:
    """Sums of whole numbers over the rows of every cell (see cell_starts), by draw and district [draws, nine]."""
    sums = np.zeros(amounts.size + 1, np.int64)
    np.cumsum(amounts, out=sums[1:])
    return _by_cell(sums[starts])


def counted(which: Bools, starts: Ints) -> Ints:
    """How many rows of every cell count, as most do [draws, nine]."""
    return _by_cell(starts - np.searchsorted(np.flatnonzero(~which), starts))


def _by_cell(before: Ints) -> Ints:
    return np.diff(before).reshape(-1, len(DISTRICTS))[:, _BY_NAME]


def by_district(draw: Ints, district: Ints, amounts: Ints, draws: int) -> Ints:
    """Sums of whole fen by draw and district [draws, nine]; exact, since sums stay below 2^53."""
    nine = len(DISTRICTS)
    sums = np.bincount(draw * nine + district, weights=amounts, minlength=draws * nine)
    return sums.astype(np.int64).reshape(draws, nine)
