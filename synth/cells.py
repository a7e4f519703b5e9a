"""One value as a clerk may write it: all of these read as the same value."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from schemas.registries import Kind

_WIDE = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
_DISTRICTS = {
    "开发区": ["昆山开发区", "昆山经济技术开发区"],
    "高新区": ["昆山高新区", "玉山镇"],
    "花桥": ["花桥经济开发区", "花桥镇"],
    "旅游度假区": ["旅度区", "周庄镇", "淀山湖镇"],
    "张浦": ["张浦镇"],
    "周市": ["周市镇"],
    "陆家": ["陆家镇"],
    "巴城": ["巴城镇"],
    "千灯": ["千灯镇"],
}

Cell = str | int | float | date | None


def wide(text: str) -> str:
    """Full-width forms of digits, letters and signs."""
    return text.translate(_WIDE)


def written(value: Any, kind: Kind, unit: int, rng: Random) -> Cell:
    """A cell for a registry value: most are plain, some in another usual form. `unit` of money is in yuan."""
    if value is None:
        return _drawn([None, "—", "-", "/", " "], [90, 4, 2, 2, 2], rng)
    return _WRITERS.get(kind, _as_is)(value, unit, rng)


def _drawn(forms: Sequence[Cell], weights: list[int], rng: Random) -> Cell:
    return rng.choices(forms, weights)[0]


def _as_is(value: Any, unit: int, rng: Random) -> Cell:
    text = str(value)
    return _drawn([text, text + " ", "　" + text], [96, 2, 2], rng)


def _code(value: str, unit: int, rng: Random) -> Cell:
    forms = [value, value.lower(), f" {value}", f"{value}\u00a0", wide(value)]
    return _drawn(forms, [92, 3, 2, 1, 2], rng)


def _money(value: Decimal, unit: int, rng: Random) -> Cell:
    scaled = value / unit
    grouped = f"{scaled:,f}"
    if "." in grouped:
        grouped = grouped.rstrip("0").rstrip(".")
    return _drawn([float(scaled), grouped, wide(grouped)], [88, 10, 2], rng)


def _rate(value: Decimal, unit: int, rng: Random) -> Cell:
    percent = f"{(value * 100).normalize():f}%"
    return _drawn([float(value), percent, wide(percent)], [60, 30, 10], rng)


def _flag(value: bool, unit: int, rng: Random) -> Cell:
    return _drawn(["是", "√", "Y"] if value else ["否", "×", "N"], [90, 8, 2], rng)


def _year(value: int, unit: int, rng: Random) -> Cell:
    return _drawn([value, f"{value}年", f"{value}年度", wide(str(value))], [88, 6, 4, 2], rng)


def _date(value: date, unit: int, rng: Random) -> Cell:
    forms: list[Cell] = [
        value,
        value.isoformat(),
        f"{value.year}年{value.month}月{value.day}日",
        f"{value.year}/{value.month}/{value.day}",
        f"{value.year}.{value.month}.{value.day}",
        value.strftime("%Y%m%d"),
        wide(value.isoformat()),
    ]
    return _drawn(forms, [64, 10, 10, 6, 4, 4, 2], rng)


def _district(value: str, unit: int, rng: Random) -> Cell:
    return _drawn([value, rng.choice(_DISTRICTS.get(value, [value]))], [70, 30], rng)


def _count(value: int, unit: int, rng: Random) -> Cell:
    return value


_WRITERS: dict[Kind, Callable[[Any, int, Random], Cell]] = {
    "code": _code,
    "money": _money,
    "rate": _rate,
    "flag": _flag,
    "year": _year,
    "date": _date,
    "district": _district,
    "count": _count,
    "name": _as_is,
    "word": _as_is,
}
