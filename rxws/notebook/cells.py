"""The cells of a notebook: whether one runs, and which views each of them has made."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Protocol

from rxws.notebook.out_of_turn import OutOfTurn

__all__ = ["Cells", "Replaceable", "cells"]


MOST_CELLS = 1_000
"""So many cells are known; what an older one has made is never replaced."""


class Replaceable(Protocol):
    """What a cell makes, and makes anew when it runs again."""

    def replace(self) -> None:
        """End it, and leave nothing that lives."""


class Cells:
    """The cells of one IPython shell.

    A view belongs to the cell that made it, wherever it is shown: when that cell runs again, the view is replaced.

    Args:
        shell: IPython's `InteractiveShell`.
    """

    def __init__(self, shell: Any) -> None:  # Any: IPython is optional, and has no types
        self.shell = shell
        # Whoever makes the first view does so from a cell, which began before anybody asked to be told.
        self.executing = True
        self._context = copy_context()
        self._latest = ""
        self.has_kernel = getattr(shell, "kernel", None) is not None
        self._out_of_turn = OutOfTurn(getattr(shell, "kernel", None), lambda: self.executing)
        self._made: dict[str, list[Replaceable]] = {}
        shell.events.register("pre_run_cell", self._begins)
        shell.events.register("post_run_cell", self._ends)

    def add(self, view: Replaceable) -> None:
        """Take in a view that the current cell has made."""
        self._made.setdefault(self._current(), []).append(view)
        if len(self._made) > MOST_CELLS:
            del self._made[next(iter(self._made))]

    def listen(self, comm_id: str, heard: Callable[[Any], None]) -> None:
        """Hear what browsers send to this comm, though a cell runs."""
        self._out_of_turn.listen(comm_id, heard)

    def forget(self, comm_id: str) -> None:
        """Leave this comm to the kernel."""
        self._out_of_turn.forget(comm_id)

    def in_cell(self, call: Callable[[], None]) -> None:
        """Call something as the cell that runs, or ran last: whoever runs a notebook takes no other's outputs."""
        self._context.copy().run(call)

    def _begins(self, info: Any) -> None:
        self.executing = True
        self._context = copy_context()
        self._latest = getattr(info, "cell_id", None) or info.raw_cell
        for view in self._made.pop(self._latest, ()):
            view.replace()

    def _ends(self, _: object) -> None:
        self.executing = False

    def _current(self) -> str:
        """Return what tells the current cell from others: its id, and where the front end tells none its text."""
        get_parent = getattr(self.shell, "get_parent", None)
        parent = get_parent() if get_parent is not None else None
        if parent:
            text = parent.get("content", {}).get("code", "")
            return parent.get("metadata", {}).get("cellId") or text or self._latest
        return self._latest or self.shell.history_manager.input_hist_raw[-1]


_CELLS: list[Cells] = []  # of the one shell that there is


def cells() -> Cells | None:
    """Return the cells of the notebook, or of the IPython, that runs this; None: no IPython does."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return None
    if not _CELLS or _CELLS[0].shell is not shell:
        _CELLS[:] = [Cells(shell)]
    return _CELLS[0]
