"""OKX as the simulated exchange speaks it, asked by a plain client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from zlib import crc32

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rxws.errors import ConfigError
from rxws.testing.exchange import Limits, SimulatedExchange
from tests.testing.plain import NaiveBook, ask, deltas, take

BOOKS = {"channel": "books", "instId": "BTC-USDT"}


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("okx", rate=None, limits=Limits.off()) as exchange:
        yield exchange


async def subscribe(client: ClientConnection, *args: dict[str, str], **more: Any) -> list[Any]:
    """Subscribe, and return an answer for each argument."""
    await client.send(json.dumps({**more, "op": "subscribe", "args": list(args)}))
    return await take(client, len(args))


def followed(messages: list[Any]) -> NaiveBook:
    """Return a book made of a snapshot and updates, whose numbers must be right."""
    book, last = NaiveBook(), -1
    for message in messages:
        (told,) = message["data"]
        assert told["prevSeqId"] == last, "a gap"
        last = told["seqId"]
        book.apply(deltas(told["bids"]), deltas(told["asks"]))
    return book


def checksum(messages: list[Any]) -> int:
    """Return the checksum of a book that keeps the venue's own strings, as its documents describe it."""
    sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
    for message in messages:
        for side, levels in sides.items():
            for price, size, *_ in message["data"][0][side]:
                levels[price] = size
    best = [
        [f"{price}:{size}" for price, size in sorted(levels.items(), key=lambda level: sign * float(level[0]))]
        for levels, sign in (
            ({price: size for price, size in sides["bids"].items() if size != "0"}, -1),
            ({price: size for price, size in sides["asks"].items() if size != "0"}, 1),
        )
    ]
    words = [word for pair in zip(best[0][:25], best[1][:25], strict=True) for word in pair]
    unsigned = crc32(":".join(words).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


async def test_snapshot_and_updates_make_the_true_book(exchange: SimulatedExchange) -> None:
    """By `prevSeqId`; the checksum is 0, as it is today."""
    async with connect(exchange.endpoint()) as client:
        (ack,) = await subscribe(client, BOOKS)
        exchange.burst(600)
        messages = await take(client, 601)

    assert {key: ack[key] for key in ("event", "arg")} == {"event": "subscribe", "arg": BOOKS}
    assert [message["action"] for message in messages[:3]] == ["snapshot", "update", "update"]
    book = followed(messages)
    assert book.told() == exchange.book("BTC-USDT")
    assert book.unknown_deletions == 0
    assert {message["data"][0]["checksum"] for message in messages} == {0}
    with pytest.raises(AssertionError, match="a gap"):
        followed(messages[:7] + messages[8:])


async def test_checksums_are_right_but_for_those_that_are_to_be_wrong() -> None:
    """Those of every message are of the best 25 levels, and one is wrong on order, though the book is not."""
    exchange = SimulatedExchange("okx", rate=None, limits=Limits.off(), checksums=True)
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint()) as client:
        await subscribe(client, BOOKS)
        exchange.burst(50)
        assert exchange.bad_checksum() == 1
        exchange.burst(10)
        messages = await take(client, 61)

    told = [message["data"][0]["checksum"] for message in messages]
    right = [checksum(messages[: count + 1]) for count in range(len(messages))]
    assert [at for at, pair in enumerate(zip(told, right, strict=True)) if pair[0] != pair[1]] == [51]
    assert min(told) < 0 < max(told), "they are signed"
    assert followed(messages).told() == exchange.book("BTC-USDT")


async def test_a_keep_alive_and_a_reset_are_no_gaps(exchange: SimulatedExchange) -> None:
    """Without levels the numbers are equal; after maintenance the new one is less, and links all the same."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, BOOKS)
        exchange.burst(5)
        assert exchange.keep_alive() == 1
        exchange.burst(2)
        exchange.reset_sequence("BTC-USDT")
        exchange.burst(5)
        messages = await take(client, 14)

    quiet = messages[6]["data"][0]
    assert (quiet["bids"], quiet["asks"], quiet["seqId"]) == ([], [], quiet["prevSeqId"])
    falls = [message["data"][0]["seqId"] < message["data"][0]["prevSeqId"] for message in messages]
    assert [at for at, fell in enumerate(falls) if fell] == [9]
    assert followed(messages).told() == exchange.book("BTC-USDT")
    with pytest.raises(ConfigError, match="not traded"):
        exchange.reset_sequence("XRP-USDT")
    with pytest.raises(ConfigError, match="take True"):
        exchange.bad_checksum()


async def test_each_argument_has_its_own_answer(exchange: SimulatedExchange) -> None:
    """A bad one names itself in an error 60018, the others are subscribed; the id comes back."""
    bad = {"channel": "tickers", "instId": "FAKE-USDT"}
    candle = {"channel": "candle1m", "instId": "BTC-USDT"}
    async with connect(exchange.endpoint("public")) as client:
        good, unknown, wrong = await subscribe(
            client, {"channel": "tickers", "instId": "BTC-USDT"}, bad, candle, id="a1"
        )
        (snapshot,) = await take(client, 1)

    assert (good["id"], good["event"], unknown["id"], unknown["code"]) == ("a1", "subscribe", "a1", "60018")
    assert unknown["msg"] == (
        "Wrong URL or channel:tickers,instId:FAKE-USDT doesn't exist. "
        "Please use the correct URL, channel and parameters referring to API document."
    )
    assert wrong["code"] == "60018" and "candle1m" in wrong["msg"]
    assert snapshot["arg"]["channel"] == "tickers"
    assert exchange.connections[0].streams == ("tickers:BTC-USDT",)


async def test_candles_are_told_on_the_business_endpoint_with_a_flag() -> None:
    """The last element is "1" once, when the minute is over; public channels are unknown there."""
    now = 1_781_234_500_000
    exchange = SimulatedExchange("okx", rate=None, limits=Limits.off(), now_ns=lambda: now * 1_000_000)
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint("business")) as client:
        candle = {"channel": "candle1m", "instId": "BTC-USDT"}
        ack, refused = await subscribe(client, candle, BOOKS)
        exchange.burst(3)
        now += 60_000
        exchange.burst(3)
        rows = [message["data"][0] for message in await take(client, 6)]

    assert (ack["event"], refused["code"]) == ("subscribe", "60018")
    assert [(row[0], row[8]) for row in rows] == [
        *[("1781234460000", "0")] * 3,
        ("1781234460000", "1"),
        *[("1781234520000", "0")] * 2,
    ]
    assert rows[2][1:] == [*rows[3][1:8], "0"]


async def test_unsubscribing_ends_it(exchange: SimulatedExchange) -> None:
    """It is acknowledged by argument too, and subscribed again there is a snapshot."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, BOOKS)
        await take(client, 1)
        left = await ask(client, {"id": "a2", "op": "unsubscribe", "args": [BOOKS]})
        assert (left["id"], left["event"], left["arg"]) == ("a2", "unsubscribe", BOOKS)
        assert exchange.live[0].streams == ()
        await subscribe(client, BOOKS)
        assert [message["action"] for message in await take(client, 1)] == ["snapshot"]


async def test_ping_is_answered_by_pong_which_is_no_json(exchange: SimulatedExchange) -> None:
    """It is text, as it is, and no acknowledgement: what is ordered for those waits for the next request."""
    async with connect(exchange.endpoint()) as client:
        exchange.acks("silent")
        await client.send("ping")
        assert await client.recv() == "pong"
        assert exchange.received == {"ping": 1}


@pytest.mark.parametrize(
    ("request_text", "code"),
    [
        ("no json", "60012"),
        ('{"op":"dance","args":[]}', "60012"),
        ('{"op":"subscribe","args":[]}', "60013"),
        ('{"op":"subscribe","args":[{"channel":"tickers"}]}', "60012"),
        ('{"op":"subscribe","id":"no-dashes","args":[{"channel":"books","instId":"BTC-USDT"}]}', "60012"),
    ],
)
async def test_requests_that_are_wrong_are_told_so(exchange: SimulatedExchange, request_text: str, code: str) -> None:
    """Each has its code, and the connection stays."""
    async with connect(exchange.endpoint()) as client:
        error = await ask(client, request_text)
        assert (error["event"], error["code"]) == ("error", code)
        await client.send("ping")
        assert await client.recv() == "pong"


async def test_other_paths_are_refused(exchange: SimulatedExchange) -> None:
    """Private channels are not simulated."""
    with pytest.raises(InvalidStatus):
        await connect(exchange.url + "/ws/v5/private")


async def test_trades_hold_several_fills_and_all_trades_hold_one(exchange: SimulatedExchange) -> None:
    """`count` says how many, and the ids are of the same trades."""
    async with connect(exchange.endpoint("public")) as public, connect(exchange.endpoint("business")) as business:
        await subscribe(public, {"channel": "trades", "instId": "BTC-USDT"})
        await subscribe(business, {"channel": "trades-all", "instId": "BTC-USDT"})
        exchange.burst(300)
        counts = [record.messages for record in exchange.live]
        orders = [message["data"][0] for message in await take(public, counts[0])]
        fills = [message["data"][0] for message in await take(business, counts[1])]

    ids = [int(fill["tradeId"]) for fill in fills]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert [int(order["tradeId"]) - int(order["count"]) for order in orders[1:]] == [
        int(order["tradeId"]) for order in orders[:-1]
    ]
    assert any(order["count"] != "1" for order in orders)


async def test_the_top_of_the_book(exchange: SimulatedExchange) -> None:
    """`books5` and `bbo-tbt` are whole each time."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, *({"channel": channel, "instId": "BTC-USDT"} for channel in ("books5", "bbo-tbt")))
        exchange.burst(30)
        last = {message["arg"]["channel"]: message["data"][0] for message in await take(client, 32)}

    for channel, count in (("books5", 5), ("bbo-tbt", 1)):
        true = exchange.book("BTC-USDT", f"{channel}:BTC-USDT")
        assert deltas(last[channel]["bids"]) == list(true.bids[:count])
        assert deltas(last[channel]["asks"]) == list(true.asks[:count])


async def test_a_planned_end_is_announced_by_a_notice(exchange: SimulatedExchange) -> None:
    """64008 comes without being subscribed to, and 1001 after it."""
    async with connect(exchange.endpoint()) as client:
        exchange.announce_shutdown(lead=0.0)
        (notice,) = await take(client, 1)
        await client.wait_closed()

    assert (notice["event"], notice["code"], client.close_code) == ("notice", "64008", 1001)
