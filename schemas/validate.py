"""Check a registry's frame and say every fault of every row."""

from threading import Lock

import pandera.polars as pa
import polars as pl

from schemas.registries import REASONS, Registry

_ONE_AT_A_TIME = Lock()
"""Pandera keeps its settings of a validation for the whole process."""

FAULTS = {"row": pl.Int64, "column": pl.String, "reason": pl.String, "check": pl.String}
"""A fault: `row` is the frame's row index; `reason` Chinese, with the remedy."""


def validate(registry: Registry, frame: pl.DataFrame, listed: pl.Series | None = None) -> pl.DataFrame:
    """All faults of `frame` (columns as the registry has them) in the shape FAULTS.

    `listed`: rows whose code is one of the checked enterprises', and therefore right.
    """
    if listed is None:
        found = _broken(registry, list(registry.columns), frame)
    else:
        found = _broken(registry, [column for column in registry.columns if column != "uscc"], frame)
        others = listed.not_().arg_true().cast(pl.Int64)
        codes = _broken(registry, ["uscc"], frame[["uscc"]][others])
        found = pl.concat([codes.with_columns(row=others.gather(codes["row"])), found])
    return pl.concat([found, *_one_of(registry, frame)])


def _broken(registry: Registry, columns: list[str], frame: pl.DataFrame) -> pl.DataFrame:
    """The faults that the registry's checks find in some of its columns."""
    try:
        with _ONE_AT_A_TIME:
            # `select` would copy all, where their chunks differ
            registry.schema(columns).validate(frame[columns], lazy=True)
    except pa.errors.SchemaErrors as errors:
        check = pl.col("check").replace({"not_nullable": "required"})
        cases: pl.DataFrame = errors.failure_cases
        return cases.select(
            pl.col("index").cast(pl.Int64).alias("row"),
            "column",
            check.replace_strict(REASONS, return_dtype=pl.String).alias("reason"),
            check.alias("check"),
        )
    return pl.DataFrame(schema=FAULTS)


def _one_of(registry: Registry, frame: pl.DataFrame) -> list[pl.DataFrame]:
    if not registry.one_of:
        return []
    headers = "、".join(registry.header(column) for column in registry.one_of)
    missing = (
        frame[list(registry.one_of)]
        .with_row_index("row")
        .filter(pl.all_horizontal(pl.col(column).is_null() for column in registry.one_of))
    )
    return [
        missing.select(
            pl.col("row").cast(pl.Int64),
            pl.lit(registry.one_of[0]).alias("column"),
            pl.lit(f"{headers}须填一项，两列都为空；请补填").alias("reason"),
            pl.lit("required").alias("check"),
        )
    ]
