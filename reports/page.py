"""A comparison as one HTML page: no network, no scripts, printable to A4, every chart beside its table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from reports import page_charts, page_tables
from reports.page_tables import table
from reports.svg import escaped
from reports.versions import HIDDEN, Version, count, money, percent, sentences, versions
from schemas.outputs import PAYERS

_STYLE = """
@page { size: A4 portrait; margin: 14mm 12mm; }
* { box-sizing: border-box; }
html { background: #fff; }
body { width: 1280px; max-width: 100%; margin: 0 auto; padding: 24px 60px 48px; color: #111; background: #fff;
  font: 15px/1.6 "Source Han Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "SimHei", sans-serif; }
h1 { font-size: 28px; text-align: center; margin: 8px 0; }
h2 { font-size: 22px; margin: 36px 0 8px; padding-bottom: 4px; border-bottom: 2px solid #111; }
h3 { font-size: 17px; margin: 26px 0 6px; }
p, ol, ul { margin: 6px 0; }
.lead { text-align: center; margin-bottom: 16px; }
.warn { border: 1.5px solid #111; padding: 8px 12px; }
.note, figcaption { font-size: 13px; }
figure { margin: 8px 0 12px; }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
table { border-collapse: collapse; width: 100%; margin: 8px 0 14px; font-size: 13px; line-height: 1.4; }
table.narrow { width: 620px; max-width: 100%; }
caption { caption-side: top; text-align: left; font-size: 13px; padding: 2px 0; }
th, td { border: 1px solid #888; padding: 3px 6px; text-align: right; font-variant-numeric: tabular-nums; }
thead th { background: #e6ebf1; text-align: center; }
tbody th { font-weight: normal; text-align: left; }
td.text { text-align: left; }
tr.sum th, tr.sum td { font-weight: bold; border-top: 2px solid #111; }
table, rect { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
@media print {
  body { width: auto; padding: 0; font-size: 10.5pt; }
  h1 { font-size: 18pt; } h2 { font-size: 14pt; margin-top: 0; } h3 { font-size: 11.5pt; }
  table, caption, figcaption, .note { font-size: 8pt; }
  svg text { font-size: 16px; }
  th, td { padding: 1.5pt 3pt; }
  section.scenario { break-before: page; }
  h2, h3, caption { break-after: avoid; }
  figure, tr, .whole { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def write_page(path: Path, told: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> None:
    """Write the page from what is told of the comparison and frames in the shapes of schemas.comparing.

    Several scenarios have a frame each, under `<scenario>/<frame>`. Enterprises are not named on it.
    """
    path.write_text(document(told, frames), "utf-8")


def document(told: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> str:
    """The page; also well-formed XML after its first line."""
    found = versions(told, frames)
    heading = escaped(f"{told['year']}年度产业政策奖补方案比较")
    hidden = bool(told.get("suppressed"))
    parts = [_head(told, heading), _conclusion(told, found), _glance(found)]
    parts += [_scenario(number, version, hidden) for number, version in enumerate(found, 1)]
    parts += [page_tables.forecast(told, found), _closing(told)]
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{heading}</title><style>{_STYLE}</style></head><body>"
        f"<main>{''.join(parts)}</main></body></html>\n"
    )


def _head(told: Mapping[str, Any], heading: str) -> str:
    base, catalogue = told.get("baseline") or {}, told.get("catalogue") or {}
    words = f"基准：{base.get('title') or base.get('name') or '现行政策'}"
    words += f"　政策库版本：{catalogue['version']}" if catalogue.get("version") else ""
    warn = ""
    if told.get("suppressed"):
        text = f"本页为公开口径：不足三户的数据和可借以倒算的数据不公开，以「{HIDDEN}」表示。"
        warn = f'<p class="warn" id="suppressed">{text}</p>'
    return f'<h1>{heading}</h1><p class="lead">{escaped(words)}　金额单位：万元（另注明的除外）</p>{warn}'


def _conclusion(told: Mapping[str, Any], found: Sequence[Version]) -> str:
    parts = ["<h2>结论</h2>"]
    for version in found:
        items = "".join(f"<li>{escaped(text)}</li>" for text in sentences(told, version))
        parts.append(f"<h3>{_name(version)}</h3><ol>{items}</ol>")
    return f"<section>{''.join(parts)}</section>"


def _name(version: Version) -> str:
    code = f"（{version.name}）" if version.name else ""
    return escaped(f"{version.label}：{version.title}{code}")


def _glance(found: Sequence[Version]) -> str:
    """现行政策 and every scenario in a row each."""
    heads = ["", "应兑付", "增减", "增减%", *(f"{name}增减" for name in PAYERS.values())]
    rows: list[list[str]] = []
    for version in found:
        row = version.whole()
        if row is None:
            rows.append([f"{version.label}：{version.title}", "无", *[""] * 7])
            continue
        if len(rows) == 0:
            base = [money(row["before"]), *[""] * 5, count(row["households_before"]), ""]
            rows.append(["现行政策", *base])
        changes = [
            None if row[f"{p}_after"] is None else row[f"{p}_after"] - row[f"{p}_before"] for p in PAYERS
        ]
        figures = [money(row["after"]), money(row["change"], sign=True), percent(row)]
        figures += [money(change, sign=True) for change in changes]
        figures += [count(row["households_after"]), count(row["changed"])]
        rows.append([f"{version.label}：{version.title}", *figures])
    return f"<section>{table('各方案一览', [*heads, '受益户数', '金额变化户数'], rows)}</section>"


def _scenario(number: int, version: Version, hidden: bool) -> str:
    charts = (
        page_charts.districts,
        page_charts.steps,
        page_charts.spread,
        page_charts.concentration,
        page_charts.misses,
        page_charts.tornado,
    )
    found = [chart(f"s{number}", version, hidden) for chart in charts]
    found.insert(2, page_tables.heat(version, hidden))
    found.insert(3, page_tables.items(version))
    found.append(page_tables.envelopes(version))
    return f'<section class="scenario"><h2>{_name(version)}</h2>{_about(version)}{"".join(found)}</section>'


def _about(version: Version) -> str:
    words = {"author": "提出", "date": "日期", "reason": "理由", "reference": "依据"}
    told = [f"{word}：{version.about[key]}" for key, word in words.items() if version.about.get(key)]
    changes = version.about.get("changes") or ["无。"]
    listed = "".join(f"<li>{escaped(text)}</li>" for text in changes)
    return f"<p>{escaped('　'.join(told))}</p><h3>改了什么</h3><ul>{listed}</ul>"


def _closing(told: Mapping[str, Any]) -> str:
    readings = [[r["title"], str(r["value"])] for r in told.get("readings") or []]
    notes = "".join(f"<li>{escaped(text)}</li>" for text in told.get("notes") or ["无。"])
    shown = table("", ["口径", "取值"], readings, text=(1,)) if readings else "<p>无。</p>"
    return f"<section><h2>口径与说明</h2><h3>口径</h3>{shown}<h3>说明</h3><ul>{notes}</ul></section>"
