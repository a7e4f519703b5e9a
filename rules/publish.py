"""Lines as they leave the house: masked, and in an order that their content decides."""

import polars as pl

from rules.frames import APPLICANT
from rules.placing import rows_by_number, with_found
from schemas.codes import initial, masked
from schemas.outputs import AWARDS, ORDER


def published(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines as they leave the house: the columns of AWARDS, persons masked, in the order of their content."""
    shown = lines.with_columns(
        person_id=masked(pl.col("person_id")), person_name=initial(pl.col("person_name"))
    )
    awards = shown.select(pl.col(c).cast(t) for c, t in AWARDS.items())
    return awards[_in_order(awards, lines[APPLICANT])] if awards.height > 1 else awards


def _in_order(awards: pl.DataFrame, applicant: pl.Series) -> pl.Series:
    """Places of the lines in ORDER. Item and applicant, else project, nearly always decide: few lines need the rest."""
    key = _place_of_item(awards) * 2**32 + _place_of_code(awards["uscc"], applicant)
    every = pl.int_range(awards.height, dtype=pl.UInt32, eager=True)
    first, then = ["_key"], ["_key", "person_id", "project_id"]
    return _sorted(awards.select(*ORDER, _key=key), every, first, then, ["_key", *ORDER])


def _sorted(lines: pl.DataFrame, rows: pl.Series, by: list[str], *then: list[str]) -> pl.Series:
    """`rows` (places in `lines`) in the order of some columns, and those alike in them in the order of more."""
    held = lines.select(by)[rows]
    order = held.select(pl.arg_sort_by(by, nulls_last=True)).to_series()
    rows, held = rows.gather(order), held[order]
    as_before = (
        pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in by)
        & pl.col("_key").shift().is_not_null()
    )
    alike = held.select(as_before | as_before.shift(-1, fill_value=False)).to_series().arg_true()
    if not then or alike.is_empty():
        return rows
    return rows.scatter(alike, _sorted(lines, rows.gather(alike), *then))


def _place_of_item(awards: pl.DataFrame) -> pl.Series:
    items = awards.group_by("item").agg(pl.first("policy", "article")).sort(ORDER[:3])["item"]
    places = dict(zip(items, range(items.len()), strict=True))
    return awards.select(pl.col("item").replace_strict(places, return_dtype=pl.UInt64)).to_series()


def _place_of_code(code: pl.Series, applicant: pl.Series) -> pl.Series:
    """The place of each line's code among all codes; of each applicant's lines one is looked at."""
    one = rows_by_number(applicant)
    numbers = one.is_not_null().arg_true()
    order = numbers.gather(code.gather(one.drop_nulls()).arg_sort())
    places = pl.DataFrame({APPLICANT: order, "place": pl.int_range(order.len(), dtype=pl.UInt64, eager=True)})
    return with_found(applicant.to_frame(APPLICANT), places, APPLICANT)["place"]
