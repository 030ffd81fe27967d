"""Where topics stand on one connection: who is told of it, and by when something has to be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from reactivex import abc

from rxws.arguments import seconds
from rxws.deadlines import Deadlines
from rxws.errors import RxwsError, SubscriptionRejected, SubscriptionTimeout
from rxws.events import TopicStatus
from rxws.scheduler import clock
from rxws.types import Connection
from rxws.venue import Request

__all__ = ["Patience", "Standing"]

ACKNOWLEDGEMENT, FIRST_DATA = "acknowledgement", "first data"
UNCONFIRMED = (TopicStatus.REQUESTED, TopicStatus.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a topic has to be acknowledged in, and from then on to bring something; None: for ever."""

    acknowledgement: float | None
    first_data: Callable[[str], float | None]


class Asked(NamedTuple):
    """When a topic was asked for, and by which request."""

    at: float
    request: int


class Standing:
    """The topics that one connection has asked for, and where each stands.

    Args:
        connection: whose they are; its journal is told of each change.
        patience: how long it waits for answers and data.
        failed: told of a topic that is refused, or brings nothing in time, and why; true: the connection ends by that.
        scheduler: whose time.
    """

    def __init__(
        self,
        connection: Connection,
        patience: Patience,
        failed: Callable[[str, RxwsError], bool],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.statuses: dict[str, TopicStatus] = {}
        self._connection = connection
        self._patience = patience
        self._failed = failed
        self._now = clock(scheduler)
        self._asked: dict[str, Asked] = {}
        self._unanswered: set[str] = set()
        self._deadlines = Deadlines(connection, self._missed, scheduler)

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._connection.end_reason is not None

    def asked(self, topic: str, request: int, why: str = "") -> None:
        """It is asked for, by the request of that number; `why` it is so again, if it is."""
        self._deadlines.forget(topic)
        self._asked[topic] = Asked(self._now(), request)
        self._change(topic, TopicStatus.REQUESTED, why)

    def left(self, request: Request) -> None:
        """The time to answer begins when a request has left: a limit may have kept it back."""
        for topic in request.topics:
            if self.is_of(request, topic) and self.statuses[topic] is TopicStatus.REQUESTED:
                self._deadlines.expect(topic, ACKNOWLEDGEMENT, self._patience.acknowledgement)

    def is_of(self, request: Request, topic: str) -> bool:
        """Whether it is the last that was asked about a topic; what is said of one before is said too late."""
        return topic in self._asked and self._asked[topic].request == request.id

    def confirmed(self, topic: str) -> None:
        """It is acknowledged; where something has come of it before that, it says nothing new."""
        if self.statuses[topic] in UNCONFIRMED:
            self._deadlines.expect(topic, FIRST_DATA, self._first_data_timeout(topic))
            self._change(topic, TopicStatus.ACKNOWLEDGED)

    def live(self, topic: str) -> None:
        """Something has come of it."""
        self._deadlines.forget(topic)
        self._change(topic, TopicStatus.LIVE)

    def refused(self, topic: str, problem: str) -> None:
        """It is not to be had, by the venue or here; it need not have been asked for."""
        self._deadlines.forget(topic)
        self._asked.setdefault(topic, Asked(self._now(), 0))
        self.statuses[topic] = TopicStatus.REJECTED
        self._answer_is_awaited(topic, False)
        self._connection.journal.rejected(topic, problem)
        self._fails(topic, SubscriptionRejected(topic, problem))

    def forget(self, topic: str) -> None:
        """It stands nowhere any more."""
        del self.statuses[topic], self._asked[topic]
        self._deadlines.forget(topic)
        self._answer_is_awaited(topic, False)

    def end(self) -> None:
        """Nothing is late any more."""
        self._deadlines.end()

    def _first_data_timeout(self, topic: str) -> float | None:
        try:
            timeout = self._patience.first_data(topic)
            seconds("first_data_timeout", timeout)
        except Exception as error:
            self._connection.journal.callback_failed("first_data_timeout", error)
            return None
        return timeout

    def _missed(self, topic: str, awaited: str, timeout: float) -> None:
        self._change(topic, TopicStatus.TIMED_OUT, awaited)
        self._fails(topic, SubscriptionTimeout(topic, awaited, timeout))

    def _fails(self, topic: str, error: RxwsError) -> None:
        if not self.is_over and self._failed(topic, error):
            self._connection.fail(error)

    def _change(self, topic: str, status: TopicStatus, why: str = "") -> None:
        self.statuses[topic] = status
        self._answer_is_awaited(topic, status is TopicStatus.REQUESTED)
        after = self._now() - self._asked[topic].at
        self._connection.journal.topic_changed(topic, status, after, why)

    def _answer_is_awaited(self, topic: str, is_awaited: bool) -> None:
        were_some = bool(self._unanswered)
        if is_awaited:
            self._unanswered.add(topic)
        else:
            self._unanswered.discard(topic)
        if bool(self._unanswered) is not were_some:
            self._connection.journal.settling(not were_some)
