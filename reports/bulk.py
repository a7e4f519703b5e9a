"""Long tables: rows are made as whole columns of XML text and put where a placeholder row stands.

openpyxl writes a styled cell in some 30 µs, which makes it the slowest step of a run; it still makes the
workbook, its styles and everything but the rows of long tables.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from openpyxl.utils import get_column_letter

MARK = "@@rows@@"
"""Text of a placeholder row's first cell."""

_ROW = re.compile(rf'<row r="(\d+)"[^>]*>((?:(?!</row>).)*{MARK}(?:(?!</row>).)*)</row>', re.DOTALL)
_STYLE = re.compile(r'<c r="[A-Z]+\d+"[^>]*?\bs="(\d+)"')
_LINE_HEIGHT = 13.5


def fill(path: Path, tables: Mapping[str, tuple[pl.DataFrame, Sequence[float | None]]]) -> None:
    """Put frames into the placeholders of a saved workbook.

    `tables` maps a sheet's title to its frame and, by column, the width in which its text wraps (None:
    it does not). Numbers stay numbers; text is text, whatever it begins with.
    """
    with zipfile.ZipFile(path) as before:
        parts = {info.filename: before.read(info.filename) for info in before.infolist()}
    for title, part in _parts(parts).items():
        if title in tables:
            parts[part] = _filled(parts[part].decode(), *tables[title]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as after:
        for name, content in parts.items():
            after.writestr(name, content)


def _parts(parts: Mapping[str, bytes]) -> dict[str, str]:
    """Sheet title → part name: openpyxl numbers the sheets in the workbook's order."""
    titles = re.findall(r'<sheet [^>]*?name="([^"]+)"', parts["xl/workbook.xml"].decode())
    return {title: f"xl/worksheets/sheet{number}.xml" for number, title in enumerate(titles, 1)}


def _filled(xml: str, frame: pl.DataFrame, wraps: Sequence[float | None]) -> str:
    found = _ROW.search(xml)
    if found is None:
        return xml
    first = int(found[1])
    rows = _rows(frame, [int(style) for style in _STYLE.findall(found[2])], wraps, first)
    return xml[: found.start()] + rows + _moved(xml[found.end() :], frame.height - 1)


def _moved(xml: str, by: int) -> str:
    """The rows below, with the numbers they have after the table has grown."""
    below, end, rest = xml.partition("</sheetData>")

    def shift(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2]) + by}{match[3]}"

    below = re.sub(r'(<row r=")(\d+)(")', shift, below)
    return re.sub(r'(<c r="[A-Z]+)(\d+)(")', shift, below) + end + rest


def _rows(frame: pl.DataFrame, styles: Sequence[int], wraps: Sequence[float | None], first: int) -> str:
    number = (pl.int_range(pl.len()) + first).cast(pl.String)
    cells = [
        _cell(pl.col(column), frame.schema[column], get_column_letter(place), style, number)
        for place, (column, style) in enumerate(zip(frame.columns, styles, strict=True), 1)
    ]
    lines = [_lines(pl.col(c), width) for c, width in zip(frame.columns, wraps, strict=True) if width]
    height = (pl.max_horizontal(1, *lines) * _LINE_HEIGHT).cast(pl.String)
    row = pl.concat_str(
        [
            pl.lit('<row r="'),
            number,
            pl.lit('" ht="'),
            height,
            pl.lit('" customHeight="1">'),
            *cells,
            pl.lit("</row>"),
        ]
    )
    return "".join(frame.select(row).to_series().to_list())


def _cell(value: pl.Expr, dtype: pl.DataType, letter: str, style: int, number: pl.Expr) -> pl.Expr:
    place = [pl.lit(f'<c r="{letter}'), number, pl.lit(f'" s="{style}"')]
    text = value.cast(pl.String)
    if dtype.is_numeric():
        full = pl.concat_str([*place, pl.lit("><v>"), text, pl.lit("</v></c>")])
    else:
        safe = text.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]", "").str.replace_many(
            ["&", "<", ">"], ["&amp;", "&lt;", "&gt;"]
        )
        inline = pl.lit(' t="inlineStr"><is><t xml:space="preserve">')
        full = pl.concat_str([*place, inline, safe, pl.lit("</t></is></c>")])
    return pl.when(value.is_null()).then(pl.concat_str([*place, pl.lit("/>")])).otherwise(full)


def _lines(text: pl.Expr, width: float) -> pl.Expr:
    """How many lines a text takes; a Chinese character is twice as wide as a Latin one."""
    wide = text.str.len_chars() + text.str.count_matches(r"[^\x00-\xff]")
    return ((wide.cast(pl.Int64) - 1) // int(width * 1.05) + 1).fill_null(1)
