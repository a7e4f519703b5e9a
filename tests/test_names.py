"""资质名称 as departments write them find item and level; an unknown one is told the closest."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from rules.catalogue import Catalogue
from rules.identify import identify
from schemas.registries import REGISTRIES

FOUND: list[tuple[str, str, str | None]] = [
    ("高新技术企业", "A4.03", None),
    ("专精特新小巨人", "A4.07", "省级以上专精特新“小巨人”企业"),
    ("专精特新“小巨人”", "A4.07", "省级以上专精特新“小巨人”企业"),
    ("国家级专精特新「小巨人」企业", "A4.07", "省级以上专精特新“小巨人”企业"),
    ("江苏省专精特新小巨人企业", "A4.07", "省级以上专精特新“小巨人”企业"),
    ("昆山市专精特新企业", "A4.08", "昆山市级专精特新企业"),
    ("瞪羚", "A4.02", None),
    ("苏州市瞪羚企业", "A4.02", None),
    ("国家企业技术中心", "A3.09", "国家级"),
    ("江苏省企业技术中心", "A3.09", "省级"),
    ("苏州市级企业技术中心", "A3.09", "苏州市级"),
    ("江苏省工程技术研究中心", "A2.15", "省工程技术研究中心"),
    ("苏州市工程技术研究中心", "A2.15", "苏州工程技术研究中心"),
    ("江苏省工程研究中心", "A2.11", "省工程研究中心"),
    ("国家博士后科研工作站", "A23.04", None),
    ("博士后工作站", "A23.04", None),
    ("绿色工厂", "A17.07", "绿色工厂"),
    ("国家级绿色工厂", "A17.07", "绿色工厂"),
    ("江苏省绿色工厂", "A17.08", None),
    ("智能车间", "A14.02", None),
    ("江苏省示范智能车间", "A14.02", "省级示范智能车间"),
    ("苏州市示范智能车间", "A14.02", "市级示范智能车间"),
    ("首台套", "A8.01", None),
    ("江苏省首台（套）重大装备", "A8.01", None),
    ("五星级上云企业", "A15.07", "五星级"),
    ("江苏省工业设计中心", "A17.02", "省级"),
    ("国家知识产权示范企业", "A9.02", "国家知识产权示范企业"),
    ("姑苏创新创业领军人才", "A18.02", "苏州市级以上双创人才计划"),
    ("智能制造能力成熟度三级", "A14.09", "3级"),
]


def certified(names: list[str]) -> pl.DataFrame:
    rows = [{"certification": name, "certified_on": date(2023, 5, 1), "event": "新认定"} for name in names]
    return pl.DataFrame(rows, schema=REGISTRIES["certifications"].dtypes())


@pytest.mark.parametrize(("name", "item", "level"), FOUND)
def test_a_name_finds_item_and_level(law: Catalogue, name: str, item: str, level: str | None) -> None:
    frame, faults = identify("certifications", certified([name]), law)
    assert frame.select("item", "level").row(0) == (item, level)
    wrong_registry = law.items[item].registry != "certifications"
    assert faults["check"].to_list() == (["wrong_registry"] if wrong_registry else [])


@pytest.mark.parametrize("name", ["企业技术中心", "工程技术研究中心"])
def test_a_name_without_its_rank_asks_for_the_level(law: Catalogue, name: str) -> None:
    _, faults = identify("certifications", certified([name]), law)
    assert faults["check"].to_list() == ["level_needed"]
    assert "请填写：" in faults["reason"].item()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("国家级企业技木中心", "企业技术中心"),
        ("省级绿色工场", "绿色工厂"),
        ("苏州市级智能工厂厂", "苏州市级智能工厂"),
    ],
)
def test_an_unknown_name_is_told_the_three_closest(law: Catalogue, name: str, near: str) -> None:
    _, faults = identify("certifications", certified([name]), law)
    assert faults["check"].to_list() == ["unknown_certification"]
    said = faults["reason"].item()
    assert near in said and said.count("、") == 2


@pytest.mark.parametrize(
    "name", ["昆山市企业技术中心", "江苏省瞪羚企业", "省级专精特新中小企业", "江苏省示范基地"]
)
def test_a_lower_or_other_status_finds_nothing(law: Catalogue, name: str) -> None:
    _, faults = identify("certifications", certified([name]), law)
    assert faults["check"].to_list() == ["unknown_certification"]


def test_every_name_of_the_catalogue_is_found(law: Catalogue) -> None:
    for item in law.items.values():
        if item.registry != "certifications" or not law.policies[item.policy].enabled:
            continue
        for level, names in item.named.items():
            rows = certified(list(names)).with_columns(event=pl.lit(item.event, pl.String))
            frame, _ = identify("certifications", rows, law)
            assert frame["item"].to_list() == [item.id] * len(names), item.id
            assert frame["level"].to_list() == [level] * len(names), item.id


def test_the_index_is_the_catalogue(law: Catalogue) -> None:
    """Where the published index is at hand, item ids, titles, registries, levels and classes agree with it."""
    index = Path(__file__).parents[2] / "shared" / "policies" / "index.csv"
    if not index.is_file():
        assert len(law.items) == 283
        return
    fixed = pl.read_csv(index, infer_schema=False).fill_null("")
    held = [
        (
            item.id,
            item.title,
            law.departments[item.id],
            item.registry or "",
            "|".join(item.levels),
            item.class_ or "",
            item.class_basis or "",
        )
        for item in law.items.values()
    ]
    columns = ["id", "title", "lead_department", "registry", "levels", "class", "class_basis"]
    assert fixed.select(columns).rows() == held
