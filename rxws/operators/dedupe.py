"""Let each key pass once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import SingleAssignmentDisposable

from rxws.arguments import function, whole
from rxws.events import Event

__all__ = ["dedupe"]

T = TypeVar("T")


def dedupe(
    key: Callable[[Any], Hashable],  # Any: events may be among them; it is not asked about those
    *,
    remember: int = 10_000,
) -> Callable[[Observable[T]], Observable[T]]:
    """Pass on the first value of each key, and none that repeats it.

    ::

        source    ──a1──b1──a1──a2──b1──
        result    ──a1──b1──────a2──────

    For venues that send the last trades again after each subscription, and for streams that are merged. The order does
    not matter: what must be, is that a value which comes again has the key that it had.

    Args:
        key: returns what is the same in two values that are one (a trade's id, with its symbol where ids are a
            symbol's own), anything hashable; None: the value always passes. What it raises is the result's error.
        remember: keys, 1 or more. Of more, the one that came longest ago is forgotten, and would pass again.

    Raises:
        ConfigError: an argument is wrong.

    Lifecycle events pass, and `key` is not asked about them. It completes and errors as the source does.

    >>> import reactivex as rx
    >>> trades = rx.of({"s": "BTC", "t": 1}, {"s": "ETH", "t": 1}, {"s": "BTC", "t": 1}, {"s": "BTC", "t": 2})
    >>> _ = trades.pipe(dedupe(lambda trade: (trade["s"], trade["t"]))).subscribe(print)
    {'s': 'BTC', 't': 1}
    {'s': 'ETH', 't': 1}
    {'s': 'BTC', 't': 2}
    """
    function("key", key, "a value")
    whole("remember", remember)

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            running = SingleAssignmentDisposable()
            passed: OrderedDict[Hashable, None] = OrderedDict()

            def is_new(value: T) -> bool:
                found = key(value)
                if found is None:
                    return True
                if found in passed:
                    passed.move_to_end(found)
                    return False
                passed[found] = None
                if len(passed) > remember:
                    passed.popitem(last=False)
                return True

            def on_next(value: T) -> None:
                try:
                    passes = isinstance(value, Event) or is_new(value)
                except Exception as error:
                    running.dispose()
                    observer.on_error(error)
                    return
                if passes:
                    observer.on_next(value)

            running.disposable = source.subscribe(
                on_next, observer.on_error, observer.on_completed, scheduler=scheduler
            )
            return running

        return Observable(subscribe)

    return operator
