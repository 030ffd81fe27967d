"""What only the picows transport has: its parser, the border to websockets, and what it finds by itself."""

from __future__ import annotations

import logging
from importlib.metadata import version

import pytest
from picows import WSFrame, WSMsgType, WSTransport

from rxws.errors import ConnectionClosed, ProtocolError
from rxws.transport._parser import FIRST_BUFFER, FrameParser
from rxws.transport.picows import MOST_BY_HAND, READ, PicowsConnection
from tests.transport.raw_server import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, RawServer, close, frame
from tests.transport.receiving import Dials, opened, turns

HINT = f"picows {version('picows')} parses in another way: see rxws/transport/_parser.py"
pytestmark = pytest.mark.parametrize("transport", ["picows"])


class Taking:
    """What a parser calls back with."""

    def __init__(self) -> None:
        self.frames: list[tuple[WSMsgType, bytes, int]] = []

    def __call__(self, _: WSTransport, frame: WSFrame) -> None:
        reserved = frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3
        self.frames.append((frame.msg_type, frame.get_payload_as_bytes(), reserved))


async def test_picows_still_parses_by_itself(transport: str) -> None:
    """It takes the handshake that is made for it, calls what is set on the listener, and tells what it cannot parse."""
    first, second = Taking(), Taking()
    parser = FrameParser(first, 2**20)
    parser.feed(frame(TEXT, b"1") + frame(PING, b"?", rsv=3) + frame(BINARY, b"x" * 3 * FIRST_BUFFER))
    assert first.frames == [
        (WSMsgType.TEXT, b"1", 0),
        (WSMsgType.PING, b"?", 3),
        (WSMsgType.BINARY, b"x" * 3 * FIRST_BUFFER, 0),
    ], HINT
    parser.on_frame = second
    assert parser.on_frame is second, HINT
    parser.feed(frame(CONT, b"2", fin=False) + frame(PONG) + close(1000))
    assert [kind for kind, _, _ in second.frames] == [WSMsgType.CONTINUATION, WSMsgType.PONG, WSMsgType.CLOSE], HINT
    assert parser.broken is None, HINT
    parser.feed(frame(TEXT, b"x" * (2**20 + 1)))
    assert parser.broken is not None and parser.broken.code == 1009, HINT


async def test_nothing_of_picows_reaches_a_log(transport: str, caplog: pytest.LogCaptureFixture) -> None:
    """It logs each connection, and what it cannot parse, with what is in it."""
    caplog.set_level(logging.DEBUG)
    parser = FrameParser(Taking(), None)
    parser.feed(b"\xff" * 20)

    assert parser.broken is not None
    assert caplog.records == []


@pytest.mark.parametrize("cut", range(1, 160, 7))
async def test_the_answer_ends_where_it_ends(server: RawServer, dial: Dials, cut: int) -> None:
    """Wherever the segments are cut, websockets gets the answer and picows what follows on it."""
    client = dial(server.url)
    peer = await server.accepted()
    writes: list[bytes] = []
    write = peer.write
    peer.write = lambda *data: writes.extend(data)  # type: ignore[method-assign]
    await peer.upgrade(frame(TEXT, b"1"), frame(BINARY, b"2"))
    data = b"".join(writes)
    write(data[:cut])
    await turns()
    write(data[cut:])
    await client.until("1", b"2")

    assert client.told_but_reads == ["open", "1", b"2"]
    assert isinstance(client.socket._connection, PicowsConnection)  # type: ignore[attr-defined]


async def test_who_closes_as_it_opens_hears_what_comes_behind_it(server: RawServer, dial: Dials) -> None:
    """As with websockets: what came in the segment of the answer is told, and then that it is gone."""
    client = dial(server.url, close_timeout=60.0)
    tell = client.tell

    def leave(what: object) -> None:
        tell(what)
        if what == "open":
            client.socket.close(1000, "")

    client.tell = leave  # type: ignore[method-assign]
    peer = await (await server.accepted()).upgrade(frame(TEXT, b"1"), close(1000))
    peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "1", "gone"]


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
async def test_a_fragment_of_any_size_goes_over_to_websockets(server: RawServer, dial: Dials, size: int) -> None:
    """And behind the last one picows' messages go on."""
    client = dial(server.url)
    peer = await opened(server, client)
    await peer.write_much(frame(BINARY, b"x" * size, fin=False) + frame(CONT, b"y" * size) + frame(TEXT, b"next"))
    await client.until("next")

    assert client.told_but_reads == ["open", b"x" * size + b"y" * size, "next"]


async def test_a_message_between_fragments_is_a_protocol_error(server: RawServer, dial: Dials) -> None:
    """Only control frames may stand there (RFC 6455, section 5.4)."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(frame(TEXT, b"1", fin=False), frame(TEXT, b"2"))
    peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "lost", "gone"]
    assert isinstance(client.error, ProtocolError)


async def test_pongs_and_messages_leave_in_order(server: RawServer, dial: Dials) -> None:
    """A pong that is due goes before what is sent from the message behind its ping."""
    client = dial(server.url)
    peer = await opened(server, client)
    tell = client.tell

    def echo(what: object) -> None:
        tell(what)
        if what == "hello":
            client.socket.send(b"echo", True)

    client.tell = echo  # type: ignore[method-assign]
    peer.write(frame(PING, b"1"), frame(TEXT, b"hello"), frame(PING, b"2"))

    assert [await peer.frame() for _ in range(3)] == [Frame(PONG, b"1"), Frame(TEXT, b"echo"), Frame(PONG, b"2")]


async def test_what_a_receiver_raises_on_a_control_frame_ends_the_connection(server: RawServer, dial: Dials) -> None:
    """It is no business of the transport's; picows would swallow it, asyncio takes it for an end of the socket."""
    client = dial(server.url)
    peer = await opened(server, client)
    problem = KeyError("mine")

    def broken(payload: bytes) -> None:
        raise problem

    client.on_pong = broken  # type: ignore[method-assign]
    peer.write(frame(TEXT, b"before"), frame(PONG), frame(TEXT, b"behind"))
    await client.until("gone")

    assert client.told_but_reads == ["open", "before", "behind", "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert client.error.__cause__ is problem


@pytest.mark.parametrize(
    "data", [b"\x81\x7e\x00\x01x", b"\x81\x7f" + (200).to_bytes(8) + b"x" * 200], ids=["16 bits", "64 bits"]
)
async def test_a_length_that_is_written_too_long_is_a_protocol_error(
    server: RawServer, dial: Dials, data: bytes
) -> None:
    """The shortest way must be taken (RFC 6455, section 5.2); websockets lets it pass."""
    client = dial(server.url)
    peer = await opened(server, client)
    peer.write(frame(TEXT, b"good"), data, frame(TEXT, b"behind"))
    peer.fin()
    await client.until("gone")

    assert client.told_but_reads == ["open", "good", "lost", "gone"]
    assert isinstance(client.error, ProtocolError)
    assert (await peer.frame()).opcode == CLOSE


async def test_the_buffer_stays_small_however_fast_a_server_writes(server: RawServer, dial: Dials) -> None:
    """It is as large as its largest message needs, not as what the kernel holds."""
    client = dial(server.url)
    peer = await opened(server, client)
    await peer.write_much(frame(TEXT, b"x" * 1000) * 30_000 + frame(TEXT, b"done"))
    await client.until("done")

    parser = client.socket._connection._parser  # type: ignore[attr-defined]
    assert len(parser.get_buffer(-1)) <= 4 * READ


@pytest.mark.parametrize("flood", [frame(PING), frame(CONT, fin=False)], ids=["pings", "fragments"])
async def test_a_flood_of_tiny_frames_ends_the_connection(server: RawServer, dial: Dials, flood: bytes) -> None:
    """More in one read than the default transport can see at all: no loop stands still for them."""
    client = dial(server.url)
    peer = await opened(server, client)
    connection = client.socket._connection  # type: ignore[attr-defined]
    many = frame(TEXT, fin=False) + flood * (MOST_BY_HAND + 10)
    buffer = connection.transport.get_protocol().get_buffer
    connection._parser.feed(frame(TEXT, b"x" * len(many)))  # so that its buffer holds all of it

    room = buffer(-1)
    room[: len(many)] = many
    connection.transport.get_protocol().buffer_updated(len(many))
    await client.until("gone")

    assert client.told_but_reads == ["open", "x" * len(many), "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert "at once" in str(client.error.__cause__)
    peer.close()


async def test_what_follows_on_a_broken_frame_is_not_kept(server: RawServer, dial: Dials) -> None:
    """However much a server goes on to send until its time to close is over."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    peer.write(b"\xff" * 10)
    await client.until("lost")
    connection = client.socket._connection  # type: ignore[attr-defined]

    assert connection.transport.get_protocol() is connection
    await peer.write_much(frame(TEXT, b"x" * 2**20) * 4)
    peer.fin()
    await client.until("gone")
    assert client.told_but_reads == ["open", "lost", "gone"]
