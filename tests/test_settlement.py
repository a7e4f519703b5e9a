"""What the year has paid already: in Parquet, in the workbook, and the template that closes the circle."""

import shutil
import stat
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from flows.cli import main
from flows.direct import run_annual
from schemas.outputs import SETTLEMENT
from schemas.registries import REGISTRIES


@pytest.fixture(scope="module")
def closed(city: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run with a payments template, and the raw folder with that template filed as the year's payments."""
    folder = tmp_path_factory.mktemp("circle")
    template = folder / "待拨付.parquet"
    done = ["annual", "--year", "2023", "--raw", str(city), "--out", str(folder / "out")]
    assert main([*done, "--payments-template", str(template)]) == 0
    raw = folder / "raw"
    shutil.copytree(city, raw)
    held = raw / "2023" / "payments.parquet"
    parts = [pl.read_parquet(path) for path in (held, template) if path.is_file()]
    pl.concat(parts, how="diagonal").write_parquet(held)
    return folder, raw


def test_the_template_is_the_owners_only_and_names_persons_in_full(closed: tuple[Path, Path]) -> None:
    template = closed[0] / "待拨付.parquet"
    assert stat.S_IMODE(template.stat().st_mode) == 0o600
    rows = pl.read_parquet(template)
    assert rows.columns == list(REGISTRIES["payments"].columns)
    awards = pl.read_parquet(closed[0] / "out" / "annual" / "2023" / "awards.parquet")
    assert rows["amount"].sum() == awards["award"].sum()
    persons = rows["person_id"].drop_nulls()
    assert persons.len() and not persons.str.contains("*", literal=True).any()
    shown = awards["person_id"].drop_nulls()
    assert shown.str.contains("*", literal=True).all()
    assert awards["person_name"].drop_nulls().str.contains(r"^.\*$").all()


def test_what_was_paid_as_the_template_says_leaves_nothing_open(
    closed: tuple[Path, Path], tmp_path: Path
) -> None:
    target = run_annual(2023, closed[1], tmp_path, (), lambda _: None)
    settled = pl.read_parquet(target / "settlement.parquet")
    assert dict(settled.schema) == SETTLEMENT
    assert settled["paid"].sum() == settled["award"].sum() > 0
    assert settled["to_pay"].sum() == settled["to_recover"].sum() == 0
    first = pl.read_parquet(closed[0] / "out" / "annual" / "2023" / "awards.parquet")
    again = pl.read_parquet(target / "awards.parquet")
    assert again.select("item", "uscc", "award").equals(first.select("item", "uscc", "award"))


def test_a_corrected_registry_yields_what_to_pay_and_to_recover(
    closed: tuple[Path, Path], tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(closed[1], raw)
    path = raw / "2023" / "certifications.parquet"
    rows = pl.read_parquet(path)
    certified = pl.col("certification") == "高新技术企业"
    gone = rows.filter(certified & (pl.col("event") == "新认定")).head(1)
    assert gone.height == 1
    rows.join(gone, on=gone.columns, how="anti", nulls_equal=True).write_parquet(path)
    target = run_annual(2023, raw, tmp_path / "out", (), lambda _: None)
    settled = pl.read_parquet(target / "settlement.parquet")
    lost = settled.filter(pl.col("status").is_null())
    assert lost.select("item", "uscc", "paid", "to_recover", "city_share").row(0) == (
        "A4.03",
        gone["uscc"].item(),
        250_000,
        250_000,
        -250_000,
    )
    assert settled["to_recover"].sum() == 250_000
    cells = [
        c.value for row in openpyxl.load_workbook(target / "awards.xlsx")["应补应退"].iter_rows() for c in row
    ]
    assert any(
        "没有采用的申报行与之对应" in str(value) and "确无申报的应退回" in str(value) for value in cells
    )
    assert any("应退 250,000.00 元" in str(value) for value in cells)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("out/登记.xlsx", "不能放在结果文件夹"),
        ("没有/登记.xlsx", "没有文件夹"),
        ("登记.txt", "后缀应为"),
    ],
)
def test_a_template_that_could_leak_or_fail_is_refused(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    run = ["annual", "--year", "2023", "--raw", str(city), "--out", str(tmp_path / "out")]
    (tmp_path / "out").mkdir()
    assert main([*run, "--payments-template", str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_the_template_reads_back(city: Path, tmp_path: Path, suffix: str) -> None:
    from registries.read import read_table

    path = tmp_path / f"已兑付{suffix}"
    run = ["annual", "--year", "2023", "--raw", str(city), "--out", str(tmp_path / "out")]
    assert main([*run, "--payments-template", str(path)]) == 0
    table = read_table(path, REGISTRIES["payments"], path.name)
    awards = pl.read_parquet(tmp_path / "out" / "annual" / "2023" / "awards.parquet")
    assert table.faults.is_empty() and table.frame["amount"].sum() == awards["award"].sum()
    assert table.frame.height == awards.filter(pl.col("award") > 0).height
