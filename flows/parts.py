"""Divide a year's registries by applicant, so that each part can be checked and computed alone, anywhere.

A line depends on its applicant's rows only, but for persons: units that one person applies through, or was
paid through, stay together in a part of their own.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from flows.files import Say, read_json, write_json
from flows.slices import Slice, slices
from rules.invariants import Broken
from schemas.districts import DISTRICTS
from schemas.errors import Unusable

PART_ROWS = 4_000_000
"""Registry rows of one part, where nothing else is asked for: some 3 GB of memory."""

MOST_PARTS = 10_000
_SAMPLE = 100_000
_AT_ONCE = 2
"""Slices that are divided side by side: reading a column of text keeps one core busy."""
BY_DISTRICT = "district"
_LINKED = "同一个人经由的各单位"


def wanted_parts(text: str | None) -> str | None:
    """The option --partitions: a number, `district`, or None (as many as the registries need). Raises Unusable."""
    if text is None or text in (BY_DISTRICT, "区镇"):
        return text and BY_DISTRICT
    if re.fullmatch(r"[1-9]\d*", text) and int(text) <= MOST_PARTS:
        return text
    raise Unusable(f"分区「{text}」应是 1 到 {MOST_PARTS:,} 的整数，或 district（按区镇）。")


@dataclass(frozen=True)
class Division:
    """The parts of a run: their folders and what each holds, in words.

    `cuts`: codes that divide the applicants evenly, in order; results are gathered along them.
    """

    folders: list[Path]
    titles: list[str]
    cuts: list[str]

    def save(self, work: Path) -> None:
        """Put it down in `<work>/parts.json`; folders are named from there."""
        folders = [str(folder.relative_to(work)) for folder in self.folders]
        write_json(work / "parts.json", {"folders": folders, "titles": self.titles, "cuts": self.cuts})

    def named_folders(self) -> list[tuple[Path, str]]:
        """Every part's folder and what it holds."""
        return list(zip(self.folders, self.titles, strict=True))

    def each(self, doing: str, work: Callable[[Path], object], say: Say) -> None:
        """Work on the parts one after the other; a failure names its part."""
        for number, (folder, title) in enumerate(self.named_folders(), 1):
            if len(self.folders) > 1:
                say(f"{doing}分区 {number}/{len(self.folders)}：{title}")
            with named(title):
                work(folder)

    @staticmethod
    def of(work: Path) -> "Division":
        """What `divide` left in a work folder."""
        held = read_json(work / "parts.json")
        return Division([work / folder for folder in held["folders"]], held["titles"], held["cuts"])


def divide(work: Path, asked: str | None, say: Say, workers: int = 1) -> Division:
    """Divide what was read into parts (`<work>/parts/<n>/read`), or leave it as the only one.

    `asked`: see wanted_parts; by default as many as memory and `workers` need. Neither their number nor their
    bounds change a result.
    """
    rows = read_json(work / "read.json")["rows"]
    needed = max(-(-sum(rows.values()) // PART_ROWS), workers)
    count = int(asked) if asked not in (None, BY_DISTRICT) else needed
    if asked != BY_DISTRICT and count <= 1:
        made = Division([work], [""], [])
    else:
        made = _scattered(work, _places(work, asked, max(count, 1)), say)
    made.save(work)
    return made


@dataclass(frozen=True)
class _Places:
    """Where an applicant belongs: `linked` codes last, others by `district` or else by `cuts`."""

    cuts: pl.Series
    linked: pl.Series
    district: pl.DataFrame | None

    @property
    def titles(self) -> list[str]:
        if self.district is not None:
            named = [*DISTRICTS, "其他"]
        else:
            ends = ["", *self.cuts.to_list(), ""]
            named = [_span(first, last) for first, last in pairwise(ends)]
        return [*named, _LINKED]

    def of(self, codes: pl.Series) -> pl.Series:
        """The place of each code; blank and faulty ones have one as well."""
        if self.district is None:
            place = self.cuts.search_sorted(codes.fill_null(""), side="right").cast(pl.Int64)
        else:
            found = codes.to_frame("uscc").join(self.district, on="uscc", how="left", maintain_order="left")
            place = found["place"].fill_null(len(DISTRICTS))
        last = len(self.titles) - 1
        return pl.select(pl.when(codes.is_in(self.linked.implode())).then(last).otherwise(place)).to_series()


def _span(first: str, last: str) -> str:
    """The codes from `first` on and before `last`, in words; blank for no bound."""
    bounds = [f"自 {first} 起" if first else "", f"{last} 之前" if last else ""]
    return "代码" + "、".join(bound for bound in bounds if bound)


def _places(work: Path, asked: str | None, count: int) -> _Places:
    codes = _columns(work, "enterprises", ["uscc"])["uscc"].drop_nulls()
    sample = codes.gather_every(max(1, codes.len() // _SAMPLE)).unique().sort()
    at = [sample.len() * place // count for place in range(1, count)]
    cuts = sample.gather(sorted({place for place in at if place}))
    district = None
    if asked == BY_DISTRICT:
        number = {name: place for place, name in enumerate(DISTRICTS)}
        held = _columns(work, "enterprises", ["uscc", "district"]).drop_nulls()
        place = pl.col("district").replace_strict(number, default=len(number), return_dtype=pl.Int64)
        district = held.unique("uscc", keep="first", maintain_order=True).select("uscc", place=place)
    return _Places(cuts, _linked(work), district)


def _linked(work: Path) -> pl.Series:
    """The codes of units that share a person with another unit: one who applies, through it or paid through it."""
    person = pl.col("person_id").str.to_uppercase()
    applying, paid = (
        _columns(work, name, ["person_id", "uscc"]).drop_nulls().with_columns(person)
        for name in ("talents", "payments")
    )
    pairs = pl.concat([applying, paid.join(applying, on="person_id", how="semi")]).unique()
    return pairs.filter(pl.len().over("person_id") > 1)["uscc"].unique().sort()


def _columns(work: Path, name: str, columns: list[str]) -> pl.DataFrame:
    """Some columns of text of a registry, as read; no rows where there is no such registry."""
    none = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.concat([none, *(one.read(columns).frame.select(columns) for one in slices(work, name))])


def _scattered(work: Path, places: _Places, say: Say) -> Division:
    """Write every slice of every registry into the parts, in the order of the rows."""
    folders = [work / "parts" / f"{place:04}" for place in range(len(places.titles))]
    rows_of = dict.fromkeys(folders, 0)
    (work / "read").mkdir(exist_ok=True)
    for name in read_json(work / "read.json")["rows"]:
        for folder in folders:
            (folder / "read" / name).mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            told = list(threads.map(lambda one: _scatter(one, places, folders), slices(work, name)))
        for _, counts in told:
            rows_of = {folder: rows_of[folder] + count for folder, count in counts.items()}
        pl.concat([faults for faults, _ in told]).write_parquet(work / "read" / f"{name}.faults.parquet")
    held = [(folder, title) for folder, title in zip(folders, places.titles, strict=True) if rows_of[folder]]
    held = held or [(folders[0], places.titles[0])]
    say(f"分为 {len(held)} 个分区")
    return Division([folder for folder, _ in held], [title for _, title in held], places.cuts.to_list())


def _scatter(one: Slice, places: _Places, folders: list[Path]) -> tuple[pl.DataFrame, dict[Path, int]]:
    """Write a slice's rows into the parts; its cells' faults, and how many rows each part has got."""
    rows, faults = one.read()
    place, counts = places.of(rows["uscc"]), {}
    for number, folder in enumerate(folders):
        here = rows.filter(place == number)
        here.write_parquet(
            folder / "read" / one.registry / f"{one.name}.parquet", compression="lz4", statistics=False
        )
        counts[folder] = here.height
    return faults, counts


@contextmanager
def named(title: str) -> Iterator[None]:
    """A failure within names the part, if it has a name; a broken line names its file and row as well."""
    try:
        yield
    except (OSError, MemoryError, Unusable):  # these say themselves what to do, or are tried again
        raise
    except Exception as error:
        if not title:
            raise
        kind = "" if isinstance(error, Broken) else f"（{type(error).__name__}）"
        raise Broken(f"分区「{title}」：{error}{kind}") from error
