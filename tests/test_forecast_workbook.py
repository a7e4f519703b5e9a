"""The forecast's workbook: figures that agree with the frame, charts that cover their data, sentences."""

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.chart import AreaChart, BarChart
from openpyxl.workbook import Workbook

from reports.forecast import conclusion, say, write_forecast
from schemas.districts import DISTRICTS
from schemas.outputs import BACKTEST, FORECAST, OUTLOOKS, QUANTILES

SHEETS = [
    "结论",
    "分年度",
    "分区镇",
    "分条",
    "分条款",
    "仅有法定区间",
    "目标与趋势",
    "假设",
    "带宽来源",
    "回测",
    "说明",
]
SHEETS += ["图表数据"]
ITEMS = {
    "A4.03": ("高新技术企业首次认定", 4, "cohort", 30e6),
    "A4.06": ("高新技术企业研发费用奖励", 4, "simulated", 64e6),
    "A11.02": ("工业投资设备补助", 11, "simulated", 41e6),
    "A16.01": ("总部企业经营贡献奖励，按年度分期兑付，前三年全额、后两年减半", 16, "promised", 9e6),
    "A18.02": ("双创人才项目资助", 18, "counted", 12.3456e6),
}
RUN_OFF = {"promised": 0.8, "cohort": 0.0, "simulated": 0.0, "counted": 0.25}
SHARES = {"city": 0.6, "district": 0.4}
WIDTHS = {"P5": -1.64, "P10": -1.28, "P25": -0.67, "P50": -0.02, "P75": 0.66, "P90": 1.3, "P95": 1.7}


def spread(mean: float, width: float) -> dict[str, float]:
    """A mean with quantiles about it."""
    at = {name: round(mean * max(0.0, 1 + width * z), 2) for name, z in WIDTHS.items()}
    low, high = round(mean * 0.9, 2), round(mean * 1.25, 2)
    return {"mean": round(mean, 2), **at, "statutory_low": low, "statutory_high": high}


def frame(horizon: int = 3, prefecture: float = 0.0) -> pl.DataFrame:
    """A forecast of payment years from 2024 on, at every level; the policy ends with those of 2025."""
    rows: list[dict[str, Any]] = []
    sums: dict[tuple[Any, ...], float] = {}
    shares = SHARES | {"prefecture": prefecture}
    cells = [(o, y, p) for o in OUTLOOKS for y in range(2024, 2024 + horizon) for p in shares]
    for outlook, year, payer in cells:
        for item, (title, article, basis, base) in ITEMS.items():
            later = max(0, year - 2025)
            factor = 1.08**later if outlook == "renewed" else RUN_OFF[basis] ** later
            for place, district in enumerate(DISTRICTS):
                mean = base * factor * shares[payer] * (9 - place) / 45 * (1.06 if year == 2025 else 1)
                named = {"policy": "A", "article": article, "item": item, "title": title, "lines": 3.25}
                row = {"outlook": outlook, "award_year": year - 1, "pay_year": year, "payer": payer}
                rows.append(row | named | {"district": district, "basis": basis} | spread(mean, 0.3))
                for who in (payer, None):
                    for key in (
                        (None, None, None),
                        (district, None, None),
                        (None, article, None),
                        (district, article, None),
                        (None, article, item),
                    ):
                        sums[outlook, year, who, *key] = sums.get((outlook, year, who, *key), 0.0) + mean
    for (outlook, year, who, in_district, of_article, of_item), mean in sums.items():
        row = {"outlook": outlook, "pay_year": year, "payer": who, "lines": 12.5, "district": in_district}
        row |= {"policy": "A" if of_article else None, "article": of_article, "item": of_item}
        row |= {"title": ITEMS[of_item][0] if of_item else None}
        whole = in_district is None and of_article is None
        rows.append(row | spread(mean, 0.08 if whole else 0.15))
    return pl.DataFrame([dict.fromkeys(FORECAST) | row for row in rows], schema=FORECAST)


def backtest_frame() -> pl.DataFrame:
    """A backtest of one item from three origins, by district and for the city."""
    rows: list[dict[str, Any]] = []
    for origin in (2020, 2021, 2022):
        for place, district in enumerate([*DISTRICTS, None]):
            actual = (place + 1) * 1e6 * (1 + 0.1 * (origin - 2020))
            row = {
                "item": "A4.06",
                "origin": origin,
                "year": origin + 1,
                "district": district,
                "actual": actual,
            }
            row |= {"last_year": actual * 0.9, "last_year_grown": actual * 1.05}
            rows.append(
                row | {k: v for k, v in spread(actual * (0.85 + 0.04 * place), 0.12).items() if k in BACKTEST}
            )
    return pl.DataFrame(rows, schema=BACKTEST)


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest with every key of the contract."""
    years = (2024, 2025, 2026)
    shares = {"共同增长": 0.62, "企业自身增长": 0.11, "户数笔数": 0.16, "核定金额": 0.13, "交互": -0.02}
    window = {"from": "2023-01-01", "to": "2024-12-31", "enabled": True}
    ranged = {"item": "A7.03", "title": "孵化器、众创空间认定奖励", "lines": 9.0, "low": 0.0, "high": 9e6}
    effect = {"title": "研发费用增长额是否含委托研发", "default": "含", "alternative": "不含，仅计自主研发"}
    methods = [
        ("model", 0.123, -0.02, 21e4),
        ("last_year", 0.2, -0.1, 4e5),
        ("last_year_grown", 0.17, 0.05, 3e5),
    ]
    return {
        "year": 2023,
        "horizon": 3,
        "draws": 2000,
        "seed": 7,
        "payment_lag": 1,
        "changes": [],
        "policies": [
            {"policy": "A", "title": "示例产业政策若干意见", **window},
            {"policy": "B", "title": "示例市级征求意见稿", "from": None, "to": None, "enabled": False},
        ],
        "scenarios": [],
        "catalogue": {"version": "2024.1", "items": 283},
        "software": {"name": "duixian", "version": "0.1.0"},
        "inputs": [
            {"registry": "rnd", "file": "研发费用.xlsx", "bytes": 123456, "sha256": "ab" * 32},
            {"registry": "targets", "file": "目标表.csv", "bytes": 4567, "sha256": "cd" * 32},
        ],
        "readings": [{"key": "growth", "title": "研发费用增长额的计算", "value": "与上年相比"}],
        "notes": ["研发费用.xlsx：第 12 行合计与明细相差 0.01 万元。"],
        "assumptions": [
            {"what": "高新技术企业证书到期后重新认定的比例", "value": "70%", "source": "登记表 2020—2022 年"},
            {"what": "共同增长的标准差", "value": 0.06, "source": "面板不足四年，为假设，可在情景方案中改"},
        ],
        "range_only": [ranged | {"award_year": y} for y in (2023, 2024)]
        + [ranged | {"item": "A10.08", "title": "=标准", "award_year": 2023, "low": 6e5, "high": 1e6}],
        "open_ended": [
            {
                "item": "A2.01",
                "title": "重大项目",
                "award_year": 2023,
                "lines": 2.0,
                "why": "由市政府「一事一议」确定",
            }
        ],
        "paths": [
            {
                "item": "A4.03",
                "title": "高新技术企业首次认定",
                "award_year": y,
                "used": "target" if y < 2025 else "trend",
            }
            | {
                "trend": 310.5,
                "target": 300.0 if y < 2025 else None,
                "source": "表E第12行：净增数加到期未重新认定数",
            }
            for y in (2023, 2024, 2025)
        ],
        "absent": ["没有设备投入登记表，A11.02 的今后负担未计入。"],
        "targets": ["表D「独角兽」一行有十格，多出的末格「--」已去掉。"],
        "sources": [
            {"source": source, "pay_year": year, "share": share, "error": 0.015}
            for year in years
            for source, share in shares.items()
        ],
        "readings_effect": [effect | {"total": -3.2e6, "city": -2e6, "district": -1.2e6, "prefecture": 0.0}],
        "backtest": {
            "A4.06": {
                "methods": [
                    dict(zip(("method", "mape", "bias", "pinball"), m, strict=True)) | {"level": "全市"}
                    for m in methods
                ],
                "coverage": 0.778,
                "coverage_low": 0.59,
                "coverage_high": 0.89,
                "cells": 27,
                "origins": 3,
            }
        },
        **changes,
    }


def written(
    folder: Path, forecast: pl.DataFrame, tested: pl.DataFrame | None = None, **changes: Any
) -> Workbook:
    path = folder / "forecast.xlsx"
    write_forecast(path, forecast=forecast, backtest=tested, manifest=manifest(**changes), today="2024-01-15")
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    return written(tmp_path_factory.mktemp("forecast"), frame(), backtest_frame())


def table(book: Workbook, sheet: str, heading: str, block: str | None = None) -> list[dict[str, Any]]:
    """The rows below the first header with `heading` (after the line `block`), to the next merged line."""
    page = book[sheet]
    merged = {r.min_row for r in page.merged_cells.ranges}
    start = 1
    if block:
        start = next(c.row for c in page["A"] if isinstance(c.value, str) and c.value.startswith(block)) + 1
    headers = [c for row in page.iter_rows() for c in row if c.value == heading]
    header = next((c for c in headers if c.row >= start), headers[0])
    names = [c.value for c in page[header.row]]
    rows: list[dict[str, Any]] = []
    for number in range(max(start, header.row + 1), page.max_row + 1):
        if number in merged:
            if rows:
                break
            continue
        rows.append(dict(zip(names, (c.value for c in page[number]), strict=True)))
    return [row for row in rows if row[names[0]] not in (None, names[0])]


def texts(book: Workbook, sheet: str) -> str:
    return "\n".join(str(c.value) for row in book[sheet].iter_rows() for c in row if isinstance(c.value, str))


def figure(forecast: pl.DataFrame, column: str, **at: Any) -> float:
    """The only row with these keys, every other key null, in 万元 as shown."""
    keys = ("award_year", "basis", "payer", "district", "policy", "article", "item")
    cell = forecast.filter(pl.col("outlook") == at.pop("outlook"), pl.col("pay_year") == at.pop("year"))
    cell = cell.filter(pl.col(k) == at[k] if k in at else pl.col(k).is_null() for k in keys)
    yuan = Decimal(str(cell[column].item()))
    return float((yuan / 10000).quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_sheets_in_order_and_print_ready(book: Workbook) -> None:
    assert book.sheetnames == SHEETS
    for page in book.worksheets:
        assert page.page_setup.paperSize == 9 and page.page_setup.fitToWidth == 1
        assert page.page_setup.orientation == ("portrait" if page.title == "说明" else "landscape")
        assert "&P" in page.oddFooter.center.text
    assert book["分年度"].freeze_panes and book["分条款"].print_title_rows


def test_no_formulas_and_text_stays_text(book: Workbook) -> None:
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(cell.value == "=标准" and cell.data_type == "s" for cell in cells)


def test_years_agree_with_the_frame(book: Workbook) -> None:
    forecast = frame()
    names = {"均值": "mean", "法定下限": "statutory_low", "法定上限": "statutory_high"}
    names |= {q: q for q in ("P5", "P10", "P50", "P90", "P95")}
    payers = {"市级": {"payer": "city"}, "区镇": {"payer": "district"}, "合计": {}}
    for outlook, word in OUTLOOKS.items():
        rows = table(book, "分年度", "承担方", f"{word}：")
        assert [(r["支付年度"], r["承担方"]) for r in rows] == [
            (y, p) for y in (2024, 2025, 2026) for p in payers
        ]
        for row in rows:
            at = {"outlook": outlook, "year": row["支付年度"], **payers[row["承担方"]]}
            assert {n: row[n] for n in names} == {n: figure(forecast, c, **at) for n, c in names.items()}
    bold = [c.font.bold for c in book["分年度"]["B"] if c.value == "合计"]
    assert bold == [True] * 6


def test_glance_shows_both_outlooks(book: Workbook) -> None:
    rows = table(book, "结论", "支付年度", "政策续期")
    at = {"outlook": "renewed", "year": 2026}
    assert [row["支付年度"] for row in rows] == [2024, 2025, 2026]
    assert rows[2]["合计 均值"] == figure(frame(), "mean", **at)
    assert rows[2]["区镇 P90"] == figure(frame(), "P90", payer="district", **at)


def test_districts_with_the_citys_own_row_and_the_excess(book: Workbook) -> None:
    forecast = frame()
    at = {"outlook": "current", "year": 2024}
    rows = table(book, "分区镇", "区镇负担 均值", "2024年支付（现行政策）")
    assert [row["区镇"] for row in rows] == [*DISTRICTS, "全市"]
    for row in rows[:-1]:
        cell = at | {"district": row["区镇"]}
        assert row["区镇负担 P90"] == figure(forecast, "P90", payer="district", **cell)
        assert row["市级负担 均值"] == figure(forecast, "mean", payer="city", **cell)
    whole = figure(forecast, "P90", payer="district", **at)
    assert rows[-1]["区镇负担 P90"] == whole
    added = sum(row["区镇负担 P90"] for row in rows[:-1])
    line = next(t for t in texts(book, "分区镇").split("\n") if t.startswith("各区镇负担的 P90 相加为"))
    said = [float(n.replace(",", "")) for n in re.findall(r"([\d,.]+) 万元", line)]
    assert said == pytest.approx([added, whole, added - whole], abs=0.06) and added > whole


def test_articles_and_items_agree_and_renewal_is_not_repeated(book: Workbook) -> None:
    forecast = frame()
    at = {"outlook": "current", "year": 2025}
    articles = table(book, "分条", "合计 均值", "2025年支付（现行政策）")
    assert [row["条"] for row in articles] == ["A第4条", "A第11条", "A第16条", "A第18条", "合计"]
    assert articles[1]["市级 P10"] == figure(forecast, "P10", payer="city", policy="A", article=11, **at)
    assert articles[-1]["合计 P90"] == figure(forecast, "P90", **at)
    items = table(book, "分条款", "合计 均值", "2025年支付（现行政策）")
    assert [row["条款"] for row in items] == [*ITEMS, "合计"]
    one = at | {"policy": "A", "article": 18, "item": "A18.02"}
    assert items[4]["合计 P50"] == figure(forecast, "P50", **one)
    assert items[4]["区镇 均值"] == figure(forecast, "mean", payer="district", **one)
    assert items[4]["测算方法"] == "户数×金额" and items[4]["预计笔数"] == 12.5
    for sheet in ("分区镇", "分条", "分条款"):
        assert "2024、2025年支付：政策续期与现行政策相同" in texts(book, sheet)
        assert "2026年支付（政策续期）" in texts(book, sheet)
        assert "2024年支付（政策续期）" not in texts(book, sheet)
    run_off = table(book, "分条款", "合计 均值", "2026年支付（现行政策）")
    assert [row["条款"] for row in run_off] == ["A16.01", "A18.02", "合计"]


def test_an_items_row_need_not_name_its_article(tmp_path: Path, book: Workbook) -> None:
    of_item = pl.col("item").is_not_null() & pl.col("award_year").is_null()
    bare = frame().with_columns(pl.when(~of_item).then(pl.col(c)).alias(c) for c in ("policy", "article"))
    again = written(tmp_path, bare, backtest_frame())
    for sheet in ("分条", "分条款"):
        assert list(again[sheet].values) == list(book[sheet].values)


def test_ranges_are_summed_by_year_and_say_what_may_come_on_top(book: Workbook) -> None:
    rows = table(book, "仅有法定区间", "条款", "一、")
    lines = [(r["条款"], r["奖补年度"]) for r in rows if r["条款"] != "合计"]
    assert lines == [("A7.03", 2023), ("A10.08", 2023), ("A7.03", 2024)]
    sums = ("支付年度", "法定下限（已计入）", "法定上限", "最多另增")
    totals = [tuple(r[name] for name in sums) for r in rows if r["条款"] == "合计"]
    assert totals == [(2024, 60, 1000, 940), (2025, 0, 900, 900)]
    assert table(book, "仅有法定区间", "条款", "二、")[0]["说明"] == "由市政府「一事一议」确定"


def test_notes_targets_assumptions_and_backtest(book: Workbook) -> None:
    path = table(book, "目标与趋势", "采用")
    assert [(p["趋势"], p["目标"], p["采用"]) for p in path][1:] == [
        (310.5, 300, "目标"),
        (310.5, None, "趋势"),
    ]
    assert "1. 表D「独角兽」" in texts(book, "目标与趋势")
    assert [r["取值"] for r in table(book, "假设", "取值")] == ["70%", "0.06"]
    assert table(book, "带宽来源", "口径")[0]["区镇"] == -120
    shares = table(book, "带宽来源", "共同增长")
    assert [r["支付年度"] for r in shares][:1] == ["2024年支付"] and shares[0]["交互"] == -0.02
    results = table(book, "回测", "实际")
    assert len(results) == 30 and {r["在 P10–P90 内"] for r in results} == {"是", "否"}
    assert results[9]["区镇"] == "全市" and results[0]["实际"] == 100
    assert (
        "27 个预测，实际落在 P10–P90 内的占 77.8%（置信区间 59.0% 至 89.0%），与应有的 80% 没有矛盾"
        in texts(book, "回测")
    )
    for text in (
        "示例市级征求意见稿，未定有效期（未执行）",
        "2,000 次，种子 7",
        "第 12 行合计",
        "编制：",
        "2024-01-15",
        "研发投入",
    ):
        assert text in texts(book, "说明")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.4, 0.7, "带宽偏窄"), (0.85, 0.99, "带宽偏宽"), (None, None, "不作判断")],
)
def test_coverage_is_told_in_words(
    tmp_path: Path, low: float | None, high: float | None, verdict: str
) -> None:
    results = manifest()["backtest"]
    results["A4.06"] |= {"coverage_low": low, "coverage_high": high}
    assert verdict in texts(written(tmp_path, frame(1), backtest_frame(), backtest=results), "回测")


def references(chart: Any) -> list[str]:
    parts = [chart, *[c for c in chart._charts if c is not chart]]
    return [series.val.numRef.f for part in parts for series in part.series]


@pytest.mark.parametrize("horizon", [1, 3, 5])
def test_fans_cover_their_data(tmp_path: Path, horizon: int) -> None:
    forecast = frame(horizon)
    book = written(tmp_path, forecast)
    charts = book["结论"]._charts + book["分区镇"]._charts
    assert len(charts) == 2 + 9
    data = book["图表数据"]
    names = ["市级负担（万元）", "区镇负担（万元）", *(f"{d}负担（万元）" for d in DISTRICTS)]
    cells = [{"payer": p} for p in SHARES] + [{"payer": "district", "district": d} for d in DISTRICTS]
    for number, (chart, name, at) in enumerate(zip(charts, names, cells, strict=True)):
        assert isinstance(chart, BarChart if horizon == 1 else AreaChart)
        first = 5 + number * horizon
        to = "" if horizon == 1 else f":${{0}}${first + horizon - 1}"
        assert references(chart) == [f"'图表数据'!${c}${first}{to.format(c)}" for c in "CDEFGHIJ"]
        assert chart.series[0].graphicalProperties.noFill
        for row, year in enumerate(range(2024, 2024 + horizon), first):
            values = [cell.value for cell in data[row]]
            assert values[:2] == [name, year]
            edges = [values[2]]
            for step in values[3:8]:
                edges.append(round(edges[-1] + step, 2))
            quantiles = [q for q in QUANTILES if q != "P50"]
            where = {"outlook": "current", "year": year, **at}
            assert edges == [figure(forecast, q, **where) for q in quantiles]
            assert values[8] == figure(forecast, "P50", **where)
            assert values[9] == figure(forecast, "P50", **where | {"outlook": "renewed"})


def test_chart_of_sources_covers_all_years(book: Workbook) -> None:
    (chart,) = book["带宽来源"]._charts
    first = next(c.row for c in book["带宽来源"]["A"] if c.value == "2024年支付")
    assert references(chart) == [f"'带宽来源'!${c}${first}:${c}${first + 2}" for c in "BCDEF"]
    assert book["带宽来源"].cell(first + 2, 1).value == "2026年支付"


def test_suzhou_only_where_it_pays(tmp_path: Path, book: Workbook) -> None:
    assert all("苏州市级" not in texts(book, sheet) for sheet in SHEETS)
    forecast = frame(2, prefecture=0.25)
    with_suzhou = written(tmp_path, forecast)
    rows = table(with_suzhou, "分年度", "承担方", "现行政策：")
    assert [row["承担方"] for row in rows[:4]] == ["市级", "区镇", "苏州市级", "合计"]
    for sheet in ("结论", "分区镇", "分条", "分条款", "带宽来源"):
        assert "苏州市级" in texts(with_suzhou, sheet)
    assert "市级、区镇、苏州市级合计需安排" in conclusion(forecast, manifest())[0]


def test_little_to_say(tmp_path: Path) -> None:
    """One year, nothing on top, no backtest, no sources: fewer sheets, and every gap says 无."""
    lists = ("range_only", "open_ended", "paths", "targets", "sources", "readings_effect", "assumptions")
    nothing: dict[str, Any] = {**dict.fromkeys(lists, []), "backtest": {}, "horizon": 1}
    book = written(tmp_path, frame(1), **nothing)
    assert book.sheetnames == [sheet for sheet in SHEETS if sheet != "回测"]
    for sheet in ("仅有法定区间", "目标与趋势", "假设", "带宽来源"):
        assert "无。" in texts(book, sheet)
    assert not book["带宽来源"]._charts
    sentences = conclusion(frame(1), manifest(**nothing))
    assert sentences == [
        "2024年支付，市级、区镇合计需安排 1.56 亿元（80% 的把握在 1.40 亿元至 1.73 亿元之间），其中市级 9,381 万元，"
        "区镇 6,254 万元。",
        "2024年支付的 80% 区间为均值的 -10.2% 至 +10.4%，金额最大的是A第4条（9,400 万元，占 60%）。",
        "政策A于 2024-12-31 到期，至2024年支付尚不受影响，续期与否结果相同。",
    ]


def test_sentences() -> None:
    assert conclusion(frame(4), manifest()) == [
        "2024年支付，市级、区镇合计需安排 1.56 亿元（不含另列事项，80% 的把握在 1.40 亿元至 1.73 亿元之间），"
        "其中市级 9,381 万元，区镇 6,254 万元；另有 2 项没有核定历史，只按法定下限计入，2024年支付最多还要增加 940 万元；"
        "1 项一事一议或没有标准，未计入，须另行预留。",
        "2024年支付的 80% 区间为均值的 -10.2% 至 +10.4%，带宽主要来自「共同增长」（占方差 62%）；"
        "金额最大的是A第4条（9,400 万元，占 60%）。",
        "政策A于 2024-12-31 到期，不续期则此后只付已定事项：2026年支付 1,029 万元（续期则 16,885 万元），"
        "2027年支付 653 万元（续期则 18,236 万元）。",
    ]


def test_many_years_after_the_cliff_are_added_up() -> None:
    third = conclusion(frame(7), manifest())[2]
    assert third.endswith("只付已定事项：2026年至2030年支付合计 2,831 万元（续期则 99,059 万元）。")


def test_only_what_pays_in_the_first_year_is_told_on_top() -> None:
    ranged = [entry for entry in manifest()["range_only"] if entry["item"] == "A7.03"]
    first = conclusion(frame(), manifest(range_only=ranged, open_ended=[]))[0]
    assert first.endswith("；另有 1 项没有核定历史，只按法定下限计入，2024年支付最多还要增加 900 万元。")
    later = [entry for entry in ranged if entry["award_year"] == 2024]
    first = conclusion(frame(), manifest(range_only=later, open_ended=[]))[0]
    assert first.endswith(
        "只按法定下限计入，2024年支付最多还要增加 0 万元，2025年支付最多还要增加 900 万元。"
    )


def test_a_policy_without_an_end_and_one_that_lasts() -> None:
    policies = manifest()["policies"]
    policies[0]["to"] = None
    same = frame().filter(pl.col("outlook") == "current")
    same = pl.concat([same, same.with_columns(outlook=pl.lit("renewed"))])
    assert (
        conclusion(same, manifest(policies=policies))[2] == "现行政策未定截止日期，预测期内续期与否结果相同。"
    )
    policies[0]["to"] = "2030-12-31"
    assert (
        "政策A于 2030-12-31 到期，至2026年支付尚不受影响" in conclusion(same, manifest(policies=policies))[2]
    )


def test_a_reading_that_outweighs_the_band_is_told() -> None:
    effects = manifest()["readings_effect"]
    assert "口径" not in conclusion(frame(), manifest())[1]
    effects[0]["total"] = -30e6
    assert (
        "口径「研发费用增长额是否含委托研发」另取一值影响更大（基准年 -3,000 万元）"
        in (conclusion(frame(), manifest(readings_effect=effects))[1])
    )


def test_amounts_in_words() -> None:
    assert say(123_456_789.0, 98_000_000.0) == ["1.23 亿元", "0.98 亿元"]
    assert say(123_456_789.0, 12_300.0) == ["12,345.68 万元", "1.23 万元"]
    assert say(45_678_900.0) == ["4,568 万元"]
    assert say(0.0, None) == ["0 万元", "0 万元"]
