"""A live view in a terminal."""

from __future__ import annotations

import asyncio
import signal
import threading
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from reactivex import abc
from rich.console import Console

from rxws.arguments import seconds as check_seconds
from rxws.arguments import whole
from rxws.errors import ConfigError
from rxws.lingering import end_lingering
from rxws.live import Feed, LiveView
from rxws.live.feeds import check_drawing
from rxws.live.view import Model
from rxws.scheduler import is_loop_running, settled
from rxws.terminal.bar import QUIET, bar_row
from rxws.terminal.rows import Row
from rxws.terminal.screen import Screen, can_be_drawn_on, standard_console
from rxws.terminal.svg import svg

__all__ = ["TerminalView"]

LINES_A_SECOND = 1.0
"""Where there is no terminal."""
TICK = 1.0
"""Seconds between two drawings in which nothing but a clock has moved."""


class TerminalView(LiveView):
    """A live view that is drawn in a terminal, and where there is none, told in lines.

    Args:
        feeds: the streams.
        model: what holds their values.
        fps: how often it is drawn at most, times a second, 1 to 60.
        console: where; None: the standard output.
        height: rows, 1 or more; None: as many as the terminal has, but for one.
    """

    def __init__(
        self, feeds: Sequence[Feed], model: Model, *, fps: float, console: Console | None, height: int | None
    ) -> None:
        check_drawing(fps, None)
        whole("height", height, optional=True)
        if console is not None and not isinstance(console, Console):
            raise ConfigError("console", f"{console!r} is none; take a rich.console.Console, or None")
        self._console = standard_console() if console is None else console
        self._screen = Screen(self._console) if can_be_drawn_on(self._console) else None
        super().__init__(feeds, model, fps if self._screen else min(fps, LINES_A_SECOND))
        self._height = height
        self._last_rows: list[Row] = []
        self._is_broken = False
        self._tick: abc.DisposableBase | None = None
        self._tick_at = 0.0
        self._heeds_resizes = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What it shows."""

    @abstractmethod
    def _body(self, width: int, height: int, coloured: bool) -> list[Row]:
        """Return what stands below the bar: rows of this width, as many as this height at most."""

    @abstractmethod
    def _lines(self) -> list[str]:
        """Return what is told where there is no terminal: what has changed, a line each."""

    def start(self) -> Self:
        """Subscribe to the streams, and draw; once only, later calls change nothing.

        Raises:
            ConfigError: no event loop is running here, or another view is drawn in this terminal.
        """
        if self.status != "new" or self._screen is None:
            return super().start()
        self._screen.take()
        try:
            return super().start()
        except BaseException:
            self._screen.close()
            raise

    def run(self, seconds: float | None = None) -> None:
        """Show it until its streams end, or Ctrl-C, on an event loop of its own, without a thread.

        Args:
            seconds: after so many it is stopped; None: as long as it goes on.

        Raises:
            ConfigError: a loop is running already; it says what to do there.
            Exception: what ended it: a stream's error, or what a function of yours raised.

        The last picture stays, and the sockets are closed when it returns.
        """
        check_seconds("seconds", seconds)
        if is_loop_running():
            raise ConfigError(
                "run", "an event loop is running here already; await view.wait(seconds) there, or view.start()"
            )
        asyncio.run(self._to_its_end(seconds))
        if self.error is not None:
            raise self.error

    def rows(self, width: int, height: int, *, coloured: bool = True) -> list[Row]:
        """Return the picture as it is now: the bar, and what stands below it.

        Args:
            width: columns, 1 or more; each row has so many.
            height: rows at most, 1 or more.
            coloured: whether colours are shown.
        """
        bar = bar_row(self.title, self.report(), self.events_in, self.dropped, width)
        return [bar, *self._body(width, height - 1, coloured)]

    def svg(self, width: int = 100, height: int = 30, *, dark: bool = True) -> str:
        """Return the picture as it is now, as an SVG.

        Args:
            width: columns, 1 or more.
            height: rows at most, 1 or more.
            dark: light on black; else dark on white.
        """
        return svg(self.rows(width, height), width, dark=dark)

    async def _to_its_end(self, seconds: float | None) -> None:
        # asyncio.run cancels its main task on Ctrl-C, once; nobody else knows of this one.
        with suppress(asyncio.CancelledError):
            await self.wait(seconds)
        end_lingering()
        await settled()

    def _draw(self) -> None:
        if self._screen is None:
            for line in self._lines():
                self._console.out(line, highlight=False)
            return
        self._heed_resizes()
        size = self._console.size
        height = min(self._height or size.height, max(1, size.height - 1))
        if self._is_broken:
            bar = bar_row(self.title, self.report(), self.events_in, self.dropped, size.width)
            rows = [bar, *self._last_rows[1:]]
        else:
            try:
                rows = self.rows(size.width, height, coloured=self._is_coloured())
            except BaseException:
                self._is_broken = True
                raise
        self._last_rows = rows
        self._screen.draw(rows)
        self._arm_tick()

    def _is_coloured(self) -> bool:
        return self._console.color_system is not None and not self._console.no_color

    def _over(self) -> None:
        if self._tick is not None:
            self._tick.dispose()
        if self._heeds_resizes:
            self._loop.remove_signal_handler(signal.SIGWINCH)
        if self._screen is not None:
            self._screen.close()

    def _arm_tick(self) -> None:
        """Draw again when a clock in the bar has moved: while something is waited for, or nothing comes."""
        after = self._seconds_to_tick()
        if self.status != "live" or after is None:
            return
        due = self._loop.time() + after
        if self._tick is not None:
            if self._tick_at <= due:
                return
            self._tick.dispose()
        self._tick_at = due
        self._tick = self._scheduler.schedule_relative(after, lambda *_: self._ticked())

    def _ticked(self) -> None:
        self._tick = None
        after = self._seconds_to_tick()
        if after is not None and after <= TICK:
            self._coalescer.touch()
        else:
            self._arm_tick()

    def _seconds_to_tick(self) -> float | None:
        report = self.report()
        if report.seconds is not None:
            return TICK
        if report.state != "live" or report.quiet is None:
            return None
        return max(TICK, QUIET - report.quiet)

    def _heed_resizes(self) -> None:
        """Draw again when the terminal has another size, unless somebody else is told of that."""
        if self._heeds_resizes or threading.current_thread() is not threading.main_thread():
            return
        if hasattr(signal, "SIGWINCH") and signal.getsignal(signal.SIGWINCH) == signal.SIG_DFL:
            with suppress(NotImplementedError):
                self._loop.add_signal_handler(signal.SIGWINCH, self._coalescer.touch)
                self._heeds_resizes = True
