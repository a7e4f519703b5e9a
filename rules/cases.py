"""Worked cases: figures an officer worked by hand from the texts, held against the law.

An `aNN.cases.yaml` stands beside its article; each block is one applicant's rows and the lines they make.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, ValidationError, model_validator

from rules.award import award
from rules.catalogue import HERE, Catalogue
from rules.expressions import RuleError
from rules.files import explain_invalid, read_yaml
from rules.frames import Frames
from rules.identify import identify
from rules.numbers import parse_number
from rules.scenario import Scenario, apply_scenario
from rules.terms import Strict
from schemas.codes import uscc_check_digit_fits
from schemas.errors import did_you_mean
from schemas.keys import mark_repeats
from schemas.registries import PROVENANCE, REGISTRIES, Registry
from schemas.validate import validate

OPEN_ENDED = "无上限"
_DEFAULTS: dict[str, dict[str, Any]] = {
    "enterprises": {"name": "示例企业", "district": "开发区", "industrial": "是"},
    "talents": {"person_id": "示例人员", "person_name": "示例人员"},
}
"""What a row says where a case does not."""
_APPLICANT = "示例企业"
_FLAGS = {"是": True, "否": False}
_COLUMNS = {
    "award": "award",
    "city": "city_share",
    "district": "district_share",
    "prefecture": "prefecture_share",
    "low": "award_low",
    "high": "award_high",
    "gross": "gross",
    "cap_reduction": "cap_reduction",
    "overlap_reduction": "overlap_reduction",
    "level": "level",
    "paid": "paid",
    "to_pay": "to_pay",
    "to_recover": "to_recover",
}
"""What a case states of a line, and the column that holds it."""
_WHICH = ("item", "project_id", "certificate_no")
_REJECTED = {"status": "rejected", "reason": None, "review": None, "working": None, "award": None}


def _exact(value: Any) -> Decimal:
    if isinstance(value, float):
        raise ValueError(f"{value} 请加引号写成文字，数字须精确")
    return parse_number(value)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Amount = Annotated[Decimal, BeforeValidator(_exact)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Rows = list[dict[str, Any]]


class Expected(Strict):
    """One line a case must make; the keys given are compared, and what follows from the status.

    `reason`, `review` and `working` list texts that must occur, `reason_without` those that must not.
    `item`, `project_id` and `certificate_no` say which line is meant. `rejected`: a row that makes no line.
    """

    status: Literal["payable", "pending", "ineligible", "duplicate", "rejected"]
    item: str | None = None
    project_id: str | None = None
    certificate_no: str | None = None
    level: str | None = None
    award: Amount | None = None
    city: Amount | None = None
    district: Amount | None = None
    prefecture: Amount | None = None
    low: Amount | None = None
    high: Literal["无上限"] | Amount | None = None
    gross: Amount | None = None
    cap_reduction: Amount | None = None
    overlap_reduction: Amount | None = None
    paid: Amount | None = None
    to_pay: Amount | None = None
    to_recover: Amount | None = None
    reason: Words = ()
    reason_without: Words = ()
    review: Words = ()
    working: Words = ()

    @model_validator(mode="after")
    def _says_enough(self) -> "Expected":
        needed = {"payable": ("award", "city", "district"), "pending": ("low", "high")}
        for name in needed.get(self.status, ("reason",)):
            if name not in self.model_fields_set:
                raise ValueError(f"{self.status} 的一行须写 {name}")
        return self

    def means(self, line: Mapping[str, Any], item: str) -> bool:
        """Whether this is about that line, or row without a line, of a case of `item`."""
        if "rejected" in (self.status, line["status"]):
            return bool(self.status == line["status"])
        given = {name: getattr(self, name) for name in _WHICH if name in self.model_fields_set}
        return all(line[name] == value for name, value in ({"item": item} | given).items())

    def distance(self, line: Mapping[str, Any]) -> tuple[bool, int]:
        """How far a line is from this; least for the line to compare with."""
        return line["status"] != self.status, len(self.differences(line))

    def differences(self, line: Mapping[str, Any]) -> list[str]:
        """What this line has otherwise, in Chinese; empty where it is as expected."""
        if line["status"] != self.status:
            return [f"状态应为 {self.status}，得到 {line['status']}（{line['reason']}）"]
        found = [
            f"{name} 应为 {_shown(value)}，得到 {_shown(line[_COLUMNS[name]])}"
            for name, value in self._figures().items()
            if line[_COLUMNS[name]] != value
        ]
        for name in ("reason", "review", "working"):
            text = line[name] or ""
            absent = [part for part in getattr(self, name) if part not in text]
            found += [f"{name} 应含「{part}」，得到「{text}」" for part in absent]
        present = [part for part in self.reason_without if part in (line["reason"] or "")]
        return found + [f"reason 不应含「{part}」：「{line['reason']}」" for part in present]

    def _figures(self) -> dict[str, Any]:
        """The values to compare: those given, and those that follow from the status."""
        given = {name: getattr(self, name) for name in _COLUMNS if name in self.model_fields_set}
        if given.get("high") == OPEN_ENDED:
            given["high"] = None
        if self.status == "rejected":
            return {}
        if self.status == "payable":
            return {"low": self.award, "high": self.award} | given
        nothing = ("award", "city", "district") + (("low", "high") if self.status != "pending" else ())
        return dict.fromkeys(nothing, Decimal(0)) | given


class Case(Strict):
    """One worked case: an applicant, its rows by registry, the readings in force, and what must come out.

    A row's `folder` is the year of the folder it stands in, else the run's. Another applicant or person is
    named by any word under `uscc` or `person_id`.
    """

    case: str
    item: str
    year: int = 2023
    enterprise: dict[str, Any] = {}
    rnd: Rows = []
    equipment: Rows = []
    certifications: Rows = []
    claims: Rows = []
    talents: Rows = []
    payments: Rows = []
    readings: dict[str, Any] = {}
    policies: dict[str, Any] = {}
    expect: Annotated[tuple[Expected, ...], BeforeValidator(_listed)]

    def __str__(self) -> str:
        return f"{self.item} {self.case}"


def load_cases(root: Path = HERE) -> list[Case]:
    """Every case under `root`, in the order of the files. Raises RuleError saying file, case and fault."""
    cases: dict[str, Case] = {}
    for path in sorted((root / "policies").rglob("*.cases.yaml")):
        where = f"{path.parent.name}/{path.name}"
        for place, raw in enumerate(read_yaml(path) or [], 1):
            named = raw.get("case") if isinstance(raw, dict) else None
            try:
                case = Case.model_validate(raw)
            except ValidationError as error:
                raise RuleError(explain_invalid(error, f"{where} 第{place}例「{named}」")) from error
            if str(case) in cases:
                raise RuleError(f"{where}：「{case}」出现两次")
            cases[str(case)] = case
    return list(cases.values())


def run_cases(cases: Sequence[Case], law: Catalogue, *, well_formed: bool = False) -> list[list[str]]:
    """By case what comes out otherwise than it expects, in Chinese; an empty list where the case holds.

    `well_formed`: their rows are known to pass the registries' checks, and are not checked again. Cases of
    one year and one set of readings make one run, each with applicants and persons of its own.
    """
    together: dict[str, list[int]] = {}
    for place, case in enumerate(cases):
        together.setdefault(f"{case.year} {case.readings} {case.policies}", []).append(place)
    found: dict[int, list[str]] = {}
    for places in together.values():
        found |= dict(zip(places, _run([cases[place] for place in places], law, well_formed), strict=True))
    return [found[place] for place in range(len(cases))]


def _run(cases: Sequence[Case], law: Catalogue, well_formed: bool) -> list[list[str]]:
    case = cases[0]
    if case.readings or case.policies:
        overlay = {"name": "case", "title": case.case, "readings": case.readings, "policies": case.policies}
        law = apply_scenario(law, Scenario.model_validate(overlay))
    batch = _Batch(cases)
    lines = batch.check(law, well_formed)
    for line in award(batch.frames, law, case.year).to_dicts():
        lines[batch.owner[line["uscc"]]].append(line)
    return [_compared(case, made) for case, made in zip(cases, lines, strict=True)]


def _compared(case: Case, made: Sequence[dict[str, Any]]) -> list[str]:
    """Pair every expected line with the made line that fits it best, and say what differs."""
    items = {case.item} | {expected.item for expected in case.expect if expected.item}
    lines = [line for line in made if line["status"] == "rejected" or line["item"] in items]
    found = []
    for number, expected in enumerate(case.expect, 1):
        meant = [line for line in lines if expected.means(line, case.item)]
        if not meant:
            found.append(f"第{number}行：没有得到这一行（{expected.status}）")
            continue
        best = min(meant, key=expected.distance)
        lines.remove(best)
        found += [f"第{number}行：{text}" for text in expected.differences(best)]
    return found + [f"多出一行：{line['status']} {line['reason'] or line['award']}" for line in lines]


class _Batch:
    """Cases laid side by side: `frames` as the checks hand them over, `owner` the case of an applicant."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.frames: Frames = {}
        self.owner: dict[str, int] = {}
        self._codes = _codes(sum(len(getattr(case, name, ())) for case in cases for name in REGISTRIES))
        self._persons = (f"E{number:08d}" for number in count(1))
        self._names: dict[tuple[int, str, str], str] = {}

    def check(self, law: Catalogue, well_formed: bool = False) -> list[list[dict[str, Any]]]:
        """Build and check the frames; by case a line `rejected` for every faulty row."""
        rejected: list[list[dict[str, Any]]] = [[] for _ in self.cases]
        for name in reversed(REGISTRIES):  # enterprises last, when every applicant is known
            registry = REGISTRIES[name]
            owners, rows = self._rows(registry)
            if not rows:
                continue
            schema = registry.dtypes() | PROVENANCE | {"role": pl.String}
            frame, faults = identify(name, pl.DataFrame(rows, schema=schema, orient="row"), law)
            if not well_formed:
                faults = pl.concat([faults, validate(registry, frame)])
            self.frames[name], faults = _checked(registry, frame, faults)
            reasons = faults.group_by("row", maintain_order=True).agg(pl.col("reason").str.join("；"))
            for row, reason in reasons.iter_rows():
                rejected[owners[row]].append(_REJECTED | {"reason": reason})
        return rejected

    def _rows(self, registry: Registry) -> tuple[list[int], list[dict[str, Any]]]:
        """A registry's rows over all cases, typed, with provenance and role; and the case of each."""
        owners, built = [], []
        for place, case in enumerate(self.cases):
            for row in self._written(registry, place, case):
                folder = row.get("folder", case.year)
                values = dict(self._filled(registry, row, place, case))
                is_line = folder == case.year and (values.get("year") or case.year) >= case.year
                source = registry.name if folder == case.year else f"{folder}/{registry.name}"
                owners.append(place)
                built.append(
                    values
                    | {"source_file": source, "source_sheet": None, "source_row": len(owners)}
                    | {"role": "line" if is_line else "history"}
                )
        return owners, built

    def _written(self, registry: Registry, place: int, case: Case) -> Rows:
        if registry.name != "enterprises":
            return list(getattr(case, registry.name))
        applicants = [label for owner, column, label in self._names if (owner, column) == (place, "uscc")]
        return [case.enterprise | {"uscc": label} for label in applicants]

    def _filled(
        self, registry: Registry, row: Mapping[str, Any], place: int, case: Case
    ) -> Iterator[tuple[str, Any]]:
        where = f"「{case}」的{registry.title}"
        for name in row:
            if name not in registry.columns and name != "folder":
                raise RuleError(f"{where}：没有列「{name}」{did_you_mean(name, registry.columns)}")
        given = {"uscc": _APPLICANT} | _DEFAULTS.get(registry.name, {})
        if not row.get("certification"):
            given["item"] = case.item
        given |= row
        for name in registry.columns:
            value = given.get(name)
            try:
                typed = _typed(registry.kind(name), value)
            except (ValueError, KeyError) as error:
                raise RuleError(f"{where}：列「{name}」的值「{value}」不能用：{error}") from error
            is_name = name in ("uscc", "person_id") and typed is not None
            yield name, self._name(place, name, typed) if is_name else typed

    def _name(self, place: int, column: str, label: str) -> str:
        """The code of an applicant or person that a case names by any word."""
        key = (place, column, label)
        if key not in self._names:
            self._names[key] = next(self._codes if column == "uscc" else self._persons)
            if column == "uscc":
                self.owner[self._names[key]] = place
        return self._names[key]


def _checked(
    registry: Registry, frame: pl.DataFrame, faults: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without fault, repeated ones marked; and all faults, contradicting rows among them."""
    good = frame.with_row_index("at").filter(~pl.col("at").is_in(faults["row"].implode()))
    comparable = pl.lit(True) if "year" in registry.columns else pl.col("role") == "line"
    alike = good.filter(comparable)
    marked, conflicts = mark_repeats(registry, alike)
    conflicts = conflicts.with_columns(row=alike["at"].cast(pl.Int64).gather(conflicts["row"]))
    rest = good.filter(~comparable).with_columns(pl.lit(None, pl.String).alias("same_as"))
    kept = pl.concat([marked, rest]).filter(~pl.col("at").is_in(conflicts["row"].implode()))
    return kept.drop("at"), pl.concat([faults, conflicts])


def _codes(number: int) -> Iterator[str]:
    """As many well-formed unified social credit codes."""
    stems = pl.DataFrame({"stem": [f"91320583MA{n:07d}" for n in range(number)]})
    codes = stems.join(pl.DataFrame({"check": list("0123456789ABCDEFGHJKLMNPQRTUWXY")}), how="cross")
    code = pl.concat_str("stem", "check")
    return iter(codes.filter(uscc_check_digit_fits(code)).select(code).to_series().to_list())


def _typed(kind: str, value: Any) -> Any:
    """A cell's value as the registry types it. Raises ValueError or KeyError where it does not fit."""
    if value is None:
        return None
    if kind in ("money", "rate"):
        number = _exact(value)
        if kind == "money" and number != round(number, 2):
            raise ValueError("不足一分")
        return number
    if kind == "flag":
        return _FLAGS[value]
    wanted = {"year": int, "count": int, "date": date}.get(kind, str)
    if type(value) is not wanted:
        raise ValueError(f"应为 {wanted.__name__}")
    return value


def _shown(value: Any) -> str:
    return OPEN_ENDED if value is None else f"{value:,.2f}" if isinstance(value, Decimal) else str(value)
