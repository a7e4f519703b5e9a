"""Make a city's registries for some years and write them, as Parquet or as departments send them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from rules.catalogue import Catalogue, load_catalogue
from schemas.errors import Unusable
from schemas.registries import REGISTRIES
from synth.applications import Applications
from synth.city import City, found_city
from synth.draws import stream
from synth.law import Law
from synth.layouts import SYNTHETIC
from synth.mess import Mess
from synth.office import office_file
from synth.panel import Spending
from synth.payments import Frames, paid
from synth.statuses import Statuses

Form = Literal["parquet", "office"]

OFFICE_LIMIT = 20_000
"""The most enterprises for workbooks, which are written cell by cell."""

_LATE, _FEW = 0.2, 0.01
"""Shares of last year's certifications that come again this year: of those left unpaid, and of others."""


def generate(
    enterprises: int,
    years: tuple[int, int],
    seed: int,
    out: Path,
    form: Form,
    mess: bool = False,
    catalogue: Catalogue | None = None,
) -> dict[str, Any]:
    """Write `<out>/<year>/` with all seven registries for each year, first and last inclusive.

    `enterprises` are those of all years together; each year has those in business then. The first
    folder's R&D also holds the year before. `mess` plants faults in the last year. The same arguments
    and catalogue give the same bytes. Returns `rows` (year → registry → rows) and `faults`, a list of
    dicts. Raises Unusable for arguments that cannot be and for folders that already hold a registry.
    """
    first, last = years
    _refuse(enterprises, first, last, seed, out, form)
    law = Law(catalogue or load_catalogue())
    city = found_city(enterprises, first - 1, last, seed)
    spending = Spending(city, law, seed)
    statuses = Statuses(city, law, (first - 1, last), seed)
    applications = Applications(city, law, seed)
    told: dict[str, Any] = {"rows": {}, "faults": []}
    before: Frames = {}
    earlier: Frames = {}
    for year in range(first - 1, last + 1):
        frames = {
            "enterprises": city.enterprises(year),
            "rnd": spending.rnd(year),
            "equipment": spending.equipment(year),
            "certifications": statuses.registry(year),
            "claims": applications.registry("claims", year),
            "talents": applications.registry("talents", year),
        }
        if year >= first:
            payments = paid(before, earlier, law, year - 1, seed)
            late = _late(before["certifications"], payments, city, year, seed)
            written = frames | {
                "payments": payments,
                "certifications": pl.concat([frames["certifications"], late]),
                "rnd": pl.concat([before["rnd"], frames["rnd"]]) if year == first else frames["rnd"],
            }
            planted = Mess(written, law, year, form == "office", city.spare, stream(seed, "mess"))
            if mess and year == last:
                planted.plant()
            told["faults"] += _write(planted, city, out / str(year), form, seed)
            told["rows"][year] = {name: planted.frames[name].height for name in REGISTRIES}
        earlier, before = before, frames
    return told


def _refuse(enterprises: int, first: int, last: int, seed: int, out: Path, form: str) -> None:
    if enterprises < 1 or seed < 0 or form not in ("parquet", "office"):
        raise Unusable("企业数应为正整数，随机种子不能为负数，格式只有 parquet 和 office")
    if not 1990 < first <= last <= 2100:
        raise Unusable(f"年度范围 {first}-{last} 不可能；请写成 2021-2023，在1991至2100之间")
    if form == "office" and enterprises > OFFICE_LIMIT:
        raise Unusable(f"Excel 形式最多 {OFFICE_LIMIT:,} 家企业；更多请用 Parquet 形式（不加 --office）")
    stems = {stem for registry in REGISTRIES.values() for stem in registry.stems}
    for year in range(first, last + 1):
        folder = out / str(year)
        held = sorted(p.name for p in folder.iterdir() if p.stem in stems) if folder.is_dir() else []
        if held:
            raise Unusable(
                f"文件夹「{folder}」中已有登记表（{held[0]}），不覆盖。请换一个位置，或先移走它们。"
            )


def _late(
    certifications: pl.DataFrame, payments: pl.DataFrame, city: City, year: int, seed: int
) -> pl.DataFrame:
    """Last year's certifications that are handed in (again) this year."""
    rng = stream(seed, "late", year)
    settled = payments["certificate_no"].drop_nulls().implode()
    left_out = pl.lit(payments.height > 0) & ~pl.col("certificate_no").is_in(settled)
    chance = pl.when(left_out).then(_LATE).otherwise(_FEW)
    drawn = pl.Series("drawn", rng.random(certifications.height))
    codes = city.codes(np.flatnonzero(city.alive(year))).implode()
    here = pl.col("certificate_no").is_not_null() & pl.col("uscc").is_in(codes)
    return certifications.filter(here & (drawn < chance))


def _write(planted: Mess, city: City, folder: Path, form: Form, seed: int) -> list[dict[str, Any]]:
    """Write one year's folder; the planted faults with file and row."""
    folder.mkdir(parents=True, exist_ok=True)
    names = dict(city.table.select("uscc", "name").iter_rows()) if form == "office" else {}
    places: dict[str, tuple[str, Sequence[int], int]] = {}
    for name, registry in REGISTRIES.items():
        frame = planted.frames[name].select(pl.col(c).cast(t) for c, t in registry.dtypes().items())
        if form == "office":
            places[name] = office_file(name, frame, names, planted.year, folder, planted.scribbles, seed)
        else:
            path = folder / f"{name}.parquet"
            frame.write_parquet(path, metadata={"说明": SYNTHETIC})
            places[name] = (path.name, range(1, frame.height + 1), 0)
    faults = []
    for fault in planted.faults:
        file, numbers, total = places[fault.registry]
        row = total if fault.row is None else numbers[fault.row]
        faults.append(asdict(fault) | {"year": planted.year, "source_file": file, "source_row": row})
    _explain(folder, planted.year, seed, faults)
    return faults


def _explain(folder: Path, year: int, seed: int, faults: list[dict[str, Any]]) -> None:
    """A note beside the files that says what they are, and which faults they hold on purpose."""
    lines = [
        f"# {year}年登记表：{SYNTHETIC}",
        "",
        f"本文件夹由程序生成（随机种子 {seed}），不对应任何真实的企业、人员和资金。",
        "信用代码内含的组织机构代码校验位是错的，身份证号的地区码并不存在，不会与真实代码重合。",
    ]
    if faults:
        lines += ["", "故意放入的差错：", "", "| 文件 | 行 | 列 | 检查 | 结果 |", "|---|---|---|---|---|"]
        outcome = {"reject": "退回该行", "repeat": "只计一次", "note": "提示核对"}
        for fault in faults:
            column = REGISTRIES[fault["registry"]].header(fault["column"]) if fault["column"] else ""
            place = f"{fault['source_file']} | {fault['source_row']} | {column}"
            lines.append(f"| {place} | {fault['check']} | {outcome[fault['outcome']]} |")
    (folder / f"{SYNTHETIC}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
