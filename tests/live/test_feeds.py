"""What live views refuse: each wrong argument is named, and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx

from rxws.errors import ConfigError
from rxws.live.feeds import candle_feeds, check_drawing, check_height, line_feeds, row_feeds

STREAM: Any = rx.never()


def candles(klines: Any = STREAM, lines: Any = None, candle: Any = None, title: Any = None, **bounds: Any) -> Any:
    """A chart of candles."""
    return candle_feeds(klines, lines, candle, title, bounds.get("max_candles", 9), bounds.get("max_points", 99))


def lines(streams: Any = None, title: Any = None, window: Any = 9.0, max_points: Any = 99) -> Any:
    """A chart of lines."""
    return line_feeds({"a": STREAM} if streams is None else streams, title, window, max_points)


def rows(stream: Any = STREAM, key: Any = None, columns: Any = None, title: Any = None, max_rows: Any = 9) -> Any:
    """A table."""
    return row_feeds(stream, key, columns, title, max_rows)


WRONG: list[tuple[str, Callable[[], Any], str]] = [
    ("klines", lambda: candles([1]), "a list is no observable; take ws_observable"),
    ("klines", lambda: candles(None), "a NoneType is no observable"),
    ("lines", lambda: candles(lines=[STREAM]), "list is no mapping; take a dict"),
    ("lines", lambda: candles(lines={"": STREAM}), "'' is no name"),
    ("lines", lambda: candles(lines={1: STREAM}), "1 is no name"),
    ("lines", lambda: candles(lines={"candles": STREAM}), "take another name"),
    ("lines['a']", lambda: candles(lines={"a": 5}), "an int is no observable"),
    ("candle", lambda: candles(candle="c"), "'c' is not callable; take a function of a value"),
    ("title", lambda: candles(title=1), "1 is no string"),
    ("max_candles", lambda: candles(max_candles=0), "take a whole number, 1 or more"),
    ("max_points", lambda: candles(max_points=9), "too few for a line; take 10 or more"),
    ("streams", lambda: lines(streams=STREAM), "is no mapping"),
    ("streams", lambda: lines(streams={}), "it is empty"),
    ("streams['a']", lambda: lines(streams={"a": None}), "is no observable"),
    ("window", lambda: lines(window=0), "more than 0 seconds, or None"),
    ("max_points", lambda: lines(max_points=True), "True is out of range"),
    ("title", lambda: lines(title=b""), "b'' is no string"),
    ("stream", lambda: rows({}), "a dict is no observable"),
    ("key", lambda: rows(key=1), "1 is not callable; take a function of a value, or name a column"),
    ("columns", lambda: rows(columns="a"), "'a' is no list of names"),
    ("columns", lambda: rows(columns=[1]), "[1] is no list of names"),
    ("columns", lambda: rows(columns=1), "1 is no list of names"),
    ("columns", lambda: rows(columns=[]), "[] is no list of names"),
    ("title", lambda: rows(title=2), "2 is no string"),
    ("max_rows", lambda: rows(max_rows=1.5), "1.5 is out of range"),
    ("fps", lambda: check_drawing(0.5, None), "0.5 is out of range; take 1 to 60 times a second"),
    ("fps", lambda: check_drawing(61, None), "61 is out of range"),
    ("fps", lambda: check_drawing(True, None), "True is out of range"),
    ("autostop", lambda: check_drawing(20, 0), "more than 0 seconds, or None"),
    ("height", lambda: check_height(99), "99 is out of range; take 100 to 2000 pixels"),
]


@pytest.mark.parametrize(("field", "make", "words"), WRONG)
def test_a_wrong_argument_is_named(field: str, make: Callable[[], Any], words: str) -> None:
    """Before anything is subscribed."""
    with pytest.raises(ConfigError) as raised:
        make()
    assert raised.value.field == field
    assert words in str(raised.value)


def test_the_only_stream_needs_no_name() -> None:
    """A bar tells streams apart where there are several."""
    assert [feed.name for feed in candles()[1]] == [""]
    assert [feed.name for feed in candles(lines={"mean": STREAM})[1]] == ["candles", "mean"]
    assert [feed.name for feed in lines()[1]] == ["a"]
    assert [feed.name for feed in rows()[1]] == [""]
