"""A bounded queue between a source and a slower subscriber on the same loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable, abc

from rxws.arguments import OverflowPolicy, check_bound
from rxws.operators._drops import Drops, Told, check_told
from rxws.operators._queueing import Queueing
from rxws.scheduler import given
from rxws.stats import Stats

__all__ = ["overflow"]

T = TypeVar("T")


def overflow(
    maxsize: int = 65_536,
    policy: OverflowPolicy = "error",
    *,
    stats: Stats | None = None,
    told: Told | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Queue values, so that the source goes on before the subscriber has done with them.

    ::

        source    ──(1 2 3 4 5)───────|
        result    ─────1──2──3──4──5──|        each time the loop comes round
        result    ─────1──4──5────────|        maxsize=2, "drop_oldest", while 1 takes long

    Without it the socket's read callback returns only when your `on_next` has done with all that was read: a slow one
    stops the loop, and all that runs on it. With it the queue is worked off in turns of the loop, each of them as many
    values as fit into 5 ms, and one at least; between two of them the socket is read, pings are answered, and timers
    fire. It makes nobody faster: who is slower than the feed for long loses values, by the policy.

    Args:
        maxsize: how many values may wait, 1 or more.
        policy: what happens to a value that finds no room, in the words of `rxws.aiter`. "error": the source is left,
            what waits is emitted, and then comes `BufferOverflow`; "drop_oldest", "drop_newest": one is dropped;
            "latest": only the newest waits, whatever `maxsize` is.
        stats: `Stats.dropped` counts what was dropped, exactly; None: nobody does.
        told: hears an `Overflow` when values were dropped: at once, then every five seconds with the number since,
            and at the end. What it raises is reported, and changes nothing. None: the log has it, once a minute.

    Raises:
        ConfigError: an argument is wrong.

    Completion and error come behind what waits. Lifecycle events keep their place among the values, take no room, and
    are not dropped, unless 1,024 of them wait already. What the subscriber raises ends the subscription, and is
    reported to the loop's exception handler. The turns are the scheduler's; without one the running loop's.

    >>> import reactivex as rx, rxws
    >>> from rxws.operators import flatten
    >>> stats, one_read = rxws.Stats(), rx.of(list(range(1_000)))
    >>> newest = one_read.pipe(flatten(), overflow(3, "drop_oldest", stats=stats, told=lambda overflow: None))
    >>> rxws.run(newest, print), stats.dropped
    997
    998
    999
    (999, 997)
    """
    check_bound(maxsize, policy, name="policy")
    check_told(stats, told)

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on = given(scheduler)
            queueing = Queueing(observer, maxsize, policy, Drops("overflow", stats, told, on), on)
            queueing.running.disposable = source.subscribe(
                queueing.on_next, queueing.end, lambda: queueing.end(None), scheduler=scheduler
            )
            return queueing.everything

        return Observable(subscribe)

    return operator
