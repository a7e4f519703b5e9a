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


def brief(value: Decimal) -> str:
    """A term in few characters, as a note writes it: 3000万, 2亿, 35%, 12."""
    for unit, size in (("亿", Decimal(10**8)), ("万", Decimal(10**4))):
        if value >= size and value % (size / 100) == 0:
            return f"{(value / size).normalize():f}{unit}"
    return show(value)


def number(value: Decimal) -> str:
    """A term or amount in few characters, never a percentage: 3000万, 952,380.95, 3000, 0.5."""
    return f"{value.normalize():f}" if abs(value) < 10_000 else brief(value).removesuffix(".00")


def show(value: Decimal) -> str:
    """A term as officers read it: rates as percentages, amounts with separators."""
    if 0 < abs(value) < 1:
        return f"{(value * 100).normalize():f}%"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value.normalize():f}"
