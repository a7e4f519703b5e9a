"""What a result was made from and what it adds up to."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from flows.files import hashes, read_json, sha256
from rules.catalogue import Catalogue
from schemas.money import YUAN
from schemas.outputs import AWARDS


def annual_manifest(
    work: Path, result: Path, year: int, law: Catalogue, scenarios: tuple[Path, ...]
) -> dict[str, Any]:
    """The manifest of an annual run whose tables lie in `result`."""
    money = [c for c, t in AWARDS.items() if t == YUAN and c != "award_high"]
    awards = pl.scan_parquet(result / "awards.parquet")
    statuses, sums = pl.collect_all(
        [awards.group_by("status").agg(pl.len()), awards.select(pl.sum(*money))], engine="streaming"
    )
    return provenance(work, year, law, scenarios) | {
        "lines": dict(statuses.sort("status").rows()),
        "totals": {column: str(sums[column].item()) for column in money},
        "identities": read_json(work / "compute.json")["identities"],
        "outputs": hashes(result),
    }


def provenance(work: Path, year: int, law: Catalogue, scenarios: tuple[Path, ...]) -> dict[str, Any]:
    """What a result was made from, without clock or machine: the same inputs give the same manifest."""
    told = {name: read_json(work / f"{name}.json") for name in ("read", "check")}
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
        "scenarios": [{"name": path.stem, "sha256": sha256(path)} for path in scenarios],
        "changes": list(law.changes),
        "inputs": told["read"]["inputs"],
        "rows": told["check"]["rows"],
        "notes": told["read"]["notes"] + told["check"]["notes"],
    }


def software_version() -> str:
    """The installed version of this software."""
    try:
        return version("duixian")
    except PackageNotFoundError:
        return "0"
