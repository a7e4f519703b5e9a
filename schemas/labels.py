"""Compare words the way people do: without blanks, quotes, and the difference of full and half width."""

import re
import unicodedata

import polars as pl

BLANK = r"[\s\x00-\x1f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
"""One blank of any kind, also those that cannot be seen (Python and Polars read this pattern alike)."""

_IGNORED = BLANK[:-1] + "*\"'“”‘’「」『』《》]"


def plain(text: str) -> str:
    """A header, label or name reduced to what identifies it."""
    return re.sub(_IGNORED, "", unicodedata.normalize("NFKC", text).casefold())


def plain_column(text: pl.Expr) -> pl.Expr:
    """`plain` for a column."""
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(_IGNORED, "")


def packed(text: pl.Expr) -> pl.Expr:
    """A column's text in half width and without any blank."""
    return text.str.normalize("NFKC").str.replace_all(BLANK, "")
