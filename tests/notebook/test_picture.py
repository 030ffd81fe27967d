"""Pictures show what there is, in the browser's colours, small and readable."""

from __future__ import annotations

import io
import math
from collections import Counter
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rxws.live import Chart, Mark, Report, Table
from rxws.notebook.canvas import (
    BACK,
    BANDS,
    DOWN,
    EDGE,
    FAINT,
    GRID,
    LINES,
    LOST,
    PLANNED,
    TEXT,
    UP,
    Box,
    Canvas,
    Colour,
    _font,
    blend,
)
from rxws.notebook.heading import PAD
from rxws.notebook.picture import HEIGHT, WIDTH, chart_picture
from rxws.notebook.spans import number_text
from rxws.notebook.table_picture import table_picture

MINUTE = 60_000_000_000
NOW = 1_764_145_200 * 1_000_000_000
STOPPED = Report("stopped", "stopped")


def walk(count: int, lines: tuple[str, ...] = (), interval_ns: int = MINUTE) -> Chart:
    """Candles and lines that wander by chance, always the same way."""
    random = Random(7)
    chart = Chart(lines, max_candles=500)
    price = 65_000.0
    for index in range(count):
        opened, price = price, price + random.gauss(0, 30)
        kline = {
            "t": (NOW + index * interval_ns) // 1_000_000,
            "o": opened,
            "h": max(opened, price) + abs(random.gauss(0, 20)),
            "l": min(opened, price) - abs(random.gauss(0, 20)),
            "c": price,
            "v": random.random(),
            "s": "BTCUSDT",
            "i": "1m",
        }
        chart.take_candle({"k": kline}, 0)
        for name in lines:
            value = price * 1.001 if name == "mean" else math.sin(index / 9) + random.gauss(0, 0.2)
            chart.taker(name)(value, NOW + index * interval_ns)
    return chart


def colours(canvas: Canvas) -> Counter[Colour]:
    """How many pixels there are of each colour in the file."""
    image = Image.open(io.BytesIO(canvas.png())).convert("RGB")
    found = image.getcolors(1 << 20)
    assert found is not None
    return Counter({colour: count for count, colour in found})


def assert_apart(labels: list[Box], canvas: Canvas) -> None:
    """No two texts overlap, and all are inside."""
    for one, other in combinations(labels, 2):
        is_apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert is_apart, (one, other)
    for left, top, right, bottom in labels:
        assert 0 <= left and right <= canvas.width and 0 <= top and bottom <= canvas.height


def test_a_chart_has_both_colours_and_its_lines() -> None:
    """Rising and falling candles, a line on their axis and one on its own, on white."""
    found = colours(chart_picture(walk(300, ("mean", "spread")), STOPPED, 300))
    assert found[UP] > 3_000 and found[DOWN] > 3_000
    assert found[LINES[0]] > 500 and found[LINES[1]] > 500
    assert found.most_common(1)[0][0] == BACK
    assert len(found) <= 128


def test_a_picture_is_small() -> None:
    """Three of them, in base64, have room in a notebook of 60 kB; the richest still has 40 kB for itself."""
    rich = walk(500, ("mean", "spread", "third"))
    for index in range(3_000):
        rich.taker("third")(math.sin(index), NOW + index * MINUTE // 6)
    assert len(chart_picture(rich, STOPPED, 9_999).png()) < 40_000
    assert len(chart_picture(walk(40), STOPPED, 40).png()) < 14_000


def test_a_picture_is_drawn_at_twice_its_size() -> None:
    """So that it is sharp on a screen with as many pixels."""
    image = Image.open(io.BytesIO(chart_picture(walk(40), STOPPED, 40).png()))
    assert image.size == (WIDTH * 2, HEIGHT * 2)
    assert image.mode == "P"


@settings(max_examples=60)
@given(
    st.integers(0, 120),
    st.sampled_from([1_000_000, 1_000_000_000, MINUTE, 60 * MINUTE, 24 * 60 * MINUTE]),
    st.lists(st.sampled_from(["mean", "spread", "a line with a name that is longer than most"]), unique=True),
    st.text(max_size=60),
)
def test_labels_never_overlap(count: int, interval_ns: int, lines: list[str], words: str) -> None:
    """Neither those of the axes, nor the legend's, nor the bar's, whatever is shown."""
    chart = walk(count, tuple(lines), interval_ns)
    chart.mark(Mark("", "lost", NOW + count // 3 * interval_ns, NOW + count // 2 * interval_ns, "lost: cut off"))
    chart.mark(Mark("", "planned", NOW + count // 2 * interval_ns, None, "left by plan (scheduled)"))
    canvas = chart_picture(chart, Report("error", f"ValueError: {words}"), 1_234_567)
    assert_apart(canvas.labels, canvas)


@pytest.mark.parametrize(("kind", "colour"), [("lost", LOST), ("planned", PLANNED)])
def test_a_loss_is_marked(kind: str, colour: Colour) -> None:
    """A band over the stretch, in the colour of its kind; without a loss there is none."""
    chart = walk(60)
    band = BANDS[colour]
    assert colours(chart_picture(chart, STOPPED, 60))[band] < 1_000  # of letters
    chart.mark(Mark("", kind, NOW + 30 * MINUTE, NOW + 40 * MINUTE, "why"))  # type: ignore[arg-type]  # of two
    assert colours(chart_picture(chart, STOPPED, 60))[band] > 10_000


def test_a_line_is_broken_where_there_is_none() -> None:
    """Nothing is drawn between the two halves."""
    whole, broken = Chart(["line"]), Chart(["line"])
    for index in range(100):
        whole.taker("line")(1.0, NOW + index * MINUTE)
        broken.taker("line")(None if 30 <= index < 70 else 1.0, NOW + index * MINUTE)
    shown = [colours(chart_picture(chart, STOPPED, 1))[LINES[0]] for chart in (whole, broken)]
    assert shown[1] < shown[0] * 0.7


def test_what_is_older_than_the_span_leaves_no_trace() -> None:
    """A line that comes in from the left crosses the edge where it would, not at its last value before."""
    chart = Chart(["line"], window=60.0)
    for index in range(200):
        chart.taker("line")(float(index), NOW + index * 1_000_000_000)
    image = Image.open(io.BytesIO(chart_picture(chart, STOPPED, 1).png())).convert("RGB")
    drawn = [x for x in range(image.width) for y in range(100, 600) if image.getpixel((x, y)) == LINES[0]]
    per_column = Counter(drawn)
    assert max(per_column.values()) < 20


def test_a_candle_that_is_cut_by_the_edge_leaves_nothing_outside() -> None:
    """Where less than half of it is inside, its wick is not."""
    seconds = [0.0, 1.0, *(2.0 + 1.13 * index for index in range(40))]
    chart = Chart(max_candles=99)
    for at in seconds:
        chart.take_candle({"k": {"t": at * 1000, "o": 1.0, "h": 4.0, "l": 1.0, "c": 2.0}}, 0)
    for _ in range(20):  # each candle moves the edge a bit
        at += 1.01
        chart.take_candle({"k": {"t": at * 1000, "o": 1.0, "h": 4.0, "l": 1.0, "c": 2.0}}, 0)
        image = Image.open(io.BytesIO(chart_picture(chart, STOPPED, 1).png())).convert("RGB")
        outside = [image.getpixel((x, y)) for x in range(4, 2 * int(PAD)) for y in range(100, 600)]
        assert UP not in outside


def test_what_a_line_has_not_is_a_sign_that_there_is() -> None:
    """The letters that Pillow brings are few; one that they lack is drawn as a box."""
    missing = _font(11.0).getmask("\ufffe")
    for text in (number_text(None), *"·…()0123456789"):
        assert bytes(_font(11.0).getmask(text)) != bytes(missing), text


def test_an_error_is_readable() -> None:
    """What has no room in the bar has lines of its own, in red."""
    short = colours(chart_picture(walk(9), Report("error", "no"), 1))[DOWN]
    words = "WrongShape: k (the kline) is missing in {'e': 'trade'}; " * 4
    canvas = chart_picture(walk(9), Report("error", words), 1)
    assert_apart(canvas.labels, canvas)
    assert colours(canvas)[DOWN] > short + 1_000


def test_nothing_is_a_picture_too() -> None:
    """A chart that has heard nothing yet says so."""
    for chart in (Chart(max_candles=9), Chart(["line"])):
        canvas = chart_picture(chart, Report("connecting", "connecting"), 0)
        assert_apart(canvas.labels, canvas)
        assert len(canvas.png()) < 10_000


def test_one_value_is_enough() -> None:
    """One candle whose prices are all alike, one point, and a price of zero."""
    chart = Chart(["line"], max_candles=9)
    chart.take_candle({"k": {"t": 0, "o": 0, "h": 0, "l": 0, "c": 0}}, 0)
    chart.taker("line")(0, 0)
    canvas = chart_picture(chart, STOPPED, 2)
    assert_apart(canvas.labels, canvas)
    assert colours(canvas)[UP] > 10


def test_a_table_shows_its_first_rows() -> None:
    """And says how many more there are; numbers are flush right, and what is too long ends in dots."""
    table = Table("symbol", max_rows=100, title="Prices")
    for index in range(40):
        table.take({"symbol": f"S{index}", "price": "1.50", "note": "long " * 30, "other": 1}, 0)
    canvas = table_picture(table, STOPPED, 40)
    assert_apart(canvas.labels, canvas)
    assert canvas.height < 400
    assert len(canvas.png()) < 40_000


def test_a_table_has_no_room_for_all_columns() -> None:
    """Those that have none are left out."""
    table = Table()
    table.take({f"column {index}": "x" * 9 for index in range(30)}, 0)
    canvas = table_picture(table, STOPPED, 1)
    assert_apart(canvas.labels, canvas)


def test_an_empty_table_is_a_picture_too() -> None:
    """Its bar says how it is."""
    canvas = table_picture(Table(), Report("error", "long words " * 20), 0)
    assert_apart(canvas.labels, canvas)


def test_no_colour_is_taken_for_another() -> None:
    """What is painted is what is in the file, though it has few colours."""
    painted = [BACK, EDGE, GRID, TEXT, FAINT, UP, DOWN, *LINES, *BANDS.values()]
    painted += [blend(colour, 0.25) for colour in (UP, DOWN)] + [blend(colour, 0.85) for colour in (LOST, PLANNED)]
    canvas = Canvas(100, 100)
    for index, colour in enumerate(painted):
        canvas.box(10, 10 + 3 * index, 90, 13 + 3 * index, colour)
    assert set(painted) <= set(colours(canvas))
