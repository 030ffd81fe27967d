"""Values that wait for async code to take them, within a bound."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from reactivex import Observable
from reactivex.disposable import SingleAssignmentDisposable

from rxws.arguments import ClientOverflow
from rxws.errors import BufferOverflow
from rxws.scheduler import CallersScheduler

__all__ = ["Buffer", "Flow"]

T = TypeVar("T")


class Flow(Protocol):
    """What brings the values: it can be asked to pause, and hears of those that find no room."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def dropped(self, where: str, count: int = 1) -> None: ...


class Buffer(Generic[T]):
    """The values that wait, who waits for them, and how it ended.

    Args:
        maxsize: how many may wait; with "latest" one.
        overflow: what happens to one that finds no room.
        flow: what "block" pauses and resumes, and what hears of each value that is dropped; None: nobody.
        where: what this buffer is called there.
        shared: whether several tasks may take, each value going to one of them, and all of them hearing the error.
    """

    def __init__(
        self,
        maxsize: int,
        overflow: ClientOverflow,
        flow: Flow | None = None,
        where: str = "",
        *,
        shared: bool = False,
    ) -> None:
        self.dropped = 0
        self.subscription = SingleAssignmentDisposable()
        self._flow = flow
        self._where = where
        self._shared = shared
        self._values: deque[T] = deque()
        self._waiting: set[asyncio.Future[None]] = set()
        self._paused = False
        self._ended = self._told = False
        self._error: BaseException | None = None
        self._raised_at: TracebackType | None = None
        self.is_needless: Callable[[], object] | None = None
        """Asked when it is full: true means that nobody will ever take, and it ends."""
        self.bound(maxsize, overflow)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, nothing waits, and somebody has heard of the error, if there was one."""
        return self._ended and not self._values and (self._error is None or self._told)

    def begin(self, observable: Observable[T]) -> None:
        """Subscribe."""
        self.subscription.disposable = observable.subscribe(
            self._put,
            self.end,
            lambda: self.end(None),
            scheduler=CallersScheduler(asyncio.get_running_loop(), self.end),
        )

    def bound(self, maxsize: int, overflow: ClientOverflow) -> None:
        """Set the bound, and what happens beyond it, from now on; what waits already has to fit too."""
        self._maxsize = 1 if overflow == "latest" else maxsize
        self._overflow = overflow
        too_many = len(self._values) - self._maxsize
        if too_many > 0 and overflow not in ("error", "block"):
            take = self._values.pop if overflow == "drop_newest" else self._values.popleft
            for _ in range(too_many):
                take()
            self._drop(too_many)
        self._go_on()

    async def get(self) -> T:
        """Return the next value, once there is one.

        Raises:
            StopAsyncIteration: there is none, and none follows.
            Exception: what ended it: once, or where it is shared, each time.
        """
        while not self._values:
            if self._ended:
                error, self._told = self._error, True
                if not self._shared:
                    self._error = None
                # Each raising would hang its own frames on it, for ever.
                raise StopAsyncIteration if error is None else error.with_traceback(self._raised_at)
            if self._waiting and not self._shared:
                raise RuntimeError("two tasks iterate over one rxws.aiter; give each an iteration of its own")
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
        value = self._values.popleft()
        if self._paused:
            self._go_on()
        return value

    def end(self, error: BaseException | None) -> None:
        """Take nothing more."""
        if not self._ended:
            self._ended, self._error = True, error
            self._raised_at = None if error is None else error.__traceback__
            self.subscription.dispose()
            self._go_on()
            self._wake()

    def clear(self) -> None:
        """Forget what waits."""
        self._values.clear()
        self._error = None

    def _put(self, value: T) -> None:
        if self._ended:
            return
        # Where it blocks, what was read before the pause still comes: it is kept, at most one read beyond the bound.
        blocks = self._overflow == "block"
        if len(self._values) + blocks >= self._maxsize and not self._has_room():
            return
        self._values.append(value)
        if self._waiting:
            self._wake()

    def _has_room(self) -> bool:
        if self.is_needless is not None and self.is_needless():
            self.end(None)
            self.clear()
            return False
        if self._overflow == "block":
            if self._flow is not None:
                self._paused = True
                self._flow.pause()  # each time: there may be a new connection since
            return True
        if self._overflow in ("drop_oldest", "latest"):
            self._values.popleft()
        elif self._overflow == "error":
            self.end(BufferOverflow(self._maxsize, self.dropped + 1))
        self._drop(1)
        return not self._ended and self._overflow != "drop_newest"

    def _drop(self, count: int) -> None:
        self.dropped += count
        if self._flow is not None:
            self._flow.dropped(self._where, count)

    def _go_on(self) -> None:
        # Paused, it goes on when half of them are taken; also where it has ended, or blocks no more.
        enough = self._ended or self._overflow != "block" or len(self._values) <= self._maxsize // 2
        if self._paused and enough and self._flow is not None:
            self._paused = False
            self._flow.resume()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
