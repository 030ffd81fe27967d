"""What live views are asked to show, checked before anything is subscribed; a notebook and a terminal share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reactivex import Observable

from rxws import arguments
from rxws.errors import ConfigError
from rxws.live.bars import CandleOf
from rxws.live.chart import Chart
from rxws.live.table import KeyOf, Table
from rxws.live.view import Feed

__all__ = [
    "candle_feeds",
    "check_drawing",
    "check_height",
    "check_points",
    "check_stream",
    "check_title",
    "line_feeds",
    "row_feeds",
]

CANDLES = "candles"
"""What a bar calls the stream of candles where there are others."""
LEAST_POINTS = 10


def candle_feeds(
    klines: Observable[Any],  # Any: whatever the user's stream emits
    lines: Mapping[str, Observable[Any]] | None,
    candle: CandleOf[Any] | None,
    title: str | None,
    max_candles: int,
    max_points: int,
) -> tuple[Chart, list[Feed]]:
    """Return a chart of candles and lines, and the streams that it takes.

    Raises:
        ConfigError: an argument is wrong; it is named.
    """
    check_stream("klines", klines)
    lines = {} if lines is None else lines
    _check_streams("lines", lines)
    if CANDLES in lines:
        raise ConfigError("lines", f"{CANDLES!r} is what the candles themselves are called; take another name")
    if candle is not None:
        arguments.function("candle", candle, "a value")
    check_title(title)
    arguments.whole("max_candles", max_candles)
    check_points(max_points)
    chart = Chart(lines, max_candles=max_candles, candle=candle, max_points=max_points, title=title)
    first = Feed(CANDLES if lines else "", klines, chart.take_candle)
    return chart, [first, *_feeds(chart, lines)]


def line_feeds(
    streams: Mapping[str, Observable[Any]],  # Any: as above
    title: str | None,
    window: float | None,
    max_points: int,
) -> tuple[Chart, list[Feed]]:
    """Return a chart of lines, and the streams that it takes.

    Raises:
        ConfigError: an argument is wrong; it is named.
    """
    _check_streams("streams", streams)
    if not streams:
        raise ConfigError("streams", "it is empty; take a dict of names and observables")
    check_title(title)
    arguments.seconds("window", window)
    check_points(max_points)
    chart = Chart(streams, max_points=max_points, window=window, title=title)
    return chart, _feeds(chart, streams)


def row_feeds(
    stream: Observable[Any],  # Any: as above
    key: KeyOf,
    columns: Sequence[str] | None,
    title: str | None,
    max_rows: int,
) -> tuple[Table, list[Feed]]:
    """Return a table, and the stream that it takes.

    Raises:
        ConfigError: an argument is wrong; it is named.
    """
    check_stream("stream", stream)
    if key is not None and not isinstance(key, str):
        arguments.function("key", key, "a value, or name a column")
    if columns is not None and not _are_names(columns):
        raise ConfigError("columns", f"{columns!r} is no list of names; take ['symbol', 'price'], or None for all")
    check_title(title)
    arguments.whole("max_rows", max_rows)
    table = Table(key, columns, max_rows, title)
    return table, [Feed("", stream, table.take)]


def check_stream(name: str, stream: object) -> None:
    """Refuse what nobody can subscribe to.

    Raises:
        ConfigError: it names `name`.

    >>> check_stream("klines", [1, 2])
    Traceback (most recent call last):
    rxws.errors.ConfigError: klines: a list is no observable; take ws_observable(…), or rx.from_iterable of values
    """
    if not isinstance(stream, Observable):
        kind = type(stream).__name__
        article = "an" if kind[0].lower() in "aeiou" else "a"
        way_out = "take ws_observable(…), or rx.from_iterable of values"
        raise ConfigError(name, f"{article} {kind} is no observable; {way_out}")


def check_drawing(fps: float, autostop: float | None) -> None:
    """Refuse a rate that no eye needs, and what is no span of time.

    Raises:
        ConfigError: it names `fps`, or `autostop`.
    """
    _between("fps", fps, 1, 60, "times a second")
    arguments.seconds("autostop", autostop)


def check_height(height: int) -> None:
    """Refuse what is no height of a chart.

    Raises:
        ConfigError: it names `height`.
    """
    _between("height", height, 100, 2_000, "pixels")


def check_title(title: object) -> None:
    """Refuse what is no title.

    Raises:
        ConfigError: it names `title`.
    """
    if title is not None and not isinstance(title, str):
        raise ConfigError("title", f"{title!r} is no string; take one, or None")


def _feeds(chart: Chart, streams: Mapping[str, Observable[Any]]) -> list[Feed]:
    return [Feed(name, stream, chart.taker(name)) for name, stream in streams.items()]


def _check_streams(argument: str, streams: object) -> None:
    if not isinstance(streams, Mapping):
        kind = type(streams).__name__
        raise ConfigError(argument, f"{kind} is no mapping; take a dict of names and observables")
    for name, stream in streams.items():
        if not isinstance(name, str) or not name:
            raise ConfigError(argument, f"{name!r} is no name; take a string that is not empty")
        check_stream(f"{argument}[{name!r}]", stream)


def check_points(max_points: int) -> None:
    """Refuse too few points for a line.

    Raises:
        ConfigError: it names `max_points`.
    """
    arguments.whole("max_points", max_points)
    if max_points < LEAST_POINTS:
        raise ConfigError("max_points", f"{max_points} is too few for a line; take {LEAST_POINTS} or more")


def _are_names(columns: object) -> bool:
    if isinstance(columns, str) or not isinstance(columns, Sequence) or not columns:
        return False
    return all(isinstance(name, str) for name in columns)


def _between(name: str, value: float, least: int, most: int, unit: str) -> None:
    if isinstance(value, bool) or not (isinstance(value, int | float) and least <= value <= most):
        raise ConfigError(name, f"{value!r} is out of range; take {least} to {most} {unit}")
