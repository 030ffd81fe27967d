"""Nothing is left to be connected for: a venue has refused all that is wanted of it."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.desired import Topics
from rxws.events import TopicStatus
from rxws.types import Connection

__all__ = ["AGAIN", "Resting"]

AGAIN = 600.0
"""Seconds after which what was refused is asked for again all the same: a venue may list it by then."""


class Resting(abc.DisposableBase):
    """Ends a connection on which every topic is refused, and begins it anew: when another is wanted, or one again.

    Some venues close a connection that has no topic: it would be dialled again and again.

    Args:
        topics: what is wanted.
        begin: called when there is something to be connected for again.
        scheduler: whose turns.
    """

    def __init__(self, topics: Topics, begin: Callable[[], None], scheduler: abc.SchedulerBase) -> None:
        self.rests = False
        """Whether it waits for something to be wanted that was not refused."""
        self.statuses: dict[str, TopicStatus] = {}
        self._topics = topics
        self._begin = begin
        self._scheduler = scheduler
        self._turn = SerialDisposable()
        self._connections: list[Connection] = []

    def watch(self) -> None:
        """Follow the topics."""
        self._topics.join(self)

    def opened(self, connection: Connection) -> None:
        """One more connection asks for the topics."""
        self._connections = [each for each in self._connections if each.end_reason is None]
        self._connections.append(connection)

    def refused(self) -> None:
        """A topic is refused: look whether all are, once all that is told of it has been heard."""
        self._turn.disposable = self._scheduler.schedule(self._look)

    def changed(self) -> None:
        """Other topics are wanted; also one that was given up while it rests, and is wanted again."""
        self.statuses = {topic: status for topic, status in self.statuses.items() if topic in self._topics}
        if self.rests and len(self.statuses) < len(self._topics):
            self._go_on()

    def renew(self, topic: str) -> None:
        """A refused one is wanted all the same."""
        self.reconnect()

    def reconnect(self) -> None:
        """A connection is wanted."""
        if self.rests:
            self._go_on()

    def dispose(self) -> None:
        """Look no more."""
        self._topics.leave(self)
        self._turn.dispose()

    def _look(self, *_: object) -> None:
        statuses = self._topics.statuses
        if not statuses or any(status is not TopicStatus.REJECTED for status in statuses.values()):
            return
        connections = [each for each in self._connections if each.end_reason is None]
        if connections:
            self.rests, self.statuses = True, statuses
            self._turn.disposable = self._scheduler.schedule_relative(AGAIN, self._go_on)
            for connection in connections:
                connection.close()

    def _go_on(self, *_: object) -> None:
        self._turn.disposable = Disposable()
        self.rests, self.statuses = False, {}
        self._begin()
