"""Something blocks the loop, or the machine sleeps: who did it is named, and what sleep has cut is found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from benchmarks.reliability.raw_server import PING, Peer, RawServer
from benchmarks.reliability.scripts import stay
from rxws import Rotation, aiter, ws_observable
from rxws import operators as wsops
from rxws.events import Blocked, Closed, Connecting, DisconnectReason, Event, Live, Opened, Suspended

HERE = "tests.faults.test_blocked_loops"
LONG = 1.1

# What is about the loop should not be cut short by clocks that are about the server.
PATIENT: dict[str, Any] = {"ping_interval": None, "idle_timeout": None}


class Once:
    """Blocks the loop the first time that it is called."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.called = 0

    def __call__(self, *arguments: Any) -> Any:
        self.called += 1
        if self.called == 1:
            time.sleep(LONG)  # the very fault
        return self.answer


def named(seen: Any) -> list[str | None]:
    """Who blocked the loop, as it was told."""
    return [event.callback for event in seen.of(Blocked)]


async def test_a_consumer_that_blocks_is_named(watch: Any) -> None:
    """By its name, once; the connection stays, and the event has its generation."""

    def strategy(value: Any) -> None:
        if value == {"n": 1}:
            time.sleep(LONG)

    async with RawServer(stay) as server, watch(server.url, strategy, **PATIENT) as seen:
        await seen.until(lambda: seen.of(Blocked))
        await asyncio.sleep(0.6)  # the next look at the loop
        (blocked,) = seen.of(Blocked)
        assert blocked.callback is not None
        assert "Watch._seen" in blocked.callback
        assert (blocked.generation, blocked.seconds >= LONG, seen.of(Closed)) == (1, True, [])


async def test_an_operators_function_and_decode_are_named_too(watch: Any) -> None:
    """All of the caller's that the message was with: which of them it was, only they know."""
    told: list[Event] = []

    def decode(payload: bytes) -> bytes:
        return payload

    slow = Once()
    async with RawServer(stay) as server:
        stream = ws_observable(server.url, decode=decode, events=told.append, **PATIENT)
        subscription = stream.pipe(ops.map(slow)).subscribe(told.append)  # type: ignore[arg-type]
        while not any(isinstance(event, Blocked) for event in told):
            await asyncio.sleep(0.01)
        subscription.dispose()
    (callback,) = [event.callback for event in told if isinstance(event, Blocked)]
    decoded = f"{HERE}.test_an_operators_function_and_decode_are_named_too.<locals>.decode"
    assert callback == f"{decoded}, {HERE}.Once, list.append"


async def test_the_key_of_a_rotation_is_named_too(watch: Any) -> None:
    """It is asked about each message."""
    rotation = Rotation(1_000.0, key=Once())
    async with RawServer(stay) as server, watch(server.url, rotate=rotation, **PATIENT) as seen:
        await seen.until(lambda: seen.of(Blocked))
        (callback,) = named(seen)
        assert callback is not None
        assert callback.startswith(f"{HERE}.Once, ")


async def test_what_was_held_and_is_handed_on_later_names_its_consumer_too(watch: Any) -> None:
    """Behind a login nothing is handed on by a read."""

    async def login(connection: Any) -> None:
        await asyncio.sleep(0.1)

    async with RawServer(stay) as server, watch(server.url, Once(), on_open=login, **PATIENT) as seen:
        await seen.until(lambda: seen.of(Blocked))
        (callback,) = named(seen)
        assert callback is not None
        assert "Watch._seen" in callback


@pytest.mark.parametrize("kind", [Connecting, Opened, Live])
async def test_a_listener_that_blocks_is_named_and_the_consumer_is_not(watch: Any, kind: type[Event]) -> None:
    """Though it was called while a message was on its way."""
    slow = Once()

    def listener(event: Event) -> None:
        if isinstance(event, kind):
            slow(event)

    async with RawServer(stay) as server, watch(server.url, listener=listener, **PATIENT) as seen:
        await seen.until(lambda: seen.numbers and seen.of(Blocked))
        await asyncio.sleep(0.6)
        (callback,) = named(seen)
        assert callback is not None
        assert callback.endswith("Watch._heard")


CALLED: list[tuple[str, Callable[[Any, str], dict[str, Any]]]] = [
    ("connect_while", lambda slow, url: {"connect_while": slow}),
    ("disconnect_when", lambda slow, url: {"disconnect_when": slow}),
    ("url", lambda slow, url: {}),
    ("headers", lambda slow, url: {"headers": slow}),
    ("subscriptions", lambda slow, url: {"subscriptions": slow}),
    ("heartbeat", lambda slow, url: {"heartbeat": wsops.heartbeat(0.05, slow)}),
    ("rotate", lambda slow, url: {"rotate": Rotation(slow)}),
]


@pytest.mark.parametrize(("keyword", "options"), CALLED, ids=[keyword for keyword, _ in CALLED])
async def test_what_is_asked_and_blocks_is_named(watch: Any, keyword: str, options: Any) -> None:
    """A condition that is polled, what a dial asks for, and what a connection does."""
    async with RawServer(stay) as server:
        answers = {
            "connect_while": True,
            "disconnect_when": False,
            "url": server.url,
            "headers": {},
            "subscriptions": (),
            "heartbeat": None,
            "rotate": rx.never(),
        }
        slow = Once(answers[keyword])
        where = slow if keyword == "url" else server.url
        settings = {**PATIENT, **options(slow, server.url), "check_interval": 0.1, "open_timeout": 10.0}
        async with watch(where, **settings) as seen:
            await seen.until(lambda: seen.numbers and seen.of(Blocked))
            await asyncio.sleep(0.6)
            assert named(seen) == [f"{HERE}.Once"]


async def test_a_policy_that_blocks_is_named(watch: Any) -> None:
    """It is asked after a loss."""

    async def closes(peer: Peer) -> None:
        await peer.accept()
        peer.close(1001)

    async with RawServer(closes, stay) as server, watch(server.url, retry=Once(0.01), **PATIENT) as seen:
        await seen.until(lambda: seen.numbers and seen.of(Blocked))
        assert named(seen) == [f"{HERE}.Once"]


async def test_something_else_that_blocks_the_loop_is_told_without_a_name(watch: Any) -> None:
    """A task of the caller's that has nothing to do with it, say."""
    async with RawServer(stay) as server, watch(server.url, **PATIENT) as seen:
        await seen.until(lambda: seen.numbers)
        time.sleep(1.5)  # noqa: ASYNC251  # the very fault
        await seen.until(lambda: seen.of(Blocked))
        assert named(seen) == [None]


async def test_all_on_the_loop_hear_of_it(watch: Any) -> None:
    """The one whose consumer it was at once, and the others a little later, by the same name."""
    async with RawServer(stay) as server, watch(server.url, **PATIENT) as other:
        await other.until(lambda: other.numbers)
        told: list[Event] = []
        stream = ws_observable(server.url, events=told.append, **PATIENT)
        subscription = stream.subscribe(Once())
        await other.until(lambda: other.of(Blocked))
        subscription.dispose()
        assert named(other) == [event.callback for event in told if isinstance(event, Blocked)] == [f"{HERE}.Once"]
        await other.until(lambda: server.peers[1].ended)


async def test_who_blocked_and_left_hears_nothing_more(watch: Any) -> None:
    """Closed is the last that is told."""
    told: list[Event] = []
    async with RawServer(stay) as server:
        stream = ws_observable(server.url, events=told.append, **PATIENT)
        done = asyncio.Event()
        stream.pipe(ops.do_action(Once()), ops.take(1)).subscribe(on_completed=done.set)
        await done.wait()
        await asyncio.sleep(0.6)
    assert isinstance(told[-1], Closed)
    assert not any(isinstance(event, Blocked) for event in told)


async def test_the_body_of_an_iteration_that_blocks_has_no_name() -> None:
    """It runs in a task of its own; the stream goes on."""
    told: list[Event] = []
    async with RawServer(stay) as server:
        async with aiter(ws_observable(server.url, events=told.append, **PATIENT)) as values:
            async for _ in values:
                time.sleep(1.5)  # noqa: ASYNC251  # the very fault
                break
            await asyncio.sleep(0.6)
    assert [event.callback for event in told if isinstance(event, Blocked)] == [None]


# A machine that slept


class Wall:
    """The wall clock, which a test sets ahead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_ns = 0
        monkeypatch.setattr("rxws.watchman.wall_time_ns", lambda _: time.time_ns() + self.ahead_ns)

    def sleep(self, seconds: float) -> None:
        """As if the machine had slept."""
        self.ahead_ns += round(seconds * 1e9)


async def test_a_connection_that_survived_a_sleep_stays(watch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server answers: it is told, one ping goes, and nothing else happens."""
    wall = Wall(monkeypatch)
    async with RawServer(stay) as server, watch(server.url, **PATIENT) as seen:
        await seen.until(lambda: seen.numbers)
        wall.sleep(3_600.0)
        await seen.until(lambda: seen.of(Suspended) and server.peers[0].of(PING))
        await asyncio.sleep(0.1)
        (suspended,) = seen.of(Suspended)
        assert round(suspended.seconds) == 3_600
        assert (len(server.peers[0].of(PING)), seen.of(Closed)) == (1, [])


@pytest.mark.parametrize("ping_interval", [None, 20.0])
async def test_a_socket_that_sleep_has_cut_is_found_by_the_probe(
    watch: Any, monkeypatch: pytest.MonkeyPatch, ping_interval: float | None
) -> None:
    """Half open, as a NAT leaves it: nothing is read, nothing answered; the next connection brings the data."""

    async def half_open(peer: Peer) -> None:
        await peer.accept()
        peer.number()
        peer.deafen()
        await asyncio.sleep(3_600)

    wall = Wall(monkeypatch)
    settings = {"ping_interval": ping_interval, "ping_timeout": 0.2, "idle_timeout": None}
    async with RawServer(half_open, stay) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers == [1])
        wall.sleep(60.0)
        await seen.until(lambda: seen.numbers == [1, 2])
        (closed,) = seen.of(Closed)
        assert (closed.reason, closed.error.timeout) == (DisconnectReason.PING_TIMEOUT, 0.2)
        kinds = [type(event) for event in seen.told if isinstance(event, Suspended | Closed)]
        assert kinds == [Suspended, Closed]


async def test_no_timer_is_left_on_the_loop(watch: Any) -> None:
    """When the last stream has gone, nobody looks any more."""
    loop: Any = asyncio.get_running_loop()

    def timers() -> int:
        return sum(not timer.cancelled() for timer in loop._scheduled)

    async with RawServer(stay) as server:
        before = timers()
        async with watch(server.url, **PATIENT) as seen:
            await seen.until(lambda: seen.numbers)
            assert timers() > before
        assert timers() == before
