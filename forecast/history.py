"""What the registries show of other years: every line of every year, as decided and as the texts alone leave it."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import polars as pl

from rules.award import assessed
from rules.catalogue import Catalogue
from rules.evaluate import PAYABLE, PENDING
from rules.frames import Frames
from rules.model import Policy
from schemas.registries import REGISTRIES

_DECISIONS = ("assessed_amount", "assessed_rate", "assessed_base")
UNIT = ("year", "uscc", "person_id")
"""One case: an applicant's, or a person's, lines of an item in a year."""

CONTENT = [*UNIT, "project_id", "certificate_no", "level", "on", "least", "most"]
"""What lines are ordered by where their order must not depend on that of the rows."""

_KEY = ["item", "source_file", "source_sheet", "source_row"]


def everlasting(law: Catalogue) -> Catalogue:
    """The law with every policy that is switched on in force for any year."""
    ever = {
        key: policy.model_copy(update={"first_day": None, "last_day": None}) if policy.enabled else policy
        for key, policy in law.policies.items()
    }
    return replace(law, policies=ever)


def at_year(frames: Frames, year: int) -> Frames:
    """The registries as they stood at the end of an earlier year: its rows are lines, earlier ones history."""
    found = {}
    for name, frame in frames.items():
        when = _year(name, frame)
        if when is None:
            found[name] = frame
            continue
        role = pl.when(when == year).then(pl.lit("line")).otherwise(pl.lit("history"))
        found[name] = frame.filter(when <= year).with_columns(role.alias("role"))
    return found


def _year(name: str, frame: pl.DataFrame) -> pl.Expr | None:
    """The year a row belongs to; None for a registry without."""
    dated = REGISTRIES[name].dated_by
    if dated is None:
        return None
    return pl.col(dated) if frame.schema[dated].is_integer() else pl.col(dated).dt.year()


@dataclass(frozen=True)
class Past:
    """Lines of all years to the base year, payable or pending, each by itself and after caps.

    `low`..`high`: what is due (equal where decided, `high` null where open-ended); `least`..`most`: what
    the texts alone would allow; `decided`: a department's figure settles it. Yuan as floats; `year` is
    the event's, `district` null where the applicant is no longer listed. `covered`: by registry the years
    that it was handed in for, oldest first.
    """

    lines: pl.DataFrame
    covered: dict[str, tuple[int, ...]]
    law: Catalogue

    def of(self, item: str) -> pl.DataFrame:
        """One item's lines."""
        return self._by_item.get(item, self.lines.clear())

    def seen(self, item: str) -> tuple[int, ...]:
        """How many cases of an item each covered year brought: applicants (or persons) with lines."""
        return self._seen.get(item, (0,) * len(self.years_of(item)))

    def years_of(self, item: str) -> tuple[int, ...]:
        """The years that could have brought cases of an item: its registry's, else those with payments.

        Statuses are conferred whether a policy pays for them or not; claims begin with their policy.
        """
        held = self.law.items[item]
        years = self.covered.get(held.registry or "") or self._paid_years.get(item, ())
        begins = self.law.policies[held.policy].begins.year
        return tuple(y for y in years if held.registry == "certifications" or y >= begins)

    def exposure(self, item: str) -> tuple[float, ...]:
        """By year of `years_of` the part of it in which cases could arise."""
        held = self.law.items[item]
        whole = held.registry == "certifications"
        return tuple(
            part_in_force(self.law.policies[held.policy], y, whole) or 1.0 for y in self.years_of(item)
        )

    @cached_property
    def _seen(self) -> dict[str, tuple[int, ...]]:
        units = self.lines.select("item", *UNIT).unique().group_by("item", "year").agg(pl.len().alias("n"))
        counts = {(item, year): n for item, year, n in units.iter_rows()}
        items = self.lines["item"].unique().to_list()
        return {item: tuple(counts.get((item, y), 0) for y in self.years_of(item)) for item in items}

    @cached_property
    def _paid_years(self) -> dict[str, tuple[int, ...]]:
        years = self.lines.group_by("item").agg(pl.col("year").unique().sort())
        return {item: tuple(held) for item, held in years.iter_rows()}

    @cached_property
    def _by_item(self) -> dict[str, pl.DataFrame]:
        parts = self.lines.partition_by("item", as_dict=True, maintain_order=True)
        return {str(item): part for (item,), part in parts.items()}

    def parts(self, item: str) -> pl.Series:
        """By decided line of an item what part of its statutory range was granted, 0..1."""
        return _parts(self.of(item))

    @cached_property
    def all_parts(self) -> pl.Series:
        """The same of all items together."""
        return _parts(self.lines)


def _parts(lines: pl.DataFrame) -> pl.Series:
    width = pl.col("most") - pl.col("least")
    part = ((pl.col("low") - pl.col("least")) / width).clip(0, 1)
    return lines.filter(pl.col("decided") & (width > 0)).select(part.alias("part")).to_series()


def part_in_force(policy: Policy, year: int, whole_years: bool) -> float:
    """The part of a year in which a policy is in force; `whole_years`: all of it where any day is."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = (min(policy.ends, last) - max(policy.begins, first)).days + 1
    return 0.0 if days <= 0 else 1.0 if whole_years else days / ((last - first).days + 1)


def look_back(frames: Frames, law: Catalogue, year: int) -> Past:
    """Every claim, status, person and investment of all years to `year`, under the law of the base year.

    What was paid before is left out of account: these lines tell what such cases come to, not what is due.
    """
    seen = {
        name: frame.with_columns(role=pl.lit("line")) if REGISTRIES[name].has_lines else frame
        for name, frame in frames.items()
        if name not in ("payments", "rnd")
    }
    blind = {
        name: frame.with_columns(
            pl.lit(None, frame.schema[c]).alias(c) for c in _DECISIONS if c in frame.columns
        )
        for name, frame in seen.items()
    }
    ever = everlasting(law)
    told = assessed(seen, ever, year).filter(pl.col("status").is_in([PAYABLE, PENDING]))
    text = assessed(blind, ever, year).select(
        *_KEY, least=pl.col("award_low").cast(pl.Float64), most=pl.col("award_high").cast(pl.Float64)
    )
    lines = told.join(text, on=_KEY, how="left", nulls_equal=True).select(
        *_KEY,
        *(
            "registry",
            "uscc",
            "person_id",
            "district",
            "level",
            "project_id",
            "certificate_no",
            "months",
            "on",
        ),
        pl.col("on").dt.year().alias("year"),
        pl.col("award_low").cast(pl.Float64).alias("low"),
        pl.col("award_high").cast(pl.Float64).alias("high"),
        *("least", "most"),
        ((pl.col("status") == PAYABLE) & (pl.col("least") < pl.col("most").fill_null(float("inf")))).alias(
            "decided"
        ),
        (pl.col("status") == PAYABLE).alias("payable"),
    )
    same = ["item", "uscc", "person_id", "project_id", "certificate_no", "level", "on", "low", "high"]
    lines = lines.filter(pl.col("year") <= year).sort(*_KEY, nulls_last=True)
    lines = lines.unique(same, keep="first", maintain_order=True)  # a status told again in a later folder
    covered = {
        name: tuple(sorted(y for y in frame["folder"].unique().to_list() if y <= year))
        for name, frame in seen.items()
        if REGISTRIES[name].has_lines
    }
    return Past(pl.concat([lines, _paid(frames, covered, law, lines.schema)]), covered, law)


def _paid(
    frames: Frames, covered: dict[str, tuple[int, ...]], law: Catalogue, schema: pl.Schema
) -> pl.DataFrame:
    """Payments of years for which the registry itself is not there, as decided lines."""
    held = frames.get("payments")
    if held is None:
        return pl.DataFrame(schema=schema)
    registry = pl.col("item").replace_strict(
        {item.id: item.registry for item in law.items.values()}, return_dtype=pl.String
    )
    districts = frames["enterprises"].select("uscc", "district").unique("uscc")
    amount = pl.col("amount").cast(pl.Float64)
    paid = (
        held.filter((pl.col("amount") > 0) & pl.col("same_as").is_null())
        .with_columns(registry=registry, on=pl.date(pl.col("year"), 12, 31))
        .join(districts, on="uscc", how="left")
        .with_columns(low=amount, high=amount, least=None, most=None, decided=True, payable=True)
        .select(pl.col(c).cast(t) for c, t in schema.items())
    )
    known = [
        (pl.col("registry") == name) & pl.col("year").is_in(years) for name, years in covered.items() if years
    ]
    event = pl.col("registry").is_in(["certifications", "claims", "talents"])
    return paid.filter(event & ~pl.any_horizontal(pl.lit(False), *known)).sort(
        *_KEY, "year", "uscc", nulls_last=True
    )
