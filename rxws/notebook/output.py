"""Where a view stands in a notebook: every output of one display id."""

from __future__ import annotations

from typing import Any

__all__ = ["Output"]

WIDTH = 700
"""Pixels of the page that a picture takes; it has twice as many."""


class Output:
    """The outputs that show one view; what updates one updates all.

    Args:
        display_id: tells this view's outputs from others.
    """

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id
        self.is_shown = False

    def show(self, bundle: dict[str, Any]) -> None:  # Any: JSON
        """Put one more output into the current cell."""
        self._display(bundle)
        self.is_shown = True

    def update(self, bundle: dict[str, Any]) -> None:
        """Replace what all of them hold."""
        self._display(bundle, update=True)

    def _display(self, bundle: dict[str, Any], *, update: bool = False) -> None:
        from IPython.display import display

        metadata = {"image/png": {"width": WIDTH}} if "image/png" in bundle else {}
        display(  # type: ignore[no-untyped-call]  # IPython has no types there
            bundle, raw=True, metadata=metadata, display_id=self.display_id, update=update
        )
