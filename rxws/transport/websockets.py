"""The default transport: websockets' own connection, pushing what it reads straight to the receiver.

Theory of operation. `websockets.asyncio.client.connect` opens the TCP connection (proxy, TLS, redirects) and drives the
handshake; its `create_connection` argument lets us stand in for its connection class. Ours overrides `process_event`,
which websockets calls with every frame from inside the read callback, so that a message is with its receiver before
that callback returns: no queue, no task. websockets' receive queue, keepalive and closing coroutine are left unused.
The parser (masks, reserved bits, lengths, control frames, UTF-8 of close reasons, extensions) is websockets' own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, cast

from reactivex import abc
from reactivex.disposable import Disposable
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidProxy, PayloadTooBig, ProtocolError as InvalidClose
from websockets.frames import Frame, Opcode
from websockets.headers import validate_subprotocols
from websockets.protocol import Event, State
from websockets.proxy import parse_proxy

from rxws.errors import (
    BufferOverflow,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    Disconnected,
    HandshakeRejected,
    MessageTooBig,
    ProtocolError,
)
from rxws.scheduler import outlasts
from rxws.transport.options import check_known
from rxws.transport.protocol import Dial, Receiver

__all__ = ["WebsocketsTransport"]

OUTBOX = 16 * 2**20

# websockets logs requests with their headers, and frames, at DEBUG: secrets. So it gets a logger of its own that says
# nothing below INFO, unless somebody asks for it by this name.
WIRE_LOG = logging.getLogger("rxws.wire")
if WIRE_LOG.level == logging.NOTSET:
    WIRE_LOG.setLevel(logging.INFO)


class WebsocketsTransport:
    """WebSockets by the package `websockets`."""

    def check(self, options: Mapping[str, object]) -> None:
        """Refuse options that `websockets` would refuse when it dials.

        Raises:
            ConfigError: it names the option.
        """
        check_known(options)
        outbox = options.get("outbox", OUTBOX)
        if not isinstance(outbox, int) or outbox < 1:
            raise ConfigError("outbox", f"{outbox!r} is out of range; take a number of bytes, 1 or more")
        if options.get("compression", "deflate") not in ("deflate", None):
            raise ConfigError("compression", f'{options["compression"]!r} is unknown; take "deflate" or None')
        if isinstance(options.get("subprotocols"), str):
            raise ConfigError("subprotocols", "a single string; take a list of strings")

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        """Begin to open a connection on the running loop."""
        options = dict(dial.options)
        connection_class = partial(PushConnection, receiver, int(cast(int, options.pop("outbox", OUTBOX))))

        async def opening() -> ClientConnection:
            return await open_websocket(
                dial.url,
                additional_headers=dial.headers,
                max_size=dial.max_size,
                open_timeout=None,
                ping_interval=None,
                close_timeout=dial.close_timeout,
                logger=WIRE_LOG,
                create_connection=cast(type[ClientConnection], connection_class),
                **cast(dict[str, Any], options),  # Any: their types are TransportOptions', which is websockets' own
            )

        def done(task: asyncio.Task[ClientConnection]) -> None:
            if task.cancelled():
                return
            error = task.exception()
            if isinstance(error, Exception):
                receiver.on_lost(failure(error, dial.url, scheduler))

        def cancel() -> None:
            task.cancel()

        task = asyncio.get_running_loop().create_task(opening(), name="rxws dial")
        task.add_done_callback(done)
        return Disposable(cancel)


def failure(error: Exception, url: str, scheduler: abc.SchedulerBase) -> Disconnected:
    """Turn what websockets or the system raised while opening into our own error, raised from it."""
    failed: ConnectionFailed
    if isinstance(error, InvalidStatus):
        response = error.response
        wait = retry_after(response.headers.get("Retry-After"), scheduler)
        failed = HandshakeRejected(url, response.status_code, wait, bytes(response.body))
    else:
        failed = ConnectionFailed(url, 1, error)
    failed.__cause__ = error
    return failed


def retry_after(header: str | None, scheduler: abc.SchedulerBase) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        date = parsedate_to_datetime(header)
        return max(0.0, (date - scheduler.now).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None


class PushConnection(ClientConnection):
    """A connection of websockets that pushes to a receiver."""

    def __init__(self, receiver: Receiver, outbox: int, protocol: ClientProtocol, **limits: Any) -> None:
        super().__init__(protocol, **limits)
        self._receiver = receiver
        self._outbox = outbox
        self._fragments: bytearray | None = None
        self._fragments_are_text = False
        self._opened = False
        self._told = False
        self._abort_timer: asyncio.TimerHandle | None = None

    def process_event(self, event: Event) -> None:
        """Push one frame; websockets calls this from its read callback."""
        if not isinstance(event, Frame):
            super().process_event(event)
            if self.protocol.handshake_exc is None:
                self._opened = True
                outlasts(self.connection_lost_waiter)
                self._receiver.on_open(OpenSocket(self, self._outbox))
            return
        opcode = event.opcode
        if event.fin and (opcode is Opcode.TEXT or opcode is Opcode.BINARY):
            self._receiver.on_message(_bytes(event.data), opcode is Opcode.TEXT)
        elif opcode is Opcode.PONG:
            self._receiver.on_pong(_bytes(event.data))
        elif opcode is Opcode.CONT or not event.fin:
            self._gather(event)

    def _gather(self, frame: Frame) -> None:
        # The parser has checked the order of fragments and their size in all.
        if self._fragments is None:
            self._fragments = bytearray()
            self._fragments_are_text = frame.opcode is Opcode.TEXT
        self._fragments += frame.data
        if frame.fin:
            whole, self._fragments = bytes(self._fragments), None
            self._receiver.on_message(whole, self._fragments_are_text)

    def data_received(self, data: bytes) -> None:
        """Read; what has arrived is with the receiver when this returns."""
        if self._opened:
            self._receiver.on_read()
        super().data_received(data)
        if self._opened and self.protocol.state is not State.OPEN:
            self._ended()
        elif self.transport.get_write_buffer_size() > 2 * self._outbox:
            # Only the answers to pings are written without asking whether there is room.
            self.set_connection_exc(OSError("the server sends pings and does not read the pongs"))
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if exc is not None:
            self._read_the_rest()
        super().connection_lost(exc)
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        if self._opened:
            self._ended()
            self._receiver.on_gone()

    def _read_the_rest(self) -> None:
        # A write that fails (the server has closed) makes asyncio drop what the kernel still holds unread. The server
        # wrote it before the end, so it is handed on. Over TLS it cannot be read from here.
        raw = self.transport.get_extra_info("socket")
        if raw is None or self.transport.get_extra_info("sslcontext") or not self._opened:
            return
        try:
            with raw.dup() as rest:
                while self.protocol.state is State.OPEN and (data := rest.recv(2**16)):
                    self._receiver.on_read()
                    self.protocol.receive_data(data)
                    for event in self.protocol.events_received():
                        self.process_event(event)
        except OSError:
            return

    def _ended(self) -> None:
        if not self._told:
            self._told = True
            self.finish()
            self._receiver.on_lost(self._loss())

    def finish(self) -> None:
        """Give the server `close_timeout` to close the TCP connection (RFC 6455, section 7.1.1), then abort it."""
        if self.close_timeout is not None and self._abort_timer is None and self.protocol.state is State.CLOSING:
            self._abort_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def _loss(self) -> Disconnected:
        protocol = self.protocol
        cause: BaseException | None = protocol.parser_exc
        error: Disconnected
        if isinstance(cause, PayloadTooBig):
            error = MessageTooBig(protocol.max_message_size)
        elif protocol.close_rcvd is not None and (cause is None or isinstance(cause, EOFError)):
            return ConnectionClosed(protocol.close_rcvd.code, protocol.close_rcvd.reason)
        elif cause is None or isinstance(cause, EOFError):
            error = ConnectionClosed(1006)
            cause = self.connection_exc or cause
        else:
            sent = protocol.close_sent
            error = ProtocolError(str(cause), sent.code if sent else 1002)
        error.__cause__ = cause
        return error


class OpenSocket:
    """What the receiver may do with an open connection."""

    def __init__(self, connection: PushConnection, outbox: int) -> None:
        self._connection = connection
        self._outbox = outbox
        self._dropped = 0

    @property
    def subprotocol(self) -> str | None:
        return self._connection.protocol.subprotocol

    def send(self, payload: bytes, is_text: bool) -> None:
        protocol = self._connection.protocol
        if protocol.state is not State.OPEN:
            raise ConnectionClosed(1006)
        waiting = self._connection.transport.get_write_buffer_size()
        if waiting and waiting + len(payload) > self._outbox:
            self._dropped += 1
            raise BufferOverflow(self._outbox, self._dropped)
        (protocol.send_text if is_text else protocol.send_binary)(payload)
        self._connection.send_data()

    def ping(self, payload: bytes) -> None:
        if self._connection.protocol.state is State.OPEN:
            self._connection.protocol.send_ping(payload)
            self._connection.send_data()

    def close(self, code: int, reason: str) -> None:
        if self._connection.protocol.state is State.OPEN:
            self._connection.protocol.send_close(code, reason)
            self._connection.send_data()
        self._connection.finish()

    def abort(self) -> None:
        self._connection.transport.abort()


def _bytes(data: bytes | bytearray | memoryview) -> bytes:
    return data if type(data) is bytes else bytes(data)
