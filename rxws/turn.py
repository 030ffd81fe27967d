"""When a dial may go: by its governor, and by what its host asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws._sliding import TICK
from rxws.errors import HandshakeRejected
from rxws.governor import Governor
from rxws.scheduler import clock, whose_time
from rxws.venue import Rate

__all__ = ["Turn", "governor_for", "governor_of"]

TOLD = 0.001
"""Seconds from which on a wait is told: a timer that fires a little early, or late, is no news."""

# Retry-After is remembered for all that dials a host on one loop (in virtual time: on one scheduler).
_REMEMBERED: WeakKeyDictionary[Any, Governor] = WeakKeyDictionary()

# A venue counts what an address asks of it, whoever asks.
_COUNTED: WeakKeyDictionary[Any, dict[str, Governor]] = WeakKeyDictionary()


def governor_of(scheduler: abc.SchedulerBase) -> Governor:
    """Return the governor of those that were given none: it neither spaces nor counts, and remembers Retry-After."""
    return _REMEMBERED.setdefault(whose_time(scheduler), Governor())


def governor_for(name: str, rule: Rate, scheduler: abc.SchedulerBase) -> Governor:
    """Return the governor that all who count by `name` share on one loop."""
    known = _COUNTED.setdefault(whose_time(scheduler), {})
    return known.setdefault(name, Governor(rule.count, rule.per, rule.spacing))


class Turn(abc.DisposableBase):
    """The wait of one dial, or request, for its turn; disposed before that, it gives its place back.

    Args:
        governor: who says when.
        scheduler: whose time.
        waiting: told of a wait, its seconds and the rule that it is for.
    """

    def __init__(
        self, governor: Governor, scheduler: abc.SchedulerBase, waiting: Callable[[float, str], object]
    ) -> None:
        self._governor = governor
        self._scheduler = scheduler
        self._waiting = waiting
        self._now = clock(scheduler)
        self._host = ""
        self._instant: float | None = None
        self._timer = SerialDisposable()

    def wait(self, host: str, then: Callable[[], None]) -> bool:
        """Call `then` when `host` may be dialled, or asked; return whether that was at once."""
        self._host, now = host, self._now()
        self._instant = self._governor.reserve(host, now)
        return self._look(then)

    def refused(self, error: Exception) -> None:
        """Remember what the host asked for, where the dial ended by `error`."""
        if isinstance(error, HandshakeRejected) and error.retry_after is not None and self._host:
            self._governor.hold_off(self._host, self._now() + error.retry_after)

    def dispose(self) -> None:
        self._timer.dispose()
        instant, self._instant = self._instant, None
        if instant is not None:
            self._governor.give_back(self._host, instant, self._now())

    def _look(self, then: Callable[[], None]) -> bool:
        now = self._now()
        assert self._instant is not None
        if self._instant <= now:
            self._instant = self._governor.due(self._host, self._instant, now)
        if self._instant <= now:
            self._instant = None
            then()
            return True
        wait = max(TICK, self._instant - now)
        if wait >= TOLD:
            self._waiting(wait, "governor")

        def look(*_: object) -> None:
            self._look(then)

        self._timer.disposable = self._scheduler.schedule_relative(wait, look)
        return False
