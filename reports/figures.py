"""Sums over a run's lines, small enough to hold: of every item and 区镇, and of any group of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
_ORDER = ("policy", "article", "item", "district")
_SHARES = ("award", "city_share", "district_share", "prefecture_share")
REFUSALS = ("缺少数据", "不符合", "重复", "跨年")
"""Why lines get nothing, as the sheets divide them: of another year (跨年) comes before all else."""

_SUMS = ("lines", "pending", *REFUSALS, "open_ended", *_SHARES, "gross", "low", "high")


@dataclass(frozen=True)
class Figures:
    """`cells`: one row per item and district. `households`: by group (`group`, its keys) the applicants that are paid.

    Of a cell: `lines` (payable), `pending` and REFUSALS are counts, `gross` and shares are yuan, `low` and `high` the
    range of pending lines, `open_ended` how many of these have no upper end.
    """

    cells: pl.DataFrame
    households: pl.DataFrame

    def by(self, group: str) -> pl.DataFrame:
        """The figures of each group, in the order of the items; `high` is null where a line has no upper end."""
        keys = list(GROUPS[group])
        others = [c for c in ("item", "title", "district", *_OF_ITEM) if c not in keys]
        sums = self.cells.group_by(keys, maintain_order=True).agg(
            pl.sum(*_SUMS), *(pl.col(c).first() for c in dict.fromkeys(others))
        )
        paid = self.households.filter(group=group).select(*keys, "households")
        found = sums.join(paid, on=keys, how="left", nulls_equal=True, maintain_order="left")
        ends = pl.when(pl.col("open_ended") == 0).then("high")
        return found.with_columns(pl.col("households").fill_null(0), high=ends)

    @property
    def whole(self) -> dict[str, Any]:
        """The figures of the run, `high` without the lines that have no upper end."""
        sums = self.cells.select(pl.sum(*_SUMS)).row(0, named=True)
        return sums | {"households": self.households.filter(group="all")["households"].sum()}

    @property
    def has_prefecture(self) -> bool:
        """Whether Suzhou pays anything; if not, its column is left out."""
        return bool(self.whole["prefecture_share"])

    def save(self, folder: Path) -> None:
        """Put it down in two files of a folder."""
        self.cells.write_parquet(folder / "figures.parquet")
        self.households.write_parquet(folder / "households.parquet")


def refusal() -> pl.Expr:
    """Which of REFUSALS a line is; null where it is none."""
    status, reason = pl.col("status"), pl.col("reason")
    return (
        pl.when(status.is_in(["payable", "pending"]))
        .then(None)
        .when(reason.str.contains(r"^属\d{4}年度"))
        .then(pl.lit("跨年"))
        .when(status == "duplicate")
        .then(pl.lit("重复"))
        .when(reason.str.starts_with("缺少数据"))
        .then(pl.lit("缺少数据"))
        .otherwise(pl.lit("不符合"))
    )


def figures(awards: pl.DataFrame) -> Figures:
    """The sums of lines in the shape AWARDS."""
    payable, pending = pl.col("status") == "payable", pl.col("status") == "pending"
    refused = awards.select(refusal().cast(pl.Enum(REFUSALS)).alias("_refusal"))
    cells = (
        awards.hstack(refused)
        .group_by("item", "district")
        .agg(
            *(pl.col(c).first() for c in _OF_ITEM),
            *(pl.col(c).sum() for c in _SHARES),
            lines=payable.sum(),
            pending=pending.sum(),
            **{kind: (pl.col("_refusal") == kind).sum() for kind in REFUSALS},
            gross=pl.col("gross").filter(payable).sum(),
            low=pl.col("award_low").filter(pending).sum(),
            high=pl.col("award_high").filter(pending).sum(),
            open_ended=(pending & pl.col("award_high").is_null()).sum(),
        )
    )
    paid = awards.lazy().filter(payable).select("item", "district", "uscc", *_OF_ITEM).collect()
    households = [
        paid.group_by(keys).agg(households=pl.col("uscc").n_unique()).with_columns(group=pl.lit(group))
        for group, keys in GROUPS.items()
    ]
    return Figures(cells.sort(_ORDER), pl.concat(households, how="diagonal"))


def added(folders: Sequence[Path]) -> Figures:
    """The figures that were put down in several folders, as one. No applicant may be in two of them."""
    cells, households = (
        pl.concat([pl.read_parquet(folder / f"{name}.parquet") for folder in folders], how="diagonal")
        for name in ("figures", "households")
    )
    first = [pl.col(c).first() for c in _OF_ITEM]
    of_group = [c for c in households.columns if c != "households"]
    return Figures(
        cells.group_by("item", "district").agg(*first, pl.sum(*_SUMS)).sort(_ORDER),
        households.group_by(of_group).agg(pl.sum("households")),
    )


def collected(*plans: pl.LazyFrame) -> list[pl.DataFrame]:
    """The results of plans over the lines of a run, which may be more than memory holds; one after the other."""
    return [plan.collect(engine="streaming") for plan in plans]
