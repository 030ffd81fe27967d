"""The faults of the article on keeping a websocket alive: what its generator did, and what `connections` does."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws import Backoff, connections
from rxws.errors import ConfigError, HandshakeRejected
from rxws.events import Closed, Waiting
from tests.client.hand import flap, forbid, greet, quiet, until

PLAIN = Backoff(initial=0.01, cap=10.0, jitter="none")


def test_the_url_is_asked_for() -> None:
    """Fault: `connect()` had no URL. Right: without one it is no call, and a wrong one is refused where it stands."""
    with pytest.raises(TypeError):
        connections()  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="url"):
        connections("deribit.com")


async def test_the_wait_is_waited() -> None:
    """Fault: `asyncio.sleep` was not awaited: no delay at all. Right: each wait is what the event says, and grows."""
    told: list[object] = []
    async with RawServer(flap) as server, aclosing(connections(server.url, retry=PLAIN, events=told.append)) as fresh:
        loop = asyncio.get_running_loop()
        for _ in range(4):
            await anext(fresh)
        waits = [each.seconds for each in told if isinstance(each, Waiting)]
        assert waits == [0.01, 0.02, 0.04]
        arrived = [each.arrived for each in server.peers]
        assert arrived[-1] - arrived[0] >= sum(waits) and loop.time() >= arrived[-1]


async def test_an_error_in_the_body_is_followed_by_a_wait_too() -> None:
    """Fault: "no sleep required here", and a body that failed was followed by none. Right: leaving counts as a loss."""
    told: list[object] = []
    async with RawServer(quiet) as server, aclosing(connections(server.url, retry=PLAIN, events=told.append)) as fresh:
        count = 0
        async for _ in fresh:
            count += 1
            if count == 4:
                break
        assert [each.seconds for each in told if isinstance(each, Waiting)] == [0.01, 0.02, 0.04]


async def test_whether_it_is_open_is_asked_of_what_exists() -> None:
    """Fault: `websocket.open` is gone, so that its loop never ended. Right: the iteration ends, `error` says why."""
    async with RawServer(flap) as server, aclosing(connections(server.url, retry=PLAIN)) as fresh:
        connection = await anext(fresh)
        assert [message async for message in connection] == []
        assert connection.error is not None and connection.connection.end_reason is not None


async def test_break_closes_the_socket() -> None:
    """Fault: `break` left the socket to the collector. Right: under `aclosing` it is closed when the block ends."""
    async with RawServer(greet) as server:
        async with aclosing(connections(server.url)) as fresh:
            async for connection in fresh:
                assert await anext(connection) == '{"n":1}'
                break
        await until(lambda: server.peers[0].ended)


async def test_a_wrong_password_is_no_reason_to_try_again() -> None:
    """Fault: everything was caught, bad addresses and 401 too. Right: they are raised, after one dial."""
    told: list[object] = []
    async with RawServer(forbid) as server:
        with pytest.raises(HandshakeRejected):
            async for _ in connections(server.url, retry=PLAIN, events=told.append):
                raise AssertionError("there is none")
        assert len(server.peers) == 1 and len([each for each in told if isinstance(each, Closed)]) == 1


async def test_its_own_example_reads_on_over_losses() -> None:
    """Fault: subscribed without an id, and never asked whether that worked. Right: the reply is read first."""

    async def deribit(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        peer.write(frame(TEXT, b'{"jsonrpc":"2.0","id":1,"result":["ticker.BTC-PERPETUAL.100ms"]}'))
        peer.number()
        await peer.end(1001)

    subscribe = {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": ["ticker"]}}
    seen: list[str | bytes] = []
    async with RawServer(deribit) as server, aclosing(connections(server.url, retry=PLAIN)) as fresh:
        async for connection in fresh:
            connection.send(subscribe)
            assert '"id":1' in str(await anext(connection))
            seen += [message async for message in connection]
            if len(seen) == 2:
                break
    assert seen == ['{"n":1}', '{"n":2}']
