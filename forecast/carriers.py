"""Who carries amounts forward: the enterprises of a yearly registry, with what an item reads of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.parts import in_cell_order, place_of
from forecast.streams import Floats, Ints
from rules.frames import Frames, counting
from rules.history import prepared, summed


@dataclass(frozen=True)
class Kind:
    """How a registry's rows go on. `amount` tells growth; `grown` grow with it.

    `before` names the columns that hold last year's figures, `flags` those that hold last year's yes or no.
    """

    amount: str
    grown: tuple[str, ...]
    before: dict[str, str]
    flags: dict[str, str]


KINDS = {
    "rnd": Kind(
        "rnd_expense",
        ("rnd_expense", "revenue"),
        {"rnd_expense": "rnd_expense_prev", "revenue": "revenue_prev"},
        {"super_deduction": "super_deduction_prev"},
    ),
    "equipment": Kind(
        "equipment_investment",
        ("equipment_investment", "smart_investment", "smart_investment_known", "smart_investment_prior"),
        {},
        {},
    ),
}


def panel_of(frames: Frames, registry: str) -> pl.DataFrame:
    """Enterprise-years of a registry: `uscc`, `year`, `amount` (yuan as floats), repeated rows left out."""
    rows = counting(frames[registry]).select("uscc", "year", pl.col(KINDS[registry].amount).cast(pl.Float64))
    return (
        rows.group_by("uscc", "year")
        .agg(pl.col(KINDS[registry].amount).sum().alias("amount"))
        .sort("uscc", "year")
    )


@dataclass(frozen=True)
class Carrier:
    """The rows that items of one registry and grouping read, ordered by district's name and enterprise.

    `rows`: their fixed columns; `money`: the figures that grow (yuan, NaN: unknown); `enterprise`: each
    row's place among the enterprises; `district`: among the nine districts; `starts`: the first row of
    each enterprise, and the number of rows.
    """

    rows: pl.DataFrame
    money: dict[str, Floats]
    enterprise: Ints
    district: Ints
    starts: Ints


def of_base_year(frames: Frames, registry: str, year: int, panel: pl.DataFrame) -> pl.DataFrame:
    """The base year's rows as `prepared` makes them, with `amount`, the level in yuan, and `reported` (not zero).

    An enterprise that reports zero stands at its last amount above zero. Rows without a 区镇 are left out.
    """
    last = panel.filter((pl.col("amount") > 0) & (pl.col("year") <= year)).sort("year")
    last = last.group_by("uscc").agg(pl.col("amount").last())
    amount = KINDS[registry].amount
    rows = prepared(registry, frames, year).filter(pl.col("district").is_not_null())
    rows = rows.join(last, on="uscc", how="left").with_columns(reported=pl.col(amount) > 0)
    rows = rows.with_columns(amount=pl.coalesce("amount", pl.col(amount).cast(pl.Float64)))
    return rows.with_columns(pl.col("amount").alias(amount))


def of_all_years(frames: Frames, registry: str, year: int) -> pl.DataFrame:
    """The rows of all years to `year`, each with the highest smart investment of its enterprise's earlier years."""
    everything = frames[registry].filter(pl.col("year") <= year).with_columns(role=pl.lit("line"))
    rows = prepared(registry, {**frames, registry: everything}, year)
    yearly = rows.group_by("uscc", "year").agg(pl.col("smart_investment").sum()).sort("uscc", "year")
    prior = pl.col("smart_investment").cum_max().shift(1).over("uscc").alias("smart_investment_prior")
    rows = rows.drop("smart_investment_prior").join(yearly.select("uscc", "year", prior), on=["uscc", "year"])
    return rows.filter(pl.col("district").is_not_null()).with_columns(
        amount=pl.col(KINDS[registry].amount).cast(pl.Float64).sum().over("uscc", "year"), reported=True
    )


def enterprises(rows: pl.DataFrame) -> pl.DataFrame:
    """The enterprises (and years) of rows in carrier order: `uscc`, `year`, `district`, `amount`, `reported`."""
    found = rows.select("uscc", "year", "district", "amount", "reported").unique(["uscc", "year"])
    return found.sort("district", "uscc", "year")


def carrier(
    rows: pl.DataFrame, registry: str, grouped: Sequence[str], who: pl.DataFrame, read: Collection[str]
) -> Carrier:
    """The rows for items that group by `grouped` (empty: row by row), with the figures that they `read`."""
    kind = KINDS[registry]
    place = who.with_row_index("_enterprise").select("uscc", "year", "_enterprise")
    rows = (summed(rows, grouped) if grouped else rows).join(place, on=["uscc", "year"])
    rows = rows.sort("_enterprise", *(c for c in ("project_id",) if c in rows.columns))
    enterprise = rows["_enterprise"].cast(pl.Int64).to_numpy()
    district = place_of(rows["district"])
    if not in_cell_order(district):
        raise ValueError("rows of a carrier out of order")  # sums by district rest on it
    moving = {*kind.grown, *kind.before.values(), *kind.flags.values(), "_enterprise", "amount", "reported"}
    return Carrier(
        rows=rows.drop(moving),
        money={name: _floats(rows[name]) for name in kind.grown if {name, kind.before.get(name)} & {*read}},
        enterprise=enterprise,
        district=district,
        starts=np.searchsorted(enterprise, np.arange(who.height + 1)),
    )


def _floats(column: pl.Series) -> Floats:
    """Yuan as floats, NaN where unknown."""
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def rows_of(starts: Ints, enterprises: Ints) -> tuple[Ints, Ints]:
    """The rows of chosen enterprises, one after the other, and which of the chosen each belongs to."""
    counts = starts[enterprises + 1] - starts[enterprises]
    which = np.repeat(np.arange(enterprises.size), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts[enterprises], counts) + np.arange(which.size) - first, which
