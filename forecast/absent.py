"""What a forecast cannot see, in one sentence each: so that nobody takes its totals for everything."""

from collections.abc import Iterator

import polars as pl

from forecast.carriers import KINDS
from forecast.history import Past, at_year
from rules.award import settle
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE
from rules.frames import Frames
from rules.terms import Scalar
from schemas.registries import REGISTRIES


def absent(frames: Frames, law: Catalogue, past: Past, year: int, last: int) -> Iterator[str]:
    """What is missing of the award years to `last`: registries, policies without history, what was left unpaid."""
    yield from _registries(frames, law, year)
    if past.covered:
        yield from _policies(law, past, year, last)
    yield from _unpaid(frames, law, year - max(1, law.prospect.payment_lag))
    yield from _stages(past, law)


def _registries(frames: Frames, law: Catalogue, year: int) -> Iterator[str]:
    for name, registry in REGISTRIES.items():
        items = [item.id for item in law.items.values() if item.registry == name and law.in_force(item)]
        if not registry.has_lines or not items:
            continue
        named = "、".join(items[:4]) + ("等" if len(items) > 4 else "")
        if name not in frames:
            yield f"没有{registry.title}登记表，{named} {len(items)} 条的今后负担未计入。"
        elif name in KINDS and frames[name].filter(year=year, role="line").is_empty():
            yield f"{registry.title}登记表没有 {year} 年度的行，{named} {len(items)} 条的今后负担未计入。"


def _policies(law: Catalogue, past: Past, year: int, last: int) -> Iterator[str]:
    known = {item[0] for item in past.lines["item"].unique().to_list()}
    for policy in law.policies.values():
        if not policy.enabled or policy.begins.year > last:
            continue
        begins = policy.begins
        if policy.key not in known or begins.year > year:
            since = f"自 {begins} 起执行，" if begins.year > year else ""
            yield f"政策{policy.key}{since}登记表没有可依据的申报历史，其今后的申报未计入。"


def _unpaid(frames: Frames, law: Catalogue, year: int) -> Iterator[str]:
    """Awards that should have been paid by now, of the year whose payments the registry has."""
    paid = frames.get("payments")
    if paid is None or paid.filter(pl.col("year") == year).is_empty():
        return
    lines = settle(at_year(frames, year), law, year).lines
    due = lines.filter(pl.col("on").dt.year() == year).filter(status=PAYABLE)["to_pay"].sum()
    if due:
        yield (
            f"{year} 年度应兑付的还有 {due / 10000:,.2f} 万元没有兑付记录，未计入以后各年；如确未兑付，须另行安排。"
        )


def _stages(past: Past, law: Catalogue) -> Iterator[str]:
    """A2.03 pays in stages, at times that no text and no registry tells."""
    item = law.items.get("A2.03")
    lines = past.of("A2.03").filter("payable")
    if item is None or lines.is_empty() or not isinstance(cap := item.terms["cap"], Scalar):
        return
    things = lines.group_by("uscc", "project_id").agg(paid=pl.col("low").sum())
    left = float((float(cap.value) - things["paid"]).clip(0).sum())
    if left:
        yield (
            f"{item.id} {item.title}分阶段资助，已资助的 {things.height} 个项目至多还有 {left / 1e4:,.0f} 万元，"
            "以后的申报已按趋势计入，各项目何时申请下一阶段无从得知。"
        )
