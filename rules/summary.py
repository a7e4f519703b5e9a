"""Totals of a run by article, item, department, district and payer."""

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE, PENDING
from rules.split import split
from schemas.outputs import SUMMARY

_OF_ITEM = ["year", "policy", "article", "title", "class", "lead_department"]
_ENDS = {"amount_low": "award_low", "amount_high": "award_high"}
_PAYERS = {"city": "city_share", "district": "district_share", "prefecture": "prefecture_share"}


def summarise(awards: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """One row per item, district and payer, in the shape SUMMARY.

    `amount` is payable; `amount_low` and `amount_high` add the payer's part of what is still pending
    (`amount_high` null where open-ended).
    """
    shared = [policy.key for policy in law.policies.values() if policy.payer == "prefecture"]
    used = (*_OF_ITEM, "item", "district", "uscc", "status", *_PAYERS.values(), *_ENDS.values())
    live = awards.lazy().filter(pl.col("status").is_in([PAYABLE, PENDING])).select(used).collect()
    for name, end in _ENDS.items():
        parts = split(live, law, end).select(_PAYERS.values())
        live = live.hstack(parts.rename({share: f"{share}_{name}" for share in _PAYERS.values()}))
    payable = pl.col("status") == PAYABLE
    sums = live.group_by("item", "district").agg(
        pl.col(_OF_ITEM).first(),
        lines=payable.sum(),
        households=pl.col("uscc").filter(payable).n_unique(),
        pending_lines=(~payable).sum(),
        **{c: _sum(c) for share in _PAYERS.values() for c in (share, *(f"{share}_{e}" for e in _ENDS))},
    )
    of_payers = (
        sums.with_columns(payer=pl.lit(payer), amount=share, **{name: f"{share}_{name}" for name in _ENDS})
        for payer, share in _PAYERS.items()
    )
    told = pl.concat(of_payers).filter((pl.col("payer") != "prefecture") | pl.col("policy").is_in(shared))
    return _in_order(told)


def merged(summaries: pl.DataFrame) -> pl.DataFrame:
    """Summaries of parts of a run, which no applicant is in two of, as one."""
    added = ("lines", "households", "pending_lines", "amount", "amount_low")
    sums = summaries.group_by("item", "district", "payer").agg(
        pl.col(_OF_ITEM).first(), pl.sum(*added), amount_high=_sum("amount_high")
    )
    return _in_order(sums)


def _in_order(summary: pl.DataFrame) -> pl.DataFrame:
    return summary.select(pl.col(c).cast(t) for c, t in SUMMARY.items()).sort(
        "policy", "article", "item", "district", "payer", nulls_last=True
    )


def _sum(amount: str) -> pl.Expr:
    """The sum, or null where one amount is open-ended."""
    return pl.when(pl.col(amount).is_not_null().all()).then(pl.col(amount).sum())
