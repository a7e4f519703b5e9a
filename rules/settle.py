"""What the run's own year has paid already, line by line: 已兑付, 应补, 应退."""

from decimal import Decimal

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import PENDING
from rules.frames import Frames
from rules.matching import KEYS, matched_payments
from rules.placing import with_found
from rules.split import split
from schemas.codes import initial, masked
from schemas.money import YUAN
from schemas.outputs import SETTLEMENT

_ZERO = pl.lit(Decimal(0), YUAN)
_SHARES = ("city_share", "district_share", "prefecture_share")
_BY = ("uscc", "person_id", "project_id", "certificate_no", "level")
SETTLEMENT_ORDER: list[str | pl.Expr] = [
    pl.col("item").str.head(1),
    *(pl.col("item").str.extract(r"^[A-Z](\d+)\.(\d+)$", place).cast(pl.Int32) for place in (1, 2)),
    *(*_BY, "award", "paid", "to_pay", "to_recover", "status", "note", "person_name"),
]
"""The order of a settlement's rows, by content."""

_ORDER = ("item", "uscc", "person_id", "project_id", "certificate_no", "level", "on", "award", "working")


_UNCLAIMED = pl.lit(
    "没有采用的申报行与之对应。请先查「数据问题」「跨年补报」里有没有这一笔，更正后重新运行；确无申报的应退回，或更正已兑付登记"
)


def with_paid(lines: pl.DataFrame, frames: Frames, year: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines with `paid`, `to_pay` and `to_recover` (yuan), and the year's payments that belong to no line.

    A payment goes to the line that agrees with it in most keys. Where several agree alike, what was paid
    fills their awards one after the other, and what is over stays with the first.
    """
    held = frames.get("payments")
    payments = (
        pl.DataFrame() if held is None else held.filter((pl.col("year") == year) & (pl.col("amount") > 0))
    )
    if payments.is_empty():
        return _compared(lines.with_columns(paid=_ZERO)), payments
    lines = lines.with_row_index("_line")
    own = lines.select("_line", "uscc", "item", "on", *KEYS).filter(pl.col("on").dt.year() == year)
    pairs = matched_payments(own, payments)
    pairs = pairs.filter(pl.col("agreeing") == pl.col("agreeing").max().over("_payment"))
    alone = pl.len().over("_payment") == 1
    direct = pairs.filter(alone).group_by("_line").agg(pl.col("paid").sum())
    poured = _poured(lines, pairs.filter(~alone), direct)
    total = pl.concat([direct, poured]).group_by("_line").agg(pl.col("paid").sum())
    lines = with_found(lines, total, "_line").drop("_line")
    unmatched = payments.with_row_index("_payment").join(pairs, on="_payment", how="anti").drop("_payment")
    return _compared(lines.with_columns(pl.col("paid").fill_null(_ZERO))), unmatched


def _poured(lines: pl.DataFrame, pairs: pl.DataFrame, direct: pl.DataFrame) -> pl.DataFrame:
    """By line its part of the payments that several lines could mean.

    Payments with the same lines to choose from are one pot; the pot with the fewest choices goes first.
    One pot after the other, since each leaves less room to the next; such payments are few.
    """
    order = lines.select("_line", *_ORDER).join(direct, on="_line", how="left")
    order = order.sort(*_ORDER, nulls_last=True).with_row_index("_place")
    room = dict(order.select("_line", _room(pl.col("paid").fill_null(_ZERO))).iter_rows())
    choices = pairs.join(order.select("_line", "_place"), on="_line").sort(
        "_payment", "elsewhere", "beyond", "_place"
    )
    pots = (
        choices.group_by("_payment", maintain_order=True)
        .agg("_line", "_place", pl.col("paid").first())
        .group_by("_line", "_place")
        .agg(pl.col("paid").sum())
        .sort(pl.col("_line").list.len(), "_place")
    )
    got: dict[int, Decimal] = {}
    for members, _, pot in pots.iter_rows():
        for line in members:
            part = min(pot, room[line])
            got[line] = got.get(line, Decimal(0)) + part
            room[line], pot = room[line] - part, pot - part
        got[members[0]] += pot
    return pl.DataFrame(
        {"_line": list(got), "paid": list(got.values())}, schema={"_line": pl.UInt32, "paid": YUAN}
    )


def _room(paid: pl.Expr) -> pl.Expr:
    return pl.max_horizontal(pl.col("award") - paid, _ZERO)


def _compared(lines: pl.DataFrame) -> pl.DataFrame:
    paid, award = pl.col("paid"), pl.col("award")
    if not (lines["paid"] > 0).any():
        return lines.with_columns(to_pay=award, to_recover=_ZERO)
    # A pending line may still turn out to be worth what it was paid.
    most = pl.when(status=PENDING).then(pl.coalesce("award_high", paid)).otherwise(award)
    note = pl.when(paid > 0).then(pl.lit("本年度已有兑付，见「应补应退」"))
    review = pl.concat_str(["review", note], separator="；", ignore_nulls=True)
    return lines.with_columns(
        paid=paid.cast(YUAN),
        to_pay=pl.max_horizontal(award - paid, _ZERO).cast(YUAN),
        to_recover=pl.max_horizontal(paid - most, _ZERO).cast(YUAN),
        review=pl.when(review != "").then(review),
    )


def settlement(lines: pl.DataFrame, unmatched: pl.DataFrame, frames: Frames, law: Catalogue) -> pl.DataFrame:
    """One row per line that is payable or was paid, and per payment of no line, in the shape SETTLEMENT.

    The payers' shares are of the balance, `to_pay` less `to_recover` (yuan): what each still owes, or gets
    back where negative.
    """
    due = lines.filter((pl.col("award") > 0) | (pl.col("paid") > 0)).select(
        *(c for c in SETTLEMENT if c != "note"),
        *("policy", "class"),
        note=pl.coalesce("reason", pl.when(status=PENDING).then(pl.lit("待核定，核定后再补再退"))),
    )
    rows = pl.concat([due, _of_no_line(unmatched, frames, law)], how="diagonal")
    if (rows["paid"] > 0).any():
        rows = rows.with_columns(_settled=pl.col("award") - pl.col("to_pay") + pl.col("to_recover"))
        settled = split(rows, law, "_settled").select(_SHARES)
        rows = split(rows, law, "award").with_columns(pl.col(share) - settled[share] for share in _SHARES)
    shown = rows.with_columns(
        person_id=masked(pl.col("person_id")), person_name=initial(pl.col("person_name"))
    )
    shown = shown.select(pl.col(c).cast(t) for c, t in SETTLEMENT.items())
    return shown[shown.select(pl.arg_sort_by(SETTLEMENT_ORDER, nulls_last=True)).to_series()]


def _of_no_line(payments: pl.DataFrame, frames: Frames, law: Catalogue) -> pl.DataFrame:
    if payments.is_empty():
        return pl.DataFrame()
    about = frames["enterprises"].filter(pl.col("same_as").is_null()).select("uscc", "name", "district")
    classes = {item.id: law.class_of(item) for item in law.items.values() if item.class_}
    return payments.join(about, on="uscc", how="left", maintain_order="left").select(
        *("year", "uscc", "name", "district", "item", "level", *KEYS[1:]),
        title=pl.col("item").replace_strict({item.id: item.title for item in law.items.values()}),
        policy=pl.col("item").str.head(1),
        **{"class": pl.col("item").replace_strict(classes, default=None, return_dtype=pl.String)},
        person_name=pl.lit(None, pl.String),
        award=_ZERO,
        paid=pl.col("amount"),
        to_pay=_ZERO,
        to_recover=pl.col("amount"),
        note=_UNCLAIMED,
    )
