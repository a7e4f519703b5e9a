"""How an item's rows are filled in: the columns and what they are for, and the names that are recognised."""

import re
from collections.abc import Iterable, Iterator

from rules.catalogue import Catalogue
from rules.columns import label
from rules.compile import CompiledItem, noted
from rules.evaluate import JUDGED
from rules.expressions import names_in
from rules.identify import needs_level
from rules.model import Item
from rules.terms import Ladder
from schemas.registries import REGISTRIES

_MEANS = re.compile("([^为填]+)(?:为|填)(.+)")
"""A note that says what columns mean: 申报基数为贷款额."""


def columns(law: Catalogue, item: Item) -> Iterator[tuple[str, str, str]]:
    """Each column that the item needs or uses: its header, whether to fill it in, and what for."""
    if item.registry is None:
        return
    registry, compiled = REGISTRIES[item.registry], law.compiled(item)
    uses: dict[str, list[str]] = {c: [] for c in registry.required() if not registry.columns[c].nullable}
    needed = {
        **dict.fromkeys(registry.columns, "有则填"),
        **_needed(item, compiled),
        **dict.fromkeys(registry.one_of, "填一列即可"),
        **dict.fromkeys(uses, "必填"),
        **{c: f"空白按 {value} 计" for c, value in item.blank.items()},
    }
    for names, purpose in _uses(item, compiled):
        for name in names:
            if purpose not in uses.setdefault(name, []):
                uses[name].append(purpose)
    for name in sorted(uses, key=[*registry.columns, *uses].index):
        elsewhere = "填在企业名录" if name in REGISTRIES["enterprises"].columns else "不必填，取自已有登记"
        fill = needed[name] if name in registry.columns else elsewhere
        yield label(item.registry, name), fill, "；".join(uses[name])


def _needed(item: Item, compiled: CompiledItem) -> dict[str, str]:
    """What a blank cell leads to in the columns that conditions and amount read, and what must be there."""
    blank = "缺少的待核定" if item.basis in (*JUDGED, "range") else "缺少的不予兑现"
    read = {c for clause in compiled.clauses if not clause.waived for c in clause.reads}
    found = dict.fromkeys([*read, *compiled.amount_reads], f"应填，{blank}")
    implied = "，资质名称已含级别的可不填" if isinstance(item.names, dict) else ""
    found |= {"level": f"必填{implied}"} if needs_level(item) else {}
    return found | ({"event": "用资质名称填报的必填"} if item.event else {})


def _uses(item: Item, compiled: CompiledItem) -> Iterator[tuple[Iterable[str], str]]:
    """(columns, what the item uses them for); what a column means comes first."""
    registry = REGISTRIES[item.registry or ""]
    for match in (_MEANS.fullmatch(part) for text in noted(item) for part in text.split("，")):
        if match:
            yield [c for c in registry.columns if registry.header(c) in match[1].split("、")], match[2]
    yield [registry.dated_by] if registry.dated_by else [], "定所属年度，须在政策有效期内"
    yield ["item"] if "item" in registry.columns else [], item.id
    yield [c for c in registry.one_of if c != "item"], "见“认可的资质名称”"
    if "level" in registry.columns and item.levels:
        yield ["level"], "、".join(item.levels)
    if item.event:
        yield ["event"], item.event
    for clause in compiled.clauses:
        yield clause.reads, f"条件“{clause.name}”"
    yield compiled.amount_reads, "计算奖励金额"
    for term in item.terms.values():
        if isinstance(term, Ladder):
            yield [term.of], "与台阶比较"
            yield [term.after], "以前年度的最高数"
    yield compiled.uplift_reads, "加成"
    for cap in compiled.caps:
        yield cap.reads, "计算封顶"
        yield [c for c in cap.per if c in ("person_id", "level")], "按此合计封顶"
        yield [c for c in cap.per if c == "project_id"], "按项目合计封顶，未填的合并为一个项目"
    if item.assessed and item.basis in (*JUDGED, "range"):
        yield [item.assessed], "部门核定的金额"
    if item.basis in ("range", "floor") or (item.rate_base and item.basis in JUDGED):
        yield names_in(item.rate_base or ""), "乘以核定比例"
        yield ["assessed_rate"], "部门核定的比例"
    if item.recurs != "yearly":
        yield [c for c in ("certificate_no", "project_id") if c in registry.columns], "与以前年度的兑付核对"


def names(item: Item) -> list[tuple[str, str]]:
    """(level, the names that mean it)."""
    return [
        (level or "（级别另填）" if item.levels else "", "、".join(n)) for level, n in item.named.items() if n
    ]
