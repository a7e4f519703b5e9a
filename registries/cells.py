"""Turn a column of text into values of its kind; a text that cannot be read becomes null and a fault."""

from decimal import Decimal

import polars as pl

from schemas.districts import ALIASES, DISTRICTS
from schemas.labels import filled, packed
from schemas.money import RATE, YUAN
from schemas.registries import DTYPES, Kind

_NUMERIC = ("date", "money", "rate", "count", "year")
_DASHES = "‐‑‒–—―─━−"
NOTHING = rf"^[-/\\{_DASHES}]*$"
"""A cell (packed) that says "nothing"."""
_UNTIDY = r"[^0-9A-Za-z.\-一-鿿]|^-*$"
_UNSEEN = r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
_YES = ["是", "√", "Y", "YES", "1", "有", "真", "TRUE", "✓", "✔", "☑", "1.0"]
_NO = ["否", "×", "N", "NO", "0", "无", "假", "FALSE", "X", "✗", "✕", "0.0"]
_NUMBER = r"^[+-]?0*[0-9]{1,15}(\.[0-9]+)?$"
_GROUPED = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"
_APART = r"(\d)\s+(\d)"
_IN_THREES = r"^[^\d]*\d{1,3}([^\S\r\n\t]\d{3})+(\.\d+)?[^\d]*$"
"""A number whose blanks separate groups of three digits; others (and new lines, tabs) part two numbers."""
_TOO_FINE = r"\.[0-9]{12}[0-9]*[1-9]"
_LONG = 16
"""Characters of a positive number of 15 significant digits and a point; only longer ones are rounded."""
_DAY = r"^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:T[0-9]{1,2}:[0-9]{2}.*)?$"
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
    "district": "不是昆山九个区镇之一；请填写：" + "、".join(DISTRICTS),
}
"""What a clerk reads where a cell cannot be read, by kind."""
_PERCENT_REASON = "不是比例；表头已注明（%），请填 6 或 6%；若确为小数请去掉表头的（%）"


def reason(kind: Kind, factor: Decimal) -> str:
    """What a clerk reads where a cell of a column with this factor cannot be read."""
    return _PERCENT_REASON if kind == "rate" and factor != 1 else REASONS.get(kind, "")


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
    if kind in _NUMERIC:  # ① and ² would become digits of the number they mark, and a next number too
        apart = text.str.replace_all(_APART, "${1}※${2}")
        text = pl.when(text.str.contains(_IN_THREES)).then(text).otherwise(apart)
        folded = packed(text.str.replace_all(r"\p{No}", "※")).str.replace_all(f"[{_DASHES}]", "-")
    return pl.when(~folded.str.contains(NOTHING)).then(folded)


def broken(text: pl.Expr) -> pl.Expr:
    """Why a cleaned text is what a formula left behind instead of a value; null where it is none."""
    error = filled("单元格是公式错误 {}；请在 Excel 中更正公式或直接填入数值后再报送", text)
    unsaved = pl.lit("公式没有保存结果，请在 Excel 中打开并保存后再报送")
    return pl.when(text.str.contains(_ERROR)).then(error).when(text.str.starts_with("=")).then(unsaved)


def parse(text: pl.Series, kind: Kind, factor: Decimal, binary: bool) -> pl.Series:
    """The value of a cleaned text, null where it cannot be read.

    `factor` converts money to yuan (10000 for 万元) and rates to fractions. `binary` says that numbers
    come from doubles, of which 15 significant digits count.
    """
    read = pl.col("text")
    frame = text.to_frame("text")
    if (text.str.starts_with("#") | text.str.starts_with("=")).any():
        frame = frame.select(pl.when(~read.str.contains(f"^=|{_ERROR}")).then(read).alias("text"))
    if kind == "money":
        return _money(frame.to_series(), factor, binary)
    if kind == "rate":
        return _rate(frame.to_series(), factor, binary)
    if kind == "id" and not text.str.ends_with("x").any():
        return frame.to_series()
    return frame.select(_value(read, kind)).to_series()


def tidy_code(text: pl.Series) -> bool:
    """Whether a whole column of codes needs no tidying, as when a system exported it."""
    return bool(text.str.contains("^[0-9A-Z]{18}$").all())


def _value(text: pl.Expr, kind: Kind) -> pl.Expr:
    if kind in ("code", "item"):
        return text.str.to_uppercase()
    if kind == "id":
        return text.str.replace(r"^([0-9]{17})x$", "${1}X")
    if kind == "district":
        bare = text.str.replace_all(r"^(江苏省?)?(苏州市?)?|(管委会|管理委员会|人民政府|镇政府)$", "")
        return bare.replace_strict(ALIASES, default=None, return_dtype=pl.String)
    if kind == "flag":
        words = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
        return text.str.to_uppercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    if kind == "year":
        return text.str.extract(r"^([0-9]{4,5})(?:\.0)?(?:年度?)?$").cast(pl.Int32)
    if kind == "date":
        return _date(text)
    if kind == "count":
        return text.str.extract(r"^([+-]?[0-9]{1,15})(?:\.0+)?$").cast(pl.Int64)
    return text


def _number(text: pl.Series, binary: bool) -> pl.Series:
    """Exact decimals; null where a text is no plain number or is finer than they can hold."""
    read = pl.col("text")
    frame = text.to_frame("text")
    if text.str.contains(",", literal=True).any():
        ungrouped = pl.when(read.str.contains(_GROUPED)).then(read.str.replace_all(",", "", literal=True))
        frame = frame.select(ungrouped.otherwise(read).alias("text"))
    frame = frame.select(pl.when(read.str.contains(_NUMBER)).then(read.str.strip_prefix("+")).alias("text"))
    if binary:
        frame = frame.select(_fifteen_digits(frame.to_series()))
    return frame.select(
        pl.when(~read.str.contains(_TOO_FINE)).then(read).cast(_EXACT, strict=False)
    ).to_series()


def _fifteen_digits(numbers: pl.Series) -> pl.Series:
    """Doubles' texts, of those with more than 15 significant digits and a fraction only these 15."""
    read = pl.col("text")
    long = numbers.to_frame("text").with_row_index("at").filter(read.str.len_bytes() > _LONG)
    long = long.filter(read.str.contains(r"\.")).with_columns(
        digits=read.str.replace_all(r"^-?0*\.?0*|\.", "").str.len_bytes(),
        whole=read.str.extract(r"^-?0*([0-9]*)").str.len_bytes(),
        fine=read.cast(pl.Decimal(38, 18), strict=False),
    )
    for (whole,), part in long.filter(pl.col("digits") > 15).partition_by("whole", as_dict=True).items():
        rounded = part["fine"].round(min(15 - int(whole), 12), mode="half_away_from_zero")
        numbers = numbers.scatter(part["at"], rounded.cast(pl.String))
    return numbers


def _money(text: pl.Series, factor: Decimal, binary: bool) -> pl.Series:
    if text.str.starts_with("¥").any():
        text = text.str.strip_prefix("¥")
    exact = _number(text, binary).to_frame("exact").select(pl.col("exact") * pl.lit(factor))
    yuan = exact.with_columns(fen=pl.col("exact").round(2, mode="half_away_from_zero"))
    fits = (pl.col("fen") == pl.col("exact")) & (pl.col("fen").abs() < pl.lit(_MOST))
    return yuan.select(pl.when(fits).then("fen").cast(YUAN)).to_series()


def _rate(text: pl.Series, factor: Decimal, binary: bool) -> pl.Series:
    signed = text.str.ends_with("%").alias("signed")
    value = _number(text.str.strip_suffix("%"), binary).alias("value")
    hundredth = pl.col("value") * pl.lit(Decimal("0.01"))
    if factor == 1:
        rate: pl.Expr = pl.when("signed").then(hundredth).when(pl.col("value") <= 1).then("value")
    else:  # the header says (%): a bare number below 1 may be a fraction or a percentage
        clear = pl.col("signed") | (pl.col("value") >= 1) | (pl.col("value") == 0)
        rate = pl.when(clear).then(hundredth)
    return pl.DataFrame([signed, value]).select(rate.cast(RATE)).to_series()


def _date(text: pl.Expr) -> pl.Expr:
    read = [
        pl.concat_str(
            [groups.struct.field("1")]
            + [groups.struct.field(part).str.pad_start(2, "0") for part in ("2", "3")],
            separator="-",
        ).str.to_date("%Y-%m-%d", strict=False)
        for groups in (
            text.str.extract_groups(_DAY),
            text.str.extract_groups(r"^([0-9]{4})([0-9]{2})([0-9]{2})$"),
        )
    ]
    serial = text.str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$").cast(pl.Int32)
    return pl.coalesce(*read, pl.date(1899, 12, 30) + pl.duration(days=serial))


def written(double: pl.Expr) -> pl.Expr:
    """A double as text in full, without a power of ten; null where it is too large for an amount."""
    small = double.cast(pl.Decimal(38, 18), strict=False).cast(pl.String)
    text = pl.when(double.abs() < 1e-4).then(small).when(double.abs() < 1e15).then(double.cast(pl.String))
    return text.str.strip_suffix(".0")


def from_typed(column: pl.Expr, dtype: pl.DataType, kind: Kind) -> pl.Expr | None:
    """A Parquet column whose dtype already is its kind's, cast; None where it must be read as text."""
    target = DTYPES[kind]
    exact = dtype.is_integer() or (isinstance(dtype, pl.Decimal) and (dtype.scale or 0) <= 2)
    if kind in ("money", "rate") and exact:
        value = column.cast(target, strict=False)
        return pl.when(value.abs() < pl.lit(_MOST)).then(value)
    if kind in ("year", "count") and dtype.is_integer():
        return column.cast(target, strict=False)
    if kind == "date" and isinstance(dtype, pl.Datetime):
        return column.dt.date()
    return column if dtype == target and dtype != pl.String else None
