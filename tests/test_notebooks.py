# SPDX-License-Identifier: GPL-2.0-or-later
"""The notebooks run from the first cell to the last, and are committed with their pictures."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import History

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks") / "store"


def read(name: str) -> nbformat.NotebookNode:
    found = nbformat.read(FOLDER / name, as_version=4)  # type: ignore[no-untyped-call]
    assert isinstance(found, nbformat.NotebookNode)
    return found


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]


def pictures(notebook: nbformat.NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def test_there_are_at_least_four() -> None:
    assert len(NOTEBOOKS) >= 4


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_on_the_miniature(
    name: str, nettrees: History, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KBISECT_NOTEBOOK_REPO", str(nettrees.path))
    monkeypatch.setenv("KBISECT_NOTEBOOK_STORE", str(store))
    notebook = read(name)
    drawn = pictures(notebook)
    # Whatever fails in a cell is raised here, with the cell and its traceback.
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert pictures(notebook) >= drawn - 1 >= 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_committed_as_it_ran(name: str) -> None:
    notebook = read(name)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert pictures(notebook) >= 2
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_nothing_of_the_machine_it_ran_on(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    without_pictures = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.findall(
        r"(?<![\w.])/(?:home|root|tmp|usr|var|work|Users)/[\w./-]*", without_pictures
    )
