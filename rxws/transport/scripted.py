"""A transport without a socket: it plays a script in its scheduler's time, also a virtual one. For tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from reactivex import abc
from reactivex.disposable import CompositeDisposable, Disposable

from rxws.errors import ConfigError, ConnectionClosed, ConnectionFailed, Disconnected
from rxws.scheduler import clock
from rxws.transport.options import check_known
from rxws.transport.protocol import Dial, Receiver

__all__ = ["Attempt", "Dialed", "ScriptedTransport"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What happens to one connection; times are seconds after its dial.

    Args:
        opens: when the handshake is done; None: never (it hangs, or `lost` refuses it).
        messages: when which message comes; `str` as text, `bytes` as binary; a list of them comes in one read.
        pings: when a ping of the server comes, which is answered.
        lost: when the connection ends, and by which error; None: it stays.
        pongs: whether pings are answered, at once.
        closing: seconds until our close is answered; None: it never is. After `close_timeout` the socket is aborted.

    Raises:
        ConfigError: a message comes before the connection is open.
    """

    opens: float | None = 0.0
    messages: Sequence[tuple[float, str | bytes | Sequence[str | bytes]]] = ()
    lost: tuple[float, Disconnected] | None = None
    pongs: bool = True
    pings: Sequence[float] = ()
    closing: float | None = 0.0

    def __post_init__(self) -> None:
        for at, _ in self.messages:
            if self.opens is None or at < self.opens:
                when = "never opens" if self.opens is None else f"opens at {self.opens:g} s"
                raise ConfigError("messages", f"one comes at {at:g} s, and the connection {when}; let it come later")

    @classmethod
    def refused(cls, after: float = 0.0, error: Disconnected | None = None) -> Attempt:
        """Nobody listens; or `error`, for example a `HandshakeRejected`."""
        return cls(opens=None, lost=(after, error or ConnectionFailed("ws://scripted")))

    @classmethod
    def closes(cls, after: float, code: int = 1006, reason: str = "") -> Attempt:
        """It opens at once, and is closed `after` seconds."""
        return cls(lost=(after, ConnectionClosed(code, reason)))


@dataclass(slots=True)
class Dialed:
    """What was asked of one connection."""

    at: float
    url: str
    headers: Mapping[str, str]
    sent: list[str | bytes] = field(default_factory=list)
    pings: int = 0
    opened: bool = False
    ended: bool = False
    close_code: int | None = None


class ScriptedTransport:
    """Plays one `Attempt` a dial, the last one again and again; what was asked stands in `dials`.

    In place of an `Attempt` there may be a function that returns one for the time of the dial: what a connection gets
    of a feed that goes on without it.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import ws_observable
    >>> virtual, transport, seen = TestScheduler(), ScriptedTransport(Attempt(messages=[(1.0, '"hello"')])), []
    >>> _ = ws_observable("ws://scripted", transport=transport).subscribe(seen.append, scheduler=virtual)
    >>> virtual.advance_to(5.0)
    >>> seen, len(transport.dials), transport.live
    (['hello'], 1, 1)
    """

    def __init__(self, *attempts: Attempt | Callable[[float], Attempt]) -> None:
        self._attempts = attempts or (Attempt(),)
        self.dials: list[Dialed] = []
        self.most_live = 0
        """How many connections were open, or being opened or closed, at once."""

    @property
    def live(self) -> int:
        """How many connections are open, or being opened or closed."""
        return sum(not dialed.ended for dialed in self.dials)

    def check(self, options: Mapping[str, object]) -> None:
        """Refuse unknown options."""
        check_known(options)

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        """Begin to play the next attempt."""
        dialed = Dialed(clock(scheduler)(), dial.url, dial.headers)
        attempt = self._attempts[min(len(self.dials), len(self._attempts) - 1)]
        self.dials.append(dialed)
        self.most_live = max(self.most_live, self.live)
        if not isinstance(attempt, Attempt):
            attempt = attempt(dialed.at)
        socket = ScriptedSocket(attempt, dialed, receiver, scheduler, dial.close_timeout)
        socket.play()
        return Disposable(socket.break_off)


class ScriptedSocket:
    """One connection of a script."""

    def __init__(
        self,
        attempt: Attempt,
        dialed: Dialed,
        receiver: Receiver,
        scheduler: abc.SchedulerBase,
        close_timeout: float | None,
    ) -> None:
        self._attempt = attempt
        self._closing = min((each for each in (attempt.closing, close_timeout) if each is not None), default=None)
        self._dialed = dialed
        self._receiver = receiver
        self._scheduler = scheduler
        self._timers = CompositeDisposable()
        self._paused = False
        self._unread: deque[Callable[[], None]] = deque()
        self.subprotocol: str | None = None

    def play(self) -> None:
        """Schedule all that the script says."""
        attempt = self._attempt
        if attempt.opens is not None:
            self._at(attempt.opens, self._open)
        for at, message in attempt.messages:
            self._at(at, partial(self._arrives, partial(self._push, message)))
        for at in attempt.pings:
            self._at(at, partial(self._arrives, self._receiver.on_ping))
        if attempt.lost is not None:
            self._at(attempt.lost[0], partial(self._arrives, self._lose))

    def break_off(self) -> None:
        """End what has not opened yet."""
        if not self._dialed.opened:
            self._end()

    def send(self, payload: bytes, is_text: bool) -> None:
        if self._dialed.ended:
            raise ConnectionClosed(1006)
        self._dialed.sent.append(payload.decode() if is_text else payload)

    def ping(self, payload: bytes) -> None:
        if self._dialed.ended:
            return
        self._dialed.pings += 1
        if self._attempt.pongs:
            self._at(0.0, partial(self._arrives, lambda: self._receiver.on_pong(payload)))

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._at(0.0, self._read)

    def close(self, code: int, reason: str) -> None:
        if self._dialed.ended or self._dialed.close_code is not None:
            return
        self._dialed.close_code = code
        if self._closing == 0.0:
            self._gone()
        elif self._closing is not None:
            self._at(self._closing, self._gone)

    def abort(self) -> None:
        self._gone()

    def _open(self) -> None:
        self._dialed.opened = True
        self._receiver.on_open(self)

    def _arrives(self, what: Callable[[], None]) -> None:
        self._unread.append(what)
        self._read()

    def _read(self) -> None:
        while self._unread and not self._paused:
            self._unread.popleft()()

    def _push(self, read: str | bytes | Sequence[str | bytes]) -> None:
        self._receiver.on_read()
        for message in [read] if isinstance(read, str | bytes) else read:
            if isinstance(message, str):
                self._receiver.on_message(message.encode(), True)
            else:
                self._receiver.on_message(message, False)
        self._receiver.on_read_over()

    def _lose(self) -> None:
        assert self._attempt.lost is not None
        if self._dialed.close_code is not None:  # we have left: all that is told is that it is gone
            self._gone()
            return
        was_open = self._dialed.opened
        self._end()
        self._receiver.on_lost(self._attempt.lost[1])
        if was_open:
            self._receiver.on_gone()

    def _gone(self) -> None:
        if not self._dialed.ended:
            self._end()
            self._receiver.on_gone()

    def _end(self) -> None:
        self._dialed.ended = True
        self._unread.clear()
        self._timers.dispose()

    def _at(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.add(self._scheduler.schedule_relative(seconds, lambda *_: action()))
