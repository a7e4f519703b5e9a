"""A compiled item on whole columns of floats: the same expressions as the award run, one number a line.

The award run also tells why a line pays nothing, and carries a low and a high; a draw only needs the amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecast.streams import Bools, Floats, Ints
from rules.compile import PAID_RUNG, CompiledCap, CompiledItem
from rules.evaluate import JUDGED
from rules.terms import ByLevel, Ladder
from schemas.money import YUAN

DRAWN = "_drawn"
"""Column of a department's drawn decision: a rate for a range, else a part of the ceiling or an amount (yuan)."""

_HAIR = 1e-6
"""Fen added before rounding: an amount that is exactly half a fen may lie a hair below it as a float."""


@dataclass(frozen=True)
class Formula:
    """An item as expressions over float columns. `end`: low or high for the text's ends, drawn for a decision.

    `of_ceiling`: the drawn decision is a part (0..1) of the line's ceiling rather than an amount in yuan.
    """

    compiled: CompiledItem
    end: str = "drawn"
    of_ceiling: bool = False

    @property
    def reads(self) -> set[str]:
        """The columns of a row that the item reads."""
        held = self.compiled
        known = {c for clause in held.clauses for c in clause.reads} | {
            c for cap in held.caps for c in cap.reads
        }
        terms = held.item.terms.values()
        known |= {"level" for term in terms if isinstance(term, ByLevel | Ladder)}
        known |= {column for term in terms if isinstance(term, Ladder) for column in (term.of, term.after)}
        return known | {*held.amount_reads, *held.uplift_reads, "assessed_rate", DRAWN}

    @property
    def pools(self) -> list[CompiledCap]:
        """The caps that lines may share."""
        return [cap for cap in self.compiled.caps if cap.per and cap.shared]

    def amounts(
        self, frame: pl.DataFrame, pools: Sequence[Ints | None] = (), counts: Bools | None = None
    ) -> tuple[Ints, Floats, list[Floats | None]]:
        """The places of the rows that meet all conditions, and of these alone what they are paid.

        Yuan after the caps of one line, and by shared cap its amount in yuan (inf: none), only of the caps
        that `pools` has rows for (see `pool_codes`); of the others None. `counts`: the rows that are there.
        """
        due = np.ones(frame.height, bool) if self._met is None else self._met.of(frame)
        if counts is not None:
            due = due & counts
        caps = [
            None if codes is None else cap.of(frame, due)
            for codes, cap in zip(pools, self._shared, strict=bool(pools))
        ]
        return np.flatnonzero(due), self._paid.of(frame, due), caps

    @cached_property
    def _met(self) -> "_Column | None":
        """All conditions hold; where a department decides, its decision stands for what is unknown."""
        exact = self.compiled.item.basis in ("exact", "floor")
        clauses = [c.when.fill_null(c.waived or not exact) for c in self.compiled.clauses]
        return self._column(pl.all_horizontal(clauses)) if clauses else None

    @cached_property
    def _paid(self) -> "_Column":
        """The amount after the caps of one line."""
        single = [_ceiling(cap) for cap in self.compiled.caps]
        gross = self._gross(pl.min_horizontal(single) if single else pl.lit(None, pl.Float64))
        return self._column(pl.min_horizontal(gross, *single).fill_null(0.0))

    @cached_property
    def _shared(self) -> "list[_Column]":
        return [self._column(_ceiling(cap).fill_null(np.inf)) for cap in self.pools]

    def _column(self, made: pl.Expr) -> "_Column":
        names = _roots([made])
        lets = [let for let in self.compiled.lets if let.meta.output_name() in names]
        names |= _roots(lets)
        terms = [term for term in self._terms() if term.meta.output_name() in names]
        return _Column(made.alias("_made"), terms, lets, names | _roots(terms))

    def _terms(self) -> list[pl.Expr]:
        bound = self.compiled.high if self.end == "high" else self.compiled.low
        held = [term.cast(pl.Float64) for term in bound]
        ranged = self.compiled.range_name
        if ranged and self.end == "drawn":
            held = [term for term in held if term.meta.output_name() != ranged]
            held.append(pl.col(DRAWN).alias(ranged))
        return held

    def _gross(self, ceiling: pl.Expr) -> pl.Expr:
        item = self.compiled.item
        if item.basis not in JUDGED:
            amount = pl.lit(0.0) if self.compiled.amount is None else self.compiled.amount
        elif self.end == "low":
            return pl.lit(0.0)
        elif self.end == "high":
            return ceiling
        elif self.of_ceiling:
            return ceiling * pl.col(DRAWN)
        else:
            amount = pl.col(DRAWN)
        if self.compiled.uplift is None or self.compiled.factor is None:
            return amount
        return amount * pl.when(self.compiled.uplift).then(self.compiled.factor.cast(pl.Float64)).otherwise(
            1.0
        )


@dataclass(frozen=True)
class _Column:
    """A column to work out, after such terms and lets of its item as it is made from."""

    made: pl.Expr
    terms: list[pl.Expr]
    lets: list[pl.Expr]
    reads: set[str]

    def of(self, frame: pl.DataFrame, where: Bools | None = None) -> NDArray[Any]:
        """Its values, on the rows `where` alone."""
        rows = frame.select([c for c in frame.columns if c in self.reads] or frame.columns[:1])
        if where is not None:
            rows = rows.filter(pl.Series(where))
        if PAID_RUNG in self.reads and PAID_RUNG not in frame.columns:
            rows = rows.with_columns(pl.lit(None, YUAN).alias(PAID_RUNG))
        for step in (self.terms, self.lets):
            rows = rows.with_columns(step) if step else rows
        made = rows.select(self.made)["_made"]
        # Conditions are never null: what is unknown has been decided in them.
        values = made.cast(pl.UInt8).to_numpy().view(bool) if made.dtype == pl.Boolean else made.to_numpy()
        return _filled(values, rows.height)


def _roots(expressions: Sequence[pl.Expr]) -> set[str]:
    return {name for one in expressions for name in one.meta.root_names()}


def _ceiling(cap: CompiledCap) -> pl.Expr:
    return pl.coalesce(cap.amount.cast(pl.Float64), cap.fallback.cast(pl.Float64))


def _filled(values: NDArray[Any], height: int) -> NDArray[Any]:
    """A constant comes back as one value."""
    return values if values.size == height else np.broadcast_to(values, height)


def within_pools(yuan: Floats, cap: Floats, pool: Ints) -> Floats:
    """Lines that share a cap (the same `pool`), scaled to it where together they exceed it."""
    group = np.unique(pool, return_inverse=True)[1]
    total = np.bincount(group, yuan)
    bound = np.full(total.size, -np.inf)
    np.maximum.at(bound, group, cap)
    return np.asarray(yuan * np.minimum(1, bound / np.maximum(total, 0.01))[group])


def pool_codes(formula: Formula, rows: pl.DataFrame, unit: str) -> list[Ints | None]:
    """By shared cap each row's number among the groups that share it; None where every row is alone.

    `unit`: the column of what is drawn together; rows of two units never share.
    """
    found: list[Ints | None] = []
    for cap in formula.pools:
        keys = [c for c in cap.per if c != "year" and c in rows.columns]
        group = (
            rows.select(pl.struct(*dict.fromkeys((unit, *keys))).rank("dense") - 1)
            .to_series()
            .cast(pl.Int64)
            .to_numpy()
        )
        found.append(None if group.max(initial=-1) + 1 == group.size else group)
    return found


def fen(yuan: Floats) -> Ints:
    """Whole fen, half away from zero (amounts are never negative)."""
    whole = yuan * 100
    whole += 0.5 + _HAIR
    return np.floor(whole, out=whole).astype(np.int64)
