"""Say of candles that they are closed, where the venue does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable, abc

from rxws.arguments import function, zero_or_more
from rxws.market import Candle
from rxws.operators._closing import Closing
from rxws.operators._turns import leaving
from rxws.scheduler import given

__all__ = ["close_candles"]

T = TypeVar("T")


def close_candles(
    grace: float | None = 2.0, *, late: Callable[[Candle], object] | None = None
) -> Callable[[Observable[T]], Observable[T]]:
    """Close candles (`market.Candle`) whose venue has no flag for it: Deribit, Coinbase, Hyperliquid.

    ::

        source    ──a──────a'────────────b───────────────      closed=None
        result    ──a──────a'──────────A─b──────────────B      a, a', b: closed=False; A, B: closed=True
        time        ├── interval ──┤grace├── interval ──┤grace

    A candle passes with ``closed=False`` as it grows. Its last state comes once more, with ``closed=True``, when the
    first candle of a later interval of the same venue, symbol and interval arrives, before that one; or `grace` seconds
    after its end, because without a trade nothing may follow for long. Where the loop was busy then, what had arrived
    is read first. A candle that says of itself whether it is closed passes as it is.

    **A closed candle stays closed.** What still comes for it, or for an earlier one, does not pass; `late` hears of it.

    **A lost connection closes nothing.** What happened while there was none is unknown, until the candle comes again:
    venues send the whole of it each time. So a candle that grows when a `Closed` passes waits for that; if the first
    that comes is one of a later interval, its last known state is emitted with ``closed=None``: it is over, and nobody
    knows whether it was whole. `closed_kline` does not pass it, and you may fetch it by HTTP. Intervals that were over
    before the connection came back are not there at all. Only a stream with lifecycle events (``lifecycle=True``) can
    be judged so: without them every candle is closed as if it were whole.

    Args:
        grace: seconds after a candle's end, 0 or more, by the scheduler's wall clock; None: for ever, so that only the
            next candle closes it.
        late: told of each candle that came too late; what it raises is the result's error. None: the log has it, once a
            minute.

    Raises:
        ConfigError: an argument is wrong.

    Other values, and lifecycle events, pass. It completes and errors as the source does, and closes nothing then. Of
    more than 65,536 series, the one that moved longest ago is forgotten, its growing candle emitted with
    ``closed=None``.

    >>> from decimal import Decimal
    >>> from reactivex import Subject
    >>> from reactivex.testing import TestScheduler
    >>> one, virtual, source = Decimal(1), TestScheduler(), Subject()
    >>> candle = Candle(venue="deribit", symbol="BTC-PERPETUAL", interval="1", open_ns=0, close_ns=60 * 10**9, open=one,
    ...                 high=one, low=one, close=one, volume=one, closed=None, time_ns=0)
    >>> closing = source.pipe(close_candles())
    >>> _ = closing.subscribe(lambda each: print(virtual.clock, each.closed), scheduler=virtual)
    >>> virtual.advance_to(10.0)
    >>> source.on_next(candle)
    10.0 False
    >>> virtual.advance_to(100.0)
    62.0 True
    """
    zero_or_more("grace", grace, optional=True)
    if late is not None:
        function("late", late, "a candle")

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            closing = Closing(observer, grace, late, given(scheduler))
            closing.running.disposable = source.subscribe(
                leaving(closing.on_next, closing.everything),
                observer.on_error,
                observer.on_completed,
                scheduler=scheduler,
            )
            return closing.everything

        return Observable(subscribe)

    return operator
