"""After any values, a snapshot and the frames since then say what a new snapshot says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rxws.live import Chart, Mark, Report, Table
from rxws.notebook import wire
from tests.notebook.browser_store import BrowserStore

SECOND = 1_000_000_000
LINES = ("mean", "spread")

times = st.integers(0, 40)
numbers = st.one_of(st.none(), st.floats(-1e6, 1e6))
candles = st.tuples(st.just("candle"), times, st.floats(1, 9))
points = st.tuples(st.sampled_from(LINES), times, numbers)
dense = st.tuples(st.sampled_from(LINES), st.floats(0, 0.1), numbers)
marks = st.tuples(st.just("mark"), times, st.one_of(st.none(), st.integers(1, 9)))
frames = st.just(("frame", 0, 0))


def do(chart: Chart, kind: str, at: float, what: Any) -> None:
    """Let something happen to a chart."""
    if kind == "candle":
        chart.take_candle({"k": {"t": at * 1_000, "o": what, "h": what + 1, "l": what - 1, "c": what}}, 0)
    elif kind == "mark":
        from_ns = round(at * SECOND)
        to_ns = None if what is None else from_ns + what * SECOND
        chart.mark(Mark("mean", "lost", from_ns, to_ns, "lost: cut off"))
    else:
        chart.taker(kind)(what, round(at * SECOND))


@given(
    st.lists(st.one_of(candles, points, dense, marks, frames), max_size=120),
    st.sampled_from([None, 3.0, 1_000.0]),
)
def test_frames_make_of_a_chart_what_it_is(happened: list[tuple[str, float, Any]], window: float | None) -> None:
    """Whatever comes late, is reduced, or no longer has room."""
    chart = Chart(LINES, max_candles=5, max_points=20, window=window)
    browser, fresh = BrowserStore(), BrowserStore()
    browser.take(wire.chart_snapshot(chart, height=300))
    for kind, at, what in [*happened, ("frame", 0, 0)]:
        if kind == "frame":
            browser.take(wire.chart_frame(chart) | {"marks": wire.marks_of(chart)})
        else:
            do(chart, kind, at, what)
    fresh.take(wire.chart_snapshot(chart, height=300))
    assert browser.shown() == fresh.shown()


keys = st.one_of(st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 3), st.tuples(st.integers(0, 1)))
rows = st.tuples(st.just("row"), keys, st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3)))
wider = st.tuples(st.just("wider"), keys, st.sampled_from(["x", "y", "z"]))


@given(st.lists(st.one_of(rows, wider, frames), max_size=80), st.booleans())
def test_frames_make_of_a_table_what_it_is(happened: list[tuple[str, Any, Any]], has_key: bool) -> None:
    """Whatever row goes, and comes back, and in which order."""
    table = Table("key" if has_key else None, max_rows=4)
    browser, fresh = BrowserStore(), BrowserStore()
    browser.take(wire.table_snapshot(table))
    for kind, key, what in [*happened, ("frame", 0, 0)]:
        if kind == "frame":
            browser.take(wire.table_frame(table) | {"columns": wire.columns_of(table)})
        else:
            table.take({"key": key, what if kind == "wider" else "value": what}, 0)
    fresh.take(wire.table_snapshot(table))
    # A row that was sent before a column was there has no text for it, and shows none.
    width = len(table.columns)
    browser.rows = [[key, texts + [""] * (width - len(texts))] for key, texts in browser.rows]
    assert browser.shown() == fresh.shown()


def test_a_frame_holds_what_has_changed_and_nothing_else() -> None:
    """Of three hundred candles the last one moves, and one line."""
    chart = Chart(LINES, max_candles=500)
    for at in range(300):
        do(chart, "candle", at, 5.0)
        do(chart, "mean", at, 5.0)
    wire.chart_snapshot(chart, height=300)
    assert wire.chart_frame(chart) == {"type": "frame"}
    do(chart, "candle", 299, 6.0)
    do(chart, "spread", 299, 0.5)
    frame = wire.chart_frame(chart)
    assert [row[0] for row in frame["candles"]] == [299_000]
    assert frame["lines"] == {"spread": {"axis": "own", "from": 299_000, "points": [(299_000, 0.5)]}}


def test_an_instant_is_milliseconds() -> None:
    """Nanoseconds are too many digits for a number of JavaScript; what is less than a microsecond is gone."""
    chart = Chart(["line"])
    chart.taker("line")(1, 1_764_145_200_123_456_789)
    (line,) = wire.chart_snapshot(chart, height=300)["lines"]
    assert json.dumps(line["points"]) == "[[1764145200123.457, 1.0]]"


def test_a_bar_says_what_the_report_does() -> None:
    """Seconds to go, and how long nothing came, are rounded to what a clock shows."""
    report = Report("waiting", "reconnecting {in}", seconds=2.71828, quiet=None)
    assert wire.status_of(report, 7, 1) == {
        "state": "waiting",
        "text": "reconnecting {in}",
        "in": 2.718,
        "quiet": None,
        "events": 7,
        "dropped": 1,
    }
