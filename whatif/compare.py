"""Two runs side by side: what changes, for whom, and how the money is spread."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from schemas.comparing import (
    CHANGES,
    CONCENTRATION,
    DETAILS,
    HOUSEHOLDS,
    KINDS,
    KINDS_BY,
    SIDES,
    TOTALS,
)
from whatif.levels import levels
from whatif.order import by_district, by_number
from whatif.tally import tally

TOP = 10
"""How many applicants the concentration counts."""

_EDGES = [Decimal(n) * 10_000 for n in (1, 5, 10, 50, 100)]
"""Bounds of the bins of changes, in yuan."""


@dataclass(frozen=True)
class Comparison:
    """Two runs compared; the frames' shapes stand in schemas.comparing under the same names."""

    totals: pl.DataFrame
    households: pl.DataFrame
    details: pl.DataFrame
    kinds: pl.DataFrame
    concentration: pl.DataFrame
    changes: pl.DataFrame


def compare(before: pl.DataFrame, after: pl.DataFrame, sizes: pl.DataFrame | None = None) -> Comparison:
    """Compare two frames of award lines (settled or published); only payable money counts as money.

    `sizes`: `uscc` and `size` of enterprises (see whatif.sizes); without it there is no level 企业规模.
    """
    gathered = tally(before, after, sizes)
    money = gathered.base.group_by("who", "item").agg(pl.col(SIDES).sum())
    who = gathered.people
    households = _judged(money.group_by("who").agg(pl.col(SIDES).sum())).join(who, on="who")
    households = _shaped(households.sort("uscc"), HOUSEHOLDS)
    items = _judged(money).with_columns(pl.col("item").cast(pl.String))
    items = items.join(gathered.about.select("item", "title"), on="item")
    details = items.filter(pl.col("change") != 0).join(who, on="who").sort("uscc", *by_number())
    return Comparison(
        totals=_shaped(levels(gathered), TOTALS),
        households=households,
        details=_shaped(details, DETAILS),
        kinds=_kinds(households, items),
        concentration=_concentration(items, households),
        changes=_changes(households),
    )


def _shaped(frame: pl.DataFrame, shape: dict[str, Any]) -> pl.DataFrame:
    return frame.select(pl.col(c).cast(t) for c, t in shape.items())


def _judged(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with money, with `change` and `kind`."""
    before, after = pl.col("before"), pl.col("after")
    kind = (
        pl.when(before == 0)
        .then(pl.lit("newly"))
        .when(after == 0)
        .then(pl.lit("no_longer"))
        .when(after > before)
        .then(pl.lit("winner"))
        .when(after < before)
        .then(pl.lit("loser"))
        .otherwise(pl.lit("unchanged"))
    )
    paid = frame.filter((before > 0) | (after > 0))
    return paid.with_columns(change=after - before, kind=kind)


def _kinds(households: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The shape KINDS_BY: all kinds in all, then by district, then by item."""
    sums = [pl.len().alias("households"), pl.col("before", "after", "change").sum()]
    every = pl.DataFrame({"kind": list(KINDS)})
    whole = every.join(households.group_by("kind").agg(sums), on="kind", how="left")
    whole = whole.with_columns(pl.col("households", "before", "after", "change").fill_null(0))
    parts = [
        whole,
        households.group_by("kind", "district").agg(sums),
        items.group_by("kind", "item").agg(sums),
    ]
    found = pl.concat(parts, how="diagonal")
    order = pl.col("kind").replace_strict({k: n for n, k in enumerate(KINDS)}, return_dtype=pl.Int32)
    level = pl.col("district").is_not_null().cast(pl.Int8) + pl.col("item").is_not_null().cast(pl.Int8) * 2
    return _shaped(found.sort(level, by_district(), *by_number(), order), KINDS_BY)


def _concentration(items: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """The shape CONCENTRATION, over all items first."""
    sums = [
        expression
        for side in SIDES
        for expression in (
            (pl.col(side) > 0).sum().alias(f"households_{side}"),
            pl.col(side).sum(),
            pl.col(side).top_k(TOP).sum().alias(f"top_{side}"),
        )
    ]
    whole = households.select(pl.lit(None, pl.String).alias("item"), pl.lit("合计").alias("title"), *sums)
    found = items.group_by("item").agg(pl.col("title").first(), *sums)
    found = pl.concat([whole.head(1), found], how="diagonal")
    shares = [
        (pl.when(pl.col(side) > 0).then(_float(f"top_{side}") / _float(side))).alias(f"share_{side}")
        for side in SIDES
    ]
    return _shaped(found.with_columns(shares).sort(by_number(), nulls_last=False), CONCENTRATION)


def _float(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


def _changes(households: pl.DataFrame) -> pl.DataFrame:
    """The shape CHANGES."""
    size = pl.sum_horizontal((pl.col("change").abs() >= edge).cast(pl.Int32) for edge in _EDGES) + 1
    sign = (pl.col("change") > 0).cast(pl.Int32) - (pl.col("change") < 0).cast(pl.Int32)
    found = households.group_by((size * sign).alias("bin")).agg(
        households=pl.len(), change=pl.col("change").sum()
    )
    bins = pl.DataFrame(
        _bins(), schema={c: CHANGES[c] for c in ("bin", "title", "lower", "upper")}, orient="row"
    )
    filled = bins.join(found, on="bin", how="left").with_columns(pl.col("households", "change").fill_null(0))
    return _shaped(filled.sort("bin"), CHANGES)


def _bins() -> list[tuple[int, str, Decimal | None, Decimal | None]]:
    ends = [Decimal(0), *_EDGES]
    rows: list[tuple[int, str, Decimal | None, Decimal | None]] = [(0, "不变", Decimal(0), Decimal(0))]
    for place, low in enumerate(ends, 1):
        high = ends[place] if place < len(ends) else None
        told = f"{low / 10_000:f} 万元以上" if high is None else f"{low / 10_000:f}～{high / 10_000:f} 万元"
        told = f"不足 {ends[1] / 10_000:f} 万元" if place == 1 else told
        rows.append((place, f"增加{told}", low, high))
        rows.append((-place, f"减少{told}", None if high is None else -high, -low))
    return rows
