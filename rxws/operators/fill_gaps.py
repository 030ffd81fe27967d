"""Fetch what is missing, and put it where it belongs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, TypeAlias, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from rxws.arguments import function, seconds, whole
from rxws.events import Event, Gap
from rxws.operators._fetching import Fetching
from rxws.operators._filling import Filling
from rxws.operators._topics import market_topic
from rxws.operators._turns import leaving
from rxws.scheduler import given

__all__ = ["Fetch", "fill_gaps"]

T = TypeVar("T")

Fetch: TypeAlias = Callable[[Gap], Iterable[T] | Awaitable[Iterable[T]] | Observable[T]]
"""Returns the values that a gap lacks, at once, or once they are there; in any order, and others beside them."""


def fill_gaps(
    fetch: Fetch[T],
    key: Callable[[T], int],
    topic: Callable[[Any], Hashable] | None = None,  # Any: what the stream brings
    *,
    every: float = 1.0,
    attempts: int = 3,
    timeout: float | None = 10.0,
    maxsize: int = 65_536,
    failed: Callable[[Gap, Exception], object] | None = None,
) -> Callable[[Observable[T | Event]], Observable[T | Event]]:
    """Put what is missing in its place: behind `detect_gaps`, ask `fetch` for what each `Gap` lacks.

    ::

        source    ──a1──Gap(a,1,4)──a4──b7──a5────────────────
        fetch           └────────────────────a2 a3┘
        result    ──a1──Gap(a,1,4)──────b7────────a2─a3─a4─a5─

    While `fetch` runs, what comes of that topic is held; other topics and lifecycle events go on, and may so pass what
    is held. Of what was fetched only that is emitted whose number lies between `last` and `next` of the gap, in the
    order of the numbers, each number once; then what was held. So nothing comes twice, and what `fetch` returns beyond
    the gap does no harm. The `Gap` itself stays in the stream, before all of it.

    A fetch that fails, or takes longer than `timeout`, is tried again. When it has failed `attempts` times, `failed` is
    told and the topic goes on without what is missing: the `Gap` has said so. So it does when more than `maxsize`
    values are held, which is told as `BufferOverflow`; nothing that came is ever dropped.

    A storm of gaps is no storm of fetches: a topic has one at a time, a gap that comes meanwhile waits among what is
    held, and two fetches of the stream, of whatever topics, and repeated or not, begin at least `every` seconds apart.

    Args:
        fetch: called with the `Gap`; returns an iterable of values, or an awaitable or an observable of them. What it
            raises is a failure of that fetch. An answer that lacks some of the values is taken for what there is: raise
            where it should be asked again.
        key: returns the number of a value that was fetched, in the numbering of the gap.
        topic: returns the topic of a value; as text it is the `Gap`'s own. None: as `detect_gaps` does without a `key`.
        every: seconds between the beginnings of two fetches at least.
        attempts: fetches for one gap, 1 or more.
        timeout: seconds that a fetch may take; None: for ever.
        maxsize: how many values may be held, of all topics together, 1 or more.
        failed: told of each gap that is not filled, and why. None: the log has it, once a minute.

    Raises:
        ConfigError: an argument is wrong.

    What `key`, `topic` or `failed` raise is the result's error. When the source completes, gaps that are being filled
    are waited for; when it errors, what is held is emitted without what is missing, and then the error. Time is the
    scheduler's; without one the running loop's.

    >>> import reactivex as rx, rxws
    >>> from rxws.gaps import State, Step, Verdict
    >>> from rxws.operators import detect_gaps
    >>> def by_one(state, number):
    ...     missing = state is not None and number > state.last + 1
    ...     return Step(Verdict.GAP if missing else Verdict.OK, State(number), number)
    >>> async def fetch(gap):
    ...     return range(gap.last, gap.next + 1)
    >>> def topic(number):
    ...     return "numbers"
    >>> filled = rx.of(1, 2, 5, 6).pipe(detect_gaps(by_one, topic), fill_gaps(fetch, int, topic))
    >>> _ = rxws.run(filled, lambda each: print(each if isinstance(each, int) else (each.last, each.next)))
    1
    2
    (2, 5)
    3
    4
    5
    6
    """
    function("fetch", fetch, "a Gap")
    function("key", key, "a value that was fetched")
    if topic is not None:
        function("topic", topic, "a value")
    seconds("every", every, optional=False)
    whole("attempts", attempts)
    seconds("timeout", timeout)
    whole("maxsize", maxsize)
    if failed is not None:
        function("failed", failed, "a Gap and an exception")
    of: Callable[[Any], Hashable] = market_topic if topic is None else topic

    def operator(source: Observable[T | Event]) -> Observable[T | Event]:
        def subscribe(
            observer: abc.ObserverBase[T | Event], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            on = given(scheduler)
            everything = CompositeDisposable()
            fetching: Fetching[T] = Fetching(fetch, every, timeout, everything, on)
            filling: Filling[T] = Filling(observer, fetching, key, of, attempts, maxsize, failed, everything, on)
            filling.running.disposable = source.subscribe(
                leaving(filling.on_next, everything),
                leaving(filling.on_error, everything),
                filling.on_completed,
                scheduler=scheduler,
            )
            return everything

        return Observable(subscribe)

    return operator
