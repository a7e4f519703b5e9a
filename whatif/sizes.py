"""Size classes of enterprises: terciles of their revenue, or of their R&D where revenue is not reported."""

import polars as pl

from schemas.comparing import SIZES


def size_classes(rnd: pl.DataFrame, year: int) -> pl.DataFrame:
    """`uscc` and `size` (大, 中, 小) of the enterprises of an R&D registry's `year`, repeated rows left out.

    By revenue where at least half of them report it, else by R&D expense. A third of the enterprises with
    the figure are 小, a third 大; equal figures are in one class.
    """
    rows = rnd.filter((pl.col("year") == year) & pl.col("same_as").is_null())
    reported = rows["revenue"].is_not_null().sum() * 2 >= max(rows.height, 1)
    figure = "revenue" if reported else "rnd_expense"
    sized = rows.group_by("uscc").agg(pl.col(figure).max()).drop_nulls()
    below = (pl.col(figure).rank("min") - 1) * 3
    size = (
        pl.when(below < pl.len())
        .then(pl.lit(SIZES[2]))
        .when(below < pl.len() * 2)
        .then(pl.lit(SIZES[1]))
        .otherwise(pl.lit(SIZES[0]))
    )
    return sized.select("uscc", size=size).sort("uscc")
