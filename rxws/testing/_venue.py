"""The exchange behind its door: it answers handshakes and requests, and tells the market."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rxws.testing import _wire
from rxws.testing._clock import Clock
from rxws.testing._connection import Act, VenueConnection
from rxws.testing._door import Door, paged
from rxws.testing._ledger import Ledger
from rxws.testing._limits import Limits, RollingWindow
from rxws.testing._protocols.protocol import VenueProtocol
from rxws.testing._tampering import Tampering
from rxws.testing._upkeep import Upkeep

__all__ = ["FLOOD", "Encoder", "Venue", "whole"]

FLOOD = b"flood "
"""How the pings of an ordered flood begin: their pongs are not held against the client."""

# asyncio adds up all that waits at each write (since Python 3.12): a burst is written in few.
_CHUNK = 2**18

Encoder = Callable[[bytes], bytes]
"""A text to the frames that carry it."""


def whole(text: bytes) -> bytes:
    """One text, one frame."""
    return _wire.frame(_wire.TEXT, text)


class Venue:
    """All that happens between a market and its connections; it keeps no socket and no task.

    Args:
        protocol: the market, and how the venue speaks of it.
        limits: what is not put up with.
        ledger: what is written down.
        tampering: what goes wrong on order.
        clock: monotonic time in seconds, and timers.
        now_ns: the wall clock, by which the market's times are told.
        random: chance, uniform in [0, 1).
    """

    def __init__(
        self,
        protocol: VenueProtocol,
        limits: Limits,
        ledger: Ledger,
        tampering: Tampering,
        clock: Clock,
        now_ns: Callable[[], int],
        random: Callable[[], float],
    ) -> None:
        self.protocol = protocol
        self.limits = limits
        self.ledger = ledger
        self.tampering = tampering
        self.door = Door(protocol, limits, ledger, clock)
        self.connections: set[VenueConnection] = set()
        self.live: dict[VenueConnection, None] = {}
        self.on_change: Callable[[], None] = _nothing
        self.closed = False
        self.clock = clock
        self._now_ns = now_ns
        self._random = random

    def now_ms(self) -> int:
        """The wall clock."""
        return self._now_ns() // 1_000_000

    # The market

    def produce(self, count: int, encode: Encoder = whole, among: Collection[str] = ()) -> None:
        """The next `count` messages of the market happen, of the streams `among`, if any."""
        outbox: dict[VenueConnection, bytearray] = {}
        for _ in range(count):
            stream, text = self.protocol.next(self.now_ms(), among)
            self._happens(stream, text, encode, outbox)
        self._send(outbox)

    def tell(self, messages: Collection[tuple[str, bytes]]) -> int:
        """These messages happen, each of its stream; how many they are."""
        outbox: dict[VenueConnection, bytearray] = {}
        for stream, text in messages:
            self._happens(stream, text, whole, outbox)
        self._send(outbox)
        return len(messages)

    def wanted(self) -> set[str]:
        """The streams that somebody listens to."""
        listened = (connection.session.served for connection in self.live)
        return {stream for streams in listened for stream in streams}

    def each(self, act: Act) -> int:
        """Do `act` to every open connection; to how many it could be done."""
        connections = [connection for connection in self.live if connection.is_open]
        return sum(act(connection) is not False for connection in connections)

    def _happens(self, stream: str, text: bytes, encode: Encoder, outbox: dict[VenueConnection, bytearray]) -> None:
        self.ledger.produced += 1
        number = self.ledger.produced
        listening = [
            connection for connection in tuple(self.live) if stream in connection.session.served and connection.is_told
        ]
        copies = self.tampering.copies(stream, number) if listening else 1
        frames: dict[Hashable, bytes] = {}
        for connection in listening if copies else ():
            session = connection.session
            if session.variant not in frames:
                frames[session.variant] = encode(session.wrap(stream, text, number))
            frame = frames[session.variant]
            for _ in range(copies):
                connection.record.wrote(number, len(frame))
            waiting = outbox.setdefault(connection, bytearray())
            waiting += frame * copies + connection.after_data()
            if len(waiting) > _CHUNK:
                connection.write(bytes(waiting))
                waiting.clear()
        if copies:
            self.ledger.told(stream, number, bool(listening))

    def _send(self, outbox: dict[VenueConnection, bytearray]) -> None:
        for connection, frames in outbox.items():
            connection.write(bytes(frames))
        self.on_change()

    # Handshakes

    async def handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        """What a handshake is answered with; None: accepted."""
        assert isinstance(connection, VenueConnection)
        if (page := self.protocol.page(request.path, self.now_ms())) is not None:
            return paged(connection, page)
        response = self.door.ordered(connection, request)
        await connection.audible.wait()
        if connection.ended is None and response is None:
            response = self.door.deserved(connection, request, len(self.live))
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
            self._start(connection, tuple(connection.session.served))
            if connection.on_open is not None:
                connection.on_open(connection)
            self.on_change()
        await connection.wait_closed()

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

    def expired(self, connection: VenueConnection, deadline: str) -> None:
        """A deadline is over, which is also the name of its limit."""
        self.ledger.violations[deadline] += 1
        if deadline == "pong_timeout":
            connection.say_close(1008, "Pong timeout")
        elif deadline == "heartbeat_timeout":
            connection.say_close(4000, "heartbeat close")
        elif (close := self.protocol.idle_close) is not None:
            connection.say_close(*close)
        else:
            connection.cut(f"ended after the deadline {deadline}", reset=False)

    def _respond(self, connection: VenueConnection, kind: str, payload: bytes) -> str:
        """Do what the message asks for, if its sender may ask; what it turned out to be."""
        now = self.clock.time()
        if not connection.window.admit(now):
            self.ledger.violations["messages"] += 1
            self.door.banned_until = now + (self.limits.ban or 0.0)
            connection.say_close(1008, "Too many requests")
            return "EXCESS"
        if kind == "PONG" and connection.upkeep is not None:
            connection.upkeep.pong(payload)
        if kind != "JSON":
            return kind
        return self._answer(connection, payload, now)

    def _answer(self, connection: VenueConnection, payload: bytes, now: float) -> str:
        reply = connection.session.answer(payload, self.now_ms(), now)
        if reply.broken is not None:
            self.ledger.violations[reply.broken] += 1
        order = self.tampering.ack() if reply.acknowledges else None
        connection.acknowledge(b"".join(map(whole, reply.texts)), order)
        self._listening(connection)
        if connection.upkeep is not None:
            connection.upkeep.heard(subscribed=bool(connection.session.served or connection.session.beat))
        self._start(connection, reply.fresh)
        if reply.close is not None:
            connection.say_close(*reply.close)
        return reply.method

    def _start(self, connection: VenueConnection, fresh: Collection[str]) -> None:
        """Tell what one is told at first who has just subscribed."""
        for stream in fresh:
            text = self.protocol.first(stream, self.now_ms())
            if text is not None:
                told = whole(connection.session.wrap(stream, text, self.ledger.produced))
                connection.write(told + connection.after_data())

    def _listening(self, connection: VenueConnection) -> None:
        """Write down what this connection listens to, and what nobody wants any more since."""
        before, now = connection.record.streams, tuple(connection.session.served)
        connection.record.streams = now
        self.ledger.wanted(stream for stream in now if stream not in before)
        given_up = set(before) - self.wanted()
        self.ledger.given_up(given_up)
        self.protocol.forget(given_up)


def _nothing() -> None:
    pass
