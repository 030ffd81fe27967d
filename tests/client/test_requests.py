"""request: a message and its reply, over a connection that carries other things too."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws import Rotation
from rxws.errors import ConfigError, ConnectionClosed, ConnectTimeout, Disconnected, NotConnected
from rxws.events import Rotated
from rxws.unsent import Hold
from tests.client.hand import echo, outcome, quiet, refuse, task, turns, until


def say(peer: Peer, value: object) -> None:
    """Send a message."""
    peer.write(frame(TEXT, json.dumps(value).encode()))


async def backwards(peer: Peer) -> None:
    """Answer three requests in the opposite order, data between them."""
    await peer.accept()
    await peer.listen(messages=3)
    for _, payload in reversed(peer.messages):
        peer.number()
        say(peer, {"id": json.loads(payload)["id"], "result": json.loads(payload)["q"]})
    await peer.listen()


async def test_each_request_gets_its_own_reply(hand: Any) -> None:
    """Whatever the order; with an id of the caller's, or with one that it is given."""
    async with RawServer(backwards) as server, hand(server.url) as client:
        mine = {"q": "b", "id": "mine"}
        replies = [task(client.request(each)) for each in ({"q": "a"}, mine, {"q": "c"})]
        assert [each["result"] for each in await asyncio.gather(*replies)] == ["a", "b", "c"]
        assert mine == {"q": "b", "id": "mine"}
        ids = [json.loads(payload)["id"] for _, payload in server.peers[0].messages]
        assert len(set(ids)) == 3


async def test_the_reply_is_read_by_all_who_read(hand: Any) -> None:
    """A request takes nothing away."""
    async with RawServer(echo) as server, hand(server.url) as client:
        reply = await client.request({"q": 1})
        assert await client.receive(5.0) == reply


async def test_the_answer_to_a_subscription_is_no_reply(hand: Any) -> None:
    """People number their own payloads 1, 2, 3: the ids that are given are far from these."""

    async def confirm(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=2)
        for _, payload in peer.messages:
            say(peer, {"id": json.loads(payload)["id"]})
        await peer.listen()

    async with RawServer(confirm) as server, hand(server.url, subscriptions=[{"sub": 1, "id": 1}]) as client:
        reply = await client.request({"q": 1})
        assert reply["id"] != 1


async def test_match_finds_what_has_no_id(hand: Any) -> None:
    """A function of a value; any message can be sent then. What it raises is the request's error, and only that."""
    async with RawServer(echo) as server, hand(server.url) as client:
        assert await client.request(["ping", 7], match=lambda value: value == ["ping", 7]) == ["ping", 7]
        with pytest.raises(KeyError):
            await client.request({"a": 1}, match=lambda value: value["b"])
        with pytest.raises(TimeoutError, match="mine"):
            await client.request({"a": 1}, match=raising)
        assert client.is_connected


def raising(_: object) -> bool:
    """Raise what a deadline raises too."""
    raise TimeoutError("mine")


class Reply(msgspec.Struct):
    """A typed reply."""

    id: int


async def test_an_id_is_a_key_or_an_attribute(hand: Any) -> None:
    """What a typed `decode` makes has its id too."""
    async with RawServer(echo) as server, hand(server.url, decode=Reply) as client:
        assert await client.request({"id": 5}) == Reply(5)


async def test_what_can_never_match_is_refused(hand: Any) -> None:
    """By a word that says what to do, and at once."""
    async with RawServer(quiet) as server, hand(server.url) as client, hand(server.url, decode=None) as raw:
        with pytest.raises(ConfigError, match="match"):
            await client.request("text")
        with pytest.raises(ConfigError, match="match"):
            await raw.request({"id": 1})
        assert server.peers[0].messages == server.peers[1].messages == []
        await client.close()


async def test_a_reply_that_does_not_come_in_time_is_told(hand: Any) -> None:
    """ConnectTimeout("request"); the connection stays."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        with pytest.raises(ConnectTimeout, match="request"):
            await client.request({"q": 1}, timeout=0.02)
        assert client.is_connected


@pytest.mark.parametrize("end", ["kill", "server", "planned", "close", "force_close"])
async def test_a_connection_that_ends_ends_its_requests(hand: Any, end: str) -> None:
    """At once, by a Disconnected: the reply of one connection never comes on another."""

    async def leaves(peer: Peer) -> None:
        await peer.accept()
        await peer.listen(messages=1)
        if end == "server":
            await peer.end(1001)
        await peer.listen()

    async with RawServer(leaves) as server, hand(server.url) as client:
        waiting = task(outcome(client.request({"q": 1}, timeout=None)))
        await until(lambda: server.peers[0].messages)
        if end == "kill":
            client.kill()
        elif end == "planned":
            client.request_disconnect(0.0)
        elif end != "server":
            await getattr(client, end)()
        assert isinstance(await waiting, Disconnected)


async def test_a_rotation_ends_the_requests_of_the_one_before(hand: Any) -> None:
    """The successor has not been asked."""

    async def deliver(peer: Peer) -> None:
        await peer.accept()
        if len(peer.server.peers) > 1:
            peer.number()
        await peer.listen()

    async with RawServer(deliver) as server, hand(server.url, rotate=Rotation(0.05)) as client:
        error = await outcome(client.request({"q": 1}, timeout=None))
        assert isinstance(error, ConnectionClosed)
        assert client.of(Rotated)


async def test_without_a_connection_it_fails_or_waits_as_unsent_says(hand: Any) -> None:
    """fail: at once; Hold: the request waits for a connection, within its own time."""
    for unsent in ("fail", Hold()):
        async with RawServer(refuse, echo) as server, hand(server.url, connect=False, unsent=unsent) as client:
            connecting = task(client.connect())
            await turns(2)
            if unsent == "fail":
                with pytest.raises(NotConnected):
                    await client.request({"q": 1})
            else:
                with pytest.raises(ConnectTimeout):
                    await client.request({"q": 1}, timeout=0.0)
                assert (await client.request({"q": 2}))["q"] == 2
            await connecting
            await client.close()
            with pytest.raises(NotConnected):
                await client.request({"q": 1})


async def test_a_listener_that_raises_keeps_nothing_from_a_request(hand: Any, unheard: list[BaseException]) -> None:
    """Who observes `events` and raises leaves alone."""
    error = ValueError("mine")

    def listen(event: object) -> None:
        raise error

    unheard.append(error)
    async with RawServer(quiet) as server, hand(server.url) as client:
        client.events.subscribe(listen)
        waiting = task(outcome(client.request({"q": 1}, timeout=None)))
        await turns()
        client.kill()
        assert isinstance(await waiting, Disconnected)


async def test_a_cancelled_request_leaves_nothing(hand: Any) -> None:
    """CancelledError, and no watcher."""
    async with RawServer(quiet) as server, hand(server.url) as client:
        waiting = task(client.request({"q": 1}))
        await turns()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
