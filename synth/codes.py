"""Credit codes and resident ids with right check digits that can belong to nobody."""

import math

import numpy as np
import polars as pl

from synth.draws import Ints, stream

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_KUNSHAN = "91320583"
_ORGANISATION = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NOWHERE = 990000
"""A division code that GB/T 2260 does not assign."""

_BIRTHS = (np.datetime64("1960-01-01"), 14_600)
"""The first day of birth, and the number of days that follow it."""


def _scattered(count: int, space: int, rng: np.random.Generator) -> Ints:
    """Different numbers below `space`, in an order that looks drawn."""
    step = int(rng.integers(space // 4, space // 2)) | 1
    while math.gcd(step, space) != 1:
        step += 2
    start = int(rng.integers(0, space))
    return (start + step * np.arange(count, dtype=np.int64)) % space


def _weighted(digits: list[Ints], weights: tuple[int, ...]) -> Ints:
    total = np.zeros_like(digits[0])
    for digit, weight in zip(digits, weights, strict=True):
        total += digit * weight
    return total


def credit_codes(count: int, seed: int) -> pl.Series:
    """Different unified social credit codes of Kunshan, valid by GB 32100-2015.

    The organisation code inside has a wrong check character (GB 11714), so no real enterprise bears it.
    """
    numbers = _scattered(count, 31**6, stream(seed, "uscc"))
    value = {character: place for place, character in enumerate(_ALPHABET)}
    digits = [np.full(count, value[c], np.int64) for c in _KUNSHAN + "MA"]
    digits += [numbers // 31**place % 31 for place in range(6)]
    letters = np.array([ord(c) - 55 if c > "9" else int(c) for c in _ALPHABET])  # GB 11714 counts A as 10
    inner = _weighted([letters[d] for d in digits[8:]], _ORGANISATION)
    right = (11 - inner % 11) % 11
    digits.append((right + 1 + numbers % 9) % 10)
    digits[-1] = np.where(digits[-1] == right, (right + 1) % 10, digits[-1])
    digits.append((31 - _weighted(digits, _WEIGHTS) % 31) % 31)
    alphabet = pl.Series(list(_ALPHABET))
    return pl.select(pl.concat_str(alphabet.gather(pl.Series(d)) for d in digits)).to_series().alias("uscc")


def resident_ids(serials: Ints) -> pl.Series:
    """Resident ids valid by GB 11643, different for different serials, of an unassigned division code."""
    first, births = _BIRTHS
    mixed = serials * 7919 % (births * 999)
    born = first + (mixed % births).astype("timedelta64[D]")
    packed = pl.Series(born).cast(pl.Date).dt.strftime("%Y%m%d").cast(pl.Int64).to_numpy()
    body = (_NOWHERE + serials // (births * 999)) * 10**11 + packed * 1000 + mixed // births + 1
    weighted = _weighted([body // 10 ** (16 - place) % 10 for place in range(17)], _RESIDENT)
    check = pl.Series(list("10X98765432")).gather(pl.Series(weighted % 11))
    return pl.Series(body).cast(pl.String) + check
