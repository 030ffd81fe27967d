from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.live import Chart, Mark
from rxws.terminal.colours import FALLING, LINES, LOST, PLANNED, RISING
from rxws.terminal.picture import chart_rows
from rxws.terminal.rows import cells
from tests.terminal.charts import FIRST_MS, Prices, chart_of, styles_of, texts

FIRST_NS, MINUTE_NS = FIRST_MS * 10**6, 60 * 10**9
BODY, WICK = "█▀▄", "│╵╷"
prices = st.floats(-1e6, 1e6) | st.floats(allow_nan=False, allow_infinity=False)
candles = st.lists(st.tuples(prices, prices, prices, prices), max_size=40)
points = st.lists(st.tuples(st.integers(0, 4_000_000), st.none() | st.floats()), max_size=30)
marks = st.lists(st.tuples(st.integers(0, 10**13), st.none() | st.integers(0, 10**13), st.booleans()), max_size=4)


def honest(count: int) -> list[Prices]:
    """Candles that go up and down, the high above all and the low below all."""
    found, price = [], 100.0
    for at in range(count):
        close = price + ((at * 7919) % 13 - 6) / 4
        found.append((price, max(price, close) + at % 3, min(price, close) - at % 2, close))
        price = close
    return found


@given(candles, points, points, marks, st.integers(1, 130), st.integers(0, 45), st.booleans())
def test_every_row_fits_and_nothing_raises(
    some: list[Prices],
    first: list[tuple[int, float | None]],
    second: list[tuple[int, float | None]],
    stretches: list[tuple[int, int | None, bool]],
    width: int,
    height: int,
    coloured: bool,
) -> None:
    """Whatever the size, and whatever the numbers."""
    for chart in (chart_of(some, ("a", "日本")), Chart(("a", "日本"), window=60.0)):
        for name, values in (("a", first), ("日本", second)):
            for value in values:
                chart.taker(name)(value, 0)
        for begin, end, lost in stretches:
            chart.mark(Mark("a", "lost" if lost else "planned", begin, end, "gone"))
        rows = chart_rows(chart, width, height, now_ns=10**13, coloured=coloured)
        assert len(rows) == height
        assert {cells(row) for row in rows} <= {width}


@given(st.integers(1, 60), st.integers(20, 100), st.integers(6, 30))
def test_the_highest_wick_is_at_the_top_and_the_lowest_at_the_bottom(count: int, width: int, height: int) -> None:
    """Of the candles that are in sight."""
    rows = texts(chart_rows(chart_of(honest(count)), width, height))
    plot = [row[: rows[-2].index("┘")] for row in (rows[1:-2] if height >= 8 else rows[:-2])]
    assert set(plot[0]) & set(BODY + WICK)
    assert set(plot[-1]) & set(BODY + WICK)
    assert len(plot) == height - (3 if height >= 8 else 2)


@pytest.mark.parametrize(("close", "style"), [(2.0, RISING), (1.0, RISING), (0.5, FALLING)])
def test_a_candle_has_its_colour(close: float, style: object) -> None:
    """A body, and a wick; one that ends where it began does not fall."""
    rows = chart_rows(chart_of([(1.0, 3.0, 0.0, close)]), 30, 12)[1:]
    assert styles_of(rows, BODY) == {str(style)}
    assert styles_of([row[:1] for row in rows], WICK) <= {str(style)}


def test_without_colours_bodies_tell_what_falls() -> None:
    """As where NO_COLOR is set."""
    chart = chart_of([(1.0, 2.0, 1.0, 2.0), (2.0, 2.0, 1.0, 1.0)])
    coloured = "".join(texts(chart_rows(chart, 30, 7)))
    plain = "".join(texts(chart_rows(chart, 30, 7, coloured=False)))
    assert "█" in coloured and "▒" not in coloured
    assert plain.count("▒") == plain.count("█") == 15


def test_bodies_are_precise_to_half_a_row() -> None:
    """A wick that goes on beside a half row takes all of it, or it would hang in the air."""
    chart = chart_of(
        [(0.0, 7.0, 0.0, 7.0), (1.0, 6.0, 1.0, 6.0), (1.0, 7.0, 0.0, 6.0), (3.0, 3.0, 3.0, 3.0), (1.0, 7.0, 1.0, 4.0)]
    )
    assert [row[:19].rstrip() for row in texts(chart_rows(chart, 30, 6))[:4]] == [
        "███ ▄▄▄ ▄▄▄      │",
        "███ ███ ███     ███",
        "███ ███ ███ ▀▀▀ ███",
        "███ ▀▀▀ ▀▀▀     ▀▀▀",
    ]


def test_the_newest_candles_are_shown_and_the_last_price_is_marked() -> None:
    """Where there is not room for all."""
    rows = chart_rows(chart_of([(float(at), at + 1.0, float(at), at + 1.0) for at in range(300)]), 40, 20)
    (marked,) = [part for row in rows for part in row if part.style is not None and part.style.reverse]
    assert marked.text.strip() == "300"
    assert str(marked.style) == str(RISING + marked.style)
    assert texts(rows)[-1].split() == ["04:30", "04:40", "04:50", "UTC"]


def test_an_outage_is_shaded_and_marked_on_the_axis() -> None:
    """From its beginning to its end, one that goes on until now; what was lost red, what was planned blue."""
    chart = chart_of([(1.0, 2.0, 1.0, 2.0)] * 20)
    for kind, first, last in (("lost", 3, 6), ("planned", 10, 12)):
        chart.mark(Mark("", kind, FIRST_NS + first * MINUTE_NS, FIRST_NS + last * MINUTE_NS, "gone"))  # type: ignore[arg-type]
    chart.mark(Mark("", "lost", FIRST_NS + 19 * MINUTE_NS + 1, None, "gone"))
    rows = chart_rows(chart, 50, 12, now_ns=FIRST_NS + 21 * MINUTE_NS)
    rule = rows[-2]
    assert [(len(part.text), str(part.style)) for part in rule if "━" in part.text] == [
        (7, str(LOST)),
        (5, str(PLANNED)),
        (5, str(LOST)),
    ]
    assert styles_of(rows, "░") == {str(LOST), str(PLANNED)}


def test_an_outage_shorter_than_a_column_hides_nothing() -> None:
    """It stands on the axis only."""
    chart = chart_of([(1.0, 4.0, 1.0, 2.0)] * 5)
    chart.mark(Mark("", "lost", FIRST_NS + 2 * MINUTE_NS, FIRST_NS + 2 * MINUTE_NS + 5 * 10**9, "gone"))
    told = texts(chart_rows(chart, 50, 12))
    assert told[-2].count("━") == 1
    assert "░" not in "".join(told)


def test_lines_of_their_own_stand_below_and_those_near_the_price_among_the_candles() -> None:
    """Each in its colour, and told in the legend with its last value."""
    chart = chart_of(honest(20), ("average", "spread"))
    for at in range(20):
        chart.taker("average")((FIRST_MS + at * 60_000, 101.0), 0)
        chart.taker("spread")((FIRST_MS + at * 60_000, at / 10), 0)
    rows = chart_rows(chart, 80, 24)
    told = texts(rows)
    border = next(at for at, row in enumerate(told) if row.endswith("┤") or "─┤" in row)
    assert "━ average 101  ━ spread 1.9" in told[0]
    assert str(LINES[0]) in styles_of(rows[1:border], "⠀⠤⠒⣀⠉⣤⠶⠛⡠⠔⢄⠢")
    dotted = {
        str(part.style) for row in rows[border + 1 : -2] for part in row if any("⠀" < c <= "⣿" for c in part.text)
    }
    assert dotted == {str(LINES[1])}


def test_a_line_is_broken_where_there_is_no_value() -> None:
    """No dots stand in the gap."""
    chart = Chart(("a",))
    for second, value in enumerate([1.0, 2.0, 1.0, None, None, None, 2.0, 1.0]):
        chart.taker("a")((second * 1_000, value), 0)
    rows = texts(chart_rows(chart, 90, 6))[:4]
    dotted = [any("⠀" < row[x] <= "⣿" for row in rows) for x in range(80)]
    runs = [(is_there, len(list(run))) for is_there, run in itertools.groupby(dotted)]
    assert [is_there for is_there, _ in runs] == [True, False, True]
    assert min(length for _, length in runs) > 5


def test_what_others_wrote_does_not_steer_the_terminal() -> None:
    """Neither a symbol nor the name of a line."""
    chart = chart_of([(1.0, 2.0, 1.0, 2.0)], ("\x1b[2J",))
    assert all(text.isprintable() for text in texts(chart_rows(chart, 80, 12)))


def test_a_chart_without_values_is_drawn() -> None:
    """It is empty."""
    assert {text.strip("─ ") for text in texts(chart_rows(Chart(max_candles=5), 20, 9))} == {""}
    assert chart_rows(Chart(("a",)), 20, 0) == []


def test_candles_that_cannot_be_drawn_are_left_out() -> None:
    """They are larger than a difference of two can be."""
    chart = chart_of([(1.0, 2.0, 1.0, 2.0), (1e301, 1e301, -1e301, 1e301), (1.0, 2.0, 1.0, 2.0)])
    assert "".join(texts(chart_rows(chart, 30, 6))).count("█") == 2 * 3 * 4


@pytest.mark.parametrize("width", range(12, 80))
def test_no_number_of_the_legend_is_cut(width: int) -> None:
    """What has no room is left out, but for the name of the first line that has none."""
    chart = Chart(["average of many"], max_candles=9, candle=lambda value: value)
    chart.take_candle((FIRST_MS, "64012.34", "64020.5", "64001.25", "64015.75"), 0)
    chart.taker("average of many")((FIRST_MS, 64_010.123), 0)
    legend = texts(chart_rows(chart, width, 12))[0]
    found = [word for word in legend.split() if word[:1].isdigit()]
    whole = ["64,012.34", "64,020.50", "64,001.25", "64,015.75", "64,010.123"]
    assert found == whole[: len(found)]
