"""The steps of an annual run. Each reads and writes files of one work folder, so that a flow's tasks pass paths.

read → divide → check every part → gather_checks → compute every part → gather_awards → report (flows.reporting).
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
from flows.parts import Division
from registries.locate import locate_years
from reports.figures import figures
from reports.to_pay import payments_of
from rules.award import settle_part
from rules.catalogue import Catalogue, load_catalogue
from rules.frames import Frames
from rules.history import Rows, all_searched
from rules.invariants import verify
from rules.publish import published
from rules.scenario import load_scenario
from rules.settle import settlement
from rules.summary import summarise
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
