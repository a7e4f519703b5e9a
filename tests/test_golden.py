"""The sample city's totals, pinned: a change of rules or engine that moves money must be meant."""

import json
from pathlib import Path

import polars as pl
import pytest

from flows.direct import run_annual
from tests.conftest import ROOT

GOLDEN = Path(__file__).parent / "golden" / "sample-2023.json"


def totals(folder: Path) -> dict[str, dict[str, str]]:
    """By item the lines of each status and the yuan by payer, as text."""
    awards = pl.read_parquet(folder / "awards.parquet")
    found = {}
    for (item,), lines in sorted(awards.partition_by("item", as_dict=True).items()):
        statuses = dict(sorted(lines.group_by("status").agg(pl.len().cast(pl.String)).rows()))
        sums = {c: str(lines[c].sum()) for c in ("award", "city_share", "district_share", "award_low")}
        found[str(item)] = statuses | sums
    return found


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_annual(2023, ROOT / "data" / "raw", tmp_path_factory.mktemp("sample"), (), lambda _: None)


def test_sample_city_totals(sample: Path) -> None:
    now = totals(sample)
    expected = json.loads(GOLDEN.read_text("utf-8"))
    moved = {k: (expected.get(k), now.get(k)) for k in now | expected if expected.get(k) != now.get(k)}
    text = "\n".join(f"{key}：原 {was}\n{'':8}现 {became}" for key, (was, became) in moved.items())
    assert not moved, (
        f"示例城市的金额变了：\n{text}\n若确是有意的改动，运行 `.venv/bin/python -m tests.test_golden` 接受，"
        "并在提交说明里写明为什么。"
    )


def test_sample_city_rejects_name_what_to_do(sample: Path) -> None:
    rejects = pl.read_parquet(sample / "rejects.parquet")
    assert rejects.height >= 15
    assert rejects.filter(~pl.col("reason").str.contains("请")).is_empty()
    assert rejects.filter(pl.col("source_row") < 2).is_empty()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as out:
        accepted = totals(run_annual(2023, ROOT / "data" / "raw", Path(out), (), lambda _: None))
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(accepted, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
