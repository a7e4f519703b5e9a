"""Which payments are of a line's matter: keys match where both sides have them."""

import polars as pl

KEYS = ("level", "project_id", "certificate_no", "person_id")


def matched_payments(lines: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Pairs of a line (`_line`, `on`) and a payment of its matter.

    Of the payment: `_payment` (its place), `paid_year`, `paid` (yuan). `same_matter`: whether certificate
    or project agree (null: not both have one; the certificate decides before the project); `agreeing`: how
    many keys do. A person's payments count whichever unit they went through.
    """
    held = payments.with_row_index("_payment").select(
        *("_payment", "uscc", "item", "person_id"),
        pl.col("year").alias("paid_year"),
        pl.col("amount").alias("paid"),
        *(pl.col(key).str.to_uppercase().alias(f"_{key}") for key in KEYS),
    )
    agree = {key: pl.col(key).str.to_uppercase() == pl.col(f"_{key}") for key in KEYS}
    matter = pl.coalesce(agree["certificate_no"], agree["project_id"])
    own = lines.select("_line", "uscc", "item", "on", *KEYS)
    of_applicant = own.join(held.drop("person_id"), on=["uscc", "item"])
    elsewhere = own.join(held, on=["person_id", "item"], suffix="_paying")
    elsewhere = elsewhere.filter(pl.col("uscc") != pl.col("uscc_paying")).select(of_applicant.columns)
    return (
        pl.concat([of_applicant, elsewhere])
        .filter(pl.all_horizontal(e.fill_null(True) for e in (agree["level"], agree["person_id"], matter)))
        .select(
            *("_line", "on", "_payment", "paid_year", "paid"),
            same_matter=matter,
            agreeing=pl.sum_horizontal(e.fill_null(False).cast(pl.Int8) for e in agree.values()),
        )
    )
