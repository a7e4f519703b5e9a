"""Made-up frames of a comparison, in the shapes that the what-if work gives, for tests of its reports."""

import random
from decimal import Decimal
from typing import Any

import polars as pl

from schemas.comparing import MISS_COSTS, MISSES, STEPS
from schemas.districts import DISTRICTS
from schemas.money import YUAN
from schemas.outputs import PAYERS
from whatif.bridge import cells, told
from whatif.compare import Comparison, compare
from whatif.suppress import public

COMPARED = ("totals", "households", "details", "kinds", "concentration", "changes")

ITEMS = {
    "A4.03": ("高新技术企业首次认定 <奖励> & 补助", "recognition", "科技局", (100_000, 300_000)),
    "A4.06": ("高新技术企业研发费用增长奖励", "general", "科技局", (5_000, 2_000_000)),
    "A6.01": ("专精特新企业认定奖励", "recognition", "工信局", (50_000, 500_000)),
    "A11.02": ("工业投资设备补助，按投资额分档", "general", "工信局", (20_000, 5_000_000)),
    "A16.01": ("总部企业经营贡献奖励", "general", "商务局", (200_000, 3_000_000)),
    "B3.01": ("企业上市分阶段奖励", "recognition", "金融局", (500_000, 1_500_000)),
}
_SHAPE: dict[str, Any] = {
    **dict.fromkeys(("item", "policy"), pl.String),
    "article": pl.Int32,
    **dict.fromkeys(("title", "class", "lead_department", "uscc", "name", "district", "status"), pl.String),
    **dict.fromkeys(("award", "city_share", "district_share", "prefecture_share"), YUAN),
    **dict.fromkeys(("award_low", "award_high"), YUAN),
}


def applicants(number: int) -> pl.DataFrame:
    """Applicants with a size."""
    sizes = ("大", "中", "小", None)
    rows = [{"uscc": code(n), "size": sizes[n % 4]} for n in range(number)]
    return pl.DataFrame(rows, schema={"uscc": pl.String, "size": pl.String})


def code(number: int) -> str:
    """A made-up credit code."""
    return f"91320583MA{number:08d}"


def lines(number: int) -> pl.DataFrame:
    """Award lines of a year."""
    dice, rows = random.Random(7), []
    for n in range(number):
        for item, (title, kind, department, (low, high)) in ITEMS.items():
            if dice.random() > (0.5 if item == "A4.06" else 0.12):
                continue
            award = low + Decimal(int((high - low) * dice.random() ** 4 * 100)) / 100
            waits = dice.random() < 0.05
            about = (item, item[0], int(item[1:].split(".")[0]), title, kind, department)
            name = f"昆山第{n}号<{'精密' if n % 2 else '生物'}>科技&制造有限公司"
            who = (code(n), name, DISTRICTS[n % n_of(n)])
            bounds = (Decimal(low), Decimal(high) if n % 2 else None) if waits else (award, award)
            rows.append(
                (*about, *who, "pending" if waits else "payable", *shares(award, kind, waits), *bounds)
            )
    return pl.DataFrame(rows, schema=_SHAPE, orient="row")


def n_of(number: int) -> int:
    """How many districts a number may fall on: the last have few applicants."""
    return 9 if number % 5 == 0 else 6


def shares(award: Decimal, kind: str, waits: bool) -> tuple[Decimal, ...]:
    """The award and who bears it."""
    if waits:
        return (Decimal(0),) * 4
    city = award if kind == "recognition" else (award / 2).quantize(Decimal("0.01"))
    return award, city, award - city, Decimal(0)


def changed(before: pl.DataFrame, factor: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines with one item paid by `factor`, another stopped below an amount, and a third newly paid; then
    also with a 6:4 split."""
    money = pl.col("award").cast(pl.Float64)
    scaled = pl.when(pl.col("item") == "A4.06").then(money * float(factor))
    cut = pl.when((pl.col("item") == "A11.02") & (money < 60_000)).then(0.0)
    award = pl.coalesce(scaled, cut, money).round(2).cast(YUAN)
    half = (award.cast(pl.Float64) / 2).round(2).cast(YUAN)
    city = pl.when(pl.col("class") == "recognition").then(award).otherwise(half)
    ruled = before.with_columns(award=award, city_share=city, district_share=award - city)
    ruled = ruled.filter((pl.col("award") > 0) | (pl.col("status") == "pending"))
    general = pl.col("class") == "general"
    more = pl.when(general).then((money * 0.6).round(2).cast(YUAN)).otherwise("city_share")
    return ruled, ruled.with_columns(city_share=more, district_share=pl.col("award") - more)


def scenario_frames(number: int = 400, factor: str = "1.6") -> dict[str, pl.DataFrame]:
    """All frames of one scenario."""
    before = lines(number)
    ruled, after = changed(before, factor)
    found = compare(before, after, applicants(number))
    stages = [(step, cells(ruled if step != "split" else after)) for step in ("rule", "cap", "split")]
    return {name: getattr(found, name) for name in COMPARED} | {
        "bridge": told(cells(before), stages, STEPS, cells(after)),
        "misses": misses(),
        "miss_costs": miss_costs(),
        "envelopes": envelopes(),
        "sensitivity": sensitivity(),
    }


def several_frames() -> dict[str, pl.DataFrame]:
    """Four scenarios of 60 enterprises: more, less, a little more and no change; as `scenario/frame`."""
    names = {"rnd_8": "1.6", "rnd_4": "0.8", "mild": "1.02", "none": "1"}
    return {f"{name}/{key}": f for name, by in names.items() for key, f in scenario_frames(60, by).items()}


def misses() -> pl.DataFrame:
    """Lines that narrowly miss a threshold."""
    rows = [
        {
            "item": "A4.06",
            "title": ITEMS["A4.06"][0],
            "clause": "growth >= min_growth",
            "term": "min_growth",
            "uscc": code(n),
            "name": f"临界{n}<&>公司",
            "district": DISTRICTS[n % 9],
            "registry": "rnd",
            "source_file": "研发.xlsx",
            "source_row": n,
            "figure": "研发费用增长额",
            "value": Decimal(95_000 + n),
            "threshold": Decimal(100_000),
            "status": "payable",
            "shortfall": Decimal(5_000 - n),
            "award": Decimal("12345.67") + n,
        }
        for n in range(7)
    ]
    return pl.DataFrame(rows, schema=MISSES)


def miss_costs() -> pl.DataFrame:
    """What moving thresholds would cost."""
    rows = [
        ("A4.06", "growth >= min_growth", "10 万元", "9 万元", 7, "1234567.89"),
        ("A11.02", "invest >= least", "500 万元", "450 万元", 2, "340000.00"),
    ]
    found = [
        {
            "item": item,
            "title": ITEMS[item][0],
            "clause": clause,
            "term": "t",
            "old": old,
            "new": new,
            "households": n,
            "lines": n,
            "cost": Decimal(cost),
            "city_share": Decimal(cost),
            "district_share": Decimal(0),
            "prefecture_share": Decimal(0),
            "to_admitted": Decimal(cost),
            "to_others": Decimal(0),
            "pending_low": Decimal(0),
            "pending_high": Decimal(0),
        }
        for item, clause, old, new, n, cost in rows
    ]
    return pl.DataFrame(found, schema=MISS_COSTS)


def envelopes() -> pl.DataFrame:
    """Two envelopes, one too small."""
    rows = [
        ("科技盘子", "city", "proportional", 30_000_000, 31_234_567, 30_000_000, 120, 118),
        ("设备盘子", None, "queue", 90_000_000, 80_000_000, 80_000_000, 40, 0),
    ]
    names = ("envelope", "payer", "rule", "amount", "exposure", "paid", "households", "households_cut")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    frame = frame.with_columns(pl.col("amount", "exposure", "paid").cast(YUAN))
    amount, exposure, paid = pl.col("amount"), pl.col("exposure"), pl.col("paid")
    return frame.with_columns(
        balance=amount - paid,
        unpaid=exposure - paid,
        carried_over=exposure - paid,
        carried_in=pl.lit(0, YUAN),
    )


def sensitivity() -> pl.DataFrame:
    """Nudged terms, the largest in the middle."""
    rows = [
        (item, ITEMS[item][0], term, "4.5%", "5.5%", Decimal(low), Decimal(high))
        for item, term, low, high in (
            ("A11.02", "rate", -2_345_600, 2_100_000),
            ("A4.06", "rate", -9_876_500, 9_876_500),
            ("A4.03", "award", -500_000, 500_000),
            ("A16.01", "min_tax", 750_000, -800_000),
        )
    ]
    names = ["item", "title", "term", "low_value", "high_value", "change_low", "change_high"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("^change_.*$").cast(YUAN))


def about(*names: str, **more: Any) -> dict[str, Any]:
    """What is told of a comparison of these scenarios."""
    found = [
        {
            "name": name,
            "title": f"研发奖励提到{n}成 & <分担六四>",
            "author": "示例",
            "date": "2024-06-30",
            "reason": "加大研发激励",
            "reference": "政策A 第4条第6款",
            "changes": [
                "A4.06 rate：从 5% 到 8%（政策A 第4条）",
                "一般类分担：从 市级5:区镇5 到 市级6:区镇4",
            ],
        }
        for n, name in enumerate(names, 6)
    ]
    ahead = [
        {
            "scenario": name,
            "pay_year": year,
            "payer": payer,
            "district": None,
            "before": 2e8,
            "after": 2.2e8,
            "change": 2e7,
            "change_P10": 1.5e7,
            "change_P50": 2e7,
            "change_P90": 2.5e7,
        }
        for name in names
        for year in (2024, 2025)
        for payer in (*PAYERS, None)
    ]
    return {
        "year": 2023,
        "baseline": {"name": "current", "title": "现行政策"},
        "catalogue": {"version": "2024.1"},
        "readings": [{"title": "未写明期间的上限", "value": "全周期合计"}],
        "notes": ["登记表共 <3> 行有问题，未计入。"],
        "suppressed": False,
        "scenarios": found,
        "forecast": ahead,
        **more,
    }


def public_frames(number: int = 60) -> dict[str, pl.DataFrame]:
    """The frames of a public page: small cells hidden."""
    found = scenario_frames(number)
    shown = public(Comparison(**{name: found[name] for name in COMPARED}))
    rest = {name: found[name] for name in ("bridge", "miss_costs")}
    return {name: getattr(shown, name) for name in COMPARED} | rest


def level(frames: dict[str, pl.DataFrame], name: str, totals: str = "totals") -> list[dict[str, Any]]:
    """The totals of a level."""
    return frames[totals].filter(pl.col("level") == name).to_dicts()
