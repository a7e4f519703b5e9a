"""Texts made of columns: whatever chunks a frame is in."""

import polars as pl
import pytest

from schemas.labels import filled


def with_an_empty_chunk() -> pl.DataFrame:
    """Rows of which a filter has emptied the middle chunk."""
    part = pl.DataFrame({"x": ["甲", "乙", None], "n": [1, 2, 3]})
    frame = pl.concat([part, part, part], rechunk=False).with_row_index()
    return frame.filter(pl.col("index").is_in([0, 1, 8]))


def test_an_empty_chunk_does_no_harm() -> None:
    frame = with_an_empty_chunk()
    assert [len(chunk) for chunk in frame["x"].get_chunks()] == [2, 0, 1], "这一列没有空块，测不出什么"
    found = frame.select(filled("{}第{}行", "x", pl.col("n") + 1)).to_series()
    assert found.to_list() == ["甲第2行", "乙第3行", None]


def test_values_and_blanks_must_agree() -> None:
    with pytest.raises(ValueError, match="要 2 个值"):
        filled("{}到{}", "x")
