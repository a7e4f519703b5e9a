"""The totals of a comparison at every level: money, households, per household, what is pending."""

from decimal import Decimal

import polars as pl

from schemas.comparing import LEVELS, MOST_COUNTED, SIDES, SIZES, UNKNOWN_SIZE
from schemas.districts import DISTRICTS
from schemas.money import YUAN
from schemas.outputs import CLASSES, PAYERS
from whatif.order import by_number
from whatif.tally import CELL, PAID, SUMS, Tally

_KEYS = {
    "all": "_all",
    "policy": "_policy",
    "article": "_article",
    "item": "item",
    "class": "class",
    "district": "district",
    "department": "_department",
    "size": "size",
}
"""The column that holds each level's key."""

_PENDING = [f"pending_lines_{side}" for side in SIDES]
_MOVES = [f"_by_{payer}" for payer in PAYERS]
_DIFFERS = pl.any_horizontal(pl.col(_MOVES) != 0)
_ORDERS = {
    "payer": list(PAYERS),
    "class": list(CLASSES),
    "district": list(DISTRICTS),
    "size": [*SIZES, UNKNOWN_SIZE],
}


def levels(gathered: Tally) -> pl.DataFrame:
    """The columns of TOTALS (and others) for every level, in the order of LEVELS."""
    keys = _keys(gathered)
    base, cells = (frame.join(keys, on="item", how="left") for frame in (gathered.base, gathered.cells))
    few, many = _few(base)
    moved = _moved(base)
    paid = {side: base.filter(pl.col(side) > 0) for side in SIDES}
    found = {}
    for level in LEVELS:
        if level == "payer":
            found[level] = _payers(base, cells)
        elif level != "size" or gathered.sized:
            key = _KEYS[level]
            sums = cells.group_by(key).agg(pl.col(SUMS).sum())
            if level == "all":  # also where nothing is paid at all
                sums = cells.select(pl.lit("all").cast(pl.Categorical).alias(key), pl.col(SUMS).sum())
            counts = [sums, *_counted(paid, moved, key), _fewest(few, many, key)]
            found[level] = _joined(counts, key)
    parts = [_worded(level, frame, gathered.about) for level, frame in found.items() if frame.height]
    return pl.concat(parts, how="diagonal")


def _keys(gathered: Tally) -> pl.DataFrame:
    """By item the keys of the levels above it."""
    return gathered.about.select(
        pl.col("item").cast(pl.Categorical),
        *(
            pl.col(c).cast(pl.Categorical).alias(n)
            for n, c in (("_policy", "policy"), ("_department", "lead_department"))
        ),
        pl.concat_str("policy", pl.col("article").cast(pl.String)).cast(pl.Categorical).alias("_article"),
        pl.lit("all").cast(pl.Categorical).alias("_all"),
    )


def _joined(parts: list[pl.DataFrame], key: str) -> pl.DataFrame:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.join(part, on=key, how="left", nulls_equal=True)
    return whole.with_columns(pl.col(key).cast(pl.String).fill_null("").alias("key"))


def _moved(base: pl.DataFrame) -> pl.DataFrame:
    """The rows whose money differs, with by how much for each payer."""
    moves = ((pl.col(f"{p}_after") - pl.col(f"{p}_before")).alias(f"_by_{p}") for p in PAYERS)
    return base.with_columns(moves).filter(_DIFFERS)


def _counted(paid: dict[str, pl.DataFrame], moved: pl.DataFrame, key: str) -> list[pl.DataFrame]:
    """By key the applicants with money on each side, and those whose money differs, in all or for a payer."""
    count = pl.col("who").n_unique()
    found = [rows.group_by(key).agg(count.alias(f"households_{side}")) for side, rows in paid.items()]
    by_applicant = moved.group_by(key, "who").agg(pl.col(_MOVES).sum()).filter(_DIFFERS)
    return [*found, by_applicant.group_by(key).agg(changed=pl.len())]


def _few(base: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of every payer's money and pending lines: the applicants of small cells, and the cells that are not small.

    A cell's rows are different applicants: with MOST_COUNTED in one cell, whatever holds it is not small.
    """
    flags = [*PAID, *_PENDING]
    keys = [c for c in base.columns if c == "item" or c.startswith("_") or c in CELL]
    sizes = base.group_by(CELL).agg((pl.col(c) > 0).sum() for c in flags)
    small, large = [], []
    about = base.select(keys).unique(CELL)
    for flag in flags:
        count = sizes.select(*CELL, pl.col(flag).alias("count"))
        rows = base.filter(pl.col(flag) > 0).select("who", *keys)
        thin = count.filter(pl.col("count").is_between(1, MOST_COUNTED - 1))
        small.append(rows.join(thin, on=CELL, how="semi", nulls_equal=True).with_columns(flag=pl.lit(flag)))
        thick = count.filter(pl.col("count") >= MOST_COUNTED).join(about, on=CELL, nulls_equal=True)
        large.append(thick.select(*keys, flag=pl.lit(flag)))
    return pl.concat(small), pl.concat(large)


def _fewest(few: pl.DataFrame, many: pl.DataFrame, key: str) -> pl.DataFrame:
    """By key `payer_households` and `pending_households`, counted to MOST_COUNTED."""
    large = many.select(key, "flag").unique().with_columns(count=pl.lit(MOST_COUNTED, pl.UInt32))
    small = few.group_by(key, "flag").agg(count=pl.col("who").n_unique())
    counts = pl.concat([large, small]).group_by(key, "flag").agg(pl.col("count").max())
    least = pl.min_horizontal(pl.col("count"), pl.lit(MOST_COUNTED, pl.UInt32))
    return counts.group_by(key).agg(
        payer_households=least.filter(pl.col("flag").is_in(PAID)).min(),
        pending_households=least.filter(pl.col("flag").is_in(_PENDING)).min(),
    )


def _payers(base: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The level of payers: one payer's money as all of it, and nothing pending."""
    sums, rows = cells.select(pl.col(SUMS).sum()), []
    people = base.group_by("who").agg(pl.col(PAID).sum())
    for payer in PAYERS:
        sides = {side: f"{payer}_{side}" for side in SIDES}
        counts = people.select(
            *((pl.col(column) > 0).sum().alias(f"households_{side}") for side, column in sides.items()),
            changed=(pl.col(f"{payer}_before") != pl.col(f"{payer}_after")).sum(),
        )
        fewest = pl.min_horizontal(
            pl.when(pl.col(f"households_{side}") > 0).then(pl.col(f"households_{side}")) for side in SIDES
        )
        money = sums.select(
            *(pl.col(column).alias(side) for side, column in sides.items()),
            *(pl.col(f"lines_{column}").alias(f"lines_{side}") for side, column in sides.items()),
            *(pl.col(c) if c in sides.values() else pl.lit(0, YUAN).alias(c) for c in PAID),
        )
        row = pl.concat([money, counts], how="horizontal").with_columns(key=pl.lit(payer))
        rows.append(row.with_columns(payer_households=pl.min_horizontal(fewest, pl.lit(MOST_COUNTED))))
    empty = {"pending_households": pl.UInt32} | {
        c: sums.schema[c] for c in SUMS if c.startswith(("pending_", "open_"))
    }
    return pl.concat(rows).with_columns(pl.lit(None, dtype).alias(c) for c, dtype in empty.items())


def _worded(level: str, found: pl.DataFrame, about: pl.DataFrame) -> pl.DataFrame:
    """A level's rows with titles, changes and shares, in the order people list them."""
    order = [_place("key", _ORDERS[level])] if level in _ORDERS else []
    order = by_number("key") if level in ("policy", "article", "item") else order
    counts = pl.col("households_before", "households_after", "changed").fill_null(0)
    return (
        found.sort(*order, "key")
        .with_columns(counts)
        .with_columns(
            *(_each(side).alias(f"per_household_{side}") for side in SIDES),
            *(
                pl.when(pl.col(f"open_{side}") == 0)
                .then(pl.col(f"pending_high_{side}"))
                .alias(f"pending_high_{side}")
                for side in SIDES
            ),
            level=pl.lit(level),
            title=_title(level, about),
            change=pl.col("after") - pl.col("before"),
            percent=pl.when(pl.col("before") != 0).then(
                (pl.col("after") - pl.col("before")).cast(pl.Float64)
                * 100
                / pl.col("before").cast(pl.Float64)
            ),
        )
    )


def _place(column: str, order: list[str]) -> pl.Expr:
    places = {name: place for place, name in enumerate(order)}
    return pl.col(column).replace_strict(places, default=len(order), return_dtype=pl.Int32)


def _title(level: str, about: pl.DataFrame) -> pl.Expr:
    """A key in words."""
    key = pl.col("key")
    if level == "item":
        return key.replace_strict(
            dict(about.select("item", "title").rows()), default=None, return_dtype=pl.String
        )
    if level == "article":
        return pl.concat_str(key.str.head(1), pl.lit(" 第"), key.str.slice(1), pl.lit("条"))
    words: dict[str, str] = {"payer": PAYERS, "class": CLASSES, "all": {"all": LEVELS["all"]}}.get(level, {})
    shown = key.replace(words) if words else key
    return pl.when(key == "").then(pl.lit("未列明")).otherwise(shown)


def _each(side: str) -> pl.Expr:
    """Money by household, to the fen; null without a household."""
    count = pl.col(f"households_{side}").cast(pl.Int128)
    fen = pl.col(side).to_physical().cast(pl.Int128)
    rounded = (fen * 2 + count) // pl.max_horizontal(count * 2, pl.lit(1, pl.Int128))
    return pl.when(count > 0).then(rounded.cast(YUAN) * pl.lit(Decimal("0.01"), YUAN))
