"""What is told to people: at once, but seldom; what happens in between is counted and told together."""

from __future__ import annotations

from dataclasses import dataclass

from rxws._sliding import sum_up
from rxws.arguments import seconds
from rxws.events import DisconnectReason

__all__ = ["DisconnectAlert", "Throttle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectAlert:
    """Connections, or attempts at them, have ended: `count` since the alert before.

    `reason`, `origin` (the URL without its secrets) and `time_ns` (the wall clock in nanoseconds since the epoch, UTC)
    are those of the last end.
    """

    reason: DisconnectReason
    count: int
    origin: str
    time_ns: int


class Throttle:
    """Lets a thing be told at once, and then at most once in `interval` seconds, with how often it happened.

    Times are seconds of one clock that never goes back.

    Args:
        interval: seconds between two tellings at least.

    Raises:
        ConfigError: `interval` is out of its range.

    >>> throttle = Throttle(60.0)
    >>> throttle.hit(0.0), throttle.hit(10.0), throttle.hit(20.0), throttle.due
    (1, None, None, 60.0)
    >>> throttle.flush(60.0), throttle.due, throttle.hit(150.0)
    (2, None, 1)
    """

    __slots__ = ("_count", "_interval", "_next")

    def __init__(self, interval: float) -> None:
        seconds("interval", interval, optional=False)
        self._interval = interval
        self._count = 0
        self._next: float | None = None

    @property
    def due(self) -> float | None:
        """When what has accumulated should be told; None where nothing has."""
        return self._next if self._count else None

    def hit(self, now: float, count: int = 1) -> int | None:
        """Note that it happened `count` times; return how often to tell that it happened, or None to tell nothing."""
        self._count += count
        return None if self._next is not None and now < self._next else self.flush(now)

    def flush(self, now: float) -> int | None:
        """Return what has accumulated, which is then told, whether or not it is due; None where nothing has."""
        if not self._count:
            return None
        told, self._count = self._count, 0
        self._next = sum_up(now, self._interval)
        return told
