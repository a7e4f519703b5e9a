"""Who carries amounts forward: the enterprises of a yearly registry, with what an item reads of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.formula import Formula
from forecast.parts import place_of
from forecast.streams import Floats, Ints
from rules.history import Frames, counting, prepared, summed


@dataclass(frozen=True)
class Kind:
    """How a registry's rows go on. `amount` tells growth; `grown` grow with it; `stays` do not change.

    `before` and `stays` name the columns that hold last year's, `highest` those that hold the highest
    figure of all earlier years. `needs`: years an enterprise must have been there to earn anything.
    `lumpy`: amounts jump about a level; what jumps up once does not go on from there.
    """

    amount: str
    grown: tuple[str, ...]
    before: dict[str, str]
    stays: dict[str, str]
    highest: dict[str, str]
    needs: int
    lumpy: bool


KINDS = {
    "rnd": Kind(
        "rnd_expense",
        ("rnd_expense", "revenue"),
        {"rnd_expense": "rnd_expense_prev", "revenue": "revenue_prev"},
        {"super_deduction": "super_deduction_prev"},
        {},
        needs=1,
        lumpy=False,
    ),
    "equipment": Kind(
        "equipment_investment",
        ("equipment_investment", "smart_investment", "smart_investment_known"),
        {},
        {},
        {"smart_investment": "smart_investment_prior"},
        needs=0,
        lumpy=True,
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
    """The rows that items of one registry and grouping read, ordered by district and enterprise.

    `rows`: their fixed columns; `money`: the base year's figures that grow (yuan, NaN: unknown); `highest`:
    the highest figure to the base year; `enterprise`: each row's place among the enterprises; `district`:
    among the nine districts; `starts`: the first row of each enterprise, and the number of rows.
    """

    rows: pl.DataFrame
    money: dict[str, Floats]
    highest: dict[str, Floats]
    enterprise: Ints
    district: Ints
    starts: Ints


def enterprises_of(frames: Frames, registry: str, year: int, levels: pl.DataFrame) -> pl.DataFrame:
    """The base year's enterprises in carrier order: `uscc`, `amount` (its level in yuan), `reported` or zero.

    One that reports zero in the base year stands at its last amount above zero. `levels` is its panel. Those
    whose 区镇 is unknown (in an earlier year's registry) are left out.
    """
    last = (
        levels.filter((pl.col("amount") > 0) & (pl.col("year") <= year))
        .sort("year")
        .group_by("uscc")
        .agg(pl.col("amount").last().alias("level"))
    )
    here = prepared(registry, frames, year).select("uscc", "district").drop_nulls().unique()
    now = levels.filter(pl.col("year") == year).select("uscc", "amount")
    return (
        here.join(now, on="uscc")
        .join(last, on="uscc", how="left")
        .sort("district", "uscc")
        .select(
            "uscc",
            "district",
            pl.coalesce("level", "amount").alias("amount"),
            (pl.col("amount") > 0).alias("reported"),
        )
    )


def carrier(frames: Frames, registry: str, year: int, grouped: Sequence[str], who: pl.DataFrame) -> Carrier:
    """The base year's rows for items that group by `grouped` (empty: row by row)."""
    kind = KINDS[registry]
    rows = prepared(registry, frames, year)
    rows = summed(rows, grouped) if grouped else rows
    place = who.with_row_index("_enterprise").select("uscc", "_enterprise", pl.col("amount").alias("_level"))
    rows = rows.join(place, on="uscc").sort("_enterprise", *(c for c in ("project_id",) if c in rows.columns))
    if kind.needs:  # one row an enterprise: it stands at its level, also where it reports zero this year
        rows = rows.with_columns(pl.col("_level").alias(kind.amount))
    enterprise = rows["_enterprise"].cast(pl.Int64).to_numpy()
    money = {name: _floats(rows[name]) for name in kind.grown}
    moving = {*kind.grown, *kind.before.values(), *kind.highest.values(), "_enterprise", "_level"}
    return Carrier(
        rows=rows.drop(moving).with_columns(pl.col(name).alias(was) for name, was in kind.stays.items()),
        money=money,
        highest={was: np.fmax(_floats(rows[was]), money[name]) for name, was in kind.highest.items()},
        enterprise=enterprise,
        district=place_of(rows["district"]),
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


def pool_starts(formula: Formula, rows: pl.DataFrame) -> list[Ints | None]:
    """By shared cap the first row of each group of rows that share it; None where no two rows do."""
    found: list[Ints | None] = []
    for cap in formula.pools:
        keys = [c for c in cap.per if c != "year" and c in rows.columns]
        group = rows.select(pl.struct(keys).rle_id().alias("g"))["g"].to_numpy()
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        found.append(None if starts.size == rows.height else starts)
    return found
