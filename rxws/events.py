"""The life of a connection as values: reasons, states, events, and the table of the states' transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from rxws.errors import (
    ConnectionClosed,
    DecodeError,
    Disconnected,
    IdleTimeout,
    Killed,
    PingTimeout,
    ProtocolError,
)

__all__ = [
    "TRANSITIONS",
    "BadFrame",
    "Blocked",
    "Closed",
    "Connecting",
    "ConnectionState",
    "DisconnectReason",
    "Event",
    "Gap",
    "GaveUp",
    "Live",
    "Mismatch",
    "Opened",
    "Overflow",
    "Rejected",
    "Rotated",
    "Stale",
    "Subscribed",
    "Suspended",
    "TopicChanged",
    "TopicStatus",
    "Trigger",
    "Waiting",
    "next_state",
    "reason_of",
]


class DisconnectReason(Enum):
    """Why a connection ended: by our own will (proactive), or on us (reactive)."""

    USER_REQUESTED = "user requested"
    SCHEDULED = "scheduled"
    CALLBACK_TRIGGERED = "callback triggered"
    CONNECTION_LIMIT = "connection limit"
    SERVER_CLOSED = "server closed"
    NETWORK_ERROR = "network error"
    PING_TIMEOUT = "ping timeout"
    IDLE_TIMEOUT = "idle timeout"
    PROTOCOL_ERROR = "protocol error"
    KILLED = "killed"

    @property
    def is_proactive(self) -> bool:
        """Whether we ended it."""
        return self in _PROACTIVE

    @property
    def is_reactive(self) -> bool:
        """Whether it ended on us."""
        return self not in _PROACTIVE


_PROACTIVE = frozenset(
    {
        DisconnectReason.USER_REQUESTED,
        DisconnectReason.SCHEDULED,
        DisconnectReason.CALLBACK_TRIGGERED,
        DisconnectReason.CONNECTION_LIMIT,
    }
)

_REASONS: Mapping[type[Disconnected], DisconnectReason] = MappingProxyType(
    {
        Killed: DisconnectReason.KILLED,
        PingTimeout: DisconnectReason.PING_TIMEOUT,
        IdleTimeout: DisconnectReason.IDLE_TIMEOUT,
        ProtocolError: DisconnectReason.PROTOCOL_ERROR,
    }
)


def reason_of(error: Exception) -> DisconnectReason:
    """Return why a connection ended, by the error that ended it.

    >>> reason_of(ConnectionClosed(1001)), reason_of(ConnectionClosed(1006))
    (<DisconnectReason.SERVER_CLOSED: 'server closed'>, <DisconnectReason.NETWORK_ERROR: 'network error'>)
    """
    if isinstance(error, ConnectionClosed) and error.code != 1006:
        return DisconnectReason.SERVER_CLOSED
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return DisconnectReason.NETWORK_ERROR


class ConnectionState(Enum):
    """Where a subscription stands."""

    DISCONNECTED = auto()
    """No socket, and none is being opened: not yet, or after a planned end."""
    CONNECTING = auto()
    """A socket is being opened."""
    CONNECTED = auto()
    """A socket is open."""
    RECONNECTING = auto()
    """A connection was lost or could not be made; the next attempt waits for its time."""
    CLOSING = auto()
    """The subscription has ended; its last socket is being closed."""
    CLOSED = auto()
    """The subscription has ended, and nothing of it is left."""


class Trigger(Enum):
    """What moves a subscription from one state to the next."""

    DIAL = auto()
    OPEN = auto()
    LOSS = auto()
    PLANNED_END = auto()
    END = auto()
    GONE = auto()


def _row(**targets: ConnectionState) -> Mapping[Trigger, ConnectionState]:
    return MappingProxyType({Trigger[name.upper()]: state for name, state in targets.items()})


_S = ConnectionState
TRANSITIONS: Mapping[ConnectionState, Mapping[Trigger, ConnectionState]] = MappingProxyType(
    {
        _S.DISCONNECTED: _row(dial=_S.CONNECTING, end=_S.CLOSED),
        _S.CONNECTING: _row(open=_S.CONNECTED, loss=_S.RECONNECTING, planned_end=_S.DISCONNECTED, end=_S.CLOSED),
        _S.CONNECTED: _row(loss=_S.RECONNECTING, planned_end=_S.DISCONNECTED, end=_S.CLOSING),
        _S.RECONNECTING: _row(dial=_S.CONNECTING, planned_end=_S.DISCONNECTED, end=_S.CLOSED),
        _S.CLOSING: _row(gone=_S.CLOSED),
        _S.CLOSED: _row(),
    }
)
"""State and trigger to the next state. What is not in the table changes nothing."""


def next_state(state: ConnectionState, trigger: Trigger) -> ConnectionState:
    """Return the state that `trigger` leads to from `state`, `state` itself where the table has no entry."""
    return TRANSITIONS[state].get(trigger, state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event tells: which connection, of which origin, and when.

    `generation` counts the attempts of one subscription from 1 (0: before the first); `origin` is the URL without
    its secrets; `time_ns` is the wall clock in nanoseconds since the epoch, UTC; `state` is where the subscription
    stands now.
    """

    generation: int
    origin: str
    time_ns: int
    state: ConnectionState = ConnectionState.DISCONNECTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting(Event):
    """An attempt begins; `attempt` counts those in a row, from 1."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """The handshake is done, `took` seconds after the dial; `subprotocol` is the one agreed, if any."""

    took: float
    subprotocol: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed(Event):
    """All `count` payloads of `subscriptions` have been sent; where a limit held some back, data may come before."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Event):
    """The venue refused `topic`; `reply` is its answer."""

    topic: str
    reply: object


class TopicStatus(Enum):
    """Where a topic stands that was asked for on a connection."""

    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    LIVE = "live"
    """Its first data is here: nothing else proves it."""
    REJECTED = "rejected"
    TIMED_OUT = "timed out"
    """Neither an answer nor data came in time; data may come yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicChanged(Event):
    """A topic's subscription has got one step further on this connection, `after` seconds after it was asked for.

    `why` says what was waited for where it has timed out: "acknowledgement", or "first data". Where it is requested
    again because the venue was asked too often, `why` is what the venue said of that, and `after` counts anew. One that
    is refused is told as `Rejected`.
    """

    topic: str
    status: TopicStatus
    after: float
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live(Event):
    """The first data of this connection is here, `after` seconds after it opened."""

    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """A connection, or an attempt at one, has ended.

    `error` is what ended it (None: a planned end), `uptime` how long it had been open in seconds, `opened` whether
    it ever was.
    """

    reason: DisconnectReason
    error: Exception | None
    uptime: float
    opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Event):
    """The next attempt waits.

    `seconds` is how long, None where it waits for something to happen; `rule` says which rule chose that;
    `attempt` is the number in a row of the attempt that it waits for; `error` is what went before, None after a
    planned end.
    """

    seconds: float | None
    rule: str
    attempt: int
    error: Exception | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale(Event):
    """No data came for `idle` seconds; `topic` is None where that holds for the whole connection."""

    idle: float
    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Event):
    """Messages are missing between `last` and `next`, in the venue's own numbering."""

    topic: str
    last: int
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch(Event):
    """The order book of `topic` is not the venue's: its checksum is `computed`, and the venue says `expected`."""

    topic: str
    expected: int
    computed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow(Event):
    """`dropped` messages found no room in `where`."""

    where: str
    dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFrame(Event):
    """A message could not be decoded, and was skipped; `count` is how many there were so far."""

    error: DecodeError
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated(Event):
    """A connection took over from the one of generation `previous` without a gap; that one is closed by this.

    `reason` is why, `rule` what asked for it ("age", "tick", "limit"); `uptime` is how long the previous one had been
    open, and `took` how long all took from the dial of the new one on, in seconds.
    """

    previous: int
    reason: DisconnectReason
    rule: str
    uptime: float
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked(Event):
    """The event loop stood still for `seconds`, in which nothing was read and no timer fired.

    `callback` names the functions of yours that a message was with meanwhile, or the one that was asked or told; None:
    it was something else on the loop.
    """

    seconds: float
    callback: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended(Event):
    """The machine slept for about `seconds`, or the process stood still so long.

    Each connection is asked by a ping whether it is still there.
    """

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp(Event):
    """No attempt follows: `error` goes to the subscriber, after `total` failures."""

    error: Exception
    total: int
