"""Find the value of a term that meets a budget, on a year's registries."""

import tempfile
from pathlib import Path

from flows import steps
from flows.files import Say, checked_frames
from rules.catalogue import Catalogue, load_catalogue
from whatif import outlook
from whatif.bench import Bench
from whatif.solve import Solved, parse_target, parse_varied, solve


def run_solve(
    year: int, raw: Path, target: str, vary: str, span: str, ahead: outlook.Asked | None, say: Say
) -> tuple[Solved, Catalogue]:
    """Find the value that meets a target. Raises Unusable for what cannot be read or is unknown."""
    law = load_catalogue()
    wanted, varied = parse_target(target, law), parse_varied(vary, span, law)
    with tempfile.TemporaryDirectory(prefix="duixian-") as folder:
        work = Path(folder)
        steps.read(work, raw, year, say)
        steps.check_rows(work, year, law, say)
        bench = Bench(checked_frames(work), year, law)
        return solve(bench, wanted, varied, ahead), law
