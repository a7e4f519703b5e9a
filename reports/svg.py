"""Charts as inline SVG: pure functions of figures, readable in greyscale; every text is escaped."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 1160
DARK, MIDDLE, LIGHT, MORE, LESS = "#27496d", "#7d9fc2", "#dde6ef", "#9dbde0", "#f3d3b3"
_INK = "#111"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its label, the parts that add up, and the figure printed behind it."""

    label: str
    parts: Sequence[float | None]
    told: str
    gap: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a waterfall, from `low` to `high`; `kind` is its fill; `end` is where the next begins."""

    label: str
    low: float
    high: float
    told: str
    kind: str
    end: float


def escaped(text: object) -> str:
    """A text as it may stand in HTML and XML."""
    return html.escape(_ILLEGAL.sub("", str(text)), quote=True)


def picture(name: str, title: str, about: str, height: float, body: Sequence[str]) -> str:
    """An SVG with a title and a description; `name` makes its ids unique in the page."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="{name}-t {name}-d" '
        f'preserveAspectRatio="xMidYMid meet"><title id="{name}-t">{escaped(title)}</title>'
        f'<desc id="{name}-d">{escaped(about)}</desc>{"".join(body)}</svg>'
    )


def bars(
    name: str,
    title: str,
    about: str,
    rows: Sequence[Bar],
    legend: Sequence[tuple[str, str]],
    left: int = 170,
    right: int = 170,
) -> str:
    """Horizontal bars of stacked parts; `legend` names and fills the parts in order."""
    most = max((sum(part or 0 for part in row.parts) for row in rows), default=0) or 1
    scale = (WIDTH - left - right) / most
    body, top = _legend(legend, left), 34.0 if len(legend) > 1 else 6.0
    for row in rows:
        top += 12 if row.gap else 0
        body.append(_text(left - 8, top + 14, row.label, "end"))
        at = float(left)
        for part, (_, fill) in zip(row.parts, legend, strict=True):
            size = (part or 0) * scale
            if size > 0:
                body.append(_box(at, top + 2, size, 16, fill))
            at += size
        body.append(_text(at + 8, top + 14, row.told))
        top += 22
    body.append(_line(left, 30 if len(legend) > 1 else 4, left, top + 2))
    return picture(name, title, about, top + 8, body)


def both_ways(
    name: str,
    title: str,
    about: str,
    rows: Sequence[tuple[str, float | None, str, float | None, str]],
    legend: Sequence[tuple[str, str]],
    left: int = 230,
) -> str:
    """Bars to both sides of nothing: per row two values, each drawn and printed on the side of its sign."""
    most = max((abs(v or 0) for row in rows for v in (row[1], row[3])), default=0) or 1
    half = (WIDTH - left) / 2
    middle, scale = left + half, (half - 170) / most
    body, top = _legend(legend, left), 34.0
    for label, first, first_told, second, second_told in rows:
        body.append(_text(left - 12, top + 15, label, "end"))
        pairs = [(first, first_told, legend[0][1]), (second, second_told, legend[1][1])]
        same = (first or 0) * (second or 0) > 0  # both on one side: half as high each, told together
        for place, (value, _, fill) in enumerate(pairs):
            size, high = (value or 0) * scale, 9 if same else 18
            if size:
                y = top + 2 + (9 * place if same else 0)
                body.append(_box(min(middle, middle + size), y, abs(size), high, fill))
        if same:
            pairs = [(max(first or 0, second or 0, key=abs), f"{first_told} / {second_told}", "")]
        for place, (value, told, _) in enumerate(pairs):
            size = (value or 0) * scale
            left_side = size < 0 or (not size and place == 0)
            x = middle + size + (-8 if left_side else 8)
            body.append(_text(x, top + 16, told, "end" if left_side else "start"))
        top += 26
    body.append(_line(middle, 30, middle, top))
    return picture(name, title, about, top + 8, body)


def waterfall(name: str, title: str, about: str, columns: Sequence[Column], floor: float) -> str:
    """Floating columns from one end to the other; the axis begins at `floor`."""
    top, height, left = 30, 270, 10
    most = max((max(column.low, column.high) for column in columns), default=1)
    scale = height / ((most - floor) or 1)
    step = (WIDTH - 2 * left) / max(1, len(columns))
    wide = min(110.0, step * 0.7)
    fills = {"end": DARK, "more": MORE, "less": LESS}

    def y(value: float) -> float:
        return top + height - (max(value, floor) - floor) * scale

    body, base, lines = [_line(left, top + height, WIDTH - left, top + height)], top + height, 1
    for place, column in enumerate(columns):
        centre = left + step * (place + 0.5)
        low = floor if column.kind == "end" else column.low
        size = max(y(low) - y(column.high), 1.5)
        body.append(_box(centre - wide / 2, y(column.high), wide, size, fills[column.kind]))
        body.append(_text(centre, y(column.high) - 7, column.told, "middle"))
        if place + 1 < len(columns):
            at = y(column.end)
            body.append(_line(centre + wide / 2, at, centre + step - wide / 2, at, "3 3"))
        pieces = _folded(column.label, max(4, int(step / 17)))
        lines = max(lines, len(pieces))
        for number, piece in enumerate(pieces):
            body.append(_text(centre, base + 20 + 18 * number, piece, "middle"))
    return picture(name, title, about, base + 14 + 18 * lines, body)


def _folded(text: str, most: int) -> list[str]:
    """A label in at most three lines."""
    pieces = [text[start : start + most] for start in range(0, len(text), most)]
    return pieces[:2] + ([pieces[2][:-1] + "…" if len(pieces) > 3 else pieces[2]] if len(pieces) > 2 else [])


def _legend(entries: Sequence[tuple[str, str]], left: float) -> list[str]:
    if len(entries) < 2:
        return []
    found, at = [], float(left)
    for name, fill in entries:
        found += [_box(at, 8, 14, 14, fill), _text(at + 20, 20, name)]
        at += 50 + 14 * len(name)
    return found


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}" stroke="{_INK}" stroke-width="0.6"/>'
    )


def _line(x: float, y: float, to_x: float, to_y: float, dash: str = "") -> str:
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" '
        f'stroke="{_INK}" stroke-width="0.8"{style}/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{_INK}">'
        f"{escaped(text)}</text>"
    )
