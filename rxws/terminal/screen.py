"""The part of a terminal in which a picture is drawn again and again."""

from __future__ import annotations

import asyncio
import atexit
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType

from rxws.errors import ConfigError
from rxws.terminal.rows import Picture, Row, cells

__all__ = ["Screen", "can_be_drawn_on", "standard_console"]


WAY_OUT = "a chart takes several lines, and a table several streams, merged"


def standard_console() -> Console:
    """Return the standard output; where it is no terminal, rich is told so whatever the environment says of colours."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()  # None: a service that has closed it
    return Console(highlight=False, force_terminal=None if is_terminal else False)


def can_be_drawn_on(console: Console) -> bool:
    """Whether what is written there can be overwritten, and it has the characters of which charts are made."""
    return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")


# Two that draw over one another would leave nothing that can be read.
_TAKEN: list[Screen] = []


class Screen:
    """Draws rows over those that it drew before; what is printed meanwhile scrolls by above them.

    Args:
        console: where.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        # No thread: it is drawn from the loop.
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._rows: Sequence[Row] = ()
        self._width = 0
        self._file: IO[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def take(self) -> None:
        """Take the terminal for its own, until it is closed.

        Raises:
            ConfigError: somebody else draws there.
        """
        file = self.console.file
        with suppress(RuntimeError):  # none runs, and whoever takes it here will say so
            self._loop = asyncio.get_running_loop()
        for other in [other for other in _TAKEN if other._file is file]:
            if other._loop is None or not other._loop.is_closed():
                raise ConfigError("console", f"another view is drawn there; {WAY_OUT}")
            other.close()  # nobody draws there any more
        _TAKEN.append(self)
        self._file = file

    def draw(self, rows: Sequence[Row]) -> None:
        """Draw rows; the cursor is hidden from the first time on."""
        if not self._live.is_started:
            self._live.start()
            atexit.register(self.close)  # a program may end without ending its views
        width = self.console.size.width
        if self._rows and width < self._width:
            self.console.control(self._wiped(width))
        self._rows, self._width = rows, width
        self._live.update(Picture(rows), refresh=True)

    def close(self) -> None:
        """Leave what was drawn last, and the cursor below it."""
        atexit.unregister(self.close)
        _TAKEN[:] = [other for other in _TAKEN if other is not self]
        self._live.stop()

    def _wiped(self, width: int) -> Control:
        """Take away the rows that a narrower terminal has folded, and go where their last one was."""
        folded = sum(max(1, -(-cells(row) // width)) for row in self._rows)
        return Control(
            ControlType.CARRIAGE_RETURN,
            *(((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)) * (folded - 1)),
            (ControlType.ERASE_IN_LINE, 2),
            *(((ControlType.CURSOR_DOWN, 1),) * (len(self._rows) - 1)),
        )
