"""What is said with a venue on one connection: what is asked for, what it answers, and what happens in the market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.correspondence import Correspondence, apart
from rxws.desired import Topics
from rxws.errors import ConfigError, DecodeError, Killed, RxwsError
from rxws.events import TopicStatus
from rxws.market import MarketEvent
from rxws.request_rate import RequestRate
from rxws.scheduler import wall_time_ns
from rxws.standing import Patience, Standing
from rxws.types import Connection
from rxws.venue import Frame, Kind, Reply, Venue

__all__ = ["Dialogue", "Told"]

DATA, LIVE = Kind.DATA, TopicStatus.LIVE  # looked for with each message


class Told(NamedTuple):
    """What one message of a venue says of the market.

    Args:
        topic: None where the message does not say whose it is.
        events: one or more.
        is_first: whether it is the first of its topic since that was asked for.
    """

    topic: str | None
    events: Sequence[MarketEvent]
    is_first: bool = False


class Dialogue:
    """One connection's talk with a venue; it is the decoder of that connection's messages.

    Args:
        connection: open, and greeted.
        venue: whose language it speaks.
        endpoint: which of the venue's endpoints the connection leads to.
        topics: what is wanted.
        patience: how long it waits for answers and data.
        rate: how often it may ask.
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
        rate: RequestRate,
        failed: Callable[[str, RxwsError], bool],
        ends: Callable[[], None],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self._standing = Standing(connection, patience, failed, scheduler)
        self.statuses = self._standing.statuses
        self._connection = connection
        self._venue = venue
        self._endpoint = endpoint
        self._topics = topics
        self._ends = ends
        self._scheduler = scheduler
        self._correspondence = Correspondence(connection, venue, rate, self._standing.left, self._drained, scheduler)
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
            self._standing.forget(topic)
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
            if not self._standing.is_over:
                self._standing.refused(topic, problem)
        return [topic for topic in admitted if topic not in refused]

    def _elsewhere(self, topic: str) -> str:
        """What is wrong with a topic on this connection, if anything is."""
        try:
            endpoint = self._venue.endpoint(topic)
        except ConfigError as error:
            return str(error)
        return "" if endpoint == self._endpoint else f"it is had at {endpoint!r}, and this is {self._endpoint!r}"

    def _ask(self, topics: Sequence[str], why: str = "") -> None:
        for request in self._correspondence.asking_for(topics):
            for topic in request.topics:
                if self._standing.is_over:  # whoever was told of the one before has ended it
                    return
                self._standing.asked(topic, request.id, why)
            self._correspondence.send(request)

    # What is answered

    def _answered(self, payload: bytes, kind: Kind) -> None:
        understood = False
        for reply in self._correspondence.replies(payload, kind):
            understood = True
            self._take(reply)
            if self._standing.is_over:
                return
        if kind is Kind.ERROR and not understood:
            self._strange(payload, "an error that says of no request what is wrong with it")

    def _take(self, reply: Reply) -> None:
        request = reply.request
        if request.action == "unsubscribe":
            self._end_again(reply)
            return
        for topic in reply.confirmed:
            if self._standing.is_of(request, topic):
                self._standing.confirmed(topic)
        for topic in reply.rejected:
            if self._standing.is_of(request, topic):
                self._standing.refused(topic, reply.problem)
        for part in apart([topic for topic in reply.innocent if self._standing.is_of(request, topic)], request):
            self._ask(part)
        # What is to be renewed is about to be ended, and asked for behind that.
        later = [topic for topic in reply.later if self._standing.is_of(request, topic) and topic not in self._renewed]
        self._ask(later, reply.problem)

    def _end_again(self, reply: Reply) -> None:
        """What was asked for anew since then goes on, unless the venue was only too busy to end it before that."""
        for part in apart([topic for topic in reply.innocent if topic not in self.statuses], reply.request):
            self._correspondence.end(part)
        for topic in reply.later:
            if topic in self.statuses:
                self._renewed.add(topic)
            else:
                self._ending[topic] = None
        if reply.later:
            self.changed()

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
        is_first = topic is not None and self.statuses[topic] is not LIVE and self._live(topic)
        return Told(topic, events, is_first) if events else None

    def _live(self, topic: str) -> bool:
        """Whether it has become live by this."""
        status = self.statuses[topic]
        # What crosses a renewal is of the subscription that is being ended, and proves nothing of the new one.
        is_ending = topic in self._renewed or self._correspondence.is_ending(topic)
        if status is LIVE or (status is TopicStatus.REQUESTED and is_ending):
            return False
        self._standing.live(topic)
        return True

    def _strange(self, payload: bytes, problem: str) -> None:
        self._connection.journal.bad_frame(DecodeError(payload, problem))

    # Time, and the end

    def _read(self, _: float) -> None:
        self._arrival_ns = wall_time_ns(self._scheduler)

    def _end(self) -> None:
        self._topics.leave(self)
        self._standing.end()
        self._correspondence.dispose()
        self._turn.dispose()
