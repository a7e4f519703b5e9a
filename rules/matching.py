"""Which payments are of a line's matter: keys match where both sides have them."""

import polars as pl

KEYS = ("level", "project_id", "certificate_no", "person_id")


def matched_payments(lines: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Pairs of a line (`_line`, `on`) and a payment of its matter.

    Of the payment: `_payment` (its place), `paid_year`, `paid` (yuan). `same_matter`: whether certificate
    or project agree (null: not both have one; the certificate decides before the project); `identified`:
    whether these or the person do; `agreeing`: how many keys agree; `beyond`: how many the line has that
    the payment leaves blank; `elsewhere`: a person's payment that went through another unit.
    """
    held = payments.with_row_index("_payment").select(
        *("_payment", "uscc", "item"),
        pl.col("year").alias("paid_year"),
        pl.col("amount").alias("paid"),
        *(pl.col(key).alias(f"_{key}") for key in KEYS),
    )
    own = lines.select("_line", "uscc", "item", "on", *KEYS)
    named, held_named = pl.col("person_id").is_not_null(), pl.col("_person_id").is_not_null()
    persons = own.filter(named).join(
        held.filter(held_named),
        left_on=["item", pl.col("person_id").str.to_uppercase()],
        right_on=["item", pl.col("_person_id").str.to_uppercase()],
        suffix="_paying",
    )
    persons = persons.with_columns(elsewhere=pl.col("uscc") != pl.col("uscc_paying"))
    others = own.join(held, on=["uscc", "item"]).filter(~(named & held_named))
    others = others.with_columns(elsewhere=pl.lit(False))
    agree = {key: pl.col(key).str.to_uppercase() == pl.col(f"_{key}").str.to_uppercase() for key in KEYS}
    matter = pl.coalesce(agree["certificate_no"], agree["project_id"])
    return (
        pl.concat([persons.select(others.columns), others])
        .filter(pl.all_horizontal(e.fill_null(True) for e in (agree["level"], matter)))
        .select(
            *("_line", "on", "_payment", "paid_year", "paid", "elsewhere"),
            same_matter=matter,
            identified=pl.any_horizontal(agree[k].fill_null(False) for k in KEYS[1:]),
            beyond=pl.sum_horizontal(
                (pl.col(k).is_not_null() & pl.col(f"_{k}").is_null()).cast(pl.Int8) for k in KEYS
            ),
            agreeing=pl.sum_horizontal(e.fill_null(False).cast(pl.Int8) for e in agree.values()),
        )
    )
