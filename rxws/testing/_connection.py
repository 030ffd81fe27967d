"""One served connection: that of websockets, with a say over each byte and over the end of its TCP.

websockets parses what comes and keeps RFC 6455's order of a close. What goes out is written past
it, as frames of our own: so that a fault is exactly the bytes it is meant to be, and a frame is
made once for all who get it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.frames import Close, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, State

from rxws.testing import _wire
from rxws.testing._clock import Clock, Timer
from rxws.testing._ledger import ConnectionRecord
from rxws.testing._limits import Limits, RollingWindow
from rxws.testing._protocols.protocol import Session
from rxws.testing._tampering import Ack, Unsaid
from rxws.testing._upkeep import Upkeep

__all__ = ["Act", "Answer", "Desk", "VenueConnection"]

_HELD_BYTES = 2**16
_HELD_REQUESTS = 1_024
# An abrupt end: what is unsent is thrown away, and the peer gets a reset (SO_LINGER on, for 0
# seconds).
_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Desk(Protocol):
    """The exchange, as a connection sees it."""

    limits: Limits
    clock: Clock

    def arrived(self, connection: VenueConnection) -> None:
        """TCP is open."""

    def heard(self, connection: VenueConnection, kind: str, payload: bytes) -> None:
        """A message came: kind is PING, PONG, CLOSE or JSON."""

    def ended(self, connection: VenueConnection) -> None:
        """Either side has ended it; TCP may be open yet."""

    def gone(self, connection: VenueConnection) -> None:
        """TCP is gone."""

    def expired(self, connection: VenueConnection, deadline: str) -> None:
        """A deadline is over, which is also the name of its limit."""

    def now_ms(self) -> int:
        """The wall clock."""


class VenueConnection(ServerConnection):
    """A connection of the simulated exchange.

    It is *open* between its handshake and its end; *muted* while it is told nothing, and *deaf*
    while nothing that it sends is looked at.
    """

    desk: ClassVar[Desk]
    session: Session
    record: ConnectionRecord
    upkeep: Upkeep | None = None
    window: RollingWindow
    audible: asyncio.Event
    on_open: Act | None = None
    ended: str | None = None
    """How it ended, in words."""
    muted = False
    _deaf = False

    @classmethod
    def at(cls, desk: Desk) -> type[VenueConnection]:
        """The class of connections that belong to `desk`."""
        return type("VenueConnection", (cls,), {"desk": desk})

    @property
    def is_open(self) -> bool:
        """Whether its handshake is done and neither side has ended it."""
        opened = self.upkeep is not None and self.protocol.state is State.OPEN
        return opened and self.ended is None and not self.transport.is_closing()

    @property
    def is_told(self) -> bool:
        """Whether it is open and not muted."""
        return self.is_open and not self.muted

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is open (asyncio's protocol)."""
        self.audible = asyncio.Event()
        self.audible.set()
        self._held = bytearray()
        self._unheard: list[bytes] = []
        self._request = bytearray()
        self._deadline: Timer | None = None
        self._unsaid = Unsaid()
        # asyncio sees to that only for sockets that were made with TCP's number; without it, an answer waits 40 ms.
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)
        self.desk.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone (asyncio's protocol)."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()
        self._end(f"lost with {self.protocol.close_code}")
        self.audible.set()
        self.desk.gone(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came (asyncio's protocol)."""
        if not self._deaf:
            super().data_received(data)
            return
        self._held += data
        if len(self._held) > _HELD_BYTES:
            self.transport.pause_reading()

    def process_event(self, event: Event) -> None:
        """The request, or a frame, came (websockets; not documented, hence pinned and tested)."""
        if isinstance(event, Request | Response):
            super().process_event(event)
        elif self.upkeep is None or self.ended is not None:
            return
        elif event.opcode in (Opcode.PING, Opcode.PONG):
            self.desk.heard(self, event.opcode.name, bytes(event.data))
        elif event.opcode is Opcode.CLOSE:
            self.desk.heard(self, event.opcode.name, bytes(event.data))
            self._end(f"closed by the client with {Close.parse(event.data).code}")
        else:
            self._request += event.data
            if event.fin:
                request, self._request = bytes(self._request), bytearray()
                self._hear(request)

    def write(self, data: bytes) -> bool:
        """Send these bytes as they are; False if it is muted or not open."""
        if not self.is_told:
            return False
        self.transport.write(data)
        if data and self.upkeep is not None:
            self.upkeep.wrote()
        backlog = self.desk.limits.backlog
        if backlog is not None and self.transport.get_write_buffer_size() > backlog:
            self.cut("reset, as it did not read", reset=True)
        return True

    def send_ping(self, payload: bytes) -> None:
        """Send a ping."""
        self.write(_wire.frame(_wire.PING, payload))

    def announce_shutdown(self) -> None:
        """Send the venue's notice of a planned end, if it has one."""
        notice = self.session.shutdown_notice(self.desk.now_ms())
        if notice is not None:
            self.write(_wire.frame(_wire.TEXT, notice))

    def send_heartbeat(self, idle: bool) -> bool:
        """Send the venue's heartbeat; whether it must be answered."""
        beat = self.session.heartbeat(self.desk.now_ms(), idle)
        self.write(b"".join(_wire.frame(_wire.TEXT, text) for text in beat.texts))
        return beat.asks

    def expire(self, deadline: str) -> None:
        """The client has missed a deadline."""
        self.desk.expired(self, deadline)

    def acknowledge(self, frames: bytes, order: Ack | None) -> None:
        """Send the answer to a request, or what was ordered to become of it."""
        if order == "after_error":
            frames = _wire.frame(_wire.TEXT, self.session.error()) + frames
        self.write(self._unsaid.ordered(frames, order))

    def after_data(self) -> bytes:
        """What waits to be sent behind a message of the market, once."""
        return self._unsaid.after_data()

    def release_acks(self) -> bool:
        """Send the answers that were held; False if there were none."""
        frames = self._unsaid.released()
        return bool(frames) and self.write(frames)

    def shut_down(self, lead: float) -> bool:
        """Send the notice now, and close `lead` seconds later; False if it cannot."""
        if self.muted or self.upkeep is None:
            return False
        self.upkeep.shut_down(lead)
        return True

    def say_close(self, code: int | None, reason: str = "") -> bool:
        """Send a close frame with any code or none, and wait for the answer, but not for ever."""
        payload = _wire.close_payload(code, reason)
        self.resume()
        if not self.write(_wire.frame(_wire.CLOSE, payload)):
            return False
        # websockets refuses to send most of these codes; told that one was sent, it does the rest
        # as ever.
        self.protocol.close_sent = Close(1005 if code is None else code, reason)
        self.protocol.state = State.CLOSING
        if (timeout := self.desk.limits.close_timeout) is not None:
            self._deadline = self.desk.clock.call_later(timeout, self.transport.abort)
        self._end(f"closed with {'no code' if code is None else code} {reason}".strip())
        return True

    def cut(self, words: str, *, reset: bool) -> None:
        """End TCP without a close frame: by a reset, or by a FIN and reading on to its end."""
        self._end(words)
        self.audible.clear()
        if reset:
            raw: socket.socket = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self.transport.abort()
        else:
            with suppress(OSError):  # the client may have reset it a moment ago
                self.transport.write_eof()

    def stall(self, *, pongs: bool) -> None:
        """Say nothing any more; without `pongs` hear nothing either."""
        self.muted, self._deaf = True, not pongs
        self.audible.clear()
        if self.upkeep is not None:
            self.upkeep.stop()

    def resume(self) -> bool:
        """Go on after `stall`, with what came meanwhile first; False if there was no need."""
        if not self.muted or self.ended is not None:
            return False
        self.muted = self._deaf = False
        self.audible.set()
        if self.upkeep is not None:
            self.upkeep.start()
        unheard, self._unheard = self._unheard, []
        for request in unheard:
            self._hear(request)
        held, self._held = bytes(self._held), bytearray()
        self.transport.resume_reading()
        if held:
            self.data_received(held)
        return True

    def hang_up(self) -> None:
        """The exchange stops: say so, and be gone without waiting for an answer."""
        self.write(_wire.frame(_wire.CLOSE, _wire.close_payload(1001, "")))
        self._end("the exchange stopped")
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _hear(self, request: bytes) -> None:
        if not self.muted:
            self.desk.heard(self, "JSON", request)
        elif len(self._unheard) < _HELD_REQUESTS:
            self._unheard.append(request)

    def _end(self, words: str) -> None:
        if self.ended is None:
            self.ended = words
            if self.upkeep is not None:
                self.upkeep.stop()
            self.desk.ended(self)


Act = Callable[[VenueConnection], object]
"""What is done to a connection; False: it could not be done."""

Answer = Callable[[VenueConnection, Request], Response | None]
"""What a handshake is answered with; None: as it deserves."""
