"""When to draw: soon after something has changed, never more than so many times a second, and else never."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import abc

from rxws.scheduler import clock

__all__ = ["Coalescer"]


class Coalescer:
    """Calls `draw` at most `fps` times a second; where nothing changes there is no timer.

    Args:
        draw: draws all that has changed.
        fps: the most times a second, above 0.
        scheduler: whose time.

    >>> from reactivex.testing import TestScheduler
    >>> virtual = TestScheduler()
    >>> coalescer = Coalescer(lambda: print(virtual.clock), fps=4.0, scheduler=virtual)
    >>> for at in (1.0, 1.1, 1.2, 9.0):
    ...     _ = virtual.schedule_absolute(at, lambda *_: coalescer.touch())
    >>> _ = virtual.start()
    1.0
    1.25
    9.0
    """

    def __init__(self, draw: Callable[[], None], fps: float, scheduler: abc.SchedulerBase) -> None:
        self._draw = draw
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._between = 1.0 / fps
        self._not_before = self._now()
        self._timer: abc.DisposableBase | None = None

    def touch(self) -> None:
        """Something has changed."""
        if self._timer is None:
            wait = max(0.0, self._not_before - self._now())
            self._timer = self._scheduler.schedule_relative(wait, lambda *_: self.flush())

    def flush(self) -> None:
        """Draw now, whatever time it is."""
        self.stop()
        self._not_before = self._now() + self._between
        self._draw()

    def stop(self) -> None:
        """Draw nothing more of what has changed so far."""
        if self._timer is not None:
            self._timer.dispose()
            self._timer = None
