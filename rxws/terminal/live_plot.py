"""Lines that move, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable
from rich.console import Console

from rxws.live.feeds import line_feeds
from rxws.terminal.views import LiveChart

__all__ = ["live_plot"]


def live_plot(
    streams: Mapping[str, Observable[Any]],  # Any: a number, or a pair (time, number)
    *,
    title: str | None = None,
    window: float | None = 120.0,
    max_points: int = 4_000,
    fps: float = 10.0,
    height: int | None = None,
    console: Console | None = None,
) -> LiveChart:
    """Show streams of numbers as lines over time: ``live_plot({"spread": spread}).run()``.

    It is shown, told in lines where there is no terminal, and ends as `live_candles` does.

    Args:
        streams: names and streams. Their values are numbers, drawn where they arrive, or pairs (time, number), time
            being an aware datetime, or ns, µs or ms since the epoch; None and NaN are gaps.
        title: None: none.
        window: seconds behind the newest value that are shown; None: all, ever coarser.
        max_points: how many points a line keeps, 10 or more; of more, it keeps those that a picture shows.
        fps: how often it is drawn at most, times a second, 1 to 60; where nothing comes, never.
        height: rows, 1 or more; None: as many as the terminal has, but for one.
        console: where; None: the standard output.

    Raises:
        ConfigError: an argument is wrong.

    >>> import reactivex as rx
    >>> live_plot({"spread": rx.of(1.5, 2.5)}).run()
    20...Z  spread 2.5  completed
    """
    chart, feeds = line_feeds(streams, title, window, max_points)
    return LiveChart(feeds, chart, fps=fps, console=console, height=height)
