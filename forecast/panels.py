"""A registry's years side by side: enterprises × years of amounts, and how they grew."""

import numpy as np
import polars as pl

from forecast.streams import Floats


def years_of(panel: pl.DataFrame) -> tuple[int, ...]:
    """All years from the first to the last, also those the panel leaves out between."""
    if panel.is_empty():
        return ()
    seen = panel["year"].to_numpy()
    return tuple(range(int(seen.min()), int(seen.max()) + 1))


def matrix(panel: pl.DataFrame, years: tuple[int, ...]) -> tuple[pl.Series, Floats]:
    """Enterprises × years; NaN where an enterprise is not there."""
    rows = panel.select(pl.col("uscc").cast(pl.String), "year", pl.col("amount").cast(pl.Float64))
    rows = rows.filter(pl.col("year").is_in(years) & pl.col("amount").is_finite())
    rows = rows.group_by("uscc", "year").agg(pl.col("amount").sum())
    codes = rows["uscc"].unique().sort()
    places = rows.join(pl.DataFrame({"uscc": codes}).with_row_index("row"), on="uscc")
    amounts = np.full((len(codes), len(years)), np.nan)
    if years:
        amounts[places["row"].to_numpy(), places["year"].to_numpy() - years[0]] = places["amount"].to_numpy()
    return codes, amounts


def log_growth(amounts: Floats) -> Floats:
    """Log growth from each year to the next; NaN unless both are positive."""
    logs = np.log(np.where(amounts > 0, amounts, np.nan))
    return np.asarray(logs[:, 1:] - logs[:, :-1])


def without_echo(own: Floats, theta: float) -> Floats:
    """Each year's own part without what last year's left behind."""
    residuals = own.copy()
    for year in range(1, own.shape[1]):
        residuals[:, year] -= theta * np.nan_to_num(residuals[:, year - 1])
    return residuals
