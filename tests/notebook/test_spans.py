"""Which stretch of time a picture shows."""

from __future__ import annotations

import reactivex as rx

from rxws.live import Chart
from rxws.notebook import live_plot
from rxws.notebook.spans import height_ticks, interval_of, shown_span

SECOND = 1_000_000_000
NOW = 1_783_468_800 * SECOND


def candles(*opens_ns: int) -> Chart:
    """A chart of candles that begin then, and a line."""
    chart = Chart(["line"], max_candles=500, candle=lambda at_ns: (at_ns, 1, 3, 1, 2))
    for at_ns in opens_ns:
        chart.take_candle(at_ns, 0)
    return chart


def test_two_candles_close_together_do_not_push_the_others_out() -> None:
    """Candles of five trades each begin when the first of them came; two may do so within a millisecond."""
    opens = [NOW + number * SECOND for number in range(60)]
    chart = candles(*opens, opens[-1] + SECOND // 1_000)
    assert chart.candles is not None
    assert interval_of(chart.candles.bars()) == SECOND
    span = shown_span(chart, 700.0)
    assert span is not None
    assert span[0] <= opens[0] and span[1] > opens[-1]


def test_candles_of_another_time_stay_in_sight() -> None:
    """A recording, beside a line of plain numbers that are drawn at today's time."""
    chart = candles(*(NOW - 10**6 * SECOND + number * SECOND for number in range(60)))
    chart.taker("line")(1.5, NOW)
    span = shown_span(chart, 700.0)
    assert span is not None
    assert span[0] <= NOW - 10**6 * SECOND + 40 * SECOND < span[1] < NOW


def test_a_line_goes_on_while_no_candle_comes() -> None:
    """Up to half of the picture."""
    chart = candles(*(NOW + number * SECOND for number in range(60)))
    chart.taker("line")(1.5, NOW + 80 * SECOND)
    span = shown_span(chart, 700.0)
    assert span is not None
    assert span[1] == NOW + 80 * SECOND


def test_no_room_is_no_label() -> None:
    """Where a legend has taken all of it."""
    assert height_ticks(0.0, 1.0, 0.0) == []
    assert height_ticks(5e-324, 1e-323, 300.0) == []


async def test_a_hundred_lines_make_a_picture() -> None:
    """Their legend ends after some rows."""
    chart = live_plot({f"a line with a long name {number}": rx.of(1.0, 2.0) for number in range(100)})
    await chart.wait(5)
    assert chart.status == "completed"
    assert chart.png().startswith(b"\x89PNG")
