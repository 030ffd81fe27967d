"""Binance's USD-M futures as the simulated exchange speaks them, asked by a plain client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rxws.errors import ConfigError
from rxws.testing.exchange import Limits, SimulatedExchange
from tests.testing.plain import NaiveBook, ask, deltas, take

DEPTH = "btcusdt@depth@100ms"


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("binance_usdm", rate=None, limits=Limits.off()) as exchange:
        yield exchange


def synced(snapshot: bytes, events: list[Any]) -> NaiveBook:
    """Return a book made of a snapshot and the events that were buffered, by the rules of the futures."""
    book, told = NaiveBook(), json.loads(snapshot)
    book.apply(deltas(told["bids"]), deltas(told["asks"]))
    kept = [event for event in events if event["u"] >= told["lastUpdateId"]]
    assert kept[0]["U"] <= told["lastUpdateId"] <= kept[0]["u"]
    for before, event in zip([None, *kept], kept, strict=False):
        assert before is None or event["pu"] == before["u"], "a gap"
        book.apply(deltas(event["b"]), deltas(event["a"]))
    return book


@pytest.mark.parametrize("before", [0, 40])
async def test_snapshot_and_deltas_make_the_true_book(exchange: SimulatedExchange, before: int) -> None:
    """By `pu`, wherever the snapshot falls, the first moment too."""
    async with connect(f"{exchange.url}/public/ws/{DEPTH}") as client:
        exchange.burst(before)
        snapshot = exchange.snapshot("BTCUSDT")
        exchange.burst(600)
        events = await take(client, before + 600)

    assert synced(snapshot, events).told() == exchange.book("BTCUSDT")
    assert any(event["U"] > event["pu"] + 1 for event in events), "numbers skip"
    with pytest.raises(AssertionError, match="a gap"):
        synced(snapshot, events[: before + 5] + events[before + 6 :])


async def test_partial_books_are_in_the_same_numbers(exchange: SimulatedExchange) -> None:
    """`depth20` has `U`, `u` and `pu` too, so that a book can be made from it."""
    async with connect(f"{exchange.url}/public/stream?streams=btcusdt@depth20@100ms") as client:
        exchange.burst(30)
        events = [message["data"] for message in await take(client, 30)]

    assert [event["pu"] for event in events[1:]] == [event["u"] for event in events[:-1]]
    assert len(events[-1]["b"]) == 20
    assert deltas(events[-1]["b"]) == list(exchange.book("BTCUSDT").bids[:20])


async def test_the_wrong_class_is_acknowledged_and_silent(exchange: SimulatedExchange) -> None:
    """Books and quotes are told under /public, all else under /market, and nothing says so."""
    streams = [DEPTH, "btcusdt@bookTicker", "btcusdt@aggTrade", "btcusdt@kline_1m", "btcusdt@ticker"]
    request = {"method": "SUBSCRIBE", "params": streams, "id": 1}
    async with (
        connect(exchange.endpoint("public")) as public,
        connect(exchange.endpoint("market")) as market,
        connect(f"{exchange.url}/ws") as legacy,
    ):
        for client in (public, market, legacy):
            assert await ask(client, request) == {"result": None, "id": 1}
        exchange.burst(100)
        counts = [record.messages for record in exchange.live]
        kinds = [
            {message["e"] for message in await take(client, count)}
            for client, count in zip((public, market, legacy), counts, strict=True)
        ]

    assert kinds == [
        {"depthUpdate", "bookTicker"},
        {"aggTrade", "kline", "24hrTicker"},
        {"depthUpdate", "bookTicker"},
    ]
    assert counts[0] + counts[1] == 100
    with pytest.raises(ConfigError, match="private"):
        exchange.endpoint("private")


async def test_its_frames_differ_from_those_of_spot(exchange: SimulatedExchange) -> None:
    """Quotes have a type and times, trades no `M`, tickers no quote."""
    names = ("btcusdt@trade", "btcusdt@aggTrade", "btcusdt@ticker")
    async with (
        connect(f"{exchange.url}/market/ws/{'/'.join(names)}") as market,
        connect(f"{exchange.url}/public/ws/btcusdt@bookTicker") as public,
    ):
        exchange.burst(60)
        counts = [record.messages for record in exchange.live]
        told = {message["e"]: list(message) for message in await take(market, counts[0])}
        told |= {message["e"]: list(message) for message in await take(public, counts[1])}

    assert told == {
        "trade": ["e", "E", "T", "s", "t", "p", "q", "X", "m"],
        "aggTrade": ["e", "E", "a", "s", "p", "q", "f", "l", "T", "m"],
        "24hrTicker": list("eEspPwcQohlvqOCFLn"),
        "bookTicker": ["e", "u", "s", "b", "B", "a", "A", "T", "E"],
    }
    assert list(json.loads(exchange.snapshot("BTCUSDT", 5))) == ["lastUpdateId", "E", "T", "bids", "asks"]
