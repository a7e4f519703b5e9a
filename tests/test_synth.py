"""Synthetic registries: reproducible, plausible, read by the reader, and faulty exactly where they say so."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.check import Checked, check
from registries.locate import locate_years
from registries.read import read_table
from rules.catalogue import HERE, Catalogue, load_catalogue
from schemas.codes import resident_id_fits, uscc_check_digit_fits
from schemas.errors import Unusable
from schemas.registries import REGISTRIES
from synth import generate
from synth.city import DISTRICT_WEIGHTS
from synth.codes import credit_codes, resident_ids
from synth.draws import stream
from synth.law import Law
from synth.mess import Mess

SAMPLE = Path(__file__).parent.parent / "data" / "raw"

TALENTS = """
article: 20
title: 人才（测试用）
lead_department: 市人社局
items:
- id: A20.98
  title: 分级补贴
  registry: talents
  class: general
  class_basis: stated
  basis: exact
  levels: [博士, 硕士]
  terms: {award: {level: {博士: 5万, 硕士: 3万}}}
  amount: award
- id: A20.99
  title: 租房补贴
  registry: talents
  class: general
  class_basis: stated
  basis: exact
  terms: {most: 36, monthly: 1000}
  amount: LEAST(months, most) * monthly
"""


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The catalogue with two more items of talents."""
    root = tmp_path_factory.mktemp("law")
    shutil.copytree(HERE / "policies" / "A", root / "policies" / "A")
    shutil.copy(HERE / "readings.yaml", root)
    (root / "overlaps.yaml").write_text("{}", encoding="utf-8")
    (root / "policies" / "A" / "a20_test.yaml").write_text(TALENTS, encoding="utf-8")
    return load_catalogue(root=root)


def checked(raw: Path, year: int, law: Catalogue) -> tuple[Checked, list[str]]:
    """A year's registries as the annual run checks them, and the reader's notes."""
    current, earlier = locate_years(raw, year)
    read: dict[str, pl.DataFrame] = {}
    faults: dict[str, pl.DataFrame] = {}
    notes: list[str] = []
    for folder in [*earlier, current]:
        for name, path in folder.files.items():
            label = path.name if folder.year == year else f"{folder.year}/{path.name}"
            table = read_table(path, REGISTRIES[name], label)
            notes += table.notes
            place = table.frame.select("source_file", "source_sheet", "source_row").with_row_index("row")
            unread = table.faults.join(place.with_columns(pl.col("row").cast(pl.Int64)), on="row").drop("row")
            frame = table.frame.with_columns(pl.lit(folder.year).alias("folder"))
            read[name] = pl.concat([read[name], frame], how="diagonal") if name in read else frame
            faults[name] = pl.concat([faults[name], unread]) if name in faults else unread
    return check(read, faults, law, year), notes


def rejects(found: Checked) -> set[tuple[Any, ...]]:
    return set(found.rejects.select("registry", "source_file", "source_row", "column", "check").rows())


def planted(faults: list[dict[str, Any]], outcome: str = "reject") -> set[tuple[Any, ...]]:
    keys = ("registry", "source_file", "source_row", "column", "check")
    return {tuple(fault[key] for key in keys) for fault in faults if fault["outcome"] == outcome}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(500, (2022, 2023), 7, tmp_path / name, "parquet", mess=True)
    generate(500, (2022, 2023), 8, tmp_path / "other", "parquet", mess=True)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 2 * (len(REGISTRIES) + 1)
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    rnd = Path("2023", "rnd.parquet")
    assert (tmp_path / "one" / rnd).read_bytes() != (tmp_path / "other" / rnd).read_bytes()


def test_codes_are_valid_and_different() -> None:
    codes = credit_codes(50_000, 3)
    assert codes.n_unique() == codes.len()
    assert codes.str.starts_with("91320583").all()
    assert codes.to_frame().select(uscc_check_digit_fits(pl.col("uscc")).all()).item()
    people = resident_ids(pl.int_range(50_000, eager=True).to_numpy()).alias("id")
    assert people.n_unique() == people.len()
    assert people.to_frame().select(resident_id_fits(pl.col("id")).all()).item()
    assert people.str.contains(r"^99\d{15}[\dX]$").all()


def test_codes_can_belong_to_nobody() -> None:
    """The organisation code inside ends in a wrong check character by GB 11714."""
    weights, alphabet = (3, 7, 9, 10, 5, 8, 4, 2), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for code in credit_codes(2_000, 5):
        total = sum(alphabet.index(c) * w for c, w in zip(code[8:16], weights, strict=True))
        assert code[16] != "0123456789X"[(11 - total % 11) % 11]


def test_city_is_plausible(tmp_path: Path) -> None:
    generate(6_000, (2022, 2023), 1, tmp_path, "parquet")
    held = {name: pl.read_parquet(tmp_path / "2023" / f"{name}.parquet") for name in REGISTRIES}
    total = sum(DISTRICT_WEIGHTS.values())
    assert total == 264
    counts = dict(held["enterprises"]["district"].value_counts().iter_rows())
    for district, weight in DISTRICT_WEIGHTS.items():
        assert counts[district] / held["enterprises"].height == pytest.approx(weight / total, abs=0.01)
    rnd = held["rnd"]["rnd_expense"].cast(pl.Float64)
    # Statistics of a series of numbers are numbers, which the stubs do not say.
    assert 2e6 < float(rnd.median() or 0) < 5e6  # type: ignore[arg-type]
    assert (rnd == 0).any() and float(rnd.max() or 0) > 1e8  # type: ignore[arg-type]
    investing = held["equipment"]["uscc"].n_unique() / held["enterprises"].height
    assert 0.2 < investing < 0.3
    sizes = held["equipment"]["equipment_investment"]
    assert (sizes >= 20_000_000).any() and (sizes >= 100_000_000).any()
    assert set(held["certifications"]["event"].unique()) >= {"新认定", "再次认定"}
    first = pl.read_parquet(tmp_path / "2022" / "rnd.parquet")
    assert set(first["year"].unique()) == {2021, 2022}
    assert held["payments"].height and (held["payments"]["year"] == 2022).all()


@pytest.mark.parametrize("form", ["parquet", "office"])
def test_planted_faults_are_exactly_the_rejects(tmp_path: Path, law: Catalogue, form: Any) -> None:
    first = 2022 if form == "parquet" else 2023
    told = generate(200, (first, 2023), 11, tmp_path, form, mess=True, catalogue=law)
    found, notes = checked(tmp_path, 2023, law)
    assert rejects(found) == planted(told["faults"])
    assert len(planted(told["faults"])) >= 14
    repeats = [fault["registry"] for fault in told["faults"] if fault["outcome"] == "repeat"]
    assert repeats == [name for name, rows in found.rows.items() for _ in range(rows["repeated"])]
    wrong = [note for note in notes if "合计与明细不符" in note]
    expected = planted(told["faults"], "note")
    assert len(wrong) == len(expected)
    for _, file, row, *_ in expected:
        assert wrong[0].startswith(file) and f"第{row}行" in wrong[0]


def test_nothing_to_spoil(law: Catalogue) -> None:
    """Where there is no row to spoil, no fault is claimed."""
    frames = {}
    for name in REGISTRIES:
        frames[name] = pl.DataFrame(schema=REGISTRIES[name].dtypes())
    empty = Mess(frames, Law(law), 2023, True, ["A", "B"], stream(1, "mess"))
    empty.plant()
    assert [fault.registry for fault in empty.faults] == ["enterprises"]


def test_office_form_reads_as_the_parquet_form(tmp_path: Path, law: Catalogue) -> None:
    for form in ("parquet", "office"):
        generate(150, (2023, 2023), 5, tmp_path / form, form, catalogue=law)
    for name, registry in REGISTRIES.items():
        plain = pl.read_parquet(tmp_path / "parquet" / "2023" / f"{name}.parquet")
        ending = "csv" if name == "enterprises" else "xlsx"
        path = tmp_path / "office" / "2023" / f"{registry.title}.{ending}"
        table = read_table(path, registry, path.name)
        assert not table.faults.height
        text = pl.col(pl.String).str.normalize("NFKC")
        assert table.frame.select(plain.columns).with_columns(text).equals(plain.with_columns(text)), name
        assert not any("不符" in note for note in table.notes)


def test_office_form_is_reproducible(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate(40, (2023, 2023), 5, tmp_path / name, "office", mess=True)
    for path in (tmp_path / "one" / "2023").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "2023" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("enterprises", "years", "seed", "form"),
    [
        (0, (2022, 2023), 1, "parquet"),
        (10, (2023, 2022), 1, "parquet"),
        (10, (2023, 2023), -1, "parquet"),
        (10, (2023, 2023), 1, "pdf"),
        (50_000, (2023, 2023), 1, "office"),
    ],
)
def test_impossible_arguments(
    tmp_path: Path, enterprises: int, years: tuple[int, int], seed: int, form: Any
) -> None:
    with pytest.raises(Unusable):
        generate(enterprises, years, seed, tmp_path, form)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("enterprises", [1, 2, 5])
def test_smallest_cities(tmp_path: Path, enterprises: int) -> None:
    told = generate(enterprises, (2022, 2023), 1, tmp_path, "parquet", mess=True)
    assert set(told["rows"]) == {2022, 2023}


def test_never_writes_over_a_registry(tmp_path: Path) -> None:
    (tmp_path / "2023").mkdir()
    real = tmp_path / "2023" / "研发投入.xlsx"
    real.write_bytes(b"real")
    with pytest.raises(Unusable, match="不覆盖"):
        generate(10, (2022, 2023), 1, tmp_path, "parquet")
    assert real.read_bytes() == b"real"
    assert not (tmp_path / "2022").exists()


def test_sample_city_reads() -> None:
    """The committed sample holds a handful of faults in 2023, none in 2022, and says that it is made up."""
    found, _ = checked(SAMPLE, 2023, load_catalogue())
    assert not found.rejects["source_file"].str.starts_with("2022/").any()
    assert 10 <= found.rejects.height <= 25
    assert all(rows["read"] for name, rows in found.rows.items() if name not in ("talents", "payments"))
    for year in ("2022", "2023"):
        assert "合成数据" in (SAMPLE / year / "合成数据.md").read_text(encoding="utf-8")
    size = sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file())
    assert size < 300_000
