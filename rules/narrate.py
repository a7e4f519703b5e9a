"""Say in Chinese how a line came about: reason, notes for review, and the arithmetic before caps."""

from typing import Any

import polars as pl

from rules.columns import label
from rules.compile import CompiledItem
from rules.evaluate import INELIGIBLE, JUDGED, MISSING, PAYABLE, PENDING
from rules.numbers import show
from rules.text import percent, render
from schemas.money import YUAN, grouped

_NONE = pl.lit(None, pl.String)


def narrate(compiled: CompiledItem, rows: pl.DataFrame, readings: dict[str, Any]) -> pl.DataFrame:
    """The evaluated rows with `reason`, `review` and `working`; a rate outside its range fails here."""
    return pl.concat(
        [
            _passed(compiled, rows, readings),
            *_failed(compiled, rows, readings),
            _missing(compiled, rows),
        ],
        how="vertical",
    )


def _passed(compiled: CompiledItem, rows: pl.DataFrame, readings: dict[str, Any]) -> pl.DataFrame:
    outside = _outside_range(compiled)
    return rows.filter(pl.col("status").is_in([PAYABLE, PENDING])).with_columns(
        status=pl.when(outside.is_not_null()).then(pl.lit(INELIGIBLE)).otherwise(pl.col("status")),
        reason=outside,
        review=_review(compiled),
        working=_head(compiled, rows.schema, readings),
    )


def _failed(compiled: CompiledItem, rows: pl.DataFrame, readings: dict[str, Any]) -> list[pl.DataFrame]:
    return [
        rows.filter((pl.col("status") == INELIGIBLE) & (pl.col("_code") == place)).with_columns(
            reason=pl.lit(f"不符合：{clause.name}"),
            review=_NONE,
            working=pl.concat_str([render(clause.text, compiled, rows.schema, readings), pl.lit("，不成立")]),
        )
        for place, clause in enumerate(compiled.clauses)
    ]


def _missing(compiled: CompiledItem, rows: pl.DataFrame) -> pl.DataFrame:
    registry = compiled.item.registry or ""
    reads = [c for clause in compiled.clauses if not clause.waived for c in clause.reads]
    absent = [
        pl.when(pl.col(c).is_null()).then(pl.lit(label(registry, c)))
        for c in dict.fromkeys([*reads, *compiled.amount_reads])
    ]
    names = pl.concat_str(absent, separator="、", ignore_nulls=True) if absent else pl.lit("")
    return rows.filter(pl.col("status") == MISSING).with_columns(
        status=pl.lit(INELIGIBLE),
        reason=pl.concat_str([pl.lit("缺少数据："), names]),
        review=_NONE,
        working=_NONE,
    )


def _outside_range(compiled: CompiledItem) -> pl.Expr:
    """Why an assessed rate or amount lies outside the item's statutory range; null where it does not."""
    if compiled.range is None:
        return _NONE
    lowest, highest = compiled.range
    rate, assessed = pl.col("assessed_rate"), pl.col("_assessed")
    ends = f" 超出 {show(lowest)}～{show(highest)}"
    wrong_rate = assessed.is_null() & ~rate.is_between(pl.lit(lowest), pl.lit(highest))
    cap = pl.col("cap_0").struct.field("amount") if compiled.caps else pl.lit(None, YUAN)
    least = pl.min_horizontal(pl.col("_lowest"), cap)
    return (
        pl.when(wrong_rate)
        .then(pl.concat_str([pl.lit("核定比例 "), percent(rate), pl.lit(ends)]))
        .when(assessed < least)
        .then(
            pl.concat_str([pl.lit("核定金额 "), grouped(assessed), pl.lit(" 低于法定下限 "), grouped(least)])
        )
    )


def _review(compiled: CompiledItem) -> pl.Expr:
    """What the department still has to judge or knows better, joined by ；; null where nothing."""
    item = compiled.item
    notes = [pl.lit("请核：" + "、".join(item.review))] if item.review else []
    for clause in compiled.clauses:
        said = f"「{clause.name}」缺少数据，以部门核定为准"
        notes.append(pl.when(clause.when.is_null()).then(pl.lit(said)))
    if item.uplift:
        said = "加成条件缺少数据，" + ("未加成" if item.uplift.unknown == "review" else "待补充后核定")
        notes.append(pl.when(pl.col("_uplift").is_null()).then(pl.lit(said)))
    if item.assessed and item.basis == "exact":
        notes.append(pl.when(pl.col(item.assessed).is_not_null()).then(pl.lit("核定金额不参与计算")))
    by_rate = _by_rate(compiled)
    if by_rate is not None and item.assessed:
        differs = (pl.col(item.assessed) - by_rate).abs() > pl.lit("0.01").cast(YUAN)
        notes.append(pl.when(differs).then(pl.lit("核定金额与按核定比例计算的金额不一致，按核定金额")))
    if compiled.ladder:
        prior = pl.col(compiled.ladder.after)
        notes.append(pl.when(prior.is_null()).then(pl.format("按首次计，{}", "searched")))
    if not notes:
        return _NONE
    text = pl.concat_str(notes, separator="；", ignore_nulls=True)
    return pl.when(text != "").then(text)


def _by_rate(compiled: CompiledItem) -> pl.Expr | None:
    if compiled.range:
        return pl.col("_given")
    if compiled.base is not None and compiled.item.basis in JUDGED:
        return (compiled.base.cast(pl.Decimal(38, 14)) * pl.col("assessed_rate")).cast(YUAN)
    return None


def _head(compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    """The arithmetic before caps, with the actual figures; null where nothing is decided yet."""
    item = compiled.item
    if item.basis in JUDGED or (compiled.range and item.assessed):
        judged = _judged_head(compiled, schema, readings)
        return judged if item.basis in JUDGED else pl.coalesce(judged, _formula(compiled, schema, readings))
    return _formula(compiled, schema, readings)


def _judged_head(compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    item = compiled.item
    text = _NONE
    if item.assessed:
        name = label(item.registry or "", item.assessed)
        text = pl.concat_str([pl.lit(f"{name} "), grouped(pl.col(item.assessed))])
    if item.rate_base and item.basis in JUDGED:
        by_rate = pl.concat_str(
            [
                render(item.rate_base, compiled, schema, readings),
                pl.lit(" × 核定比例 "),
                percent(pl.col("assessed_rate")),
                pl.lit(" = "),
                grouped(pl.col("_assessed")),
            ]
        )
        text = pl.coalesce(text, by_rate)
    if item.uplift:
        lifted = pl.concat_str([text, pl.lit(f" × {show(compiled.factor)} = "), grouped(pl.col("low"))])
        text = pl.when(pl.col("_uplift")).then(lifted).otherwise(text)
    return text


def _formula(compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    item = compiled.item
    assert item.amount is not None
    if item.amount in item.terms:
        fixed = pl.concat_str([pl.lit("定额 "), render(item.amount, compiled, schema, readings)])
        level = pl.concat_str([pl.col("level"), pl.lit(" ")]).fill_null("") if item.levels else pl.lit("")
        return pl.concat_str([level, fixed])
    shown = render(item.amount, compiled, schema, readings)
    if compiled.range_name:
        words = [("assessed_rate" if word == compiled.range_name else word) for word in item.amount.split()]
        given = render(" ".join(words), compiled, schema, readings)
        shown = pl.when(pl.col("assessed_rate").is_not_null()).then(given).otherwise(shown)
    total = pl.concat_str([shown, pl.lit(" = "), grouped(pl.col("low"))])
    return pl.when(pl.col("low").eq_missing(pl.col("high"))).then(total).otherwise(shown)


def clause_trace(compiled: CompiledItem, rows: pl.DataFrame, readings: dict[str, Any]) -> pl.DataFrame:
    """For `explain`: the rows with `trace`, one line a clause with its outcome and the values it read."""
    lines = []
    for clause in compiled.clauses:
        mark = (
            pl.when(clause.when)
            .then(pl.lit("✓ "))
            .when(~clause.when)
            .then(pl.lit("✗ "))
            .otherwise(pl.lit("? "))
        )
        shown = render(clause.text, compiled, rows.schema, readings)
        lines.append(pl.concat_str([mark, pl.lit(f"{clause.name}（"), shown, pl.lit("）")]))
    return rows.with_columns(trace=pl.concat_str(lines, separator="\n") if lines else _NONE)
