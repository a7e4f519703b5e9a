"""From totals by draw to the rows of a forecast: means, quantiles and payers, for cells and every total."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from forecast.run import Totals
from forecast.streams import Floats, Ints
from rules.catalogue import Catalogue
from rules.model import Policy
from rules.split import split
from schemas.money import YUAN
from schemas.outputs import DRAWS, FORECAST, OUTLOOKS, PAYERS, QUANTILES

_LEVELS = (
    (),
    ("district",),
    ("policy", "article"),
    ("policy", "article", "item"),
    ("policy", "article", "district"),
)
"""Totals of a payment year: of everything, and by these."""

_DETAIL = ("award_year", "district", "policy", "article", "item", "basis")


@dataclass(frozen=True)
class Weighted:
    """Totals with what each cell counts for in an outlook (0..1) and which share each payer bears."""

    totals: Totals
    cells: pl.DataFrame
    weights: dict[str, Floats]
    shares: dict[str, Floats]


def weighted(totals: Totals, law: Catalogue, base: int) -> Weighted:
    """Bring the law's windows and payers to the cells."""
    policy = {key: held for key, held in law.policies.items()}
    lag = law.prospect.payment_lag
    article = {item.id: item.article for item in law.items.values()}
    title = {item.id: item.title for item in law.items.values()}
    cells = totals.cells.with_columns(
        policy=pl.col("item").str.head(1),
        article=pl.col("item").replace_strict(article, return_dtype=pl.Int32),
        title=pl.col("item").replace_strict(title, return_dtype=pl.String),
        pay_year=pl.col("award_year") + lag,
    )
    yearly = {i.id for i in law.items.values() if i.registry in ("rnd", "equipment")}
    now, then = [], []
    for item, year, basis in cells.select("item", "award_year", "basis").iter_rows():
        ahead = basis not in ("known", "pending")
        inside = _in_force(policy[item[0]], year, item in yearly) if ahead else 1.0
        now.append(1.0 if basis == "promised" else inside)
        then.append(
            0.0 if basis == "promised" else 1.0 if _begun(policy[item[0]], year) or not ahead else 0.0
        )
    weights = {"current": np.asarray(now), "renewed": np.asarray(then)}
    return Weighted(totals, cells, weights, _shares(cells, law))


def _begun(policy: Policy, year: int) -> bool:
    return policy.begins.year <= year


def _in_force(policy: Policy, year: int, whole_years: bool) -> float:
    """The part of a year in which a policy is in force; yearly figures count where any day is."""
    first, last = max(policy.begins, date(year, 1, 1)), min(policy.ends, date(year, 12, 31))
    days = (last - first).days + 1
    if days <= 0:
        return 0.0
    return 1.0 if whole_years else days / (date(year, 12, 31) - date(year, 1, 1)).days if days < 365 else 1.0


def _shares(cells: pl.DataFrame, law: Catalogue) -> dict[str, Floats]:
    """By payer the share of each cell's amount, as the award run splits a large one."""
    whole = Decimal(10**12)
    lines = cells.with_columns(
        pl.lit(whole, YUAN).alias("award"),
        pl.col("item")
        .replace_strict({i.id: law.class_of(i) for i in law.items.values() if i.class_}, default="general")
        .alias("class"),
    )
    found = split(lines, law)
    return {payer: (found[f"{payer}_share"].cast(pl.Float64) / float(whole)).to_numpy() for payer in PAYERS}


def forecast_rows(held: Weighted) -> pl.DataFrame:
    """Every row of the forecast in the shape FORECAST, in a fixed order."""
    parts = [_rows(held, outlook, keys) for outlook in OUTLOOKS for keys in (*_LEVELS, _DETAIL)]
    rows = pl.concat(parts, how="diagonal").select(pl.col(c).cast(t) for c, t in FORECAST.items())
    key = ["outlook", "pay_year", "award_year", "policy", "article", "item", "basis", "district", "payer"]
    return rows.sort(key, nulls_last=True)


def _rows(held: Weighted, outlook: str, keys: Sequence[str]) -> pl.DataFrame:
    by = ["pay_year", *keys]
    live = held.cells.with_row_index("_cell").filter(pl.Series(held.weights[outlook] > 0))
    groups = live.group_by(by, maintain_order=True).agg(
        "_cell", pl.col("title").first(), pl.col("open").any()
    )
    found: list[dict[str, object]] = []
    for row in groups.iter_rows(named=True):
        cells = np.asarray(row.pop("_cell"))
        about = {k: row[k] for k in by} | ({"title": row["title"]} if "item" in keys else {})
        for payer, figures in _figures(held, outlook, cells, row["open"] and "item" in keys):
            if payer is None and keys == _DETAIL:
                continue
            found.append({"outlook": outlook, **about, "payer": payer, **figures})
    return pl.DataFrame(found, schema_overrides={k: FORECAST[k] for k in FORECAST}, infer_schema_length=None)


def _figures(
    held: Weighted, outlook: str, cells: Ints, open_ended: bool
) -> Iterator[tuple[str | None, dict[str, float | None]]]:
    """By payer (None: all) the mean, quantiles, statutory range and number of lines of some cells together."""
    sums = by_payer(held, outlook, cells)
    weight = held.weights[outlook][cells]
    draws = held.totals.draws
    low, high = _range(held, outlook, cells)
    lines = float((weight * held.totals.lines[cells]).sum()) / draws
    for payer in (*PAYERS, None):
        fen = sum(sums.values()) if payer is None else sums[payer]
        share = np.ones(cells.size) if payer is None else held.shares[payer][cells]
        ordered = np.sort(np.asarray(fen))
        figures: dict[str, float | None] = {"lines": lines, "mean": _yuan(ordered.mean())}
        for name, at in QUANTILES.items():
            figures[name] = _yuan(ordered[min(draws - 1, int(np.ceil(at * draws)) - 1)])
        figures["statutory_low"] = _yuan((share * low).sum())
        figures["statutory_high"] = None if open_ended else _yuan((share * high).sum())
        yield payer, figures


def by_payer(held: Weighted, outlook: str, cells: Ints) -> dict[str, Floats]:
    """Whole fen of some cells together, by payer and draw; the shares of a cell are rounded, the city pays the rest."""
    whole = np.rint(held.totals.amounts[cells] * held.weights[outlook][cells][:, None])
    others = {
        payer: np.rint(whole * held.shares[payer][cells][:, None]).sum(0)
        for payer in ("district", "prefecture")
    }
    return {"city": whole.sum(0) - others["district"] - others["prefecture"], **others}


def _range(held: Weighted, outlook: str, cells: Ints) -> tuple[Floats, Floats]:
    """By cell the ends of the statutory range (fen): in proportion where they were worked out in some draws."""
    totals, weight = held.totals, held.weights[outlook][cells]
    mean = totals.amounts[cells].mean(1)
    seen = totals.seen[cells]
    ranged = held.cells["ranged"].to_numpy()[cells]
    ends = []
    for end in (totals.low, totals.high):
        ratio = np.divide(end[cells], seen, out=np.ones(cells.size), where=seen > 0)
        alone = end[cells] / totals.draws  # nothing was decided in any draw, but something could be
        value = np.where(ranged, np.where(seen > 0, mean * ratio, alone), mean)
        ends.append(
            weight * np.where(held.cells["open"].to_numpy()[cells] & (end is totals.high), 0.0, value)
        )
    return ends[0], ends[1]


def _yuan(fen: float) -> float:
    return round(float(fen)) / 100


def draw_rows(held: Weighted) -> pl.DataFrame:
    """Totals of every draw in the shape DRAWS."""
    found = []
    for outlook in OUTLOOKS:
        live = held.cells.with_row_index("_cell").filter(pl.Series(held.weights[outlook] > 0))
        groups = (
            live.group_by("pay_year", "district", maintain_order=True)
            .agg("_cell")
            .sort("pay_year", "district")
        )
        for year, district, cells in groups.iter_rows():
            for payer, fen in by_payer(held, outlook, np.asarray(cells)).items():
                found.append(
                    pl.DataFrame(
                        {"draw": np.arange(1, held.totals.draws + 1), "amount": fen / 100}
                    ).with_columns(
                        outlook=pl.lit(outlook), pay_year=year, payer=pl.lit(payer), district=pl.lit(district)
                    )
                )
    shape = pl.DataFrame(schema=DRAWS)
    return pl.concat([shape, *(one.select(pl.col(c).cast(t) for c, t in DRAWS.items()) for one in found)])
