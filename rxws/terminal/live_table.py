"""Rows that change, in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reactivex import Observable
from rich.console import Console

from rxws.live import KeyOf
from rxws.live.feeds import row_feeds
from rxws.terminal.views import LiveTable

__all__ = ["live_table"]


def live_table(
    stream: Observable[Any],  # Any: whatever has fields
    *,
    key: KeyOf = None,
    columns: Sequence[str] | None = None,
    title: str | None = None,
    max_rows: int = 100,
    fps: float = 10.0,
    height: int | None = None,
    console: Console | None = None,
) -> LiveTable:
    """Show values as rows: ``live_table(trades, key="s").run()``.

    It is shown and ends as `live_candles` does. Where the output is no terminal, the rows that have changed are told, a
    line each, once a second at most.

    Args:
        stream: dicts, dataclasses, Structs or NamedTuples.
        key: by what a value replaces a row: the name of a column, or a function of a value; None: each is a row of its
            own, and the newest is on top.
        columns: which, in their order; None: those of the values, as they come.
        title: None: none.
        max_rows: how many rows are kept, 1 or more; beyond, the one that has not changed for the longest time goes.
        fps: how often it is drawn at most, times a second, 1 to 60; where nothing comes, never.
        height: rows at most, 1 or more; None: as many as the terminal has, but for one.
        console: where; None: the standard output.

    Raises:
        ConfigError: an argument is wrong.

    >>> import reactivex as rx
    >>> live_table(rx.of({"symbol": "A", "price": 1}, {"symbol": "A", "price": 2}), key="symbol").run()
    20...Z  symbol A  price 2
    20...Z  completed
    """
    table, feeds = row_feeds(stream, key, columns, title, max_rows)
    return LiveTable(feeds, table, fps=fps, console=console, height=height)
