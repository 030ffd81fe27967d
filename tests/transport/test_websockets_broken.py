"""What is no WebSocket: frames that RFC 6455 forbids, each answered with its close code."""

from __future__ import annotations

import pytest

from rxws.errors import (
    ProtocolError,
)
from tests.transport.raw_server import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    TEXT,
    RawServer,
    close,
    frame,
)
from tests.transport.receiving import Dials, opened

ANY_MASK = b"\x12\x34\x56\x78"


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
    client = dial(server.url, compression="deflate")
    peer = await (await server.accepted()).upgrade(headers="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    peer.write(frame(TEXT, b"\xff" * 20, rsv=4))
    peer.fin()
    await client.until("gone")

    assert isinstance(client.error, ProtocolError)
    assert client.error.code == 1002
