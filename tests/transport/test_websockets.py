"""What arrives and what is sent by the websockets transport, against servers on loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.permessage_deflate import PerMessageDeflate

from rxws import connect
from rxws.errors import (
    ConnectionClosed,
)
from rxws.types import Connection
from tests.transport.raw_server import BINARY, CLOSE, CONT, PATIENCE, PING, PONG, TEXT, Frame, RawServer, close, frame
from tests.transport.receiving import Dials, Leap, opened, turns


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_of_any_size_arrives_whole(server: RawServer, dial: Dials, opcode: int, size: int) -> None:
    """Text as text, binary as binary, whichever of the three length fields it has."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    payload = b"x" * size

    await peer.write_much(frame(opcode, payload))
    await client.until(payload.decode() if opcode == TEXT else payload)

    assert len(client.told_but_reads) == 2


async def test_fragments_arrive_as_one_message_with_control_frames_between_them(server: RawServer, dial: Dials) -> None:
    """Pings between fragments are answered, pongs told in their place, and empty fragments add nothing."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()

    peer.write(frame(TEXT, b"", fin=False), frame(CONT, "ü".encode()[:1], fin=False), frame(PING, b"!"))
    peer.write(frame(CONT, "ü".encode()[1:], fin=False), frame(PONG, b"?"), frame(CONT, b""))
    peer.write(frame(BINARY, b"\xff", fin=False), frame(CONT, b"\xfe"), frame(TEXT, b"last"))
    await client.until("last")

    assert client.told_but_reads == ["open", ("pong", b"?"), "ü", b"\xff\xfe", "last"]
    assert await peer.frame() == Frame(PONG, b"!")


async def test_frames_in_the_segment_of_the_response_follow_on_open(server: RawServer, dial: Dials) -> None:
    """What came with the handshake's response is told in order, behind `on_open`."""
    client = dial(server.url)
    await (await server.accepted()).upgrade(frame(TEXT, b"1"), frame(BINARY, b"2"), frame(TEXT, b"3"), close(1012))
    await client.until("lost")

    assert client.told == ["open", "1", b"2", "3", "lost"]


async def test_what_came_with_the_response_is_held_until_somebody_reads(server: RawServer) -> None:
    """Through `connect`: it is handed on in order, and what came later behind it."""
    connections: list[Connection] = []
    seen: list[object] = []
    done = asyncio.Event()
    connect(server.url, ping_interval=None).subscribe(connections.append, lambda error: done.set())
    peer = await (await server.accepted()).upgrade(frame(TEXT, b"1"), frame(BINARY, b"2"))
    while not connections:
        await turns()
    peer.write(frame(TEXT, b"3"))
    await turns()

    connections[0].messages.subscribe(seen.append, lambda error: None)
    assert seen == []  # never from inside `subscribe`
    peer.write(frame(TEXT, b"4"), close(1000))
    peer.fin()
    async with asyncio.timeout(PATIENCE):
        await done.wait()

    assert seen == ["1", b"2", "3", "4"]


async def test_a_read_is_told_once_before_what_it_holds(server: RawServer, dial: Dials) -> None:
    """Three messages of one segment are one read, and are told from inside it."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")

    peer.write(frame(TEXT, b"1"), frame(TEXT, b"2"), frame(TEXT, b"3"))
    await client.until("3")

    assert client.told == ["open", "read", "1", "2", "3"]


async def test_a_message_that_comes_byte_by_byte_arrives_whole(server: RawServer, dial: Dials) -> None:
    """Where the stream is cut does not matter."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")

    for byte in frame(TEXT, b"slow", fin=False) + frame(PING) + frame(CONT, b"ly"):
        peer.write(bytes([byte]))
        await client.next_read()

    assert client.told_but_reads == ["open", "slowly"]


async def test_ten_thousand_pings_at_once_are_all_answered(server: RawServer, dial: Dials) -> None:
    """And the message behind them arrives."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()

    await peer.write_much(b"".join(frame(PING, b"%d" % n) for n in range(10_000)) + frame(TEXT, b"done"))
    await client.until("done")

    assert [(await peer.frame()).payload for _ in range(10_000)] == [b"%d" % n for n in range(10_000)]
    assert client.told_but_reads == ["open", "done"]


async def test_a_hundred_thousand_messages_in_one_burst_arrive_in_order(server: RawServer, dial: Dials) -> None:
    """No bound of websockets' own queue stands in the way."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()

    await peer.write_much(b"".join(frame(TEXT, b"%d" % n) for n in range(100_000)))
    await client.until("99999")

    assert client.told_but_reads == ["open", *map(str, range(100_000))]


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_compression_is_negotiated_unless_it_is_off(tidy: None, dial: Dials, compression: str | None) -> None:
    """By default messages are compressed both ways, fragmented ones too; None: neither."""
    seen: list[Any] = []

    async def echo(ws: ServerConnection) -> None:
        seen.extend(ws.protocol.extensions)
        async for message in ws:
            await ws.send([message[:5], message[5:], message[:0]])

    async with serve(echo, "127.0.0.1", 0, compression="deflate") as venue:
        port = venue.sockets[0].getsockname()[1]
        client = await dial(f"ws://127.0.0.1:{port}", compression=compression).until("open")
        client.socket.send(b"again " * 100, True)
        client.socket.send(b"\xff\x00" * 100, False)
        await client.until(b"\xff\x00" * 100)
        assert client.told_but_reads == ["open", "again " * 100, b"\xff\x00" * 100]
        client.socket.close(1000, "")
        await client.until("gone")

    assert [type(extension) for extension in seen] == ([PerMessageDeflate] if compression else [])


async def test_frames_leave_in_order_and_masked(server: RawServer, dial: Dials) -> None:
    """Text, binary, a ping and a close frame go out as they were asked for (RFC 6455, section 5.1)."""
    client = dial(server.url, compression=None)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")

    client.socket.send("ü".encode(), True)
    client.socket.send(b"\x00\xff", False)
    client.socket.send(b"", True)
    client.socket.ping(b"\x00\x01")
    client.socket.close(4321, "enough")

    assert [await peer.frame() for _ in range(5)] == [
        Frame(TEXT, "ü".encode()),
        Frame(BINARY, b"\x00\xff"),
        Frame(TEXT, b""),
        Frame(PING, b"\x00\x01"),
        Frame(CLOSE, b"\x10\xe1enough"),
    ]


async def test_no_ping_is_sent_that_was_not_asked_for(server: RawServer, dial: Dials, leap: Leap) -> None:
    """websockets' own keepalive is off: ours is the receiver's business."""
    client = dial(server.url, compression=None)
    peer = await opened(server, client)

    await turns()
    leap(3600.0)
    await turns()
    client.socket.send(b"quiet so far", True)

    assert await peer.frame() == Frame(TEXT, b"quiet so far")


async def test_nothing_is_sent_on_a_connection_that_is_ending(server: RawServer, dial: Dials) -> None:
    """`send` says so; a ping, which nobody waits for, is left out."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    client.socket.close(1000, "")

    with pytest.raises(ConnectionClosed):
        client.socket.send(b"late", True)
    client.socket.ping(b"late")

    peer.fin()
    assert [sent.opcode for sent in await peer.frames()] == [CLOSE]
