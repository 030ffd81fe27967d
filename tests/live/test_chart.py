from __future__ import annotations

from decimal import Decimal
from math import inf, nan

import pytest

from rxws.errors import WrongShape
from rxws.live.chart import Chart
from rxws.live.streams import Mark
from rxws.market import Candle

SECOND = 1_000_000_000


def kline(symbol: str = "BTCUSDT", interval: str = "1m", opened: int = 60_000, low: float = 90.0) -> dict[str, object]:
    """A kline of Binance."""
    k = {"t": opened, "s": symbol, "i": interval, "o": "100", "h": "110", "l": str(low), "c": "105", "v": "1"}
    return {"e": "kline", "k": k}


def test_the_title_is_the_market_unless_one_is_given() -> None:
    """Known with the first candle."""
    chart, named = Chart(max_candles=9), Chart(max_candles=9, title="mine")
    assert chart.title == ""
    for each in (chart, named):
        each.take_candle(kline(), 0)
    assert (chart.title, named.title) == ("BTCUSDT 1m", "mine")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (kline("ETHUSDT"), "the symbol 'ETHUSDT' is not the 'BTCUSDT' of this chart"),
        (kline(interval="5m"), "the interval '5m' is not the '1m' of this chart"),
    ],
)
def test_candles_of_two_markets_do_not_go_into_one_chart(other: object, words: str) -> None:
    """They would draw nonsense; it says which, and what to do."""
    chart = Chart(max_candles=9)
    chart.take_candle(kline(), 0)
    with pytest.raises(WrongShape, match=words) as raised:
        chart.take_candle(other, 0)
    assert "match" in str(raised.value)


@pytest.mark.parametrize(
    ("first", "axis"),
    [(100.0, "price"), (45.0, "price"), (220.0, "price"), (44.9, "own"), (221.0, "own"), (0.5, "own")],
)
def test_a_line_goes_where_its_first_number_belongs(first: float, axis: str) -> None:
    """A moving average among the candles, a spread on an axis of its own; and it stays there."""
    chart = Chart(["line"], max_candles=9)
    chart.take_candle(kline(), 0)
    take = chart.taker("line")
    take(None, 0)
    assert chart.axes == {}
    for value in (first, 100.0, 0.5):
        take(value, 0)
    assert chart.axes == {"line": axis}


def test_a_chart_of_lines_has_one_axis() -> None:
    """There is no price to be near to."""
    chart = Chart(["line"])
    chart.taker("line")(100.0, 0)
    assert chart.axes == {"line": "own"}


@pytest.mark.parametrize(
    ("value", "point"),
    [
        (1, (7, 1.0)),
        (Decimal("1.5"), (7, 1.5)),
        ("0.25", (7, 0.25)),
        (None, (7, None)),
        (nan, (7, None)),
        (inf, (7, None)),
        (1e308, (7, None)),
        ((60_000, 2.0), (60 * SECOND, 2.0)),
        ([60_000, None], (60 * SECOND, None)),
    ],
)
def test_a_point_is_a_number_or_a_time_and_a_number(value: object, point: tuple[int, float | None]) -> None:
    """Drawn at its arrival, or at its own time; what is no number breaks the line."""
    chart = Chart(["line"])
    chart.taker("line")(value, 7)
    assert chart.lines["line"].points() == [point]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", "the value of 'line' is no number"),
        (True, "is no number"),
        ({"p": 1}, "is no number \\(dict\\) in {'p': 1}"),
        ((1, 2, 3), "has 3 of 2 fields"),
        (("then", 2), "time is no number"),
    ],
)
def test_what_is_no_point_says_so(value: object, words: str) -> None:
    """With the line's name and the value."""
    with pytest.raises(WrongShape, match=words):
        Chart(["line"]).taker("line")(value, 7)


def test_an_outage_breaks_the_line_of_its_stream_and_no_other() -> None:
    """A line across it would say that there was something."""
    chart = Chart(["a", "b"])
    for name in ("a", "b"):
        chart.taker(name)(1.0, 1 * SECOND)
    began = Mark("a", "lost", 2 * SECOND, None, "lost")
    chart.mark(began)
    ended = Mark("a", "lost", 2 * SECOND, 3 * SECOND, "lost")
    chart.mark(ended)
    assert list(chart.marks) == [ended]
    assert chart.lines["a"].points()[-1] == (1 * SECOND + 1, None)
    assert chart.lines["b"].last() == 1.0


def test_marks_are_bounded_and_late_ones_counted() -> None:
    """The newest are kept; what came too late for a bounded chart is counted."""
    chart = Chart(["a"], max_candles=1, window=1.0)
    for second in range(1_000):
        chart.mark(Mark("x", "lost", second * SECOND, None, "lost"))
    assert len(chart.marks) == 200
    assert chart.marks[-1].from_ns == 999 * SECOND
    chart.take_candle(kline(opened=120_000), 0)
    chart.take_candle(kline(opened=60_000), 0)
    chart.taker("a")(1.0, 100 * SECOND)
    chart.taker("a")(1.0, 1 * SECOND)
    assert chart.dropped == 2


def test_a_line_that_comes_before_the_first_candle_waits_for_it() -> None:
    """Where it belongs, nobody knows before there is a price."""
    chart = Chart(["line"], max_candles=9)
    take = chart.taker("line")
    take(100.0, 0)
    assert chart.axes == {}
    chart.take_candle(kline(), 0)
    take(101.0, 1)
    assert chart.axes == {"line": "price"}


def test_an_outage_leaves_a_line_of_another_time_as_it_is() -> None:
    """A replay of last month is cut behind its newest point, not at today's time, which would push all of it out."""
    chart = Chart(["a"], window=60.0)
    take = chart.taker("a")
    for second in range(10):
        take((second * 1_000, second), 10**9 * SECOND)
    chart.mark(Mark("a", "lost", 10**9 * SECOND, None, "lost"))
    take((10_000, 10.0), 10**9 * SECOND)
    heights = [height for _, height in chart.lines["a"].points()]
    assert heights == [*range(10), None, 10.0]
    assert chart.dropped == 0


def test_candles_of_two_venues_do_not_go_into_one_chart() -> None:
    """They would overwrite one another, minute by minute."""
    chart = Chart(max_candles=9)

    def make(venue: str) -> Candle:
        one = Decimal(1)
        prices = {"open": one, "high": one, "low": one, "close": one, "volume": one}
        times = {"open_ns": SECOND, "close_ns": 2 * SECOND, "time_ns": SECOND, "arrival_ns": SECOND}
        return Candle(venue=venue, symbol="A", interval="1m", closed=None, **prices, **times)

    chart.take_candle(make("one"), 0)
    with pytest.raises(WrongShape, match="the venue 'other' is not the 'one' of this chart"):
        chart.take_candle(make("other"), 0)


def test_a_number_beyond_floats_names_itself() -> None:
    """Not an OverflowError from somewhere."""
    with pytest.raises(WrongShape, match="is no number"):
        Chart(["line"]).taker("line")(10**400, 0)
