"""By when something has to be there, topic by topic, on one connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.scheduler import clock, when_drained
from rxws.types import Connection

__all__ = ["Deadlines"]


@dataclass(slots=True)
class Deadline:
    """When something has to be there at the latest, and what."""

    at: float
    awaited: str
    timeout: float


class Deadlines:
    """One deadline a topic at most, and one timer for them all.

    What has arrived, and could not be read yet because the loop was busy, is in time; and while the connection is
    paused, nothing is late.

    Args:
        connection: where it has to arrive.
        missed: told the topic, what was awaited, and for how many seconds; it may end the connection.
        scheduler: whose time.
    """

    def __init__(
        self, connection: Connection, missed: Callable[[str, str, float], None], scheduler: abc.SchedulerBase
    ) -> None:
        self._connection = connection
        self._missed = missed
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._deadlines: dict[str, Deadline] = {}
        self._next = inf
        self._timer = SerialDisposable()

    def expect(self, topic: str, awaited: str, timeout: float | None) -> None:
        """Expect this of a topic within so many seconds, in place of what was expected; None: it may take for ever."""
        self.forget(topic)
        if timeout is not None:
            at = self._now() + timeout
            self._deadlines[topic] = Deadline(at, awaited, timeout)
            if at < self._next:
                self._wait(at)

    def forget(self, topic: str) -> None:
        """Expect nothing of a topic."""
        self._deadlines.pop(topic, None)

    def end(self) -> None:
        """Expect nothing any more."""
        self._deadlines.clear()
        self._timer.dispose()

    def _wait(self, until: float) -> None:
        self._next = until
        if until < inf:
            left = max(0.0, until - self._now())
            self._timer.disposable = self._scheduler.schedule_relative(left, self._due)

    def _due(self, *_: object) -> None:
        self._timer.disposable = when_drained(self._scheduler, lambda: self._connection.reads, self._decide)

    def _decide(self) -> None:
        now, since = self._now(), self._connection.reading_since
        for topic, deadline in list(self._deadlines.items()):
            deadline.at = max(deadline.at, since + deadline.timeout)
            if deadline.at <= now and self._deadlines.get(topic) is deadline:
                del self._deadlines[topic]
                self._missed(topic, deadline.awaited, deadline.timeout)
        if not self._timer.is_disposed:
            self._wait(min((deadline.at for deadline in self._deadlines.values()), default=inf))
