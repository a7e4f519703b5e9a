"""Every column of awards.parquet for every line considered, as a Polars specialist scripts it.

The same reasons, notes and workings, word for word, in the same order. Amounts are whole fen in Int64 until the
end, when they become Decimal(38, 2) yuan. Each item's lines are sorted by themselves and stand in the order of
the items, so that nothing is sorted twice; an amount is put in words only where a text names it.
"""

from decimal import Decimal
from pathlib import Path

import polars as pl

WAN = 1_000_000
"""10,000 yuan in fen."""

YUAN = pl.Decimal(38, 2)
_UNIT = 10**10
"""Assessed rates come in ten-thousand-millionths."""

Frames = dict[str, pl.DataFrame]

_ABOUT = {
    "A4.03": ("新认定高新技术企业", "recognition", "stated", "市科技局、市工信局"),
    "A4.04": ("再次认定高新技术企业", "recognition", "stated", "市科技局、市工信局"),
    "A4.05": ("高新技术企业整体迁入", "general", "assumed", "市科技局、市工信局"),
    "A4.06": ("研发费用增长奖励", "general", "stated", "市科技局、市工信局"),
    "A5.03": ("工程化阶段瓶颈攻关", "general", "stated", "市科技局、市工信局"),
    "A6.04": ("祖冲之攻关计划", "general", "stated", "市科技局"),
    "A7.08": ("赴沪购买科技服务创新券", "general", "stated", "市科技局"),
    "A11.02": ("集群工业企业设备投入奖励", "general", "stated", "市工信局"),
    "A12.05": ("药械注册证奖励", "general", "assumed", "市工信局、市科技局"),
}
"""Title, class, its basis and the lead department, in the order of the texts."""

_REVIEWS = {
    "A4.05": "请核：从昆山市以外整体迁入；迁入时高新技术企业证书在有效期内",
    "A5.03": "请核：属第五条所举重点领域，未列举的由部门认定；已完成工程化阶段的攻关；申报基数为攻关投入",
    "A6.04": "请核：祖冲之攻关计划项目，大院大所与企业联合；申报基数为企业实际投入",
    "A7.08": "请核：在上海购买的科技服务；申报基数为实际支出",
    "A11.02": "请核：产业创新集群企业",
    "A12.05": "请核：本市企业研发并在昆生产的产品",
}
_FIXED = {"A4.03": (25, "250,000.00"), "A4.04": (5, "50,000.00"), "A4.05": (15, "150,000.00")}
_SEVERAL = "同一申报人（个人按证件号码）本条另有一笔，请核是否同一事项，同一事项只兑付一次"
_NOTHING = "核定或计算的金额为零"

_LINE = {
    "uscc": pl.String,
    "project_id": pl.String,
    "certificate_no": pl.String,
    "level": pl.String,
    "event_on": pl.Date,
    "source_row": pl.Int64,
    "status": pl.String,
    "reason": pl.String,
    "review": pl.String,
    "gross": pl.Int64,
    "low": pl.Int64,
    "high": pl.Int64,
    "working": pl.String,
}

_ONES = pl.Series([str(number) for number in range(1000)])
_GROUPS = pl.Series([f",{number:03d}" for number in range(1000)])
_CENTS = pl.Series([f".{number:02d}" for number in range(100)])


def _wan(number: int) -> pl.Expr:
    return pl.lit(number * WAN, pl.Int64)


def _text(fen: pl.Expr) -> pl.Expr:
    """Fen as `1,234,567.89`, from tables of three digits: half the time of regular expressions."""
    size = fen.abs()
    yuan = size // 100
    pieces = [pl.when(fen < 0).then(pl.lit("-")).otherwise(pl.lit(""))]
    for power in (3, 2, 1):
        group = yuan // 1000**power % 1000
        pieces.append(
            pl.when(yuan >= 1000 ** (power + 1))
            .then(pl.lit(_GROUPS).gather(group))
            .when(yuan >= 1000**power)
            .then(pl.lit(_ONES).gather(group))
            .otherwise(pl.lit(""))
        )
    last = yuan % 1000
    ones = pl.when(yuan >= 1000).then(pl.lit(_GROUPS).gather(last)).otherwise(pl.lit(_ONES).gather(last))
    return pl.concat_str([*pieces, ones, pl.lit(_CENTS).gather(size % 100)])


def _said(*pieces: str | pl.Expr) -> pl.Expr:
    return pl.concat_str([pl.lit(piece) if isinstance(piece, str) else piece for piece in pieces])


def _notes(*notes: pl.Expr) -> pl.Expr:
    return pl.concat_str(notes, separator="；", ignore_nulls=True)


def _shaped(rows: pl.DataFrame, **given: pl.Expr) -> pl.DataFrame:
    """The columns of a line; those neither given nor in the rows are empty, amounts zero."""
    zero = ("gross", "low", "high")
    held = [
        given[c].alias(c)
        if c in given
        else pl.col(c)
        if c in rows.columns
        else pl.lit(0 if c in zero else None, t).alias(c)
        for c, t in _LINE.items()
    ]
    return rows.select(held)


def _refused(rows: pl.DataFrame, reason: pl.Expr | str, working: pl.Expr | None = None) -> pl.DataFrame:
    why = pl.lit(reason) if isinstance(reason, str) else reason
    given = {"status": pl.lit("ineligible"), "reason": why, "review": pl.lit(None, pl.String)}
    zero = {name: pl.lit(0, pl.Int64) for name in ("gross", "low", "high")}
    return _shaped(rows, **given, **zero, working=pl.lit(None, pl.String) if working is None else working)


def _paid(
    rows: pl.DataFrame, item: str, award: pl.Expr, working: pl.Expr, review: pl.Expr | None = None
) -> pl.DataFrame:
    """Payable lines of the column `gross` that come to `award`."""
    usual = pl.lit(_REVIEWS.get(item), pl.String)
    noted = usual if review is None else review
    return _shaped(rows, status=pl.lit("payable"), review=noted, low=award, high=award, working=working)


def _up_to(
    rows: pl.DataFrame, item: str, head: pl.Expr, cap: pl.Expr, review: pl.Expr | None = None
) -> list[pl.DataFrame]:
    """Lines of `gross`, each bounded by its own `cap` (fen), and those that come to nothing."""
    over = pl.when(pl.col("gross") > cap).then(_said("，超过上限 ", _text(cap), "，按上限兑付"))
    tail = over.otherwise(_said("，未超上限 ", _text(cap)))
    due, nothing = rows.filter(pl.col("gross") > 0), rows.filter(pl.col("gross") == 0)
    lines = [_paid(due, item, pl.min_horizontal("gross", cap), _said(head, tail), review)]
    return [*lines, _refused(nothing, _NOTHING, head)] if nothing.height else lines


def _high_tech(certifications: pl.DataFrame, item: str) -> list[pl.DataFrame]:
    rows = certifications.filter(pl.col("item") == item)
    award, text = _FIXED[item]
    rows, amount = rows.with_columns(gross=_wan(award)), _wan(award)
    several = pl.when(pl.len().over("uscc") > 1).then(pl.lit(_SEVERAL))
    noted = _notes(pl.lit(_REVIEWS.get(item), pl.String), several)
    return [_paid(rows, item, amount, pl.lit(f"定额 {text}"), pl.when(noted != "").then(noted))]


def _rnd(rnd: pl.DataFrame) -> list[pl.DataFrame]:
    before = rnd.filter(pl.col("year") == 2022).select(
        "uscc", spent_before="rnd_expense", deducted="super_deduction"
    )
    rows = rnd.filter(pl.col("year") == 2023).join(before, on="uscc", how="left")
    rows = rows.with_columns(
        event_on=pl.date(2023, 12, 31),
        growth=pl.col("rnd_expense") - pl.col("spent_before"),
        both=pl.col("super_deduction") & pl.col("deducted"),
    )
    enough = pl.col("growth") >= 20 * WAN
    unsure = pl.col("both").is_null() | pl.col("growth").is_null()
    place = (
        pl.when(~pl.col("both"))
        .then(0)
        .when(~enough)
        .then(1)
        .when(unsure)
        .then(2)
        .otherwise(3)
        .cast(pl.Int8)
        .alias("place")
    )
    rows = rows.with_columns(place)
    never, small, missing, due = (rows.filter(pl.col("place") == place) for place in range(4))
    due = due.with_columns(gross=(pl.col("growth") * 6 + 50) // 100)
    growth = _said("研发费用增长额 ", _text(pl.col("growth")))
    absent = [
        pl.when(pl.col(column).is_null()).then(pl.lit(name))
        for column, name in (
            ("super_deduction", "享受加计扣除"),
            ("deducted", "上年度享受加计扣除"),
            ("spent_before", "上年度研发费用"),
        )
    ]
    names = pl.concat_str(absent, separator="、", ignore_nulls=True)
    deducts = [_yes_no("super_deduction"), " 且 上年度享受加计扣除 ", _yes_no("deducted")]
    return [
        _refused(never, "不符合条件「连续两年享受加计扣除」", _said("享受加计扣除 ", *deducts, "，不成立")),
        _refused(small, "不符合条件「研发费用年度增长达到门槛」", _said(growth, " ≥ 200,000.00，不成立")),
        _refused(missing, _said("缺少数据：", names)),
        *_up_to(due, "A4.06", _said(growth, " × 6% = ", _text(pl.col("gross"))), _wan(300)),
    ]


def _yes_no(column: str) -> pl.Expr:
    said = pl.when(pl.col(column)).then(pl.lit("是")).when(~pl.col(column)).then(pl.lit("否"))
    return said.otherwise(pl.lit("（缺）"))


def _based(claims: pl.DataFrame, item: str, rate: int) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The rows of an item with `gross`, `rate` percent of the base, and lines for those without a base."""
    rows = claims.filter(pl.col("item") == item)
    known = rows.filter(pl.col("base_amount").is_not_null())
    absent = _refused(rows.filter(pl.col("base_amount").is_null()), "缺少数据：申报基数")
    return known.with_columns(gross=(pl.col("base_amount") * rate + 50) // 100), [absent]


def _head(rate: int) -> pl.Expr:
    return _said("申报基数 ", _text(pl.col("base_amount")), f" × {rate}% = ", _text(pl.col("gross")))


def _projects(claims: pl.DataFrame, item: str, rate: int, cap: pl.Expr) -> list[pl.DataFrame]:
    known, absent = _based(claims, item, rate)
    return [*absent, *_up_to(known, item, _head(rate), cap)]


def _vouchers(claims: pl.DataFrame) -> list[pl.DataFrame]:
    known, absent = _based(claims, "A7.08", 20)
    known = known.with_columns(total=pl.col("gross").sum().over("uscc"), members=pl.len().over("uscc"))
    tight = pl.col("total") > 300 * WAN
    shared = _within(known.filter(tight & (pl.col("members") > 1)).with_columns(fen="gross", bound=_wan(300)))
    own = known.filter(~tight | (pl.col("members") == 1))
    return [
        *absent,
        *_up_to(own, "A7.08", _head(20), _wan(300)),
        _shared(shared, "A7.08", _head(20), "3,000,000.00", pl.lit(_REVIEWS["A7.08"])),
    ]


def _shared(rows: pl.DataFrame, item: str, head: pl.Expr, cap: str, review: pl.Expr) -> pl.DataFrame:
    """Lines of enterprises that exceed a cap together; `fen` is what is left of them."""
    cut = pl.col("gross") - pl.col("fen")
    told = _said("，合计超过上限 ", cap, "，按比例核减 ", _text(cut), "，兑付 ", _text(pl.col("fen")))
    tail = pl.when(cut > 0).then(told).otherwise(pl.lit(f"，未超上限 {cap}"))
    return _paid(rows, item, pl.col("fen"), _said(head, tail), review)


def _within(rows: pl.DataFrame) -> pl.DataFrame:
    """`fen` so that each enterprise's add up to its `bound`, where they were more: by largest remainder."""
    total = pl.col("fen").sum().over("uscc")
    rows = rows.with_columns(total=total, excess=pl.max_horizontal(total - pl.col("bound"), 0))
    share = pl.col("fen").cast(pl.Int128) * pl.col("excess")
    whole = pl.max_horizontal("total", 1)
    rows = rows.with_columns(cut=(share // whole).cast(pl.Int64), rest=share % whole)
    rows = rows.sort("uscc", "rest", "project_id", descending=[False, True, False])
    odd = pl.col("excess") - pl.col("cut").sum().over("uscc")
    one = (pl.int_range(pl.len()).over("uscc") < odd).cast(pl.Int64)
    return rows.with_columns(fen=pl.col("fen") - pl.col("cut") - one)


def _equipment(equipment: pl.DataFrame, enterprises: pl.DataFrame) -> list[pl.DataFrame]:
    rows = equipment.filter(pl.col("year") == 2023).join(
        enterprises.select("uscc", "industrial"), on="uscc", how="left"
    )
    rate, spent = pl.col("assessed_rate").to_physical(), pl.col("equipment_investment")
    rows = rows.with_columns(event_on=pl.date(2023, 12, 31), rate=rate)
    trades = rows.filter(~pl.col("industrial"))
    rows = rows.filter(pl.col("industrial").fill_null(True))
    small = rows.filter(spent < 2000 * WAN)
    rows = rows.filter(spent >= 2000 * WAN)
    given = (spent.cast(pl.Int128) * pl.col("rate") + _UNIT // 2) // _UNIT
    assessed = rows.filter(pl.col("rate").is_not_null()).with_columns(gross=given.cast(pl.Int64))
    inside = pl.col("rate").is_between(6 * _UNIT // 100, 15 * _UNIT // 100)
    percent = (pl.col("assessed_rate") * 100).cast(pl.Decimal(38, 8)).cast(pl.String)
    percent = _said(percent.str.strip_chars_end("0").str.strip_chars_end("."), "%")
    bought = _said("设备投资额 ", _text(spent))
    head = _said(bought, " × 核定比例 ", percent, " = ", _text(pl.col("gross")))
    unsaid = pl.when(pl.col("industrial").is_null()).then(pl.lit("「工业企业」缺少数据，以部门核定为准"))
    review = _notes(pl.lit(_REVIEWS["A11.02"]), unsaid)
    cut = pl.when(pl.col("gross") > 1000 * WAN)
    tail = cut.then(pl.lit("，超过上限 10,000,000.00，按上限兑付")).otherwise(
        pl.lit("，未超上限 10,000,000.00")
    )
    outside = _said("核定比例 ", percent, " 超出 6%～15%，请部门重新核定")
    due = assessed.filter(inside)
    return [
        _refused(trades, "不符合条件「工业企业」", pl.lit("工业企业 否，不成立")),
        _refused(small, "不符合条件「年度设备投入达到门槛」", _said(bought, " ≥ 20,000,000.00，不成立")),
        _refused(assessed.filter(~inside), outside, head),
        _paid(due, "A11.02", pl.min_horizontal("gross", _wan(1000)), _said(head, tail), review),
        _open_equipment(rows.filter(pl.col("rate").is_null()), bought, review),
    ]


def _open_equipment(rows: pl.DataFrame, bought: pl.Expr, review: pl.Expr) -> pl.DataFrame:
    spent = pl.col("equipment_investment")
    rows = rows.with_columns(
        low=pl.min_horizontal((spent * 6 + 50) // 100, _wan(1000)),
        high=pl.min_horizontal((spent * 15 + 50) // 100, _wan(1000)),
    )
    certain = pl.when(pl.col("low") == pl.col("high"))
    certain = certain.then(pl.lit("在法定幅度内金额都相同，部门核定后即可兑付"))
    span = _said("，待核定：", _text(pl.col("low")), " 至 ", _text(pl.col("high")))
    return _shaped(
        rows,
        status=pl.lit("pending"),
        review=_notes(review, pl.lit("待部门核定，请填「核定比例」"), certain),
        working=_said(bought, " × 6%～15%", span),
    )


def _certificates(claims: pl.DataFrame) -> list[pl.DataFrame]:
    """Lines not yet assessed share what the assessed ones leave of the enterprise's yearly cap."""
    rows = claims.filter(pl.col("item") == "A12.05")
    cap = pl.when(pl.col("level") == "二类医疗器械注册证").then(_wan(50)).otherwise(_wan(100))
    rows = rows.with_columns(
        gross="assessed_amount",
        cap=cap,
        fen=pl.when(pl.col("assessed_amount").is_not_null()).then(pl.min_horizontal("assessed_amount", cap)),
        several=pl.len().over("uscc", "level") > 1,
    ).with_columns(paid=pl.col("fen").sum().over("uscc"), members=pl.len().over("uscc"))
    note = pl.when("several").then(pl.lit(_SEVERAL))
    review = _notes(pl.lit(_REVIEWS["A12.05"]), note)
    known, open_ = rows.filter(pl.col("gross").is_not_null()), rows.filter(pl.col("gross").is_null())
    head = _said("核定金额 ", _text(pl.col("gross")))
    tight = pl.col("paid") > 1000 * WAN
    own = _up_to(known.filter(~tight), "A12.05", head, pl.col("cap"), review)
    shared = _within(known.filter(tight).with_columns(bound=_wan(1000)))
    left = pl.max_horizontal(1000 * WAN - pl.col("paid"), 0)
    waits = _within(open_.with_columns(fen="cap", bound=left))
    to_fill = pl.lit("待部门核定，请填「核定金额」或「核定比例」")
    return [
        *own,
        _shared(shared, "A12.05", head, "10,000,000.00", review),
        _shaped(
            waits.filter(pl.col("fen") > 0),
            status=pl.lit("pending"),
            review=_notes(pl.lit(_REVIEWS["A12.05"]), to_fill, note),
            gross=pl.lit(0, pl.Int64),
            high=pl.col("fen"),
            working=_said("待核定：0.00 至 ", _text(pl.col("fen"))),
        ),
        _refused(waits.filter(pl.col("fen") == 0), "封顶额度已由其他奖补用完"),
    ]


_ITEMS = {
    "A4.03": ("certifications", lambda held: _high_tech(held["certifications"], "A4.03")),
    "A4.04": ("certifications", lambda held: _high_tech(held["certifications"], "A4.04")),
    "A4.05": ("certifications", lambda held: _high_tech(held["certifications"], "A4.05")),
    "A4.06": ("rnd", lambda held: _rnd(held["rnd"])),
    "A5.03": ("claims", lambda held: _projects(held["claims"], "A5.03", 50, _engineering_cap())),
    "A6.04": ("claims", lambda held: _projects(held["claims"], "A6.04", 20, _wan(100))),
    "A7.08": ("claims", lambda held: _vouchers(held["claims"])),
    "A11.02": ("equipment", lambda held: _equipment(held["equipment"], held["enterprises"])),
    "A12.05": ("claims", lambda held: _certificates(held["claims"])),
}
"""By item, in the order of the texts, its registry and its lines."""


def _engineering_cap() -> pl.Expr:
    return pl.when(pl.col("level") == "航空航天").then(_wan(1000)).otherwise(_wan(500))


def _of_item(item: str, registry: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """An item's lines in order, with what is the same for all of them and the shares (fen)."""
    title, kind, basis, department = _ABOUT[item]
    payable = pl.col("status") == "payable"
    award = pl.when(payable).then(pl.col("low")).otherwise(0)
    half = pl.lit(0, pl.Int64) if kind == "recognition" else (award + 1) // 2
    lines = pl.concat(parts).sort("uscc", "project_id", "certificate_no")
    return lines.with_columns(
        policy=pl.lit("A"),
        article=pl.lit(int(item[1:].split(".")[0]), pl.Int32),
        item=pl.lit(item),
        title=pl.lit(title),
        lead_department=pl.lit(department),
        class_basis=pl.lit(basis),
        registry=pl.lit(registry),
        source_file=pl.lit(f"{registry}.parquet"),
        cap_reduction=pl.when(payable).then(pl.col("gross") - pl.col("low")).otherwise(0),
        award=award,
        city_share=award - half,
        district_share=half,
        **{"class": pl.lit(kind)},
    )


def _published(lines: pl.DataFrame, enterprises: pl.DataFrame) -> pl.DataFrame:
    """The columns of awards.parquet, in its order."""
    about = enterprises.select("uscc", "name", "district")
    lines = lines.join(about, on="uscc", how="left", maintain_order="left")
    nothing, nobody = pl.lit(Decimal(0), YUAN), pl.lit(None, pl.String)
    return lines.select(
        pl.lit(2023, pl.Int32).alias("year"),
        *("policy", "article", "item", "title", "class", "class_basis", "lead_department"),
        *("uscc", "name", "district", nobody.alias("person_id"), "project_id", "certificate_no", "level"),
        *("event_on", "registry", "source_file", nobody.alias("source_sheet"), "source_row"),
        *("status", "reason", "review"),
        *(_yuan(c) for c in ("gross", "cap_reduction")),
        nothing.alias("overlap_reduction"),
        *(_yuan(c) for c in ("award", "city_share", "district_share")),
        nothing.alias("prefecture_share"),
        _yuan("low").alias("award_low"),
        _yuan("high").alias("award_high"),
        "working",
        nobody.alias("person_name"),
        nothing.alias("paid"),
        _yuan("award").alias("to_pay"),
        nothing.alias("to_recover"),
    )


def _yuan(fen: str) -> pl.Expr:
    return pl.col(fen).cast(YUAN) * pl.lit(Decimal("0.01"), YUAN)


def _fen(column: str) -> pl.Expr:
    return pl.col(column).to_physical().cast(pl.Int64)


_COLUMNS: dict[str, list[str | pl.Expr]] = {
    "enterprises": ["uscc", "name", "district", "industrial"],
    "rnd": ["uscc", "year", _fen("rnd_expense"), "super_deduction"],
    "equipment": ["uscc", "year", "project_id", _fen("equipment_investment"), "assessed_rate"],
    "certifications": ["uscc", "item", "project_id", "certificate_no", "level", "certified_on"],
    "claims": [
        "uscc",
        "item",
        "level",
        "project_id",
        "event_on",
        _fen("base_amount"),
        _fen("assessed_amount"),
    ],
}


def prepare(raw: Path) -> Frames:
    """The columns that count with the place of each row, in memory."""
    scanned = [
        pl.scan_parquet(raw / "2023" / f"{name}.parquet").select(columns).with_row_index("source_row", 1)
        for name, columns in _COLUMNS.items()
    ]
    frames = dict(zip(_COLUMNS, pl.collect_all(scanned), strict=True))
    frames["certifications"] = frames["certifications"].rename({"certified_on": "event_on"})
    return {name: frame.with_columns(pl.col("source_row").cast(pl.Int64)) for name, frame in frames.items()}


def compute(loaded: Frames) -> pl.DataFrame:
    """Every line considered, in the shape and order of awards.parquet."""
    lines = [_of_item(item, name, made(loaded)) for item, (name, made) in _ITEMS.items()]
    return _published(pl.concat(lines), loaded["enterprises"])


def keep(awards: pl.DataFrame, out: Path) -> None:
    """Write what `compute` returned."""
    awards.write_parquet(out / "awards.parquet", compression="zstd", row_group_size=250_000)


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet."""
    keep(compute(prepare(raw)), out)
