"""The faults of open connections, byte by byte, as a bare socket sees them."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rxws.errors import ConfigError
from rxws.testing._limits import RollingWindow
from rxws.testing.exchange import ManualClock, SimulatedExchange

TRADES = "sushiusdt@aggTrade"
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
MASK = b"\x00\x00\x00\x00"


class RawClient:
    """A client that knows no more of WebSocket than a test has to see."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def frame(self) -> tuple[int, bytes]:
        """Return the first byte and the payload of the next frame; a mask is left on."""
        first, size = await self.reader.readexactly(2)
        masked, size = size & 0x80, size & 0x7F
        if size > 125:
            short = size == 126
            size = int.from_bytes(await self.reader.readexactly(2 if short else 8))
            assert size > 125 if short else size >= 2**16  # in the fewest bytes, section 5.2
        return first, await self.reader.readexactly(size + (4 if masked else 0))

    def send(self, first: int, payload: bytes = b"") -> None:
        """Send one short frame."""
        self.writer.write(bytes((first, 0x80 | len(payload))) + MASK + payload)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what a deaf connection does not tell anybody."""
    while not condition():
        await asyncio.sleep(0)


@pytest.fixture
async def exchange() -> AsyncIterator[SimulatedExchange]:
    """An exchange whose every message is ordered."""
    async with asyncio.timeout(10), SimulatedExchange("usdm", rate=None) as exchange:
        yield exchange


@pytest.fixture
async def client(exchange: SimulatedExchange) -> AsyncIterator[RawClient]:
    """A bare socket, its handshake done, that listens to trades."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
    writer.write(
        f"GET /ws/{TRADES} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    response = await reader.readuntil(b"\r\n\r\n")
    assert b"101" in response and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in response
    yield RawClient(reader, writer)
    writer.close()


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        ((), b"\x03\xe8"),
        ((1012, "restart"), b"\x03\xf4restart"),
        ((None,), b""),
        ((1005,), b"\x03\xed"),
        ((1006, "é"), b"\x03\xee\xc3\xa9"),
        ((0,), b"\x00\x00"),
        ((65535,), b"\xff\xff"),
    ],
)
async def test_close_sends_any_code_and_ends_tcp_after_the_answer(
    exchange: SimulatedExchange, client: RawClient, arguments: Any, payload: bytes
) -> None:
    """What was written before comes first; one close frame; FIN when it is answered, not before."""
    exchange.burst(3)
    assert exchange.close(*arguments) == 1

    numbers = [json.loads((await client.frame())[1])["n"] for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert await client.frame() == (CLOSE, payload)
    assert exchange.burst(1) == 0
    client.send(CLOSE, payload)
    assert await client.reader.read() == b""


async def test_a_close_that_is_not_answered_ends_all_the_same() -> None:
    """After close_timeout TCP is ended, and no sooner."""
    clock = ManualClock()
    async with asyncio.timeout(10), SimulatedExchange(rate=None, clock=clock) as exchange:
        reader, writer = await asyncio.open_connection("127.0.0.1", exchange.port)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        exchange.close()
        clock.advance(9.9)
        assert await reader.read(4) == b"\x88\x02\x03\xe8"
        assert not reader.at_eof()
        clock.advance(0.1)
        assert await reader.read() == b""
        writer.close()
    assert clock.timers == 0


@pytest.mark.parametrize("wrong", [(-1, ""), (65536, ""), (1000, "x" * 124), (None, "why")])
def test_a_close_that_fits_into_no_frame_is_refused(wrong: Any) -> None:
    """Even where nobody is connected."""
    with pytest.raises(ConfigError):
        SimulatedExchange().close(*wrong)


async def test_drop_is_a_fin_without_a_close_frame(exchange: SimulatedExchange, client: RawClient) -> None:
    """The client reads to the end and finds no close frame, nor a reset, though it still writes."""
    exchange.burst(1)
    assert exchange.drop() == 1
    client.send(PING)

    assert (await client.frame())[0] == TEXT
    assert await client.reader.read() == b""
    assert exchange.live == ()


async def test_a_connection_that_its_client_has_just_reset_can_be_dropped(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """Before the exchange's loop has heard of it."""
    raw: socket.socket = client.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await asyncio.sleep(0)

    assert exchange.drop() == 1
    assert exchange.live == ()


async def test_reset_is_half_a_frame_and_a_reset(exchange: SimulatedExchange, client: RawClient) -> None:
    """The frame promises more than there comes, and TCP ends by RST."""
    assert exchange.reset() == 1

    with pytest.raises(ConnectionResetError):
        await client.reader.read()


async def test_the_half_frame_of_a_reset_is_written(
    exchange: SimulatedExchange, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written before the reset begins a text frame and stops within it."""
    (connection,) = exchange._venue.live
    written: list[bytes] = []
    monkeypatch.setattr(connection.transport, "write", written.append)

    exchange.reset()

    (half,) = written
    assert half[0] == TEXT
    assert len(half) < 4 + int.from_bytes(half[2:4])


async def test_a_stall_with_pongs_answers_pings_and_tells_nothing(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """Data stops and requests wait, pongs come; after `resume` the request is answered first."""
    assert exchange.stall(pongs=True) == 1
    exchange.burst(5)
    client.send(TEXT, b'{"method":"LIST_SUBSCRIPTIONS","id":7}')
    client.send(PING, b"alive?")
    assert await client.frame() == (PONG, b"alive?")

    assert exchange.resume() == 1
    exchange.burst(1)

    assert json.loads((await client.frame())[1])["id"] == 7
    assert json.loads((await client.frame())[1])["n"] == 6
    assert exchange.missed(TRADES) == 5


async def test_a_stall_without_pongs_hears_nothing_until_it_is_resumed(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """Pings are answered only after `resume`, all of them, in order."""
    exchange.stall(pongs=False)
    for number in b"123":
        client.send(PING, bytes((number,)))
    await client.writer.drain()
    (connection,) = exchange._venue.live
    await until(lambda: len(connection._held) == 21)
    exchange.burst(1)
    exchange.resume()

    assert [await client.frame() for _ in range(3)] == [(PONG, b"1"), (PONG, b"2"), (PONG, b"3")]


async def test_a_stall_that_is_written_to_without_end_keeps_a_bound(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """What a deaf connection keeps is bounded; the rest waits in the network, for `resume`."""
    (connection,) = exchange._venue.live
    connection.window = RollingWindow(None, 1.0)
    exchange.stall(pongs=False)
    client.writer.write((bytes((PING, 0x80)) + MASK) * 200_000)
    await until(lambda: not connection.transport.is_reading())
    assert len(connection._held) < 2**20

    exchange.resume()

    await exchange.until(lambda: exchange.received["PING"] == 200_000)


async def test_a_stalled_connection_can_be_closed(exchange: SimulatedExchange, client: RawClient) -> None:
    """A close wakes it up; a stalled client that hangs up itself is seen to leave."""
    exchange.stall(pongs=False)
    assert exchange.close(1001) == 1

    assert await client.frame() == (CLOSE, b"\x03\xe9")


async def test_a_stalled_connection_that_was_reset_is_not_resumed(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """Nothing goes on after the end, and no timer either."""
    exchange.stall()
    (connection,) = exchange._venue.live
    exchange.drop()

    assert exchange.resume() == 0
    assert connection.upkeep._timers == {}


async def test_a_client_that_leaves_a_stalled_connection_is_seen_to(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """A deaf connection still notices the end of TCP."""
    exchange.stall(pongs=False)
    client.writer.close()

    await exchange.until(lambda: not exchange.live)


@pytest.mark.parametrize(
    ("kind", "first", "payload"),
    [
        ("json", 0x81, b'{"e":"malformed",'),
        ("utf8", 0x81, b'{"e":"\xff\xfe"}'),
        ("reserved_bit", 0xC1, b'{"e":"malformed"}'),
        ("masked", 0x81, b'{"e":"malformed"}'),
    ],
)
async def test_a_malformed_frame_is_wrong_in_one_way(
    exchange: SimulatedExchange, client: RawClient, kind: Any, first: int, payload: bytes
) -> None:
    """Text that is no JSON or no UTF-8, a reserved bit, or a mask; the connection stays open."""
    assert exchange.malformed(kind) == 1

    got, data = await client.frame()
    assert got == first
    if kind == "masked":
        data = bytes(byte ^ data[at % 4] for at, byte in enumerate(data[4:]))
    assert data == payload
    assert len(exchange.live) == 1


@pytest.mark.parametrize("size", [32, 125, 126, 65_535, 65_536, 2**20 + 1])
async def test_an_oversized_message_has_exactly_its_size(
    exchange: SimulatedExchange, client: RawClient, size: int
) -> None:
    """One text frame of so many bytes, and they are JSON."""
    assert exchange.oversized(size) == 1

    first, payload = await client.frame()
    assert (first, len(payload)) == (TEXT, size)
    assert json.loads(payload)["e"] == "oversized"


async def test_a_flood_of_pings_comes_whole_and_is_not_held_against_its_victim(
    exchange: SimulatedExchange, client: RawClient
) -> None:
    """A thousand pings, numbered; a thousand pongs do not count as messages."""
    exchange.ping_flood(1_000)
    for number in range(1_000):
        first, payload = await client.frame()
        assert (first, payload) == (PING, b"flood %d" % number)
        client.send(PONG, payload)

    await exchange.until(lambda: exchange.received["PONG"] == 1_000)
    assert len(exchange.live) == 1


async def test_a_burst_is_so_many_numbered_messages(exchange: SimulatedExchange, client: RawClient) -> None:
    """All reach who listens, without a gap, whatever else the market would have told."""
    assert exchange.burst(10_000) == 1

    numbers = [json.loads((await client.frame())[1])["n"] for _ in range(10_000)]
    assert numbers == list(range(1, 10_001))


async def test_a_fragmented_message_is_one_message_in_parts(exchange: SimulatedExchange, client: RawClient) -> None:
    """A text frame, continuations, the last one with FIN; pings between them where asked."""
    exchange.fragment(4, pings=True)
    frames = [await client.frame() for _ in range(7)]

    assert [first for first, _ in frames] == [0x01, PING, 0x00, PING, 0x00, PING, 0x80]
    assert json.loads(b"".join(payload for first, payload in frames if first != PING))["n"] == 1


async def test_a_shutdown_is_announced_and_comes(exchange: SimulatedExchange, client: RawClient) -> None:
    """The event that nobody subscribed, without a number; then 1001."""
    assert exchange.announce_shutdown(0.0) == 1

    event = json.loads((await client.frame())[1])
    assert event.keys() == {"e", "E"}
    assert event["e"] == "serverShutdown"
    assert await client.frame() == (CLOSE, b"\x03\xe9")


async def test_faults_say_whom_they_reached(exchange: SimulatedExchange) -> None:
    """With nobody connected a fault reaches nobody."""
    assert exchange.drop() == exchange.reset() == exchange.stall() == exchange.resume() == 0
    assert exchange.malformed() == exchange.ping_flood(1) == exchange.announce_shutdown() == 0


@pytest.mark.parametrize(
    ("fault", "argument", "field"),
    [
        ("oversized", 31, "size"),
        ("fragment", 0, "parts"),
        ("announce_shutdown", -1.0, "lead"),
        ("malformed", "xml", "kind"),
        ("burst", -1, "count"),
        ("ping_flood", -1, "count"),
    ],
)
def test_a_fault_out_of_range_is_refused(fault: str, argument: Any, field: str) -> None:
    """The error names the argument, also where nobody is connected."""
    with pytest.raises(ConfigError) as refused:
        getattr(SimulatedExchange(), fault)(argument)

    assert refused.value.field == field
