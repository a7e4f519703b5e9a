"""The awards as an analyst scripts them in pandas: merge, groupby, whole fen in int64.

Amounts are read as floats, which hold every fen below 90,000,000,000,000 yuan, and are whole fen from then on:
half a fen goes up in integer arithmetic. Assessed rates are taken to have four decimals at most. The parts of a
cap that several lines exceed are formed in Python's integers, since their products pass 64 bits.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contest.terms import TERMS, Terms

_FIXED = ["A4.03", "A4.04", "A4.05"]
_RECOGNISED = ["A4.03", "A4.04"]
_COLUMNS = {
    "enterprises": ["uscc", "district", "industrial"],
    "rnd": ["uscc", "year", "rnd_expense", "super_deduction"],
    "equipment": ["uscc", "year", "project_id", "equipment_investment", "assessed_rate"],
    "certifications": ["uscc", "item"],
    "claims": ["uscc", "item", "level", "project_id", "base_amount", "assessed_amount"],
}
Frames = dict[str, pd.DataFrame]


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    """The columns of a registry, decimals as floats: as objects they would be a hundred times slower."""
    table = pq.read_table(path, columns=columns)
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.float64()))
    return table.to_pandas()


def _fen(yuan: pd.Series) -> pd.Series:
    return (yuan * 100).round().astype("int64")


def _percent(fen: pd.Series, rate: int) -> pd.Series:
    return (fen * rate + 50) // 100


def prepare(raw: Path) -> Frames:
    """The columns that count, in memory."""
    return {name: _read(raw / "2023" / f"{name}.parquet", columns) for name, columns in _COLUMNS.items()}


def _own(rows: pd.DataFrame, item: object, gross: pd.Series, cap: object) -> pd.DataFrame:
    """Payable lines of `gross` (fen), each bounded by its own cap."""
    capped = np.minimum(gross, cap)
    held = rows.reindex(columns=["uscc", "project_id"])
    return held.assign(item=item, payable=True, gross=gross, low=capped, high=capped)


def _high_tech(certifications: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    rows = certifications[certifications["item"].isin(_FIXED)]
    award = rows["item"].map({item: terms[f"{item}.award"] * 100 for item in _FIXED})
    return _own(rows, rows["item"], award, award)


def _rnd(rnd: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    deducting = rnd[rnd["super_deduction"].eq(True)]
    both = deducting[deducting["year"] == 2023].merge(
        deducting[deducting["year"] == 2022], on="uscc", suffixes=("", "_before")
    )
    growth = _fen(both["rnd_expense"]) - _fen(both["rnd_expense_before"])
    enough = growth >= terms["A4.06.floor"] * 100
    gross = _percent(growth[enough], terms["A4.06.rate"])
    return _own(both[enough], "A4.06", gross, terms["A4.06.cap"] * 100)


def _projects(claims: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    rows = claims[claims["item"].isin(["A5.03", "A6.04"]) & (claims["base_amount"] > 0)]
    rates = {item: terms[f"{item}.rate"] for item in ("A5.03", "A6.04")}
    gross = _percent(_fen(rows["base_amount"]), rows["item"].map(rates))
    aerospace, ordinary = (terms[f"A5.03.cap.{level}"] * 100 for level in ("航空航天", "一般重点领域"))
    cap = np.where(rows["level"] == "航空航天", aerospace, ordinary)
    return _own(rows, rows["item"], gross, np.where(rows["item"] == "A6.04", terms["A6.04.cap"] * 100, cap))


def _equipment(equipment: pd.DataFrame, enterprises: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    floor, cap = terms["A11.02.floor"], terms["A11.02.cap"] * 100
    lowest, highest = terms["A11.02.rate.low"], terms["A11.02.rate.high"]
    rows = equipment[(equipment["year"] == 2023) & (equipment["equipment_investment"] >= floor)]
    rows = rows.merge(enterprises[["uscc", "industrial"]], on="uscc")
    rows = rows[~rows["industrial"].eq(False)]
    rate = (rows["assessed_rate"] * 10_000).round()
    inside = rate.isna() | rate.between(lowest * 100, highest * 100)
    rows, rate = rows[inside], rate[inside]
    spent, assessed = _fen(rows["equipment_investment"]), rate.notna()
    given = (spent * rate.fillna(0).astype("int64") + 5_000) // 10_000
    low, high = (
        given.where(assessed, _percent(spent, lowest)),
        given.where(assessed, _percent(spent, highest)),
    )
    return rows[["uscc", "project_id"]].assign(
        item="A11.02",
        payable=assessed,
        gross=given,
        low=low.clip(upper=cap),
        high=high.clip(upper=cap),
    )


def _vouchers(claims: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    rows = claims[(claims["item"] == "A7.08") & (claims["base_amount"] > 0)]
    lines = _own(rows, "A7.08", _percent(_fen(rows["base_amount"]), terms["A7.08.rate"]), 10**15)
    bound = pd.Series(terms["A7.08.cap"] * 100, index=lines.index)
    shared = _within(lines, lines["gross"], bound)
    return lines.assign(low=shared, high=shared)


def _certificates(claims: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Lines not yet assessed share what the assessed ones leave of the enterprise's yearly cap."""
    rows = claims[(claims["item"] == "A12.05") & ~(claims["assessed_amount"] == 0)]
    assessed = rows["assessed_amount"].notna()
    gross = _fen(rows["assessed_amount"].fillna(0))
    prefix = "A12.05.cap."
    caps = {name.removeprefix(prefix): yuan * 100 for name, yuan in terms.items() if name.startswith(prefix)}
    cap, yearly = rows["level"].map(caps), terms["A12.05.yearly_cap"] * 100
    worth = pd.Series(np.where(assessed, np.minimum(gross, cap), cap), index=rows.index)
    paid = worth.where(assessed, 0).groupby(rows["uscc"]).transform("sum")
    left = (yearly - paid).clip(lower=0)
    parts = [
        _within(rows[assessed], worth[assessed], pd.Series(yearly, index=rows.index[assessed])),
        _within(rows[~assessed], worth[~assessed], left[~assessed]),
    ]
    shared = pd.concat(parts).reindex(rows.index)
    lines = rows[["uscc", "project_id"]].assign(
        item="A12.05", payable=assessed, gross=gross, low=shared.where(assessed, 0), high=shared
    )
    return lines[shared > 0]


def _within(lines: pd.DataFrame, fen: pd.Series, bound: pd.Series) -> pd.Series:
    """`fen` so that each enterprise's add up to its `bound`, where they were more: by largest remainder."""
    total = fen.groupby(lines["uscc"]).transform("sum")
    over = total > bound
    if not over.any():
        return fen
    tight = lines.loc[over, ["uscc", "project_id"]].assign(
        fen=fen[over].astype(object), total=total[over].astype(object), excess=(total - bound)[over]
    )
    share = tight["fen"] * tight["excess"].astype(object)
    tight["cut"] = (share // tight["total"]).astype("int64")
    tight["rest"] = (share % tight["total"]).astype("int64")
    tight = tight.sort_values(["uscc", "rest", "project_id"], ascending=[True, False, True])
    groups = tight.groupby("uscc")
    odd = tight["excess"] - groups["cut"].transform("sum")
    cut = tight["cut"] + (groups.cumcount() < odd)
    result = fen.copy()
    result.loc[tight.index] -= cut
    return result


def compute(loaded: Frames, terms: Terms = TERMS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines and totals, in memory."""
    enterprises, claims = loaded["enterprises"], loaded["claims"]
    parts = [
        _high_tech(loaded["certifications"], terms),
        _rnd(loaded["rnd"], terms),
        _projects(claims, terms),
        _equipment(loaded["equipment"], enterprises, terms),
        _vouchers(claims, terms),
        _certificates(claims, terms),
    ]
    lines = pd.concat(parts, ignore_index=True)
    lines = lines[lines["payable"].eq(False) | (lines["gross"] > 0)]
    lines = lines.merge(enterprises[["uscc", "district"]], on="uscc")
    award = lines["low"].where(lines["payable"], 0)
    half = ((award + 1) // 2).where(~lines["item"].isin(_RECOGNISED), 0)
    lines = lines.assign(
        status=np.where(lines["payable"], "payable", "pending"),
        award=award,
        city_share=award - half,
        district_share=half,
    ).rename(columns={"low": "award_low", "high": "award_high"})
    order = [
        "item",
        "uscc",
        "project_id",
        "district",
        "status",
        "gross",
        "award",
        "city_share",
        "district_share",
    ]
    lines = lines[[*order, "award_low", "award_high"]]
    groups = lines.groupby(["district", "item"], as_index=False)
    totals = groups[["award", "city_share", "district_share"]].sum()
    totals.insert(2, "lines", groups.size()["size"])
    return lines, totals


def keep(result: tuple[pd.DataFrame, pd.DataFrame], out: Path) -> None:
    """Write what `compute` returned."""
    for name, frame in zip(("lines", "totals"), result, strict=True):
        frame.to_parquet(out / f"{name}.parquet", index=False)


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet."""
    keep(compute(prepare(raw)), out)
