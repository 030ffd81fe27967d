"""What users write, as a type checker sees it: `mypy --strict` reads this file, nothing runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, assert_type

import msgspec
import reactivex as rx
from reactivex import Observable, Observer
from reactivex import operators as ops

import rxws
from rxws import Backoff, Stats, WebSocketClient, connect, run, ws_observable
from rxws import operators as wsops
from rxws.events import Event, Gap
from rxws.gaps import consecutive
from rxws.operators.fresh import Leg
from rxws.operators.route import Routes
from rxws.settings import Settings
from rxws.types import Connection, RetrySignal

URL = "wss://stream.binance.com:9443/ws/btcusdt@trade"


class Trade(msgspec.Struct):
    """One trade, as the venue writes it."""

    p: str
    q: str


def size(trade: Trade) -> str | None:
    """Return what a trade is routed by; None: nothing."""
    return trade.q if trade.p else None


def symbol(message: dict[str, str]) -> str | None:
    """Return what a message without a type is routed by."""
    return message.get("s")


def price(trade: Trade) -> float:
    """Return a trade's price."""
    return float(trade.p)


def is_large(trade: Trade) -> bool:
    """Tell whether a trade is worth a look."""
    return float(trade.q) > 1


def amount(message: bytes) -> int:
    """Decode by hand."""
    return len(json.loads(message))


def patient(signal: RetrySignal) -> float | None:
    """Wait longer each time, and give up after ten."""
    return None if signal.in_a_row > 10 else 2.0 * signal.in_a_row


async def fresh_url() -> str:
    """Ask for an address that is good for one connection."""
    return URL


async def log_in(connection: Connection) -> None:
    """Say who we are."""
    connection.send({"op": "login"})


def show(value: object) -> None:
    """Print whatever comes."""
    print(value)


def what_is_decoded_is_what_flows() -> None:
    """The type given as `decode` is the stream's, as far as `subscribe`."""
    trades = ws_observable(URL, decode=Trade)
    assert_type(trades, Observable[Trade])
    assert_type(ws_observable(URL, decode=amount), Observable[int])
    assert_type(ws_observable(URL, decode=None), Observable[str | bytes])
    assert_type(trades.pipe(ops.filter(is_large), ops.map(price)), Observable[float])
    trades.pipe(ops.map(price)).subscribe(show)


def what_has_no_type_is_any() -> None:
    """Without `decode` a stream is of whatever JSON holds, also where it is given a name."""
    stream = ws_observable(URL)
    assert_type(stream, Observable[Any])
    klines = stream.pipe(wsops.filter_kline)
    klines.subscribe(show)
    ws_observable(URL, decode=Trade | None).subscribe(show)
    assert_type(connect(URL).pipe(wsops.messages(), wsops.decode()), Observable[Any])


def what_travels_beside_the_data_is_in_the_type() -> None:
    """Lifecycle events are seen by a type checker."""
    assert_type(ws_observable(URL, decode=Trade, lifecycle=True), Observable[Trade | Event])


def a_route_has_the_type_of_the_stream() -> None:
    """So has the rest; a key may have topics of any kind, and None."""
    routes = ws_observable(URL, decode=Trade).pipe(wsops.route(size))
    assert_type(routes, Routes[Trade])
    assert_type(routes["1"], Observable[Trade])
    assert_type(routes.rest.pipe(ops.map(price)), Observable[float])
    routes["1"].subscribe(show)
    symbols: Routes[dict[str, str]] = ws_observable(URL).pipe(wsops.route(symbol))
    symbols["BTCUSDT"].subscribe(show)


def every_way_to_say_it() -> Observable[Any]:
    """Addresses, headers, policies and scripts come as values or as functions."""
    stats = Stats()
    retry: Callable[[RetrySignal], float | None] = Backoff(initial=0.5, cap=30.0)
    return ws_observable(
        fresh_url,
        headers={"X-Key": "secret"},
        on_open=log_in,
        subscriptions=[{"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1}],
        retry=retry if stats.connects else patient,
        stats=stats,
        events=Observer(show),
        idle_timeout=30.0,
    ).pipe(wsops.filter_kline, ops.buffer_with_count(10))


def scripts_know_what_they_get() -> None:
    """`run` returns the last value, or None where there was none."""
    assert_type(run(ws_observable(URL, decode=Trade)), Trade | None)
    assert_type(connect(URL), Observable[Connection])


async def loops_know_what_they_get() -> None:
    """`aiter` yields what the stream does."""
    async for trade in rxws.aiter(ws_observable(URL, decode=Trade), maxsize=100):
        assert_type(trade, Trade)


async def a_client_knows_what_it_reads() -> None:
    """The type given as `decode` is that of each way to read."""
    async with WebSocketClient(URL, decode=Trade, maxsize=100, overflow="block") as client:
        assert_type(client, WebSocketClient[Trade])
        async for trade in client.stream():
            assert_type(trade, Trade)
        async for trade in client.stream_filter([{"e": "trade"}]):
            assert_type(trade, Trade)
        assert_type(await client.receive(1.0), Trade)
        assert_type(await client.request({"id": 1}), Trade)
        client.add_handler(price)
    assert_type(WebSocketClient(URL, decode=None), WebSocketClient[str | bytes])
    assert_type(WebSocketClient(URL, decode=amount), WebSocketClient[int])
    assert_type(WebSocketClient(URL, decode=Trade, lifecycle=True), WebSocketClient[Trade | Event])
    assert_type(WebSocketClient(fresh_url, subscriptions=["trades"]), WebSocketClient[Any])


async def fresh_connections_are_typed() -> None:
    """Each of them iterates over raw messages."""
    async for connection in rxws.connections(URL, retry=patient):
        async for message in connection:
            assert_type(message, str | bytes)


async def settings_fit_what_they_are_for(settings: Settings) -> None:
    """What settings say is keywords of a stream, beside those that are code, and of an iteration."""
    trades = ws_observable(URL, decode=Trade, stats=Stats(), **settings.options())
    assert_type(trades, Observable[Trade])
    assert_type(ws_observable(URL, decode=Trade, lifecycle=True, **settings.options()), Observable[Trade | Event])
    async for trade in rxws.aiter(trades, **settings.queue()):
        assert_type(trade, Trade)


def lists() -> None:
    """With `batch` the stream is one of lists, whatever is decoded; `flatten` makes one of values again."""
    assert_type(ws_observable(URL, decode=Trade, batch=True), Observable[list[Trade]])
    assert_type(ws_observable(URL, decode=amount, batch=True), Observable[list[int]])
    assert_type(ws_observable(URL, decode=None, batch=True), Observable[list[str | bytes]])
    assert_type(ws_observable(URL, decode=Trade, batch=True, lifecycle=True), Observable[list[Trade] | Event])
    assert_type(ws_observable(URL, decode=Trade, batch=False), Observable[Trade])
    assert_type(ws_observable(URL, batch=True), Observable[Any])
    assert_type(ws_observable(URL, decode=Trade, batch=True).pipe(wsops.flatten()), Observable[Trade])
    many = ws_observable(URL, decode=Trade, batch=True, lifecycle=True).pipe(wsops.data_only(), wsops.flatten())
    assert_type(many, Observable[Trade])


def number(trade: Trade) -> int:
    """Return a trade's number."""
    return len(trade.p)


def newer(old: Trade, new: Trade) -> Trade:
    """Merge two trades."""
    return new if new.p else old


def raw_symbol(message: str | bytes) -> str | bytes:
    """Return a part of a message that is not decoded yet."""
    return message[:10]


async def missing(gap: Gap) -> list[Trade]:
    """Fetch what a gap lacks."""
    return []


def listed(gap: Gap) -> list[Trade]:
    """Know what a gap lacks."""
    return []


def what_is_known_of_values_keeps_their_type() -> None:
    """Dropped, conflated, queued or closed: what comes out is what came in, with lifecycle events and without."""
    trades = ws_observable(URL, decode=Trade)
    steady = trades.pipe(
        wsops.dedupe(size, remember=100), wsops.conflate(0.5, size, newer), wsops.overflow(10, "latest")
    )
    assert_type(steady, Observable[Trade])
    assert_type(trades.pipe(wsops.close_candles(), ops.map(price)), Observable[float])
    mixed = ws_observable(URL, decode=Trade, lifecycle=True)
    assert_type(mixed.pipe(wsops.dedupe(size), wsops.conflate(0.5), wsops.overflow()), Observable[Trade | Event])


def raw_messages_may_be_conflated_before_they_are_decoded() -> None:
    """The type comes from decoding."""
    raw = ws_observable(URL, decode=None)
    assert_type(raw.pipe(wsops.conflate(0.5, raw_symbol), wsops.decode(Trade)), Observable[Trade])


def legs_and_gaps_are_in_the_type() -> None:
    """Beside the type of the values."""
    trades = ws_observable(URL, decode=Trade)
    mixed = ws_observable(URL, decode=Trade, lifecycle=True)
    assert_type(trades.pipe(wsops.fresh(5.0)), Observable[Leg[Trade]])
    assert_type(mixed.pipe(wsops.fresh(None)), Observable[Leg[Trade]])
    both = rx.combine_latest(trades.pipe(wsops.fresh(5.0)), mixed.pipe(wsops.fresh(5.0)))
    both.subscribe(show)
    assert_type(trades.pipe(wsops.detect_gaps(consecutive, size)), Observable[Trade | Gap])
    filled = trades.pipe(wsops.detect_gaps(consecutive, size), wsops.fill_gaps(missing, number, size))
    assert_type(filled, Observable[Trade | Event])
    assert_type(filled.pipe(wsops.data_only()), Observable[Trade])
    trades.pipe(wsops.fill_gaps(listed, number)).subscribe(show)
    assert_type(mixed.pipe(wsops.detect_gaps(consecutive)).pipe(wsops.data_only()), Observable[Trade])
