"""The handshake is answered with nonsense, from elsewhere, or with more than was asked."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from websockets.asyncio.server import serve

from benchmarks.reliability.raw_server import CLOSE, TEXT, Elsewhere, Peer, RawServer, Script, frame, numbers
from benchmarks.reliability.scripts import refusing, stay
from rxws import Stats
from rxws.errors import ConnectionFailed
from rxws.events import Closed, Connecting, Opened, Overflow


def answering(response: bytes) -> Script:
    """A script: answer these bytes, and stay."""

    async def script(peer: Peer) -> None:
        await peer.ask()
        peer.write(response.replace(b"<accept>", peer.response().split(b"Accept: ")[1].strip()))
        await peer.listen()

    return script


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
NONSENSE = {
    "wrong accept": SWITCHING + UPGRADE + b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    "no accept": SWITCHING + UPGRADE + b"\r\n",
    "no upgrade": SWITCHING + b"Connection: Upgrade\r\nSec-WebSocket-Accept: <accept>\r\n\r\n",
    "subprotocol": SWITCHING + UPGRADE + b"Sec-WebSocket-Protocol: unasked\r\nSec-WebSocket-Accept: <accept>\r\n\r\n",
    "extension": SWITCHING + UPGRADE + b"Sec-WebSocket-Extensions: unasked\r\nSec-WebSocket-Accept: <accept>\r\n\r\n",
    "not http": b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",
    "http 1.0": b"HTTP/1.0 101 Switching Protocols\r\n" + UPGRADE + b"Sec-WebSocket-Accept: <accept>\r\n\r\n",
    "long header": SWITCHING + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": SWITCHING + b"X: x\r\n" * 1_000 + b"\r\n",
}


@pytest.mark.parametrize("response", NONSENSE.values(), ids=NONSENSE.keys())
async def test_a_wrong_answer_once_is_a_failure_that_is_tried_again(watch: Any, response: bytes) -> None:
    """The connection never opened; the next attempt is good, with a key of its own."""
    async with RawServer(answering(response), stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)

        assert [(type(each.error), each.opened) for each in seen.of(Closed)] == [(ConnectionFailed, False)]
        assert seen.shape == "CXWCOLd"
        keys = {peer.request.split(b"Sec-WebSocket-Key: ")[1][:24] for peer in server.peers}
        assert len(keys) == 2


async def test_a_redirect_is_followed(watch: Any) -> None:
    """It is one attempt: one Connecting, one Opened."""
    async with RawServer(stay) as there:
        moved = refusing(b"302 Found", b"Location: " + there.url.encode())
        async with RawServer(moved) as here, watch(here.url) as seen:
            await seen.until(lambda: seen.numbers)
            assert seen.shape == "COLd"
            assert len(here.peers) == len(there.peers) == 1


async def test_redirects_in_a_circle_end(watch: Any) -> None:
    """An attempt follows a few, and fails; dispose ends it."""

    async def circle(peer: Peer) -> None:
        await peer.refuse(b"302 Found", b"Location: /again")

    async with RawServer(circle) as server, watch(server.url) as seen:
        await seen.closes(1)
        assert isinstance(seen.of(Closed)[0].error, ConnectionFailed)
        assert len(server.peers) <= 20


@pytest.mark.parametrize("location", [b"ftp://127.0.0.1/", b"ws://[", b"ws://127.0.0.1:1/"])
async def test_a_redirect_to_nowhere_is_a_failure(watch: Any, location: bytes) -> None:
    """What the server names is its own affair: the attempt fails, and the next one is made."""
    moved = refusing(b"302 Found", b"Location: " + location)
    async with RawServer(moved, stay) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        assert isinstance(seen.of(Closed)[0].error, ConnectionFailed)


async def test_frames_in_the_segment_of_the_answer_arrive_first(watch: Any) -> None:
    """What came with the handshake's answer is handed on in order before what follows, each once."""

    async def eager(peer: Peer) -> None:
        await peer.accept(numbers(1, 3))
        peer.server.numbered = 3
        await peer.listen(until=TEXT)
        peer.number(3)
        await peer.listen()

    subscriptions = [{"op": "subscribe"}]
    async with RawServer(eager) as server, watch(server.url, subscriptions=subscriptions) as seen:
        await seen.until(lambda: len(seen.numbers) == 6)
        assert seen.numbers == [1, 2, 3, 4, 5, 6]
        assert seen.shape == "COSLdddddd"
        assert server.peers[0].of(TEXT) == [b'{"op":"subscribe"}']


@pytest.mark.parametrize("subscriptions", [[], ["a", "b"]])
async def test_a_whole_life_in_the_segment_of_the_answer_is_told_in_order(
    watch: Any, transport: str, subscriptions: list[str]
) -> None:
    """Opened, three messages and the close frame come at once, and so does the end of TCP.

    websockets has parsed all of it by then: there is nobody left to subscribe with, and so no Subscribed. picows parses
    what follows on the answer once it is told. With both the messages arrive, and the code is told.
    """
    life = "COSLdddX" if transport == "picows" and subscriptions else "COLdddX"

    async def brief(peer: Peer) -> None:
        await peer.accept(numbers(peer.server.numbered + 1, 3) + frame(CLOSE, b"\x03\xe9"))
        peer.server.numbered += 3
        peer.fin()

    async with RawServer(brief) as server, watch(server.url, subscriptions=subscriptions) as seen:
        await seen.closes(3)
        assert seen.numbers[:9] == list(range(1, 10))
        assert seen.shape.startswith(f"{life}W{life}W{life}")
        assert {each.error.code for each in seen.of(Closed)} == {1001}


async def test_frames_with_the_answer_are_held_for_a_login_and_then_handed_on_in_order(watch: Any) -> None:
    """The script reads them, the subscriber gets them too, in order and once."""

    async def eager(peer: Peer) -> None:
        await peer.accept(numbers(1, 3))
        peer.server.numbered = 3
        await peer.listen(until=TEXT)
        peer.number(3)
        await peer.listen()

    async def login(connection: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        connection.send("login")

    async with RawServer(eager) as server, watch(server.url, on_open=login) as seen:
        await seen.until(lambda: len(seen.numbers) == 6)
        assert seen.numbers == [1, 2, 3, 4, 5, 6]


async def test_what_a_login_leaves_behind_is_counted(watch: Any) -> None:
    """The server closes before the script is done: what it wrote is not handed on, and not lost in silence."""

    async def goodbye(peer: Peer) -> None:
        await peer.accept()
        peer.number(7)
        await peer.end(1008)

    async def login(connection: Any) -> None:
        await asyncio.sleep(3600)

    stats = Stats()
    async with RawServer(goodbye, stay) as server, watch(server.url, on_open=login, stats=stats) as seen:
        await seen.closes(1)
        assert (seen.values, stats.messages_received, stats.dropped) == ([], 7, 7)
        assert [type(each) for each in seen.told[:4]] == [Connecting, Opened, Overflow, Closed]
        assert seen.of(Closed)[0].error.code == 1008


async def test_what_follows_a_login_in_the_turn_of_its_end_is_handed_on(watch: Any) -> None:
    """Messages, close frame and the end of TCP come in the turn in which the script ends; all of them arrive."""

    async def brief(peer: Peer) -> None:
        await peer.accept(numbers(1, 3))
        await peer.listen(until=TEXT)
        peer.write(numbers(4, 3) + frame(CLOSE, b"\x03\xe9"))
        peer.fin()

    async def login(connection: Any) -> None:
        connection.send("login")
        # Blocked until the server has answered: what it wrote is read in the very turn in which this ends.
        while len(server.written) < 2:
            time.sleep(0.001)  # noqa: ASYNC251

    with Elsewhere(RawServer(brief)) as server:
        async with watch(server.url, on_open=login) as seen:
            await seen.closes(1)
            assert seen.numbers[:6] == [1, 2, 3, 4, 5, 6]


async def test_an_answer_byte_by_byte_opens(watch: Any) -> None:
    """A slow network is no fault."""

    async def slow(peer: Peer) -> None:
        await peer.ask()
        for byte in peer.response():
            peer.write(bytes((byte,)))
            await asyncio.sleep(0)
        peer.number()
        await peer.listen()

    async with RawServer(slow) as server, watch(server.url) as seen:
        await seen.until(lambda: seen.numbers)
        assert seen.shape == "COLd"


async def test_a_compressed_stream_arrives_whole(watch: Any, transport: str) -> None:
    """permessage-deflate is agreed upon by default (RFC 7692), with picows if asked for; over reconnects too."""
    agreed: list[bool] = []
    asked = {"compression": "deflate"} if transport == "picows" else {}

    async def feed(connection: Any) -> None:
        agreed.append("permessage-deflate" in connection.response.headers["Sec-WebSocket-Extensions"])
        for number in range(500):
            await connection.send(json.dumps({"n": number + 500 * (len(agreed) - 1), "pad": "x" * 200}))
        await connection.close(1012)

    async with serve(feed, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with watch(f"ws://127.0.0.1:{port}/", **asked) as seen:
            await seen.closes(3)
            await seen.until(lambda: len(seen.numbers) >= 1500)
            assert seen.numbers[:1500] == list(range(1500))
            assert all(agreed)
