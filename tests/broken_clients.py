"""For each row of the reliability table a client in which what the row is about does not work.

Most are `ws_observable` with that very rule taken out. Where no option takes it out (what websockets checks of a frame,
say), the client breaks another thing that the row must not let pass.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import rxws
from benchmarks.reliability.row import Figure
from benchmarks.reliability.rows import ROWS
from benchmarks.reliability.running import play
from benchmarks.reliability.watching import Client
from rxws import Backoff, ws_observable
from rxws.errors import TABLE, Retry
from rxws.events import Blocked, Event

PATIENCE = 2.0
"""Seconds that a row waits for what a broken client does not bring."""


def given(**changed: Any) -> Client:
    """A client that is given other options than it was asked to have; a function makes one of all that were asked."""

    def client(url: Any, **options: Any) -> Observable[Any]:
        new = {name: value(options) if callable(value) else value for name, value in changed.items()}
        return ws_observable(url, **{**options, **new})

    return client


def passing(*operators: Callable[[Observable[Any]], Observable[Any]]) -> Client:
    """A client that does something to the values."""
    return lambda url, **options: ws_observable(url, **options).pipe(*operators)


# After a loss

gives_up = given(retry=None)
forgets_its_failures = given(retry=lambda _: Backoff(0.05, cap=0.4, stable_after=0.0))
storms = given(retry=lambda _: Backoff.fixed(1.0))
never_gives_up = given(retry=lambda _: Backoff(0.05, table={**TABLE, 401: Retry(), 403: Retry(), 404: Retry()}))
knows_no_pauses = given(retry=lambda _: Backoff(0.05, cap=0.4, table={**TABLE, 1008: Retry(), 1013: Retry()}))


def ignores_retry_after(url: Any, **options: Any) -> Observable[Any]:
    """Dial again after a tenth of a second, whatever the server has asked for."""
    once = ws_observable(url, **{**options, "retry": None})
    return once.pipe(
        ops.catch(lambda _, again: rx.timer(0.1, scheduler=rxws.scheduler()).pipe(ops.flat_map(lambda _: again)))
    )


def websockets_alone(url: Any, **options: Any) -> Observable[Any]:
    """Leave pings and reconnects to websockets, whose keepalive takes a pong that waits to be read for none."""

    async def read(observer: Any) -> None:
        pings = {name: options[name] for name in ("ping_interval", "ping_timeout")}
        async for connection in connect(url, **pings):
            with suppress(ConnectionClosed):
                async for message in connection:
                    observer.on_next(json.loads(message))

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        return Disposable(asyncio.ensure_future(read(observer)).cancel)

    return Observable(subscribe)


def twice(url: Any, **options: Any) -> Observable[Any]:
    """Connect two times."""
    stream = ws_observable(url, **options)
    return rx.merge(stream, stream)


# With the values

HOARD: list[object] = []

loses = passing(ops.filter(lambda value: not (isinstance(value, dict) and value.get("n", 0) % 7 == 3)))
doubles = passing(ops.flat_map(lambda value: rx.of(value, value)))
hoards = passing(ops.do_action(lambda value: HOARD.append([value])))


def swallowing(call: Callable[..., object]) -> Callable[..., None]:
    """Do as `call`, and let nobody hear what it raises."""

    def quiet(*args: Any) -> None:
        with suppress(Exception):
            call(*args)

    return quiet


def swallows(url: Any, **options: Any) -> Observable[Any]:
    """Let nobody hear what a consumer raises."""
    stream = ws_observable(url, **options)
    return Observable(
        lambda observer, scheduler: stream.subscribe(
            swallowing(observer.on_next), observer.on_error, observer.on_completed, scheduler=scheduler
        )
    )


def ignoring(login: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Log in, and do not care whether it succeeds."""

    async def logged_in(connection: Any) -> None:
        with suppress(Exception):
            await login(connection)

    return logged_in


# At the end


def stays(url: Any, **options: Any) -> Observable[Any]:
    """Do not hear `dispose`."""
    stream = ws_observable(url, **options)

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        stream.subscribe(observer, scheduler=scheduler)
        return Disposable()

    return Observable(subscribe)


def stays_a_while(url: Any, **options: Any) -> Observable[Any]:
    """Hear `dispose` 200 seconds later."""
    stream = ws_observable(url, **options)

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        inner = stream.subscribe(observer, scheduler=scheduler)
        return Disposable(lambda: scheduler.schedule_relative(200.0, lambda *_: inner.dispose()))

    return Observable(subscribe)


def hearing_no(kind: type[Event], listener: Callable[[Event], object]) -> Callable[[Event], object]:
    """A listener that events of this kind do not reach."""
    return lambda event: None if isinstance(event, kind) else listener(event)


BROKEN: dict[str, Client] = {
    **dict.fromkeys(["close-1000", "close-1001"], given(final_close_codes=[1000, 1001])),
    **dict.fromkeys(["close-1012", "close-4000"], given(final_close_codes=[1012, 4000])),
    **dict.fromkeys(["close-1013", "close-1008"], knows_no_pauses),
    "close-final": given(final_close_codes=()),
    "close-wrong-code": gives_up,
    "close-kept-open": given(close_timeout=None),
    **dict.fromkeys(["fin", "reset"], loses),
    "restart": gives_up,
    **dict.fromkeys(
        [f"handshake-{each}" for each in ("fin", "reset", "half", "accept", "garbage", "headers")], gives_up
    ),
    **dict.fromkeys([f"handshake-{each}" for each in ("hangs", "trickles", "backlog")], given(open_timeout=None)),
    "redirects": gives_up,
    "port": storms,
    **dict.fromkeys(["status-401", "status-403", "status-404"], never_gives_up),
    "status-502": gives_up,
    **dict.fromkeys(["retry-after", "retry-after-date"], ignores_retry_after),
    **dict.fromkeys(["dns", "url", "descriptors"], gives_up),
    "tls": given(ssl=lambda _: ssl._create_unverified_context()),
    "login-fails": given(on_open=lambda options: ignoring(options["on_open"])),
    "login-hangs": given(open_timeout=None),
    **dict.fromkeys(["half-open", "no-pongs", "blocked-dead"], given(ping_interval=None, idle_timeout=None)),
    **dict.fromkeys(["silence", "one-of-two"], given(idle_timeout=None)),
    "heartbeats": given(is_data=None),
    "quiet": given(idle_timeout=0.1),
    **dict.fromkeys(["masked", "reserved", "opcode", "continuation", "interleaved", "long-ping", "html"], gives_up),
    **dict.fromkeys(["utf8", "utf8-fragments"], gives_up),
    **dict.fromkeys(["oversized", "length", "bomb"], given(max_size=None)),
    **dict.fromkeys(["fragments", "pings"], doubles),
    **dict.fromkeys(["json", "decoder-raises"], given(on_bad_frame="raise")),
    "selfish": given(outbox=2**30),
    **dict.fromkeys(["burst", "burst-close", "slow", "all-faults"], loses),
    **dict.fromkeys(["blocked", "slow-watched"], websockets_alone),
    "blocked-named": given(events=lambda options: hearing_no(Blocked, options["events"])),
    "topic": given(topic_timeout=None),
    "async-for": doubles,
    **dict.fromkeys(["raises", "raises-os"], swallows),
    "listener-raises": given(events=lambda options: swallowing(options["events"])),
    "subscriptions": given(subscriptions=lambda options: options["subscriptions"][::-1]),
    "flapping": forgets_its_failures,
    "storm": storms,
    "cycles": hoards,
    "max-age": given(max_age=25 * 3600.0),
    **dict.fromkeys(["window", "window-backoff"], given(connect_while=None)),
    "backoff-dispose": stays_a_while,
    "rotations": given(rotate=lambda options: replace(options["rotate"], key=None)),
    **dict.fromkeys(["rotate-refused", "rotate-silent", "server-shutdown"], given(rotate=None)),
    "rotate-reset": doubles,
    **dict.fromkeys([f"dispose-{each}" for each in ("connecting", "waiting", "receiving", "unanswered")], stays),
    **dict.fromkeys(["dispose-within", "dispose-anywhere"], stays),
    "crowd": twice,
    "crowd-governed": given(dials=None),
    "topics": given(send_limit=None),
    **dict.fromkeys(["soak-reconnects", "soak-messages"], hoards),
}
"""A broken client by the key of the row that must notice it."""


def played(key: str, client: Literal["rxws", "picows", "broken"]) -> Figure:
    """Play the short form of a row: to rxws, to rxws over picows, or to the client that is broken for it."""
    (row,) = [each for each in ROWS if each.key == key]
    if client == "broken":
        return play(row, short=True, client=BROKEN[key], patience=PATIENCE)
    if client == "picows":  # which compresses only if it is asked to
        return play(row, short=True, client=partial(ws_observable, transport="picows", compression="deflate"))
    return play(row, short=True)
