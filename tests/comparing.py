"""Award lines written by hand, or at random, for comparisons."""

from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.districts import DISTRICTS
from schemas.money import YUAN
from tests.forecasting import codes

SHAPE = {
    **dict.fromkeys(
        ("uscc", "name", "district", "policy", "item", "title", "class", "lead_department"), pl.String
    ),
    "article": pl.Int32,
    "status": pl.String,
    **dict.fromkeys(
        ("award", "city_share", "district_share", "prefecture_share", "award_low", "award_high"), YUAN
    ),
}
ITEMS = {"A4.03": "recognition", "A4.06": "general", "A11.02": "general", "C7.01": "general"}
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def line(
    who: int, item: str, money: Any, district: int = 0, high: Any = None, **given: Any
) -> dict[str, Any]:
    """A payable line of `money`, or with money None a pending one from 10 to `high` (None: open-ended)."""
    paid, cents = money is not None, Decimal(money or 0)
    half = (cents / 2).quantize(Decimal("0.01"))
    city = cents if ITEMS[item] == "recognition" else half
    shares = {"city_share": city, "district_share": cents - city, "prefecture_share": Decimal(0)}
    if item.startswith("C"):
        shares = {"city_share": Decimal(0), "district_share": Decimal(0), "prefecture_share": cents}
    about = {"uscc": codes(100)[who], "name": f"企业{who}", "district": DISTRICTS[district], "item": item}
    about |= {
        "policy": item[0],
        "article": int(item[1:].split(".")[0]),
        "title": f"奖{item}",
        "class": ITEMS[item],
    }
    about |= {"lead_department": "工信局" if item == "A11.02" else "科技局"}
    about |= {"status": "payable" if paid else "pending", "award": cents}
    about |= {"award_low": cents if paid else Decimal(10), "award_high": cents if paid else high}
    return about | shares | given


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SHAPE)


def cell(totals: pl.DataFrame, level: str, key: str) -> dict[str, Any]:
    return totals.filter((pl.col("level") == level) & (pl.col("key") == key)).row(0, named=True)


@st.composite
def runs(draw: st.DrawFn, most: int = 60) -> pl.DataFrame:
    """Lines of up to 40 applicants in two districts, so that cells are small and large."""
    rows = []
    for _ in range(draw(st.integers(0, most))):
        who = draw(st.integers(0, 39))
        money = draw(st.none() | st.integers(1, 10**9).map(lambda fen: Decimal(fen) / 100))
        high = draw(st.none() | st.just(Decimal(500)))
        status = {} if money is None else {"status": draw(st.sampled_from(["payable"] * 4 + ["ineligible"]))}
        if status.get("status") == "ineligible":
            money = Decimal(0)
        rows.append(line(who, draw(st.sampled_from(list(ITEMS))), money, who % 2, high, **status))
    return frame(*rows)
