"""The consumer raises: nothing is retried, nothing is swallowed, and nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from rxws import ws_observable
from rxws.errors import ConnectionClosed, DecodeError, PingTimeout
from rxws.events import Closed, Connecting, DisconnectReason, Event, Live, Opened
from tests.faults.raw_server import CLOSE, PING, TEXT, Peer, RawServer, frame, numbers
from tests.faults.watching import SETTINGS

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


@pytest.mark.parametrize("where", ["reading", "dialling"])
async def test_what_on_error_raises_is_heard(leftovers: Any, unheard: list[BaseException], where: str) -> None:
    """An OSError too, which asyncio would take for the end of the connection."""
    error = OSError("mine")

    def on_error(_: Exception) -> None:
        raise error

    async def script(peer: Peer) -> None:
        if where == "dialling":
            await peer.refuse(b"401 Unauthorized")
        else:
            await peer.accept(frame(TEXT, b"x" * 200))
            await peer.listen()

    unheard.append(error)
    async with RawServer(script) as server:
        stream = ws_observable(server.url, max_size=100, **SETTINGS)
        leftovers.as_client(stream.subscribe, lambda value: None, on_error)
        async with asyncio.timeout(5):
            while not server.peers or not server.peers[0].writer.is_closing() or leftovers.found():
                await asyncio.sleep(0.002)


async def test_an_error_that_nobody_takes_is_heard(leftovers: Any) -> None:
    """Subscribed without on_error, the stream's error goes to the loop's handler, once."""
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    async with RawServer(lambda peer: peer.refuse(b"403 Forbidden")) as server:
        leftovers.as_client(ws_observable(server.url, **SETTINGS).subscribe, lambda value: None)
        async with asyncio.timeout(5):
            while not heard or leftovers.found():
                await asyncio.sleep(0.002)
    assert [getattr(each, "status", each) for each in heard] == [403]


EVENTS = [Connecting, Opened, Live, Closed]


@pytest.mark.parametrize("kind", EVENTS)
async def test_what_a_listener_raises_is_heard_and_costs_nothing(
    watch: Any, unheard: list[BaseException], kind: type[Event]
) -> None:
    """The loop's handler gets it; connection and data go on."""
    error = ConnectionError("mine")

    def listener(event: Event) -> None:
        if isinstance(event, kind) and event.generation == 1:
            raise error

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.number(10)
        await peer.end(1012)

    unheard.append(error)
    async with RawServer(feed) as server, watch(server.url, listener=listener) as seen:
        await seen.closes(2)
        assert seen.numbers[:20] == list(range(1, 21))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


async def test_a_loss_does_not_drag_the_losses_before_it_along(watch: Any) -> None:
    """Weeks of reconnects are no chain of causes."""

    async def brief(peer: Peer) -> None:
        await peer.accept()
        peer.fin()

    async with RawServer(brief) as server, watch(server.url) as seen:
        for closed in await seen.closes(6):
            assert len(list(chain(closed.error))) <= 2


async def test_a_decoder_that_raises_costs_its_frame_only(watch: Any) -> None:
    """By default it is told and skipped, even if what it raises looks like a loss."""

    def decode(payload: bytes) -> Any:
        if payload == b"bad":
            raise ConnectionClosed(1006)
        return {"n": int(payload)}

    async def feed(peer: Peer) -> None:
        await peer.accept()
        peer.write(frame(TEXT, b"1") + frame(TEXT, b"bad") + frame(TEXT, b"2") + frame(PING))
        await peer.listen()

    async with RawServer(feed) as server, watch(server.url, decode=decode) as seen:
        await seen.until(lambda: len(seen.numbers) == 2)
        assert seen.shape == "COLd?d"
