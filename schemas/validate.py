"""Check a registry's frame and say every fault of every row."""

from collections.abc import Callable, Sequence
from threading import Lock

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.codes import resident_id_fits, uscc_check_digit_fits
from schemas.districts import DISTRICTS
from schemas.registries import DTYPES, FIRST_YEAR, LAST_YEAR, Registry

_ONE_AT_A_TIME = Lock()
"""Pandera keeps its settings of a validation for the whole process."""

FAULTS = {"row": pl.Int64, "column": pl.String, "reason": pl.String, "check": pl.String}
"""A fault: `row` is the frame's row index; `reason` Chinese, with the remedy."""


_REASONS: dict[str, str] = {
    "required": "此项必填，单元格为空；请补填（合并单元格请取消合并后逐行填写）",
    "uscc": "统一社会信用代码校验位不符或格式不对（应为18位，不含字母I、O、S、V、Z）；请对照营业执照更正，代码列请设为文本格式",
    "resident_id": "18位身份证号码校验位不符；请核对证件，号码列请设为文本格式",
    "district": "不是昆山九个区镇之一；请填写：" + "、".join(DISTRICTS),
    "year": f"年度不可能（应在{FIRST_YEAR}至{LAST_YEAR}之间）；请更正",
    "date": "日期不可能（应在1949年之后、2100年之前）；请更正",
    "not_negative": "不能为负数；请核对后更正",
    "too_large": "金额不可能（应小于一万亿元）；请核对单位，或是否填错了列",
    "rate": "比例应在0至1之间（或0%至100%）；请更正，百分数请带百分号",
    "months": "月数应在0至1200之间；请更正",
}
"""What a clerk reads for each check: what is wrong and what to do."""


def _check(name: str, holds: Callable[[pl.Expr], pl.Expr]) -> pa.Check:
    def run(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(holds(pl.col(data.key)))

    return pa.Check(run, name=name, error=name)


_CHECKS: dict[str, pa.Check] = {
    "uscc": _check("uscc", uscc_check_digit_fits),
    "resident_id": _check("resident_id", resident_id_fits),
    "district": _check("district", lambda c: c.is_in(list(DISTRICTS))),
    "year": _check("year", lambda c: c.is_between(FIRST_YEAR, LAST_YEAR)),
    "date": _check("date", lambda c: c.dt.year().is_between(1949, 2100)),
    "not_negative": _check("not_negative", lambda c: c >= 0),
    "too_large": _check("too_large", lambda c: c < 10**12),
    "rate": _check("rate", lambda c: c.is_between(0, 1)),
    "months": _check("months", lambda c: c.is_between(0, 1200)),
}


def validate(registry: Registry, frame: pl.DataFrame, listed: pl.Series | None = None) -> pl.DataFrame:
    """All faults of `frame` (columns as the registry has them) in the shape FAULTS.

    `listed`: rows whose code is one of the checked enterprises', and therefore right.
    """
    if listed is None:
        found = _broken(registry, list(registry.columns), frame)
    else:
        found = _broken(registry, [column for column in registry.columns if column != "uscc"], frame)
        others = listed.not_().arg_true().cast(pl.Int64)
        codes = _broken(registry, ["uscc"], frame[["uscc"]][others])
        found = pl.concat([codes.with_columns(row=others.gather(codes["row"])), found])
    return pl.concat([found, *_one_of(registry, frame)])


def _broken(registry: Registry, columns: list[str], frame: pl.DataFrame) -> pl.DataFrame:
    """The faults that the registry's checks find in some of its columns."""
    try:
        with _ONE_AT_A_TIME:
            # `select` would copy all, where their chunks differ
            _schema(registry, columns).validate(frame[columns], lazy=True)
    except pa.errors.SchemaErrors as errors:
        check = pl.col("check").replace({"not_nullable": "required"})
        cases: pl.DataFrame = errors.failure_cases
        return cases.select(
            pl.col("index").cast(pl.Int64).alias("row"),
            "column",
            check.replace_strict(_REASONS, return_dtype=pl.String).alias("reason"),
            check.alias("check"),
        )
    return pl.DataFrame(schema=FAULTS)


def _schema(registry: Registry, columns: Sequence[str]) -> pa.DataFrameSchema:
    """What some of a registry's columns must satisfy."""
    held = {name: registry.columns[name] for name in columns}
    return pa.DataFrameSchema(
        {
            name: pa.Column(DTYPES[one.kind], [_CHECKS[check] for check in one.checks], nullable=one.nullable)
            for name, one in held.items()
        },
        name=registry.name,
    )


def _one_of(registry: Registry, frame: pl.DataFrame) -> list[pl.DataFrame]:
    if not registry.one_of:
        return []
    headers = "、".join(registry.header(column) for column in registry.one_of)
    missing = (
        frame[list(registry.one_of)]
        .with_row_index("row")
        .filter(pl.all_horizontal(pl.col(column).is_null() for column in registry.one_of))
    )
    return [
        missing.select(
            pl.col("row").cast(pl.Int64),
            pl.lit(registry.one_of[0]).alias("column"),
            pl.lit(f"{headers}须填一项，两列都为空；请补填").alias("reason"),
            pl.lit("required").alias("check"),
        )
    ]
