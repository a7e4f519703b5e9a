"""Registries written by hand, and what a forecast of them comes to."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flows import steps
from flows.files import checked_frames
from forecast.parts import Part
from forecast.run import Totals, simulate
from forecast.streams import Seeds
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from rules.scenario import Scenario, apply_scenario
from schemas.districts import DISTRICTS
from schemas.registries import PROVENANCE, REGISTRIES

SHAPE = {"role": pl.String, "same_as": pl.String, "folder": pl.Int32, "has_rejects": pl.Boolean}


def codes(count: int) -> list[str]:
    return [f"{n:018d}" for n in range(count)]


def registry(name: str, rows: list[dict[str, Any]], base: int) -> pl.DataFrame:
    """Checked rows; a row's `year`, or the year of its date, is its folder, and the base year's are lines."""
    held = []
    for number, row in enumerate(rows, 2):
        dated = row.get("year") or next((v.year for v in row.values() if hasattr(v, "year")), base)
        role = "line" if dated == base else "history"
        about = {"source_file": f"{name}.csv", "source_row": number, "role": role, "folder": dated}
        held.append(about | {"has_rejects": False} | row)
    return pl.DataFrame(held, schema=REGISTRIES[name].dtypes() | PROVENANCE | SHAPE)


def enterprises(count: int, base: int, district: str | None = None) -> pl.DataFrame:
    """Enterprises spread over the districts, or all in one."""
    rows = [
        {
            "uscc": code,
            "name": f"企业{n}",
            "district": district or DISTRICTS[n % 9],
            "industrial": True,
            "year": base,
        }
        for n, code in enumerate(codes(count))
    ]
    return registry("enterprises", [{k: v for k, v in row.items() if k != "year"} for row in rows], base)


def rnd_rows(figures: dict[int, list[float]]) -> list[dict[str, Any]]:
    """R&D rows by year, one figure an enterprise (万元), all with deduction."""
    return [
        {"uscc": code, "year": year, "rnd_expense": Decimal(str(value)) * 10_000, "super_deduction": True}
        for year, values in figures.items()
        for code, value in zip(codes(len(values)), values, strict=True)
    ]


def with_scenario(**content: Any) -> Catalogue:
    """The law with a scenario laid over it."""
    return apply_scenario(load_catalogue(), Scenario.model_validate({"name": "s", "title": "试", **content}))


def read_city(raw: Path, year: int, work: Path, law: Catalogue) -> Frames:
    """The checked registries of a city's files."""
    work.mkdir(exist_ok=True)
    steps.read(work, raw, year, lambda _: None)
    steps.check_rows(work, year, law, lambda _: None)
    return checked_frames(work)


def yuan(part: Part, draws: int = 512, seed: int = 1) -> pl.DataFrame:
    """A part's cells with the mean, deviation and least and most of its draws, in yuan."""
    totals = simulate([part], draws, Seeds.of(seed))
    return told(totals)


def told(totals: Totals) -> pl.DataFrame:
    amounts = totals.amounts / 100
    return totals.cells.with_columns(
        mean=pl.Series(amounts.mean(1)),
        sd=pl.Series(amounts.std(1)),
        least=pl.Series(amounts.min(1)),
        most=pl.Series(amounts.max(1)),
        lines=pl.Series(totals.lines / np.float64(totals.draws)),
    )
