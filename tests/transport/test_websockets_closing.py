"""How we end a connection of the websockets transport."""

from __future__ import annotations

import asyncio

import pytest

from rxws.errors import (
    ConfigError,
    ConnectionClosed,
)
from tests.transport.raw_server import (
    CLOSE,
    PONG,
    TEXT,
    Frame,
    RawServer,
    close,
    frame,
)
from tests.transport.receiving import Dials, Leap, opened, turns


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
    client.socket.close(1000, "")  # does not begin the time anew, nor wait a second time
    assert [task.get_name() for task in asyncio.all_tasks()].count("rxws close") == 1

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
    peer.write(frame(TEXT, b"unread"))
    client.socket.abort()
    client.socket.abort()
    await client.until("gone")

    assert client.told_but_reads == ["open", "gone"]
    assert await peer.ended() in ("FIN", "RST")


async def test_once_gone_a_socket_takes_every_call_and_does_nothing(server: RawServer, dial: Dials) -> None:
    """No task begins that would outlive it."""
    client = dial(server.url, close_timeout=60.0)
    peer = await opened(server, client)
    peer.fin()
    await client.until("gone")
    await turns()
    told, tasks = list(client.told), asyncio.all_tasks()

    client.socket.close(1000, "")
    client.socket.ping(b"")
    client.socket.abort()
    with pytest.raises(ConnectionClosed):
        client.socket.send(b"", True)

    assert asyncio.all_tasks() == tasks
    await turns()
    assert client.told == told


@pytest.mark.parametrize(
    ("code", "reason"), [(1006, ""), (999, ""), (5000, ""), (70_000, ""), (1000, "x" * 124), (1000, "\ud800")]
)
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
