"""One cell of each kind, in all the ways departments write it: read exactly, or refused with a reason."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registries import cells
from schemas.districts import DISTRICTS
from schemas.registries import DTYPES, Kind

FAULT = object()
"""The cell says something that cannot be read."""

WAN, YI = Decimal(10_000), Decimal(100_000_000)


def read(kind: Kind, *texts: str | None, factor: Decimal = Decimal(1), binary: bool = False) -> list[Any]:
    """The value of each cell, None where it says nothing, FAULT where it cannot be read."""
    text = cells.cleaned(pl.Series("text", texts, pl.String), kind)
    values = cells.parse(text, kind, factor, binary)
    assert values.dtype == DTYPES[kind]
    return [
        FAULT if said is not None and value is None else value
        for said, value in zip(text, values, strict=True)
    ]


NOTHING = [
    "",
    " ",
    "\u3000",
    "\u00a0 \t\n",
    "-",
    "－",
    "—",
    "——",
    "–",
    "−",
    "/",
    "／",
    " — ",
    "―",
    "--",
    None,
]


@pytest.mark.parametrize("kind", DTYPES)
def test_words_for_nothing_are_nothing_in_every_kind(kind: Kind) -> None:
    assert read(kind, *NOTHING) == [None] * len(NOTHING)


@pytest.mark.parametrize("kind", DTYPES)
def test_what_a_formula_left_behind_is_never_a_value(kind: Kind) -> None:
    texts = ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "=B2*2"]
    assert read(kind, *texts) == [FAULT] * len(texts)
    reasons = pl.DataFrame({"text": ["#N/A", "=B2*2", "12"]}).select(cells.broken(pl.col("text"))).to_series()
    assert reasons[0].startswith("单元格是公式错误 #N/A")
    assert reasons[1] == "公式没有保存结果，请在 Excel 中打开并保存后再报送"
    assert reasons[2] is None


BLANKS = [
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u3000",
    "\u2003",
    "\u202f",
    "\u200b",
    "\u200e",
    "\u2060",
    "\ufeff",
]


@pytest.mark.parametrize("blank", BLANKS)
def test_blanks_of_every_kind_leave_codes_ids_and_words(blank: str) -> None:
    messy = blank + blank.join(["914403", "0019", "22038216"]) + blank
    assert read("code", messy) == ["914403001922038216"]
    assert read("id", messy) == ["914403001922038216"]
    assert read("item", f"A{blank}4.06{blank}") == ["A4.06"]
    assert read("word", f"{blank}国家{blank}级") == ["国家级"]
    parts = any(sign in blank for sign in "\r\n\t")
    assert read("money", f"{blank}1{blank}234.5") == [FAULT if parts else Decimal("1234.50")]
    assert read("date", f"{blank}2023年{blank}5月1日") == [date(2023, 5, 1)]


def test_full_width_and_lower_case() -> None:
    assert read("code", "９１440３00mａ1ＭＣk３l7x") == ["91440300MA1MCK3L7X"]
    assert read("item", "ａ４．０６", "a4.06") == ["A4.06", "A4.06"]
    assert read("id", "ＫＪ－２０２３（１）", "kj-7") == ["KJ-2023(1)", "kj-7"]
    assert read("word", "Ａ级（国家）") == ["A级(国家)"]


def test_a_resident_id_may_end_in_a_small_x() -> None:
    assert read("id", "11010519491231002x", "11010519491231002ｘ", "e12345x") == [
        "11010519491231002X",
        "11010519491231002X",
        "e12345x",
    ]


def test_names_keep_their_inner_blanks_and_brackets() -> None:
    assert read("name", "\u3000 Bosch  Rexroth（昆山）\n有限公司 ", "昆\u200b山", "－") == [
        "Bosch Rexroth（昆山） 有限公司",
        "昆山",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("0", "0"),
        ("1234567.89", "1234567.89"),
        ("1,234,567.89", "1234567.89"),
        ("１，２３４．５", "1234.50"),
        ("+12", "12"),
        ("＋１２", "12"),
        ("-12.30", "-12.30"),
        ("－12.3", "-12.30"),
        ("−12.3", "-12.30"),
        ("¥1,000", "1000"),
        ("￥1000.5", "1000.50"),
        ("0012", "12"),
        ("1.500000", "1.50"),
        ("999999999999999.99", "999999999999999.99"),
    ],
)
def test_amounts_are_exact(text: str, yuan: str) -> None:
    assert read("money", text) == [Decimal(yuan)]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1.005",
            "0.001",
            "1.2345E+06",
            "1e5",
            "12万",
            "12元",
            "1,23,456",
            "12,34",
            "1.2.3",
            "约100",
            "(100)",
        ),
        *(
            "一百",
            "100①",
            "12²",
            "½",
            "٣٤",
            "1-2",
            "NaN",
            "inf",
            "0x10",
            "1_000",
            "是",
            "1000000000000000",
            "9" * 40,
            "1.",
            ".5",
            "5%",
        ),
    ],
)
def test_what_is_no_amount_or_finer_than_a_fen_is_refused(text: str) -> None:
    assert read("money", text) == [FAULT]


@pytest.mark.parametrize(
    ("text", "factor", "yuan"),
    [
        ("0.000001", WAN, "0.01"),
        ("123.456789", WAN, "1234567.89"),
        ("12.3450", WAN, "123450"),
        ("1.2345678901", YI, "123456789.01"),
        ("0.0000000001", YI, "0.01"),
        ("99999.9999999999", YI, "9999999999999.99"),
        ("0.0000001", WAN, None),
        ("1.23456789012", YI, None),
        ("1.234567890100", YI, "123456789.01"),
        ("10000000", YI, None),
        ("1.0000000000001", YI, None),
    ],
)
def test_units_convert_exactly(text: str, factor: Decimal, yuan: str | None) -> None:
    expected = FAULT if yuan is None else Decimal(yuan)
    assert read("money", text, factor=factor) == [expected]
    assert read("money", text, factor=factor, binary=True) == [expected]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-(10**15) + 1, 10**15 - 1), min_size=1, max_size=40),
    st.sampled_from([Decimal(1), Decimal(1000), WAN, Decimal(1_000_000), YI]),
)
def test_doubles_of_at_most_fifteen_digits_give_back_every_fen(fen: list[int], factor: Decimal) -> None:
    amounts = [Decimal(value) / 100 for value in fen]
    shown = [float(amount / factor) for amount in amounts]
    texts = pl.Series(shown).to_frame("x").select(cells.written(pl.col("x"))).to_series().to_list()
    assert read("money", *texts, factor=factor, binary=True) == amounts
    exactly = [f"{amount / factor:.12f}" for amount in amounts]
    assert read("money", *exactly, factor=factor) == amounts


@pytest.mark.parametrize(
    ("double", "yuan"),
    [
        (0.1 + 0.2, "0.30"),
        (1.1 * 3, "3.30"),
        (4.35 * 100, "435"),
        (1234567.89 * 3, "3703703.67"),
        (1e-10, None),
        (1 / 3, None),
        (2.675, None),
        (1e15, None),
        (float("nan"), None),
    ],
)
def test_a_double_counts_for_fifteen_digits(double: float, yuan: str | None) -> None:
    text = pl.DataFrame({"x": [double]}).select(cells.written(pl.col("x"))).item()
    assert read("money", text or str(double), binary=True) == [FAULT if yuan is None else Decimal(yuan)]


def test_a_text_of_more_digits_is_not_rounded() -> None:
    assert read("money", "0.30000000000000004") == [FAULT]
    assert read("money", "0.30000000000000004", binary=True) == [Decimal("0.30")]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0.06", "0.06"),
        ("6%", "0.06"),
        ("6.00％", "0.06"),
        ("６％", "0.06"),
        ("6 %", "0.06"),
        ("0.5%", "0.005"),
        ("100%", "1"),
        ("1", "1"),
        ("0", "0"),
        ("150%", "1.5"),
        ("-5%", "-0.05"),
        ("6", None),
        ("1.01", None),
        ("百分之六", None),
        ("6%%", None),
        ("%", None),
        ("6‰", None),
        ("1:2", None),
    ],
)
def test_rates(text: str, rate: str | None) -> None:
    assert read("rate", text) == [FAULT if rate is None else Decimal(rate)]


def test_rates_under_a_header_in_percent() -> None:
    percent = Decimal("0.01")
    assert read("rate", "6", "6%", "100", "0", "0.06", factor=percent) == [
        *(Decimal("0.06"), Decimal("0.06"), Decimal(1), Decimal(0)),
        FAULT,  # six hundredths, or six hundredths of a percent?
    ]


def test_a_rate_stored_as_a_double() -> None:
    assert read("rate", "0.07000000000000001", "0.3333333333333333", binary=True) == [
        Decimal("0.07"),
        Decimal("0.3333333333"),
    ]


def test_yes_and_no() -> None:
    yes = ["是", "√", "Y", "y", "Ｙ", "1", "１", "有", "真", " 是 ", "true", "Yes", "✔\ufe0f"]
    no = ["否", "×", "N", "n", "0", "０", "无", "假", "FALSE", "No", "x"]
    assert read("flag", *yes) == [True] * len(yes)
    assert read("flag", *no) == [False] * len(no)
    assert read("flag", "不详", "2", "是否", "?") == [FAULT] * 4


def test_years() -> None:
    good = ["2023", "2023年", "2023年度", "２０２３", " 2023 年 度", "2023.0"]
    assert read("year", *good) == [2023] * len(good)
    assert read("year", "12023", "1023") == [12023, 1023]  # impossible, which the check says
    assert (
        read("year", "23", "23年", "二〇二三", "2022-2023", "2023.5", "FY2023", "202③", "٢٠٢٣") == [FAULT] * 8
    )


@pytest.mark.parametrize(
    "text",
    [
        *("2023-05-01", "2023-5-1", "2023/5/1", "2023/05/01", "2023.5.1", "2023年5月1日", "2023年05月01日"),
        *("20230501", "45047", "45047.4375", "２０２３－０５－０１", "2023 年 5 月 1 日", "2023–05–01"),
        *(
            "2023-05-01 00:00:00",
            "2023-5-1 10:30",
            "2023-5-1 8:05:00",
            "2023/5/1  23:59",
            "2023-05-01T08:00:00",
        ),
    ],
)
def test_a_day_in_every_style(text: str) -> None:
    assert read("date", text) == [date(2023, 5, 1)]


@pytest.mark.parametrize(
    "text",
    [
        *("2023-02-29", "2023-13-01", "2023-00-10", "20230431", "2023-05", "2023年5月", "2023", "5月1日"),
        *(
            "23-5-1",
            "1/5/2023",
            "2023-5-1-2",
            "2023-5-110:30",
            "昨天",
            "4504",
            "450470",
            "2023-5-1至2023-6-1",
        ),
    ],
)
def test_what_is_no_day_or_cannot_be_is_refused(text: str) -> None:
    assert read("date", text) == [FAULT]


def test_leap_days_and_serials() -> None:
    assert read("date", "2024-02-29", "20240229", "45351", "10000") == [date(2024, 2, 29)] * 3 + [
        date(1927, 5, 18)
    ]


@given(st.dates(date(1950, 1, 1), date(2099, 12, 31)))
@settings(max_examples=50, deadline=None)
def test_all_styles_of_a_day_agree(day: date) -> None:
    serial = str((day - date(1899, 12, 30)).days)
    styles = [
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        day.strftime("%Y%m%d"),
        f"{day.year}-{day.month}-{day.day} 10:30:00",
        *([serial] if len(serial) == 5 else []),
    ]
    assert set(read("date", *styles)) == {day}


def test_counts() -> None:
    assert read("count", "0", "12", "１２", "12.0", "-3", "12.00") == [0, 12, 12, 12, -3, 12]
    assert read("count", "1.5", "3人", "12个月", "1e3", "1,000") == [FAULT] * 5


@pytest.mark.parametrize(
    ("text", "district"),
    [
        *((name, name) for name in DISTRICTS),
        *(
            ("旅度区", "旅游度假区"),
            ("周庄镇", "旅游度假区"),
            ("锦溪", "旅游度假区"),
            ("淀山湖", "旅游度假区"),
        ),
        *(("昆山开发区", "开发区"), ("昆山经济技术开发区", "开发区"), ("江苏昆山经济技术开发区", "开发区")),
        *(("昆山高新区", "高新区"), ("玉山镇", "高新区"), ("昆山高新技术产业开发区管委会", "高新区")),
        *(("花桥经济开发区", "花桥"), ("花桥商务区", "花桥"), ("江苏省昆山市花桥镇", "花桥")),
        *(
            ("张浦镇", "张浦"),
            ("张浦镇人民政府", "张浦"),
            ("苏州市昆山市巴城镇", "巴城"),
            (" 千 灯　镇 ", "千灯"),
        ),
    ],
)
def test_districts_and_their_aliases(text: str, district: str) -> None:
    assert read("district", text) == [district]


def test_other_places_are_refused() -> None:
    assert read("district", "太仓", "昆山", "昆山市", "苏州工业园区", "张浦,周市") == [FAULT] * 5


def test_every_kind_that_can_fail_says_what_to_write() -> None:
    free = {"code", "name", "id", "item", "word"}
    assert {kind for kind in DTYPES if kind not in cells.REASONS} == free
    assert all("请" in reason for reason in cells.REASONS.values())


def test_tidy_columns_are_not_touched() -> None:
    text = pl.Series("text", ["91440300192203821", "昆山某某有限公司", "12.5", "KJ-2023"])
    assert cells.cleaned(text, "id") is text
