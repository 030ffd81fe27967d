"""The keywords of `ws_observable` as a type, for its overloads, and what is refused where it is built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any, Literal

from reactivex import Observable, abc

from rxws.arguments import ClientOverflow, check_close_codes, seconds
from rxws.backoff import Policy
from rxws.connection import Headers
from rxws.errors import ConfigError
from rxws.governor import Governor
from rxws.limits import SendLimit
from rxws.operators._decoded import Keep, OnBadFrame
from rxws.operators._gate import Condition
from rxws.operators._payloads import Format, Subscriptions
from rxws.operators.send_subscriptions import OnOpen
from rxws.planned_ends import Ticks
from rxws.rotation import Rotation
from rxws.stats import Stats
from rxws.telling import EventObserver
from rxws.transport import Transport, TransportOptions
from rxws.types import Connection, Payload
from rxws.unsent import Unsent
from rxws.way_back import WayBack

__all__ = ["ClientOptions", "StreamOptions", "check_flags", "check_kinds", "check_topics", "close_codes"]


class StreamOptions(TransportOptions, total=False):
    """All keywords of `ws_observable` but `decode`, `lifecycle` and `batch`, on which its type depends."""

    headers: Headers
    on_open: OnOpen | None
    subscriptions: Subscriptions
    format: Format | None
    outgoing: Observable[Payload] | None
    unsent: Unsent
    heartbeat: Callable[[Observable[Connection]], Observable[Connection]] | None
    keep: Keep
    on_bad_frame: OnBadFrame
    retry: Policy | None
    connect_while: Condition | None
    disconnect_when: Ticks | None
    reconnect_when: WayBack | None
    check_interval: float
    max_age: float | None
    max_age_jitter: float
    rotate: Rotation | None
    idle_timeout: float | None
    is_data: Callable[[bytes], object] | None
    topic: Callable[[Any], Hashable] | None  # Any: what `decode` returns
    topic_timeout: float | None
    on_stale_topic: Literal["tell", "reconnect"]
    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    max_size: int | None
    final_close_codes: Collection[int]
    stats: Stats | None
    events: EventObserver | None
    dials: Governor | None
    send_limit: SendLimit | None
    transport: str | Transport
    random: Callable[[], float]


class ClientOptions(StreamOptions, total=False):
    """All keywords of `WebSocketClient` but `decode` and `lifecycle`, on which its type depends."""

    auto_reconnect: bool
    maxsize: int
    overflow: ClientOverflow


def check_flags(**given: object) -> None:
    """Refuse what is neither true nor false.

    Raises:
        ConfigError: it names the keyword.
    """
    for name, value in given.items():
        if not isinstance(value, bool):
            right = "True or False; a list has at most 64 values" if name == "batch" else "True or False"
            raise ConfigError(name, f"{value!r} is neither true nor false; take {right}")


def check_kinds(**given: object) -> None:
    """Refuse what would break only when it is first used: weeks after the start, perhaps.

    Raises:
        ConfigError: it names the keyword, and says what would do.
    """
    for name, value in given.items():
        right = _KINDS[name]
        if not (value is None and name != "random") and not right.fits(value):
            # Its kind and not the value: what was meant for a login may be in it.
            raise ConfigError(name, f"{type(value).__name__} will not do; take {right.what}")


@dataclass(frozen=True)
class _Kind:
    fits: Callable[[object], bool]
    what: str


_KINDS = {
    "on_open": _Kind(callable, "an async function of a Connection, or None"),
    "outgoing": _Kind(lambda value: isinstance(value, Observable), "an observable of payloads, or None"),
    "heartbeat": _Kind(callable, "operators.heartbeat(every, beat), or None"),
    "stats": _Kind(lambda value: isinstance(value, Stats), "a Stats(), or None"),
    "events": _Kind(
        lambda value: callable(value) or isinstance(value, abc.ObserverBase), "an observer, a function, or None"
    ),
    "random": _Kind(callable, "a function that returns a number in [0, 1)"),
}


def check_topics(topic: object, topic_timeout: float | None, on_stale_topic: object) -> None:
    """Refuse what does not make a watch over topics.

    Raises:
        ConfigError: it names the keyword.
    """
    seconds("topic_timeout", topic_timeout)
    if topic is not None and not callable(topic):
        raise ConfigError("topic", f"{topic!r} is not callable; take a function of a value, or None")
    if topic_timeout is not None and topic is None:
        raise ConfigError("topic", "topic_timeout is given, and no topic; take a function of a value")
    if on_stale_topic not in ("tell", "reconnect"):
        raise ConfigError("on_stale_topic", f'{on_stale_topic!r} is unknown; take "tell" or "reconnect"')


def close_codes(codes: Collection[int]) -> frozenset[int]:
    """Return `codes` as a set.

    Raises:
        ConfigError: one is no close code (RFC 6455, section 7.4.2).
    """
    if not isinstance(codes, Collection):
        raise ConfigError("final_close_codes", f"{codes!r} is no collection; take one of close codes, {{{codes!r}}}")
    check_close_codes("final_close_codes", codes)
    return frozenset(codes)
