"""The pace of a market, on a machine that stands still now and then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rxws.testing._ticker import Ticker


class LateClock:
    """A clock whose timers a test calls when it likes."""

    def __init__(self) -> None:
        self.now = 100.0
        self.delays: list[float] = []
        self.callback: Callable[[], object] = lambda: None

    def time(self) -> float:
        """What a test says."""
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> LateClock:
        """Note it."""
        self.delays.append(delay)
        self.callback = callback
        return self

    def cancel(self) -> None:
        """It is a timer too."""
        self.callback = lambda: None


def test_it_keeps_its_beat_after_a_stall() -> None:
    """Two that were late together would else tick together ever after."""
    clock, produced = LateClock(), []
    Ticker(10.0, produced.append, clock).start()
    for at in (100.1, 100.2, 100.73, 100.8, 100.91):
        clock.now = at
        clock.callback()
    assert clock.delays == pytest.approx([0.1, 0.1, 0.1, 0.07, 0.1, 0.09])
    assert produced == [1, 1, 5, 1, 1]
