"""One subscription of `fill_gaps`: what is held of each topic whose gap is being filled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from reactivex import abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable

from rxws.errors import BufferOverflow
from rxws.events import Event, Gap
from rxws.operators._fetching import Fetching, Query
from rxws.operators._nuisances import LOG, Nuisances
from rxws.operators._topics import topic_text
from rxws.redaction import escaped, masked_text

__all__ = ["Filling"]

T = TypeVar("T")


class Fill(Generic[T]):
    """A topic whose gap is being filled: the fetch that goes on for it, how many there were, and what is held."""

    def __init__(self, gap: Gap) -> None:
        self.gap = gap
        self.query: Query[T] | None = None
        self.queries = 0
        self.held: deque[T | Event] = deque()


class Filling(Generic[T]):
    """The topics that are held, by their text."""

    def __init__(
        self,
        observer: abc.ObserverBase[T | Event],
        fetching: Fetching[T],
        key: Callable[[T], int],
        topic: Callable[[Any], Hashable],
        attempts: int,
        maxsize: int,
        failed: Callable[[Gap, Exception], object] | None,
        everything: CompositeDisposable,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self.everything = everything
        for each in (self.running, fetching.timer, Disposable(self._leave)):
            everything.add(each)
        self._observer = observer
        self._fetching = fetching
        self._key = key
        self._topic = topic
        self._attempts = attempts
        self._maxsize = maxsize
        self._failed = self._log if failed is None else failed
        self._nuisances = Nuisances(scheduler)
        self._fills: dict[str, Fill[T]] = {}
        self._held = 0
        self._completed = False

    def on_next(self, value: T | Event) -> None:
        """Pass a value on, or hold it."""
        try:
            topic = self._of(value) if self._fills or isinstance(value, Gap) else None
        except Exception as error:
            self._break(error)
            return
        fill = None if topic is None else self._fills.get(topic)
        if fill is not None:
            self._hold(fill, value)
        elif isinstance(value, Gap):
            self._begin(value)
        else:
            self._observer.on_next(value)

    def on_error(self, error: Exception) -> None:
        """Emit what is held, then the error."""
        for fill in tuple(self._fills.values()):
            for value in fill.held:
                self._observer.on_next(value)
        self._break(error)

    def on_completed(self) -> None:
        """Complete, once no gap is being filled any more."""
        self._completed = True
        self._complete()

    def _of(self, value: T | Event) -> str | None:
        if isinstance(value, Gap):
            return value.topic
        topic = None if isinstance(value, Event) else self._topic(value)
        return None if topic is None else topic_text(topic)

    def _hold(self, fill: Fill[T], value: T | Event) -> None:
        fill.held.append(value)
        self._held += 1
        if self._held > self._maxsize and fill.query is not None:
            fill.query.running.dispose()
            self._give_up(fill, BufferOverflow(self._maxsize, 0))

    # A gap

    def _begin(self, gap: Gap) -> None:
        fill: Fill[T] = Fill(gap)
        if _lacks_something(gap):
            self._fills[gap.topic] = fill
        self._observer.on_next(gap)
        if _lacks_something(gap):
            self._ask(fill)

    def _ask(self, fill: Fill[T]) -> None:
        if not self.everything.is_disposed:
            fill.queries += 1
            fill.query = Query(fill.gap, partial(self._answered, fill), partial(self._not_answered, fill))
            self._fetching.add(fill.query)

    def _answered(self, fill: Fill[T], values: list[T]) -> None:
        fill.query = None
        missing: dict[int, T] = {}
        try:
            for value in values:
                number = self._key(value)
                if fill.gap.last < number < fill.gap.next:
                    missing.setdefault(number, value)
        except Exception as error:
            self._break(error)
            return
        for number in sorted(missing):
            self._observer.on_next(missing[number])
        self._release(fill)

    def _not_answered(self, fill: Fill[T], error: Exception) -> None:
        if fill.queries < self._attempts:
            self._ask(fill)
        else:
            self._give_up(fill, error)

    def _give_up(self, fill: Fill[T], error: Exception) -> None:
        fill.query = None
        try:
            self._failed(fill.gap, error)
        except Exception as problem:
            self._break(problem)
            return
        self._release(fill)

    def _release(self, fill: Fill[T]) -> None:
        """Emit what is held, up to the next gap that is to be filled."""
        while fill.held:
            value = fill.held.popleft()
            self._held -= 1
            self._observer.on_next(value)
            if isinstance(value, Gap) and _lacks_something(value):
                fill.gap, fill.queries = value, 0
                self._ask(fill)
                return
        self._fills.pop(fill.gap.topic, None)
        self._complete()

    # The end

    def _complete(self) -> None:
        if self._completed and not self._fills and not self.everything.is_disposed:
            self.everything.dispose()
            self._observer.on_completed()

    def _break(self, error: Exception) -> None:
        self.everything.dispose()
        self._observer.on_error(error)

    def _leave(self) -> None:
        for fill in self._fills.values():
            if fill.query is not None:
                fill.query.running.dispose()
        self._fills.clear()

    def _log(self, gap: Gap, error: Exception) -> None:
        if self._nuisances.is_due():
            words = escaped(masked_text(repr(error)))
            LOG.warning("%r: the gap from %d to %d is not filled: %s", gap.topic, gap.last, gap.next, words)


def _lacks_something(gap: Gap) -> bool:
    """Tell whether anything lies between its numbers: where they began anew, nothing does."""
    return gap.next - gap.last > 1
