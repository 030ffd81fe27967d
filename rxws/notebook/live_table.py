"""A table that changes, in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reactivex import Observable

from rxws.live import KeyOf
from rxws.live.feeds import row_feeds
from rxws.notebook.charts import LiveTable

__all__ = ["live_table"]


def live_table(
    stream: Observable[Any],  # Any: rows of many kinds; what is wrong with another value is told
    *,
    key: KeyOf = None,
    columns: Sequence[str] | None = None,
    title: str | None = None,
    max_rows: int = 100,
    fps: float = 20.0,
    autostop: float | None = 10.0,
) -> LiveTable:
    """Show a stream of rows as a table.

    It shows itself, and ends, as `live_candles` does.

    Args:
        stream: its values are dicts, dataclasses, Structs or NamedTuples.
        key: a column, or a function of a value: what has a key that is there already replaces that row. None: each
            value is a row of its own, the newest on top.
        columns: which columns, in their order; None: those that come.
        title: None: no title.
        max_rows: how many rows are kept, 1 or more; beyond, the one that has not changed for the longest time goes.
        fps: how often a browser is told of changes at most, times a second, 1 to 60; where nothing comes, never.
        autostop: after so many seconds in which nobody looks at it, it stops; None: never.

    Raises:
        ConfigError: an argument is wrong, or a package is missing.

    >>> import asyncio
    >>> import reactivex as rx
    >>> prices = rx.of({"symbol": "BTC", "price": 1}, {"symbol": "ETH", "price": 2}, {"symbol": "BTC", "price": 3})
    >>> async def main():
    ...     table = live_table(prices, key="symbol")
    ...     await table.wait()
    ...     return table
    >>> asyncio.run(main())
    <LiveTable 2 rows · 3 events · completed>
    """
    table, feeds = row_feeds(stream, key, columns, title, max_rows)
    return LiveTable(feeds, table, fps=fps, autostop=autostop)
