"""Verbs that are called by whoever is told of something: in events, handlers, scripts, gates and ways back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject

from benchmarks.reliability.raw_server import Peer, RawServer
from rxws import Backoff, Rotation
from rxws.events import (
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    Live,
    Opened,
    Rotated,
    Subscribed,
    Waiting,
)
from tests.client.hand import greet, outcome, quiet, task, turns, until

S, R = ConnectionState, DisconnectReason
FOREVER = 3600.0


def now(coroutine: Any) -> None:
    """Take the first step of a verb at this very moment, as an eager task does."""
    with suppress(StopIteration, RuntimeError):  # outside of a task it cannot wait for what it has begun
        coroutine.send(None)


VERBS: dict[str, Callable[[Any], object]] = {
    "close": lambda client: now(client.close()),
    "force_close": lambda client: now(client.force_close()),
    "kill": lambda client: client.kill(),
    "request_disconnect": lambda client: client.request_disconnect(0.0),
    "request_disconnect for good": lambda client: client.request_disconnect(),
    "schedule_reconnect": lambda client: client.schedule_reconnect(0.0),
}
KINDS = [Connecting, Opened, Subscribed, Live, Closed, Waiting]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", ["loss", "planned end"])
async def test_a_verb_within_an_event(hand: Any, verb: str, kind: type[Event], after: str) -> None:
    """Once, in the life after a first end: what it asks for happens, and the client is where it says that it is."""
    armed = False

    def listen(event: Event) -> None:
        nonlocal armed
        if armed and isinstance(event, kind):
            armed = False
            VERBS[verb](client)

    async with RawServer(greet) as server, hand(server.url, subscriptions=["a"], connect=False) as client:
        client.events.subscribe(listen)
        await client.connect()
        await client.receive(5.0)
        armed = True
        if after == "loss":
            client.kill()
        else:
            client.request_disconnect(0.0)
        await until(lambda: not armed)
        if verb in ("close", "force_close"):
            await turns(50)
            assert client.state is (S.CLOSED if verb == "force_close" else S.DISCONNECTED)
            assert not client.is_connected
            dials = len(server.peers)
            await asyncio.sleep(0.02)
            assert len(server.peers) == dials
        elif verb == "request_disconnect for good":
            await turns(50)
            assert client.is_dead and client.state is S.DISCONNECTED
            await client.connect()
        else:
            await client.wait_connected()
        if verb not in ("close", "force_close"):
            client.kill()
            assert await client.wait_connected() is True


async def test_a_listener_may_bring_it_back(hand: Any) -> None:
    """A supervisor in three lines: whenever nothing else will, in 10 ms."""

    def supervise(event: Event) -> None:
        if isinstance(event, Waiting) and event.seconds is None:
            client.schedule_reconnect(0.01)

    async with RawServer(quiet) as server, hand(server.url) as client:
        client.events.subscribe(supervise)
        for _ in range(3):
            client.request_disconnect()
            assert await client.wait_connected() is True
        assert len(server.peers) == 4


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_within_a_handler(hand: Any, verb: str) -> None:
    """In the middle of a read that brought three values: nothing of that read is lost but behind an end."""
    seen: list[int] = []

    async def three(peer: Peer) -> None:
        await peer.accept()
        peer.number(3)
        await peer.listen()

    def handler(value: Any) -> None:
        seen.append(value["n"])
        if seen == [1]:
            VERBS[verb](client)

    async with RawServer(three) as server, hand(server.url, connect=False) as client:
        client.add_handler(handler)
        connecting = task(outcome(client.connect()))
        if verb in ("kill", "request_disconnect"):
            await until(lambda: len(seen) == 4)
            assert seen == [1, 4, 5, 6] and client.stats.disconnects == 1
        elif verb == "schedule_reconnect":
            await until(lambda: len(seen) == 3)
            assert client.stats.disconnects == 0
        else:
            await until(lambda: not client.is_connected and seen)
            await turns(50)
            assert seen == [1] and client.is_dead
        await client.close()
        await connecting


async def test_who_hears_that_it_waits_may_say_how_long(hand: Any) -> None:
    """Instead of the stream's own way back, which would be there at once, and is not even asked."""
    asked = 0

    def reconnect_when() -> bool:
        nonlocal asked
        asked += 1
        return True

    def listen(event: Event) -> None:
        if isinstance(event, Waiting) and event.rule != "by hand":
            client.schedule_reconnect(FOREVER)

    plan = {"reconnect_when": reconnect_when, "check_interval": 0.01}
    async with RawServer(quiet) as server, hand(server.url, **plan) as client:
        client.events.subscribe(listen)
        await asyncio.sleep(0.02)  # so that nothing else holds the way back up
        client.request_disconnect()
        await turns(50)
        assert not client.is_connected and asked == 0 and len(server.peers) == 1


async def test_it_can_be_ended_before_it_has_begun(hand: Any) -> None:
    """Connected and closed by a function that reactivex's trampoline calls: the stream is subscribed behind that."""

    def both(_: object) -> None:
        now(client.connect())
        now(client.close())

    async with RawServer(quiet) as server, hand(server.url, connect=False) as client:
        rx.of(1).subscribe(both)
        await turns(50)
        assert client.is_dead and server.peers == [] and client.told == []


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "schedule_reconnect"])
async def test_a_verb_within_on_open(hand: Any, verb: str) -> None:
    """The script ends there, its socket is gone, and what was asked for happens."""
    scripts = ended = 0

    async def on_open(connection: Any) -> None:
        nonlocal scripts, ended
        scripts += 1
        if scripts == 1:
            VERBS[verb](client)
            try:
                await asyncio.sleep(FOREVER)
            finally:
                ended += 1

    async with RawServer(quiet) as server, hand(server.url, connect=False, on_open=on_open) as client:
        connecting = task(outcome(client.connect()))
        await until(lambda: ended == 1)
        if verb in ("kill", "request_disconnect"):
            assert await connecting is None and scripts == 2
        elif verb == "request_disconnect for good":
            await turns(50)
            assert client.is_dead and not connecting.done()
        else:
            await connecting
            assert not client.is_connected
        await client.close()
        await connecting


@pytest.mark.parametrize("verb", ["close", "force_close", "request_disconnect", "schedule_reconnect"])
async def test_a_verb_within_reconnect_when(hand: Any, verb: str) -> None:
    """The callable answers no, and says by the verb what is to happen instead."""
    asked = 0

    def reconnect_when() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            VERBS[verb](client)
        return False

    async with RawServer(quiet) as server, hand(server.url, reconnect_when=reconnect_when) as client:
        client.request_disconnect()
        if verb in ("close", "force_close"):
            await turns(50)
            assert not client.is_connected and client.is_dead and len(server.peers) == 1
        else:
            assert await client.wait_connected() is True
        assert asked == 1


@pytest.mark.parametrize("verb", ["close", "force_close", "request_disconnect", "kill"])
async def test_a_verb_within_a_gate(hand: Any, verb: str) -> None:
    """connect_while is asked before any dial: what it asks for comes before that too."""
    asked = 0

    def connect_while() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            VERBS[verb](client)
        return True

    async with RawServer(quiet) as server, hand(server.url, connect=False, connect_while=connect_while) as client:
        result = await outcome(client.connect())
        if verb in ("close", "force_close"):
            assert isinstance(result, Exception) and server.peers == []
        else:
            assert result is None and len(server.peers) == 1
            by_hand = [each.rule for each in client.of(Waiting)]
            assert by_hand == (["by hand"] if verb == "request_disconnect" else [])


@pytest.mark.parametrize("verb", ["close", "force_close"])
async def test_the_end_within_the_last_word_of_a_planned_end(hand: Any, verb: str) -> None:
    """A window closes; who hears of it closes the client: it does not come back when the window opens."""
    level: Subject[bool] = Subject()

    def listen(event: Event) -> None:
        if isinstance(event, Closed):
            VERBS[verb](client)

    async with RawServer(quiet) as server, hand(server.url, connect=False, connect_while=level) as client:
        client.events.subscribe(listen)
        connecting = task(client.connect())
        await turns()
        level.on_next(True)
        await connecting
        level.on_next(False)
        level.on_next(True)
        await turns(50)
        assert not client.is_connected and len(server.peers) == 1


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_within_a_rotation(hand: Any, verb: str) -> None:
    """When the new connection has taken over: the verb is about that one."""

    def listen(event: Event) -> None:
        if isinstance(event, Rotated) and len(client.of(Rotated)) == 1:
            VERBS[verb](client)

    async with RawServer(greet) as server, hand(server.url, rotate=Rotation(0.03), connect=False) as client:
        client.events.subscribe(listen)
        await client.connect()
        await until(lambda: client.of(Rotated))
        if verb in ("close", "force_close"):
            await turns(50)
            assert client.is_dead and not client.is_connected
            await hand.nothing_left()
        elif verb == "request_disconnect for good":
            await turns(50)
            assert client.is_dead
        else:
            assert await client.wait_connected() is True


async def test_a_handler_may_close_its_client(hand: Any) -> None:
    """An async one awaits `close` itself, and goes on behind it."""
    done = asyncio.Event()

    async def last(value: Any) -> None:
        await client.close()
        done.set()

    async with RawServer(greet) as server, hand(server.url, connect=False) as client:
        client.add_handler(last)
        await client.connect()
        await done.wait()
        assert client.state is S.DISCONNECTED
        await client.connect()
        assert client.is_connected


async def test_the_reader_may_drive(hand: Any) -> None:
    """Verbs between two values of `stream`, and a `close` that ends it."""
    async with RawServer(greet) as server, hand(server.url, retry=Backoff.fixed(0.01)) as client:
        seen = []
        async for value in client.stream():
            seen.append(value["n"])
            if len(seen) == 1:
                client.kill()
            elif len(seen) == 2:
                client.request_disconnect(0.01)
            elif len(seen) == 3:
                await client.close()
        assert seen == [1, 2, 3]
