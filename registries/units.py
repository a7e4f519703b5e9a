"""What a sheet says about the unit of its amounts."""

import re
from collections.abc import Iterable
from decimal import Decimal

from schemas.errors import Unusable
from schemas.labels import plain

UNITS = {"元": 1, "千元": 1000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
UNIT_WORD = "|".join(sorted(UNITS, key=len, reverse=True))
_CURRENCY = "(?:人民币|rmb|RMB|cny|CNY)"
_ABOUT = "(?:本表|全表|表内|表中|以上|以下)?(?:所有|全部|各项|相关)?(?:金额|数据|数额|数值|货币)?(?:计量|计价|币值)?"
_IS = f"(?:单位)?:?(?:一律|统一|均|都|皆)?(?:为|是)?:?(?:{_CURRENCY}:?)?"
_IN = f"(?:单位)?(?:一律|统一|均|都|皆)?(?:以|按|用){_CURRENCY}?"
_COUNTED = "(?:为(?:计量|计价)?单位|计价|计算|计|填报|填列|填写|列示|表示)"
STATEMENT = (
    rf"^[(\[【]?{_ABOUT}(?:{_IS}({UNIT_WORD}){_CURRENCY}?|{_IN}({UNIT_WORD}){_CURRENCY}?{_COUNTED})[)\]】]?$"
)
"""The whole of a text (plain) that states the unit of a sheet (Python and Polars read this alike)."""
BARE = rf"^[(\[【]?{_CURRENCY}?(?:{UNIT_WORD})[)\]】]?$"
"""A unit and nothing else, which may belong to a column."""
_STATEMENT = re.compile(STATEMENT)
_ABROAD = "美元|港元|港币|欧元|日元|英镑|美金|usd|hkd|eur|jpy"
_FOREIGN = re.compile(
    rf"{_ABOUT}(?:{_IS}([百千万亿]*(?:{_ABROAD}))|单位:?均?为?:?([一-鿿]{{0,3}}元|[百千]?万|亿|千))"
)
_NOTE = r"^(?:注|备注|附注|注意|说明|填表说明|填报说明|填报要求|要求)(?:[\d(][\d).]*)?:"
_NUMBERING = r"^[(]?\d{1,2}[).:](?=\D)"
_CUT = re.compile(r"[()\[\]【】,。;、/\s]+")
_QUANTITY = re.compile(r"(?<!表)(?<![\d.])(?!(?:19|20)\d\d$)[\d.]+$")
_APPLICANT = r"(?<!填报)(?<!申报)(?<!填表)(?<!报送)(?<!编制)(?<!制表)"
_LARGE = "(?:百万|千|万|亿)元(?!以上|以下|以内|及|级|户)"
_LIKELY = re.compile(
    rf"(?:{_APPLICANT}单位|金额|计价|计量|均以|均按|统一)[^\d]{{0,6}}{_LARGE}"
    rf"|[以按用][^\d]{{0,3}}{_LARGE}[^\d]{{0,4}}(?:计|单位|填|列|表示)"
    rf"|[为是:]{_LARGE}$|{_LARGE}[^\d]{{0,3}}(?:为单位|单位|计价)"
)


def unit_of(text: str) -> str | None:
    """The unit that a text states and says nothing else: `万元`, `（单位：万元）`, `数据均以万元计`."""
    match = _STATEMENT.match(plain(text))
    return (match[1] or match[2]) if match else None


def stated_unit(rows: Iterable[tuple[str, list[str]]], where: str) -> Decimal:
    """The factor of the unit that the rows outside the table state, each with its place; 1 if none does.

    Raises Unusable where they name different units or one not of yuan, or where a text seems to state a
    unit and is not understood.
    """
    units: set[str] = set()
    for place, row in rows:
        before = ""
        for cell in row:
            for segment in [cell] if unit_of(cell) else _segments(cell):
                unit = unit_of(segment)
                if unit and not (unit == segment and _QUANTITY.search(before)):
                    units.add(unit)
                elif unit is None:
                    _refuse(segment, cell, f"{where}{place}")
                before = segment
    if len(units) > 1:
        raise Unusable(f"{where}写明了两种金额单位：{'、'.join(sorted(units))}。请统一为一种。")
    return Decimal(UNITS[units.pop()]) if units else Decimal(1)


def _segments(cell: str) -> list[str]:
    """The parts of a text, without the words that introduce a note. A note's `营业收入（万元）` is one part."""
    said = re.sub(r"\s*:\s*", ":", " ".join(plain(word) for word in cell.split()))
    text = re.sub(_NOTE, "", said)
    if text != said:
        text = re.sub(rf"([一-鿿])[(]({UNIT_WORD})[)]", r"\1:\2", text)
    return [segment for part in _CUT.split(text) if (segment := re.sub(_NUMBERING, "", part))]


def _refuse(segment: str, cell: str, where: str) -> None:
    foreign = _FOREIGN.fullmatch(segment)
    if foreign:
        unit = foreign[1] or foreign[2]
        raise Unusable(f"{where}写明的金额单位「{unit}」不能换算为元。请改为元、万元或亿元。")
    if _LIKELY.search(segment):
        said = cell.strip()
        raise Unusable(
            f"{where}的「{said}」像是在说明金额单位，但不能确定它适用于哪些列。"
            "请在表头上方单独写「单位：万元」，或把单位写进列名，并改写这段文字。"
        )
