"""Frames that are good, and too many at once, or too slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.reliability.raw_server import (
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Peer,
    RawServer,
    frame,
)
from benchmarks.reliability.scripts import stay, writing
from rxws.events import Closed, DisconnectReason


async def test_a_server_that_pings_and_reads_no_pongs_is_left(watch: Any) -> None:
    """The answers that it does not take are bounded by the outbox: the connection counts as lost."""

    async def selfish(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.deafen()
        while not peer.writer.is_closing():
            peer.write(frame(PING, b"x" * 125) * 1_000)
            await asyncio.sleep(0)

    settings = {"outbox": 2**16, "ping_interval": None, "close_timeout": 0.1}
    async with RawServer(selfish, stay) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.of(Closed)[0].reason is DisconnectReason.NETWORK_ERROR


async def test_ten_thousand_pings_at_once_are_answered_in_order(watch: Any) -> None:
    """Each by a pong with its payload, and the message behind them arrives on the same connection."""

    async def flood(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(b"".join(frame(PING, b"%d" % number) for number in range(10_000)))
        peer.number()
        await peer.listen()

    async with RawServer(flood) as server, watch(server.url) as seen:
        await seen.until(lambda: server.peers and len(server.peers[0].heard) >= 10_000)

        assert server.peers[0].of(PONG) == [b"%d" % number for number in range(10_000)]
        assert seen.numbers == [1, 2]
        assert seen.shape == "COLdd"


async def test_a_flood_of_pings_and_a_reset_behind_it_are_no_flood_of_the_log(
    watch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The pongs cannot be sent any more, which asyncio would log one by one."""

    async def flood(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(b"".join(frame(PING, b"%d" % number) for number in range(2_000)))
        await peer.reset()

    async with RawServer(flood, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
    assert [each.getMessage() for each in caplog.records if each.name == "asyncio"] == []


async def test_a_burst_of_a_hundred_thousand_frames_arrives(watch: Any) -> None:
    """All of it, in order, and the connection is kept."""

    async def burst(peer: Peer) -> None:
        await peer.accept()
        peer.number(100_000)
        await peer.listen()

    async with RawServer(burst) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 100_000, 30.0)
        assert seen.numbers == list(range(1, 100_001))
        assert not seen.of(Closed)


async def test_a_burst_before_a_close_arrives(watch: Any) -> None:
    """What was written before the end is handed on, however much it is."""

    async def burst(peer: Peer) -> None:
        await peer.accept()
        peer.number(20_000)
        await peer.end(1001)

    async with RawServer(burst) as server, watch(server.url) as seen:
        await seen.closes(2)
        assert seen.numbers[:40_000] == list(range(1, 40_001))


async def test_a_message_in_fragments_with_pings_between_is_one_message(watch: Any) -> None:
    """Section 5.4; a character may be cut in two, and the pings are answered."""
    text = b'{"fragments":"\xe2\x82\xac"}'
    pieces = [bytes((byte,)) for byte in text]
    data = frame(TEXT, first=0)
    data += b"".join(frame(CONTINUATION, piece, first=0) + frame(PING, piece) for piece in pieces)
    async with RawServer(writing(data + frame(CONTINUATION))) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.values == [{"n": 1}, {"fragments": "€"}, {"n": 2}]
        await seen.until(lambda: server.peers[0].of(PONG) == pieces)


async def test_a_frame_that_trickles_byte_by_byte_arrives(watch: Any) -> None:
    """Each byte a segment of its own, header and all; nothing is handed on before it is whole."""

    async def trickle(peer: Peer) -> None:
        await peer.accept()
        for byte in frame(TEXT, b'{"n":1}') + frame(TEXT, b'{"n":2,"pad":"%s"}' % (b"x" * 130)):
            peer.write(bytes((byte,)))
            await asyncio.sleep(0.001)
        await peer.listen()

    async with RawServer(trickle) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.shape == "COLdd"


async def test_a_message_that_trickles_for_ever_is_no_data(watch: Any) -> None:
    """A message counts when it is whole: the idle clock is not fooled by fragments."""

    async def trickle(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.write(frame(TEXT, b"x", first=0))
        while not peer.writer.is_closing():
            peer.write(frame(CONTINUATION, b"x", first=0))
            await asyncio.sleep(0.01)

    settings = {"idle_timeout": 0.1, "ping_interval": None}
    async with RawServer(trickle, stay) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.of(Closed)[0].reason is DisconnectReason.IDLE_TIMEOUT
