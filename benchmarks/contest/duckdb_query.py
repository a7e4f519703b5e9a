"""The awards as one hand-written DuckDB script. Money: DECIMAL yuan, exact; cuts in whole fen (HUGEINT).

Twelve digits before the point are the most that the registries accept; fourteen in all keep the product
with a rate of a few digits within 64 bits. DuckDB rounds decimals half away from zero.
"""

from pathlib import Path

import duckdb

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
        round(equipment_investment * 0.06, 2) AS lowest,
        round(equipment_investment * 0.15, 2) AS highest
    FROM equipment JOIN enterprises USING (uscc)
    WHERE year = 2023 AND equipment_investment >= 20000000 AND industrial IS DISTINCT FROM false
        AND (assessed_rate IS NULL OR assessed_rate BETWEEN 0.06 AND 0.15)
), own AS (  -- awards that only their own cap bounds: gross, low and high, capped
    SELECT item, uscc, NULL AS project_id, true AS payable, award AS gross, award AS low, award AS high
    FROM (
        SELECT item, uscc, (CASE item WHEN 'A4.03' THEN 250000 WHEN 'A4.04' THEN 50000 ELSE 150000 END) AS award
        FROM certifications WHERE item IN ('A4.03', 'A4.04', 'A4.05')
    )
    UNION ALL
    SELECT 'A4.06', uscc, NULL, true, gross, least(gross, 3000000), least(gross, 3000000)
    FROM (SELECT uscc, round(growth * 0.06, 2) AS gross FROM rnd_growth WHERE growth >= 200000)
    UNION ALL
    SELECT item, uscc, project_id, true, gross, least(gross, cap), least(gross, cap)
    FROM (
        SELECT item, uscc, project_id,
            round(base_amount * CASE item WHEN 'A5.03' THEN 0.5 ELSE 0.2 END, 2) AS gross,
            CASE WHEN item = 'A6.04' THEN 1000000 WHEN level = '航空航天' THEN 10000000 ELSE 5000000 END AS cap
        FROM claims WHERE item IN ('A5.03', 'A6.04')
    ) WHERE gross > 0
    UNION ALL
    SELECT 'A11.02', uscc, project_id, assessed, CASE WHEN assessed THEN given ELSE 0 END,
        least(CASE WHEN assessed THEN given ELSE lowest END, 10000000),
        least(CASE WHEN assessed THEN given ELSE highest END, 10000000)
    FROM equipment_due
), pooled AS (  -- awards that share a cap of the enterprise and year: what comes under it, and the cap, in fen
    SELECT 'A7.08' AS item, uscc, project_id, true AS payable, gross,
        (gross * 100)::HUGEINT AS fen, 300000000::HUGEINT AS bound
    FROM (
        SELECT uscc, project_id, round(base_amount * 0.2, 2) AS gross FROM claims WHERE item = 'A7.08'
    ) WHERE gross > 0
    UNION ALL
    SELECT 'A12.05', uscc, project_id, assessed_amount IS NOT NULL, coalesce(assessed_amount, 0),
        (100 * least(coalesce(assessed_amount, cap), cap))::HUGEINT, 1000000000
    FROM (
        SELECT uscc, project_id, assessed_amount,
            CASE level WHEN '二类医疗器械注册证' THEN 500000 ELSE 1000000 END::DECIMAL(14, 2) AS cap
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


def compute(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The table `lines` of payable and pending awards, and `totals`, in memory."""
    database.execute(_LINES)
    return database.execute(_TOTALS)


def keep(database: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write what `compute` made."""
    for name in ("lines", "totals"):
        database.execute(f"COPY {name} TO '{out / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")


def end_to_end(raw: Path, out: Path) -> None:
    """From Parquet to Parquet; nothing but the result is held."""
    keep(compute(_opened(raw, "VIEW")), out)
