"""What the websockets transport holds at most: what waits to be sent, pongs, and one message."""

from __future__ import annotations

import socket

import pytest

from rxws.errors import (
    BufferOverflow,
    ConnectionClosed,
    MessageTooBig,
)
from tests.transport.raw_server import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    TEXT,
    RawServer,
    frame,
)
from tests.transport.receiving import Dials


async def test_a_full_outbox_refuses_a_message_and_takes_the_next_when_there_is_room(
    server: RawServer, dial: Dials
) -> None:
    """What was refused is counted; what was taken before is all sent; a message larger than the outbox goes alone."""
    client = dial(server.url, outbox=1000, compression=None)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    large = bytes(2**24)  # more than the kernel takes
    client.socket.send(large, False)

    for dropped in (1, 2):
        with pytest.raises(BufferOverflow) as refused:
            client.socket.send(b"no room", True)
        assert (refused.value.size, refused.value.dropped) == (1000, dropped)

    assert (await peer.frame()).payload == large
    client.socket.send(b"room", True)
    assert (await peer.frame()).payload == b"room"


async def test_a_server_that_reads_no_pongs_is_given_up(server: RawServer, dial: Dials) -> None:
    """Answers to pings are no way to fill the memory: beyond twice the outbox the connection is lost."""
    client = dial(server.url, outbox=1000)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    ours = client.socket._connection.transport.get_extra_info("socket")  # type: ignore[attr-defined]
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # or pings by the million would be needed

    async def flood() -> None:
        while True:
            await peer.write_much(frame(PING, bytes(125)) * 1000)

    with pytest.raises(ConnectionError):
        await flood()
    await client.until("gone")

    assert client.told_but_reads == ["open", "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert client.error.code == 1006
    assert "does not read the pongs" in str(client.error)


@pytest.mark.parametrize(
    "too_much",
    [
        frame(TEXT, bytes(101)),
        frame(TEXT, bytes(60), fin=False) + frame(CONT, bytes(41)),
        frame(BINARY, bytes(101), fin=False),
    ],
    ids=["one frame", "fragments", "a first fragment"],
)
async def test_a_message_larger_than_max_size_ends_the_connection_with_1009(
    server: RawServer, dial: Dials, too_much: bytes
) -> None:
    """One of exactly `max_size` bytes passes (RFC 6455, section 7.4.1)."""
    client = dial(server.url, max_size=100)
    peer = await (await server.accepted()).upgrade()

    peer.write(frame(TEXT, b"x" * 100), frame(TEXT, b"y" * 60, fin=False), frame(CONT, b"z" * 40), too_much)
    await client.until("lost")

    assert client.told_but_reads == ["open", "x" * 100, "y" * 60 + "z" * 40, "lost"]
    assert isinstance(client.error, MessageTooBig)
    assert (client.error.max_size, client.error.code) == (100, 1009)
    assert client.error.__cause__ is not None
    sent = await peer.frame()
    assert (sent.opcode, sent.payload[:2]) == (CLOSE, b"\x03\xf1")
