"""Compare a baseline with scenarios on the same registries, and publish what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows import folders, steps
from flows.files import Say, checked_frames, hashes, write_json, write_parquet
from flows.manifest import provenance
from forecast.history import at_year
from reports.comparison import write_comparison
from reports.page import write_page
from rules.catalogue import Catalogue, load_catalogue
from rules.scenario import Scenario, load_scenario
from schemas.errors import Unusable
from whatif import outlook
from whatif.bench import Bench
from whatif.bridge import bridge
from whatif.compare import compare
from whatif.envelope import apply_envelopes
from whatif.misses import near_misses
from whatif.published import bridge_published
from whatif.sizes import size_classes
from whatif.suppress import public
from whatif.suppress import words as suppressed_words
from whatif.tornado import sensitivity

CURRENT = "current"
"""The baseline without any scenario."""

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Asked:
    """What is compared: a year's registries under a baseline (current, a scenario file or a run's folder) and scenarios.

    `ahead`: also the forecasts, drawn so; `public`: figures of fewer than three applicants are suppressed.
    """

    year: int
    baseline: str
    scenarios: tuple[Path, ...]
    ahead: outlook.Asked | None = None
    public: bool = False


def run_compare(asked: Asked, raw: Path, out: Path, say: Say) -> Path:
    """Compare and publish; returns the comparison's folder. Raises Unusable; whole or not at all."""
    scenarios = [load_scenario(path) for path in asked.scenarios]
    laws = [load_catalogue([one]) for one in scenarios]
    run = Path(asked.baseline) if Path(asked.baseline).is_dir() else None
    law = load_catalogue(_baseline(asked.baseline) if run is None else ())
    start = _run_name(run) if run else _stem(asked.baseline)
    name = "--".join([start, *(one.name for one in scenarios)])
    target = out / "compare" / name
    work = folders.new_work_folder(target)
    try:
        steps.read(work, raw, asked.year, say)
        steps.check_rows(work, asked.year, law, say)
        bench = Bench(checked_frames(work), asked.year, law)
        found = _found(bench, run, list(zip(scenarios, laws, strict=True)), asked, say)
        told = _told(work, bench, start, scenarios, laws, asked, found)
        return folders.publish(target, _gathered(work, told, found, say))
    finally:
        folders.remove_work_folder(work)


def _baseline(text: str) -> list[Scenario]:
    """The scenario that the baseline is, if it is one."""
    if text == CURRENT:
        return []
    if Path(text).is_file():
        return [load_scenario(Path(text))]
    raise Unusable(f"基准「{text}」应是 current（现行政策）、方案文件或一次结果的文件夹。")


def _stem(text: str) -> str:
    return CURRENT if text == CURRENT else Path(text).stem


def _run_name(folder: Path) -> str:
    """A run folder's name: scenario and year, `annual-2022`."""
    if not (folder / "awards.parquet").is_file():
        raise Unusable(f"「{folder}」里没有 awards.parquet，不是年度兑现的结果文件夹。")
    return f"annual-{folder.absolute().name}"


def _found(
    bench: Bench,
    run: Path | None,
    scenarios: Sequence[tuple[Scenario, Catalogue]],
    asked: Asked,
    say: Say,
) -> Frames:
    """Every frame of the comparison, under `<scenario>/<frame>`."""
    sizes = size_classes(bench.frames["rnd"], bench.year) if "rnd" in bench.frames else None
    before = bench.lines if run is None else pl.read_parquet(run / "awards.parquet")
    drawn = None
    if asked.ahead is not None:
        say(f"预测现行办法，抽样 {asked.ahead.draws:,} 次……")
        drawn = outlook.sums(bench.frames, bench.law, bench.year, asked.ahead)
    frames: Frames = {}
    for scenario, law in scenarios:
        say(f"测算方案「{scenario.title}」，并逐个改动它的标量，看影响大小……")
        other = Bench(bench.frames, bench.year, law)
        after = bench.lines_of(law)
        compared = compare(before, after, sizes)
        compared = public(compared) if asked.public else compared
        held: Frames = {
            name: getattr(compared, name) for name in ("totals", "kinds", "concentration", "changes")
        }
        if not asked.public:
            misses = near_misses(other)
            held |= {"households": compared.households, "details": compared.details}
            held |= {"misses": misses.lines, "miss_costs": misses.costs}
        if run is None:
            held["bridge"] = _of_all(bridge(bench, other)) if asked.public else bridge(bench, other)
        elif not asked.public:  # few may have come or gone
            held["bridge"] = bridge_published(before, after)
        held["sensitivity"] = sensitivity(other)
        if law.envelopes:
            held["envelopes"] = apply_envelopes(after, law.envelopes, _last_year(other)).table
        if drawn is not None and asked.ahead is not None:
            say(f"预测方案「{scenario.title}」，用同一组随机数……")
            held["forecast"] = outlook.compared(drawn, outlook.under(bench, drawn, law, asked.ahead))
        frames |= {f"{scenario.name}/{name}": frame for name, frame in held.items()}
    return frames


def _of_all(steps: pl.DataFrame) -> pl.DataFrame:
    """A bridge's steps over all districts and items, which give nobody away."""
    return steps.filter(pl.col("district").is_null() & pl.col("item").is_null())


def _last_year(bench: Bench) -> pl.DataFrame | None:
    """The lines of the year before, where an envelope promises a part of them."""
    if not any(envelope.not_below_last_year for envelope in bench.law.envelopes):
        return None
    before = bench.year - 1
    return Bench(at_year(bench.frames, before), before, bench.law).lines


def _told(
    work: Path,
    bench: Bench,
    start: str,
    scenarios: Sequence[Scenario],
    laws: Sequence[Catalogue],
    asked: Asked,
    found: Frames,
) -> dict[str, Any]:
    """What the reports say beside the figures: also the manifest."""
    about = provenance(work, asked.year, bench.law, asked.scenarios)
    told = [
        {
            key: str(getattr(one, key) or "")
            for key in ("name", "title", "author", "date", "reason", "reference")
        }
        | {"changes": list(law.changes)}
        for one, law in zip(scenarios, laws, strict=True)
    ]
    notes = []
    if asked.public:
        notes = [suppressed_words(found[f"{one.name}/totals"]) for one in scenarios]
    return about | {
        "scenarios": told,
        "baseline": {"name": start, "title": "现行政策" if start == CURRENT else start},
        "suppressed": asked.public,
        "notes": [*dict.fromkeys(notes), *about["notes"]],
    }


def _gathered(work: Path, told: Mapping[str, Any], found: Frames, say: Say) -> Path:
    """The published files in `<work>/result`: one table a kind of frame with the scenario as a column, and the reports."""
    result = work / "result"
    result.mkdir()
    names = [one["name"] for one in told["scenarios"]]
    for kind in sorted({key.partition("/")[2] for key in found}):
        frame = pl.concat(
            found[key].with_columns(scenario=pl.lit(name))
            for name in names
            if (key := f"{name}/{kind}") in found
        )
        write_parquet(frame, result / ("compare.parquet" if kind == "totals" else f"{kind}.parquet"))
    say("编制工作簿和网页……")
    write_json(result / "manifest.json", dict(told) | {"outputs": hashes(result)})
    write_comparison(result / "compare.xlsx", told, found)
    write_page(result / "compare.html", told, found)
    return result
