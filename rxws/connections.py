"""Fresh connections, one after another, for a loop that does everything else by hand."""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Self, Unpack

from reactivex import Observable
from reactivex import operators as ops

from rxws import operators as wsops
from rxws.arguments import OverflowPolicy, check_bound
from rxws.backoff import Backoff, Policy, Wait, check_policy, decide
from rxws.buffer import Buffer
from rxws.connection import Headers, Url, connect
from rxws.errors import ConnectionClosed, Disconnected
from rxws.governor import Governor
from rxws.lifecycle import Lifecycle
from rxws.limits import SendLimit
from rxws.options import check_kinds
from rxws.running import aiter
from rxws.scheduler import scheduler, settled
from rxws.stats import Stats
from rxws.telling import EventObserver
from rxws.transport import Transport, TransportOptions
from rxws.types import Connection, Message, Payload

__all__ = ["ConnectOptions", "FreshConnection", "connections"]


class ConnectOptions(TransportOptions, total=False):
    """The keywords of `connect`."""

    headers: Headers
    transport: str | Transport
    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    max_size: int | None
    send_limit: SendLimit | None
    dials: Governor | None


class FreshConnection(AsyncIterator[Message]):
    """One connection: send on it, and iterate over its messages; the iteration ends when it does.

    `error` is what it was lost by; None while it is open, or where we ended it.
    """

    def __init__(self, messages: Buffer[Message]) -> None:
        self.error: Exception | None = None
        self._connection: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._messages = messages

    async def open(self, source: Observable[Connection]) -> bool:
        """Dial, and return whether it opened, though it may be lost again by now: what it brought is still there."""
        self._subscription = source.subscribe(self._opened, self._lost, scheduler=scheduler())
        try:
            await self._connection
        except Disconnected:
            return False
        return True

    @property
    def connection(self) -> Connection:
        """The open connection itself."""
        return self._connection.result()

    def send(self, message: Payload) -> None:
        """Send a message: dict and list as JSON, str, bytes.

        Raises:
            Disconnected: it has ended.
            BufferOverflow: the outbox is full.
        """
        self.connection.send(message)

    async def aclose(self) -> None:
        """End it, and wait until its socket is closed."""
        self._subscription.dispose()
        self._messages.end(None)
        await settled()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await self._messages.get()
        except Disconnected:
            raise StopAsyncIteration from None

    def _opened(self, connection: Connection) -> None:
        self._messages.begin(connection.messages)
        if not self._connection.done():  # else whoever waited for it was cancelled
            self._connection.set_result(connection)

    def _lost(self, error: Exception) -> None:
        self.error = error
        if not self._connection.done():
            self._connection.set_exception(error)


def connections(
    url: Url,
    *,
    retry: Policy | None = Backoff(),
    maxsize: int = 65_536,
    overflow: OverflowPolicy = "error",
    stats: Stats | None = None,
    events: EventObserver | None = None,
    random: Callable[[], float] = chance.random,
    **options: Unpack[ConnectOptions],
) -> AsyncGenerator[FreshConnection]:
    """Iterate over fresh connections: each step forgets the one before, waits as `retry` says, and opens another.

    Args:
        url: as in `connect`.
        retry: how long to wait, by a `RetrySignal`; a connection that you left yourself counts as one that the server
            closed. It grows until one has proved itself. None: the first loss is the last.
        maxsize: how many messages of a connection may wait for you.
        overflow: what happens to one more, as in `rxws.aiter`.
        stats, events: as in `ws_observable`.
        random: uniform in [0, 1), for the jitter.
        options: those of `connect`.

    Raises:
        ConfigError: an argument is wrong.
        RetriesExhausted: `retry` gave up.
        RxwsError: what no attempt can cure (401, 403, 404).

    Each is closed when the next is asked for, and when the iteration is closed: ``async with contextlib.aclosing(…)``
    closes it at a known moment, else Python does when nobody holds it any more.

    >>> from rxws.testing import SimulatedExchange
    >>> async def main():
    ...     async with SimulatedExchange("spot", rate=200.0) as exchange:
    ...         async for connection in connections(f"{exchange.url}/ws"):
    ...             connection.send({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    ...             async for message in connection:
    ...                 return message
    >>> asyncio.run(main())
    '{"result":[],"id":1}'
    """
    check_bound(maxsize, overflow)
    check_policy("retry", retry)
    check_kinds(stats=stats, events=events, random=random)
    connect(url, **options)  # made once, so that a wrong argument is refused here

    def made() -> tuple[Lifecycle, Observable[Connection]]:
        life = Lifecycle(
            scheduler(),
            stable_after=retry.stable_after if isinstance(retry, Backoff) else 60.0,
            stats=stats,
            events=events,
            origin=url if isinstance(url, str) else "",
        )
        return life, connect(url, journal=life, **options).pipe(wsops.record_stats(life.stats))

    return _fresh(made, lambda: Buffer(maxsize, overflow), retry, random)


async def _fresh(
    made: Callable[[], tuple[Lifecycle, Observable[Connection]]],
    buffer: Callable[[], Buffer[Message]],
    retry: Policy | None,
    random: Callable[[], float],
) -> AsyncGenerator[FreshConnection]:
    life, source = made()
    while True:
        fresh = FreshConnection(buffer())
        try:
            if await fresh.open(source):
                yield fresh
        finally:
            await fresh.aclose()
        wait = _wait_behind(fresh, life, retry, random)
        if isinstance(wait, Exception):
            life.gave_up(wait)
            raise wait
        if wait.until is not None and not await _spoke(wait.until):
            return  # it will never say now
        await asyncio.sleep(wait.seconds)


def _wait_behind(
    fresh: FreshConnection, life: Lifecycle, retry: Policy | None, random: Callable[[], float]
) -> Wait | Exception:
    error = fresh.error or _left(fresh.connection)
    signal = life.attempts.lost(error)
    wait = error if signal is None else decide(retry, signal, random)
    if isinstance(wait, Wait):
        life.waiting(None if wait.until else wait.seconds, wait.rule, error)
    return wait


def _left(connection: Connection) -> ConnectionClosed:
    left = ConnectionClosed(1000)
    left.uptime = asyncio.get_running_loop().time() - connection.opened_time
    return left


async def _spoke(until: Observable[object]) -> bool:
    async with aiter(until.pipe(ops.take(1)), maxsize=1) as values:
        async for _ in values:
            return True
    return False
