"""Checked registries, as the rules receive them, and the numbers of their enterprises."""

import polars as pl

from rules.placing import with_found

Frames = dict[str, pl.DataFrame]
"""Registry name → checked rows. Besides the registry's columns and provenance a row has `role` (line or
history) and `same_as` (for a repeated row the place of the row that counts, else null), and, where the
checks left it, APPLICANT."""

APPLICANT = "applicant"
"""Column of an enterprise's number within a set of frames, by which its rows are found without comparing
codes; null in rows of one that is not listed. A repeated row of the enterprises has a number that is nobody's."""


def counting(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that count: no repetitions."""
    return frame.filter(pl.col("same_as").is_null())


def lines(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of the run's own year and folder that count, without the columns that no rule reads."""
    own = frame.lazy().filter(pl.col("same_as").is_null() & (pl.col("role") == "line"))
    return own.drop("same_as", "role", "folder", "project_name", strict=False).collect()


def earlier(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of earlier years that count."""
    return frame.filter(pl.col("same_as").is_null() & (pl.col("role") == "history"))


def numbered(frames: Frames) -> Frames:
    """The frames with numbers of applicants, made anew unless every registry has them."""
    if all(APPLICANT in frame.columns for frame in frames.values()):
        return frames
    bare = {name: frame.drop(APPLICANT, strict=False) for name, frame in frames.items()}
    enterprises = with_numbers(bare.pop("enterprises"))
    found = {name: of_enterprises(frame, enterprises) for name, frame in bare.items()}
    return {"enterprises": enterprises} | found


def with_numbers(enterprises: pl.DataFrame) -> pl.DataFrame:
    """The enterprises, checked, with a number each."""
    return enterprises.with_row_index(APPLICANT)


def of_enterprises(frame: pl.DataFrame, enterprises: pl.DataFrame) -> pl.DataFrame:
    """A registry's rows with the numbers of their enterprises."""
    return with_found(frame, counting(enterprises).select("uscc", APPLICANT), "uscc")
