"""What found no room is told at once, then seldom: every place for itself."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws._sliding import TICK
from rxws.alerts import Throttle
from rxws.scheduler import clock

__all__ = ["Overflows"]

EVERY = 5.0
"""Seconds between two tellings of one place; each says how many were dropped since the last."""


class Overflows:
    """The throttles of all places, and the one timer that there is while something has accumulated.

    Args:
        scheduler: whose time.
        tell: told the place, and how many were dropped there since it was told last.
    """

    def __init__(self, scheduler: abc.SchedulerBase, tell: Callable[[str, int], None]) -> None:
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._tell = tell
        self._places: dict[str, Throttle] = {}
        self._timer = SerialDisposable()

    def dropped(self, where: str, count: int) -> None:
        """Note that `count` were dropped in `where`."""
        throttle = self._places.setdefault(where, Throttle(EVERY))
        waited = throttle.due is not None
        told = throttle.hit(self._now(), count)
        if told is not None:
            self._tell(where, told)
        elif self._timer.is_disposed:  # nobody comes any more who would tell it later
            self._flush(throttle, where)
        elif not waited:
            self._wait()

    def end(self) -> None:
        """Tell what has not been told yet; from now on everything is told at once."""
        self._timer.dispose()
        for where, throttle in tuple(self._places.items()):
            self._flush(throttle, where)

    def _wait(self) -> None:
        due = [throttle.due for throttle in self._places.values() if throttle.due is not None]
        if due and not self._timer.is_disposed:
            wait = max(TICK, min(due) - self._now())
            self._timer.disposable = self._scheduler.schedule_relative(wait, self._look)

    def _look(self, *_: object) -> None:
        now = self._now()
        for where, throttle in tuple(self._places.items()):
            if throttle.due is not None and throttle.due <= now:
                self._flush(throttle, where)
        self._wait()

    def _flush(self, throttle: Throttle, where: str) -> None:
        count = throttle.flush(self._now())
        if count is not None:
            self._tell(where, count)
