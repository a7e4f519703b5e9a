"""A Markdown page for every item, in Chinese, for officers and auditors; all of it from the catalogue."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import polars as pl

from rules.cases import Case, load_cases
from rules.catalogue import Catalogue
from rules.columns import label
from rules.compile import noted
from rules.evaluate import JUDGED
from rules.expressions import names_in
from rules.identify import needs_level
from rules.inspect import BASES, CLASSES
from rules.model import Cap, Item, Shares
from rules.numbers import number
from rules.split import split
from rules.terms import ByReading, Ladder, Range
from rules.told import told
from rules.words import amount_of, figure, figures, said, term_name
from schemas.money import YUAN
from schemas.registries import REGISTRIES

_HOW_TO_READ = """\
共 {} 条，每条一页：奖多少、条件、封顶、口径、怎样填报、算例。由条款目录自动生成，目录版本 {}。

各页写的是本软件怎样计算，不是政策原文；文本没有写明、需要选择之处，见各页的“口径”。金额算到分，四舍五入。"""
_PAID_TO = {
    "rnd": "奖给申报企业，每家企业每年一笔。",
    "equipment": "奖给申报企业，每个项目每年一笔。",
    "certifications": "奖给取得资质的单位，每项资质一笔。",
    "claims": "奖给申报单位，每项申报一笔。",
    "talents": "奖给人才本人，由所在单位或申报单位填报，每项申报一笔。",
}
_RECURS = {
    "once": "只兑付一次，同一事项以前年度已兑付的不再兑付",
    "each": "每个项目、每张证书各兑付一次",
    "yearly": "每年可享受",
}
_PAYERS = {"prefecture_share": "苏州市级", "city_share": "市级", "district_share": "区镇"}
_THINGS = {"person_id": "每人", "project_id": "每个项目", "uscc": "每家企业（单位）"}
_WHY = {"ceiling": "", "open": "文本没有写明金额，", "case_by_case": "一事一议，"}


def write_pages(law: Catalogue, folder: Path) -> int:
    """Write README.md and a page an item under `folder`; returns how many files."""
    files = pages(law, load_cases())
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return len(files)


def pages(law: Catalogue, cases: Sequence[Case]) -> dict[str, str]:
    """Path → text of every page."""
    own: dict[str, list[Case]] = {key: [] for key in law.items}
    for case in cases:
        own[case.item].append(case)
    items = law.items.values()
    return {"README.md": index(law)} | {f"{i.policy}/{i.id}.md": page(law, i, own[i.id]) for i in items}


def index(law: Catalogue) -> str:
    """The items by policy and article, with class, basis and registry."""
    lines = ["# 条款说明", "", _HOW_TO_READ.format(len(law.items), law.version)]
    policy = ""
    for article, group in groupby(law.items.values(), lambda item: (item.policy, item.article)):
        items = list(group)
        first = items[0]
        if first.policy != policy:
            policy = first.policy
            lines += ["", f"## {policy}　{_policy(law, first)}"]
        lines += [
            "",
            f"### 第{article[1]}条　{law.articles[first.id]}",
            "",
            f"牵头部门：{law.departments[first.id]}",
            "",
        ]
        lines += _table(
            ("条款", "名称", "类别", "计算方式", "登记表"),
            (
                (f"[{i.id}]({policy}/{i.id}.md)", i.title, _class(law, i), BASES[i.basis], _registry(i))
                for i in items
            ),
        )
    return "\n".join(lines) + "\n"


def page(law: Catalogue, item: Item, cases: Sequence[Case]) -> str:
    """All of one item."""
    head = {
        "政策": _policy(law, item),
        "条款": f"第{item.article}条　{law.articles[item.id]}",
        "牵头部门": law.departments[item.id],
        "类别": f"{_class(law, item)}，默认{_payers(law, item)}" if item.class_ else "",
        "计算方式": BASES[item.basis],
        "级别": "、".join(item.levels),
    }
    sections = {
        "奖多少，奖给谁": _apart(_award(law, item)),
        "条件": _conditions(law, item),
        "须由部门判断": _list(noted(item)),
        "封顶": _table(("封顶", "适用范围", "说明"), (_cap(law, item, cap) for cap in item.caps)),
        "数字一览": _table(("数字", "适用", "数额"), _figures(law, item)),
        "兑付几次，与其他条款的关系": _list(_relations(law, item)),
        "口径": _readings(law, item),
        f"怎样填报（{_registry(item)}登记表）": _columns(law, item),
        "认可的资质名称": _apart(_names(item)),
        "算例": _cases(law, item, cases),
    }
    lines = [f"# {item.id}　{item.title}", "", "[返回目录](../README.md)", ""]
    lines += _list(f"**{name}**：{text}" for name, text in head.items() if text)
    for title, body in sections.items():
        lines += ["", f"## {title}", "", *body] if body else []
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table without the columns that are empty throughout; nothing where there are no rows."""
    held = list(rows)
    kept = [place for place in range(len(head)) if any(row[place] for row in held)]
    cells = [[row[place].replace("|", "\\|") for place in kept] for row in (head, ["---"] * len(head), *held)]
    return [f"| {' | '.join(row)} |" for row in cells] if held else []


def _list(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _apart(paragraphs: Iterable[str]) -> list[str]:
    return "\n\n".join(text for text in paragraphs if text).splitlines()


def _policy(law: Catalogue, item: Item) -> str:
    policy = law.policies[item.policy]
    return f"{policy.title}（{policy.window}{'' if policy.enabled else '，默认不执行'}）"


def _registry(item: Item) -> str:
    return REGISTRIES[item.registry].title if item.registry else "—"


def _class(law: Catalogue, item: Item) -> str:
    basis = {"stated": "（文本写明）", "assumed": "（推定）", None: ""}[item.class_basis]
    return CLASSES[law.class_of(item) if item.class_ else None] + basis


def _payers(law: Catalogue, item: Item) -> str:
    """Who bears what part of an award under the readings in force."""
    line = {"award": Decimal(100), "policy": item.policy, "item": item.id, "class": law.class_of(item)}
    schema = {"award": YUAN, **dict.fromkeys(("policy", "item", "class", "district"), pl.String)}
    shares = split(pl.DataFrame([line], schema=schema), law).row(0, named=True)
    return "、".join(f"{name}承担 {number(shares[c])}%" for c, name in _PAYERS.items() if shares[c])


def _link(law: Catalogue, key: str) -> str:
    return f"[{key} {law.items[key].title}](../{key[0]}/{key}.md)"


def _award(law: Catalogue, item: Item) -> Iterator[str]:
    """What is paid and to whom, and what holds until a department has decided."""
    if item.registry is None:
        yield f"本条不计算金额，按{item.refers_to}执行。"
        return
    yield "奖给申报企业，同一企业当年的各行合并为一笔。" if item.rows else _PAID_TO[item.registry]
    assessed = f"“{label(item.registry, item.assessed)}”" if item.assessed else ""
    if item.amount:
        lets = "".join(f"，其中 {name} ＝ {said(text, item, law)}" for name, text in item.let.items())
        yield f"奖励金额 ＝ {amount_of(item.amount, item, law)}{lets}。"
    if item.basis in JUDGED:
        rate = (
            f"，或者填“核定比例”，按 {said(item.rate_base, item, law)} × 核定比例 计算"
            if item.rate_base
            else ""
        )
        yield f"{_WHY[item.basis]}奖励金额由部门核定，填在{assessed}列{rate}。" + (
            "没有核定的列为待核定，幅度从 0 到封顶金额。"
            if item.caps
            else "没有核定的列为待核定，幅度从 0 起，不设上限。"
        )
    for name, term in item.terms.items():
        if isinstance(term, Range):
            yield f"核定比例由部门在 {next(figures(name, term, item, law))[1]} 之间确定；超出的，不予兑现。"
            other = f"可以直接填{assessed}：低于下限的不予兑现，高于上限的按上限计。" if assessed else ""
            yield other + "没有核定的列为待核定，幅度按比例的两端计算。"
        elif isinstance(term, Ladder):
            climbs, before = (label(item.registry, column) for column in (term.of, term.after))
            rule = law.reading_titles["ladder"].options[law.readings["ladder"]]
            yield f"台阶看“{climbs}”，以前年度的最高数看“{before}”和以前的登记、兑付：以前到过的台阶不再奖励，一次跨过几级的{rule}。"
    if item.basis == "floor":
        yield "这是最低比例：部门填了更高的“核定比例”的，按核定比例计算。"
    if item.uplift:
        unknown = {"pending": "数据不全的列为待核定", "review": "没有填写的不加成，列提示"}[
            item.uplift.unknown
        ]
        factor, when = (
            amount_of(item.uplift.factor, item, law).removesuffix("元"),
            said(item.uplift.when, item, law),
        )
        yield f"{when}的，奖励金额乘以 {factor}；{unknown}。"
    if assessed and item.basis in ("exact", "floor"):
        yield f"金额按公式计算，填报的{assessed}不参与计算。"


def _conditions(law: Catalogue, item: Item) -> list[str]:
    """The clauses in order, and what a missing figure leads to (rules/evaluate.py)."""
    judged = item.basis in (*JUDGED, "range")
    missing = "已核定的以核定为准，否则待核定" if judged else "不予兑现（缺少数据）"
    rows = [
        (
            name,
            said(clause.when, item, law),
            missing if clause.unknown == "missing" else "提请部门核实，不影响兑付",
        )
        for name, clause in item.eligible.items()
    ]
    order = ["依次核对，第一项不成立的就是不予兑现的原因。", ""] if len(rows) > 1 else []
    return [*order, *_table(("条件", "判断", "数据缺少时"), rows)] if rows else []


def _cap(law: Catalogue, item: Item, cap: Cap) -> tuple[str, str, str]:
    """A cap in words: how much, over what, and what follows."""
    unstated = bool(cap.per) and "year" not in cap.per and cap.period == "unstated"
    yearly = "year" in cap.per or (unstated and law.readings["unstated_cap_period"] == "year")
    thing = next((words for column, words in _THINGS.items() if column in cap.per), "")
    scope = (
        f"{thing}{'的每个级别' if 'level' in cap.per else ''}{'每年' if yearly else '全周期'}合计"
        if thing
        else "每笔"
    )
    notes = ["期间文本未写明，按口径"] if unstated else []
    notes += ["以前年度已兑付的计入"] if thing and not yearly else []
    if cap.monthly:
        notes.append(f"以前已领的月数按每月 {amount_of(cap.monthly, item, law)} 计入")
    notes += ["合计超过的按比例核减"] if thing else []
    for key, option in cap.under.items():
        reading = law.reading_titles[key]
        chosen = "现行" if law.readings[key] == option else "备选"
        notes.append(f"用于口径“{reading.title}”选“{reading.options[option]}”时（{chosen}）")
    return amount_of(cap.amount, item, law), scope, "；".join(notes)


def _figures(law: Catalogue, item: Item) -> Iterator[tuple[str, str, str]]:
    for name, term in item.terms.items():
        yield from (
            (term_name(name), holds_for, value) for holds_for, value in figures(name, term, item, law)
        )


def _relations(law: Catalogue, item: Item) -> Iterator[str]:
    """How often it is paid, and what it excludes or yields to."""
    if item.registry is None:
        return
    if isinstance(item.recurs, dict):
        yield "；".join(f"{level}：{_RECURS[recurs]}" for level, recurs in item.recurs.items())
    else:
        yield _RECURS[item.recurs]
    if item.first:
        yield "须为首次：以前年度的登记或兑付中已有的，不予兑现；查不到以前数据的按首次计，列提示"
    if item.upgrade:
        rule = law.reading_titles["upgrade"].options[law.readings["upgrade"]]
        yield f"级别由低到高为 {'、'.join(item.upgrade)}；低级别已兑付后取得更高级别的，{rule}"
    if item.linked:
        yield "联动条款：与上级奖补相配套，不参加政策之间的就高不重复"
    if item.replaces:
        yield f"同一项目当年按本条兑付的，不再按 {_link(law, item.replaces)} 兑付"
    yield from (
        f"同一项目当年按 {_link(law, o.id)} 兑付的，不再按本条兑付"
        for o in law.items.values()
        if o.replaces == item.id
    )
    if item.quota:
        yield f"{term_name(item.quota)} {next(figures(item.quota, item.terms[item.quota], item, law))[1]}，超过的只提示，不核减"
    for group, members in law.overlaps.items():
        if item.id in members:
            others = "；".join(_member(law, key, levels) for key, levels in members.items() if key != item.id)
            only = f"（限{'、'.join(members[item.id])}）" if members[item.id] else ""
            yield f"同一事项组“{group}”{only}，另有：{others}。不同政策对同一事项的奖补按口径处理，同一政策内的可以同时享受"


def _member(law: Catalogue, key: str, levels: Sequence[str]) -> str:
    notes = [f"限{'、'.join(levels)}"] if levels else []
    notes += ["联动，不比较"] if law.items[key].linked else []
    return _link(law, key) + (f"（{'，'.join(notes)}）" if notes else "")


def _touching(law: Catalogue, item: Item) -> set[str]:
    """The keys of the readings that can change what the item pays or who pays it."""
    if item.registry is None:
        return set()
    found = {term.reading for term in item.terms.values() if isinstance(term, ByReading)}
    found |= {key for cap in item.caps for key in cap.under} | ({"upgrade"} if item.upgrade else set())
    found |= {"ladder" for term in item.terms.values() if isinstance(term, Ladder)}
    if any(cap.per and "year" not in cap.per and cap.period == "unstated" for cap in item.caps):
        found.add("unstated_cap_period")
    from_suzhou = law.policies[item.policy].payer == "prefecture"
    found |= {"prefecture_payer"} if from_suzhou else set()
    if "区镇" in _payers(law, item) or not from_suzhou:
        found |= {"class", "recognition_payer" if law.class_of(item) == "recognition" else "general_split"}
    groups = [members for members in law.overlaps.values() if item.id in members and not item.linked]
    for other in {key[0] for members in groups for key in members if not law.items[key].linked} - {
        item.policy
    }:
        found |= {"overlap_B" if "B" in (other, item.policy) else "overlap_A_C", "overlap_tie"}
    return found


def _readings(law: Catalogue, item: Item) -> list[str]:
    """The readings that touch the item: title, what is in force, and what else a scenario may choose."""
    rows, touching = [], _touching(law, item)
    for key, reading in law.reading_titles.items():
        value = law.readings[key]
        if isinstance(value, Shares):
            now, others = f"{number(value.items.get(item.id, value.default) * 100)}%", "0 至 100% 的其他份额"
        elif isinstance(value, str):
            now = reading.options[value]
            others = "；".join(words for option, words in reading.options.items() if option != value)
        else:
            now = CLASSES[law.class_of(item) if item.class_ else None]
            others = "；".join(words for words in CLASSES.values() if words not in (now, "—"))
        rows += [(reading.title, now, others)] if key in touching else []
    return _table(("文本没有写明之处", "现行（默认）", "情景方案可改为"), rows)


def _columns(law: Catalogue, item: Item) -> list[str]:
    """The registry's columns that the item needs or uses: whether to fill them in, and what for."""
    if item.registry is None:
        return []
    registry, compiled, uses = REGISTRIES[item.registry], law.compiled(item), _uses(law, item)
    needed = {c for clause in compiled.clauses if not clause.waived for c in clause.reads}
    needed |= set(compiled.amount_reads)
    computed = item.basis in ("exact", "floor")
    rows = []
    for column in [*registry.columns, *(c for c in uses if c not in registry.columns)]:
        required = column in registry.required() and not registry.columns[column].nullable
        if column not in registry.columns:
            fill = "不必填，由系统取自企业名录或其他登记行"
        elif column in item.blank:
            fill = f"空白按 {item.blank[column]} 计"
        elif required or (column == "event" and item.event) or (column == "level" and needs_level(item)):
            fill = "必填"
        elif column in registry.one_of:
            fill = "两列填一列"
        elif column in needed:
            fill = "必填，缺少的不予兑现" if computed else "应填，缺少的待核定"
        else:
            fill = "有则填"
        if required or uses.get(column):
            rows.append((label(item.registry, column), fill, "；".join(uses.get(column, ()))))
    return _table(("列", "填写", "用途"), rows)


def _uses(law: Catalogue, item: Item) -> dict[str, list[str]]:
    """Column → what the item uses it for; what a column means comes first."""
    registry, compiled = REGISTRIES[item.registry or ""], law.compiled(item)
    uses: dict[str, list[str]] = {}

    def use(columns: Iterable[str], what: str) -> None:
        for column in columns:
            if what not in uses.setdefault(column, []):
                uses[column].append(what)

    for text in noted(item):
        use((c for c in registry.columns if text.startswith(f"{registry.header(c)}为")), text)
    use([registry.dated_by or ""], "定所属年度，须在政策有效期内")
    use(
        registry.one_of or (["item"] if "item" in registry.columns else []),
        f"本条为 {item.id}，或填认可的资质名称" if registry.one_of else f"填 {item.id}",
    )
    if item.levels and "level" in registry.columns:
        use(["level"], "、".join(item.levels))
    use(["event"] if item.event else [], f"填“{item.event}”")
    for clause in compiled.clauses:
        use(clause.reads, f"条件“{clause.name}”")
    use(compiled.amount_reads, "计算奖励金额")
    for term in item.terms.values():
        if isinstance(term, Ladder):
            use([term.of], "与台阶比较")
            use([term.after], "以前年度的最高数")
    use(compiled.uplift_reads, "加成")
    for cap in compiled.caps:
        use(cap.reads, "计算封顶")
        use((c for c in cap.per if c in ("project_id", "person_id", "level")), "按此合计封顶，未填的合并计算")
    if item.basis in (*JUDGED, "range") and item.assessed:
        use([item.assessed], "部门核定的金额")
    if item.basis in ("range", "floor") or (item.basis in JUDGED and item.rate_base):
        use(names_in(item.rate_base or ""), "乘以核定比例")
        use(["assessed_rate"], "部门核定的比例")
    if item.recurs != "yearly":
        use((c for c in ("certificate_no", "project_id") if c in registry.columns), "与以前年度的兑付核对")
    return {c: what for c, what in uses.items() if c}


def _names(item: Item) -> Iterator[str]:
    """The names by which a row is recognised."""
    if not item.names:
        return
    yield "填写下列名称即认作本条；空格、引号、全半角不影响，“省级”也可写“江苏省”“省”，其他级别同理。"
    rows = [
        (level or "（级别另填）" if item.levels else "", "、".join(names))
        for level, names in item.named.items()
    ]
    yield "\n".join(_table(("级别", "资质名称"), rows))
    if item.event:
        yield f"同一名称有几条的，按“事项”列区分：本条为“{item.event}”。"
    if item.registry != "certifications":
        yield f"这些名称填在资质认定登记表的，会提示移到{_registry(item)}登记表。"


def _cases(law: Catalogue, item: Item, cases: Sequence[Case]) -> list[str]:
    rows = [(case.case, *told(case, law)) for case in cases]
    note = f"人工按文本算出，程序逐例核对。未写的：测算年度 2023，区镇为开发区，{'已启用本政策' if not law.policies[item.policy].enabled else '其余从略'}。"
    return [note, "", *_table(("算例", "登记", "结果"), rows)] if rows else []
