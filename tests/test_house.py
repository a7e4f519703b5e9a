"""The house stands as ARCHITECTURE says: imports in one direction, Prefect only in flows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "schemas": set(),
    "registries": {"schemas"},
    "rules": {"schemas"},
    "forecast": {"schemas", "rules"},
    "whatif": {"schemas", "rules", "forecast"},
    "reports": {"schemas"},
    "synth": {"schemas", "rules"},
    "flows": {"schemas", "registries", "rules", "forecast", "whatif", "reports", "synth"},
}
FILES = sorted(path for folder in MAY_IMPORT for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level packages a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    ours = imported(path) & set(MAY_IMPORT)
    assert ours <= MAY_IMPORT[folder] | {folder}, f"{path.name} 引用了 {ours - MAY_IMPORT[folder]}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_flows_know_prefect(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "flows":
        assert "prefect" not in imported(path)


def test_the_engine_stays_small() -> None:
    """Worked cases, checks, figures, pages and the catalogue's listing look at the law; they compute no award."""
    beside = {"cases.py", "check.py", "figures.py", "inspect.py"}
    engine = [p for p in (ROOT / "rules").glob("*.py") if p.name not in beside]
    lines = sum(len(p.read_text("utf-8").splitlines()) for p in engine)
    assert lines <= 4100, f"rules/ 的引擎有 {lines} 行"


def test_lock_names_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock and "index" not in lock.replace("rpds", "")
    pinned = [line for line in lock.splitlines() if "==" in line]
    assert lock.count("--hash=sha256:") >= len(pinned) > 50
