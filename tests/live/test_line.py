from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.live.line import Line, Point

MS = 1_000_000
SECOND = 1_000 * MS

values = st.one_of(st.none(), st.integers(-9, 9).map(float))
points = st.lists(st.tuples(st.integers(0, 3_000).map(lambda ms: ms * MS), values), max_size=120)


@given(points, st.integers(4, 60), st.one_of(st.none(), st.sampled_from([0.5, 2.0])), st.integers(1, 20))
def test_what_is_told_as_changed_makes_the_same_line(
    taken: list[Point], bound: int, window: float | None, every: int
) -> None:
    """Whoever replaces all from an instant on by what is told, and drops what is before the first, has the same."""
    line, copy = Line(bound, window), list[Point]()
    for number, point in enumerate(taken, 1):
        line.take(*point)
        if number % every and number < len(taken):
            continue
        change = line.changed()
        if change is not None:
            since, new = change
            copy = [kept for kept in copy if kept[0] < since] + new
        kept = line.points()
        copy = [each for each in copy if kept and each[0] >= kept[0][0]]
        assert copy == kept
    assert line.changed() is None


@given(points, st.integers(4, 60))
def test_it_is_bounded_in_time_order_and_keeps_the_extremes(taken: list[Point], bound: int) -> None:
    """However many points: the first and the last instant, and the highest and the lowest value, are there."""
    line = Line(bound)
    for point in taken:
        line.take(*point)
    kept = line.points()
    assert len(kept) <= bound
    assert kept == sorted(kept, key=lambda point: point[0])
    assert set(kept) <= set(taken)
    known = [value for _, value in taken if value is not None]
    if known:
        heights = [value for _, value in kept if value is not None]
        assert (min(heights), max(heights)) == (min(known), max(known))


@given(st.lists(values, max_size=30))
def test_nothing_is_reduced_while_there_is_room(heights: list[float | None]) -> None:
    """One point a millisecond, and fewer than its bound: each is there as it was."""
    line = Line(40)
    taken = [(number * MS, height) for number, height in enumerate(heights)]
    for point in taken:
        line.take(*point)
    assert line.points() == taken
    assert line.last() == (heights[-1] if heights else None)


def test_an_hour_fits_by_becoming_coarser() -> None:
    """A spike of a single point is still there."""
    line = Line(100)
    for second in range(3_600):
        line.take(second * SECOND, 99.0 if second == 1_234 else 1.0)
    kept = line.points()
    assert 25 <= len(kept) <= 100
    assert kept[0][0] == 0
    assert kept[-1][0] == 3_599 * SECOND
    assert (1_234 * SECOND, 99.0) in kept


def test_a_window_forgets_what_is_behind_it() -> None:
    """And what comes from behind it is counted."""
    line = Line(1_000, window=10.0)
    for second in range(60):
        line.take(second * SECOND, 1.0)
    assert line.points()[0][0] == 49 * SECOND
    line.take(40 * SECOND, 2.0)
    assert line.late == 1
    assert len(line.points()) == 11


@pytest.mark.parametrize("bound", [4, 5, 7])
def test_a_break_is_kept_where_nothing_follows(bound: int) -> None:
    """A line that broke off does not look as if it went on."""
    line = Line(bound)
    for number in range(40):
        line.take(number * MS // 4, None if number == 39 else float(number))
    assert line.points()[-1] == (39 * MS // 4, None)


def test_a_line_before_1970_has_a_window_too() -> None:
    """Times may be negative."""
    line = Line(bound=100, window=120.0)
    for second in range(5):
        line.take(-(10**17) + second * 10**9, float(second))
    assert [height for _, height in line.points()] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_window_may_be_longer_than_time() -> None:
    """As long as anything is."""
    line = Line(bound=100, window=1e300)
    line.take(1, 1.0)
    assert line.points() == [(1, 1.0)]
