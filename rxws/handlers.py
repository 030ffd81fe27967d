"""Functions that are called with each value: sync ones at once, async ones in turn, from a queue of their own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from reactivex import Observable
from reactivex.disposable import Disposable, SerialDisposable

from rxws.arguments import OverflowPolicy
from rxws.buffer import Flow
from rxws.errors import ConfigError
from rxws.running import Iteration
from rxws.scheduler import RAISED, report

__all__ = ["Handler"]

T = TypeVar("T")


class Handler(Generic[T]):
    """One function, and its subscription; what it raises is reported to the loop's handler and ends it alone.

    Args:
        function: called with each value; where it is async, the next call waits for it, and nobody else does.
        maxsize: how many values may wait for an async one.
        overflow: what happens to one more.
        flow: hears of what is dropped.
        failed: called when the function has raised, or its queue has overflowed: it is called no more.
    """

    def __init__(
        self,
        function: Callable[[T], object | Awaitable[object]],
        maxsize: int,
        overflow: OverflowPolicy,
        flow: Flow,
        failed: Callable[[Handler[T]], None],
    ) -> None:
        self._function = function
        self._maxsize = maxsize
        self._overflow = overflow
        self._flow = flow
        self._failed = failed
        self._stopped = False
        self._subscription = SerialDisposable()
        self._task: asyncio.Task[None] | None = None

    def start(self, values: Observable[T]) -> None:
        """Call it with what `values` brings from now on."""
        if self._stopped:
            return
        if not _is_async(self._function):
            self._subscription.disposable = values.subscribe(self._call, _told_elsewhere)
            return
        iteration = Iteration(values, self._maxsize, self._overflow, self._flow, "handler")
        iteration.begin()
        # One that has not done with what the last connection brought is not called a second time beside that.
        run = self._run(iteration, self._task)
        self._task = asyncio.get_running_loop().create_task(run, name="rxws handler")

    def stop(self) -> None:
        """Call it no more. A call that waits is cancelled, unless it is the call that says so."""
        self._stopped = True
        self._subscription.disposable = Disposable()
        if self._task is not None and self._task is not _current_task():
            self._task.cancel()

    def _call(self, value: T) -> None:
        if self._stopped:
            return
        try:
            answer = self._function(value)
            if inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    answer.close()
                raise ConfigError("handler", "it returned an awaitable, and is no async function; take an `async def`")
        except RAISED as error:
            self._raised(error)

    async def _run(self, iteration: Iteration[T], before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            async for value in iteration:
                if not await self._awaited(value):
                    return
        except Exception as error:
            if iteration.dropped:  # its own queue is full; how the stream ends, everybody hears
                self._raised(error)
        finally:
            iteration.end()

    async def _awaited(self, value: T) -> bool:
        try:
            await self._function(value)  # type: ignore[misc]  # an async one's answer is awaitable
        except RAISED as error:
            task = _current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            self._raised(error)
            return False
        return not self._stopped

    def _raised(self, error: BaseException) -> None:
        self._failed(self)
        report(error)


def _is_async(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _told_elsewhere(error: Exception) -> None:
    """How the stream ends is told by the verbs that wait for it."""
