"""Every error of rxws, and the one table that says what an error means.

::

    RxwsError
    ├── Disconnected                    an attempt at a connection ended; carries `uptime`
    │   ├── ConnectionFailed            it never opened, or its opening script failed
    │   │   └── HandshakeRejected       the server answered with an HTTP status
    │   ├── ConnectTimeout              opening took too long
    │   ├── ConnectionClosed            the server closed it, or the network dropped it
    │   │   ├── Killed                  we cut it by hand, as if the network had
    │   │   └── NotConnected            there is none now: the client is closed, or waits
    │   ├── PingTimeout                 a pong did not come
    │   ├── IdleTimeout                 no data came
    │   └── ProtocolError               what came is not WebSocket (RFC 6455)
    │       └── MessageTooBig           a message is larger than our own `max_size`
    ├── DecodeError                     a message could not be decoded
    ├── SubscriptionRejected            the venue refused a topic
    ├── SubscriptionTimeout             a topic brought neither an answer nor data in time
    ├── BrokenBook                      an order book is not the venue's any more
    │   ├── SequenceGap                 messages of it are missing
    │   └── ChecksumMismatch            its checksum is not what the venue says
    ├── BufferOverflow                  a bounded buffer is full
    ├── RetriesExhausted                the policy gave up
    ├── WrongShape                      a value cannot be shown: a field is missing, or is no number
    └── ConfigError                     an argument is wrong

Only a `Disconnected` is ever retried. Fields are for programs, `str()` is for people, and neither holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rxws.redaction import escaped, masked, masked_echo, masked_text

__all__ = [
    "TABLE",
    "BrokenBook",
    "BufferOverflow",
    "ChecksumMismatch",
    "ConfigError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionFailed",
    "DecodeError",
    "Disconnected",
    "Fatal",
    "HandshakeRejected",
    "IdleTimeout",
    "Killed",
    "MessageTooBig",
    "NotConnected",
    "PingTimeout",
    "ProtocolError",
    "Refresh",
    "RetriesExhausted",
    "Retry",
    "RetryAfter",
    "RxwsError",
    "SequenceGap",
    "SubscriptionRejected",
    "SubscriptionTimeout",
    "Table",
    "Verdict",
    "WrongShape",
    "verdict",
]


class RxwsError(Exception):
    """The root of all errors of rxws."""


class Disconnected(RxwsError):
    """An attempt at a connection ended on us.

    `uptime` is how long the connection had been open, in seconds; 0.0 where it never opened.
    """

    uptime: float = 0.0


class ConnectionFailed(Disconnected):
    """No connection could be made: refused, unreachable, broken off, or its opening script failed.

    Args:
        url: where to; its secrets are masked here.
        attempts: how many attempts in a row have failed, this one included.
        last_error: what the system or the caller's code raised; None where nobody raised.
        script: the argument that it comes from: "url", "headers", "on_open", "subscriptions"; else empty.
    """

    def __init__(self, url: str, attempts: int = 1, last_error: BaseException | None = None, script: str = "") -> None:
        self.url = masked(url)
        super().__init__(self.url, attempts, last_error, script)
        self.attempts = attempts
        self.last_error = last_error
        self.script = script

    def __str__(self) -> str:
        by = f"{self.script}: " if self.script else ""
        why = f": {by}{_sentence(self.last_error)}" if self.last_error else ""
        return f"no connection to {self.url} (attempt {self.attempts} in a row){why}"

    def __repr__(self) -> str:
        # Not the arguments: `last_error` is not ours, and may show a URL with its secrets.
        return f"{type(self).__name__}({str(self)!r})"


class HandshakeRejected(ConnectionFailed):
    """The server answered the opening handshake with an HTTP status (RFC 6455, section 4.2.2).

    Args:
        url: where to; its secrets are masked here.
        status: the HTTP status code.
        retry_after: the Retry-After header in seconds; None where there was none.
        body: the beginning of the answer's body, at most 512 bytes; secrets of the URL are masked here too.
        attempts: how many attempts in a row have failed, this one included.
    """

    def __init__(
        self,
        url: str,
        status: int,
        retry_after: float | None = None,
        body: bytes = b"",
        attempts: int = 1,
    ) -> None:
        super().__init__(url, attempts)
        self.status = status
        self.retry_after = retry_after
        self.body = masked_echo(body, url)[:512]
        self.args = (self.url, status, retry_after, self.body, attempts)

    def __str__(self) -> str:
        wait = "" if self.retry_after is None else f", try again after {self.retry_after:g} s"
        text = self.body.decode("utf-8", "replace").strip()
        said = f": {text[:200]!r}" if text else ""
        return f"{self.url} refused the handshake with HTTP {self.status}{wait}{said}"


class ConnectTimeout(Disconnected):
    """`operation` took longer than `timeout` seconds: "open", "on_open", "rotate", "request", "receive"."""

    def __init__(self, operation: str, timeout: float) -> None:
        super().__init__(operation, timeout)
        self.operation = operation
        self.timeout = timeout

    def __str__(self) -> str:
        return f"{self.operation} took longer than {self.timeout:g} s"


class ConnectionClosed(Disconnected):
    """The connection ended without our asking.

    Args:
        code: the close code (RFC 6455, section 7.4); 1006 where no close frame came.
        reason: the server's words as they came. They are not ours: neither `str` nor `repr` shows them; the logger
            "rxws" does at DEBUG, escaped.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        if self.code == 1006:
            cause = f": {_sentence(self.__cause__)}" if self.__cause__ else ""
            return f"the connection dropped without a close frame (1006){cause}"
        return f"the server closed the connection with code {self.code}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code})"


class Killed(ConnectionClosed):
    """The connection was cut by hand, as if the network had dropped it."""

    def __init__(self) -> None:
        super().__init__(1006)
        self.args = ()

    def __str__(self) -> str:
        return "the connection was cut by hand"


class NotConnected(ConnectionClosed):
    """There is no connection for what was asked: it is closed by hand, away by plan, or not back yet."""

    def __init__(self) -> None:
        super().__init__(1006)
        self.args = ()

    def __str__(self) -> str:
        return "there is no connection now; await connect() or wait_connected(), or hold what is sent (unsent)"


class PingTimeout(Disconnected):
    """No pong came within `timeout` seconds of a ping."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout)
        self.timeout = timeout

    def __str__(self) -> str:
        return f"no pong within {self.timeout:g} s"


class IdleTimeout(Disconnected):
    """No data came for `timeout` seconds."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout)
        self.timeout = timeout

    def __str__(self) -> str:
        return f"no data for {self.timeout:g} s"


class ProtocolError(Disconnected):
    """What came is not WebSocket; `code` is the close code that we answered with (RFC 6455, section 7.4.1)."""

    def __init__(self, message: str, code: int = 1002) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} (we closed with code {self.code})"


class MessageTooBig(ProtocolError):
    """A message was larger than `max_size` bytes, our own limit."""

    def __init__(self, max_size: int | None) -> None:
        limit = "its limit" if max_size is None else f"max_size={max_size} bytes"
        super().__init__(f"a message is larger than {limit}; raise max_size, or None for no limit", 1009)
        self.args = (max_size,)
        self.max_size = max_size


class DecodeError(RxwsError):
    """A message could not be decoded.

    Args:
        frame: that message as it came; `str` and `repr` show its beginning, escaped.
        problem: what the decoder said, which may be the message's own words: escaped and cut off here.
    """

    def __init__(self, frame: str | bytes, problem: str = "") -> None:
        self.problem = escaped(masked_text(problem))
        super().__init__(frame, self.problem)
        self.frame = frame

    def __str__(self) -> str:
        why = f" ({self.problem})" if self.problem else ""
        return f"cannot decode a message of {len(self.frame)} {_unit(self.frame)}{why}: {self.frame[:80]!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class SubscriptionRejected(RxwsError):
    """The venue refused `topic`; `reply` is what it answered."""

    def __init__(self, topic: str, reply: object) -> None:
        super().__init__(topic, reply)
        self.topic = topic
        self.reply = reply

    def __str__(self) -> str:
        return f"{self.topic!r} was rejected: {escaped(repr(self.reply))}"


class SubscriptionTimeout(RxwsError):
    """`topic` brought no `awaited` ("acknowledgement", "first data") within `timeout` seconds."""

    def __init__(self, topic: str, awaited: str, timeout: float) -> None:
        super().__init__(topic, awaited, timeout)
        self.topic = topic
        self.awaited = awaited
        self.timeout = timeout

    def __str__(self) -> str:
        return f"{self.topic!r} brought no {self.awaited} within {self.timeout:g} s; does the venue have it?"


class BrokenBook(RxwsError):
    """An order book is not the venue's any more; until its next snapshot it takes no change.

    Args:
        symbol: whose book.
    """

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.symbol = symbol

    def __str__(self) -> str:
        return f"the book of {escaped(self.symbol)} is broken; take a snapshot of it"


class SequenceGap(BrokenBook):
    """Messages of a book are missing between `last` and `next`, in the venue's own numbering."""

    def __init__(self, symbol: str, last: int, next: int) -> None:
        super().__init__(symbol)
        self.args = (symbol, last, next)
        self.last = last
        self.next = next

    def __str__(self) -> str:
        return f"messages of the book of {escaped(self.symbol)} are missing between {self.last} and {self.next}"


class ChecksumMismatch(BrokenBook):
    """A book's checksum is `computed`, and the venue says `expected`."""

    def __init__(self, symbol: str, expected: int, computed: int) -> None:
        super().__init__(symbol)
        self.args = (symbol, expected, computed)
        self.expected = expected
        self.computed = computed

    def __str__(self) -> str:
        whose = escaped(self.symbol)
        return f"the book of {whose} has the checksum {self.computed}, and the venue says {self.expected}"


class BufferOverflow(RxwsError):
    """A bounded buffer is full.

    Args:
        size: what it holds, in the unit of its bound (bytes of an outbox, messages of an iterator).
        dropped: how many messages were dropped by it so far, the one that did not fit included.
    """

    def __init__(self, size: int, dropped: int) -> None:
        super().__init__(size, dropped)
        self.size = size
        self.dropped = dropped

    def __str__(self) -> str:
        return f"a buffer of {self.size} is full; {self.dropped} dropped so far"


class WrongShape(RxwsError):
    """A value cannot be shown as it was asked for.

    Args:
        field: what it has not, or what is not as it must be: "k.o".
        value: that value; `str` and `repr` show its beginning, escaped.
        problem: what is wrong with the field.
        way_out: what to do about it.
    """

    def __init__(self, field: str, value: object, problem: str = "is missing", way_out: str = "") -> None:
        super().__init__(field, value, problem, way_out)
        self.field = field
        self.value = value
        self.problem = problem
        self.way_out = way_out

    def __str__(self) -> str:
        way_out = f"; {self.way_out}" if self.way_out else ""
        return f"{self.field} {self.problem} in {escaped(masked_text(repr(self.value)))}{way_out}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class RetriesExhausted(RxwsError):
    """The policy gave up; raised from the last error of the connection."""

    def __init__(self, in_a_row: int, total: int) -> None:
        super().__init__(in_a_row, total)
        self.in_a_row = in_a_row
        self.total = total

    def __str__(self) -> str:
        last = f": {_sentence(self.__cause__)}" if self.__cause__ else ""
        return f"gave up after {self.in_a_row} failures in a row, {self.total} in total{last}"


class ConfigError(RxwsError):
    """The argument `field` is wrong; `message` says what it is and what would be right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again when the policy says."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Try again, but not before `seconds`; None: the policy's own cap."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """Try again when the policy says: a new URL or new headers, which are asked anew, will cure it."""


@dataclass(frozen=True, slots=True)
class Fatal:
    """Another attempt would fail alike: the error goes to the subscriber."""


Verdict = Retry | RetryAfter | Refresh | Fatal
Table = Mapping[int | type[RxwsError], Verdict]

TABLE: Table = MappingProxyType(
    {
        401: Fatal(),
        403: Fatal(),
        404: Fatal(),
        # Binance answers 418 to an address that it has banned, because that went on after 429.
        418: RetryAfter(),
        429: RetryAfter(),
        1008: RetryAfter(),
        1013: RetryAfter(),
        MessageTooBig: Fatal(),
        Disconnected: Retry(),
    }
)
"""What the errors mean: HTTP statuses, close codes of the server, and classes, the nearest class first.

Pass a changed one: ``Backoff(table={**errors.TABLE, 1008: errors.RetryAfter(120.0)})``.
"""


def verdict(error: Exception, table: Table = TABLE) -> Verdict:
    """Say what `error` means for the next attempt.

    A status or close code that stands in `table` decides; else the nearest class that stands there; an error that
    does not end a connection is Fatal. A Retry-After header of the server is a floor whatever the status, unless it
    is Fatal.

    Args:
        error: what ended the attempt.
        table: HTTP status, close code or class to verdict.

    >>> verdict(HandshakeRejected("wss://venue.example", 429, retry_after=7.0))
    RetryAfter(seconds=7.0)
    >>> verdict(ConnectionClosed(1001))
    Retry()
    >>> verdict(ValueError("a bug"))
    Fatal()
    """
    found = table.get(_code(error)) or _by_class(error, table)
    if isinstance(found, Fatal) or not isinstance(error, HandshakeRejected):
        return found
    if error.retry_after is None:
        return found
    asked = found.seconds if isinstance(found, RetryAfter) and found.seconds is not None else 0.0
    return RetryAfter(max(error.retry_after, asked))


def _code(error: Exception) -> int:
    if isinstance(error, HandshakeRejected):
        return error.status
    return error.code if isinstance(error, ConnectionClosed) else 0


def _by_class(error: Exception, table: Table) -> Verdict:
    for kind in type(error).__mro__:
        if issubclass(kind, RxwsError) and kind in table:
            return table[kind]
    return Fatal()


def _sentence(error: BaseException | None) -> str:
    text = escaped(masked_text(str(error)))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _unit(frame: str | bytes) -> str:
    return "characters" if isinstance(frame, str) else "bytes"
