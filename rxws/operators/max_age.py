"""End each connection by plan, before the venue does."""

from __future__ import annotations

import random as chance
from collections.abc import Callable

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws.arguments import fraction, seconds
from rxws.events import DisconnectReason
from rxws.scheduler import clock, given
from rxws.types import Connection

__all__ = ["max_age"]


def max_age(
    age: float | None,
    jitter: float = 0.1,
    *,
    random: Callable[[], float] = chance.random,
) -> Callable[[Observable[Connection]], Observable[Connection]]:
    """Complete when the connection has been open for `age` seconds: a planned end, CONNECTION_LIMIT.

    ::

        source    ──C────────────────
        result    ──C────────|           age · (1 − jitter · random()) after it opened

    Venues end connections after a time of theirs (Binance: 24 hours); who leaves before chooses the moment. The jitter
    goes only downwards, so that many connections of one age do not come back together.

    Args:
        age: seconds; None: for ever.
        jitter: the fraction of `age` that chance may take off, 0 to 1.
        random: uniform in [0, 1).

    Raises:
        ConfigError: an argument is out of its range.

    Source: Binance spot, WebSocket streams, "a single connection is only valid for 24 hours", read 2026-11.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import connect
    >>> from rxws.testing import ScriptedTransport
    >>> virtual, seen = TestScheduler(), []
    >>> aged = connect("ws://scripted", transport=ScriptedTransport()).pipe(max_age(60.0, jitter=0.0))
    >>> _ = aged.subscribe(on_completed=lambda: seen.append(virtual.clock), scheduler=virtual)
    >>> virtual.advance_to(100.0)
    >>> seen
    [60.0]
    """
    seconds("max_age", age)
    fraction("max_age_jitter", jitter)

    def operator(source: Observable[Connection]) -> Observable[Connection]:
        if age is None:
            return source

        def subscribe(
            observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            aging, running = SerialDisposable(), SerialDisposable()

            def on_next(connection: Connection) -> None:
                def end(*_: object) -> None:
                    connection.journal.planned(DisconnectReason.CONNECTION_LIMIT)
                    running.dispose()
                    observer.on_completed()

                on = given(scheduler)
                left = connection.opened_time + age * (1.0 - jitter * random()) - clock(on)()
                timer = SingleAssignmentDisposable()
                aging.disposable = timer
                timer.disposable = on.schedule_relative(max(0.0, left), end)
                connection.on_end(timer.dispose)
                observer.on_next(connection)

            running.disposable = source.subscribe(
                on_next, observer.on_error, observer.on_completed, scheduler=scheduler
            )
            return CompositeDisposable(aging, running)

        return Observable(subscribe)

    return operator
