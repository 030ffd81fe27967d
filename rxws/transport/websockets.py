"""The default transport: websockets' own connection, pushing what it reads straight to the receiver.

Theory of operation. `websockets.asyncio.client.connect` opens the TCP connection (proxy, TLS, redirects) and drives the
handshake; its `create_connection` argument lets us stand in for its connection class. Ours replaces `process_event`,
which websockets calls with every frame from inside the read callback, so that a message is with its receiver before
that callback returns: no queue, no task. websockets' receive queue, keepalive and closing coroutine are left unused.
The parser (masks, reserved bits, lengths, control frames, UTF-8 of close reasons, extensions) is websockets' own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from reactivex import abc
from reactivex.disposable import Disposable
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from rxws.errors import Disconnected
from rxws.scheduler import outlasts
from rxws.transport._dialing import OUTBOX, arguments, check, failure, wire_log
from rxws.transport._ending import address, loss
from rxws.transport._refusal import ANSWER, BODY_GRACE, HEAD_END, UPGRADED, refusal
from rxws.transport._socket import OpenSocket
from rxws.transport.protocol import Dial, Receiver

__all__ = ["PushConnection", "WebsocketsTransport"]


class WebsocketsTransport:
    """WebSockets by the package `websockets`."""

    def check(self, options: Mapping[str, object]) -> None:
        """Refuse options that `websockets` would refuse when it dials.

        Raises:
            ConfigError: it names the option.
        """
        check(options)

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        """Begin to open a connection on the running loop; disposing leaves what has opened alone."""
        made: list[PushConnection] = []

        def connection(protocol: ClientProtocol, **limits: Any) -> PushConnection:  # Any: websockets' own
            made.append(self._connection()(receiver, dial, protocol, **limits))
            return made[-1]

        async def opening() -> Disconnected | None:
            try:
                await open_websocket(
                    dial.url,
                    additional_headers=dial.headers,
                    max_size=dial.max_size,
                    open_timeout=None,
                    ping_interval=None,
                    close_timeout=dial.close_timeout,
                    logger=wire_log(),
                    create_connection=cast(type[ClientConnection], connection),
                    **arguments(self._options(dial)),
                )
            except Exception as error:
                # Not raised: in its debug mode asyncio logs what a slow task has raised, with all of the answer in it.
                return failure(error, dial, [address(each.protocol) for each in made], scheduler)
            return None

        def done(task: asyncio.Task[Disconnected | None]) -> None:
            failed = None if task.cancelled() else task.result()
            if failed is not None:
                receiver.on_lost(failed)

        def cancel() -> None:
            # The task ends a turn after the handshake; cancelled in between, it would abort the open connection.
            if not (made and made[-1].opened):
                task.cancel()
                outlasts(task)

        task = asyncio.get_running_loop().create_task(opening(), name="rxws dial")
        task.add_done_callback(done)
        return Disposable(cancel)

    def _connection(self) -> type[PushConnection]:
        return PushConnection

    def _options(self, dial: Dial) -> Mapping[str, object]:
        return dial.options


class PushConnection(ClientConnection):
    """A connection of websockets that pushes to a receiver."""

    def __init__(self, receiver: Receiver, dial: Dial, protocol: ClientProtocol, **limits: Any) -> None:
        super().__init__(protocol, **limits)
        self.opened = False
        self._receiver = receiver
        self._dial = dial
        self._outbox = cast(int, dial.options.get("outbox") or OUTBOX)
        self._fragments: bytearray | None = None
        self._fragments_are_text = False
        self._lost = False
        self._left = False
        self._gone = False
        self._answer = bytearray()
        self._refusal: InvalidStatus | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    def process_event(self, event: Event) -> None:
        """Take the answer to the handshake; websockets calls this from its read callback, and then for each frame."""
        if self._refusal is not None:
            return  # told by its status before; now its body has come to an end too
        super().process_event(event)
        if self.protocol.handshake_exc is None:
            self.opened = True
            vars(self)["process_event"] = self._pushing()  # found before this method: no call in between
            self._receiver.on_open(OpenSocket(self, self._outbox))

    def _pushing(self) -> Callable[[Event], None]:
        """Return the way of a frame: of all that is here, only this is called for it."""
        receiver = self._receiver
        text, binary = Opcode.TEXT, Opcode.BINARY  # a name of an Enum costs more than what is done with it

        def push(event: Event) -> None:
            assert isinstance(event, Frame)
            opcode = event.opcode
            if event.fin and (opcode is text or opcode is binary):
                data, take = event.data, receiver.on_message  # an attribute that is called is looked up as a method
                take(data if type(data) is bytes else bytes(data), opcode is text)
            elif opcode is Opcode.PONG:
                receiver.on_pong(bytes(event.data))
            elif opcode is Opcode.PING:
                receiver.on_ping()
            elif opcode is Opcode.CONT or not event.fin:
                self._gather(event)

        return push

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
        if self.opened and not self._lost:
            self._receiver.on_read()
        super().data_received(data if self.opened else self._of_answer(data))
        self._read_over()

    def _read_over(self) -> None:
        if self.opened and not self._lost:
            self._receiver.on_read_over()
        if self.opened and self.protocol.state is not State.OPEN:
            self._ended()
        elif self.response is None:
            self._await_answer()
        elif self.transport.get_write_buffer_size() > 2 * self._outbox:
            # Only the answers to pings are written without asking whether there is room.
            self.set_connection_exc(OSError("the server sends pings and does not read the pongs"))
            self.transport.abort()

    def send_data(self) -> None:
        """Write in one piece: asyncio logs each write to a socket that has failed, a flood of pongs by the thousand."""
        if self.protocol.state is State.OPEN:  # and so there is no end of the stream among it
            self.transport.write(b"".join(self.protocol.data_to_send()))
        else:
            super().send_data()

    def _of_answer(self, data: bytes) -> bytes:
        # Of what is no upgrade the beginning is read: websockets' work on a body in chunks grows with its square.
        room = ANSWER - len(self._answer)
        self._answer += data[:room]
        return data if self._answer.startswith(UPGRADED) else data[:room]

    def _await_answer(self) -> None:
        # A refusal is told by its status: a body that hangs must not make it a timeout, which is tried again.
        if self.protocol.handshake_exc is not None:
            self._refused()
            self.transport.abort()  # websockets would wait for the server to end TCP
        elif len(self._answer) >= ANSWER:
            self._refused()
        elif self._body_timer is None and HEAD_END in self._answer:
            self._body_timer = self.loop.call_later(BODY_GRACE, self._refused)

    def _refused(self) -> None:
        # Also where the rest of the answer is wrong, by its length or its size: its status still says what it means.
        if self.response is None and (response := refusal(bytes(self._answer))) is not None:
            self.response = response
            self._refusal = InvalidStatus(response)
            self.response_rcvd.set_result(None)
        if self._refusal is not None:  # an end of the stream meanwhile has put an error of its own there
            self.protocol.handshake_exc = self._refusal

    def eof_received(self) -> None:
        """The server has closed its half; it is not waited for while it takes nothing of what is still to be sent."""
        super().eof_received()
        if self.opened:
            self._ended()
        elif self._refusal is not None:
            self._refused()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if exc is not None:
            self._read_the_rest()
        super().connection_lost(exc)
        self._gone = True
        if self._body_timer is not None:
            self._body_timer.cancel()
        if self.opened:
            self._ended()
            self._receiver.on_gone()
        else:
            self._refused()

    def _read_the_rest(self) -> None:
        # A write that fails (the server has closed) makes asyncio drop what the kernel still holds unread. The server
        # wrote it before the end, so it is handed on. Over TLS it cannot be read from here.
        if self.protocol.state is not State.OPEN or self.transport.get_extra_info("sslcontext"):
            return
        if data := _unread(self.transport):
            self._receiver.on_read()
            self._take(data)

    def _take(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            self.process_event(event)

    def _ended(self) -> None:
        if not (self._lost or self._left):
            self._lost = True
            self.finish()
            self._receiver.on_lost(loss(self.protocol, self._dial, self.connection_exc))

    def leave(self) -> None:
        """It is ended by us from here on, and not lost."""
        self._left = True

    def finish(self) -> None:
        """Give the server `close_timeout` to close the TCP connection (RFC 6455, section 7.1.1), then abort it."""
        if self._closing is None and not self._gone:
            self.transport.resume_reading()  # or the answer to our close frame would not be read
            deadline = None if self.close_timeout is None else self.loop.time() + self.close_timeout
            self._closing = self.loop.create_task(self._close_behind(deadline), name="rxws close")
            outlasts(self._closing)

    async def _close_behind(self, deadline: float | None) -> None:
        # A task, not a timer: a loop that ends cancels its tasks, and then the socket must not stay open.
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.shield(self.connection_lost_waiter)
        except (TimeoutError, asyncio.CancelledError):
            self.transport.abort()
            await asyncio.shield(self.connection_lost_waiter)


def _unread(transport: asyncio.BaseTransport) -> bytes:
    data = bytearray()
    try:
        with transport.get_extra_info("socket").dup() as rest:
            while more := rest.recv(2**16):
                data += more
    except OSError:  # there is nothing more, or the socket is broken
        pass
    return bytes(data)
