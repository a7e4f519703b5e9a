"""Small cells: tables for the public hide what stands for fewer than three enterprises, and what would give it away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from schemas.comparing import MOST_COUNTED, PUBLIC_TOTALS, SIDES
from schemas.outputs import PAYERS
from whatif.compare import Comparison

LEAST = 3
"""The fewest enterprises that a public figure may stand for."""

_FIRST, _SECOND = "少于{}户，不公开", "为避免倒算，一并不公开"

_ROW = ["households_before", "households_after", "changed", "lines_before", "lines_after", *SIDES, "change"]
_ROW += ["percent", "per_household_before", "per_household_after"]
_PAYERS = [f"{payer}_{side}" for payer in PAYERS for side in SIDES]
_PENDING = [f"pending_{what}_{side}" for what in ("lines", "low", "high") for side in SIDES]


@dataclass(frozen=True)
class _Layer:
    """Columns that are hidden together, the counts that decide it, and the figures that rank cells by size."""

    columns: list[str]
    counts: list[str]
    weights: list[str]
    name: str


_LAYERS = [
    _Layer(
        _ROW,
        ["households_before", "households_after", "changed"],
        ["households_before", "households_after"],
        "",
    ),
    _Layer(_PAYERS, ["payer_households"], ["households_before", "households_after"], "分负担方金额"),
    _Layer(_PENDING, ["pending_households"], ["pending_lines_before", "pending_lines_after"], "待核定金额"),
]
"""A row hides all of itself, or only what its payers bear, or only what is pending."""

Partition = tuple[int | None, list[int]]
"""A published total (its row, None: known otherwise) and the rows that add up to it."""


def suppressed(totals: pl.DataFrame, least: int = LEAST) -> pl.DataFrame:
    """Totals (shape TOTALS) for the public, in the shape PUBLIC_TOTALS.

    A row is hidden where one to `least` - 1 applicants have money on either side, or their change would be
    told; the payers' columns and the pending ones likewise by themselves. Where only one part of a total
    would be hidden, the next smallest is too, so that no difference tells it. `note` says which and why.
    """
    if not 1 < least <= MOST_COUNTED:
        raise ValueError(f"least 应在 2 到 {MOST_COUNTED} 之间")
    partitions = _partitions(totals)
    hidden: set[int] = set()
    notes: list[list[str]] = [[] for _ in range(totals.height)]
    for layer in _LAYERS:
        first = _small(totals, layer.counts, least) | (hidden if layer.name else set())
        here = _closed(first, partitions, _weights(totals, layer.weights))
        for row in sorted(here - (hidden if layer.name else set())):
            why = _FIRST.format(least) if row in first else _SECOND
            notes[row].append(f"{layer.name}{why}")
        gone = pl.Series([row in here for row in range(totals.height)], dtype=pl.Boolean)
        totals = totals.with_columns(pl.when(~gone).then(pl.col(c)).alias(c) for c in layer.columns)
        hidden = hidden | here if not layer.name else hidden
    counts = [c for layer in _LAYERS[1:] for c in layer.counts]
    told = pl.Series(["；".join(note) or None for note in notes], dtype=pl.String)
    public = totals.with_columns(pl.lit(None).alias(c) for c in counts)
    public = public.with_columns(suppressed=told.is_not_null(), note=told)
    return public.select(pl.col(c).cast(t) for c, t in PUBLIC_TOTALS.items())


def words(public: pl.DataFrame, least: int = LEAST) -> str:
    """What a public table must say about the cells it hides."""
    count = int(public["suppressed"].sum())
    if not count:
        return f"没有少于 {least} 户的单元格。"
    return f"少于 {least} 户的单元格及为避免倒算一并隐去的单元格不公开，共 {count} 行（见说明栏）。"


def public(comparison: Comparison, least: int = LEAST) -> Comparison:
    """A comparison for the public: small cells hidden in every table, and no lists of applicants.

    `kinds` hides a kind's district or item and what would give it away; `concentration` follows the totals
    of its item, and the change bins are hidden below `least`. Totals have the shape PUBLIC_TOTALS.
    """
    totals = suppressed(comparison.totals, least)
    shown = totals.filter((pl.col("level") == "item") & pl.col("households_before").is_not_null())["key"]
    whole = totals.filter((pl.col("level") == "all") & pl.col("households_before").is_not_null()).height
    spread = comparison.concentration
    keep = pl.col("item").is_in(shown.implode()) | (pl.col("item").is_null() & pl.lit(bool(whole)))
    return replace(
        comparison,
        totals=totals,
        households=comparison.households.clear(),
        details=comparison.details.clear(),
        kinds=_public_kinds(comparison.kinds, least),
        concentration=spread.with_columns(pl.when(keep).then(pl.col(c)).alias(c) for c in spread.columns[2:]),
        changes=_public_changes(comparison.changes, least),
    )


def _public_kinds(kinds: pl.DataFrame, least: int) -> pl.DataFrame:
    """Kinds by district add up both ways: over districts to the kind in all, over kinds to the district."""
    rows = list(enumerate(kinds.select("kind", "district", "item").rows()))
    at = {kind: row for row, (kind, district, item) in rows if district is None and item is None}
    partitions: list[Partition] = [(None, list(at.values()))]
    for kind in at:
        partitions.append((at[kind], [row for row, (k, d, _) in rows if k == kind and d is not None]))
    for place, column in ((1, "district"), (2, "item")):
        for value in kinds[column].drop_nulls().unique(maintain_order=True):
            partitions.append((None, [row for row, held in rows if held[place] == value]))
    return _without(kinds, least, partitions, ["households", "before", "after", "change"])


def _public_changes(changes: pl.DataFrame, least: int) -> pl.DataFrame:
    return _without(changes, least, [(None, list(range(changes.height)))], ["households", "change"])


def _without(
    frame: pl.DataFrame, least: int, partitions: list[Partition], columns: list[str]
) -> pl.DataFrame:
    here = _closed(_small(frame, ["households"], least), partitions, _weights(frame, ["households"]))
    gone = pl.Series([row in here for row in range(frame.height)], dtype=pl.Boolean)
    return frame.with_columns(pl.when(~gone).then(pl.col(c)).alias(c) for c in columns)


def _small(frame: pl.DataFrame, counts: list[str], least: int) -> set[int]:
    few = pl.any_horizontal(pl.col(c).is_between(1, least - 1).fill_null(False) for c in counts)
    return set(frame.select(few.arg_true()).to_series().to_list())


def _weights(frame: pl.DataFrame, columns: list[str]) -> list[tuple[bool, int]]:
    """By row whether it lacks a side, and its size: the least that can be told apart goes first."""
    lacks = pl.any_horizontal(pl.col(c).fill_null(0) == 0 for c in columns)
    size = pl.sum_horizontal(pl.col(c).fill_null(0) for c in columns)
    return [(bool(a), int(b)) for a, b in frame.select(lacks.alias("a"), size.alias("b")).rows()]


def _partitions(totals: pl.DataFrame) -> list[Partition]:
    """Items add up to articles, articles to policies, and every other level to the whole."""
    rows = list(enumerate(totals.select("level", "key").rows()))
    place = {held: row for row, held in rows}
    of: dict[str, Callable[[str], tuple[str, str]]] = {
        "item": lambda key: ("article", key.split(".")[0]),
        "article": lambda key: ("policy", key[:1]),
    }
    groups: dict[tuple[str, tuple[str, str]], list[int]] = {}
    for row, (level, key) in rows:
        if level != "all":
            parent = of[level](key) if level in of else ("all", "all")
            groups.setdefault((level, parent), []).append(row)
    return [(place.get(parent), members) for (_, parent), members in groups.items()]


def _closed(first: set[int], partitions: Sequence[Partition], weights: list[tuple[bool, int]]) -> set[int]:
    """The rows to hide so that no hidden one follows from those shown.

    Of a total that is shown, none or at least two parts are hidden, or the total is hidden as well; of one
    that is hidden, at least one part is. Parts of nothing are no parts.
    """
    hidden = set(first)
    grown = True
    while grown:
        before = len(hidden)
        for total, members in partitions:
            parts = [row for row in members if weights[row][1]]
            gone = [row for row in parts if row in hidden]
            alone = len(gone) == 1 and total not in hidden
            bare = not gone and total is not None and total in hidden
            if alone or bare:
                rest = [row for row in parts if row not in hidden]
                if rest:
                    hidden.add(min(rest, key=lambda row: (*weights[row], row)))
                elif total is not None:
                    hidden.add(total)
        grown = len(hidden) > before
    return hidden
