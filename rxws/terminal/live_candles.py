"""Candles that move, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable
from rich.console import Console

from rxws.live import CandleOf
from rxws.live.feeds import candle_feeds
from rxws.terminal.views import LiveChart

__all__ = ["live_candles"]


def live_candles(
    klines: Observable[Any],  # Any: whatever the user's stream emits
    *,
    lines: Mapping[str, Observable[Any]] | None = None,
    candle: CandleOf[Any] | None = None,
    title: str | None = None,
    max_candles: int = 500,
    max_points: int = 4_000,
    fps: float = 10.0,
    height: int | None = None,
    console: Console | None = None,
) -> LiveChart:
    """Show a stream of candles, and lines beside them: ``live_candles(klines).run()``.

    It is described here; ``run()`` shows it in a script, ``await chart.wait(30)`` or ``with`` in async code. The newest
    candles are drawn, a column or more each, with the newest prices above and at the right, and the time below in UTC.
    Stretches without a connection are shaded: those that were lost red, those that were planned blue. It completes when
    all its streams have, and an error of one of them ends it; both stand in its bar, and so does what a function of
    yours raises, which `run` raises too. What is printed meanwhile scrolls by above.

    Where the output is no terminal (a pipe, a file, CI) it tells the newest values in a line instead, once a second at
    most, without colours.

    Args:
        klines: Binance's klines, dicts or typed, or `market.Candle`, or with `candle=` anything else. A candle that
            has been there before replaces the older one.
        lines: names and streams. Their values are numbers, drawn where they arrive, or pairs (time, number); None and
            NaN are gaps. A line whose first number is near the candles' prices shares their axis, others stand below
            on axes of their own. None: no lines.
        candle: makes a `market.Candle` of a value, or a tuple (opened, open, high, low, close) with or without a
            volume behind; opened is an aware datetime, or ns, µs or ms since the epoch. None: the values are candles.
        title: None: the symbol and the interval, where the candles tell them.
        max_candles: how many candles are kept, 1 or more.
        max_points: how many points a line keeps, 10 or more; of more, it keeps those that a picture shows.
        fps: how often it is drawn at most, times a second, 1 to 60; where nothing comes, never.
        height: rows, 1 or more; None: as many as the terminal has, but for one.
        console: where; None: the standard output.

    Raises:
        ConfigError: an argument is wrong.

    >>> import reactivex as rx
    >>> klines = [{"e": "kline", "k": {"s": "BTCUSDT", "i": "1m", "t": 0, "o": 9, "h": 12, "l": 8, "c": 11, "v": 5}}]
    >>> chart = live_candles(rx.from_iterable(klines))
    >>> chart.run()
    20...Z  BTCUSDT 1m  open 9  high 12  low 8  close 11  volume 5  completed
    >>> chart.status, chart.events_in
    ('completed', 1)
    """
    chart, feeds = candle_feeds(klines, lines, candle, title, max_candles, max_points)
    return LiveChart(feeds, chart, fps=fps, console=console, height=height)
