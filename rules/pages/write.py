"""A Markdown page for every item, in Chinese, for officers and auditors; all of it from the catalogue."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from rules.cases import Case, load_cases
from rules.catalogue import Catalogue
from rules.columns import label
from rules.compile import lifted, noted
from rules.evaluate import JUDGED
from rules.inspect import BASES
from rules.model import Cap, Item
from rules.numbers import number
from rules.pages import filling
from rules.pages.relations import chosen, readings, relations
from rules.pages.told import told
from rules.pages.words import amount_of, figures, said, term_name, worth
from rules.split import split
from rules.terms import Ladder, Range
from schemas.money import YUAN
from schemas.outputs import CLASSES, PAYERS
from schemas.registries import REGISTRIES

_INTRODUCTION = """\
共 {} 条，每条一页：奖多少、条件、封顶、口径、怎样填报、算例。由条款目录自动生成，目录版本 {}。

各页写的是本软件怎样计算，不是政策原文；文本没有写明之处见各页的“口径”。金额算到分，四舍五入。"""
_CASES = "由人按文本手算，程序逐例核对。没有写明的：测算 2023 年度，发生在当年，区镇为开发区，没有其他登记。冒号前是项目编号。"
_NAMES = "填写下列名称即认作本条。空格、引号和全半角不影响；“省级”也可写“江苏省”“省”，其他级别同理。"
_PAID_TO = {
    "rnd": "奖给申报企业，每家企业每年一笔。",
    "equipment": "奖给申报企业，每个项目每年一笔。",
    "certifications": "奖给取得资质的单位，每项资质一笔。",
    "claims": "奖给申报单位，每项申报一笔。",
    "talents": "奖给人才本人，由所在单位或申报单位填报，每项申报一笔。",
}
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
    lines = ["# 条款说明", "", _INTRODUCTION.format(len(law.items), law.version)]
    for key, held in groupby(law.items.values(), lambda item: item.policy):
        lines += ["", f"## {key}　{_policy(law, key)}"]
        for article, group in groupby(held, lambda item: item.article):
            items = list(group)
            lines += ["", f"### 第{article}条　{law.articles[items[0].id]}", ""]
            lines += [f"牵头部门：{law.departments[items[0].id]}", ""]
            rows = (
                (f"[{i.id}]({key}/{i.id}.md)", i.title, _class(law, i), BASES[i.basis], _registry(i))
                for i in items
            )
            lines += _table(("条款", "名称", "类别", "计算方式", "登记表"), rows)
    return "\n".join(lines) + "\n"


def page(law: Catalogue, item: Item, cases: Sequence[Case]) -> str:
    """All of one item."""
    head = {
        "政策": _policy(law, item.policy),
        "条款": f"第{item.article}条　{law.articles[item.id]}",
        "牵头部门": law.departments[item.id],
        "类别": f"{_class(law, item)}，默认{_payers(law, item)}" if item.class_ else "",
        "计算方式": BASES[item.basis],
        "级别": "、".join(item.levels),
    }
    off = "" if law.policies[item.policy].enabled else "除写明不执行的以外，按本政策已执行计算。"
    caps = (_cap(law, item, cap) for cap in item.caps)
    terms = ((term_name(n), *f) for n, t in item.terms.items() for f in figures(n, t, item, law))
    examples = _table(("算例", "登记", "结果"), (told(case, item) for case in cases))
    sections = {
        "奖多少，奖给谁": "\n\n".join(_award(law, item)).splitlines(),
        "条件": _conditions(law, item),
        "须由部门判断": _list(noted(item)),
        "封顶": _table(("封顶", "适用范围", "说明"), caps),
        "数字一览": _table(("数字", "适用", "数额"), terms),
        "兑付几次，与其他条款的关系": _list(relations(law, item)) if item.registry else [],
        "口径": _table(("文本没有写明之处", "现行（默认）", "情景方案可改为"), readings(law, item)),
        f"怎样填报（{_registry(item)}登记表）": _table(("列", "填写", "用途"), filling.columns(law, item)),
        "认可的资质名称": [_NAMES, "", *_table(("级别", "名称"), filling.names(item))] if item.names else [],
        "算例": [_CASES + off, "", *examples] if examples else [],
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


def _policy(law: Catalogue, key: str) -> str:
    policy = law.policies[key]
    return f"{policy.title}，{policy.window}{'' if policy.enabled else '，默认不执行'}"


def _registry(item: Item) -> str:
    return REGISTRIES[item.registry].title if item.registry else "—"


def _class(law: Catalogue, item: Item) -> str:
    basis = {"stated": "（文本写明）", "assumed": "（推定）", None: ""}[item.class_basis]
    return CLASSES.get(law.class_of(item) if item.class_ else "", "—") + basis


def _payers(law: Catalogue, item: Item) -> str:
    """Who bears what part of an award under the readings in force."""
    line = {"award": Decimal(100), "policy": item.policy, "item": item.id, "class": law.class_of(item)}
    schema: dict[str, Any] = {
        "award": YUAN,
        **dict.fromkeys(("policy", "item", "class", "district"), pl.String),
    }
    shares = split(pl.DataFrame([line], schema=schema), law).row(0, named=True)
    upwards = [(f"{payer}_share", PAYERS[payer]) for payer in ("prefecture", "city", "district")]
    words = "、".join(f"{who}承担 {number(shares[c])}%" for c, who in upwards if shares[c])
    return words.replace("、市级", "、昆山市级") if shares["prefecture_share"] else words


def _award(law: Catalogue, item: Item) -> Iterator[str]:
    """What is paid and to whom, and what holds until a department has decided."""
    if item.registry is None:
        yield f"本条不计算金额，按{item.refers_to}执行。"
        return
    yield "奖给申报企业，同一企业当年的各行合并为一笔。" if item.rows else _PAID_TO[item.registry]
    assessed = f"“{label(item.registry, item.assessed)}”" if item.assessed else ""
    if item.amount:
        lets = "".join(f"，其中 {name} ＝ {said(text, item, law)}" for name, text in item.let.items())
        amount = amount_of(item.amount, item, law)
        yield f"奖励金额{'：' if '；' in amount else ' ＝ '}{amount}{lets}。"
    if item.basis in JUDGED:
        base = f"{said(item.rate_base, item, law)} × 核定比例" if item.rate_base else ""
        rate = f"；也可填“核定比例”，按 {base} 计算，两列都填的以{assessed}为准" if base else ""
        span = "0 到封顶金额" if item.caps else "0 起，没有上限"
        yield f"{_WHY[item.basis]}奖励金额由部门核定，填在{assessed}列{rate}。没有核定的列为待核定，幅度为 {span}。"
    for name, term in item.terms.items():
        if isinstance(term, Range):
            other = f"也可直接填{assessed}：低于下限的不予兑现，高于上限的按上限。" if assessed else ""
            ends = next(figures(name, term, item, law))[1]
            yield f"核定比例由部门在 {ends} 之间确定，超出的不予兑现。{other}没有核定的列为待核定，幅度按两端计算。"
        elif isinstance(term, Ladder):
            climbs, before = (label(item.registry, column) for column in (term.of, term.after))
            yield (
                f"台阶看“{climbs}”，以前年度的最高数看“{before}”以及以前的登记和兑付。"
                f"以前到过的台阶不再奖励；一次跨过几级的，{chosen(law, 'ladder')}。"
            )
    if item.basis == "floor":
        yield "这是最低比例；部门填了更高的“核定比例”的，按核定比例计算。"
    if item.uplift:
        factors = [number(value) for value in worth(item.uplift.factor, item, law).values()]
        factor = factors[0] if factors else f"（{said(item.uplift.factor, item, law)}）"
        unknown = {"pending": "数据不全的列为待核定", "review": "没有填写的不加成，并作提示"}
        yield f"{said(item.uplift.when, item, law)}的，奖励金额乘以 {factor}；{unknown[item.uplift.unknown]}。"
    if assessed and item.basis in ("exact", "floor"):
        yield f"金额按公式计算，填报的{assessed}不参与计算。"


def _conditions(law: Catalogue, item: Item) -> list[str]:
    """The clauses in order, and what a missing figure leads to (rules/evaluate.py)."""
    judged = item.basis in (*JUDGED, "range")
    missing = "已核定的以核定为准，否则待核定" if judged else "不予兑现（缺少数据）"
    rows = [
        (name, said(c.when, item, law), missing if c.unknown == "missing" else "请部门核实，不影响兑付")
        for name, c in item.eligible.items()
    ]
    order = ["都要成立；依次核对，第一项不成立的即为不予兑现的原因。", ""] if len(rows) > 1 else []
    return [*order, *_table(("条件", "判断", "数据缺少时"), rows)]


def _cap(law: Catalogue, item: Item, cap: Cap) -> tuple[str, str, str]:
    """A cap in words: how much, over what, and what follows."""
    unstated = bool(cap.per) and "year" not in cap.per and cap.period == "unstated"
    yearly = "year" in cap.per or (unstated and law.readings["unstated_cap_period"] == "year")
    thing = next((words for column, words in _THINGS.items() if column in cap.per), "")
    level, period = "的每个级别" if "level" in cap.per else "", "每年" if yearly else "全周期"
    notes = ["期间文本未写明，按口径"] if unstated else []
    notes += ["以前年度已兑付的计入"] if thing and not yearly else []
    notes += [f"以前已领的月数按每月 {amount_of(cap.monthly, item, law)} 计入"] if cap.monthly else []
    notes += ["几笔合计超过的按比例核减"] if thing and cap.shared else []
    for key, option in cap.under.items():
        reading, now = law.reading_titles[key], "现行" if law.readings[key] == option else "非现行"
        notes.append(f"仅当口径“{reading.title}”为“{reading.options[option]}”（{now}）")
    return (
        amount_of(lifted(item, cap), item, law),
        f"{thing}{level}{period}合计" if thing and cap.shared else "每笔",
        "；".join(notes),
    )
