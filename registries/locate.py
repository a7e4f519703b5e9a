"""Find the year's files by their stems, and say what cannot be one."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import Unusable, closest
from schemas.registries import REGISTRIES

READABLE = (".xlsx", ".csv", ".parquet")
_CONVERTIBLE = (".xls", ".et", ".xlsm", ".xlsb", ".ods", ".txt", ".tsv", ".pdf", ".docx", ".wps")


@dataclass
class Folder:
    """One year's folder: the file of each registry found, and the notes for the run's report."""

    year: int
    path: Path
    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFKC", path.stem).strip().casefold()


def locate(folder: Path, year: int) -> Folder:
    """The registry files of one year's folder.

    Raises Unusable for a file of a registry in a form that cannot be read, and for two files of one
    registry.
    """
    by_stem = {stem.casefold(): name for name, registry in REGISTRIES.items() for stem in registry.stems}
    found = Folder(year, folder)
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or path.is_dir():
            continue
        name = by_stem.get(_stem(path))
        ending = path.suffix.casefold()
        if name is None:
            if ending in READABLE + _CONVERTIBLE:
                hint = ""
                for near in closest(_stem(path), by_stem):
                    hint = f"；若是{REGISTRIES[by_stem[near]].title}，请改名为「{near}{ending}」"
                found.notes.append(f"{year}年文件夹中的「{path.name}」不是登记表文件名，未读取{hint}")
        elif ending not in READABLE:
            raise Unusable(
                f"文件「{path}」是 {ending or '无扩展名'} 格式，不能读取。"
                "请用 Excel 或 WPS 打开，另存为 .xlsx 后再运行。"
            )
        elif name in found.files:
            raise Unusable(
                f"{REGISTRIES[name].title}有两个文件：「{found.files[name].name}」和「{path.name}」"
                f"（文件夹 {folder}）。请只保留一个。"
            )
        else:
            found.files[name] = path
    return found


def locate_years(raw: Path, year: int) -> tuple[Folder, list[Folder]]:
    """The folder of `year`, which must hold enterprises and one more registry, and the earlier years'.

    Raises Unusable when the folder or a needed registry is missing.
    """
    folder = raw / str(year)
    folders = raw.iterdir() if raw.is_dir() else []
    years = sorted(int(p.name) for p in folders if p.is_dir() and re.fullmatch(r"[1-9]\d{3}", p.name, re.A))
    if not folder.is_dir():
        held = "、".join(str(y) for y in years) or "无"
        raise Unusable(
            f"没有找到{year}年度的登记表文件夹「{folder}」。「{raw}」下现有年度：{held}。"
            f"请建立该文件夹并放入企业名录和至少一张登记表，或用 --raw、--year 指明其他位置。"
        )
    current = locate(folder, year)
    expected = "、".join(f"{r.title}（或 {r.name}）" for r in REGISTRIES.values())
    if "enterprises" not in current.files:
        raise Unusable(
            f"文件夹「{folder}」中没有企业名录（企业名录.xlsx、.csv 或 .parquet，或 enterprises.*）。"
            f"可用的登记表文件名：{expected}。" + _listed(current)
        )
    if not any(REGISTRIES[name].has_lines for name in current.files):
        raise Unusable(
            f"文件夹「{folder}」中除企业名录外至少要有一张登记表。可用的文件名：{expected}。"
            + _listed(current)
        )
    earlier = [locate(raw / str(y), y) for y in years if y < year]
    return current, earlier


def _listed(folder: Folder) -> str:
    return "".join("\n" + note for note in folder.notes)
