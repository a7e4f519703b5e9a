"""The steps of a forecast after reading and checking; like those of an annual run they leave files in a work folder."""

import json
import pickle
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.files import Say, checked_frames, hashes, whole_folder, write_json, write_parquet
from flows.manifest import provenance
from flows.parts import Division
from forecast.backtest import backtest, summary
from forecast.parts import CHUNK
from forecast.plan import Plan, first_year, plan
from forecast.readings import effects
from forecast.run import Progress, joined, keep_sums, simulate
from forecast.sources import shares
from forecast.streams import Seeds
from forecast.tables import Weighted, draw_rows, forecast_rows, unsettled, weighted
from reports.forecast import conclusion, write_forecast
from rules.catalogue import Catalogue
from rules.frames import APPLICANT, Frames, numbered
from schemas.errors import Unusable

FEWEST = 20
"""Draws below which a fifth or ninety-fifth percentile means nothing."""


@dataclass(frozen=True)
class Asked:
    """What a forecast was asked for. Neither `workers` nor the machine changes a figure."""

    year: int
    horizon: int
    draws: int = 1000
    seed: int = 1
    workers: int = 1
    backtest: bool = False

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("预测年数", self.horizon, 1, 20),
            ("抽样次数", self.draws, FEWEST, 1_000_000),
            ("并行数", self.workers, 1, 256),
        ):
            if not least <= value <= most:
                raise Unusable(f"{name}应在 {least:,} 到 {most:,} 之间，现为 {value:,}。")
        if self.seed < 0:
            raise Unusable(f"随机种子不能为负数，现为 {self.seed}。")


def make_plan(work: Path, asked: Asked, law: Catalogue, division: Division, say: Say) -> Path:
    """Estimate from the checked parts what the draws need, into `<work>/plan.pickle`."""
    say("整理历年数据，估计增长……")
    made = plan(all_frames(division), law, asked.year, asked.horizon)
    (work / "plan.pickle").write_bytes(pickle.dumps(made, protocol=pickle.HIGHEST_PROTOCOL))
    return work


def all_frames(division: Division) -> Frames:
    """The checked registries of all parts as one; growth and trends are those of all enterprises."""
    if len(division.folders) == 1:
        return checked_frames(division.folders[0])
    parts = [checked_frames(part) for part in division.folders]
    whole = {name: pl.concat([part[name] for part in parts]).drop(APPLICANT) for name in parts[0]}
    return numbered(whole)


def _plan(work: Path) -> Plan:
    made: Plan = pickle.loads((work / "plan.pickle").read_bytes())  # written by this very run
    return made


def blocks(draws: int, workers: int) -> list[tuple[int, int]]:
    """The draws (first, number) that each of so many workers makes: whole chunks, about as many for each."""
    size = -(-draws // (workers * CHUNK)) * CHUNK
    return [(first, min(size, draws - first)) for first in range(0, draws, size)]


def draw(
    work: Path, asked: Asked, first: int, count: int, workers: int, progress: Progress = lambda _: None
) -> Path:
    """Make some of the draws, into the folder `<work>/draws/<first>`, which appears whole."""
    made = _plan(work)
    (work / "draws").mkdir(exist_ok=True)
    store = work / "draws" / f"{first:09}"
    with whole_folder(store) as folder:
        amounts = folder / "amounts.npy"
        keep_sums(
            simulate(made.parts, count, Seeds.of(asked.seed), workers, amounts, progress, first), amounts
        )
    return store


def draw_all(work: Path, asked: Asked, say: Say) -> Path:
    """Make all draws here."""
    say(f"模拟 {asked.draws:,} 次……")
    return draw(work, asked, 0, asked.draws, asked.workers, _progress(say))


def conclude(work: Path, asked: Asked, law: Catalogue, division: Division, say: Say) -> Path:
    """Bring the draws together; write tables and what they rest on into `<work>`."""
    made, frames = _plan(work), all_frames(division)
    totals = joined(made.parts, sorted((work / "draws").glob("*/amounts.npy")), work / "totals.npy")
    held = weighted(totals, law, range(first_year(law, asked.year), asked.year + asked.horizon + 1))
    write_parquet(forecast_rows(held), work / "forecast.parquet")
    write_parquet(draw_rows(held), work / "draws.parquet")
    say("分解不确定性的来源……")
    told = _told(made, held, law)
    told["sources"] = shares(made.parts, law, held, asked.seed, asked.workers)
    say("比较各种口径……")
    told["readings_effect"] = effects(frames, law, asked.year)
    told["backtest"] = {}
    if asked.backtest:
        say("回测以前年度……")
        rows = backtest(frames, law, asked.year, asked.draws, asked.seed, asked.workers)
        if rows.is_empty():
            say("登记表的年份太少，没有可以回测的年度（至少要有连续三年的研发投入）。")
        write_parquet(rows, work / "backtest.parquet")
        told["backtest"] = summary(rows)
    write_json(work / "ahead.json", told)
    return work


def _told(made: Plan, held: Weighted, law: Catalogue) -> dict[str, object]:
    ranges, endless = unsettled(held, law)
    return {
        "assumptions": made.assumptions,
        "range_only": ranges,
        "open_ended": endless,
        "paths": made.paths,
        "targets": made.findings,
        "absent": made.absent,
    }


def _progress(say: Say) -> Progress:
    """Say every tenth of a long run, not more often than every two seconds."""
    begun = last = time.monotonic()
    reached = 0

    def told(part: float) -> None:
        nonlocal last, reached
        now, tenth = time.monotonic(), int(part * 10)
        if tenth > reached and now - last > 2 and part < 1:
            left = (now - begun) * (1 - part) / part
            say(f"　　已完成 {part:.0%}，约需再 {left:,.0f} 秒")
            last, reached = now, tenth

    return told


def tell(work: Path, asked: Asked, law: Catalogue, scenarios: tuple[Path, ...], today: str, say: Say) -> Path:
    """Write manifest and workbook and gather the published files in `<work>/result`, which appears complete."""
    result = work / "result.partial"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    for name in ("forecast", "draws", "backtest", "rejects"):
        if (work / f"{name}.parquet").is_file():
            (result / f"{name}.parquet").hardlink_to(work / f"{name}.parquet")
    manifest = (
        provenance(work, asked.year, law, scenarios)
        | {"horizon": asked.horizon, "draws": asked.draws, "seed": asked.seed}
        | {"payment_lag": law.prospect.payment_lag}
        | json.loads((work / "ahead.json").read_text("utf-8"))
        | {"outputs": hashes(result)}
    )
    rows = pl.read_parquet(result / "forecast.parquet")
    manifest["conclusion"] = conclusion(rows, manifest)
    write_json(result / "manifest.json", manifest)
    say("编制工作簿……")
    tested = result / "backtest.parquet"
    write_forecast(
        result / "forecast.xlsx",
        forecast=rows,
        backtest=pl.read_parquet(tested) if tested.is_file() else None,
        manifest=manifest,
        today=today,
    )
    return result.rename(work / "result")
