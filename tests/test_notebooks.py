"""The notebooks run from the first cell to the last, and what is saved is what they are."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))
PNG = "image/png"
PICTURE = "a picture"
LARGEST = 60_000
"""Bytes of a file: what a repository can keep, and change, for years."""


def saved(source: Path) -> Any:
    """The notebook beside its source."""
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def code(notebook: Any) -> list[Any]:
    """Its code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[str]:
    """What a cell shows: its text, or the name of what went wrong; of a picture only that it is one, for it moves."""
    return [
        PICTURE
        if PNG in output.get("data", {})
        else output.get("text") or output.get("data", {}).get("text/plain") or output.get("ename", "")
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
    NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=False).execute()
    assert [shown(cell) for cell in code(notebook)] == [shown(cell) for cell in code(saved(source))]


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chart_is_saved_as_a_picture(source: Path) -> None:
    """Whoever only reads the notebook sees what it draws: as large as a screen wants it, and not an empty sheet."""
    outputs = [output for cell in code(saved(source)) for output in cell.outputs]
    charts = [output.data for output in outputs if output.get("data", {}).get("text/plain", "").startswith("<Live")]

    assert charts
    for chart in charts:
        picture = Image.open(BytesIO(b64decode(chart[PNG])))
        assert picture.width == 1400
        assert len(picture.getcolors() or ()) > 8


@pytest.mark.parametrize("source", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_saved_is_small_and_no_accident_of_one_run(source: Path) -> None:
    """No error, no widget that has no kernel any more, no time of day: nothing changes unless a cell does."""
    path = source.with_suffix(".ipynb")
    notebook = saved(source)
    kinds = {output.output_type for cell in code(notebook) for output in cell.outputs}

    assert path.stat().st_size < LARGEST
    assert kinds <= {"display_data", "execute_result", "stream"}
    assert set(notebook.metadata) == {"jupytext", "kernelspec", "language_info"}
    assert [cell.metadata for cell in notebook.cells] == [{}] * len(notebook.cells)
    assert [cell.id for cell in notebook.cells] == [f"cell-{number + 1}" for number in range(len(notebook.cells))]
    assert "widget" not in json.dumps([cell.outputs for cell in code(notebook)])
