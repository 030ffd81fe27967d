"""How many in any so many seconds: the arithmetic of strict sliding windows, in instants of one clock.

A window is half-open: it holds the instants from its beginning to just before its end, so that two that are exactly
`per` seconds apart are never in one. What is compared is exact, and an instant that must be computed is rounded up:
no rounding error lets one more in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import fsum, inf, nextafter

__all__ = ["TICK", "earliest", "sum_up"]

TICK = 1e-6
"""The shortest wait, in seconds: who wakes by a clock that counts in microseconds is then past the instant."""


def sum_up(a: float, b: float) -> float:
    """Return the smallest float that is not below `a` + `b`.

    >>> 0.3 + 0.6 < sum_up(0.3, 0.6), 0.5 + 0.25 == sum_up(0.5, 0.25)
    (True, True)
    """
    near = a + b
    return nextafter(near, inf) if fsum((a, b, -near)) > 0.0 else near


def earliest(taken: Sequence[float], count: int, per: float, start: float) -> float:
    """Return the first instant, `start` or later, at which one more leaves no window with more than `count`.

    Args:
        taken: the instants that are taken, in order; some may lie after `start`.
        count: how many a window may hold, 1 or more.
        per: the length of a window in seconds.
        start: when it may be at the soonest.

    >>> earliest([0.0, 0.5, 3.0], 2, 1.0, start=0.5), earliest([0.0, 0.5], 2, 1.0, start=1.0)
    (1.0, 1.0)
    """
    at = start
    past = bisect_right(taken, start, key=lambda first: sum_up(first, per))
    # Those that fill a window together keep out what would share it. Of two such groups, the one that begins later
    # also ends later: so one pass will do.
    for first, last in zip(taken[past:], taken[past + count - 1 :], strict=False):
        if fsum((max(last, at), -min(first, at), -per)) < 0.0:
            at = sum_up(first, per)
    return at
