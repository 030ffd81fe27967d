"""What is said with a venue on one connection: what is asked for, what it answers, and what happens in the market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.arguments import seconds
from rxws.correspondence import Correspondence, apart
from rxws.deadlines import Deadlines
from rxws.desired import Topics
from rxws.errors import (
    ConfigError,
    DecodeError,
    Killed,
    RxwsError,
    SubscriptionRejected,
    SubscriptionTimeout,
)
from rxws.events import TopicStatus
from rxws.market import MarketEvent
from rxws.scheduler import clock, wall_time_ns
from rxws.types import Connection
from rxws.venue import Frame, Kind, Reply, Request, Venue

__all__ = ["Dialogue", "Patience", "Told"]

ACKNOWLEDGEMENT, FIRST_DATA = "acknowledgement", "first data"
DATA, LIVE = Kind.DATA, TopicStatus.LIVE  # looked for with each message
UNCONFIRMED = (TopicStatus.REQUESTED, TopicStatus.TIMED_OUT)


class Told(NamedTuple):
    """What one message of a venue says of the market; `topic` is None where the message does not say whose it is."""

    topic: str | None
    events: Sequence[MarketEvent]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a topic has to be acknowledged in, and from then on to bring something; None: for ever."""

    acknowledgement: float | None
    first_data: Callable[[str], float | None]


class Asked(NamedTuple):
    """When a topic was asked for, and by which request."""

    at: float
    request: int


class Dialogue:
    """One connection's talk with a venue; it is the decoder of that connection's messages.

    Args:
        connection: open, and greeted.
        venue: whose language it speaks.
        endpoint: which of the venue's endpoints the connection leads to.
        topics: what is wanted.
        patience: how long it waits for answers and data.
        failed: told of a topic that is refused, or brings nothing in time, and why; true: the connection ends by that.
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
        failed: Callable[[str, RxwsError], bool],
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
        self._correspondence = Correspondence(connection, venue, self._sent, self._drained, scheduler)
        self._asked: dict[str, Asked] = {}
        self._unanswered: set[str] = set()
        self._deadlines = Deadlines(connection, self._missed, scheduler)
        self._turn = SerialDisposable()
        self._is_changing = False
        self._renewed: set[str] = set()
        self._ending: dict[str, None] = {}
        self._is_behind = False
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
        kind = frame.kind
        if kind is DATA:
            return self._data(frame.topic, payload)
        if kind is Kind.ACKNOWLEDGEMENT or kind is Kind.ERROR:
            self._answered(payload, kind)
        elif kind is Kind.UNKNOWN:
            self._strange(payload, "it is nothing that the venue documents")
        else:
            return self._remarked(frame)
        return None

    # What is asked for (rxws.desired.Asker)

    def changed(self) -> None:
        """Ask for what is wanted now, once all who change it have done so."""
        if not self._is_changing:
            self._is_changing = True
            self._turn.disposable = self._scheduler.schedule(lambda *_: self._update())

    def renew(self, topic: str) -> None:
        """End a topic and ask for it anew, whatever became of it, with the other changes."""
        self._renewed.add(topic)
        self.changed()

    def reconnect(self) -> None:
        """Cut the connection."""
        self._connection.fail(Killed())

    def _update(self) -> None:
        self._is_changing = False
        # What a limit keeps back goes first; what is wanted meanwhile goes together behind it. Until then what is to be
        # renewed goes on.
        self._is_behind = self._correspondence.is_kept
        renewed = set[str]()
        if not self._is_behind:
            renewed, self._renewed = self._renewed, renewed
        for topic in [topic for topic in self.statuses if topic in renewed or topic not in self._topics]:
            # The venue does not have what it refused, and would refuse the others with it.
            if self.statuses[topic] is not TopicStatus.REJECTED:
                self._ending[topic] = None
            self._forget(topic)
        if not self._is_behind:
            there, self._ending = list(self._ending), {}
            self._correspondence.end(there)
            self._ask(self._admitted([topic for topic in self._topics if topic not in self.statuses]))

    def _drained(self) -> None:
        if self._is_behind:
            self.changed()

    def _admitted(self, topics: list[str]) -> list[str]:
        """Those that this connection may carry; of others the venue would not say so, or would end them all."""
        most = self._venue.RULES.topics
        refused = {topic: problem for topic in topics if (problem := self._elsewhere(topic))}
        admitted = [topic for topic in topics if topic not in refused]
        if most is not None:
            carried = sum(status is not TopicStatus.REJECTED for status in self.statuses.values())
            problem = f"a connection has at most {most} topics here; take multiplex for more"
            refused |= dict.fromkeys(admitted[max(0, most - carried) :], problem)
        for topic, problem in refused.items():
            if not self._is_over:
                self._asked[topic] = Asked(self._now(), 0)
                self._refuse(topic, problem)
        return [topic for topic in admitted if topic not in refused]

    def _elsewhere(self, topic: str) -> str:
        """What is wrong with a topic on this connection, if anything is."""
        try:
            endpoint = self._venue.endpoint(topic)
        except ConfigError as error:
            return str(error)
        return "" if endpoint == self._endpoint else f"it is had at {endpoint!r}, and this is {self._endpoint!r}"

    def _forget(self, topic: str) -> None:
        del self.statuses[topic], self._asked[topic]
        self._deadlines.forget(topic)
        self._answer_is_awaited(topic, False)

    def _ask(self, topics: Sequence[str]) -> None:
        for request in self._correspondence.asking_for(topics):
            for topic in request.topics:
                if self._is_over:  # whoever was told of the one before has ended it
                    return
                self._deadlines.forget(topic)
                self._asked[topic] = Asked(self._now(), request.id)
                self._change(topic, TopicStatus.REQUESTED)
            self._correspondence.send(request)

    def _sent(self, request: Request) -> None:
        """The time to answer begins when it has left: a limit may have kept it back."""
        for topic in request.topics:
            if self._is_of(request, topic) and self.statuses[topic] is TopicStatus.REQUESTED:
                self._deadlines.expect(topic, ACKNOWLEDGEMENT, self._patience.acknowledgement)

    def _is_of(self, request: Request, topic: str) -> bool:
        """Whether it is the last that was asked about a topic; what is said of one before is said too late."""
        return topic in self._asked and self._asked[topic].request == request.id

    # What is answered

    def _answered(self, payload: bytes, kind: Kind) -> None:
        understood = False
        for reply in self._correspondence.replies(payload, kind):
            understood = True
            self._take(reply)
            if self._is_over:
                return
        if kind is Kind.ERROR and not understood:
            self._strange(payload, "an error that says of no request what is wrong with it")

    def _take(self, reply: Reply) -> None:
        request = reply.request
        if request.action == "unsubscribe":
            again = [topic for topic in reply.innocent if topic not in self.statuses]
            for part in apart(again, request):
                self._correspondence.end(part)
            return
        for topic in reply.confirmed:
            if self._is_of(request, topic) and self.statuses[topic] in UNCONFIRMED:
                self._deadlines.expect(topic, FIRST_DATA, self._first_data_timeout(topic))
                self._change(topic, TopicStatus.ACKNOWLEDGED)
        for topic in reply.rejected:
            if self._is_of(request, topic):
                self._refuse(topic, reply.problem)
        for part in apart([topic for topic in reply.innocent if self._is_of(request, topic)], request):
            self._ask(part)

    def _first_data_timeout(self, topic: str) -> float | None:
        try:
            timeout = self._patience.first_data(topic)
            seconds("first_data_timeout", timeout)
        except Exception as error:
            self._connection.journal.callback_failed("first_data_timeout", error)
            return None
        return timeout

    def _refuse(self, topic: str, problem: str) -> None:
        self._deadlines.forget(topic)
        self.statuses[topic] = TopicStatus.REJECTED
        self._answer_is_awaited(topic, False)
        self._connection.journal.rejected(topic, problem)
        self._fails(topic, SubscriptionRejected(topic, problem))

    def _missed(self, topic: str, awaited: str, timeout: float) -> None:
        self._change(topic, TopicStatus.TIMED_OUT, awaited)
        self._fails(topic, SubscriptionTimeout(topic, awaited, timeout))

    def _fails(self, topic: str, error: RxwsError) -> None:
        if not self._is_over and self._failed(topic, error):
            self._connection.fail(error)

    def _remarked(self, frame: Frame) -> Told | None:
        if frame.answer is not None and not self._correspondence.say(frame.answer):
            return None
        if frame.ends:
            self._ends()
        topic = frame.topic
        if topic is None or topic not in self.statuses:
            return None
        self._live(topic)
        proof = frame.proof
        return None if proof is None else Told(topic, (msgspec.structs.replace(proof, arrival_ns=self._arrival_ns),))

    # What happens in the market

    def _data(self, topic: str | None, payload: bytes) -> Told | None:
        if topic is not None and topic not in self.statuses:
            self._connection.journal.late()  # it crossed the message that ended it
            return None
        events = self._venue.decode(payload, self._arrival_ns)
        if topic is not None and self.statuses[topic] is not LIVE:
            self._live(topic)
        return Told(topic, events) if events else None

    def _live(self, topic: str) -> None:
        status = self.statuses[topic]
        # What crosses a renewal is of the subscription that is being ended, and proves nothing of the new one.
        if status is not LIVE and not (status is TopicStatus.REQUESTED and self._correspondence.is_ending(topic)):
            self._deadlines.forget(topic)
            self._change(topic, LIVE)

    def _strange(self, payload: bytes, problem: str) -> None:
        self._connection.journal.bad_frame(DecodeError(payload, problem))

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

    # Time, and the end

    def _read(self, _: float) -> None:
        self._arrival_ns = wall_time_ns(self._scheduler)

    @property
    def _is_over(self) -> bool:
        return self._connection.end_reason is not None

    def _end(self) -> None:
        self._topics.leave(self)
        self._deadlines.end()
        self._correspondence.dispose()
        self._turn.dispose()
