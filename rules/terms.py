"""The kinds of terms: every number of an item, named and tagged."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from rules.numbers import parse_number

Number = Annotated[
    Decimal,
    BeforeValidator(parse_number),
    PlainSerializer(lambda value: format(value, "f"), when_used="always"),
]


class Strict(BaseModel):
    """Immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Scalar(Strict):
    """One number."""

    value: Number


class ByLevel(Strict):
    """A number for each of the item's level labels."""

    level: dict[str, Number]


class Dated(Strict):
    """A number for each period `from..to` (ISO dates, both inclusive)."""

    dated: dict[str, Number]

    def periods(self) -> list[tuple[date, date, Decimal]]:
        """The periods in order. Raises ValueError where one is not `from..to`."""
        found = []
        for text, value in self.dated.items():
            first, separator, last = text.partition("..")
            if not separator:
                raise ValueError(f"时段「{text}」应写成 2022-01-01..2022-12-31")
            found.append((date.fromisoformat(first), date.fromisoformat(last), value))
        return sorted(found)

    @model_validator(mode="after")
    def _no_gap_or_overlap(self) -> "Dated":
        periods = self.periods()
        for (_, last, _), (first, _, _) in zip(periods, periods[1:], strict=False):
            if (first - last).days != 1:
                raise ValueError(f"时段在 {last} 与 {first} 之间有空档或重叠")
        return self


class Range(Strict):
    """A rate the department sets between two ends, both inclusive."""

    range: tuple[Number, Number]


class Ladder(Strict):
    """Awards for first passing a threshold: `ladder` maps threshold to award, lowest first.

    `of` is the column that climbs, `after` the highest earlier value, `crossed` whether a threshold must
    be passed (above) or reached (reach); `labels` are the item's levels in the same order.
    """

    ladder: dict[Number, Number]
    of: str
    after: str
    crossed: Literal["above", "reach"]
    labels: tuple[str, ...]

    @model_validator(mode="after")
    def _ascends(self) -> "Ladder":
        rungs = list(self.ladder)
        if rungs != sorted(rungs) or len(self.labels) != len(rungs):
            raise ValueError("台阶应由低到高，labels 与台阶一一对应")
        return self


class ByReading(Strict):
    """A number chosen by the reading in force."""

    reading: str
    options: dict[str, Number]


Term = Scalar | ByLevel | Dated | Range | Ladder | ByReading


def _tagged(value: Any) -> Any:
    return value if isinstance(value, dict | BaseModel) else {"value": value}


AnyTerm = Annotated[Term, BeforeValidator(_tagged)]


def values(term: Term) -> Iterator[Decimal]:
    """Every number of a term."""
    match term:
        case Scalar(value=value):
            yield value
        case ByLevel(level=table):
            yield from table.values()
        case Dated(dated=table):
            yield from table.values()
        case Range(range=ends):
            yield from ends
        case Ladder(ladder=table):
            yield from table.values()
        case ByReading(options=options):
            yield from options.values()
