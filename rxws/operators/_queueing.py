"""One subscription of `overflow`: what waits, and the turns in which it is handed on."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from reactivex import abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from rxws.arguments import OverflowPolicy
from rxws.errors import BufferOverflow
from rxws.events import Event
from rxws.operators._drops import Drops
from rxws.operators._turns import in_turn
from rxws.scheduler import clock

__all__ = ["Queueing"]

T = TypeVar("T")

EVENTS = 1_024
"""Lifecycle events that may wait beside the values; more of them are taken for values."""
SLICE = 0.005
"""Seconds that a turn takes before it makes room for others: a value more costs no turn more, a slow one one each."""


class Queueing(Generic[T]):
    """A queue of values, each with whether it takes a place."""

    def __init__(
        self,
        observer: abc.ObserverBase[T],
        maxsize: int,
        policy: OverflowPolicy,
        drops: Drops,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self._turn = SerialDisposable()
        self.everything = CompositeDisposable(self.running, self._turn, Disposable(drops.dispose))
        self._observer = observer
        self._maxsize = 1 if policy == "latest" else maxsize
        self._policy = policy
        self._drops = drops
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._queue: deque[tuple[T, bool]] = deque()
        self._values = 0
        self._scheduled = self._ended = False
        self._error: Exception | None = None

    def on_next(self, value: T) -> None:
        """Queue a value."""
        if self._ended:
            return
        is_event = isinstance(value, Event)
        counts = not is_event or len(self._queue) - self._values >= EVENTS
        if counts and self._values >= self._maxsize and not self._make_room():
            return
        self._values += counts
        self._queue.append((value, counts))
        if isinstance(value, Event):
            self._drops.passes(value)
        self._schedule()

    def end(self, error: Exception | None) -> None:
        """Take nothing more; the end comes behind what waits."""
        if not self._ended:
            self._ended, self._error = True, error
            self.running.dispose()
            self._schedule()

    def _make_room(self) -> bool:
        if self._policy == "error":
            self.end(BufferOverflow(self._maxsize, self._drops.count + 1))
        elif self._policy != "drop_newest":
            # Events stand before it, if anything does, and there are not many.
            oldest = next(place for place, (_, counts) in enumerate(self._queue) if counts)
            del self._queue[oldest]
            self._values -= 1
        self._drops.dropped()
        return self._policy in ("drop_oldest", "latest")

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            turn = in_turn(self._hand_on, self.everything, self._scheduler)
            self._turn.disposable = self._scheduler.schedule(lambda *_: turn())

    def _hand_on(self) -> None:
        until = self._now() + SLICE
        for _ in range(len(self._queue)):  # what comes meanwhile waits for the next turn
            value, counts = self._queue.popleft()
            self._values -= counts
            self._observer.on_next(value)
            if not self._queue or self._now() >= until:
                break
        self._scheduled = False
        if self._queue:
            self._schedule()
        elif self._ended:
            self._finish()

    def _finish(self) -> None:
        self.everything.dispose()
        if self._error is None:
            self._observer.on_completed()
        else:
            self._observer.on_error(self._error)
