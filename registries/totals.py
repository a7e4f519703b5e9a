"""Rows that are not data: totals, notes, repeated headers. Totals are compared with the rows they add up."""

from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from registries.cells import NOTHING
from registries.headers import Header
from registries.units import STATEMENT
from schemas.labels import packed
from schemas.registries import Registry

_SUM = r"(总合计|合计|总计|小计|共计|累计)(数|额|金额)?(\(.*\))?:?(\d+[家户个项条笔人](企业|单位|项目)?)?"
_TOTAL = rf"^(本页|本表|全市|累计)?{_SUM}$"
_NAMED_TOTAL = rf"^.{{1,14}}{_SUM}$"
_NOTE = (
    r"^((注|备注|附注|注意|说明|填表说明|填报说明|填报要求)([:\d.、(]|$)|(金额|计量)?单位(:|均?为)|"
    r"(数据来源|来源|统计口径|口径|填表人?|填报人?|填报单位|申报单位|报送单位|编制单位|主管部门|制表人?|编制人?|"
    r"审核人?|复核人?|审批人?|单位负责人|负责人|经办人|联系人|联系电话|联系方式|电话|填报日期|填报时间|制表日期|"
    r"制表时间|日期|\(?(公章|盖章|签字)\)?)(:|$)|第\d+页|以(千|万|百万|亿)?元为单位)"
)
_NUMBERED = r"^[(]?[\d一二三四五六七八九十]+[).、]\D"
_DATED = {
    "item": r"^[A-Za-z]{1,2}\d+\.\d+",
    "date": r"^\d{4}[-/.年]\d|^\d{8}$|^\d{5}(\.\d+)?$",
    "year": r"^\d{4}(\.0)?年?度?$",
}
"""What only a row of data holds in the columns of these kinds."""
_AMOUNT = r"^[-+¥]?[\d,.]*\d[\d,.]*$"
_SERIAL = r"^\d+(\.0*|、)?$"
DATA, BLANK, TOTAL, SECTION, NOTE, HEADER = "data", "blank", "total", "section", "note", "header"


def classify(cells: pl.DataFrame, header: Header, head: pl.DataFrame, registry: Registry) -> pl.Series:
    """What each row is: data, blank, total, section (小计), note or header. Doubtful rows are data.

    `head` are the rows down to the header: where they stand again, a page began anew.
    """
    texts = cells.select(packed(pl.col(c)) for c in cells.columns)
    texts = texts.select(pl.when(~pl.col(c).str.contains(NOTHING)).then(c) for c in cells.columns)
    places = [pl.col(c) for c in cells.columns]
    known = {column: pl.col(f"c{found.place}") for column, found in header.fields.items()}
    of_kind = [(registry.kind(column), cell) for column, cell in known.items()]
    uscc = known["uscc"]
    first = pl.coalesce(places)
    count = pl.sum_horizontal(c.is_not_null().cast(pl.Int32) for c in places)
    serial = (
        pl.all_horizontal(c.is_null() for c in known.values()) & (count == 1) & first.str.contains(_SERIAL)
    )
    holds = [uscc.str.contains(r"^[0-9A-Za-z]{8,20}$")]
    holds += [cell.str.contains(_DATED[kind]) for kind, cell in of_kind if kind in _DATED]
    label = pl.coalesce(pl.when(~c.str.contains(_SERIAL)).then(c) for c in places)
    named = [label, uscc, *(cell for kind, cell in of_kind if kind == "name")]
    said = [c.str.contains(_TOTAL) for c in named] + [c.str.contains(_NAMED_TOTAL) for c in (label, uscc)]
    section = pl.any_horizontal(c.str.contains("小计") for c in named)
    amount = [cell.str.contains(_AMOUNT) for kind, cell in of_kind if kind == "money"]
    note = first.str.contains(_NOTE) & ~pl.any_horizontal(pl.lit(False), *amount).fill_null(False)
    kinds = texts.select(
        pl.when(count == 0)
        .then(pl.lit(BLANK))
        .when(serial)
        .then(pl.lit(BLANK))
        .when(pl.lit(_again(cells, head)))
        .then(pl.lit(HEADER))
        .when(pl.any_horizontal(holds))
        .then(pl.lit(DATA))
        .when(pl.any_horizontal(said) & section)
        .then(pl.lit(SECTION))
        .when(pl.any_horizontal(said))
        .then(pl.lit(TOTAL))
        .when(note | ((count == 1) & first.str.contains(STATEMENT)))
        .then(pl.lit(NOTE))
        .otherwise(pl.lit(DATA))
        .alias("kind"),
        continued=(count == 1) & first.str.contains(_NUMBERED).fill_null(False),
    )
    after = (pl.col("kind") == NOTE).cum_max()
    continued = (pl.col("kind") == DATA) & pl.col("continued") & after
    return kinds.select(pl.when(continued).then(pl.lit(NOTE)).otherwise("kind").alias("kind")).to_series()


def _again(cells: pl.DataFrame, head: pl.DataFrame) -> pl.Series:
    """True for the rows that repeat a row of the head."""
    said = head.filter(~pl.all_horizontal(pl.all().is_null())).unique()
    rows = cells.with_row_index("_row")
    again = rows.join(said, on=cells.columns, how="semi", nulls_equal=True)["_row"]
    return rows["_row"].is_in(again.implode())


def reconcile(
    values: pl.DataFrame,
    texts: pl.DataFrame,
    kinds: pl.Series,
    rows: pl.Series,
    registry: Registry,
    where: str,
) -> list[str]:
    """Warnings for totals that differ from the sum of their data rows, with both figures in yuan.

    A 小计 adds the rows since the total before it; a 合计 all rows above it, or those since the 合计 before
    it. Where the first stands above all rows, each adds the rows down to the next. `texts` are the cleaned
    texts of `values`.
    """
    notes: list[str] = []
    at = kinds.is_in([TOTAL, SECTION])
    counted = (kinds == DATA).cast(pl.Int64).cum_sum().filter(at).to_list()
    on_top = {kind for kind, count in zip(kinds.filter(at), counted, strict=True) if not count}
    for column in (c for c in values.columns if registry.kind(c) == "money" and at.any()):
        amounts = pl.select(pl.when(kinds == DATA).then(values[column]).otherwise(None)).to_series()
        above = amounts.fill_null(Decimal(0)).cum_sum()
        title = registry.header(column)
        stated = (s.filter(at) for s in (rows, values[column], texts[column]))
        sums = _sums(kinds.filter(at).to_list(), above.filter(at).to_list(), above[-1], on_top)
        for row, value, text, fitting in zip(*stated, sums, strict=True):
            if value is None and text is not None:
                notes.append(f"{where}第{row}行的{title}合计「{text}」不是金额，未能与明细核对")
            elif value is not None and value not in fitting:
                notes.append(
                    f"{where}第{row}行合计与明细不符：{title}合计填 {value:,.2f} 元，"
                    f"明细相加为 {fitting[0]:,.2f} 元，相差 {value - fitting[0]:,.2f} 元。"
                    "请核对是否漏行或改动"
                )
    return notes


def _sums(
    kinds: list[str], above: list[Decimal], whole: Decimal, on_top: set[str]
) -> Iterator[list[Decimal]]:
    """For each total row the sums of data rows that it may state, the likeliest first.

    `above` holds the sum of all data rows above each total row, `whole` that of all.
    """
    section_start = total_start = Decimal(0)
    for place, (kind, here) in enumerate(zip(kinds, above, strict=True)):
        if kind in on_top:
            later = zip(kinds[place + 1 :], above[place + 1 :], strict=True)
            until = next((there for other, there in later if kind in (SECTION, other)), whole)
            yield [until - here] if kind == SECTION else [whole, until - here]
        elif kind == SECTION:
            yield [here - section_start, here - total_start, here]
        else:
            yield [here, here - total_start]
        section_start = here
        total_start = here if kind == TOTAL else total_start
