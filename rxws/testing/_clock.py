"""Time as the exchange sees it: the running loop's, or one that a test moves by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from rxws.errors import ConfigError

__all__ = ["Clock", "LoopClock", "ManualClock", "Timer"]


class Timer(Protocol):
    """What can be called off."""

    def cancel(self) -> None:
        """Call it off; no harm where it is over."""


class Clock(Protocol):
    """Monotonic time in seconds, and calls at a later time; an event loop is one."""

    def time(self) -> float:
        """Now."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call `callback` in `delay` seconds."""


class LoopClock:
    """The clock of whichever loop runs when it is asked."""

    def time(self) -> float:
        """Now."""
        return asyncio.get_running_loop().time()

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call `callback` in `delay` seconds."""
        return asyncio.get_running_loop().call_later(delay, callback)


class ManualClock:
    """A clock that stands still until it is moved: a day passes in one call.

    >>> clock = ManualClock()
    >>> timer = clock.call_later(86_400, lambda: print("a day later"))
    >>> clock.advance(86_399)
    >>> clock.advance(1)
    a day later
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._timers: list[tuple[float, int, _ManualTimer]] = []

    @property
    def timers(self) -> int:
        """How many calls are still to come."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def time(self) -> float:
        """Now."""
        return self._now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call `callback` when time has been moved by `delay` seconds."""
        timer = _ManualTimer(callback)
        heappush(self._timers, (self._now + delay, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move time, and make the calls that come due, each at its own time, in order.

        Args:
            seconds: 0 or more.

        Raises:
            ConfigError: time would go back.
        """
        if seconds < 0:
            raise ConfigError("seconds", f"{seconds} goes back; take 0 or more")
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _, timer = heappop(self._timers)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._now = end


class _ManualTimer:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None
