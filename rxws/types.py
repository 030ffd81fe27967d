"""The words that the layers share: messages, signals, and the protocols of a connection and of what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

from rxws.errors import DecodeError
from rxws.events import ConnectionState, DisconnectReason, TopicStatus, reason_of

if TYPE_CHECKING:
    from reactivex import Observable, abc

__all__ = [
    "LIST",
    "Connection",
    "Entry",
    "Handover",
    "Journal",
    "ListSink",
    "Logbook",
    "Message",
    "Payload",
    "RepeatSignal",
    "RetrySignal",
    "Silence",
    "Sink",
    "Stamp",
    "Tally",
]

R = TypeVar("R")

Message = str | bytes
"""A whole message: `str` where it is text, `bytes` where it is binary (RFC 6455, section 5.6)."""

Payload = str | bytes | Mapping[str, object] | Sequence[object]
"""What can be sent: `str` as text, `bytes` as binary, a dict or a list as JSON text."""

Sink = Callable[[bytes, bool], None]
"""Takes a message's bytes, and whether it is text."""


class Stamp(TypedDict):
    """What every event tells."""

    generation: int
    origin: str
    time_ns: int
    state: ConnectionState


class Tally:
    """How many messages came, and how many bytes they held."""

    __slots__ = ("bytes", "messages")

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0


Entry = Callable[[Tally, Callable[[BaseException], None]], Sink]
"""Makes a sink that does all by itself: it counts each message, and tells what the consumer raised."""

LIST = 64
"""Messages in a list of values: those of longer ones leave the processor's caches (docs/speed.md)."""

ListSink = Callable[[list[bytes], bool], None]
"""Takes the bytes of several messages, and whether they are text."""


@dataclass(frozen=True, slots=True)
class RetrySignal:
    """A loss, as `retry_when` hands it to its notifier.

    `total` counts the losses of the subscription, `in_a_row` those since a connection last proved itself; `uptime` is
    how long the lost connection had been open, in seconds.
    """

    error: Exception
    total: int
    in_a_row: int
    uptime: float


@dataclass(frozen=True, slots=True)
class RepeatSignal:
    """A planned end, as `repeat_when` hands it to its notifier.

    `reason` is None where nobody said; `total` counts the ends of the subscription; `uptime` is how long that
    subscription of the source had lasted, in seconds.
    """

    reason: DisconnectReason | None
    total: int
    uptime: float


class Journal(Protocol):
    """What is told of one attempt at a connection; operators find it on the Connection."""

    def connecting(self, url: str) -> int:
        """The attempt begins; return its generation."""

    def opened(self, connection: Connection) -> None:
        """The handshake is done."""

    def subscribed(self, count: int) -> None:
        """All subscriptions have been sent."""

    def live(self, connection: Connection) -> None:
        """The first data is about to be handed on."""

    def planned(self, reason: DisconnectReason) -> None:
        """We are about to end the connection for this reason."""

    def closed(self, error: Exception | None, uptime: float, opened: bool) -> DisconnectReason:
        """The attempt has ended, by `error` or by our own will; return why."""

    def gone(self) -> None:
        """Its socket is gone for good."""

    def late(self) -> None:
        """A message came after the end; it was dropped."""

    def dropped(self, where: str, count: int = 1) -> None:
        """`count` messages found no room in `where`."""

    def bad_frame(self, error: DecodeError) -> None:
        """A message could not be decoded, and was skipped."""

    def callback_failed(self, name: str, error: Exception) -> None:
        """A condition of the caller's raised; it changes nothing."""

    def stale(self, idle: float, topic: str | None = None) -> None:
        """No data came for `idle` seconds; None: on no topic at all."""

    def topic_changed(self, topic: str, status: TopicStatus, after: float, why: str = "") -> None:
        """The subscription of a topic has got one step further, so many seconds after it was asked for."""

    def rejected(self, topic: str, reply: object) -> None:
        """The venue refused a topic, with this answer."""

    def settling(self, is_settling: bool) -> None:
        """Some of what was asked for on it is not answered yet; or all is."""

    def timed(self, function: Callable[..., R]) -> Callable[..., R]:
        """Return `function`, which tells of itself where it blocks the loop."""

    def slow(self, seconds: float) -> None:
        """What consumes the messages took so long over one read, and the loop stood still meanwhile."""

    def crashed(self, error: BaseException) -> bool:
        """What consumes the messages raised; return whether the journal saw to it."""


class Logbook(Protocol):
    """What a subscription is told; it keeps a journal of each of its attempts."""

    def attempt(self, fail: Callable[[Exception], None]) -> Journal:
        """Return the journal of one more attempt, which `fail` ends as lost."""

    def waiting(
        self, seconds: float | None, rule: str, error: Exception | None = None, attempt: int | None = None
    ) -> None:
        """The next attempt waits; `attempt` is its number in a row, None where nobody counts."""

    def dropped(self, where: str, count: int = 1) -> None:
        """`count` messages found no room in `where`, or no connection."""

    def callback_failed(self, name: str, error: Exception) -> None:
        """A condition of the caller's raised; it changes nothing."""

    def crashed(self, error: BaseException) -> bool:
        """What consumes the messages raised; return whether the logbook saw to it."""


class Handover(Logbook, Protocol):
    """What a rotation tells and asks, while it has two connections: the current one, and its successor."""

    def age(self) -> float | None:
        """Seconds since the current connection opened; None while none is open."""

    def read_for(self) -> float:
        """Seconds for which the current connection has been read without a pause: 0.0 while it is paused."""

    def room(self, then: Callable[[], None]) -> abc.DisposableBase:
        """Call `then` once no more than one socket is left of all that were opened: at once, or when one is gone."""

    def succeeding(self, attempt: int, dials: Callable[[], None]) -> None:
        """The next attempt is the successor's, the so manieth in a row; `dials` is called when it is its turn."""

    def successor_is_live(self) -> bool:
        """Whether the successor has brought data."""

    def successor_is_settled(self) -> bool:
        """Whether all that was asked for on the successor has been answered: before that it would bring less."""

    def successor_delivers(self) -> None:
        """The successor could take over from now on: if the current one is lost, that is no outage."""

    def abandon(self) -> None:
        """The successor is about to be disposed, and the current one stays."""

    def hand_over(self, reason: DisconnectReason, rule: str) -> None:
        """The current one is about to be disposed, and its successor is the current one."""

    def handed_over(self) -> None:
        """That has been done."""

    def is_final(self, error: Exception | None) -> bool:
        """Whether the end of one that has just ended by `error`, or by our own will, was meant for good."""


class Silence:
    """The logbook of a subscription that nobody keeps one for, and its journals: it tells nobody."""

    def attempt(self, fail: Callable[[Exception], None]) -> Journal:
        return self

    def connecting(self, url: str) -> int:
        return 1

    def opened(self, connection: Connection) -> None: ...

    def subscribed(self, count: int) -> None: ...

    def live(self, connection: Connection) -> None: ...

    def planned(self, reason: DisconnectReason) -> None: ...

    def closed(self, error: Exception | None, uptime: float, opened: bool) -> DisconnectReason:
        return DisconnectReason.USER_REQUESTED if error is None else reason_of(error)

    def gone(self) -> None: ...

    def late(self) -> None: ...

    def dropped(self, where: str, count: int = 1) -> None: ...

    def bad_frame(self, error: DecodeError) -> None: ...

    def callback_failed(self, name: str, error: Exception) -> None: ...

    def stale(self, idle: float, topic: str | None = None) -> None: ...

    def topic_changed(self, topic: str, status: TopicStatus, after: float, why: str = "") -> None: ...

    def rejected(self, topic: str, reply: object) -> None: ...

    def settling(self, is_settling: bool) -> None: ...

    def timed(self, function: Callable[..., R]) -> Callable[..., R]:
        return function

    def slow(self, seconds: float) -> None: ...

    def waiting(
        self, seconds: float | None, rule: str, error: Exception | None = None, attempt: int | None = None
    ) -> None: ...

    def crashed(self, error: BaseException) -> bool:
        return False


class Connection(Protocol):
    """One open WebSocket.

    Counters are of this connection alone; times are of the scheduler's clock, in seconds.
    """

    is_data: Callable[[bytes], object] | None
    """Which messages count as data; None: every one. Set it before the first one is read."""

    @property
    def journal(self) -> Journal: ...
    @property
    def generation(self) -> int:
        """Which attempt of its subscription this is, from 1."""

    @property
    def url(self) -> str:
        """Where it leads to, without its secrets."""

    @property
    def open_timeout(self) -> float | None: ...
    @property
    def subprotocol(self) -> str | None: ...
    @property
    def messages(self) -> Observable[Message]:
        """Whole messages, hot; it errors before `connect` does, and completes when we end the connection."""

    @property
    def latency(self) -> float | None:
        """The last ping's round trip in seconds; None before the first."""

    @property
    def opened_time(self) -> float: ...
    @property
    def dial_time(self) -> float:
        """Seconds from the dial to the open connection."""

    @property
    def last_message_time(self) -> float | None: ...
    @property
    def last_data_time(self) -> float:
        """When the last data came; when it opened where none came; when it was resumed, and now while it is paused."""

    @property
    def reading_since(self) -> float:
        """Since when it has been read without a `pause`: now, while it is paused."""

    @property
    def reads(self) -> int:
        """How often something was read from the socket."""

    @property
    def messages_received(self) -> int: ...
    @property
    def messages_sent(self) -> int: ...
    @property
    def bytes_received(self) -> int: ...
    @property
    def bytes_sent(self) -> int: ...
    @property
    def end_reason(self) -> DisconnectReason | None:
        """Why it ended; None while it has not."""

    def send(self, message: Payload, *, unsent: Callable[[], None] | None = None) -> None:
        """Send a message after those before it, and return at once.

        Where a limit holds it back until the connection has ended, `unsent` is called; None: it is dropped, and told.

        Raises:
            BufferOverflow: the outbox is full.
            Disconnected: the connection has ended.
            TypeError, ValueError: it cannot be sent.
        """

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        """Call `action` once all that was sent so far has left: at once, unless a limit holds some of it back.

        `lost` is called in its place where some of it waited, and found no room on the socket when its turn came; None:
        nobody is.
        """

    def attach(self, sink: Sink, entry: Entry | None = None) -> None:
        """Hand every message to `sink`, those held so far first. There is one sink at most.

        Where nothing else is to be done with a message, what `entry` makes takes it in place of `sink`: with one call.
        """

    def attach_lists(self, sink: ListSink, most: int = LIST) -> None:
        """Hand all messages to `sink` in lists of at most `most`, none of which goes over the end of a read."""

    def hold(self) -> None:
        """Keep what arrives for the sink, though somebody reads `messages` meanwhile, from the first one on."""

    def release(self) -> None:
        """End what `hold` began."""

    def watch_reads(self, action: Callable[[float], None]) -> None:
        """Call `action` with the time of every read, before what it holds is handed on."""

    def pause(self) -> None:
        """Read nothing more until `resume`; what has been read already is still handed on.

        The clocks of pings and of silence stand still meanwhile, and nothing is known of the server: its own pings are
        not answered, its close and its going away are found when it is read again.
        """

    def resume(self) -> None:
        """Read again."""

    def probe(self) -> None:
        """Ask at once, by a ping, whether the other side is there; without a pong within 5 s it is lost."""

    def on_end(self, action: Callable[[], None]) -> None:
        """Call `action` once when the connection has ended, before anybody hears of it."""

    def fail(self, error: Exception) -> None:
        """End the connection as lost by `error`."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection with a closing handshake; for its subscriber it completes.

        Raises:
            ConfigError: no close frame can carry this code or reason; the connection stays.
        """

    def abort(self) -> None:
        """End the connection at once, without a closing handshake; for its subscriber it completes."""
