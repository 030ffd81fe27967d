"""on_error, a listener of events or a decoder raises: it is heard, and costs nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.reliability.raw_server import PING, TEXT, Peer, RawServer, frame
from benchmarks.reliability.watching import SETTINGS
from rxws import ws_observable
from rxws.errors import ConnectionClosed
from rxws.events import Closed, Connecting, Event, Live, Opened


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
