"""Count what connections carry, at the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reactivex import Observable, abc

from rxws.events import DisconnectReason
from rxws.scheduler import clock
from rxws.stats import Stats
from rxws.types import Connection

__all__ = ["record_stats"]


class Counted(Protocol):
    """Something that keeps a `Stats`, as the lifecycle of a subscription does."""

    @property
    def stats(self) -> Stats: ...


def record_stats(
    stats: Stats | Counted,
) -> Callable[[Observable[Connection]], Observable[Connection]]:
    """Count each connection into `stats`: it stands on the Connection, so that a message pays nothing for it.

    ::

        source    ──C1──────x──C2──────
        result    ──C1──────x──C2──────      connects 1 … 2, disconnects 0 … 1

    Args:
        stats: a `Stats`, or what keeps one.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import Stats, connect
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual, stats = TestScheduler(), Stats()
    >>> transport = ScriptedTransport(Attempt(messages=[(1.0, "tick")]))
    >>> _ = connect("ws://scripted", transport=transport).pipe(record_stats(stats)).subscribe(scheduler=virtual)
    >>> virtual.advance_to(2.0)
    >>> stats
    <Stats: 1 connects, 0 disconnects (0 proactive, 0 reactive), 1 messages in, 0 out, up 2.0 s>
    """
    into = stats if isinstance(stats, Stats) else stats.stats

    def operator(source: Observable[Connection]) -> Observable[Connection]:
        def subscribe(
            observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            def on_next(connection: Connection) -> None:
                into.attach(connection, clock(scheduler))
                connection.watch_reads(into.sample)
                connection.on_end(lambda: into.detach(connection, ended(connection)))
                observer.on_next(connection)

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return operator


def ended(connection: Connection) -> DisconnectReason:
    """Return why `connection` ended; nobody asks before it has."""
    return connection.end_reason or DisconnectReason.USER_REQUESTED
