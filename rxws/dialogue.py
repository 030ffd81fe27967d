"""What is said with a venue on one connection: what is asked for, what it answers, and what happens in the market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import inf
from typing import NamedTuple

import msgspec
from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.desired import Topics
from rxws.errors import DecodeError, Disconnected, Killed, RxwsError, SubscriptionRejected, SubscriptionTimeout
from rxws.events import TopicStatus
from rxws.market import MarketEvent
from rxws.scheduler import clock, wall_time_ns, when_drained
from rxws.types import Connection
from rxws.venue import Frame, Kind, Reply, Request, Venue

__all__ = ["Dialogue", "Patience", "Told"]

ACKNOWLEDGEMENT, FIRST_DATA = "acknowledgement", "first data"
PENDING = 1_024
"""Requests that may wait for an answer; of more, the oldest are taken for answered."""


class Told(NamedTuple):
    """What one message of a venue says of the market; `topic` is None where the message does not say whose it is."""

    topic: str | None
    events: Sequence[MarketEvent]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a topic has to be acknowledged in, and from then on to bring something; None: for ever."""

    acknowledgement: float | None
    first_data: Callable[[str], float | None]


@dataclass(slots=True)
class Deadline:
    """When something has to be there at the latest, and what."""

    at: float
    awaited: str
    timeout: float


class Dialogue:
    """One connection's talk with a venue; it is the decoder of that connection's messages.

    Args:
        connection: open, and greeted.
        venue: whose language it speaks.
        endpoint: which of the venue's endpoints the connection leads to.
        topics: what is wanted.
        patience: how long it waits for answers and data.
        failed: told of a topic that is refused, or brings nothing in time, and why.
        ends: called when the venue announces that it is about to close the connection.
        scheduler: whose time.
    """

    def __init__(
        self,
        connection: Connection,
        venue: Venue,
        endpoint: str,
        topics: Topics,
        patience: Patience,
        failed: Callable[[str, RxwsError], None],
        ends: Callable[[], None],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.statuses: dict[str, TopicStatus] = {}
        self._connection = connection
        self._venue = venue
        self._endpoint = endpoint
        self._topics = topics
        self._failed = failed
        self._patience = patience
        self._ends = ends
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._ids = count(1)
        self._pending: list[Request] = []
        self._asked_at: dict[str, float] = {}
        self._deadlines: dict[str, Deadline] = {}
        self._next = inf
        self._timer, self._turn = SerialDisposable(), SerialDisposable()
        self._is_changing = False
        self._arrival_ns: int | None = None

    def begin(self) -> None:
        """Ask for all that is wanted, and from now on for every change."""
        self._connection.watch_reads(self._read)
        self._connection.on_end(self._end)
        self._topics.join(self)
        self._update()

    def __call__(self, payload: bytes) -> Told | None:
        """Take a message, and return what it says of the market; None: nothing that is wanted."""
        frame = self._venue.classify(payload)
        match frame.kind:
            case Kind.DATA:
                return self._data(frame.topic, payload)
            case Kind.ACKNOWLEDGEMENT | Kind.ERROR:
                self._answered(payload, frame.kind)
            case Kind.UNKNOWN:
                self._strange(payload, "it is nothing that the venue documents")
            case _:
                return self._remarked(frame)
        return None

    # What is asked for (rxws.desired.Asker)

    def changed(self) -> None:
        """Ask for what is wanted now, once all who change it have done so."""
        if not self._is_changing:
            self._is_changing = True
            self._turn.disposable = self._scheduler.schedule(lambda *_: self._update())

    def renew(self, topic: str) -> None:
        """Ask anew."""
        if topic in self.statuses:
            self._forget(topic)
            self._send(self._venue.unsubscribe([topic], self._ids))
            self._ask([topic])

    def reconnect(self) -> None:
        """Cut the connection."""
        self._connection.fail(Killed())

    def _update(self) -> None:
        self._is_changing = False
        gone = [topic for topic in self.statuses if topic not in self._topics]
        for topic in gone:
            self._forget(topic)
        self._send(self._venue.unsubscribe(gone, self._ids))
        new = [topic for topic in self._topics if topic not in self.statuses]
        self._ask(topic for topic in new if self._has_place(topic, new))

    def _has_place(self, topic: str, new: Sequence[str]) -> bool:
        """Whether this connection may carry a topic; the venue would not say so, or would end them all."""
        most = self._venue.RULES.topics
        room = len(new) if most is None else most - len(self.statuses)
        problem = ""
        if self._venue.endpoint(topic) != self._endpoint:
            problem = f"it is had at the endpoint {self._venue.endpoint(topic)!r}, and this one is {self._endpoint!r}"
        elif new.index(topic) >= room:
            problem = f"a connection has at most {most} topics here; take multiplex for more"
        if problem:
            self._asked_at[topic] = self._now()
            self._refuse(topic, problem)
        return not problem

    def _forget(self, topic: str) -> None:
        del self.statuses[topic], self._asked_at[topic]
        self._deadlines.pop(topic, None)

    def _ask(self, topics: Iterable[str]) -> None:
        for request in self._venue.subscribe(topics, self._ids):
            for topic in request.topics:
                self._asked_at[topic] = self._now()
                self._change(topic, TopicStatus.REQUESTED)
            self._send([request])

    def _send(self, requests: Sequence[Request]) -> None:
        for request in requests:
            self._pending = [*self._pending[1 - PENDING :], request]
            try:
                self._connection.send(request.payload)
            except Disconnected:  # it ends at this very moment
                return
            if request.action == "subscribe":
                self._connection.when_sent(partial(self._sent, request))

    def _sent(self, request: Request) -> None:
        """The time to answer begins when it has left: a limit may have kept it back."""
        for topic in request.topics:
            if self.statuses.get(topic) is TopicStatus.REQUESTED:
                self._await(topic, ACKNOWLEDGEMENT, self._patience.acknowledgement)

    # What is answered

    def _answered(self, payload: bytes, kind: Kind) -> None:
        understood = False
        while (reply := self._venue.reply(payload, self._pending)) is not None:
            understood = True
            self._take(reply)
            if kind is Kind.ERROR:
                return
        if kind is Kind.ERROR and not understood:
            self._strange(payload, "an error that says of no request what is wrong with it")

    def _take(self, reply: Reply) -> None:
        request = reply.request
        settled = {*reply.confirmed, *reply.rejected, *reply.innocent}
        left = tuple(topic for topic in request.topics if topic not in settled)
        place = self._pending.index(request)
        self._pending[place : place + 1] = [replace(request, topics=left)] if left and settled else []
        if request.action == "unsubscribe":
            return
        for topic in reply.confirmed:
            if self.statuses.get(topic) in (TopicStatus.REQUESTED, TopicStatus.TIMED_OUT):
                self._await(topic, FIRST_DATA, self._patience.first_data(topic))
                self._change(topic, TopicStatus.ACKNOWLEDGED)
        for topic in reply.rejected:
            if topic in self.statuses:
                self._refuse(topic, reply.problem)
        self._ask_apart([topic for topic in reply.innocent if topic in self.statuses], request)

    def _ask_apart(self, topics: list[str], request: Request) -> None:
        """Ask again for what was refused only for its company; in halves where nobody knows whose fault it was."""
        middle = len(topics) // 2 if len(topics) == len(request.topics) else len(topics)
        for part in (topics[:middle], topics[middle:]):
            self._ask(part)

    def _refuse(self, topic: str, problem: str) -> None:
        self._deadlines.pop(topic, None)
        self.statuses[topic] = TopicStatus.REJECTED
        self._connection.journal.rejected(topic, problem)
        self._failed(topic, SubscriptionRejected(topic, problem))

    def _remarked(self, frame: Frame) -> Told | None:
        if frame.answer is not None:
            with suppress(Disconnected):
                self._connection.send(frame.answer)
        if frame.topic is not None:
            self._live(frame.topic)
        if frame.ends:
            self._ends()
        if frame.proof is None or frame.topic not in self.statuses:
            return None
        return Told(frame.topic, (msgspec.structs.replace(frame.proof, arrival_ns=self._arrival_ns),))

    # What happens in the market

    def _data(self, topic: str | None, payload: bytes) -> Told | None:
        if topic is not None and topic not in self.statuses:
            self._connection.journal.late()  # it crossed the message that ended it
            return None
        events = self._venue.decode(payload, self._arrival_ns)
        if topic is not None and self.statuses[topic] is not TopicStatus.LIVE:
            self._live(topic)
        return Told(topic, events) if events else None

    def _live(self, topic: str) -> None:
        if self.statuses.get(topic, TopicStatus.LIVE) is not TopicStatus.LIVE:
            self._deadlines.pop(topic, None)
            self._change(topic, TopicStatus.LIVE)

    def _strange(self, payload: bytes, problem: str) -> None:
        self._connection.journal.bad_frame(DecodeError(payload, problem))

    def _change(self, topic: str, status: TopicStatus, why: str = "") -> None:
        self.statuses[topic] = status
        after = self._now() - self._asked_at[topic]
        self._connection.journal.topic_changed(topic, status, after, why)

    # Time

    def _read(self, _: float) -> None:
        self._arrival_ns = wall_time_ns(self._scheduler)

    def _await(self, topic: str, awaited: str, timeout: float | None) -> None:
        self._deadlines.pop(topic, None)
        if timeout is not None:
            at = self._now() + timeout
            self._deadlines[topic] = Deadline(at, awaited, timeout)
            if at < self._next:
                self._wait(at)

    def _wait(self, until: float) -> None:
        self._next = until
        if until < inf:
            left = max(0.0, until - self._now())
            self._timer.disposable = self._scheduler.schedule_relative(left, self._due)

    def _due(self, *_: object) -> None:
        # A loop that was busy has not read yet what has long arrived.
        self._timer.disposable = when_drained(self._scheduler, lambda: self._connection.reads, self._decide)

    def _decide(self) -> None:
        now = self._now()
        for topic, deadline in list(self._deadlines.items()):
            if deadline.at <= now and self._deadlines.get(topic) is deadline:
                del self._deadlines[topic]
                self._change(topic, TopicStatus.TIMED_OUT, deadline.awaited)
                self._failed(topic, SubscriptionTimeout(topic, deadline.awaited, deadline.timeout))
        if not self._timer.is_disposed:
            self._wait(min((deadline.at for deadline in self._deadlines.values()), default=inf))

    def _end(self) -> None:
        self._topics.leave(self)
        self._timer.dispose()
        self._turn.dispose()
