"""An event loop whose clock leaps to the next timer when nothing else is to be done: minutes pass in no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["LeapingLoop", "leap"]

T = TypeVar("T")

KERNEL = 0.001
"""Real seconds in which what was written to loopback must have arrived."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """All on it, the server's side too, takes its time from it; code takes none."""

    def __init__(self) -> None:
        self._now = 1_000.0
        super().__init__(Patient(self))

    def time(self) -> float:
        """Return the seconds of timers alone."""
        return self._now

    def leap(self, seconds: float) -> None:
        """Let so much time pass."""
        # Where the sum is rounded down, the timer would not be due, and nothing would ever happen again.
        self._now += seconds + 1e-9


class Patient(selectors.DefaultSelector):
    """Looks whether there is anything to be read, and else lets the time pass that it should have waited."""

    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; never wait for a timer."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0) or (super().select(KERNEL) if timeout > 0 else [])
        if not ready and timeout > 0:
            self._loop.leap(timeout)
        return ready


def leap(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on such a loop."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(main)
