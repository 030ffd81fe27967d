"""Arbitrary bytes as frames: whatever comes after a good handshake is data, or an error of ours, and leaves nothing."""

from __future__ import annotations

import gc
import random
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.reliability.raw_server import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, frame
from rxws.errors import ConnectionClosed, Disconnected, MessageTooBig, ProtocolError, RxwsError
from tests.security.wire import Lives, accept

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
MAX_SIZE = 1_000


class Trade(msgspec.Struct):
    p: str


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    """One loop for all."""
    with Lives() as lives:
        yield lives


def raw_frame(first: int, second: int, length: bytes, payload: bytes) -> bytes:
    """Return two bytes of a header, which may announce anything, what stands for a length, and a payload."""
    return bytes((first, second)) + length + payload


def packed(data: bytes, cut: int) -> bytes:
    """Return deflated data, all but the last bytes of it."""
    packer = zlib.compressobj(wbits=-15)
    whole = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return whole[: len(whole) - cut]


PAYLOADS = st.one_of(
    st.binary(max_size=130),
    st.text(max_size=40).map(str.encode),
    st.builds(packed, st.binary(max_size=2_000), st.integers(0, 8)),
    st.builds(bytes, st.integers(990, 1_010)),
)
CODES = st.one_of(st.integers(0, 65_535), st.sampled_from([1000, 1001, 1005, 1006, 1008, 1011, 1015, 3000, 4999, 5000]))
OPCODES = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG]
FRAMES = st.one_of(
    st.binary(max_size=40),
    st.builds(frame, st.sampled_from(OPCODES), PAYLOADS, first=st.sampled_from([0, FIN])),
    st.builds(frame, st.integers(0, 15), PAYLOADS, first=st.sampled_from([0, FIN, RSV1, FIN | RSV1, 0x20, 0x90])),
    st.builds(frame, st.sampled_from(OPCODES), PAYLOADS, mask=st.binary(min_size=4, max_size=4)),
    st.builds(raw_frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=8), PAYLOADS),
    st.builds(lambda code, reason: frame(CLOSE, code.to_bytes(2) + reason), CODES, st.binary(max_size=123)),
)
# Some bytes are left out, and the rest comes in pieces.
STREAMS = st.lists(FRAMES, max_size=8).map(b"".join)
CUTS = st.lists(st.integers(1, 60), max_size=12)


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """Return data in pieces of such sizes, and the rest of it."""
    found = []
    for size in sizes:
        found.append(data[:size])
        data = data[size:]
    return [piece for piece in (*found, data) if piece]


@given(STREAMS, CUTS, st.booleans(), st.sampled_from([None, Trade, "default"]))
@example(frame(CLOSE, b"\x03\xe8"), [], False, None)
@example(frame(TEXT, packed(b"{}", 4), first=FIN | RSV1) * 3, [1], True, Trade)
def test_whatever_comes_is_data_or_an_error_of_ours(
    lives: Lives, data: bytes, cuts: list[int], compressed: bool, decode: Any
) -> None:
    """In whatever pieces, with compression and without, typed or not; no message is larger than max_size."""
    settings = {} if decode == "default" else {"decode": decode}

    def script(request: bytes) -> list[bytes]:
        answer = accept(request, DEFLATE) if compressed else accept(request)
        first, *rest = pieces(data, cuts) or [b""]
        return [answer + first, *rest]

    values, error = lives.play(script, max_size=MAX_SIZE, **settings)

    assert isinstance(error, ConnectionClosed | ProtocolError | MessageTooBig)
    assert all(len(value) <= MAX_SIZE for value in values if isinstance(value, str | bytes))
    assert str(error).isprintable() and repr(error).isprintable()


@given(CODES, st.one_of(st.text(max_size=41), st.binary(max_size=123)))
def test_any_close_frame_is_a_loss(lives: Lives, code: int, reason: str | bytes) -> None:
    """Its code is one that a frame may carry, or what came is no WebSocket; the reason is told where nobody looks."""
    words = reason.encode() if isinstance(reason, str) else reason
    _, error = lives.play(lambda request: [accept(request), frame(CLOSE, code.to_bytes(2) + words)])

    assert isinstance(error, Disconnected)
    if isinstance(error, ConnectionClosed):
        assert (error.code, error.reason.encode()) == (code, words)
        assert str(error) == f"the server closed the connection with code {code}"
    else:
        assert isinstance(error, ProtocolError) and error.code in (1002, 1007)


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), st.data())
def test_a_message_arrives_whole_however_it_is_cut(lives: Lives, parts: list[bytes], data: st.DataObject) -> None:
    """Into fragments, with control frames between them, and into pieces anywhere: so the fuzz above can succeed."""
    frames = [
        frame(BINARY if not at else CONTINUATION, part, first=FIN if at == len(parts) - 1 else 0) + frame(PING, b"?")
        for at, part in enumerate(parts)
    ]
    sent = pieces(b"".join(frames) * 2 + frame(TEXT, b"end"), data.draw(CUTS))
    values, error = lives.play(lambda request: [accept(request), *sent], decode=None)

    assert values == [b"".join(parts), b"".join(parts), "end"]
    assert isinstance(error, ConnectionClosed) and error.code == 1006


def noise(seed: int) -> bytes:
    """Return frames that are half good, the same for each seed."""
    chance = random.Random(seed)
    data = b""
    for _ in range(chance.randrange(6)):
        payload = chance.randbytes(chance.randrange(200))
        data += frame(chance.choice([TEXT, BINARY, PING, PONG, CONTINUATION]), payload, first=chance.choice([FIN, 0]))
    return data + chance.randbytes(chance.randrange(30))


def population() -> Counter[str]:
    """How many objects of which kind there are."""
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


def test_nothing_grows_from_life_to_life(lives: Lives) -> None:
    """Of no kind there are more after 100 broken connections, nor is there more memory."""

    def play(seeds: range) -> None:
        for seed in seeds:
            error: RxwsError = lives.play(lambda request: [accept(request, DEFLATE), noise(seed)])[1]  # noqa: B023
            assert isinstance(error, Disconnected)

    play(range(30))
    before = population()
    tracemalloc.start()
    try:
        memory = tracemalloc.get_traced_memory()[0]
        play(range(30, 130))
        grown = population() - before
        assert {kind: more for kind, more in grown.items() if more > 20} == {}
        del grown
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - memory < 100 * 300
    finally:
        tracemalloc.stop()
