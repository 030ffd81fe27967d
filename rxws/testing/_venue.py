"""The exchange behind its door: it answers handshakes and requests, and tells the market."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil, inf
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rxws.testing import _binance, _wire
from rxws.testing._clock import Clock
from rxws.testing._connection import Act, Answer, VenueConnection
from rxws.testing._feed import Feed
from rxws.testing._ledger import Ledger
from rxws.testing._limits import Limits, RollingWindow
from rxws.testing._upkeep import Upkeep

__all__ = ["FLOOD", "Encoder", "Order", "Venue", "whole"]

FLOOD = b"flood "
"""How the pings of an ordered flood begin: their pongs are not held against the client."""

_ATTEMPTS_PER = 300.0
# asyncio adds up all that waits at each write (since Python 3.12): a burst is written in few.
_CHUNK = 2**18

Encoder = Callable[[bytes], bytes]
"""A text to the frames that carry it."""


def whole(text: bytes) -> bytes:
    """One text, one frame."""
    return _wire.frame(_wire.TEXT, text)


@dataclass(slots=True)
class Order:
    """What is done to the next handshakes; `times` None: until it is revoked."""

    answer: Answer
    times: int | None


class Venue:
    """All that happens between a feed and its connections; it keeps no socket and no task.

    Args:
        feed: the market.
        limits: what is not put up with.
        ledger: what is written down.
        clock: monotonic time in seconds, and timers.
        now_ns: the wall clock, by which the market's times are told.
        random: chance, uniform in [0, 1).
    """

    def __init__(
        self,
        feed: Feed,
        limits: Limits,
        ledger: Ledger,
        clock: Clock,
        now_ns: Callable[[], int],
        random: Callable[[], float],
    ) -> None:
        self.feed = feed
        self.limits = limits
        self.ledger = ledger
        self.orders: deque[Order] = deque()
        self.connections: set[VenueConnection] = set()
        self.live: dict[VenueConnection, None] = {}
        self.on_change: Callable[[], None] = _nothing
        self.closed = False
        self.clock = clock
        self._now_ns = now_ns
        self._random = random
        self._banned_until = -inf
        self._attempts = RollingWindow(limits.attempts, _ATTEMPTS_PER)

    # The market

    def produce(self, count: int, encode: Encoder = whole, among: Collection[str] = ()) -> None:
        """The next `count` messages of the market happen, of the streams `among`, if any."""
        outbox: dict[VenueConnection, bytearray] = {}
        for _ in range(count):
            stream, data = self.feed.next(self._now_ns() // 1_000_000, among)
            self.ledger.produced += 1
            number = self.ledger.produced
            carried = self._tell(stream, number, data, encode, outbox)
            self.ledger.told(stream, number, carried)
        for connection, frames in outbox.items():
            connection.write(bytes(frames))
        self.on_change()

    def wanted(self) -> set[str]:
        """The streams that somebody listens to."""
        listened = (connection.subscriptions.streams for connection in self.live)
        return {stream for streams in listened for stream in streams}

    def each(self, act: Act) -> int:
        """Do `act` to every open connection; to how many it could be done."""
        connections = [connection for connection in self.live if connection.is_open]
        return sum(act(connection) is not False for connection in connections)

    def _tell(
        self,
        stream: str,
        number: int,
        data: dict[str, Any],
        encode: Encoder,
        outbox: dict[VenueConnection, bytearray],
    ) -> bool:
        carried = False
        text = msgspec.json.encode(data)
        frames: dict[bool, bytes] = {}
        for connection in tuple(self.live):
            if stream not in connection.subscriptions.streams or not connection.is_told:
                continue
            combined = connection.subscriptions.combined
            if combined not in frames:
                frames[combined] = encode(_binance.event(stream, text, combined, number))
            connection.record.wrote(number, len(frames[combined]))
            carried = True
            waiting = outbox.setdefault(connection, bytearray())
            waiting += frames[combined]
            if len(waiting) > _CHUNK:
                connection.write(bytes(waiting))
                waiting.clear()
        return carried

    # Handshakes

    async def handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        """What a handshake is answered with; None: accepted."""
        assert isinstance(connection, VenueConnection)
        response = self._ordered(connection, request)
        await connection.audible.wait()
        if connection.ended is None and response is None:
            response = self._deserved(connection, request)
        if connection.ended is not None or response is not None:
            self.ledger.refused += 1
            self.on_change()
        return response

    async def serve(self, connection: ServerConnection) -> None:
        """What follows an accepted handshake, until TCP is gone."""
        assert isinstance(connection, VenueConnection)
        if connection.ended is None and connection.request is not None:
            connection.record = self.ledger.opened(connection.request.path)
            connection.window = RollingWindow(self.limits.messages, self.limits.per)
            connection.upkeep = Upkeep(connection, self.limits, self.clock, self._random)
            connection.upkeep.start()
            self.live[connection] = None
            self._listening(connection)
            if connection.on_open is not None:
                connection.on_open(connection)
            self.on_change()
        await connection.wait_closed()

    def _ordered(self, connection: VenueConnection, request: Request) -> Response | None:
        if not self.orders:
            return None
        order = self.orders[0]
        if order.times is not None:
            order.times -= 1
            if order.times == 0:
                self.orders.popleft()
        return order.answer(connection, request)

    def _deserved(self, connection: VenueConnection, request: Request) -> Response | None:
        now = self.clock.time()
        if now < self._banned_until:
            return refusal(connection, 429, "Banned\n", ceil(self._banned_until - now))
        if not self._attempts.admit(now):
            return refusal(connection, 429, "Too many attempts\n", ceil(_ATTEMPTS_PER))
        try:
            connection.subscriptions = _binance.opened_by(request.path, self.limits.streams)
        except _binance.BadTarget as bad:
            return refusal(connection, bad.status, f"{bad.text}\n")
        return None

    # Connections

    def arrived(self, connection: VenueConnection) -> None:
        """TCP is open."""
        self.connections.add(connection)
        if self.closed:
            connection.hang_up()

    def heard(self, connection: VenueConnection, kind: str, payload: bytes) -> None:
        """A message came: kind is PING, PONG, CLOSE or JSON."""
        flood = kind == "PONG" and payload.startswith(FLOOD)
        if not (flood or connection.muted or kind == "CLOSE"):
            kind = self._respond(connection, kind, payload)
        self.ledger.heard(connection.record, kind)
        self.on_change()

    def ended(self, connection: VenueConnection) -> None:
        """Either side has ended it."""
        if connection in self.live:
            del self.live[connection]
            connection.record.ended = connection.ended
            self.on_change()

    def gone(self, connection: VenueConnection) -> None:
        """TCP is gone."""
        self.connections.discard(connection)
        self.on_change()

    def shutdown_notice(self, combined: bool) -> bytes:
        """The text of `serverShutdown`, which carries no number: it is no market data."""
        data = b'{"e":"serverShutdown","E":%d}' % (self._now_ns() // 1_000_000)
        return _binance.event("!serverShutdown", data, combined)

    def _respond(self, connection: VenueConnection, kind: str, payload: bytes) -> str:
        """Do what the message asks for, if its sender may ask; what it turned out to be."""
        now = self.clock.time()
        if not connection.window.admit(now):
            self._banned_until = now + (self.limits.ban or 0.0)
            connection.say_close(1008, "Too many requests")
            return "EXCESS"
        if kind == "PONG" and connection.upkeep is not None:
            connection.upkeep.pong(payload)
        if kind != "JSON":
            return kind
        reply = connection.subscriptions.answer(payload)
        connection.write(whole(reply.text))
        self._listening(connection)
        if reply.fatal:
            connection.say_close(1008, "Invalid request")
        return reply.method

    def _listening(self, connection: VenueConnection) -> None:
        """Write down what this connection listens to, and what nobody wants any more since."""
        before, now = connection.record.streams, tuple(connection.subscriptions.streams)
        connection.record.streams = now
        self.ledger.wanted(stream for stream in now if stream not in before)
        self.ledger.given_up(set(before) - self.wanted())


def refusal(connection: VenueConnection, status: int, body: str, retry_after: int | None = None) -> Response:
    """The answer that refuses a handshake."""
    response = connection.respond(HTTPStatus(status), body)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _nothing() -> None:
    pass
