"""The steps of an annual run. Each reads and writes files of one work folder, so that a flow's tasks pass paths."""

import hashlib
import json
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from flows.check import Checked, check
from registries.locate import Folder, locate_years
from registries.read import read_table
from reports.template import payments_of, write_template
from reports.workbook import write_workbook
from rules.award import published, settle
from rules.catalogue import Catalogue, load_catalogue
from rules.invariants import verify
from rules.scenario import load_scenario
from rules.settle import settlement
from rules.summary import summarise
from schemas.errors import Unusable
from schemas.money import YUAN
from schemas.outputs import AWARDS, REJECTS
from schemas.registries import REGISTRIES

Say = Callable[[str], None]


def law_of(scenarios: tuple[Path, ...]) -> Catalogue:
    """The catalogue with scenario files laid over it."""
    return load_catalogue([load_scenario(path) for path in scenarios])


def read(work: Path, raw: Path, year: int, say: Say) -> Path:
    """Read the year's and the earlier years' registries into `<work>/read`."""
    current, earlier = locate_years(raw, year)
    folder = work / "read"
    folder.mkdir(exist_ok=True)
    notes = [note for f in (*earlier, current) for note in f.notes]
    inputs = []
    for name, registry in REGISTRIES.items():
        found = [
            f for f in (*earlier, current) if name in f.files and (name != "enterprises" or f is current)
        ]
        frames, faults = [], []
        for one in found:
            path = one.files[name]
            label = path.name if one is current else f"{one.year}/{path.name}"
            table = read_table(path, registry, label)
            say(f"读取 {label}：{table.frame.height:,} 行")
            notes += table.notes
            inputs.append(_input(one, name, label))
            frames.append(table.frame.with_columns(pl.lit(one.year, pl.Int32).alias("folder")))
            faults.append(table.located_faults())
        if frames:
            pl.concat(frames, how="diagonal").write_parquet(folder / f"{name}.parquet", compression="lz4")
            pl.concat(faults).write_parquet(folder / f"{name}.faults.parquet")
    write_json(work / "read.json", {"inputs": inputs, "notes": notes})
    return work


def _input(folder: Folder, name: str, label: str) -> dict[str, Any]:
    path = folder.files[name]
    return {"registry": name, "file": label, "bytes": path.stat().st_size, "sha256": _sha256(path)}


def check_rows(work: Path, year: int, law: Catalogue, say: Say) -> Path:
    """Check what `read` left, into `<work>/checked` and `<work>/rejects.parquet`."""
    names = [name for name in REGISTRIES if (work / "read" / f"{name}.parquet").is_file()]
    checked: Checked = check(
        {name: pl.read_parquet(work / "read" / f"{name}.parquet") for name in names},
        {name: pl.read_parquet(work / "read" / f"{name}.faults.parquet") for name in names},
        law,
        year,
    )
    folder = work / "checked"
    folder.mkdir(exist_ok=True)
    for name, frame in checked.frames.items():
        frame.write_parquet(folder / f"{name}.parquet", compression="lz4")
    rejects = checked.rejects.select(pl.col(c).cast(t) for c, t in REJECTS.items())
    write_parquet(rejects, work / "rejects.parquet")
    write_json(work / "check.json", {"notes": checked.notes, "rows": checked.rows})
    rejected = rejects.select(list(REJECTS)[:4]).unique().height
    say(f"检查完毕：{rejected:,} 行有问题，已列明原因")
    return work


def checked_frames(work: Path) -> dict[str, pl.DataFrame]:
    """The registries that `check_rows` left."""
    return {p.stem: pl.read_parquet(p) for p in sorted((work / "checked").glob("*.parquet"))}


def compute(work: Path, year: int, law: Catalogue, say: Say, template: bool = False) -> Path:
    """Apply the rules; write awards, summary and settlement into `<work>`; `template`: also its rows."""
    frames = checked_frames(work)
    settled = settle(frames, law, year)
    balances = settlement(settled.lines, settled.unmatched, frames, law)
    if template:
        payments_of(settled.lines).write_parquet(work / "template.rows.parquet")
    awards = published(settled.lines)
    del settled  # the widest table of the run
    identities = verify(awards, balances, frames, law, year)
    write_parquet(balances, work / "settlement.parquet")
    write_parquet(awards, work / "awards.parquet")
    write_parquet(summarise(awards, law), work / "summary.parquet")
    write_json(work / "compute.json", {"identities": [(what, str(a), str(b)) for what, a, b in identities]})
    total = awards["award"].sum()
    payable = (awards["status"] == "payable").sum()
    say(f"计算完毕：{awards.height:,} 条奖补行，应兑付 {payable:,} 条，共 {total / 10000:,.2f} 万元")
    return work


def check_template(template: Path | None, out: Path) -> None:
    """Refuse a payments template that could not be written, or would lie among published results."""
    if template is None:
        return
    if template.suffix.lower() not in (".xlsx", ".csv", ".parquet"):
        raise Unusable(f"已兑付登记表「{template.name}」的后缀应为 .xlsx、.csv 或 .parquet。")
    if not template.absolute().parent.is_dir():
        raise Unusable(f"没有文件夹「{template.parent}」，不能写入已兑付登记表。")
    if template.absolute().is_relative_to(out.absolute()):
        raise Unusable(f"已兑付登记表含完整证件号码，不能放在结果文件夹「{out}」内；请另选位置。")


def hand_over(work: Path, template: Path | None, say: Say) -> None:
    """Put the payments template where it was asked for, readable by its owner only."""
    if template is None:
        return
    held = pl.read_parquet(work / "template.rows.parquet")
    write_template(held, template)
    say(
        f"已写出本次应付的已兑付登记（含完整证件号码，仅本人可读）：{template}，共 {held.height:,} 行；付清后并入已兑付登记表"
    )


def report(work: Path, year: int, law: Catalogue, scenarios: tuple[Path, ...], today: str, say: Say) -> Path:
    """Write manifest and workbook and gather the published files in `<work>/result`, which appears complete.

    May be repeated after a failure: what it gathers stays where it was.
    """
    result = work / "result.partial"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    for name in ("awards", "rejects", "summary", "settlement"):
        (result / f"{name}.parquet").hardlink_to(work / f"{name}.parquet")
    manifest = _manifest(work, result, year, law, scenarios)
    write_json(result / "manifest.json", manifest)
    say("编制工作簿……")
    write_workbook(
        result / "awards.xlsx",
        awards=pl.scan_parquet(result / "awards.parquet"),
        last_year=_last_year(work, year),
        summary=pl.read_parquet(result / "summary.parquet"),
        settlement=pl.scan_parquet(result / "settlement.parquet"),
        rejects=pl.scan_parquet(result / "rejects.parquet"),
        manifest=manifest,
        today=today,
    )
    return result.rename(work / "result")


def _last_year(work: Path, year: int) -> pl.DataFrame | None:
    """Payments of the year before with the district of those still listed; None without such a registry."""
    path = work / "checked" / "payments.parquet"
    if not path.is_file():
        return None
    listed = (
        pl.scan_parquet(work / "checked" / "enterprises.parquet").select("uscc", "district").unique("uscc")
    )
    paid = pl.scan_parquet(path).filter(pl.col("year") == year - 1)
    return paid.join(listed, on="uscc", how="left").select("item", "district", "amount").collect()


def _manifest(
    work: Path, result: Path, year: int, law: Catalogue, scenarios: tuple[Path, ...]
) -> dict[str, Any]:
    """What the result was made from and what it adds up to."""
    told = json.loads((work / "compute.json").read_text("utf-8"))
    money = [c for c, t in AWARDS.items() if t == YUAN and c != "award_high"]
    awards = pl.scan_parquet(result / "awards.parquet")
    statuses, sums = pl.collect_all(
        [awards.group_by("status").agg(pl.len()), awards.select(pl.sum(*money))], engine="streaming"
    )
    return provenance(work, year, law, scenarios) | {
        "lines": dict(statuses.sort("status").rows()),
        "totals": {column: str(sums[column].item()) for column in money},
        "identities": told["identities"],
        "outputs": hashes(result),
    }


def provenance(work: Path, year: int, law: Catalogue, scenarios: tuple[Path, ...]) -> dict[str, Any]:
    """What a result was made from, without clock or machine: the same inputs give the same manifest."""
    told = {name: json.loads((work / f"{name}.json").read_text("utf-8")) for name in ("read", "check")}
    return {
        "software": {"name": "duixian", "version": software_version()},
        "year": year,
        "catalogue": {"version": law.version, "items": len(law.items)},
        "policies": [
            {
                "policy": p.key,
                "title": p.title,
                "from": p.first_day and str(p.first_day),
                "to": p.last_day and str(p.last_day),
                "enabled": p.enabled,
            }
            for p in law.policies.values()
        ],
        "readings": [
            {"key": key, "title": title, "value": value} for key, title, value in law.readings_in_force()
        ],
        "scenarios": [{"name": path.stem, "sha256": _sha256(path)} for path in scenarios],
        "changes": list(law.changes),
        "inputs": told["read"]["inputs"],
        "rows": told["check"]["rows"],
        "notes": told["read"]["notes"] + told["check"]["notes"],
    }


def hashes(result: Path) -> dict[str, str]:
    """The SHA-256 of every published table."""
    return {path.name: _sha256(path) for path in sorted(result.glob("*.parquet"))}


def software_version() -> str:
    """The installed version of this software."""
    try:
        return version("duixian")
    except PackageNotFoundError:
        return "0"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a published table: one chunk and fixed row groups, so that the bytes depend on content only."""
    frame.rechunk().write_parquet(path, compression="zstd", row_group_size=250_000)


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
