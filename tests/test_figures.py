"""A policy text against the catalogue: what is found, covered, explained, missing, and absent from the text."""

import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from flows.cli import main
from rules.catalogue import HERE, Catalogue, load_catalogue
from rules.expressions import RuleError
from rules.figures import (
    ABSENT,
    COVERED,
    EXPLAINED,
    KINDS,
    UNCOVERED,
    Explained,
    articles,
    checked,
    compare,
    count,
    figures,
    guess,
    load_explained,
    read_text,
)
from rules.model import Item
from schemas.errors import Unusable

TEXTS = Path(__file__).parents[2] / "shared" / "policies"
NAMES = {"A": "A_kunshan_2022.txt", "B": "B_suzhou_2025_draft.txt", "C": "C_suzhou_2023.txt"}

MADE_UP = """关于种植苹果的若干政策
2030年发布
一、总则
1．种苹果。面积超 ５００ 亩的果园，按投入的6%～15%给予奖励，最高 80 万元，甲级、乙级分别50万元、20万元。（牵头部门：果树局）
[bookmark: _x1]2. 存苹果。租用冷库不超过3年的，每月3000元，属自建的上浮20%；外商到账300万美元及以上，给予
7.5万元。建设期内目标库容5万吨，第三类仓库和5G仓库除外。
本政策自2030年3月1日起施行。
"""
TERMS = {
    "A1.01": {"floor": 500, "rate": {"range": ["6%", "15%"]}, "cap": "80万"},
    "A1.02": {"award": "50万", "cap": "20万", "on": 1},
    "A2.01": {"monthly": 3000, "longest": 36, "factor": "1.2", "paid_in_usd": "300万", "cap": "7.5万"},
}
NOTES = {
    0: [
        Explained(figure="2030年", why="发布年份"),
        Explained(figure="2030年3月1日", why="施行日期"),
    ],
    2: [Explained(figure="50000吨", why="建设目标")],
}


@pytest.fixture
def orchard(law: Catalogue) -> Catalogue:
    """A law of two articles on apples."""
    common = {"title": "苹果", "registry": "claims", "class": "general", "basis": "ceiling"}
    items = {key: Item.model_validate({"id": key, **common, "terms": terms}) for key, terms in TERMS.items()}
    return replace(law, items=items, policies={"A": law.policies["A"]})


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "政策.txt"
    path.write_bytes(text.encode(encoding))
    return path


def lines(law: Catalogue, path: Path, notes: dict[int, list[Explained]]) -> dict[str, list[str]]:
    """The words of each kind, as `article words`."""
    compared = compare(law, "A", read_text(path), notes)
    return {k: [f"{n} {w}" for n, ls in compared.items() for kind, w in ls if kind == k] for k in KINDS}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_text_that_agrees(orchard: Catalogue, tmp_path: Path, encoding: str) -> None:
    found = lines(orchard, written(tmp_path, MADE_UP, encoding), NOTES)
    assert found[COVERED] == [
        *("1 500亩（A1.01）", "1 6%（A1.01）", "1 15%（A1.01）", "1 80万元（A1.01）"),
        *("1 50万元（A1.02）", "1 20万元（A1.02）", "2 3年（A2.01）", "2 3000元（A2.01）"),
        *("2 20%（A2.01）", "2 300万美元（A2.01）", "2 7.5万元（A2.01）"),
    ]
    assert found[EXPLAINED] == ["2 5万吨：建设目标", "0 2030年：发布年份", "0 2030年3月1日：施行日期"]
    assert not found[UNCOVERED] and not found[ABSENT]


@pytest.mark.parametrize(
    ("old", "new", "uncovered", "absent"),
    [
        ("80 万元", "90 万元", ["1 90万元：…励，最高90万元，甲…"], ["1 A1.01 的上限 80万"]),
        ("～15%", "～18%", ["1 18%"], ["1 A1.01 的比例 15%"]),
        ("不超过3年", "不超过两年", ["2 两年"], ["2 A2.01 的最长月数 36"]),
        ("上浮20%", "上浮30%", ["2 30%"], ["2 A2.01 的factor 1.2"]),
        ("万美元", "万元", ["2 300万元"], ["2 A2.01 的实际到账的门槛 300万"]),
        ("5万吨", "6万吨", ["2 6万吨"], []),
        ("3月1日", "5月1日", ["0 2030年5月1日"], []),
        ("分别50万元、", "", [], ["1 A1.02 的奖励金额 50万"]),
        ("第三类", "三个", ["2 三个"], []),
        ("2. 存苹果", "3. 存苹果", ["3 3年", "3 3000元", "3 20%"], ["2 A2.01 的每月金额 3,000.00"]),
    ],
)
def test_what_a_new_edition_changes(
    orchard: Catalogue, tmp_path: Path, old: str, new: str, uncovered: list[str], absent: list[str]
) -> None:
    assert old in MADE_UP
    path = written(tmp_path, MADE_UP.replace(old, new))
    found = lines(orchard, path, NOTES)
    assert [said[: len(u)] for said, u in zip(found[UNCOVERED], uncovered, strict=False)] == uncovered
    assert found[ABSENT][: len(absent)] == absent
    assert bool(found[UNCOVERED]) == bool(uncovered) and bool(found[ABSENT]) == bool(absent)
    assert all(len(said.split("…")[1]) <= 16 for said in found[UNCOVERED])


def test_a_figure_more_often_than_its_terms_is_said(orchard: Catalogue, tmp_path: Path) -> None:
    found = lines(orchard, written(tmp_path, MADE_UP.replace("建设期内", "另补7.5万元，建设期内")), NOTES)
    assert found[COVERED][-2:] == ["2 7.5万元（A2.01；文中2次、目录1处）"] * 2 and not found[UNCOVERED]


def test_a_term_the_text_states_in_words(orchard: Catalogue, tmp_path: Path) -> None:
    path = written(tmp_path, MADE_UP.replace("不超过3年", "长期"))
    assert lines(orchard, path, NOTES)[ABSENT] == ["2 A2.01 的最长月数 36"]
    notes = {**NOTES, 2: [*NOTES[2], Explained(figure="36个月", why="文中只写长期")]}
    assert lines(orchard, path, notes)[ABSENT] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5%~20%，10—30%，2至5年", ["5%", "20%", "10%", "30%", "2年", "5年"]),
        ("5、10万元，50万~1亿元", ["5万元", "10万元", "50万元", "1亿元"]),
        ("1,500家、1:2、5 : 5、\n2 倍", ["1,500家", "1:2", "5:5", "2倍"]),
        ("三百五十万元，百分之六，连续三年，十二个月", ["三百五十万元", "百分之六", "三年", "十二个月"]),
        ("（含）20 万元（含）以上，500元/人", ["20万元", "500元"]),
        ("第三类、第2项、〔2021〕14号、5G、上一年度、一个、一批、二类", []),
        ("世界500强，2022年，9月30日前", ["500强", "2022年", "9月30日"]),
    ],
)
def test_figures_are_found(text: str, found: list[str]) -> None:
    assert [figure.text for figure in figures(text)] == found


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("三百五十万元", {3_500_000}),
        ("3千万元", {30_000_000}),
        ("1:2", {2, Decimal("0.5")}),
        ("3年", {3, 36}),
        ("36个月", {3, 36}),
        ("百分之六", {Decimal("0.06"), Decimal("1.06")}),
        ("0:30", {0}),
        ("2倍", {2, 3}),
        ("1000万美元", {"10000000美元"}),
        ("2022年", {"2022年"}),
    ],
)
def test_what_a_figure_may_be(text: str, may_be: set[object]) -> None:
    (figure,) = figures(text)
    assert figure.may_be == may_be


def test_articles_in_chinese_numerals_with_lists_inside() -> None:
    text = "前言\n一、甲\n1.子一5家\n2.子二\n二、乙\n1.子一\n第三条 丙\n十一、丁\n本办法施行3年\n"
    parts = articles(text)
    assert list(parts) == [1, 2, 3, 11, 0]
    assert "5家" in parts[1] and "丁" in parts[11] and "3年" in parts[0] and "前言" in parts[0]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04", "纯文本"),
        (b"1.\x00", "纯文本"),
        (b"\x81\xff\xff", "编码"),
        ("没有条款".encode(), "没有找到条款"),
        ("1. 补助999元".encode(), "--policy"),
        (None, "不能读取"),
    ],
)
def test_an_unusable_file_is_one_message(
    orchard: Catalogue, tmp_path: Path, content: bytes | None, word: str
) -> None:
    path = tmp_path / "坏.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unusable, match=word):
        checked(orchard, path)


def test_an_unknown_policy(orchard: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="可选：A"):
        checked(orchard, written(tmp_path, MADE_UP), "Z")


@pytest.mark.parametrize("figure", ["很多", "6%至15%"])
def test_an_explanation_names_one_figure(tmp_path: Path, figure: str) -> None:
    path = tmp_path / "figures.yaml"
    path.write_text(f"A:\n  1:\n  - {{figure: {figure}, why: 试}}\n", encoding="utf-8")
    with pytest.raises(RuleError, match="应是一个带单位的数字"):
        load_explained(path)


def test_explanations_are_no_law(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "rules", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    before = load_catalogue(root=tmp_path / "rules").version
    (tmp_path / "rules" / "figures.yaml").write_text("A: {}\n", encoding="utf-8")
    assert load_catalogue(root=tmp_path / "rules").version == before


@pytest.mark.parametrize("key", NAMES)
def test_the_policies_agree_with_the_catalogue(
    key: str, law: Catalogue, orchard: Catalogue, tmp_path: Path
) -> None:
    """The published texts where they are at hand, else the made-up one: each explanation is needed."""
    path, notes = TEXTS / NAMES[key], load_explained().get(key, {})
    if not path.is_file():
        key, law, path, notes = "A", orchard, written(tmp_path, MADE_UP), NOTES
    text = read_text(path)
    assert guess(law, text) == key
    compared = compare(law, key, text, notes)
    assert [line for lines in compared.values() for line in lines if line[0] in (UNCOVERED, ABSENT)] == []
    for article, those in notes.items():
        for note in those:
            fewer = {**notes, article: [other for other in those if other != note]}
            assert sum(count(compare(law, key, text, fewer))[2:]) > 0, f"{key} {article} {note} 没有用到"


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path, law: Catalogue) -> None:
    path = written(tmp_path, "4. 按增长额的6%奖励，不超过300万元，另给77万元。")
    assert main(["rules", "figures", str(path), "--policy", "a"]) == 1
    out = capsys.readouterr().out
    assert "对照政策 A" in out and "6%（A4.06）" in out and "未收录 77万元：…" in out
    assert "目录有而文中无 A4.03 的奖励金额 25万" in out and "合计" in out
    assert main(["rules", "figures", str(tmp_path / "无.txt")]) == 2
    assert "不能读取" in capsys.readouterr().err


def test_the_report_of_a_text_that_agrees(orchard: Catalogue, tmp_path: Path) -> None:
    clean = MADE_UP.replace("2030年发布\n", "").replace("建设期内目标库容5万吨，", "").split("本政策")[0]
    report, agrees = checked(orchard, written(tmp_path, clean))
    assert agrees and "按数字推断" in report[0]
    assert report[-1].split() == ["合计", "11", "0", "0", "0"]
