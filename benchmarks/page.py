"""What docs/benchmarks.md and the README say of the figures in results.json; nothing here measures."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Figures = dict[str, Any]

NAMES = {
    "ours": "`duixian`, amounts",
    "polars_script": "Polars script",
    "duckdb_query": "DuckDB script",
    "pandas_script": "pandas script",
    "openfisca_model": "OpenFisca model",
    "ours_full": "`duixian`, full table",
    "polars_full": "Polars script, full table",
    "annual": "`duixian annual`",
    "pandas_openpyxl": "pandas, openpyxl",
    "pandas_calamine": "pandas, calamine",
    "openpyxl_loop": "openpyxl, a loop",
}
SCRIPTS = ("polars_script", "duckdb_query", "pandas_script", "openfisca_model")

WHAT = {
    "ours": (
        "The product through its public functions. End to end it reads every column of every registry, checks "
        "credit codes by their check digit, finds repetitions and contradictions, and keeps a line, with its status, "
        "for every row that is due or may be. The law is the whole catalogue, compiled from "
        "YAML; the numbers are data."
    ),
    "polars_script": (
        "What a Polars specialist writes for these nine items: lazy, only the columns that count, whole fen in 64-bit "
        "integers. Checks nothing, keeps only lines that are due, tells no reason."
    ),
    "duckdb_query": "One SQL script with decimals, the same scope as the Polars script; spills to disk if need be.",
    "pandas_script": "merge, groupby and whole fen in 64-bit integers; the same scope. Everything is in memory.",
    "openfisca_model": (
        "Entities, parameters and variables as its country template lays them out; money is its own number type, "
        "32-bit floats. A model can be reformed and its variables asked one by one, which the scripts cannot."
    ),
    "ours_full": (
        "The product with every column of `awards.parquet`: reasons, notes, and the arithmetic of each line in Chinese."
    ),
    "polars_full": "A script for these items alone that writes the same table, words included.",
    "annual": (
        "The whole command: reads, checks, computes, verifies identities, writes tables, workbook and manifest. Nobody "
        "else does that here, so it has no rules mode; compare it with the full table."
    ),
}


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


def page(results: Figures) -> str:
    """The whole page."""
    parts = [_opening()]
    told = {
        "contest": _contest,
        "whatif": _whatif,
        "reading": _reading,
        "scaling": _scaling,
        "forecast": _forecast,
    }
    for name, section in told.items():
        if results.get(name):
            parts.append(section(results[name]))
    return "\n".join([*parts, _repeating()])


def _opening() -> str:
    return """# Benchmarks

How long `duixian` takes, how much memory it needs and whether it is right, beside what else one could do. All
figures are medians of measurements in `benchmarks/results.json`; `benchmarks/report.py` writes this page from them.

Every measurement is a process of its own and the contenders take turns. *cores*: seconds of all cores together,
which others at work on the machine change less than those on the wall. *peak*: the most memory the process ever
held. *÷ ours*: theirs divided by ours: above 1 they take longer, below 1 `duixian` does. *load before*: how many
processes wanted a core in the minute before a section began, so whether the machine had other work.
"""


def _about(section: Figures, **more: Any) -> str:
    about, numbers = section["about"], section.get("versions", {})
    said = [f"{about['date']}, {about['machine']}, {about['memory_gib']} GiB, Python {about['python']}"]
    said += [f"{name} {number}" for name, number in numbers.items()]
    said += [f"{name} {value}" for name, value in more.items()]
    return f"*{'; '.join(said)}; load before {about['load_before']}; commit {about['commit']}.*\n"


def _contest(sizes: Figures) -> str:
    parts = [
        "## A contest: nine items, the same awards\n\n"
        "One synthetic city, clean registries as Parquet. Nine items of policy A: three fixed awards, a share of R&D "
        "growth, claims with caps by field, equipment with a rate still to be assessed, and two caps that several "
        "lines of an enterprise share to the fen. *rules*: from figures in memory to lines in memory. *end to end*: "
        "the whole process, from the start of Python to the results on disk.\n"
    ]
    for size, found in sizes.items():
        parts += [f"### {int(size):,} enterprises\n", _about(found, runs=found["runs"], seed=found["seed"])]
        parts += [_contest_table(found), _agreements(found)]
    last = list(sizes.values())[-1]
    present = [name for name in WHAT if any(row["contender"] == name for row in last["figures"])]
    parts.append("### Who does what\n")
    parts.append("".join(f"- **{NAMES[name]}**: {WHAT[name]}\n" for name in present))
    parts.append(_why(last))
    return "\n".join(parts)


def _contest_table(found: Figures) -> str:
    rows = []
    for row in found["figures"]:
        head = [NAMES[row["contender"]], row["mode"].replace("_", " ")]
        if "failed" in row:
            rows.append([*head, row["failed"], "", "", "", ""])
            continue
        ratios = [times(1 / row[f"ours_{n}"]) if row.get(f"ours_{n}") else "" for n in ("seconds", "cores")]
        rows.append(
            [*head, seconds(row["seconds"]), seconds(row["cores"]), f"{row['peak']:,.0f} MiB", *ratios]
        )
    return table(["", "what", "seconds", "cores", "peak", "÷ ours", "cores ÷ ours"], rows)


def _agreements(found: Figures) -> str:
    lines = []
    for name, told in found["agreement"].items():
        lines.append(f"- {NAMES[name]}: {_agreed(told)}\n")
    return "".join(lines)


def _agreed(told: Figures) -> str:
    if "failed" in told:
        return f"could not be compared: {told['failed']}."
    if "alike" in told:
        cells = f"{told['lines']:,} lines, {told.get('cells', 0):,} cells"
        return f"{cells}, all equal." if told["alike"] else f"{cells}; different: {told['columns']}."
    said = f"{told['equal']:,} of {told['lines']:,} lines equal to the fen"
    if told["alone"]:
        said += f", {told['alone']:,} in one of the two only"
    if told["different"]:
        said += f", {told['different']:,} different, by up to {yuan(told['largest_fen'])}"
    return f"{said}; {told['totals_different']:,} of {told['totals']:,} totals different."


def _figure(found: Figures, contender: str, mode: str) -> Figures:
    return next(
        (
            r
            for r in found["figures"]
            if r["contender"] == contender and r["mode"] == mode and "failed" not in r
        ),
        {},
    )


def _why(found: Figures) -> str:
    """Where the differences of the contest come from."""
    parts = ["### Where the differences come from\n"]
    mine, script = _figure(found, "ours", "rules"), _figure(found, "polars_script", "rules")
    if mine and script:
        parts.append(
            f"**Rules.** `duixian` takes {times(mine['cores'] / script['cores'])} the cores of the Polars script, on the "
            "same engine. It evaluates compiled rules of a catalogue, holds money as 128-bit decimals where the script "
            "holds 64-bit integers, and carries keys of every cap with every line; overlaps between items, earlier "
            "years and other policies are looked for in every run, and here find nothing.\n"
        )
    whole, theirs = _figure(found, "ours", "end_to_end"), _figure(found, "polars_script", "end_to_end")
    if whole and theirs:
        parts.append(
            f"**End to end.** {seconds(whole['seconds'])} against {seconds(theirs['seconds'])}: the scripts read the "
            "columns they need and trust them; `duixian` reads all and checks them.\n"
        )
    if reason := found.get("differences", {}).get("openfisca_model"):
        parts.append(f"**OpenFisca.** {reason}\n")
    return "\n".join(parts)


def _whatif(found: Figures) -> str:
    mine = found["figures"].get("ours", {})
    rows = [_whatif_row(name, row, mine) for name, row in found["figures"].items()]
    many = f"{found['scenarios']} scenarios"
    head = [
        "",
        "A4.06 6% → 8%",
        "÷ ours",
        "A7.08 cap 300万 → 200万",
        "÷ ours",
        many,
        "÷ ours",
        "prepare",
        "peak",
    ]
    agreed = "".join(f"- {NAMES[n]}: {_totals_agreed(told)}\n" for n, told in found["agreement"].items())
    return "\n".join(
        [
            "## What if a number were another?\n",
            f"The contest's nine items on {found['enterprises']:,} enterprises. One term changed, then "
            f"{found['scenarios']} scenarios that change one term each, over all terms of the items. The data is in "
            "memory before the clock starts; everybody ends with totals by 区镇 and item.\n",
            _about(found, runs=found["runs"], seed=found["seed"]),
            table(head, rows),
            agreed,
            "`duixian` settles the baseline once (*prepare*: the registries read and checked, every line worded), "
            "then computes only the items that a scenario changes or may touch, and adds up the others as they were; "
            "each evaluation includes laying the scenario over the whole catalogue and compiling what it changes. The "
            "scripts run whole, as they are written: their numbers are in the code, and nothing in them knows what "
            "depends on a number. Someone who knows can of course run the one function that matters. OpenFisca applies "
            "a reform to its parameters, keeps its inputs and computes anew what it had computed. Nobody but "
            "`duixian` checks that a changed number is one the item can take.\n",
        ]
    )


def _whatif_row(name: str, row: Figures, mine: Figures) -> list[str]:
    if "failed" in row:
        return [NAMES[name], row["failed"], *[""] * 7]
    cells = [NAMES[name]]
    for key, one in row["one"].items():
        cells += [
            seconds(one["seconds"]),
            times(one["seconds"] / mine["one"][key]["seconds"]) if "one" in mine else "",
        ]
    cells += [seconds(row["many"]), times(row["many"] / mine["many"]) if "many" in mine else ""]
    return [*cells, seconds(row["prepare"]), f"{row['peak']:,.0f} MiB"]


def _totals_agreed(told: Figures) -> str:
    if "failed" in told:
        return f"could not be compared: {told['failed']}."
    if not told["different"]:
        return f"all {told['sums']:,} totals of all scenarios equal to the fen."
    return (
        f"{told['different']:,} of {told['sums']:,} totals of all scenarios different, by up to "
        f"{yuan(told['largest_fen'])} ({told['largest_relative']:.1e} of the total), as its 32-bit floats allow."
    )


def _reading(found: Figures) -> str:
    mine, rows = found["figures"].get("ours", {}), []
    for name, row in found["figures"].items():
        if "failed" in row:
            rows.append([NAMES.get(name, name), row["failed"], *[""] * 5])
            continue
        told = found["agreement"][name]
        wrong = sum(sum(kinds.values()) for kinds in told["silent"].values())
        rows.append(
            [
                "`duixian`" if name == "ours" else NAMES[name],
                seconds(row["seconds"]),
                times(row["seconds"] / mine["seconds"]) if mine else "",
                f"{row['peak']:,.0f} MiB",
                f"{told['rows']:,}",
                f"{told['said']:,}",
                f"{wrong:,}",
            ]
        )
    head = ["", "seconds", "÷ ours", "peak", "rows", "cells refused, and said", "cells wrong, and unsaid"]
    return "\n".join(
        [
            "## Reading a messy workbook\n",
            f"An R&D workbook of {found['rows']:,} rows ({found['bytes'] / 1e6:.1f} MB) as a department sends it: merged "
            "title, 填报单位 and 单位：万元 in a line above, a header of two lines, serial numbers, blank rows, a 合计 "
            "row; years like 2023年度, √ and 是, separators, full-width digits, dust in floats. `duixian` is told which "
            "registry it is and finds the rest; the scripts know the rows above the data, the columns and the unit. "
            "Imports are left out, check digits of credit codes are in our time.\n",
            _about(found, runs=found["runs"], seed=found["seed"]),
            table(head, rows),
            *(_wrong(name, told) for name, told in found["agreement"].items()),
            "Who knows that it is needed mends each of these with a line; nothing in the scripts says that it is. What "
            "`duixian` refuses it names: sheet, row, column, value, and what to do; a refused amount is missing in its sum. "
            "An amount finer than a fen is refused by `duixian` and rounded without a word by the scripts, which is not "
            f"counted as wrong here. {_right(found)}\n",
        ]
    )


_TRAPS = {
    ("rnd_expense", "full_width"): "amounts in full-width digits lost",
    ("rnd_expense", "unreadable"): "amounts like 待核 taken for blanks",
    ("rnd_expense", "grouped"): "amounts with separators lost",
    ("rnd_expense", "dust"): "amounts with dust wrong",
    ("rnd_expense", "tiny"): "amounts of one fen wrong",
    ("rnd_expense", "finer_than_a_fen"): "amounts finer than a fen wrong",
    ("uscc", "as_number"): "codes whose last digits a number cell has lost passed on",
    ("uscc", "as_text"): "codes in full width not recognised",
    ("year", "any"): "years in full-width digits lost",
    ("super_deduction", "any"): "blanks counted as no deduction",
}


def _right(found: Figures) -> str:
    """What nobody gets wrong."""
    wrong = {trap for told in found["agreement"].values() for trap in told["silent"].get("rnd_expense", {})}
    kinds = {
        "dust": "the dust that formulas leave in floats (1234.5699999999998)",
        "tiny": "0.000001万元, which a workbook holds as 1e-06",
        "grouped": "separators of thousands",
    }
    right = [words for trap, words in kinds.items() if trap not in wrong]
    return f"Read right by all: {'; '.join(right)}." if right else ""


def _wrong(name: str, told: Figures) -> str:
    gaps = {column: abs(told["sums"][column] - total) for column, total in told["sums_truth"].items()}
    off = f"R&D spending off by {yuan(gaps['rnd_expense'])}" if gaps["rnd_expense"] else "sums right"
    title = "`duixian`" if name == "ours" else NAMES[name]
    kinds = [
        f"{count:,} {_TRAPS.get((column, trap), f'{column} ({trap})')}"
        for column, traps in told["silent"].items()
        for trap, count in traps.items()
    ]
    said = "; ".join(kinds) if kinds else f"nothing wrong unsaid, {told['said']:,} cells refused by name"
    return f"**{title}**: {said}; {off} of {yuan(told['sums_truth']['rnd_expense'])}.\n"


def _scaling(found: Figures) -> str:
    city = [_scaled([f"{row['enterprises']:,}", f"{row.get('rows', 0):,}"], row) for row in found["city"]]
    items = [_scaled([f"{row['items']:,}"], row) for row in found["items"]]
    measures = ["lines considered", "payable or pending", "seconds", "cores", "peak"]
    parted = f" The year was divided into {found['partitions']} parts." if found.get("partitions") else ""
    return "\n".join(
        [
            "## How it grows\n",
            f"`duixian annual` on the contest's city, as a whole process.{parted}\n",
            _about(found, runs=found["runs"], seed=found["seed"]),
            table(["enterprises", "rows", *measures], city),
            _slopes(found),
            f"The same command on a synthetic city of {found['enterprises']:,} enterprises whose claims cover the whole "
            "catalogue, with so many items in force and the others switched off by a scenario, in an order drawn by "
            "lot. A claim for an item that is switched off stays as a line that says so.\n",
            table(["items in force", *measures], items),
            _per_item(found),
        ]
    )


def _scaled(head: list[str], row: Figures) -> list[str]:
    if "failed" in row:
        return [*head, *[""] * 2, row["failed"], "", ""]
    figures = [seconds(row["seconds"]), seconds(row["cores"]), f"{row['peak']:,.0f} MiB"]
    return [*head, f"{row['lines']:,}", f"{row['due']:,}", *figures]


def _slopes(found: Figures) -> str:
    if "slopes" not in found:
        return ""
    fits = [row["enterprises"] for row in found["city"] if "failed" not in row][-3:]
    said = []
    for name, points in (("slopes", fits), ("last_slopes", fits[-2:])):
        all_, last = found[name], f"{points[0]:,} to {points[-1]:,} enterprises"
        said.append(
            f"{last}: {all_['seconds']:.2f} for seconds, {all_['cores']:.2f} for cores, {all_['peak']:.2f} for memory"
        )
    fixed = found["fixed"]
    return (
        f"Slope of the logarithms on that of rows, from {'; from '.join(dict.fromkeys(said))}; 1.00 is in proportion, "
        f"less is fixed cost that spreads. The line through the two smallest cities begins at "
        f"{seconds(fixed['seconds'])}: the start of Python, the imports, the catalogue, the workbook. The line through "
        f"the memory of the two largest begins at {fixed['peak']:,.0f} MiB.\n"
    )


def _per_item(found: Figures) -> str:
    if "an_item" not in found:
        return ""
    one = found["an_item"]
    return (
        f"By least squares an item in force costs {one['cores'] * 1000:.1f} ms of cores, {one['seconds'] * 1000:.1f} ms on "
        f"the wall and {one['peak']:.2f} MiB, its lines included.\n"
    )


def _forecast(found: Figures) -> str:
    rows = [
        [
            row["title"],
            f"{row['enterprises']:,}",
            f"{row['draws']:,}",
            seconds(row["seconds"]),
            seconds(row["cores"]),
            f"{row['peak']:,.0f} MiB",
            times(row["floor_seconds"]),
            times(row["floor_cores"]),
        ]
        for row in found["rows"]
    ]
    head = ["", "enterprises", "draws", "seconds", "cores", "peak", "÷ floor", "cores ÷ floor"]
    stages = [
        f"{'A4.06' if of == 'single' else 'computed'}: {', '.join(f'{k} {v:.0%}' for k, v in parts.items())}"
        for of, parts in found["stages"].items()
    ]
    return "\n".join(
        [
            "## The forecast against NumPy\n",
            f"{found['years']} years ahead on {found['workers']} workers. *floor*: a hand-written NumPy loop: lognormal "
            "growth, A4.06 by 区镇, no rule engine, nothing written. *A4.06*: the forecast's own growth (tables from the "
            "panel, exits, newcomers, zeros) and the compiled rule, all totals on disk. *computed* adds A11.02–04 and every "
            "claim that the text computes.\n",
            _about(found, runs=found["runs"], seed=found["seed"]),
            table(head, rows),
            f"Where the time goes with one worker: {'; '.join(stages)}.\n",
        ]
    )


def _repeating() -> str:
    return """## How to repeat

```
make bench
make bench BENCH="--only reading"
make bench BENCH="--only contest --sizes 10000000 --runs 1 --limit-gb 20"
make bench BENCH=--large
make bench BENCH="--from benchmarks/results.json"
```

`make bench` puts the contenders (`benchmarks/requirements.lock`) beside the product's own packages into a folder of
their own, `.venv-bench`, and measures all sections. A section, or a size of the contest, replaces its part of
`benchmarks/results.json` when it is done and leaves the others, so that a long run can be done in pieces. The last
command writes this page again without measuring. `python -m benchmarks.contest --help` and so on tell how each
section is run alone. Beside these, `benchmarks.scenarios` times a changed term with words, solving for a budget and
comparing two runs, and `benchmarks.catalogue` the whole catalogue at a million claims.
"""


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


def _quoted_contest(size: int, found: Figures) -> Iterator[list[str]]:
    for mode, title in (("rules", "nine items, in memory"), ("end_to_end", "from files to files")):
        figures = [_figure(found, name, mode) for name in ("ours", *SCRIPTS)]
        cells = [f"{seconds(one['seconds'])}, {one['peak']:,.0f} MiB" if one else "—" for one in figures]
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
