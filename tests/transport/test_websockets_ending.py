"""How a connection of the websockets transport ends on us: by the server, and by the network."""

from __future__ import annotations

import pytest

from rxws.errors import (
    ConnectionClosed,
)
from rxws.transport.websockets import _unread
from tests.transport.raw_server import (
    CLOSE,
    PONG,
    TEXT,
    Frame,
    RawServer,
    close,
    frame,
)
from tests.transport.receiving import Dials, Leap, opened, turns


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1008, 1011, 1012, 1013, 3000, 4999])
async def test_a_close_by_the_server_is_told_with_its_code_and_reason(
    server: RawServer, dial: Dials, code: int
) -> None:
    """At once, behind the messages before it; the close frame is answered with the same code."""
    client = dial(server.url)
    peer = await opened(server, client)

    peer.write(frame(TEXT, b"last"), close(code, "für heute".encode()))
    await client.until("lost")

    assert client.told_but_reads == ["open", "last", "lost"]
    assert isinstance(client.error, ConnectionClosed)
    assert (client.error.code, client.error.reason) == (code, "für heute")
    assert (await peer.frame()).payload == code.to_bytes(2) + "für heute".encode()
    peer.close()
    await client.until("gone")
    assert client.told_but_reads == ["open", "last", "lost", "gone"]


async def test_a_close_frame_without_a_code_is_1005(server: RawServer, dial: Dials) -> None:
    """As RFC 6455 says in section 7.1.5."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(frame(CLOSE))
    peer.fin()
    await client.until("gone")

    assert isinstance(client.error, ConnectionClosed)
    assert client.error.code == 1005
    assert await peer.frames() == [Frame(CLOSE, b"")]


async def test_a_server_that_closes_but_leaves_tcp_open_is_aborted_after_close_timeout(
    server: RawServer, dial: Dials, leap: Leap
) -> None:
    """The loss is told at once; the socket gets its time (RFC 6455, section 7.1.1) and not a second more."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    peer.write(close(1001))
    await client.until("lost")

    leap(59.0)
    await turns()
    assert client.told_but_reads == ["open", "lost"]
    leap(1.1)
    await client.until("gone")

    assert client.told_but_reads == ["open", "lost", "gone"]
    assert await peer.ended() in ("FIN", "RST")


async def test_what_comes_behind_a_close_frame_is_not_told(server: RawServer, dial: Dials) -> None:
    """Not even that something was read."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(close(1000), frame(TEXT, b"too late"))
    await client.until("lost")
    told = list(client.told)
    peer.write(frame(TEXT, b"much too late"), frame(PONG), close(1001))
    peer.fin()
    await client.until("gone")

    assert client.told == [*told, "gone"]


@pytest.mark.parametrize("cut_off", [b"", b"\x81", frame(TEXT, b"x" * 200)[:100]], ids=["none", "head", "payload"])
@pytest.mark.parametrize("how", ["FIN", "RST"])
async def test_an_end_without_a_close_frame_is_1006(server: RawServer, dial: Dials, how: str, cut_off: bytes) -> None:
    """Also in mid-frame; the whole messages before it are told, and the system's error is the cause."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(frame(TEXT, b"1"), frame(TEXT, b"2"), cut_off)
    if how == "FIN":
        peer.fin()
    else:
        peer.reset()
    await client.until("gone")

    assert client.told_but_reads == ["open", "1", "2", "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert client.error.code == 1006
    assert isinstance(client.error.__cause__, EOFError if how == "FIN" else ConnectionResetError)


@pytest.mark.parametrize("end", ["close", "FIN", "RST"])
@pytest.mark.parametrize("writes", [1, 2])
async def test_what_the_server_wrote_before_the_end_is_told_though_our_own_write_fails(
    server: RawServer, dial: Dials, end: str, writes: int
) -> None:
    """asyncio drops what it has not read when a write fails; the server wrote it, so it is read and told."""
    client = dial(server.url)
    peer = await opened(server, client)
    told = len(client.told)

    # All of this within one turn of the loop: the client cannot read before it writes. Its kernel has it all by then,
    # for it is less than the 64 KiB that one takes at first.
    peer.write(*[frame(TEXT, b"%d" % n) for n in range(5_000)])
    if end == "close":
        peer.write(close(4000, b"bye"))
    if end == "RST":
        peer.reset()
    else:
        peer.close()  # with nothing of ours unread: a FIN, and a RST to what we write from now on
    for _ in range(writes):
        client.socket.send(b"into the void", True)
    assert client.told[told:] == []
    await client.until("gone")

    assert client.told_but_reads == ["open", *map(str, range(5_000)), "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert client.error.code == (4000 if end == "close" else 1006)


async def test_reading_the_rest_of_a_socket_ends_where_there_is_nothing(server: RawServer, dial: Dials) -> None:
    """It neither waits nor raises, and the socket is as it was."""
    client = dial(server.url)
    peer = await opened(server, client)
    transport = client.socket._connection.transport  # type: ignore[attr-defined]

    assert _unread(transport) == b""
    peer.write(b"\x81\x01x")
    assert _unread(transport) == b"\x81\x01x"
    peer.write(frame(TEXT, b"goes on"))
    await client.until("goes on")


async def test_a_server_that_closes_its_half_and_reads_no_more_is_aborted(
    server: RawServer, dial: Dials, leap: Leap
) -> None:
    """A FIN is told at once, though what we have sent is still on its way, and nobody takes it."""
    client = dial(server.url, close_timeout=60.0, compression=None)
    peer = await opened(server, client)
    client.socket.send(bytes(2**24), False)  # more than the kernel takes
    peer.write(frame(TEXT, b"last"))
    peer.fin()
    await client.until("lost")

    await turns()
    assert client.told_but_reads == ["open", "last", "lost"]
    leap(61.0)
    await client.until("gone")

    assert client.told_but_reads == ["open", "last", "lost", "gone"]
