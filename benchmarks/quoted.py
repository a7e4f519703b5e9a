"""The table that the README quotes from results.json."""

from collections.abc import Iterator

from benchmarks.page_contest import figure_of
from benchmarks.words import NAMES, SCRIPTS, Figures, seconds, table


def _share(equal: int, lines: int) -> str:
    return "all" if equal == lines else f"{min(equal / lines, 0.999):.1%}"


def quoted(results: Figures) -> str:
    """The README's table: the contest's largest city up to a million, what-if, and reading."""
    head = ["", "`duixian`", *(NAMES[name] for name in SCRIPTS)]
    return table(head, _quoted_rows(results))


def _quoted_rows(results: Figures) -> Iterator[list[str]]:
    if sizes := [int(size) for size in results.get("contest", {})]:
        size = max((one for one in sizes if one <= 1_000_000), default=min(sizes))
        yield from _quoted_contest(size, results["contest"][str(size)])
    if "whatif" in results:
        yield from _quoted_whatif(results["whatif"])
    if "reading" in results:
        yield _quoted_reading(results["reading"])


_ROWS = {
    "rules": "nine items, in memory",
    "end_to_end": "from files to files; only `duixian` checks the rows",
    "tables": "the same from tables that it has checked before",
}


def _quoted_contest(size: int, found: Figures) -> Iterator[list[str]]:
    for mode, title in _ROWS.items():
        figures = [figure_of(found, name, mode) for name in ("ours", *SCRIPTS)]
        cells = [f"{seconds(one['seconds'])}, {one['peak']:,.0f} MiB" if one else "—" for one in figures]
        if mode == "tables":
            cells[1:] = ["as above"] * len(SCRIPTS)
        yield [f"{size:,} enterprises, {title}", *cells]
    agreed = [found["agreement"].get(name, {"failed": ""}) for name in SCRIPTS]
    shares = ["—" if "failed" in told else _share(told["equal"], told["lines"]) for told in agreed]
    yield ["lines equal to the fen", "", *shares]


def _quoted_whatif(found: Figures) -> Iterator[list[str]]:
    rows = [found["figures"].get(name, {"failed": ""}) for name in ("ours", *SCRIPTS)]
    ones = ["—" if "failed" in row else seconds(row["one"]["A4.06.rate"]["seconds"]) for row in rows]
    yield [f"{found['enterprises']:,} enterprises, A4.06 at 8%", *ones]
    many = ["—" if "failed" in row else seconds(row["many"]) for row in rows]
    yield [f"the same, {found['scenarios']} scenarios", *many]


def _quoted_reading(found: Figures) -> list[str]:
    def cell(name: str) -> str:
        if "failed" in found["figures"].get(name, {"failed": ""}):
            return "—"
        wrong = sum(sum(kinds.values()) for kinds in found["agreement"][name]["silent"].values())
        return f"{seconds(found['figures'][name]['seconds'])}, {wrong:,} wrong"

    title = f"a messy workbook of {found['rows']:,} rows, cells wrong and unsaid"
    return [title, cell("ours"), "—", "—", cell("pandas_calamine"), "—"]
