"""The pace of a market: so many messages a second, whoever listens."""

from __future__ import annotations

from collections.abc import Callable

from rxws.testing._clock import Clock, Timer

__all__ = ["Ticker"]

_SHORTEST = 0.01
_LONGEST_DEBT = 1.0


class Ticker:
    """Calls `produce` with how many messages are due.

    Args:
        rate: messages a second.
        produce: makes so many messages happen.
        clock: monotonic time in seconds, and timers.
    """

    def __init__(self, rate: float, produce: Callable[[int], object], clock: Clock) -> None:
        self._rate = rate
        self._produce = produce
        self._clock = clock
        self._interval = max(1 / rate, _SHORTEST)
        self._since = self._next = 0.0
        self._done = 0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to tick."""
        self._since = self._clock.time()
        self._done = 0
        self._next = self._since + self._interval
        self._timer = self._clock.call_later(self._interval, self._tick)

    def stop(self) -> None:
        """Tick no more. No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._clock.time()
        # It keeps its own beat: after a machine that stood still, two of them do not tick as one.
        behind = max(0.0, now - self._next)
        self._next += self._interval * (1 + behind // self._interval)
        self._timer = self._clock.call_later(max(0.0, self._next - now), self._tick)
        if now - self._since - self._done / self._rate > _LONGEST_DEBT:
            # The machine slept, or is too slow: what is long overdue is not made up for in one
            # flood.
            self._since, self._done = now - self._interval, 0
        due = int((now - self._since) * self._rate + 1e-9) - self._done
        if due > 0:
            self._done += due
            self._produce(due)
