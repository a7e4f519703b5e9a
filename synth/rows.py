"""Rows gathered item by item as numbers, and turned into columns once for all items."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from synth.draws import Bools, Ints, masked, rates, yuan

UNKNOWN = -1
"""Stands for a blank cell among the numbers."""


def known(values: Ints, told: Bools) -> Ints:
    """The values, blank where not told."""
    return np.where(told, values, UNKNOWN)


@dataclass
class Rows:
    """Columns of whole numbers: amounts are fen, rates ten-thousandths, days since 1970, texts places."""

    parts: list[tuple[int, dict[str, Ints | int]]] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)

    def place(self, text: str | None) -> int:
        """The number that stands for a text."""
        return UNKNOWN if text is None else self.texts.setdefault(text, len(self.texts))

    def places(self, texts: list[str]) -> Ints:
        """The numbers that stand for some texts."""
        return np.array([self.place(text) for text in texts], np.int64)

    def add(self, count: int, columns: dict[str, Ints | int]) -> None:
        """Add rows; a column left out is blank."""
        self.parts.append((count, columns))

    def numbers(self, column: str) -> Ints:
        """A column of all rows."""
        parts = [np.broadcast_to(columns.get(column, UNKNOWN), count) for count, columns in self.parts]
        return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)

    def counts(self, column: str) -> pl.Series:
        """A column of whole numbers."""
        numbers = self.numbers(column)
        return masked(pl.Series(numbers), numbers != UNKNOWN)

    def words(self, column: str) -> pl.Series:
        """A column of texts."""
        numbers = self.numbers(column)
        texts = pl.Series([*self.texts, ""], dtype=pl.String)
        return masked(texts.gather(pl.Series(np.maximum(numbers, 0))), numbers != UNKNOWN)

    def money(self, column: str) -> pl.Series:
        """A column of amounts in yuan."""
        numbers = self.numbers(column)
        return yuan(numbers, numbers != UNKNOWN)

    def rates(self, column: str) -> pl.Series:
        """A column of rates as fractions."""
        numbers = self.numbers(column)
        return rates(numbers, numbers != UNKNOWN)

    def flags(self, column: str) -> pl.Series:
        """A column of yes and no."""
        return self.counts(column).cast(pl.Boolean)

    def dates(self, column: str) -> pl.Series:
        """A column of days."""
        return pl.Series(self.numbers(column)).cast(pl.Int32).cast(pl.Date)
