"""The bridge between two published runs, of which only the results are at hand."""

from decimal import Decimal

import polars as pl

from schemas.comparing import PUBLISHED_STEPS
from schemas.money import YUAN
from whatif.bridge import CELL, MONEY, SHARES, cells, told


def bridge_published(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The steps between two published runs (shape AWARDS), in the order of PUBLISHED_STEPS and the shape BRIDGE.

    Without registries data and rules cannot be told apart. An applicant is in a run that has a line of it,
    payable or not. `split` compares each item's and district's shares in both runs: what the after-run's
    money would have been by the before-run's shares. Where a cell was not paid before, or its shares agree
    to the rounding, nothing is put down to the split.
    """
    stay = pl.col("uscc").is_in(before["uscc"].unique().implode())
    leavers = before.filter(~pl.col("uscc").is_in(after["uscc"].unique().implode()))
    entrants, start = after.filter(~stay), cells(before)
    common = _as_shared_before(cells(after.filter(stay)), before, after)
    stages = [
        ("entry", cells(pl.concat([side.select(*CELL, *MONEY) for side in (before, entrants)]))),
        ("exit", _added(start, cells(entrants), _negative(cells(leavers)))),
        ("lines", _added(cells(entrants), common)),
        ("split", cells(after)),
    ]
    return told(start, stages, PUBLISHED_STEPS, cells(after))


def _added(*parts: pl.DataFrame) -> pl.DataFrame:
    return cells(pl.concat(parts, how="diagonal"))


def _negative(money: pl.DataFrame) -> pl.DataFrame:
    return money.with_columns(-pl.col(c) for c in MONEY)


def _as_shared_before(common: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The cells' money by the before-run's shares."""
    sides = [
        frame.filter(pl.col("award") > 0)
        .group_by(CELL)
        .agg(
            *(pl.col(c).sum().to_physical().cast(pl.Int128).alias(f"{side}_{c}") for c in MONEY),
            pl.len().cast(pl.Int128).alias(f"{side}_lines"),
        )
        for side, frame in (("old", before), ("new", after))
    ]
    held = common
    for side in sides:
        held = held.join(side, on=CELL, how="left", nulls_equal=True)
    # Each line's share is rounded by at most half a fen: shares agree where they differ by no more than that.
    slack = pl.col("old_lines") * pl.col("new_award") + pl.col("new_lines") * pl.col("old_award")
    agree = [
        (pl.col(f"old_{c}") * pl.col("new_award") - pl.col(f"new_{c}") * pl.col("old_award")).abs() <= slack
        for c in SHARES
    ]
    moved = ~pl.all_horizontal(agree).fill_null(True)
    fen = pl.col("award").to_physical().cast(pl.Int128)
    old = pl.when(moved).then(pl.col("old_award")).otherwise(1)
    by_old = {
        c: (fen * pl.col(f"old_{c}") * 2 + old) // (old * 2) for c in ("district_share", "prefecture_share")
    }
    shared = {c: pl.when(moved).then(_yuan(e)).otherwise(pl.col(c)) for c, e in by_old.items()}
    held = held.with_columns(**shared)
    city = pl.col("award") - pl.col("district_share") - pl.col("prefecture_share")
    return held.with_columns(city_share=city).select(*CELL, *MONEY)


def _yuan(fen: pl.Expr) -> pl.Expr:
    return fen.cast(YUAN) * pl.lit(Decimal("0.01"), YUAN)
