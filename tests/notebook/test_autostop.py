"""Nobody looks, and a view stops; somebody does, and it goes on."""

from __future__ import annotations

import pytest
from reactivex.testing import TestScheduler

from rxws.notebook.autostop import Autostop

SECONDS = 9.0


class Asked:
    """What an autostop asked and did, and when."""

    def __init__(self, busy_until: float = 0.0) -> None:
        self.virtual = TestScheduler()
        self.questions: list[float] = []
        self.stopped: list[float] = []
        self.looks_until = 0.0
        self.autostop = Autostop(
            SECONDS,
            ask=self.ask,
            stop=lambda: self.stopped.append(self.virtual.clock),
            is_busy=lambda: self.virtual.clock < busy_until,
            scheduler=self.virtual,
        )

    def ask(self) -> None:
        """Be asked; a browser answers at once, as long as somebody looks."""
        self.questions.append(self.virtual.clock)
        if self.virtual.clock < self.looks_until:
            self.autostop.answer(views=1)

    def after(self, seconds: float) -> Asked:
        """Let so much time go by."""
        self.virtual.advance_to(seconds)
        return self


def test_it_stops_when_nobody_answers() -> None:
    """After its seconds, and then asks no more."""
    asked = Asked()
    asked.autostop.start()
    assert asked.after(60.0).stopped == [SECONDS]
    assert asked.questions == [3.0, 6.0]


def test_an_answer_keeps_it() -> None:
    """It stops its seconds after the last one at the earliest, and not much later."""
    asked = Asked()
    asked.looks_until = 100.0
    asked.autostop.start()
    assert asked.after(99.0).stopped == []
    (at,) = asked.after(200.0).stopped
    assert 99.0 + SECONDS <= at <= 99.0 + SECONDS * 4 / 3


def test_a_browser_without_a_view_does_not_keep_it() -> None:
    """It answers that it shows none."""
    asked = Asked()
    asked.autostop.start()
    for at in range(1, 60):
        asked.virtual.schedule_absolute(at + 0.5, lambda *_: asked.autostop.answer(views=0))
    assert asked.after(60.0).stopped == [SECONDS]


def test_of_two_browsers_one_is_enough() -> None:
    """Another page that shows nothing takes nothing away."""
    asked = Asked()
    asked.autostop.start()
    for at in range(1, 60):
        asked.virtual.schedule_absolute(at + 0.5, lambda *_: asked.autostop.answer(views=2))
        asked.virtual.schedule_absolute(at + 0.6, lambda *_: asked.autostop.answer(views=0))
    assert asked.after(60.0).stopped == []


def test_there_is_no_verdict_while_a_cell_runs() -> None:
    """Its seconds begin when the cell has ended."""
    asked = Asked(busy_until=100.0)
    asked.autostop.start()
    (at,) = asked.after(200.0).stopped
    assert 100.0 + SECONDS * 2 / 3 <= at <= 100.0 + SECONDS * 4 / 3


@pytest.mark.parametrize("starts", [1, 2])
def test_starting_twice_is_starting_once(starts: int) -> None:
    """It asks once at a time."""
    asked = Asked()
    for _ in range(starts):
        asked.autostop.start()
    assert asked.after(5.0).questions == [3.0]


def test_disposed_it_is_silent() -> None:
    """No question, and no stop."""
    asked = Asked()
    asked.autostop.start()
    asked.autostop.dispose()
    assert (asked.after(60.0).questions, asked.stopped) == ([], [])
