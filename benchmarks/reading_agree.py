"""What a reader made of the workbook, against what it says: python -m benchmarks.reading_agree READER FOLDER"""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

MONEY = ("rnd_expense", "revenue")
VALUES = ("uscc", "year", "super_deduction", *MONEY)


def told(reader: str, folder: Path) -> dict[str, Any]:
    """Rows, sums (fen) and cells that are not what the sheet says, by column and by trap.

    A cell counts as wrong where the reader has another value, or none, without saying so; a cell whose text says no
    value (`待核`) is wrong unless the reader says so, since nobody would otherwise look at it.
    """
    truth = pl.read_parquet(folder / "truth.parquet")
    read = pl.read_parquet(folder / f"{reader}.parquet").with_columns(
        pl.col("row").cast(pl.Int64), pl.col("year", *MONEY).cast(pl.Int64)
    )
    both = truth.join(read, on="row", how="left", suffix="_read")
    said = {(fault["row"], fault["column"]) for fault in json.loads((folder / f"{reader}.json").read_text())}
    silent = {}
    for name in VALUES:
        unlike = both[name].ne_missing(both[f"{name}_read"])
        if name == "rnd_expense":
            unlike |= both["trap"] == "unreadable"
        wrong = (
            both.filter(unlike)
            .select("row", "trap")
            .filter(~pl.col("row").is_in([row for row, column in said if column == name]))
        )
        if wrong.height:
            kept = wrong if name == "rnd_expense" else wrong.with_columns(trap=pl.lit("any"))
            silent[name] = dict(kept.group_by("trap").agg(pl.len()).sort("trap").iter_rows())
    return {
        "rows": read.height,
        "rows_truth": truth.height,
        "sums": {name: int(read[name].sum() or 0) for name in MONEY},
        "sums_truth": {name: int(truth[name].sum()) for name in MONEY},
        "said": len(said),
        "silent": silent,
    }


if __name__ == "__main__":
    print(json.dumps(told(sys.argv[1], Path(sys.argv[2]))))
