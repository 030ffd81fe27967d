"""What the five venues do not put up with, by a clock that the test moves."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rxws.errors import ConfigError
from rxws.testing._limits import Pool
from rxws.testing.exchange import Limits, ManualClock, SimulatedExchange
from tests.testing.plain import ask, parsed, take
from tests.testing.venues import VENUES, Venue

BOOK = "book.BTC-PERPETUAL.100ms"


def simulate(venue: str, clock: ManualClock, **changed: Any) -> SimulatedExchange:
    """An exchange in which nothing happens by itself, with its venue's own limits but for the changed ones."""
    limits = replace(Limits.of(venue), ping_interval=None, max_age=None, **changed)
    return SimulatedExchange(venue, rate=None, clock=clock, limits=limits)


async def refused(exchange: SimulatedExchange) -> int:
    """Return with which status a handshake is refused."""
    with pytest.raises(InvalidStatus) as error:
        await connect(exchange.endpoint())
    return error.value.response.status_code


async def call(client: ClientConnection, method: str, **params: Any) -> Any:
    """Call a method of Deribit."""
    return await ask(client, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


@pytest.mark.parametrize("venue", VENUES, ids=str)
async def test_one_subscription_breaks_nothing(venue: Venue) -> None:
    """Who does as the venue asks has broken no limit."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(venue.name, clock) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            await venue.subscribe(client)
            clock.advance(20.0)
            exchange.burst(1)
            await client.recv()
            clock.advance(20.0)
            assert exchange.live and not exchange.violations
    assert clock.timers == 0


async def test_the_eleventh_message_in_a_second_is_too_many_for_the_futures() -> None:
    """Ten are answered; then 1008, and two minutes in which nobody is let in."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("binance_usdm", clock) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            for number in range(10):
                assert (await ask(client, {"method": "LIST_SUBSCRIPTIONS", "id": number}))["id"] == number
            await client.send('{"method":"LIST_SUBSCRIPTIONS","id":11}')
            await client.wait_closed()
            assert (client.close_code, client.close_reason) == (1008, "Too many requests")
        assert await refused(exchange) == 429
        assert exchange.violations == {"messages": 1, "ban": 1}
        clock.advance(120.0)
        async with connect(exchange.endpoint()):
            pass


async def test_one_stream_more_than_1024_costs_them_all() -> None:
    """Error 4 and 1008, though the first 1,024 were good."""
    clock = ManualClock()
    names = [f"s{number}usdt@trade" for number in range(1_024)]
    async with asyncio.timeout(10), simulate("binance", clock) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            assert await ask(client, {"method": "SUBSCRIBE", "params": names, "id": 1}) == {"result": None, "id": 1}
            one_more = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2}
            assert await ask(client, one_more) == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 2}
            await client.wait_closed()
    assert (client.close_code, client.close_reason) == (1008, "Invalid request")
    assert exchange.violations == {"streams": 1}


@pytest.mark.parametrize(("venue", "count", "per"), [("binance", 300, 300.0), ("okx", 3, 1.0)])
async def test_dials_are_limited(venue: str, count: int, per: float) -> None:
    """So many in so long, then 429 until the first of them is old enough."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate(venue, clock) as exchange:
        for _ in range(count):
            (await connect(exchange.endpoint())).transport.abort()
        assert await refused(exchange) == 429
        assert exchange.violations == {"attempts": 1}
        clock.advance(per)
        (await connect(exchange.endpoint())).transport.abort()
        await exchange.until(lambda: not exchange.live)


async def test_deribit_has_room_for_32_connections() -> None:
    """The 33rd is refused with 429, and let in when another is gone."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("deribit", clock) as exchange, AsyncExitStack() as open_ones:
        clients = [await open_ones.enter_async_context(connect(exchange.endpoint())) for _ in range(32)]
        assert await refused(exchange) == 429
        assert exchange.violations == {"connections": 1}
        await clients[0].close()
        await exchange.until(lambda: len(exchange.live) == 31)
        async with connect(exchange.endpoint()):
            pass


async def test_okx_does_480_requests_an_hour_a_connection() -> None:
    """However many arguments they have; one more is error 60014, and another connection has its own."""
    clock = ManualClock()
    request = {"op": "unsubscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}] * 2}
    async with asyncio.timeout(10), simulate("okx", clock, idle=None) as exchange:
        async with connect(exchange.endpoint()) as client, connect(exchange.endpoint()) as other:
            for _ in range(480):
                await client.send(json.dumps(request))
                assert {answer["event"] for answer in await take(client, 2)} == {"unsubscribe"}
            assert (await ask(client, request))["code"] == "60014"
            assert (await ask(other, request))["event"] == "unsubscribe"
            await take(other, 1)
            clock.advance(3_600.0)
            assert (await ask(client, request))["event"] == "unsubscribe"
            await take(client, 1)
    assert exchange.violations == {"requests": 1}


async def test_deribit_has_a_pool_of_credits() -> None:
    """Ten subscriptions at once and a hundred other calls; 0.3 seconds pay for one more subscription."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("deribit", clock, idle=None) as exchange:
        async with connect(exchange.endpoint()) as client:
            for _ in range(10):
                assert "result" in await call(client, "public/subscribe", channels=["quote.BTC-PERPETUAL"])
            error = (await call(client, "public/subscribe", channels=[BOOK]))["error"]
            assert error == {"message": "too_many_requests", "code": 10028}
            assert exchange.live[0].streams == ("quote.BTC-PERPETUAL",)
            for _ in range(100):
                assert "result" in await call(client, "public/test")
            assert (await call(client, "public/test"))["error"]["code"] == 10028
            clock.advance(0.31)
            assert "result" in await call(client, "public/subscribe", channels=["quote.BTC-PERPETUAL"])
            assert "error" in await call(client, "public/subscribe", channels=["quote.BTC-PERPETUAL"])
    assert exchange.violations == {"credits": 3}


async def test_coinbase_does_eight_requests_a_second_and_twenty_at_once() -> None:
    """The rest is an error, of all connections together."""
    clock = ManualClock()
    request = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["heartbeat"]}
    async with asyncio.timeout(10), simulate("coinbase_exchange", clock) as exchange:
        async with connect(exchange.endpoint("")) as client, connect(exchange.endpoint()) as other:
            for _ in range(20):
                assert (await ask(client, request))["type"] == "subscriptions"
            assert (await ask(other, request))["type"] == "error"
            clock.advance(0.125)
            assert (await ask(other, request))["type"] == "subscriptions"
            assert (await ask(client, request))["type"] == "error"
    assert exchange.violations == {"requests": 2}


async def test_coinbase_waits_five_seconds_for_a_subscription() -> None:
    """An error is none; who has subscribed in time stays."""
    clock = ManualClock()
    good = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["heartbeat"]}
    bad = {**good, "product_ids": ["FAKE-USD"]}
    async with asyncio.timeout(10), simulate("coinbase_exchange", clock) as exchange:
        async with connect(exchange.endpoint()) as silent, connect(exchange.endpoint()) as other:
            await ask(silent, bad)
            await ask(other, good)
            clock.advance(4.9)
            assert len(exchange.live) == 2
            clock.advance(0.1)
            await silent.wait_closed()
            clock.advance(60.0)
            assert len(exchange.live) == 1
            assert {parsed(await other.recv())["type"] for _ in range(65)} == {"heartbeat"}
    assert silent.close_code == 1000
    assert exchange.violations == {"first_request": 1}


@pytest.mark.parametrize(
    ("venue", "seconds", "code", "reason"),
    [("okx", 30.0, 4004, "No data received in 30s"), ("deribit", 60.0, 1006, "")],
)
async def test_an_idle_connection_ends(venue: str, seconds: float, code: int, reason: str) -> None:
    """Anything that is sent or told begins it anew."""
    clock = ManualClock()
    ping = {"okx": "ping", "deribit": '{"jsonrpc":"2.0","id":1,"method":"public/test","params":{}}'}[venue]
    async with asyncio.timeout(10), simulate(venue, clock) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            clock.advance(seconds - 1.0)
            await client.send(ping)
            await client.recv()
            clock.advance(seconds - 1.0)
            exchange.say("{}")
            await client.recv()
            clock.advance(seconds - 1.0)
            assert exchange.live
            clock.advance(1.0)
            await client.wait_closed()
    assert (client.close_code, client.close_reason or "") == (code, reason)
    assert exchange.violations == {"idle": 1}


async def test_deadlines_are_scaled_by_the_limits() -> None:
    """A minute is a second where a test says so."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("okx", clock, idle=0.5) as exchange:
        async with connect(exchange.endpoint()) as client:
            clock.advance(0.5)
            await client.wait_closed()
    assert client.close_code == 4004


async def test_deribits_test_request_must_be_answered() -> None:
    """By `public/test`, each time; a quiet socket also hears `heartbeat`; without an answer it is 4000."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("deribit", clock) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            assert (await call(client, "public/set_heartbeat", interval=9))["error"]["code"] == -32602
            assert (await call(client, "public/set_heartbeat", interval=10))["result"] == "ok"
            for _ in range(8):
                clock.advance(10.0)
                kinds = [message["params"]["type"] for message in await take(client, 1)]
                if kinds == ["heartbeat"]:
                    kinds += [message["params"]["type"] for message in await take(client, 1)]
                assert kinds[-1] == "test_request"
                assert "result" in await call(client, "public/test")
            clock.advance(10.0)
            await take(client, 1)
            clock.advance(9.9)
            assert exchange.live and not exchange.violations
            clock.advance(0.1)
            with pytest.raises(Exception, match="4000"):
                while True:
                    await client.recv()
    assert client.close_reason == "heartbeat close"
    assert exchange.violations == {"heartbeat_timeout": 1}


async def test_a_busy_connection_hears_test_requests_only() -> None:
    """And none any more after `disable_heartbeat`."""
    clock = ManualClock()
    async with asyncio.timeout(10), simulate("deribit", clock, min_heartbeat=0.5, idle=None) as exchange:
        async with connect(exchange.endpoint(), ping_interval=None) as client:
            await call(client, "public/set_heartbeat", interval=0.5)
            await call(client, "public/subscribe", channels=["quote.BTC-PERPETUAL"])
            exchange.burst(1)
            clock.advance(0.5)
            quote, beat = await take(client, 2)
            assert quote["method"] == "subscription"
            assert beat == {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
            assert (await call(client, "public/disable_heartbeat"))["result"] == "ok"
            clock.advance(60.0)
            assert exchange.live and clock.timers == 0


def test_a_pool_fills_again_and_no_further() -> None:
    """What is spent comes back with time, up to its size."""
    pool = Pool(2, refill=1.0)

    assert [pool.admit(now) for now in (0.0, 0.0, 0.5, 1.0, 1.0, 100.0, 100.0, 100.0)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert all(Pool(None, 1.0).admit(0.0) for _ in range(100))


def test_every_venue_has_its_figures() -> None:
    """They are those of its documents; a venue that is not there is refused."""
    assert Limits.of("binance") == Limits.of("spot") == Limits()
    assert (Limits.of("binance_usdm").messages, Limits.of("binance_usdm").pong_timeout) == (10, 600.0)
    assert Limits.of("deribit").max_age is None
    assert Limits.of("okx").requests == 480
    assert Limits.of("coinbase_exchange").burst == 20
    with pytest.raises(ConfigError, match="take one of"):
        Limits.of("kraken")
