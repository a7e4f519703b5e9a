"""One sum of money over claims that are worth more: who gets what under a declared rule, and why, in words."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Literal, Protocol

import polars as pl

from rules.caps import within
from schemas.errors import Unusable, did_you_mean
from schemas.money import YUAN, total


class Envelope(Protocol):
    """What an envelope declares (rules.model has the schema)."""

    @property
    def name(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def policy(self) -> str | None: ...
    @property
    def article(self) -> int | None: ...
    @property
    def items(self) -> Sequence[str]: ...
    @property
    def department(self) -> str | None: ...
    @property
    def district(self) -> str | None: ...
    @property
    def year(self) -> int | None: ...
    @property
    def payer(self) -> str | None: ...
    @property
    def rule(self) -> Literal["proportional", "ranked", "queue"]: ...
    @property
    def rank_by(self) -> Sequence[str]: ...
    @property
    def floor_per_household(self) -> Decimal | None: ...
    @property
    def not_below_last_year(self) -> Decimal | None: ...


_ZERO = pl.lit(Decimal(0), YUAN)
_NOBODY = pl.DataFrame(schema={"uscc": pl.String, "last": YUAN})


def shared_out(
    claims: pl.DataFrame, envelope: Envelope, amount: Decimal, last: pl.DataFrame | None
) -> pl.DataFrame:
    """`claims` with `paid` (yuan, at most `exposure`) and `why` (null where paid in full).

    `claims` are in the order that decides ties; `carried` marks those of earlier years; `last` is what each
    household (`uscc`) had last year. Paid is min(`amount`, exposure) to the fen under every rule: the last
    claim reached takes a part, and what floors leave goes on by the rule, so no rest stays behind.
    """
    claims = _in_turn(claims, envelope).with_row_index("_turn")
    exposure = total(claims["exposure"])
    if exposure <= amount:
        return claims.with_columns(paid="exposure", why=pl.lit(None, pl.String))
    claims, promised = _with_firm(claims, envelope, amount, last)
    firm = total(claims["_firm"])
    rest = claims.with_columns(_open=pl.col("exposure") - pl.col("_firm"))
    rest = _by_rule(rest.with_columns(pool=0, bound=pl.lit(amount - firm, YUAN)), "_open", envelope.rule)
    why = _why(envelope, amount, exposure, firm, promised)
    paid = rest.with_columns(paid=pl.col("_firm") + pl.col("_open"))
    return paid.with_columns(why=pl.when(pl.col("paid") < pl.col("exposure")).then(why))


def turn_of(envelope: Envelope, columns: Iterable[str]) -> list[str]:
    """The columns by which a rule serves claims, `-` for descending; of `columns`, else it is unusable."""
    if envelope.rule == "proportional":
        return []
    if envelope.rule == "queue":
        return ["-carried", "event_on"]
    known = [column for column in columns if not column.startswith("_")]
    for column in (key.removeprefix("-") for key in envelope.rank_by):
        if column not in known:
            raise Unusable(
                f"预算盘子「{envelope.name}」的排序列「{column}」不存在{did_you_mean(column, known)}"
            )
    if not envelope.rank_by:
        raise Unusable(f"预算盘子「{envelope.name}」按排序兑付，须写明排序列 rank_by")
    return list(envelope.rank_by)


def _in_turn(claims: pl.DataFrame, envelope: Envelope) -> pl.DataFrame:
    """The claims in the order in which a rule serves them; ties stay as they are."""
    keys = turn_of(envelope, claims.columns)
    if not keys:
        return claims
    down = [key.startswith("-") for key in keys]
    columns = [key.removeprefix("-") for key in keys]
    return claims.sort(columns, descending=down, nulls_last=True, maintain_order=True)


def _with_firm(
    claims: pl.DataFrame, envelope: Envelope, amount: Decimal, last: pl.DataFrame | None
) -> tuple[pl.DataFrame, Decimal]:
    """Adds `_firm`, the part of each claim that floors secure, and gives what they ask for in all.

    A household's floor is at most its exposure; where floors ask for more than there is they are cut in
    proportion. Within the household the floor goes to its claims by the envelope's rule.
    """
    if not envelope.floor_per_household and not envelope.not_below_last_year:
        return claims.with_columns(_firm=_ZERO), Decimal(0)
    if envelope.not_below_last_year and last is None:
        raise Unusable(f"预算盘子「{envelope.name}」规定不低于上年的一定比例，须给出上年的兑付明细")
    floor = pl.lit(_fen_below(envelope.floor_per_household or Decimal(0)), YUAN)
    least = pl.max_horizontal(floor, _share_of("last", envelope.not_below_last_year or Decimal(0)))
    homes = claims.group_by("uscc").agg(pl.col("exposure").sum()).sort("uscc")
    homes = homes.join(_NOBODY if last is None else last, on="uscc", how="left", maintain_order="left")
    homes = homes.with_columns(pl.col("last").fill_null(_ZERO)).with_columns(
        _least=pl.min_horizontal("exposure", least), pool=0, bound=pl.lit(amount, YUAN)
    )
    secured = within(homes, "_least").with_row_index("_home").select("uscc", pool="_home", bound="_least")
    each = claims.join(secured, on="uscc", maintain_order="left").with_columns(_firm=pl.col("exposure"))
    return _by_rule(each, "_firm", envelope.rule), total(homes["_least"])


def _by_rule(claims: pl.DataFrame, column: str, rule: str) -> pl.DataFrame:
    """`column` (yuan) cut so that each `pool` adds up to its `bound` where it was more.

    In proportion by largest remainder, else one claim after the other until the money is gone.
    """
    claims = claims.sort("_turn")
    if rule == "proportional":
        return within(claims, column)
    before = pl.col(column).cum_sum().over("pool") - pl.col(column)
    left = pl.max_horizontal(pl.col("bound") - before, _ZERO)
    return claims.with_columns(pl.min_horizontal(column, left).alias(column))


def _fen_below(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_DOWN)


def _share_of(column: str, share: Decimal) -> pl.Expr:
    """That share of a yuan column, up to the next fen: at least x% means no fen less."""
    top, bottom = share.as_integer_ratio()
    fen = (pl.col(column).to_physical() * top + (bottom - 1)) // bottom
    return (fen.cast(YUAN) * pl.lit(Decimal("0.01"), YUAN)).cast(YUAN)


def _why(envelope: Envelope, amount: Decimal, exposure: Decimal, firm: Decimal, promised: Decimal) -> pl.Expr:
    """Why a claim gets less than its exposure."""
    if promised and promised >= amount:
        if promised == amount:
            return pl.lit(f"预算不足，只够{_floors(envelope)}")
        return pl.lit(f"预算不足，{_floors(envelope)}也不够，保底额按 {_percent(amount, promised)} 兑付")
    head = f"预算不足，{_floors(envelope)}，其余" if promised else "预算不足，"
    if envelope.rule == "proportional":
        return pl.lit(f"{head}按比例兑付 {_percent(amount - firm, exposure - firm)}")
    order, then = ("先后", "，未付部分转入下一年度") if envelope.rule == "queue" else ("排序", "")
    reached = pl.lit(f"{head}按{order}兑付，到本笔只够一部分{then}")
    unreached = pl.lit(f"{head}按{order}兑付，未轮到本笔{then}")
    return pl.when(pl.col("_open") > 0).then(reached).otherwise(unreached)


def _floors(envelope: Envelope) -> str:
    floor, share = envelope.floor_per_household, envelope.not_below_last_year
    last = f"不低于上年的 {(share * 100).normalize():f}%" if share else ""
    if not floor:
        return f"每户先保证{last}"
    return f"每户先保底 {_fen_below(floor):,} 元" + (f"且{last}" if last else "")


def _percent(part: Decimal, whole: Decimal) -> str:
    """Rounded down, so that what is cut never reads 100%."""
    return f"{(part * 100 / whole).quantize(Decimal('0.01'), ROUND_DOWN)}%"
