"""The seven registries: their columns, headers and what a row must satisfy (see docs/data.md).

Data only, so that who needs the columns need not load what checks them (schemas.validate).
"""

from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from schemas.money import RATE, YUAN

Kind = Literal[
    "code", "name", "id", "item", "word", "district", "flag", "year", "date", "money", "rate", "count"
]

DTYPES: dict[Kind, Any] = {
    "code": pl.String,
    "name": pl.String,
    "id": pl.String,
    "item": pl.String,
    "word": pl.String,
    "district": pl.String,
    "flag": pl.Boolean,
    "year": pl.Int32,
    "date": pl.Date,
    "money": YUAN,
    "rate": RATE,
    "count": pl.Int64,
}

FIRST_YEAR, LAST_YEAR = 1990, 2100

_DEFAULT_CHECKS: dict[Kind, tuple[str, ...]] = {
    "code": ("uscc",),
    "district": ("district",),
    "year": ("year",),
    "date": ("date",),
    "money": ("not_negative", "too_large"),
    "rate": ("rate",),
    "count": ("not_negative",),
}


@dataclass(frozen=True)
class Column:
    """One column: its Chinese header, the kind of its cells, and other headers in use.

    `required`: the header must be there; `blank`: even so a cell may be empty, and is then unknown.
    `checks`: what a cell must satisfy (see schemas.validate).
    """

    title: str
    kind: Kind
    aliases: tuple[str, ...]
    required: bool
    blank: bool
    checks: tuple[str, ...]

    @property
    def nullable(self) -> bool:
        return self.blank or not self.required


def _column(
    title: str,
    kind: Kind,
    *aliases: str,
    required: bool = False,
    blank: bool = False,
    checks: tuple[str, ...] | None = None,
) -> Column:
    checks = _DEFAULT_CHECKS.get(kind, ()) if checks is None else checks
    return Column(title, kind, aliases, required, blank, checks)


@dataclass(frozen=True)
class Registry:
    """One registry: file stems, columns, the column that dates a row, and what makes two rows one matter.

    `key` and `data` name columns; rows that agree on `key` are the same matter. An empty key
    means that rows are never compared.
    """

    name: str
    title: str
    columns: dict[str, Column]
    dated_by: str | None
    one_of: tuple[str, ...] = ()
    has_lines: bool = True

    @property
    def stems(self) -> tuple[str, str]:
        return self.name, self.title

    def kind(self, column: str) -> Kind:
        return self.columns[column].kind

    def header(self, column: str) -> str:
        return self.columns[column].title

    def required(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.required]

    def spellings(self, column: str) -> tuple[str, ...]:
        """Every header that means this column."""
        return (column, self.header(column), *self.columns[column].aliases)

    def dtypes(self) -> dict[str, Any]:
        return {name: DTYPES[self.kind(name)] for name in self.columns}


_USCC = ("社会信用代码", "信用代码", "统一信用代码", "企业统一社会信用代码", "社会统一信用代码", "税号")
_NAME = ("单位名称", "企业（单位）名称", "申报单位", "名称")


def _uscc() -> Column:
    return _column("统一社会信用代码", "code", *_USCC, required=True)


def _item(required: bool = True) -> Column:
    return _column("条款编号", "item", "条款", "条款号", "政策条款", required=required)


def _level() -> Column:
    return _column("级别", "word", "等级", "类别级别")


def _project() -> dict[str, Column]:
    return {
        "project_id": _column("项目编号", "id", "项目编码", "项目代码"),
        "project_name": _column("项目名称", "name"),
    }


def _assessed() -> dict[str, Column]:
    return {
        "assessed_amount": _column("核定金额", "money", "核定奖补金额", "核定额"),
        "assessed_rate": _column("核定比例", "rate", "核定奖补比例"),
    }


def _year() -> Column:
    return _column("年度", "year", "年份", "所属年度", required=True)


def _date(title: str, *aliases: str) -> Column:
    return _column(title, "date", *aliases, required=True)


REGISTRIES: dict[str, Registry] = {
    registry.name: registry
    for registry in (
        Registry(
            "enterprises",
            "企业名录",
            {
                "uscc": _uscc(),
                "name": _column("企业名称", "name", *_NAME, required=True),
                "district": _column("所属区镇", "district", "区镇", "所在区镇", "属地", required=True),
                "industry": _column("产业链", "name", "所属产业链", "产业"),
                "industrial": _column("工业企业", "flag", "是否工业企业"),
                "registered_on": _column("成立日期", "date", "注册日期"),
            },
            dated_by=None,
            has_lines=False,
        ),
        Registry(
            "rnd",
            "研发投入",
            {
                "uscc": _uscc(),
                "year": _year(),
                "rnd_expense": _column("研发费用", "money", "研发费用金额", "研发投入", required=True),
                "super_deduction": _column(
                    "享受加计扣除", "flag", "是否享受加计扣除", "加计扣除", required=True, blank=True
                ),
                "revenue": _column("营业收入", "money", "主营业务收入"),
                "assessed_amount": _assessed()["assessed_amount"],
            },
            dated_by="year",
        ),
        Registry(
            "equipment",
            "设备投入",
            {
                "uscc": _uscc(),
                "year": _year(),
                "project_id": _column("项目编号", "id", "项目编码", "项目代码", required=True),
                "project_name": _column("项目名称", "name", required=True, blank=True),
                "equipment_investment": _column("设备投资额", "money", "设备投入", "设备投资", required=True),
                "smart_investment": _column(
                    "其中智能化数字化投入", "money", "智能化数字化投入", "其中:智能化数字化投入"
                ),
                "assessed_rate": _assessed()["assessed_rate"],
                "assessed_base": _column("综合奖补核定额", "money"),
                "assessed_amount": _assessed()["assessed_amount"],
            },
            dated_by="year",
        ),
        Registry(
            "certifications",
            "资质认定",
            {
                "uscc": _uscc(),
                "item": _item(required=False),
                "certification": _column("资质名称", "word", "资质", "认定名称"),
                "certified_on": _date("认定日期", "认定时间", "发证日期"),
                "level": _level(),
                "event": _column("事项", "word", "认定事项"),
                "certificate_no": _column("证书编号", "id", "证书号"),
                **_project(),
                "assessed_amount": _assessed()["assessed_amount"],
            },
            dated_by="certified_on",
            one_of=("item", "certification"),
        ),
        Registry(
            "claims",
            "申报项目",
            {
                "uscc": _uscc(),
                "item": _item(),
                "event_on": _date("发生日期", "发生时间"),
                "level": _level(),
                **_project(),
                "base_amount": _column("申报基数", "money", "基数"),
                "base_amount_prior": _column("上期数", "money", "上年数"),
                "quantity": _column("数量", "count"),
                "months": _column("月数", "count", checks=("months",)),
                **_assessed(),
                "upper_award": _column("上级奖励金额", "money", "上级奖励"),
                "medical": _column("医药医疗器械", "flag", "是否医药医疗器械"),
                "related_party": _column("关联方", "flag", "是否关联方"),
            },
            dated_by="event_on",
        ),
        Registry(
            "talents",
            "人才申报",
            {
                "person_id": _column(
                    "证件号码", "id", "身份证号", "身份证号码", required=True, checks=("resident_id",)
                ),
                "person_name": _column("姓名", "name", required=True),
                "uscc": _uscc(),
                "item": _item(),
                "event_on": _date("发生日期", "发生时间"),
                "level": _level(),
                "months": _column("月数", "count", checks=("months",)),
                "base_amount": _column("申报基数", "money", "基数"),
                **_assessed(),
            },
            dated_by="event_on",
        ),
        Registry(
            "payments",
            "已兑付",
            {
                "year": _year(),
                "uscc": _uscc(),
                "item": _item(),
                "amount": _column("金额", "money", "兑付金额", "已兑付金额", required=True),
                "level": _level(),
                "project_id": _project()["project_id"],
                "certificate_no": _column("证书编号", "id", "证书号"),
                "person_id": _column("证件号码", "id", "身份证号", checks=("resident_id",)),
                "months": _column("月数", "count", checks=("months",)),
                "paid_on": _column("兑付日期", "date", "拨付日期"),
            },
            dated_by="year",
            has_lines=False,
        ),
    )
}

PROVENANCE: dict[str, Any] = {"source_file": pl.String, "source_sheet": pl.String, "source_row": pl.Int64}
"""Where a row stands: file (in an earlier year's folder: `2021/…`), sheet, and row as Excel shows it."""
