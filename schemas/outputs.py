"""The shape of what a run publishes (docs/data.md, Out). Money is yuan, Decimal(38, 2)."""

from typing import Any

import polars as pl

from schemas.money import YUAN

PAYERS = {"city": "市级", "district": "区镇", "prefecture": "苏州市级"}
"""Who bears a share, in words; `<payer>_share` is its column."""

CLASSES = {"recognition": "认定类", "general": "一般类"}

STATUSES = {"payable": "应兑付", "pending": "待核定", "ineligible": "不符合", "duplicate": "重复"}

AWARDS: dict[str, Any] = {
    "year": pl.Int32,
    "policy": pl.String,
    "article": pl.Int32,
    "item": pl.String,
    "title": pl.String,
    "class": pl.String,
    "class_basis": pl.String,
    "lead_department": pl.String,
    "uscc": pl.String,
    "name": pl.String,
    "district": pl.String,
    "person_id": pl.String,
    "project_id": pl.String,
    "certificate_no": pl.String,
    "level": pl.String,
    "event_on": pl.Date,
    "registry": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int64,
    "status": pl.String,
    "reason": pl.String,
    "review": pl.String,
    "gross": YUAN,
    "cap_reduction": YUAN,
    "overlap_reduction": YUAN,
    "award": YUAN,
    "city_share": YUAN,
    "district_share": YUAN,
    "prefecture_share": YUAN,
    "award_low": YUAN,
    "award_high": YUAN,
    "working": pl.String,
    "person_name": pl.String,
    "paid": YUAN,
    "to_pay": YUAN,
    "to_recover": YUAN,
}
"""`person_id` and `person_name` are masked. `paid`: what the year itself has paid already."""

ORDER = [
    *("policy", "article", "item", "uscc", "person_id", "project_id", "certificate_no", "level", "event_on"),
    *("status", "gross", "reason", "working", "review", "source_file", "source_sheet", "source_row"),
]
"""The order of award lines: by content; the source decides only between lines alike in everything else."""

SETTLEMENT: dict[str, Any] = {
    "year": pl.Int32,
    **{c: AWARDS[c] for c in ("item", "title", "uscc", "name", "district", "person_id")},
    "person_name": pl.String,
    "project_id": pl.String,
    **{c: AWARDS[c] for c in ("certificate_no", "level", "status", "award", "paid", "to_pay", "to_recover")},
    **{c: AWARDS[c] for c in ("city_share", "district_share", "prefecture_share")},
    "note": pl.String,
}
"""What is still to pay or to recover, line by line; the shares are of that balance."""

REJECTS: dict[str, Any] = {
    "registry": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "check": pl.String,
}

SUMMARY: dict[str, Any] = {
    "year": pl.Int32,
    "policy": pl.String,
    "article": pl.Int32,
    "item": pl.String,
    "title": pl.String,
    "class": pl.String,
    "lead_department": pl.String,
    "district": pl.String,
    "payer": pl.String,
    "lines": pl.Int64,
    "households": pl.Int64,
    "pending_lines": pl.Int64,
    "amount": YUAN,
    "amount_low": YUAN,
    "amount_high": YUAN,
}
