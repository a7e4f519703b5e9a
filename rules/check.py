"""Check the catalogue: nothing in it is wrong, missing or dead."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from string import Formatter
from typing import Any

import polars as pl

from rules.cases import Case, load_cases, run_cases
from rules.catalogue import HERE, Catalogue
from rules.expressions import RuleError, names_in
from rules.files import read_yaml
from rules.identify import known_names
from rules.model import Item
from rules.scenario import Scenario, apply_scenario
from rules.terms import Dated

LEAST_CASES = 3
"""Cases of an item that computes something: a typical one, a boundary, a failing one."""


def check(law: Catalogue) -> list[str]:
    """What is wrong with the catalogue, one line a fault; empty where nothing is."""
    cases = load_cases()
    outcomes = run_cases(cases, law)
    held = [case for case, problems in zip(cases, outcomes, strict=True) if not problems]
    return [
        *_compile_faults(law),
        *_index_faults(law),
        *_period_faults(law),
        *_name_faults(law),
        *_case_faults(law, cases),
        *_reading_faults(law, cases),
        *(
            f"{case.item} 案例「{case.case}」：{p}"
            for case, found in zip(cases, outcomes, strict=True)
            for p in found
        ),
        *(f"{figure}：改动后没有算例发觉" for figure in unnoticed(law, held)),
    ]


def used_names(item: Item) -> set[str]:
    """Every name the item's expressions and notes use."""
    texts = [*item.let.values(), *(c.when for c in item.eligible.values()), *(c.amount for c in item.caps)]
    texts += [text for text in (item.amount, item.base) if text]
    texts += [item.uplift.when, item.uplift.factor] if item.uplift else []
    names = {name for text in texts for name in names_in(text)}
    named = {name for cap in item.caps for name in (cap.monthly, cap.lifted) if name}
    return names | noted_names(item) | named | ({item.quota} if item.quota else set())


def noted_names(item: Item) -> set[str]:
    """The terms that a note to the department shows."""
    return {name for text in item.review for _, name, _, _ in Formatter().parse(text) if name}


def _compile_faults(law: Catalogue) -> Iterator[str]:
    for item in law.items.values():
        if item.registry is None:
            continue
        try:
            law.compiled(item)
        except RuleError as error:
            yield str(error)
        for name in sorted(set(item.terms) - used_names(item)):
            yield f"{item.id} 的标量 {name} 没有用到"


def index_of(law: Catalogue) -> dict[str, dict[int, str]]:
    """Policy → article → number of its items and a digest of their ids, registries and level labels."""
    found: dict[str, dict[int, list[str]]] = {}
    for item in law.items.values():
        text = f"{item.id}|{item.registry or ''}|{'|'.join(item.levels)}"
        found.setdefault(item.policy, {}).setdefault(item.article, []).append(text)
    return {
        policy: {
            article: f"{len(texts)} {hashlib.sha256(chr(10).join(texts).encode()).hexdigest()[:12]}"
            for article, texts in articles.items()
        }
        for policy, articles in found.items()
    }


def _index_faults(law: Catalogue) -> Iterator[str]:
    """Articles whose items, registries or levels are no longer those of the published index."""
    here = index_of(law)
    for policy, articles in read_yaml(HERE / "index.yaml").items():
        for article, fixed in articles.items():
            if here.get(policy, {}).get(article) != fixed:
                count = fixed.split()[0]
                yield f"{policy} 第{article}条：条款、登记表或级别与条款索引不符（应有 {count} 条）"


def _period_faults(law: Catalogue) -> Iterator[str]:
    """Dated terms that say nothing for a part of their policy's window."""
    for item in law.items.values():
        policy = law.policies[item.policy]
        for name, term in item.terms.items():
            if isinstance(term, Dated):
                periods = term.periods()
                if periods[0][0] > policy.begins or periods[-1][1] < policy.ends:
                    yield f"{item.id} 的标量 {name} 没有覆盖政策的整个有效期"


def _name_faults(law: Catalogue) -> Iterator[str]:
    """Certifications without a name, and names that mean several items or levels alike."""
    for item in law.items.values():
        if item.registry == "certifications" and not any(item.named.values()):
            yield f"{item.id} 没有资质名称"
    alike = known_names(law)
    doubled = alike.group_by("_name", "_event", "_rank", maintain_order=True).agg(
        pl.struct("_item", "_named_level").n_unique().alias("meanings"), pl.col("_item").unique().sort()
    )
    for name, items in doubled.filter(pl.col("meanings") > 1).select("_name", "_item").iter_rows():
        yield f"资质名称「{name}」同时指 {'、'.join(items)} 的不同事项或级别"


def _case_faults(law: Catalogue, cases: Sequence[Case]) -> Iterator[str]:
    counts = Counter(case.item for case in cases)
    for key, item in law.items.items():
        least = LEAST_CASES if item.registry else 1
        if counts[key] < least:
            yield f"{key} 只有 {counts[key]} 个案例，至少应有 {least} 个"


def _reading_faults(law: Catalogue, cases: Sequence[Case]) -> Iterator[str]:
    """Readings, or alternatives of them, that no case shows."""
    shown = {(key, str(value)) for case in cases for key, value in case.readings.items()}
    for key, reading in law.reading_titles.items():
        if not any(name == key for name, _ in shown):
            yield f"口径 {key} 没有案例"
        for option in reading.options:
            if option != reading.default and (key, option) not in shown:
                yield f"口径 {key} 的 {option} 没有案例"


def unnoticed(law: Catalogue, cases: Sequence[Case]) -> list[str]:
    """The figures that can be moved up or down without any of the (holding) cases of their item noticing.

    One figure of every item is moved at a time. A figure that only a note shows changes the note. Cases
    with a rejected row are left out: none of them is about a figure.
    """
    found = []
    cases = [case for case in cases if all(line.status != "rejected" for line in case.expect)]
    for up in (True, False):
        moves = {key: list(_moves(law.items[key], up)) for key in dict.fromkeys(case.item for case in cases)}
        for turn in range(max(map(len, moves.values()), default=0)):
            now = {key: made[turn] for key, made in moves.items() if turn < len(made)}
            terms = {key: changed for key, (_, changed) in now.items()}
            other = apply_scenario(law, Scenario(name="moved", title="moved", terms=terms))
            left = set(now)
            for plain in (True, False):  # most notice in the one large run of cases without special readings
                tried = [c for c in cases if c.item in left and plain == _is_plain(c)]
                outcomes = run_cases(tried, other, well_formed=True)
                left -= {case.item for case, problems in zip(tried, outcomes, strict=True) if problems}
            found += [f"{key} 的 {now[key][0]} {'上' if up else '下'}调" for key in sorted(left)]
    return found


def _is_plain(case: Case) -> bool:
    return case.year == 2023 and not case.readings and not case.policies


def _moves(item: Item, up: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The item's terms with one number moved, for each of its numbers, and which one it was; never below 0."""
    for name, changed, value in _every_move(item, up):
        if Decimal(value) >= 0:
            yield name, changed


def _every_move(item: Item, up: bool) -> Iterator[tuple[str, dict[str, Any], str]]:
    noted_only = noted_names(item) - used_names(item.model_copy(update={"review": ()}))
    for name, term in item.model_dump(by_alias=True)["terms"].items():
        if name in noted_only:
            continue
        for key, held in term.items():
            if key == "value":
                yield name, {name: {key: _moved(held, up)}}, _moved(held, up)
            elif key == "range":
                for end in range(2):
                    ends = [_moved(value, up) if place == end else value for place, value in enumerate(held)]
                    yield f"{name}[{end}]", {name: term | {key: ends}}, ends[end]
            elif isinstance(held, dict):
                for word, value in held.items():
                    moved = _moved(value, up)
                    yield f"{name}.{word}", {name: term | {key: held | {word: moved}}}, moved
                if key == "ladder":
                    for word in held:
                        table = {(_moved(w, up) if w == word else w): value for w, value in held.items()}
                        yield f"{name} 台阶 {word}", {name: term | {key: table}}, _moved(word, up)


def _moved(number: object, up: bool) -> str:
    value = Decimal(str(number))
    step = Decimal(1) if value == int(value) and 0 < value < 100 else max(value / 100, Decimal("0.0001"))
    return f"{value + step if up else value - step:f}"
