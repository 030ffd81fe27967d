"""The bookkeeping of the simulated exchange, by its own numbers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect

from rxws.errors import ConfigError
from rxws.testing.exchange import Gap, SimulatedExchange

A, B = "x@aggTrade", "y@aggTrade"


def frames() -> list[dict[str, object]]:
    """Return a market of two streams that take turns: odd numbers are A, even ones B."""
    return [{"stream": stream, "data": {"e": "aggTrade"}} for stream in (A, B)]


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange(frames(), rate=None) as exchange:
        yield exchange


def tick(exchange: SimulatedExchange, count: int) -> None:
    """Let the market go on, for all streams, whoever listens."""
    exchange._venue.produce(count)


async def test_what_happens_between_two_connections_is_missed(
    exchange: SimulatedExchange,
) -> None:
    """Counted a stream, with its numbers, when the next connection wants it."""
    tick(exchange, 4)
    async with connect(exchange.combined_url(A)):
        tick(exchange, 2)
        exchange.drop()
        tick(exchange, 6)
        assert exchange.missed() == 0
    async with connect(exchange.combined_url(A)):
        assert exchange.missed(A) == exchange.missed() == 3
        assert exchange.missed(B) == 0
        assert exchange.gaps == (Gap(A, first=7, last=11, count=3),)
        tick(exchange, 2)
    assert exchange.missed() == 3


async def test_received_and_missed_add_up_through_many_faults(
    exchange: SimulatedExchange,
) -> None:
    """Of all that happens from the first to the last message got, none is unaccounted for."""
    got: list[int] = []
    for fault in (exchange.close, exchange.drop, exchange.reset, exchange.stall) * 3:
        tick(exchange, 3)
        async with connect(exchange.combined_url(A)) as client:
            tick(exchange, 4)
            got += [json.loads(await client.recv())["n"] for _ in range(2)]
            fault()
            tick(exchange, 2)
            client.transport.abort()
    happened = [number for number in range(got[0], got[-1] + 1) if number % 2]

    assert len(got) + exchange.missed(A) == len(happened)
    assert len(got) == len(set(got))
    assert exchange.handshakes_accepted == 12


async def test_before_the_first_and_after_the_last_nothing_is_missed(
    exchange: SimulatedExchange,
) -> None:
    """Nobody wanted it yet, or wants it any more."""
    tick(exchange, 10)
    async with connect(exchange.combined_url()):
        tick(exchange, 10)
    await exchange.until(lambda: not exchange.live)
    tick(exchange, 10)

    assert exchange.missed() == 0


async def test_what_another_connection_gets_is_not_missed(exchange: SimulatedExchange) -> None:
    """One is enough."""
    async with connect(exchange.combined_url(A)), connect(exchange.combined_url(A)) as second:
        tick(exchange, 2)
        exchange._venue.connections.copy().pop().cut("dropped", reset=False)
        tick(exchange, 2)
        await second.recv()
    async with connect(exchange.combined_url(A)):
        assert exchange.missed() == 0


async def test_until_it_is_subscribed_again_a_stream_is_missed(
    exchange: SimulatedExchange,
) -> None:
    """An open connection that does not want the stream yet does not help."""
    subscribe = json.dumps({"method": "SUBSCRIBE", "params": [A], "id": 1})
    for _ in range(2):
        async with connect(exchange.url + "/ws") as client:
            tick(exchange, 2)
            await client.send(subscribe)
            await client.recv()
        await exchange.until(lambda: not exchange.live)
    assert exchange.missed() == 1


async def test_what_was_unsubscribed_is_not_missed(exchange: SimulatedExchange) -> None:
    """By UNSUBSCRIBE a client says that it does not want it."""
    async with connect(exchange.combined_url(A)) as client:
        for method in ("UNSUBSCRIBE", "SUBSCRIBE"):
            tick(exchange, 2)
            await client.send(json.dumps({"method": method, "params": [A], "id": 1}))
            await exchange.until(lambda method=method: exchange.received[method])

    assert exchange.missed() == 0


async def test_a_stall_is_missed_when_it_is_resumed(exchange: SimulatedExchange) -> None:
    """What was not told in silence is not told later."""
    async with connect(exchange.combined_url(A)) as client:
        exchange.stall()
        tick(exchange, 6)
        assert exchange.missed() == 0
        exchange.resume()
        tick(exchange, 2)
        assert json.loads(await client.recv())["n"] == 7

    assert exchange.missed() == 3


async def test_each_connection_has_a_record(exchange: SimulatedExchange) -> None:
    """Its path, streams, messages, bytes and numbers, what it sent, and how it ended."""
    async with connect(exchange.combined_url(A)) as client:
        tick(exchange, 4)
        sizes = [len(await client.recv()) for _ in range(2)]
        (live,) = exchange.live
        assert (live.serial, live.streams, live.ended) == (1, (A,), None)
        await client.close(4000, "bye")
    await exchange.until(lambda: not exchange.live)

    (record,) = exchange.connections
    assert record.target == f"/stream?streams={A}"
    assert (record.messages, list(record.numbers)) == (2, [1, 3])
    assert record.bytes == sum(sizes) + 2 * 2
    assert record.received == exchange.received == {"CLOSE": 1}
    assert record.ended == "closed by the client with 4000"


async def test_a_client_that_is_cut_off_has_a_record_of_it(exchange: SimulatedExchange) -> None:
    """The end of TCP without a close frame is 1006."""
    async with connect(exchange.url + "/ws") as client:
        client.transport.abort()
        await exchange.until(lambda: not exchange.live)

    assert [record.ended for record in exchange.connections] == ["lost with 1006"]


async def test_the_history_is_bounded_and_the_counts_are_not() -> None:
    """Numbers are kept as many as asked; of connections the last hundred."""
    async with asyncio.timeout(10), SimulatedExchange(frames(), rate=None, history=3) as exchange:
        async with connect(exchange.combined_url(A)) as client:
            tick(exchange, 20)
            assert list(exchange.live[0].numbers) == [15, 17, 19]
            assert exchange.live[0].messages == 10
            assert client.close_code is None
        for _ in range(105):
            (await connect(exchange.url + "/ws")).transport.abort()
        assert exchange.handshakes_accepted == 106
        assert len(exchange.connections) == 100


def test_a_stream_that_is_not_played_cannot_have_been_missed() -> None:
    """A misspelt name is an error, not 0."""
    with pytest.raises(ConfigError, match="nknusdt@klein"):
        SimulatedExchange().missed("nknusdt@klein")
