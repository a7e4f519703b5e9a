"""The bureau's workbook of a comparison: 现行政策 beside one or more scenarios."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from reports.comparison_charts import Plots, bridge_sheet, sensitivity_sheet
from reports.comparison_checks import checks_sheet
from reports.comparison_lists import households_sheet, misses_sheet
from reports.comparison_sides import concentration_sheet, envelopes_sheet, forecast_sheet, sides_sheets
from reports.forecast_sheets import narrow_margins
from reports.sheets import Book, Column, Sheet, wan
from reports.versions import HIDDEN, Row, Version, sentences, versions
from schemas.outputs import PAYERS


def write_comparison(path: Path, told: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> None:
    """Write the workbook from what is told of the comparison and frames in the shapes of schemas.comparing.

    Several scenarios have a frame each, under `<scenario>/<frame>`. Whatever is absent is left out.
    """
    book, plots, found = Book(), Plots(), versions(told, frames)
    _conclusion_sheet(book, told, found)
    sides_sheets(book, told, found)
    households_sheet(book, told, found)
    concentration_sheet(book, found)
    misses_sheet(book, found)
    bridge_sheet(book, plots, found)
    envelopes_sheet(book, found)
    sensitivity_sheet(book, found)
    forecast_sheet(book, told, found)
    checks_sheet(book, told, found)
    plots.sheet(book)
    book.save(path)


def _conclusion_sheet(book: Book, told: Mapping[str, Any], found: Sequence[Version]) -> None:
    """结论: three sentences a scenario, the totals at a glance, what each changes, and what was assumed."""
    columns = [Column("", 30, "wide"), Column("应兑付", 15, "wan"), Column("增减", 14, "wan")]
    columns += [Column("增减%", 10, "percent")]
    columns += [Column(f"{name}增减", 14, "wan") for name in PAYERS.values()]
    columns += [Column("受益户数", 11, "count"), Column("金额变化户数", 11, "count")]
    sheet = Sheet(book, "结论", columns)
    narrow_margins(sheet)
    sheet.title(f"{told['year']}年度产业政策奖补方案比较")
    sheet.line(_baseline(told), "center")
    if told.get("suppressed"):
        sheet.line(_hidden(found), bold=True)
    for version in found:
        sheet.line(f"{version.label}：{version.title}（{version.name}）", bold=True)
        for number, text in enumerate(sentences(told, version), 1):
            sheet.line(f"{number}. {text}")
    sheet.line("单位：万元、户", "right")
    sheet.header(freeze=False)
    sheet.rows(_glance(found))
    for version in found:
        sheet.line(f"{version.label}改了什么", bold=True)
        sheet.line(_about(version))
        for text in version.about.get("changes") or ["无。"]:
            sheet.line(f"　{text}")
    sheet.line("口径", bold=True)
    for reading in told.get("readings") or []:
        sheet.line(f"　{reading['title']}：{reading['value']}")
    if not told.get("readings"):
        sheet.line("　无。")
    sheet.line("说明", bold=True)
    for text in told.get("notes") or ["无。"]:
        sheet.line(f"　{text}")


def _baseline(told: Mapping[str, Any]) -> str:
    base, catalogue = told.get("baseline") or {}, told.get("catalogue") or {}
    version = f"　政策库版本：{catalogue['version']}" if catalogue.get("version") else ""
    return f"基准：{base.get('title') or base.get('name') or '现行政策'}{version}"


def _hidden(found: Sequence[Version]) -> str:
    """What is hidden, and a warning where lists stand beside it."""
    text = f"各合计表隐去不足三户的数据和可借以倒算的数据，以「{HIDDEN}」表示。"
    named = any(v.frame(what) is not None for v in found for what in ("households", "details", "misses"))
    return text + ("名单含企业名称和金额，仅供内部使用。" if named else "")


def _about(version: Version) -> str:
    words = {"author": "提出", "date": "日期", "reason": "理由", "reference": "依据"}
    parts = [f"{word}：{version.about[key]}" for key, word in words.items() if version.about.get(key)]
    return "　" + ("　".join(parts) or "提出、日期、理由、依据：无。")


def _glance(found: Sequence[Version]) -> list[list[Any]]:
    """The baseline and every scenario in a row each."""
    whole = [(version, version.whole()) for version in found]
    base = next((row for _, row in whole if row is not None), None)
    rows: list[list[Any]] = []
    if base is not None:
        rows.append(
            ["现行政策", _wan(base["before"]), *[None] * 5, _or_hidden(base["households_before"]), None]
        )
    for version, row in whole:
        label = f"{version.label}：{version.title}" if version.title != version.label else version.label
        rows.append([label, *(_figures(row) if row is not None else ["无", *[None] * 7])])
    return rows


def _figures(row: Row) -> list[Any]:
    by_payer = [None if row[f"{p}_after"] is None else row[f"{p}_after"] - row[f"{p}_before"] for p in PAYERS]
    percent = None if row["percent"] is None else row["percent"] / 100
    return [
        *(_wan(row["after"]), _wan(row["change"]), percent, *map(_wan, by_payer)),
        *map(_or_hidden, (row["households_after"], row["changed"])),
    ]


def _wan(yuan: Any) -> Any:
    return HIDDEN if yuan is None else wan(yuan)


def _or_hidden(value: Any) -> Any:
    return HIDDEN if value is None else value
