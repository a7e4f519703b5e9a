"""The published targets: E's yearly paths for the whole city, D's totals to 2025 by 区镇.

E and D are never added: D is the electronics industry only and may lie within E. E tells how many events
a year means; D only how they divide among the 区镇. Figures that disagree are kept as stated and reported
by `Targets.findings`; what is unknown or missing is a RuleError.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, ValidationError

from rules.catalogue import Catalogue
from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.terms import Number, Strict
from schemas.districts import DISTRICTS
from schemas.errors import did_you_mean

FILE = Path(__file__).with_name("targets.yaml")
COUNTED = ("count", "net", "on_stock")
"""The kinds of drive that give a number of events; targets.yaml defines every kind."""

# By the sort of row.
_FITS = {
    "flow": ("count",),
    "net": ("net",),
    "stock": ("net", "on_stock", "renewals", "population"),
    "division": ("districts", "investment"),
}


def _year(value: object) -> object:
    if not isinstance(value, int):
        raise ValueError(f"「{value}」不是年份")
    return value


Year = Annotated[int, BeforeValidator(_year)]
Cell = Annotated[Number | None, BeforeValidator(lambda value: None if value == "--" else value)]


class Drive(Strict):
    """An item a row drives, and the level meant (None: the row does not say, or the item has none)."""

    item: str
    level: str | None = None
    how: str


class Row(Strict):
    """One indicator. It drives items, or says why it drives none."""

    key: str
    title: str
    unit: str
    kind: Literal["stock", "flow", "ratio", "level"]
    departments: tuple[str, ...]
    drives: tuple[Drive, ...] = ()
    no_award: str | None = None

    def told(self, value: Any) -> str:
        """A figure with its unit."""
        return f"{value:f}{self.unit}"


class PathRow(Row):
    """A row of E: a figure for each year. `net_of`: the stock whose net additions these are."""

    values: dict[Year, Number]
    net_of: str | None = None
    stated_total: Number | None = None
    stated_end: Number | None = None

    @property
    def sort(self) -> str:
        return "net" if self.net_of else self.kind

    def figure(self, how: str, year: int, base: float | None) -> float | None:
        """A year's events; beyond the path the last year's addition goes on, and a stock grows by it."""
        path = {at: float(value) for at, value in self.values.items()}
        last = max(path)
        at = min(year, last)
        if year < min(path) or self.kind == "flow":
            return path.get(at)
        if how == "net":
            before = path.get(at - 1, base)
            return None if before is None else path[at] - before
        return path[at] + (year - at) * (path[last] - path[last - 1])

    def findings(self, stock: "PathRow | None") -> Iterator[str]:
        """The path against what the text states and, for net additions, against their stock."""
        total, end, who = sum(self.values.values()), self.values[max(self.values)], f"{self.key} {self.title}"
        if self.stated_total not in (None, total):
            yield f"{who}：各年之和 {self.told(total)}，正文合计 {self.told(self.stated_total)}，用各年数"
        if self.stated_end not in (None, end):
            yield f"{who}：末年 {self.told(end)}，正文 {self.told(self.stated_end)}，用表中数"
        held = stock.values if stock else {}
        for year, net in self.values.items():
            if stock and year - 1 in held and (grown := held[year] - held[year - 1]) != net:
                yield f"{who}：{year} 年 {self.told(net)}，{stock.key} 存量增加 {stock.told(grown)}，各照原表"


class DividedRow(Row):
    """A row of D: the total as stated, and its cells by 区镇 (None: not divided, never zero)."""

    total: Number
    districts: dict[str, Cell]
    surplus: int = 0

    @property
    def sort(self) -> str:
        return "division"

    def findings(self) -> Iterator[str]:
        """The total against its districts, the cells too many, and the districts without a figure."""
        who, cells = (
            f"{self.key} {self.title}",
            [cell for cell in self.districts.values() if cell is not None],
        )
        if cells and sum(cells) != self.total:
            both = f"合计 {self.told(self.total)}，区镇之和 {self.told(sum(cells))}"
            yield f"{who}：{both}；合计照原表，按区镇数占比划分"
        if self.surplus:
            yield f"{who}：比九个区镇多 {self.surplus} 格「--」，按左对齐舍去行末的"
        if missing := [name for name in DISTRICTS if self.districts[name] is None]:
            yield f"{who}：未划分（不是零）：{'、'.join(missing) if cells else '全部区镇'}"


@dataclass(frozen=True)
class Events:
    """What the target path means for an item in a year.

    `count` is of all `among` together (level None: levels not told apart): divide it where they are several.
    `how`: `count` events; `net` additions, to which the caller adds lapses; `on_stock` those who may be
    paid every year. `held`: beyond the path, where the last year's addition goes on.
    """

    row: str
    how: str
    count: float
    among: tuple[tuple[str, str | None], ...]
    held: bool


@dataclass(frozen=True)
class Shares:
    """How row `row` of D divides an item: shares of the sum of its districts; the undivided are absent."""

    row: str
    shares: dict[str, float]


@dataclass(frozen=True)
class Targets:
    """E's paths and D's divisions by key; no figure of one is ever added to a figure of the other."""

    paths: dict[str, PathRow]
    divisions: dict[str, DividedRow]

    @property
    def rows(self) -> dict[str, Row]:
        """Every row, E first."""
        return {**self.paths, **self.divisions}

    @property
    def after_path(self) -> str:
        """What happens beyond the last year, in words for the report."""
        last = max(year for row in self.paths.values() for year in row.values)
        return f"{last} 年以后没有目标，沿用 {last} 年的年度新增数"

    def drivers(self, item: str) -> list[tuple[Row, Drive]]:
        """Every row that says something about an item, counted or not."""
        return [(row, drive) for row in self.rows.values() for drive in row.drives if drive.item == item]

    def events(self, item: str, level: str | None, year: int, base: float | None = None) -> Events | None:
        """The events of an item (and level; None: any) that E means in a year; None where E does not say.

        `base`: the stock at the end of the year before the path, where a registry knows it; without it a
        stock's first year has no net additions.
        """
        for row in self.paths.values():
            for drive in row.drives:
                fits = drive.item == item and (level is None or drive.level in (None, level))
                if not fits or drive.how not in COUNTED:
                    continue
                count = row.figure(drive.how, year, base)
                among = tuple((d.item, d.level) for d in row.drives if d.how == drive.how)
                held = year > max(row.values)
                return None if count is None else Events(row.key, drive.how, count, among, held)
        return None

    def stock(self, item: str, year: int) -> float | None:
        """The stock whose members an item is computed for (`population`), at the end of a year; None outside the path."""
        for row in self.paths.values():
            if any(drive.item == item and drive.how == "population" for drive in row.drives):
                return row.figure("population", year, None)
        return None

    def district_shares(self, item: str) -> Shares | None:
        """How D divides an item among the 区镇; None where D does not say."""
        for row in self.divisions.values():
            if any(drive.item == item for drive in row.drives):
                cells = {name: float(cell) for name, cell in row.districts.items() if cell is not None}
                whole = sum(cells.values())
                return (
                    Shares(row.key, {name: cell / whole for name, cell in cells.items()}) if whole else None
                )
        return None

    def findings(self) -> list[str]:
        """Where the tables disagree with themselves or with their text, in Chinese; nothing is repaired."""
        paths = [line for r in self.paths.values() for line in r.findings(self.paths.get(r.net_of or ""))]
        return paths + [line for row in self.divisions.values() for line in row.findings()]


class _Table(Strict):
    title: str
    source: str
    years: tuple[Year, ...]
    rows: tuple[dict[str, Any], ...]


class _File(Strict):
    E: _Table
    D: _Table


_M = TypeVar("_M", bound=Strict)
_R = TypeVar("_R", PathRow, DividedRow)


def _validated(model: type[_M], raw: Any, where: str) -> _M:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise RuleError(explain_invalid(error, where)) from error


def _known(word: str, known: Any, where: str, what: str) -> None:
    if word not in known:
        raise RuleError(f"{where}：没有{what}「{word}」{did_you_mean(word, known)}")


def _check_cells(
    row: PathRow | DividedRow, years: tuple[int, ...], rows: Mapping[str, Row], where: str
) -> None:
    """E: every year, and a net row's stock above it. D: the nine 区镇."""
    if isinstance(row, DividedRow):
        for name in row.districts:
            _known(name, DISTRICTS, where, "区镇")
        if missing := [name for name in DISTRICTS if name not in row.districts]:
            raise RuleError(f"{where}：缺少区镇 {'、'.join(missing)}（未划分的写 --）")
        return
    if set(row.values) != set(years):
        raise RuleError(f"{where}：values 应有 {'、'.join(map(str, years))} 各年，不多不少")
    if row.net_of:
        _known(row.net_of, [key for key, above in rows.items() if above.kind == "stock"], where, "存量行")


def _check_drives(row: PathRow | DividedRow, law: Catalogue, taken: dict[str, str], where: str) -> None:
    """Drives or a reason; items and levels as in the catalogue; no item from two rows of one table."""
    if bool(row.drives) == bool(row.no_award):
        raise RuleError(f"{where}：drives 和 no_award 应写且只写一个")
    for drive in row.drives:
        _known(drive.item, law.items, where, "条款")
        _known(drive.level or "", ("", *law.items[drive.item].levels), where, f" {drive.item} 的级别")
        _known(drive.how, _FITS.get(row.sort, ()), where, "适合这一行的 how")
        if taken.setdefault(drive.item, row.key) != row.key:
            raise RuleError(f"{where}：{drive.item} 已由 {taken[drive.item]} 推动")


def _rows(model: type[_R], table: _Table, law: Catalogue, file: str) -> dict[str, _R]:
    """A table's rows by key, checked."""
    rows: dict[str, _R] = {}
    taken: dict[str, str] = {}
    for raw in table.rows:
        where = f"{file} {raw.get('key', '')}".strip()
        row = _validated(model, raw, where)
        if row.key in rows:
            raise RuleError(f"{where}：出现两次")
        _check_cells(row, table.years, rows, where)
        _check_drives(row, law, taken, where)
        rows[row.key] = row
    return rows


def load_targets(law: Catalogue, path: Path = FILE) -> Targets:
    """The targets, checked against the catalogue. Raises RuleError where something is unknown or missing."""
    file = _validated(_File, read_yaml(path), path.name)
    return Targets(_rows(PathRow, file.E, law, path.name), _rows(DividedRow, file.D, law, path.name))
