"""What the workbook and the page of a comparison share: scenarios with their frames, amounts and sentences."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from reports.forecast_sheets import natural
from reports.sheets import wan
from schemas.comparing import KINDS, SIZES, UNKNOWN_SIZE
from schemas.districts import DISTRICTS
from schemas.outputs import CLASSES, PAYERS

HIDDEN = "—"
"""Stands for a figure that a public table does not show."""

STEPS_SHOWN = 8
"""Articles that a waterfall shows one by one where there is no bridge; the rest are one step."""

Row = dict[str, Any]

_LISTED = {"payer": PAYERS, "district": DISTRICTS, "class": CLASSES, "size": (*SIZES, UNKNOWN_SIZE)}
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True)
class Version:
    """A scenario beside the baseline: what it is called, what it changes, and its frames."""

    label: str
    name: str
    title: str
    about: Mapping[str, Any]
    frames: Mapping[str, pl.DataFrame]

    def frame(self, what: str) -> pl.DataFrame | None:
        """A frame; None where it is absent or empty."""
        found = self.frames.get(what)
        return found if found is not None and found.height else None

    def rows(self, what: str) -> list[Row]:
        """A frame's rows; none where it is absent."""
        found = self.frame(what)
        return [] if found is None else found.to_dicts()

    def totals(self, level: str) -> dict[str, Row]:
        """The totals of a level by key."""
        found = self.frame("totals")
        if found is None:
            return {}
        return {row["key"]: row for row in found.filter(pl.col("level") == level).to_dicts()}

    def whole(self) -> Row | None:
        """The totals over everything."""
        return next(iter(self.totals("all").values()), None)


def versions(told: Mapping[str, Any], frames: Mapping[str, pl.DataFrame]) -> list[Version]:
    """The scenarios in order, each with its own frames (`<scenario>/<frame>`; bare where there is only one)."""
    every = told.get("scenarios") or [{"name": "", "title": "方案"}]
    found = []
    for number, about in enumerate(every, 1):
        name = about["name"]
        own = {key.removeprefix(f"{name}/"): f for key, f in frames.items() if key.startswith(f"{name}/")}
        if len(every) == 1:
            own = {key: f for key, f in frames.items() if "/" not in key} | own
        label = "方案" if len(every) == 1 else f"方案{in_chinese(number)}"
        found.append(Version(label, name, about.get("title") or name, about, own))
    return found


def in_chinese(number: int) -> str:
    """A number below one hundred in Chinese."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _DIGITS[tens]) + "十" if tens else ""
    return head + (_DIGITS[ones] if ones or not tens else "")


def keys_of(found: Sequence[Version], level: str) -> list[tuple[str, str]]:
    """The keys of a level over all scenarios with their titles, in the order people list them."""
    titles: dict[str, str] = {}
    for version in found:
        for key, row in version.totals(level).items():
            titles.setdefault(key, row["title"] or key)
    listed = list(_LISTED.get(level, ()))
    if level in ("policy", "article", "item"):
        return sorted(titles.items(), key=lambda pair: natural(pair[0]))
    place = {key: number for number, key in enumerate([*listed, *(k for k in titles if k not in listed)])}
    return sorted(titles.items(), key=lambda pair: place[pair[0]])


def money(yuan: Decimal | None, sign: bool = False) -> str:
    """Yuan as 万元 in words, with thousands separators; 「—」 for none."""
    shown = wan(yuan)
    if shown is None:
        return HIDDEN
    return f"{shown:+,.2f}" if sign and shown else f"{shown or abs(shown):,.2f}"


def count(number: int | None) -> str:
    """A count with thousands separators; 「—」 for none."""
    return HIDDEN if number is None else f"{number:,}"


def percent(row: Mapping[str, Any]) -> str:
    """The change in percent; 「新增」 where there was nothing before."""
    if row.get("percent") is not None:
        return f"{row['percent']:+.2f}%" if row["change"] else "0.00%"
    if row.get("before") == 0:
        return "新增" if row.get("after") else "0.00%"
    return HIDDEN


def share(part: float | None) -> str:
    """A fraction in percent; 「—」 for none."""
    return HIDDEN if part is None else f"{part:.1%}"


def sentences(told: Mapping[str, Any], version: Version) -> list[str]:
    """Three sentences: by how much the total changes, who gains and who loses, who pays."""
    row = version.whole()
    if row is None:
        return ["没有合计数，无从比较。"]
    return [_total(told, version, row), _who(version), _payers(version, row)]


def _total(told: Mapping[str, Any], version: Version, row: Row) -> str:
    head = f"{told['year']}年度应兑付由现行政策的 {money(row['before'])} 万元"
    if row["change"] is None:
        return f"{told['year']}年度应兑付的变化不公开（不足三户，或为避免倒算）。"
    if not row["change"]:
        return f"{head}变为 {money(row['after'])} 万元，总额不变{_pending(row)}。"
    word = "增加" if row["change"] > 0 else "减少"
    return (
        f"{head}变为 {money(row['after'])} 万元，{word} {money(abs(row['change']))} 万元"
        f"（{percent(row)}）{_pending(row)}。"
    )


def _pending(row: Row) -> str:
    if not (row["pending_lines_before"] or row["pending_lines_after"]):
        return ""
    return f"；另有待核定 {pending(row, 'before')}，方案下为 {pending(row, 'after')}，未计入"


def pending(row: Row, side: str) -> str:
    """What is still to be assessed on a side, in words."""
    lines, low, high = (row[f"pending_{what}_{side}"] for what in ("lines", "low", "high"))
    if lines is None:
        return HIDDEN
    if not lines:
        return "0 笔"
    top = "另议" if high is None else f"{money(high)} 万元"
    return f"{lines:,} 笔（{money(low)} 万元至{top}）"


def kinds_of(version: Version) -> dict[str, Row]:
    """By kind, over everything, the households and money."""
    whole = (r for r in version.rows("kinds") if r["district"] is None and r["item"] is None)
    found = {row["kind"]: row for row in whole}
    return {kind: found[kind] for kind in KINDS if kind in found}


def _who(version: Version) -> str:
    found = kinds_of(version)
    if not found:
        return "增减户数：无。"
    order = ("newly", "winner", "loser", "no_longer")
    parts = [
        f"{KINDS[kind]} {count(found[kind]['households'])} 户（{money(found[kind]['change'], sign=True)} 万元）"
        for kind in order
        if kind in found and found[kind]["households"] != 0
    ]
    same = found.get("unchanged")
    rest = f"不变 {count(same['households'])} 户" if same else ""
    return "，".join([*(parts or ["没有申报人的金额发生变化"]), *([rest] if rest else [])]) + "。"


def _payers(version: Version, row: Row) -> str:
    rows = version.totals("payer")
    parts = [
        f"{PAYERS[payer]} {money(rows[payer]['change'], sign=True)} 万元（{percent(rows[payer])}）"
        for payer in PAYERS
        if payer in rows and any(rows[payer][side] != 0 for side in ("before", "after"))
    ]
    if not parts:
        return "由谁负担：无。"
    if all(rows[payer]["change"] == 0 for payer in rows):
        return "由谁负担：各方负担都不变。"
    head = "总额不变，只改变由谁负担：" if row["change"] == 0 else "由谁负担："
    return head + "，".join(parts) + "。"


@dataclass(frozen=True)
class Steps:
    """From the baseline to a scenario in steps that add up; `by` says what a step is."""

    by: str
    start: Decimal
    rows: list[Row]
    end: Decimal


def steps_of(version: Version) -> Steps | None:
    """The steps of the bridge; without one, the change by article; None where neither is told."""
    bridge = [r for r in version.rows("bridge") if r["district"] is None and r["item"] is None]
    if bridge:
        return Steps("按步骤", bridge[0]["before"], bridge, bridge[-1]["after"])
    whole, articles = version.whole(), list(version.totals("article").values())
    if whole is None or whole["change"] is None or any(row["change"] is None for row in articles):
        return None
    moved = sorted((r for r in articles if r["change"]), key=lambda r: -abs(r["change"]))
    shown, rest = moved[:STEPS_SHOWN], moved[STEPS_SHOWN:]
    shown = [_as_step(row) for row in sorted(shown, key=lambda r: natural(r["key"]))]
    if rest:
        shown.append(_as_step(_added(rest), f"其他 {len(rest)} 条"))
    return Steps("按政策条文", whole["before"], _run(whole["before"], shown), whole["after"])


def _as_step(row: Row, title: str | None = None) -> Row:
    shares = {
        f"{p}_share": None if row[f"{p}_after"] is None else row[f"{p}_after"] - row[f"{p}_before"]
        for p in PAYERS
    }
    return {"title": title or row["title"], "change": row["change"], **shares}


def _added(rows: Iterable[Row]) -> Row:
    held = list(rows)
    columns = ["change", *(f"{payer}_{side}" for payer in PAYERS for side in ("before", "after"))]
    lists = {c: [row[c] for row in held] for c in columns}
    return {c: None if None in values else sum(values, Decimal(0)) for c, values in lists.items()}


def _run(start: Decimal, steps: list[Row]) -> list[Row]:
    """Steps with where each begins and ends."""
    at, found = start, []
    for step in steps:
        found.append(step | {"before": at, "after": at + step["change"]})
        at += step["change"]
    return found


def short(title: str) -> str:
    """A step's title up to its explanation."""
    return re.split(r"[：（:(]", title, maxsplit=1)[0]


def top_items(rows: list[Row], most: int) -> list[Row]:
    """The row over everything and the rows with most money on either side."""
    whole = [row for row in rows if row["item"] is None]
    rest = [row for row in rows if row["item"] is not None]
    size = [max(row["before"] or Decimal(0), row["after"] or Decimal(0)) for row in rest]
    order = sorted(range(len(rest)), key=lambda place: (-size[place], natural(rest[place]["item"])))
    return whole + [rest[place] for place in order[:most]]


def value_of(value: Any) -> str:
    """A term's value as told."""
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else str(value)


def reached(row: Row) -> Decimal:
    """How far a nudge moves the total, at most."""
    low, high = Decimal(row["change_low"]), Decimal(row["change_high"])
    return max(abs(low), abs(high))


def ahead_of(told: Mapping[str, Any], version: Version, alone: bool) -> list[Row]:
    """The forecast's rows over all districts: its own frame, else those told (of this scenario)."""
    rows = version.rows("forecast") or [
        row
        for row in told.get("forecast") or []
        if row.get("scenario", version.name if alone else None) == version.name
    ]
    return [row for row in rows if row.get("district") is None]
