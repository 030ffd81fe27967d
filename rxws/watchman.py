"""Two looks a second at a loop: whether its machine has slept, and whether something has blocked it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary, ref

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws.scheduler import clock, wall_time_ns

__all__ = ["BLOCKED", "Watched", "Watchman"]

LOG = logging.getLogger("rxws")

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
"""Seconds of standing still for no known reason that count as sleep: there are monotonic clocks that go on in it."""
LOG_EVERY = 60.0
"""Seconds between two log records."""

# Weak on both sides: a watchman knows its loop, and would keep it alive.
_WATCHMEN: WeakKeyDictionary[Any, ref[Watchman]] = WeakKeyDictionary()


class Watched(Protocol):
    """Who wants to hear of it."""

    def suspended(self, seconds: float) -> None:
        """The machine slept for so long, or something like it."""

    def blocked(self, seconds: float, callback: str | None) -> None:
        """The loop stood still for so long, because of `callback`; None: nobody knows which."""


class Named(NamedTuple):
    """Who blocked the loop: known by a member, which knows already."""

    by: Watched
    at: float
    seconds: float
    callback: str


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
        self._named: list[Named] = []
        self._looked = self._wall = 0.0
        self._logged: float | None = None

    @classmethod
    def of(cls, scheduler: AsyncIOScheduler) -> Watchman:
        """Return the one of this scheduler's loop; it lives as long as somebody holds it."""
        loop = scheduler._loop
        known = _WATCHMEN.get(loop)
        watchman = None if known is None else known()
        if watchman is None:
            watchman = cls(AsyncIOScheduler(loop))
            _WATCHMEN[loop] = ref(watchman)
        return watchman

    def join(self, member: Watched) -> abc.DisposableBase:
        """Tell `member` too, until this is disposed."""
        self._members[member] = None
        if len(self._members) == 1:
            self._named.clear()
            self._wait()
        return Disposable(lambda: self._leave(member))

    def named(self, by: Watched, seconds: float, callback: str) -> None:
        """Note that `callback` has just blocked the loop for so long; `by` knows, the others are told at the next look.

        What was named while `callback` ran is no part of the seconds.
        """
        self._named.append(Named(by, self._now(), seconds, callback))
        self._log(seconds, callback)

    def named_since(self, instant: float) -> float:
        """Return for how many seconds, since `instant`, it is known who blocked the loop."""
        return sum(each.seconds for each in self._named if each.at >= instant)

    def _leave(self, member: Watched) -> None:
        del self._members[member]
        if not self._members:
            self._timer.disposable = Disposable()

    def _wait(self) -> None:
        self._looked, self._wall = self._now(), self._wall_time()
        self._timer.disposable = self._scheduler.schedule_relative(EVERY, self._look)

    def _look(self, *_: object) -> None:
        passed = self._now() - self._looked
        slept = self._wall_time() - self._wall - passed
        named, self._named = self._named, []
        late = passed - EVERY - sum(each.seconds for each in named)
        self._wait()
        for by, _at, seconds, callback in named:
            self._tell(lambda member, s=seconds, c=callback: member.blocked(s, c), but=by)  # type: ignore[misc]
        if late >= LATE:
            self._log(late, "something else on the loop")
            self._tell(lambda member: member.blocked(late, None))
        if slept >= SLEPT or late >= LONG:
            self._tell(lambda member: member.suspended(max(slept, late)))

    def _tell(self, tell: Callable[[Watched], None], but: Watched | None = None) -> None:
        for member in tuple(self._members):
            if member is not but and member in self._members:  # one that was told before may have ended it
                tell(member)

    def _log(self, seconds: float, because: str) -> None:
        now = self._now()
        if self._logged is None or now - self._logged >= LOG_EVERY:
            self._logged = now
            LOG.warning("the event loop stood still for %.1f s, because of %s", seconds, because)

    def _wall_time(self) -> float:
        return wall_time_ns(self._scheduler) / 1e9
