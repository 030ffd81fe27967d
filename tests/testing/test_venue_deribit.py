"""Deribit as the simulated exchange speaks it, asked by a plain client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from rxws.errors import ConfigError
from rxws.testing.exchange import Limits, SimulatedExchange
from tests.testing.plain import NaiveBook, ask, deltas, parsed, take

BOOK = "book.BTC-PERPETUAL.100ms"


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("deribit", rate=None, limits=Limits.off()) as exchange:
        yield exchange


async def call(client: ClientConnection, method: str, number: int = 1, **params: Any) -> Any:
    """Call a method, and return its answer."""
    return await ask(client, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})


async def subscribe(client: ClientConnection, *channels: str) -> Any:
    """Subscribe, and return the result."""
    return (await call(client, "public/subscribe", channels=list(channels)))["result"]


async def data(client: ClientConnection, count: int) -> list[Any]:
    """Return the data of the next notifications."""
    return [message["params"]["data"] for message in await take(client, count)]


def followed(messages: list[Any]) -> NaiveBook:
    """Return a book made of a snapshot and changes, whose numbers and whose words must be right."""
    book, last = NaiveBook(), None
    for message in messages:
        if message["type"] == "change":
            assert message["prev_change_id"] == last, "a gap"
            for side, levels in ((book.bids, message["bids"]), (book.asks, message["asks"])):
                for action, price, size in levels:
                    there = price in side
                    assert action == ("delete" if not size else "change" if there else "new"), (action, price)
        else:
            book = NaiveBook()
        last = message["change_id"]
        book.apply(*(deltas([level[1:] for level in message[side]]) for side in ("bids", "asks")))
    return book


async def test_snapshot_and_changes_make_the_true_book(exchange: SimulatedExchange) -> None:
    """By `prev_change_id`; `new`, `change` and `delete` are what happens to the level."""
    async with connect(exchange.endpoint()) as client:
        assert await subscribe(client, BOOK) == [BOOK]
        exchange.burst(600)
        messages = await data(client, 601)

    assert [message["type"] for message in messages[:3]] == ["snapshot", "change", "change"]
    assert "prev_change_id" not in messages[0]
    book = followed(messages)
    assert book.told() == exchange.book("BTC-PERPETUAL")
    assert book.unknown_deletions == 0
    with pytest.raises(AssertionError, match="a gap"):
        followed(messages[:7] + messages[8:])


async def test_one_who_comes_later_gets_the_book_of_then(exchange: SimulatedExchange) -> None:
    """The second subscriber's snapshot fits the changes that both get, quotes and trades going on meanwhile."""
    async with connect(exchange.endpoint()) as first, connect(exchange.endpoint()) as second:
        await subscribe(first, BOOK, "quote.BTC-PERPETUAL", "trades.BTC-PERPETUAL.100ms")
        exchange.burst(100)
        await subscribe(second, BOOK)
        exchange.burst(100)
        await take(first, exchange.live[0].messages + 1)
        messages = await data(second, exchange.live[1].messages + 1)

    assert messages[0]["type"] == "snapshot" and len(messages) > 20
    assert followed(messages).told() == exchange.book("BTC-PERPETUAL") == exchange.book("BTC-PERPETUAL", BOOK)
    with pytest.raises(ConfigError, match="no topic of this book"):
        exchange.book("BTC-PERPETUAL", "quote.BTC-PERPETUAL")
    with pytest.raises(ConfigError, match="not traded"):
        exchange.book("XRP-PERPETUAL")


async def test_unknown_channels_are_missing_from_the_result(exchange: SimulatedExchange) -> None:
    """It is a success all the same, also where nothing is left."""
    async with connect(exchange.endpoint()) as client:
        for unknown in ("book.X.100ms", "book.BTC-PERPETUAL.1ms", "ticker.BTC-PERPETUAL", "news", "quote.X"):
            assert await subscribe(client, unknown) == []
        assert await subscribe(client, "book.X.100ms", "quote.BTC-PERPETUAL") == ["quote.BTC-PERPETUAL"]
        assert exchange.live[0].streams == ("quote.BTC-PERPETUAL",)


async def test_a_raw_channel_needs_a_login_or_nothing_is_done(exchange: SimulatedExchange) -> None:
    """One of them fails the whole request; after `public/auth` it is told."""
    raw = "book.BTC-PERPETUAL.raw"
    async with connect(exchange.endpoint()) as client:
        refused = await call(client, "public/subscribe", channels=["quote.BTC-PERPETUAL", raw])
        assert refused["error"] == {"message": "raw_subscriptions_not_available_for_unauthorized", "code": 13778}
        assert exchange.live[0].streams == ()
        login = await call(client, "public/auth", grant_type="client_credentials", client_id="a", client_secret="b")
        assert login["result"]["token_type"] == "bearer"
        assert await subscribe(client, raw) == [raw]
        exchange.burst(9)
        assert followed(await data(client, 10)).told() == exchange.book("BTC-PERPETUAL")


async def test_a_live_channel_gives_no_new_snapshot_until_it_is_left(exchange: SimulatedExchange) -> None:
    """Subscribed again it is acknowledged only; after an unsubscribe the snapshot comes."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, BOOK)
        await take(client, 1)
        assert await subscribe(client, BOOK) == [BOOK]
        exchange.burst(1)
        assert [message["type"] for message in await data(client, 1)] == ["change"]
        left = await call(client, "public/unsubscribe", channels=[BOOK, "quote.BTC-PERPETUAL"])
        assert left["result"] == [BOOK]
        await subscribe(client, BOOK)
        assert [message["type"] for message in await data(client, 1)] == ["snapshot"]
        assert (await call(client, "public/unsubscribe_all"))["result"] == "ok"
        assert exchange.live[0].streams == ()


async def test_requests_that_are_wrong_are_told_so(exchange: SimulatedExchange) -> None:
    """Each has its code; what cannot be read has no id, and the connection stays."""
    async with connect(exchange.endpoint()) as client:
        unreadable = await ask(client, "{")
        assert unreadable["error"]["code"] == 11050 and "id" not in unreadable
        assert (await ask(client, "[]"))["error"]["code"] == 11050
        assert (await call(client, "public/nothing"))["error"] == {"message": "Method not found", "code": -32601}
        assert (await call(client, "public/subscribe", channels="all"))["error"]["code"] == -32602
        assert (await ask(client, {"id": 1, "method": 5}))["error"]["code"] == -32600
        assert (await call(client, "public/test", pad="x" * 33_000))["error"]["code"] == -32600
        without = await ask(client, {"jsonrpc": "2.0", "method": "public/test", "params": {}})
        assert without["result"] == {"version": "1.2.26"} and "id" not in without
        answered = await call(client, "public/get_time", 7)
        assert (answered["id"], answered["usDiff"], answered["testnet"]) == (7, 177, False)
        assert answered["usOut"] - answered["usIn"] == 177


async def test_trades_come_in_lists_and_are_consecutive(exchange: SimulatedExchange) -> None:
    """`trade_seq` grows by one over all lists; candles hold what was traded."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, "trades.BTC-PERPETUAL.100ms", "ticker.BTC-PERPETUAL.agg2")
        exchange.burst(200)
        messages = await data(client, 200)

    lists = [message for message in messages if isinstance(message, list)]
    ids = [trade["trade_seq"] for trades in lists for trade in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert any(len(trades) > 1 for trades in lists)
    assert all(trade["trade_id"] == str(trade["trade_seq"]) for trades in lists for trade in trades)
    ticker = next(message for message in reversed(messages) if isinstance(message, dict))
    assert ticker["state"] == "open" and isinstance(ticker["best_bid_price"], Decimal)


async def test_candles_have_no_flag_and_move_on() -> None:
    """One is over when `tick` is another; nothing says it before."""
    now = 1_781_234_500_000
    exchange = SimulatedExchange("deribit", rate=None, limits=Limits.off(), now_ns=lambda: now * 1_000_000)
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint()) as client:
        await subscribe(client, "chart.trades.BTC-PERPETUAL.1")
        exchange.burst(3)
        now += 60_000
        exchange.burst(3)
        candles = await data(client, 6)

    ticks = [candle["tick"] for candle in candles]
    assert ticks == [1_781_234_460_000] * 3 + [1_781_234_520_000] * 3
    assert list(candles[0]) == ["volume", "tick", "open", "low", "high", "cost", "close"]
    assert candles[3]["volume"] < candles[2]["volume"] + candles[5]["volume"]


async def test_windows_of_the_book_are_whole_each_time(exchange: SimulatedExchange) -> None:
    """`book.<i>.none.10.100ms` has ten levels of two numbers, and no link."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, "book.BTC-PERPETUAL.none.10.100ms")
        exchange.burst(5)
        window = (await data(client, 5))[-1]

    assert "prev_change_id" not in window
    assert deltas(window["bids"]) == list(exchange.book("BTC-PERPETUAL").bids[:10])


async def test_numbers_may_have_exponents_and_ids_may_be_big() -> None:
    """The values are the same ones; ids are beyond what a float holds exactly."""
    exchange = SimulatedExchange("deribit", rate=None, limits=Limits.off(), quirks=["exponents", "big_ids"])
    async with asyncio.timeout(10), exchange, connect(exchange.endpoint()) as client:
        await subscribe(client, BOOK)
        texts = [str(await client.recv())]
        exchange.burst(20)
        texts += [str(await client.recv()) for _ in range(20)]

    assert all("e4" in text for text in texts)
    messages = [parsed(text)["params"]["data"] for text in texts]
    assert followed(messages).told() == exchange.book("BTC-PERPETUAL")
    assert all(message["change_id"] > 2**53 for message in messages)


async def test_maintenance_is_told_to_those_who_listen(exchange: SimulatedExchange) -> None:
    """`platform_state` says it before the connection is closed with 1001; others hear nothing."""
    async with connect(exchange.endpoint()) as listener, connect(exchange.endpoint()) as other:
        assert await subscribe(listener, "platform_state") == ["platform_state"]
        assert exchange.announce_shutdown(lead=0.0) == 2
        (told,) = await take(listener, 1)
        await listener.wait_closed()
        await other.wait_closed()

    assert told["params"] == {"channel": "platform_state", "data": {"maintenance": True}}
    assert (listener.close_code, other.close_code) == (1001, 1001)
