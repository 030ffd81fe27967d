"""What was asked of a venue on one connection, and waits for its answer."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.errors import ConnectionFailed, Disconnected, RxwsError
from rxws.governor import Governor, host_of
from rxws.redaction import masked
from rxws.request_rate import RequestRate
from rxws.scheduler import clock
from rxws.turn import Turn
from rxws.types import Connection
from rxws.venue import Kind, Reply, Request, Venue

__all__ = ["Correspondence", "apart"]

LOG = logging.getLogger("rxws")

PENDING = 1_024
"""Requests that may wait for an answer; of more, the oldest are taken for answered."""

LONG = 15.0
"""Seconds that a limit may keep requests back before it is told."""


class Correspondence:
    """The requests of one connection, and which of them an answer belongs to.

    They leave in order, one turn each.

    Args:
        connection: where they are sent.
        venue: whose they are.
        rate: how often they may leave, whatever connection they leave on.
        left: told of each that asks for topics when it has left: a limit may keep it back.
        drained: told when all have left.
        scheduler: whose time.
    """

    def __init__(
        self,
        connection: Connection,
        venue: Venue,
        rate: RequestRate,
        left: Callable[[Request], None],
        drained: Callable[[], None],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self._connection = connection
        self._venue = venue
        self._left = left
        self._drained = drained
        self._scheduler = scheduler
        self._ids = count(1)
        self._pending: deque[Request] = deque(maxlen=PENDING)
        self._host = host_of(connection.url)
        self._rate = rate
        self._governor: Governor | None = None
        self._now = clock(scheduler)
        self._left_at: dict[int, float] = {}
        self._line: deque[Request] = deque()
        self._turn = SerialDisposable()
        self._again = SerialDisposable()
        self._is_at_once = False
        self._kept = 0
        self._timer = SerialDisposable()

    def __len__(self) -> int:
        return len(self._pending) + len(self._line)

    @property
    def is_kept(self) -> bool:
        """Whether a limit keeps requests back that were sent."""
        return self._kept > 0

    def asking_for(self, topics: Sequence[str]) -> list[Request]:
        """Return the requests for topics, to be sent one by one."""
        return self._venue.subscribe(topics, self._ids)

    def end(self, topics: Sequence[str]) -> None:
        """Send what ends topics."""
        for request in self._venue.unsubscribe(topics, self._ids):
            self.send(request)

    def send(self, request: Request) -> None:
        """Send a request, when it is its turn, and await its answer; once all is over, do nothing."""
        if self._turn.is_disposed:
            return
        self._line.append(request)
        self._kept += 1
        if self._kept == 1:
            self._timer.disposable = self._scheduler.schedule_relative(LONG, self._tell)
        if len(self._line) == 1:
            self._go()

    def _go(self) -> None:
        # What asks on other connections takes its turn between two of this one's.
        self._is_at_once = True
        while self._line and self._is_at_once:
            self._governor = self._rate.governor(self._now())
            turn = Turn(self._governor, self._scheduler, lambda *_: None)
            self._turn.disposable = turn
            self._is_at_once = turn.wait(self._host, self._post)
        slow_for = self._rate.slow_for(self._now()) if self._line else 0.0
        self._again.disposable = (
            self._scheduler.schedule_relative(slow_for, lambda *_: self._go()) if slow_for else Disposable()
        )

    def _post(self) -> None:
        now = self._now()
        if self._rate.governor(now) is self._governor:  # else it has been slowed down, or is no more
            request = self._line.popleft()
            if len(self._pending) == PENDING:
                self._left_at.pop(self._pending[0].id)
            self._pending.append(request)
            self._left_at[request.id] = now
            if self.say(request.payload):
                self._connection.when_sent(partial(self._sent, request), self._fail)
            else:
                self.dispose()
        if not self._is_at_once:
            self._go()

    def say(self, payload: str) -> bool:
        """Send something; return whether it could be sent. That there is no room for it costs the connection."""
        try:
            self._connection.send(payload)
        except Disconnected:  # it ends at this very moment
            return False
        except RxwsError as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: RxwsError | None = None) -> None:
        """What could not be asked for would be missed in silence."""
        lost = ConnectionFailed(self._connection.url)
        lost.__cause__ = error
        self._connection.fail(lost)

    def dispose(self) -> None:
        """Nothing is sent any more, or told."""
        self._line.clear()
        self._turn.dispose()
        self._again.dispose()
        self._timer.dispose()

    def _sent(self, request: Request) -> None:
        self._kept -= 1
        if request.id in self._left_at:
            self._left_at[request.id] = self._now()
        if request.action == "subscribe":
            self._left(request)
        if not self._kept:
            self._timer.disposable = Disposable()
            self._drained()

    def _tell(self, *_: object) -> None:
        LOG.warning(
            "%s: %d requests wait, the first for %g s, for no more may be sent as yet; their topics stay as they are",
            masked(self._connection.url),
            self._kept,
            LONG,
        )

    def replies(self, payload: bytes, kind: Kind) -> Iterator[Reply]:
        """Yield what a message answers, one request after the other; an error answers one at most."""
        while (reply := self._venue.reply(payload, self._pending)) is not None:
            if reply.later:
                self._rate.refused(self._host, self._left_at[reply.request.id], self._now())
            self._settle(reply)
            yield reply
            if kind is Kind.ERROR:
                return

    def is_ending(self, topic: str) -> bool:
        """Whether a request that ends the topic is not answered yet."""
        requests = (*self._pending, *self._line)
        return any(request.action == "unsubscribe" and topic in request.topics for request in requests)

    def _settle(self, reply: Reply) -> None:
        request = reply.request
        settled = {*reply.confirmed, *reply.rejected, *reply.innocent, *reply.later}
        left = tuple(topic for topic in request.topics if topic not in settled)
        place = self._pending.index(request)
        if left and settled:
            self._pending[place] = replace(request, topics=left)
        else:
            del self._pending[place], self._left_at[request.id]


def apart(topics: list[str], request: Request) -> list[list[str]]:
    """Return what was refused only for its company: in halves, where nobody knows whose fault it was."""
    middle = len(topics) // 2 if len(topics) == len(request.topics) else len(topics)
    return [topics[:middle], topics[middle:]]
