"""Keep klines."""

from __future__ import annotations

from typing import TypeVar

from reactivex import Observable
from reactivex import operators as ops

from rxws.operators._klines import is_kline

__all__ = ["filter_kline"]

T = TypeVar("T")


def filter_kline(source: Observable[T]) -> Observable[T]:
    """Pass on the klines: candlesticks as Binance sends them, and `market.Candle`.

    ::

        source    ──trade──kline──{data: kline}──
        result    ─────────kline──{data: kline}──

    It is an operator itself, and takes no call: ``ws_observable(url).pipe(filter_kline, buffer)``. It passes a dict
    with ``e == "kline"``, bare or under ``data``, an object with such an `e`, and `market.Candle`, each as it is.

    Source: Binance spot, "Kline/Candlestick Streams", read 2026-11.

    >>> import reactivex as rx
    >>> frames = rx.of({"e": "trade"}, {"e": "kline", "k": {"x": False}}, {"stream": "s", "data": {"e": "kline"}})
    >>> _ = frames.pipe(filter_kline).subscribe(print)
    {'e': 'kline', 'k': {'x': False}}
    {'stream': 's', 'data': {'e': 'kline'}}
    """
    return source.pipe(ops.filter(is_kline))
