"""What docs/benchmarks.md says of the figures in results.json; nothing here measures."""

from benchmarks.page_contest import contest_section
from benchmarks.page_reading import reading_section
from benchmarks.words import NAMES, Figures, about, seconds, table, times, yuan


def page(results: Figures) -> str:
    """The whole page."""
    parts = [_opening()]
    told = {
        "contest": contest_section,
        "whatif": _whatif,
        "reading": reading_section,
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
            about(found, runs=found["runs"], seed=found["seed"]),
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


def _scaling(found: Figures) -> str:
    city = [_scaled([f"{row['enterprises']:,}", f"{row.get('rows', 0):,}"], row) for row in found["city"]]
    items = [_scaled([f"{row['items']:,}"], row) for row in found["items"]]
    measures = ["lines considered", "payable or pending", "seconds", "cores", "peak"]
    parted = f" The year was divided into {found['partitions']} parts." if found.get("partitions") else ""
    return "\n".join(
        [
            "## How it grows\n",
            f"`duixian annual` on the contest's city, as a whole process.{parted}\n",
            about(found, runs=found["runs"], seed=found["seed"]),
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
            about(found, runs=found["runs"], seed=found["seed"]),
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
