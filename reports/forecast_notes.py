"""Sheets beside the amounts: statutory ranges, targets, assumptions, sources of the band, backtest, 说明."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from reports.fans import place, shares_chart
from reports.forecast_sheets import Figures, in_wan, natural, table
from reports.overview import REGISTRY_TITLES
from reports.sheets import Book, Column, Kind, Sheet
from schemas.districts import DISTRICTS
from schemas.outputs import SOURCES

_ITEM, _MATTER = Column("条款", 9), Column("事项", 36, "wide")


def ranges_sheet(book: Book, manifest: Mapping[str, Any]) -> None:
    """仅有法定区间: what comes on top of the totals, by name."""
    columns = [
        *(_ITEM, _MATTER),
        Column("奖补年度", 10, "index"),
        Column("支付年度", 10, "index"),
        Column("预计笔数", 10, "number"),
        Column("法定下限（已计入）", 15, "wan"),
        Column("法定上限", 15, "wan"),
        Column("最多另增", 15, "wan"),
        Column("说明", 34, "wide"),
    ]
    sheet = Sheet(book, "仅有法定区间", columns)
    sheet.title("没有核定历史和一事一议的事项")
    sheet.line(
        "没有核定历史的，金额无从估计：各表的均值和分位数只计法定下限，「最多另增」不在其内。"
        "一事一议和没有标准的，完全不在各表内。"
    )
    sheet.line("单位：万元", "right")
    sheet.header()
    lag = manifest["payment_lag"]

    def row(entry: Mapping[str, Any], *amounts: Any) -> list[Any]:
        year = entry["award_year"]
        return [entry["item"], entry["title"], year, year + lag, entry["lines"], *amounts]

    sheet.line("一、没有核定历史，只有法定区间", bold=True)
    ranges = sorted(manifest["range_only"], key=lambda e: natural(e["item"]))
    for year in sorted({e["award_year"] for e in ranges}):
        of_year = [e for e in ranges if e["award_year"] == year]
        sheet.rows(
            row(e, in_wan(e["low"]), in_wan(e["high"]), in_wan(e["high"] - e["low"]), None) for e in of_year
        )
        low, high = bounds(of_year)
        sheet.total(
            ["合计", None, year, year + lag, None, in_wan(low), in_wan(high), in_wan(high - low), None]
        )
    if not ranges:
        sheet.line("无。")
    sheet.line("二、一事一议和没有标准的事项，金额另定，不设区间", bold=True)
    talks = sorted(manifest["open_ended"], key=lambda e: (e["award_year"], natural(e["item"])))
    sheet.rows(row(e, None, None, None, e["why"]) for e in talks)
    if not talks:
        sheet.line("无。")


def bounds(entries: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The statutory range of entries together (yuan)."""
    return float(sum(e["low"] for e in entries)), float(sum(e["high"] for e in entries))


def targets_sheet(book: Book, manifest: Mapping[str, Any]) -> None:
    """目标与趋势: the counts expected, by target and by trend, and which was taken."""
    columns = [
        *(_ITEM, _MATTER),
        Column("奖补年度", 10, "index"),
        Column("趋势", 11, "number"),
        Column("目标", 11, "number"),
        Column("采用", 10, "index"),
        Column("来源", 56, "wide"),
    ]
    sheet = Sheet(book, "目标与趋势", columns)
    sheet.title("预计户数、笔数：目标与趋势")
    sheet.line("单位：户、笔（每年）", "right")
    sheet.header()
    words = {"target": "目标", "trend": "趋势"}
    sheet.rows(
        [
            p["item"],
            p["title"],
            p["award_year"],
            p["trend"],
            p["target"],
            words.get(p["used"], p["used"]),
            p["source"],
        ]
        for p in sorted(manifest["paths"], key=lambda p: (natural(p["item"]), p["award_year"]))
    )
    if not manifest["paths"]:
        sheet.line("无。")
    sheet.blank()
    sheet.line("读取目标表时的发现", bold=True)
    for number, text in enumerate(manifest["targets"] or ["无。"], 1):
        sheet.line(f"{number}. {text}" if manifest["targets"] else text)


def assumptions_sheet(book: Book, manifest: Mapping[str, Any]) -> None:
    """假设: what was assumed, its value and where it is from."""
    columns = [Column("假设", 46, "wide"), Column("取值", 36, "wide"), Column("来源", 60, "wide")]
    sheet = Sheet(book, "假设", columns)
    sheet.title("预测所依的假设")
    sheet.header()
    sheet.rows([a["what"], str(a["value"]), a["source"]] for a in manifest["assumptions"])
    if not manifest["assumptions"]:
        sheet.line("无。")


def sources_sheet(book: Book, manifest: Mapping[str, Any], figures: Figures) -> None:
    """带宽来源: shares of the variance by year with a chart, and what other readings would change."""
    found = {(s["pay_year"], SOURCES.get(s["source"], s["source"])): s for s in manifest["sources"]}
    names = [n for n in SOURCES.values() if any(n == source for _, source in found)]
    names += sorted({source for _, source in found} - set(names))
    extra = max(0, len(names) - 6)
    widths = [Column("", 34, "wide"), Column("", 22, "wide"), Column("", 22, "wide")]
    sheet = Sheet(book, "带宽来源", widths + [Column("", 16)] * (3 + figures.has_prefecture + extra))
    sheet.title("带宽来源与口径影响")
    sheet.rows([])  # nothing is to freeze here
    sheet.line("一、合计的方差有多少来自各来源", bold=True)
    if found:
        sheet.line("「交互」为几种来源同时变动、不能单独归到一处的部分，可以为负。抽样误差由模拟次数决定。")
        years = sorted({year for year, _ in found})
        first = sheet.row + 2
        shares = [[f"{y}年支付", *(_of(found, y, n, "share") for n in names)] for y in years]
        errors = [[f"{y}年支付（抽样误差，±）", *(_of(found, y, n, "error") for n in names)] for y in years]
        heads: list[tuple[str, Kind]] = [("支付年度", "text"), *((name, "percent") for name in names)]
        table(sheet, heads, shares + errors)
        sheet.blank()
        chart, height = shares_chart(sheet, names, first, first + len(years) - 1), 8 + 2 * len(years)
        place(sheet, chart, (0.1, 0.9), sheet.row + 1, height)
        sheet.blank(height + 1)
    else:
        sheet.line("无。")
    sheet.line("二、改用另一口径，基准年应兑付增减多少（万元）", bold=True)
    payers = {"total": "合计", "city": "市级", "district": "区镇"}
    payers |= {"prefecture": "苏州市级"} if figures.has_prefecture else {}
    columns: list[tuple[str, Kind]] = [("口径", "wide"), ("现行取值", "wide"), ("另一取值", "wide")]
    columns += [(name, "wan") for name in payers.values()]
    effects = sorted(manifest["readings_effect"], key=lambda e: -abs(e["total"]))
    if effects:
        rows = [
            [e["title"], str(e["default"]), str(e["alternative"]), *(in_wan(e[payer]) for payer in payers)]
            for e in effects
        ]
        table(sheet, columns, rows)
    else:
        sheet.line("无。")


def _of(found: Mapping[tuple[int, str], Any], year: int, name: str, what: str) -> float | None:
    entry = found.get((year, name))
    return None if entry is None else entry[what]


def backtest_sheet(book: Book, manifest: Mapping[str, Any], backtest: pl.DataFrame) -> None:
    """回测: how the methods would have done, and every forecast beside what came."""
    figures = ("实际", "预测均值", "P10", "P50", "P90")
    columns = [
        Column("条款", 10),
        Column("区镇", 18),
        Column("起点", 10, "index"),
        Column("预测年", 10, "index"),
    ]
    columns += [Column(name, 14, "wan") for name in figures]
    columns += [Column("在 P10–P90 内", 9, "index"), Column("误差", 10, "percent")]
    columns += [Column("上年数", 14, "wan"), Column("上年数×平均增幅", 14, "wan")]
    sheet = Sheet(book, "回测", columns)
    sheet.title("回测：用以往年度检验预测方法")
    sheet.line(
        "站在以往某年（起点），只用到该年为止的数据预测以后各年，再与实际比较。条款按各年测算，不论政策有效期。"
    )
    sheet.blank()
    results = manifest["backtest"] or {}
    if results:
        sheet.line("一、各方法的误差", bold=True)
        sheet.line(
            "平均误差：预测与实际相差的比例，不论正负，取平均；偏差：正为高估；分位损失（万元）：兼顾各分位数，越小越好。"
        )
        heads: list[tuple[str, Kind]] = [("条款", "text"), ("方法", "text"), ("范围", "text")]
        heads.append(("平均误差", "percent"))
        table(sheet, [*heads, ("偏差", "percent"), ("分位损失", "wan")], _methods(results))
        for item, result in results.items():
            sheet.line(_coverage(item, result))
        sheet.blank()
    sheet.line("二、逐起点、逐区镇", bold=True)
    sheet.line("单位：万元", "right")
    sheet.header(freeze=False)
    sheet.worksheet.print_title_rows = f"{sheet.row}:{sheet.row}"
    rows = sorted(backtest.iter_rows(named=True), key=_in_order)
    sheet.rows(_tested(row) for row in rows)


def _methods(results: Mapping[str, Any]) -> list[list[Any]]:
    return [
        [item, m["method"], m["level"], m["mape"], m["bias"], in_wan(m["pinball"])]
        for item, result in results.items()
        for m in result["methods"]
    ]


def _coverage(item: str, result: Mapping[str, Any]) -> str:
    """How often the actual lay in the band, and what that means to a budget."""
    covered = result["coverage"]
    if covered is None:
        return f"{item}：没有可判断的预测。"
    low, high = result["coverage_low"], result["coverage_high"]
    interval = "" if low is None or high is None else f"（置信区间 {low:.1%} 至 {high:.1%}）"
    if not interval:
        verdict = "次数太少，不作判断"
    elif high < 0.8:
        verdict = "低于应有的 80%：带宽偏窄，编预算宜取 P90 以上"
    elif low > 0.8:
        verdict = "高于应有的 80%：带宽偏宽，实际多半比两端更靠近中间"
    else:
        verdict = "与应有的 80% 没有矛盾：带宽可用"
    return (
        f"{item}：{result['origins']:,} 个起点共 {result['cells']:,} 个预测，实际落在 P10–P90 内的占 {covered:.1%}"
        f"{interval}，{verdict}。"
    )


def _in_order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """By item and year, the nine 区镇 in their order, the city last."""
    district = row["district"]
    place_of = DISTRICTS.index(district) if district in DISTRICTS else len(DISTRICTS) + (district is None)
    return natural(row["item"]), row["origin"], row["year"], place_of


def _tested(row: Mapping[str, Any]) -> list[Any]:
    actual, mean = row["actual"], row["mean"]
    inside = "是" if row["P10"] <= actual <= row["P90"] else "否"
    amounts = [in_wan(row[name]) for name in ("actual", "mean", "P10", "P50", "P90")]
    before = [in_wan(row["last_year"]), in_wan(row["last_year_grown"])]
    error = mean / actual - 1 if actual else None
    return [
        row["item"],
        row["district"] or "全市",
        row["origin"],
        row["year"],
        *amounts,
        inside,
        error,
        *before,
    ]


def notes_sheet(book: Book, manifest: Mapping[str, Any], today: str) -> None:
    """说明: what the forecast rests on, and blanks to sign."""
    sheet = Sheet(book, "说明", [Column("", 30, "wide"), Column("", 78, "wide")], landscape=False)
    sheet.title("奖补资金需求预测说明")
    sections = {title: pairs for title, pairs in _sections(manifest, today).items() if pairs}
    for number, (title, pairs) in enumerate(sections.items()):
        sheet.line(f"{'一二三四五六七'[number]}、{title}", bold=True)
        sheet.rows(pairs)
        sheet.blank()
    sheet.line("编制：　　　　　　　　　复核：　　　　　　　　　审批：　　　　　　　　　日期：　　　　　　")


def _sections(manifest: Mapping[str, Any], today: str) -> dict[str, list[tuple[str, str]]]:
    catalogue = manifest["catalogue"]
    changes = [(s["name"], f"SHA-256 {s['sha256'][:16]}…") for s in manifest["scenarios"]]
    changes += [(f"改动 {n}", text) for n, text in enumerate(manifest["changes"], 1)]
    return {
        "政策依据": [(f"政策{p['policy']}", _policy(p)) for p in manifest["policies"]],
        "执行口径": [(r["title"], str(r["value"])) for r in manifest["readings"]],
        "情景方案": changes,
        "数据来源": [
            (
                REGISTRY_TITLES.get(i["registry"], i["registry"]),
                f"{i['file']}（{i['bytes']:,} 字节，SHA-256 {i['sha256'][:16]}…）",
            )
            for i in manifest["inputs"]
        ],
        "读取提示": [(str(n), text) for n, text in enumerate(manifest["notes"], 1)],
        "模拟": [
            ("基准年、预测年数", f"{manifest['year']} 年，{manifest['horizon']} 年"),
            ("模拟次数、随机种子", f"{manifest['draws']:,} 次，种子 {manifest['seed']}（相同种子结果相同）"),
            ("支付年度", f"奖补年度后 {manifest['payment_lag']} 年支付"),
        ],
        "版本": [
            ("参数版本", f"条款目录 {catalogue['version']}，共 {catalogue['items']} 条"),
            ("软件版本", f"兑现 {manifest['software']['version']}"),
            ("生成日期", today),
            ("金额单位", "万元；预测为估计数，明细见同一文件夹的 Parquet 文件（元）"),
        ],
    }


def _policy(policy: Mapping[str, Any]) -> str:
    window = f"{policy['from']} 至 {policy['to']}" if policy["from"] or policy["to"] else "未定有效期"
    return f"{policy['title']}，{window}{'' if policy['enabled'] else '（未执行）'}"
