"""What docs/benchmarks.md says of the contest."""

from benchmarks.words import NAMES, OURS, Figures, about, seconds, table, times, yuan

WHAT = {
    "ours": (
        "The product through its public functions. From raw files it reads every column of every registry, checks "
        "credit codes by their check digit and finds repetitions and contradictions; checked tables it trusts; of them "
        "the contest reads only columns that count, picked by hand as in the scripts. It keeps a line, with its status, "
        "for every row that is due or may be. The law is the whole catalogue, compiled from YAML; the numbers are data."
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


_MODES = {"rules": "rules", "end_to_end": "raw files to files, checked", "tables": "checked tables to files"}
_OF_SCRIPTS = {"end_to_end": "files to files", "tables": "the same, beside our checked tables"}


def contest_section(sizes: Figures) -> str:
    parts = [
        "## A contest: nine items, the same awards\n\n"
        "One synthetic city, clean registries as Parquet. Nine items of policy A: three fixed awards, a share of R&D "
        "growth, claims with caps by field, equipment with a rate still to be assessed, and two caps that several "
        "lines of an enterprise share to the fen. *rules*: from figures in memory to lines and totals in memory. "
        "The others are whole processes, from the start of Python to the results on disk. A script checks nothing; its "
        "run from files stands beside ours from raw files, which checks every row, and beside ours from the tables that "
        "these checks leave between the steps of a run. There more has been done than checks: enterprises are numbered, "
        "so that no code need be joined, repetitions are marked, and rows divided into parts.\n"
    ]
    for size, found in sizes.items():
        parts += [f"### {int(size):,} enterprises\n", about(found, runs=found["runs"], seed=found["seed"])]
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
        modes = _MODES if row["contender"] in OURS else _MODES | _OF_SCRIPTS
        head = [NAMES[row["contender"]], modes[row["mode"]]]
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


def figure_of(found: Figures, contender: str, mode: str) -> Figures:
    """A contender's figures in a mode; nothing where it failed or was not measured."""
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
    mine, script = figure_of(found, "ours", "rules"), figure_of(found, "polars_script", "rules")
    if mine and script:
        parts.append(
            f"**Rules.** `duixian` takes {times(mine['cores'] / script['cores'])} the cores of the Polars script, on the "
            "same engine. It evaluates compiled rules of a catalogue, holds money as 128-bit decimals where the script "
            "holds 64-bit integers, and carries keys of every cap with every line; overlaps between items, earlier "
            "years and other policies are looked for in every run, and here find nothing.\n"
        )
    whole, theirs = figure_of(found, "ours", "end_to_end"), figure_of(found, "polars_script", "end_to_end")
    tables = figure_of(found, "ours", "tables")
    if whole and theirs and tables:
        parts.append(
            f"**From files.** {seconds(tables['seconds'])} from checked tables against {seconds(theirs['seconds'])}: besides "
            "the rules, the libraries and the law of all items are loaded, and more columns are read. From raw files "
            f"{seconds(whole['seconds'])}: there `duixian` reads all columns and checks them.\n"
        )
    if reason := found.get("differences", {}).get("openfisca_model"):
        parts.append(f"**OpenFisca.** {reason}\n")
    return "\n".join(parts)
