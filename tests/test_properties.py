"""What must hold for any registry: parts add up, order is nothing, caps hold, more growth never pays less."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.award import award, settle
from rules.caps import share_caps
from rules.catalogue import load_catalogue
from rules.evaluate import POOL
from rules.invariants import verify
from rules.publish import published
from rules.scenario import Scenario, apply_scenario
from rules.settle import settlement
from schemas.districts import DISTRICTS
from schemas.money import YUAN
from schemas.outputs import ORDER
from schemas.registries import PROVENANCE, REGISTRIES

LAW = load_catalogue()
WITH_B = apply_scenario(
    LAW, Scenario.model_validate({"name": "b", "title": "b", "policies": {"B": {"enabled": True}}})
)
SHARED = ["A16.04", "C7.01", "A6.04", "C4.02", "B9.02", "A7.05", "C9.02", "A8.01", "C8.01", "A12.05", "A2.03"]
"""Items with caps over lines and years, or with the same matter under another policy."""
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
whole_city = settings(quick, max_examples=20)
fen = st.integers(0, 10**13).map(lambda n: Decimal(n) / 100)
flag = st.sampled_from([True, False, None])
rate = st.sampled_from([None, Decimal("0.06"), Decimal("0.1"), Decimal("0.15"), Decimal("0.2")])


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Checked rows of a registry."""
    registry = REGISTRIES[name]
    held = [{**row, "source_file": f"{name}.csv", "source_row": n} for n, row in enumerate(rows, 2)]
    columns = registry.dtypes() | PROVENANCE | {"role": pl.String, "same_as": pl.String}
    return pl.DataFrame(held, schema=columns)


@st.composite
def cities(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    """A few enterprises with two years of R&D, projects, and an assessed claim each."""
    enterprises, rnd, equipment, claims, payments = [], [], [], [], []
    for n in range(draw(st.integers(1, 6))):
        uscc = f"{n:018d}"
        district = draw(st.sampled_from(DISTRICTS))
        enterprises.append(
            {"uscc": uscc, "name": f"企业{n}", "district": district, "industrial": draw(flag), "role": "line"}
        )
        for year, role in ((2022, "history"), (2023, "line")):
            if draw(st.booleans()):
                rnd.append(
                    {
                        "uscc": uscc,
                        "year": year,
                        "rnd_expense": draw(fen),
                        "super_deduction": draw(flag),
                        "role": role,
                    }
                )
        for project in range(draw(st.integers(0, 3))):
            equipment.append(
                {
                    "uscc": uscc,
                    "year": 2023,
                    "project_id": f"P{project}",
                    "equipment_investment": draw(fen),
                    "smart_investment": draw(st.none() | fen),
                    "assessed_rate": draw(rate),
                    "assessed_base": draw(st.none() | fen),
                    "assessed_amount": draw(st.none() | fen),
                    "role": "line",
                }
            )
        for claim in range(draw(st.integers(0, 3))):
            claims.append(
                {
                    "uscc": uscc,
                    "item": draw(st.sampled_from(["A4.01", "A4.09", "A11.09", "A9.01"])),
                    "event_on": draw(st.dates(min_value=date(2021, 1, 1), max_value=date(2025, 12, 31))),
                    "project_id": f"C{claim}",
                    "assessed_amount": draw(st.none() | fen),
                    "role": "line",
                }
            )
        for claim in range(draw(st.integers(0, 4))):
            item = draw(st.sampled_from(SHARED))
            claims.append(
                {
                    "uscc": uscc,
                    "item": item,
                    "event_on": draw(st.dates(min_value=date(2022, 12, 1), max_value=date(2023, 12, 31))),
                    "level": "药品注册证" if item == "A12.05" else None,
                    "project_id": draw(st.sampled_from([None, "P1", "P2", f"Q{claim}"])),
                    "base_amount": draw(st.none() | fen),
                    "assessed_amount": draw(st.none() | fen),
                    "medical": draw(flag),
                    "role": "line",
                }
            )
            if draw(st.booleans()):
                payments.append(
                    {
                        "uscc": uscc,
                        "item": item,
                        "year": draw(st.integers(2021, 2023)),
                        "amount": draw(fen),
                        "project_id": draw(st.sampled_from([None, "P1"])),
                    }
                )
    held = {"enterprises": enterprises, "rnd": rnd, "equipment": equipment, "claims": claims}
    held |= {"payments": payments}
    return {name: frame(name, rows) for name, rows in held.items()}


@whole_city
@given(cities())
def test_parts_add_up_and_every_row_has_a_line(frames: dict[str, pl.DataFrame]) -> None:
    settled = settle(frames, WITH_B, 2023)
    awards = published(settled.lines)
    verify(awards, settlement(settled.lines, settled.unmatched, frames, WITH_B), frames, WITH_B, 2023)
    shares = pl.sum_horizontal("city_share", "district_share", "prefecture_share")
    assert awards["award"].sum() == awards.select(shares).to_series().sum()
    assert awards.select(ORDER).equals(awards.select(ORDER).sort(ORDER, nulls_last=True))


@whole_city
@given(cities())
def test_one_policy_pays_a_matter(frames: dict[str, pl.DataFrame]) -> None:
    paid = award(frames, WITH_B, 2023).filter(pl.col("status") == "payable")
    for name, members in WITH_B.overlaps.items():
        compared = [item for item in members if not WITH_B.items[item].linked and not members[item]]
        lines = paid.filter(pl.col("item").is_in(compared) & pl.col("project_id").is_not_null())
        policies = lines.group_by("uscc", "project_id").agg(pl.col("policy").n_unique())
        assert policies.filter(pl.col("policy") > 1).is_empty(), name


@whole_city
@given(cities(), st.randoms(use_true_random=False))
def test_order_of_rows_moves_nothing(frames: dict[str, pl.DataFrame], chance: Any) -> None:
    shuffled = {}
    for name, held in frames.items():
        order = list(range(held.height))
        chance.shuffle(order)
        shuffled[name] = held[order]
    there, here = award(frames, LAW, 2023), award(shuffled, LAW, 2023)
    assert there.drop("source_row").equals(here.drop("source_row"))


@whole_city
@given(cities())
def test_caps_hold(frames: dict[str, pl.DataFrame]) -> None:
    awards = award(frames, LAW, 2023)
    by_year = {
        "A4.06": 3_000_000,
        "A11.03": 10_000_000,
        "A4.01": 2_000_000,
        "A4.09": 1_000_000,
        "A11.09": 2_000_000,
    }
    held = awards.group_by("item", "uscc").agg(pl.col("award").sum(), pl.col("award_high").sum())
    for item, _, paid, high in held.filter(pl.col("item").is_in(list(by_year))).iter_rows():
        assert paid <= by_year[item] and high <= by_year[item]
    projects = awards.filter(pl.col("item") == "A11.02")
    assert projects.filter(pl.col("award_high") > 10_000_000).is_empty()


@quick
@given(fen, fen, fen)
def test_more_growth_never_pays_less(before: Decimal, now: Decimal, more: Decimal) -> None:
    def paid(figure: Decimal) -> Decimal:
        row = {"uscc": "0" * 18, "super_deduction": True}
        rnd = [
            {**row, "year": 2022, "rnd_expense": before, "role": "history"},
            {**row, "year": 2023, "rnd_expense": figure, "role": "line"},
        ]
        who = [{"uscc": "0" * 18, "name": "企业", "district": "开发区", "role": "line"}]
        lines = award({"enterprises": frame("enterprises", who), "rnd": frame("rnd", rnd)}, LAW, 2023)
        return Decimal(lines["award"].item())

    assert paid(now + more) >= paid(now)


def test_a_repeated_row_of_a_registry_without_items_in_force_is_no_fault() -> None:
    """All policies off: nothing reads equipment, and its repeated row makes no line."""
    law = apply_scenario(
        LAW,
        Scenario.model_validate(
            {"name": "o", "title": "o", "policies": {k: {"enabled": False} for k in ("A", "B", "C")}}
        ),
    )
    row = {
        "uscc": "0" * 18,
        "year": 2023,
        "project_id": "P",
        "equipment_investment": Decimal(1),
        "role": "line",
    }
    frames = {
        "enterprises": frame("enterprises", [{"uscc": "0" * 18, "name": "甲", "district": "张浦"}]),
        "equipment": frame("equipment", [row, row | {"same_as": "2"}]),
    }
    assert award(frames, law, 2023).is_empty()


def pool(amounts: list[Decimal], cap: Decimal) -> pl.DataFrame:
    """Payable lines that share one cap."""
    return pl.DataFrame(
        {
            "item": "X",
            "uscc": [f"{n:03d}" for n in range(len(amounts))],
            "status": "payable",
            "working": "",
            "reason": pl.Series([None] * len(amounts), dtype=pl.String),
            "review": pl.Series([None] * len(amounts), dtype=pl.String),
            **{c: pl.Series(amounts, dtype=YUAN) for c in ("gross", "award_low", "award_high")},
            "pool_0": [{"key": 7, "thing": None, "of_thing": False, "amount": cap}] * len(amounts),
        },
        schema_overrides={"pool_0": pl.Struct(POOL)},
    ).with_columns(
        *(pl.lit(None, YUAN).alias(c) for c in ("paid_lower", "cap", "cap_paid")),
        *(pl.lit(False).alias(c) for c in ("assessed", "cap_shared")),
        *(
            pl.lit(None, pl.String).alias(c)
            for c in ("person_id", "project_id", "certificate_no", "level", "on")
        ),
    )


@quick
@given(st.lists(fen, min_size=1, max_size=12), fen)
def test_a_shared_cap_is_met_to_the_fen_and_in_proportion(amounts: list[Decimal], cap: Decimal) -> None:
    lines = share_caps(pool(amounts, cap))
    after, total = lines["award_low"], sum(amounts)
    assert Decimal(str(after.sum())) == min(total, cap)
    for was, now in zip(amounts, after, strict=True):
        exact = was if total <= cap else was * cap / total
        assert abs(now - exact) < Decimal("0.01") + Decimal("0.0001")


def test_the_largest_remainder_loses_the_last_fen() -> None:
    lines = share_caps(pool([Decimal("100.00")] * 3, Decimal("200.00")))
    assert lines["award_low"].to_list() == [Decimal("66.66"), Decimal("66.67"), Decimal("66.67")]


def test_the_odd_fen_goes_by_content_not_by_order() -> None:
    bases = [("1000000", "0.7000001"), ("2000000", "0.35000005"), ("4000000", "0.175000025")]
    claims = [
        {
            "uscc": "0" * 18,
            "item": "A4.01",
            "event_on": date(2023, 5, 1),
            "base_amount": Decimal(base),
            "assessed_rate": Decimal(share),
            "role": "line",
        }
        for base, share in bases
    ]
    who = frame("enterprises", [{"uscc": "0" * 18, "name": "企业", "district": "开发区", "role": "line"}])
    one, other = (
        award({"enterprises": who, "claims": frame("claims", c)}, LAW, 2023) for c in (claims, claims[::-1])
    )
    assert one.drop("source_row").equals(other.drop("source_row"))
    assert Decimal(str(one["award"].sum())) == 2_000_000
