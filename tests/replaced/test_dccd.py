"""The faults of dccd's `WebSocketBase`: what it did, and what is right."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

import rxws
from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws import Backoff, ws_observable
from rxws.errors import DecodeError, RetriesExhausted
from rxws.events import BadFrame, Closed, GaveUp, Waiting
from rxws.testing import Leftovers
from tests.client.hand import flap, forbid, outcome, quiet, refuse, task, turns, until

PLAIN = Backoff(initial=0.01, cap=10.0, jitter="none")


async def test_a_clean_close_is_followed_by_a_wait(hand: Any) -> None:
    """Fault: after a clean close it was back at once, 472 times a second. Right: a back-off, which is told."""
    async with RawServer(flap) as server, hand(server.url, connect=False, retry=PLAIN) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: len(client.of(Waiting)) == 4)
        assert [each.seconds for each in client.of(Waiting)] == [0.01, 0.02, 0.04, 0.08]
        await client.close()
        await connecting


@pytest.mark.parametrize("script", [quiet, refuse], ids=["quiet stream", "back-off"])
async def test_stop_stops_at_once(hand: Any, script: Any) -> None:
    """Fault: `stop` waited for the next frame, and for the back-off. Right: it is over when `close` returns."""
    slow = {"retry": Backoff.fixed(3600.0)}
    async with RawServer(script) as server, hand(server.url, connect=False, **slow) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: client.is_connected or client.of(Waiting))
        await client.close()
        await hand.nothing_left()
        await connecting


async def test_a_script_that_fails_each_time_grows_the_back_off(hand: Any) -> None:
    """Fault: the handshake reset the delay: 19 tries in 2 s. Right: it is no proof; and max_attempts ends it."""

    async def on_connect(connection: Any) -> None:
        raise ValueError("the login is wrong")

    settings = {"on_open": on_connect, "retry": Backoff(initial=0.01, cap=10.0, jitter="none", max_attempts=4)}
    async with RawServer(quiet) as server, hand(server.url, connect=False, **settings) as client:
        assert isinstance(await outcome(client.connect()), RetriesExhausted)
        assert [each.seconds for each in client.of(Waiting)] == [0.01, 0.02, 0.04]


async def test_a_cancelled_iteration_is_cancelled() -> None:
    """Fault: CancelledError was swallowed. Right: it is raised, and nothing is left."""
    async with RawServer(quiet) as server:
        with Leftovers() as leftovers:

            async def read() -> None:
                async with rxws.aiter(ws_observable(server.url)) as values:
                    async for _ in values:
                        pass

            reading = leftovers.as_client(task, read())
            await until(lambda: server.peers)
            await turns()
            reading.cancel()
            await asyncio.wait([reading])
            assert reading.cancelled()
            await until(lambda: not leftovers.found(), 2.0)


async def broken_then_whole(peer: Peer) -> None:
    """Accept; a message that is no JSON, then one that is."""
    await peer.accept()
    peer.write(frame(TEXT, b"{") + frame(TEXT, b'{"n":1}'))
    await peer.listen()


async def test_a_message_that_cannot_be_decoded_kills_nothing(hand: Any) -> None:
    """Fault: it ended the iterator, and left the socket to the collector. Right: told, counted, and skipped."""
    async with RawServer(broken_then_whole) as server, hand(server.url, decode=msgspec.json.decode) as client:
        assert await client.receive(5.0) == {"n": 1}
        assert client.stats.bad_frames == 1 and len(client.of(BadFrame)) == 1


async def test_where_it_is_to_be_fatal_the_socket_goes_too(hand: Any) -> None:
    """The same fault, the other way to be right: on_bad_frame="raise" is an error, and nothing stays open."""
    fatal = {"decode": msgspec.json.decode, "on_bad_frame": "raise"}
    async with RawServer(broken_then_whole) as server, hand(server.url, connect=False, **fatal) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: client.of(GaveUp))
        assert isinstance(await outcome(client.receive()), DecodeError)
        await hand.nothing_left()
        await connecting


async def test_the_log_tells_no_token(caplog: pytest.LogCaptureFixture) -> None:
    """Fault: the raw URL was logged, with its token. Right: masked, in the log and in the error."""
    retry = Backoff(initial=0.001, cap=0.001, max_attempts=2)
    with caplog.at_level("DEBUG"), pytest.raises(RetriesExhausted) as raised:
        await anext(rxws.aiter(ws_observable("ws://127.0.0.1:9/?token=sesame", retry=retry)))
    assert caplog.records and "sesame" not in caplog.text
    assert "sesame" not in str(raised.value) and "sesame" not in repr(raised.value.__cause__)


async def test_what_is_fatal_is_told_apart(hand: Any) -> None:
    """Fault: fatal and transient alike were retried. Right: 401 is the error; 503 is waited out."""
    async with RawServer(refuse, forbid) as server, hand(server.url, connect=False) as client:
        error = await outcome(client.connect())
        assert error.status == 401
        assert [each.error.status for each in client.of(Closed)] == [503, 401]
