"""What the simulated exchange understands of Binance's protocol, asked by a plain client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rxws.testing.exchange import Limits, SimulatedExchange

TRADES, KLINES = "sushiusdt@aggTrade", "sushiusdt@kline_1m"
QUOTES = "sushiusdt@bookTicker"


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    limits = Limits(messages=None, streams=4)
    async with (
        asyncio.timeout(10),
        SimulatedExchange("usdm", rate=None, limits=limits) as exchange,
    ):
        yield exchange


async def ask(client: ClientConnection, request: Any) -> Any:
    """Send one request, and return what comes next."""
    await client.send(request if isinstance(request, str) else json.dumps(request))
    return json.loads(await client.recv())


async def take(client: ClientConnection, count: int) -> list[Any]:
    """Return the next messages."""
    return [json.loads(await client.recv()) for _ in range(count)]


async def test_a_raw_url_gets_bare_data_with_its_number(exchange: SimulatedExchange) -> None:
    """On /ws/<stream> the number is the key n of the data."""
    async with connect(f"{exchange.url}/ws/{TRADES}") as client:
        exchange.burst(2)
        first, second = await take(client, 2)

    assert (first["e"], first["s"], first["n"]) == ("aggTrade", "SUSHIUSDT", 1)
    assert second["n"] == 2


async def test_a_combined_url_gets_wrapped_data_with_its_number(
    exchange: SimulatedExchange,
) -> None:
    """On /stream?streams= the number stands beside stream and data."""
    async with connect(exchange.combined_url(TRADES, KLINES)) as client:
        exchange.burst(40)
        messages = await take(client, 40)

    assert [message["n"] for message in messages] == list(range(1, 41))
    assert {message["stream"] for message in messages} == {TRADES, KLINES}
    assert list(messages[0]) == ["stream", "data", "n"]
    assert "n" not in messages[0]["data"]


async def test_each_connection_gets_its_own_wrapper(exchange: SimulatedExchange) -> None:
    """One message goes out wrapped to one client and raw to the other."""
    async with (
        connect(f"{exchange.url}/ws/{TRADES}") as raw,
        connect(exchange.combined_url(TRADES)) as combined,
    ):
        exchange.burst(1)
        (bare,) = await take(raw, 1)
        (wrapped,) = await take(combined, 1)

    assert bare == {**wrapped["data"], "n": wrapped["n"]}


@pytest.mark.parametrize(
    "path",
    [
        "/stream?streams=sushiusdt%40aggTrade",
        "/ws/sushiusdt%40aggTrade/unknown@trade",
        "/market/stream?streams=sushiusdt@aggTrade&timeUnit=MILLISECOND",
    ],
)
async def test_urls_may_be_encoded_and_routed(exchange: SimulatedExchange, path: str) -> None:
    """Percent signs, several streams after /ws, and the routes of the futures are understood."""
    async with connect(exchange.url + path) as client:
        exchange.burst(1)
        (message,) = await take(client, 1)

    assert message["n"] == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/wss/x@trade", 404),
        ("/ws/x@trade?timeUnit=MICROSECOND", 400),
        ("/stream?streams=a@trade/b@trade/c@trade/d@trade/e@trade", 400),
    ],
)
async def test_other_urls_are_refused(exchange: SimulatedExchange, path: str, status: int) -> None:
    """What is not simulated is refused with a status, and counted."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(exchange.url + path)

    assert refused.value.response.status_code == status
    assert (exchange.handshakes_accepted, exchange.handshakes_refused) == (0, 1)


@pytest.mark.parametrize(("path", "wrapped"), [("/ws", False), ("/stream", True)])
async def test_a_bare_connection_is_filled_by_subscribe(exchange: SimulatedExchange, path: str, wrapped: bool) -> None:
    """SUBSCRIBE adds, UNSUBSCRIBE removes, LIST_SUBSCRIPTIONS lists, each with its id."""
    async with connect(exchange.url + path) as client:
        both = {"method": "SUBSCRIBE", "params": [TRADES, QUOTES], "id": 1}
        assert await ask(client, both) == {"result": None, "id": 1}
        fewer = {"method": "UNSUBSCRIBE", "params": [QUOTES], "id": "unsub7"}
        assert await ask(client, fewer) == {"result": None, "id": "unsub7"}
        listed = await ask(client, {"method": "LIST_SUBSCRIPTIONS", "id": None})
        assert listed == {"result": [TRADES], "id": None}
        exchange.burst(3)
        messages = await take(client, 3)

    assert {("stream" in message) for message in messages} == {wrapped}
    assert exchange.received["SUBSCRIBE"] == 1


async def test_an_unknown_stream_is_acknowledged_and_silent(exchange: SimulatedExchange) -> None:
    """Whoever misspells a stream is told nothing."""
    async with connect(exchange.url + "/ws") as client:
        request = {"method": "SUBSCRIBE", "params": ["nosuch@trade"], "id": 1}
        assert await ask(client, request) == {"result": None, "id": 1}
        exchange.burst(500)
        listed = await ask(client, {"method": "LIST_SUBSCRIPTIONS", "id": 2})

    assert listed == {"result": ["nosuch@trade"], "id": 2}


async def test_the_property_combined_changes_the_wrapper(exchange: SimulatedExchange) -> None:
    """SET_PROPERTY holds for all later messages of the connection, GET_PROPERTY tells."""
    async with connect(f"{exchange.url}/ws/{TRADES}") as client:
        get = {"method": "GET_PROPERTY", "params": ["combined"], "id": 1}
        assert await ask(client, get) == {"result": False, "id": 1}
        put = {"method": "SET_PROPERTY", "params": ["combined", True], "id": 2}
        assert await ask(client, put) == {"result": None, "id": 2}
        assert await ask(client, get) == {"result": True, "id": 1}
        exchange.burst(1)
        (message,) = await take(client, 1)

    assert message["stream"] == TRADES


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ("{", 3, "Invalid JSON"),
        ("[]", 2, "missing field `method`"),
        ({"id": 1}, 2, "missing field `method`"),
        ({"method": "subscribe", "id": 1}, 2, "unknown variant `subscribe`"),
        ({"method": "SUBSCRIBE", "params": ["x@trade"]}, 2, "request ID"),
        ({"method": "SUBSCRIBE", "params": ["x@trade"], "id": True}, 2, "request ID"),
        ({"method": "SUBSCRIBE", "params": ["x@trade"], "id": "x" * 37}, 2, "request ID"),
        ({"method": "SUBSCRIBE", "params": ["x@trade"], "id": 2**63}, 2, "request ID"),
        ({"method": "SUBSCRIBE", "params": [5], "id": 1}, 2, "invalid stream"),
        ({"method": "SUBSCRIBE", "id": 1}, 2, "invalid stream"),
        ({"method": "LIST_SUBSCRIPTIONS", "params": ["x"], "id": 1}, 2, "too many parameters"),
        ({"method": "GET_PROPERTY", "params": ["combined", 1], "id": 1}, 2, "too many parameters"),
        ({"method": "GET_PROPERTY", "params": [5], "id": 1}, 2, "property name"),
        ({"method": "GET_PROPERTY", "id": 1}, 2, "property name"),
        ({"method": "SET_PROPERTY", "params": ["speed", True], "id": 1}, 0, "Unknown property"),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1, "expected Boolean"),
        ({"method": "SET_PROPERTY", "params": ["combined"], "id": 1}, 1, "expected Boolean"),
    ],
)
async def test_a_wrong_request_gets_its_error(
    exchange: SimulatedExchange, request_: Any, code: int, words: str
) -> None:
    """Each error of Binance's table, with the id where there is a good one, and the connection stays."""
    async with connect(exchange.url + "/ws") as client:
        reply = await ask(client, request_)
        listed = await ask(client, {"method": "LIST_SUBSCRIPTIONS", "id": 9})

    assert reply["error"]["code"] == code
    assert words in reply["error"]["msg"]
    assert ("id" in reply) == (words not in ("Invalid JSON", "request ID") and request_ != "[]")
    assert listed == {"result": [], "id": 9}


async def test_one_stream_too_many_is_an_error_and_a_close(exchange: SimulatedExchange) -> None:
    """Error 4, then close code 1008; of a request that goes too far nothing is taken."""
    async with connect(f"{exchange.url}/ws/a@trade/b@trade/c@trade/d@trade") as client:
        again = {"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1}
        assert await ask(client, again) == {"result": None, "id": 1}
        reply = await ask(client, {"method": "SUBSCRIBE", "params": ["e@trade"], "id": 2})
        await client.wait_closed()

    assert reply == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 2}
    assert (client.close_code, client.close_reason) == (1008, "Invalid request")


async def test_a_request_may_come_in_fragments(exchange: SimulatedExchange) -> None:
    """What a client sends in several frames is one request."""
    async with connect(exchange.url + "/ws") as client:
        await client.send(['{"method":"LIST_', 'SUBSCRIPTIONS",', '"id":1}'])
        (reply,) = await take(client, 1)

    assert reply == {"result": [], "id": 1}


async def test_the_market_goes_on_with_nobody_there(exchange: SimulatedExchange) -> None:
    """Numbers are given whether or not somebody is connected."""
    exchange.burst(7)
    async with connect(f"{exchange.url}/ws/{TRADES}") as client:
        exchange.burst(1)
        (message,) = await take(client, 1)

    assert message["n"] == 8 == exchange.produced
