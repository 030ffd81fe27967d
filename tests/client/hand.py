"""The client under test, the scripts that its servers play, and how a test waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context, copy_context
from typing import Any

from benchmarks.reliability.raw_server import TEXT, Peer, frame
from benchmarks.reliability.watching import CHANCE, SETTINGS
from rxws import WebSocketClient
from rxws.events import Event
from rxws.testing import Leftovers

GUARD = 10.0
"""Seconds after which a test that hangs fails; none comes near it."""


class Driven(WebSocketClient[Any]):
    """A client that keeps what it was told, in `told`."""

    def __init__(self, url: Any, **settings: Any) -> None:
        self.told: list[Event] = []
        super().__init__(url, **{**SETTINGS, **CHANCE, "events": self.told.append, **settings})

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [each for each in self.told if isinstance(each, kind)]


class Hand:
    """Makes clients, and sees to it that they leave nothing."""

    def __init__(self, leftovers: Leftovers) -> None:
        self._leftovers = leftovers

    @asynccontextmanager
    async def __call__(self, url: Any, *, connect: bool = True, **settings: Any) -> AsyncIterator[Driven]:
        """Make a client, connect it if that is wanted, close it behind the test, and find nothing left of it.

        Servers have to be there before: what is made from here on counts as the client's.
        """
        test = asyncio.current_task()
        assert test is not None
        guard = Context().run(asyncio.get_running_loop().call_later, GUARD, test.cancel)
        try:
            with self._counting():
                client = Driven(url, **settings)
                if connect:
                    await client.connect()
                yield client
                await client.close()
            await self.nothing_left()
        finally:
            guard.cancel()

    @contextmanager
    def _counting(self) -> Iterator[None]:
        # What `as_client` runs by, for all of a test: tasks, timers and sockets inherit it from whoever makes them.
        marks = self._leftovers.as_client(copy_context)
        tokens = [(mark, mark.set(marks[mark])) for mark in marks]
        try:
            yield
        finally:
            for mark, token in tokens:
                mark.reset(token)

    async def nothing_left(self) -> None:
        """Wait until nothing is left, two seconds at most."""
        loop = asyncio.get_running_loop()
        last = loop.time() + 2.0
        while self._leftovers.found() and loop.time() < last:
            await asyncio.sleep(0.002)
        assert self._leftovers.found() == []


async def until(condition: Callable[[], object], seconds: float = GUARD) -> None:
    """Wait until `condition()`; the seconds are only a guard."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError("never came true") from None


async def turns(count: int = 20) -> None:
    """Let the loop turn: what could happen by itself has happened then."""
    for _ in range(count):
        await asyncio.sleep(0)


def task(coroutine: Any) -> asyncio.Task[Any]:
    """Run something beside the test."""
    return asyncio.get_running_loop().create_task(coroutine)


async def outcome(awaitable: Awaitable[Any]) -> Any:
    """What it gives, or what it raises."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as error:
        return error


# Scripts


async def quiet(peer: Peer) -> None:
    """Accept, and say nothing."""
    await peer.accept()
    await peer.listen()


async def greet(peer: Peer) -> None:
    """Accept, number one message, and listen."""
    await peer.accept()
    peer.number()
    await peer.listen()


async def hang(peer: Peer) -> None:
    """Never answer the handshake."""
    await peer.listen()


async def refuse(peer: Peer) -> None:
    """Answer 503."""
    await peer.refuse(b"503 Service Unavailable")


async def forbid(peer: Peer) -> None:
    """Answer 401."""
    await peer.refuse(b"401 Unauthorized")


async def flap(peer: Peer) -> None:
    """Accept, and close."""
    await peer.accept()
    await peer.end()


async def deaf(peer: Peer) -> None:
    """Accept, and never read again."""
    await peer.accept()
    peer.deafen()
    await asyncio.sleep(3600)


async def echo(peer: Peer) -> None:
    """Answer each message with itself."""
    await peer.accept()
    seen = 0
    while not peer.ended:
        await peer.listen(messages=seen + 1)
        for _, payload in peer.messages[seen:]:
            peer.write(frame(TEXT, payload))
        seen = len(peer.messages)
