"""One connection to a venue that is kept subscribed: what it says of the market, message by message."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Unpack, cast
from urllib.parse import urlsplit

from reactivex import Observable, Subject, abc

from rxws import operators as wsops
from rxws.arguments import check_url, seconds
from rxws.backoff import Backoff
from rxws.decoding import PerConnection
from rxws.desired import Topics
from rxws.dialogue import Dialogue, Told
from rxws.errors import TABLE, ConfigError, RxwsError
from rxws.events import Event
from rxws.governor import host_of
from rxws.market import BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.options import StreamOptions
from rxws.redaction import masked
from rxws.request_rate import LONGEST_PAUSE, RequestRate, rate_for
from rxws.rotation import Beginning, Ordered, Rotation
from rxws.scheduler import given
from rxws.standing import Patience
from rxws.stream import ws_observable
from rxws.turn import governor_for
from rxws.types import Connection
from rxws.venue import Venue

__all__ = ["check_options", "patience", "venue_stream"]

OURS = (
    "batch",
    "decode",
    "format",
    "heartbeat",
    "is_data",
    "keep",
    "lifecycle",
    "outgoing",
    "subscriptions",
    "topic",
    "url",
)
"""Keywords of `ws_observable` that the venue answers for."""

AGE = 0.98
"""What a connection may use of the age at which the venue closes it: of 24 hours, 23 and a half."""
SPREAD = 0.5
"""Seconds by which the network may bring two messages closer together than they were sent: a venue counts what arrives,
and one lost packet alone delays all behind it by 0.2 and more."""
OVERLAP = 10.0
"""Seconds that a successor has to deliver in; a venue that announces its end leaves 60, or none that it promises."""


def check_options(venue: Venue, base: str | None, options: StreamOptions) -> None:
    """Refuse what `ws_observable` does, before anybody subscribes, and keywords of it that are the venue's.

    Raises:
        ConfigError: it names the argument.
    """
    if not hasattr(venue, "connection_url"):
        right = "take a module of rxws.exchanges, such as rxws.exchanges.binance; a feed has its own as `venue`"
        raise ConfigError("venue", f"{venue!r} is none; {right}")
    if base is not None:
        _check_base(base)
    for name in OURS:
        if name in options:
            raise ConfigError(name, "the venue answers for it; leave it out, or take ws_observable and do it by hand")
    given = cast(StreamOptions, {"topic": _topic, **options})
    ws_observable(venue.connection_url(next(iter(venue.ENDPOINTS)), base), **given)


def _check_base(base: str) -> None:
    try:
        check_url(base, {})
    except ConfigError as error:
        raise ConfigError("base", error.message) from None
    parts = urlsplit(base)
    if parts.path.strip("/") or parts.query:
        right = "take scheme and host, such as wss://test.deribit.com; the venue's module knows the rest"
        raise ConfigError("base", f"{masked(base)!r} has a path, or a query; {right}")


def patience(acknowledgement: float | None, first_data: float | Callable[[str], float | None] | None) -> Patience:
    """Return how long topics are waited for.

    Raises:
        ConfigError: a number of seconds is none.
    """
    seconds("ack_timeout", acknowledgement)
    if callable(first_data):
        return Patience(acknowledgement, first_data)
    seconds("first_data_timeout", first_data)
    return Patience(acknowledgement, lambda _: first_data)


def venue_stream(
    venue: Venue,
    topics: Topics,
    endpoint: str,
    base: str | None,
    patience: Patience,
    failed: Callable[[str, RxwsError], bool],
    **options: Unpack[StreamOptions],
) -> Observable[Told | Event]:
    """Return what a venue tells on one connection at a time, with the lifecycle events between.

    By default the connection is replaced without a gap when the venue announces its end, or before it reaches the age
    at which the venue would close it; it sends no more than the venue takes; and what the venue wants to hear now and
    then, it hears.

    Args:
        venue: whose language is spoken.
        topics: what is wanted, all of one endpoint.
        endpoint: which of the venue's it is.
        base: scheme and host in place of the venue's own; None: its own.
        patience: how long topics are waited for.
        failed: told of a topic that is refused, or brings nothing in time; true: that is the stream's error.
        options: what else `ws_observable` is given.
    """
    url = venue.connection_url(endpoint, base)
    rules = venue.RULES

    def subscribe(
        observer: abc.ObserverBase[Told | Event], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        notices: Subject[None] = Subject()

        def dialogue(connection: Connection, on: abc.SchedulerBase) -> Dialogue:
            def ends() -> None:
                # A turn later: it may open a connection, and this is in the middle of another one's read.
                on.schedule(lambda *_: notices.on_next(None))

            rate = _request_rate(venue, host_of(url), options, on)
            talk = Dialogue(connection, venue, endpoint, topics, patience, rate, failed, ends, on)
            talk.begin()
            return talk

        defaults: StreamOptions = {
            "subscriptions": venue.GREETINGS,
            "heartbeat": None
            if venue.HEARTBEAT is None
            else wsops.heartbeat(venue.HEARTBEAT.every, venue.HEARTBEAT.payload),
            "send_limit": None if rules.send is None else replace(rules.send, per=rules.send.per + SPREAD),
            "max_age": None if rules.max_age is None else AGE * rules.max_age,
            "rotate": Rotation(notices, overlap=OVERLAP, key=sequence),
            "idle_timeout": rules.silence,
            # The venue counts an address's dials, whoever makes them.
            "dials": None if rules.dials is None else governor_for(venue.NAME, rules.dials, given(scheduler)),
            "retry": Backoff(),
            "topic": _topic,
        }
        merged = cast(StreamOptions, {**defaults, **options})
        retry = merged["retry"]
        if isinstance(retry, Backoff) and retry.table is TABLE:
            merged["retry"] = replace(retry, table=venue.TABLE)
        stream = ws_observable(url, decode=PerConnection(dialogue), lifecycle=True, **merged)
        return stream.subscribe(observer, scheduler=scheduler)

    return Observable(subscribe)


def _request_rate(venue: Venue, host: str, options: StreamOptions, scheduler: abc.SchedulerBase) -> RequestRate:
    """Return how often a connection may ask: with all others of the loop, where the venue counts that by address."""
    rule, patience = venue.RULES.requests, venue.RULES.first_subscribe
    # Who waits for longer than the venue does before it has subscribed is closed.
    longest = LONGEST_PAUSE if patience is None else min(LONGEST_PAUSE, patience / 2)
    if rule is None or ("send_limit" in options and options["send_limit"] is None):
        return RequestRate(None, longest)
    return rate_for(venue.NAME, host, replace(rule, per=rule.per + SPREAD), longest, scheduler)


KEYS: dict[type, type[tuple[Hashable, ...]]] = {Trade: tuple, Candle: tuple}
"""Kinds of events of which each counts, however late it is handed on."""


def sequence(value: Any) -> Hashable:  # Any: what a stream brings
    """Return a topic and what tells one of its messages from the others, by which two connections become one.

    That is the venue's number, or else what the message says. The snapshot with which a subscription begins is the
    beginning of its topic; where each message is one, only the first is. Of trades and candles each counts, however
    late it is handed on; all else is of use in its order only. Of a book without numbers no message may be left out
    that follows the successor's snapshot: there each is one of its own. None where it is of no topic.
    """
    if not isinstance(value, Told) or value.topic is None:
        return None
    event = value.events[-1]
    number: Hashable = getattr(event, "sequence", None)
    kind: type[tuple[Hashable, ...]] = KEYS.get(type(event), Ordered)
    if value.is_first and isinstance(event, BookSnapshot):
        kind = Beginning
    if number is None:
        match event:
            case Trade():
                number = event.id
            case Quote():
                number = (event.time_ns, event.bid, event.bid_size, event.ask, event.ask_size)
            case Ticker():
                number = (event.time_ns, event.last, event.bid, event.ask, event.volume)
            case Candle():
                number = (event.time_ns, event.open_ns, event.close, event.volume, event.closed)
            case _:
                number = object()
    return kind((value.topic, number))


def _topic(value: object) -> str | None:
    return value.topic if isinstance(value, Told) else None
