"""Load the law: policies, items and readings, with scenarios laid over them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rules.compile import CompiledItem, compile_item
from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.model import Article, Item, Policy, Prospect, Reading
from rules.overlay.changes import Change
from rules.overlay.envelopes import Envelope
from rules.scenario import Scenario, apply_scenario
from schemas.errors import Unusable, did_you_mean

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Catalogue:
    """The law in force for a run: items in text order, policies, readings, and what scenarios changed.

    `departments` and `articles`: each item's lead department and the title of its article. `switches`: items
    on or off whatever their policy. `changes` tells in words what the `scenarios` (titles) did by `edits`.
    """

    items: dict[str, Item]
    departments: dict[str, str]
    articles: dict[str, str]
    policies: dict[str, Policy]
    readings: dict[str, Any]
    reading_titles: dict[str, Reading]
    overlaps: dict[str, dict[str, tuple[str, ...]]]
    version: str
    prospect: Prospect = Prospect()
    switches: dict[str, bool] = field(default_factory=dict)
    envelopes: tuple[Envelope, ...] = ()
    scenarios: tuple[str, ...] = ()
    edits: tuple[Change, ...] = ()
    changes: tuple[str, ...] = ()
    _compiled: dict[str, CompiledItem] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_registry(self, registry: str) -> Iterator[Item]:
        """The items in force that are computed from one registry, in text order."""
        return (item for item in self.items.values() if item.registry == registry and self.in_force(item))

    def in_force(self, item: Item) -> bool:
        """Whether an item is switched on: by itself, else with its policy."""
        return self.switches.get(item.id, self.policies[item.policy].enabled)

    def item(self, key: str) -> Item:
        """One item. Raises Unusable with the closest ids when there is none."""
        if key not in self.items:
            raise Unusable(f"没有条款「{key}」{did_you_mean(key, self.items, 3)}")
        return self.items[key]

    def class_of(self, item: Item) -> str:
        """recognition or general, as the reading `class` has it."""
        return str(self.readings["class"].get(item.id, item.class_))

    def compiled(self, item: Item) -> CompiledItem:
        """The item ready to evaluate; compiled once."""
        if item.id not in self._compiled:
            self._compiled[item.id] = compile_item(item, self.readings)
        return self._compiled[item.id]

    def keeping(self, law: "Catalogue") -> "Catalogue":
        """This catalogue, with what another one has compiled of the same items under the same readings."""
        if self.readings == law.readings:
            same = {k: held for k, held in law._compiled.items() if self.items.get(k) is held.item}
            self._compiled.update(same)
        return self

    def readings_in_force(self) -> list[tuple[str, str, str]]:
        """(key, title, value in words) of every reading."""
        return [
            (key, reading.title, reading.words(self.readings[key]))
            for key, reading in self.reading_titles.items()
        ]


def _articles(folder: Path) -> Iterator[Article]:
    for path in sorted(folder.glob("a*.yaml")):
        if path.name.endswith(".cases.yaml"):
            continue
        try:
            yield Article.model_validate(read_yaml(path))
        except ValidationError as error:
            raise RuleError(explain_invalid(error, f"{folder.name}/{path.name}")) from error


def load_catalogue(scenarios: Sequence[Scenario] = (), root: Path = HERE) -> Catalogue:
    """The catalogue under `root` with the scenarios laid over it, in order.

    Raises RuleError where a file or a scenario does not fit the model.
    """
    items: dict[str, Item] = {}
    departments: dict[str, str] = {}
    articles: dict[str, str] = {}
    policies: dict[str, Policy] = {}
    for folder in sorted(p for p in (root / "policies").iterdir() if p.is_dir()):
        try:
            policy = Policy.model_validate(read_yaml(folder / "policy.yaml"))
        except ValidationError as error:
            raise RuleError(explain_invalid(error, f"{folder.name}/policy.yaml")) from error
        policies[policy.key] = policy
        for article in _articles(folder):
            for item in article.items:
                if item.id in items:
                    raise RuleError(f"条款 {item.id} 在 {folder.name} 中出现两次")
                if (item.policy, item.article) != (policy.key, article.article):
                    raise RuleError(f"条款 {item.id} 不属于 {policy.key} 第{article.article}条的文件")
                items[item.id] = item
                departments[item.id], articles[item.id] = article.lead_department, article.title
    readings = {key: Reading.model_validate(raw) for key, raw in read_yaml(root / "readings.yaml").items()}
    law = Catalogue(
        items=items,
        departments=departments,
        articles=articles,
        policies=policies,
        readings={key: reading.default for key, reading in readings.items()},
        reading_titles=readings,
        overlaps=_overlaps(root, items),
        version=_version(root),
    )
    for scenario in scenarios:
        law = apply_scenario(law, scenario)
    return law


def _overlaps(root: Path, items: dict[str, Item]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Group of one matter → its items and the levels meant (empty: all). Raises RuleError where one is unknown."""
    groups = {
        name: {item: tuple(levels) for item, levels in members.items()}
        for name, members in read_yaml(root / "overlaps.yaml").items()
    }
    seen: set[tuple[str, str]] = set()
    for name, members in groups.items():
        for item, levels in members.items():
            if item not in items:
                raise RuleError(f"重复事项组「{name}」：没有条款「{item}」{did_you_mean(item, items)}")
            if not set(levels) <= {*items[item].levels, ""}:
                raise RuleError(f"重复事项组「{name}」：{item} 没有级别「{'、'.join(levels)}」")
            here = {(item, level) for level in levels or items[item].levels or ("",)}
            if here & seen:
                raise RuleError(f"重复事项组「{name}」：{item} 已在另一组中")
            seen |= here
    return groups


def _version(root: Path) -> str:
    """A hash of the catalogue's files that no checkout's line endings can change."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.yaml")):
        if not path.name.endswith((".cases.yaml", "figures.yaml")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_text(encoding="utf-8").encode())
    return digest.hexdigest()[:16]
