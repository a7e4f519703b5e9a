"""Sheets of totals: 现行政策 and the scenarios side by side, the top ten, budgets, the forecast."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reports.forecast_sheets import in_wan, narrow_margins
from reports.sheets import Book, Column, Sheet, wan
from reports.versions import HIDDEN, Row, Version, ahead_of, in_chinese, keys_of, pending
from schemas.comparing import LEVELS
from schemas.outputs import PAYERS

ABREAST = 3
"""Scenarios on one sheet; more do not fit a page."""

LEVELS_SHOWN = ("payer", "district", "policy", "article", "item", "class", "size", "department")

RULES = {"proportional": "按比例", "ranked": "按排序", "queue": "按先后，余额转下年"}

_ZERO = Decimal(0)


def sides_sheets(book: Book, told: Mapping[str, Any], found: Sequence[Version]) -> None:
    """对比: every level of the totals in a block, at most ABREAST scenarios on a sheet."""
    groups = [found[start : start + ABREAST] for start in range(0, len(found), ABREAST)]
    for number, group in enumerate(groups, 1):
        title = "对比" if number == 1 else f"对比（{in_chinese(number)}）"
        _sides_sheet(book, title, told, group)


def _sides_sheet(book: Book, title: str, told: Mapping[str, Any], group: Sequence[Version]) -> None:
    hides = any("note" in v.frames["totals"].columns for v in group if v.frame("totals") is not None)
    columns = [Column("代码", 9), Column("事项", 24, "wide")]
    columns += [Column("现行政策 金额", 13, "wan"), Column("户数", 8, "count"), Column("户均", 9, "wan")]
    for version in group:
        columns += [Column(f"{version.label} 金额", 13, "wan"), Column("增减", 12, "wan")]
        columns += [Column("增减%", 8.5, "percent"), Column("户数", 8, "count"), Column("户均", 9, "wan")]
    columns += [Column("不公开的说明", 22, "wide")] if hides else []
    sheet = Sheet(book, title, columns)
    narrow_margins(sheet)
    sheet.title(f"{told['year']}年度应兑付对比表")
    for version in group:
        sheet.line(f"{version.label}：{version.title}")
    sheet.line("单位：万元、户。一户可享受多项，按条款等分列的户数不可相加；金额可以相加。")
    sheet.header()
    if all(version.whole() is None for version in group):
        sheet.line("无。")
        return
    whole = _line(group, "all", "all", "合计", hides)
    sheet.total(whole)
    for number, level in enumerate((lv for lv in LEVELS_SHOWN if keys_of(group, lv)), 1):
        sheet.line(f"{in_chinese(number)}、按{LEVELS[level]}", bold=True)
        sheet.rows(
            _line(group, level, key, name, hides)
            for key, name in keys_of(group, level)
            if _matters(group, level, key)
        )
        sheet.total(whole)
    sheet.line("待核定（未计入上表）", bold=True)
    for version in group:
        row = version.whole()
        if row is not None:
            text = f"现行政策 {pending(row, 'before')}，{version.label} {pending(row, 'after')}"
            sheet.line(f"{version.label}：{text}")


def _matters(group: Sequence[Version], level: str, key: str) -> bool:
    """Whether any money is or may be there (a hidden figure may be)."""
    rows = [row for version in group if (row := version.totals(level).get(key))]
    return any(row[side] != 0 for row in rows for side in ("before", "after"))


def _line(group: Sequence[Version], level: str, key: str, name: str, hides: bool) -> list[Any]:
    """One key: the baseline's figures, then each scenario's."""
    rows = [version.totals(level).get(key) for version in group]
    base = next((row for row in rows if row is not None), None)
    coded = level in ("article", "item")
    line: list[Any] = [key if coded else None, f"政策{name}" if level == "policy" else name]
    line += _side(base, "before") if base else [None] * 3
    for version, row in zip(group, rows, strict=True):
        known = version.frame("totals") is not None
        line += _change(row) if row else ([_ZERO, _ZERO, None, 0, None] if known else ["无", *[None] * 4])
    if hides:
        notes = dict.fromkeys(row["note"] for row in rows if row and row.get("note"))
        line.append("；".join(notes) or None)
    return line


def _side(row: Row, side: str) -> list[Any]:
    gone = row[side] is None
    each = row[f"per_household_{side}"]
    return [
        HIDDEN if gone else wan(row[side]),
        HIDDEN if gone else row[f"households_{side}"],
        HIDDEN if gone else wan(each),
    ]


def _change(row: Row) -> list[Any]:
    money, *others = _side(row, "after")
    if row["change"] is None:
        return [money, HIDDEN, HIDDEN, *others]
    new = "新增" if row["before"] == 0 and row["after"] else None
    percent = new if row["percent"] is None else row["percent"] / 100
    return [money, wan(row["change"]), percent, *others]


def concentration_sheet(book: Book, found: Sequence[Version]) -> None:
    """前十集中度: what the ten with most receive, over all and by item."""
    columns = [Column("方案", 8), Column("条款", 9), Column("事项", 34, "wide")]
    for side in ("现行政策", "方案"):
        columns += [Column(f"{side} 户数", 10, "count"), Column(f"{side} 金额", 14, "wan")]
        columns += [Column("其中前十户", 14, "wan"), Column("占比", 9, "percent")]
    sheet = Sheet(book, "前十集中度", columns)
    narrow_margins(sheet)
    sheet.title("前十户集中度")
    sheet.line("单位：万元、户", "right")
    sheet.header()
    for version in found:
        rows = version.rows("concentration")
        sheet.rows(
            [version.label, row["item"], row["title"], *_top(row, "before"), *_top(row, "after")]
            for row in [r for r in rows if r["item"] is None] + [r for r in rows if r["item"] is not None]
        )
        if not rows:
            sheet.line(f"{version.label}：无。")


def _top(row: Row, side: str) -> list[Any]:
    if row[f"households_{side}"] is None:
        return [HIDDEN] * 4
    money = [wan(row[side]), wan(row[f"top_{side}"])]
    return [row[f"households_{side}"], *money, row[f"share_{side}"]]


def envelopes_sheet(book: Book, found: Sequence[Version]) -> None:
    """预算盘子: what each holds, is asked for, pays and leaves; only where there are any."""
    held = [(version, row) for version in found for row in version.rows("envelopes")]
    if not held:
        return
    columns = [Column("方案", 8), Column("预算盘子", 30, "wide"), Column("兑付办法", 18, "wide")]
    columns += [Column(name, 14, "wan") for name in ("盘子", "应兑付", "其中上年结转", "实付", "结余")]
    columns += [Column(name, 14, "wan") for name in ("未付", "转入下年")]
    columns += [Column(name, 9, "count") for name in ("户数", "少付户数")]
    sheet = Sheet(book, "预算盘子", columns)
    narrow_margins(sheet)
    sheet.title("预算盘子：应兑付、实付与结余")
    sheet.line("单位：万元、户。结余＝盘子－实付；未付＝应兑付－实付。", "right")
    sheet.header()
    sheet.rows([version.label, *envelope(row)] for version, row in held)


def envelope(row: Row) -> list[Any]:
    """An envelope's figures as shown."""
    money = (row.get(c) for c in ("amount", "exposure", "carried_in", "paid", "balance"))
    unpaid = row["exposure"] - row["paid"]
    carried = row.get("carried_over", row.get("carried"))
    name = row.get("envelope") or row.get("name") or ""
    payer = f"（{PAYERS[row['payer']]}）" if row.get("payer") in PAYERS else ""
    rule = row.get("rule") or ""
    return [
        *(f"{name}{payer}", RULES.get(rule, rule), *map(wan, money), wan(unpaid), wan(carried)),
        *(row.get("households"), row.get("households_cut")),
    ]


def forecast_sheet(book: Book, told: Mapping[str, Any], found: Sequence[Version]) -> None:
    """预测对比: expected payments by year with the quantiles of the difference; only where it was forecast."""
    held = [(v, row) for v in found for row in ahead_of(told, v, len(found) == 1)]
    if not held:
        return
    columns = [Column("方案", 10), Column("支付年度", 10, "index"), Column("负担方", 12)]
    columns += [Column(name, 16, "wan") for name in ("现行政策均值", "方案均值", "增减均值")]
    columns += [Column(f"增减 {q}", 14, "wan") for q in ("P10", "P50", "P90")]
    sheet = Sheet(book, "预测对比", columns)
    sheet.title("以后各年支付的预测对比")
    sheet.line("同一组随机数下的差额，差额的分位数由各次模拟的差额算出；分位数不可相加。")
    sheet.line("单位：万元", "right")
    sheet.header()
    sheet.rows([version.label, *ahead(row)] for version, row in held)


def ahead(row: Row) -> list[Any]:
    """A row of the forecast as shown."""
    figures = ("before", "after", "change", "change_P10", "change_P50", "change_P90")
    who = PAYERS.get(row.get("payer") or "", "合计")
    return [row.get("pay_year"), who, *(in_wan(row.get(c)) for c in figures)]
