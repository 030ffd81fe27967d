"""The ways of the websockets transport to a server: TLS, and HTTP proxies."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import Callable

import pytest
import trustme
from websockets import exceptions

from rxws.errors import ConnectionClosed, ConnectionFailed
from tests.transport.raw_server import CLOSE, TEXT, RawPeer, RawServer, close, frame
from tests.transport.receiving import Client
from tests.transport.tunnel import Tunnel, tunnel

Dials = Callable[..., Client]
Leap = Callable[[float], None]

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


async def opened(server: RawServer, client: Client) -> RawPeer:
    """Accept a client, and wait until it knows."""
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    return peer


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
    """What is still in the kernel is encrypted, and is left there."""
    async with tunnel(server, context=loopback) as way:
        client = dial(secure(way), ssl=trusting)
        await opened(server, client)
        client.socket._connection.connection_lost(BrokenPipeError())  # type: ignore[attr-defined]
        assert client.told == ["open", "lost", "gone"]
        assert isinstance(client.error.__cause__, BrokenPipeError)  # type: ignore[union-attr]
