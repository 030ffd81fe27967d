"""The widget: what joins a view to the browsers that show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["LiveWidget"]


class LiveWidget(anywidget.AnyWidget):
    """The browser's side is one file of JavaScript; data goes in messages, never in traits, which would be saved.

    Args:
        uid: tells one view from another in the browser.
        heard: called with each message of a browser, on whichever thread it came.
    """

    _esm = Path(__file__).with_name("static") / "live.js"
    uid = traitlets.Unicode("").tag(sync=True)

    def __init__(self, uid: str, heard: Callable[[Any], None]) -> None:
        super().__init__(uid=uid)
        self.on_msg(lambda _, message, __: heard(message))

    def close(self) -> None:
        """Take it out of all browsers, and its layout too: ipywidgets would keep both as long as the kernel lives."""
        self.layout.close()
        super().close()
