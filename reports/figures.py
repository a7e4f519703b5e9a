"""Sums over a run's lines, small enough to hold: of every item and 区镇, and of any group of them."""

from dataclasses import dataclass
from typing import Any

import polars as pl

GROUPS = {
    "district": ("district",),
    "article": ("policy", "article"),
    "class": ("class",),
    "department": ("lead_department",),
    "item": ("item",),
    "notice": ("district", "item"),
    "all": ("year",),
}
"""What the workbook sums by, and the columns that tell the groups apart."""

_OF_ITEM = ("year", "policy", "article", "title", "class", "lead_department")
_SHARES = ("award", "city_share", "district_share", "prefecture_share")
_COUNTS = ("lines", "pending", "refused", "open_ended")


@dataclass(frozen=True)
class Figures:
    """`cells`: one row per item and district. `households`: by group the number of applicants with a payable line.

    Of a cell: `lines` (payable), `pending` and `refused` are counts, the shares are yuan, `low` and `high` the
    range of pending lines, `open_ended` how many of these have no upper end, `first` the place of its first line.
    """

    cells: pl.DataFrame
    households: dict[str, pl.DataFrame]

    def by(self, group: str) -> pl.DataFrame:
        """The figures of each group, in the order of the lines; `high` is null where a line has no upper end."""
        keys = list(GROUPS[group])
        others = [c for c in ("item", "title", "district", *_OF_ITEM) if c not in keys]
        sums = self.cells.group_by(keys).agg(
            pl.col("first").min(),
            pl.sum(*_COUNTS, *_SHARES, "low", "high"),
            *(pl.col(c).first() for c in dict.fromkeys(others)),
        )
        found = sums.join(self.households[group], on=keys, how="left", nulls_equal=True)
        ends = pl.when(pl.col("open_ended") == 0).then("high")
        return found.with_columns(pl.col("households").fill_null(0), high=ends).sort("first")

    @property
    def whole(self) -> dict[str, Any]:
        """The figures of the run, `high` without the lines that have no upper end."""
        sums = self.cells.select(pl.sum(*_COUNTS, *_SHARES, "low", "high")).row(0, named=True)
        return sums | {"households": self.households["all"]["households"].sum()}

    @property
    def has_prefecture(self) -> bool:
        """Whether Suzhou pays anything; if not, its column is left out."""
        return bool(self.whole["prefecture_share"])


def figures(awards: pl.LazyFrame) -> Figures:
    """The sums of lines in the shape AWARDS, in the order they are published."""
    payable, pending = pl.col("status") == "payable", pl.col("status") == "pending"
    cells = (
        awards.with_row_index("first")
        .group_by("item", "district")
        .agg(
            pl.col("first").min(),
            *(pl.col(c).first() for c in _OF_ITEM),
            *(pl.col(c).sum() for c in _SHARES),
            lines=payable.sum(),
            pending=pending.sum(),
            refused=(~payable & ~pending).sum(),
            low=pl.col("award_low").filter(pending).sum(),
            high=pl.col("award_high").filter(pending).sum(),
            open_ended=(pending & pl.col("award_high").is_null()).sum(),
        )
    )
    paid = awards.filter(payable)
    households = [
        paid.group_by(keys).agg(pl.col("uscc").n_unique().alias("households")) for keys in GROUPS.values()
    ]
    held, *counted = collected(cells, *households)
    return Figures(held.sort("first"), dict(zip(GROUPS, counted, strict=True)))


def collected(*plans: pl.LazyFrame) -> list[pl.DataFrame]:
    """The results of plans over the same lines, without holding all of these."""
    return pl.collect_all(plans, engine="streaming")
