"""How much one connection may send: a strict limit as a value, and the window that keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from rxws._sliding import TICK, earliest, sum_up
from rxws.arguments import seconds, whole

__all__ = ["SendLimit", "SlidingWindow"]


@dataclass(frozen=True, slots=True)
class SendLimit:
    """At most `count` frames in any `per` seconds, on one connection: messages, pings and pongs are counted.

    Binance spot allows 5 a second, ``SendLimit(5)``, and ends a connection that sends more. Its window slides: a token
    bucket of 5 lets 9 into the first second, and costs the connection.

    A server's ping is answered at once, for the answer cannot wait. So one of the places is kept free for it, and
    messages and our own pings have ``count - 1``; where `count` is 1, none is kept.

    Frames that leave far enough apart may arrive a little closer together. Where a venue is known to count to the
    millisecond, take a `per` that is longer by as much as the network's delay varies.

    Args:
        count: frames, 1 or more.
        per: seconds.

    Raises:
        ConfigError: an argument is out of its range.

    Source: Binance spot, WebSocket streams, "5 incoming messages per second", pings and pongs among them, read 2026-11;
    that it is a rolling window: nautechsystems/nautilus_trader, issues 5012 and 5014, 2026-09.

    >>> window = SendLimit(3).window()
    >>> window.take(10.0), window.take(10.25)
    (None, None)
    >>> window.wait(10.5), window.wait(11.0)
    (0.5, 0.0)
    """

    count: int
    per: float = 1.0

    def __post_init__(self) -> None:
        whole("count", self.count)
        seconds("per", self.per, optional=False)

    def window(self) -> SlidingWindow:
        """Return the window of a new connection, in which nothing has been sent."""
        return SlidingWindow(self)


class SlidingWindow:
    """What one connection has sent lately, and when it may send again.

    Times are seconds of one clock that never goes back. Any half-open window, from an instant to just before the one
    `per` seconds later, holds at most `count` frames, as long as the server pings at most once in `per` seconds; where
    it pings more often, its pongs push our messages back, and no message ever makes a window hold more.
    """

    __slots__ = ("_frames", "_limit", "_messages", "_places")

    def __init__(self, limit: SendLimit) -> None:
        self._limit = limit
        self._places = max(1, limit.count - 1)
        self._messages: list[float] = []
        self._frames: list[float] = []

    def wait(self, now: float) -> float:
        """Return the seconds until the next message, or ping of ours, may go: 0.0 means now.

        ``now + wait(now)``, as floats add, is late enough. A timer may fire early by its clock's resolution, so ask
        again on waking; a wait is never shorter than a microsecond, so that this ends.
        """
        free = earliest(self._messages, self._places, self._limit.per, now)
        free = earliest(self._frames, self._limit.count, self._limit.per, free)
        return max(TICK, sum_up(free, -now)) if free > now else 0.0

    def take(self, now: float) -> None:
        """Note that a message, or a ping of ours, goes now: one that `wait` let go."""
        _note(self._messages, now, self._places)
        _note(self._frames, now, self._limit.count)

    def answered(self, now: float) -> None:
        """Note that a pong goes now; it never waits, but it counts."""
        _note(self._frames, now, self._limit.count)


def _note(instants: list[float], now: float, count: int) -> None:
    instants.append(now)
    del instants[:-count]
