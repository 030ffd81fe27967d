"""From observables to scripts and to async code: `run` and `aiter`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, Self, TypeVar

from reactivex import Observable, abc

from rxws.arguments import OverflowPolicy, check_bound
from rxws.buffer import Buffer, Flow
from rxws.errors import ConfigError
from rxws.lingering import end_lingering
from rxws.scheduler import RAISED, CallersScheduler, is_loop_running, settled

__all__ = ["Iteration", "aiter", "run"]

T = TypeVar("T")


def run(observable: Observable[T], on_next: Callable[[T], object] | None = None) -> T | None:
    """Run an observable to its end, or to Ctrl-C, on an event loop of its own, without a thread.

    Args:
        observable: subscribed once, with the loop's scheduler.
        on_next: called with each value; None: values are only counted as the last one.

    Returns:
        The last value; None where there was none. Ctrl-C ends the subscription and returns likewise.

    Raises:
        ConfigError: a loop is running already, as in a notebook; it says what to do there. Or an argument is wrong.
        Exception: the observable's error, or what `on_next` raised, which ends the subscription.

    Sockets are closed when it returns.

    >>> import reactivex as rx
    >>> run(rx.of(1, 2, 3))
    3
    """
    _check_observable(observable)
    if is_loop_running():
        raise ConfigError(
            "run",
            "an event loop is running here already, as in a notebook; call observable.subscribe(…) there, or await it: "
            "await observable.pipe(ops.take(1))",
        )
    if on_next is not None and not callable(on_next):  # else the first value would tell, hours later perhaps
        raise ConfigError("on_next", f"{on_next!r} is not callable; take a function of a value, or None")
    last = asyncio.run(_to_its_end(observable, on_next))
    return last[0] if last else None


def aiter(observable: Observable[T], maxsize: int = 65_536, overflow: OverflowPolicy = "error") -> Iteration[T]:
    """Iterate over an observable: ``async for value in rxws.aiter(stream)``.

    It is subscribed at the first step, with the running loop's scheduler, and disposed when the iteration ends: by its
    end, by `break` (the iterator is dropped then), by cancellation, or by `aclose`. Values wait in a buffer, so that
    the socket is read whatever the loop's body does.

    Args:
        observable: what to iterate over.
        maxsize: how many values may wait, 1 or more.
        overflow: what happens to a value that finds no room. "error": the iteration hands out what waits and then
            raises `BufferOverflow`; "drop_oldest", "drop_newest": one is dropped; "latest": only the newest waits,
            whatever `maxsize` is. `Iteration.dropped` counts what was dropped.

    Raises:
        ConfigError: an argument is wrong.

    What ends it: the observable's completion; its error is raised after what waited.

    >>> import asyncio, reactivex as rx
    >>> async def main():
    ...     return [value async for value in aiter(rx.of(1, 2, 3))]
    >>> asyncio.run(main())
    [1, 2, 3]
    """
    _check_observable(observable)
    check_bound(maxsize, overflow)
    return Iteration(observable, maxsize, overflow)


class Iteration(AsyncIterator[T], Generic[T]):
    """An iteration over an observable; `aiter` makes it, ``async with`` closes it at a known moment."""

    def __init__(
        self,
        observable: Observable[T],
        maxsize: int,
        overflow: OverflowPolicy,
        flow: Flow | None = None,
        where: str = "",
    ) -> None:
        self._observable = observable
        self._buffer: Buffer[T] = Buffer(maxsize, overflow, flow, where)
        self._begun = False

    @property
    def dropped(self) -> int:
        """How many values its policy has dropped."""
        return self._buffer.dropped

    def begin(self) -> None:
        """Subscribe now; the first step does it else."""
        if not self._begun:
            self._begun = True
            self._buffer.begin(self._observable)

    async def __anext__(self) -> T:
        self.begin()
        return await self._buffer.get()

    def end(self) -> None:
        """End the subscription; the iteration is over."""
        self._begun = True
        self._buffer.end(None)
        self._buffer.clear()

    async def aclose(self) -> None:
        """End the subscription, and wait until its socket is closed."""
        self.end()
        await settled()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # The subscription knows the buffer only, so that an iterator that nobody holds any more comes here at once.
        self._buffer.subscription.dispose()


async def _to_its_end(observable: Observable[T], on_next: Callable[[T], object] | None) -> list[T]:
    # The last value, in a list of its own: None may be a value.
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    last: list[T] = []
    failures: list[BaseException] = []

    def end(error: BaseException | None = None) -> None:
        if not ended.done():
            failures.extend([] if error is None else [error])
            ended.set_result(None)

    def take(value: T) -> None:
        if ended.done():
            return
        last[:] = [value]
        if on_next is not None:
            try:
                on_next(value)
            except RAISED as error:
                end(error)

    scheduler = CallersScheduler(loop, end)
    subscription: abc.DisposableBase = observable.subscribe(take, end, end, scheduler=scheduler)
    try:
        await ended
    except asyncio.CancelledError:
        # asyncio.run cancels its main task on Ctrl-C, once; nobody else knows of this one.
        pass
    finally:
        subscription.dispose()
        end_lingering()
        await settled()
    if failures:
        raise failures[0]
    return last


def _check_observable(observable: object) -> None:
    if not isinstance(observable, Observable):
        raise ConfigError("observable", f"{observable!r} is no observable; take ws_observable(url), for example")
