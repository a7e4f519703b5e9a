"""Every command the documents show is run, in a copy of the project's folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.registries import REGISTRIES

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def shown(document: Path) -> list[str]:
    """The lines of a document's sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.strip().splitlines()]


COMMANDS = sorted(
    {line for document in DOCUMENTS for line in shown(document)}, key=lambda c: (" synth " not in c, c)
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project by links, with an own data/out and the interpreter at hand as its .venv."""
    folder = tmp_path_factory.mktemp("project")
    for path in ROOT.iterdir():
        if path.name not in (".venv", "data", ".git"):
            (folder / path.name).symlink_to(path)
    (folder / "data").mkdir()
    (folder / "data" / "raw").symlink_to(ROOT / "data" / "raw")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command: str, copy: Path) -> None:
    environment = {**os.environ, "PREFECT_HOME": str(copy / "prefect")}
    done = subprocess.run(command, shell=True, cwd=copy, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    if command == "make demo":
        assert "工作簿：data/demo/out/annual/2023/awards.xlsx" in done.stdout and "合计" in done.stdout


def test_python_example_works(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(copy)
    for block in code:
        exec(compile(block, "README.md", "exec"), {})
    assert (copy / "data" / "out" / "annual" / "2023" / "awards.xlsx").is_file()


def test_ci_runs_what_the_readme_names() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make test" in script and "make lint" in script


def test_data_dictionary_is_the_schema() -> None:
    text = (ROOT / "docs" / "data.md").read_text("utf-8")
    for registry in REGISTRIES.values():
        for column in registry.columns:
            words = f"`{column}` {registry.header(column)}"
            assert (f"**{words}**" in text) if column in registry.required() else (words in text)
