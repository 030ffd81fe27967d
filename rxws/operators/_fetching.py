"""The fetches of one subscription of `fill_gaps`: they begin one after another, with room between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from reactivex import Observable, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws._sliding import TICK
from rxws.events import Gap
from rxws.operators._turns import in_turn
from rxws.scheduler import clock, resolve

__all__ = ["Fetching", "Query"]

T = TypeVar("T")


class Query(Generic[T]):
    """One fetch: what it is for, and what hears of its answer or its failure, once; until `running` is disposed."""

    def __init__(self, gap: Gap, then: Callable[[list[T]], None], fail: Callable[[Exception], None]) -> None:
        self.gap = gap
        self.running = SerialDisposable()
        self._then = then
        self._fail = fail

    def answered(self, values: Iterable[T]) -> None:
        """The values are here."""
        if self.running.is_disposed:
            return
        try:
            listed = list(values)
        except Exception as error:
            self.failed(error)
            return
        self.running.dispose()
        self._then(listed)

    def failed(self, error: Exception) -> None:
        """There are none."""
        if not self.running.is_disposed:
            self.running.dispose()
            self._fail(error)


class Fetching(Generic[T]):
    """Fetches that wait for their turn, and the timer that begins the next.

    Args:
        fetch: the caller's.
        every: seconds between two beginnings at least.
        timeout: seconds that one may take; None: for ever.
        everything: is disposed where a subscriber raises.
        scheduler: whose time.
    """

    def __init__(
        self,
        fetch: Callable[[Gap], Any],  # Any: an iterable, an awaitable or an observable
        every: float,
        timeout: float | None,
        everything: abc.DisposableBase,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.timer = SerialDisposable()
        self._everything = everything
        self._fetch = fetch
        self._every = every
        self._timeout = timeout
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._waiting: deque[Query[T]] = deque()
        self._not_before: float | None = None

    def add(self, query: Query[T]) -> None:
        """Begin `query` when it is its turn."""
        self._waiting.append(query)
        self._go_on()

    def _go_on(self, *_: object) -> None:
        while self._waiting:
            left = 0.0 if self._not_before is None else self._not_before - self._now()
            if left > 0:
                self.timer.disposable = self._scheduler.schedule_relative(max(left, TICK), self._go_on)
                return
            query = self._waiting.popleft()
            if not query.running.is_disposed:  # else its gap is given up
                self._not_before = self._now() + self._every
                self._begin(query)

    def _begin(self, query: Query[T]) -> None:
        answered = in_turn(query.answered, self._everything, self._scheduler)
        failed = in_turn(query.failed, self._everything, self._scheduler)
        timer, asking = SerialDisposable(), SerialDisposable()
        query.running.disposable = CompositeDisposable(timer, asking)
        timeout = self._timeout
        if timeout is not None:
            too_late = TimeoutError(f"no answer within {timeout:g} s")
            timer.disposable = self._scheduler.schedule_relative(timeout, lambda *_: failed(too_late))
        try:
            answer = self._fetch(query.gap)
        except Exception as error:
            failed(error)
            return
        if isinstance(answer, Observable):
            asking.disposable = answer.pipe(ops.to_list()).subscribe(answered, failed, scheduler=self._scheduler)
        else:
            asking.disposable = resolve(answer, answered, failed)
