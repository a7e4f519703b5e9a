"""The last step of an annual run: manifest, workbook, and the registry of what is to pay."""

import shutil
from pathlib import Path

import polars as pl

from flows.files import Say, write_json
from flows.manifest import annual_manifest
from flows.parts import Division
from reports.figures import added
from reports.template import write_template
from reports.to_pay import in_order
from reports.workbook import write_workbook
from rules.catalogue import Catalogue
from schemas.errors import Unusable


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
