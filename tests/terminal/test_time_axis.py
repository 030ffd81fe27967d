from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rxws.terminal.time_axis import EvenTime, SlotTime, TimeAxis
from rxws.terminal.time_labels import labels

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
instants = st.integers(0, 4 * 10**18)
gaps = st.lists(st.integers(1, 3 * 10**14) | st.just(MINUTE), max_size=120)


def opens_of(first: int, between: list[int]) -> list[int]:
    """When candles begin."""
    return list(itertools.accumulate(between, initial=first))


def check(axis: TimeAxis) -> None:
    """Labels are within the axis, in order, apart from one another, and near their ticks."""
    found = labels(axis)
    assert all(0 <= label.left and label.left + len(label.text) <= axis.columns for label in found)
    assert all(0 <= label.column < axis.columns for label in found)
    for before, after in itertools.pairwise(found):
        assert before.left + len(before.text) < after.left
        assert before.column < after.column


@given(instants, st.integers(1, 10**18), st.integers(1, 250))
def test_labels_of_even_time_never_overlap(first: int, lasting: int, columns: int) -> None:
    """From nanoseconds to decades, on any width."""
    axis = EvenTime(first, first + lasting, columns)
    check(axis)
    assert int(axis.column(first)) == 0
    assert int(axis.column(first + lasting)) <= columns - 1


@given(instants, gaps, st.integers(1, 250), st.integers(0, 10**15))
def test_labels_of_candles_never_overlap(first: int, between: list[int], columns: int, more: int) -> None:
    """However irregular they are."""
    opens = opens_of(first, between)
    check(SlotTime(opens, columns, opens[-1] + more))


@given(instants, gaps, st.integers(1, 250), st.integers(0, 10**15))
def test_each_candle_has_columns_of_its_own(first: int, between: list[int], columns: int, more: int) -> None:
    """They are in order, all within the width, and the newest is among them."""
    opens = opens_of(first, between)
    axis = SlotTime(opens, columns, opens[-1] + more)
    found = [axis.column_of(index) for index in range(axis.first, len(opens))]
    assert found
    assert all(later - sooner >= axis.stride for sooner, later in itertools.pairwise(found))
    assert found[0] >= 0
    assert found[-1] + (3 if axis.stride == 4 else 1) <= columns
    for index, column in enumerate(found, axis.first):
        assert int(axis.column(opens[index])) == column
    assert axis.column(opens[0] - 1) < 0


@given(instants, gaps, st.integers(1, 250), st.lists(st.integers(-(10**13), 10**16), max_size=30))
def test_points_stand_where_their_instants_stand(
    first: int, between: list[int], columns: int, offsets: list[int]
) -> None:
    """Many at once, as lines are drawn, and one alone."""
    opens = opens_of(first, between)
    for axis in (SlotTime(opens, columns, 0), EvenTime(first, opens[-1] + 1, columns)):
        times = sorted(first + offset for offset in offsets)
        dots = axis.dots([(time, 1.0) for time in times])
        for time, dot in zip(times, dots, strict=True):
            if time < axis.begin_ns:
                assert dot < 0
            else:
                assert abs(dot - axis.column(time) * 2) <= 1.001


def test_labels_are_round_times() -> None:
    """Of the hour, of the day, of the year; another day is named."""

    def told(lasting: int, columns: int = 60, first: int = 1_795_683_600 * SECOND) -> list[str]:
        return [label.text for label in labels(EvenTime(first, first + lasting, columns))]

    assert told(10 * SECOND) == ["09:00:02", "09:00:04", "09:00:06", "09:00:08", "09:00:10"]
    assert told(30 * MINUTE) == ["09:00", "09:05", "09:10", "09:15", "09:20", "09:25", "09:30"]
    assert told(24 * 60 * MINUTE) == ["12:00", "15:00", "18:00", "21:00", "Nov 27", "03:00", "06:00"]
    assert told(5 * 1_440 * MINUTE) == ["Nov 27", "Nov 28", "Nov 29", "Nov 30", "Dec 1"]
    assert told(400 * 1_440 * MINUTE, 40) == ["2026-12-13", "2027-07-01"]
    assert told(SECOND // 2) == ["09:00:00.0", "09:00:00.2", "09:00:00.4"]


def test_labels_of_few_candles_are_evenly_apart() -> None:
    """Though most of the axis is empty; a day that ends within it is named."""
    axis = SlotTime([(23 * 60 + 40 + at) * MINUTE for at in range(30)], 130, 0)
    assert [label.text for label in labels(axis)] == [
        *(f"23:{minute}" for minute in range(40, 60, 2)),
        "Jan 2",
        *(f"00:0{minute}" for minute in range(2, 10, 2)),
    ]


def test_missing_candles_leave_room_but_not_all_of_it() -> None:
    """A weekend does not push away all that was before."""
    opens = [0, MINUTE, 2 * MINUTE, 5 * MINUTE, 6 * MINUTE, 10_000 * MINUTE]
    axis = SlotTime(opens, 200, 0)
    assert [axis.column_of(index) // axis.stride for index in range(6)] == [0, 1, 2, 5, 6, 14]


def test_an_outage_goes_on_to_the_right_of_the_newest_candle() -> None:
    """As far as there is time, but not so far that the candles are gone."""
    opens = [at * MINUTE for at in range(50)]
    for minutes, slots in ((0, 0), (3, 3), (10_000, 8)):
        axis = SlotTime(opens, 70, opens[-1] + minutes * MINUTE)
        assert len(list(axis.spans())) == 50 + slots
    full = SlotTime(opens, 40, opens[-1] + 3 * MINUTE)
    assert (full.first, full.column_of(full.first), full.column_of(49)) == (13, 0, 36)
