"""Values that wait for async code to take them, within a bound."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, Literal, Protocol, TypeVar

from reactivex import Observable
from reactivex.disposable import SingleAssignmentDisposable

from rxws.errors import BufferOverflow, ConfigError
from rxws.scheduler import CallersScheduler

__all__ = ["POLICIES", "Buffer", "ClientOverflow", "Flow", "OverflowPolicy", "check_bound"]

T = TypeVar("T")

OverflowPolicy = Literal["error", "drop_oldest", "drop_newest", "latest"]
ClientOverflow = OverflowPolicy | Literal["block"]
POLICIES = ("error", "drop_oldest", "drop_newest", "latest")


def check_bound(maxsize: object, overflow: object, *, block: bool = False) -> None:
    """Refuse what is no bound, or no policy for what goes beyond it; "block" only where it can be had.

    Raises:
        ConfigError: it names the argument.
    """
    if isinstance(maxsize, bool) or not isinstance(maxsize, int) or maxsize < 1:
        raise ConfigError("maxsize", f"{maxsize!r} is out of range; take a number of values, 1 or more")
    policies = (*POLICIES, "block") if block else POLICIES
    if overflow not in policies:
        raise ConfigError("overflow", f"{overflow!r} is unknown; take one of {', '.join(policies)}")


class Flow(Protocol):
    """What brings the values, and can be asked to pause."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Buffer(Generic[T]):
    """The values that wait, who waits for them, and how it ended.

    Args:
        maxsize: how many may wait; with "latest" one.
        overflow: what happens to one that finds no room.
        flow: what "block" pauses and resumes; None: it is not offered.
    """

    def __init__(self, maxsize: int, overflow: ClientOverflow, flow: Flow | None = None) -> None:
        self.dropped = 0
        self.subscription = SingleAssignmentDisposable()
        self._flow = flow
        self.bound(maxsize, overflow)
        self._values: deque[T] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False
        self._error: BaseException | None = None

    def begin(self, observable: Observable[T]) -> None:
        """Subscribe."""
        self.subscription.disposable = observable.subscribe(
            self._put,
            self.end,
            lambda: self.end(None),
            scheduler=CallersScheduler(asyncio.get_running_loop(), self.end),
        )

    def bound(self, maxsize: int, overflow: ClientOverflow) -> None:
        """Set the bound, and what happens beyond it, from now on."""
        self._maxsize = 1 if overflow == "latest" else maxsize
        self._overflow = overflow

    async def get(self) -> T:
        """Return the next value.

        Raises:
            StopAsyncIteration: there is none, and none follows.
            Exception: what ended it, once.
        """
        while not self._values:
            if self._ended:
                error, self._error = self._error, None
                raise StopAsyncIteration if error is None else error
            if self._waiting is not None:
                raise RuntimeError("two tasks iterate over one rxws.aiter; give each an iteration of its own")
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        value = self._values.popleft()
        if self._overflow == "block" and self._flow is not None and len(self._values) <= self._maxsize // 2:
            self._flow.resume()
        return value

    def end(self, error: BaseException | None) -> None:
        """Take nothing more."""
        if not self._ended:
            self._ended, self._error = True, error
            self.subscription.dispose()
            self._wake()

    def clear(self) -> None:
        """Forget what waits."""
        self._values.clear()
        self._error = None

    def _put(self, value: T) -> None:
        if self._ended:
            return
        if self._overflow == "block":
            # What was read before the pause still comes: it is kept, at most one read beyond the bound.
            if len(self._values) + 1 >= self._maxsize and self._flow is not None:
                self._flow.pause()
        elif len(self._values) >= self._maxsize:
            self.dropped += 1
            if self._overflow == "error":
                self.end(BufferOverflow(self._maxsize, self.dropped))
                return
            if self._overflow == "drop_newest":
                return
            self._values.popleft()
        self._values.append(value)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
