"""Check digits agree with a plain-Python reading of the two standards; ids are masked."""

import string
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import masked, resident_id_fits, uscc_check_digit_fits

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_digit(body: str) -> str:
    """GB 32100-2015: weights are the powers of 3 modulo 31."""
    total = sum(USCC_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return USCC_ALPHABET[-total % 31]


def resident_digit(body: str) -> str:
    """GB 11643-1999 (ISO 7064 MOD 11-2): weights are the powers of 2 modulo 11, the last place weighs 1."""
    total = sum(int(c) * pow(2, 17 - place, 11) for place, c in enumerate(body))
    return "0123456789X"[(1 - total) % 11]


def fits(check: Callable[[pl.Expr], pl.Expr], *codes: str) -> list[bool]:
    return pl.DataFrame({"code": codes}).select(check(pl.col("code"))).to_series().to_list()


@pytest.mark.parametrize("code", ["914403001922038216", "9144030071526726XG", "91110000802100433B"])
def test_codes_of_known_companies_fit(code: str) -> None:
    assert fits(uscc_check_digit_fits, code) == [True]
    assert uscc_digit(code[:17]) == code[17]


def test_the_resident_ids_of_the_standard_fit() -> None:
    assert fits(resident_id_fits, "11010519491231002X", "440524188001010014") == [True, True]
    assert resident_digit("11010519491231002") == "X"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(USCC_ALPHABET, min_size=17, max_size=17), min_size=1, max_size=30))
def test_only_the_right_last_character_fits(bodies: list[str]) -> None:
    codes = [body + last for body in bodies for last in string.digits + string.ascii_uppercase]
    assert fits(uscc_check_digit_fits, *codes) == [code[17] == uscc_digit(code[:17]) for code in codes]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(string.digits, min_size=17, max_size=17), min_size=1, max_size=30))
def test_only_the_right_last_digit_of_a_resident_id_fits(bodies: list[str]) -> None:
    numbers = [body + last for body in bodies for last in "0123456789X"]
    assert fits(resident_id_fits, *numbers) == [n[17] == resident_digit(n[:17]) for n in numbers]


@settings(max_examples=20, deadline=None)
@given(st.text(USCC_ALPHABET, min_size=17, max_size=17))
def test_one_wrong_character_never_fits(body: str) -> None:
    code = body + uscc_digit(body)
    wrong = [code[:k] + other + code[k + 1 :] for k in range(18) for other in USCC_ALPHABET]
    assert fits(uscc_check_digit_fits, *wrong) == [other == code for other in wrong]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91440300192203821",
        "9144030019220382160",
        "91440300192203821６",
        "９14403001922038216",
        "914403001922038216\n",
        "9144030071526726xg",
        "I14403001922038216",
        "914403O01922038216",
        "统一社会信用代码统一社会信用代码统一",
    ],
)
def test_what_is_no_code_never_fits(code: str) -> None:
    assert fits(uscc_check_digit_fits, code) == [False]


@pytest.mark.parametrize("number", ["E12345678", "H0123456700", "110105491231002", "护照G12345678", ""])
def test_other_documents_are_taken_as_they_are(number: str) -> None:
    assert fits(resident_id_fits, number) == [True]


def test_nothing_is_neither_right_nor_wrong() -> None:
    nothing = pl.DataFrame({"code": [None]}, schema={"code": pl.String})
    for check in (uscc_check_digit_fits, resident_id_fits):
        assert nothing.select(check(pl.col("code"))).item() is None


def test_a_mask_shows_the_first_six_and_last_four_characters_of_a_long_number() -> None:
    numbers = ["11010519491231002X", "E12345678901", "护照号G12345678", "H123456789", "AB", ""]
    shown = pl.DataFrame({"id": numbers}).select(masked(pl.col("id"))).to_series().to_list()
    assert shown == ["110105********002X", "E12345**8901", "护照号G12**5678", "*" * 10, "**", ""]
