"""Findings come back to the rows they are of, also where two texts share a hash."""

import polars as pl
import pytest

from rules.placing import with_changed, with_found, with_notes

FRAME = pl.DataFrame({"code": ["b", None, "aa", "c", "b"], "n": [1, 2, 3, 4, 5]})
FOUND = pl.DataFrame({"code": ["aa", "b", "zz", None], "name": ["甲", "乙", "丙", "无"]})


def test_found_by_text() -> None:
    assert with_found(FRAME, FOUND, "code")["name"].to_list() == ["乙", None, "甲", None, "乙"]


def test_texts_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for collide in (lambda text: text.str.len_chars(), lambda text: pl.lit(7)):
        monkeypatch.setattr(pl.Expr, "hash", collide)
        assert with_found(FRAME, FOUND, "code")["name"].to_list() == ["乙", None, "甲", None, "乙"]


def test_nothing_found_is_null() -> None:
    assert with_found(FRAME, FOUND.clear(), "code")["name"].to_list() == [None] * 5


def test_only_named_lines_change() -> None:
    lines = pl.DataFrame({"_line": [0, 1, 2], "status": ["a", "b", "c"], "review": ["x", None, "y"]})
    changed = pl.DataFrame({"_line": [1], "status": [None]}, schema_overrides={"status": pl.String})
    assert with_changed(lines, changed)["status"].to_list() == ["a", None, "c"]
    noted = with_notes(lines, pl.DataFrame({"_line": [2, 1], "note": ["p", "q"]}))
    assert noted["review"].to_list() == ["x", "q", "y；p"]


def numbers(*values: int | None) -> pl.Series:
    return pl.Series("number", values, dtype=pl.UInt32)


def test_found_by_number() -> None:
    frame = pl.DataFrame([numbers(2, None, 0, 9, 2)])
    found = pl.DataFrame([numbers(0, 2, None), pl.Series("name", ["甲", "乙", "无"])])
    assert with_found(frame, found, "number")["name"].to_list() == ["乙", None, "甲", None, "乙"]
    every = pl.DataFrame([numbers(0, 1, 2), pl.Series("name", ["甲", "乙", "丙"])])
    assert with_found(frame, every, "number")["name"].to_list() == ["丙", None, "甲", None, "丙"]


def test_a_number_that_two_bear_is_refused() -> None:
    found = pl.DataFrame([numbers(0, 0, 2), pl.Series("name", ["甲", "乙", "丙"])])
    with pytest.raises(ValueError, match="number"):
        with_found(pl.DataFrame([numbers(0, 2)]), found, "number")


def test_what_is_found_comes_in_the_pieces_of_the_frame() -> None:
    pieces = [pl.DataFrame([numbers(0, 2)]), pl.DataFrame([numbers(1)]), pl.DataFrame([numbers(2, 0, 0)])]
    found = pl.DataFrame([numbers(0, 1, 2), pl.Series("name", ["甲", "乙", "丙"])])
    made = with_found(pl.concat(pieces, rechunk=False), found, "number")
    assert made["name"].to_list() == ["甲", "丙", "乙", "丙", "甲", "甲"]
    assert made["name"].chunk_lengths() == made["number"].chunk_lengths() == [2, 1, 3]


def test_a_line_is_changed_once() -> None:
    lines = pl.DataFrame({"_line": [0, 1], "status": ["a", "b"]})
    with pytest.raises(ValueError, match="twice"):
        with_changed(lines, pl.DataFrame({"_line": [0, 0], "status": ["c", "d"]}))
