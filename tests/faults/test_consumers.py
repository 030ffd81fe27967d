"""The consumer is slow, or raises: neither costs a connection or a message, and neither is swallowed."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from reactivex import operators as ops

from rxws import ws_observable
from rxws.errors import ConnectionClosed, DecodeError, PingTimeout
from rxws.events import Closed, Connecting, DisconnectReason, Event, Live, Opened
from tests.faults.raw_server import CLOSE, PING, TEXT, Elsewhere, Peer, RawServer, frame, numbers
from tests.faults.watching import SETTINGS


@asynccontextmanager
async def elsewhere(server: RawServer) -> Any:
    """A server on a loop of its own."""
    with Elsewhere(server) as running:
        yield running


def here(server: RawServer) -> AbstractAsyncContextManager[RawServer]:
    """A server on the client's loop: it stands still while the consumer works."""
    return server


def a_millisecond(_: object) -> None:
    """Work."""
    time.sleep(0.001)


@pytest.mark.parametrize("where", [here, elsewhere])
@pytest.mark.parametrize("settings", [{"ping_interval": None, "idle_timeout": None}, {}], ids=["bare", "watched"])
async def test_a_consumer_of_a_millisecond_a_message_loses_neither_connection_nor_data(
    watch: Any, where: Any, settings: dict[str, Any]
) -> None:
    """A backlog of more than a second, then a feed: pongs and data that have arrived are not missed."""

    async def feed(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        peer.number(1_300)
        for _ in range(5):
            await asyncio.sleep(0.1)
            peer.number(50)
        await listening

    async with where(RawServer(feed)) as server:
        async with watch(server.url, a_millisecond, **settings) as seen:
            await seen.until(lambda: len(seen.numbers) == 1_550, 30.0)
            assert seen.numbers == list(range(1, 1_551))
            assert seen.shape.startswith("COLd") and not seen.of(Closed), seen.of(Closed)


@pytest.mark.parametrize("where", [here, elsewhere])
async def test_a_loop_that_was_busy_elsewhere_loses_no_connection(watch: Any, where: Any) -> None:
    """Somebody blocks the loop for longer than ping and idle timeouts, again and again."""

    async def feed(peer: Peer) -> None:
        await peer.accept()
        listening = asyncio.ensure_future(peer.listen())
        while not peer.writer.is_closing():
            peer.number()
            await asyncio.sleep(0.02)
        await listening

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05, "idle_timeout": 0.1}
    async with where(RawServer(feed)) as server, watch(server.url, **settings) as seen:
        await seen.until(lambda: seen.numbers)
        for _ in range(4):
            time.sleep(0.3)  # noqa: ASYNC251  # the very fault
            await asyncio.sleep(0.03)
        assert not seen.of(Closed), seen.of(Closed)


def delivered(peer: Peer) -> bool:
    """Whether the client's kernel has all that was written, read or not."""
    waiting = fcntl.ioctl(peer.writer.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\x00" * 4)
    return not peer.writer.transport.get_write_buffer_size() and waiting == b"\x00" * 4


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel what has been delivered")
@pytest.mark.parametrize("settings", [{"ping_interval": None}, {"ping_interval": 0.02}], ids=["quiet", "pinging"])
async def test_a_reset_while_the_consumer_works_costs_nothing_that_was_delivered(
    watch: Any, settings: dict[str, Any]
) -> None:
    """Much waits unread when the reset comes, and a ping of ours runs into it first: all of it is handed on."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        for _ in range(60):
            peer.write(frame(TEXT, b'{"n":%d,"pad":"%s"}' % (peer.server.numbered + 1, b"x" * 10_000)))
            peer.server.numbered += 1
        while not delivered(peer):
            await asyncio.sleep(0.001)
        await peer.reset()

    async def last(peer: Peer) -> None:
        await peer.accept()
        await peer.listen()

    def consumer(_: object) -> None:
        time.sleep(0.005)

    with Elsewhere(RawServer(script, last)) as server:
        async with watch(server.url, consumer, idle_timeout=None, **settings) as seen:
            await seen.closes(1)
            assert seen.numbers == list(range(1, 61))


async def test_a_server_that_dies_while_the_consumer_works_is_found(watch: Any) -> None:
    """Patience with a busy loop has an end: a half-open socket is still found."""

    async def half_open(peer: Peer) -> None:
        await peer.accept()
        peer.number(400)
        peer.writer.transport.pause_reading()
        await asyncio.sleep(3600)

    settings = {"ping_interval": 0.05, "ping_timeout": 0.05}
    with Elsewhere(RawServer(half_open)) as server:
        async with watch(server.url, a_millisecond, **settings) as seen:
            (closed, *_) = await seen.closes(1)
            assert closed.reason is DisconnectReason.PING_TIMEOUT
            assert seen.numbers[:400] == list(range(1, 401))


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
            ops.map(lambda value: value["n"]),
            ops.filter(lambda number: number > 1),
            ops.scan(lambda total, number: total + number, 0),
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
