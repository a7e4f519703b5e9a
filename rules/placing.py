"""Bring what a step found about some rows back to the wide frame they came from."""

import polars as pl


def with_found(frame: pl.DataFrame, found: pl.DataFrame, *on: str) -> pl.DataFrame:
    """`frame` with the other columns of `found`, which names each key `on` once; null where it does not.

    Only the key is joined: joining the frame itself would copy every column of every row to add one.
    """
    if found.is_empty():
        return frame.with_columns(pl.lit(None, t).alias(c) for c, t in found.schema.items() if c not in on)
    key = frame.select(on)
    if key.dtypes == [pl.UInt32]:
        return beside(frame, _by_place(key.to_series(), found.rechunk()))
    joined = _by_hash(key, found) if key.dtypes == [pl.String] else None
    if joined is None:
        joined = key.join(found, on=on, how="left", maintain_order="left")
    return beside(frame, joined.drop(on))


def beside(frame: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Both side by side. `new` is cut into pieces as `frame` is, or every later step would copy both to align them."""
    pieces, at = [], 0
    for length in frame.to_series(0).chunk_lengths():
        pieces.append(new.slice(at, length))
        at += length
    return frame.hstack(pl.concat(pieces, rechunk=False) if len(pieces) > 1 else new)


def _by_place(key: pl.Series, found: pl.DataFrame) -> pl.DataFrame:
    """A left join of numbers that count from 0 (of lines, rows, applicants), without comparing any."""
    found = found.drop_nulls(key.name)
    numbers = found[key.name]
    row_of = rows_by_number(numbers, at_least=_end(key))
    if row_of.len() - row_of.null_count() != found.height:
        raise ValueError(f"「{key.name}」 not unique")
    return found.drop(key.name).select(pl.all().gather(row_of.gather(key)))


def rows_by_number(numbers: pl.Series, at_least: int = 0) -> pl.Series:
    """For every number from 0 the place of a row that bears it, null where none does."""
    rows = pl.int_range(numbers.len(), dtype=pl.UInt32, eager=True)
    width = max(at_least, _end(numbers))
    if numbers.len() == width and (numbers == rows).all(ignore_nulls=False):  # as of all enterprises
        return rows
    row_of: pl.Series = pl.repeat(None, width, dtype=pl.UInt32, eager=True)
    return row_of.scatter(numbers, rows)


def _end(numbers: pl.Series) -> int:
    return int(numbers.max() or 0) + 1  # type: ignore[arg-type]  # a number, of numbers


def _by_hash(key: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame | None:
    """A left join of texts by their hashes, thrice as fast; None where different texts share a hash."""
    (on,) = key.columns
    text = pl.col(on)
    hashed = pl.when(text.is_not_null()).then(text.hash()).alias("_hash")
    found = found.with_columns(hashed)
    joined = key.select(hashed).join(found, on="_hash", how="left", maintain_order="left")
    if joined.height != key.height or (joined[on] != key[on]).any():
        return None
    return joined.drop("_hash")


def with_changed(lines: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """`lines` with the values of `changed` in the rows whose places it names as `_line`; other rows keep theirs.

    So a step words and computes only the lines it touches.
    """
    if changed.is_empty():
        return lines
    if changed["_line"].n_unique() < changed.height:
        raise ValueError("a line that is changed twice")
    return lines.with_columns(
        lines[c].clone().scatter(changed["_line"], changed[c].cast(lines.schema[c]))
        for c in changed.columns
        if c != "_line"
    )


def with_notes(lines: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """`lines` with the `note` of each `_line` added to its `review`."""
    noted = notes.select("_line", "note").join(lines.select("_line", "review"), on="_line")
    review = pl.concat_str("review", "note", separator="；", ignore_nulls=True)
    return with_changed(lines, noted.select("_line", review=review))
