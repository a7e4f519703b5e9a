"""The contest's city: clean registries of 2023 for nine items, in the form departments' systems export.

Written chunk by chunk, so that ten million enterprises need no more memory than one chunk. A project or
certificate number names one row, as the product's own key demands of claims without levels; A12.05 is assessed
as an amount, never as a rate; nothing was paid before. The scripts rely on that, the product does not.
"""

import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from schemas.districts import DISTRICTS
from schemas.registries import REGISTRIES
from synth.city import DISTRICT_WEIGHTS
from synth.draws import Bools, Floats, Ints, days, fen, masked, rates, serials, stream, words, yuan

YEAR = 2023
CHUNK = 250_000
REGISTRIES_USED = ("enterprises", "rnd", "equipment", "certifications", "claims")
EVENTS = {"A4.03": "新认定", "A4.04": "再次认定", "A4.05": "整体迁入"}
LEVELS = {
    "A5.03": ["一般重点领域", "航空航天"],
    "A12.05": ["药品注册证", "二类医疗器械注册证", "三类医疗器械注册证"],
}

_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
_PREFIX = "91320583MA"
_SPACE = 31**6
_LETTERS = np.array([letter - 55 if letter > 57 else letter - 48 for letter in _ALPHABET])  # A counts as 10
_ORGANISATION = np.array([3, 7, 9, 10, 5, 8, 4, 2])


def generate(enterprises: int, seed: int, raw: Path) -> dict[str, int]:
    """Write `<raw>/2023/<registry>.parquet`; the rows of each registry. R&D of 2022 stands beside 2023's."""
    folder = raw / str(YEAR)
    folder.mkdir(parents=True, exist_ok=True)
    written = dict.fromkeys(REGISTRIES_USED, 0)
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        for frames in _chunks(enterprises, seed):
            for name, frame in frames.items():
                table = _canonical(name, frame).to_arrow(compat_level=pl.CompatLevel.oldest())
                if name not in writers:
                    writers[name] = pq.ParquetWriter(
                        folder / f"{name}.parquet", table.schema, compression="zstd"
                    )
                writers[name].write_table(table)
                written[name] += frame.height
    finally:
        for writer in writers.values():
            writer.close()
    return written


def _canonical(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """All columns of the registry in its order and dtypes; those not drawn are empty."""
    held = {c: pl.col(c) if c in frame.columns else pl.lit(None) for c in REGISTRIES[name].columns}
    return frame.select(held[c].cast(t).alias(c) for c, t in REGISTRIES[name].dtypes().items())


def _chunks(enterprises: int, seed: int) -> Iterator[dict[str, pl.DataFrame]]:
    step, start = _stride(seed)
    for first in range(0, enterprises, CHUNK):
        places = np.arange(first, min(first + CHUNK, enterprises), dtype=np.int64)
        codes = credit_codes((start + step * places) % _SPACE)
        rng = stream(seed, "contest", first)
        yield {
            "enterprises": _enterprises(rng, codes, places),
            "rnd": _rnd(rng, codes),
            "equipment": _equipment(rng, codes, places),
            "certifications": _certifications(rng, codes, places),
            "claims": _claims(rng, codes, places),
        }


def _stride(seed: int) -> tuple[int, int]:
    """A step that meets every number below the space once, small enough for whole 64 bits, and a start."""
    rng = stream(seed, "contest", "codes")
    step = int(rng.integers(10**9, 2 * 10**9)) | 1
    while math.gcd(step, 31) != 1:
        step += 2
    return step, int(rng.integers(0, _SPACE))


def credit_codes(numbers: Ints) -> pl.Series:
    """Valid unified social credit codes (GB 32100-2015) of Kunshan, different for different numbers.

    The organisation code inside has a wrong check character (GB 11714), so that they can belong to nobody.
    """
    digits = np.empty((numbers.size, 18), np.int64)
    place_of = {chr(letter): place for place, letter in enumerate(_ALPHABET)}
    digits[:, :10] = [place_of[c] for c in _PREFIX]
    for place in range(6):
        digits[:, 10 + place] = numbers // 31**place % 31
    right = (11 - _LETTERS[digits[:, 8:16]] @ _ORGANISATION % 11) % 11
    wrong = (right + 1 + numbers % 9) % 10
    digits[:, 16] = np.where(wrong == right, (right + 1) % 10, wrong)
    digits[:, 17] = (31 - digits[:, :17] @ _WEIGHTS % 31) % 31
    return pl.Series("uscc", _ALPHABET[digits].view("S18").ravel().astype("U18"), pl.String)


def _enterprises(rng: np.random.Generator, codes: pl.Series, places: Ints) -> pl.DataFrame:
    count = places.size
    weights = np.array([DISTRICT_WEIGHTS[d] for d in DISTRICTS], float)
    return pl.DataFrame(
        {
            "uscc": codes,
            "name": serials("昆山评测企业", places, 8) + "有限公司",
            "district": words(list(DISTRICTS), rng.choice(len(DISTRICTS), count, p=weights / weights.sum())),
            "industrial": masked(pl.Series(rng.random(count) < 0.86), rng.random(count) > 0.02),
            "registered_on": days(rng, date(1995, 1, 1), date(2021, 12, 31), count),
        }
    )


def _rnd(rng: np.random.Generator, codes: pl.Series) -> pl.DataFrame:
    """Last year's rows of most, then this year's; a few never said whether they deduct."""
    count = codes.len()
    before = rng.lognormal(math.log(1_500_000), 1.2, count)
    now = before * rng.lognormal(0.12, 0.35, count)
    reports, reported = rng.random(count) < 0.8, rng.random(count) < 0.85
    return pl.concat(
        [
            _spending(rng, codes, YEAR - 1, before).filter(pl.Series(reported)),
            _spending(rng, codes, YEAR, now).filter(pl.Series(reports)),
        ]
    )


def _spending(rng: np.random.Generator, codes: pl.Series, year: int, spent: Floats) -> pl.DataFrame:
    count = codes.len()
    return pl.DataFrame(
        {
            "uscc": codes,
            "year": np.full(count, year),
            "rnd_expense": yuan(fen(spent)),
            "super_deduction": masked(pl.Series(rng.random(count) < 0.8), rng.random(count) > 0.03),
            "revenue": yuan(fen(spent * rng.uniform(8, 40, count))),
        }
    )


def _of(rng: np.random.Generator, count: int, share: float, numbers: list[int]) -> tuple[Ints, Ints]:
    """Rows of a `share` of the enterprises, as many as drawn from `numbers`: whose, and which of theirs."""
    who = np.flatnonzero(rng.random(count) < share)
    many = rng.choice(numbers, who.size)
    owner = np.repeat(who, many)
    nth = np.arange(owner.size) - np.repeat(np.cumsum(many) - many, many)
    return owner, nth


def _numbered(prefix: str, places: Ints, owner: Ints, nth: Ints) -> pl.Series:
    return serials(prefix, places[owner] * 100 + nth, 10)


def _equipment(rng: np.random.Generator, codes: pl.Series, places: Ints) -> pl.DataFrame:
    """Some exactly at the threshold, some with a rate outside the range, two in five not yet assessed."""
    owner, nth = _of(rng, places.size, 0.2, [1, 1, 1, 1, 1, 2, 2, 3])
    count = owner.size
    spent = fen(rng.lognormal(math.log(12_000_000), 1.3, count))
    spent = np.where(rng.random(count) < 0.02, 2_000_000_000, spent)
    rate = rng.integers(600, 1501, count)
    rate = np.where(rng.random(count) < 0.02, rng.choice([500, 2000], count), rate)
    smart = np.rint(spent * rng.random(count)).astype(np.int64)
    return pl.DataFrame(
        {
            "uscc": codes.gather(pl.Series(owner)),
            "year": np.full(count, YEAR),
            "project_id": _numbered("SB", places, owner, nth),
            "project_name": words(["新建产线", "技术改造", "智能车间"], rng.integers(0, 3, count)),
            "equipment_investment": yuan(spent),
            "smart_investment": yuan(smart, rng.random(count) < 0.4),
            "assessed_rate": rates(rate, rng.random(count) < 0.6),
        }
    )


def _certifications(rng: np.random.Generator, codes: pl.Series, places: Ints) -> pl.DataFrame:
    owner, nth = _of(rng, places.size, 0.1, [1])
    what = rng.choice(len(EVENTS), owner.size, p=[0.6, 0.35, 0.05])
    return pl.DataFrame(
        {
            "uscc": codes.gather(pl.Series(owner)),
            "item": words(list(EVENTS), what),
            "certified_on": days(rng, date(YEAR, 1, 1), date(YEAR, 12, 31), owner.size),
            "event": words(list(EVENTS.values()), what),
            "certificate_no": _numbered("GR", places, owner, nth),
        }
    )


def _claims(rng: np.random.Generator, codes: pl.Series, places: Ints) -> pl.DataFrame:
    """Of A7.08 and A12.05 enterprises claim several times a year, some beyond the cap of the year."""
    parts = [
        _claimed(rng, codes, places, "A5.03", 0.03, [1, 1, 2], 3_000_000.0),
        _claimed(rng, codes, places, "A6.04", 0.02, [1, 1, 1, 2], 2_000_000.0),
        _claimed(rng, codes, places, "A7.08", 0.05, [1, 1, 2, 2, 3, 4, 5], 3_000_000.0),
        _claimed(rng, codes, places, "A12.05", 0.012, [1, 1, 2, 3, 5, 12, 15, 18], 700_000.0),
    ]
    claims = pl.concat(parts, how="diagonal")
    return claims[rng.permutation(claims.height)]


def _claimed(
    rng: np.random.Generator,
    codes: pl.Series,
    places: Ints,
    item: str,
    share: float,
    numbers: list[int],
    middle: float,
) -> pl.DataFrame:
    """One item's claims; `middle` (yuan) is the median base or assessed amount. A12.05 is assessed."""
    owner, nth = _of(rng, places.size, share, numbers)
    count = owner.size
    known, figure = _figures(rng, owner, middle, 0.85 if item == "A12.05" else 0.99)
    columns: dict[str, Any] = {
        "uscc": codes.gather(pl.Series(owner)),
        "item": [item] * count,
        "event_on": days(rng, date(YEAR, 1, 1), date(YEAR, 12, 31), count),
        "project_id": _numbered(f"{item[1:].replace('.', '')}P", places, owner, nth),
        "assessed_amount" if item == "A12.05" else "base_amount": yuan(figure, known),
    }
    if item in LEVELS:
        columns["level"] = words(LEVELS[item], rng.integers(0, len(LEVELS[item]), count))
    return pl.DataFrame(columns)


def _figures(rng: np.random.Generator, owner: Ints, middle: float, share: float) -> tuple[Bools, Ints]:
    """What is known, and amounts in fen: of every other enterprise whole 万 yuan, so that remainders tie."""
    figure = fen(rng.lognormal(math.log(middle), 1.0, owner.size))
    whole = np.maximum(figure // 1_000_000, 1) * 1_000_000
    return rng.random(owner.size) < share, np.where(owner % 2 == 0, whole, figure)
