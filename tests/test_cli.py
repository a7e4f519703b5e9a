"""The command line as a clerk meets it: Chinese help, one clear message, the right exit code."""

import errno
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, output and error output of one command."""
    try:
        code = main(list(words))
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_help_answers_at_once_and_without_heavy_imports() -> None:
    probe = "import sys; from flows.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    probe += "print([m for m in ('polars', 'prefect', 'pandera', 'openpyxl') if m in sys.modules])"
    begun = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert said.strip().endswith("[]") and time.perf_counter() - begun < 30
    assert "用法" in said and "年度兑现" in said and "show this help" not in said


@pytest.mark.parametrize("words", [["annual"], ["annual", "--yeer", "2023"], ["anual"], []])
def test_wrong_arguments_are_one_chinese_message(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, _, err = run(capsys, *words)
    assert code == 2 and "查看用法" in err


def test_a_sum_that_does_not_fit_is_told_at_the_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The sample's equipment workbook has one, among the notes on what was skipped."""
    raw = str(Path(__file__).parents[1] / "data" / "raw")
    code, out, _ = run(capsys, "annual", "--year", "2023", "--raw", raw, "--out", str(tmp_path))
    assert code == 0
    notes = json.loads((tmp_path / "annual" / "2023" / "manifest.json").read_text("utf-8"))["notes"]
    assert f"读取提示：{len(notes)} 条，其中 1 条是合计与明细不符（见「说明」表）" in out


def test_explain_tells_why(capsys: pytest.CaptureFixture[str], city: Path, published: Path) -> None:
    import polars as pl

    lines = pl.read_parquet(published / "awards.parquet")
    uscc = lines.filter((pl.col("item") == "A4.06") & (pl.col("status") == "payable"))["uscc"][0]
    code, out, _ = run(capsys, "explain", "--year", "2023", "--uscc", uscc, "--raw", str(city))
    assert code == 0
    assert "✓ 连续两年享受加计扣除" in out and "研发费用增长额" in out and "分担" in out and "来源" in out
    paid = lines.filter(pl.col("uscc") == uscc)["award"].sum()
    assert f"应兑付 {paid:,.2f} 元" in out


def test_explain_of_a_stranger(capsys: pytest.CaptureFixture[str], city: Path) -> None:
    code, _, err = run(
        capsys, "explain", "--year", "2023", "--uscc", "91320583MA0000000X", "--raw", str(city)
    )
    assert code == 2 and "企业名录" in err


def test_explain_shows_the_applicants_rejected_rows(capsys: pytest.CaptureFixture[str]) -> None:
    raw = str(Path(__file__).parents[1] / "data" / "raw")
    code, out, _ = run(capsys, "explain", "--year", "2023", "--uscc", "91320583MA0W5WTG1L", "--raw", raw)
    assert code == 0 and "来源" in out
    code, _, err = run(capsys, "explain", "--year", "2023", "--uscc", "91320583MA4MHTPJ2X", "--raw", raw)
    assert code == 2 and "太仓市" in err and "区镇" in err


def test_rules_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert "A4.06" in run(capsys, "rules", "list")[1]
    code, out, _ = run(capsys, "rules", "show", "a4.06")
    assert code == 0 and "研发费用增长额 × 6%" in out and "300万元" in out
    code, _, err = run(capsys, "rules", "show", "A4.6")
    assert code == 2 and "A4.06" in err


def test_rules_export(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "rules", "export", str(tmp_path / "rules.jsonl"))[0] == 0
    items = {i["id"]: i for i in map(json.loads, (tmp_path / "rules.jsonl").read_text("utf-8").splitlines())}
    assert len(items) == 283
    assert items["A4.06"]["params"] == {"rate": 0.06, "floor": 200_000, "cap": 3_000_000}
    assert items["A4.06"]["caps"] == [{"amount": 3_000_000, "per": ["uscc", "year"]}]
    assert items["A11.02"]["basis"] == "range" and items["A11.02"]["params"]["rate"] == [0.06, 0.15]
    assert items["A9.02"]["params"]["award"]["国家知识产权示范企业"] == 500_000


def scenario(folder: Path, text: str) -> str:
    path = folder / "方案.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_scenario_has_its_own_folder(
    capsys: pytest.CaptureFixture[str], city: Path, published: Path, tmp_path: Path
) -> None:
    file = scenario(
        tmp_path, "title: 研发增长奖励4%\nterms: {A4.06: {rate: 4%}}\nreadings: {general_split: 0.6}\n"
    )
    code, _, err = run(
        capsys,
        "annual",
        "--year",
        "2023",
        "--raw",
        str(city),
        "--out",
        str(tmp_path / "o"),
        "--scenario",
        file,
    )
    assert code == 0, err
    result = tmp_path / "o" / "scenarios" / "方案" / "annual" / "2023"
    manifest = json.loads((result / "manifest.json").read_text("utf-8"))
    assert (
        any("6%" in c or "0.06" in c for c in manifest["changes"])
        and not (tmp_path / "o" / "annual").exists()
    )
    official = json.loads((published / "manifest.json").read_text("utf-8"))
    assert float(manifest["totals"]["award"]) < float(official["totals"]["award"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("title: x\nterms: {A4.06: {rat: 4%}}\n", "rate"),
        ("title: x\nterms: {A4.6: {rate: 4%}}\n", "A4.06"),
        ("title: x\nreadings: {general_splt: 0.6}\n", "general_split"),
        ("title: x\nreadings: {general_split: 1.6}\n", "0 到 1"),
        ("title: x\nterm: {}\n", "不认识的键"),
        ("title: x\nterms: {A4.06: {rate: 百分之四}}\n", "不是数字"),
        ("title: [", "YAML"),
    ],
)
def test_a_wrong_scenario_is_one_message(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path, text: str, word: str
) -> None:
    code, _, err = run(
        capsys,
        *("annual", "--year", "2023", "--raw", str(city), "--out", str(tmp_path / "o")),
        *("--scenario", scenario(tmp_path, text)),
    )
    assert code == 2 and word in err and not (tmp_path / "o").exists()


def test_a_damaged_workbook_is_one_message(
    capsys: pytest.CaptureFixture[str], city: Path, tmp_path: Path
) -> None:
    shutil.copytree(city / "2023", tmp_path / "raw" / "2023")
    (tmp_path / "raw" / "2023" / "rnd.parquet").unlink()
    (tmp_path / "raw" / "2023" / "研发投入.xlsx").write_bytes(b"PK not a workbook")
    code, _, err = run(
        capsys, "annual", "--year", "2023", "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "o")
    )
    assert code == 2 and "研发投入.xlsx" in err and "已损坏" in err and not (tmp_path / "o").exists()


def test_lack_of_memory_names_the_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from flows import direct

    def full(*_: object) -> Path:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(direct, "run_annual", full)
    code, _, said = run(capsys, "annual", "--year", "2023", "--out", str(tmp_path))
    assert code == 2 and "内存不足" in said and "--partitions" in said
