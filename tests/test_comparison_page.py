"""The page of a comparison: well-formed, alone, escaped, its figures and charts those of the frames."""

import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from reports.page import document, write_page
from reports.page_tables import shade
from reports.svg import LESS, MORE, both_ways, escaped
from reports.versions import HIDDEN, money, steps_of, versions
from schemas.districts import DISTRICTS
from schemas.outputs import PAYERS
from tests.comparing_frames import about, level, public_frames, scenario_frames, several_frames

Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return scenario_frames()


@pytest.fixture(scope="module")
def several() -> Frames:
    return several_frames()


@pytest.fixture(scope="module")
def page(frames: Frames) -> ET.Element:
    return parsed(document(about("rnd_8"), frames))


def parsed(page: str) -> ET.Element:
    """The page as XML: it must be well-formed."""
    first, _, rest = page.partition("\n")
    assert first == "<!DOCTYPE html>"
    return ET.fromstring(rest)


def section(page: ET.Element, heading: str) -> list[ET.Element]:
    """What follows a heading, up to the next."""
    for parent in page.iter("section"):
        children = list(parent)
        for place, child in enumerate(children):
            if child.tag in ("h2", "h3") and child.text == heading:
                after = children[place + 1 :]
                ends = (n for n, c in enumerate(after) if c.tag in ("h2", "h3"))
                return after[: next(ends, len(after))]
    raise AssertionError(heading)


def rows_of(table: ET.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")][1:]


def table_of(page: ET.Element, heading: str) -> list[list[str]]:
    return rows_of(next(part for part in section(page, heading) if part.tag == "table"))


def test_bars_to_one_side_are_told_together() -> None:
    rows = [("a", 2.0, "+2", 1.0, "+1"), ("b", -3.0, "-3", 0.0, "0")]
    drawn = ET.fromstring(both_ways("n", "t", "d", rows, [("低", LESS), ("高", MORE)]))
    boxes = [box.attrib for box in drawn.iter("rect")][2:]
    assert [box["fill"] for box in boxes] == [LESS, MORE, LESS]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert float(boxes[0]["width"]) == pytest.approx(2 * float(boxes[1]["width"]), abs=0.2)
    assert float(boxes[2]["x"]) + float(boxes[2]["width"]) == pytest.approx(float(boxes[0]["x"]))
    assert [text.text for text in drawn.iter("text")][2:] == ["a", "+2 / +1", "b", "-3", "0"]


def test_page_stands_alone(frames: Frames, tmp_path: Path) -> None:
    write_page(tmp_path / "compare.html", about("rnd_8"), frames)
    text = (tmp_path / "compare.html").read_text("utf-8")
    for outside in ("http", "src=", "@import", "url(", "<script", "<link", "href"):
        assert outside not in text
    assert "@page { size: A4" in text and 'lang="zh-CN"' in text

    class Balanced(HTMLParser):
        open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.open.append(tag)

        def handle_startendtag(self, tag: str, attrs: Any) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balanced()
    parser.feed(text)
    parser.close()
    assert not parser.open


def test_page_escapes_every_text(frames: Frames) -> None:
    sly = "<script>&\"'"
    told = about("rnd_8", notes=[sly], readings=[{"title": sly, "value": sly}])
    told["baseline"]["title"] = told["catalogue"]["version"] = sly
    told["scenarios"][0] |= dict.fromkeys(("title", "author", "date", "reason", "reference"), sly)
    told["scenarios"][0]["changes"] = [sly]
    titled = {
        key: frame.with_columns(title=pl.lit(sly))
        for key, frame in frames.items()
        if "title" in frame.columns
    }
    text = document(told, frames | titled)
    assert "<script" not in text and text.count("&lt;script&gt;&amp;&quot;&#x27;") > 40
    assert not list(parsed(text).iter("script"))


def test_every_chart_is_accessible_and_beside_a_table(page: ET.Element) -> None:
    charts, ids = list(page.iter("svg")), [e.attrib["id"] for e in page.iter() if "id" in e.attrib]
    assert len(charts) == 6 and len(ids) == len(set(ids))
    for chart in charts:
        assert [child.tag for child in chart][:2] == ["title", "desc"]
        labels = chart.attrib["aria-labelledby"].split()
        assert labels == [chart[0].attrib["id"], chart[1].attrib["id"]] and chart[0].text and chart[1].text
    for heading in ("各区镇应兑付及由谁负担", "从现行政策到方案", "各户增减的分布", "前十户集中度", "敏感性"):
        assert [part.tag for part in section(page, heading)][:2] == ["figure", "table"]


def test_district_table_and_bars_equal_the_totals(page: ET.Element, frames: Frames) -> None:
    rows = {row[0]: row for row in table_of(page, "各区镇应兑付及由谁负担")}
    assert list(rows) == list(DISTRICTS)
    paying = [p for p in PAYERS if p != "prefecture"]
    sizes: list[Decimal] = []
    for row in level(frames, "district"):
        amounts = [money(row[c]) for c in ("before", "after")]
        assert rows[row["title"]][1:5] == [
            *(*amounts, money(row["change"], True)),
            f"{row['percent']:+.2f}%",
        ]
        parts = [row[f"{p}_{side}"] for side in ("before", "after") for p in paying]
        assert rows[row["title"]][7:] == [money(part) for part in parts]
        sizes += parts
    (figure,) = [part for part in section(page, "各区镇应兑付及由谁负担") if part.tag == "figure"]
    drawn = [float(r.attrib["width"]) for r in figure.iter("rect")][len(paying) :]
    scale = drawn[0] / float(sizes[0])
    assert drawn == pytest.approx([float(size) * scale for size in sizes], abs=0.2)


def test_steps_and_items(page: ET.Element, frames: Frames) -> None:
    rows = table_of(page, "从现行政策到方案")
    steps = frames["bridge"].filter(pl.col("district").is_null() & pl.col("item").is_null()).to_dicts()
    assert [row[3] for row in rows[:-1]] == [money(step["change"], True) for step in steps]
    (whole,) = level(frames, "all")
    assert rows[-1][:4] == [
        "合计",
        *(money(whole[c]) for c in ("before", "after")),
        money(whole["change"], True),
    ]
    items = {row["key"]: row for row in level(frames, "item")}
    shown = table_of(page, "变化的条款")
    assert shown[0][0] == "A4.06" and [row[4] for row in shown] == [
        money(items[row[0]]["change"], True) for row in shown
    ]


def test_without_a_bridge_articles_are_the_steps(frames: Frames) -> None:
    (version,) = versions(about("rnd_8"), {"totals": frames["totals"]})
    steps = steps_of(version)
    assert steps is not None and steps.by == "按政策条文"
    assert [row["title"] for row in steps.rows] == ["A 第4条", "A 第11条"]
    assert steps.rows[-1]["after"] == steps.end and steps.rows[0]["before"] == steps.start


def test_heat_table_adds_up(page: ET.Element, frames: Frames) -> None:
    rows = table_of(page, "各区镇、各条文的增减")
    cells = frames["details"].with_columns(article=pl.col("item").str.extract(r"^(\w\d+)"))
    found = cells.group_by("district", "article").agg(pl.col("change").sum())
    for district, article, change in found.iter_rows():
        row = next(r for r in rows if r[0] == f"{article[0]} 第{article[1:]}条")
        assert row[1 + DISTRICTS.index(district)] == (money(change, True) if change else "0")
    (whole,) = level(frames, "all")
    assert rows[-1][-1] == money(whole["change"], True)
    assert shade(Decimal(0), Decimal(9)) == "#fff" and shade(Decimal(9), Decimal(9)) == "#7da5d2"
    assert shade(Decimal(-9), Decimal(9)) == "#ebaa6e"


def test_distribution_and_concentration(page: ET.Element, frames: Frames) -> None:
    rows = table_of(page, "各户增减的分布")
    assert [row[1] for row in rows] == [f"{n:,}" for n in frames["changes"]["households"]]
    top = table_of(page, "前十户集中度")
    first = frames["concentration"].to_dicts()[0]
    assert top[0][5] == f"{first['share_before']:.1%}" and top[0][9] == f"{first['share_after']:.1%}"


def test_several_scenarios_on_a_page(several: Frames) -> None:
    page = parsed(document(about("rnd_8", "rnd_4", "mild", "none"), several))
    scenarios = [s for s in page.iter("section") if s.attrib.get("class") == "scenario"]
    assert [str(s[0].text)[:3] for s in scenarios] == ["方案一", "方案二", "方案三", "方案四"]
    ids = [e.attrib["id"] for e in page.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids)) == 4 * 6 * 2
    (glance,) = [t for t in page.iter("table") if t[0].text == "各方案一览"]
    for number, name in enumerate(("rnd_8", "rnd_4", "mild", "none"), 1):
        (whole,) = level(several, "all", f"{name}/totals")
        assert rows_of(glance)[number][1:3] == [money(whole["after"]), money(whole["change"], True)]


def test_small_cells_are_hidden_and_said_so() -> None:
    found, told = public_frames(), about("rnd_8", suppressed=True)
    gone = [row["key"] for row in level(found, "item") if row["before"] is None]
    assert gone
    text = document(told, found)
    page = parsed(text)
    assert "不足三户的数据和可借以倒算的数据不公开" in text and "公开口径不列区镇与条文" in text
    for row in table_of(page, "变化的条款"):
        assert (row[2:] == [HIDDEN] * 6) == (row[0] in gone)
    costs = {row[0]: row[5:] for row in table_of(page, "临界企业：放宽门槛要多少钱")}
    assert costs["A11.02"] == [HIDDEN] * 4 and costs["A4.06"][:2] == ["7", "123.46"]
    assert "34.00" not in text and "None" not in text
    assert "不足三户" not in document(about("rnd_8"), scenario_frames(60))


def test_no_enterprise_is_named_on_the_page(frames: Frames) -> None:
    text = document(about("rnd_8"), frames)
    names = [*frames["households"]["name"], *frames["misses"]["name"]]
    assert not any(escaped(name) in text for name in names)
    assert not re.search(r"91320583MA", text)


@pytest.mark.parametrize("given", ["nothing", "empty"])
def test_little_to_show(given: str, frames: Frames) -> None:
    held = {} if given == "nothing" else {name: frame.clear() for name, frame in frames.items()}
    told = about("rnd_8", forecast=None, readings=[], notes=[])
    page = document(told, held)
    assert page.count("<p>无。</p>") == 8 and "<svg" not in page
    parsed(page)
