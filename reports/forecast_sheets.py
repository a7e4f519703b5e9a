"""Sheets of amounts: by year, by district, by article, by item."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.fans import Fans, place
from reports.sheets import Book, Column, Kind, Sheet, wan
from schemas.districts import DISTRICTS
from schemas.outputs import BASES, OUTLOOKS, PAYERS, QUANTILES

_KEYS = ("award_year", "basis", "district", "policy", "article", "item")
_LEVELS = {"total": (), "district": ("district",), "article": ("policy", "article"), "item": ("item",)}
_LOOSE = {"item": {"policy", "article"}}  # an item's row may name the article it belongs to
_MEASURES = ("lines", "mean", *QUANTILES, "statutory_low", "statutory_high")
_NOTHING: dict[str, float | None] = dict.fromkeys(_MEASURES, 0.0)
_ABOUT = {"current": "政策到期即止，此后只付已定事项", "renewed": "基准年有效的政策到期后照原样延续"}

Key = Hashable
Row = dict[str, float | None]


class Figures:
    """A forecast's rows by level; at each level every other key of a row is null."""

    def __init__(self, forecast: pl.DataFrame) -> None:
        self.titles: dict[str, str] = dict(forecast.select("item", "title").drop_nulls().unique().rows())
        self.years: list[int] = sorted(forecast["pay_year"].drop_nulls().unique())
        self._rows: dict[tuple[Any, ...], Row] = {}
        for level, keys in _LEVELS.items():
            fixed = [key for key in _KEYS if key not in _LOOSE.get(level, ())]
            at = forecast.filter(
                pl.col(key).is_not_null() if key in keys else pl.col(key).is_null() for key in fixed
            )
            for row in at.iter_rows(named=True):
                key = tuple(row[name] for name in keys)
                where = (level, row["outlook"], row["pay_year"], row["payer"], key)
                self._rows[where] = {name: row[name] for name in _MEASURES}
        suzhou = [
            self.row("total", outlook, year, "prefecture") for outlook in OUTLOOKS for year in self.years
        ]
        self.has_prefecture = any(row["mean"] or row["P95"] or row["statutory_high"] for row in suzhou)
        self.payers = [payer for payer in PAYERS if payer != "prefecture" or self.has_prefecture]
        self.changed = [year for year in self.years if self._differs(year)]
        self.bases = _bases(forecast)

    def row(self, level: str, outlook: str, year: int, payer: str | None, *key: Key) -> Row:
        """The figures of a cell; zeros where the forecast has no such row."""
        return self._rows.get((level, outlook, year, payer, key), _NOTHING)

    def keys(self, level: str, outlook: str, year: int) -> list[tuple[Any, ...]]:
        """What owes anything, or may, at a level in a year."""
        held = {
            where[4]
            for where, row in self._rows.items()
            if where[:3] == (level, outlook, year)
            and (row["mean"] or row["P95"] or row["statutory_high"] != 0)
        }
        return sorted(held, key=lambda key: [natural(str(part)) for part in key])

    def all_payers(self) -> str:
        """The payers in words."""
        return "、".join(PAYERS[payer] for payer in self.payers)

    def _differs(self, year: int) -> bool:
        now, then = (self.row("total", outlook, year, None) for outlook in OUTLOOKS)
        return any(abs((now[name] or 0) - (then[name] or 0)) > 0.005 for name in ("mean", "P10", "P90"))


def natural(text: str) -> list[tuple[str, int]]:
    """A key that sorts A3.01 before A12.01."""
    return [(letters, int(digits or 0)) for letters, digits in re.findall(r"(\D*)(\d*)", text)]


def _bases(forecast: pl.DataFrame) -> dict[tuple[str, int, str], str]:
    """How an item's figure of a year came about, the largest part first."""
    parts = (
        forecast.filter(pl.col("basis").is_not_null(), pl.col("item").is_not_null())
        .group_by("outlook", "pay_year", "item", "basis")
        .agg(pl.col("mean").sum())
        .filter(pl.col("mean") > 0)
        .sort("mean", "basis", descending=[True, False])
    )
    words = defaultdict(list)
    for outlook, year, item, basis, _ in parts.iter_rows():
        words[outlook, year, item].append(BASES.get(basis, basis))
    return {where: "、".join(names) for where, names in words.items()}


def in_wan(yuan: float | None) -> Decimal | None:
    """Yuan, an estimate, as 万元 to two places."""
    return None if yuan is None else wan(Decimal(str(round(yuan, 2))))


def shown(row: Row, *names: str) -> list[Decimal | None]:
    """Figures of a row in 万元."""
    return [in_wan(row[name]) for name in names]


def blocks(sheet: Sheet, figures: Figures, block: Callable[[str, int], None], a_page: int = 0) -> None:
    """Both outlooks, a block a year, `a_page` of them; what a renewal leaves as it is does not appear twice."""
    written = 0
    for outlook, name in OUTLOOKS.items():
        years = figures.years if outlook == "current" else figures.changed
        for year in years:
            if a_page and written and written % a_page == 0:
                sheet.page_break()
            written += 1
            sheet.line(f"{year}年支付（{name}）", bold=True)
            block(outlook, year)
    same = [str(year) for year in figures.years if year not in figures.changed]
    if same:
        sheet.line(f"{'、'.join(same)}年支付：政策续期与现行政策相同，不重列。")


def years_sheet(book: Book, figures: Figures) -> None:
    """分年度: a row a payer and year, both outlooks."""
    names = ("mean", "P10", "P50", "P90", "P5", "P95", "statutory_low", "statutory_high")
    titles = ("均值", "P10", "P50", "P90", "P5", "P95", "法定下限", "法定上限")
    columns = [Column("支付年度", 12, "index"), Column("承担方", 14)]
    sheet = Sheet(
        book, "分年度", columns + [Column(title, 19 if "空" in title else 15, "wan") for title in titles]
    )
    sheet.title("奖补资金分年度需求预测表")
    sheet.line("单位：万元", "right")
    sheet.header()
    for outlook, name in OUTLOOKS.items():
        sheet.line(f"{name}：{_ABOUT[outlook]}", bold=True)
        for year in figures.years:
            sheet.rows(
                [year, PAYERS[payer], *shown(figures.row("total", outlook, year, payer), *names)]
                for payer in figures.payers
            )
            sheet.total([year, "合计", *shown(figures.row("total", outlook, year, None), *names)])
    sheet.line(
        "P10、P50、P90：模拟结果中有 10%、50%、90% 不超过该数，P10 至 P90 即 80% 区间。合计的分位数取自合计自身的"
        "模拟，不等于各承担方分位数之和；均值可以相加。"
    )
    sheet.line(
        "法定下限、上限：部门尚待核定的事项按文件规定的最低、最高计，其余按均值计。没有核定历史的事项只按法定下限计入，"
        "一事一议和没有标准的不计入，见「仅有法定区间」。"
    )


def districts_sheet(book: Book, figures: Figures, fans: Fans) -> None:
    """分区镇: what each 区镇 bears, and the city for its enterprises; fans at the end."""
    names = ("mean", "P10", "P50", "P90")
    heads = ("均值", "P10", "P50", "P90")
    columns = [Column("区镇", 16)]
    columns += [Column(f"{payer} {head}", 14, "wan") for payer in ("区镇负担", "市级负担") for head in heads]
    columns += [Column("苏州市级负担 均值", 14, "wan")] if figures.has_prefecture else []
    sheet = Sheet(book, "分区镇", columns)
    narrow_margins(sheet)
    sheet.title("奖补资金分区镇需求预测表")
    sheet.line(
        "「市级负担」为市级对该区镇企业的负担。均值可以相加；各区镇的分位数不可相加：全市一行取自全市自身的模拟。"
    )
    sheet.line("单位：万元", "right")

    def cells(level: str, outlook: str, year: int, *key: Key) -> list[Decimal | None]:
        row = shown(figures.row(level, outlook, year, "district", *key), *names)
        row += shown(figures.row(level, outlook, year, "city", *key), *names)
        suzhou = figures.row(level, outlook, year, "prefecture", *key)
        return row + (shown(suzhou, "mean") if figures.has_prefecture else [])

    def block(outlook: str, year: int) -> None:
        sheet.header(freeze=False)
        sheet.rows([name, *cells("district", outlook, year, name)] for name in _districts(figures))
        sheet.total(["全市", *cells("total", outlook, year)])
        sheet.line(_excess(figures, outlook, year))

    blocks(sheet, figures, block, a_page=2)
    sheet.page_break()
    sheet.line(
        "浅、中、深三层色带依次为 P5–P95、P10–P90、P25–P75，实线为 P50，虚线为政策续期时的 P50（一年时为点）；刻度各异。"
    )
    top = sheet.row + 1
    for number, district in enumerate(_districts(figures)):
        chart = fan(figures, fans, f"{district}负担（万元）", "district", "district", district)
        left = number % 3 / 3
        place(sheet, chart, (left, left + 0.32), top + 10 * (number // 3), 9)


def fan(
    figures: Figures,
    fans: Fans,
    title: str,
    payer: str,
    level: str,
    *key: Key,
) -> Any:
    """The fan chart of a payer, of the whole city or of one district."""
    years = {
        year: {q: in_wan(row[q]) or Decimal(0) for q in QUANTILES}
        for year in figures.years
        for row in [figures.row(level, "current", year, payer, *key)]
    }
    renewed = [figures.row(level, "renewed", year, payer, *key)["P50"] for year in figures.years]
    medians = [in_wan(median) or Decimal(0) for median in renewed]
    return fans.chart(title, years, medians, small=bool(key))


def _districts(figures: Figures) -> list[str]:
    """The nine 区镇, and whatever else the forecast names."""
    named = {
        key[0] for outlook in OUTLOOKS for y in figures.years for key in figures.keys("district", outlook, y)
    }
    return [*DISTRICTS, *sorted(named - set(DISTRICTS))]


def _excess(figures: Figures, outlook: str, year: int) -> str:
    """By how much the districts' P90 exceed the city's: the price of adding up what cannot be added."""
    parts = [
        figures.row("district", outlook, year, "district", name)["P90"] or 0 for name in _districts(figures)
    ]
    whole = figures.row("total", outlook, year, "district")["P90"] or 0
    over = sum(parts) - whole
    share = f"（{over / whole:+.1%}）" if whole else ""
    return (
        f"各区镇负担的 P90 相加为 {in_wan(sum(parts)):,.2f} 万元，比全市 P90 {in_wan(whole):,.2f} 万元"
        f"{'多' if over >= 0 else '少'} {in_wan(abs(over)):,.2f} 万元{share}：各区镇很少同年都在高位。"
    )


def articles_sheet(book: Book, figures: Figures) -> None:
    """分条: by article and year."""
    heads = {"mean": "均值", "P10": "P10", "P50": "P50", "P90": "P90"}
    columns = [Column("条", 16)]
    columns += [Column(f"合计 {head}", 13, "wan") for head in heads.values()]
    for payer in figures.payers:
        columns += [Column(f"{PAYERS[payer]} {head}", 13, "wan") for head in ("均值", "P10", "P90")]
    sheet = Sheet(book, "分条", columns)
    sheet.title("奖补资金分条需求预测表")
    sheet.line("单位：万元", "right")
    sheet.header()

    def cells(level: str, outlook: str, year: int, *key: Key) -> list[Decimal | None]:
        row = shown(figures.row(level, outlook, year, None, *key), *heads)
        for payer in figures.payers:
            row += shown(figures.row(level, outlook, year, payer, *key), "mean", "P10", "P90")
        return row

    def block(outlook: str, year: int) -> None:
        keys = figures.keys("article", outlook, year)
        sheet.rows([f"{key[0]}第{key[1]}条", *cells("article", outlook, year, *key)] for key in keys)
        sheet.total(["合计", *cells("total", outlook, year)])

    blocks(sheet, figures, block)
    sheet.line("均值可以相加，分位数不可相加：合计一行取自合计自身的模拟。")


def items_sheet(book: Book, figures: Figures) -> None:
    """分条款: by item and year, and how each figure came about."""
    heads = ("均值", "P10", "P50", "P90")
    columns = [Column("条款", 9), Column("事项", 30, "wide"), Column("预计笔数", 10, "number")]
    columns += [Column(f"合计 {head}", 13, "wan") for head in heads]
    columns += [Column(f"{PAYERS[payer]} 均值", 13, "wan") for payer in figures.payers]
    sheet = Sheet(book, "分条款", [*columns, Column("测算方法", 20, "wide")])
    sheet.title("奖补资金分条款需求预测表")
    sheet.line("单位：万元", "right")
    sheet.header()

    def cells(level: str, outlook: str, year: int, *key: Key) -> list[Any]:
        row = figures.row(level, outlook, year, None, *key)
        payers = [figures.row(level, outlook, year, payer, *key) for payer in figures.payers]
        means = [in_wan(payer["mean"]) for payer in payers]
        return [row["lines"], *shown(row, "mean", "P10", "P50", "P90"), *means]

    def block(outlook: str, year: int) -> None:
        items = [key[0] for key in figures.keys("item", outlook, year)]
        sheet.rows(
            [
                item,
                figures.titles.get(item),
                *cells("item", outlook, year, item),
                _how(figures, outlook, year, item),
            ]
            for item in items
        )
        sheet.total(["合计", None, *cells("total", outlook, year), None])

    blocks(sheet, figures, block)
    ways = "；".join(f"{word}：{_WAYS[basis]}" for basis, word in BASES.items())
    sheet.line(f"均值可以相加，分位数不可相加。测算方法——{ways}。")


_WAYS = {
    "known": "基准年应兑付、尚未支付",
    "pending": "基准年待部门核定，按以往核定在法定区间中的位置抽取",
    "promised": "以前年度已定、政策到期后仍须按期续付",
    "simulated": "各企业逐户推算后按条款计算",
    "cohort": "证书到期后按比例重新认定",
    "counted": "预计户数，金额从历年同类事项中抽取",
}


def _how(figures: Figures, outlook: str, year: int, item: str) -> str | None:
    return figures.bases.get((outlook, year, item))


def narrow_margins(sheet: Sheet) -> None:
    """More room on the page, above the footer."""
    sheet.worksheet.page_margins.top, sheet.worksheet.page_margins.bottom = 0.6, 0.75


def table(sheet: Sheet, columns: Sequence[tuple[str, Kind]], rows: Sequence[Sequence[Any]]) -> None:
    """A further table on a sheet, of other columns in the widths the sheet's columns have."""
    whole = sheet.columns
    sheet.columns = [
        Column(title, held.width, kind) for (title, kind), held in zip(columns, whole, strict=False)
    ]
    sheet.header(freeze=False)
    sheet.rows(rows)
    sheet.columns = whole
