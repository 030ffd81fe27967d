"""Functions that are called with each value: sync ones at once, async ones in turn, from a queue of their own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from reactivex import Observable
from reactivex.disposable import Disposable, SerialDisposable

from rxws.buffer import OverflowPolicy
from rxws.running import Iteration
from rxws.scheduler import report

__all__ = ["Handler"]

T = TypeVar("T")


class Handler(Generic[T]):
    """One function, and its subscription; what it raises is reported to the loop's handler and ends it alone.

    Args:
        function: called with each value; where it is async, the next call waits for it, and nobody else does.
        maxsize: how many values may wait for an async one.
        overflow: what happens to one more.
    """

    def __init__(
        self, function: Callable[[T], object | Awaitable[object]], maxsize: int, overflow: OverflowPolicy
    ) -> None:
        self._function = function
        self._maxsize = maxsize
        self._overflow = overflow
        self._subscription = SerialDisposable()
        self._task: asyncio.Task[None] | None = None

    def start(self, values: Observable[T]) -> None:
        """Call it with what `values` brings from now on."""
        if not _is_async(self._function):
            self._subscription.disposable = values.subscribe(self._call, _told_elsewhere)
            return
        iteration = Iteration(values, self._maxsize, self._overflow)
        iteration.begin()
        self._task = asyncio.get_running_loop().create_task(self._run(iteration), name="rxws handler")

    def stop(self) -> None:
        """Call it no more; one that is running is cancelled."""
        self._subscription.disposable = Disposable()
        if self._task is not None:
            self._task.cancel()

    def _call(self, value: T) -> None:
        self._function(value)

    async def _run(self, iteration: Iteration[T]) -> None:
        try:
            async for value in iteration:
                try:
                    answer = self._function(value)
                    if inspect.isawaitable(answer):
                        await answer
                except Exception as error:
                    report(error)
                    return
        except Exception as error:
            if iteration.dropped:  # its own queue is full; how the stream ends, everybody hears
                report(error)
        finally:
            await iteration.aclose()


def _is_async(function: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _told_elsewhere(error: Exception) -> None:
    """How the stream ends is told by the verbs that wait for it."""
