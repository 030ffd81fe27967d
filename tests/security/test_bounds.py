"""What a hostile server can make a client hold: measured in bytes, never in seconds.

Where a bound is missing, a test here ends by its guard, or never: that is how it fails.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
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
    Script,
    frame,
)
from rxws.errors import ConnectionFailed, ConnectTimeout, HandshakeRejected, MessageTooBig, ProtocolError
from rxws.events import Closed
from rxws.redaction import masked, masked_text
from rxws.transport._refusal import refusal

MIB = 2**20
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"


class Peak:
    """How much more was held at the most than at the beginning, in bytes."""

    grown = 0


@contextmanager
def peak() -> Iterator[Peak]:
    """Measure what Python and zlib allocate."""
    measured = Peak()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        yield measured
        measured.grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def deflated(data: bytes, level: int = 9) -> bytes:
    """One message as permessage-deflate sends it (RFC 7692, section 7.2.1)."""
    packer = zlib.compressobj(level, wbits=-15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def compressing(*frames: bytes) -> Script:
    """A script: agree on compression, and write these frames."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(DEFLATE) + b"".join(frames))
        await peer.listen()

    return script


ZEROS = deflated(bytes(64 * MIB))
BOMBS = {
    "in one frame": [frame(BINARY, ZEROS, first=FIN | RSV1)],
    "in fragments": [
        frame(BINARY, ZEROS[:1_000], first=RSV1),
        *(frame(CONTINUATION, ZEROS[at : at + 1_000], first=0) for at in range(1_000, len(ZEROS), 1_000)),
    ],
    "byte by byte": [
        frame(BINARY, ZEROS[:1], first=RSV1),
        *(frame(CONTINUATION, ZEROS[at : at + 1], first=0) for at in range(1, 4_000)),
    ],
    "behind a good message": [
        frame(TEXT, deflated(b"1"), first=FIN | RSV1),
        frame(BINARY, ZEROS, first=FIN | RSV1),
    ],
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_a_bomb_is_never_unpacked(watch: Any, bomb: list[bytes]) -> None:
    """64 MiB of zeros in 64 KiB of deflate: it stops at max_size, however it is cut, and a loss it is not."""
    async with RawServer(compressing(*bomb)) as server:
        with peak() as measured:
            async with watch(server.url, max_size=MIB, idle_timeout=None, compression="deflate") as seen:
                await seen.until(lambda: seen.error)
    assert isinstance(seen.error, MessageTooBig)
    assert measured.grown < 6 * MIB


@pytest.mark.parametrize("agreed", [DEFLATE, DEFLATE + b"; server_no_context_takeover"])
@pytest.mark.parametrize("fragments", [False, True])
async def test_nothing_is_kept_of_what_follows_on_the_last_block(watch: Any, agreed: bytes, fragments: bool) -> None:
    """zlib makes nothing of it, and would keep every byte: no message would come, and the memory would fill."""
    packer = zlib.compressobj(wbits=-15)
    last = packer.compress(b'{"n":1}') + packer.flush()  # BFINAL
    more = bytes(range(256)) * 256

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(agreed))
        peer.write(frame(TEXT, last, first=RSV1 if fragments else FIN | RSV1))
        opcode, first = (CONTINUATION, 0) if fragments else (TEXT, FIN | RSV1)
        for _ in range(200):
            if peer.writer.is_closing():
                break
            peer.writer.write(frame(opcode, more, first=first))
            await peer.writer.drain()
        await peer.listen()

    async with RawServer(script) as server:
        with peak() as measured:
            async with watch(server.url, max_size=MIB, compression="deflate") as seen:
                await seen.closes(1)
    error = seen.of(Closed)[0].error
    assert isinstance(error, ProtocolError)
    assert fragments or seen.numbers[:1] == [1]
    if fragments or b"takeover" not in agreed:
        assert "follows on the last block" in str(error)
    else:
        assert "decompression failed" in str(error)  # a stream of its own, and nonsense
    assert measured.grown < 8 * MIB


async def test_a_message_that_ends_its_stream_arrives_where_each_has_its_own(watch: Any) -> None:
    """RFC 7692, section 7.2.3.4: BFINAL is allowed, and without context takeover harmless."""
    packer = zlib.compressobj(wbits=-15)
    last = frame(TEXT, packer.compress(b'{"n":1}') + packer.flush() + b"\0", first=FIN | RSV1)

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(peer.response(DEFLATE + b"; server_no_context_takeover") + last * 3)
        await peer.listen()

    async with RawServer(script) as server, watch(server.url, compression="deflate") as seen:
        await seen.until(lambda: seen.numbers == [1, 1, 1])


async def test_a_message_in_many_fragments_costs_its_bytes(watch: Any) -> None:
    """Nothing is kept of a fragment but its bytes, and of an empty one nothing at all."""
    count = 10_000
    kept: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        beginning = frame(TEXT, b"[", first=0)
        middle = frame(CONTINUATION, b" ", first=0) * count + frame(CONTINUATION, b"", first=0) * count
        for part in (beginning + middle, frame(PING, b"all is read")):
            peer.writer.write(part)
            await peer.writer.drain()
        await peer.listen(until=0xA)
        gc.collect()
        kept.append(tracemalloc.get_traced_memory()[0])
        peer.writer.write(frame(CONTINUATION, b"1]"))
        await peer.listen()

    async with RawServer(script) as server:
        with peak() as measured:
            before = tracemalloc.get_traced_memory()[0]
            async with watch(server.url, idle_timeout=None, ping_interval=None) as seen:
                await seen.until(lambda: seen.values, 30.0)
    assert seen.values == [[1]]
    assert kept[0] - before < 30 * count  # bytes; some are of the connection
    # websockets makes the frames of one read (256 KiB) before it hands the first one on.
    assert measured.grown < 48 * MIB


@pytest.mark.parametrize("size", [2**31, 2**62, 2**63, 2**64 - 1])
async def test_an_announced_length_is_not_taken_at_its_word(watch: Any, transport: str, size: int) -> None:
    """Nothing is set aside for it. To picows one with its highest bit set is a protocol error (RFC 6455, 5.2)."""

    async def script(peer: Peer) -> None:
        await peer.accept(b"\x82\x7f" + size.to_bytes(8) + b"x" * 1_000)
        await peer.listen()

    async with RawServer(script) as server:
        with peak() as measured:
            async with watch(server.url) as seen:
                await seen.until(lambda: seen.of(Closed))
    kind = ProtocolError if transport == "picows" and size >= 2**63 else MessageTooBig
    assert type(seen.of(Closed)[0].error) is kind
    assert measured.grown < 2 * MIB


@pytest.mark.parametrize("opcode", [PING, 0xA, CLOSE])
@pytest.mark.parametrize("size", [126, 70_000, MIB])
async def test_a_control_frame_carries_125_bytes(watch: Any, opcode: int, size: int) -> None:
    """RFC 6455, section 5.5."""

    async def script(peer: Peer) -> None:
        await peer.accept(frame(opcode, b"x" * size))
        await peer.listen()

    async with RawServer(script) as server, watch(server.url) as seen:
        await seen.closes(1)
    assert isinstance(seen.of(Closed)[0].error, ProtocolError)


def endless(beginning: bytes, more: bytes) -> Script:
    """A script: answer something that never ends, as long as somebody reads."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.writer.write(beginning)
        while True:
            peer.writer.write(more)
            await peer.writer.drain()

    return script


ENDLESS = {
    "status line": (b"HTTP/1.1 101 ", b"x" * 10_000, ConnectionFailed),
    "header name": (b"HTTP/1.1 101 Yes\r\n", b"x" * 10_000, ConnectionFailed),
    "header value": (b"HTTP/1.1 101 Yes\r\nX: ", b"x" * 10_000, ConnectionFailed),
    "headers": (b"HTTP/1.1 101 Yes\r\n", b"X: y\r\n" * 1_000, ConnectionFailed),
    "long headers": (b"HTTP/1.1 101 Yes\r\n", b"X: " + b"y" * 8_000 + b"\r\n", ConnectionFailed),
    "headers of a refusal": (b"HTTP/1.1 503 No\r\n", b"X: y\r\n" * 1_000, HandshakeRejected),
    "body": (b"HTTP/1.1 503 No\r\n\r\n", b"x" * 10_000, HandshakeRejected),
    "body with a length": (b"HTTP/1.1 503 No\r\nContent-Length: 999999999\r\n\r\n", b"x" * 10_000, HandshakeRejected),
    "chunks": (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 2_000, HandshakeRejected),
    "a chunk's line": (b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 10_000, HandshakeRejected),
}


@pytest.mark.parametrize(("beginning", "more", "error"), ENDLESS.values(), ids=ENDLESS.keys())
async def test_an_answer_without_end_is_not_read_to_its_end(
    watch: Any, beginning: bytes, more: bytes, error: type[Exception]
) -> None:
    """Lines have 8 KiB, headers are 128, a body has 1 MiB and a tenth of a second; then the connection is cut."""
    async with RawServer(endless(beginning, more)) as server:
        with peak() as measured:
            async with watch(server.url, open_timeout=None) as seen:
                await seen.closes(1)
    assert type(seen.of(Closed)[0].error) is error
    assert measured.grown < 8 * MIB


async def test_an_answer_that_dribbles_has_open_timeout(watch: Any) -> None:
    """Each byte is progress, and the end of it is not."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        for byte in b"HTTP/1.1 101 Yes\r\n" + b"X: y\r\n" * 100:
            peer.writer.write(bytes((byte,)))
            await peer.writer.drain()
            await asyncio.sleep(0.005)

    async with RawServer(script) as server, watch(server.url, open_timeout=0.1) as seen:
        await seen.closes(1)
    assert isinstance(seen.of(Closed)[0].error, ConnectTimeout)


# Work that grows with the square of what was sent would be a hang of the loop


@pytest.mark.parametrize("end", [b"\rx", b"\x00", b"x", b""])
def test_blanks_in_a_header_are_read_once(end: bytes) -> None:
    """64 KiB of them, before and behind something that ends no line."""
    answer = b"HTTP/1.1 401 No\r\nX:" + b" " * 30_000 + b"y" + b" \t" * 15_000 + end
    found = refusal(answer)
    assert found is not None and found.status_code == 401


@pytest.mark.parametrize("control", [b"\x00", b"\x1b[2J", b"\r", b"\x7f"])
async def test_a_refusal_with_control_characters_is_a_refusal(watch: Any, control: bytes) -> None:
    """Of its headers those are taken that are headers."""
    answer = b"HTTP/1.1 503 No\r\nX: a" + control + b"b\r\nRetry-After: 7\r\n\r\n"

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(answer)
        await peer.listen()

    async with RawServer(script) as server, watch(server.url) as seen:
        await seen.closes(1)
    error = seen.of(Closed)[0].error
    assert isinstance(error, HandshakeRejected) and error.retry_after == 7.0


LONG = 1_000_000


LONG_TEXTS = {
    "letters": "a" * LONG,
    "schemes without slashes": "a:" * LONG,
    "schemes": "a://" * LONG,
    "users": "wss://" + "@" * LONG,
    "slashes": "wss://x" + "//" * LONG,
    "a segment that is no token": "wss://x/" + "a" * LONG + "@",
    "segments": "wss://x/" + ("a" * 23 + "/") * (LONG // 24) + "@",
    "pairs": "wss://x?" + "a=&" * (LONG // 10),
    "brackets": "wss://[" + "[" * LONG,
    "a port": "wss://x:" + "1" * LONG,
}


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS.keys())
def test_masking_reads_a_text_once(text: str) -> None:
    """However long: a million characters that make each pattern look as far as it can."""
    assert isinstance(masked(text), str)
    assert isinstance(masked_text(text), str)
