"""Frames that are wrong, or too large."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from benchmarks.reliability.raw_server import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    RSV1,
    TEXT,
    Peer,
    RawServer,
    frame,
)
from benchmarks.reliability.scripts import stay, writing
from rxws.errors import MessageTooBig, ProtocolError
from rxws.events import Closed, DisconnectReason, GaveUp


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (frame(TEXT, b'{"cut":'), '{"cut":'),
        (frame(TEXT, b"pong"), "pong"),
        (frame(TEXT), ""),
        (frame(BINARY), b""),
        (frame(TEXT, b"9" * 5_000), "9" * 5_000),
        (frame(TEXT, b'"\\ud800"'), '"\\ud800"'),
        (frame(BINARY, b"\xff\xfe"), b"\xff\xfe"),
        (frame(BINARY, b'{"binary":1}'), {"binary": 1}),
        (frame(TEXT, b"[" * 100_000), "[" * 100_000),
        (frame(TEXT, b"1e999999"), "1e999999"),
        (frame(TEXT, "für €".encode()), "für €"),
    ],
)
async def test_what_is_not_json_arrives_as_it_came_and_the_connection_stays(
    watch: Any, data: bytes, value: object
) -> None:
    """With the default decode; between the messages before and after it."""
    async with RawServer(writing(data)) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.values == [{"n": 1}, value, {"n": 2}]


BROKEN = {
    "masked": frame(TEXT, b'{"n":0}', mask=b"\x01\x02\x03\x04"),
    "masked with zeros": frame(TEXT, b'{"n":0}', mask=b"\x00\x00\x00\x00"),
    "rsv1": frame(TEXT, b'{"n":0}', first=FIN | RSV1),
    "rsv2": frame(TEXT, b'{"n":0}', first=FIN | 0x20),
    "rsv3": frame(TEXT, b'{"n":0}', first=FIN | 0x10),
    "rsv1 on a ping": frame(PING, first=FIN | RSV1),
    "opcode 3": frame(0x3, b"x"),
    "opcode 11": frame(0xB, b"x"),
    "fragmented ping": frame(PING, b"x", first=0),
    "ping of 126 bytes": frame(PING, b"x" * 126),
    "continuation of nothing": frame(CONTINUATION, b"x"),
    "text within fragments": frame(TEXT, b"x", first=0) + frame(TEXT, b"y"),
    "http": b"HTTP/1.1 200 OK\r\n\r\n" + b"<html>" * 20,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
async def test_a_frame_that_is_none_ends_the_connection_by_1002_and_is_tried_again(watch: Any, data: bytes) -> None:
    """What stood before it arrives, nothing behind it; the server hears why (RFC 6455, section 7.1.7)."""
    async with RawServer(writing(data), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)

        assert seen.values == [{"n": 1}, {"n": 3}]
        (closed,) = seen.of(Closed)
        assert isinstance(closed.error, ProtocolError) and closed.reason is DisconnectReason.PROTOCOL_ERROR
        assert server.peers[0].of(CLOSE)[0][:2] in (b"\x03\xea", b"\x03\xf1")


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b'{"e":"\xff\xfe"}'),
        frame(TEXT, b"\xc3"),
        frame(TEXT, b"\xed\xa0\x80"),
        frame(TEXT, b'{"e":"\xc3', first=0) + frame(CONTINUATION, b'\x28"}'),
    ],
)
async def test_text_that_is_not_utf8_ends_the_connection_by_1007(watch: Any, data: bytes) -> None:
    """Section 8.1; it is a loss, tried again, and what stood before it arrives."""
    async with RawServer(writing(data), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)

        assert seen.values == [{"n": 1}, {"n": 3}]
        assert seen.of(Closed)[0].error.code == 1007
        await seen.until(lambda: server.peers[0].of(CLOSE))
        assert server.peers[0].of(CLOSE)[0][:2] == b"\x03\xef"


OVERSIZED = {
    "whole": frame(TEXT, b"x" * 1_001),
    "announced only": b"\x81\x7f" + (2**62).to_bytes(8),
    "in fragments": frame(TEXT, b"x" * 600, first=0) + frame(CONTINUATION, b"x" * 600),
}


@pytest.mark.parametrize("data", OVERSIZED.values(), ids=OVERSIZED.keys())
async def test_a_message_beyond_our_own_limit_is_fatal(watch: Any, data: bytes) -> None:
    """The next connection would bring it again: the error names max_size; the server hears 1009."""
    async with RawServer(writing(data)) as server, watch(server.url, max_size=1_000) as seen:
        await seen.until(lambda: seen.error)
        await seen.gone()

        assert isinstance(seen.error, MessageTooBig) and "max_size" in str(seen.error)
        assert seen.values == [{"n": 1}]
        assert isinstance(seen.told[-1], GaveUp)
        assert server.peers[0].of(CLOSE)[0][:2] == b"\x03\xf1"
        assert len(server.peers) == 1


async def test_a_length_that_none_can_be_is_fatal_or_a_loss(watch: Any, transport: str) -> None:
    """Its highest bit must be 0 (section 5.2): picows finds that first, websockets that it is too large."""
    data = b"\x81\x7f" + (2**64 - 1).to_bytes(8)
    async with RawServer(writing(data), stay) as server, watch(server.url, max_size=1_000) as seen:
        await seen.until(lambda: seen.of(Closed))
        kind = ProtocolError if transport == "picows" else MessageTooBig
        assert type(seen.of(Closed)[0].error) is kind


async def test_the_limit_is_16_mib_unless_it_is_said_otherwise(watch: Any) -> None:
    """A message of that size arrives, one byte more is fatal."""
    most = 16 * 2**20
    script = writing(frame(TEXT, b"x" * most) + frame(TEXT, b"x" * (most + 1)))
    async with RawServer(script) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.error)
        assert [len(each) for each in seen.values] == [1, most]
        assert isinstance(seen.error, MessageTooBig)


async def test_a_bomb_is_measured_unpacked(watch: Any) -> None:
    """100 MB of zeros in 100 kB of deflate are beyond max_size, and are never made."""

    async def bomb(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(b"Sec-WebSocket-Extensions: permessage-deflate"))
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(b"0" * 10**8) + packer.flush(zlib.Z_SYNC_FLUSH)
        peer.write(frame(TEXT, packed[:-4], first=FIN | RSV1))
        await peer.listen()

    async with RawServer(bomb) as server, watch(server.url, compression="deflate") as seen:
        await seen.until(lambda: seen.error)
        assert isinstance(seen.error, MessageTooBig)


async def test_what_cannot_be_unpacked_is_a_loss(watch: Any) -> None:
    """A compressed message that is none ends its connection only; what stood before it arrives."""

    async def corrupt(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(b"Sec-WebSocket-Extensions: permessage-deflate"))
        peer.number()
        peer.write(frame(TEXT, b"\xff\xff\xff\xff", first=FIN | RSV1))
        await peer.listen()

    async with RawServer(corrupt, stay) as server, watch(server.url, compression="deflate") as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert isinstance(seen.of(Closed)[0].error, ProtocolError)
