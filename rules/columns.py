"""What an item's expressions may read: a registry's columns, the applicant's, and those of its history."""

from typing import Any

import polars as pl

from schemas.money import YUAN
from schemas.registries import REGISTRIES

APPLICANT = ("industry", "industrial", "registered_on")

_DERIVED: dict[str, dict[str, tuple[str, Any]]] = {
    "rnd": {
        "rnd_expense_prev": ("上年度研发费用", YUAN),
        "super_deduction_prev": ("上年度享受加计扣除", pl.Boolean),
        "revenue_prev": ("上年度营业收入", YUAN),
    },
    "claims": {"support_year": ("支持年次", pl.Int64)},
    "equipment": {
        "smart_investment_known": ("已填报的智能化数字化投入", YUAN),
        "smart_investment_prior": ("以前年度最高智能化数字化投入", YUAN),
    },
}


def available(registry: str) -> dict[str, Any]:
    """Name → dtype of every column a rule on this registry may read."""
    enterprises = REGISTRIES["enterprises"].dtypes()
    applicant = {name: enterprises[name] for name in APPLICANT}
    derived = {name: dtype for name, (_, dtype) in _DERIVED.get(registry, {}).items()}
    return REGISTRIES[registry].dtypes() | applicant | derived


def label(registry: str, column: str) -> str:
    """The Chinese name of a column, as reasons and workings print it; any other name as it is."""
    if column in REGISTRIES[registry].columns:
        return REGISTRIES[registry].header(column)
    if column in APPLICANT:
        return REGISTRIES["enterprises"].header(column)
    return _DERIVED.get(registry, {}).get(column, (column, None))[0]
