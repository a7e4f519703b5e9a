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
    return {
        "rows": read.height,
        "rows_truth": truth.height,
        "sums": {name: int(read[name].sum() or 0) for name in MONEY},
        "sums_truth": {name: int(truth[name].sum()) for name in MONEY},
        "said": len(said),
        "silent": {name: found for name in VALUES if (found := _silent(both, name, said))},
    }


def _silent(both: pl.DataFrame, column: str, said: set[tuple[int, str]]) -> dict[str, int]:
    """How many cells of a column are wrong and unsaid, by trap (codes: as number or as text)."""
    unlike = both[column].ne_missing(both[f"{column}_read"])
    trap = pl.lit("any")
    if column == "rnd_expense":
        unlike, trap = unlike | (both["trap"] == "unreadable"), pl.col("trap")
    if column == "uscc":
        unlike |= both["code_as_number"]
        trap = pl.when("code_as_number").then(pl.lit("as_number")).otherwise(pl.lit("as_text"))
    unsaid = ~both["row"].is_in([row for row, name in said if name == column])
    wrong = both.filter(unlike & unsaid).group_by(trap.alias("trap")).agg(pl.len())
    return {trap: count for trap, count in wrong.sort("trap").iter_rows() if count}


if __name__ == "__main__":
    print(json.dumps(told(sys.argv[1], Path(sys.argv[2]))))
