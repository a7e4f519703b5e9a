"""Shared fixtures: a small synthetic city as files, and the law."""

from pathlib import Path

import pytest

from flows.direct import run_annual
from rules.catalogue import Catalogue, load_catalogue
from synth import generate

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "real"


@pytest.fixture(scope="session")
def law() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw folder of a synthetic city: 400 enterprises, 2021 to 2023, Parquet."""
    raw = tmp_path_factory.mktemp("city")
    generate(400, (2021, 2023), 7, raw, "parquet")
    return raw


@pytest.fixture(scope="session")
def published(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published run of that city's 2023."""
    return run_annual(2023, city, tmp_path_factory.mktemp("out"), (), lambda _: None)
