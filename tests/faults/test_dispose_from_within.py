"""The subscriber leaves from within: told of an event, handed a message, or asked for a URL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.reliability.raw_server import CLOSE, TEXT, Peer, RawServer, frame, numbers
from benchmarks.reliability.watching import Watch
from rxws.errors import HandshakeRejected
from rxws.events import Closed, Connecting, Event, Live, Opened, Subscribed, Waiting


async def stay(peer: Peer) -> None:
    """A script: be a good server that has much to say."""
    await peer.accept()
    listening = asyncio.ensure_future(peer.listen())
    while not peer.ended and not peer.writer.is_closing():
        peer.number(10)
        await asyncio.sleep(0.001)
    await listening


async def disposed(seen: Watch) -> None:
    """Dispose, and see that nothing is told afterwards and nothing is left; twice is once."""
    seen.dispose()
    told = len(seen.told)
    seen.dispose()
    await seen.gone()
    assert len(seen.told) == told
    assert seen.error is None and not seen.completed
    assert seen.in_order, seen.shape


@pytest.mark.parametrize("kind", [Connecting, Opened, Subscribed, Live, Closed, Waiting])
@pytest.mark.parametrize("generation", [1, 2])
async def test_dispose_from_a_listener_at_any_event_leaves_nothing(
    watch: Any, kind: type[Event], generation: int
) -> None:
    """Whoever is told may leave there and then; what it opened is closed, and an end is told once."""

    async def script(peer: Peer) -> None:
        await peer.accept(numbers(peer.server.numbered + 1, 5))
        peer.server.numbered += 5
        await peer.listen(until=TEXT)
        await peer.end(1012)

    def listener(event: Event) -> None:
        if isinstance(event, kind) and event.generation == generation:
            seen.dispose()

    async with RawServer(script) as server:
        seen = watch(server.url, listener=listener, subscriptions=["a"], open_timeout=30.0).subscribe()
        await seen.until(lambda: [each for each in seen.of(kind) if each.generation == generation])
        await seen.gone()
        assert seen.in_order, seen.shape
        assert len(seen.of(Connecting)) == len(seen.of(Closed)) == generation
        assert seen.numbers == list(range(1, len(seen.numbers) + 1))
        assert len(server.peers) <= generation


@pytest.mark.parametrize("at", [1, 2, 4, 6])
async def test_dispose_from_the_consumer_lets_nothing_more_through(watch: Any, at: int) -> None:
    """In the middle of a burst, with frames that came with the handshake's answer and after it."""

    async def eager(peer: Peer) -> None:
        await peer.accept(numbers(1, 3))
        peer.server.numbered = 3
        peer.number(5)
        await peer.listen()

    def consumer(value: Any) -> None:
        if value["n"] == at:
            seen.dispose()

    async with RawServer(eager) as server:
        seen = watch(server.url, consumer).subscribe()
        await seen.until(lambda: seen.of(Closed))
        await seen.gone()
        assert seen.numbers == list(range(1, at + 1))
        await seen.until(lambda: server.peers[0].ended)
        assert server.peers[0].of(CLOSE) == [b"\x03\xe8"]


async def test_dispose_from_on_error_is_no_matter(leftovers: Any, watch: Any) -> None:
    """The stream has ended; dispose changes nothing."""
    async with RawServer(lambda peer: peer.refuse(b"404 Not Found")) as server:
        async with watch(server.url) as seen:
            await seen.until(lambda: seen.error)
            await seen.gone()
        assert isinstance(seen.error, HandshakeRejected)


async def never() -> Any:
    """An answer that does not come."""
    await asyncio.sleep(3600)


@pytest.mark.parametrize("waiting", ["url", "headers", "on_open"])
async def test_dispose_while_a_callable_of_the_user_is_awaited_cancels_it(watch: Any, waiting: str) -> None:
    """A token that does not come, a login that hangs: the task is cancelled."""
    asked: list[str] = []

    async def answer(*_: object) -> Any:
        asked.append(waiting)
        await never()

    async with RawServer(stay) as server:
        settings: dict[str, Any] = {"open_timeout": 30.0}
        if waiting != "url":
            settings[waiting] = answer
        seen = watch(answer if waiting == "url" else server.url, **settings).subscribe()
        await seen.until(lambda: asked)
        await disposed(seen)
        assert len(server.peers) == (waiting == "on_open")


async def test_a_url_is_not_asked_for_by_who_has_left(watch: Any) -> None:
    """Disposed at Connecting: neither url nor headers are asked any more."""
    asked: list[str] = []

    def ask(what: str, answer: Any) -> Callable[[], Any]:
        def callback() -> Any:
            asked.append(what)
            return answer

        return callback

    def leave(event: Event) -> None:
        if isinstance(event, Connecting):
            seen.dispose()

    seen = watch(ask("url", "ws://127.0.0.1:9/"), listener=leave, headers=ask("headers", {})).subscribe()
    await seen.until(lambda: seen.told)
    await seen.gone()
    assert asked == []


async def test_what_arrives_after_dispose_is_not_handed_on(watch: Any) -> None:
    """The server goes on writing until it reads the close frame; none of it reaches who has left."""

    async def stubborn(peer: Peer) -> None:
        await peer.accept()
        while not peer.writer.is_closing():
            peer.write(frame(TEXT, b'{"n":0}'))
            await asyncio.sleep(0.001)

    async with RawServer(stubborn) as server:
        seen = watch(server.url, close_timeout=0.1, ping_interval=None).subscribe()
        await seen.until(lambda: len(seen.numbers) > 3)
        await disposed(seen)
