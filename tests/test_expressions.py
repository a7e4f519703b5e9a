"""The guard in front of the rules' SQL lets nothing through that could silently compute something else."""

import polars as pl
import pytest

from rules.expressions import RuleError, compile_expression
from rules.numbers import parse_number, show
from schemas.money import YUAN

KNOWN = {
    "rnd_expense": YUAN,
    "rate": pl.Decimal(38, 10),
    "months": pl.Int64,
    "super_deduction": pl.Boolean,
    "研发费用增长额": YUAN,
}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("研发费用增长额 >= 20万", "20"),
        ("rnd_expense * 0.06", "0.06"),
        ("rnd_expense * 6e-2", "e"),
        ("months / months", "浮点"),
        ("NOW()", "NOW"),
        ("SUM(rnd_expense)", "SUM"),
        ("COALESCE(rnd_expense, 0)", "COALESCE"),
        ("super_deduction = '是'", "是"),
        ("rnd_expence * rate", "rnd_expense"),
        ("rnd_expense *", "编译"),
    ],
)
def test_refuses(text: str, word: str) -> None:
    with pytest.raises(RuleError) as error:
        compile_expression(text, KNOWN, "A4.06 amount")
    assert word in str(error.value) and "A4.06 amount" in str(error.value)


def test_products_are_exact_to_the_last_digit() -> None:
    from decimal import Decimal

    frame = pl.DataFrame(
        {"研发费用增长额": [Decimal("1000.05")], "rate": [Decimal("0.5")]},
        schema={"研发费用增长额": YUAN, "rate": pl.Decimal(38, 10)},
    )
    product = frame.select(compile_expression("研发费用增长额 * rate", KNOWN, "x"))
    assert product.item() == Decimal("500.025")


@pytest.mark.parametrize(
    ("text", "value"),
    [("20万", "200000"), ("1亿", "100000000"), ("6%", "0.06"), ("2000万", "20000000"), ("5", "5")],
)
def test_numbers_of_the_policy(text: str, value: str) -> None:
    from decimal import Decimal

    assert parse_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["20 万元", "6％", "", "约20万", True, "1,000"])
def test_no_other_number(text: object) -> None:
    with pytest.raises(ValueError, match="不是数字"):
        parse_number(text)


def test_numbers_are_shown_as_officers_write_them() -> None:
    assert show(parse_number("6%")) == "6%"
    assert show(parse_number("300万")) == "3,000,000.00"
