"""How the websockets transport opens a connection."""

from __future__ import annotations

import asyncio

import pytest

from tests.transport.raw_server import (
    UPGRADED,
    RawServer,
    response,
)
from tests.transport.receiving import Client, Dials


async def test_the_request_carries_what_was_asked_for(server: RawServer, dial: Dials) -> None:
    """Path, query, headers, origin, user agent, subprotocols, and user info as basic authorization."""
    dial(
        f"ws://me:secret@127.0.0.1:{server.port}/ws/btc?a=b",
        headers={"X-Api-Key": "k"},
        origin="https://venue.example",
        user_agent_header="rxws",
        subprotocols=["v2", "v1"],
        compression=None,
    )
    lines = (await (await server.accepted()).read_request()).split("\r\n")

    assert lines[0] == "GET /ws/btc?a=b HTTP/1.1"
    assert {
        f"Host: 127.0.0.1:{server.port}",
        "X-Api-Key: k",
        "Origin: https://venue.example",
        "User-Agent: rxws",
        "Sec-WebSocket-Protocol: v2, v1",
        "Sec-WebSocket-Version: 13",
        "Authorization: Basic bWU6c2VjcmV0",
    } <= set(lines)
    assert not any(line.startswith("Sec-WebSocket-Extensions") for line in lines)


async def test_an_option_that_is_none_is_as_if_it_was_not_given(server: RawServer, dial: Dials, transport: str) -> None:
    """Only for compression, proxy and user agent None is a choice of its own; picows has no compression by default."""
    names = ["subprotocols", "ssl", "server_hostname", "origin", "host", "port", "local_addr", "outbox"]
    client = dial(server.url, user_agent_header=None, proxy=None, **dict.fromkeys(names))
    peer = await (await server.accepted()).upgrade()
    await client.until("open")

    assert "User-Agent" not in peer.request
    assert ("permessage-deflate" in peer.request) == (transport == "websockets")


async def test_host_and_port_lead_elsewhere_than_the_url(server: RawServer, dial: Dials) -> None:
    """The Host header stays the URL's."""
    client = dial("ws://venue.example:81/", host="127.0.0.1", port=server.port, local_addr=("127.0.0.1", 0))
    peer = await (await server.accepted()).upgrade()
    await client.until("open")

    assert "Host: venue.example:81\r\n" in peer.request


@pytest.mark.parametrize("agreed", ["v1", None])
async def test_the_agreed_subprotocol_is_told(server: RawServer, dial: Dials, agreed: str | None) -> None:
    """Or None, where the server chose none."""
    client = dial(server.url, subprotocols=["v2", "v1"])
    headers = f"Sec-WebSocket-Protocol: {agreed}\r\n" if agreed else ""
    await (await server.accepted()).upgrade(headers=headers)
    await client.until("open")

    assert client.socket.subprotocol == agreed


async def test_a_dial_that_hangs_tells_nothing_and_leaves_nothing_when_it_is_disposed(
    server: RawServer, dial: Dials
) -> None:
    """Before its first step, while TCP is silent, and in the middle of the answer."""
    unborn = dial(server.url)
    unborn.opening.dispose()
    silent = dial(server.url)
    first = await server.accepted()
    await first.read_request()
    half = dial(server.url)
    second = await server.accepted()
    await second.read_request()
    second.write(UPGRADED.encode())

    silent.opening.dispose()
    half.opening.dispose()
    half.opening.dispose()

    assert await first.ended() in ("FIN", "RST")
    assert await second.ended() in ("FIN", "RST")
    assert [client.told for client in (unborn, silent, half)] == [[], [], []]


async def test_disposing_leaves_what_has_opened_alone(server: RawServer, dial: Dials) -> None:
    """Also within the turn of the loop in which it opened."""

    class Hasty(Client):
        def on_open(self, socket: object) -> None:
            super().on_open(socket)  # type: ignore[arg-type]
            self.opening.dispose()

    client = Hasty(server.url)
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    for _ in range(5):
        await asyncio.sleep(0)
    client.socket.send(b"still here", True)
    client.socket.close(1000, "")

    assert (await peer.frame()).payload == b"still here"
    assert (await peer.frame()).payload == b"\x03\xe8"
    peer.close()
    await client.until("gone")
    assert client.told == ["open", "gone"]


async def test_a_redirect_is_followed(server: RawServer, dial: Dials) -> None:
    """To another server too, which does not get the authorization (as websockets does it)."""
    other = RawServer()
    client = dial(f"{server.url}/old", headers={"Authorization": "secret", "X-Of-Mine": "1"})
    peer = await server.accepted()
    await peer.read_request()
    peer.write(response("302 Found", "Location: /new\r\n"))
    peer = await server.accepted()
    assert "GET /new HTTP/1.1\r\n" in await peer.read_request()
    assert "Authorization: secret" in peer.request
    peer.write(response("307 Elsewhere", f"Location: {other.url}/there\r\n"))
    peer = await (await other.accepted()).upgrade()
    await client.until("open")
    client.socket.abort()
    await peer.ended()
    other.close()

    assert "GET /there HTTP/1.1\r\n" in peer.request
    assert "Authorization" not in peer.request
    assert "X-Of-Mine: 1" in peer.request
    assert client.told_but_reads[0] == "open"
