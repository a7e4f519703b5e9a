"""Plant known faults, so that a check can be held against the list of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from rules.identify import needs_level
from schemas.registries import REGISTRIES
from synth.law import Law
from synth.office import Scribbles


@dataclass(frozen=True)
class Fault:
    """A planted fault. `row` is 0-based in the registry (None: its total).

    `outcome`: reject (a row is refused, with `check`), repeat (the row counts once), note (a warning).
    """

    registry: str
    row: int | None
    column: str | None
    check: str
    outcome: str = "reject"


@dataclass
class Mess:
    """A year's registries, and the faults planted in them.

    `office` allows faults that typed columns cannot hold; `scribbles` are these.
    """

    frames: dict[str, pl.DataFrame]
    law: Law
    year: int
    office: bool
    spare: list[str]
    rng: np.random.Generator
    faults: list[Fault] = field(default_factory=list)
    scribbles: Scribbles = field(default_factory=Scribbles)
    used: set[tuple[str, int]] = field(default_factory=set)

    def plant(self) -> None:
        """Plant every kind of fault once, where the registries have a row for it."""
        for planter in _PLANTERS:
            planter(self)

    def pick(self, name: str, condition: pl.Expr) -> int | None:
        """A row that fulfils a condition and is as yet without fault; None where there is none."""
        frame = self.frames[name]
        if "year" in frame.columns:
            condition = condition & (pl.col("year") == self.year)
        taken = [row for registry, row in self.used if registry == name]
        found = frame.select(condition.fill_null(False).arg_true()).to_series()
        found = found.filter(~found.is_in(taken))
        if found.is_empty():
            return None
        row = int(found[int(self.rng.integers(found.len()))])
        self.used.add((name, row))
        return row

    def change(self, name: str, row: int, **values: Any) -> None:
        """Set cells of a row."""
        frame = self.frames[name]
        here = pl.int_range(pl.len()) == row
        self.frames[name] = frame.with_columns(
            pl.when(here).then(pl.lit(value, frame.schema[column])).otherwise(pl.col(column)).alias(column)
            for column, value in values.items()
        )

    def append(self, name: str, row: pl.DataFrame) -> int:
        """Add a row at the end; its place."""
        self.frames[name] = pl.concat([self.frames[name], row])
        place = self.frames[name].height - 1
        self.used.add((name, place))
        return place

    def spoil(self, name: str, condition: pl.Expr, column: str, value: Any, check: str) -> None:
        """Set one cell of some row to a wrong value."""
        row = self.pick(name, condition)
        if row is not None:
            self.change(name, row, **{column: value})
            self.faults.append(Fault(name, row, column, check))

    def scribble(self, name: str, condition: pl.Expr, column: str, text: str) -> None:
        """Write a text that cannot be read; only cells of text can hold one."""
        row = self.pick(name, condition) if self.office else None
        if row is not None:
            self.change(name, row, **{column: None})
            self.scribbles.texts[name, row, column] = text
            kind = REGISTRIES[name].kind(column)
            self.faults.append(Fault(name, row, column, f"unreadable_{kind}"))


def _wrong_last(code: str) -> str:
    return code[:-1] + ("1" if code[-1] == "0" else "0")


def _check_digits(mess: Mess) -> None:
    row = mess.pick("rnd", pl.col("uscc").is_not_null())
    if row is not None:
        mess.change("rnd", row, uscc=_wrong_last(mess.frames["rnd"]["uscc"][row]))
        mess.faults.append(Fault("rnd", row, "uscc", "uscc"))
    row = mess.pick("talents", pl.col("person_id").str.contains(r"^\d{18}$"))
    if row is not None:
        mess.change("talents", row, person_id=_wrong_last(mess.frames["talents"]["person_id"][row]))
        mess.faults.append(Fault("talents", row, "person_id", "resident_id"))


def _strangers(mess: Mess) -> None:
    """An enterprise of no 区镇 and a claim of it, and a claim of an enterprise that nobody knows."""
    outside, unknown = mess.spare[:2]
    row = {"uscc": outside, "name": "昆山示例99991号外地有限公司", "district": "太仓市", "industrial": True}
    new = pl.DataFrame([row | {"registered_on": date(mess.year - 3, 3, 1)}])
    empty = mess.frames["enterprises"].clear()
    place = mess.append("enterprises", pl.concat([empty, new], how="diagonal"))
    mess.faults.append(Fault("enterprises", place, "district", "unreadable_district"))
    for code in (outside, unknown):
        mess.spoil("claims", pl.col("uscc").is_not_null(), "uscc", code, "unknown_applicant")


def _figures(mess: Mess) -> None:
    row = mess.pick("rnd", pl.col("rnd_expense") > 0)
    if row is not None:
        mess.change("rnd", row, rnd_expense=-mess.frames["rnd"]["rnd_expense"][row])
        mess.faults.append(Fault("rnd", row, "rnd_expense", "not_negative"))
    mess.spoil("rnd", pl.col("rnd_expense") > 0, "rnd_expense", None, "required")
    mess.spoil("rnd", pl.col("rnd_expense") > 0, "year", mess.year + 1, "later_year")
    mess.scribble("rnd", pl.col("rnd_expense") > 0, "rnd_expense", "约三百万")
    mess.scribble("claims", pl.col("event_on").is_not_null(), "event_on", f"{mess.year}-02-30")
    rated = pl.col("assessed_rate").is_not_null()
    if mess.office:
        mess.scribble("equipment", rated, "assessed_rate", "12")
    else:
        mess.spoil("equipment", rated, "assessed_rate", Decimal(12), "rate")


def _items(mess: Mess) -> None:
    named = pl.col("certification").is_not_null() & pl.col("item").is_null() & pl.col("level").is_null()
    plain = named & pl.col("event").is_null()
    mess.spoil("certifications", plain, "certification", "昆山市示例荣誉单位", "unknown_certification")
    mess.spoil("certifications", pl.col("event").is_not_null(), "event", None, "unclear_event")
    mess.spoil("claims", pl.col("level").is_null(), "item", "A4.99", "unknown_item")
    mess.spoil("claims", pl.col("level").is_null(), "item", "A4.06", "wrong_registry")
    needing = [item.id for item in mess.law.items("claims") if needs_level(item)]
    mess.spoil("claims", pl.col("item").is_in(needing), "level", None, "level_needed")


def _doubles(mess: Mess) -> None:
    """Two rows that contradict each other, and one row twice."""
    row = mess.pick("rnd", pl.col("rnd_expense") > 0)
    if row is not None:
        place = mess.append("rnd", mess.frames["rnd"].slice(row, 1))
        mess.change("rnd", place, rnd_expense=mess.frames["rnd"]["rnd_expense"][row] + Decimal(100_000))
        mess.faults += [Fault("rnd", r, "year", "conflict") for r in (row, place)]
    row = mess.pick("equipment", pl.col("uscc").is_not_null())
    if row is not None:
        place = mess.append("equipment", mess.frames["equipment"].slice(row, 1))
        mess.faults.append(Fault("equipment", place, None, "identical", "repeat"))


def _totals(mess: Mess) -> None:
    if mess.office and mess.frames["equipment"].height:
        mess.scribbles.wrong_totals["equipment"] = Decimal(1_000_000)
        mess.faults.append(Fault("equipment", None, "equipment_investment", "total", "note"))


_Planter = Callable[[Mess], None]
_PLANTERS: tuple[_Planter, ...] = (_check_digits, _strangers, _items, _figures, _doubles, _totals)
