"""The budget office's workbook of a forecast: what to set aside, how sure, what moves it, and the cliff."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from reports import forecast_notes, forecast_sheets
from reports.fans import Fans, place
from reports.forecast_notes import bounds
from reports.forecast_sheets import Figures, fan, narrow_margins, shown
from reports.sheets import Book, Column, Sheet
from schemas.outputs import OUTLOOKS, PAYERS, SOURCES


def write_forecast(
    path: Path,
    *,
    forecast: pl.DataFrame,
    backtest: pl.DataFrame | None,
    manifest: dict[str, Any],
    today: str,
) -> None:
    """Write the workbook from frames in the shapes FORECAST and BACKTEST; `today` is the day to print."""
    figures = Figures(forecast)
    book, fans = Book(), Fans()
    _conclusion_sheet(book, figures, fans, manifest, conclusion(forecast, manifest))
    forecast_sheets.years_sheet(book, figures)
    forecast_sheets.districts_sheet(book, figures, fans)
    forecast_sheets.articles_sheet(book, figures)
    forecast_sheets.items_sheet(book, figures)
    forecast_notes.ranges_sheet(book, manifest)
    forecast_notes.targets_sheet(book, manifest)
    forecast_notes.assumptions_sheet(book, manifest)
    forecast_notes.sources_sheet(book, manifest, figures)
    if backtest is not None and backtest.height:
        forecast_notes.backtest_sheet(book, manifest, backtest)
    forecast_notes.notes_sheet(book, manifest, today)
    fans.sheet(book)
    book.save(path)


def conclusion(forecast: pl.DataFrame, manifest: dict[str, Any]) -> list[str]:
    """Three sentences: what to set aside first, how sure and what moves it, and what comes when policies end."""
    figures = Figures(forecast)
    if not figures.years:
        return ["没有可预测的支付年度。"]
    return [_first(figures, manifest), _sure(figures, manifest), _cliff(figures, manifest)]


def _first(figures: Figures, manifest: Mapping[str, Any]) -> str:
    year = figures.years[0]
    total = figures.row("total", "current", year, None)
    mean, low, high = say(total["mean"], total["P10"], total["P90"])
    beside = _on_top(manifest, figures.years)
    parts = "，".join(
        PAYERS[payer] + " " + say(figures.row("total", "current", year, payer)["mean"])[0]
        for payer in figures.payers
    )
    alone = "不含另列事项，" if beside else ""
    return (
        f"{year}年支付，{figures.all_payers()}合计需安排 {mean}（{alone}80% 的把握在 {low}至 {high}之间），"
        f"其中{parts}{beside}。"
    )


def _on_top(manifest: Mapping[str, Any], years: Sequence[int]) -> str:
    """What the totals leave out: how far above its low end a range may come, and what is decided case by case."""
    lag = manifest["payment_lag"]
    spread = {}
    for year in years:
        low, high = bounds([e for e in manifest["range_only"] if e["award_year"] + lag == year])
        spread[year] = high - low
    talks = [e for e in manifest["open_ended"] if e["award_year"] + lag in years]
    parts = []
    if any(spread.values()):
        worst = max(spread, key=lambda year: spread[year])
        first = f"{years[0]}年支付最多还要增加 {say(spread[years[0]])[0]}，" if worst != years[0] else ""
        parts.append(
            f"{_count(manifest['range_only'])} 项没有核定历史，只按法定下限计入，{first}"
            f"{worst}年支付最多还要增加 {say(spread[worst])[0]}"
        )
    if talks:
        parts.append(f"{_count(talks)} 项一事一议或没有标准，未计入，须另行预留")
    return f"；另有 {'；'.join(parts)}" if parts else ""


def _count(entries: list[dict[str, Any]]) -> int:
    return len({entry["item"] for entry in entries})


def _sure(figures: Figures, manifest: Mapping[str, Any]) -> str:
    measures = {
        year: [figures.row("total", "current", year, None)[name] or 0.0 for name in ("mean", "P10", "P90")]
        for year in figures.years
    }
    unsure = [year for year, (mean, low, high) in measures.items() if high - low > 0.001 * mean]
    if not unsure:
        return "各支付年度都是已测算定的数，没有不确定性。"
    year = unsure[0]
    mean, low, high = measures[year]
    before = "" if year == figures.years[0] else f"{figures.years[0]}年支付已测算定；"
    parts = [f"{before}{year}年支付的 80% 区间为均值的 {low / mean - 1:+.1%} 至 {high / mean - 1:+.1%}"]
    sources = [s for s in manifest["sources"] if s["pay_year"] == year]
    if sources:
        most = max(sources, key=lambda s: s["share"])
        parts.append(
            f"带宽主要来自「{SOURCES.get(most['source'], most['source'])}」（占方差 {most['share']:.0%}）"
        )
    articles = figures.keys("article", "current", year)
    if articles:
        amount, key = max(
            (figures.row("article", "current", year, None, *k)["mean"] or 0.0, k) for k in articles
        )
        parts.append(f"金额最大的是{key[0]}第{key[1]}条（{say(amount)[0]}，占 {amount / mean:.0%}）")
    effects = manifest["readings_effect"]
    reading = max(effects, key=lambda e: abs(e["total"]), default=None)
    if reading and abs(reading["total"]) > (high - low) / 2:  # a choice of words that outweighs the dice
        parts.append(
            f"口径「{reading['title']}」另取一值影响更大（基准年 {say(reading['total'], sign=True)[0]}）"
        )
    return "；".join(parts).replace("；", "，", 1) + "。"


def _cliff(figures: Figures, manifest: Mapping[str, Any]) -> str:
    ends = {p["policy"]: str(p["to"]) for p in manifest["policies"] if p["enabled"] and p["to"]}
    last = figures.years[-1]
    if not figures.changed:
        if not ends:
            return "现行政策未定截止日期，预测期内续期与否结果相同。"
        names = "、".join(f"政策{policy}于 {to} 到期" for policy, to in ends.items())
        return f"{names}，至{last}年支付尚不受影响，续期与否结果相同。"
    lag = manifest["payment_lag"]
    due = {policy: to for policy, to in ends.items() if int(to[:4]) + lag <= last}
    names = "、".join(f"政策{policy}于 {to} 到期" for policy, to in due.items()) or "政策到期"
    years = figures.changed
    if len(years) > 4:
        owed = [f"{years[0]}年至{last}年支付合计 {_beside(figures, years)}"]
    else:
        owed = [f"{year}年支付 {_beside(figures, [year])}" for year in years]
    return f"{names}，不续期则此后只付已定事项：{'，'.join(owed)}。"


def _beside(figures: Figures, years: list[int]) -> str:
    sums = [
        sum(figures.row("total", outlook, year, None)["mean"] or 0.0 for year in years)
        for outlook in OUTLOOKS
    ]
    return "{}（续期则 {}）".format(*say(*sums))


def say(*amounts: float | None, sign: bool = False) -> list[str]:
    """Amounts in words, in one unit: 亿元 where they are large, else 万元; to what a reader can use."""
    held = [amount or 0.0 for amount in amounts]
    least, most = min(map(abs, held)), max(map(abs, held))
    if most >= 1e8 and least >= 3e7:
        unit, by, digits = "亿元", 1e8, 2
    else:
        whole = least >= 1e6 or all(amount % 1e4 == 0 for amount in held)
        unit, by, digits = "万元", 1e4, 0 if whole else 2
    mark = "+" if sign else ""
    return [f"{amount / by:{mark},.{digits}f} {unit}" for amount in held]


def _conclusion_sheet(
    book: Book, figures: Figures, fans: Fans, manifest: Mapping[str, Any], sentences: list[str]
) -> None:
    """结论: the three sentences, the years at a glance, two fans; on one page."""
    columns = [Column("支付年度", 13, "index")]
    columns += [
        Column(f"{PAYERS[p]} {q}", 12.5, "wan") for p in figures.payers for q in ("P10", "P50", "P90")
    ]
    columns += [Column(f"合计 {head}", 12.5, "wan") for head in ("均值", "P10", "P50", "P90")]
    sheet = Sheet(book, "结论", columns)
    sheet.worksheet.page_setup.fitToHeight = 1
    narrow_margins(sheet)
    ends = dict.fromkeys((figures.years[0], figures.years[-1])) if figures.years else ()
    sheet.title(f"昆山市{'—'.join(map(str, ends))}年产业政策奖补资金需求预测")
    if manifest["scenarios"]:
        sheet.line("情景测算：" + "、".join(s["name"] for s in manifest["scenarios"]), "center", True)
    for number, text in enumerate(sentences, 1):
        sheet.line(f"{number}. {text}")
    for text in manifest["absent"]:
        sheet.line(f"注意：{text}")
    sheet.line("单位：万元", "right")
    sheet.header(freeze=False)
    for outlook, name in OUTLOOKS.items():
        sheet.line(name, bold=True)
        sheet.rows([year, *_glance(figures, outlook, year)] for year in figures.years)
    sheet.line(
        "P10、P50、P90：模拟结果中有 10%、50%、90% 不超过该数；P10 至 P90 即 80% 区间。均值可以相加，分位数不可相加。"
    )
    sheet.blank()
    if figures.years:
        for left, payer in ((0.0, "city"), (0.52, "district")):
            chart = fan(figures, fans, f"{PAYERS[payer]}负担（万元）", payer, "total")
            place(sheet, chart, (left, left + 0.48), sheet.row + 1, 17)


def _glance(figures: Figures, outlook: str, year: int) -> list[Any]:
    row = []
    for payer in figures.payers:
        row += shown(figures.row("total", outlook, year, payer), "P10", "P50", "P90")
    return row + shown(figures.row("total", outlook, year, None), "mean", "P10", "P50", "P90")
