"""The blocks of a scenario file, and the keys in them that do not exist."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from rules.model import Prospect
from rules.overlay.envelopes import Envelope
from rules.terms import Strict
from schemas.errors import did_you_mean


class Window(Strict):
    """New first and last day of a policy, or its switch."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None
    enabled: bool | None = None


class Switch(Strict):
    """Whether one item is in force, whatever its policy."""

    enabled: bool


def unknown_keys(content: dict[Any, Any], fields: Collection[str]) -> Iterator[str]:
    """Keys that a scenario does not have, each with the closest one."""
    yield from _strange(content, set(fields) - {"name"}, "")
    for part, known in (("policies", Window.model_fields), ("items", Switch.model_fields)):
        held = content.get(part)
        for key, block in (held if isinstance(held, dict) else {}).items():
            yield from _strange(block, known, f"{part}.{key}.")
    yield from _strange(content.get("forecast"), Prospect.model_fields, "forecast.")
    envelopes = content.get("envelopes")
    for place, block in enumerate(envelopes if isinstance(envelopes, list) else []):
        yield from _strange(block, Envelope.model_fields, f"envelopes.{place}.")


def _strange(block: Any, fields: Collection[str], where: str) -> Iterator[str]:
    allowed = f"，此处可写：{'、'.join(fields)}"
    if where.startswith("items."):
        allowed += "；要改比例、上限等，请写在 terms 下"
    for key in block if isinstance(block, dict) else ():
        if key not in fields:
            yield f"不认识的键「{where}{key}」{did_you_mean(str(key), fields) or allowed}"
