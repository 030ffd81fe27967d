"""A handshake that is refused with an HTTP status is refused, whatever becomes of the answer's body."""

from __future__ import annotations

import pytest

from rxws.errors import HandshakeRejected
from rxws.transport._refusal import refusal
from tests.transport.raw_server import RawServer
from tests.transport.receiving import Dials, Leap, turns


@pytest.mark.parametrize("framing", ["Content-Length: 100\r\n", "transfer-encoding: chunked\r\n", ""])
async def test_a_refusal_whose_body_hangs_is_told_by_its_status(
    server: RawServer, dial: Dials, leap: Leap, framing: str
) -> None:
    """After a grace, with what there is of the body: a timeout would be tried again."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(f"HTTP/1.1 401 No\r\n{framing}Retry-After: 5\r\n\r\n1e\r\nyour key ".encode())
    await turns()
    assert client.told == []
    peer.write(b"is old")
    await turns()

    leap(1.0)
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error, HandshakeRejected)
    assert (client.error.status, client.error.retry_after) == (401, 5.0)
    assert client.error.body == b"1e\r\nyour key is old"
    assert await peer.ended() in ("FIN", "RST")


async def test_a_body_that_ends_as_the_grace_does_is_told_once(
    server: RawServer, dial: Dials, leap: Leap, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is read and the timer is due in one turn of the loop."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nyo")
    await turns()

    peer.write(b"u!")
    leap(1.0)
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error, HandshakeRejected)
    assert client.error.body == b"you!"
    assert caplog.records == []


async def test_a_refusal_that_hangs_leaves_nothing_when_it_is_disposed(server: RawServer, dial: Dials) -> None:
    """Neither the socket nor the timer of its grace."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    for part in (b"HTTP/1.1 401 No\r\n\r\nyour", b" key"):
        peer.write(part)
        await turns()

    client.opening.dispose()

    assert await peer.ended() in ("FIN", "RST")
    assert client.told == []


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 3000000\r\n\r\nno",
        b"Content-Length: abc\r\n\r\nno",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nno",
        b"Transfer-Encoding: gzip\r\n\r\nno",
        b"X: y\r\n" * 300 + b"\r\nno",
        b"\r\n" + b"no" * 600_000,
        b"Content-Length: 100\r\n\r\nno",
        b"",
    ],
    ids=["too long", "no length", "bad chunk", "unknown coding", "many headers", "large", "short", "no headers"],
)
@pytest.mark.parametrize("end", ["FIN", "RST", "stays"])
async def test_a_refusal_whose_rest_is_wrong_is_told_by_its_status(
    server: RawServer, dial: Dials, rest: bytes, end: str
) -> None:
    """Else a 401 would be tried again for ever."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(b"HTTP/1.1 401 No\r\n" + rest)
    if end == "FIN":
        peer.fin()
    elif end == "RST" or not rest:
        await turns()
        peer.reset()
    await client.until("lost")

    assert client.told == ["lost"]
    assert isinstance(client.error, HandshakeRejected)
    assert client.error.status == 401
    assert len(client.error.body) <= 512


async def test_an_old_servers_refusal_is_a_refusal(server: RawServer, dial: Dials) -> None:
    """HTTP/1.0 knows no upgrade, and 403 all the same."""
    client = dial(server.url)
    peer = await server.accepted()
    await peer.read_request()
    peer.write(b"HTTP/1.0 403\r\n\r\nno")
    peer.fin()
    await client.until("lost")
    assert isinstance(client.error, HandshakeRejected)
    assert (client.error.status, client.error.body) == (403, b"no")


async def test_a_refusal_that_repeats_a_secret_header_is_masked(server: RawServer, dial: Dials) -> None:
    """Keys stay out of errors, also where the server sends them back."""
    client = dial(server.url, headers={"X-Api-Key": "SuperSecretKey123", "Authorization": "Bearer abcdefghijk"})
    peer = await server.accepted()
    await peer.read_request()
    peer.write(b"HTTP/1.1 401 No\r\nContent-Length: 50\r\n\r\n" + b"bad key SuperSecretKey123 or abcdefghijk".ljust(50))
    await client.until("lost")
    assert b"bad key *** or ***" in client.error.body
    assert "SuperSecretKey123" not in repr(client.error) + str(client.error)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 101 Yes\r\n\r\n", b"HTTP/1.1 4"])
def test_what_has_no_status_is_no_refusal(answer: bytes) -> None:
    """Then websockets says what is wrong with it."""
    assert refusal(answer) is None
