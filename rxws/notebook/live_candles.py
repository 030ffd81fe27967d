"""Candles that move, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable

from rxws.live import CandleOf
from rxws.live.feeds import candle_feeds
from rxws.notebook.charts import LiveChart

__all__ = ["live_candles"]


def live_candles(
    klines: Observable[Any],  # Any: whatever the user's stream emits
    *,
    lines: Mapping[str, Observable[Any]] | None = None,
    candle: CandleOf[Any] | None = None,
    title: str | None = None,
    max_candles: int = 500,
    max_points: int = 4_000,
    fps: float = 20.0,
    autostop: float | None = 10.0,
    height: int = 360,
) -> LiveChart:
    """Show a stream of candles, and lines beside them.

    It is described here; as the last expression of a cell it shows itself and subscribes, and ``await chart.wait(3)``
    shows it for three seconds. Running the cell again replaces it. It completes when all its streams have, and an error
    of one of them ends it; both stand in its bar, and so does what a function of yours raises.

    Args:
        klines: Binance's klines, dicts or typed, or `market.Candle`, or with `candle=` anything else. A candle that
            has been there before replaces the older one.
        lines: names and streams. Their values are numbers, drawn where they arrive, or pairs (time, number); None and
            NaN are gaps. A line whose first number is near the candles' prices shares their axis. None: no lines.
        candle: makes a `market.Candle` of a value, or a tuple (opened, open, high, low, close) with or without a
            volume behind; opened is an aware datetime, or ns, µs or ms since the epoch. None: the values are candles.
        title: None: the symbol and the interval, where the candles tell them.
        max_candles: how many candles are kept, 1 or more.
        max_points: how many points a line keeps, 10 or more; of more, it keeps those that a picture shows.
        fps: how often a browser is told of changes at most, times a second, 1 to 60; where nothing comes, never.
        autostop: after so many seconds in which nobody looks at it, it stops; None: never.
        height: in a browser, in pixels, 100 to 2000.

    Raises:
        ConfigError: an argument is wrong, or a package is missing.

    >>> import asyncio
    >>> import reactivex as rx
    >>> klines = [{"e": "kline", "k": {"s": "BTCUSDT", "i": "1m", "t": 0, "o": 9, "h": 12, "l": 8, "c": 11, "v": 5}}]
    >>> async def main():
    ...     chart = live_candles(rx.from_iterable(klines))
    ...     await chart.wait()
    ...     return chart
    >>> asyncio.run(main())
    <LiveChart BTCUSDT 1m · 11 · 1 event · completed>
    """
    chart, feeds = candle_feeds(klines, lines, candle, title, max_candles, max_points)
    return LiveChart(feeds, chart, fps=fps, autostop=autostop, height=height)
