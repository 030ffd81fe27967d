"""Keep the klines whose candle is closed."""

from __future__ import annotations

from typing import TypeVar

from reactivex import Observable
from reactivex import operators as ops

from rxws.operators._klines import is_closed_kline

__all__ = ["closed_kline"]

T = TypeVar("T")


def closed_kline(source: Observable[T]) -> Observable[T]:
    """Pass on the klines that are closed for good, and not those of a candle that still grows.

    ::

        source    ──kline──kline──closed kline──
        result    ────────────────closed kline──

    It is an operator itself, and takes no call: ``ws_observable(url).pipe(closed_kline, buffer)``. It passes a dict
    with ``e == "kline"``, bare or under ``data``, an object with such an `e`, and `market.Candle`, each as it is.

    Source: Binance spot, "Kline/Candlestick Streams", read 2026-11.

    >>> import reactivex as rx
    >>> frames = rx.of({"e": "kline", "k": {"x": False}}, {"e": "kline", "k": {"x": True}})
    >>> _ = frames.pipe(closed_kline).subscribe(print)
    {'e': 'kline', 'k': {'x': True}}
    """
    return source.pipe(ops.filter(is_closed_kline))
