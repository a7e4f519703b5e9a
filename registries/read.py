"""Read a registry's file into typed columns with provenance, faults and notes."""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from registries import cells, totals
from registries.grids import Grid, open_grids, shifted_rows
from registries.headers import Header, find_header, refuse_header, stated_unit
from schemas.errors import Unusable
from schemas.labels import plain
from schemas.registries import DTYPES, PROVENANCE, Registry

RAW = "raw:"
"""Prefix of a column's text as the file has it, kept beside the value so that messages can quote it."""

CELL_FAULTS = {"row": pl.Int64, "column": pl.String, "reason": pl.String, "check": pl.String}


@dataclass
class Table:
    """A registry as read. `frame` has the registry's columns, their raw text and provenance, one row each.

    `faults` (columns CELL_FAULTS) lists cells that could not be read; `row` is the frame's row index.
    """

    frame: pl.DataFrame
    faults: pl.DataFrame
    notes: list[str] = field(default_factory=list)

    def located_faults(self) -> pl.DataFrame:
        """The faults with file, sheet and row instead of the row index."""
        places = self.frame.select(*PROVENANCE).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        return self.faults.join(places, on="row").drop("row")


def read_table(path: Path, registry: Registry, label: str) -> Table:
    """Read one file. `label` is how provenance names it. Raises Unusable when no sheet fits."""
    if path.suffix.casefold() == ".parquet":
        return _read_parquet(path, registry, label)
    grids = open_grids(path)
    tried = [(grid, find_header(grid, registry)) for grid in grids if grid.cells.width]
    fitting = [(grid, header) for grid, header in tried if header and header.fits(registry)]
    if len(fitting) > 1:
        names = "、".join(f"「{grid.sheet}」" for grid, _ in fitting)
        raise Unusable(
            f"工作簿「{path}」中有{len(fitting)}个工作表都像{registry.title}：{names}。请只保留一个，或把其余的移到别的文件。"
        )
    if not fitting:
        raise refuse_header(path, registry, tried)
    return _read_grid(*fitting[0], registry, label)


def _read_grid(grid: Grid, header: Header, registry: Registry, label: str) -> Table:
    body = grid.cells.slice(header.last_row + 1)
    rows = pl.int_range(header.last_row + 2, header.last_row + 2 + body.height, eager=True)
    head = grid.cells.slice(0, header.last_row + 1)
    kinds = totals.classify(body, header, registry, head)
    where = f"{label}" + (f"「{grid.sheet}」" if grid.sheet else "")
    outside = pl.concat([head.slice(0, header.row), body.filter(kinds == totals.NOTE)])
    unit = stated_unit([text for row in outside.rows() for text in row if text], where)
    shifted = shifted_rows(body)

    texts = body.select(
        _text(body, grid, place.place, registry, column, header.last_row + 1).alias(RAW + column)
        for column, place in header.fields.items()
    )
    cleaned = texts.select(
        cells.clean(pl.col(RAW + column), registry.kind(column)).alias(column) for column in header.fields
    )
    factors = {
        column: (place.factor or (unit if registry.kind(column) == "money" else Decimal(1)))
        for column, place in header.fields.items()
    }
    values = cleaned.select(
        cells.parse(pl.col(column), registry.kind(column), factors[column], grid.binary).alias(column)
        for column in header.fields
    )
    notes = totals.reconcile(values, kinds, rows, registry, where)
    notes += _notes(kinds, header, where, unit)

    keep = (kinds == totals.DATA) | (shifted & (kinds != totals.BLANK))
    frame = pl.concat([values, texts], how="horizontal").with_columns(
        pl.lit(label).alias("source_file"),
        pl.lit(grid.sheet, pl.String).alias("source_sheet"),
        rows.alias("source_row"),
    )
    unread = [
        _unread(cleaned.filter(keep), values.filter(keep), column, registry) for column in header.fields
    ]
    unread.append(_shifted(shifted.filter(keep)))
    return Table(_complete(frame.filter(keep), registry), pl.concat(unread), notes)


def _text(
    body: pl.DataFrame, grid: Grid, place: int, registry: Registry, column: str, skipped: int
) -> pl.Series:
    text = body[f"c{place}"]
    if not grid.binary or registry.kind(column) not in ("money", "rate"):
        return text
    long = text.str.contains(r"^-?\d+\.\d{9}$").fill_null(False)
    if not long.any():
        return text
    exact = grid.numbers(place).slice(skipped)
    return pl.select(pl.when(long & exact.is_not_null()).then(exact).otherwise(text)).to_series()


def _unread(cleaned: pl.DataFrame, values: pl.DataFrame, column: str, registry: Registry) -> pl.DataFrame:
    kind = registry.kind(column)
    failed = (cleaned[column].is_not_null() & values[column].is_null()).arg_true()
    return pl.DataFrame(
        {
            "row": failed.cast(pl.Int64),
            "column": pl.repeat(column, failed.len(), eager=True),
            "reason": pl.repeat(cells.REASONS.get(kind, ""), failed.len(), eager=True),
            "check": pl.repeat(f"unreadable_{kind}", failed.len(), eager=True),
        },
        schema=CELL_FAULTS,
    )


def _shifted(shifted: pl.Series) -> pl.DataFrame:
    rows = shifted.arg_true().cast(pl.Int64)
    reason = "这一行的单元格比表头多，可能是未加引号的逗号使各列错位；请用 Excel 打开核对后另存"
    return pl.DataFrame(
        {
            "row": rows,
            "column": pl.repeat(None, rows.len(), dtype=pl.String, eager=True),
            "reason": pl.repeat(reason, rows.len(), eager=True),
            "check": pl.repeat("shifted", rows.len(), eager=True),
        },
        schema=CELL_FAULTS,
    )


def _complete(frame: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    absent = [
        pl.lit(None, dtype).alias(column)
        for column, dtype in registry.dtypes().items()
        if column not in frame.columns
    ]
    raw = [column for column in frame.columns if column.startswith(RAW)]
    return frame.with_columns(absent).select([*registry.columns, *raw, *PROVENANCE])


def _notes(kinds: pl.Series, header: Header, where: str, unit: Decimal) -> list[str]:
    notes = []
    dropped = {
        "合计行": kinds.is_in([totals.TOTAL, totals.SECTION]).sum(),
        "说明行": (kinds == totals.NOTE).sum(),
        "重复表头": (kinds == totals.HEADER).sum(),
    }
    said = "、".join(f"{name}{count}行" for name, count in dropped.items() if count)
    if said:
        notes.append(f"{where}略过{said}")
    if unit != 1:
        notes.append(f"{where}注明的金额单位按每单位 {unit:,} 元换算")
    if header.unknown:
        notes.append(f"{where}未使用的列：{'、'.join(header.unknown)}")
    return notes


def _read_parquet(path: Path, registry: Registry, label: str) -> Table:
    try:
        found = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Unusable(f"文件「{path}」已损坏或不是 Parquet 文件，不能读取。") from error
    spellings = {plain(s): column for column in registry.columns for s in registry.spellings(column)}
    names = {name: spellings[plain(name)] for name in found.columns if plain(name) in spellings}
    unknown = [name for name in found.columns if name not in names]
    header = Header(0, 0, {}, unknown)
    held = set(names.values())
    missing = [c for c in registry.required() if c not in held]
    if missing or len(held) < len(names) or (registry.one_of and not held & set(registry.one_of)):
        grid = Grid(None, found.clear())
        raise refuse_header(path, registry, [(grid, header)])
    faults, columns, texts = [], [], []
    for name, column in names.items():
        kind = registry.kind(column)
        typed = cells.from_typed(pl.col(name), found.schema[name], kind)
        if typed is not None:
            columns.append(found.select(typed.alias(column)).to_series())
            continue
        binary = found.schema[name].is_float()
        text = found.select(cells.clean(pl.col(name).cast(pl.String), kind).alias(column))
        value = text.select(cells.parse(pl.col(column), kind, Decimal(1), binary).alias(column))
        faults.append(_unread(text, value, column, registry))
        columns.append(value[column])
        if faults[-1].height:
            texts.append(text[column].alias(RAW + column))
    frame = pl.DataFrame([*columns, *texts]).with_columns(
        pl.lit(label).alias("source_file"),
        pl.lit(None, pl.String).alias("source_sheet"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("source_row"),
    )
    notes = [f"{label}未使用的列：{'、'.join(unknown)}"] if unknown else []
    empty = pl.DataFrame(schema=CELL_FAULTS)
    return Table(_complete(frame, registry), pl.concat([empty, *faults]), notes)


__all__ = ["CELL_FAULTS", "DTYPES", "RAW", "Table", "read_table"]
