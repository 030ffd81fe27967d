"""Channels by name, raw payloads, and `send`: what the server is asked for, once a connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.reliability.raw_server import BINARY, TEXT, Peer, RawServer
from rxws import Rotation
from rxws.errors import BufferOverflow, ConfigError, NotConnected
from rxws.events import Rotated
from rxws.unsent import Hold
from tests.client.hand import quiet, refuse, task, turns, until


def sent(peer: Peer) -> list[Any]:
    """The messages that came, decoded."""
    return [json.loads(payload) for _, payload in peer.messages]


def asks(*channels: str, action: str = "subscribe") -> list[dict[str, str]]:
    """What the client sends for channels, by default."""
    return [{"type": action, "channel": each} for each in channels]


async def test_channels_are_asked_for_once_a_connection(hand: Any) -> None:
    """Those given at the start and those that came later, in their order; what is not new is not asked for again."""
    async with RawServer(quiet) as server, hand(server.url, subscriptions=["a", {"op": "raw"}, "b"]) as client:
        assert client.subscriptions == {"a", "b"}
        await client.subscribe("c", "a", "c", "d")
        await client.subscribe("d")
        await until(lambda: len(sent(server.peers[0])) == 5)
        assert sent(server.peers[0]) == [{"op": "raw"}, *asks("a", "b", "c", "d")]
        await client.unsubscribe("a", "z", "a")
        await until(lambda: len(sent(server.peers[0])) == 6)
        assert sent(server.peers[0])[-1:] == asks("a", action="unsubscribe")
        client.kill()
        await client.wait_connected()
        await until(lambda: len(sent(server.peers[1])) == 4)
        assert sent(server.peers[1]) == [{"op": "raw"}, *asks("b", "c", "d")]
        assert client.subscriptions == frozenset("bcd")


async def test_channels_are_kept_while_it_is_away(hand: Any) -> None:
    """Before `connect`, while it waits and while it is closed: asked for when it is there."""
    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        await client.subscribe("a")
        await client.connect()
        client.request_disconnect()
        await client.subscribe("b")
        await client.connect()
        await client.close()
        await client.unsubscribe("a")
        await client.subscribe("c")
        await client.connect()
        await until(lambda: len(server.peers) == 3 and len(sent(server.peers[2])) == 2)
        assert [sent(each) for each in server.peers] == [asks("a"), asks("a", "b"), asks("b", "c")]


async def test_a_rotations_successor_is_asked_too(hand: Any) -> None:
    """Once; and a channel that is added in the overlap is asked for on both."""

    async def numbered(peer: Peer) -> None:
        await peer.accept()
        if len(peer.server.peers) == 1:
            peer.number()
        await peer.listen()

    rotation = Rotation(0.05, overlap=30.0)
    async with RawServer(numbered) as server, hand(server.url, rotate=rotation, subscriptions=["a"]) as client:
        await until(lambda: len(server.peers) == 2 and sent(server.peers[1]) == asks("a"))
        await client.subscribe("b")
        await until(lambda: sent(server.peers[1]) == asks("a", "b"))
        assert sent(server.peers[0]) == asks("a", "b")
        server.peers[1].number()
        await until(lambda: client.of(Rotated))


async def test_a_failed_send_does_not_look_subscribed(hand: Any) -> None:
    """No room: neither it nor those behind it are; once there is room the same call asks for them."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        socket = client.present_ws._socket
        full, room = BufferOverflow(1, 1), socket.send

        def send(payload: bytes, is_text: bool) -> None:
            if b'"b"' in payload:
                raise full
            room(payload, is_text)

        socket.send = send
        with pytest.raises(BufferOverflow):
            await client.subscribe("a", "b", "c")
        assert client.subscriptions == {"a"}
        socket.send = room
        await client.subscribe("a", "b", "c")
        await until(lambda: len(sent(server.peers[0])) == 3)
        assert sent(server.peers[0]) == asks("a", "b", "c")
        socket.send = send
        with pytest.raises(BufferOverflow):
            await client.unsubscribe("a", "b", "c")
        assert client.subscriptions == {"b", "c"}
        socket.send = room


async def test_format_makes_the_payloads(hand: Any) -> None:
    """A venue's own words, for both verbs; and a callable of payloads is asked anew for each connection."""

    def format(action: str, channel: str) -> dict[str, Any]:
        return {"method": action.upper(), "params": [channel], "id": 1}

    numbers = iter(range(10))
    settings = {"subscriptions": lambda: ["x", {"token": next(numbers)}], "format": format}
    async with RawServer(quiet) as server, hand(server.url, **settings) as client:
        await client.subscribe("y")
        await client.unsubscribe("y")
        client.kill()
        await client.wait_connected()
        await until(lambda: len(sent(server.peers[1])) == 2)
        asked = {"method": "SUBSCRIBE", "params": ["x"], "id": 1}
        assert sent(server.peers[0])[:2] == [asked, {"token": 0}]
        assert [each["method"] for each in sent(server.peers[0])[2:]] == ["SUBSCRIBE", "UNSUBSCRIBE"]
        assert sent(server.peers[1]) == [asked, {"token": 1}]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"subscriptions": "a"}, "subscriptions"),
        ({"subscriptions": b"a"}, "subscriptions"),
        ({"subscriptions": {"a": 1}}, "subscriptions"),
        ({"subscriptions": None}, "subscriptions"),
        ({"subscriptions": [object()]}, r"subscriptions\[0\]"),
        ({"subscriptions": ["a"], "format": lambda action, channel: object()}, r"subscriptions\[0\]"),
        ({"format": "x"}, "format"),
        ({"format": 0}, "format"),
        ({"stats": 1}, "stats"),
        ({"events": 1}, "events"),
        ({"unsent": "keep"}, "unsent"),
        ({"reconnect_when": 1}, "reconnect_when"),
        ({"connect_while": 1}, "connect_while"),
        ({"auto_reconect": False}, "auto_reconect: no such option; did you mean 'auto_reconnect'"),
        ({"queue": 10}, "queue: no such option; there are .* maxsize, .* overflow,"),
    ],
)
async def test_a_wrong_argument_is_refused_where_the_client_is_made(hand: Any, settings: Any, field: str) -> None:
    """By name, with what would be right."""
    with pytest.raises(ConfigError, match=field):
        async with hand("ws://127.0.0.1:9/", connect=False, **settings):
            raise AssertionError("made")


async def test_a_channel_that_is_no_string_is_refused(hand: Any) -> None:
    """Nothing of the call happens."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        for verb in (client.subscribe, client.unsubscribe):
            with pytest.raises(ConfigError, match="channels"):
                await verb("a", ["b"])
        assert client.subscriptions == frozenset()


async def test_send_takes_what_can_be_sent_and_counts_it(hand: Any) -> None:
    """dict and list as JSON, str as text, bytes as binary; `stats` counts bytes, not characters."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        for payload in ({"a": 1}, [1], "é", b"\xff"):
            await client.send(payload)
        await until(lambda: len(server.peers[0].messages) == 4)
        wire = [(TEXT, b'{"a":1}'), (TEXT, b"[1]"), (TEXT, b"\xc3\xa9"), (BINARY, b"\xff")]
        assert server.peers[0].messages == wire
        assert client.stats.messages_sent == 4 and client.stats.bytes_sent == 7 + 3 + 2 + 1


async def test_unsent_says_what_becomes_of_a_send_without_a_connection(hand: Any) -> None:
    """fail: NotConnected; drop: counted; Hold: it follows behind the next connection's subscriptions."""
    for unsent in ("fail", "drop", Hold()):
        settings = {"unsent": unsent, "subscriptions": ["a"]}
        async with RawServer(refuse, quiet) as server, hand(server.url, connect=False, **settings) as client:
            with pytest.raises(NotConnected):
                await client.send("never connected")
            connecting = task(client.connect())
            await turns(2)
            if unsent == "fail":
                with pytest.raises(NotConnected):
                    await client.send({"order": 1})
            else:
                await client.send({"order": 1})
            assert client.stats.dropped == (unsent == "drop")
            await connecting
            held = [{"order": 1}] if isinstance(unsent, Hold) else []
            await until(lambda server=server, held=held: sent(server.peers[1]) == [*asks("a"), *held])
            await client.close()
            with pytest.raises(NotConnected):
                await client.send("closed")
