"""Turn a column of text into values of its kind; a text that cannot be read becomes null and a fault."""

from decimal import Decimal

import polars as pl

from schemas.districts import ALIASES
from schemas.labels import packed
from schemas.money import RATE, YUAN
from schemas.registries import DTYPES, Kind

_DASHES = "‐‑‒–—―─━−"
NOTHING = rf"^[-/\\{_DASHES}]*$"
"""A cell (packed) that says "nothing"."""
_UNTIDY = r"[^0-9A-Za-z.\-一-鿿]|^-*$"
_UNSEEN = r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
_YES = ["是", "√", "Y", "YES", "1", "有", "真", "TRUE", "✓", "✔", "☑", "1.0"]
_NO = ["否", "×", "N", "NO", "0", "无", "假", "FALSE", "X", "✗", "✕", "0.0"]
_NUMBER = r"^[+-]?0*\d{1,15}(\.\d+)?$"
_GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_EXACT = pl.Decimal(38, 12)
_MOST = Decimal(10) ** 15
_ERROR = r"^#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|GETTING_DATA)"

REASONS: dict[Kind, str] = {
    "money": "不是金额；请只填数字（可带千分位），金额最细到分、小于一千万亿元，不要用科学计数法",
    "rate": "不是比例；请填小数（0.06）或带百分号的数（6%），大于1而无百分号的不能确定含义",
    "flag": "不是「是」或「否」；请填是或否",
    "year": "不是年度；请填四位数字，如2023",
    "date": "不是日期或日期不存在；请写成2023-05-01的样子",
    "count": "不是整数；请只填整数",
    "district": "不是昆山九个区镇之一；请填区镇名称",
}
"""What a clerk reads where a cell cannot be read, by kind."""


def cleaned(text: pl.Series, kind: Kind) -> pl.Series:
    """A column's text without stray blanks; words for nothing become null. Names keep their inner blanks."""
    if not text.str.contains(_UNTIDY).any():
        return text
    return text.to_frame("text").select(_clean(pl.col("text"), kind)).to_series()


def _clean(text: pl.Expr, kind: Kind) -> pl.Expr:
    if kind == "name":
        seen = text.str.replace_all(_UNSEEN, "").str.replace_all(r"[\s\x00-\x1f]+", " ").str.strip_chars()
        return pl.when(~seen.str.normalize("NFKC").str.contains(NOTHING)).then(seen)
    if kind == "date":
        text = text.str.replace(r"\s+(\d{1,2}[:：])", "T$1")
    folded = packed(text)
    if kind in ("date", "money", "rate", "count"):
        folded = folded.str.replace_all(f"[{_DASHES}]", "-")
    return pl.when(~folded.str.contains(NOTHING)).then(folded)


def broken(text: pl.Expr) -> pl.Expr:
    """Why a cleaned text is what a formula left behind instead of a value; null where it is none."""
    error = pl.format("单元格是公式错误 {}；请在 Excel 中更正公式或直接填入数值后再报送", text)
    unsaved = pl.lit("公式没有保存结果，请在 Excel 中打开并保存后再报送")
    return pl.when(text.str.contains(_ERROR)).then(error).when(text.str.starts_with("=")).then(unsaved)


def parse(text: pl.Expr, kind: Kind, factor: Decimal, binary: bool) -> pl.Expr:
    """The value of a cleaned text, null where it cannot be read.

    `factor` converts money to yuan (10000 for 万元) and rates to fractions. `binary` says that numbers
    come from doubles, of which 15 significant digits count.
    """
    text = pl.when(~text.str.contains(f"^=|{_ERROR}")).then(text)
    if kind in ("code", "item"):
        return text.str.to_uppercase()
    if kind in ("name", "word"):
        return text
    if kind == "id":
        return text.str.replace(r"^(\d{17})x$", "${1}X")
    if kind == "district":
        bare = text.str.replace_all(r"^(江苏省?)?(苏州市?)?|(管委会|管理委员会|人民政府|镇政府)$", "")
        return bare.replace_strict(ALIASES, default=None, return_dtype=pl.String)
    if kind == "flag":
        words = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
        return text.str.to_uppercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    if kind == "year":
        return text.str.extract(r"^(\d{4,5})(?:\.0)?(?:年度?)?$").cast(pl.Int32)
    if kind == "date":
        return _date(text)
    if kind == "count":
        return text.str.extract(r"^([+-]?\d{1,15})(?:\.0+)?$").cast(pl.Int64)
    return _rate(text, factor, binary) if kind == "rate" else _money(text, factor, binary)


def _number(text: pl.Expr, binary: bool) -> pl.Expr:
    """An exact decimal; null where the text is no plain number or is finer than it can hold."""
    bare = pl.when(text.str.contains(_GROUPED)).then(text.str.replace_all(",", "")).otherwise(text)
    bare = pl.when(bare.str.contains(_NUMBER)).then(bare.str.strip_prefix("+"))
    exact = bare.str.contains(r"\.\d{13,}") & ~bare.str.contains(r"\.\d{0,12}0*$")
    value = pl.when(~exact).then(bare).cast(_EXACT, strict=False)
    return pl.coalesce(_fifteen_digits(bare), value) if binary else value


def _fifteen_digits(bare: pl.Expr) -> pl.Expr:
    """A double's text rounded to 15 significant digits; null where it has no more than that."""
    whole = bare.str.extract(r"^-?0*(\d*)").str.len_bytes().cast(pl.Int32)
    digits = bare.str.replace(r"^-?0*\.?0*", "").str.replace(r"\.", "").str.len_bytes()
    fine = bare.cast(pl.Decimal(38, 18), strict=False)
    rounded = pl.coalesce(
        pl.when(whole == places).then(fine.round(min(15 - places, 12), mode="half_away_from_zero"))
        for places in range(16)
    )
    return pl.when((digits > 15) & bare.str.contains(r"\.")).then(rounded).cast(_EXACT, strict=False)


def _money(text: pl.Expr, factor: Decimal, binary: bool) -> pl.Expr:
    yuan = _number(text.str.strip_prefix("¥"), binary) * pl.lit(factor)
    whole_fen = yuan.round(2, mode="half_away_from_zero")
    return pl.when((whole_fen == yuan) & (whole_fen.abs() < pl.lit(_MOST))).then(whole_fen).cast(YUAN)


def _rate(text: pl.Expr, factor: Decimal, binary: bool) -> pl.Expr:
    signed = text.str.ends_with("%")
    value = _number(text.str.strip_suffix("%"), binary)
    hundredth = pl.lit(Decimal("0.01"))
    if factor != 1:  # the header says (%): a bare number below 1 may be a fraction or a percentage
        return pl.when(signed | (value >= 1) | (value == 0)).then(value * hundredth).cast(RATE)
    fraction = pl.when(signed).then(value * hundredth).when(value <= 1).then(value)
    return fraction.cast(RATE)


def _date(text: pl.Expr) -> pl.Expr:
    parts = text.str.extract_groups(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:T\d{1,2}:\d{2}.*)?$")
    eight = text.str.extract_groups(r"^(\d{4})(\d{2})(\d{2})$")
    serial = text.str.extract(r"^(\d{5})(?:\.\d+)?$").cast(pl.Int32)
    read = [
        pl.concat_str(
            [g.struct.field("1"), g.struct.field("2").str.zfill(2), g.struct.field("3").str.zfill(2)],
            separator="-",
        ).str.to_date("%Y-%m-%d", strict=False)
        for g in (parts, eight)
    ]
    return pl.coalesce(*read, pl.date(1899, 12, 30) + pl.duration(days=serial))


def written(double: pl.Expr) -> pl.Expr:
    """A double as text in full, without a power of ten; null where it is too large for an amount."""
    small = double.cast(pl.Decimal(38, 18), strict=False).cast(pl.String)
    text = pl.when(double.abs() < 1e-4).then(small).when(double.abs() < 1e15).then(double.cast(pl.String))
    return text.str.strip_suffix(".0")


def from_typed(column: pl.Expr, dtype: pl.DataType, kind: Kind) -> pl.Expr | None:
    """A Parquet column whose dtype already is its kind's, cast; None where it must be read as text."""
    target = DTYPES[kind]
    if dtype.is_integer() and kind in ("year", "count", "money", "rate"):
        return column.cast(target, strict=False)
    if kind in ("money", "rate") and isinstance(dtype, pl.Decimal) and (dtype.scale or 0) <= target.scale:
        return column.cast(target, strict=False)
    if kind == "date" and isinstance(dtype, pl.Datetime):
        return column.dt.date()
    return column if dtype == target and dtype != pl.String else None
