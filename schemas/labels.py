"""Compare words the way people do: without blanks, quotes, and the difference of full and half width."""

import re
import unicodedata

import polars as pl

_IGNORED = r"[\s\x{200b}\x{feff}*\"'“”‘’「」『』《》]"


def plain(text: str) -> str:
    """A header, label or name reduced to what identifies it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s​﻿*\"'“”‘’「」『』《》]", "", folded)


def plain_column(text: pl.Expr) -> pl.Expr:
    """`plain` for a column."""
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(_IGNORED, "")
