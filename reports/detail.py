"""The sheets of lines: payable, by applicant, by district, pending, refused, other years, rejects, publicity."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from reports.figures import REFUSALS, Figures, collected, refusal
from reports.sheets import Book, Column, Sheet
from schemas.districts import DISTRICTS
from schemas.labels import filled
from schemas.registries import REGISTRIES

_CODE = Column("统一社会信用代码", 21, "code")
_NAME = Column("企业（单位）名称", 30)
_DISTRICT = Column("区镇", 11)
_MATTER = Column("条款与事项", 27, "wide")
_WHICH = Column("级别、证书或项目", 20, "wide")
_SOURCE = Column("来源", 22, "wide")
_NOTHING = {"households": 0, "award": Decimal(0), "district_share": Decimal(0), "pending": 0}


def _source() -> pl.Expr:
    sheet = (
        pl.when(pl.col("source_sheet").is_not_null())
        .then(filled("「{}」", "source_sheet"))
        .otherwise(pl.lit(""))
    )
    return filled("{}{}第{}行", "source_file", sheet, "source_row")


def _about() -> list[pl.Expr | str]:
    """Whom and what a line is about, for the columns _CODE, _NAME, _DISTRICT, _MATTER and _WHICH."""
    which = ["level", pl.coalesce("certificate_no", "project_id", "person_id")]
    return [
        *("uscc", _applicant(), "district"),
        filled("{} {}", "item", "title").alias("matter"),
        pl.concat_str(which, separator=" ", ignore_nulls=True).alias("which"),
    ]


def _applicant() -> pl.Expr:
    """The applicant's name, and the person's where the award is a person's: 昆山示例（张*）."""
    person = pl.when(pl.col("person_name").is_not_null()).then(filled("（{}）", "person_name"))
    return pl.concat_str("name", person.fill_null("")).alias("name")


def _detail(
    book: Book,
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: pl.DataFrame,
    height: int,
    unit: str = "单位：元",
    total: Sequence[Any] | None = None,
    intro: str = "",
) -> None:
    """A sheet of numbered rows, the first of `height`; `total` is its last row."""
    sheet = Sheet(book, name, [Column("序号", 6, "index"), *columns])
    sheet.title(title)
    if intro:
        sheet.line(intro)
    sheet.line(unit, "right")
    sheet.header()
    sheet.frame(rows.with_row_index("序号", offset=1))
    if height > rows.height:
        sheet.line(
            f"本表列前 {rows.height:,} 行，共 {height:,} 行；全部内容见同一文件夹的 Parquet 文件。", bold=True
        )
    if rows.is_empty():
        sheet.line("无。")
    if total is not None:
        sheet.total(["合计", *total])


def _first(
    lines: pl.LazyFrame, shown: Sequence[pl.Expr | str], limit: int, sums: Sequence[str] = ()
) -> tuple[pl.DataFrame, int, list[Any]]:
    """The first lines as they are shown, how many there are in all, and sums over all of them.

    Only what is shown is worded: a run may have more lines than memory holds.
    """
    whole = lines.select(pl.len(), *(pl.col(c).sum() for c in sums))
    first, counted = collected(lines.head(limit).select(*shown), whole)
    height, *added = counted.row(0)
    return first, height, added


def payable_sheet(book: Book, year: int, awards: pl.LazyFrame, sums: Figures, limit: int) -> None:
    """兑现明细: every payable line with its working."""
    amounts = ["gross", "award", "city_share", "district_share"]
    amounts += ["prefecture_share"] if sums.has_prefecture else []
    titles = ("计算额", "兑付额", "市级", "区镇", "苏州市级")
    columns = [
        *(_CODE, _NAME, _DISTRICT, _MATTER, _WHICH),
        *(Column(title, 15, "yuan") for title, _ in zip(titles, amounts, strict=False)),
        Column("计算过程", 46, "wide"),
        Column("提请复核", 30, "wide"),
        _SOURCE,
    ]
    shown = [*_about(), *amounts, "working", "review", _source().alias("source")]
    (rows,) = collected(awards.filter(status="payable").head(limit).select(shown))
    whole = sums.whole
    total = [*[None] * 5, *(whole[c] for c in amounts), None, None, None]
    _detail(book, "兑现明细", f"{year}年度兑现明细表", columns, rows, whole["lines"], total=total)


def applicants_sheet(book: Book, year: int, awards: pl.LazyFrame, sums: Figures, limit: int) -> None:
    """拨付清单: one row an applicant."""
    columns = [
        *(_CODE, Column("企业（单位）名称", 40), _DISTRICT),
        Column("笔数", 8, "count"),
        Column("拨付合计", 18, "yuan"),
        Column("市级", 18, "yuan"),
        Column("区镇", 18, "yuan"),
    ]
    amounts = ["award", "city_share", "district_share"]
    if sums.has_prefecture:
        columns.append(Column("苏州市级", 16, "yuan"))
        amounts.append("prefecture_share")
    applicants = (
        awards.filter(status="payable")
        .group_by("uscc", "name", "district")
        .agg(pl.len().alias("lines"), *(pl.col(c).sum() for c in amounts))
    )
    largest = applicants.top_k(limit, by=["award", "uscc"], reverse=[False, True])
    (rows,) = collected(largest.sort("award", "uscc", descending=[True, False]))
    whole = sums.whole
    total = [None, None, None, *(whole[c] for c in ("lines", *amounts))]
    _detail(book, "拨付清单", f"{year}年度奖补资金拨付清单", columns, rows, whole["households"], total=total)


def district_notices_sheet(book: Book, year: int, sums: Figures) -> None:
    """区镇负担通知: one block a district, by item."""
    columns = [
        Column("条款", 9),
        Column("事项", 44),
        Column("户数", 8, "count"),
        Column("兑付额", 20, "yuan"),
        Column("其中区镇负担", 20, "yuan"),
        Column("待核定笔数", 10, "count"),
    ]
    sheet = Sheet(book, "区镇负担通知", columns, landscape=False)
    sheet.title(f"{year}年度奖补资金区镇负担通知")
    items = sums.by("notice").filter(pl.col("lines") + pl.col("pending") > 0)
    whole = {row["district"]: row for row in sums.by("district").iter_rows(named=True)}
    for district in DISTRICTS:
        paid = whole.get(district, _NOTHING)
        sheet.blank()
        sheet.line(
            f"{district}：{year}年度应负担 {paid['district_share']:,.2f} 元"
            f"（辖区企业兑付合计 {paid['award']:,.2f} 元，{paid['households']:,} 户）。单位：元",
            bold=True,
        )
        sheet.header(freeze=False)
        by_item = items.filter(district=district).sort("policy", "article", "item")
        shown = ("households", "award", "district_share", "pending")
        sheet.rows(by_item.select("item", "title", *shown).iter_rows())
        sheet.total(["合计", None, *(paid[name] for name in shown)])


def settlement_sheet(book: Book, year: int, settlement: pl.LazyFrame, limit: int) -> None:
    """应补应退: what the year has paid already against what it owes; only where it has paid anything."""
    suzhou = (pl.col("prefecture_share") != 0).any()
    (whole,) = collected(settlement.select(pl.sum("paid", "to_pay", "to_recover"), pl.len(), suzhou))
    sums = whole.row(0, named=True)
    if not sums["paid"]:
        return
    amounts = ["award", "paid", "to_pay", "to_recover", "city_share", "district_share", "prefecture_share"]
    titles = [
        "应兑付",
        "已兑付",
        "应补",
        "应退",
        "市级应补（负为应退）",
        "区镇应补（负为应退）",
        "苏州市级应补（负为应退）",
    ]
    if not sums["prefecture_share"]:
        amounts, titles = amounts[:-1], titles[:-1]
    columns = [
        *(_CODE, _NAME, _DISTRICT, _MATTER, _WHICH),
        *(Column(title, 16, "yuan") for title in titles),
        Column("说明", 40, "wide"),
    ]
    open_lines = settlement.filter(pl.col("award") != pl.col("paid"))
    rows, height, added = _first(open_lines, [*_about(), *amounts, "note"], limit, amounts)
    intro = (
        f"本年度已兑付 {sums['paid']:,.2f} 元，应补 {sums['to_pay']:,.2f} 元，"
        f"应退 {sums['to_recover']:,.2f} 元；另有 {sums['len'] - height:,} 笔已足额兑付，不列。"
    )
    total = [*[None] * 5, *added, None]
    _detail(book, "应补应退", f"{year}年度应补应退清单", columns, rows, height, total=total, intro=intro)


def pending_sheet(book: Book, year: int, awards: pl.LazyFrame, sums: Figures, limit: int) -> None:
    """待核定: lines that wait for the department's figure, with their statutory range."""
    columns = [
        *(_CODE, _NAME, _DISTRICT, _MATTER, _WHICH),
        Column("下限", 16, "yuan"),
        Column("上限（空为无上限）", 16, "yuan"),
        Column("牵头部门", 20, "wide"),
        Column("计算过程", 50, "wide"),
        Column("提请复核", 40, "wide"),
        _SOURCE,
    ]
    shown = [*_about(), "award_low", "award_high", "lead_department", "working", "review"]
    first = awards.filter(status="pending").head(limit)
    (rows,) = collected(first.select(*shown, _source().alias("source")))
    whole = sums.whole
    high = None if whole["open_ended"] else whole["high"]
    intro = "「提请复核」写明缺少数据的，先补填数据；其余由部门核定，按各行写明的列填入登记表，重新运行即可。"
    total = [*[None] * 5, whole["low"], high, None, None, None, None]
    height = whole["pending"]
    _detail(book, "待核定", f"{year}年度待核定清单", columns, rows, height, total=total, intro=intro)


def refused_sheet(book: Book, year: int, awards: pl.LazyFrame, sums: Figures, limit: int) -> None:
    """不予兑现: what lacks data first, then what does not qualify, then repetitions."""
    columns = [
        Column("类别", 10),
        *(_CODE, _NAME, _DISTRICT, _MATTER, _WHICH),
        Column("原因", 34, "wide"),
        Column("依据的数据", 46, "wide"),
        _SOURCE,
    ]
    order = [kind for kind in REFUSALS if kind != "跨年"]
    rows = _refused(awards, sums, order, ["reason", "working", _source().alias("source")], limit)
    intro = "，".join(f"{kind} {sums.whole[kind]:,} 笔" for kind in order) + "。缺少数据的补齐后可重新测算。"
    height = sum(sums.whole[kind] for kind in order)
    _detail(book, "不予兑现", f"{year}年度不予兑现清单", columns, rows, height, unit="", intro=intro)


def other_years_sheet(book: Book, year: int, awards: pl.LazyFrame, sums: Figures, limit: int) -> None:
    """跨年补报: rows of earlier years, with what they would have earned then."""
    columns = [
        *(_CODE, _NAME, _DISTRICT, _MATTER, _WHICH),
        Column("发生日期", 12),
        Column("处理", 60, "wide"),
        _SOURCE,
    ]
    shown: list[pl.Expr | str] = [pl.col("event_on").cast(pl.String), "reason", _source().alias("source")]
    rows, height = _refused(awards, sums, ["跨年"], shown, limit).drop("kind"), sums.whole["跨年"]
    intro = "以下各笔的发生日期在以前年度，本年度不计。写明应补兑的，核实后按所属年度补兑；写明重复、不符合的不补。"
    _detail(book, "跨年补报", f"{year}年度跨年补报清单", columns, rows, height, unit="", intro=intro)


def _refused(
    awards: pl.LazyFrame, sums: Figures, kinds: Sequence[str], shown: Sequence[pl.Expr | str], limit: int
) -> pl.DataFrame:
    """The first lines of some kinds of REFUSALS, one kind after the other: `kind`, whom they are about, and `shown`."""
    lines = awards.with_columns(kind=refusal())
    found = [lines.clear().select("kind", *_about(), *shown).collect()]
    for kind in kinds:
        if sums.whole[kind]:  # looking for what is not there would go through all lines
            first = lines.filter(kind=kind).head(limit - sum(rows.height for rows in found))
            found += collected(first.select("kind", *_about(), *shown))
    return pl.concat(found)


def rejects_sheet(book: Book, manifest: dict[str, Any], rejects: pl.LazyFrame, limit: int) -> None:
    """数据问题: faulty rows for the departments to correct, and the warnings of reading."""
    columns = [
        Column("登记表", 12),
        Column("文件", 24),
        Column("工作表", 16),
        Column("行号", 8, "count"),
        Column("列", 18),
        Column("填报内容", 26, "wide"),
        Column("问题与处理办法", 70, "wide"),
    ]
    headers = {
        f"{name}|{column}": registry.header(column)
        for name, registry in REGISTRIES.items()
        for column in registry.columns
    }
    titles = {name: registry.title for name, registry in REGISTRIES.items()}
    key = filled("{}|{}", "registry", "column")
    shown: list[pl.Expr | str] = [
        pl.col("registry").replace_strict(titles, return_dtype=pl.String),
        *("source_file", "source_sheet", "source_row"),
        key.replace_strict(headers, default=None, return_dtype=pl.String).alias("header"),
        *("value", "reason"),
    ]
    rows, height, _ = _first(rejects, shown, limit)
    intro = "以下各行未采用；请填报部门更正后重新报送，其余各行照常计算。" + (
        "另有读取提示，见「说明」。" if manifest["notes"] else ""
    )
    _detail(
        book,
        "数据问题",
        f"{manifest['year']}年度登记表数据问题清单",
        columns,
        rows,
        height,
        unit="",
        intro=intro,
    )


def publicity_sheet(book: Book, year: int, awards: pl.LazyFrame, limit: int) -> None:
    """公示: who is to be paid for what, without any financial figure."""
    columns = [
        Column("企业（单位）名称", 44),
        _DISTRICT,
        Column("条款", 9),
        Column("事项", 34, "wide"),
        Column("级别", 34, "wide"),
    ]
    told = ["district", "name", "policy", "article", "item", "title", "level"]
    public = (
        awards.filter(status="payable")
        .select(_applicant(), pl.col("district").cast(pl.Enum(DISTRICTS)), *told[2:])
        .unique()
    )
    first, whole = collected(
        public.sort(*told[:5], "level", nulls_last=True).head(limit), public.select(pl.len())
    )
    rows = first.select("name", "district", "item", "title", "level")
    _detail(book, "公示", f"{year}年度拟兑现奖补公示", columns, rows, whole.item(), unit="")
