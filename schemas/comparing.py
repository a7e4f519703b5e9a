"""The shape of comparisons: totals before and after, who gains and loses, near misses, the bridge.

Money is yuan, Decimal(38, 2). `before` and `after` are payable money; ranges of pending lines stand apart.
"""

from typing import Any

import polars as pl

from schemas.money import YUAN
from schemas.outputs import PAYERS

LEVELS = {
    "all": "合计",
    "payer": "负担方",
    "policy": "政策",
    "article": "政策条文",
    "item": "条款",
    "class": "类别",
    "district": "区镇",
    "department": "牵头部门",
    "size": "企业规模",
}
"""What a row of the totals gathers, in words. Every level but 合计 is a complete partition of it."""

SIDES = ("before", "after")

SIZES = ("大", "中", "小")
UNKNOWN_SIZE = "未知"
"""An enterprise that reports neither revenue nor R&D."""

KINDS = {
    "newly": "新增受益",
    "no_longer": "不再受益",
    "winner": "增加",
    "loser": "减少",
    "unchanged": "不变",
}
"""What happens to an applicant's payable money, in words."""

MOST_COUNTED = 10
"""How far the applicants behind a figure are counted where only few of them matter."""

TOTALS: dict[str, Any] = {
    "level": pl.String,
    "key": pl.String,
    "title": pl.String,
    "households_before": pl.Int64,
    "households_after": pl.Int64,
    "changed": pl.Int64,
    "lines_before": pl.Int64,
    "lines_after": pl.Int64,
    "before": YUAN,
    "after": YUAN,
    "change": YUAN,
    "percent": pl.Float64,
    "per_household_before": YUAN,
    "per_household_after": YUAN,
    **{f"{payer}_{side}": YUAN for payer in PAYERS for side in SIDES},
    "payer_households": pl.Int64,
    "pending_households": pl.Int64,
    "pending_lines_before": pl.Int64,
    "pending_lines_after": pl.Int64,
    "pending_low_before": YUAN,
    "pending_low_after": YUAN,
    "pending_high_before": YUAN,
    "pending_high_after": YUAN,
}
"""One row a level and key. `changed`: applicants whose money in the cell differs, in all or for one payer.
`percent`: null where `before` is nothing. `payer_households` and `pending_households`: the fewest applicants
behind any payer's money, or either side's range, in the row, counted to MOST_COUNTED (null: there is none).
`pending_high_…` is null where open-ended.
At the level 负担方 a row's money is that payer's, and what is pending is not split (null)."""

PUBLIC_TOTALS: dict[str, Any] = TOTALS | {"suppressed": pl.Boolean, "note": pl.String}

HOUSEHOLDS: dict[str, Any] = {
    "uscc": pl.String,
    "name": pl.String,
    "district": pl.String,
    "before": YUAN,
    "after": YUAN,
    "change": YUAN,
    "kind": pl.String,
}
"""One row an applicant with money before or after; name and district as they are after, else before."""

DETAILS: dict[str, Any] = {
    "uscc": pl.String,
    "name": pl.String,
    "district": pl.String,
    "item": pl.String,
    "title": pl.String,
    "before": YUAN,
    "after": YUAN,
    "change": YUAN,
    "kind": pl.String,
}
"""One row an applicant and item whose money differs."""

KINDS_BY: dict[str, Any] = {
    "kind": pl.String,
    "district": pl.String,
    "item": pl.String,
    "households": pl.Int64,
    "before": YUAN,
    "after": YUAN,
    "change": YUAN,
}
"""How many applicants of each kind: in all (district and item null), by district, and, judged by the item's
own money, by item. All five kinds appear in all; elsewhere only those that occur."""

CONCENTRATION: dict[str, Any] = {
    "item": pl.String,
    "title": pl.String,
    "households_before": pl.Int64,
    "households_after": pl.Int64,
    "before": YUAN,
    "after": YUAN,
    "top_before": YUAN,
    "top_after": YUAN,
    "share_before": pl.Float64,
    "share_after": pl.Float64,
}
"""What the ten applicants with most receive (`top_…`), and their share of all; item null: over all items."""

CHANGES: dict[str, Any] = {
    "bin": pl.Int32,
    "title": pl.String,
    "lower": YUAN,
    "upper": YUAN,
    "households": pl.Int64,
    "change": YUAN,
}
"""Applicants by the change of their money, from the largest loss to the largest gain; the bounds (null: none)
always the same, so that comparisons can be laid beside each other. The bound nearer to zero belongs to a bin,
the other does not; 0 to 0 are those unchanged."""

MISSES: dict[str, Any] = {
    "item": pl.String,
    "title": pl.String,
    "clause": pl.String,
    "term": pl.String,
    "uscc": pl.String,
    "name": pl.String,
    "district": pl.String,
    "project_id": pl.String,
    "registry": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int64,
    "figure": pl.String,
    "value": YUAN,
    "threshold": YUAN,
    "shortfall": YUAN,
    "status": pl.String,
    "award": YUAN,
    "award_low": YUAN,
    "award_high": YUAN,
}
"""A line that one threshold alone keeps out, and narrowly. `figure`: what is measured, in words; `value`,
`threshold` and `shortfall` in the figure's own unit. `status` and the amounts (yuan) are those the line would
have with the moved threshold."""

MISS_COSTS: dict[str, Any] = {
    "item": pl.String,
    "title": pl.String,
    "clause": pl.String,
    "term": pl.String,
    "old": pl.String,
    "new": pl.String,
    "households": pl.Int64,
    "lines": pl.Int64,
    "cost": YUAN,
    **{f"{payer}_share": YUAN for payer in PAYERS},
    "to_admitted": YUAN,
    "to_others": YUAN,
    "pending_low": YUAN,
    "pending_high": YUAN,
}
"""What moving a threshold (`old` → `new`) would cost: `cost` is the change of all payable money, `to_admitted`
what the lines admitted get of it, `to_others` the rest (others may gain by the term, or yield). `pending_…`:
the range of the admitted lines still to be assessed (high null: open-ended)."""

STEPS = {
    "data": "数据：同一批申报人，原办法，新数据",
    "entry": "新增申报人",
    "exit": "退出的申报人",
    "rule": "条款：标准、条件、有效期、新增或停止的条款",
    "reading": "口径",
    "cap": "封顶",
    "split": "分担：只改变由谁负担",
}
"""The steps of a bridge in order, in words."""

PUBLISHED_STEPS = {
    "entry": STEPS["entry"],
    "exit": STEPS["exit"],
    "lines": "同一批申报人的变化（数据与办法合计，仅凭结果不能再分）",
    "split": "分担：只改变由谁负担（按各条款、区镇的负担比例推算）",
}
"""The steps between two published runs of which only the results are at hand."""

BRIDGE: dict[str, Any] = {
    "step": pl.String,
    "title": pl.String,
    "district": pl.String,
    "item": pl.String,
    "before": YUAN,
    "after": YUAN,
    "change": YUAN,
    **{f"{payer}_share": YUAN for payer in PAYERS},
}
"""One row a step, district and item (null: all). `before` and `after` are the payable money on either side of
the step: each step begins where the one before it ends. `<payer>_share`: the change by payer."""
