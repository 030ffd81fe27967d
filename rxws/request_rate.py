"""How often an address asks a venue for topics: as often as that lets it, and slower once it has asked too often."""

from __future__ import annotations

from math import inf
from typing import Any
from weakref import WeakKeyDictionary

from reactivex import abc

from rxws.governor import Governor
from rxws.scheduler import whose_time
from rxws.venue import Rate

__all__ = ["LONGEST_PAUSE", "RequestRate", "rate_for"]

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds in which nothing is asked for after a refusal: after the first, and at most; each further one doubles them.
Until none has come for the longest beyond a pause, requests are as far apart as it was."""

# A venue counts what an address asks of it, whoever asks.
_SHARED: WeakKeyDictionary[Any, dict[tuple[str, str], RequestRate]] = WeakKeyDictionary()


class RequestRate:
    """Says whose turns are to be waited for, for all connections that it is given to.

    Instants are seconds of one monotonic clock.

    Args:
        rule: how often the venue lets an address ask; None: as often as it likes.
        longest: seconds of a pause at most.

    >>> rate = RequestRate(Rate(2, 1.0))
    >>> [rate.governor(0.0).reserve("venue", 0.0) for _ in range(3)]
    [0.0, 0.0, 1.0]
    >>> rate.refused("venue", sent=0.0, now=0.5)
    >>> [rate.governor(0.5).reserve("venue", 0.5) for _ in range(3)]
    [1.5, 2.5, 3.5]
    """

    def __init__(self, rule: Rate | None, longest: float = LONGEST_PAUSE) -> None:
        self._usual = Governor() if rule is None else Governor(rule.count, rule.per, rule.spacing)
        self._slow = self._usual
        self._longest = longest
        self._pause = 0.0
        self._refused_at = self._slow_until = -inf

    def governor(self, now: float) -> Governor:
        """Return whose turns are to be waited for now; who has waited for another one's takes a new turn."""
        return self._slow if now < self._slow_until else self._usual

    def slow_for(self, now: float) -> float:
        """Return for how many seconds it is slowed down; who waits still then takes a new turn too."""
        return max(0.0, self._slow_until - now)

    def refused(self, host: str, sent: float, now: float) -> None:
        """Slow down, for a request that was `sent` to `host` was one too many."""
        if sent <= self._refused_at:  # what was under way when the last refusal came is not asked too soon
            return
        is_again = now < self._slow_until
        self._pause = min(2.0 * self._pause if is_again else PAUSE, self._longest)
        self._refused_at, self._slow_until = now, now + self._pause + LONGEST_PAUSE
        self._slow = Governor(1, self._pause)
        self._slow.hold_off(host, now + self._pause)


def rate_for(name: str, host: str, rule: Rate, longest: float, scheduler: abc.SchedulerBase) -> RequestRate:
    """Return the rate that all share on one loop who ask the venue of that `name` at `host`."""
    known = _SHARED.setdefault(whose_time(scheduler), {})
    return known.setdefault((name, host), RequestRate(rule, longest))
