"""Rows that are not data: totals, notes, repeated headers. Totals are compared with the rows above them."""

from decimal import Decimal

import polars as pl

from registries.headers import Header
from schemas.registries import Registry

TOTAL_WORDS = r"^(本页|本表|全市|累计)?(合计|总计|小计|共计|累计|总合计)(\(.*\))?[:：]?$"
_SECTION = r"^(本页)?小计"
_NOTE = (
    r"^(注|备注|附注|说明|填表说明|填报说明|填表人?|填报人?|填报单位|制表人?|编制人?|审核人?|复核人?|审批人?|"
    r"单位负责人|负责人|经办人|联系人|联系电话|填报日期|日期)([:：\d.、(（\s]|$)"
)
DATA, BLANK, TOTAL, SECTION, NOTE, HEADER = "data", "blank", "total", "section", "note", "header"


def classify(cells: pl.DataFrame, header: Header, registry: Registry, header_rows: pl.DataFrame) -> pl.Series:
    """What each row is: data, blank, total, section (小计), note or header. Doubtful rows are data."""
    folded = [pl.col(c).str.normalize("NFKC").str.replace_all(r"[\s\u00a0\u3000]", "") for c in cells.columns]
    filled = [pl.when(c != "").then(c) for c in folded]
    known = [f"c{field.place}" for field in header.fields.values()]
    numbered = pl.coalesce(filled).str.contains(r"^\d+$")
    uscc = pl.col(f"c{header.fields['uscc'].place}").str.normalize("NFKC").str.replace_all(r"\s", "")
    has_code = uscc.str.contains(r"^[0-9A-Za-z]{15,20}$").fill_null(False)
    said = pl.any_horizontal(c.str.contains(TOTAL_WORDS) for c in filled).fill_null(False)
    section = pl.any_horizontal(c.str.contains(_SECTION) for c in filled).fill_null(False)
    count = pl.sum_horizontal(c.is_not_null().cast(pl.Int32) for c in filled)
    blank_known = pl.all_horizontal(
        pl.col(c).str.normalize("NFKC").str.replace_all(r"[\s\u00a0\u3000]", "").fill_null("") == "" for c in known
    )
    titles = [header_rows[c][-1] for c in cells.columns]
    again = pl.all_horizontal(
        pl.col(c).eq_missing(pl.lit(title, pl.String)) for c, title in zip(cells.columns, titles, strict=True)
    )
    return cells.select(
        pl.when(count == 0)
        .then(pl.lit(BLANK))
        .when(blank_known & (count == 1) & numbered)
        .then(pl.lit(BLANK))
        .when(again)
        .then(pl.lit(HEADER))
        .when(has_code)
        .then(pl.lit(DATA))
        .when(said & section)
        .then(pl.lit(SECTION))
        .when(said)
        .then(pl.lit(TOTAL))
        .when(pl.coalesce(filled).str.contains(_NOTE))
        .then(pl.lit(NOTE))
        .otherwise(pl.lit(DATA))
    ).to_series()


def reconcile(
    frame: pl.DataFrame, kinds: pl.Series, rows: pl.Series, registry: Registry, where: str
) -> list[str]:
    """Warnings for totals that differ from the sum of the data rows above, with both figures in yuan.

    A 小计 adds the rows since the previous total; a 合计 all rows above it, or those since the previous
    合计.
    """
    notes: list[str] = []
    money = [c for c in registry.columns if registry.kind(c) == "money" and c in frame.columns]
    is_data = kinds == DATA
    for column in money:
        running = frame.select(
            pl.when(pl.lit(is_data)).then(pl.col(column)).otherwise(None).fill_null(Decimal(0)).cum_sum()
        ).to_series()
        section_start = total_start = Decimal(0)
        stated = frame.select(pl.lit(rows).alias("row"), pl.lit(kinds).alias("kind"), column, sums=pl.lit(running))
        for row, kind, value, sums in stated.filter(pl.col("kind").is_in([TOTAL, SECTION])).iter_rows():
            since = section_start if kind == SECTION else total_start
            if value is not None and value not in (sums, sums - since):
                notes.append(
                    f"{where}第{row}行合计与明细不符：{registry.header(column)}合计填 {value:,.2f} 元，"
                    f"上方明细相加为 {sums - since if kind == SECTION else sums:,.2f} 元，"
                    f"相差 {value - (sums - since if kind == SECTION else sums):,.2f} 元。请核对是否漏行或改动"
                )
            section_start = sums
            if kind == TOTAL:
                total_start = sums
    return notes
