"""Find the header of a grid: which row or pair of rows it is, which column each cell names, in what unit."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from registries.grids import Grid
from schemas.errors import Unusable, closest
from schemas.labels import plain
from schemas.registries import Registry

SEARCHED_ROWS = 40

UNITS = {"元": 1, "千元": 1000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
_UNIT_WORD = "|".join(sorted(UNITS, key=len, reverse=True))
_APPLICANT = r"(?<!填报)(?<!申报)(?<!填表)(?<!报送)(?<!编制)(?<!制表)"
_STATED_UNIT = re.compile(
    rf"{_APPLICANT}单位 ?(?::|均?为|是)? ?(?:[一-鿿%]{{1,2}}[、,/])*(?:人民币)?({_UNIT_WORD})(?=$|[^一-鿿])"
    rf"|以({_UNIT_WORD})为单位"
    rf"|(?<!\d)[(]({_UNIT_WORD})[)]"
)
_FOREIGN_UNIT = re.compile(rf"{_APPLICANT}单位 ?: ?([一-鿿]{{0,3}}元|[万亿千])(?=$|[^一-鿿])")
_UNIT_CELL = re.compile(rf"^[(\[]?(?:(?:金额)?单位:?)?(?:人民币)?({_UNIT_WORD})[)\]]?$")
_OTHER_FIGURE = re.compile("上年|上期|去年|前年|同期|预计|预算|计划|目标|累计|增长|增幅|占比|比重")
"""Words in brackets that make a header mean another figure."""
_BRACKETED = re.compile(r"[(\[【]([^()\[\]【】]*)[)\]】]")


@dataclass(frozen=True)
class Field:
    """A recognised column: its place in the grid, and the factor its header's unit gives (None: unstated)."""

    place: int
    factor: Decimal | None


@dataclass
class Header:
    """The header found: its last row (0-based in the grid), the fields, and the headers not recognised."""

    row: int
    last_row: int
    fields: dict[str, Field]
    unknown: list[str]

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
    return best


def _labels(rows: list[list[str]]) -> list[list[str]]:
    """For each place the texts its header may be: the cell itself, or upper and lower cell together."""
    if len(rows) == 1:
        return [[cell] for cell in rows[0]]
    upper = ["" if _UNIT_CELL.match(plain(cell)) else cell for cell in rows[0]]
    units = [_UNIT_CELL.match(plain(cell)) for cell in rows[1]]
    labels = []
    group = ""
    for above, below, unit in zip(upper, rows[1], units, strict=True):
        group = above or group
        if unit:
            labels.append([f"{group}({unit[1]})"])
        elif not below:
            labels.append([above])
        else:
            labels.append([below, group + below, *([above] if any(units) else [])])
    return labels


def _recognise(label: str, spellings: dict[str, str]) -> tuple[str, Decimal | None] | None:
    text = plain(label)
    brackets = [re.sub("^((金额)?单位:?)?(人民币)?", "", word) or word for word in _BRACKETED.findall(text)]
    bare = _BRACKETED.sub("", text)
    unit = next((UNITS[word] for word in brackets if word in UNITS), None)
    stated = re.search(rf"单位[:：]?({_UNIT_WORD})$", bare)
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
    header = Header(first, first + len(rows) - 1, {}, [])
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


def stated_unit(rows: list[list[str]], where: str) -> Decimal:
    """The factor of `单位：万元` or `（万元）` in the rows outside the table; 1 when none says so.

    Raises Unusable when they name different units, or one that is not of yuan.
    """
    texts = [" ".join(plain(cell) for cell in row if cell) for row in rows]
    units = {match[1] or match[2] or match[3] for text in texts for match in _STATED_UNIT.finditer(text)}
    foreign = {match[1] for text in texts for match in _FOREIGN_UNIT.finditer(text)} - UNITS.keys()
    if foreign:
        raise Unusable(f"{where}写明的金额单位「{min(foreign)}」不能换算为元。请改为元、万元或亿元。")
    if len(units) > 1:
        raise Unusable(f"{where}写明了两种金额单位：{'、'.join(sorted(units))}。请统一为一种。")
    return Decimal(UNITS[units.pop()]) if units else Decimal(1)


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
    elif all(grid.cells.is_empty() for grid, _ in tried):
        lines.append("文件中没有任何内容。")
    else:
        seen = "、".join(grid.sheet or "全部内容" for grid, _ in tried)
        lines.append(f"已查看：{seen}，前{SEARCHED_ROWS}行没有一列能识别。")
    return Unusable("\n".join(lines))
