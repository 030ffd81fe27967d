"""How a client is read: step by step, in a loop, by patterns, by functions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from rxws import operators as wsops
from rxws.arguments import ClientOverflow, OverflowPolicy, check_bound, zero_or_more
from rxws.buffer import Buffer
from rxws.errors import ConfigError, ConnectTimeout, NotConnected
from rxws.handlers import Handler
from rxws.running import Iteration
from rxws.session import Session

__all__ = ["Reading"]

T = TypeVar("T")


class Reading(Generic[T]):
    """The ways in which the values of a `WebSocketClient` are read."""

    _session: Session[T]
    _bound: tuple[int, ClientOverflow]
    _handlers: list[Handler[T]]
    _inbox: Buffer[T] | None = None
    _was_read = False

    def stream(self, *, maxsize: int | None = None, overflow: ClientOverflow | None = None) -> AsyncIterator[T]:
        """Iterate over what arrives, from what has been waiting since `connect` on; it ends when the client is closed.

        Several iterations, and `receive`, take from the same values: each goes to one of them. For all of them in each,
        take `stream_filter`.

        Args:
            maxsize, overflow: instead of the client's own, from now on.

        Raises:
            ConfigError: an argument is wrong, or it was never connected.

        What ends the iteration: `close`; the error that the stream ended by is raised after what waited. After a
        `BufferOverflow` another iteration begins with what comes next.
        """
        bound = (self._bound[0] if maxsize is None else maxsize, self._bound[1] if overflow is None else overflow)
        check_bound(*bound, block=True)
        inbox = self._open_inbox()
        inbox.bound(*bound)
        self._was_read = True
        return _taken_from(inbox)

    async def receive(self, timeout: float | None = None) -> T:
        """Return the next value that `stream` would.

        Raises:
            ConnectTimeout: none came in `timeout` seconds; None: it waits for ever.
            NotConnected: the client is closed.
            RxwsError: the stream has ended by this error.
            ConfigError: it was never connected, or `timeout` is not 0 or more.
        """
        zero_or_more("timeout", timeout, optional=True)
        inbox = self._open_inbox()
        self._was_read = True
        try:
            async with asyncio.timeout(timeout) as deadline:
                return await inbox.get()
        except TimeoutError:
            if timeout is None or not deadline.expired():  # it came from elsewhere
                raise
            raise ConnectTimeout("receive", timeout) from None
        except StopAsyncIteration:
            raise NotConnected from None

    def stream_filter(
        self,
        filters: Sequence[Mapping[str, object]] | None = None,
        *,
        maxsize: int = 65_536,
        overflow: OverflowPolicy = "error",
    ) -> Iteration[T]:
        """Iterate over the dicts that fit one of `filters`, from now on, beside all others who read.

        Args:
            filters: OR over the patterns, AND over a pattern's pairs (`operators.match`); None or []: everything.
            maxsize: how many may wait.
            overflow: what happens to one more, as in `rxws.aiter`.

        Raises:
            ConfigError: an argument is wrong, or it was never connected.
        """
        check_bound(maxsize, overflow)
        self._check_begun("stream_filter")
        fitting = self._session.values.pipe(wsops.match(*(filters or ())))
        iteration = Iteration(fitting, maxsize, overflow, self._session, "stream_filter")
        iteration.begin()
        return iteration

    def add_handler(
        self,
        handler: Callable[[T], object | Awaitable[object]],
        *,
        maxsize: int = 65_536,
        overflow: OverflowPolicy = "error",
    ) -> Callable[[], None]:
        """Call `handler`, sync or async, with each value; return what removes it.

        An async one is called again when it has returned, and delays nobody else. What one raises is reported to the
        event loop's exception handler, and removes it alone. With a handler at `connect`, nothing waits for `stream`
        before that is first called.

        Args:
            handler: a function of a value.
            maxsize, overflow: how many values may wait for an async one, and what happens to one more.

        It may be added at any time, also before `connect`, and stays from one `connect` to the next. At `close` an
        async one still gets what waits for it.

        Raises:
            ConfigError: an argument is wrong.
        """
        if not callable(handler):
            raise ConfigError("handler", f"{handler!r} is not callable; take a function of a value")
        check_bound(maxsize, overflow)
        added = Handler(handler, maxsize, overflow, self._session, self._remove)
        self._handlers.append(added)
        if self._session.is_running:
            added.start(self._session.values)

        return lambda: self._remove(added)

    def _remove(self, handler: Handler[T]) -> None:
        if handler in self._handlers:
            self._handlers.remove(handler)
            handler.stop()

    def _begun(self) -> None:
        self._inbox, self._was_read = None, False
        if not self._handlers:
            self._open_inbox()
        for handler in tuple(self._handlers):
            handler.start(self._session.values)

    def _open_inbox(self) -> Buffer[T]:
        self._check_begun("stream")
        inbox = self._inbox
        if inbox is None or (inbox.is_over and self._session.is_running):
            inbox = self._inbox = Buffer(*self._bound, self._session, "stream", shared=True)
            # Where handlers take all, and nobody has asked for it, what waits is of no use.
            inbox.is_needless = lambda: self._handlers and not self._was_read
            inbox.begin(self._session.values)
        return inbox

    def _check_begun(self, name: str) -> None:
        if not self._session.was_begun:
            raise ConfigError(name, "it is not connected; write `async with client`, or await client.connect()")


async def _taken_from(inbox: Buffer[T]) -> AsyncIterator[T]:
    while True:
        try:
            value = await inbox.get()
        except StopAsyncIteration:
            return
        yield value
