"""Charts of the page, each with the table of its figures."""

from decimal import Decimal

from reports import svg
from reports.comparison_charts import axis_floor
from reports.forecast_sheets import natural
from reports.page_tables import table
from reports.svg import DARK, LESS, LIGHT, MIDDLE, MORE, escaped
from reports.versions import (
    HIDDEN,
    Row,
    Version,
    count,
    keys_of,
    kinds_of,
    money,
    percent,
    reached,
    share,
    short,
    steps_of,
    top_items,
    value_of,
)
from schemas.comparing import KINDS
from schemas.outputs import PAYERS

TOP_SHOWN, MISSES_SHOWN, NUDGES_SHOWN = 10, 15, 15
"""Items in the chart of the top ten; thresholds and nudged terms at most. The workbook has all."""

LEAST = 3
"""A public figure stands for no fewer applicants."""

_FILLS = dict(zip(PAYERS, (DARK, MIDDLE, LIGHT), strict=True))


def districts(name: str, version: Version, hidden: bool) -> str:
    """By district two bars, before and after, of what each payer bears."""
    head, rows = "<h3>各区镇应兑付及由谁负担</h3>", version.totals("district")
    if not rows:
        return f"{head}<p>无。</p>"
    payers = [p for p in PAYERS if any(row[f"{p}_{s}"] for row in rows.values() for s in ("before", "after"))]
    bars, shown = [], []
    for key, title in keys_of([version], "district"):
        row = rows[key]
        for side, word in (("before", "现行"), ("after", "方案")):
            parts = [_number(row[f"{p}_{side}"]) for p in payers]
            told = money(row[side])
            if side == "after" and row["change"] is not None:
                told += f"（{money(row['change'], sign=True)}）"
            if row[side] is not None and None in parts:
                told += " 分担不公开"
            label = f"{title}　{word}" if side == "before" else word
            bars.append(svg.Bar(label, parts, told, side == "before"))
        figures = [money(row[f"{p}_{side}"]) for side in ("before", "after") for p in payers]
        counts = [count(row[f"households_{side}"]) for side in ("before", "after")]
        change = [money(row["change"], sign=True), percent(row)]
        shown.append([title, money(row["before"]), money(row["after"]), *change, *counts, *figures])
    heads = ["区镇", "现行政策", "方案", "增减", "增减%", "现行户数", "方案户数"]
    heads += [f"{side}：{PAYERS[p]}" for side in ("现行", "方案") for p in payers]
    about = "每个区镇两条：上为现行政策，下为方案；各段为市级、区镇、苏州市级的负担，数字为合计（万元）。"
    legend = [(PAYERS[p], _FILLS[p]) for p in payers]
    picture = svg.bars(f"{name}-districts", "各区镇应兑付及由谁负担", about, bars, legend, 150, 230)
    return head + _figure(picture, about) + table("", heads, shown) + _notes(version)


def _notes(version: Version) -> str:
    """Why figures of the districts' table are hidden."""
    rows = version.totals("district").values()
    notes = [f"{row['title']}：{row['note']}" for row in rows if row.get("note") and _hides(row)]
    return f'<p class="note">{escaped("；".join(notes))}。</p>' if notes else ""


def _hides(row: Row) -> bool:
    """Whether a figure shown in the districts' table is hidden (pending ones do not stand in it)."""
    return any(row[c] is None for c in ("before", *(f"{payer}_after" for payer in PAYERS)))


def steps(name: str, version: Version, hidden: bool) -> str:
    """From the baseline to the scenario, step by step."""
    head, found = "<h3>从现行政策到方案</h3>", steps_of(version)
    if found is None:
        return f"{head}<p>无。</p>"
    columns = [_end("现行政策", found.start)]
    for row in found.rows:
        low, high = sorted((float(row["before"]), float(row["after"])))
        kind = "more" if row["change"] >= 0 else "less"
        told = money(row["change"], sign=True)
        columns.append(svg.Column(short(row["title"]), low, high, told, kind, float(row["after"])))
    columns.append(_end(version.label, found.end))
    floor = axis_floor(found)
    about = f"{found.by}分解：浅蓝为增，橙为减，两端为应兑付合计（万元）。"
    about += f"纵轴从 {money(floor)} 万元起，不从零起。" if floor else ""
    picture = svg.waterfall(f"{name}-steps", "从现行政策到方案", about, columns, float(floor))
    shares = [f"{payer}_share" for payer in PAYERS]
    rows = [
        [row["title"], *(money(row[c]) for c in ("before", "after")), *_signed(row, ["change", *shares])]
        for row in found.rows
    ]
    sums = {
        c: None
        if any(row[c] is None for row in found.rows)
        else sum((row[c] for row in found.rows), Decimal(0))
        for c in ["change", *shares]
    }
    rows.append(["合计", money(found.start), money(found.end), *_signed(sums, list(sums))])
    heads = ["步骤", "之前", "之后", "增减", *(f"{word}增减" for word in PAYERS.values())]
    return head + _figure(picture, about) + table("", heads, rows, total=True)


def _end(label: str, amount: Decimal) -> svg.Column:
    return svg.Column(label, 0.0, float(amount), money(amount), "end", float(amount))


def _signed(row: dict[str, Decimal | None], columns: list[str]) -> list[str]:
    return [money(row[c], sign=True) for c in columns]


def spread(name: str, version: Version, hidden: bool) -> str:
    """How many applicants gain or lose how much."""
    head, rows = "<h3>各户增减的分布</h3>", version.rows("changes")
    kinds = [
        [KINDS[k], count(r["households"]), money(r["change"], sign=True)]
        for k, r in kinds_of(version).items()
    ]
    told = table("增减户数", ["", "户数", "增减（万元）"], kinds) if kinds else ""
    if not rows:
        return f"{head}<p>无。</p>{told}"
    about = "各档户数；「不变」的户数只列在表里，不画。"
    bars = [
        svg.Bar(row["title"], [_count(row["households"])], f"{count(row['households'])} 户", row["bin"] == 1)
        for row in rows
        if row["bin"] != 0
    ]
    picture = svg.bars(f"{name}-spread", "各户增减的分布", about, bars, [("户数", MIDDLE)])
    shown = [[row["title"], count(row["households"]), money(row["change"], sign=True)] for row in rows]
    return head + _figure(picture, about) + table("", ["增减", "户数", "增减合计（万元）"], shown) + told


def concentration(name: str, version: Version, hidden: bool) -> str:
    """What share the ten with most receive, over all and for the items with most money."""
    head = "<h3>前十户集中度</h3>"
    rows = top_items(version.rows("concentration"), TOP_SHOWN)
    if not rows:
        return f"{head}<p>无。</p>"
    bars, shown = [], []
    for row in rows:
        label = row["item"] or row["title"]
        for side, word in (("before", "现行"), ("after", "方案")):
            part = row[f"share_{side}"]
            name_of = f"{label}　{word}" if side == "before" else word
            fill = [part, None] if side == "before" else [None, part]
            bars.append(svg.Bar(name_of, fill, share(part), side == "before"))
        sides = []
        for side in ("before", "after"):
            figures = [money(row[side]), money(row[f"top_{side}"]), share(row[f"share_{side}"])]
            sides += [count(row[f"households_{side}"]), *figures]
        shown.append([label, row["title"] if row["item"] else "全部条款", *sides])
    about = f"前十户所得占该项应兑付的比例；合计及金额最大的 {TOP_SHOWN} 项，其余见工作簿。"
    legend = [("现行政策", LIGHT), ("方案", MIDDLE)]
    picture = svg.bars(f"{name}-top", "前十户集中度", about, bars, legend, 150, 100)
    heads = ["条款", "事项"]
    heads += [f"{side}{what}" for side in ("现行", "方案") for what in ("户数", "金额", "前十户", "占比")]
    return head + _figure(picture, about) + table("", heads, shown, text=(1,))


def misses(name: str, version: Version, hidden: bool) -> str:
    """What moving each threshold would cost; enterprises are counted, not named."""
    head = "<h3>临界企业：放宽门槛要多少钱</h3>"
    rows = sorted(version.rows("miss_costs"), key=lambda r: (-(r["cost"] or 0), natural(r["item"])))
    if not rows:
        return f"{head}<p>无。</p>"
    bars, shown = [], []
    for row in rows[:MISSES_SHOWN]:
        few = row["households"] is None or (hidden and 0 < row["households"] < LEAST)
        cost, households = (None, None) if few else (row["cost"], row["households"])
        told = f"{money(cost)}（{count(households)} 户）"
        bars.append(svg.Bar(f"{row['item']}　{row['old']}→{row['new']}", [_number(cost)], told))
        others = [HIDDEN, HIDDEN] if few else [money(row["to_admitted"]), money(row["to_others"])]
        words = [row["item"], row["title"], row["clause"], row["old"], row["new"]]
        shown.append([*words, count(households), money(cost), *others])
    about = "只差一个门槛且差得不多的申报人；放宽该门槛时增加的应兑付（万元）和新增户数。"
    rest = len(rows) - len(shown)
    about += f"只列增加最多的 {len(shown)} 项，另 {rest} 项见工作簿。" if rest else ""
    picture = svg.bars(f"{name}-misses", "放宽门槛要多少钱", about, bars, [("增加支出", MIDDLE)], 330, 230)
    heads = ["条款", "事项", "门槛", "现行标准", "放宽到", "新增户数", "增加支出", "其中新进", "其他申报人"]
    return head + _figure(picture, about) + table("", heads, shown, text=(1, 2, 3, 4))


def tornado(name: str, version: Version, hidden: bool) -> str:
    """What a nudge of each term moves, the largest first; nothing where it was not tried."""
    found = sorted(version.rows("sensitivity"), key=lambda r: (-reached(r), natural(r["item"]), r["term"]))
    if not found:
        return ""
    rows = found[:NUDGES_SHOWN]
    bars = [
        (
            f"{row['item']} {row['term']}",
            *(_number(row["change_low"]), money(row["change_low"], sign=True)),
            *(_number(row["change_high"]), money(row["change_high"], sign=True)),
        )
        for row in rows
    ]
    about = "各项标准调低、调高一成（或一级）时应兑付的增减（万元），影响大的在前。"
    rest = len(found) - len(rows)
    about += f"另 {rest} 项见工作簿。" if rest else ""
    legend = [("调低", LESS), ("调高", MORE)]
    picture = svg.both_ways(f"{name}-nudges", "敏感性", about, bars, legend)
    shown = [
        [
            *(f"{row['item']} {row['term']}", row["title"]),
            *(value_of(row["low_value"]), value_of(row["high_value"])),
            *(money(row["change_low"], sign=True), money(row["change_high"], sign=True)),
        ]
        for row in rows
    ]
    heads = ["标准", "事项", "调低到", "调高到", "调低：增减", "调高：增减"]
    return "<h3>敏感性</h3>" + _figure(picture, about) + table("", heads, shown, text=(1, 2, 3))


def _figure(picture: str, about: str) -> str:
    return f"<figure>{picture}<figcaption>{escaped(about)}</figcaption></figure>"


def _number(yuan: Decimal | None) -> float | None:
    return None if yuan is None else float(yuan)


def _count(number: int | None) -> float | None:
    return None if number is None else float(number)
