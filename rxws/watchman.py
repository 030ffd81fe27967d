"""Two looks a second at a loop: whether its machine has slept, and whether something has blocked it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws.scheduler import clock, wall_time_ns

__all__ = ["BLOCKED", "Watched", "Watchman"]

EVERY = 0.5
"""Seconds between two looks."""
BLOCKED = 1.0
"""Seconds for which a function of the caller's must stop the loop to be told by name."""
LATE = 0.75
"""Seconds by which a look must be late for the loop to be called blocked by something else; it has then stood still for
up to `EVERY` longer."""
SLEPT = 5.0
"""Seconds by which the wall clock must have run ahead of the monotonic one, which stands still while Linux sleeps."""
LONG = 30.0
"""Seconds of standing still after which connections are asked whether they are there, whatever the reason."""

_WATCHMEN: WeakKeyDictionary[Any, Watchman] = WeakKeyDictionary()


class Watched(Protocol):
    """Who wants to hear of it."""

    def suspended(self, seconds: float) -> None:
        """The machine slept for so long, or something like it."""

    def blocked(self, seconds: float, callback: str | None) -> None:
        """The loop stood still for so long, because of `callback`; None: nobody knows which."""


class Watchman:
    """Watches one loop, for as long as there is somebody to tell.

    Args:
        scheduler: the loop's.
    """

    def __init__(self, scheduler: abc.SchedulerBase) -> None:
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._timer = SerialDisposable()
        self._members: dict[Watched, None] = {}
        self._looked = self._wall = self._named = 0.0

    @classmethod
    def of(cls, scheduler: AsyncIOScheduler) -> Watchman:
        """Return the one of this scheduler's loop."""
        loop = scheduler._loop
        if loop not in _WATCHMEN:
            _WATCHMEN[loop] = cls(AsyncIOScheduler(loop))
        return _WATCHMEN[loop]

    def join(self, member: Watched) -> abc.DisposableBase:
        """Tell `member` too, until this is disposed."""
        self._members[member] = None
        if len(self._members) == 1:
            self._wait()
        return Disposable(lambda: self._leave(member))

    def named(self) -> None:
        """Somebody has told by name what blocked the loop just now."""
        self._named = self._now()

    def _leave(self, member: Watched) -> None:
        del self._members[member]
        if not self._members:
            self._timer.disposable = None

    def _wait(self) -> None:
        self._looked, self._wall = self._now(), self._wall_time()
        self._timer.disposable = self._scheduler.schedule_relative(EVERY, self._look)

    def _look(self, *_: object) -> None:
        passed = self._now() - self._looked
        late, slept = passed - EVERY, self._wall_time() - self._wall - passed
        told_by_name = self._named > self._looked
        self._wait()
        if late >= LATE and not told_by_name:
            self._tell(lambda member: member.blocked(late, None))
        if slept >= SLEPT or late >= LONG:
            self._tell(lambda member: member.suspended(max(slept, late)))

    def _tell(self, tell: Callable[[Watched], None]) -> None:
        for member in tuple(self._members):
            if member in self._members:  # one that was told before may have ended it
                tell(member)

    def _wall_time(self) -> float:
        return wall_time_ns(self._scheduler) / 1e9
