"""One subscription of `conflate`: the intervals that have begun, and what waits for their ends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import count
from typing import Any, Generic, TypeVar

from reactivex import abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from rxws._sliding import TICK
from rxws.events import Event
from rxws.operators._drops import Drops
from rxws.operators._turns import in_turn
from rxws.scheduler import clock

__all__ = ["Conflating"]

T = TypeVar("T")

MOST = 65_536
"""Intervals at a time; of more, the one that began first ends early."""


class Conflating(Generic[T]):
    """Every key that has an interval may have one value that waits for its end; one timer for all of them."""

    def __init__(
        self,
        observer: abc.ObserverBase[T],
        every: float,
        key: Callable[[Any], Hashable] | None,
        merge: Callable[[Any, Any], Any] | None,
        drops: Drops,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self._timer = SerialDisposable()
        self.everything = CompositeDisposable(self.running, self._timer, Disposable(drops.dispose))
        self._observer = observer
        self._every = every
        self._key = _all_alike if key is None else key
        self._merge = merge
        self._drops = drops
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._numbers = count()
        # When each interval ends, the soonest first; and what waits, by when its key began to wait.
        self._ends: OrderedDict[Hashable, float] = OrderedDict()
        self._waiting: dict[Hashable, tuple[int, T]] = {}

    def on_next(self, value: T) -> None:
        """Pass a value on, or let it wait."""
        if isinstance(value, Event):
            self._drops.passes(value)
            self._flush()
            self._observer.on_next(value)
            return
        try:
            key = self._key(value)
            waits = key is not None and key in self._ends
            replaces = waits and self._wait(key, value)
        except Exception as error:
            self.on_error(error)
            return
        if replaces:
            self._drops.dropped()
        if not waits:
            if key is not None:
                self._begin(key)
            self._observer.on_next(value)

    def on_error(self, error: Exception) -> None:
        """Emit what waits, then the error."""
        self._flush()
        self.everything.dispose()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        """Emit what waits, then the end."""
        self._flush()
        self.everything.dispose()
        self._observer.on_completed()

    def _wait(self, key: Hashable, value: T) -> bool:
        """Let a value wait; return whether one is lost by that."""
        if key not in self._waiting:
            self._waiting[key] = (next(self._numbers), value)
            return False
        number, waits = self._waiting[key]
        self._waiting[key] = (number, value if self._merge is None else self._merge(waits, value))
        return self._merge is None

    def _begin(self, key: Hashable) -> None:
        """An interval of `key` begins now."""
        self._ends[key] = self._now() + self._every
        self._ends.move_to_end(key)
        if len(self._ends) == 1:
            self._set_timer()
        elif len(self._ends) > MOST:
            oldest, _ = self._ends.popitem(last=False)
            if oldest in self._waiting:
                self._observer.on_next(self._waiting.pop(oldest)[1])

    def _set_timer(self) -> None:
        wait = max(TICK, next(iter(self._ends.values())) - self._now())
        turn = in_turn(self._look, self.everything, self._scheduler)
        self._timer.disposable = self._scheduler.schedule_relative(wait, lambda *_: turn())

    def _look(self) -> None:
        now, due = self._now(), list[Hashable]()
        while self._ends and next(iter(self._ends.values())) <= now:
            due.append(self._ends.popitem(last=False)[0])
        # All of them begin their next interval first: a value that comes meanwhile, because of one of these, waits.
        emitted = sorted((key for key in due if key in self._waiting), key=lambda key: self._waiting[key][0])
        for key in emitted:
            self._ends[key] = now + self._every
        if self._ends:
            self._set_timer()
        for key in emitted:
            self._emit(key)

    def _flush(self) -> None:
        for key in tuple(self._waiting):
            if key in self._waiting:
                self._begin(key)
                self._emit(key)

    def _emit(self, key: Hashable) -> None:
        if key in self._waiting:  # else what came meanwhile took it along
            self._observer.on_next(self._waiting.pop(key)[1])


def _all_alike(_: object) -> Hashable:
    return ()
