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


def filled(template: str, *values: pl.Expr | str) -> pl.Expr:
    """`template` with each `{}` replaced by a value (an expression or a column's name); null where one is null.

    Polars' own `format` panics on a column with an empty chunk (2.1; pola-rs/polars#25339), which a filter
    leaves at random.
    """
    pieces = template.split("{}")
    if len(pieces) != len(values) + 1:
        raise ValueError(f"「{template}」要 {len(pieces) - 1} 个值，给了 {len(values)} 个")
    found: list[pl.Expr] = [pl.lit(pieces[0])]
    for value, text in zip(values, pieces[1:], strict=True):
        shown = pl.col(value) if isinstance(value, str) else value
        found += [shown.cast(pl.String), pl.lit(text)]
    return pl.concat_str(found)
