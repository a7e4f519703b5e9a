"""A scenario: a thin overlay on the law and on what a forecast assumes, validated like the law itself."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.overlay import settings
from rules.overlay.changes import Change, told
from rules.overlay.envelopes import Envelope, with_envelopes
from rules.overlay.keys import Switch, Window, unknown_keys
from rules.overlay.terms import cover_windows, with_terms
from rules.terms import Strict
from schemas.errors import Unusable, did_you_mean

if TYPE_CHECKING:
    from rules.catalogue import Catalogue


class Scenario(Strict):
    """What a scenario file may hold: only what it changes, and why."""

    name: str
    title: str
    author: str = ""
    date: dt.date | None = None
    reason: str = ""
    reference: str = ""
    policies: dict[str, Window] = {}
    add: tuple[dict[str, Any], ...] = ()
    items: dict[str, Switch] = {}
    terms: dict[str, dict[str, Any]] = {}
    readings: dict[str, Any] = {}
    forecast: dict[str, Any] = {}
    envelopes: tuple[Envelope, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """A scenario file; its stem is its name. Raises Unusable when it is missing or does not fit."""
    if not path.is_file():
        raise Unusable(f"没有找到方案文件「{path}」。")
    if not re.fullmatch(r"[\w.-]+", path.stem):
        raise Unusable(
            f"方案文件名「{path.stem}」只能用文字、数字、点、下划线和连字符，它是结果文件夹的名字。"
        )
    try:
        content = read_yaml(path)
        if not isinstance(content, dict):
            raise Unusable(f"方案文件「{path}」应是 YAML 键值，至少写 title。")
        if unknown := list(unknown_keys(content, Scenario.model_fields)):
            raise Unusable("\n".join(f"方案文件「{path.name}」：{fault}" for fault in unknown))
        return Scenario.model_validate({**content, "name": path.stem})
    except ValidationError as error:
        raise Unusable(explain_invalid(error, f"方案文件「{path.name}」")) from error
    except RuleError as error:
        raise Unusable(str(error)) from error


def apply_scenario(law: "Catalogue", scenario: Scenario) -> "Catalogue":
    """The catalogue with one scenario laid over it; `changes` says what that changed, or why it did nothing.

    Raises Unusable for unknown names (with the closest match) and values that do not fit.
    """
    title = scenario.title
    title = f"{title}（{scenario.name}）" if title in law.scenarios else title
    try:
        changed, found = _laid(law, scenario, title)
    except (Unusable, RuleError) as error:
        raise Unusable("\n".join(f"方案「{title}」：{line}" for line in str(error).split("\n"))) from error
    edits, scenarios = (*law.edits, *found), (*law.scenarios, title)
    changed = replace(changed, edits=edits, scenarios=scenarios)
    changed = replace(changed, changes=told(edits, changed, scenarios))
    return changed.keeping(law)


def _laid(law: "Catalogue", scenario: Scenario, by: str) -> tuple["Catalogue", list[Change]]:
    """Every kind of change in turn: later kinds see what the earlier ones left."""
    found: list[Change] = []
    for key, window in scenario.policies.items():
        if key not in law.policies:
            raise Unusable(f"没有政策「{key}」{did_you_mean(key, law.policies)}")
        policy, told_ = settings.with_window(law.policies[key], window.model_dump(exclude_none=True), by)
        law, found = replace(law, policies=law.policies | {key: policy}), found + told_
    for key, value in scenario.readings.items():
        reading, told_ = settings.with_reading(law, key, value, by)
        law, found = replace(law, readings=law.readings | {key: reading}), found + told_
    for raw in scenario.add:
        item, change = settings.new_item(law, raw, by)
        law, found = settings.adding(law, item), [*found, change]
    for key, switch in scenario.items.items():
        found.append(settings.switched(law, law.item(key), switch.enabled, by))
        law = replace(law, switches=law.switches | {key: switch.enabled})
    for key, terms in scenario.terms.items():
        item, told_ = with_terms(law, law.item(key), terms, by)
        law, found = replace(law, items=law.items | {key: item}), found + told_
    cover_windows(law)
    prospect, told_ = settings.with_prospect(law, scenario.forecast, by)
    envelopes, shared = with_envelopes(law, scenario.envelopes, by)
    return replace(law, prospect=prospect, envelopes=envelopes), found + told_ + shared
