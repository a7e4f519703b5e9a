"""What docs/benchmarks.md says of reading a messy workbook."""

from benchmarks.words import NAMES, Figures, about, seconds, table, times, yuan


def reading_section(found: Figures) -> str:
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
            about(found, runs=found["runs"], seed=found["seed"]),
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
