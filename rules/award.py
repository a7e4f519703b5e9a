"""The award run: every line of a year, from checked registries to payers' shares."""

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from rules import columns
from rules.caps import quota_notes, share_caps, with_quota_notes
from rules.catalogue import Catalogue
from rules.dated import in_window, of_year
from rules.evaluate import DUPLICATE, INELIGIBLE, PAYABLE, PENDING, evaluate
from rules.frames import APPLICANT, Frames
from rules.history import Rows, searched_text, summed
from rules.invariants import Broken
from rules.model import Item
from rules.narrate import narrate, unspoken
from rules.once import once
from rules.overlap import with_cut_winners, with_paid_elsewhere, without_overlaps
from rules.paid import with_earlier_figure, with_payments
from rules.placing import with_changed, with_found, with_notes
from rules.publish import published
from rules.settle import with_paid
from rules.split import kind_of, split
from rules.working import finish_working
from schemas.labels import filled
from schemas.money import YUAN, grouped
from schemas.outputs import AWARDS, PAYERS
from schemas.registries import PROVENANCE, REGISTRIES

_KEPT = (
    *(
        "item",
        "policy",
        "registry",
        "uscc",
        "person_id",
        "person_name",
        "project_id",
        "certificate_no",
        "level",
    ),
    *(*PROVENANCE, "status", "reason", "review", "working"),
)
_LIVE = pl.col("status").is_in([PAYABLE, PENDING])
_LINE: dict[str, Any] = {
    **{column: AWARDS[column] for column in _KEPT},
    APPLICANT: pl.UInt32,
    "on": pl.Date,
    **dict.fromkeys(("gross", "award_low", "award_high", "cap", "cap_paid"), YUAN),
    "cap_shared": pl.Boolean,
    "assessed": pl.Boolean,
    "has_rejects": pl.Boolean,
    "searched": pl.String,
    "months": pl.Int64,
}
_UNSAID = (
    *("person_name", *PROVENANCE, "has_rejects", "searched", "months"),
    *("cap_paid", "reason", "review", "working"),
)
"""What only words need; `owed` carries none of it from line to line."""

OWED = (
    *("policy", "item", "class", "registry", "uscc", "district"),
    *("person_id", "project_id", "certificate_no", "level", "on", "status"),
    *("gross", "award", "award_low", "award_high"),
    *(f"{payer}_share" for payer in PAYERS),
)
"""Columns of a line without words."""


class Settled(NamedTuple):
    """A run's lines with persons in full, and the year's own payments that belong to none of them."""

    lines: pl.DataFrame
    unmatched: pl.DataFrame


def award(frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """Every award line of `year` in the shape AWARDS, payable or not, in a fixed order.

    `frames` are checked registries (see rules.history.Frames). Money is yuan to the fen.
    """
    return published(settle(frames, law, year).lines)


def settle(
    frames: Frames, law: Catalogue, year: int, items: Collection[str] | None = None, rows: Rows | None = None
) -> Settled:
    """The lines of `year` with persons in full; one order of steps.

    `items`: only the lines of these, which must hold with an item all that it may touch (see
    rules.overlap.touching). `rows`: made before for these frames and year.
    """
    settled = settle_part(rows or Rows(frames, year), law, items)
    payable = settled.lines.select("item", "status").filter(status=PAYABLE).group_by("item").agg(pl.len())
    notes = quota_notes(law, dict(payable.iter_rows()))
    return Settled(with_quota_notes(settled.lines, notes), settled.unmatched)


def settle_part(rows: Rows, law: Catalogue, items: Collection[str] | None = None) -> Settled:
    """`settle` for registries that may be a part of a year's: without what depends on all lines of the year."""
    frames, year = rows.frames, rows.year
    lines = _together(_evaluated(rows, law, items), rows)
    lines = once(lines, frames, law, year)
    lines = without_overlaps(in_window(lines, law), law)
    lines = with_paid_elsewhere(lines, frames, law, year)
    lines = of_year(with_cut_winners(share_caps(lines)), year, law)
    lines = _described(_settled(lines).with_columns(**_amounts()), law, year)
    lines = finish_working(split(lines, law))
    return Settled(*with_paid(lines, frames, year))


def owed(rows: Rows, law: Catalogue, items: Collection[str] | None = None) -> pl.DataFrame:
    """The payable and pending lines of `settle` without a word (columns OWED), for trying many laws."""
    lines = _together(_evaluated(rows, law, items, told=False), rows, told=False)
    lines = lines.with_columns(pl.lit(None, _LINE[c]).alias(c) for c in _UNSAID)
    frames = rows.frames
    if items is not None and "payments" in frames:
        frames = frames | {"payments": frames["payments"].filter(pl.col("item").is_in(list(items)))}
    lines = once(lines, frames, law, rows.year, told=False)
    lines = share_caps(without_overlaps(in_window(lines, law), law), told=False)
    lines = _settled(of_year(lines, rows.year, law), told=False)
    live = lines.lazy() if lines.select(_LIVE.all()).item() else lines.lazy().filter(_LIVE)
    return (
        split(live.with_columns(**_amounts(), **{"class": kind_of(law)}), law)
        .select(OWED)
        .collect(engine="streaming")
    )


def assessed(frames: Frames, law: Catalogue, year: int) -> pl.DataFrame:
    """Every line of whatever year after caps and overlaps: `award_low` and `award_high` in yuan.

    What was paid or conferred before, and which year is the run's, counts for nothing: this is for looking
    back, not for paying.
    """
    rows = Rows(frames, year)
    lines = _together(_evaluated(rows, law, None), rows)
    return share_caps(without_overlaps(lines, law))


def _together(parts: Iterator[pl.LazyFrame], rows: Rows, told: bool = True) -> pl.DataFrame:
    """The lines of all items with their applicants, who are looked up once for all of them."""
    made = pl.collect_all(parts) or [pl.DataFrame(schema=_carried(told))]
    lines = pl.concat(made, how="diagonal", rechunk=True)  # or every step would put pieces together
    absent = {c: t for c, t in _carried(told).items() if c not in lines.columns}
    lines = lines.with_columns(pl.lit(None, t).alias(c) for c, t in absent.items())
    if not told:
        return with_found(lines, rows.applicants.select(APPLICANT, "uscc", "district"), APPLICANT)
    about = rows.applicants.select(APPLICANT, "name", "district", _code="uscc")
    lines = with_found(lines, about, APPLICANT)
    if (lines["uscc"] != lines["_code"]).any():  # null: not listed, as in looking back
        raise Broken("校验不通过：奖补行与企业名录的统一社会信用代码不一致")
    return lines.drop("_code")


def item_rows(frames: Frames, law: Catalogue, year: int) -> Iterator[tuple[Item, str, pl.DataFrame]]:
    """Every item in force with the rows it is evaluated on, and their registry."""
    made = Rows(frames, year)
    for item, name, rows in _claimed(made, law, None):
        if not _refused_reason(item, law):
            yield item, name, _grouped(item, name, rows, made, law)


def _claimed(
    rows: Rows, law: Catalogue, items: Collection[str] | None
) -> Iterator[tuple[Item, str, pl.DataFrame]]:
    """Items with their rows: those a row names, or all items in force of a registry without item ids."""
    for name, registry in REGISTRIES.items():
        if not registry.has_lines or name not in rows.frames:
            continue
        if "item" in registry.columns:
            for key, part in rows.parts(name).items():
                if items is None or key in items:
                    yield law.items[key], name, part
        else:
            for item in law.of_registry(name):
                if (items is None or item.id in items) and rows.of(name).height:
                    yield item, name, rows.of(name)


def _grouped(item: Item, name: str, part: pl.DataFrame, rows: Rows, law: Catalogue) -> pl.DataFrame:
    compiled = law.compiled(item)
    if asked := [column for column in columns.APPLICANT if column in compiled.reads]:
        part = with_found(part, rows.applicants.select(APPLICANT, *asked), APPLICANT)
    part = summed(part, item.rows) if item.rows else part
    part = with_earlier_figure(part, compiled, rows.earlier(name))
    return with_payments(part, compiled, rows.payments.get(item.id), rows.year)


def _evaluated(
    rows: Rows, law: Catalogue, items: Collection[str] | None, told: bool = True
) -> Iterator[pl.LazyFrame]:
    frames = rows.frames
    for item, name, part in _claimed(rows, law, items):
        reason = _refused_reason(item, law)
        if reason and not told:
            continue
        if reason:
            yield _bare(part, pl.lit(item.id), name, INELIGIBLE, reason)
        else:
            yield _lines(item, name, rows, _grouped(item, name, part, rows, law), law, told)
    for name in frames:
        if told and REGISTRIES[name].has_lines:
            for again in _repeated(name, frames, law):
                yield again if items is None else again.filter(pl.col("item").is_in(list(items)))


def _lines(
    item: Item, registry: str, rows: Rows, part: pl.DataFrame, law: Catalogue, told: bool
) -> pl.LazyFrame:
    compiled = law.compiled(item)
    looked = pl.lit(searched_text(rows.searched[registry])) if told else pl.lit(None, pl.String)
    found = evaluate(compiled, part.lazy().with_columns(searched=looked), live=not told)
    known = {*found.collect_schema().names(), "reason", "review", "working"}
    found = narrate(compiled, found, law.readings) if told else unspoken(compiled, found).filter(_LIVE)
    return _laid_out(found, known, pl.lit(item.id), registry, {}, told)


def _laid_out(
    rows: pl.LazyFrame,
    known: Collection[str],
    item: pl.Expr,
    registry: str,
    given: dict[str, pl.Expr],
    told: bool = True,
) -> pl.LazyFrame:
    """The columns of a line and the caps it shares: as given, or as the rows have them; others are null."""
    given = given | {"item": item, "policy": item.str.head(1), "registry": pl.lit(registry)}
    held = [
        (given[c] if c in given else pl.col(c)).alias(c) for c in _carried(told) if c in given or c in known
    ]
    return rows.select(*held, *sorted(c for c in known if c.startswith("pool_")))


def _carried(told: bool) -> dict[str, Any]:
    """The columns of a line from its evaluation on; without words its code is told by its applicant."""
    return _LINE if told else {c: t for c, t in _LINE.items() if c not in (*_UNSAID, "uscc")}


def _refused_reason(item: Item, law: Catalogue) -> str | None:
    """Why an item pays nothing itself: it refers to another document, or it or its policy is off."""
    if item.registry is None:
        return f"按{item.refers_to}执行，本政策不计算金额"
    if law.in_force(item):
        return None
    return "方案停用本条" if item.id in law.switches else f"{law.policies[item.policy].short}未执行"


def _repeated(name: str, frames: Frames, law: Catalogue) -> Iterator[pl.LazyFrame]:
    """A duplicate line for every repeated row of the run's folder."""
    frame = frames[name]
    again = frame.filter((pl.col("role") == "line") & pl.col("same_as").is_not_null())
    if again.is_empty():
        return
    if "item" not in again.columns:
        single = [item.id for item in law.of_registry(name) if not item.rows]
        again = again.join(pl.DataFrame({"item": single}, schema={"item": pl.String}), how="cross")
        day = pl.date(pl.col("year"), 12, 31)
    else:
        day = pl.col("certified_on" if name == "certifications" else "event_on")
    reason = "重复：与另一行内容完全相同，只计一次"  # naming its row would tie the bytes to row order
    yield _bare(again.with_columns(day.alias("on")), pl.col("item"), name, DUPLICATE, reason)


def _bare(rows: pl.DataFrame, item: pl.Expr, registry: str, status: str, reason: str) -> pl.LazyFrame:
    """Lines that are refused without being evaluated."""
    given = dict.fromkeys(("gross", "award_low", "award_high"), pl.lit(Decimal(0), YUAN))
    given |= dict.fromkeys(("assessed", "cap_shared"), pl.lit(False))
    given |= {"status": pl.lit(status), "reason": pl.lit(reason)}
    return _laid_out(rows.lazy(), rows.columns, item, registry, given)


def _settled(lines: pl.DataFrame, told: bool = True) -> pl.DataFrame:
    """Payable lines that are worth nothing become ineligible; those that are certain while pending say so (`told`)."""
    worthless = (pl.col("status") == PAYABLE) & (pl.col("award_low") == 0)
    why = (
        pl.when(pl.col("gross") == 0)
        .then(pl.lit("核定或计算的金额为零"))
        .when(pl.col("paid_lower").is_not_null())
        .then(pl.lit("低级别已兑付的不低于本级别，没有差额"))
        .when(pl.col("cap_paid") > 0)
        .then(filled("封顶额度已用完，以前年度已兑付 {} 元", grouped(pl.col("cap_paid"))))
        .when(pl.col("cap_shared"))
        .then(pl.lit("封顶额度已由其他奖补用完"))
        .otherwise(pl.lit("封顶额度为零"))
    )
    lines = lines.with_row_index("_line")
    said = {"reason": why} if told else {}
    refused = lines.lazy().filter(worthless).select("_line", status=pl.lit(INELIGIBLE), **said)
    lines = with_changed(lines, refused.collect())
    if not told:
        return lines.drop("_line")
    certain = (pl.col("status") == PENDING) & (pl.col("award_low") == pl.col("award_high"))
    note = pl.lit("在法定幅度内金额都相同，部门核定后即可兑付")
    lines = with_notes(lines, lines.lazy().filter(certain).select("_line", note=note).collect())
    return lines.drop("_line")


def _amounts() -> dict[str, pl.Expr]:
    """Gross, reductions and award of payable lines; nothing for the others, a range for pending ones."""
    zero = pl.lit(Decimal(0), YUAN)
    payable, pending = pl.col("status") == PAYABLE, pl.col("status") == PENDING
    yielded = (pl.col("status") == DUPLICATE) & pl.col("yielded").is_not_null()
    counted = payable | (yielded & (pl.col("yielded") > 0))
    low, high = pl.col("award_low"), pl.col("award_high")
    return {
        "gross": pl.when(counted).then(pl.col("gross")).otherwise(zero),
        "cap_reduction": pl.when(counted).then(pl.col("gross") - low).otherwise(zero),
        "overlap_reduction": pl.when(yielded).then(pl.col("yielded")).otherwise(zero),
        "award": pl.when(payable).then(low).otherwise(zero),
        "award_low": pl.when(payable | pending).then(low).otherwise(zero),
        "award_high": pl.when(payable).then(low).when(pending).then(high).otherwise(zero),
        "review": pl.when(payable | pending | yielded).then("review"),
    }


def _described(lines: pl.DataFrame, law: Catalogue, year: int) -> pl.DataFrame:
    about = [
        (
            i.id,
            i.article,
            i.title,
            law.class_of(i) if i.class_ else None,
            i.class_basis,
            law.departments[i.id],
        )
        for i in law.items.values()
    ]
    columns = ("item", "article", "title", "class", "class_basis", "lead_department")
    table = pl.DataFrame(about, schema={c: AWARDS[c] for c in columns}, orient="row")
    return with_found(lines, table, "item").with_columns(year=pl.lit(year, pl.Int32), event_on=pl.col("on"))
