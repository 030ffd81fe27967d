"""What was asked of a venue on one connection, and waits for its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from rxws.errors import ConnectionFailed, Disconnected, RxwsError
from rxws.types import Connection
from rxws.venue import Kind, Reply, Request, Venue

__all__ = ["Correspondence", "apart"]

PENDING = 1_024
"""Requests that may wait for an answer; of more, the oldest are taken for answered."""


class Correspondence:
    """The requests of one connection, and which of them an answer belongs to.

    Args:
        connection: where they are sent.
        venue: whose they are.
        left: told of each that asks for topics when it has left: a limit may keep it back.
    """

    def __init__(self, connection: Connection, venue: Venue, left: Callable[[Request], None]) -> None:
        self._connection = connection
        self._venue = venue
        self._left = left
        self._ids = count(1)
        self._pending: deque[Request] = deque(maxlen=PENDING)

    def __len__(self) -> int:
        return len(self._pending)

    def asking_for(self, topics: Sequence[str]) -> list[Request]:
        """Return the requests for topics, to be sent one by one."""
        return self._venue.subscribe(topics, self._ids)

    def end(self, topics: Sequence[str]) -> None:
        """Send what ends topics."""
        for request in self._venue.unsubscribe(topics, self._ids):
            self.send(request)

    def send(self, request: Request) -> None:
        """Send a request, and await its answer."""
        self._pending.append(request)
        if self.say(request.payload) and request.action == "subscribe":
            self._connection.when_sent(partial(self._left, request))

    def say(self, payload: str) -> bool:
        """Send something; return whether it could be sent. That there is no room for it costs the connection."""
        try:
            self._connection.send(payload)
        except Disconnected:  # it ends at this very moment
            return False
        except RxwsError as error:
            lost = ConnectionFailed(self._connection.url)
            lost.__cause__ = error
            self._connection.fail(lost)
            return False
        return True

    def replies(self, payload: bytes, kind: Kind) -> Iterator[Reply]:
        """Yield what a message answers, one request after the other; an error answers one at most."""
        while (reply := self._venue.reply(payload, self._pending)) is not None:
            self._settle(reply)
            yield reply
            if kind is Kind.ERROR:
                return

    def is_ending(self, topic: str) -> bool:
        """Whether a request that ends the topic is not answered yet."""
        return any(request.action == "unsubscribe" and topic in request.topics for request in self._pending)

    def _settle(self, reply: Reply) -> None:
        request = reply.request
        settled = {*reply.confirmed, *reply.rejected, *reply.innocent}
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
