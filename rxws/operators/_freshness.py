"""One subscription of `fresh`: the last value, and the timer that doubts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from reactivex import abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws._sliding import TICK
from rxws.events import Event, Rejected, Stale, TopicChanged, TopicStatus
from rxws.operators._stamps import is_down
from rxws.operators._topics import venue_of
from rxws.operators._turns import in_turn
from rxws.scheduler import clock, when_drained

__all__ = ["Freshness"]

T = TypeVar("T")
Why = Literal["", "silent", "closed", "stale", "rejected", "ended"]


class Freshness(Generic[T]):
    """Whether the last value holds.

    Args:
        observer: hears of the end.
        tell: told the last value, why it does not hold ("": it does), the origin and the value's age.
        max_age: seconds that a value holds; None: for ever.
        scheduler: whose time.
    """

    def __init__(
        self,
        observer: abc.ObserverBase[Any],  # Any: it gets no value from here
        tell: Callable[[T | None, Why, str, float | None], None],
        max_age: float | None,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self._timer = SerialDisposable()
        self.everything = CompositeDisposable(self.running, self._timer)
        self._observer = observer
        self._tell = tell
        self._max_age = max_age
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._value: T | None = None
        self._origin: str | None = None
        self._since = self._now()
        self._came = 0
        self._holds = True

    def begin(self) -> None:
        """The first value is waited for from now on."""
        if self._max_age is not None:
            self._wait(self._max_age)

    def on_next(self, value: T | Event) -> None:
        """Take a value, or an event that may say that the last one does not hold."""
        if isinstance(value, Event):
            self._origin = value.origin
            if is_down(value):
                self._dies("closed")
            elif isinstance(value, Stale):
                self._dies("stale")
            elif isinstance(value, Rejected):
                self._dies("rejected")
            elif isinstance(value, TopicChanged) and value.status is TopicStatus.TIMED_OUT:
                self._dies("silent")
            return
        waits = self._holds
        self._value, self._since, self._holds = value, self._now(), True
        self._came += 1
        if not waits:
            self.begin()
        self._told("")

    def on_error(self, error: Exception) -> None:
        """Say so, then the error."""
        self._ends()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        """Say so, then the end."""
        self._ends()
        self._observer.on_completed()

    def _ends(self) -> None:
        self.everything.dispose()
        self._told("ended")

    def _dies(self, why: Why) -> None:
        if self._holds:
            self._holds = False
            self._timer.disposable = None
            self._told(why)

    def _told(self, why: Why) -> None:
        origin = venue_of(self._value) if self._origin is None else self._origin
        self._tell(self._value, why, origin, self._now() - self._since if self._came else None)

    # The timer: a value does not touch it, it looks again when it comes too soon.

    def _wait(self, seconds: float) -> None:
        self._timer.disposable = self._scheduler.schedule_relative(max(seconds, TICK), self._look)

    def _look(self, *_: object) -> None:
        if not self._waits_on():
            turn = in_turn(self._decide, self.everything, self._scheduler)
            self._timer.disposable = when_drained(self._scheduler, lambda: self._came, turn)

    def _decide(self) -> None:
        if not self._waits_on():
            self._dies("silent")

    def _waits_on(self) -> bool:
        assert self._max_age is not None
        left = self._since + self._max_age - self._now()
        if left > 0:
            self._wait(left)
        return left > 0
