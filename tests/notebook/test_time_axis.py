"""The labels of a time axis say when, in UTC, and never touch."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.notebook.time_axis import time_ticks

DAY = 86_400_000.0
YEAR = 365 * DAY
NOW = 1_764_145_200_000.0  # 26 November 2025, 08:20
BETWEEN = 14.0


def measure(text: str) -> float:
    """The width of a text whose letters are all alike."""
    return 6.0 * len(text)


def boxes(start: float, end: float, width: float) -> list[tuple[float, float]]:
    """Where the labels of a span begin and end."""
    found = []
    for at, label in time_ticks(start, end, width, measure):
        middle, half = (at - start) / (end - start) * width, max(map(measure, label.split("\n"))) / 2
        found.append((middle - half, middle + half))
    return found


@given(st.floats(0, 50 * YEAR), st.floats(0.01, 40 * YEAR), st.floats(100, 2_000))
def test_labels_never_touch(start: float, span: float, width: float) -> None:
    """For any span, however short or long, and at every change of a day, a month or a year."""
    found = boxes(start, start + span, width)
    assert all(after[0] - before[1] >= BETWEEN - 0.01 for before, after in pairwise(found))


@given(st.floats(0, 50 * YEAR), st.floats(100, 20 * YEAR), st.floats(500, 2_000))
def test_there_are_enough_to_read(start: float, span: float, width: float) -> None:
    """One label says nothing of how long a span is."""
    found = boxes(start, start + span, width)
    assert len(found) >= 2


@given(st.floats(0, 50 * YEAR), st.floats(100, 20 * YEAR))
def test_labels_stand_in_the_span(start: float, span: float) -> None:
    """Each at an instant that is shown."""
    assert all(start <= tick.at <= start + span for tick in time_ticks(start, start + span, 600, measure))


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (400.0, ["08:20:00.000\n26 Nov", "08:20:00.100", "08:20:00.200", "08:20:00.300", "08:20:00.400"]),
        (20_000.0, ["08:20:00\n26 Nov", "08:20:05", "08:20:10", "08:20:15", "08:20:20"]),
        (DAY, ["09:00\n26 Nov", "12:00", "15:00", "18:00", "21:00", "00:00\n27 Nov", "03:00", "06:00"]),
        (12 * DAY, ["27 Nov", "29 Nov", "1 Dec", "3 Dec", "5 Dec", "7 Dec"]),
        (100 * DAY, ["Dec 2025", "Jan 2026", "Feb 2026", "Mar 2026"]),
        (6 * YEAR, ["2026", "2027", "2028", "2029", "2030", "2031"]),
    ],
)
def test_a_label_says_what_tells_it_from_the_next(span: float, labels: list[str]) -> None:
    """Finer steps say more; the first, and the first of each day, say the day as well."""
    found = [tick.label for tick in time_ticks(NOW, NOW + span, 450, measure)]
    assert found == labels
