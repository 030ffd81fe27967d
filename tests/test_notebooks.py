"""The notebooks run from the first cell to the last, and what is saved is what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


def saved(source: Path) -> Any:
    """The notebook beside its source."""
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def code(notebook: Any) -> list[Any]:
    """Its code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[str]:
    """What a cell shows: its text, or the name of what went wrong."""
    return [
        output.get("text") or output.get("data", {}).get("text/plain") or output.get("ename", "")
        for output in cell.get("outputs", [])
    ]


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_holds_what_its_source_says(source: Path) -> None:
    """Nobody edits one of the two alone."""
    written = jupytext.read(source)
    kept = saved(source)
    assert [(cell.cell_type, cell.source) for cell in written.cells] == [
        (cell.cell_type, cell.source) for cell in kept.cells
    ]


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_and_shows_what_is_saved(source: Path) -> None:
    """Every cell, in a fresh kernel, without a complaint; what it shows does not depend on the day."""
    notebook = jupytext.read(source)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert [shown(cell) for cell in code(notebook)] == [shown(cell) for cell in code(saved(source))]
