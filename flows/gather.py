"""Bring the parts of a run together: sorted runs of rows become one sorted table, a slice at a time."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from flows.check import notes
from flows.files import read_json, write_json, write_parquet
from flows.parts import Division
from rules.caps import quota_notes, with_quota_notes
from rules.catalogue import Catalogue
from rules.invariants import Broken
from rules.settle import SETTLEMENT_ORDER
from rules.summary import merged
from schemas.outputs import ORDER
from schemas.registries import REGISTRIES

SLICE = 500_000
"""Rows of the whole table that are in memory at once."""

_PLACE = ("registry", "source_file", "source_sheet", "source_row", "column", "check", "reason")


def gather_checks(work: Path, division: Division, year: int) -> None:
    """Rejects, counts of rows, notes and the years that were searched, of all parts: `check.json`, `rejects.parquet`.

    Raises Broken where rows were lost on the way.
    """
    told = [read_json(part / "checked" / "told.json") for part in division.folders]
    rows = {name: _added(one["rows"][name] for one in told) for name in told[0]["rows"]}
    late = {name: sum(one["late"][name] for one in told) for name in told[0]["late"]}
    searched = {
        name: sorted({year for one in told for year in one["searched"][name]}) for name in told[0]["searched"]
    }
    for name, count in read_json(work / "read.json")["rows"].items():
        if rows[name]["read"] + late[name] != count:
            raise Broken(
                f"校验不通过：{REGISTRIES[name].title}读入 {count} 行，各分区合计 {rows[name]['read']} 行"
            )
    rank = {name: place for place, name in enumerate(REGISTRIES)}
    rejects = pl.concat([pl.read_parquet(part / "checked" / "rejects.parquet") for part in division.folders])
    by_registry = pl.col("registry").replace_strict(rank, return_dtype=pl.Int32)
    write_parquet(rejects.sort(by_registry, *_PLACE[1:], nulls_last=True), work / "rejects.parquet")
    write_json(work / "check.json", {"notes": notes(late, year), "rows": rows, "searched": searched})


def _added(counts: Iterator[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        total = {name: total.get(name, 0) + count for name, count in one.items()}
    return total


def gather_awards(work: Path, division: Division, law: Catalogue) -> None:
    """The published tables of all parts, and `compute.json`: the identities of the whole."""
    computed = [part / "computed" for part in division.folders]
    awards = [folder / "awards.parquet" for folder in computed]
    settled = [folder / "settlement.parquet" for folder in computed]
    told = quota_notes(law, _payable(awards))
    if told or division.folders != [work]:
        _merged(
            awards, work / "awards.parquet", ORDER, division.cuts, lambda rows: with_quota_notes(rows, told)
        )
    else:
        _the_same(awards[0], work / "awards.parquet")
    if division.folders != [work]:
        _merged(settled, work / "settlement.parquet", SETTLEMENT_ORDER, division.cuts)
    else:
        _the_same(settled[0], work / "settlement.parquet")
    summaries = pl.concat([pl.read_parquet(folder / "summary.parquet") for folder in computed])
    write_parquet(merged(summaries), work / "summary.parquet")
    paid = pl.concat([pl.read_parquet(folder / "last_year.parquet") for folder in computed])
    paid.write_parquet(work / "last_year.parquet")
    sides = [read_json(part / "computed" / "told.json")["identities"] for part in division.folders]
    identities = [
        (what, *(str(sum((Decimal(one[place][side]) for one in sides), Decimal(0))) for side in (1, 2)))
        for place, (what, *_) in enumerate(sides[0])
    ]
    write_json(work / "compute.json", {"identities": identities})


def _payable(files: Sequence[Path]) -> dict[str, int]:
    """By item the year's payable lines."""
    lines = pl.scan_parquet(list(files)).filter(status="payable").group_by("item").agg(pl.len())
    return dict(lines.collect(engine="streaming").iter_rows())


def _the_same(file: Path, target: Path) -> None:
    """The only part's table is the whole's, as it would be written again."""
    target.unlink(missing_ok=True)  # of a try that failed
    target.hardlink_to(file)


def _merged(
    files: Sequence[Path],
    target: Path,
    order: Sequence[str | pl.Expr],
    cuts: Sequence[str],
    told: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
) -> None:
    """Write the sorted rows of all files, sorted. Each file is sorted by `order`, which begins with item and code."""
    runs = _runs(files, cuts)

    def slices(columns: Any, predicate: Any, n_rows: Any, batch: Any) -> Iterator[pl.DataFrame]:
        for (_,), run in runs.group_by("slice", maintain_order=True):
            pieces = [
                pl.scan_parquet(files[file]).slice(offset, count).collect()
                for file, offset, count in run.select("file", "offset", "rows").iter_rows()
            ]
            whole = (
                pieces[0]
                if len(pieces) == 1
                else pl.concat(pieces).sort(order, nulls_last=True, maintain_order=True)
            )
            yield told(whole)

    write_parquet(register_io_source(slices, schema=pl.read_parquet_schema(files[0])), target)


def _runs(files: Sequence[Path], cuts: Sequence[str]) -> pl.DataFrame:
    """Which rows of which file make each slice of the whole: `slice`, `file`, `offset`, `rows`, in order.

    A slice holds whole items, or of a large one the applicants between two cuts.
    """
    bounds = pl.Series(cuts, dtype=pl.String)
    key = ["policy", "article", "item", "cut"]
    counts = []
    for place, file in enumerate(files):
        held = pl.read_parquet(file, columns=["item", "uscc"])
        found = held.with_columns(cut=bounds.search_sorted(held["uscc"], side="right"))
        item = pl.col("item")
        found = found.group_by("item", "cut").agg(rows=pl.len().cast(pl.Int64))
        counts.append(
            found.with_columns(
                policy=item.str.head(1), article=item.str.extract(r"(\d+)\.").cast(pl.Int32), file=place
            )
        )
    runs = pl.concat(counts).sort(*key, "file")
    whole = runs.group_by(key, maintain_order=True).agg(pl.col("rows").sum().alias("all"))
    whole = whole.with_columns(slice=(pl.col("all").cum_sum() - pl.col("all")) // SLICE)
    runs = runs.join(whole.select(*key, "slice"), on=key, maintain_order="left")
    return (
        runs.with_columns(offset=(pl.col("rows").cum_sum() - pl.col("rows")).over("file"))
        .group_by("slice", "file", maintain_order=True)
        .agg(pl.col("offset").first(), pl.col("rows").sum())
        .sort("slice", "file")
    )
