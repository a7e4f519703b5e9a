"""From totals by draw to the rows of a forecast: means, quantiles and payers, for cells and every total."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from forecast.history import part_in_force
from forecast.run import Totals
from forecast.streams import Floats, Ints
from rules.catalogue import Catalogue
from rules.split import split
from schemas.money import YUAN
from schemas.outputs import DRAWS, FORECAST, OUTLOOKS, PAYERS, QUANTILES

_LEVELS: tuple[tuple[str, ...], ...] = (
    (),
    ("district",),
    ("policy", "article"),
    ("policy", "article", "item"),
    ("policy", "article", "district"),
    ("award_year", "district", "policy", "article", "item", "basis"),
)
"""Totals of a payment year: of everything, and by these; the last is the detail."""

_AT_ONCE = 4096
"""Cells that are summed at once."""

_ORDER = ["outlook", "pay_year", "award_year", "policy", "article", "item", "basis", "district", "payer"]


@dataclass(frozen=True)
class Weighted:
    """Totals with what each cell counts for in an outlook (0..1) and which share each payer bears.

    `years`: the payment years of the forecast, also those that owe nothing.
    """

    totals: Totals
    cells: pl.DataFrame
    years: list[int]
    weights: dict[str, Floats]
    shares: dict[str, Floats]

    @property
    def draws(self) -> int:
        return self.totals.draws


def weighted(totals: Totals, law: Catalogue, award_years: Sequence[int]) -> Weighted:
    """Bring the law's windows and payers to the cells of the award years (all of them, also empty ones)."""
    articles = {item.id: item.article for item in law.items.values()}
    titles = {item.id: item.title for item in law.items.values()}
    cells = totals.cells.with_columns(
        policy=pl.col("item").str.head(1),
        article=pl.col("item").replace_strict(articles, return_dtype=pl.Int32),
        title=pl.col("item").replace_strict(titles, return_dtype=pl.String),
        pay_year=pl.col("award_year") + law.prospect.payment_lag,
    )
    yearly = {i.id for i in law.items.values() if i.registry in ("rnd", "equipment")}
    now, then = [], []
    for item, year, basis in cells.select("item", "award_year", "basis").iter_rows():
        if basis in ("known", "pending"):  # the base year's own: the award run has looked at its window
            ends = (1.0, 1.0)
        elif (
            basis == "promised"
        ):  # what a policy that has ended still owes; renewed, its cases are counted anew
            ends = (1.0, 0.0)
        else:
            ends = (part_in_force(law.policies[item[0]], year, item in yearly), 1.0)
        now.append(ends[0])
        then.append(ends[1])
    weights = {"current": np.asarray(now), "renewed": np.asarray(then)}
    years = [year + law.prospect.payment_lag for year in award_years]
    return Weighted(totals, cells, years, weights, _shares(cells, law))


def _shares(cells: pl.DataFrame, law: Catalogue) -> dict[str, Floats]:
    """By payer the share of each cell's amount, as the award run splits a large one."""
    whole = Decimal(10**12)
    kinds = {item.id: law.class_of(item) for item in law.items.values() if item.class_}
    kind = pl.col("item").replace_strict(kinds, default=None, return_dtype=pl.String)
    found = split(cells.with_columns(pl.lit(whole, YUAN).alias("award"), kind.alias("class")), law)
    return {payer: (found[f"{payer}_share"].cast(pl.Float64) / float(whole)).to_numpy() for payer in PAYERS}


def forecast_rows(held: Weighted) -> pl.DataFrame:
    """Every row of the forecast in the shape FORECAST, in a fixed order."""
    current = pl.concat([_level(held, "current", keys) for keys in _LEVELS], how="diagonal")
    differs = held.weights["current"] != held.weights["renewed"]
    changed = sorted(set(held.cells["pay_year"].filter(pl.Series(differs)).to_list()))
    renewed = [_level(held, "renewed", keys, changed) for keys in _LEVELS] if changed else []
    same = current.filter(~pl.col("pay_year").is_in(changed)).with_columns(outlook=pl.lit("renewed"))
    rows = pl.concat([current, same, *renewed], how="diagonal")
    rows = pl.concat([rows, _nothing(held, rows)], how="diagonal")
    return rows.select(pl.col(c).cast(t) for c, t in FORECAST.items()).sort(_ORDER, nulls_last=True)


def _nothing(held: Weighted, rows: pl.DataFrame) -> pl.DataFrame:
    """Totals of nought for the payment years that owe nothing."""
    known = set(rows.select("outlook", "pay_year").unique().iter_rows())
    nought = dict.fromkeys(("lines", "mean", *QUANTILES, "statutory_low", "statutory_high"), 0.0)
    found = [
        {"outlook": outlook, "pay_year": year, "payer": payer} | nought
        for outlook in OUTLOOKS
        for year in held.years
        for payer in (*PAYERS, None)
        if (outlook, year) not in known
    ]
    return pl.DataFrame(found, schema=FORECAST)


def _level(
    held: Weighted, outlook: str, keys: Sequence[str], years: Sequence[int] | None = None
) -> pl.DataFrame:
    """The rows of one level of totals, for all payment years or some."""
    live = held.cells.with_row_index("_cell").filter(pl.Series(held.weights[outlook] > 0))
    live = live if years is None else live.filter(pl.col("pay_year").is_in(years))
    by = ["pay_year", *keys]
    about = [pl.col("title").first()] if "item" in keys else []
    groups = live.group_by(by).agg("_cell", *about, pl.col("open").any()).sort(by)
    found = []
    for some, cells, starts in _batches(groups["_cell"]):
        for payer, figures in _figures(held, outlook, cells, starts):
            if payer is None and "basis" in keys:
                continue
            told = groups[some].drop("_cell").with_columns(pl.Series(k, v) for k, v in figures.items())
            found.append(told.with_columns(outlook=pl.lit(outlook), payer=pl.lit(payer, pl.String)))
    if not found:
        return pl.DataFrame(schema=FORECAST)
    rows = pl.concat(found)
    if "item" in keys:
        rows = rows.with_columns(statutory_high=pl.when(~pl.col("open")).then("statutory_high"))
    return rows.drop("open")


def _batches(groups: pl.Series) -> Iterator[tuple[slice, Ints, Ints]]:
    """Groups of cells, some at a time: which groups, their cells in order, and each group's first place."""
    sizes = groups.list.len().to_numpy()
    cells = groups.explode().cast(pl.Int64).to_numpy() if sizes.size else np.empty(0, np.int64)
    ends = np.cumsum(sizes)
    first = 0
    while first < sizes.size:
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        starts = np.concatenate([[0], np.cumsum(sizes[first : last - 1])]).astype(np.int64)
        yield slice(first, last), cells[before : int(ends[last - 1])], starts
        first = last


def _figures(
    held: Weighted, outlook: str, cells: Ints, starts: Ints
) -> Iterator[tuple[str | None, dict[str, Floats]]]:
    """By payer (None: all) mean, quantiles, statutory range and number of lines of each group of cells."""
    weight = held.weights[outlook][cells]
    low, high = _range(held, cells)
    lines = np.add.reduceat(weight * held.totals.lines[cells] / held.draws, starts)
    for payer, fen in by_payer(held, outlook, cells, starts).items():
        share = weight * (held.shares[payer][cells] if payer else 1.0)
        ordered = np.sort(fen, axis=1)
        figures = {"lines": lines, "mean": _yuan(ordered.mean(1))}
        for name, at in QUANTILES.items():
            figures[name] = _yuan(ordered[:, int(np.ceil(at * held.draws)) - 1])
        ends = [_yuan(np.add.reduceat(share * end, starts)) for end in (low, high)]
        figures["statutory_low"] = np.minimum(ends[0], figures["mean"])  # apart by a rounded fen at most
        figures["statutory_high"] = np.maximum(ends[1], figures["mean"])
        yield payer, figures


def by_payer(held: Weighted, outlook: str, cells: Ints, starts: Ints) -> dict[str | None, Floats]:
    """Whole fen of groups of cells [groups, draws] by payer, and of all payers (None).

    The shares of each cell are rounded to the fen and the city pays the rest, so that parts add up.
    """
    weight = held.weights[outlook][cells]
    whole = held.totals.amounts[cells].astype(np.float64)
    if (weight != 1).any():
        whole = np.rint(whole * weight[:, None])
    found: dict[str | None, Floats] = {None: np.add.reduceat(whole, starts, axis=0)}
    for payer in PAYERS:
        if payer != "city":
            part = np.rint(whole * held.shares[payer][cells][:, None])
            found[payer] = np.add.reduceat(part, starts, axis=0)
    found["city"] = found[None] - sum(found[payer] for payer in PAYERS if payer != "city")
    return found


def _range(held: Weighted, cells: Ints) -> tuple[Floats, Floats]:
    """By cell the ends of the statutory range in fen; where no amount is open both are the mean.

    Ends that were worked out in some draws only are brought to all of them by the amounts of the same draws.
    Where the range has no end its high counts as the mean.
    """
    totals = held.totals
    mean, seen = totals.amounts[cells].mean(1), totals.seen[cells]
    ranged, endless = (held.cells[name].to_numpy()[cells] for name in ("ranged", "open"))
    ends = []
    for end in (totals.low[cells], totals.high[cells]):
        by_amount = mean * np.divide(end, seen, out=np.ones(cells.size), where=seen > 0)
        ends.append(np.where(ranged, np.where(seen > 0, by_amount, end / totals.draws), mean))
    return np.minimum(ends[0], mean), np.where(endless, mean, np.maximum(ends[1], mean))


def _yuan(fen: Floats) -> Floats:
    return np.asarray(np.rint(fen) / 100)


def draw_rows(held: Weighted) -> pl.DataFrame:
    """Totals of every draw in the shape DRAWS."""
    number = np.arange(1, held.draws + 1)
    found = [pl.DataFrame(schema=DRAWS)]
    for outlook in OUTLOOKS:
        live = held.cells.with_row_index("_cell").filter(pl.Series(held.weights[outlook] > 0))
        groups = live.group_by("pay_year", "district").agg("_cell").sort("pay_year", "district")
        for year, district, cells in groups.iter_rows():
            sums = by_payer(held, outlook, np.asarray(cells), np.zeros(1, np.int64))
            for payer in PAYERS:
                keys = {"outlook": outlook, "pay_year": year, "payer": payer, "district": district}
                drawn = pl.DataFrame({"draw": number, "amount": sums[payer][0] / 100})
                drawn = drawn.with_columns(pl.lit(value).alias(key) for key, value in keys.items())
                found.append(drawn.select(pl.col(c).cast(t) for c, t in DRAWS.items()))
    return pl.concat(found)


def unsettled(held: Weighted, law: Catalogue) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What no history settles, by item and award year: with a statutory range (counted at its low end), and without.

    `lines`, `low` and `high` (yuan) in the current outlook.
    """
    cells = held.cells.with_row_index("_cell").filter(~pl.col("settled"))
    cells = cells.filter(pl.Series(held.weights["current"])[cells["_cell"]] > 0)
    ranges: list[dict[str, Any]] = []
    endless: list[dict[str, Any]] = []
    groups = cells.group_by("item", "award_year").agg("_cell", pl.col("title").first(), pl.col("open").any())
    for item, year, places, title, is_open in groups.sort("item", "award_year").iter_rows():
        place = np.asarray(places)
        weight = held.weights["current"][place]
        low, high = _range(held, place)
        about = {"item": item, "title": title, "award_year": year}
        about["lines"] = round(float((weight * held.totals.lines[place]).sum()) / held.draws, 1)
        if not about["lines"]:
            continue
        if is_open:
            endless.append(about | {"why": _why(law, item)})
        else:
            ends = {"low": float((weight * low).sum()) / 100, "high": float((weight * high).sum()) / 100}
            ranges.append(about | {name: round(value, 2) for name, value in ends.items()})
    return ranges, endless


def _why(law: Catalogue, item: str) -> str:
    """Why an item's amounts have no end."""
    return "一事一议" if law.items[item].basis == "case_by_case" else "政策未定标准，也没有以往核定可依"
