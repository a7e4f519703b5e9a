"""Caps: of one line, and shared between lines, where the excess comes off in proportion."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import INELIGIBLE, PAYABLE, PENDING, UNNAMED
from rules.placing import with_changed, with_notes
from rules.terms import Scalar
from schemas.labels import filled
from schemas.money import YUAN, grouped

_FEN = pl.lit(Decimal("0.01"), YUAN)
_CONTENT = ("item", "uscc", "person_id", "project_id", "certificate_no", "level", "on", "gross", "working")
"""Ties go by content, so that neither row order nor chunking moves a fen."""

_UNNAMED = "缺少项目编号，按同一项目合计封顶"

_BY_REST = ("pool", "_rest")


def _pools(lines: pl.DataFrame) -> list[str]:
    return sorted(c for c in lines.columns if c.removeprefix("pool_").isdecimal())


def share_caps(lines: pl.DataFrame, of_things: bool = False, told: bool = True) -> pl.DataFrame:
    """Apply the caps that lines share, payable lines first; a cap may settle an assessed line's open factor.

    Where the payable lines of a pool exceed its cap, the excess comes off in proportion, to the fen, by
    largest remainder. Lows and highs of pending lines share what the payable lines leave. `of_things`:
    only the caps that bound one project or person, not those of an enterprise's year. `told`: also say which cap
    it was.
    """
    lines = lines.with_row_index("_line")
    for pool in _pools(lines):
        cut = _shared(lines, pool, of_things)
        if told:
            lines = with_notes(lines, cut.filter("unnamed").select("_line", note=pl.lit(_UNNAMED)))
        amounts = ("_line", "award_low", "award_high", *(("cap", "cap_shared") if told else ()))
        lines = with_changed(lines, cut.select(amounts))
    pending = lines.lazy().filter(status=PENDING)
    settled = pending.filter(pl.col("assessed") & (pl.col("award_low") == pl.col("award_high")))
    lines = with_changed(lines, settled.select("_line", status=pl.lit(PAYABLE)).collect())
    exhausted = lines.lazy().filter((pl.col("status") == PENDING) & (pl.col("award_high") == 0))
    paid = filled("封顶额度已用完，以前年度已兑付 {} 元", grouped(pl.col("cap_paid")))
    why = pl.when(pl.col("cap_paid") > 0).then(paid).otherwise(pl.lit("封顶额度已由其他奖补用完"))
    said = {"reason": why} if told else {}
    changed = exhausted.select("_line", status=pl.lit(INELIGIBLE), **said)
    return with_changed(lines, changed.collect()).drop("_line", *_pools(lines))


def quota_notes(law: Catalogue, counts: Mapping[str, int]) -> dict[str, str]:
    """By item that pays more lines than its yearly number what to say of that. `counts`: payable lines by item."""
    quotas = {
        item.id: int(term.value)
        for item in law.items.values()
        if item.quota and isinstance(term := item.terms[item.quota], Scalar)
    }
    return {
        item: f"本年度应兑付 {counts[item]} 项，超过每年 {most} 项的计划数"
        for item, most in quotas.items()
        if counts.get(item, 0) > most
    }


def with_quota_notes(lines: pl.DataFrame, notes: Mapping[str, str]) -> pl.DataFrame:
    """The notes (see quota_notes) on the payable lines of their items; they cut nothing."""
    if not notes:
        return lines
    said = pl.col("item").replace_strict(notes, default=None, return_dtype=pl.String)
    noted = pl.concat_str("review", pl.when(status=PAYABLE).then(said), separator="；", ignore_nulls=True)
    return lines.with_columns(review=pl.when(noted != "").then(noted))


def _shared(lines: pl.DataFrame, pool: str, of_things: bool) -> pl.DataFrame:
    """The lines whose amounts a shared cap changes, see _changed."""
    shares = pl.col(pool).struct
    live = pl.col("status").is_in([PAYABLE, PENDING]) & (pl.lit(not of_things) | shares.field("of_thing"))
    bound = shares.field("amount").alias("bound")
    own = ("_line", "status", "award_low", "award_high", "cap_shared")
    pooled = (
        lines.lazy()
        .filter(live & shares.field("key").is_not_null() & bound.is_not_null())
        .select(*own, bound, *(shares.field(name) for name in ("key", "thing")))
        .collect()
    )
    whose = pl.when(pl.col("thing").is_null()).then("key").otherwise(pl.struct("key", "thing").hash())
    alone = ~pooled.select(whose.is_duplicated()).to_series()  # of the others, some may still be alone
    together = pooled.filter(~alone)
    of_thing = together["thing"].is_not_null()
    named = pl.concat_str("key", "thing", separator="|")
    parts = [
        _cut_alone(pooled.filter(alone)),
        *_cut_together(together.filter(~of_thing).with_columns(pool="key"), lines),
        *_cut_together(together.filter(of_thing).with_columns(pool=named), lines),
    ]
    return pl.concat(parts)


def _cut_alone(pooled: pl.DataFrame) -> pl.DataFrame:
    """Lines that no other shares a cap with."""
    over = pooled.filter((pl.col("status") == PENDING) | (pl.col("award_low") > pl.col("bound")))
    most = pl.when(status=PAYABLE).then("award_low").otherwise("award_high")
    cut = over.with_columns(award_high=pl.min_horizontal(most, "bound"), cap="bound", members=pl.lit(1))
    return _changed(cut.with_columns(award_low=pl.min_horizontal("award_low", "award_high")))


def _cut_together(pooled: pl.DataFrame, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """Payable lines of pools that exceed their bound, and pending ones, which share what the former leave."""
    if pooled.is_empty():
        return []
    payable, open_ = pl.col("status") == PAYABLE, pl.col("status") == PENDING
    totals = pooled.group_by("pool").agg(
        bound=pl.col("bound").max(),
        paid=pl.col("award_low").filter(payable).sum(),
        members=pl.len(),
        open=open_.any(),
    )
    tight = totals.filter((pl.col("paid") > pl.col("bound")) | pl.col("open"))
    pooled = pooled.drop("bound").join(tight, on="pool")
    over = pooled.filter(payable & (pl.col("paid") > pl.col("bound")))
    pending = pooled.filter(open_).with_columns(
        award_high=pl.col("award_high").fill_null(pl.col("bound")),
        bound=pl.max_horizontal(pl.col("bound") - pl.col("paid"), pl.lit(Decimal(0), YUAN)),
        cap=pl.col("bound"),
    )

    def shared(rows: pl.DataFrame, column: str) -> pl.DataFrame:
        return within(rows, column, lambda tied: _by_content(tied, lines))

    highs = shared(pending, "award_high")
    low = pl.min_horizontal("award_low", "award_high")
    return [
        _changed(shared(over, "award_low").with_columns(award_high="award_low", cap="bound")),
        _changed(shared(highs, "award_low").with_columns(award_low=low)),
    ]


def _by_content(tied: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    content = lines.select(_CONTENT)[tied["_line"]]
    return tied[content.select(pl.arg_sort_by(_CONTENT, nulls_last=True)).to_series()]


def _changed(frame: pl.DataFrame) -> pl.DataFrame:
    together = pl.col("members") > 1
    unnamed = pl.concat_str(pl.lit("|"), "thing").str.contains("|" + UNNAMED, literal=True)
    return frame.select(
        "_line",
        *(pl.col(c).cast(YUAN) for c in ("award_low", "award_high", "cap")),
        cap_shared=pl.col("cap_shared") | together,
        unnamed=together & unnamed.fill_null(False),
    )


def within(
    pooled: pl.DataFrame, column: str, in_order: Callable[[pl.DataFrame], pl.DataFrame] = lambda tied: tied
) -> pl.DataFrame:
    """`column` (yuan) cut in proportion so that each `pool` adds up to its `bound` where it was more.

    In whole fen (Int128) by largest remainder; ties go by the order of the rows, or as `in_order` sorts them.
    """
    total = pl.col(column).sum().over("pool")
    if not pooled.select((total > pl.col("bound")).any()).item():
        return pooled
    over = pooled.with_row_index("_at").with_columns(
        _fen=pl.col(column).to_physical(),
        _total=total.to_physical(),
        _excess=pl.max_horizontal(total - pl.col("bound"), pl.lit(Decimal(0), YUAN)).to_physical(),
    )
    whole = pl.when(pl.col("_total") == 0).then(1).otherwise(pl.col("_total"))
    share = pl.col("_fen") * pl.col("_excess")
    over = over.with_columns(_cut=share // whole, _rest=share % whole)
    over = over.with_columns(_odd=pl.col("_excess") - pl.col("_cut").sum().over("pool"))
    odd = over.lazy().filter(pl.col("_odd") > 0).drop("_fen", "_total", "_excess", "_cut", column)
    losing = _losing(odd.collect(), in_order)
    after = pl.col("_fen") - pl.col("_cut") - pl.col("_at").is_in(losing.implode()).cast(pl.Int128)
    return over.select(
        pl.all().exclude(column, r"^_(at|fen|total|excess|cut|rest|odd)$"),
        (after.cast(YUAN) * _FEN).alias(column),
    )


def _losing(over: pl.DataFrame, in_order: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.Series:
    """Which rows (`_at`) lose one of their pool's `_odd` fen more: those with the largest `_rest`."""
    over = over.sort(_BY_REST, descending=[False, True], maintain_order=True)
    as_before = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in _BY_REST)
    tied = over.select(as_before | as_before.shift(-1).fill_null(False)).to_series()
    if tied.any():
        both = pl.concat([over.filter(~tied), in_order(over.filter(tied))])
        over = both.sort(_BY_REST, descending=[False, True], maintain_order=True)
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    first = pl.when(pl.col("pool").ne_missing(pl.col("pool").shift())).then(place).forward_fill()
    return over.filter(place - first < pl.col("_odd"))["_at"]
