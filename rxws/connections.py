"""Fresh connections, one after another, for a loop that does everything else by hand."""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import AsyncIterator, Callable
from typing import Self, Unpack

from reactivex import Observable
from reactivex import operators as ops

from rxws.backoff import Backoff, Policy, decide
from rxws.buffer import Buffer
from rxws.connection import Headers, Url, connect
from rxws.errors import ConnectionClosed, Disconnected
from rxws.governor import Governor
from rxws.limits import SendLimit
from rxws.operators._attempts import Attempts
from rxws.scheduler import scheduler, settled
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

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._connection: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._messages: Buffer[Message] = Buffer(65_536, "error")

    async def open(self, source: Observable[Connection]) -> bool:
        """Dial, and return whether it opened."""
        self._subscription = source.subscribe(self._opened, self._lost, scheduler=scheduler())
        try:
            await self._connection
        except Disconnected as error:
            self.error = error
        return self.error is None

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
        self._connection.set_result(connection)

    def _lost(self, error: Exception) -> None:
        self.error = error
        if not self._connection.done():
            self._connection.set_exception(error)


async def connections(
    url: Url,
    *,
    retry: Policy = Backoff(),
    random: Callable[[], float] = chance.random,
    **options: Unpack[ConnectOptions],
) -> AsyncIterator[FreshConnection]:
    """Iterate over fresh connections: each step forgets the one before, waits as `retry` says, and opens another.

    Args:
        url: as in `connect`.
        retry: how long to wait, by a `RetrySignal`; a connection that you left yourself counts as one that the server
            closed. It grows until one has proved itself.
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
    source = connect(url, **options)
    attempts = Attempts(retry.stable_after if isinstance(retry, Backoff) else 60.0)
    while True:
        fresh = FreshConnection()
        try:
            if await fresh.open(source):
                yield fresh
        finally:
            await fresh.aclose()
        signal = attempts.lost(fresh.error or _left(fresh.connection))
        if signal is None:
            assert fresh.error is not None
            raise fresh.error
        wait = decide(retry, signal, random)
        if isinstance(wait, Exception):
            raise wait
        if wait.until is not None:
            await wait.until.pipe(ops.take(1))
        await asyncio.sleep(wait.seconds)


def _left(connection: Connection) -> ConnectionClosed:
    left = ConnectionClosed(1000)
    left.uptime = asyncio.get_running_loop().time() - connection.opened_time
    return left
