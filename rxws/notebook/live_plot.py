"""Lines that move, in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable

from rxws.live.feeds import line_feeds
from rxws.notebook.charts import LiveChart

__all__ = ["live_plot"]


def live_plot(
    streams: Mapping[str, Observable[Any]],  # Any: numbers, or pairs; what is wrong with another value is told
    *,
    title: str | None = None,
    window: float | None = 120.0,
    max_points: int = 4_000,
    fps: float = 20.0,
    autostop: float | None = 10.0,
    height: int = 360,
) -> LiveChart:
    """Show streams of numbers as lines.

    It shows itself, and ends, as `live_candles` does.

    Args:
        streams: names and streams. Their values are numbers (int, float, Decimal, or a string of one), drawn where
            they arrive, or pairs (time, number), time an aware datetime, or ns, µs or ms since the epoch. None and
            NaN are gaps.
        title: None: no title.
        window: seconds behind the newest point that are shown; None: all, ever coarser.
        max_points: how many points a line keeps, 10 or more; of more, it keeps those that a picture shows.
        fps: how often a browser is told of changes at most, times a second, 1 to 60; where nothing comes, never.
        autostop: after so many seconds in which nobody looks at it, it stops; None: never.
        height: in a browser, in pixels, 100 to 2000.

    Raises:
        ConfigError: an argument is wrong, or a package is missing.

    >>> import asyncio
    >>> import reactivex as rx
    >>> async def main():
    ...     chart = live_plot({"spread": rx.of(1.5, "2.5")}, title="two venues")
    ...     await chart.wait()
    ...     return chart
    >>> asyncio.run(main())
    <LiveChart two venues · spread 2.5 · 2 events · completed>
    """
    chart, feeds = line_feeds(streams, title, window, max_points)
    return LiveChart(feeds, chart, fps=fps, autostop=autostop, height=height)
