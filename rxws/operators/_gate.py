"""Gates: conditions under which a stream may be connected. A gate is a level, asked before any dial.

Each can be asked whether it is open, at once or (an async callable) a little later, and be watched until it next opens
or closes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable

from rxws.errors import ConfigError
from rxws.events import DisconnectReason
from rxws.scheduler import resolve
from rxws.windows import Window

__all__ = ["Callback", "Condition", "Gate", "Polled", "gate_of"]

Callback = Callable[[], object | Awaitable[object]]
Condition = Window | Observable[bool] | Callback

# A window's timer looks at the wall clock again at least this often: it may have been set, or the machine suspended.
LOOK_AGAIN = 60.0


class Gate(Protocol):
    """One condition."""

    reason: DisconnectReason

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        """Begin to keep the level, for one subscription; `fail` is told what its source raised."""

    def ask(self, scheduler: abc.SchedulerBase, then: Callable[[bool], None]) -> abc.DisposableBase:
        """Call `then` with whether it is open."""

    def watch(self, scheduler: abc.SchedulerBase, wanted: bool, then: Callable[[], None]) -> abc.DisposableBase:
        """Call `then` once when it is next open (`wanted`) or closed."""

    def opens_in(self, scheduler: abc.SchedulerBase) -> float | None:
        """Return the seconds until it is open, 0.0 where it is, None where nobody can know."""


class WindowGate:
    """Open while a window is."""

    reason = DisconnectReason.SCHEDULED

    def __init__(self, window: Window) -> None:
        self._window = window

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        return Disposable()

    def ask(self, scheduler: abc.SchedulerBase, then: Callable[[bool], None]) -> abc.DisposableBase:
        then(self._window.is_open(scheduler.now))
        return Disposable()

    def watch(self, scheduler: abc.SchedulerBase, wanted: bool, then: Callable[[], None]) -> abc.DisposableBase:
        timer = SerialDisposable()

        def look(*_: object) -> None:
            now: datetime = scheduler.now
            if self._window.is_open(now) is wanted:
                then()
                return
            change = self._window.next_change(now)
            if change is not None:
                wait = min((change - now) / timedelta(seconds=1), LOOK_AGAIN)
                timer.disposable = scheduler.schedule_relative(wait, look)

        look()
        return timer

    def opens_in(self, scheduler: abc.SchedulerBase) -> float | None:
        now: datetime = scheduler.now
        if self._window.is_open(now):
            return 0.0
        change = self._window.next_change(now)
        return None if change is None else (change - now) / timedelta(seconds=1)


class LevelGate:
    """Open while the last value of an observable is true; closed before its first."""

    reason = DisconnectReason.SCHEDULED

    def __init__(self, levels: Observable[bool]) -> None:
        self._levels = levels
        self._open = False
        self._watching: tuple[Callable[[], None], ...] = ()

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        def on_next(level: bool) -> None:
            self._open = bool(level)
            for look in self._watching:
                look()

        return self._levels.subscribe(on_next, fail, scheduler=scheduler)

    def ask(self, scheduler: abc.SchedulerBase, then: Callable[[bool], None]) -> abc.DisposableBase:
        then(self._open)
        return Disposable()

    def watch(self, scheduler: abc.SchedulerBase, wanted: bool, then: Callable[[], None]) -> abc.DisposableBase:
        def look() -> None:
            if self._open is wanted:
                leave()
                then()

        def leave() -> None:
            self._watching = tuple(each for each in self._watching if each is not look)

        self._watching += (look,)
        look()
        return Disposable(leave)

    def opens_in(self, scheduler: abc.SchedulerBase) -> float | None:
        return 0.0 if self._open else None


class Polled:
    """Open while a callable, sync or async, says so; asked every `every` seconds. One that raises changes nothing.

    Before its first answer it stands where it leads to nothing: closed if it is to open, open if it is to close.
    """

    reason = DisconnectReason.CALLBACK_TRIGGERED

    def __init__(
        self,
        callback: Callback,
        every: float,
        failed: Callable[[Exception], None] = lambda error: None,
        *,
        opens_when: bool = True,
    ) -> None:
        self._callback = callback
        self._every = every
        self._failed = failed
        self._opens_when = opens_when
        self._last = not opens_when

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        return Disposable()

    def ask(self, scheduler: abc.SchedulerBase, then: Callable[[bool], None]) -> abc.DisposableBase:
        def answered(answer: object) -> None:
            try:
                truth = bool(answer)
            except Exception as error:  # an array of several truths, for example
                unanswered(error)
                return
            self._last = truth is self._opens_when
            then(self._last)

        def unanswered(error: Exception) -> None:
            self._failed(error)
            then(self._last)

        try:
            answer = self._callback()
        except Exception as error:
            unanswered(error)
            return Disposable()
        return resolve(answer, answered, unanswered)

    def watch(self, scheduler: abc.SchedulerBase, wanted: bool, then: Callable[[], None]) -> abc.DisposableBase:
        timer, asking = SerialDisposable(), SerialDisposable()

        def wait() -> None:
            timer.disposable = scheduler.schedule_relative(self._every, look)

        def look(*_: object) -> None:
            asking.disposable = self.ask(scheduler, decide)

        def decide(is_open: bool) -> None:
            if is_open is wanted:
                then()
            else:
                wait()

        wait()
        return CompositeDisposable(timer, asking)

    def opens_in(self, scheduler: abc.SchedulerBase) -> float | None:
        return 0.0 if self._last else None


def gate_of(name: str, condition: Condition, every: float, failed: Callable[[Exception], None]) -> Gate:
    """Return the gate that is open while `condition` holds.

    Raises:
        ConfigError: it names `name`.
    """
    if isinstance(condition, Window):
        return WindowGate(condition)
    if isinstance(condition, Observable):
        return LevelGate(condition)
    if callable(condition):
        return Polled(condition, every, failed)
    raise ConfigError(name, f"{condition!r} will not do; take a Window, an observable of bool, or a callable")
