"""Check all registries together: good rows go on with their role, every fault becomes a reject."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from registries.read import RAW
from rules.catalogue import Catalogue
from rules.frames import Frames, is_listed, of_enterprises, with_numbers
from rules.identify import identify
from schemas.codes import masked
from schemas.keys import mark_repeats
from schemas.labels import filled
from schemas.outputs import REJECTS
from schemas.registries import PROVENANCE, REGISTRIES, Registry
from schemas.validate import FAULTS, validate


@dataclass
class Checked:
    """Good rows by registry (rules.history.Frames), rejects in the shape REJECTS, what became of the rows.

    `late`: by registry the rows of earlier folders that are not of an earlier year.
    """

    frames: Frames
    rejects: pl.DataFrame
    rows: dict[str, dict[str, int]]
    late: dict[str, int]


def check(read: Frames, cell_faults: Frames, law: Catalogue, year: int) -> Checked:
    """Check what was read. `read` frames have a column `folder`, the year of the folder a row came from.

    Empties `read`: a frame is not needed once its good rows are out.
    """
    names = [name for name in REGISTRIES if name in read]
    first = _checked(REGISTRIES["enterprises"], read.pop("enterprises"), cell_faults, law, year, None)
    enterprises = _Enterprises(with_numbers(first.good), first.bad)
    read |= of_enterprises(read, enterprises.frame)
    with ThreadPoolExecutor() as threads:  # much of a registry's checks keeps one core busy
        others = threads.map(
            lambda name: _checked(REGISTRIES[name], read.pop(name), cell_faults, law, year, enterprises),
            names[1:],
        )
        found = dict(zip(names, (first, *others), strict=True))
    frames = {name: one.good for name, one in found.items()} | {"enterprises": enterprises.frame}
    _mark_doubtful(frames, {name: one.bad for name, one in found.items()})
    rejects = pl.concat([pl.DataFrame(schema=REJECTS), *(one.rejects for one in found.values())])
    counts = {name: one.rows for name, one in found.items()}
    return Checked(frames, rejects, counts, {name: one.late for name, one in found.items()})


@dataclass(frozen=True)
class _Enterprises:
    """The checked enterprises with their numbers, and the codes of faulty rows."""

    frame: pl.DataFrame
    bad: pl.Series


@dataclass(frozen=True)
class _CheckedRegistry:
    """A registry's `good` rows, `rejects` (shape REJECTS), codes of `bad` rows, and what became of the rows."""

    good: pl.DataFrame
    rejects: pl.DataFrame
    bad: pl.Series
    rows: dict[str, int]
    late: int


def _checked(
    registry: Registry,
    frame: pl.DataFrame,
    cell_faults: Frames,
    law: Catalogue,
    year: int,
    enterprises: _Enterprises | None,
) -> _CheckedRegistry:
    """Check one registry; `enterprises`: None for that registry itself."""
    frame, late = _with_role(registry, frame, year)
    listed = is_listed(frame, enterprises.frame) if enterprises else None
    frame, item_faults = identify(registry.name, frame, law)
    faults = _all_faults(registry, frame, cell_faults[registry.name], item_faults, listed)
    faults = pl.concat([faults, _wrong_year(registry, frame, year)])
    if enterprises and listed is not None and registry.has_lines:
        faults = pl.concat([faults, _strangers(frame, listed, faults, enterprises.bad)])
    frame = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    good = frame.filter(~pl.col("row").is_in(faults["row"].implode())) if faults.height else frame
    good, conflicts = _compared(registry, good)
    faults = pl.concat([faults, conflicts])
    bad = frame["uscc"].gather(faults["row"].unique()).drop_nulls().unique()
    kept = good.drop("row", *(c for c in good.columns if c.startswith(RAW)))
    return _CheckedRegistry(kept, _rejects(registry, frame, faults), bad, _counted(frame, good), late)


def notes(late: Mapping[str, int], year: int) -> list[str]:
    """What the report says of registries with rows that are too `late` (see Checked), and of absent ones."""
    return [
        f"{REGISTRIES[name].title}：以前年度文件夹中有{count}行属于{year}年度或以后，未使用；如需使用请放入{year}文件夹"
        for name, count in late.items()
        if count
    ] + [
        f"没有{registry.title}登记表，相关条款未计算"
        for name, registry in REGISTRIES.items()
        if registry.has_lines and name not in late
    ]


def _mark_doubtful(frames: Frames, bad: dict[str, pl.Series]) -> None:
    """`has_rejects` on rows whose applicant has a rejected row in the same registry or among the payments."""
    nobody = pl.Series("uscc", [], pl.String)
    for name, frame in frames.items():
        doubtful = pl.concat([bad[name], bad.get("payments", nobody)])
        marks = frame[["uscc"]].select(has_rejects=pl.col("uscc").is_in(doubtful.implode()))
        frames[name] = frame.hstack(marks)


def _with_role(registry: Registry, frame: pl.DataFrame, year: int) -> tuple[pl.DataFrame, int]:
    """Rows of the run's folder are lines, or history where their year is earlier; others are history.

    Also returns how many rows of earlier folders are left out as too late.
    """
    here = pl.col("folder") == year
    if "year" in registry.columns:
        late = frame.filter(~here & (pl.col("year") >= year)).height
        frame = frame.filter((here | (pl.col("year") < year) | pl.col("year").is_null()).fill_null(True))
        is_line = here & ~(pl.col("year") < year).fill_null(False)
        role = pl.when(is_line).then(pl.lit("line")).otherwise(pl.lit("history"))
        return frame.with_columns(role.alias("role")), late
    role = pl.when(here).then(pl.lit("line")).otherwise(pl.lit("history"))
    if registry.name == "enterprises":
        frame = frame.filter(here)
    return frame.with_columns(role.alias("role")), 0


def _all_faults(
    registry: Registry,
    frame: pl.DataFrame,
    cells: pl.DataFrame,
    items: pl.DataFrame,
    listed: pl.Series | None,
) -> pl.DataFrame:
    rows = frame if cells.height else frame.clear()
    cells = cells.join(
        rows.select(*PROVENANCE).with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)),
        on=list(PROVENANCE),
        nulls_equal=True,
    ).select(list(FAULTS))
    shape = validate(registry, frame, listed).join(cells, on=["row", "column"], how="anti")
    return pl.concat([cells, shape, items])


def _wrong_year(registry: Registry, frame: pl.DataFrame, year: int) -> pl.DataFrame:
    if "year" not in registry.columns:
        return pl.DataFrame(schema=FAULTS)
    late = pl.col("year") > year
    return (
        frame[["year"]]
        .with_row_index("row")
        .filter(late & pl.col("year").is_between(1990, 2100))
        .select(
            pl.col("row").cast(pl.Int64),
            pl.lit("year").alias("column"),
            filled("年度{}晚于测算年度{}；请更正，或放到所属年度的文件夹", "year", pl.lit(year)).alias(
                "reason"
            ),
            pl.lit("later_year").alias("check"),
        )
    )


def _strangers(frame: pl.DataFrame, listed: pl.Series, faults: pl.DataFrame, bad: pl.Series) -> pl.DataFrame:
    """Lines whose applicant the enterprises registry does not hold, or holds in a faulty row."""
    wrong_code = faults.filter(pl.col("column") == "uscc")["row"]
    reason = (
        pl.when(pl.col("uscc").is_in(bad.drop_nulls().unique().implode()))
        .then(pl.lit("企业名录中该企业的行有误未能采用；请先更正企业名录"))
        .otherwise(pl.lit("企业名录中没有该统一社会信用代码；请核对代码，或在企业名录补登该企业"))
    )
    return (
        frame[["role", "uscc"]]
        .with_row_index("row")
        .filter(~listed)
        .filter((pl.col("role") == "line") & pl.col("uscc").is_not_null())
        .with_columns(pl.col("row").cast(pl.Int64))
        .filter(~pl.col("row").is_in(wrong_code.implode()))
        .select(
            "row",
            pl.lit("uscc").alias("column"),
            reason.alias("reason"),
            pl.lit("unknown_applicant").alias("check"),
        )
    )


def _compared(registry: Registry, good: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Mark repeated rows and take out contradicting ones. Events of earlier folders are only history."""
    rest = good.clear() if "year" in registry.columns else good.filter(pl.col("role") != "line")
    marked, conflicts = mark_repeats(registry, good.filter(pl.col("role") == "line") if rest.height else good)
    conflicts = conflicts.with_columns(row=marked["row"].gather(conflicts["row"]))
    if rest.height:
        marked = pl.concat([marked, rest.with_columns(same_as=pl.lit(None, pl.String))])
    if conflicts.height:
        marked = marked.filter(~pl.col("row").is_in(conflicts["row"].implode()))
    return marked, conflicts


def _rejects(registry: Registry, frame: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    if faults.is_empty():  # joining would still go through every row
        return pl.DataFrame(schema=REJECTS)
    found = faults.unique().join(frame, on="row", how="left")
    value = pl.lit(None, pl.String)
    for column in registry.columns:
        raw = pl.col(RAW + column) if RAW + column in frame.columns else pl.lit(None, pl.String)
        shown = pl.coalesce(raw, pl.col(column).cast(pl.String))
        shown = masked(shown) if column == "person_id" else shown
        value = pl.when(pl.col("column") == column).then(shown).otherwise(value)
    return found.select(
        pl.lit(registry.name).alias("registry"),
        *PROVENANCE,
        "column",
        value.alias("value"),
        "reason",
        "check",
    ).sort("source_file", "source_sheet", "source_row", "column", "check", "reason", nulls_last=True)


def _counted(frame: pl.DataFrame, good: pl.DataFrame) -> dict[str, int]:
    used = good.lazy().filter(pl.col("same_as").is_null()).group_by("role").agg(pl.len()).collect()
    of_role = dict(used.iter_rows())
    return {
        "read": frame.height,
        "rejected": frame.height - good.height,
        "repeated": good.height - sum(of_role.values()),
        **{kind: of_role.get(role, 0) for kind, role in (("lines", "line"), ("history", "history"))},
    }
