"""Tables of the page: one helper, the heat table of districts and articles, items, budgets, the forecast."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.comparison_sides import ahead, envelope
from reports.forecast_sheets import natural
from reports.svg import escaped
from reports.versions import HIDDEN, Version, ahead_of, count, money, percent
from schemas.districts import DISTRICTS

ITEMS_SHOWN = 30
"""Items in the page's table, those whose money changes most; the workbook has all."""

WHOLE_ROWS = 25
"""Rows of a table that is kept on one printed page."""

_ZERO = Decimal(0)
_LEFT, _SUM = ' class="text"', ' class="sum"'


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    text: Collection[int] = (),
    total: bool = False,
) -> str:
    """A table; its first column heads the rows, `text` columns are set left, a `total` row ends it."""
    top = "".join(f'<th scope="col">{escaped(head)}</th>' for head in heads)
    body = []
    for number, row in enumerate(rows):
        mark = _SUM if total and number == len(rows) - 1 else ""
        cells = [f'<th scope="row">{escaped(row[0])}</th>']
        cells += [
            f"<td{_LEFT if place in text else ''}>{escaped(value)}</td>"
            for place, value in enumerate(row[1:], 1)
        ]
        body.append(f"<tr{mark}>{''.join(cells)}</tr>")
    named = f"<caption>{escaped(caption)}</caption>" if caption else ""
    kind = ("narrow " if len(heads) <= 3 else "") + ("whole" if len(rows) <= WHOLE_ROWS else "long")
    return f'<table class="{kind}">{named}<thead><tr>{top}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def heat(version: Version, hidden: bool) -> str:
    """Districts and articles: the change in each cell, shaded by its size; the sign is printed."""
    head = "<h3>各区镇、各条文的增减</h3>"
    if hidden:
        return f"{head}<p>无（公开口径不列区镇与条文的交叉数）。</p>"
    details = version.frame("details")
    if details is None:
        return f"{head}<p>无。</p>"
    article = pl.col("item").str.extract(r"^([A-Z]+\d+)").fill_null(pl.col("item"))
    held = details.group_by("district", article.alias("article")).agg(pl.col("change").sum()).rows()
    change: dict[tuple[str, str], Decimal] = {
        (district or "未列明", key): sum_ for district, key, sum_ in held
    }
    districts = [d for d in DISTRICTS if any(d == at for at, _ in change)]
    districts += sorted({at for at, _ in change} - set(districts))
    articles = sorted({key for _, key in change}, key=natural)
    titles = {key: row["title"] for key, row in version.totals("article").items()}
    most = max((abs(value) for value in change.values()), default=_ZERO)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    rows = []
    for key in articles:
        values = [change.get((district, key), _ZERO) for district in districts]
        for district, value in zip(districts, values, strict=True):
            sums[district] += value
        rows.append((titles.get(key) or key, values))
    rows.append(("合计", [sums[district] for district in districts]))
    body = "".join(_heat_row(name, values, most, name == "合计") for name, values in rows)
    top = "".join(f'<th scope="col">{escaped(name)}</th>' for name in ("", *districts, "合计"))
    caption = "应兑付的增减（万元）。底色深浅表示增减大小，蓝为增、橙为减，正负以数字前的符号为准。"
    return (
        f'{head}<table class="heat"><caption>{caption}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _heat_row(name: str, values: Sequence[Decimal], most: Decimal, last: bool) -> str:
    cells = [f'<th scope="row">{escaped(name)}</th>']
    cells += [
        f'<td style="background:{"#fff" if last else shade(value, most)}">{_blank(value)}</td>'
        for value in values
    ]
    cells.append(f"<td>{_blank(sum(values, _ZERO))}</td>")
    return f"<tr{_SUM if last else ''}>{''.join(cells)}</tr>"


def _blank(value: Decimal) -> str:
    return money(value, sign=True) if value else "0"


def shade(value: Decimal, most: Decimal) -> str:
    """White for nothing, up to a blue or orange on which black is still read easily."""
    if not value or not most:
        return "#fff"
    depth = float(abs(value) / most) ** 0.5
    full = (125, 165, 210) if value > 0 else (235, 170, 110)
    return "#" + "".join(f"{round(255 - (255 - part) * depth):02x}" for part in full)


def items(version: Version) -> str:
    """The items whose money changes most."""
    rows = version.totals("item").values()
    moved = [row for row in rows if row["change"] is None or row["change"] or row["changed"]]
    moved.sort(key=lambda row: (-abs(row["change"] or _ZERO), natural(row["key"])))
    head = "<h3>变化的条款</h3>"
    if not moved:
        return f"{head}<p>无。</p>"
    heads = ["条款", "事项", "现行政策", "方案", "增减", "增减%", "现行户数", "方案户数"]
    shown = [
        [
            *(row["key"], row["title"] or "", money(row["before"]), money(row["after"])),
            *(money(row["change"], sign=True), percent(row)),
            *(count(row["households_before"]), count(row["households_after"])),
        ]
        for row in moved[:ITEMS_SHOWN]
    ]
    rest = len(moved) - len(shown)
    more = f"按增减金额排列，只列前 {len(shown)} 项，另 {rest} 项见工作簿。" if rest else "按增减金额排列。"
    return head + table(more, heads, shown, text=(1,))


def envelopes(version: Version) -> str:
    """What each budget holds, is asked for, pays and leaves; nothing where there is none."""
    rows = [envelope(row) for row in version.rows("envelopes")]
    if not rows:
        return ""
    heads = ["预算盘子", "兑付办法", "盘子", "应兑付", "其中上年结转", "实付", "结余", "未付", "转入下年"]
    shown = [[str(row[0]), str(row[1]), *map(_figure, row[2:9]), *map(_number, row[9:])] for row in rows]
    caption = "结余＝盘子－实付；未付＝应兑付－实付。"
    return "<h3>预算盘子</h3>" + table(caption, [*heads, "户数", "少付户数"], shown, text=(1,))


def forecast(told: Mapping[str, Any], found: Sequence[Version]) -> str:
    """Expected payments by year and payer; nothing where it was not forecast."""
    held = [(v.label, ahead(row)) for v in found for row in ahead_of(told, v, len(found) == 1)]
    if not held:
        return ""
    heads = ["方案", "支付年度", "负担方", "现行政策均值", "方案均值", "增减均值"]
    heads += [f"增减 {q}" for q in ("P10", "P50", "P90")]
    rows = [[label, str(row[0] or ""), row[1], *map(_figure, row[2:])] for label, row in held]
    caption = "同一组随机数下的差额；分位数由各次模拟的差额算出，不可相加。"
    return f"<section><h2>以后各年支付的预测对比</h2>{table(caption, heads, rows)}</section>"


def _figure(value: Decimal | None) -> str:
    return HIDDEN if value is None else f"{value:,.2f}"


def _number(value: int | None) -> str:
    return HIDDEN if value is None else f"{value:,}"
