"""What was asked of a venue on one connection, and waits for its answer."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from math import inf

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.errors import ConnectionFailed, Disconnected, RxwsError
from rxws.governor import Governor, host_of
from rxws.redaction import masked
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

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds in which an address asks for nothing once a venue has said that it asks too often: the first time, and after
many such answers, each of which doubles them. Until none has come for the longest, there is as much between any two."""


class Correspondence:
    """The requests of one connection, and which of them an answer belongs to.

    They leave in order, as often as the venue lets the address ask, whatever connection it asks on.

    Args:
        connection: where they are sent.
        venue: whose they are.
        governor: says when the next may leave; a venue that is asked too often is left alone by all who share it.
        left: told of each that asks for topics when it has left: a limit may keep it back.
        drained: told when all have left.
        scheduler: whose time.
    """

    def __init__(
        self,
        connection: Connection,
        venue: Venue,
        governor: Governor,
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
        self._governor = governor
        self._now = clock(scheduler)
        self._pause = PAUSE
        self._slow_until = -inf
        self._last = self._last_refused = 0
        self._line: deque[Request] = deque()
        self._turn = SerialDisposable()
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
        """Send a request, when it is its turn, and await its answer."""
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
            turn = Turn(self._governor, self._scheduler, lambda *_: None)
            self._turn.disposable = turn
            self._is_at_once = turn.wait(self._host, self._post)

    def _post(self) -> None:
        request = self._line.popleft()
        self._pending.append(request)
        self._last = request.id
        now = self._now()
        if now < self._slow_until:
            self._governor.hold_off(self._host, now + self._pause)
        if self.say(request.payload):
            self._connection.when_sent(partial(self._sent, request), self._fail)
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
        self._timer.dispose()

    def _sent(self, request: Request) -> None:
        self._kept -= 1
        if request.action == "subscribe":
            self._left(request)
        if not self._kept:
            self._timer.disposable = Disposable()
            self._drained()

    def _tell(self, *_: object) -> None:
        LOG.warning(
            "%s: %d requests have waited for %g s, for no more may be sent as yet; their topics stay as they are",
            masked(self._connection.url),
            self._kept,
            LONG,
        )

    def replies(self, payload: bytes, kind: Kind) -> Iterator[Reply]:
        """Yield what a message answers, one request after the other; an error answers one at most."""
        while (reply := self._venue.reply(payload, self._pending)) is not None:
            self._settle(reply)
            if reply.later:
                self._hold_off(reply.request)
            yield reply
            if kind is Kind.ERROR:
                return

    def is_ending(self, topic: str) -> bool:
        """Whether a request that ends the topic is not answered yet."""
        requests = (*self._pending, *self._line)
        return any(request.action == "unsubscribe" and topic in request.topics for request in requests)

    def _hold_off(self, refused: Request) -> None:
        if refused.id <= self._last_refused:  # it had been sent when the last such answer came
            return
        now = self._now()
        self._pause = min(2.0 * self._pause, LONGEST_PAUSE) if now < self._slow_until else PAUSE
        self._slow_until = now + self._pause + LONGEST_PAUSE
        self._last_refused = self._last
        self._governor.hold_off(self._host, now + self._pause)

    def _settle(self, reply: Reply) -> None:
        request = reply.request
        settled = {*reply.confirmed, *reply.rejected, *reply.innocent, *reply.later}
        left = tuple(topic for topic in request.topics if topic not in settled)
        place = self._pending.index(request)
        if left and settled:
            self._pending[place] = replace(request, topics=left)
        else:
            del self._pending[place]


def apart(topics: list[str], request: Request) -> list[list[str]]:
    """Return what was refused only for its company: in halves, where nobody knows whose fault it was."""
    middle = len(topics) // 2 if len(topics) == len(request.topics) else len(topics)
    return [topics[:middle], topics[middle:]]
