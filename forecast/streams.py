"""Seeded random streams: each purpose and draw has its own, so that blocks and workers change nothing."""

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SOURCES = ("common", "own", "counts", "assessed")
"""What a forecast is unsure of: growth that all share, each enterprise's own, numbers of cases, decisions."""


@dataclass(frozen=True)
class Seeds:
    """A seed for each source of uncertainty; alike unless their shares of the band are being told apart."""

    common: int
    own: int
    counts: int
    assessed: int

    @staticmethod
    def of(seed: int) -> "Seeds":
        """The same seed for all sources."""
        return Seeds(seed, seed, seed, seed)

    def only(self, source: str) -> "Seeds":
        """Other draws for everything but one source."""
        other = Seeds.of(self.common + 1_000_003)
        return replace(other, **{source: getattr(self, source)})


def stream(seed: int, *names: object) -> np.random.Generator:
    """The generator for one named purpose."""
    return np.random.Generator(np.random.SFC64([seed, *(zlib.crc32(str(name).encode()) for name in names)]))


def bits(rng: np.random.Generator, count: int) -> NDArray[np.uint16]:
    """`count` uniform 16-bit numbers, the cheapest that numpy has."""
    raw: NDArray[np.uint64] = rng.bit_generator.random_raw(-(-count // 4))
    return raw.view(np.uint16)[:count]
