"""A page for every item: complete, in Chinese throughout, and right in what an officer would act on."""

import re
from pathlib import Path

import pytest

from flows.cli import main
from rules.cases import load_cases
from rules.catalogue import Catalogue
from rules.compile import lifted
from rules.inspect import BASES, CLASSES
from rules.model import Item, Shares
from rules.pages.told import told
from rules.pages.words import TERMS, amount_of, figures, said
from rules.pages.write import pages, write_pages
from rules.scenario import Scenario, apply_scenario
from schemas.outputs import STATUSES
from schemas.registries import REGISTRIES

WORD = re.compile(r"[A-Za-z]*[a-z]{2,}[A-Za-z]*|[A-Za-z]*_[A-Za-z_]*")
IN_USE = {"br", "Lake", "ai", "gb"}
"""A line break in a cell; the name of a fund; made-up ids in worked cases."""


@pytest.fixture(scope="module")
def written(law: Catalogue) -> dict[str, str]:
    return pages(law, load_cases())


def sections(text: str) -> dict[str, str]:
    """Heading → what stands below it; the head of the page under an empty heading."""
    found = {"": ""}
    heading = ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
            found[heading] = ""
        else:
            found[heading] += line + "\n"
    return found


def section(text: str, title: str) -> str:
    """The section whose heading begins so; fails where there is none."""
    return next(body for heading, body in sections(text).items() if heading and heading.startswith(title))


def cells(text: str, first: str) -> list[str]:
    """The cells of the first row of any table that begins with `first`."""
    for line in text.splitlines():
        row = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and row[0] == first:
            return row
    raise AssertionError(f"没有以「{first}」开头的行")


def test_every_item_has_a_page_and_stands_in_the_index(law: Catalogue, written: dict[str, str]) -> None:
    assert set(written) == {"README.md", *(f"{item.policy}/{item.id}.md" for item in law.items.values())}
    index = written["README.md"]
    assert re.findall(r"^\| \[(\S+)\]", index, re.MULTILINE) == list(law.items)
    for item in law.items.values():
        row = cells(index, f"[{item.id}]({item.policy}/{item.id}.md)")
        registry = REGISTRIES[item.registry].title if item.registry else "—"
        assert row[1:] == [item.title, row[2], BASES[item.basis], registry]
        assert row[2].startswith(CLASSES.get(item.class_ or "", "—"))
    assert "### 第4条　壮大高成长科技企业\n\n牵头部门：市科技局、市工信局" in index
    assert "默认不执行" in index and law.version in index


def test_every_page_says_what_the_catalogue_holds(law: Catalogue, written: dict[str, str]) -> None:
    for item in law.items.values():
        text = written[f"{item.policy}/{item.id}.md"]
        head = sections(text)[""]
        assert head.startswith(f"# {item.id}　{item.title}\n") and law.departments[item.id] in head
        assert law.policies[item.policy].title in head and f"第{item.article}条" in head
        for name, clause in item.eligible.items():
            assert cells(section(text, "条件"), name)[1] == said(clause.when, item, law)
        for cap in item.caps:
            assert f"| {amount_of(lifted(item, cap), item, law)} |" in section(text, "封顶")
        for name, term in item.terms.items():
            for _, figure in figures(name, term, item, law):
                assert f"| {figure} |" in section(text, "数字一览")
        for level, names in item.named.items():
            assert not names or f"{'、'.join(names)} |" in section(text, "认可的资质名称")
            assert not level or f"| {level} |" in section(text, "认可的资质名称")


def test_every_case_is_told(law: Catalogue, written: dict[str, str]) -> None:
    for case in load_cases():
        row = told(case, law.items[case.item])
        assert all(row) and case.case in row[0]
        assert f"| {' | '.join(row)} |" in section(written[f"{case.item[0]}/{case.item}.md"], "算例")


def test_the_same_catalogue_makes_the_same_bytes(
    law: Catalogue, written: dict[str, str], tmp_path: Path
) -> None:
    assert write_pages(law, tmp_path) == len(written) == len(law.items) + 1
    for name, text in written.items():
        assert (tmp_path / name).read_bytes() == text.encode("utf-8")


def test_no_english_word_reaches_a_page(law: Catalogue, written: dict[str, str]) -> None:
    keys = {column for registry in REGISTRIES.values() for column in registry.columns} | set(law.readings)
    keys |= {name for item in law.items.values() for name in item.terms} | {*REGISTRIES, *BASES, *STATUSES}
    for name, text in written.items():
        shown = re.sub(r"\]\([^)]*\)", "]", text).replace(law.version, "")
        found = set(WORD.findall(shown))
        assert not found & keys and found <= IN_USE, f"{name}：{found - IN_USE}"


def test_every_term_has_a_chinese_name(law: Catalogue) -> None:
    used = {name for item in law.items.values() for name in item.terms}
    assert used <= set(TERMS), f"请在 rules/words.py 给这些数字起中文名和单位：{used - set(TERMS)}"


def test_tables_and_links_are_whole(written: dict[str, str]) -> None:
    for name, text in written.items():
        width = 0
        for line in text.splitlines():
            columns = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert not (width and columns) or columns == width, f"{name}：{line}"
            width = columns
        for target in re.findall(r"\]\(([^)]*)\)", text):
            assert (Path("/") / name).parent.joinpath(target).resolve().relative_to("/").as_posix() in written
        assert text.endswith("\n") and "\n\n\n" not in text and "None" not in text


def test_growth_of_research_expenses(written: dict[str, str]) -> None:
    text = written["A/A4.06.md"]
    assert "一般类（文本写明），默认市级承担 50%、区镇承担 50%" in sections(text)[""]
    formula = "奖励金额 ＝ 研发费用增长额 × 6%，其中 研发费用增长额 ＝ 研发费用 − 上年度研发费用。"
    assert formula in section(text, "奖多少")
    row = cells(section(text, "条件"), "研发费用年度增长达到门槛")
    assert row == ["研发费用年度增长达到门槛", "研发费用增长额 ≥ 20万元", "不予兑现（缺少数据）"]
    assert "享受加计扣除为“是” 且 上年度享受加计扣除为“是”" in text
    assert cells(section(text, "封顶"), "300万元")[1] == "每家企业（单位）每年合计"
    assert "每年可享受" in text and "[B6.04 企业研发投入年度支持](../B/B6.04.md)" in text
    assert "就高不重复" in section(text, "口径")
    assert cells(section(text, "怎样填报"), "享受加计扣除")[1] == "应填，缺少的不予兑现"
    assert cells(section(text, "怎样填报"), "上年度研发费用")[1].startswith("不必填")
    assert cells(section(text, "算例"), "恰好达到门槛")[2] == "应兑付 1.2万元（市级 6000元，区镇 6000元）"


def test_sales_ladder(written: dict[str, str]) -> None:
    text = written["A/A3.05.md"]
    ladder = section(text, "数字一览")
    assert "| 台阶奖励 | 首次突破1亿元（申报基数超过 1亿元） | 50万元 |" in ladder
    assert "| 台阶奖励 | 首次突破10亿元（申报基数超过 10亿元） | 100万元 |" in ladder
    assert "部门核定" in section(text, "奖多少") and "只奖新跨过的最高一级" in section(text, "奖多少")
    assert "所报级别的奖励 ≤ 新达到台阶的奖励" in section(text, "条件")
    assert cells(section(text, "封顶"), "新达到台阶的奖励")[1] == "每笔"
    assert cells(section(text, "口径"), "一次跨过多个台阶时的奖励")[2] == "新跨过的各级相加"


def test_first_machines_with_uplift(written: dict[str, str]) -> None:
    text = written["A/A8.01.md"]
    assert "认定类（文本写明），默认市级承担 100%" in text
    assert "医药医疗器械为“是”的，奖励金额乘以 1.2；没有填写的不加成" in text
    assert "医药医疗器械为“是” 1200万元；医药医疗器械为“否” 1000万元" in section(text, "封顶")
    assert cells(section(text, "口径"), "医药医疗器械上浮20%时的上限")[2] == "只有奖励上浮"
    assert "首台（套）重大装备" in section(text, "认可的资质名称")
    assert "[C8.01 首台套装备及关键零部件](../C/C8.01.md)" in text and "只兑付一次" in text


def test_equipment_range(written: dict[str, str]) -> None:
    text = written["A/A11.02.md"]
    assert "奖励金额 ＝ 设备投资额 × 核定比例。" in text and "在 6%～15% 之间确定" in text
    assert "直接填" not in section(text, "奖多少")
    assert cells(section(text, "条件"), "工业企业")[2] == "请部门核实，不影响兑付"
    assert cells(section(text, "封顶"), "1000万元")[1] == "每个项目每年合计"
    assert cells(section(text, "怎样填报"), "工业企业")[1] == "填在企业名录"


def test_months_of_internship(written: dict[str, str]) -> None:
    text = written["A/A20.03.md"]
    assert "奖给人才本人" in text and "奖励金额 ＝ 月数 × 3000元。" in text
    row = cells(section(text, "封顶"), "3000元 × 12个月 ＝ 3.6万元")
    assert row[1] == "每人全周期合计" and "以前已领的月数按每月 3000元 计入" in row[2]
    assert "未写明期间" not in section(text, "口径")


def test_contribution_of_talents(written: dict[str, str]) -> None:
    text = written["A/A22.01.md"]
    assert "奖励金额 ＝ 申报基数 × 核定比例。" in text and "5%～20%" in text
    assert "也可直接填“核定金额”" in text
    assert cells(section(text, "封顶"), "40万元")[1] == "每人每年合计"
    assert cells(section(text, "怎样填报"), "申报基数")[2].startswith("个人年薪酬；")


def test_reference_pays_nothing_itself(law: Catalogue, written: dict[str, str]) -> None:
    text = written["A/A10.04.md"]
    assert f"本条不计算金额，按{law.items['A10.04'].refers_to}执行。" in text
    assert "转引其他文件" in text and "怎样填报" not in text and "承担" not in text


def test_draft_of_suzhou(written: dict[str, str]) -> None:
    text = written["B/B8.01.md"]
    assert "默认不执行" in text and "一般类（推定），默认苏州市级承担 100%" in text
    assert "奖励金额 ＝ 设备投资额 × 5%。" in text and "设备投资额 ≥ 5000万元" in text
    assert "封顶" not in sections(text) and "[A11.02 " in text


def test_policy_of_suzhou(written: dict[str, str]) -> None:
    text = written["C/C8.01.md"]
    assert "2023-05-23 至 2026-05-22" in text and "默认苏州市级承担 100%" in text
    assert "在 10%～30% 之间确定" in text and "乘以 1.2" in text
    assert "苏州市级承担 50%、昆山市级承担 25%、区镇承担 25%" in written["C/C4.02.md"]


@pytest.mark.parametrize(
    ("item", "title", "words"),
    [
        ("A12.05", "封顶", "药品注册证 100万元；二类医疗器械注册证 50万元；三类医疗器械注册证 100万元"),
        ("A12.06", "封顶", "仅当口径“创新药临床各期的上限”为“每期分别计算”（非现行）"),
        ("A12.03", "封顶", "| 申报基数 × 30% | 每笔 |"),
        ("A22.07", "封顶", "中较小的一个）"),
        ("A12.04", "条件", "关联方为“否”"),
        ("A4.03", "怎样填报", "| 事项 | 用资质名称填报的必填 | 新认定 |"),
        ("A4.10", "条件", "申报基数 > 上期数 × （1 + 50%）"),
        ("A5.06", "兑付几次", "[A5.07 跨国联合研发/技术转移](../A/A5.07.md) 兑付的，不再按本条兑付"),
        ("A5.07", "兑付几次", "不再按 [A5.06 昆山市重点研发计划](../A/A5.06.md) 兑付"),
        ("A2.05", "兑付几次", "联动条款"),
        ("A3.01", "兑付几次", "须为首次"),
        ("A9.11", "兑付几次", "级别由低到高为 苏州市、省、国家"),
        ("A9.09", "怎样填报", "| 数量 | 空白按 1 计 |"),
        ("A1.01", "须由部门判断", "1000万美元"),
        ("A1.01", "数字一览", "| 实际到账的门槛 | 1000万美元 |"),
        ("A14.01", "奖多少", "申报基数 × 1% × 月数 ÷ 12个月"),
        ("A15.01", "条件", "数量 > 500家"),
        ("B18.01", "兑付几次", "每年计划数 15项，超过的只提示"),
        ("A11.03", "奖多少", "奖励金额乘以 2；数据不全的列为待核定"),
    ],
)
def test_what_else_pages_say(written: dict[str, str], item: str, title: str, words: str) -> None:
    assert words in section(written[f"{item[0]}/{item}.md"], title)


def test_dated_figures_stand_by_period(law: Catalogue) -> None:
    periods = {"2022-01-01..2022-12-31": "10万", "2023-01-01..2024-12-31": "20万"}
    raw = law.items["A4.02"].model_dump(by_alias=True) | {"terms": {"award": {"dated": periods}}}
    item = Item.model_validate(raw)
    found = list(figures("award", item.terms["award"], item, law))
    assert found == [("2022-01-01 至 2022-12-31", "10万元"), ("2023-01-01 至 2024-12-31", "20万元")]
    assert amount_of("award", item, law) == "奖励金额（按时段）"


def test_readings_in_force_show(law: Catalogue) -> None:
    chosen = {"general_split": 0.6, "medical_uplift": "award", "unstated_cap_period": "year"}
    scenario = Scenario.model_validate({"name": "x", "title": "x", "readings": chosen})
    changed = apply_scenario(law, scenario)
    assert isinstance(changed.readings["general_split"], Shares)
    text = pages(changed, [])
    assert "默认市级承担 60%、区镇承担 40%" in text["A/A4.06.md"]
    assert cells(section(text["A/A8.01.md"], "封顶"), "1000万元")[1] == "每笔"
    assert cells(section(text["A/A2.03.md"], "封顶"), "2亿元")[1] == "每个项目每年合计"


def test_the_command_writes_them(capsys: pytest.CaptureFixture[str], tmp_path: Path, law: Catalogue) -> None:
    assert main(["rules", "pages", str(tmp_path / "说明")]) == 0
    assert f"{len(law.items)} 条" in capsys.readouterr().out
    assert (tmp_path / "说明" / "A" / "A4.06.md").is_file()
