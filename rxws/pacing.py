"""What waits to be sent on one connection, until its limit lets it go."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from reactivex import abc
from reactivex.disposable import SerialDisposable

from rxws.errors import BufferOverflow
from rxws.limits import SlidingWindow
from rxws.scheduler import clock

__all__ = ["Pacer"]

WAITING = 65_536
"""Messages that may wait; Binance's 5 a second would take hours for them."""


class Pacer:
    """Sends in order, as many at a time as the limit allows.

    Args:
        window: the limit's.
        scheduler: whose time.
    """

    def __init__(self, window: SlidingWindow, scheduler: abc.SchedulerBase) -> None:
        self._window = window
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._timer = SerialDisposable()
        self._waiting: deque[Callable[[], None]] = deque()
        self._refused = 0

    def send(self, message: Callable[[], None]) -> None:
        """Send now, or as soon as those before it are sent and the limit lets it.

        Raises:
            BufferOverflow: too many wait.
        """
        if len(self._waiting) >= WAITING:
            self._refused += 1
            raise BufferOverflow(WAITING, self._refused)
        self._waiting.append(message)
        if len(self._waiting) == 1:
            self._go()

    def ping(self, ping: Callable[[], None]) -> None:
        """Send before all that waits: its answer is waited for already."""
        self._waiting.appendleft(ping)
        self._go()

    def answered(self) -> None:
        """A pong has been sent."""
        self._window.answered(self._now())

    def when_sent(self, action: Callable[[], None]) -> None:
        """Call `action` when all that waits now is sent: at once where nothing does."""
        if self._waiting:
            last = self._waiting.pop()

            def both() -> None:
                last()
                action()

            self._waiting.append(both)
        else:
            action()

    def end(self) -> int:
        """Send nothing more; return how many waited."""
        self._timer.dispose()
        waited = len(self._waiting)
        self._waiting.clear()
        return waited

    def _go(self, *_: object) -> None:
        while self._waiting:
            now = self._now()
            wait = self._window.wait(now)
            if wait > 0:
                self._timer.disposable = self._scheduler.schedule_relative(wait, self._go)
                return
            self._window.take(now)
            self._waiting.popleft()()
