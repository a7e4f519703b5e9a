"""Totals of a run by article, item, department, district and payer."""

import polars as pl

from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE, PENDING
from rules.split import split
from schemas.outputs import SUMMARY

_BY = ["year", "policy", "article", "item", "title", "class", "lead_department", "district"]
_PAYERS = {"city": "city_share", "district": "district_share", "prefecture": "prefecture_share"}


def summarise(awards: pl.DataFrame, law: Catalogue) -> pl.DataFrame:
    """One row per item, district and payer, in the shape SUMMARY.

    `amount` is payable; `amount_low` and `amount_high` add the payer's part of what is still pending
    (`amount_high` null where open-ended).
    """
    live = awards.filter(pl.col("status").is_in([PAYABLE, PENDING]))
    shared = [policy.key for policy in law.policies.values() if policy.payer == "prefecture"]
    parts = []
    for payer, share in _PAYERS.items():
        low, high = (split(live, law, end)[share] for end in ("award_low", "award_high"))
        paid = live.with_columns(low=low, high=high, payer=pl.lit(payer), amount=pl.col(share))
        parts.append(
            paid.group_by(_BY + ["payer"]).agg(
                lines=(pl.col("status") == PAYABLE).sum().cast(pl.Int64),
                households=pl.col("uscc").filter(pl.col("status") == PAYABLE).n_unique().cast(pl.Int64),
                pending_lines=(pl.col("status") == PENDING).sum().cast(pl.Int64),
                amount=pl.col("amount").sum(),
                amount_low=pl.col("low").sum(),
                amount_high=pl.when(pl.col("high").is_null().any())
                .then(None)
                .otherwise(pl.col("high").sum()),
            )
        )
    told = pl.concat(parts).filter((pl.col("payer") != "prefecture") | pl.col("policy").is_in(shared))
    return _in_order(told)


def merged(summaries: pl.DataFrame) -> pl.DataFrame:
    """Summaries of parts of a run, which no applicant is in two of, as one."""
    endless = pl.col("amount_high").is_null().any()
    added = ("lines", "households", "pending_lines", "amount", "amount_low")
    high = pl.when(~endless).then(pl.col("amount_high").sum())
    return _in_order(summaries.group_by(*_BY, "payer").agg(pl.sum(*added), amount_high=high))


def _in_order(summary: pl.DataFrame) -> pl.DataFrame:
    return summary.select(pl.col(c).cast(t) for c, t in SUMMARY.items()).sort(
        "policy", "article", "item", "district", "payer", nulls_last=True
    )
