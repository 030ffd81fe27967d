"""Tell where messages are missing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar

from reactivex import Observable, abc

from rxws.arguments import function
from rxws.errors import ConfigError
from rxws.events import Gap
from rxws.gaps import State, Step
from rxws.operators._numbering import Numbering
from rxws.operators._topics import market_topic

__all__ = ["detect_gaps"]

T = TypeVar("T")


def detect_gaps(
    rule: Callable[[State | None, Any], Step],  # Any: what the stream brings; it is not asked about lifecycle events
    key: Callable[[Any], Hashable] | None = None,
    *,
    duplicates: Literal["pass", "drop"] = "pass",
    per_connection: bool = False,
) -> Callable[[Observable[T]], Observable[T | Gap]]:
    """Emit a `Gap` before each value that others are missing before, by the numbers that the venue puts on them.

    ::

        source    ──a1──b1──a2──b4──────────a2──────────a3──
        result    ──a1──b1──a2──Gap(b,1,4)──b4──────a2──a3──      the second a2 not with duplicates="drop"

    Each topic is judged by itself, by the rules of `rxws.gaps`: `links` for books, `consecutive` for trades, as a
    venue's `BOOK_RULE` and `TRADE_RULE` say, or one of your own, a pure function of what is known and of the next
    value. Where a venue began to count anew as it may, or a whole book comes, that is no gap. Stand it before whatever
    drops values: `conflate`, `overflow`, a filter.

    Args:
        rule: called with the `State` of the topic, None at first, and a value; what it returns is known next.
        key: returns the topic of a value, anything hashable; None: the value passes, and is not judged. Without it what
            happens in markets (`market.MarketEvent`) is of venue, kind and symbol, the snapshot of a book and its
            deltas being of one kind, and all else passes.
        duplicates: what becomes of a value of which nothing is new: it passes, or not.
        per_connection: whether the venue counts a connection's messages (Coinbase): what is known is forgotten when a
            `Closed` passes that leaves no connection, or a `Rotated`. It takes a stream with lifecycle events.

    Raises:
        ConfigError: an argument is wrong.

    The `Gap` names the topic as text, a tuple's parts joined by colons ("binance:book:BTCUSDT"), `last` and `next`.
    Generation, origin and state are those of the latest lifecycle event that has passed; before any, 0 and the value's
    venue. Lifecycle events pass. What `rule` or `key` raise is the result's error. It completes and errors as the
    source does. Of more than 65,536 topics, the one that was silent longest is forgotten.

    >>> import reactivex as rx
    >>> from decimal import Decimal
    >>> from rxws.gaps import consecutive
    >>> from rxws.market import Trade
    >>> def trade(number):
    ...     return Trade(venue="v", symbol="BTC", price=Decimal(1), size=Decimal(1), side=None, id="", time_ns=0,
    ...                  sequence=number)
    >>> marked = rx.of(trade(7), trade(8), trade(11)).pipe(detect_gaps(consecutive))
    >>> _ = marked.subscribe(lambda each: print(each.sequence if isinstance(each, Trade) else each.topic))
    7
    8
    v:trade:BTC
    11
    """
    function("rule", rule, "a State or None, and a value")
    if key is not None:
        function("key", key, "a value")
    if duplicates not in ("pass", "drop"):
        raise ConfigError("duplicates", f'{duplicates!r} is unknown; take "pass" or "drop"')
    topic: Callable[[Any], Hashable] = market_topic if key is None else key

    def operator(source: Observable[T]) -> Observable[T | Gap]:
        def subscribe(
            observer: abc.ObserverBase[T | Gap], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            numbering: Numbering[T] = Numbering(observer, rule, topic, duplicates == "drop", per_connection, scheduler)
            numbering.running.disposable = source.subscribe(
                numbering.on_next, observer.on_error, observer.on_completed, scheduler=scheduler
            )
            return numbering.running

        return Observable(subscribe)

    return operator
