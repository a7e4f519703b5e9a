"""Cells of a workbook that readers take for empty: Excel's errors, and formulas saved without a result."""

import html
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile
from zlib import error as zlib_error

DAMAGE = (BadZipFile, zlib_error, ElementTree.ParseError, EOFError, LookupError, RuntimeError, ValueError)
"""What reading a damaged workbook may raise."""
_CHUNK = 1 << 20
_HINTS = (b't="e"', b"<f", b":f")
_CELL = re.compile(
    rb'<(?:\w+:)?c\b(?P<failed>[^>]*\bt="e"[^>]*)(?<!/)>(?P<error>.*?)</(?:\w+:)?c>'
    rb"|<(?:\w+:)?c\b(?P<attributes>[^>]*)(?<!/)>\s*<(?:\w+:)?f\b[^>]*(?:/>|>(?P<formula>[^<]*)</(?:\w+:)?f>)\s*"
    rb"(?P<value><(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>",
    re.DOTALL,
)
_ERROR = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
_PLACE = re.compile(rb'\br="([A-Z]+)(\d+)"')


class Hidden(NamedTuple):
    """A cell read as empty: its row and column (0-based in the sheet), and the error or formula it holds."""

    row: int
    column: int
    text: str


def hidden_cells(path: Path, sheet: str) -> list[Hidden]:
    """The cells of one sheet that hold an error (`#N/A`), or a formula without a saved result (`=B2*2`)."""
    with ZipFile(path) as book:
        if (part := _part(book, sheet)) is None:
            return []
        suspect = (xml for xml in _pieces(book, part) if any(hint in xml for hint in _HINTS))
        matches = (match for xml in suspect for match in _CELL.finditer(xml))
        return [cell for match in matches if (cell := _cell(match))]


def _cell(match: re.Match[bytes]) -> Hidden | None:
    attributes = match["failed"] or match["attributes"]
    place = _PLACE.search(attributes)
    if place is None or (match["value"] and b't="str"' in attributes):  # a formula whose result is no text
        return None
    column = 0
    for letter in place[1]:
        column = column * 26 + letter - 64
    if match["failed"]:
        error = _ERROR.search(match["error"])
        text = error[1] if error else b"#N/A"
    else:
        text = b"=" + (match["formula"] or b"")
    return Hidden(int(place[2]) - 1, column - 1, html.unescape(text.decode()).strip())


def _pieces(book: ZipFile, part: str) -> Iterator[bytes]:
    """A sheet's XML in pieces that end after a cell."""
    rest = b""
    with book.open(part) as file:
        while chunk := file.read(_CHUNK):
            whole, end, rest = (rest + chunk).rpartition(b"c>")
            yield whole + end
    yield rest


def _part(book: ZipFile, sheet: str) -> str | None:
    """The part of the workbook that holds a sheet."""
    parts = {name.casefold(): name for name in book.namelist()}
    links = ElementTree.fromstring(book.read(parts["xl/_rels/workbook.xml.rels"]))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for node in ElementTree.fromstring(book.read(parts["xl/workbook.xml"])).iterfind("{*}sheets/{*}sheet"):
        if node.get("name") == sheet:
            link = "".join(value for key, value in node.attrib.items() if key.endswith("}id"))
            return parts.get(posixpath.join("/xl", targets[link])[1:].casefold())
    return None
