"""Say in Chinese how a line came about: reason, notes for review, and the arithmetic before caps."""

from typing import Any

import polars as pl

from rules.columns import available, label
from rules.compile import CompiledItem
from rules.evaluate import INELIGIBLE, JUDGED, MISSING, PAYABLE, PENDING
from rules.numbers import show
from rules.text import percent, render
from schemas.labels import filled
from schemas.money import YUAN, grouped

_NONE = pl.lit(None, pl.String)


def narrate(compiled: CompiledItem, rows: pl.LazyFrame, readings: dict[str, Any]) -> pl.LazyFrame:
    """The evaluated rows with `reason`, `review` and `working`; a rate outside its range fails here."""
    schema = rows.collect_schema()
    return pl.concat(
        [
            _passed(compiled, rows, schema, readings),
            *_failed(compiled, rows, schema, readings),
            _missing(compiled, rows),
        ],
        how="vertical",
    )


def unspoken(compiled: CompiledItem, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The evaluated rows with the statuses that `narrate` gives, and no words."""
    refused = (pl.col("status") == MISSING) | (
        pl.col("status").is_in([PAYABLE, PENDING]) & _outside_range(compiled).is_not_null()
    )
    return rows.with_columns(
        status=pl.when(refused).then(pl.lit(INELIGIBLE)).otherwise(pl.col("status")),
        reason=_NONE,
        review=_NONE,
        working=_NONE,
    )


def _passed(
    compiled: CompiledItem, rows: pl.LazyFrame, schema: pl.Schema, readings: dict[str, Any]
) -> pl.LazyFrame:
    outside = _outside_range(compiled)
    return rows.filter(pl.col("status").is_in([PAYABLE, PENDING])).with_columns(
        status=pl.when(outside.is_not_null()).then(pl.lit(INELIGIBLE)).otherwise(pl.col("status")),
        reason=outside,
        review=_review(compiled),
        working=_head(compiled, schema, readings),
    )


def _failed(
    compiled: CompiledItem, rows: pl.LazyFrame, schema: pl.Schema, readings: dict[str, Any]
) -> list[pl.LazyFrame]:
    return [
        rows.filter((pl.col("status") == INELIGIBLE) & (pl.col("_code") == place)).with_columns(
            reason=pl.lit(f"不符合条件「{clause.name}」"),
            review=_NONE,
            working=pl.concat_str([render(clause.text, compiled, schema, readings), pl.lit("，不成立")]),
        )
        for place, clause in enumerate(compiled.clauses)
    ]


def _missing(compiled: CompiledItem, rows: pl.LazyFrame) -> pl.LazyFrame:
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
    again = "，请部门重新核定"
    wrong_rate = assessed.is_null() & ~rate.is_between(pl.lit(lowest), pl.lit(highest))
    cap = pl.col("_cap_0") if compiled.caps else pl.lit(None, YUAN)
    least = pl.when(pl.col("_lowest").is_not_null()).then(pl.min_horizontal(pl.col("_lowest"), cap))
    return (
        pl.when(wrong_rate)
        .then(pl.concat_str([pl.lit("核定比例 "), percent(rate), pl.lit(ends + again)]))
        .when(assessed < least)
        .then(
            filled(
                "核定金额 {} 低于法定下限 {}，核定比例{}",
                grouped(assessed),
                grouped(least),
                pl.lit(ends + again),
            )
        )
    )


def _review(compiled: CompiledItem) -> pl.Expr:
    """What the department still has to judge or knows better, joined by ；; null where nothing."""
    item = compiled.item
    notes = [pl.lit(f"请核：{compiled.review}")] if compiled.review else []
    for clause in compiled.clauses:
        said = f"「{clause.name}」缺少数据，以部门核定为准"
        notes.append(pl.when(clause.when.is_null()).then(pl.lit(said)))
    if item.uplift:
        read = label(item.registry or "", compiled.uplift_reads[0])
        said = f"有的行没有填「{read}」，加成条件不能确定，" + (
            "未加成" if item.uplift.unknown == "review" else "待补充后核定"
        )
        notes.append(pl.when(pl.col("_uplift").is_null()).then(pl.lit(said)))
    for cap in compiled.caps:
        absent = pl.any_horizontal(pl.col(c).is_null() for c in cap.reads) if cap.reads else pl.lit(False)
        names = "、".join(label(item.registry or "", c) for c in cap.reads)
        said = f"上限按「{names}」计算，登记表没有填，请补填"
        notes.append(pl.when(absent & cap.amount.is_null()).then(pl.lit(said)))
    if item.basis == "floor" and compiled.range is None:
        lower = pl.col("assessed_rate") < pl.col("rate")
        notes.append(pl.when(lower).then(pl.lit("核定比例低于政策下限，按下限")))
    if item.assessed and item.basis in ("exact", "floor"):
        notes.append(pl.when(pl.col(item.assessed).is_not_null()).then(pl.lit("核定金额不参与计算")))
    to_fill = pl.lit(_to_fill(compiled))
    if compiled.range and compiled.amount_reads:
        base = f"请补填「{label(item.registry or '', compiled.amount_reads[0])}」，才能核对比例"
        to_fill = pl.when(pl.col("_highest").is_null()).then(pl.lit(base)).otherwise(to_fill)
    notes.append(pl.when(status=PENDING).then(to_fill))
    differs = _rate_differs(compiled)
    if differs is not None:
        notes.append(pl.when(differs).then(pl.lit("核定金额与按核定比例计算的金额不一致，按核定金额")))
    if compiled.ladder:
        prior = pl.col(compiled.ladder.after)
        notes.append(pl.when(prior.is_null()).then(filled("按首次计，{}", "searched")))
    if not notes:
        return _NONE
    text = pl.concat_str(notes, separator="；", ignore_nulls=True)
    return pl.when(text != "").then(text)


def _to_fill(compiled: CompiledItem) -> str | None:
    """Which column the department fills in to settle a pending line."""
    item = compiled.item
    columns = [item.assessed] if item.assessed else []
    columns += ["assessed_rate"] if compiled.range or (item.rate_base and item.basis in JUDGED) else []
    held = [column for column in columns if column in available(item.registry or "")]
    return (
        f"待部门核定，请填「{'」或「'.join(label(item.registry or '', c) for c in held)}」" if held else None
    )


def _rate_differs(compiled: CompiledItem) -> pl.Expr | None:
    """Whether an assessed amount is not what the assessed rate gives; None where there is no rate."""
    item = compiled.item
    if compiled.range:
        gap = pl.col("_assessed") - pl.col("_given")
    elif compiled.base is not None and item.assessed and item.basis in JUDGED:
        by_rate = (compiled.base.cast(pl.Decimal(38, 14)) * pl.col("assessed_rate")).cast(YUAN)
        gap = pl.col(item.assessed) - by_rate
    else:
        return None
    return gap.abs() > pl.lit("0.01").cast(YUAN)


def _head(compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    """The arithmetic before caps, with the actual figures; null where nothing is decided yet."""
    item = compiled.item
    if item.basis in JUDGED or (compiled.range and item.assessed):
        judged = _judged_head(compiled, schema, readings)
        return judged if item.basis in JUDGED else pl.coalesce(judged, _formula(compiled, schema, readings))
    return _formula(compiled, schema, readings)


def _judged_head(compiled: CompiledItem, schema: pl.Schema, readings: dict[str, Any]) -> pl.Expr:
    item = compiled.item
    text, factor, result = _NONE, _factor(compiled), filled(" = {}", grouped(pl.col("low")))
    if item.assessed:
        name = label(item.registry or "", item.assessed)
        amount = pl.concat_str([pl.lit(f"{name} "), grouped(pl.col(item.assessed))])
        text = pl.when(factor != "").then(pl.concat_str([amount, factor, result])).otherwise(amount)
    if item.rate_base and item.basis in JUDGED:
        base = render(item.rate_base, compiled, schema, readings)
        rate = pl.concat_str([base, pl.lit(" × 核定比例 "), percent(pl.col("assessed_rate"))])
        text = pl.coalesce(text, pl.concat_str([rate, factor, result]))
    return text


def _factor(compiled: CompiledItem) -> pl.Expr:
    """The uplift's factor in words where it applies, else nothing."""
    if compiled.item.uplift is None:
        return pl.lit("")
    number = pl.col("_low_factor").cast(pl.String).str.replace(r"\.?0+$", "")
    return pl.when(pl.col("_uplift")).then(filled(" × 加成 {}", number)).otherwise(pl.lit(""))


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
    total = pl.concat_str([shown, _factor(compiled), pl.lit(" = "), grouped(pl.col("low"))])
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
