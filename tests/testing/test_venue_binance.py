"""Binance spot as the simulated exchange speaks it, asked by a plain client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rxws.errors import ConfigError
from rxws.testing.exchange import Limits, SimulatedExchange
from tests.testing.plain import NaiveBook, ask, deltas, take

DEPTH, TRADES, QUOTES, KLINES = (f"btcusdt@{kind}" for kind in ("depth@100ms", "trade", "bookTicker", "kline_1m"))


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("binance", rate=None, limits=Limits.off()) as exchange:
        yield exchange


async def page(exchange: SimulatedExchange, target: str) -> tuple[int, str, bytes]:
    """GET a page, and return its status, its type and its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    kind = next(line for line in head.decode().splitlines() if line.startswith("Content-Type"))
    return int(head.split()[1]), kind.partition(": ")[2], body


def synced(snapshot: bytes, events: list[Any]) -> NaiveBook:
    """Return a book made of a snapshot and the events that were buffered, by Binance's own rules."""
    book, told = NaiveBook(), json.loads(snapshot)
    book.apply(deltas(told["bids"]), deltas(told["asks"]))
    last = told["lastUpdateId"]
    kept = [event for event in events if event["u"] > last]
    assert kept[0]["U"] <= last <= kept[0]["u"], "the first event that is kept straddles the snapshot"
    for event in kept:
        assert event["U"] <= last + 1 <= event["u"], "a gap"
        last = event["u"]
        book.apply(deltas(event["b"]), deltas(event["a"]))
    return book


async def test_snapshot_and_deltas_make_the_true_book(exchange: SimulatedExchange) -> None:
    """By Binance's rules, with a snapshot in the middle of it, a plain dict becomes the true book."""
    async with connect(f"{exchange.url}/ws/{DEPTH}") as client:
        exchange.burst(50)
        snapshot = exchange.snapshot("BTCUSDT")
        exchange.burst(950)
        events = await take(client, 1_000)

    assert [event["U"] for event in events[1:]] == [event["u"] + 1 for event in events[:-1]]
    book = synced(snapshot, events)
    assert book.told() == exchange.book("BTCUSDT")
    assert book.unknown_deletions > 0
    assert len(book.bids) > 30 and len(book.asks) > 30


async def test_a_missing_event_makes_another_book(exchange: SimulatedExchange) -> None:
    """The comparison can fail: with one event left out the book is another."""
    async with connect(f"{exchange.url}/ws/{DEPTH}") as client:
        snapshot = exchange.snapshot("BTCUSDT")
        exchange.burst(30)
        events = await take(client, 30)

    with pytest.raises(AssertionError, match="a gap"):
        synced(snapshot, events[:10] + events[11:])
    assert synced(snapshot, events[:-1]).told() != exchange.book("BTCUSDT")


async def test_a_snapshot_alone_is_the_book_until_the_next_event(exchange: SimulatedExchange) -> None:
    """Whoever has just fetched the book has it as it is."""
    async with connect(f"{exchange.url}/ws/{DEPTH}"):
        exchange.burst(5)
        told = json.loads(exchange.snapshot("BTCUSDT"))
        book = NaiveBook()
        book.apply(deltas(told["bids"]), deltas(told["asks"]))
        assert book.told() == exchange.book("BTCUSDT")


async def test_the_book_comes_over_http_on_the_same_port(exchange: SimulatedExchange) -> None:
    """GET /api/v3/depth has as many levels as it is asked for, and is no handshake."""
    status, kind, body = await page(exchange, "/api/v3/depth?symbol=BTCUSDT&limit=7")
    told = json.loads(body)

    assert (status, kind.partition(";")[0], list(told)) == (
        200,
        "application/json",
        ["lastUpdateId", "bids", "asks"],
    )
    best = exchange.book("BTCUSDT")
    assert (deltas(told["bids"]), deltas(told["asks"])) == (list(best.bids[:7]), list(best.asks[:7]))
    assert (await page(exchange, "/api/v3/depth?symbol=NOUSDT"))[0] == 400
    assert (await page(exchange, "/api/v3/depth?symbol=BTCUSDT&limit=0"))[0] == 400
    assert (exchange.handshakes_accepted, exchange.handshakes_refused) == (0, 0)


async def test_trades_are_consecutive_and_orders_hold_them_all(exchange: SimulatedExchange) -> None:
    """`t` grows by one, and `f` to `l` of aggTrade cover the same trades."""
    async with (
        connect(f"{exchange.url}/ws/{TRADES}") as each,
        connect(f"{exchange.url}/ws/btcusdt@aggTrade") as together,
    ):
        exchange.burst(400)
        counts = [record.messages for record in exchange.live]
        trades, orders = await take(each, counts[0]), await take(together, counts[1])

    ids = [trade["t"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert [order["f"] for order in orders[1:]] == [order["l"] + 1 for order in orders[:-1]]
    assert [order["a"] for order in orders] == list(range(orders[0]["a"], orders[0]["a"] + len(orders)))
    sizes = {trade["t"]: Decimal(trade["q"]) for trade in trades}
    whole = [order for order in orders if order["l"] in sizes]
    assert len(whole) > 50 and any(order["l"] > order["f"] for order in whole)
    for order in whole:
        assert Decimal(order["q"]) == sum(sizes[number] for number in range(order["f"], order["l"] + 1))


async def test_a_candle_holds_its_trades_and_is_closed_once() -> None:
    """Open, high, low, close, volume and count are those of the trades told; `x` is true at the end, once."""
    now = 1_781_234_500_000
    exchange = SimulatedExchange("binance", rate=None, limits=Limits.off(), now_ns=lambda: now * 1_000_000)
    async with asyncio.timeout(10), exchange:
        async with connect(exchange.combined_url(TRADES, KLINES)) as client:
            exchange.burst(200)
            now = 1_781_234_520_001
            exchange.burst(20)
            messages = [message["data"] for message in await take(client, 220)]

    closed = [
        (at, message["k"]) for at, message in enumerate(messages) if message["e"] == "kline" and message["k"]["x"]
    ]
    ((at, candle),) = closed
    assert at == 200, "it is told as soon as its time is over"
    assert (candle["t"], candle["T"]) == (1_781_234_460_000, 1_781_234_519_999)
    trades = [message for message in messages[:at] if message["e"] == "trade"]
    held = [trade for trade in trades if candle["f"] <= trade["t"] <= candle["L"]]
    assert len(held) == len(trades) > 50
    # An order of several fills is in the candle at once, though its fills are told one by one.
    assert 0 <= candle["n"] - len(trades) <= 2
    prices = [Decimal(trade["p"]) for trade in trades]
    assert (Decimal(candle["o"]), Decimal(candle["h"]), Decimal(candle["l"]), Decimal(candle["c"])) == (
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
    )
    opened = next(message["k"] for message in messages[at:] if message["e"] == "kline" and not message["k"]["x"])
    assert opened["t"] == 1_781_234_520_000


async def test_windows_of_the_book_are_its_top(exchange: SimulatedExchange) -> None:
    """`depth5` is the best five, `bookTicker` the best one."""
    async with connect(f"{exchange.url}/stream?streams=btcusdt@depth5/ethusdt@bookTicker") as client:
        exchange.burst(40)
        messages = await take(client, 40)

    top = [message["data"] for message in messages if message["stream"] == "btcusdt@depth5"][-1]
    quote = [message["data"] for message in messages if message["stream"] == "ethusdt@bookTicker"][-1]
    bitcoin, ether = exchange.book("BTCUSDT"), exchange.book("ETHUSDT")
    assert (deltas(top["bids"]), deltas(top["asks"])) == (list(bitcoin.bids[:5]), list(bitcoin.asks[:5]))
    assert (Decimal(quote["b"]), Decimal(quote["B"])) == ether.bids[0]
    assert (Decimal(quote["a"]), Decimal(quote["A"])) == ether.asks[0]
    assert list(quote) == ["u", "s", "b", "B", "a", "A"]


async def test_the_usual_streams_in_their_wrapper_and_without(exchange: SimulatedExchange) -> None:
    """SET_PROPERTY changes the wrapper; tickers and mini tickers have what the documents say."""
    async with connect(exchange.endpoint()) as client:
        names = ["ethusdt@ticker", "ethusdt@miniTicker"]
        assert await ask(client, {"method": "SUBSCRIBE", "params": names, "id": 1}) == {"result": None, "id": 1}
        exchange.burst(20)
        messages = {message["e"]: message for message in await take(client, 20)}
        assert await ask(client, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 2}) is not None
        exchange.burst(1)
        (wrapped,) = await take(client, 1)

    assert list(messages["24hrMiniTicker"]) == list("eEscohlvq")
    assert list(messages["24hrTicker"]) == list("eEspPwcQbBaAohlvqOCFLn")
    assert list(wrapped) == ["stream", "data"] and wrapped["stream"] in names


async def test_unknown_streams_are_acknowledged_and_silent(exchange: SimulatedExchange) -> None:
    """They are listed too; what is known comes."""
    unknown = ["nousdt@trade", "btcusdt@news", "btcusdt@depth7", "BTCUSDT@trade"]
    async with connect(exchange.endpoint()) as client:
        assert await ask(client, {"method": "SUBSCRIBE", "params": [*unknown, TRADES], "id": 1}) == {
            "result": None,
            "id": 1,
        }
        listed = await ask(client, {"method": "LIST_SUBSCRIPTIONS", "id": 2})
        assert listed["result"] == [*unknown, TRADES]
        exchange.burst(5)
        assert {message["s"] for message in await take(client, 5)} == {"BTCUSDT"}
        assert exchange.live[0].streams == (TRADES,)


async def test_a_book_goes_on_for_the_next_subscriber(exchange: SimulatedExchange) -> None:
    """Given up and wanted again, the stream goes on at the number that the book has."""
    async with connect(f"{exchange.url}/ws/{DEPTH}") as client:
        exchange.burst(3)
        last = (await take(client, 3))[-1]["u"]
        assert await ask(client, {"method": "UNSUBSCRIBE", "params": [DEPTH], "id": 1})
        assert await ask(client, {"method": "SUBSCRIBE", "params": [DEPTH], "id": 2})
        exchange.burst(1)
        (event,) = await take(client, 1)

    assert event["U"] == last + 1


async def test_errors_may_come_bare() -> None:
    """With `bare_errors` they have neither a wrapper nor an id, as Binance documents them."""
    exchange = SimulatedExchange("binance", rate=None, quirks=["bare_errors"])
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint()) as client:
        error = await ask(client, {"method": "SUBSCRIBE", "params": [], "id": 1})
        good = await ask(client, {"method": "SUBSCRIBE", "params": [TRADES], "id": 2})

    assert error == {"code": 2, "msg": "Invalid request: invalid stream"}
    assert good == {"result": None, "id": 2}


async def test_what_is_lost_between_two_connections_is_counted(exchange: SimulatedExchange) -> None:
    """The market of a topic goes on while nobody is there, and is missed."""
    async with connect(f"{exchange.url}/ws/{TRADES}") as client:
        exchange.burst(2)
        await take(client, 2)
    await exchange.until(lambda: not exchange.live)
    exchange.burst(7)
    async with connect(f"{exchange.url}/ws/{TRADES}") as client:
        exchange.burst(1)
        await take(client, 1)

    assert exchange.missed(TRADES) == exchange.missed() == 7
    with pytest.raises(ConfigError, match="not played"):
        exchange.missed("nousdt@trade")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"symbols": "BTCUSDT"}, "symbols"),
        ({"symbols": []}, "symbols"),
        ({"streams": [TRADES]}, "streams"),
        ({"levels": 3}, "levels"),
        ({"candle": 0.0}, "candle"),
        ({"checksums": True}, "checksums"),
        ({"quirks": ["odd"]}, "quirks"),
        ({"drop_rate": 2.0}, "drop_rate"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], field: str) -> None:
    """Each is named, with what would be right."""
    with pytest.raises(ConfigError) as refused:
        SimulatedExchange("binance", **arguments)

    assert refused.value.field == field


def test_what_only_generated_markets_have_is_refused_of_recordings() -> None:
    """A recording has no books, no quirks, and other symbols."""
    recorded = SimulatedExchange("usdm")

    for field, ask_for in [
        ("symbol", lambda: recorded.book("SUSHIUSDT")),
        ("frames", lambda: recorded.snapshot("SUSHIUSDT")),
        ("frames", recorded.keep_alive),
        ("quirks", lambda: SimulatedExchange("usdm", quirks=["big_ids"])),
        ("checksums", lambda: SimulatedExchange("usdm", checksums=True)),
        ("symbols", lambda: SimulatedExchange("usdm", symbols=["SUSHIUSDT"])),
    ]:
        with pytest.raises(ConfigError) as refused:
            ask_for()
        assert refused.value.field == field
    assert recorded.symbols == ()
