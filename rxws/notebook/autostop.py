"""A view that nobody looks at is stopped: its sockets are for nobody."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import abc

__all__ = ["Autostop"]

QUESTIONS = 3
"""So many without an answer, and nobody looks."""


class Autostop:
    """Asks the browser three times in `seconds` whether somebody looks, and stops when no answer says so.

    While a cell runs there is no verdict: kernels before ipykernel 7 hear no answer then, and who runs a notebook
    without a browser gives none.

    Args:
        seconds: how long nobody must have looked.
        ask: asks all browsers.
        stop: what happens then.
        is_busy: tells whether a cell runs.
        scheduler: whose time.

    >>> from reactivex.testing import TestScheduler
    >>> virtual = TestScheduler()
    >>> stop = lambda: print("stopped at", virtual.clock)
    >>> autostop = Autostop(9.0, ask=lambda: None, stop=stop, is_busy=lambda: False, scheduler=virtual)
    >>> _ = virtual.schedule_absolute(4.0, lambda *_: autostop.answer(views=1))
    >>> autostop.start()
    >>> _ = virtual.start()
    stopped at 15.0
    """

    def __init__(
        self,
        seconds: float,
        *,
        ask: Callable[[], None],
        stop: Callable[[], None],
        is_busy: Callable[[], bool],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self._between = seconds / QUESTIONS
        self._ask = ask
        self._stop = stop
        self._is_busy = is_busy
        self._scheduler = scheduler
        self._unanswered = 0
        self._seen = False
        self._timer: abc.DisposableBase | None = None

    def start(self) -> None:
        """Begin to ask; a second time changes nothing."""
        if self._timer is None:
            self._next()

    def answer(self, views: int) -> None:
        """Take an answer: how many views a browser shows."""
        self._seen = self._seen or views > 0

    def dispose(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.dispose()

    def _next(self) -> None:
        self._timer = self._scheduler.schedule_relative(self._between, lambda *_: self._verdict())

    def _verdict(self) -> None:
        # Questions are counted, not seconds: after a loop that was blocked, the answers come first.
        self._unanswered = 0 if self._seen or self._is_busy() else self._unanswered + 1
        self._seen = False
        if self._unanswered == QUESTIONS:
            self._stop()
            return
        self._next()
        self._ask()
