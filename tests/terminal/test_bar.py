from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.live import Report
from rxws.terminal.bar import bar_row, told
from rxws.terminal.rows import cells, text_of

LOST = Report("waiting", "reconnecting {in}: lost: server closed (1012)", seconds=2.3)


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (LOST, "reconnecting in 3 s: lost: server closed (1012)"),
        (Report("waiting", "reconnecting {in}", seconds=0.0), "reconnecting now"),
        (Report("waiting", "reconnecting {in}", seconds=121.0), "reconnecting in 2 min"),
        (Report("waiting", "reconnecting {in}", seconds=7_300.0), "reconnecting in 2 h"),
        (Report("waiting", "lost; back when it may"), "lost; back when it may"),
        (Report("live", "live", quiet=4.9), "live"),
        (Report("live", "live", quiet=12.9), "live · no update for 12 s"),
        (Report("connecting", "connecting", quiet=12.9), "connecting"),
        (Report("error", "ValueError: a\nb\x1b[2J"), r"ValueError: a\nb\x1b[2J"),
    ],
)
def test_a_bar_says_how_the_streams_are(report: Report, words: str) -> None:
    """With its times, on one line, and nothing that steers the terminal."""
    assert told(report) == words
    assert words in text_of(bar_row("BTCUSDT", report, 1, 0, 120))


def test_counts_stand_at_the_right_where_there_is_room() -> None:
    """What was dropped only where something was; the words come first."""
    assert text_of(bar_row("A", LOST, 1_234, 5, 90)).endswith("  1,234 events · 5 dropped")
    assert text_of(bar_row("A", Report("live", "live"), 1, 0, 40)).endswith("  1 event")
    assert "event" not in text_of(bar_row("A", LOST, 1_234, 5, 60))
    assert "event" not in text_of(bar_row("A", LOST, None, 0, 120))


def test_where_it_is_narrow_the_end_is_cut_and_says_so() -> None:
    """A title takes half of it at most."""
    assert text_of(bar_row("A" * 40, Report("live", "live"), 1, 0, 24)) == "● AAAAAAAAAAA…  live    "
    assert text_of(bar_row("A", LOST, 1, 0, 24)) == "● A  reconnecting in 3 …"


@given(st.text(max_size=60), st.text(max_size=60), st.integers(1, 100))
def test_a_bar_fits(title: str, words: str, width: int) -> None:
    """Whatever others wrote."""
    row = bar_row(title, Report("error", words), 10**9, 10**9, width)
    assert cells(row) == width
    assert text_of(row).isprintable()
