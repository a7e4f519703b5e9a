"""Checked registries, as the rules receive them, and the numbers of their enterprises."""

import polars as pl

from rules.placing import beside, with_found

Frames = dict[str, pl.DataFrame]
"""Registry name → checked rows. Besides the registry's columns and provenance a row has `role` (line or
history) and `same_as` (for a repeated row the place of the row that counts, else null), and, where the
checks left it, APPLICANT."""

APPLICANT = "applicant"
"""Column of an enterprise's number within a set of frames, by which its rows are found without comparing codes.
Enterprises count from 0 (a repeated row has a number that is nobody's), codes that are not listed from there on."""


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
    """The frames with numbers of applicants, made anew unless every registry has them, of one numbering."""
    if all(APPLICANT in frame.columns for frame in frames.values()):
        numbers = frames["enterprises"][
            APPLICANT
        ]  # they ascend, unless frames of several runs were put together
        if (numbers.shift(-1) > numbers).all():
            return frames
    bare = {name: frame.drop(APPLICANT, strict=False) for name, frame in frames.items()}
    enterprises = with_numbers(bare.pop("enterprises"))
    return {"enterprises": enterprises} | of_enterprises(bare, enterprises)


def with_numbers(enterprises: pl.DataFrame) -> pl.DataFrame:
    """The enterprises, checked, with a number each."""
    return enterprises.with_row_index(APPLICANT)


def of_enterprises(frames: Frames, enterprises: pl.DataFrame) -> Frames:
    """The other registries' rows with the numbers of their enterprises, which are looked up at once."""
    if not frames:
        return {}
    codes = pl.concat([frame[["uscc"]] for frame in frames.values()])
    listed = counting(enterprises).select("uscc", APPLICANT)
    numbers = with_found(codes, listed, "uscc")[APPLICANT]
    unlisted = (numbers.is_null() & codes["uscc"].is_not_null()).arg_true()
    if unlisted.len():
        theirs = codes[unlisted]
        counted = theirs.unique(maintain_order=True).with_row_index(APPLICANT, offset=enterprises.height)
        numbers = numbers.scatter(unlisted, with_found(theirs, counted, "uscc")[APPLICANT])
    found, at = {}, 0
    for name, frame in frames.items():
        found[name] = beside(frame, numbers[at : at + frame.height].to_frame())
        at += frame.height
    return found


def is_listed(frame: pl.DataFrame, enterprises: pl.DataFrame) -> pl.Series:
    """Whether each row's enterprise is listed, so that its code is right."""
    return (frame[APPLICANT] < enterprises.height).fill_null(False)
