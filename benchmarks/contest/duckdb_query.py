"""The awards as one hand-written DuckDB script. Money: DECIMAL yuan, exact; cuts in whole fen (HUGEINT).

Twelve digits before the point are the most that the registries accept; fourteen in all keep the product
with a rate of a few digits within 64 bits. DuckDB rounds decimals half away from zero.
"""

from pathlib import Path

import duckdb

from benchmarks.contest.terms import TERMS, Terms

_COLUMNS = {
    "enterprises": "uscc, district, industrial",
    "rnd": "uscc, year, rnd_expense::DECIMAL(14, 2) AS rnd_expense, super_deduction",
    "equipment": (
        "uscc, year, project_id, equipment_investment::DECIMAL(14, 2) AS equipment_investment, "
        "assessed_rate::DECIMAL(20, 10) AS assessed_rate"
    ),
    "certifications": "uscc, item",
    "claims": (
        "uscc, item, level, project_id, base_amount::DECIMAL(14, 2) AS base_amount, "
        "assessed_amount::DECIMAL(14, 2) AS assessed_amount"
    ),
}

_LINES = """
CREATE OR REPLACE TEMP TABLE lines AS
WITH rnd_growth AS (
    SELECT now.uscc, now.rnd_expense - before.rnd_expense AS growth
    FROM rnd AS now JOIN rnd AS before USING (uscc)
    WHERE now.year = 2023 AND before.year = 2022 AND now.super_deduction AND before.super_deduction
), equipment_due AS (
    SELECT uscc, project_id, assessed_rate IS NOT NULL AS assessed,
        round(equipment_investment * assessed_rate, 2) AS given,  -- twenty digits: 128 bits
        round(equipment_investment * {t[A11.02.rate.low]}, 2) AS lowest,
        round(equipment_investment * {t[A11.02.rate.high]}, 2) AS highest
    FROM equipment JOIN enterprises USING (uscc)
    WHERE year = 2023 AND equipment_investment >= {t[A11.02.floor]} AND industrial IS DISTINCT FROM false
        AND (assessed_rate IS NULL OR assessed_rate BETWEEN {t[A11.02.rate.low]} AND {t[A11.02.rate.high]})
), own AS (  -- awards that only their own cap bounds: gross, low and high, capped
    SELECT item, uscc, NULL AS project_id, true AS payable, award AS gross, award AS low, award AS high
    FROM (
        SELECT item, uscc, CASE item WHEN 'A4.03' THEN {t[A4.03.award]} WHEN 'A4.04' THEN {t[A4.04.award]}
            ELSE {t[A4.05.award]} END AS award
        FROM certifications WHERE item IN ('A4.03', 'A4.04', 'A4.05')
    )
    UNION ALL
    SELECT 'A4.06', uscc, NULL, true, gross, least(gross, {t[A4.06.cap]}), least(gross, {t[A4.06.cap]})
    FROM (SELECT uscc, round(growth * {t[A4.06.rate]}, 2) AS gross FROM rnd_growth WHERE growth >= {t[A4.06.floor]})
    UNION ALL
    SELECT item, uscc, project_id, true, gross, least(gross, cap), least(gross, cap)
    FROM (
        SELECT item, uscc, project_id,
            round(base_amount * CASE item WHEN 'A5.03' THEN {t[A5.03.rate]} ELSE {t[A6.04.rate]} END, 2) AS gross,
            CASE WHEN item = 'A6.04' THEN {t[A6.04.cap]} WHEN level = '航空航天' THEN {t[A5.03.cap.航空航天]}
                ELSE {t[A5.03.cap.一般重点领域]} END AS cap
        FROM claims WHERE item IN ('A5.03', 'A6.04')
    ) WHERE gross > 0
    UNION ALL
    SELECT 'A11.02', uscc, project_id, assessed, CASE WHEN assessed THEN given ELSE 0 END,
        least(CASE WHEN assessed THEN given ELSE lowest END, {t[A11.02.cap]}),
        least(CASE WHEN assessed THEN given ELSE highest END, {t[A11.02.cap]})
    FROM equipment_due
), pooled AS (  -- awards that share a cap of the enterprise and year: what comes under it, and the cap, in fen
    SELECT 'A7.08' AS item, uscc, project_id, true AS payable, gross,
        (gross * 100)::HUGEINT AS fen, {t[A7.08.cap]}00::HUGEINT AS bound
    FROM (
        SELECT uscc, project_id, round(base_amount * {t[A7.08.rate]}, 2) AS gross FROM claims WHERE item = 'A7.08'
    ) WHERE gross > 0
    UNION ALL
    SELECT 'A12.05', uscc, project_id, assessed_amount IS NOT NULL, coalesce(assessed_amount, 0),
        (100 * least(coalesce(assessed_amount, cap), cap))::HUGEINT, {t[A12.05.yearly_cap]}00
    FROM (
        SELECT uscc, project_id, assessed_amount,
            CASE level WHEN '药品注册证' THEN {t[A12.05.cap.药品注册证]}
                WHEN '二类医疗器械注册证' THEN {t[A12.05.cap.二类医疗器械注册证]}
                ELSE {t[A12.05.cap.三类医疗器械注册证]} END::DECIMAL(14, 2) AS cap
        FROM claims WHERE item = 'A12.05'
    ) WHERE assessed_amount IS NULL OR assessed_amount > 0
), left_over AS (  -- pending lines share what the payable ones leave
    SELECT item, uscc, project_id, payable, gross, fen,
        CASE WHEN payable THEN bound ELSE greatest(bound - paid, 0) END AS bound
    FROM (SELECT *, sum(CASE WHEN payable THEN fen ELSE 0 END) OVER (PARTITION BY item, uscc) AS paid FROM pooled)
), summed AS (
    SELECT *, sum(fen) OVER (PARTITION BY item, uscc, payable) AS total FROM left_over
), cut AS (
    SELECT item, uscc, project_id, payable, gross, fen, total - bound AS excess,
        fen * (total - bound) // total AS whole, fen * (total - bound) % total AS rest
    FROM summed WHERE total > bound
), ranked AS (
    SELECT *,
        excess - sum(whole) OVER (PARTITION BY item, uscc, payable) AS odd,
        row_number() OVER (PARTITION BY item, uscc, payable ORDER BY rest DESC, project_id) AS place
    FROM cut
), fitted AS (
    SELECT item, uscc, project_id, payable, gross, fen FROM summed WHERE total <= bound
    UNION ALL
    SELECT item, uscc, project_id, payable, gross, fen - whole - CASE WHEN place <= odd THEN 1 ELSE 0 END
    FROM ranked
), due AS (
    SELECT * FROM own
    UNION ALL
    SELECT item, uscc, project_id, payable, gross, CASE WHEN payable THEN award ELSE 0 END, award
    FROM (SELECT * EXCLUDE fen, fen::DECIMAL(15, 0) * 0.01 AS award FROM fitted WHERE fen > 0)
), owed AS (
    SELECT item, uscc, project_id, payable, gross::DECIMAL(16, 2) AS gross,
        low::DECIMAL(16, 2) AS low, high::DECIMAL(16, 2) AS high,
        CASE WHEN payable THEN low ELSE 0 END::DECIMAL(16, 2) AS award
    FROM due
), halved AS (
    SELECT *, CASE WHEN item IN ('A4.03', 'A4.04') THEN 0 ELSE round(award * 0.5, 2) END::DECIMAL(16, 2) AS share
    FROM owed
)
SELECT item, uscc, project_id, district, CASE WHEN payable THEN 'payable' ELSE 'pending' END AS status,
    gross, award, award - share AS city_share, share AS district_share, low AS award_low, high AS award_high
FROM halved JOIN enterprises USING (uscc)
"""

_TOTALS = """
CREATE OR REPLACE TEMP TABLE totals AS
SELECT district, item, count(*) AS lines,
    sum(award) AS award, sum(city_share) AS city_share, sum(district_share) AS district_share
FROM lines GROUP BY ALL ORDER BY ALL
"""


def _opened(raw: Path, kind: str) -> duckdb.DuckDBPyConnection:
    """A database with the columns of the registries that count, as `VIEW` or as `TABLE` in memory."""
    database = duckdb.connect()
    database.execute("SET preserve_insertion_order = false")
    for name, columns in _COLUMNS.items():
        path = raw / "2023" / f"{name}.parquet"
        database.execute(f"CREATE {kind} {name} AS SELECT {columns} FROM read_parquet('{path}')")
    return database


def prepare(raw: Path) -> duckdb.DuckDBPyConnection:
    """Tables in memory."""
    return _opened(raw, "TABLE")


def _written(terms: Terms) -> dict[str, str]:
    return {name: f"{value / 100:.2f}" if ".rate" in name else str(value) for name, value in terms.items()}


def compute(database: duckdb.DuckDBPyConnection, terms: Terms = TERMS) -> duckdb.DuckDBPyConnection:
    """The table `lines` of payable and pending awards, and `totals`, in memory."""
    database.execute(_LINES.format(t=_written(terms)))
    return database.execute(_TOTALS)


def keep(database: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write what `compute` made."""
    for name in ("lines", "totals"):
        database.execute(f"COPY {name} TO '{out / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet; nothing but the result is held."""
    keep(compute(_opened(raw, "VIEW")), out)
