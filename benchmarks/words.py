"""Names, figures and tables as docs/benchmarks.md and the README show them."""

from collections.abc import Iterable, Sequence
from typing import Any

Figures = dict[str, Any]

NAMES = {
    "ours": "`duixian`, amounts",
    "polars_script": "Polars script",
    "duckdb_query": "DuckDB script",
    "pandas_script": "pandas script",
    "openfisca_model": "OpenFisca model",
    "ours_full": "`duixian`, full table",
    "ours_tables": "`duixian`, amounts, from checked tables",
    "ours_full_tables": "`duixian`, full table, from checked tables",
    "polars_full": "Polars script, full table",
    "annual": "`duixian annual`",
    "pandas_openpyxl": "pandas, openpyxl",
    "pandas_calamine": "pandas, calamine",
    "openpyxl_loop": "openpyxl, a loop",
}
OURS = ("ours", "ours_full", "annual")
SCRIPTS = ("polars_script", "duckdb_query", "pandas_script", "openfisca_model")


def seconds(value: float) -> str:
    """Seconds with about three digits; milliseconds below a tenth."""
    if value < 0.1:
        return f"{value * 1000:.1f} ms"
    return f"{value:,.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def times(value: float) -> str:
    """A ratio."""
    return f"{value:,.0f} ×" if value >= 100 else f"{value:.1f} ×" if value >= 10 else f"{value:.2f} ×"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def yuan(fen: float) -> str:
    """Fen as yuan."""
    return f"{fen / 100:,.2f} yuan"


def about(section: Figures, **more: Any) -> str:
    """When, where and with what a section was measured."""
    made, numbers = section["about"], section.get("versions", {})
    said = [f"{made['date']}, {made['machine']}, {made['memory_gib']} GiB, Python {made['python']}"]
    said += [f"{name} {number}" for name, number in numbers.items()]
    said += [f"{name} {value}" for name, value in more.items()]
    return f"*{'; '.join(said)}; load before {made['load_before']}; commit {made['commit']}.*\n"
