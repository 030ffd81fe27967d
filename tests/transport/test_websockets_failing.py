"""What the websockets transport tells of a connection that cannot be made."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from reactivex.testing import TestScheduler
from websockets import exceptions

from rxws.errors import (
    ConnectionFailed,
    HandshakeRejected,
)
from tests.transport.raw_server import (
    UPGRADED,
    RawServer,
    response,
)
from tests.transport.receiving import Dials

NOT_ALL = "HTTP/1.1 101 Switching Protocols\r\n"


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "403 No", "404 No", "418 Banned", "429 Slow", "503 Later"])
async def test_an_http_status_is_a_rejected_handshake(server: RawServer, dial: Dials, status: str) -> None:
    """With its status, the body's beginning, and the URL without its secrets."""
    client = dial(f"{server.url}/?token=secret")
    peer = await server.accepted()
    await peer.read_request()
    peer.write(response(status, body=b"why " * 200))
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error, HandshakeRejected)
    assert client.error.status == int(status[:3])
    assert client.error.retry_after is None
    assert client.error.body == (b"why " * 200)[:512]
    assert client.error.url == f"{server.url}/?token=***"
    assert isinstance(client.error.__cause__, exceptions.InvalidStatus)
    assert await peer.ended() in ("FIN", "RST")


async def test_a_body_that_ends_with_the_connection_is_read(server: RawServer, dial: Dials) -> None:
    """A response that does not say how long it is ends with the FIN (RFC 9112, section 6.3)."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(b"HTTP/1.1 401 Unauthorized\r\n\r\nyour key")
    peer.write(b" is old")
    peer.fin()
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error, HandshakeRejected)
    assert client.error.body == b"your key is old"


VIRTUAL = TestScheduler()
A_DATE = format_datetime((VIRTUAL.now + timedelta(seconds=90)), usegmt=True)
THE_PAST = format_datetime(VIRTUAL.now - timedelta(days=1), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["7"], 7.0),
        (["0"], 0.0),
        ([A_DATE], 90.0),
        ([THE_PAST], 0.0),
        (["Thu, 01 Jan 1970 00:00:30 -0000"], None),
        (["Wed, 21 Oct 2015 07:28:00 +99999999999999999"], None),
        (["soon"], None),
        (["-1"], None),
        (["7", "soon", "9", "8"], 9.0),
        ([], None),
    ],
)
async def test_retry_after_is_a_number_of_seconds_or_a_date(
    server: RawServer, dial: Dials, headers: list[str], seconds: float | None
) -> None:
    """A date counts from the scheduler's now; of several the longest holds; what is neither does not count."""
    client = dial(server.url, scheduler=VIRTUAL)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(response("429 Slow", "".join(f"Retry-After: {value}\r\n" for value in headers)))
    await client.until("lost")

    assert isinstance(client.error, HandshakeRejected)
    assert client.error.retry_after == seconds


async def test_a_date_counts_from_the_wall_clock(server: RawServer, dial: Dials) -> None:
    """Where the loop's own scheduler is given, whose timers have another clock."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    peer.write(response("503 Later", f"Retry-After: {in_an_hour}\r\n"))
    await client.until("lost")

    assert isinstance(client.error, HandshakeRejected)
    assert client.error.retry_after == pytest.approx(3600, abs=60)


async def test_a_port_where_nobody_listens_is_a_failed_connection(dial: Dials) -> None:
    """From the system's own error, and never from inside `open`."""
    nobody = RawServer()
    nobody.close()
    client = await dial(nobody.url).until("lost")

    assert client.told == ["lost"]
    assert type(client.error) is ConnectionFailed
    assert client.error.last_error is client.error.__cause__
    assert isinstance(client.error.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x00\xa5" * 100,
        b"x" * 100_000,
        NOT_ALL.encode(),
        f"{NOT_ALL}\r\n".encode(),
        f"{UPGRADED}\r\n".encode(),
        f"{UPGRADED}Sec-WebSocket-Accept: bm90IHRoaXMgb25lIGF0IGFsbA==\r\n\r\n".encode(),
    ],
    ids=["nothing", "no HTTP", "TLS", "no end", "half", "no upgrade", "no accept", "wrong accept"],
)
@pytest.mark.parametrize("how", ["FIN", "RST"])
async def test_what_is_no_handshake_is_a_failed_connection(
    server: RawServer, dial: Dials, answer: bytes, how: str
) -> None:
    """Garbage, an answer that breaks off, a wrong accept header, and an end without an answer; none of them opens."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(answer)
    if how == "FIN":
        peer.fin()
    else:
        peer.reset()
    await client.until("lost")

    assert client.told == ["lost"]
    assert type(client.error) is ConnectionFailed
    assert client.error.__cause__ is not None


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"x" * 100_000,
        f"{NOT_ALL}\r\n".encode(),
        f"{UPGRADED}Sec-WebSocket-Accept: bm90IHRoaXMgb25lIGF0IGFsbA==\r\n\r\n".encode(),
    ],
    ids=["no HTTP", "no end", "no upgrade", "wrong accept"],
)
async def test_what_is_no_handshake_is_told_at_once(server: RawServer, dial: Dials, answer: bytes) -> None:
    """The server need not end TCP for it, nor is it waited for: we do."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(answer)
    await client.until("lost")

    assert client.told == ["lost"]
    assert type(client.error) is ConnectionFailed
    assert await peer.ended() in ("FIN", "RST")


async def test_a_handshake_with_what_was_not_asked_for_is_a_failed_connection(server: RawServer, dial: Dials) -> None:
    """An extension or a subprotocol that the request did not name (RFC 6455, section 4.1)."""
    for header in ("Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: v1"):
        client = dial(server.url, compression=None)
        await (await server.accepted()).upgrade(headers=f"{header}\r\n")
        await client.until("lost")
        assert client.told == ["lost"]
        assert type(client.error) is ConnectionFailed


async def test_redirects_without_end_are_a_failed_connection(server: RawServer, dial: Dials) -> None:
    """websockets follows ten of them."""
    client = dial(server.url)
    for _ in range(10):
        peer = await server.accepted()
        await peer.read_request()
        peer.write(response("302 Found", "Location: /again\r\n"))
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error.__cause__, exceptions.SecurityError)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "where", ["http://other.example/ws?token=SECRET", "ws://x:SECRET@other.example/?SECRET", "ws://o:1/?token=SECRET"]
)
async def test_a_redirect_that_cannot_be_followed_shows_no_secret(server: RawServer, dial: Dials, where: str) -> None:
    """Neither the error nor its cause, which a traceback shows as well, nor their `repr`."""
    client = dial(server.url, host="127.0.0.1", port=server.port)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(response("302 Found", f"Location: {where}\r\n"))
    await client.until("lost")

    assert type(client.error) is ConnectionFailed
    shown = "".join(traceback.format_exception(client.error)) + repr(client.error) + repr(client.error.__cause__)
    assert "***" in shown
    assert "SECRET" not in shown
