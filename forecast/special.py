"""What items.yaml says of a few items, checked against the catalogue."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from rules.catalogue import Catalogue
from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.terms import Scalar, Strict
from schemas.errors import did_you_mean

FILE = Path(__file__).with_name("items.yaml")


class CohortRule(Strict):
    """A status that expires after `term` years and may be renewed."""

    new: str
    renewed: str
    term: int
    renewal: tuple[float, float]


class Promise(Strict):
    """How long a payment goes on: the name of the item's term, in months or in years."""

    months: str | None = None
    years: str | None = None


class _File(Strict):
    severity: dict[str, str]
    cohorts: tuple[CohortRule, ...]
    promises: dict[str, Promise]


@dataclass(frozen=True)
class Special:
    """Items that are carried forward in their own way. `promises`: item → (months or years, how many)."""

    severity: dict[str, str]
    cohorts: tuple[CohortRule, ...]
    promises: dict[str, tuple[str, int]]


def load_special(law: Catalogue, path: Path = FILE) -> Special:
    """The file, with the promises' figures as the law (and a scenario) has them.

    Raises RuleError where an item or a term is unknown.
    """
    try:
        file = _File.model_validate(read_yaml(path))
    except ValidationError as error:
        raise RuleError(explain_invalid(error, path.name)) from error
    named = [*file.severity, *file.promises, *(i for c in file.cohorts for i in (c.new, c.renewed))]
    for item in named:
        if item not in law.items:
            raise RuleError(f"{path.name}：没有条款「{item}」{did_you_mean(item, law.items)}")
    promises = {}
    for item, promise in file.promises.items():
        unit, name = ("months", promise.months) if promise.months else ("years", promise.years)
        term = law.items[item].terms.get(name or "")
        if not isinstance(term, Scalar):
            raise RuleError(
                f"{path.name}：{item} 没有标量「{name}」{did_you_mean(name or '', law.items[item].terms)}"
            )
        promises[item] = (unit, int(term.value))
    return Special(file.severity, file.cohorts, promises)
