"""Whether a contender's results are ours, to the fen: python -m benchmarks.contest.agree OURS THEIRS

Compares `lines.parquet` line by line where both have it, else `awards.parquet` cell by cell. Money may be yuan
as Decimal, fen as integers, or yuan as floats, which are rounded to the fen. Prints one line of JSON.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

_KEY = ["item", "uscc", "project_id"]
_MONEY = ["gross", "award", "city_share", "district_share", "award_low", "award_high"]
_FEN = pl.Int64


def lines_of(path: Path) -> pl.DataFrame:
    """The lines with money in fen."""
    frame = pl.read_parquet(path).with_columns(pl.col(*_KEY).cast(pl.String))
    return frame.select(*_KEY, "district", "status", *(in_fen(frame[c]) for c in _MONEY))


def in_fen(money: pl.Series) -> pl.Series:
    """Money in whole fen: Decimal yuan, integer fen, or floats of yuan, rounded."""
    if money.dtype.is_integer():
        return money.cast(_FEN)
    if money.dtype.is_float():
        return (money.cast(pl.Float64) * 100).round().cast(_FEN)
    return money.cast(pl.Decimal(38, 2)).to_physical().cast(_FEN)


def compare_lines(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, Any]:
    """Lines of both, of one only, equal and different ones, and by how much awards differ (fen).

    A line is different where any of its columns is. Gaps are of `award` for payable lines and of
    `award_high` for pending ones.
    """
    both = ours.join(theirs, on=_KEY, how="full", nulls_equal=True, suffix="_theirs")
    alone = both.filter(pl.col("uscc").is_null() | pl.col("uscc_theirs").is_null())
    both = both.filter(pl.col("uscc").is_not_null() & pl.col("uscc_theirs").is_not_null())
    unlike = [pl.col(c).ne_missing(pl.col(f"{c}_theirs")) for c in ("district", "status", *_MONEY)]
    worth, theirs_worth = pl.col("award") + _open(""), pl.col("award_theirs") + _open("_theirs")
    gap = (theirs_worth - worth).alias("gap")
    different = both.filter(pl.any_horizontal(unlike)).with_columns(gap, worth.alias("worth"))
    return {
        "lines": ours.height,
        "theirs": theirs.height,
        "alone": alone.height,
        "equal": both.height - different.height,
        "different": different.height,
        "largest_fen": _whole(different["gap"].abs().max()),
        "sum_fen": _whole(different["gap"].sum()),
        "sum_of_sizes_fen": _whole(different["gap"].abs().sum()),
        "award_fen": _whole(ours["award"].sum()),
        "by_item": dict(different.group_by("item").agg(pl.len()).sort("item").iter_rows()),
        "largest_relative": different.select((pl.col("gap").abs() / pl.col("worth")).max()).item() or 0.0,
    }


def _open(suffix: str) -> pl.Expr:
    return pl.when(pl.col(f"status{suffix}") == "pending").then(pl.col(f"award_high{suffix}")).otherwise(0)


def _whole(value: Any) -> int:
    return int(value or 0)


def compare_totals(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, int]:
    """Cells of totals by 区镇 and item, and how many of them differ."""
    money = ["award", "city_share", "district_share"]

    def plain(frame: pl.DataFrame) -> pl.DataFrame:
        counted = frame.select(pl.col("district", "item").cast(pl.String), pl.col("lines").cast(pl.Int64))
        return counted.with_columns(in_fen(frame[c]) for c in money)

    both = plain(ours).join(plain(theirs), on=["district", "item"], how="full", suffix="_theirs")
    wrong = sum(
        both.select(pl.col(c).ne_missing(pl.col(f"{c}_theirs")).sum()).item() for c in ("lines", *money)
    )
    return {"totals": both.height * 4, "totals_different": int(wrong)}


def compare_cells(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, Any]:
    """Rows of awards.parquet, and the columns in which cells differ with their number, in the order as written."""
    if ours.height != theirs.height or ours.schema != theirs.schema:
        return {"lines": ours.height, "theirs": theirs.height, "alike": False, "columns": {}}
    wrong = {c: int(ours[c].ne_missing(theirs[c]).sum()) for c in ours.columns}
    wrong = {c: count for c, count in wrong.items() if count}
    cells = ours.height * ours.width
    return {"lines": ours.height, "cells": cells, "alike": not wrong, "columns": wrong}


def agreement(ours: Path, theirs: Path) -> dict[str, Any]:
    """Compare two folders of results."""
    if (theirs / "lines.parquet").is_file():
        found = compare_lines(lines_of(ours / "lines.parquet"), lines_of(theirs / "lines.parquet"))
        totals = [pl.read_parquet(folder / "totals.parquet") for folder in (ours, theirs)]
        return found | compare_totals(*totals)
    return compare_cells(*(pl.read_parquet(folder / "awards.parquet") for folder in (ours, theirs)))


def yuan(fen: int) -> str:
    """Fen as yuan in words."""
    return f"{Decimal(fen) / 100:,.2f}"


if __name__ == "__main__":
    print(json.dumps(agreement(*map(Path, sys.argv[1:]))))
