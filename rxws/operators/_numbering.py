"""One subscription of `detect_gaps`: what is known of each topic."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from rxws.events import Event, Gap, Rotated
from rxws.gaps import State, Step, Verdict
from rxws.operators._stamps import Stamps, is_down
from rxws.operators._topics import topic_text, venue_of

__all__ = ["Numbering"]

T = TypeVar("T")

MOST = 65_536
"""Topics; of more, the one that was silent longest is forgotten."""


class Numbering(Generic[T]):
    """The states of the topics, the longest silent first."""

    def __init__(
        self,
        observer: abc.ObserverBase[T | Gap],
        rule: Callable[[State | None, Any], Step],
        topic: Callable[[Any], Hashable],
        drops_duplicates: bool,
        per_connection: bool,
        scheduler: abc.SchedulerBase | None,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self._observer = observer
        self._rule = rule
        self._topic = topic
        self._drops_duplicates = drops_duplicates
        self._per_connection = per_connection
        self._stamps = Stamps(scheduler)
        self._states: OrderedDict[Hashable, State] = OrderedDict()

    def on_next(self, value: T) -> None:
        """Judge a value, and pass it on, behind the `Gap` before it."""
        if isinstance(value, Event):
            self._stamps.last = value
            if self._per_connection and (is_down(value) or isinstance(value, Rotated)):
                self._states.clear()
            self._observer.on_next(value)
            return
        try:
            gap, passes = self._judged(value)
        except Exception as error:
            self.running.dispose()
            self._observer.on_error(error)
            return
        if gap is not None:
            self._observer.on_next(gap)
        if passes:
            self._observer.on_next(value)

    def _judged(self, value: T) -> tuple[Gap | None, bool]:
        topic = self._topic(value)
        if topic is None:
            return None, True
        known = self._states.get(topic)
        step = self._rule(known, value)
        self._know(topic, step.state)
        if step.verdict is Verdict.GAP and known is not None:
            stamp = self._stamps.now(venue_of(value))
            return Gap(**stamp, topic=topic_text(topic), last=known.last, next=step.next), True
        return None, not (self._drops_duplicates and step.verdict is Verdict.DUPLICATE)

    def _know(self, topic: Hashable, state: State | None) -> None:
        if state is None:
            self._states.pop(topic, None)
            return
        self._states[topic] = state
        self._states.move_to_end(topic)
        if len(self._states) > MOST:
            self._states.popitem(last=False)
