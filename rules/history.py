"""Bring earlier years to this year's rows: last year's figures, sums by enterprise, what came first."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

import polars as pl

from rules import columns
from rules.frames import APPLICANT, Frames, counting, earlier, lines, numbered
from rules.matching import KEYS
from rules.placing import with_found
from schemas.money import YUAN
from schemas.registries import REGISTRIES


def with_last_year(rnd: pl.DataFrame, year: int) -> pl.DataFrame:
    """This year's R&D rows with `…_prev` of the year before, null where there is no such row."""
    before = rnd.lazy().filter(pl.col("same_as").is_null() & (pl.col("year") == year - 1))
    figures = (pl.col(c).alias(f"{c}_prev") for c in ("rnd_expense", "super_deduction", "revenue"))
    previous = before.select(APPLICANT, *figures).collect()
    return with_found(lines(rnd), previous, APPLICANT)


def with_prior_smart(equipment: pl.DataFrame) -> pl.DataFrame:
    """Equipment rows with the highest yearly smart investment known of earlier years, by enterprise."""
    known = counting(equipment).filter(
        (pl.col("role") == "history") & pl.col("smart_investment").is_not_null()
    )
    yearly = known.group_by(APPLICANT, "year").agg(pl.col("smart_investment").sum())
    prior = yearly.group_by(APPLICANT).agg(pl.col("smart_investment").max().alias("smart_investment_prior"))
    rows = with_found(lines(equipment), prior, APPLICANT)
    return rows.with_columns(pl.col("smart_investment").alias("smart_investment_known"))


def summed(rows: pl.DataFrame, per: Sequence[str]) -> pl.DataFrame:
    """Rows of one `per` as one row at the place of the first: figures added, `project_id` null.

    Assessed figures are added over the rows that carry them. `smart_investment` is unknown where any
    row leaves it blank; `smart_investment_known` adds what is there.
    """
    place = ["source_file", "source_sheet", "source_row"]
    added = ["equipment_investment", "smart_investment_known", "assessed_base", "assessed_amount"]
    total = [pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).cast(YUAN).alias(c) for c in added]
    smart = pl.when(pl.col("smart_investment").is_not_null().all()).then(pl.col("smart_investment").sum())
    others = [
        c for c in rows.columns if c not in (*per, *added, "smart_investment", "project_id", "assessed_rate")
    ]
    return (
        rows.sort(place, nulls_last=True)
        .group_by(per, maintain_order=True)
        .agg(*total, smart.cast(YUAN).alias("smart_investment"), *(pl.col(c).first() for c in others))
        .with_columns(
            pl.lit(None, pl.String).alias("project_id"),
            pl.lit(None, rows.schema["assessed_rate"]).alias("assessed_rate"),
        )
        .select(rows.columns)
    )


def dated(name: str, frames: Frames, year: int) -> pl.DataFrame:
    """A registry's rows to evaluate, with history and `on`, the day that dates them, but without the applicant."""
    frame = frames[name]
    if name == "rnd":
        rows = with_last_year(frame, year)
    elif name == "equipment":
        rows = with_prior_smart(frame)
    else:
        rows = lines(frame)
    return rows.with_columns(_day(name, rows).alias("on"))


def applicants(frames: Frames) -> pl.DataFrame:
    """Who applies, one row each: name, district, and what a rule may read."""
    about = ("uscc", "name", "district", *columns.APPLICANT)
    return counting(frames["enterprises"].select(APPLICANT, *about, "same_as")).drop("same_as")


def prepared(name: str, frames: Frames, year: int) -> pl.DataFrame:
    """A registry's rows to evaluate with history and the applicant."""
    frames = numbered(frames)
    return with_found(dated(name, frames, year), applicants(frames).drop("uscc"), APPLICANT)


class Rows:
    """The rows a year's items are evaluated on, made once: they depend on no law, so that many can share them.

    `searched`: registry → the earlier years looked through, where `frames` are only a part of the registries.
    """

    def __init__(
        self, frames: Frames, year: int, searched: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        self.frames, self.year = numbered(frames), year
        self._searched = searched
        self._of: dict[str, pl.DataFrame] = {}
        self._earlier: dict[str, pl.DataFrame] = {}
        self._parts: dict[str, dict[str, pl.DataFrame]] = {}

    def of(self, name: str) -> pl.DataFrame:
        """A registry's rows, without the applicant."""
        if name not in self._of:
            self._of[name] = dated(name, self.frames, self.year)
        return self._of[name]

    @cached_property
    def searched(self) -> Mapping[str, Sequence[int]]:
        """Registry → the earlier years that were looked through for what came first."""
        return all_searched(self.frames, self.year) if self._searched is None else self._searched

    @cached_property
    def applicants(self) -> pl.DataFrame:
        """See applicants."""
        return applicants(self.frames)

    def earlier(self, name: str) -> pl.DataFrame:
        """A registry's rows of earlier years that count."""
        if name not in self._earlier:
            self._earlier[name] = earlier(self.frames[name])
        return self._earlier[name]

    @cached_property
    def payments(self) -> dict[str, pl.DataFrame]:
        """Item id → its payments of all years."""
        held = self.frames.get("payments")
        if held is None or held.is_empty():
            return {}
        paid = held.select("item", "year", "uscc", "amount", "months", *KEYS).filter(pl.col("amount") > 0)
        return {str(key): part for (key,), part in paid.partition_by("item", as_dict=True).items()}

    def parts(self, name: str) -> dict[str, pl.DataFrame]:
        """The rows of a registry with item ids, by item."""
        if name not in self._parts:
            parts = self.of(name).partition_by("item", as_dict=True)
            self._parts[name] = {str(item): part for (item,), part in parts.items()}
        return self._parts[name]


def _day(name: str, frame: pl.DataFrame) -> pl.Expr:
    if "year" in frame.columns:  # years are few, and making a day for every row takes ten times as long
        days = {year: date(year, 12, 31) for year in frame["year"].unique().drop_nulls()}
        return pl.col("year").replace_strict(days, default=None, return_dtype=pl.Date).cast(pl.Date)
    return pl.col("certified_on" if name == "certifications" else "event_on")


def years_searched(frames: Frames, name: str, year: int) -> list[int]:
    """The earlier years a registry or the payments hold, oldest first."""
    found: set[int] = set()
    for held in (name, "payments"):
        frame = frames.get(held)
        if frame is not None and frame.height:
            of = pl.col("year") if "year" in frame.columns else _day(held, frame).dt.year()
            found |= set(frame.select(of.unique()).to_series().to_list())
    return sorted(y for y in found if y is not None and y < year)


def all_searched(frames: Frames, year: int) -> dict[str, list[int]]:
    """Registry → the earlier years it or the payments hold."""
    return {name: years_searched(frames, name, year) for name, one in REGISTRIES.items() if one.has_lines}


def searched_text(years: Sequence[int]) -> str:
    """Which earlier years a 首次 was checked against."""
    return f"已查{'、'.join(f'{year}年' for year in years)}数据" if years else "无以前年度数据可查"
