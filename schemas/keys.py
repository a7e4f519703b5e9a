"""Rows that speak of the same matter: repeated ones count once, contradicting ones not at all."""

from collections.abc import Sequence
from functools import reduce
from operator import xor

import polars as pl

from schemas.labels import filled, plain_column
from schemas.registries import Registry
from schemas.validate import FAULTS

_LEADS_TO_ITEM = {"event"}
"""Columns that only lead to the item: different words for one item make no different rows."""

_NAMES = {"certification"}
"""Columns whose blank contradicts nothing: the item may be named by its number instead."""

_MOST_NAMED = 20
"""How many other rows a conflict names."""

_AMOUNTS = ("base_amount", "base_amount_prior", "assessed_amount", "upper_award")


def _folded(column: str) -> pl.Expr:
    return pl.col(column).str.to_uppercase()


def _matter(*choices: pl.Expr) -> list[pl.Expr]:
    """The first choice that a row fills in: each counts where those before it are blank."""
    blank = pl.lit(True)
    made: list[pl.Expr] = []
    for choice in choices:
        made.append(pl.when(blank).then(choice))
        blank = blank & choice.is_null()
    return made


_KEYS: dict[str, tuple[list[pl.Expr], list[str]]] = {
    "enterprises": ([pl.col("uscc")], ["uscc"]),
    "rnd": ([pl.col("uscc"), pl.col("year")], ["uscc", "year"]),
    "equipment": ([pl.col("uscc"), pl.col("year"), _folded("project_id")], ["uscc", "year", "project_id"]),
    "certifications": (
        [
            *(pl.col(c) for c in ("uscc", "item", "level")),
            *_matter(_folded("certificate_no"), _folded("project_id"), pl.col("certified_on")),
        ],
        ["uscc", "item", "certificate_no"],
    ),
    "claims": (
        [
            *(pl.col(c) for c in ("uscc", "item", "level")),
            *_matter(_folded("project_id"), pl.col("event_on")),
            *(pl.when(pl.col("project_id").is_null()).then(pl.col(c)) for c in _AMOUNTS),
        ],
        ["uscc", "item", "project_id"],
    ),
    "talents": (
        [pl.col(c) for c in ("person_id", "item", "level", "event_on")],
        ["person_id", "item", "event_on"],
    ),
}
"""By registry: what identifies a row's matter, and the columns to name.
Ids compare without case. Payments are never compared with each other."""


def mark_repeats(registry: Registry, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`frame` with `same_as`, and the conflicts in the shape FAULTS (`row`: the frame's row index).

    `same_as` is the place of the row that counts where a row repeats it, else null. Conflicts are rows of
    one key with different figures, each naming the others. Among history rows a blank contradicts
    nothing, and the fullest row counts.
    """
    nothing = frame.with_columns(pl.lit(None, pl.String).alias("same_as")), pl.DataFrame(schema=FAULTS)
    if registry.name not in _KEYS or frame.height < 2:
        return nothing
    key, named = _KEYS[registry.name]
    hashes = frame.select(_hash(key)).to_series()
    if hashes.n_unique() == frame.height:  # half the work of telling which repeat; most registries end here
        return nothing
    keys = [f"_key{place}" for place in range(len(key))]
    keyed = frame.with_columns(part.alias(name) for part, name in zip(key, keys, strict=True))
    keyed = keyed.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("_at"))
    doubled = keyed.filter(hashes.is_duplicated()).filter(pl.len().over(keys) > 1)
    if doubled.is_empty():
        return nothing
    names_too = registry.name == "enterprises"
    compared = [
        c for c in registry.columns if c not in _LEADS_TO_ITEM and (names_too or registry.kind(c) != "name")
    ]
    data = {c: _folded(c) if registry.kind(c) == "id" else pl.col(c) for c in compared}
    # Where an event tells the item, its names are only words for one thing (高企, 高新技术企业).
    data |= {
        c: pl.when(pl.col("event").is_null()).then(plain_column(pl.col(c))) for c in compared if c in _NAMES
    }
    history = (pl.col("role") == "history").all()
    differ = pl.any_horizontal(
        pl.when(history | pl.lit(c in _NAMES)).then(value.drop_nulls().n_unique()).otherwise(value.n_unique())
        > 1
        for c, value in data.items()
    )
    doubled = doubled.with_columns(
        filled("{}第{}行", "source_file", "source_row").alias("place"),
        pl.sum_horizontal(value.is_not_null().cast(pl.Int32) for value in data.values()).alias("filled"),
        differ.over(keys).alias("differ"),
    )
    return _repeated(keyed, doubled, keys).drop(*keys, "_at"), _conflicts(registry, doubled, keys, named)


def _hash(key: Sequence[pl.Expr]) -> pl.Expr:
    """One number for rows of one key; rarely also for others."""
    return reduce(xor, (part.hash(place) for place, part in enumerate(key)))


def _repeated(keyed: pl.DataFrame, doubled: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    ordered = doubled.filter(~pl.col("differ")).sort(
        "filled", "source_file", "source_sheet", "source_row", descending=[True, False, False, False]
    )
    first = pl.col("place").first().over(keys)
    marks = ordered.select("_at", pl.when(pl.col("place") != first).then(first).alias("same_as"))
    return keyed.join(marks, on="_at", how="left", maintain_order="left")


def _conflicts(registry: Registry, doubled: pl.DataFrame, keys: list[str], named: list[str]) -> pl.DataFrame:
    headers = "、".join(registry.header(column) for column in named)
    differing = doubled.filter(pl.col("differ"))
    in_order = pl.col("place").sort_by("source_file", "source_sheet", "source_row")
    named_rows = in_order.head(_MOST_NAMED + 1).alias("places")
    places = differing.group_by(keys).agg(named_rows, pl.len().alias("rows"))
    found = differing.join(places, on=keys, how="left", nulls_equal=True)
    others = pl.col("places").list.set_difference(pl.concat_list("place")).list.sort().list.join("、")
    many = pl.when(pl.col("rows") > _MOST_NAMED + 1).then(filled("等{}行", pl.col("rows") - 1))
    reason = filled(
        "与{}{}的{}相同而数据不同，不能确定以哪一行为准；请核对后只保留正确的一行",
        others,
        many.otherwise(pl.lit("")),
        pl.lit(headers),
    )
    return found.select(
        pl.col("_at").alias("row"),
        pl.lit(named[-1]).alias("column"),
        reason.alias("reason"),
        pl.lit("conflict").alias("check"),
    )
