"""Coinbase Exchange as the simulated exchange speaks it, asked by a plain client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rxws.testing.exchange import Limits, ManualClock, SimulatedExchange
from tests.testing.plain import NaiveBook, ask, deltas, parsed, take


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    clock = ManualClock()
    market = SimulatedExchange("coinbase_exchange", rate=None, limits=Limits.off(), clock=clock)
    async with asyncio.timeout(10), market as exchange:
        yield exchange


async def subscribe(client: ClientConnection, *channels: Any, products: tuple[str, ...] = ("BTC-USD",)) -> Any:
    """Subscribe, and return all that is subscribed to."""
    request = {"type": "subscribe", "product_ids": list(products), "channels": list(channels)}
    return await ask(client, request)


def followed(messages: list[Any]) -> NaiveBook:
    """Return a book made of a snapshot and updates, which have no numbers."""
    book = NaiveBook()
    for message in messages:
        if message["type"] == "snapshot":
            book.apply(deltas(message["bids"]), deltas(message["asks"]))
        else:
            for side, *level in message["changes"]:
                book.apply(*((deltas([level]), []) if side == "buy" else ([], deltas([level]))))
    return book


@pytest.mark.parametrize(("channel", "acknowledged"), [("level2_batch", "level2_50"), ("level2", "level2")])
async def test_snapshot_and_updates_make_the_true_book(
    exchange: SimulatedExchange, channel: str, acknowledged: str
) -> None:
    """`level2_batch` is acknowledged by another name; nothing numbers the updates."""
    async with connect(exchange.endpoint()) as client:
        ack = await subscribe(client, channel)
        exchange.burst(600)
        messages = await take(client, 601)

    assert ack == {"type": "subscriptions", "channels": [{"name": acknowledged, "product_ids": ["BTC-USD"]}]}
    assert [message["type"] for message in messages[:2]] == ["snapshot", "l2update"]
    book = followed(messages)
    assert book.told() == exchange.book("BTC-USD")
    assert book.unknown_deletions == 0
    assert followed(messages[:-1]).told() != exchange.book("BTC-USD")


async def test_every_answer_is_all_that_is_subscribed_to(exchange: SimulatedExchange) -> None:
    """By channel, whatever the request was; without products a whole channel is left."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, "ticker", {"name": "heartbeat", "product_ids": ["ETH-USD"]})
        await take(client, 1)
        both = await subscribe(client, "ticker", products=("ETH-USD",))
        await take(client, 1)
        fewer = await ask(client, {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channels": ["ticker"]})
        none = await ask(client, {"type": "unsubscribe", "channels": ["ticker"]})

    assert both["channels"] == [
        {"name": "ticker", "product_ids": ["BTC-USD", "ETH-USD"]},
        {"name": "heartbeat", "product_ids": ["ETH-USD"]},
    ]
    assert fewer["channels"][0] == {"name": "ticker", "product_ids": ["ETH-USD"]}
    assert none["channels"] == [{"name": "heartbeat", "product_ids": ["ETH-USD"]}]


async def test_matches_begin_with_the_last_one_and_are_consecutive(exchange: SimulatedExchange) -> None:
    """First `last_match`, of today; then each `trade_id` is one more. Tickers name the same trades."""
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, "matches", "ticker")
        exchange.burst(200)
        messages = await take(client, 202)

    matches = [message for message in messages if message["type"] in ("last_match", "match")]
    assert [match["type"] for match in matches[:3]] == ["last_match", "match", "match"]
    assert matches[0]["time"][:4] == matches[1]["time"][:4]
    ids = [match["trade_id"] for match in matches]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    sequences = {match["trade_id"]: match["sequence"] for match in matches}
    tickers = [message for message in messages if message["type"] == "ticker" and message["trade_id"] in sequences]
    assert len(tickers) > 30
    assert all(ticker["sequence"] == sequences[ticker["trade_id"]] for ticker in tickers)
    assert all(Decimal(ticker["best_bid"]) < Decimal(ticker["best_ask"]) for ticker in tickers)


async def test_a_heartbeat_a_second_has_the_last_trade_told(exchange: SimulatedExchange) -> None:
    """By the exchange's clock, for each product; a match that was dropped is seen by it."""
    clock = exchange._clock
    assert isinstance(clock, ManualClock)
    async with connect(exchange.endpoint()) as client:
        await subscribe(client, "heartbeat", "matches")
        exchange.burst(5)
        told = await take(client, 6)
        clock.advance(1.0)
        (beat,) = await take(client, 1)
        assert (beat["type"], beat["product_id"]) == ("heartbeat", "BTC-USD")
        assert (beat["last_trade_id"], beat["sequence"]) == (told[-1]["trade_id"], told[-1]["sequence"])
        exchange.drop_messages()
        exchange.burst(1)
        clock.advance(2.0)
        beats = await take(client, 2)

    assert [beat["last_trade_id"] for beat in beats] == [told[-1]["trade_id"] + 1] * 2
    assert [drop.stream for drop in exchange.dropped] == ["matches:BTC-USD"]


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        ('{"type":"subscribe","product_ids":["FAKE-USD"],"channels":["ticker"]}', "FAKE-USD is not a valid product"),
        ('{"type":"subscribe","product_ids":["BTC-USD"],"channels":["news"]}', "news is not a valid channel"),
        ('{"type":"subscribe","product_ids":["BTC-USD"],"channels":["full"]}', "full channel requires authentication"),
        ('{"type":"subscribe","product_ids":[],"channels":["ticker"]}', "ticker needs products"),
        ('{"type":"subscribe","product_ids":["BTC-USD"]}', "channels must be a list of at least one"),
        ('{"type":"dance"}', "dance is not a message type"),
        ("{", "the message is no JSON"),
    ],
)
async def test_errors_say_not_to_what(exchange: SimulatedExchange, request_text: str, reason: str) -> None:
    """A reason in words and no id; nothing of the request is done."""
    async with connect(exchange.endpoint()) as client:
        error = await ask(client, request_text)
        assert (error["type"], error["reason"]) == ("error", reason)
        assert exchange.live[0].streams == ()


async def test_there_is_one_path(exchange: SimulatedExchange) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidStatus):
        await connect(exchange.url + "/ws")


async def test_a_planned_end_is_not_announced(exchange: SimulatedExchange) -> None:
    """It just closes."""
    async with connect(exchange.endpoint()) as client:
        exchange.announce_shutdown(lead=3.0)
        assert isinstance(exchange._clock, ManualClock)
        exchange._clock.advance(3.0)
        await client.wait_closed()

    assert client.close_code == 1001


async def test_a_snapshot_may_be_larger_than_clients_take_by_default() -> None:
    """With enough levels it is beyond the mebibyte of websockets; one that takes it has the true book."""
    market = SimulatedExchange("coinbase_exchange", symbols=["BTC-USD"], rate=None, limits=Limits.off(), levels=25_000)
    async with asyncio.timeout(30), market as exchange, connect(exchange.endpoint(), max_size=None) as client:
        await subscribe(client, "level2_batch")
        exchange.burst(1)
        snapshot, update = str(await client.recv()), (await take(client, 1))[0]

    assert len(snapshot) > 2**20
    assert followed([parsed(snapshot), update]).told() == exchange.book("BTC-USD")
