"""Whether two contenders' totals of every scenario are the same, to the fen."""

import json
from pathlib import Path

import polars as pl

_KEY = ["scenario", "district", "item"]
_MONEY = ["award", "city_share", "district_share"]


def told(ours: str, theirs: str) -> None:
    """Print one line of JSON: sums compared, how many differ, and by how much (fen)."""
    found = (pl.read_parquet(Path(folder) / "totals.parquet") for folder in (ours, theirs))
    both = next(found).join(next(found), on=_KEY, how="full", suffix="_theirs").fill_null(0)
    gaps = both.select((pl.col(f"{name}_theirs") - pl.col(name)).abs().alias(name) for name in _MONEY)
    relative = both.select((gaps["award"] / pl.col("award")).max()).item()
    print(
        json.dumps(
            {
                "sums": gaps.height * len(_MONEY),
                "different": int(sum((gaps[name] != 0).sum() for name in _MONEY)),
                "largest_fen": max(gaps.max().row(0)) if gaps.height else 0,
                "largest_relative": relative or 0.0,
            }
        )
    )
