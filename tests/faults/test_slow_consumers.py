"""The consumer is slow, or the loop is busy elsewhere: neither costs a connection or a message."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from benchmarks.reliability.raw_server import PING, PONG, TEXT, Elsewhere, Peer, RawServer, frame
from rxws.events import Closed, DisconnectReason


@asynccontextmanager
async def elsewhere(server: RawServer) -> Any:
    """A server on a loop of its own."""
    with Elsewhere(server) as running:
        yield running


def here(server: RawServer) -> AbstractAsyncContextManager[RawServer]:
    """A server on the client's loop: it stands still while the consumer works."""
    return server


def a_millisecond(_: object) -> None:
    """Work."""
    time.sleep(0.001)


@pytest.mark.parametrize("where", [here, elsewhere])
@pytest.mark.parametrize(
    ("settings", "backlog"),
    [
        ({"ping_interval": None, "idle_timeout": None}, 300),
        ({}, 1_300),
    ],
    ids=["bare", "watched"],
)
async def test_a_consumer_of_a_millisecond_a_message_loses_neither_connection_nor_data(
    watch: Any, where: Any, settings: dict[str, Any], backlog: int
) -> None:
    """A backlog, of more than a second where the connection is watched, then a feed: what has arrived is not missed."""

    async def feed(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        peer.number(backlog, pad=1_000)  # several reads of the loop's: pongs wait behind them
        for _ in range(5):
            await asyncio.sleep(0.1)
            peer.number(50)
        await listening

    async with where(RawServer(feed)) as server:
        async with watch(server.url, a_millisecond, **settings) as seen:
            await seen.until(lambda: len(seen.numbers) == backlog + 250, 30.0)
            assert seen.numbers == list(range(1, backlog + 251))
            assert seen.shape.startswith("COLd") and not seen.of(Closed), seen.of(Closed)


@pytest.mark.parametrize("where", [here, elsewhere])
async def test_a_loop_that_was_busy_elsewhere_loses_no_connection(watch: Any, where: Any) -> None:
    """Somebody blocks the loop for longer than ping and idle timeouts, again and again."""

    async def feed(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        while not peer.writer.is_closing():
            peer.number()
            await asyncio.sleep(0.02)
        await listening

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "idle_timeout": 0.1}
    async with where(RawServer(feed)) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers)
        for _ in range(4):
            time.sleep(0.3)  # noqa: ASYNC251  # the very fault
            await asyncio.sleep(0.03)
        assert not seen.of(Closed), seen.of(Closed)


def delivered(peer: Peer) -> bool:
    """Whether the client's kernel has all that was written, read or not."""
    waiting = fcntl.ioctl(peer.writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\x00" * 4)
    return not peer.writer.transport.get_write_buffer_size() and waiting == b"\x00" * 4


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel what has been delivered")
@pytest.mark.parametrize("settings", [{"ping_interval": None}, {"ping_interval": 0.02}], ids=["quiet", "pinging"])
async def test_a_reset_while_the_consumer_works_costs_nothing_that_was_delivered(
    watch: Any, settings: dict[str, Any]
) -> None:
    """Much waits unread when the reset comes, and a ping of ours runs into it first: all of it is handed on."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        for _ in range(60):
            peer.write(frame(TEXT, b'{"n":%d,"pad":"%s"}' % (peer.server.numbered + 1, b"x" * 10_000)))
            peer.server.numbered += 1
        while not delivered(peer):
            await asyncio.sleep(0.001)
        await peer.reset()

    async def last(peer: Peer) -> None:
        await peer.accept()
        await peer.listen()

    def consumer(_: object) -> None:
        time.sleep(0.005)

    with Elsewhere(RawServer(script, last)) as server:
        async with watch(server.url, consumer, idle_timeout=None, **settings) as seen:
            await seen.closes(1)
            assert seen.numbers == list(range(1, 61))


async def test_a_server_on_the_same_loop_is_given_back_the_time_in_which_it_could_not_answer(watch: Any) -> None:
    """The loop is blocked while a ping is under way, and the server needs a moment more: no pong is missed."""

    async def blocking(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        while not peer.ended:
            await peer.listen(pongs=False, until=PING)
            time.sleep(0.15)  # noqa: ASYNC251  # the very fault
            await asyncio.sleep(0.01)
            peer.write(frame(PONG, peer.of(PING)[-1]))

    settings = {"ping_interval": 0.02, "ping_timeout": 0.1, "idle_timeout": None}
    async with RawServer(blocking) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: server.peers and len(server.peers[0].of(PING)) > 3)
        assert not seen.of(Closed), seen.of(Closed)


async def test_a_server_that_dies_while_the_consumer_works_is_found(watch: Any) -> None:
    """Patience with a busy loop has an end: a half-open socket is still found."""

    async def half_open(peer: Peer) -> None:
        await peer.accept()
        peer.number(400)
        peer.deafen()
        await asyncio.sleep(3600)

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "idle_timeout": None}
    with Elsewhere(RawServer(half_open)) as server:
        async with watch(server.url, a_millisecond, **settings) as seen:
            (closed, *_) = await seen.closes(1)
            assert closed.reason is DisconnectReason.PING_TIMEOUT
            assert seen.numbers[:400] == list(range(1, 401))
