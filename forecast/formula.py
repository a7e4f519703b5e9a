"""A compiled item on whole columns of floats: the same expressions as the award run, one number a line.

The award run also tells why a line pays nothing, and carries a low and a high; a draw only needs the amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecast.streams import Floats, Ints
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
        self, frame: pl.DataFrame, pools: Sequence[Ints | None] = ()
    ) -> tuple[Floats, list[Floats | None]]:
        """Yuan by row, after the caps of one line, and by shared cap its amount in yuan (inf: none).

        Only of the caps that `pools` has rows for (see `pool_codes`); of the others None.
        """
        terms = self._terms()
        single = [_ceiling(cap) for cap in self.compiled.caps]
        gross = self._gross(pl.min_horizontal(single) if single else pl.lit(None, pl.Float64))
        capped = pl.min_horizontal(gross, *single)
        paid = capped.fill_null(0.0) * self._eligible().cast(pl.Float64)  # cheaper than a when
        asked = {place for place, codes in enumerate(pools) if codes is not None}
        shared = [_ceiling(self.pools[place]).alias(f"_cap_{place}") for place in asked]
        if PAID_RUNG not in frame.columns:
            terms = [pl.lit(None, YUAN).alias(PAID_RUNG), *terms]
        rows = frame.with_columns(terms[:1]).with_columns(terms[1:]) if terms else frame
        found = rows.with_columns(self.compiled.lets).select(paid.alias("_paid"), *shared)
        caps: list[Floats | None] = [None] * len(pools)
        for place in asked:
            caps[place] = _filled(found[f"_cap_{place}"].fill_null(np.inf).to_numpy(), frame.height)
        return _filled(found["_paid"].to_numpy(), frame.height), caps

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

    def _eligible(self) -> pl.Expr:
        """All conditions hold; where a department decides, its decision stands for what is unknown."""
        exact = self.compiled.item.basis in ("exact", "floor")
        clauses = [c.when.fill_null(c.waived or not exact) for c in self.compiled.clauses]
        return pl.all_horizontal(clauses) if clauses else pl.lit(True)


def _ceiling(cap: CompiledCap) -> pl.Expr:
    return pl.coalesce(cap.amount.cast(pl.Float64), cap.fallback.cast(pl.Float64))


def _filled(values: Floats, height: int) -> Floats:
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
    return np.floor(yuan * 100 + (0.5 + _HAIR)).astype(np.int64)
