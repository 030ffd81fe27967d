"""The ways of the websockets transport to a server: TLS, and HTTP proxies."""

from __future__ import annotations

import asyncio
import ssl
import traceback

import pytest
import trustme
from websockets import exceptions

from rxws.errors import ConnectionClosed, ConnectionFailed
from tests.transport.raw_server import CLOSE, TEXT, RawServer, close, frame
from tests.transport.receiving import Dials, Leap, opened
from tests.transport.tunnel import Tunnel, tunnel

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no system knows."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client verifies by that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def loopback(authority: trustme.CA) -> ssl.SSLContext:
    """What a server shows that is 127.0.0.1."""
    return serving(authority, "127.0.0.1")


def serving(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """Return what a server shows that has this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def secure(way: Tunnel) -> str:
    """Return the URL of what is behind TLS."""
    return f"wss://127.0.0.1:{way.port}"


async def test_messages_pass_over_tls_both_ways(
    server: RawServer, dial: Dials, loopback: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """And the closing handshake ends it."""
    async with tunnel(server, context=loopback) as way:
        client = dial(secure(way), ssl=trusting, compression=None)
        peer = await opened(server, client)
        peer.write(frame(TEXT, b"x" * 100_000), frame(TEXT, b"last"))
        client.socket.send(b"y" * 100_000, True)
        assert (await peer.frame()).payload == b"y" * 100_000
        client.socket.close(1000, "")
        assert (await peer.frame()).opcode == CLOSE
        await client.until("last")
        peer.write(close(1000))
        peer.fin()
        await client.until("gone")

    assert client.told_but_reads == ["open", "x" * 100_000, "last", "gone"]


@pytest.mark.parametrize(("end", "code"), [("close", 1001), ("FIN", 1006), ("RST", 1006)])
async def test_an_end_over_tls_is_told_as_any_other(
    server: RawServer, dial: Dials, loopback: ssl.SSLContext, trusting: ssl.SSLContext, end: str, code: int
) -> None:
    """Behind the messages before it, once."""
    async with tunnel(server, context=loopback) as way:
        client = dial(secure(way), ssl=trusting)
        peer = await opened(server, client)
        peer.write(frame(TEXT, b"last"))
        await client.until("last")
        if end == "close":
            peer.write(close(1001))
        if end == "RST":
            peer.reset()
        else:
            peer.fin()
        await client.until("gone")

    assert client.told_but_reads == ["open", "last", "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert client.error.code == code


async def test_over_tls_a_write_that_fails_is_a_loss(
    server: RawServer, dial: Dials, loopback: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """With the system's error as its cause."""
    async with tunnel(server, context=loopback) as way:
        client = dial(secure(way), ssl=trusting)
        await opened(server, client)
        way.reset()
        await asyncio.sleep(0)  # the RST is here, and has not been read
        client.socket.send(b"into the void", True)
        await client.until("gone")

    assert client.told == ["open", "lost", "gone"]
    assert isinstance(client.error, ConnectionClosed)
    assert isinstance(client.error.__cause__, OSError)


async def test_over_tls_a_server_that_leaves_tcp_open_is_aborted_after_close_timeout(
    server: RawServer, dial: Dials, loopback: ssl.SSLContext, trusting: ssl.SSLContext, leap: Leap
) -> None:
    """After its close frame, and after ours."""
    async with tunnel(server, context=loopback) as way:
        for theirs in (True, False):
            client = dial(secure(way), ssl=trusting, close_timeout=7.0)
            peer = await opened(server, client)
            if theirs:
                peer.write(close(1001))
                await client.until("lost")
            else:
                client.socket.close(1000, "")
            assert (await peer.frame()).opcode == CLOSE
            assert "gone" not in client.told
            leap(7.1)
            await client.until("gone")


@pytest.mark.parametrize("name", ["venue.example", "127.0.0.1"])
async def test_a_certificate_that_fails_is_a_failed_connection(
    server: RawServer, dial: Dials, authority: trustme.CA, trusting: ssl.SSLContext, name: str
) -> None:
    """One for another name, and one of an authority that the system does not know; there is no way around it."""
    async with tunnel(server, context=serving(authority, name)) as way:
        client = dial(secure(way), ssl=trusting if name == "venue.example" else None)
        await client.until("lost")

    assert client.told == ["lost"]
    assert type(client.error) is ConnectionFailed
    assert isinstance(client.error.__cause__, ssl.SSLCertVerificationError)


async def test_the_name_to_verify_can_be_another_than_the_urls(
    server: RawServer, dial: Dials, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """As where an address is dialled directly."""
    async with tunnel(server, context=serving(authority, "venue.example")) as way:
        client = dial(secure(way), ssl=trusting, server_hostname="venue.example")
        peer = await opened(server, client)
        peer.fin()
        await client.until("gone")

    assert client.told_but_reads == ["open", "lost", "gone"]


async def test_a_dial_that_hangs_in_tls_leaves_nothing_when_it_is_disposed(server: RawServer, dial: Dials) -> None:
    """The server takes the TCP connection, and says nothing."""
    client = dial(server.url.replace("ws:", "wss:"))
    peer = await server.accepted()
    client.opening.dispose()

    assert await peer.ended() in ("FIN", "RST")
    assert client.told == []


async def test_a_proxy_is_asked_to_connect(server: RawServer, dial: Dials) -> None:
    """With its own authorization, which the server does not see."""
    async with tunnel(server, answer=CONNECTED) as way:
        client = dial("ws://venue.example/ws", proxy=f"http://me:secret@127.0.0.1:{way.port}")
        peer = await opened(server, client)
        peer.write(frame(TEXT, b"through"))
        await client.until("through")
        peer.fin()
        await client.until("gone")

    assert way.request.startswith("CONNECT venue.example:80 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in way.request
    assert "Authorization" not in peer.request
    assert client.told_but_reads == ["open", "through", "lost", "gone"]


async def test_tls_goes_through_a_proxy(
    server: RawServer, dial: Dials, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    """And ends at the server, whose name is verified."""
    async with tunnel(server, context=serving(authority, "venue.example")) as behind:
        async with tunnel(behind, answer=CONNECTED) as way:
            client = dial("wss://venue.example", proxy=f"http://127.0.0.1:{way.port}", ssl=trusting)
            peer = await opened(server, client)
            peer.fin()
            await client.until("gone")

    assert way.request.startswith("CONNECT venue.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("choice", [{}, {"proxy": True}, {"proxy": None}], ids=["default", "True", "None"])
async def test_the_systems_proxy_is_used_unless_it_is_none(
    server: RawServer, dial: Dials, monkeypatch: pytest.MonkeyPatch, choice: dict[str, object]
) -> None:
    """As the environment names it."""
    async with tunnel(server, answer=CONNECTED) as way:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{way.port}")
        client = dial(server.url, **choice)
        peer = await opened(server, client)
        peer.fin()
        await client.until("gone")

    assert bool(way.request) == (choice != {"proxy": None})


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Who are you\r\n\r\n", b"SSH-2.0\r\n\r\n"])
async def test_a_proxy_that_does_not_connect_is_a_failed_connection(
    server: RawServer, dial: Dials, answer: bytes
) -> None:
    """A refusal of the proxy is none of the server's, whatever its status."""
    async with tunnel(server, answer=answer) as way:
        client = await dial(server.url, proxy=f"http://127.0.0.1:{way.port}").until("lost")

    assert client.told == ["lost"]
    assert type(client.error) is ConnectionFailed
    assert isinstance(client.error.__cause__, exceptions.ProxyError)


async def test_a_dial_that_hangs_at_the_proxy_leaves_nothing_when_it_is_disposed(
    server: RawServer, dial: Dials
) -> None:
    """It is not answered there."""
    async with tunnel(server, answer=b"") as way:
        client = dial(server.url, proxy=f"http://127.0.0.1:{way.port}")
        await way.asked.wait()
        client.opening.dispose()

    assert client.told == []


async def test_a_system_proxy_that_is_none_shows_no_secret(dial: Dials, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the error, nor in its cause, nor in their `repr`; that of an option is refused before any dial."""
    monkeypatch.setenv("http_proxy", "http://me:SECRET@proxy.example/path?SECRET")
    client = await dial("ws://venue.example").until("lost")

    assert client.error is not None
    assert isinstance(client.error.__cause__, exceptions.InvalidProxy)
    shown = "".join(traceback.format_exception(client.error)) + repr(client.error) + repr(client.error.__cause__)
    assert "http://***@proxy.example/path" in shown
    assert "SECRET" not in shown
