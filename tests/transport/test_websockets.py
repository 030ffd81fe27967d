"""What arrives and what is sent by the websockets transport, against servers on loopback."""

from __future__ import annotations

import logging.config
import socket
from collections.abc import Callable
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.permessage_deflate import PerMessageDeflate

from rxws.errors import BufferOverflow, ConnectionClosed, MessageTooBig
from rxws.transport import websockets as transport
from tests.transport.raw_server import BINARY, CLOSE, CONT, PING, PONG, TEXT, Frame, RawServer, close, frame
from tests.transport.receiving import Client

Dials = Callable[..., Client]


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


async def test_websockets_still_calls_the_hook_that_messages_come_through(
    server: RawServer, dial: Dials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`process_event` gets the response and every frame, from inside `data_received`; it is no public method."""
    events: list[tuple[str, bool]] = []

    class Watched(transport.PushConnection):
        reading = False

        def data_received(self, data: bytes) -> None:
            self.reading = True
            super().data_received(data)
            self.reading = False

        def process_event(self, event: Any) -> None:
            events.append((type(event).__name__, self.reading))
            super().process_event(event)

    monkeypatch.setattr(transport, "PushConnection", Watched)
    client = dial(server.url)
    peer = await (await server.accepted()).upgrade()
    peer.write(frame(TEXT, b"1", fin=False), frame(PING), frame(CONT, b"2"), frame(PONG), close(1000))
    peer.fin()
    await client.until("gone")

    hint = f"websockets {websockets.__version__} hands frames on in another way: see rxws/transport/websockets.py"
    assert events == [("Response", True), *[("Frame", True)] * 5], hint


@pytest.mark.parametrize("configured", [False, True])
async def test_no_secret_is_in_a_log_record(
    server: RawServer, dial: Dials, caplog: pytest.LogCaptureFixture, configured: bool
) -> None:
    """Not with the root logger at DEBUG, nor where `logging.config` set "rxws" to DEBUG after the first import."""
    if configured:
        logging.getLogger("rxws.wire").setLevel(logging.INFO)
        settings = {"version": 1, "disable_existing_loggers": False, "loggers": {"rxws": {"level": "DEBUG"}}}
        logging.config.dictConfig(settings)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("rxws.test").debug("records are taken")

    client = dial(f"{server.url}/SECRET?token=SECRET", headers={"X-Key": "SECRET"}, origin="https://SECRET")
    peer = await (await server.accepted()).upgrade(frame(TEXT, b"SECRET"), headers="Set-Cookie: SECRET\r\n")
    client = await client.until("SECRET")
    client.socket.send(b"SECRET", True)
    peer.write(close(1000, b"SECRET"))
    peer.fin()
    await client.until("gone")

    logging.getLogger("rxws").setLevel(logging.NOTSET)
    assert "records are taken" in caplog.text
    assert peer.request.count("SECRET") == 4
    assert "SECRET" not in caplog.text
