"""What the bureau paid for the year before: a plausible part of that year's rows."""

from datetime import date
from decimal import Decimal

import polars as pl

from rules.identify import identify
from schemas.money import YUAN, to_fen
from schemas.registries import REGISTRIES
from synth.draws import days, stream
from synth.law import Law

Frames = dict[str, pl.DataFrame]

PAID = 0.9
"""The share of what was due that was paid."""

_KEYS = ("level", "project_id", "certificate_no", "person_id", "months")


def paid(frames: Frames, before: Frames, law: Law, year: int, seed: int) -> pl.DataFrame:
    """The payments registry with the awards of `year`, from that year's registries and the year before.

    Covered are statuses, assessed claims, A4.06 and A11.02, of policies in force.
    """
    parts = [pl.DataFrame(schema=REGISTRIES["payments"].dtypes())]
    for name in ("certifications", "claims", "talents"):
        parts.append(_recognised(name, frames[name], law, year))
    if "rnd" in before:
        parts.append(_growth(frames["rnd"], before["rnd"], law, year))
    parts.append(_projects(frames["equipment"], law, year))
    due = pl.concat([part for part in parts if part.width], how="diagonal")
    rng = stream(seed, "payments", year)
    due = due.filter(pl.Series(rng.random(due.height) < PAID) & (pl.col("amount") > 0))
    paid_on = days(rng, date(year + 1, 5, 6), date(year + 1, 9, 28), due.height)
    return due.with_columns(pl.lit(year, pl.Int32).alias("year"), paid_on=paid_on)


def _recognised(name: str, rows: pl.DataFrame, law: Law, year: int) -> pl.DataFrame:
    """Rows with an assessed amount, and those of items that pay one amount by level."""
    known, _ = identify(name, rows, law.catalogue)
    fixed = []
    for item in law.items(name):
        if law.days(item, year) is None:
            continue
        for level in item.levels or (None,):
            amount = None
            if item.basis == "exact" and name == "certifications" and item.amount:
                amount = law.figure(item, item.amount, level, year)
            fixed.append((item.id, level, None if amount is None else Decimal(str(amount))))
    amounts = pl.DataFrame(
        fixed, schema={"item": pl.String, "level": pl.String, "_fixed": YUAN}, orient="row"
    )
    day = "certified_on" if name == "certifications" else "event_on"
    joined = known.filter(pl.col(day).dt.year() == year).join(
        amounts, on=["item", "level"], nulls_equal=True, maintain_order="left"
    )
    keys = [column for column in _KEYS if column in known.columns]
    paid_out = pl.coalesce("_fixed", "assessed_amount").cast(YUAN)
    return joined.select("uscc", "item", paid_out.alias("amount"), *keys).drop_nulls("amount")


def _growth(rnd: pl.DataFrame, before: pl.DataFrame, law: Law, year: int) -> pl.DataFrame:
    """A4.06: a rate on the growth of R&D that reaches the floor, up to the cap."""
    rate, floor, cap = (law.term("A4.06", name) for name in ("rate", "floor", "cap"))
    if rate is None or floor is None or cap is None or law.days(law.catalogue.items["A4.06"], year) is None:
        return pl.DataFrame()
    previous = before.select(
        "uscc", pl.col("rnd_expense").alias("_before"), pl.col("super_deduction").alias("_did")
    )
    growth = (pl.col("rnd_expense") - pl.col("_before")).cast(pl.Decimal(38, 8))
    return (
        rnd.join(previous, on="uscc", maintain_order="left")
        .filter(pl.col("super_deduction") & pl.col("_did") & (growth >= Decimal(str(floor))))
        .select("uscc", pl.lit("A4.06").alias("item"), _capped(growth, rate, cap))
    )


def _projects(equipment: pl.DataFrame, law: Law, year: int) -> pl.DataFrame:
    """A11.02: the assessed rate on the investment of a project that has one."""
    cap = law.term("A11.02", "cap")
    if cap is None or law.days(law.catalogue.items["A11.02"], year) is None:
        return pl.DataFrame()
    amount = pl.col("equipment_investment").cast(pl.Decimal(38, 8)) * pl.col("assessed_rate")
    return equipment.drop_nulls("assessed_rate").select(
        "uscc", pl.lit("A11.02").alias("item"), "project_id", _capped(amount, 1.0, cap)
    )


def _capped(base: pl.Expr, rate: float, cap: float) -> pl.Expr:
    amount = to_fen(base * pl.lit(Decimal(str(rate)), pl.Decimal(38, 8)))
    return pl.min_horizontal(amount, pl.lit(Decimal(str(cap)), YUAN)).cast(YUAN).alias("amount")
