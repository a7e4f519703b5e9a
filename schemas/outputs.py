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

QUANTILES = {"P5": 0.05, "P10": 0.10, "P25": 0.25, "P50": 0.50, "P75": 0.75, "P90": 0.90, "P95": 0.95}

BASES = {
    "known": "已测算待兑付",
    "pending": "待核定",
    "promised": "续付",
    "simulated": "逐户模拟",
    "cohort": "到期重新认定",
    "counted": "户数×金额",
}
"""How a figure of the forecast came about, in words."""

OUTLOOKS = {"current": "现行政策", "renewed": "政策续期"}
"""`current`: policies end as their windows say; `renewed`: those in force in the base year go on."""

FORECAST: dict[str, Any] = {
    "outlook": pl.String,
    "award_year": pl.Int32,
    "pay_year": pl.Int32,
    "payer": pl.String,
    "district": pl.String,
    "policy": pl.String,
    "article": pl.Int32,
    "item": pl.String,
    "title": pl.String,
    "basis": pl.String,
    "lines": pl.Float64,
    "mean": pl.Float64,
    **dict.fromkeys(QUANTILES, pl.Float64),
    "statutory_low": pl.Float64,
    "statutory_high": pl.Float64,
}
"""Yuan as floats: an estimate. Null means all of them together (all payers, districts, items, …); a total's
quantiles come from its own draws. `statutory_low`..`statutory_high`: what the texts allow where a department
has still to decide (the mean where nothing is open; `statutory_high` null where open-ended)."""

DRAWS: dict[str, Any] = {
    "outlook": pl.String,
    "pay_year": pl.Int32,
    "payer": pl.String,
    "district": pl.String,
    "draw": pl.Int32,
    "amount": pl.Float64,
}
"""Totals of every draw (yuan)."""

BACKTEST: dict[str, Any] = {
    "item": pl.String,
    "origin": pl.Int32,
    "year": pl.Int32,
    "district": pl.String,
    "actual": pl.Float64,
    "mean": pl.Float64,
    **dict.fromkeys(QUANTILES, pl.Float64),
    "last_year": pl.Float64,
    "last_year_grown": pl.Float64,
}
"""Forecasts of `year` made from the years to `origin` (yuan; district null: the city), what then came, and what
two simpler methods would have said: last year's figure, and that times the average growth so far."""

SOURCES = {
    "common": "共同增长",
    "own": "企业自身增长",
    "counts": "户数笔数",
    "assessed": "核定金额",
    "together": "交互",
}
"""What a forecast's band comes from, in words."""
