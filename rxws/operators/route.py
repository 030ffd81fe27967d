"""Hand each value of one subscription to those who want its topic."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from reactivex import Observable

from rxws.arguments import function
from rxws.operators._routes import Routes

__all__ = ["Routes", "route"]

T = TypeVar("T")


def route(key: Callable[[T], Hashable]) -> Callable[[Observable[T]], Routes[T]]:
    """Part a stream by topic: ``routes[topic]`` is an observable of its values, and all share one subscription.

    ::

        source             ──a1──b1──c1──a2──|
        routes["a"]        ──a1──────────a2──|
        routes["b"]        ──────b1──────────|
        routes.rest        ──────────c1──────|      what belongs to no topic, or to one that nobody subscribes

    A value costs one call of `key` and one look into a dict, be it one topic or ten thousand. The first subscriber of
    any topic, or of `rest`, begins the subscription of the source, the last one's leaving ends it. Nothing is replayed.
    When the source ends, all hear of it, and the next subscriber begins anew. A subscriber that raises is disposed and
    reported to the loop's exception handler, and the others go on with that very value.

    What no topic's subscriber takes goes to `rest`; while nobody subscribes that, it is passed over, as a filter would,
    and not counted. Lifecycle events belong to no topic, and `key` is not asked about them.

    Args:
        key: returns the topic of a value, anything hashable; None: the value belongs to none. Where it raises, or what
            it returns cannot be hashed, the value goes to `rest` too, and the error is reported to the loop's exception
            handler, at most once a minute.

    Raises:
        ConfigError: `key` is not callable; or, of ``routes[topic]``, the topic is None or cannot be hashed.

    >>> from reactivex import Subject
    >>> source = Subject()
    >>> routes = source.pipe(route(lambda trade: trade.get("s")))
    >>> btc = routes["BTCUSDT"].subscribe(lambda trade: print("btc", trade["p"]))
    >>> rest = routes.rest.subscribe(lambda value: print("rest", value))
    >>> for value in ({"s": "BTCUSDT", "p": 64000}, {"s": "ETHUSDT", "p": 3100}, {"result": None}):
    ...     source.on_next(value)
    btc 64000
    rest {'s': 'ETHUSDT', 'p': 3100}
    rest {'result': None}
    >>> len(source.observers), btc.dispose(), rest.dispose(), len(source.observers)
    (1, None, None, 0)
    """
    function("key", key, "a value")

    def operator(source: Observable[T]) -> Routes[T]:
        return Routes(source, key)

    return operator
