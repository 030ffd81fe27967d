"""The consumer raises: nothing is retried, nothing is swallowed, and nothing is left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops

from benchmarks.reliability.raw_server import CLOSE, Peer, RawServer, numbers
from benchmarks.reliability.watching import SETTINGS
from rxws import ws_observable
from rxws.errors import ConnectionClosed, DecodeError, PingTimeout
from rxws.events import Closed, Connecting, DisconnectReason, Event, Live, Opened

RAISED = [
    ConnectionError("mine"),
    ConnectionResetError("mine"),
    ConnectionClosed(1006),
    PingTimeout(0.3),
    DecodeError(b"mine"),
    KeyError("mine"),
    TimeoutError("mine"),
    StopIteration("mine"),
    asyncio.CancelledError("mine"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("at", [1, 3, 5])
async def test_what_a_consumer_raises_goes_to_the_loop_and_ends_the_subscription(
    watch: Any, unheard: list[BaseException], error: BaseException, at: int
) -> None:
    """Exactly that, once; nothing is retried, nothing more handed on, and the server gets a close frame."""

    def consumer(value: dict[str, int]) -> None:
        if value["n"] == at:
            raise error

    async def eager(peer: Peer) -> None:
        await peer.accept(numbers(1, 2))
        peer.server.numbered = 2
        peer.number(8)
        await peer.listen()

    unheard.append(error)
    async with RawServer(eager) as server, watch(server.url, consumer) as seen:
        await seen.until(lambda: seen.of(Closed))
        await seen.gone()

        assert seen.numbers == list(range(1, at + 1))
        assert [each.reason for each in seen.of(Closed)] == [DisconnectReason.USER_REQUESTED]
        assert seen.error is None and not seen.completed
        await seen.until(lambda: server.peers[0].ended)
        assert server.peers[0].of(CLOSE)
        assert len(server.peers) == 1


async def test_who_raises_hears_of_nothing_more(watch: Any, leftovers: Any, unheard: list[BaseException]) -> None:
    """With events in the stream: not even of the end that this is."""
    error, seen = KeyError("mine"), list[Any]()

    def consumer(value: Any) -> None:
        seen.append(value)
        if value == {"n": 2}:
            raise error

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.listen()

    unheard.append(error)
    async with RawServer(feed) as server:
        stream = ws_observable(server.url, lifecycle=True, **SETTINGS)
        leftovers.as_client(stream.subscribe, consumer)
        async with asyncio.timeout(5):
            while not server.peers or not server.peers[0].ended or leftovers.found():
                await asyncio.sleep(0.002)
        assert [type(each) for each in seen] == [Connecting, Opened, Live, dict, dict]


@pytest.mark.parametrize("kind", [Connecting, Opened, Live])
async def test_who_raises_on_an_event_in_the_stream_is_a_consumer_that_raises(
    leftovers: Any, unheard: list[BaseException], kind: type[Event]
) -> None:
    """The subscription is disposed, and nothing of it is left."""
    error, seen = ConnectionError("mine"), list[Any]()

    def consumer(value: Any) -> None:
        seen.append(value)
        if isinstance(value, kind):
            raise error

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.listen()

    unheard.append(error)
    async with RawServer(feed) as server:
        stream = ws_observable(server.url, lifecycle=True, **SETTINGS)
        leftovers.as_client(stream.subscribe, consumer)
        async with asyncio.timeout(5):
            while not seen or not isinstance(seen[-1], kind) or leftovers.found():
                await asyncio.sleep(0.002)
        assert isinstance(seen[-1], kind)
        assert len(server.peers) <= 1


async def test_a_consumer_that_leaves_and_raises_is_heard(watch: Any, unheard: list[BaseException]) -> None:
    """Disposed by itself a line before: what it raises is not swallowed."""
    error = OSError("mine")

    def consumer(_: object) -> None:
        seen.dispose()
        raise error

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.listen()

    unheard.append(error)
    async with RawServer(feed) as server:
        seen = watch(server.url, consumer).subscribe()
        await seen.until(lambda: seen.numbers)
        await seen.gone()
        assert seen.numbers == [1]


def number_of(value: dict[str, int]) -> int:
    """For `map`."""
    return value["n"]


def beyond_the_first(number: int) -> bool:
    """For `filter`."""
    return number > 1


def added(total: int, number: int) -> int:
    """For `scan`."""
    return total + number


async def test_what_is_raised_through_operators_of_the_user_is_heard_too(
    leftovers: Any, unheard: list[BaseException]
) -> None:
    """map, filter, scan and buffer_with_count hand it up; the subscription is disposed all the same."""
    error, events = ConnectionError("mine"), list[Event]()

    def consumer(_: object) -> None:
        raise error

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.listen()

    unheard.append(error)
    async with RawServer(feed) as server:
        stream = ws_observable(server.url, events=events.append, **SETTINGS).pipe(
            ops.map(number_of),
            ops.filter(beyond_the_first),
            ops.scan(added, 0),
            ops.buffer_with_count(3),
        )
        leftovers.as_client(stream.subscribe, consumer)
        async with asyncio.timeout(5):
            while not any(isinstance(each, Closed) for each in events) or leftovers.found():
                await asyncio.sleep(0.002)
        assert len(server.peers) == 1


async def test_what_a_users_map_raises_ends_the_stream_and_is_not_retried(watch: Any, leftovers: Any) -> None:
    """It is that stream's error, even where it looks like one of a connection."""
    seen: list[Exception] = []

    def broken(_: object) -> None:
        raise ConnectionClosed(1006)

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.listen()

    async with RawServer(feed) as server:
        stream = ws_observable(server.url, **SETTINGS).pipe(ops.map(broken))
        leftovers.as_client(stream.subscribe, lambda value: None, seen.append)
        async with asyncio.timeout(5):
            while not seen or leftovers.found():
                await asyncio.sleep(0.002)
        assert [type(each) for each in seen] == [ConnectionClosed]
        assert len(server.peers) == 1
