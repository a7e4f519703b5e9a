"""Envelopes (预算盘子): fixed sums over award lines, with a declared rule for when they do not suffice."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

import polars as pl

from rules.evaluate import PAYABLE
from schemas.money import YUAN, total
from schemas.outputs import AWARDS, ORDER, PAYERS
from whatif.shortfall import Envelope, shared_out, turn_of

_SHARES = tuple(f"{payer}_share" for payer in PAYERS)
_QUEUED = tuple(f"_queued_{payer}" for payer in PAYERS)
_ZERO = pl.lit(Decimal(0), YUAN)
_FEN = pl.lit(Decimal("0.01"), YUAN)
_ADDED = ("exposure", "unpaid", "carried_over", "cut_by", "cut_why")
_LINE = (
    *("year", "item", "registry", "source_file", "source_sheet", "source_row", "uscc", "name", "district"),
    *("person_id", "project_id", "certificate_no", "level", "event_on"),
)

PARTS: dict[str, Any] = {
    "envelope": pl.String,
    "payer": pl.String,
    "carried": pl.Boolean,
    **{column: AWARDS[column] for column in _LINE},
    **dict.fromkeys(("exposure", "paid", "unpaid"), YUAN),
    "why": pl.String,
}
"""A line under an envelope (yuan): exposure = paid + unpaid; `carried`: a claim of an earlier year."""

ENVELOPES: dict[str, Any] = {
    "envelope": pl.String,
    "payer": pl.String,
    "rule": pl.String,
    **dict.fromkeys(("amount", "exposure", "carried_in", "paid", "balance", "unpaid", "carried_over"), YUAN),
    "cut_later": YUAN,
    **dict.fromkeys(("lines", "households", "households_cut"), pl.Int64),
}
"""An envelope (yuan): balance = amount − paid, unpaid = exposure − paid; `carried_in`: the part of the exposure
that is of earlier years; `cut_later`: what later envelopes took again from what it paid. Payer null: all."""


class Shared(NamedTuple):
    """Lines after their envelopes.

    `lines`: as given and in that order, but `award`, its bounds, shares and `to_pay` are what is paid, and
    added are `exposure` (the award before), `unpaid`, `carried_over` (the part of `unpaid` that waits for
    next year), `cut_by` and `cut_why`. `carried`: the same for claims of earlier years. `parts` (PARTS) and
    `table` (ENVELOPES): line by line and in sum under each envelope. `carry`: next year's `carried`, like
    lines, award and shares being what is still owed, with the `envelope` that queued it.
    """

    lines: pl.DataFrame
    carried: pl.DataFrame
    parts: pl.DataFrame
    table: pl.DataFrame
    carry: pl.DataFrame


def apply_envelopes(
    lines: pl.DataFrame,
    envelopes: Sequence[Envelope],
    last_year: pl.DataFrame | None = None,
    carried: pl.DataFrame | None = None,
) -> Shared:
    """Pay the payable award lines of a year out of `envelopes`; a line under none is paid in full.

    Where several envelopes cover a line they work in the order given, each on what the earlier ones left of
    it: a line may be cut several times, and what a later one cuts does not flow back to an earlier one (the
    table's `cut_later` says how much that is). An envelope of one payer bounds and cuts that payer's share
    only; one of the whole award cuts all shares in proportion. An envelope's year is the award year.

    `last_year`: last year's lines, or better the `lines` that this function gave for them. `carried`: the
    `carry` of last year; such claims are this year's money whatever their year.
    """
    both, year = _both(lines, carried)
    claims, parts, table = _claims(both, year), [], []
    for envelope in envelopes:
        keys = [key.removeprefix("-") for key in turn_of(envelope, claims.columns)]
        needed = dict.fromkeys(["_place", "uscc", "carried", *keys])
        covered = claims.filter(_covers(envelope, envelope.year) & (_due(envelope) > 0))
        covered = covered.select(*needed, exposure=_due(envelope))
        amount = envelope.amount.quantize(Decimal("0.01"), ROUND_DOWN)
        part = shared_out(covered, envelope, amount, _last(last_year, envelope))
        claims = _cut(claims, part, envelope)
        parts.append(_shown(claims, part, envelope))
        table.append((part["_place"], envelope, _row(part, envelope, amount)))
    told = _told(both, claims)
    return Shared(
        lines=told.filter(~pl.col("carried")).drop("carried"),
        carried=told.filter("carried").drop("carried"),
        parts=pl.concat([pl.DataFrame(schema=PARTS), *parts]),
        table=pl.DataFrame([_later(claims, *row) for row in table], schema=ENVELOPES),
        carry=_carry(claims, [c for c in lines.columns if c not in _ADDED]),
    )


def _both(lines: pl.DataFrame, carried: pl.DataFrame | None) -> tuple[pl.DataFrame, int | None]:
    """Lines and carried claims in one frame, and the year they are paid for."""
    lines = lines.drop(_ADDED, strict=False)
    years = lines["year"].unique().drop_nulls().to_list()
    earlier = lines.clear() if carried is None else carried.drop("envelope", *_ADDED, strict=False)
    marked = [lines.with_columns(carried=False), earlier.with_columns(carried=True)]
    return pl.concat(marked, how="diagonal").with_row_index("_row"), max(years, default=None)


def _claims(both: pl.DataFrame, year: int | None) -> pl.DataFrame:
    """What may draw on an envelope, in the order of content, which decides ties; `_place` counts it."""
    order = [*ORDER, "award", "year", "carried"]
    claims = both.filter((pl.col("status") == PAYABLE) & (pl.col("award") > 0)).sort(order, nulls_last=True)
    return claims.with_row_index("_place").with_columns(
        _year=pl.when("carried").then(pl.lit(year, pl.Int32)).otherwise(pl.col("year")),
        cut_by=pl.lit(None, pl.String),
        cut_why=pl.lit(None, pl.String),
        **dict.fromkeys(_QUEUED, _ZERO),
        _queue=pl.lit(None, pl.String),
    )


def _covers(envelope: Envelope, year: int | None) -> pl.Expr:
    """Whether a line is in the scope of an envelope; a department covers what it alone or first answers for."""
    tests = [pl.lit(True)]
    if envelope.policy is not None:
        tests.append(pl.col("policy") == envelope.policy)
    if envelope.article is not None:
        tests.append(pl.col("article") == envelope.article)
    if envelope.items:
        tests.append(pl.col("item").is_in(list(envelope.items)))
    if envelope.department is not None:
        lead = pl.col("lead_department")
        tests.append((lead == envelope.department) | lead.str.starts_with(envelope.department + "、"))
    if envelope.district is not None:
        tests.append(pl.col("district") == envelope.district)
    if year is not None:
        tests.append(pl.col("_year").is_null() | (pl.col("_year") == year))
    return pl.all_horizontal(tests)


def _due(envelope: Envelope) -> pl.Expr:
    return pl.col(f"{envelope.payer}_share" if envelope.payer else "award")


def _last(last_year: pl.DataFrame | None, envelope: Envelope) -> pl.DataFrame | None:
    """What each household had last year within the envelope's scope, from its payer."""
    if last_year is None:
        return None
    had = last_year.filter((pl.col("status") == PAYABLE) & _covers(envelope, None))
    return had.group_by("uscc").agg(last=_due(envelope).sum())


def _cut(claims: pl.DataFrame, part: pl.DataFrame, envelope: Envelope) -> pl.DataFrame:
    """The claims with the shares that an envelope leaves, and its name and reason on those it cut."""
    cut = part.filter(pl.col("paid") < pl.col("exposure")).select("_place", _paid="paid", _why="why")
    if cut.is_empty():
        return claims
    found = claims.select("_place").join(cut, on="_place", how="left", maintain_order="left")
    claims = claims.with_columns(found["_paid"], found["_why"])
    hit, name = pl.col("_paid").is_not_null(), pl.lit(envelope.name)
    shares = {f"{envelope.payer}_share": pl.col("_paid")} if envelope.payer else _in_proportion("_paid")
    after = claims.with_columns(
        pl.when(hit).then(new).otherwise(pl.col(share)).alias(share) for share, new in shares.items()
    )
    said = pl.when(hit).then(pl.concat_str(pl.lit(f"「{envelope.name}」"), "_why"))
    after = after.with_columns(
        award=pl.sum_horizontal(_SHARES).cast(YUAN),
        cut_by=_joined("cut_by", pl.when(hit).then(name)),
        cut_why=_joined("cut_why", said),
    )
    if envelope.rule == "queue":
        after = after.with_columns(
            *(
                (pl.col(queued) + claims[share] - pl.col(share)).alias(queued)
                for queued, share in zip(_QUEUED, _SHARES, strict=True)
            ),
            _queue=_joined("_queue", pl.when(hit).then(name)),
        )
    return after.drop("_paid", "_why")


def _in_proportion(paid: str) -> dict[str, pl.Expr]:
    """The shares of what is paid of an award, rounded in the order of rules.split; no share grows."""
    city, district, prefecture = (pl.col(share).to_physical() for share in _SHARES)
    ours = _rounded(pl.col(paid).to_physical(), city + district, city + district + prefecture)
    theirs = _rounded(ours, district, city + district)
    parts = (ours - theirs, theirs, pl.col(paid).to_physical() - ours)
    return {share: (fen.cast(YUAN) * _FEN).cast(YUAN) for share, fen in zip(_SHARES, parts, strict=True)}


def _rounded(fen: pl.Expr, part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """fen × part / whole, half up, in whole fen; nothing of nothing."""
    by = pl.when(whole == 0).then(1).otherwise(whole)
    return (2 * fen * part + by) // (2 * by)


def _joined(column: str, more: pl.Expr) -> pl.Expr:
    both = pl.concat_str([pl.col(column), more], separator="；", ignore_nulls=True)
    return pl.when(both != "").then(both)


def _shown(claims: pl.DataFrame, part: pl.DataFrame, envelope: Envelope) -> pl.DataFrame:
    """An envelope's lines in the shape PARTS."""
    part = part.sort("_place")
    told = claims.select("carried", *_LINE)[part["_place"]].with_columns(
        part.select("exposure", "paid", "why", unpaid=pl.col("exposure") - pl.col("paid")),
        envelope=pl.lit(envelope.name),
        payer=pl.lit(envelope.payer),
    )
    return told.select(pl.col(c).cast(t) for c, t in PARTS.items())


def _row(part: pl.DataFrame, envelope: Envelope, amount: Decimal) -> dict[str, Any]:
    exposure, paid = total(part["exposure"]), total(part["paid"])
    unpaid = exposure - paid
    cut = part.filter(pl.col("paid") < pl.col("exposure"))
    return {
        "envelope": envelope.name,
        "payer": envelope.payer,
        "rule": envelope.rule,
        "amount": amount,
        "exposure": exposure,
        "carried_in": total(part.filter("carried")["exposure"]),
        "paid": paid,
        "balance": amount - paid,
        "unpaid": unpaid,
        "carried_over": unpaid if envelope.rule == "queue" else Decimal(0),
        "lines": part.height,
        "households": part["uscc"].n_unique(),
        "households_cut": cut["uscc"].n_unique(),
    }


def _later(
    claims: pl.DataFrame, places: pl.Series, envelope: Envelope, row: dict[str, Any]
) -> dict[str, Any]:
    """A table row with what envelopes after this one took from the lines it paid."""
    kept = total(claims[places].select(kept=_due(envelope))["kept"])
    return row | {"cut_later": row["paid"] - kept}


def _told(both: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Every line with what is paid of it, in the order given."""
    state = claims.select(
        "_row",
        *(pl.col(c).alias(f"_new_{c}") for c in ("award", *_SHARES, "cut_by", "cut_why")),
        _over=pl.sum_horizontal(_QUEUED),
    )
    told = both.join(state, on="_row", how="left", maintain_order="left")
    paid = pl.coalesce("_new_award", "award")
    lowered = [c for c in ("award_low", "award_high") if c in both.columns]
    told = told.with_columns(
        *(pl.coalesce(f"_new_{share}", share).alias(share) for share in _SHARES),
        *(pl.coalesce("_new_award", bound).alias(bound) for bound in lowered),
        award=paid,
        exposure=pl.col("award"),
        unpaid=(pl.col("award") - paid).cast(YUAN),
        carried_over=pl.col("_over").fill_null(_ZERO).cast(YUAN),
        cut_by=pl.col("_new_cut_by"),
        cut_why=pl.col("_new_cut_why"),
    )
    if "to_pay" in both.columns:
        due = pl.max_horizontal(pl.col("award") - pl.col("paid"), _ZERO)
        told = told.with_columns(to_pay=pl.when(pl.col("_new_award").is_null()).then("to_pay").otherwise(due))
    return told.select(*both.drop("_row", "carried").columns, *_ADDED, "carried")


def _carry(claims: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """What queues leave to next year, in the shape of lines: award and shares are what is still owed."""
    owed = pl.sum_horizontal(_QUEUED).cast(YUAN)
    amounts = {c: owed for c in ("award", "award_low", "award_high", "to_pay") if c in columns}
    none = {c: _ZERO for c in ("paid", "to_recover") if c in columns}
    shares = {share: pl.col(queued) for share, queued in zip(_SHARES, _QUEUED, strict=True)}
    waiting = claims.filter(owed > 0).with_columns(**amounts, **none, **shares, envelope="_queue")
    return waiting.select(*columns, "envelope")
