"""The benchmarks' page tells the figures that are kept, and a script agrees with the product line by line."""

import re
from pathlib import Path

import polars as pl
import pytest

from benchmarks.contest import ours, ours_full, polars_full, polars_script
from benchmarks.contest.agree import agreement, in_fen
from benchmarks.contest.data import generate
from benchmarks.contest.terms import TERMS
from benchmarks.page import page
from benchmarks.quoted import quoted
from benchmarks.reading_agree import told
from benchmarks.reading_data import make
from benchmarks.reading_measured import measure
from benchmarks.report import PAGE, read_results
from benchmarks.whatif import ONE, scenarios
from benchmarks.whatif_measured import bench, script

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contest's registries of 300 enterprises."""
    raw = tmp_path_factory.mktemp("contest") / "raw"
    generate(300, 1, raw)
    return raw


def test_the_page_is_made_from_the_kept_figures() -> None:
    assert PAGE.read_text("utf-8") == page(read_results())


def test_the_readme_quotes_the_kept_figures() -> None:
    parts = README.read_text("utf-8").split("<!-- bench -->")
    assert len(parts) == 3
    assert parts[1].strip() == quoted(read_results()).strip()


def test_a_script_agrees_line_by_line(city: Path, tmp_path: Path) -> None:
    for module in (ours, polars_script):
        (tmp_path / module.__name__).mkdir()
        module.end_to_end(city, tmp_path / module.__name__)
    found = agreement(*(tmp_path / module.__name__ for module in (ours, polars_script)))
    assert found["lines"] > 100
    assert found["equal"] == found["lines"] == found["theirs"]
    assert found["totals_different"] == 0


def test_checked_tables_give_the_same_lines(city: Path, tmp_path: Path) -> None:
    """Of amounts and of the full table, whose words are in it."""
    ours.check(city, tmp_path / "checked")
    for module, names in ((ours, ["lines", "totals"]), (ours_full, ["awards"])):
        for run, source, target in (
            (module.from_tables, "checked", "tables"),
            (module.end_to_end, "", "files"),
        ):
            (tmp_path / target).mkdir(exist_ok=True)
            run(tmp_path / source if source else city, tmp_path / target)
        for name in names:
            one, other = (pl.read_parquet(tmp_path / f / f"{name}.parquet") for f in ("tables", "files"))
            assert one.height > 20
            assert one.equals(other)


def test_a_script_writes_the_same_table(city: Path, tmp_path: Path) -> None:
    for module in (ours_full, polars_full):
        (tmp_path / module.__name__).mkdir()
        module.end_to_end(city, tmp_path / module.__name__)
    found = agreement(*(tmp_path / module.__name__ for module in (ours_full, polars_full)))
    assert found["lines"] > 100
    assert found["alike"], found["columns"]


def test_changed_numbers_give_the_same_totals(city: Path) -> None:
    """One scenario of every term, and the two that the page names."""
    product, plain = bench(city), script("polars_script")(city)
    for changed in [*ONE, *scenarios(len(TERMS))]:
        mine, theirs = (_awards(evaluate(changed)) for evaluate in (product, plain))
        assert mine == theirs, changed


def _awards(totals: object) -> dict[tuple[str, str], tuple[int, ...]]:
    """Fen by 区镇 and item, of those that have an award."""
    assert isinstance(totals, pl.DataFrame)
    names = ("award", "city_share", "district_share")
    frame = totals.select(pl.col("district", "item").cast(pl.String), *(in_fen(totals[n]) for n in names))
    return {(row[0], row[1]): row[2:] for row in frame.filter(pl.col("award") > 0).iter_rows()}


def test_nothing_is_read_wrong_unsaid(tmp_path: Path) -> None:
    make(2000, 3, tmp_path)
    measure("ours", tmp_path)
    found = told("ours", tmp_path)
    assert found["rows"] == found["rows_truth"] == 2000
    assert found["said"] > 0
    assert found["silent"] == {}


def test_contenders_are_locked_without_addresses() -> None:
    lock = (README.parent / "benchmarks" / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert lock.count("--hash=sha256:") >= len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 5
