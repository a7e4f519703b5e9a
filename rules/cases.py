"""Worked cases: figures an officer worked by hand from the texts, held against the law.

A `aNN.cases.yaml` stands beside its article; each block is one applicant's rows and the lines they must make.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, ValidationError, model_validator

from rules.award import award
from rules.catalogue import HERE, Catalogue, explain_invalid, read_yaml
from rules.expressions import RuleError
from rules.history import Frames
from rules.identify import identify
from rules.numbers import parse_number
from rules.scenario import Scenario, apply_scenario
from rules.terms import Strict
from schemas.errors import did_you_mean
from schemas.keys import mark_repeats
from schemas.registries import PROVENANCE, REGISTRIES, Registry
from schemas.validate import FAULTS, validate

OPEN_ENDED = "无上限"
_USCC = "91320583MA1EXAMP06"
_DEFAULTS: dict[str, dict[str, Any]] = {
    "enterprises": {"name": "示例企业", "district": "开发区", "industrial": "是"},
    "talents": {"person_id": "E00000001", "person_name": "示例人员"},
}
"""What a row says where a case does not."""
_FLAGS = {"是": True, "否": False}
_ONE_LINE = ("item", "project_id", "certificate_no")
_COLUMNS = {
    **{"award": "award", "city": "city_share", "district": "district_share", "prefecture": "prefecture_share"},
    **{"low": "award_low", "high": "award_high", "gross": "gross", "cap_reduction": "cap_reduction"},
    **{"overlap_reduction": "overlap_reduction", "level": "level"},
}


def _exact(value: Any) -> Decimal:
    if isinstance(value, float):
        raise ValueError(f"{value} 请加引号写成文字，金额须精确")
    return parse_number(value)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Amount = Annotated[Decimal, BeforeValidator(_exact)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Expected(Strict):
    """One line a case must make; only the keys given are compared, and what the status implies.

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
    high: Amount | Literal["无上限"] | None = None
    gross: Amount | None = None
    cap_reduction: Amount | None = None
    overlap_reduction: Amount | None = None
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

    def differences(self, line: Mapping[str, Any]) -> list[str]:
        """What this line has otherwise, in Chinese; empty where it is as expected."""
        if line["status"] != self.status:
            return [f"状态应为 {self.status}，得到 {line['status']}（{line['reason']}）"]
        wanted = self._figures() if self.status != "rejected" else {}
        found = [
            f"{name} 应为 {_shown(value)}，得到 {_shown(line[_COLUMNS[name]])}"
            for name, value in wanted.items()
            if line[_COLUMNS[name]] != value
        ]
        for name in ("reason", "review", "working"):
            text = line.get(name) or ""
            found += [f"{name} 应含「{part}」，得到「{text}」" for part in getattr(self, name) if part not in text]
        text = line["reason"] or ""
        return found + [f"reason 不应含「{part}」：「{text}」" for part in self.reason_without if part in text]

    def _figures(self) -> dict[str, Any]:
        """The values to compare: those given, and those that follow from the status."""
        given = {name: getattr(self, name) for name in _COLUMNS if name in self.model_fields_set}
        if given.get("high") == OPEN_ENDED:
            given["high"] = None
        if self.status == "payable":
            return {"low": self.award, "high": self.award} | given
        zero = {"award": Decimal(0), "city": Decimal(0), "district": Decimal(0), "gross": Decimal(0)}
        return zero | ({} if self.status == "pending" else {"low": Decimal(0), "high": Decimal(0)}) | given


class Case(Strict):
    """One worked case: an applicant, its rows by registry, the readings in force, and what must come out.

    A row's `folder` is the year of the folder it stands in, else the run's.
    """

    case: str
    item: str
    year: int = 2023
    enterprise: dict[str, Any] = {}
    rnd: list[dict[str, Any]] | None = None
    equipment: list[dict[str, Any]] | None = None
    certifications: list[dict[str, Any]] | None = None
    claims: list[dict[str, Any]] | None = None
    talents: list[dict[str, Any]] | None = None
    payments: list[dict[str, Any]] | None = None
    readings: dict[str, Any] = {}
    policies: dict[str, Any] = {}
    expect: Annotated[tuple[Expected, ...], BeforeValidator(_listed)]

    def __str__(self) -> str:
        return f"{self.item} {self.case}"


def load_cases(root: Path = HERE) -> list[Case]:
    """Every case under `root`, in the order of the files. Raises RuleError saying file, case and fault."""
    cases: list[Case] = []
    for path in sorted((root / "policies").glob("*/a*.cases.yaml")):
        where = f"{path.parent.name}/{path.name}"
        for place, raw in enumerate(read_yaml(path) or [], 1):
            named = raw.get("case") if isinstance(raw, dict) else None
            try:
                case = Case.model_validate(raw)
            except ValidationError as error:
                raise RuleError(explain_invalid(error, f"{where} 第{place}例「{named}」")) from error
            if any(str(case) == str(other) for other in cases):
                raise RuleError(f"{where}：「{case}」出现两次")
            cases.append(case)
    return cases


def run_case(case: Case, law: Catalogue) -> list[str]:
    """What comes out otherwise than the case expects, in Chinese; empty when the case holds."""
    law.item(case.item)
    if case.readings or case.policies:
        overlay = {"name": "case", "title": case.case, "readings": case.readings, "policies": case.policies}
        law = apply_scenario(law, Scenario.model_validate(overlay))
    frames, lines = _frames(case, law)
    items = {case.item} | {expected.item for expected in case.expect if expected.item}
    awards = award(frames, law, case.year)
    lines += awards.filter(pl.col("item").is_in(items)).to_dicts()
    found = _unbalanced(lines)
    for number, expected in enumerate(case.expect, 1):
        wanted = {"item": expected.item or case.item} | {
            name: getattr(expected, name) for name in _ONE_LINE[1:] if name in expected.model_fields_set
        }
        meant = [
            line
            for line in lines
            if expected.status == "rejected" or all(line.get(name) == value for name, value in wanted.items())
        ]
        if not meant:
            found.append(f"第{number}行：没有得到这一行")
            continue
        best = min(meant, key=lambda line: len(expected.differences(line)) + 10 * (line["status"] != expected.status))
        lines.remove(best)
        found += [f"第{number}行：{text}" for text in expected.differences(best)]
    return found + [f"多出一行：{line['status']} {line['reason'] or line['award']}" for line in lines]


def _unbalanced(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines whose parts do not add up to the fen."""
    made = [line for line in lines if line["status"] != "rejected"]
    return [
        f"各部分与兑付金额 {line['award']} 不相等"
        for line in made
        if line["award"] != line["gross"] - line["cap_reduction"] - line["overlap_reduction"]
        or line["award"] != line["city_share"] + line["district_share"] + line["prefecture_share"]
    ]


def _frames(case: Case, law: Catalogue) -> tuple[Frames, list[dict[str, Any]]]:
    """The case's registries as checked frames, and a line `rejected` for each faulty row."""
    frames: Frames = {}
    rejected: list[dict[str, Any]] = []
    held = {name: rows for name in REGISTRIES if (rows := getattr(case, name, None)) is not None}
    usccs = dict.fromkeys(row.get("uscc", _USCC) for rows in held.values() for row in rows)
    held = {"enterprises": [case.enterprise | {"uscc": uscc} for uscc in usccs]} | held
    for name, rows in held.items():
        registry = REGISTRIES[name]
        frame = _built(registry, rows, case)
        frame, faults = identify(name, frame, law)
        frame, faults = _compared(registry, frame, pl.concat([faults, validate(registry, frame)]))
        frames[name] = frame
        reasons = faults.group_by("row", maintain_order=True).agg(pl.col("reason").str.join("；"))
        rejected += [{"status": "rejected", "reason": reason} for reason in reasons["reason"]]
    return frames, rejected


def _compared(registry: Registry, frame: pl.DataFrame, faults: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without fault, repeated ones marked; and all faults, contradicting rows among them."""
    good = frame.with_row_index("at").filter(~pl.col("at").is_in(faults["row"].implode()))
    comparable = pl.lit(True) if "year" in registry.columns else pl.col("role") == "line"
    marked, conflicts = mark_repeats(registry, good.filter(comparable))
    at = good.filter(comparable)["at"].cast(pl.Int64)
    conflicts = conflicts.with_columns(row=at.gather(conflicts["row"]))
    rest = good.filter(~comparable).with_columns(pl.lit(None, pl.String).alias("same_as"))
    kept = pl.concat([marked, rest]).filter(~pl.col("at").is_in(conflicts["row"].implode()))
    return kept.drop("at"), pl.concat([faults, conflicts.select(list(FAULTS))])


def _built(registry: Registry, rows: Sequence[Mapping[str, Any]], case: Case) -> pl.DataFrame:
    """Rows as the reader would hand them over: typed, with provenance and role."""
    where = f"「{case}」的{registry.title}"
    built = []
    for number, row in enumerate(rows, 1):
        folder = row.get("folder", case.year)
        given = dict(_filled(registry, row, case, where))
        is_line = folder == case.year and (given.get("year") or case.year) >= case.year
        source = registry.name if folder == case.year else f"{folder}/{registry.name}"
        built.append(
            given
            | {"source_file": source, "source_sheet": None, "source_row": number}
            | {"role": "line" if is_line else "history"}
        )
    schema = registry.dtypes() | PROVENANCE | {"role": pl.String}
    return pl.DataFrame(built, schema=schema, orient="row")


def _filled(registry: Registry, row: Mapping[str, Any], case: Case, where: str) -> Iterator[tuple[str, Any]]:
    for name in row:
        if name not in registry.columns and name != "folder":
            raise RuleError(f"{where}：没有列「{name}」{did_you_mean(name, registry.columns)}")
    defaults = {"uscc": _USCC} | _DEFAULTS.get(registry.name, {})
    if not row.get("certification"):
        defaults["item"] = case.item
    for name in registry.columns:
        value = row[name] if name in row else defaults.get(name)
        try:
            yield name, _typed(registry.kind(name), value)
        except (ValueError, KeyError) as error:
            raise RuleError(f"{where}：列「{name}」的值「{value}」不能用：{error}") from error


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
