"""The steps of an annual run. Each reads and writes files of one work folder, so that a flow's tasks pass paths.

read → divide → check every part → gather_checks → compute every part → gather_awards → report.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from flows import slices
from flows.check import Checked, check
from flows.files import (
    Say,
    checked_frames,
    read_json,
    sha256,
    whole_folder,
    write_json,
    write_parquet,
)
from flows.gather import gather_checks
from flows.manifest import annual_manifest
from flows.parts import Division
from registries.locate import locate_years
from reports.figures import added, figures
from reports.template import in_order, payments_of, write_template
from reports.workbook import write_workbook
from rules.award import settle_part
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from rules.history import Rows, all_searched
from rules.invariants import verify
from rules.publish import published
from rules.scenario import load_scenario
from rules.settle import settlement
from rules.summary import summarise
from schemas.errors import Unusable
from schemas.money import YUAN
from schemas.outputs import REJECTS
from schemas.registries import PROVENANCE, REGISTRIES


def law_of(scenarios: tuple[Path, ...]) -> Catalogue:
    """The catalogue with scenario files laid over it."""
    return load_catalogue([load_scenario(path) for path in scenarios])


def read(work: Path, raw: Path, year: int, say: Say) -> Path:
    """Find and read the year's and the earlier years' registries: `read.json`, and in `<work>/read` what is no Parquet."""
    shutil.rmtree(work / "read", ignore_errors=True)  # of a try that failed
    current, earlier = locate_years(raw, year)
    notes = [note for f in (*earlier, current) for note in f.notes]
    inputs: list[dict[str, Any]] = []
    rows: dict[str, int] = {}
    found: list[slices.Slice] = []
    for name in REGISTRIES:
        years = [current] if name == "enterprises" else [*earlier, current]
        for folder in (folder for folder in years if name in folder.files):
            path, here = folder.files[name], folder is current
            label = path.name if here else f"{folder.year}/{path.name}"
            made, said = slices.found(work / "read", name, folder, label)
            count = sum(one.rows for one in made)
            size, digest = path.stat().st_size, sha256(path)
            inputs.append({"registry": name, "file": label, "bytes": size, "sha256": digest})
            made[0].refuse_changed()
            found += made
            notes += said
            rows[name] = rows.get(name, 0) + count
            say(f"读取 {label}：{count:,} 行")
    told = {"inputs": inputs, "notes": notes, "rows": rows, "slices": slices.put(found)}
    write_json(work / "read.json", told)
    return work


def check_rows(work: Path, year: int, law: Catalogue, say: Say) -> Path:
    """Check what `read` left as one part, into `<work>/checked`, `check.json` and `rejects.parquet`."""
    check_part(work, work, year, law)
    gather_checks(work, Division([work], [""], []), year)
    say_rejected(work, say)
    return work


def check_part(part: Path, work: Path, year: int, law: Catalogue) -> None:
    """Check a part's rows, into `<part>/checked`: good rows, `rejects.parquet` and `told.json`.

    `work`: where `read` left the faults of cells, of all parts.
    """
    checked = checked_part(part, work, year, law)
    rejects = checked.rejects.select(pl.col(c).cast(t) for c, t in REJECTS.items())
    searched = all_searched(checked.frames, year)
    with whole_folder(part / "checked") as folder:
        for name, frame in checked.frames.items():
            frame.write_parquet(folder / f"{name}.parquet", compression="lz4", statistics=False)
        rejects.write_parquet(folder / "rejects.parquet")
        write_json(folder / "told.json", {"rows": checked.rows, "late": checked.late, "searched": searched})


def checked_part(part: Path, work: Path, year: int, law: Catalogue) -> Checked:
    """A part's rows, checked; `work`: what `read` left."""
    return check(*_rows_of(part, work), law, year)


def _rows_of(part: Path, work: Path) -> tuple[Frames, Frames]:
    """By registry the rows of a part, and the faults of cells, of all parts."""
    names = list(read_json(work / "read.json")["rows"])
    if part == work:
        return slices.all_rows(work, names)
    read = {name: sorted((part / "read" / name).glob("*.parquet")) for name in names}
    return {name: pl.concat(map(pl.read_parquet, paths), how="diagonal") for name, paths in read.items()}, {
        name: pl.read_parquet(work / "read" / f"{name}.faults.parquet") for name in names
    }


def say_rejected(work: Path, say: Say) -> None:
    rejects = pl.scan_parquet(work / "rejects.parquet")
    rows = rejects.select("registry", *PROVENANCE).unique().select(pl.len()).collect().item()
    say(f"检查完毕：{rows:,} 行有问题，已列明原因")


def compute_part(part: Path, work: Path, year: int, law: Catalogue, template: bool = False) -> None:
    """Apply the rules to a checked part; write its lines and sums into `<part>/computed`.

    `work`: where `gather_checks` left what is known of all parts; `template`: also write the template's rows.
    """
    frames = checked_frames(part)
    rows = Rows(frames, year, read_json(work / "check.json")["searched"])
    settled = settle_part(rows, law)
    del rows
    balances = settlement(settled.lines, settled.unmatched, frames, law)
    tables = {"settlement": balances, "last_year": _last_year(frames, year)}
    if template:
        tables["template"] = payments_of(settled.lines)
    tables["awards"] = awards = published(settled.lines)
    del settled  # the widest table of the run
    identities = verify(awards, balances, frames, law, year)
    tables["summary"] = summarise(awards, law)
    with whole_folder(part / "computed") as folder:
        for name, table in tables.items():
            if part == work:
                write_parquet(table, folder / f"{name}.parquet")
            else:  # short row groups, since they will be read in slices
                table.write_parquet(folder / f"{name}.parquet", compression="lz4", row_group_size=20_000)
        figures(awards).save(folder)
        write_json(
            folder / "told.json", {"identities": [(what, str(a), str(b)) for what, a, b in identities]}
        )


def _last_year(frames: Mapping[str, pl.DataFrame], year: int) -> pl.DataFrame:
    """What the year before was paid by item and district (null: no longer listed), in yuan."""
    schema: dict[str, Any] = {"item": pl.String, "district": pl.String, "amount": YUAN}
    if "payments" not in frames:
        return pl.DataFrame(schema=schema)
    listed = frames["enterprises"].select("uscc", "district").unique("uscc")
    paid = frames["payments"].filter(pl.col("year") == year - 1).join(listed, on="uscc", how="left")
    return paid.group_by("item", "district").agg(pl.col("amount").sum()).sort("item", "district")


def say_totals(work: Path, say: Say) -> None:
    lines = pl.scan_parquet(work / "awards.parquet").select(
        pl.len(), (pl.col("status") == "payable").sum().alias("payable"), pl.sum("award")
    )
    count, payable, total = lines.collect(engine="streaming").row(0)
    say(f"计算完毕：{count:,} 条奖补行，应兑付 {payable:,} 条，共 {total / 10000:,.2f} 万元")


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
    parts = [pl.read_parquet(part / "computed" / "template.parquet") for part in Division.of(work).folders]
    held = in_order(pl.concat(parts))
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
    manifest = annual_manifest(work, result, year, law, scenarios)
    write_json(result / "manifest.json", manifest)
    say("编制工作簿……")
    write_workbook(
        result / "awards.xlsx",
        awards=pl.scan_parquet(result / "awards.parquet"),
        sums=added([part / "computed" for part in Division.of(work).folders]),
        last_year=pl.read_parquet(work / "last_year.parquet"),
        summary=pl.read_parquet(result / "summary.parquet"),
        settlement=pl.scan_parquet(result / "settlement.parquet"),
        rejects=pl.scan_parquet(result / "rejects.parquet"),
        manifest=manifest,
        today=today,
    )
    return result.rename(work / "result")
