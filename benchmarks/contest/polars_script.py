"""The awards as a Polars specialist scripts them: lazily, only the columns needed, whole fen in Int64.

Lines and totals hold fen as integers. A product with an assessed rate, and the parts of a cap that several
lines exceed, are formed in Int128. Half a fen goes up: no amount is negative.
"""

from pathlib import Path

import polars as pl

from benchmarks.contest.terms import TERMS, Terms

_FIXED = ("A4.03", "A4.04", "A4.05")
_RECOGNISED = ("A4.03", "A4.04")
_UNIT = 10**10
"""Assessed rates come in ten-thousand-millionths."""


def _yuan(number: int) -> pl.Expr:
    return pl.lit(number * 100, pl.Int64)  # a bare literal would be 32 bits wide


def _fen(column: str) -> pl.Expr:
    return pl.col(column).to_physical().cast(pl.Int64)


_COLUMNS: dict[str, list[str | pl.Expr]] = {
    "enterprises": ["uscc", "district", "industrial"],
    "rnd": ["uscc", "year", _fen("rnd_expense"), "super_deduction"],
    "equipment": [
        *("uscc", "year", "project_id", _fen("equipment_investment")),
        pl.col("assessed_rate").to_physical(),
    ],
    "certifications": ["uscc", "item"],
    "claims": ["uscc", "item", "level", "project_id", _fen("base_amount"), _fen("assessed_amount")],
}


def _scanned(raw: Path) -> dict[str, pl.LazyFrame]:
    folder = raw / "2023"
    return {name: pl.scan_parquet(folder / f"{name}.parquet").select(c) for name, c in _COLUMNS.items()}


def _part(rate: int) -> pl.Expr:
    """`rate` percent of the base, to the fen."""
    return (pl.col("base_amount") * rate + 50) // 100


def _high_tech(certifications: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    fixed = {item: terms[f"{item}.award"] * 100 for item in _FIXED}
    award = pl.col("item").replace_strict(fixed, return_dtype=pl.Int64)
    known = certifications.filter(pl.col("item").is_in(_FIXED))
    return known.select("item", "uscc", gross=award, low=award, high=award)


def _rnd(rnd: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    deducting = rnd.filter("super_deduction")
    before = deducting.filter(pl.col("year") == 2022).select("uscc", before="rnd_expense")
    now = deducting.filter(pl.col("year") == 2023).select("uscc", now="rnd_expense")
    grown = now.join(before, on="uscc").select("uscc", growth=pl.col("now") - pl.col("before"))
    gross = (pl.col("growth") * terms["A4.06.rate"] + 50) // 100
    capped = pl.min_horizontal(gross, _yuan(terms["A4.06.cap"]))
    return grown.filter(pl.col("growth") >= _yuan(terms["A4.06.floor"])).select(
        pl.lit("A4.06").alias("item"), "uscc", gross=gross, low=capped, high=capped
    )


def _projects(claims: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    engineering, joint = _part(terms["A5.03.rate"]), _part(terms["A6.04.rate"])
    gross = pl.when(pl.col("item") == "A5.03").then(engineering).otherwise(joint)
    cap = (
        pl.when(pl.col("item") == "A6.04")
        .then(_yuan(terms["A6.04.cap"]))
        .when(pl.col("level") == "航空航天")
        .then(_yuan(terms["A5.03.cap.航空航天"]))
        .otherwise(_yuan(terms["A5.03.cap.一般重点领域"]))
    )
    capped = pl.min_horizontal("gross", "cap")
    due = claims.filter(pl.col("item").is_in(["A5.03", "A6.04"]) & (pl.col("base_amount") > 0))
    due = due.select("item", "uscc", "project_id", gross=gross, cap=cap).filter(pl.col("gross") > 0)
    return due.select("item", "uscc", "project_id", "gross", low=capped, high=capped)


def _equipment(equipment: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    """Of industrial enterprises; whether one is not, is known only with the applicant."""
    rate, spent = pl.col("assessed_rate"), pl.col("equipment_investment")
    low, high = terms["A11.02.rate.low"], terms["A11.02.rate.high"]
    rows = equipment.filter(
        (pl.col("year") == 2023)
        & (spent >= _yuan(terms["A11.02.floor"]))
        & rate.is_between(low * _UNIT // 100, high * _UNIT // 100).fill_null(True)
    )
    given = ((spent.cast(pl.Int128) * rate + _UNIT // 2) // _UNIT).cast(pl.Int64)
    ends = {"low": (spent * low + 50) // 100, "high": (spent * high + 50) // 100}
    cap = _yuan(terms["A11.02.cap"])
    return rows.select(
        *(pl.lit("A11.02").alias("item"), "uscc", "project_id"),
        payable=rate.is_not_null(),
        gross=given.fill_null(0),
        **{name: pl.min_horizontal(pl.coalesce(given, end), cap) for name, end in ends.items()},
    )


def _vouchers(claims: pl.LazyFrame, terms: Terms) -> pl.LazyFrame:
    bought = claims.filter((pl.col("item") == "A7.08") & (pl.col("base_amount") > 0))
    due = bought.select("item", "uscc", "project_id", gross=_part(terms["A7.08.rate"]))
    due = due.filter(pl.col("gross") > 0)
    shared = _within(due.with_columns(fen="gross", bound=_yuan(terms["A7.08.cap"])))
    return shared.select("item", "uscc", "project_id", "gross", low="fen", high="fen")


def _certificates(claims: pl.LazyFrame, terms: Terms) -> list[pl.LazyFrame]:
    """Those assessed, and those that are not, which share what the former leave of the year's cap."""
    prefix = "A12.05.cap."
    caps = {name.removeprefix(prefix): cap * 100 for name, cap in terms.items() if name.startswith(prefix)}
    cap = pl.col("level").replace_strict(caps, return_dtype=pl.Int64)
    yearly = _yuan(terms["A12.05.yearly_cap"])
    rows = claims.filter(pl.col("item") == "A12.05")
    assessed = rows.filter(pl.col("assessed_amount") > 0).select(
        *("item", "uscc", "project_id"),
        gross="assessed_amount",
        fen=pl.min_horizontal("assessed_amount", cap),
        bound=yearly,
    )
    open_ = rows.filter(pl.col("assessed_amount").is_null()).select("item", "uscc", "project_id", fen=cap)
    paid = assessed.group_by("uscc").agg(pl.col("fen").sum().alias("paid"))
    left = pl.max_horizontal(yearly - pl.col("paid").fill_null(0), 0)
    open_ = open_.join(paid, on="uscc", how="left").with_columns(bound=left)
    due = _within(assessed).select("item", "uscc", "project_id", "gross", low="fen", high="fen")
    pending = _within(open_).filter(pl.col("fen") > 0)
    return [due, pending.select("item", "uscc", "project_id", payable=False, gross=0, low=0, high="fen")]


def _within(lines: pl.LazyFrame) -> pl.LazyFrame:
    """`fen` so that each enterprise's add up to its `bound`, where they were more: by largest remainder."""
    total = lines.group_by("uscc").agg(pl.col("fen").sum().alias("total"), pl.col("bound").first())
    over = total.filter(pl.col("total") > pl.col("bound"))
    over = over.select("uscc", "total", excess=pl.col("total") - pl.col("bound"))
    share = pl.col("fen").cast(pl.Int128) * pl.col("excess")
    tight = lines.join(over, on="uscc").with_columns(
        cut=(share // pl.col("total")).cast(pl.Int64), rest=share % pl.col("total")
    )
    tight = tight.sort("uscc", "rest", "project_id", descending=[False, True, False])
    odd = pl.col("excess") - pl.col("cut").sum().over("uscc")
    one = (pl.int_range(pl.len()).over("uscc") < odd).cast(pl.Int64)
    tight = tight.with_columns(fen=pl.col("fen") - pl.col("cut") - one).drop("total", "excess", "cut", "rest")
    return pl.concat([lines.join(over, on="uscc", how="anti"), tight])


def _lines(frames: dict[str, pl.LazyFrame], terms: Terms) -> pl.LazyFrame:
    claims = frames["claims"]
    parts = [
        _high_tech(frames["certifications"], terms),
        _rnd(frames["rnd"], terms),
        _equipment(frames["equipment"], terms),
        _projects(claims, terms),
        _vouchers(claims, terms),
        *_certificates(claims, terms),
    ]
    lines = pl.concat(parts, how="diagonal_relaxed").with_columns(pl.col("payable").fill_null(True))
    lines = lines.join(frames["enterprises"], on="uscc").filter(
        (pl.col("item") != "A11.02") | pl.col("industrial").fill_null(True)
    )
    award = pl.when("payable").then("low").otherwise(0)
    half = pl.when(pl.col("item").is_in(_RECOGNISED)).then(0).otherwise((pl.col("award") + 1) // 2)
    return lines.with_columns(award=award).select(
        *("item", "uscc", "project_id", "district"),
        pl.when("payable").then(pl.lit("payable")).otherwise(pl.lit("pending")).alias("status"),
        *("gross", "award"),
        (pl.col("award") - half).alias("city_share"),
        half.alias("district_share"),
        award_low="low",
        award_high="high",
    )


def prepare(raw: Path) -> dict[str, pl.DataFrame]:
    """The columns that count, in memory."""
    return dict(zip(_COLUMNS, pl.collect_all(_scanned(raw).values()), strict=True))


def _result(frames: dict[str, pl.LazyFrame], terms: Terms = TERMS) -> tuple[pl.DataFrame, pl.DataFrame]:
    lines = _lines(frames, terms).collect(engine="streaming")
    sums = pl.sum("award", "city_share", "district_share")
    totals = lines.lazy().group_by("district", "item").agg(pl.len().alias("lines"), sums)
    return lines, totals.sort("district", "item").collect(engine="streaming")


def compute(loaded: dict[str, pl.DataFrame], terms: Terms = TERMS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines and totals, in memory."""
    return _result({name: frame.lazy() for name, frame in loaded.items()}, terms)


def keep(result: tuple[pl.DataFrame, pl.DataFrame], out: Path) -> None:
    """Write what `compute` returned."""
    for name, frame in zip(("lines", "totals"), result, strict=True):
        frame.write_parquet(out / f"{name}.parquet")


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet, the registries streamed."""
    keep(_result(_scanned(raw)), out)
