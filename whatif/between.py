"""The laws between two laws: what changed comes into force group by group, each named."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from forecast.readings import SPLITS
from rules.catalogue import Catalogue
from rules.compile import compile_item
from rules.expressions import RuleError, names_in
from rules.model import Item, Policy
from rules.terms import ByReading, Term


def between(old: Catalogue, new: Catalogue) -> Iterator[tuple[str, Catalogue]]:
    """(step, law) from the old law to the new: rule, reading, cap, split; the last is the new law.

    A cap is what only the amounts of caps use: their expressions and terms. Who pays (payers' shares, an
    item's class, a policy's payer) comes last. An item whose caps cannot be taken apart from the rest of
    its change changes as a rule.
    """
    before = {key: _kept(old.readings.get(key), new, key) for key in new.readings}
    items = {key: _with_old_caps(old.items.get(key), item, before) for key, item in new.items.items()}
    policies = {key: _with_old_payer(old.policies.get(key), policy) for key, policy in new.policies.items()}
    yield "rule", replace(new, items=items, readings=before, policies=policies)
    readings = {key: before[key] if key in SPLITS else value for key, value in new.readings.items()}
    yield "reading", replace(new, items=items, readings=readings, policies=policies)
    capped = {key: _with_old_class(old.items.get(key), item) for key, item in new.items.items()}
    yield "cap", replace(new, items=capped, readings=readings, policies=policies)
    yield "split", new


def _kept(value: Any, new: Catalogue, key: str) -> Any:
    """The old value of a reading where the new catalogue still knows it, else the new one."""
    options, now = new.reading_titles[key].options, new.readings[key]
    return value if type(value) is type(now) and (not options or value in options) else now


def _with_old_payer(old: Policy | None, new: Policy) -> Policy:
    return new if old is None else new.model_copy(update={"payer": old.payer})


def _with_old_class(old: Item | None, new: Item) -> Item:
    return new if old is None else new.model_copy(update={"class_": old.class_})


def _with_old_caps(old: Item | None, new: Item, readings: dict[str, Any]) -> Item:
    """The new item with the caps and the class of the old one."""
    if old is None or old == new:
        return new
    classed, names = _with_old_class(old, new), _of_caps(old) | _of_caps(new)
    terms: dict[str, Term] = {**new.terms, **{n: old.terms[n] for n in names if n in old.terms}}
    if (terms, old.caps) == (new.terms, new.caps):
        return classed
    raw = classed.model_dump(by_alias=True) | old.model_copy(update={"terms": terms}).model_dump(
        by_alias=True, include={"caps", "terms"}
    )
    try:
        mixed = Item.model_validate(raw)
        if all(
            t.reading in readings and readings[t.reading] in t.options
            for t in terms.values()
            if isinstance(t, ByReading)
        ):
            compile_item(mixed, readings)
            return mixed
    except (ValidationError, RuleError):
        pass
    return classed


def _of_caps(item: Item) -> set[str]:
    """The terms that only the amounts of an item's caps use."""
    caps = [cap.amount for cap in item.caps]
    named = {name for cap in item.caps for name in (cap.monthly, cap.lifted) if name}
    named |= {name for text in caps for name in names_in(text)}
    others = [item.amount, item.rate_base, *item.let.values(), *(c.when for c in item.eligible.values())]
    if item.uplift:
        others += [item.uplift.when, item.uplift.factor]
    used = {name for text in others if text for name in names_in(text)}
    return (named & set(item.terms)) - used - {item.quota}
