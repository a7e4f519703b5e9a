# ruff: noqa: N801, N805 - a variable's class bears its name, and its formula is no method
"""The awards as an OpenFisca model: enterprises are the groups, projects and claims their members.

Laid out as its country template is: entities, parameters with dates, variables with formulas over whole arrays.
Money is yuan in OpenFisca's own number type, 32-bit floats. What the registries name by text (credit code,
project number, 区镇) stays outside the model and is put beside its results.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import YEAR, instant
from openfisca_core.reforms import Reform
from openfisca_core.simulations import Simulation, SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.contest.terms import Terms

DIFFERENCES = (
    "OpenFisca keeps every number as a 32-bit float, which holds seven digits: above 131,072 yuan it cannot "
    "tell one fen from the next, and at 10,000,000 yuan it counts in whole yuan. Amounts are rounded as soon as "
    "they are read, and again after every formula. A share of a cap is a multiplication there, so that the "
    "lines of an enterprise need not add up to its cap to the fen, as they do by largest remainder. With the "
    "library's table of number types changed to 64 bits, which it does not offer, one line in forty still "
    "differed, by one fen: half a fen is not exact in binary, and shares of a cap are rounded one by one."
)

Project = build_entity("project", "projects", "A project, contract or certificate", is_person=True)
Enterprise = build_entity(
    "enterprise",
    "enterprises",
    "An applicant",
    roles=[{"key": "undertaking", "plural": "undertakings", "label": "What it undertakes"}],
)


def _since_2022(value: float) -> dict[str, Any]:
    return {"values": {"2022-01-01": {"value": value}}}


PARAMETERS = {
    "high_tech": {
        "award": {
            "none": _since_2022(0),
            "new": _since_2022(250_000),
            "again": _since_2022(50_000),
            "moved": _since_2022(150_000),
        }
    },
    "rnd_growth": {"rate": _since_2022(0.06), "floor": _since_2022(200_000), "cap": _since_2022(3_000_000)},
    "engineering": {
        "rate": _since_2022(0.5),
        "cap": {"ordinary": _since_2022(5_000_000), "aerospace": _since_2022(10_000_000)},
    },
    "joint_research": {"rate": _since_2022(0.2), "cap": _since_2022(1_000_000)},
    "vouchers": {"rate": _since_2022(0.2), "yearly_cap": _since_2022(3_000_000)},
    "equipment": {
        "lowest": _since_2022(0.06),
        "highest": _since_2022(0.15),
        "floor": _since_2022(20_000_000),
        "cap": _since_2022(10_000_000),
    },
    "certificates": {
        "cap": {
            "drug": _since_2022(1_000_000),
            "second_class": _since_2022(500_000),
            "third_class": _since_2022(1_000_000),
        },
        "yearly_cap": _since_2022(10_000_000),
    },
    "district_share": _since_2022(0.5),
}


class Event(Enum):
    none = "无"
    new = "新认定"
    again = "再次认定"
    moved = "整体迁入"


class Item(Enum):
    engineering = "A5.03"
    joint_research = "A6.04"
    vouchers = "A7.08"
    equipment = "A11.02"
    certificates = "A12.05"


class Field(Enum):
    ordinary = "一般重点领域"
    aerospace = "航空航天"


class Certificate(Enum):
    drug = "药品注册证"
    second_class = "二类医疗器械注册证"
    third_class = "三类医疗器械注册证"


def to_fen(amount: Any) -> Any:
    """Yuan to the fen, half away from zero."""
    return np.floor(amount * 100 + 0.5) / 100


class rnd_expense(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR
    label = "研发费用"


class super_deduction(Variable):
    value_type, entity, definition_period = bool, Enterprise, YEAR
    label = "享受加计扣除"


class industrial(Variable):
    value_type, entity, definition_period, default_value = bool, Enterprise, YEAR, True
    label = "工业企业（未填的以部门核定为准）"


class high_tech_event(Variable):
    value_type, entity, definition_period = Enum, Enterprise, YEAR
    possible_values, default_value = Event, Event.none
    label = "高新技术企业认定事项"


class high_tech_award(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return parameters(period).high_tech.award[enterprise("high_tech_event", period)]


class high_tech_district_share(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        moved = enterprise("high_tech_event", period) == Event.moved
        award = enterprise("high_tech_award", period)
        return moved * to_fen(award * parameters(period).district_share)


class rnd_growth_gross(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        rule, before = parameters(period).rnd_growth, period.last_year
        growth = enterprise("rnd_expense", period) - enterprise("rnd_expense", before)
        deducts = enterprise("super_deduction", period) * enterprise("super_deduction", before)
        return deducts * (growth >= rule.floor) * to_fen(growth * rule.rate)


class rnd_growth_award(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return np.minimum(enterprise("rnd_growth_gross", period), parameters(period).rnd_growth.cap)


class rnd_growth_district_share(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return to_fen(enterprise("rnd_growth_award", period) * parameters(period).district_share)


class item(Variable):
    value_type, entity, definition_period = Enum, Project, YEAR
    possible_values, default_value = Item, Item.engineering


class field(Variable):
    value_type, entity, definition_period = Enum, Project, YEAR
    possible_values, default_value = Field, Field.ordinary


class certificate(Variable):
    value_type, entity, definition_period = Enum, Project, YEAR
    possible_values, default_value = Certificate, Certificate.drug


class base_amount(Variable):
    value_type, entity, definition_period = float, Project, YEAR
    label = "申报基数，设备投入为设备投资额"


class assessed(Variable):
    value_type, entity, definition_period = bool, Project, YEAR
    label = "部门已核定比例或金额"


class assessed_rate(Variable):
    value_type, entity, definition_period = float, Project, YEAR


class assessed_amount(Variable):
    value_type, entity, definition_period = float, Project, YEAR


class engineering_gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        claimed = project("item", period) == Item.engineering
        return claimed * to_fen(project("base_amount", period) * parameters(period).engineering.rate)


class engineering_award(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        cap = parameters(period).engineering.cap[project("field", period)]
        return np.minimum(project("engineering_gross", period), cap)


class joint_research_gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        claimed = project("item", period) == Item.joint_research
        return claimed * to_fen(project("base_amount", period) * parameters(period).joint_research.rate)


class joint_research_award(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return np.minimum(project("joint_research_gross", period), parameters(period).joint_research.cap)


class vouchers_gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        claimed = project("item", period) == Item.vouchers
        return claimed * to_fen(project("base_amount", period) * parameters(period).vouchers.rate)


class vouchers_total(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return enterprise.sum(enterprise.members("vouchers_gross", period), role=Enterprise.UNDERTAKING)


class vouchers_award(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        total = project.enterprise("vouchers_total", period)
        return _share(project("vouchers_gross", period), total, parameters(period).vouchers.yearly_cap)


class equipment_eligible(Variable):
    value_type, entity, definition_period = bool, Project, YEAR

    def formula(project, period, parameters):
        rule, rate = parameters(period).equipment, project("assessed_rate", period)
        lowest, highest = np.float32(rule.lowest), np.float32(rule.highest)  # as the rate itself is held
        inside = (rate >= lowest) * (rate <= highest)
        return (
            (project("item", period) == Item.equipment)
            * project.enterprise("industrial", period)
            * (project("base_amount", period) >= rule.floor)
            * (inside + ~project("assessed", period))
        )


class equipment_gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        given = to_fen(project("base_amount", period) * project("assessed_rate", period))
        return project("equipment_eligible", period) * project("assessed", period) * given


class equipment_low(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return _equipment_end(project, period, parameters, "lowest")


class equipment_high(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return _equipment_end(project, period, parameters, "highest")


def _equipment_end(project: Any, period: Any, parameters: Any, end: str) -> Any:
    rule = parameters(period).equipment
    statutory = to_fen(project("base_amount", period) * getattr(rule, end))
    amount = np.where(project("assessed", period), project("equipment_gross", period), statutory)
    return project("equipment_eligible", period) * np.minimum(amount, rule.cap)


class certificates_gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return (project("item", period) == Item.certificates) * project("assessed_amount", period)


class certificates_capped(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        cap = parameters(period).certificates.cap[project("certificate", period)]
        return np.minimum(project("certificates_gross", period), cap)


class certificates_total(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return enterprise.sum(enterprise.members("certificates_capped", period), role=Enterprise.UNDERTAKING)


class certificates_award(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        total = project.enterprise("certificates_total", period)
        yearly_cap = parameters(period).certificates.yearly_cap
        return _share(project("certificates_capped", period), total, yearly_cap)


class certificates_open(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        waits = (project("item", period) == Item.certificates) * ~project("assessed", period)
        return waits * parameters(period).certificates.cap[project("certificate", period)]


class certificates_open_total(Variable):
    value_type, entity, definition_period = float, Enterprise, YEAR

    def formula(enterprise, period, parameters):
        return enterprise.sum(enterprise.members("certificates_open", period), role=Enterprise.UNDERTAKING)


class certificates_high(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        paid = project.enterprise("certificates_total", period)
        left = np.maximum(parameters(period).certificates.yearly_cap - paid, 0)
        total = project.enterprise("certificates_open_total", period)
        return _share(project("certificates_open", period), total, left)


def _share(amount: Any, total: Any, cap: Any) -> Any:
    """The amount, in proportion where the total is more than the cap."""
    return to_fen(amount * np.minimum(1, cap / np.maximum(total, 1)))


class gross(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return sum(project(f"{one.name}_gross", period) for one in Item)


class award(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        plain = [one.name for one in Item if one != Item.equipment]
        equipment = project("equipment_low", period) * project("assessed", period)
        return sum(project(f"{name}_award", period) for name in plain) + equipment


class award_low(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return np.maximum(project("award", period), project("equipment_low", period))


class award_high(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        least = np.maximum(project("award", period), project("equipment_high", period))
        return least + project("certificates_high", period)


class district_share(Variable):
    value_type, entity, definition_period = float, Project, YEAR

    def formula(project, period, parameters):
        return to_fen(project("award", period) * parameters(period).district_share)


NAMES = {
    "A4.03.award": "high_tech.award.new",
    "A4.04.award": "high_tech.award.again",
    "A4.05.award": "high_tech.award.moved",
    "A4.06": "rnd_growth",
    "A5.03.rate": "engineering.rate",
    "A5.03.cap.一般重点领域": "engineering.cap.ordinary",
    "A5.03.cap.航空航天": "engineering.cap.aerospace",
    "A6.04": "joint_research",
    "A7.08.rate": "vouchers.rate",
    "A7.08.cap": "vouchers.yearly_cap",
    "A11.02.rate.low": "equipment.lowest",
    "A11.02.rate.high": "equipment.highest",
    "A11.02": "equipment",
    "A12.05.cap.药品注册证": "certificates.cap.drug",
    "A12.05.cap.二类医疗器械注册证": "certificates.cap.second_class",
    "A12.05.cap.三类医疗器械注册证": "certificates.cap.third_class",
    "A12.05": "certificates",
}
"""The parameters of the contest's terms: of one term, or of all that an item has under the same names."""

VARIABLES = [
    held for held in list(globals().values()) if isinstance(held, type) and Variable in held.__bases__
]


def tax_benefit_system() -> TaxBenefitSystem:
    """The model: entities, parameters, variables."""
    system = TaxBenefitSystem([Project, Enterprise])
    system.parameters = ParameterNode("", data=PARAMETERS)
    system.add_variables(*VARIABLES)
    return system


def reform(simulation: Simulation, baseline: TaxBenefitSystem, changed: Terms) -> None:
    """Put the simulation under a reform of the changed terms: its inputs stay, what it computed is deleted."""

    def modify(parameters: ParameterNode) -> ParameterNode:
        for name, value in changed.items():
            node = parameters
            for part in _path(name).split("."):
                node = getattr(node, part)
            node.update(start=instant("2022-01-01"), value=value / 100 if ".rate" in name else value)
        return parameters

    class Changed(Reform):
        def apply(self):
            self.modify_parameters(modify)

    simulation.tax_benefit_system = Changed(baseline)
    for variable in VARIABLES:
        if variable.__dict__.get("formula"):
            simulation.delete_arrays(variable.__name__)


def _path(term: str) -> str:
    """The parameter's path; a term's last name stays where the item alone is listed."""
    item, _, last = term.rpartition(".")
    return NAMES[term] if term in NAMES else f"{NAMES[item]}.{last}"


def _read(raw: Path, name: str, *columns: str) -> pd.DataFrame:
    """The columns of a registry, decimals as floats."""
    table = pq.read_table(raw / "2023" / f"{name}.parquet", columns=list(columns))
    for place, held in enumerate(table.schema):
        if pa.types.is_decimal(held.type):
            table = table.set_column(place, held.name, table.column(place).cast(pa.float64()))
    return table.to_pandas()


def _projects(raw: Path) -> pd.DataFrame:
    """Equipment and claims of the modelled items, one row each."""
    equipment = _read(raw, "equipment", "uscc", "year", "project_id", "equipment_investment", "assessed_rate")
    equipment = equipment[equipment["year"] == 2023].drop(columns="year").assign(item="A11.02")
    claims = _read(raw, "claims", "uscc", "item", "level", "project_id", "base_amount", "assessed_amount")
    claims = claims[claims["item"].isin([one.value for one in Item])]
    return pd.concat(
        [claims, equipment.rename(columns={"equipment_investment": "base_amount"})], ignore_index=True
    )


def _coded(values: pd.Series, kind: type[Enum]) -> np.ndarray:
    """The places of an enumeration's words; the first for any other text."""
    words = pd.Index([one.value for one in kind])
    return np.maximum(words.get_indexer(values), 0).astype(np.int16)


def _by_enterprise(codes: pd.Index, rows: pd.DataFrame, column: str, default: Any) -> np.ndarray:
    """A column of some enterprises as an array of all."""
    found = np.full(codes.size, default)
    found[codes.get_indexer(rows["uscc"])] = rows[column].to_numpy(found.dtype)
    return found


def prepare(raw: Path) -> tuple[Simulation, pd.DataFrame, pd.DataFrame]:
    """A simulation with its inputs set, and the enterprises and projects in its order."""
    enterprises, projects = _read(raw, "enterprises", "uscc", "district", "industrial"), _projects(raw)
    codes = pd.Index(enterprises["uscc"])
    simulation = _simulation(enterprises, projects, codes)
    rnd = _read(raw, "rnd", "uscc", "year", "rnd_expense", "super_deduction")
    rnd["super_deduction"] = rnd["super_deduction"].eq(True)
    for year, rows in rnd[rnd["year"].isin([2022, 2023])].groupby("year"):
        for name, default in (("rnd_expense", 0.0), ("super_deduction", False)):
            simulation.set_input(name, str(year), _by_enterprise(codes, rows, name, default))
    certified = _read(raw, "certifications", "uscc", "item", "event")
    certified["event"] = _coded(certified["event"], Event)
    simulation.set_input("high_tech_event", "2023", _by_enterprise(codes, certified, "event", np.int16(0)))
    simulation.set_input("industrial", "2023", enterprises["industrial"].ne(False).to_numpy(bool))
    rated = projects["item"].eq("A11.02")
    known = projects["assessed_rate"].where(rated, projects["assessed_amount"]).notna()
    inputs = {
        "item": _coded(projects["item"], Item),
        "field": _coded(projects["level"], Field),
        "certificate": _coded(projects["level"], Certificate),
        "assessed": known.to_numpy(bool),
        **{n: projects[n].fillna(0).to_numpy() for n in ("base_amount", "assessed_rate", "assessed_amount")},
    }
    for name, values in inputs.items():
        simulation.set_input(name, "2023", values)
    return simulation, enterprises, projects


def _simulation(enterprises: pd.DataFrame, projects: pd.DataFrame, codes: pd.Index) -> Simulation:
    system = tax_benefit_system()
    builder = SimulationBuilder()
    builder.create_entities(system)
    builder.declare_person_entity("project", np.arange(len(projects)))
    group = builder.declare_entity("enterprise", np.arange(len(enterprises)))
    # Not `join_with_persons`, which takes it that every enterprise has a member.
    group.members_entity_id = codes.get_indexer(projects["uscc"])
    return builder.build(system)


def compute(loaded: tuple[Simulation, pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines and totals, in memory; money is yuan in floats."""
    simulation, enterprises, projects = loaded
    parts = [
        _of_projects(simulation, projects, enterprises["district"]),
        *_of_enterprises(simulation, enterprises),
    ]
    lines = pd.concat(parts, ignore_index=True)
    lines["city_share"] = lines["award"] - lines["district_share"]
    groups = lines.groupby(["district", "item"], as_index=False)
    totals = groups[["award", "city_share", "district_share"]].sum()
    totals.insert(2, "lines", groups.size()["size"])
    return lines, totals


def _of_projects(simulation: Simulation, projects: pd.DataFrame, districts: pd.Series) -> pd.DataFrame:
    names = ("gross", "award", "district_share", "award_low", "award_high")
    money = {name: simulation.calculate(name, "2023").astype(float) for name in names}
    due = money["award_high"] > 0
    open_ = ~simulation.calculate("assessed", "2023") & projects["item"].isin(["A11.02", "A12.05"]).to_numpy()
    group = simulation.populations["enterprise"].members_entity_id
    lines = projects.loc[due, ["item", "uscc", "project_id"]]
    return lines.assign(
        district=districts.iloc[group[due]].to_numpy(),
        status=np.where(open_[due], "pending", "payable"),
        **{name: values[due] for name, values in money.items()},
    )


def _of_enterprises(simulation: Simulation, enterprises: pd.DataFrame) -> list[pd.DataFrame]:
    event = simulation.calculate("high_tech_event", "2023")
    words = np.array(["", "A4.03", "A4.04", "A4.05"], dtype=object)
    return [
        _own_lines(simulation, enterprises, words[np.asarray(event)], "high_tech_award", "high_tech"),
        _own_lines(simulation, enterprises, "A4.06", "rnd_growth_gross", "rnd_growth"),
    ]


def _own_lines(
    simulation: Simulation, enterprises: pd.DataFrame, item: Any, before: str, rule: str
) -> pd.DataFrame:
    names = {"gross": before, "award": f"{rule}_award", "district_share": f"{rule}_district_share"}
    money = {name: simulation.calculate(variable, "2023").astype(float) for name, variable in names.items()}
    lines = enterprises[["uscc", "district"]].assign(item=item, status="payable", **money)
    return lines[money["award"] > 0].assign(
        project_id=None, award_low=lambda held: held["award"], award_high=lambda held: held["award"]
    )


def keep(result: tuple[pd.DataFrame, pd.DataFrame], out: Path) -> None:
    """Write what `compute` returned."""
    for name, frame in zip(("lines", "totals"), result, strict=True):
        frame.to_parquet(out / f"{name}.parquet", index=False)


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet."""
    keep(compute(prepare(raw)), out)
