"""Explain one applicant's year line by line, from the registries as they are."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from flows import steps
from flows.files import checked_frames
from flows.slices import slices
from rules.award import award, item_rows
from rules.catalogue import Catalogue
from rules.evaluate import evaluate
from rules.frames import Frames
from rules.narrate import clause_trace
from schemas.errors import Unusable, did_you_mean
from schemas.outputs import STATUSES
from schemas.registries import REGISTRIES


def explain_applicant(year: int, raw: Path, scenarios: tuple[Path, ...], uscc: str) -> list[str]:
    """The lines of text for one applicant. Raises Unusable when no registry knows the code."""
    law = steps.law_of(scenarios)
    work = Path(tempfile.mkdtemp(prefix="duixian-"))
    try:
        steps.read(work, raw, year, lambda _: None)
        steps.check_rows(work, year, law, lambda _: None)
        frames = checked_frames(work)
        rejects = _of_applicant(work, uscc)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    own = _own_frames(frames, uscc)
    applicant = own["enterprises"].filter(pl.col("uscc") == uscc)
    if applicant.is_empty():
        known = frames["enterprises"]["uscc"].to_list()
        said = "".join(f"\n{line}" for line in _own_rejects(rejects) if line)
        hint = said or did_you_mean(uscc, known)
        raise Unusable(f"企业名录中没有可用的「{uscc}」{hint}")
    name, district = applicant.row(0, named=True)["name"], applicant.row(0, named=True)["district"]
    lines = award(own, law, year).filter(pl.col("uscc") == uscc)
    paid = lines["award"].sum()
    return [
        f"{name}（{uscc}，{district}）{year}年度：应兑付 {paid:,.2f} 元，"
        f"其中市级 {lines['city_share'].sum():,.2f} 元，区镇 {lines['district_share'].sum():,.2f} 元"
        + (f"，苏州市级 {suzhou:,.2f} 元" if (suzhou := lines["prefecture_share"].sum()) else ""),
        *_each_line(lines, own, law, year),
        *_own_rejects(rejects),
    ]


def _own_frames(frames: Frames, uscc: str) -> Frames:
    """The rows of an applicant and of its persons, whose awards through other units count too."""
    talents = frames.get("talents")
    persons = pl.Series(dtype=pl.String) if talents is None else talents.filter(uscc=uscc)["person_id"]

    def belongs(frame: pl.DataFrame) -> pl.Expr:
        own = pl.col("uscc") == uscc
        return own | pl.col("person_id").is_in(persons.implode()) if "person_id" in frame.columns else own

    kept = {name: frame.filter(belongs(frame)) for name, frame in frames.items() if name != "enterprises"}
    involved = pl.concat([pl.Series("uscc", [uscc]), *(frame["uscc"] for frame in kept.values())])
    applicants = frames["enterprises"].filter(pl.col("uscc").is_in(involved.unique().implode()))
    return {"enterprises": applicants} | kept


def _each_line(lines: pl.DataFrame, own: Frames, law: Catalogue, year: int) -> Iterator[str]:
    traces: dict[tuple[str, str, int], str] = {}
    for item, _, rows in item_rows(own, law, year):
        compiled = law.compiled(item)
        traced = clause_trace(compiled, evaluate(compiled, rows.lazy()).collect(), law.readings)
        for file, row, trace in traced.select("source_file", "source_row", "trace").iter_rows():
            traces[item.id, file, row] = trace or ""
    for line in lines.iter_rows(named=True):
        sheet = f"「{line['source_sheet']}」" if line["source_sheet"] else ""
        level = f"（{line['level']}）" if line["level"] else ""
        yield ""
        yield f"{line['item']} {line['title']}{level}　【{STATUSES[line['status']]}】"
        for text in traces.get((line["item"], line["source_file"], line["source_row"]), "").splitlines():
            yield f"  条件　{text}"
        if line["working"]:
            yield f"  计算　{line['working']}"
        if line["reason"]:
            yield f"  原因　{line['reason']}"
        if line["review"]:
            yield f"  复核　{line['review']}"
        if line["status"] == "payable":
            yield (
                f"  分担　兑付 {line['award']:,.2f} 元 ＝ 市级 {line['city_share']:,.2f} ＋ 区镇 {line['district_share']:,.2f}"
                + (f" ＋ 苏州市级 {line['prefecture_share']:,.2f}" if line["prefecture_share"] else "")
            )
        if line["paid"]:
            yield (
                f"  已付　本年度已兑付 {line['paid']:,.2f} 元，应补 {line['to_pay']:,.2f} 元，"
                f"应退 {line['to_recover']:,.2f} 元"
            )
        yield f"  来源　{REGISTRIES[line['registry']].title}：{line['source_file']}{sheet}第{line['source_row']}行"


def _of_applicant(work: Path, uscc: str) -> pl.DataFrame:
    """The rejects of rows that carry the applicant's code."""
    place = ["source_file", "source_sheet", "source_row"]
    rejects = pl.read_parquet(work / "rejects.parquet")
    parts = []
    for (name,), part in rejects.partition_by("registry", as_dict=True).items():
        for held in slices(work, str(name)):
            rows = held.read().frame.filter(pl.col("uscc") == uscc).select(place)
            parts.append(part.join(rows, on=place, how="semi", nulls_equal=True))
    return pl.concat([rejects.clear(), *parts])


def _own_rejects(rejects: pl.DataFrame) -> Iterator[str]:
    for fault in rejects.iter_rows(named=True):
        title = REGISTRIES[fault["registry"]].title
        value = f"（填报：{fault['value']}）" if fault["value"] else ""
        yield ""
        yield f"未采用的行　{title}：{fault['source_file']}第{fault['source_row']}行{value}"
        yield f"  原因　{fault['reason']}"
