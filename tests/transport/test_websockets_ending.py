"""How a connection of the websockets transport ends: by the server, by the network, by a broken frame, by us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rxws.errors import ConfigError, ConnectionClosed, ProtocolError
from rxws.transport.websockets import _unread
from tests.transport.raw_server import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, RawPeer, RawServer, close, frame
from tests.transport.receiving import Client

Dials = Callable[..., Client]
Leap = Callable[[float], None]

ANY_MASK = b"\x12\x34\x56\x78"


async def opened(server: RawServer, client: Client) -> RawPeer:
    """Accept a client, and wait until it knows."""
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    return peer


async def turns() -> None:
    """Let the loop do all that is ready."""
    for _ in range(10):
        await asyncio.sleep(0)


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


BROKEN = {
    "masked": frame(TEXT, b"masked", mask=ANY_MASK),
    "rsv1": frame(TEXT, b"reserved", rsv=4),
    "rsv2": frame(BINARY, b"reserved", rsv=2),
    "rsv3": frame(PING, b"reserved", rsv=1),
    "opcode 3": frame(0x3, b"unknown"),
    "opcode 15": frame(0xF, b"unknown"),
    "nothing to continue": frame(CONT, b"what"),
    "no continuation": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "fragmented ping": frame(PING, b"a", fin=False),
    "long ping": frame(PING, bytes(126)),
    "half a code": frame(CLOSE, b"\x03"),
    "long reason": close(1000, b"x" * 124),
    "code 0": close(0),
    "code 999": close(999),
    "code 1004": close(1004),
    "code 1005": close(1005),
    "code 1006": close(1006),
    "code 2999": close(2999),
    "code 5000": close(5000),
    "close in a message": frame(TEXT, b"a", fin=False) + close(1000),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=list(BROKEN))
async def test_what_is_no_websocket_is_a_protocol_error_and_answered_with_1002(
    server: RawServer, dial: Dials, data: bytes
) -> None:
    """The messages before it are told, and nothing behind it (RFC 6455, section 7.1.7)."""
    client = dial(server.url, compression=None)
    peer = await opened(server, client)
    peer.write(frame(TEXT, b"good"), data, frame(TEXT, b"not told"))
    peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "good", "lost", "gone"]
    assert isinstance(client.error, ProtocolError)
    assert client.error.code == 1002
    assert client.error.__cause__ is not None
    sent = await peer.frames()
    assert [(one.opcode, one.payload[:2]) for one in sent] == [(CLOSE, b"\x03\xea")]


async def test_a_close_reason_that_is_no_utf8_is_answered_with_1007(server: RawServer, dial: Dials) -> None:
    """It is a protocol error with that code (RFC 6455, section 8.1)."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(close(1000, b"\xce\xba\xff"))
    peer.fin()
    await client.until("gone")

    assert isinstance(client.error, ProtocolError)
    assert client.error.code == 1007
    assert (await peer.frame()).payload[:2] == b"\x03\xef"


async def test_what_cannot_be_inflated_is_a_protocol_error(server: RawServer, dial: Dials) -> None:
    """Where compression was negotiated, RSV1 is good and its payload is not."""
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade(headers="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    peer.write(frame(TEXT, b"\xff" * 20, rsv=4))
    peer.fin()
    await client.until("gone")

    assert isinstance(client.error, ProtocolError)
    assert client.error.code == 1002


async def test_an_end_by_us_is_not_a_loss(server: RawServer, dial: Dials) -> None:
    """After `close`, `on_gone` follows, once the server has answered and closed."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    client.socket.close(1001, "leaving")

    peer.write(frame(TEXT, b"crossed"), frame(PONG, b"pong"))
    await client.until(("pong", b"pong"))
    assert await peer.frame() == Frame(CLOSE, b"\x03\xe9leaving")
    peer.write(close(1001))
    peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "crossed", ("pong", b"pong"), "gone"]


@pytest.mark.parametrize("how", ["FIN", "RST", "garbage"])
async def test_an_end_by_us_that_the_server_does_not_answer_rightly_is_no_loss_either(
    server: RawServer, dial: Dials, how: str
) -> None:
    """Who ended it has heard all that matters."""
    client = dial(server.url)
    peer = await opened(server, client)
    client.socket.close(1000, "")
    if how == "garbage":
        peer.write(frame(0xF))
    if how == "RST":
        peer.reset()
    else:
        peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "gone"]


async def test_a_server_that_never_answers_our_close_is_aborted_after_close_timeout(
    server: RawServer, dial: Dials, leap: Leap
) -> None:
    """Whatever else it goes on to send meanwhile."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    client.socket.close(1000, "")
    leap(59.0)
    peer.write(frame(TEXT, b"still talking"))
    await client.until("still talking")
    assert client.told_but_reads == ["open", "still talking"]
    client.socket.close(1000, "")  # does not begin the time anew

    leap(1.1)
    await client.until("gone")

    assert client.told_but_reads == ["open", "still talking", "gone"]
    assert [sent.opcode for sent in await peer.frames()] == [CLOSE]


async def test_without_a_close_timeout_the_server_is_waited_for(server: RawServer, dial: Dials, leap: Leap) -> None:
    """None is for ever, and no timer at all."""
    client = dial(server.url, close_timeout=None)
    peer = await opened(server, client)
    client.socket.close(1000, "")
    leap(1e9)
    await turns()
    assert client.told_but_reads == ["open"]

    peer.fin()
    await client.until("gone")


async def test_abort_closes_the_socket_at_once(server: RawServer, dial: Dials) -> None:
    """Without a close frame, and though much is still to be sent; nothing is told but that it is gone."""
    client = dial(server.url, close_timeout=60.0, compression=None)
    peer = await opened(server, client)
    client.socket.send(bytes(2**24), False)
    client.socket.abort()
    client.socket.abort()
    await client.until("gone")

    assert client.told_but_reads == ["open", "gone"]
    assert await peer.ended() in ("FIN", "RST")


async def test_once_gone_a_socket_takes_every_call_and_does_nothing(server: RawServer, dial: Dials, leap: Leap) -> None:
    """No timer begins that would outlive it."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    peer.fin()
    await client.until("gone")
    told = list(client.told)

    client.socket.close(1000, "")
    client.socket.ping(b"")
    client.socket.abort()
    with pytest.raises(ConnectionClosed):
        client.socket.send(b"", True)
    await turns()

    assert client.told == told


@pytest.mark.parametrize(("code", "reason"), [(1006, ""), (999, ""), (5000, ""), (70_000, ""), (1000, "x" * 124)])
async def test_a_close_frame_that_cannot_be_sent_is_refused(
    server: RawServer, dial: Dials, code: int, reason: str
) -> None:
    """The error names the code and the way out, and the connection is as it was."""
    client = dial(server.url)
    peer = await opened(server, client)

    with pytest.raises(ConfigError, match=rf"code: {code} .* take 1000, 1001 or 3000 to 4999"):
        client.socket.close(code, reason)

    peer.write(close(1000))
    peer.fin()
    await client.until("gone")
    assert client.told_but_reads == ["open", "lost", "gone"]
