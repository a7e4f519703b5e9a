"""Numbers as the policies write them: 20万, 1亿, 6%, 0.5."""

import re
from decimal import Decimal

_NUMBER = re.compile(r"^([+-]?\d+(?:\.\d+)?)(万|亿|%)?$")
_FACTORS = {None: Decimal(1), "万": Decimal(10_000), "亿": Decimal(100_000_000), "%": Decimal("0.01")}


def parse_number(value: object) -> Decimal:
    """`20万` → 200000, `6%` → 0.06. Raises ValueError for anything that is not such a number."""
    match = None if isinstance(value, bool) else _NUMBER.match(str(value).strip())
    if match is None:
        raise ValueError(f"「{value}」不是数字（可写 20万、1亿、6%、0.5）")
    return (Decimal(match[1]) * _FACTORS[match[2]]).normalize() + 0


def show(value: Decimal) -> str:
    """A term as officers read it: rates as percentages, amounts with separators."""
    if 0 < abs(value) < 1:
        return f"{(value * 100).normalize():f}%"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value.normalize():f}"
