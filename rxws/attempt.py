"""One attempt at a connection, from the dial to its end: the receiver of the transport, and the Connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.arguments import check_close
from rxws.bounds import Bounds
from rxws.errors import (
    ConnectionClosed,
    ConnectTimeout,
    Disconnected,
    Killed,
    ProtocolError,
)
from rxws.events import DisconnectReason
from rxws.inbox import Inbox
from rxws.keepalive import Keepalive
from rxws.outbox import Outbox
from rxws.redaction import masked
from rxws.scheduler import RAISED, clock, report
from rxws.transport import Dial, Socket, Transport
from rxws.types import LIST, Connection, Entry, ListSink, Logbook, Message, Payload, Sink
from rxws.watchman import BLOCKED

__all__ = ["Attempt"]

PROBE = 5.0
"""Seconds in which a probe is answered, or the connection is lost."""


class Attempt(abc.DisposableBase):
    """A connection in the making, then the open connection, then its end; it happens once.

    Args:
        observer: gets the open connection, and its error.
        scheduler: whose time.
        transport: opens the socket.
        limits: timeouts and sizes.
        logbook: keeps the journal of it.
        lost: told of the error that it ends by, before anybody else.
    """

    def __init__(
        self,
        observer: abc.ObserverBase[Connection],
        scheduler: abc.SchedulerBase,
        transport: Transport,
        limits: Bounds,
        logbook: Logbook,
        lost: Callable[[Exception], None],
    ) -> None:
        self._lost = lost
        self.journal = logbook.attempt(self.fail)
        self.open_timeout = limits.open_timeout
        self.generation = 0
        self.url = ""
        self.reads = 0
        self.opened_time = 0.0
        self._began: float | None = None
        self._held = False
        self.end_reason: DisconnectReason | None = None
        self._observer = observer
        self._scheduler = scheduler
        self._clock = clock(scheduler)
        self._transport = transport
        self._limits = limits
        self._timer = SerialDisposable()
        self._dial = SerialDisposable()
        self._socket: Socket | None = None
        self._keepalive: Keepalive | None = None
        self._outbox = Outbox(limits.send_limit, lambda: self.journal.dropped("outbox"), scheduler)
        self._paused, self._resumed_time = False, 0.0
        self._on_end: list[Callable[[], None]] = []
        self._on_read: list[Callable[[float], None]] = []
        self._inbox = Inbox(
            lambda action: scheduler.schedule(lambda *_: self._hand_on(action)),
            self.journal,
            self._crashed,
            self.fail,
            lambda: self.journal.live(self),
            self._enter,
        )

    # The dial

    def begin(self, url: str) -> None:
        """Tell the journal that an attempt begins, and start its clock; `dial` follows."""
        self.url = masked(url)
        self._began = self._clock()
        self.generation = self.journal.connecting(url)
        self.run_clock()

    def run_clock(self) -> None:
        """Count the seconds in which it has to open; those in which it was held do not count, it begins anew."""
        if self._held:
            self._held, self._began = False, self._clock()
        elif self._timer.disposable:
            return
        if self.open_timeout is not None:
            timeout = ConnectTimeout("open", self.open_timeout)
            self._timer.disposable = self._scheduler.schedule_relative(self.open_timeout, lambda *_: self.fail(timeout))

    def hold_clock(self) -> None:
        """Do not count the time in which it waits for its turn."""
        self._held = True
        self._timer.disposable = Disposable()

    def dial(self, url: str, headers: Mapping[str, str]) -> None:
        """Ask the transport for a socket."""
        limits = self._limits
        self.url = masked(url)
        if self.end_reason is None:
            self._dial.disposable = self._transport.open(
                Dial(url, headers, limits.max_size, limits.close_timeout, limits.options),
                self,
                self._scheduler,
            )

    # What the transport tells

    def on_open(self, socket: Socket) -> None:
        if self.end_reason is not None:
            socket.abort()
            return
        self._timer.dispose()
        self._socket = socket
        self._outbox.open(socket)
        self.opened_time = self._resumed_time = self._clock()
        self._inbox.begin_read(self.opened_time)
        self._keepalive = Keepalive(
            self._limits.ping_interval,
            self._limits.ping_timeout,
            self._ping,
            lambda: self.reads,
            self.fail,
            self._scheduler,
        )
        self.journal.opened(self)
        try:
            self._observer.on_next(self)
        except RAISED as error:
            self._crashed(error)

    def on_read(self) -> None:
        self.reads += 1
        now = self._clock()
        self._inbox.begin_read(now)
        for action in self._on_read:
            action(now)

    def on_read_over(self) -> None:
        self._inbox.end_read()
        if self._socket is not None:  # else the handshake's answer came after the end
            self._handed_on(self._inbox.read_time)

    def on_ping(self) -> None:
        self._outbox.answered()

    def on_pong(self, payload: bytes) -> None:
        if self._keepalive is not None:
            self._keepalive.on_pong(payload)

    def on_lost(self, error: Disconnected) -> None:
        self._inbox.drain()
        if self._end(error):
            self._tell(error)

    def on_gone(self) -> None:
        self.journal.gone()

    def _enter(self, entry: Sink) -> None:
        self.on_message = entry  # asked for with each message, and so as cheap as can be

    # What a Connection offers

    @property
    def is_data(self) -> Callable[[bytes], object] | None:
        return self._inbox.is_data

    @is_data.setter
    def is_data(self, predicate: Callable[[bytes], object] | None) -> None:
        self._inbox.is_data = predicate

    @property
    def messages(self) -> Observable[Message]:
        return self._inbox.messages

    @property
    def subprotocol(self) -> str | None:
        return None if self._socket is None else self._socket.subprotocol

    @property
    def latency(self) -> float | None:
        return None if self._keepalive is None else self._keepalive.latency

    @property
    def last_message_time(self) -> float | None:
        return self._inbox.last_message_time

    @property
    def last_data_time(self) -> float:
        inbox = self._inbox
        last = inbox.last_message_time if inbox.is_data is None else inbox.last_data_time
        return self.reading_since if last is None else max(self.reading_since, last)

    @property
    def reading_since(self) -> float:
        return self._clock() if self._paused else self._resumed_time

    @property
    def messages_received(self) -> int:
        return self._inbox.messages_received

    @property
    def bytes_received(self) -> int:
        return self._inbox.bytes_received

    @property
    def messages_sent(self) -> int:
        return self._outbox.messages_sent

    @property
    def bytes_sent(self) -> int:
        return self._outbox.bytes_sent

    @property
    def dial_time(self) -> float:
        """Seconds from the dial to the open connection."""
        return 0.0 if self._began is None else self.opened_time - self._began

    def send(self, message: Payload, *, unsent: Callable[[], None] | None = None) -> None:
        if self._socket is None or self.end_reason is not None:
            raise ConnectionClosed(1006)
        self._outbox.send(message, unsent)

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        self._outbox.when_sent(action, lost or _nothing)

    def attach(self, sink: Sink, entry: Entry | None = None) -> None:
        self._inbox.attach(sink, entry)

    def attach_lists(self, sink: ListSink, most: int = LIST) -> None:
        self._inbox.attach_lists(sink, most)

    def hold(self) -> None:
        self._inbox.hold()

    def release(self) -> None:
        self._inbox.release()

    def pause(self) -> None:
        if self._socket is not None and self.end_reason is None and not self._paused:
            self._paused = True
            self._socket.pause()
            if self._keepalive is not None:
                self._keepalive.pause()

    def resume(self) -> None:
        if self._socket is not None and self._paused:
            self._paused, self._resumed_time = False, self._clock()
            if self.end_reason is None:
                if self._keepalive is not None:
                    self._keepalive.resume()
                self._socket.resume()

    def probe(self) -> None:
        if self._keepalive is not None and self.end_reason is None:
            self._keepalive.probe(PROBE)

    def on_end(self, action: Callable[[], None]) -> None:
        self._on_end.append(action)

    def watch_reads(self, action: Callable[[float], None]) -> None:
        self._on_read.append(action)

    def fail(self, error: Exception) -> None:
        if self._end(error):
            if isinstance(error, Killed) and self._socket is not None:
                self._socket.abort()
            else:
                self._close_socket(*_farewell(error))
            self._tell(error)

    def close(self, code: int = 1000, reason: str = "") -> None:
        check_close(code, reason)
        if self._end(None):
            self._close_socket(code, reason)
            self._observer.on_completed()

    def abort(self) -> None:
        ended = self._end(None)
        if self._socket is not None:
            self._socket.abort()  # also one that is being closed
        if ended:
            self._observer.on_completed()

    def dispose(self) -> None:
        """End it without a word to the observer."""
        if self._began is None:
            self.end_reason = DisconnectReason.USER_REQUESTED
        elif self._end(None):
            self._close_socket(1000, "")

    def _ping(self, payload: bytes) -> None:
        assert self._keepalive is not None
        self._outbox.ping(payload, self._keepalive.left)

    def _hand_on(self, held: Callable[[], None]) -> None:
        began = self._clock()
        held()
        self._handed_on(began)

    def _handed_on(self, began: float) -> None:
        took = self._clock() - began
        if took >= BLOCKED:
            self.journal.slow(took)

    # The end

    def _end(self, error: Exception | None) -> bool:
        if self.end_reason is not None:
            return False
        opened = self._socket is not None
        uptime = self._clock() - self.opened_time if opened else 0.0
        if isinstance(error, Disconnected):
            error.uptime = uptime
        # Taken before anything is told: whoever is told may ask, and may dispose.
        self.end_reason = DisconnectReason.USER_REQUESTED
        self._timer.dispose()
        self._dial.dispose()
        if self._keepalive is not None:
            self._keepalive.dispose()
        if error is not None:
            self._lost(error)
            self._inbox.forsake()
        if waited := self._outbox.end():
            self.journal.dropped("outbox", waited)
        self.end_reason = self.journal.closed(error, uptime, opened)
        for action in self._on_end:
            action()
        self._inbox.end(error)
        return True

    def _close_socket(self, code: int, reason: str) -> None:
        if self._socket is not None:
            self._socket.close(code, reason)

    def _tell(self, error: Exception) -> None:
        # An OSError of the subscriber's that came to asyncio's read callback would be taken for one of the socket.
        try:
            self._observer.on_error(error)
        except RAISED as raised:
            report(raised, self._scheduler)

    def _crashed(self, error: BaseException) -> None:
        # The journal first: it disposes all of the subscription, so that who raised is told nothing more.
        try:
            seen_to = self.journal.crashed(error)
        finally:
            if self._end(None):
                self._close_socket(1000, "")
        if not seen_to:
            report(error, self._scheduler)


def _nothing() -> None:
    pass


def _farewell(error: Exception) -> tuple[int, str]:
    """The close code for the server (RFC 6455, section 7.4.1), by the error that ends the connection."""
    return (error.code, "") if isinstance(error, ProtocolError) else (1000, "")
