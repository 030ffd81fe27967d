"""The pipeline: a WebSocket as one cold observable that subscribes itself again."""

from __future__ import annotations

import random as chance
from collections.abc import Callable, Collection, Hashable
from types import UnionType
from typing import Any, Literal, TypeVar, Unpack, overload

from reactivex import Observable, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, Disposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws import operators as wsops
from rxws.backoff import Backoff, Policy, check_policy
from rxws.connection import Headers, Url, connect
from rxws.controls import Controls
from rxws.decoding import Decode, PerConnection, json_or_text
from rxws.errors import ConfigError, RxwsError
from rxws.events import Event
from rxws.governor import Governor
from rxws.lifecycle import Lifecycle
from rxws.limits import SendLimit
from rxws.operators._attached import decoded, decoded_lists
from rxws.operators._decoded import Decoding, Keep, OnBadFrame
from rxws.operators._gate import Condition
from rxws.operators._passage import Passage
from rxws.operators._payloads import Format, Subscriptions, formatted
from rxws.operators._regrouping import Regrouping
from rxws.operators.send_subscriptions import OnOpen
from rxws.options import StreamOptions, check_flags, check_kinds, check_topics, close_codes
from rxws.outgoing import Outgoing
from rxws.planned_ends import PlannedEnds, Plans, Ticks
from rxws.rotation import Rotation
from rxws.scheduler import given, on_loop
from rxws.stats import Stats
from rxws.telling import EventObserver
from rxws.topics import by_topic
from rxws.transport import Transport, TransportOptions
from rxws.transport.options import check_known
from rxws.types import Connection, Message, Payload, RetrySignal
from rxws.unsent import Unsent, check_unsent
from rxws.watchman import Watchman
from rxws.way_back import WayBack

__all__ = ["ws_observable"]

T = TypeVar("T")
Yes = Literal[True]
No = Literal[False]


@overload
def ws_observable(
    url: Url, *, lifecycle: bool = False, batch: bool = False, **options: Unpack[StreamOptions]
) -> Observable[Any]: ...
@overload
def ws_observable(
    url: Url, *, decode: UnionType, lifecycle: bool = False, batch: bool = False, **options: Unpack[StreamOptions]
) -> Observable[Any]: ...
@overload
def ws_observable(
    url: Url, *, decode: None, lifecycle: No = False, batch: No = False, **options: Unpack[StreamOptions]
) -> Observable[Message]: ...
@overload
def ws_observable(
    url: Url, *, decode: None, lifecycle: Yes, batch: No = False, **options: Unpack[StreamOptions]
) -> Observable[Message | Event]: ...
@overload
def ws_observable(
    url: Url, *, decode: None, lifecycle: No = False, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[Message]]: ...
@overload
def ws_observable(
    url: Url, *, decode: None, lifecycle: Yes, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[Message] | Event]: ...
@overload
def ws_observable(
    url: Url, *, decode: PerConnection[T], lifecycle: Yes, **options: Unpack[StreamOptions]
) -> Observable[T | Event]: ...
@overload
def ws_observable(
    url: Url, *, decode: type[T], lifecycle: No = False, batch: No = False, **options: Unpack[StreamOptions]
) -> Observable[T]: ...
@overload
def ws_observable(
    url: Url, *, decode: type[T], lifecycle: Yes, batch: No = False, **options: Unpack[StreamOptions]
) -> Observable[T | Event]: ...
@overload
def ws_observable(
    url: Url, *, decode: type[T], lifecycle: No = False, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[T]]: ...
@overload
def ws_observable(
    url: Url, *, decode: type[T], lifecycle: Yes, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[T] | Event]: ...
@overload
def ws_observable(
    url: Url,
    *,
    decode: Callable[[bytes], T],
    lifecycle: No = False,
    batch: No = False,
    **options: Unpack[StreamOptions],
) -> Observable[T]: ...
@overload
def ws_observable(
    url: Url, *, decode: Callable[[bytes], T], lifecycle: Yes, batch: No = False, **options: Unpack[StreamOptions]
) -> Observable[T | Event]: ...
@overload
def ws_observable(
    url: Url, *, decode: Callable[[bytes], T], lifecycle: No = False, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[T]]: ...
@overload
def ws_observable(
    url: Url, *, decode: Callable[[bytes], T], lifecycle: Yes, batch: Yes, **options: Unpack[StreamOptions]
) -> Observable[list[T] | Event]: ...
def ws_observable(
    url: Url,
    *,
    headers: Headers = None,
    on_open: OnOpen | None = None,
    subscriptions: Subscriptions = (),
    format: Format | None = None,
    outgoing: Observable[Payload] | None = None,
    unsent: Unsent = "drop",
    heartbeat: Callable[[Observable[Connection]], Observable[Connection]] | None = None,
    decode: Decode[Any] | PerConnection[Any] = json_or_text,  # Any: the overloads say which
    keep: Keep = None,
    on_bad_frame: OnBadFrame = "skip",
    retry: Policy | None = Backoff(),
    connect_while: Condition | None = None,
    disconnect_when: Ticks | None = None,
    reconnect_when: WayBack | None = None,
    check_interval: float = 5.0,
    max_age: float | None = None,
    max_age_jitter: float = 0.1,
    rotate: Rotation | None = None,
    idle_timeout: float | None = None,
    is_data: Callable[[bytes], object] | None = None,
    topic: Callable[[Any], Hashable] | None = None,  # Any: what `decode` returns
    topic_timeout: float | None = None,
    on_stale_topic: Literal["tell", "reconnect"] = "tell",
    open_timeout: float | None = 10.0,
    ping_interval: float | None = 20.0,
    ping_timeout: float | None = 20.0,
    close_timeout: float | None = 1.0,
    max_size: int | None = 16 * 2**20,
    final_close_codes: Collection[int] = (),
    stats: Stats | None = None,
    events: EventObserver | None = None,
    lifecycle: bool = False,
    batch: bool = False,
    dials: Governor | None = None,
    send_limit: SendLimit | None = None,
    transport: str | Transport = "websockets",
    random: Callable[[], float] = chance.random,
    controls: Controls | None = None,
    **options: Unpack[TransportOptions],
) -> Observable[Any]:
    """A WebSocket as one cold observable: it dials, subscribes, decodes, and comes back after whatever ends it.

    ::

        connection 1  ──dial──open──m1──m2──x                        lost: retry, after a back-off
        connection 2                          ──dial──open──m3──|    a planned end: back when the plan says so
        connection 3                                                ──dial──open──m4──…
        result        ──────────────m1──m2──────────────────m3────────────────m4──…

    Each subscription has one connection at a time, and `dispose` ends it for good. A close by the server, whatever its
    code, is a loss; what we end ourselves (windows, ticks, age) is a planned end. All times are seconds; None means no
    limit, none, or never.

    Args:
        url: ws:// or wss://, or a callable, sync or async, asked anew for each connection (tokens, listen keys).
        headers: of the handshake; a mapping, or a callable likewise.
        on_open: an async callable of the `Connection`, before the subscriptions: a login. It has `open_timeout`
            seconds, may read `connection.messages`, and what it raises is a `ConnectionFailed`, retried.
        subscriptions: payloads (dict, list, str, bytes) sent after every open, in order, once; or a callable that
            returns them, asked anew for each connection.
        format: makes of ("subscribe", channel) the payload that asks for it; each string among `subscriptions` is then
            a channel. None: strings are payloads.
        outgoing: an observable of payloads, each sent once, on the current connection: in the overlap of a rotation the
            old one, until the cut.
        unsent: what becomes of them while there is none: "drop" (counted and told), "fail" (the stream's error), or
            `rxws.unsent.Hold(max, ttl)`: they follow behind the next connection's subscriptions. What was given to a
            socket that is lost is not sent again.
        heartbeat: `operators.heartbeat(every, beat)`: what is sent or done at regular times on each connection.
        decode: a type that msgspec decodes into, a function of the bytes, or None: `str` and `bytes` as they came. By
            default JSON where it parses, else as it came.
        keep: a predicate on the bytes, asked before decoding.
        on_bad_frame: "skip" counts and tells what `keep` or `decode` raised on, "raise" makes it a fatal `DecodeError`.
        retry: the policy for losses, a `Backoff` or a function of a `RetrySignal`; None: a loss is the stream's error.
        connect_while: a `Window`, an observable of bool, or a callable, sync or async: connected only while true.
        disconnect_when: planned ends: an observable of ticks, or a callable.
        reconnect_when: the way back from a planned end: an observable whose first value means now, or a callable (true:
            now, a number: in so many seconds). By default when nothing above stands against it any more.
        check_interval: how often callables are asked; also the least time between two dials around a planned end.
        max_age: a planned end of each connection, before the venue's own limit.
        max_age_jitter: the fraction of it that chance may take off, 0 to 1.
        rotate: a `Rotation`: the next connection is opened before the old one is closed. `max_age` is then the limit
            that no connection reaches, also where the rotation's `unless` stands against it.
        batch: lists of at most 64 values, none over the end of a read: under load what stands behind is called once a
            list. With `lifecycle` the events stand between the lists. `operators.flatten` makes values of them.
        dials: a `Governor`: how often a host may be dialled, shared by all streams that are given it. None: as often as
            the plans and policies say, but for a Retry-After, which all on this loop keep.
        send_limit: a `SendLimit`: how much each connection may send in how long, pings and pongs counted; what is more
            waits its turn. None: no limit.
        idle_timeout: without data for so long a connection counts as lost; it runs from the open connection on.
        is_data: a predicate on the bytes: what counts as data; None: every message. Pings and pongs never do.
        topic: of a value, None where it belongs to none; for `topic_timeout`.
        topic_timeout: seconds without a value of one topic, while others go on, before that is told as `Stale`.
        on_stale_topic: "reconnect": then the connection also counts as lost.
        open_timeout, ping_interval, ping_timeout, close_timeout: see `connect`.
        max_size: bytes of the largest message taken.
        final_close_codes: close codes of the server that complete the stream for good.
        stats: a `Stats` to count into.
        events: hears of the life of the connections (`rxws.events`); an observer or a function.
        lifecycle: whether those events also travel in the stream, between the data.
        transport: "websockets", or "picows" (faster, compresses only if asked to, the extra `fast`), or an object with
            the protocol `rxws.transport.Transport`.
        random: uniform in [0, 1), for all jitter.
        controls: what a `WebSocketClient` drives it by; None: nobody does.
        options: the transport's own, see `rxws.transport.TransportOptions`.

    Emits what `decode` returns, or lists of it, as it arrives, on the loop's thread. Completes after a close code of
    `final_close_codes`. Errors: what `retry` gives up on (`RetriesExhausted`), what no attempt can cure
    (`HandshakeRejected` 401, 403, 404; `MessageTooBig`; `ConfigError` of a URL callable), every loss where `retry` is
    None, `DecodeError` if asked for. What the subscriber raises goes to the loop's exception handler, and ends the
    subscription.

    Raises:
        ConfigError: an argument is wrong; it is named, with what would be right.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws.errors import ConnectionClosed
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual, seen = TestScheduler(), []
    >>> script = ScriptedTransport(Attempt(messages=[(1.0, '{"n": 1}')], lost=(2.0, ConnectionClosed(1001))))
    >>> stream = ws_observable("ws://scripted", transport=script, retry=Backoff.fixed(3.0))
    >>> _ = stream.subscribe(lambda value: seen.append((virtual.clock, value)), scheduler=virtual)
    >>> virtual.advance_to(10.0)
    >>> seen
    [(1.0, {'n': 1}), (6.0, {'n': 1})]
    """
    check_known(options, (*StreamOptions.__annotations__, "decode", "lifecycle", "batch"))
    check_flags(batch=batch, lifecycle=lifecycle)
    check_kinds(
        on_open=on_open,
        outgoing=outgoing,
        heartbeat=heartbeat,
        stats=stats,
        events=events,
        random=random,
    )
    check_policy("retry", retry)
    plans = Plans(connect_while, disconnect_when, reconnect_when, check_interval)
    final = close_codes(final_close_codes)

    def connections(life: Lifecycle | None) -> Observable[Connection]:
        return connect(
            life.timed(url) if life is not None and callable(url) else url,
            headers=life.timed(headers) if life is not None and callable(headers) else headers,
            transport=transport,
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_size=max_size,
            send_limit=send_limit,
            dials=dials,
            journal=life,
            **options,
        )

    # Made once, here, so that a wrong argument is refused before anybody subscribes.
    connections(None)
    subscribing = wsops.send_subscriptions(on_open, formatted(subscriptions, format))
    check_unsent(unsent)
    check_topics(topic, topic_timeout, on_stale_topic)
    aged = wsops.max_age(max_age, max_age_jitter, random=random)
    watched = wsops.idle_timeout(idle_timeout, is_data)
    decoding: Decoding[Any] = Decoding(decode, keep, on_bad_frame)
    limit = None if max_age is None else max_age * (1.0 - max_age_jitter)
    if rotate is not None and limit == 0.0:
        right = "and a rotation begins before the earliest of them; take less than 1"
        raise ConfigError("max_age_jitter", f"{max_age_jitter!r} takes off all of an age, {right}")
    wsops.rotate(rotate, retry, limit=limit)
    if rotate is not None and close_timeout is None:
        raise ConfigError("close_timeout", "None is for ever, and a rotation waits for the old socket; take seconds")

    called = (is_data, keep, None if isinstance(decode, type | PerConnection) else decode, topic, rotate and rotate.key)

    singly = batch and (rotate is not None or topic_timeout is not None)  # they look at values

    def build(life: Lifecycle, ends: PlannedEnds, out: Outgoing, lists: Regrouping[Any]) -> Observable[Any]:
        def not_final(signal: RetrySignal) -> bool:
            life.finished = life.is_final(signal.error)
            return not life.finished

        policy = retry if retry is None or isinstance(retry, Backoff) else life.timed(retry)
        rotation = None if rotate is None else rotate.timed(life.timed)

        def losses(signals: Observable[RetrySignal]) -> Observable[Any]:
            again = wsops.after(policy, random=random, journal=life)
            return again(signals.pipe(ops.take_while(not_final)))

        timed = life.timed(subscriptions) if callable(subscriptions) else None
        subscribed = connections(life).pipe(
            wsops.record_stats(life),
            subscribing if timed is None else wsops.send_subscriptions(on_open, formatted(timed, format)),
            ops.do_action(out.ready),
            aged,
            watched,
            *([] if heartbeat is None else [heartbeat]),
        )

        values: Callable[[Observable[Connection]], Observable[Any]]
        values = decoded_lists(decoding) if batch else decoded(decoding)
        if singly:
            values = lists.singly(values)
        current = subscribed.pipe(
            by_topic(values, topic, topic_timeout, on_stale_topic == "reconnect"),
            wsops.rotate(rotation, policy, limit=limit, random=random, journal=life),
        )
        return (lists.gathered(current) if singly else current).pipe(
            wsops.retry_when(losses, attempts=life.attempts),
            wsops.take_until(ends.notifier(), start=ends.asked),
            wsops.repeat_when(wsops.reopen(ends.way_back)),
        )

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        on = given(scheduler)
        lists: Regrouping[Any] = Regrouping()

        def in_stream(event: Event) -> None:
            lists.flush()
            observer.on_next(event)

        life = Lifecycle(
            on,
            stable_after=retry.stable_after if isinstance(retry, Backoff) else 60.0,
            final_close_codes=final,
            stats=stats,
            events=events,
            in_stream=in_stream if lifecycle else None,
            origin=url if isinstance(url, str) else "",
            consumers=(*called, observer),
        )
        ends = PlannedEnds(plans, life, controls)
        out = Outgoing(life, unsent)

        def failed(error: Exception) -> None:
            # It may be an error of `outgoing` or of a level, while a connection is open: that ends first.
            life.subscription.dispose()
            life.gave_up(error)
            observer.on_error(error)

        def completed() -> None:
            out.end()
            life.completed()
            observer.on_completed()

        def send(payload: Payload) -> None:
            try:
                out.send(payload)
            except RxwsError as error:
                if unsent == "fail":
                    failed(error)
            except Exception as error:  # it cannot be sent at all
                failed(error)

        everything = CompositeDisposable(Disposable(life.end))
        life.subscription.disposable = everything
        if controls is not None:
            everything.add(controls.begin(life, out))
        if isinstance(on, AsyncIOScheduler):  # virtual time neither sleeps nor stands still
            everything.add(life.watch(Watchman.of(on)))
        everything.add(ends.begin(on, failed))
        everything.add(build(life, ends, out, lists).subscribe(observer.on_next, failed, completed, scheduler=on))
        if outgoing is not None:
            everything.add(outgoing.subscribe(send, failed, scheduler=on))
        everything.add(Disposable(out.end))
        return on_loop(on, life.subscription)

    # A function of the user's that is asked on the way may dispose, and events are told also by what has been disposed:
    # then reactivex's own observer has to stand before the subscriber, so that it gets no more. Lists see to that.
    guarded = lifecycle or topic is not None or rotate is not None or (decoding.asks_in_between and not batch)
    return Observable(subscribe) if guarded else Passage(subscribe)
