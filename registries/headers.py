"""Find the header of a grid: which row or pair of rows it is, which column each cell names, in what unit."""

import itertools
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from registries.grids import Grid
from registries.units import BARE, UNIT_WORD, UNITS, unit_of
from schemas.errors import Unusable, closest
from schemas.labels import plain
from schemas.registries import Kind, Registry

SEARCHED_ROWS = 40

_OTHER_FIGURE = re.compile("上年|上期|去年|前年|同期|预计|预算|计划|目标|累计|增长|增幅|占比|比重")
"""Words in brackets that make a header mean another figure."""
_NUMBER = re.compile(r"^\s*(?!(?:19|20)\d\d\s*$)[-+¥]?[\d,.]*\d[\d,.]*%?\s*$")
_TITLE = re.compile("[:：]|表|情况|汇总|统计")
"""What a title says, and the header of a group of columns does not."""
_BRACKETED = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]")


@dataclass(frozen=True)
class Field:
    """A recognised column: its place in the grid, and the factor its header's unit gives (None: unstated)."""

    place: int
    factor: Decimal | None

    def factor_of(self, kind: Kind, unit: Decimal) -> Decimal:
        """What the column's numbers are multiplied by, in a sheet of this unit."""
        if kind == "money":
            return self.factor or unit
        return self.factor if self.factor and self.factor < 1 else Decimal(1)


@dataclass
class Header:
    """The header found: its rows (0-based in the grid), the fields, and the headers not recognised.

    `said` are cells of its first row that state the unit of the sheet.
    """

    row: int
    last_row: int
    fields: dict[str, Field]
    unknown: list[str]
    said: list[str]

    @property
    def weight(self) -> tuple[int, int]:
        """How many columns the header names, and how many units."""
        return len(self.fields), sum(field.factor is not None for field in self.fields.values())

    def fits(self, registry: Registry) -> bool:
        one_of = not registry.one_of or any(column in self.fields for column in registry.one_of)
        return one_of and all(column in self.fields for column in registry.required())


def find_header(grid: Grid, registry: Registry) -> Header | None:
    """The header with most recognised columns, then most units; of equals one row before two, then the upper.

    None where no column is recognised.
    """
    rows = [[cell or "" for cell in row] for row in grid.cells.head(SEARCHED_ROWS).rows()]
    spellings = {
        plain(spelling): column for column in registry.columns for spelling in registry.spellings(column)
    }
    best: Header | None = None
    for lines in (1, 2):
        for first in range(len(rows) - lines + 1):
            header = _read_header(rows[first : first + lines], first, spellings)
            if header.fields and (best is None or header.weight > best.weight):
                best = header
    if best is not None and best.fits(registry):
        _refuse_ambiguous(rows[best.row : best.last_row + 1], spellings, grid, registry)
        below = rows[best.last_row + 1 : best.last_row + 2]
        if below and not below[0][best.fields["uscc"].place]:
            _refuse_parts(rows[best.row : best.last_row + 1], below[0], best, grid, registry)
            _add_units(below[0], best)
    return best


def _add_units(row: list[str], header: Header) -> None:
    """Take a row of nothing but units below a header for its last line."""
    said = [unit_of(cell) for cell in row if cell]
    fields = {column: (field, unit_of(row[field.place])) for column, field in header.fields.items()}
    own = any(unit for _, unit in fields.values()) or any(re.match(BARE, plain(cell)) for cell in row)
    if said and all(said) and own:
        header.last_row += 1
        for column, (field, unit) in fields.items():
            if unit and field.factor is None:
                header.fields[column] = Field(field.place, Decimal(UNITS[unit]))


def _refuse_parts(
    head: list[list[str]], below: list[str], header: Header, grid: Grid, registry: Registry
) -> None:
    """Refuse a header cell merged over columns with names of their own, of which one would be read."""
    below = ["" if unit_of(cell) and not re.match(BARE, plain(cell)) else cell for cell in below]
    if any(_NUMBER.match(cell) for cell in below):
        return
    titled = ["".join(lines) for lines in zip(*head, strict=True)]
    groups = {}
    for column, field in header.fields.items():
        places = range(field.place + 1, len(titled))
        unnamed = list(itertools.takewhile(lambda place: not titled[place], places))
        parts = [below[place] for place in [field.place, *unnamed] if below[place]]
        if any(below[place] for place in unnamed):
            groups[column] = parts
        elif parts and not unit_of(parts[0]):  # a row of data
            return
    for column, parts in groups.items():
        title = titled[header.fields[column].place]
        where = f"工作表「{grid.sheet}」" if grid.sheet else "文件"
        raise Unusable(
            f"{registry.title}的{where}第{header.last_row + 2}行：「{title}」下面又分为"
            f"{'、'.join(f'「{part}」' for part in parts)}，不能确定哪一列是{registry.header(column)}。请只保留一列。"
        )


def _labels(rows: list[list[str]]) -> list[list[str]]:
    """For each place the texts its header may be: the cell itself, or upper and lower cell together."""
    if len(rows) == 1:
        return [[cell] for cell in rows[0]]
    upper = ["" if unit_of(cell) else cell for cell in rows[0]]
    units = [unit_of(cell) for cell in rows[1]]
    labels = []
    group = shared = ""
    alone = sum(map(bool, upper)) < 2
    parted = [
        not above and bool(below) and not unit
        for above, below, unit in zip(upper, rows[1], units, strict=True)
    ]
    for above, below, unit, parts in zip(upper, rows[1], units, [*parted[1:], False], strict=True):
        if above:
            group, shared = above, "" if alone or _TITLE.search(above) else _unit_in(above)
        if unit:
            labels.append([f"{group}({unit})"])
        elif not below:
            labels.append([above])
        else:
            names = [below, group + below, *([above] if any(units) and not parts else [])]
            labels.append([*names, f"{below}({shared})"] if shared and not _unit_in(below) else names)
    return labels


def _unit_in(label: str) -> str:
    """The unit in a header: `金额（万元）`."""
    words = [*_BRACKETED.findall(plain(label)), *re.findall(f"单位:?(?:{UNIT_WORD})$", plain(label))]
    return next((unit for word in words if (unit := unit_of(word))), "")


def _recognise(label: str, spellings: dict[str, str]) -> tuple[str, Decimal | None] | None:
    text = plain(label)
    brackets = [re.sub("^((金额)?单位:?)?(人民币)?", "", word) or word for word in _BRACKETED.findall(text)]
    bare = _BRACKETED.sub("", text)
    unit = next((UNITS[word] for word in brackets if word in UNITS), None)
    stated = re.search(rf"单位[:：]?({UNIT_WORD})$", bare)
    if stated:
        unit, bare = UNITS[stated[1]], bare[: stated.start()]
    if any(_OTHER_FIGURE.search(word) for word in brackets):
        return None
    percent = any(word == "%" for word in brackets)
    column = spellings.get(text) or spellings.get(bare)
    if column is None or any("元" in word and word not in UNITS for word in brackets):
        return None
    if percent:
        return column, Decimal("0.01")
    return column, None if unit is None else Decimal(unit)


def _read_header(rows: list[list[str]], first: int, spellings: dict[str, str]) -> Header:
    header = Header(first, first + len(rows) - 1, {}, [], [cell for cell in rows[0] if unit_of(cell)])
    for place, labels in enumerate(_labels(rows)):
        hits = [hit for label in labels if label and (hit := _recognise(label, spellings))]
        with_unit = [hit for hit in hits if hit[1] is not None]
        if hits:
            column, factor = (with_unit or hits)[0]
            header.fields.setdefault(column, Field(place, factor))
        elif any(labels):
            header.unknown.append(re.sub(r"\s+", "", labels[0]))
    return header


def _refuse_ambiguous(
    rows: list[list[str]], spellings: dict[str, str], grid: Grid, registry: Registry
) -> None:
    seen: dict[str, str] = {}
    for labels in _labels(rows):
        for label in labels:
            hit = _recognise(label, spellings)
            if hit is None:
                continue
            if hit[0] in seen:
                where = f"工作表「{grid.sheet}」" if grid.sheet else "文件"
                raise Unusable(
                    f"{registry.title}的{where}有两列都是「{registry.header(hit[0])}」："
                    f"「{seen[hit[0]]}」和「{label}」。请只保留一列。"
                )
            seen[hit[0]] = label
            break


def refuse_header(path: Path, registry: Registry, tried: list[tuple[Grid, Header | None]]) -> Unusable:
    """The message for a file in which no sheet has the registry's required headers."""
    expected = "、".join(registry.header(column) for column in registry.required())
    if registry.one_of:
        expected += "、" + "或".join(registry.header(column) for column in registry.one_of)
    grid, header = max(tried, key=lambda pair: len(pair[1].fields) if pair[1] else 0, default=(None, None))
    lines = [f"文件「{path}」中没有找到{registry.title}的表头。应有的列：{expected}。"]
    if grid is not None and header is not None:
        missing = [column for column in registry.required() if column not in header.fields]
        if registry.one_of and not any(column in header.fields for column in registry.one_of):
            missing.append(registry.one_of[0])
        where = f"工作表「{grid.sheet}」" if grid.sheet else "表头"
        for column in missing:
            title = registry.header(column)
            near = closest(title, header.unknown)
            hint = f"；最接近的列是「{near[0]}」，若就是它，请改名为「{title}」" if near else ""
            lines.append(f"{where}第{header.last_row + 1}行缺少「{title}」{hint}。")
        if header.unknown:
            lines.append(f"未识别的列：{'、'.join(header.unknown)}。")
    elif any(grid.separator for grid, _ in tried):
        lines.append(
            "各列之间用的不是逗号（像是制表符或分号）。请用 Excel 打开后另存为逗号分隔的「CSV UTF-8」。"
        )
    elif all(grid.cells.is_empty() for grid, _ in tried):
        lines.append("文件中没有任何内容。")
    else:
        seen = "、".join(grid.sheet or "全部内容" for grid, _ in tried)
        lines.append(f"已查看：{seen}，前{SEARCHED_ROWS}行没有一列能识别。")
    return Unusable("\n".join(lines))
