"""Take a connection that brings no data as lost."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.arguments import seconds
from rxws.errors import ConfigError, IdleTimeout
from rxws.scheduler import clock, given, when_drained
from rxws.types import Connection

__all__ = ["idle_timeout"]


def idle_timeout(
    timeout: float | None, is_data: Callable[[bytes], object] | None = None
) -> Callable[[Observable[Connection]], Observable[Connection]]:
    """End each connection with `IdleTimeout` when no data came for `timeout` seconds.

    ::

        source    ──C────────────────
        data      ────d──d──d········
        result    ──C─────────────#      timeout after the last d

    The clock runs from the moment the connection opens, so that one that never brings anything is found too. It stands
    on the Connection: a message pays nothing for it, unless `is_data` is asked. Data that has arrived but could not be
    read yet, because the loop was busy, counts.

    Args:
        timeout: seconds; None: for ever.
        is_data: asked of each message's bytes, whether it is data; None: every message is, pings and pongs never. A
            venue's heartbeat messages are what it is for. One that raises is told, and the message is none.

    Raises:
        ConfigError: an argument is wrong.

    Errors of the result: `IdleTimeout`.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import connect
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual, seen = TestScheduler(), []
    >>> silent = ScriptedTransport(Attempt(messages=[(2.0, "tick")]))
    >>> watched = connect("ws://scripted", transport=silent).pipe(idle_timeout(5.0))
    >>> _ = watched.subscribe(on_error=lambda error: seen.append(f"{virtual.clock}: {error}"), scheduler=virtual)
    >>> virtual.advance_to(10.0)
    >>> seen
    ['7.0: no data for 5 s']
    """
    seconds("idle_timeout", timeout)
    if is_data is not None and not callable(is_data):
        raise ConfigError("is_data", f"{is_data!r} is not callable; take a function of a message's bytes")

    def operator(source: Observable[Connection]) -> Observable[Connection]:
        def subscribe(
            observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            watching = SerialDisposable()

            def on_next(connection: Connection) -> None:
                connection.is_data = is_data
                if timeout is not None:
                    timer = SerialDisposable()
                    watching.disposable = timer
                    watch = IdleClock(connection, timeout, timer, given(scheduler))
                    connection.on_end(timer.dispose)
                    watch.wait(timeout)
                observer.on_next(connection)

            running = source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(watching, running)

        return Observable(subscribe)

    return operator


class IdleClock:
    """Looks, when its timer fires, how long ago the last data came; no message touches a timer."""

    def __init__(
        self,
        connection: Connection,
        timeout: float,
        timer: SerialDisposable,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self._connection = connection
        self._timeout = timeout
        self._timer = timer
        self._scheduler = scheduler
        self._clock = clock(scheduler)
        self._armed = self._clock()
        self._excused = -inf

    def wait(self, seconds: float) -> None:
        """Look again in `seconds`."""
        self._timer.disposable = self._scheduler.schedule_relative(seconds, self._look)

    def _look(self, *_: object) -> None:
        left = self._left()
        if left > 0:
            self.wait(left)
        elif left < 0 and self._excused < self._since():
            # The loop was busy, and a server on the same loop with it: that time is given back, once a silence.
            self._excused = self._since()
            self.wait(min(-left, self._timeout))
        else:
            reads = self._connection
            self._timer.disposable = when_drained(self._scheduler, lambda: reads.reads, self._decide)

    def _decide(self) -> None:
        left = self._left()
        if left > 0:
            self.wait(left)
            return
        self._connection.journal.stale(self._timeout - left)
        self._connection.fail(IdleTimeout(self._timeout))

    def _left(self) -> float:
        return self._since() + self._timeout - self._clock()

    def _since(self) -> float:
        # A login script may take longer than the timeout: silence counts from when somebody listens.
        return max(self._connection.last_data_time, self._armed)
