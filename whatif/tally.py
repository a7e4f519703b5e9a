"""Award lines of two runs gathered by applicant and item, and added up in cells as fine as any table needs."""

from dataclasses import dataclass

import polars as pl

from rules.evaluate import PAYABLE, PENDING
from schemas.comparing import SIDES, UNKNOWN_SIZE
from schemas.outputs import PAYERS

CELL = ["item", "class", "district", "size"]
"""What places a line in every table. Applicants are numbers (`who`) here, and these columns categories."""

PAID = [f"{payer}_{side}" for payer in PAYERS for side in SIDES]
SUMS = [
    f"{what}_{s}" for what in ("lines", "pending_lines", "pending_low", "pending_high", "open") for s in SIDES
]
SUMS += [*SIDES, *PAID, *(f"lines_{column}" for column in PAID)]
_ABOUT = ["item", "title", "policy", "article", "lead_department"]


@dataclass(frozen=True)
class Tally:
    """Two runs gathered: both sides' figures in one row, nothing where a side has none.

    `base`: money and pending lines by applicant and cell. `cells`: all sums (SUMS) by cell. `people` and
    `about`: what is said of an applicant and an item, as it is after, else before. `sized`: sizes are given.
    """

    base: pl.DataFrame
    cells: pl.DataFrame
    people: pl.DataFrame
    about: pl.DataFrame
    sized: bool


def tally(before: pl.DataFrame, after: pl.DataFrame, sizes: pl.DataFrame | None) -> Tally:
    """Gather the lines of both sides that pay or may pay."""
    lines = pl.concat([_side(after, "after"), _side(before, "before")], how="diagonal")
    lines = lines.with_columns(who=pl.col("uscc").cast(pl.Categorical).to_physical())
    people = lines.select("who", "uscc", "name", "district").unique("who", keep="first", maintain_order=True)
    lines, cells = _placed(lines.drop("uscc", "name"), people, sizes)
    # One number as the key: grouping by it takes half the time of grouping by two columns.
    key = pl.col("who").cast(pl.UInt64) * 2**32 + pl.col("cell")
    own = [*PAID, *(f"pending_lines_{side}" for side in SIDES)]
    base = lines.group_by(key.alias("key")).agg(pl.col(own).sum())
    base = base.with_columns(
        *(pl.sum_horizontal(f"{payer}_{side}" for payer in PAYERS).alias(side) for side in SIDES),
        who=(pl.col("key") // 2**32).cast(pl.UInt32),
        cell=(pl.col("key") % 2**32).cast(pl.UInt32),
    )
    about = pl.concat([side.select(_ABOUT).unique("item") for side in (after, before)])
    return Tally(
        base=base.drop("key").join(cells, on="cell"),
        cells=lines.group_by("cell").agg(pl.col(SUMS).sum()).join(cells, on="cell"),
        people=people,
        about=about.unique("item", keep="first", maintain_order=True),
        sized=sizes is not None,
    )


def _placed(
    lines: pl.DataFrame, people: pl.DataFrame, sizes: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines with the number of their `cell`, and the cells in full."""
    size = pl.lit(None, pl.String).alias("size")
    if sizes is not None:
        held = people.select("who", "uscc").join(sizes.unique("uscc"), on="uscc", how="left")
        lines = lines.join(held.select("who", "size"), on="who", how="left", maintain_order="left")
        size = pl.col("size").fill_null(UNKNOWN_SIZE)
    lines = lines.with_columns(size).with_columns(pl.col(CELL).cast(pl.Categorical))
    cells = lines.select(CELL).unique().with_row_index("cell")
    lines = lines.join(cells, on=CELL, how="left", nulls_equal=True, maintain_order="left")
    return lines.drop(CELL), cells


def _side(lines: pl.DataFrame, side: str) -> pl.DataFrame:
    """The lines that pay or may pay, with their figures named for one side."""
    live = lines.filter(pl.col("status").is_in([PAYABLE, PENDING]))
    payable, pending = pl.col("status") == PAYABLE, pl.col("status") == PENDING
    high = pl.col("award_high")
    return live.select(
        *("uscc", "name", "item", "class", "district"),
        pl.col("award").alias(side),
        *(pl.col(f"{payer}_share").alias(f"{payer}_{side}") for payer in PAYERS),
        payable.cast(pl.Int64).alias(f"lines_{side}"),
        *((pl.col(f"{p}_share") > 0).cast(pl.Int64).alias(f"lines_{p}_{side}") for p in PAYERS),
        pending.cast(pl.Int64).alias(f"pending_lines_{side}"),
        (pending & high.is_null()).cast(pl.Int64).alias(f"open_{side}"),
        pl.when(pending).then(pl.col("award_low")).alias(f"pending_low_{side}"),
        pl.when(pending).then(high).alias(f"pending_high_{side}"),
    )
