"""The bridge: the change between two runs broken into steps that add up to it, to the fen."""

from collections.abc import Iterator

import polars as pl

from rules.award import owed
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.frames import Frames
from rules.history import Rows
from rules.invariants import Broken
from rules.split import kind_of, split
from schemas.comparing import BRIDGE, STEPS
from schemas.money import total
from schemas.outputs import PAYERS
from whatif.bench import Bench, changed
from whatif.between import between
from whatif.order import by_district, by_number

CELL = ["district", "item"]
SHARES = [f"{payer}_share" for payer in PAYERS]
MONEY = ["award", *SHARES]
_OWED = ["policy", "item", "class", "uscc", "district", *MONEY]
_EVERY: list[list[str]] = [[], ["district"], ["item"], CELL]

Stage = tuple[str, pl.DataFrame]
"""A step and the money by district and item once it is taken."""


def bridge(before: Bench, after: Bench) -> pl.DataFrame:
    """The steps from one run to the other in the order of STEPS, in the shape BRIDGE.

    Each step is the difference of two sums over settled lines. The old law on the new registries gives the
    data step (applicants in both enterprise registries), entry and exit; then the law changes group by
    group (see whatif.between). Raises Broken where the steps do not add up, or the last moves the total.
    """
    start, stages = cells(before.lines), list(_stages(before, after))
    end = stages[-1][1] if _one_registry(before, after) else cells(after.lines)
    return told(start, stages, STEPS, end)


def _stages(before: Bench, after: Bench) -> Iterator[Stage]:
    old, anew = before.lines, _under_old_law(before, after)
    here, there = (_applicants(side.frames) for side in (before, after))
    stay, come = pl.col("uscc").is_in(here.implode()), pl.col("uscc").is_in(there.implode())
    leavers = old.filter(~come)
    yield "data", cells(pl.concat([leavers, anew.filter(stay)]))
    yield "entry", cells(pl.concat([leavers, anew]))
    yield "exit", cells(anew)
    rows = before.rows if _one_registry(before, after) else after.rows
    law, held = before.law, anew.filter(status=PAYABLE).select(_OWED)
    for step, then in between(law, after.law):
        held = _moved_on(rows, held, law, then)
        yield step, cells(held)
        law = then


def _moved_on(rows: Rows, held: pl.DataFrame, law: Catalogue, then: Catalogue) -> pl.DataFrame:
    """The payable lines under the next law: only what differs from this one is evaluated."""
    if not _alike(law, then):
        return owed(rows, then).filter(status=PAYABLE).select(_OWED)
    items = changed(law, then)
    kind = kind_of(then).alias("class")
    kept = held.filter(~pl.col("item").is_in(list(items))).with_columns(kind)
    new = owed(rows, then, items).filter(status=PAYABLE) if items else held.clear()
    return pl.concat([split(kept, then).select(_OWED), new.select(_OWED)])


def _alike(law: Catalogue, then: Catalogue) -> bool:
    """Whether two laws differ in values only, so that their difference can be told item by item."""
    return (
        law.overlaps == then.overlaps
        and law.readings.keys() == then.readings.keys()
        and law.items.keys() == then.items.keys()
    )


def _one_registry(before: Bench, after: Bench) -> bool:
    return before.frames is after.frames and before.year == after.year


def _under_old_law(before: Bench, after: Bench) -> pl.DataFrame:
    """The new registries' lines under the old law; rows of items that it does not know earn nothing."""
    if _one_registry(before, after):
        return before.lines
    law = before.law
    return Bench({name: _known(frame, law) for name, frame in after.frames.items()}, after.year, law).lines


def _known(frame: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    if "item" not in frame.columns:
        return frame
    return frame.filter(pl.col("item").is_in(list(law.items)))


def _applicants(frames: Frames) -> pl.Series:
    return frames["enterprises"].filter(pl.col("same_as").is_null())["uscc"].unique()


def cells(lines: pl.DataFrame) -> pl.DataFrame:
    """Money by district and item."""
    return lines.group_by(CELL).agg(pl.col(MONEY).sum())


def told(start: pl.DataFrame, stages: list[Stage], titles: dict[str, str], end: pl.DataFrame) -> pl.DataFrame:
    """The stages as steps, in the shape BRIDGE. Raises Broken where they do not lead from start to end."""
    parts, held = [], start
    for step, money in stages:
        parts += [_step(held, money, by, step, titles[step]) for by in _EVERY]
        held = money
    order = pl.col("step").replace_strict({s: n for n, s in enumerate(titles)}, return_dtype=pl.Int32)
    level = pl.col("district").is_not_null().cast(pl.Int8) + 2 * pl.col("item").is_not_null().cast(pl.Int8)
    steps = pl.concat(parts, how="diagonal").sort(order, level, by_district(), *by_number(), nulls_last=False)
    steps = steps.select(pl.col(c).cast(t) for c, t in BRIDGE.items())
    _verify(steps, start, end)
    return steps


def _step(before: pl.DataFrame, after: pl.DataFrame, by: list[str], step: str, title: str) -> pl.DataFrame:
    """One step by district, by item, by both, or in all (`by` empty)."""
    sides = [
        frame.select(*CELL, *(pl.col(c).alias(f"{side}_{c}") for c in MONEY))
        for side, frame in (("old", before), ("new", after))
    ]
    both = pl.concat(sides, how="diagonal")
    sums = [pl.col(f"{side}_{c}").sum() for side in ("old", "new") for c in MONEY]
    found = (
        both.group_by(by).agg(sums).filter(pl.any_horizontal(s != 0 for s in _named()))
        if by
        else both.select(sums)
    )
    change = {c: pl.col(f"new_{c}") - pl.col(f"old_{c}") for c in MONEY}
    nothing = [pl.lit(None, pl.String).alias(c) for c in CELL if c not in by]
    return found.select(
        *by,
        *nothing,
        step=pl.lit(step),
        title=pl.lit(title),
        before=pl.col("old_award"),
        after=pl.col("new_award"),
        change=change["award"],
        **{c: change[c] for c in SHARES},
    )


def _named() -> list[pl.Expr]:
    return [pl.col(f"{side}_{c}") for side in ("old", "new") for c in MONEY]


def _verify(steps: pl.DataFrame, start: pl.DataFrame, end: pl.DataFrame) -> None:
    """The steps add up to the difference, in all and for every payer, by district and by item alike."""
    expected = tuple(total(end[c]) - total(start[c]) for c in MONEY)
    for level in (
        pl.col("district").is_null() & pl.col("item").is_null(),
        pl.col("district").is_not_null() & pl.col("item").is_null(),
        pl.col("district").is_null() & pl.col("item").is_not_null(),
        pl.col("district").is_not_null() & pl.col("item").is_not_null(),
    ):
        here = steps.filter(level)
        sums = tuple(total(here[c]) for c in ("change", *SHARES))
        if sums != expected:
            raise Broken(f"校验不通过：桥接各步之和 {sums} 不等于两次测算之差 {expected}")
    moved = steps.filter(pl.col("step") == "split")
    if moved.filter(pl.col("change") != 0).height:
        raise Broken("校验不通过：桥接的分担一步改变了奖补总额")
