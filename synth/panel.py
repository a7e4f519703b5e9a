"""R&D year by year, and equipment projects: what enterprises spend."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from schemas.money import YUAN
from synth.city import City
from synth.draws import Bools, Floats, Ints, fen, masked, rates, serials, stream, words, yuan
from synth.law import Law

_MEDIAN, _SPREAD, _LARGEST = 3_000_000.0, 1.5, 3_000_000_000.0
"""R&D in yuan: median, standard deviation of its logarithm, and the most an enterprise spends."""

_SHOCK = (0.06, 0.05)
"""Mean and standard deviation of the whole city's yearly log growth."""

_OWN, _TAIL, _RETURN = 0.16, 3, 0.8
"""An enterprise's own log growth: scale, degrees of freedom, and what stays of last year's deviation."""

_PROJECT = (2_500_000.0, 0.95, 3_000_000_000.0)
"""A project's yearly investment in yuan: smallest, Pareto exponent, largest."""

_SLOTS = (1.0, 0.3, 0.12)
"""The chances of a first, second and third project of an enterprise that invests."""

_PROJECT_NAMES = ["生产线技术改造项目", "智能车间改造项目", "设备更新项目", "数字化工厂项目", "扩建产能项目"]


@dataclass
class Spending:
    """What every enterprise spends; call `rnd` and `equipment` once a year, in order."""

    city: City
    law: Law
    seed: int
    trend: float = 0.0
    deviation: Floats = field(init=False)
    takes_part: Bools = field(init=False)
    deducts: Bools = field(init=False)
    intensity: Floats = field(init=False)
    invests: Bools = field(init=False)
    begun: Ints = field(init=False)
    amounts: Floats = field(init=False)

    def __post_init__(self) -> None:
        rng, count = stream(self.seed, "spending"), self.city.count
        self.takes_part = rng.random(count) < np.where(self.city.manufacturing, 0.93, 0.75)
        self.deducts = rng.random(count) < 0.95
        self.deviation = 0.3 * np.clip(rng.standard_t(_TAIL, count), -6, 6)
        self.intensity = 0.045 * np.exp(0.6 * rng.standard_normal(count))
        self.invests = rng.random(count) < np.where(self.city.manufacturing, 0.44, 0.15)
        self.begun = np.zeros((len(_SLOTS), count), np.int64)
        self.amounts = np.zeros((len(_SLOTS), count))

    def rnd(self, year: int) -> pl.DataFrame:
        """The R&D registry of a year."""
        rng, count = stream(self.seed, "rnd", year), self.city.count
        self.trend += _SHOCK[0] + _SHOCK[1] * float(rng.standard_normal())
        own = _OWN * np.clip(rng.standard_t(_TAIL, count), -15, 15)
        self.deviation = _RETURN * self.deviation + own
        amount = np.exp(np.log(_MEDIAN) + _SPREAD * self.city.size + self.trend + self.deviation)
        amount = np.where(rng.random(count) < 0.015, 0, np.minimum(amount, _LARGEST))
        revenue = amount / np.clip(self.intensity * np.exp(0.1 * rng.standard_normal(count)), 0.005, 0.6)
        deducts = self.deducts & (amount > 0) & (rng.random(count) < 0.99)
        told = (rng.random(count) > 0.2) & (amount > 0)
        frame = pl.DataFrame(
            {
                "uscc": self.city.table["uscc"],
                "year": pl.repeat(year, count, dtype=pl.Int32, eager=True),
                "rnd_expense": yuan(fen(amount)),
                "super_deduction": masked(pl.Series(deducts), rng.random(count) > 0.03),
                "revenue": yuan(fen(revenue), told),
                "assessed_amount": self._supported(rng, amount, year),
            }
        )
        present = self.city.alive(year) & self.takes_part & (rng.random(count) > 0.025)
        return frame.filter(pl.Series(present))

    def _supported(self, rng: np.random.Generator, amount: Floats, year: int) -> pl.Series:
        """An assessment for some, where the catalogue has an item that pays one on R&D (B6.04)."""
        items = [item for item in self.law.items("rnd") if item.assessed == "assessed_amount"]
        most = (self.law.ceiling(items[0], None, year) if items else None) or 1_000_000.0
        chosen = (rng.random(amount.size) < 0.04) & (amount > _MEDIAN)
        supported = fen(np.minimum(amount * rng.uniform(0.01, 0.05, amount.size), most), 1_000_000)
        return yuan(supported, chosen) if items else pl.repeat(None, amount.size, dtype=YUAN, eager=True)

    def equipment(self, year: int) -> pl.DataFrame:
        """The equipment registry of a year: up to three projects of about a quarter of the enterprises."""
        rng, count = stream(self.seed, "equipment", year), self.city.count
        active = self.city.alive(year) & self.invests & (rng.random(count) < 0.6)
        low, exponent, most = _PROJECT
        for slot, chance in enumerate(_SLOTS):
            runs = active & (rng.random(count) < chance)
            goes_on = runs & (self.amounts[slot] > 0) & (rng.random(count) < 0.4)
            new = low * (1 + rng.pareto(exponent, count)) * np.exp(0.3 * self.city.size)
            later = self.amounts[slot] * np.exp(0.5 * rng.standard_normal(count))
            self.amounts[slot] = np.where(runs, np.clip(np.where(goes_on, later, new), 100_000, most), 0)
            self.begun[slot] = np.where(goes_on, self.begun[slot], year)
        places, slots = np.nonzero(self.amounts.T)
        return self._projects(rng, year, places, slots, fen(self.amounts.T[places, slots]))

    def _projects(
        self, rng: np.random.Generator, year: int, places: Ints, slots: Ints, invested: Ints
    ) -> pl.DataFrame:
        count = places.size
        smart = fen(invested / 100 * rng.beta(2, 2.5, count))
        told = rng.random(count) > 0.06
        begun = pl.Series(self.begun.T[places, slots]).cast(pl.String)
        codes = "SL" + begun + serials("-", places + 1) + serials("-", slots + 1, 1)
        kind = (places * 7 + slots * 3) % len(_PROJECT_NAMES)
        rate, known = self._rates(rng, invested)
        return pl.DataFrame(
            {
                "uscc": self.city.codes(places),
                "year": pl.repeat(year, count, dtype=pl.Int32, eager=True),
                "project_id": codes,
                "project_name": masked("示例" + words(_PROJECT_NAMES, kind), rng.random(count) > 0.02),
                "equipment_investment": yuan(invested),
                "smart_investment": yuan(smart, told),
                "assessed_rate": rates(rate, known),
                **self._assessed(rng, places, invested, np.where(told, smart, 0)),
            }
        )

    def _rates(self, rng: np.random.Generator, invested: Ints) -> tuple[Ints, Bools]:
        """Rates (ten-thousandths, in half percents) for most projects that reach A11.02's threshold."""
        low, high = self.law.rates(self.law.catalogue.items.get("A11.02")) or (0.06, 0.15)
        steps = rng.integers(round(low * 200), round(high * 200) + 1, invested.size)
        reached = invested >= 100 * (self.law.term("A11.02", "floor") or 0)
        return 50 * steps, reached & (rng.random(invested.size) < 0.85)

    def _assessed(
        self, rng: np.random.Generator, places: Ints, invested: Ints, smart: Ints
    ) -> dict[str, pl.Series]:
        """What the department assessed under A11.03 and A11.04, on an enterprise's first row."""
        count = places.size
        first = np.diff(places, prepend=-1) > 0
        total = np.bincount(places, invested, self.city.count)[places] / 100
        climbed = np.bincount(places, smart, self.city.count)[places] / 100
        eligible = total >= (self.law.term("A11.03", "floor") or np.inf)
        base = fen(total * rng.uniform(0.005, 0.04, count), 10_000)
        award = np.zeros(count)
        for rung, most in self.law.rungs("A11.04").items():
            award = np.where(climbed > rung, most, award)
        granted = fen(award * rng.uniform(0.6, 1, count), 1_000_000)
        return {
            "assessed_base": yuan(base, first & eligible & (rng.random(count) < 0.85)),
            "assessed_amount": yuan(granted, first & (award > 0) & (rng.random(count) < 0.75)),
        }
