"""The server says nothing any more, with and without answering pings, or was never heard at all."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from reactivex import Subject

from benchmarks.reliability.raw_server import CLOSE, PING, PONG, TEXT, Peer, RawServer, frame
from benchmarks.reliability.scripts import stay
from rxws.errors import ConnectTimeout, IdleTimeout, PingTimeout
from rxws.events import Closed, DisconnectReason, Stale
from rxws.testing import SimulatedExchange


async def silent_with_pongs(peer: Peer) -> None:
    """Number one message, then answer pings only."""
    await stay(peer)


async def silent_without_pongs(peer: Peer) -> None:
    """Number one message, then read only."""
    await peer.accept()
    peer.number()
    await peer.listen(pongs=False)


async def half_open(peer: Peer) -> None:
    """Number one message, then be gone: nothing is read, nothing is written, TCP stays."""
    await peer.accept()
    peer.number()
    peer.deafen()
    await asyncio.sleep(3600)


# As the settings say: idle_timeout 1.0, ping_interval and ping_timeout 0.3.
FOUND = [
    (silent_with_pongs, DisconnectReason.IDLE_TIMEOUT, 1.0),
    (silent_without_pongs, DisconnectReason.PING_TIMEOUT, 0.6),
    (half_open, DisconnectReason.PING_TIMEOUT, 0.6),
]


@pytest.mark.parametrize(("script", "reason", "least"), FOUND)
async def test_silence_is_found_and_the_next_connection_goes_on(
    watch: Any, script: Any, reason: DisconnectReason, least: float
) -> None:
    """With the settings as they are; the loss says why, and how long it had been up."""
    async with RawServer(script, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers == [1, 2])

        (closed,) = seen.of(Closed)
        assert closed.reason is reason
        assert closed.uptime >= least


async def test_idle_is_told_before_it_ends_the_connection(watch: Any) -> None:
    """Stale, with the seconds; the error names the timeout; pings and pongs are no data."""
    settings = {"idle_timeout": 0.1, "ping_interval": 0.01, "ping_timeout": 5.0}
    async with RawServer(silent_with_pongs) as server, watch(server.url, **settings) as seen:
        await seen.closes(2)

        assert [type(each.error) for each in seen.of(Closed)] == [IdleTimeout] * len(seen.of(Closed))
        assert all(each.idle >= 0.1 for each in seen.of(Stale))
        assert len(server.peers[0].of(PING)) > 1


async def test_what_is_no_data_does_not_keep_a_stalled_connection_alive(watch: Any) -> None:
    """A venue's own heartbeats arrive, and the idle clock runs on all the same."""

    async def heartbeats(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        while True:
            peer.write(frame(TEXT, b'{"op":"pong"}'))
            await asyncio.sleep(0.02)

    settings = {"idle_timeout": 0.1, "is_data": lambda payload: b"op" not in payload, "ping_interval": None}
    async with RawServer(heartbeats) as server, watch(server.url, **settings) as seen:
        (closed, *_) = await seen.closes(1)
        assert closed.reason is DisconnectReason.IDLE_TIMEOUT
        assert {"op": "pong"} in seen.values


async def test_data_without_pongs_is_not_life(watch: Any) -> None:
    """A server that feeds and never answers a ping is lost by PING_TIMEOUT; all that it wrote arrives."""

    async def deaf(peer: Peer) -> None:
        await peer.accept()
        while not peer.writer.is_closing():
            peer.number()
            await asyncio.sleep(0.02)

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05}
    async with RawServer(deaf, silent_with_pongs) as server, watch(server.url, **settings) as seen:
        (closed, *_) = await seen.closes(1)
        assert isinstance(closed.error, PingTimeout)
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))


async def test_a_pong_that_answers_no_ping_is_no_answer(watch: Any) -> None:
    """Unasked pongs are allowed (RFC 6455, section 5.5.3), and a wrong payload answers nothing."""

    async def wrong(peer: Peer) -> None:
        await peer.accept()
        while True:
            peer.write(frame(PONG, b"unasked") + frame(PONG))
            await asyncio.sleep(0.01)

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05}
    async with RawServer(wrong) as server, watch(server.url, **settings) as seen:
        (closed, *_) = await seen.closes(1)
        assert isinstance(closed.error, PingTimeout)


async def test_a_half_open_socket_with_a_full_outbox_leaves_nothing(watch: Any) -> None:
    """What could never be sent does not keep the socket: it is aborted after close_timeout."""
    outgoing: Subject[Any] = Subject()
    settings = {"outgoing": outgoing, "ping_interval": 0.05, "ping_timeout": 0.05, "close_timeout": 0.05}
    async with RawServer(half_open, stay) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers)
        outgoing.on_next(b"x" * 15 * 2**20)
        await seen.until(lambda: seen.numbers == [1, 2])
        assert seen.of(Closed)[0].reason is DisconnectReason.PING_TIMEOUT


async def test_the_server_is_told_goodbye_where_it_still_listens(watch: Any) -> None:
    """A connection that we give up on gets a close frame, whatever we think of the server."""
    settings = {"idle_timeout": 0.1}
    async with RawServer(silent_with_pongs, stay) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: server.peers and server.peers[0].ended)
        assert server.peers[0].of(CLOSE)[0][:2] == b"\x03\xe8"


async def hanging(peer: Peer) -> None:
    """Read the request, and never answer."""
    await peer.ask()
    await peer.listen()


async def half_an_answer(peer: Peer) -> None:
    """Stop in the middle of the answer."""
    await peer.ask()
    peer.write(peer.response()[:60])
    await peer.listen()


async def endless_answer(peer: Peer) -> None:
    """Write headers for ever, each in time."""
    await peer.ask()
    peer.write(b"HTTP/1.1 101 Switching Protocols\r\n")
    while not peer.writer.is_closing():
        peer.write(b"X: ")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("script", [hanging, half_an_answer, endless_answer])
async def test_a_handshake_that_hangs_is_given_up_and_tried_again(watch: Any, script: Any) -> None:
    """After open_timeout, whatever trickles in meanwhile; its socket is closed."""
    async with RawServer(script, script, stay) as server, watch(server.url, open_timeout=0.1) as seen:
        await seen.until(lambda: seen.numbers)

        assert [type(each.error) for each in seen.of(Closed)] == [ConnectTimeout] * 2
        assert [(each.opened, each.uptime) for each in seen.of(Closed)] == [(False, 0.0)] * 2
        assert all(peer.writer.is_closing() or peer.reader.at_eof() or peer.ended for peer in server.peers[:2])


async def test_a_hanging_handshake_is_given_up_after_the_second_that_it_has(watch: Any) -> None:
    """With the settings as they are: open_timeout 1.0, by the server's own record no sooner."""
    async with RawServer(hanging, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)

        assert seen.of(Closed)[0].error.timeout == 1.0
        assert server.peers[1].arrived - server.peers[0].arrived > 0.9


async def test_a_listener_that_never_accepts_is_given_up_too(watch: Any) -> None:
    """The kernel completes TCP, and nobody reads: c.f. a process that hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}/"
        async with watch(url, open_timeout=0.05) as seen:
            closed = await seen.closes(3)
            assert {type(each.error) for each in closed} == {ConnectTimeout}


async def test_an_exchange_that_stalls_is_left_and_what_it_told_meanwhile_is_not_invented(watch: Any) -> None:
    """By its own numbering: what was written to us arrived, once; what it says was missed did not."""
    async with SimulatedExchange("usdm", rate=500) as exchange:
        async with watch(exchange.combined_url(exchange.streams[0]), idle_timeout=0.2) as seen:
            await seen.until(lambda: len(seen.numbers) > 5)
            exchange.stall(pongs=True)
            await seen.closes(1)
            count = len(seen.numbers)
            await seen.until(lambda: len(seen.numbers) > count + 5)
        wrote = [number for each in exchange.connections for number in each.numbers]
        assert seen.numbers == wrote[: len(seen.numbers)]
        assert exchange.missed(exchange.streams[0]) > 0
