"""Read a registry's file into typed columns with provenance, faults and notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import polars as pl

from registries import cells, totals
from registries.grids import Grid, open_grids
from registries.headers import Header, find_header, refuse_header
from registries.units import BARE, stated_unit
from schemas.errors import Unusable
from schemas.registries import PROVENANCE, Kind, Registry

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
        if self.faults.is_empty():  # joining would still go through every row
            return self.faults.drop("row").with_columns(
                pl.lit(None, t).alias(c) for c, t in PROVENANCE.items()
            )
        places = self.frame.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), *PROVENANCE)
        return self.faults.join(places, on="row").drop("row")


_FEW_WORDS: tuple[Kind, ...] = ("district", "item", "word", "flag")
"""Kinds of which a Parquet column holds few different texts, so that each is read once."""


def read_table(path: Path, registry: Registry, label: str) -> Table:
    """Read one file whole. `label` is how provenance names it. Raises Unusable when no sheet fits."""
    if path.suffix.casefold() == ".parquet":
        return replace(read_parquet(path, registry, label), notes=survey(path, registry, label)[1])
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
    places = {column: found.place for column, found in header.fields.items()}
    numeric = [place for column, place in places.items() if registry.kind(column) in ("money", "rate")]
    whole = grid.exact(list(places.values()), numeric)
    start = header.last_row + 1
    head, body = whole.head(start), whole.slice(start)
    rows = pl.int_range(start + 1, whole.height + 1, dtype=pl.Int64, eager=True)
    shifted = grid.shifted(body, slice(header.row, start))
    kinds = totals.classify(body, header, head, registry)
    kinds = kinds.set(shifted & kinds.is_in([totals.TOTAL, totals.SECTION]), totals.DATA)
    where = f"{label}" + (f"「{grid.sheet}」" if grid.sheet else "")
    unit = stated_unit(_said(grid, header, head, body, kinds), where)

    texts = body.select(pl.col(f"c{place}").alias(RAW + column) for column, place in places.items())
    cleaned = pl.DataFrame(
        [cells.cleaned(texts[RAW + column], registry.kind(column)).alias(column) for column in places]
    )
    factors = {
        column: found.factor_of(registry.kind(column), unit) for column, found in header.fields.items()
    }
    values = pl.DataFrame(
        cells.parse(cleaned[column], registry.kind(column), factors[column], grid.binary).alias(column)
        for column in places
    )
    notes = totals.reconcile(values, cleaned, kinds, rows, registry, where)

    keep = kinds == totals.DATA
    _refuse_units(cleaned, keep | (kinds == totals.NOTE), rows, registry, where)
    notes += _notes(kinds, header, where, unit)
    notes += _untitled(grid, head.slice(header.row), body.filter(keep), where)
    frame = pl.concat([values, texts], how="horizontal").with_columns(
        pl.lit(label).alias("source_file"),
        pl.lit(grid.sheet, pl.String).alias("source_sheet"),
        rows.alias("source_row"),
    )
    unread = [_unread(cleaned[c].filter(keep), values[c].filter(keep), registry, factors[c]) for c in places]
    unread.append(_shifted(shifted.filter(keep)))
    return Table(_complete(frame.filter(keep), registry), pl.concat(unread), notes)


def _said(
    grid: Grid, header: Header, head: pl.DataFrame, body: pl.DataFrame, kinds: pl.Series
) -> list[tuple[str, list[str]]]:
    """The texts outside the table, each row with its place: above, in the header row, notes and lone cells."""
    lone = pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int32)) == 1
    spoken = body.select(lone).to_series() & (kinds == totals.DATA) | (kinds == totals.NOTE)
    below = zip(spoken.arg_true().to_list(), body.filter(spoken).rows(), strict=True)
    rows = [*enumerate(head.head(header.row).rows()), *((head.height + at, row) for at, row in below)]
    said = [(f"第{at + 1}行", [cell for cell in row if cell]) for at, row in rows]
    return [("工作表名", [grid.sheet or ""]), *said, (f"第{header.row + 1}行", header.said)]


def _refuse_units(
    cleaned: pl.DataFrame, keep: pl.Series, rows: pl.Series, registry: Registry, where: str
) -> None:
    """Refuse a sheet with a unit among the amounts of a column, in a row without a code."""
    money = [column for column in cleaned.columns if registry.kind(column) == "money"]
    uncoded = keep & cleaned["uscc"].is_null()
    for column in money:
        found = (uncoded & cleaned[column].str.contains(BARE)).arg_true()
        if found.len():
            raise Unusable(
                f"{where}第{rows[found[0]]}行的「{cleaned[column][found[0]]}」像是{registry.header(column)}的单位，"
                "但不在表头之中，不能确定是否适用。请把单位写进列名，或在表头上方单独写「单位：万元」，并删去这一行。"
            )


def _untitled(grid: Grid, titles: pl.DataFrame, data: pl.DataFrame, where: str) -> list[str]:
    """A note of the columns that hold something and have no header."""
    found = [
        _letters(place + grid.first)
        for place in range(data.width)
        if titles.to_series(place).is_null().all() and data.to_series(place).is_not_null().any()
    ]
    return [f"{where}有内容而没有表头的列未使用：{'、'.join(found)}列"] if found else []


def _letters(column: int) -> str:
    """The column's name in Excel; 0 is A."""
    return (_letters(column // 26 - 1) if column >= 26 else "") + chr(65 + column % 26)


def _unread(cleaned: pl.Series, values: pl.Series, registry: Registry, factor: Decimal) -> pl.DataFrame:
    """The faults of one column: cells that say something and have no value."""
    kind = registry.kind(values.name)
    failed = cleaned.is_not_null() & values.is_null()
    broken = cells.broken(pl.col("text"))
    return pl.DataFrame({"row": failed.arg_true().cast(pl.Int64), "text": cleaned.filter(failed)}).select(
        "row",
        pl.lit(values.name).alias("column"),
        pl.coalesce(broken, pl.lit(cells.reason(kind, factor))).alias("reason"),
        pl.when(broken.is_null())
        .then(pl.lit(f"unreadable_{kind}"))
        .otherwise(pl.lit("formula"))
        .alias("check"),
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
    return frame.with_columns(absent)[[*registry.columns, *raw, *PROVENANCE]]


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
        names = {10_000: "万元", 100_000_000: "亿元", 1_000: "千元"}
        notes.append(f"{where}金额单位为{names.get(int(unit), f'每单位 {unit:,} 元')}，已换算为元")
    if header.unknown:
        notes.append(f"{where}未使用的列：{'、'.join(header.unknown)}")
    return notes


def _scanned(path: Path, plan: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
    try:
        return plan(pl.scan_parquet(path, glob=False)).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Unusable(
            f"文件「{path}」已损坏或不是 Parquet 文件，不能读取。请重新导出，或向报送部门索取。"
        ) from error


def survey(path: Path, registry: Registry, label: str) -> tuple[int, list[str]]:
    """The rows of a Parquet file and the notes on it. Raises Unusable where it does not fit."""
    header = _header(path, registry)
    notes = [f"{label}未使用的列：{'、'.join(header.unknown)}"] if header.unknown else []
    return int(_scanned(path, lambda file: file.select(pl.len())).item()), notes


def _header(path: Path, registry: Registry) -> Header:
    names = _scanned(path, lambda file: file.head(0)).columns
    grid = Grid(path, None, pl.DataFrame({f"c{place}": [name] for place, name in enumerate(names)}))
    header = find_header(grid, registry)
    if header is None or not header.fits(registry):
        raise refuse_header(path, registry, [(grid, header)])
    return header


def read_parquet(
    path: Path,
    registry: Registry,
    label: str,
    first: int = 0,
    rows: int | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """Read some rows of a Parquet file, of all columns or some. Raises Unusable."""
    fields = _header(path, registry).fields
    asked = {c: place for c, place in fields.items() if columns is None or c in columns}
    wanted = [place.place for place in asked.values()]
    found = _scanned(path, lambda file: file.slice(first, rows).select(pl.nth(wanted)))
    sources = dict(zip(asked, found.get_columns(), strict=True))
    faults, values, raw = [pl.DataFrame(schema=CELL_FAULTS)], [], []

    for column, place in asked.items():
        factor = place.factor_of(registry.kind(column), Decimal(1))
        text, value = _read_typed(sources[column], registry.kind(column), factor, path)
        values.append(value.alias(column))
        faults.append(_unread(text, values[-1], registry, factor))
        if faults[-1].height:  # only these cells are quoted as they are: others do not depend on them
            unread = text.is_not_null() & values[-1].is_null()
            source = sources[column]
            raw.append(
                source.cast(pl.String)
                .zip_with(unread, source.clear(source.len()).cast(pl.String))
                .alias(RAW + column)
            )
    frame = pl.DataFrame([*values, *raw]).with_columns(
        pl.lit(label).alias("source_file"),
        pl.lit(None, pl.String).alias("source_sheet"),
        (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + first).alias("source_row"),
    )
    return Table(_complete(frame, registry), pl.concat(faults))


def _read_typed(source: pl.Series, kind: Kind, factor: Decimal, path: Path) -> tuple[pl.Series, pl.Series]:
    """A Parquet column's cleaned text and its values; no text where a typed column reads in full."""
    if kind == "code" and source.dtype == pl.String and cells.tidy_code(source):
        return source.clear(source.len()), source
    frame = source.to_frame("source")
    typed = cells.from_typed(pl.col("source"), source.dtype, kind)
    if typed is not None and factor == 1:
        value = frame.select(typed).to_series()
        if value.null_count() == source.null_count():
            return value.clear(value.len()).cast(pl.String), value
    if kind in _FEW_WORDS and source.dtype == pl.String:
        words = source.unique().drop_nulls()
        text, value = _read_text(words, kind, factor, path)
        return _in_place(source, words, text), _in_place(source, words, value)
    return _read_text(source, kind, factor, path)


def _in_place(source: pl.Series, words: pl.Series, found: pl.Series) -> pl.Series:
    """What was found for each word, wherever the source has it."""
    if found.equals(words, check_dtypes=True):  # nothing to tidy, as in most files
        return source
    return source.replace_strict(words, found, default=None, return_dtype=found.dtype)


def _read_text(source: pl.Series, kind: Kind, factor: Decimal, path: Path) -> tuple[pl.Series, pl.Series]:
    """A Parquet column's cleaned text and what it says."""
    frame = source.to_frame("source")
    binary = source.dtype.is_float()
    said = pl.col("source").cast(pl.String)
    try:
        texts = frame.select(pl.coalesce(cells.written(pl.col("source")), said) if binary else said)
    except pl.exceptions.PolarsError as error:
        raise Unusable(
            f"文件「{path}」的列「{source.name}」是 {source.dtype} 类型，不能读取。请以文本、数字或日期重新导出这一列。"
        ) from error
    text = cells.cleaned(texts.to_series(), kind)
    return text, cells.parse(text, kind, factor, binary)
