from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from reactivex.testing import TestScheduler

from rxws.live.coalescer import Coalescer


def drawn(touches: list[float], fps: float) -> list[float]:
    """When it draws, where something changes at `touches`."""
    virtual, times = TestScheduler(), list[float]()
    coalescer = Coalescer(lambda: times.append(virtual.clock), fps, virtual)
    for at in touches:
        virtual.schedule_absolute(at, lambda *_: coalescer.touch())
    virtual.start()
    return times


@given(st.lists(st.integers(1, 4_000).map(lambda ms: ms / 1_000), max_size=80), st.sampled_from([4.0, 10.0, 20.0]))
def test_all_is_drawn_soon_and_never_too_often(touches: list[float], fps: float) -> None:
    """Each change within one period, two drawings never closer than that, and none without a change."""
    between, times = 1.0 / fps, drawn(touches, fps)
    for touch in touches:
        assert any(touch - 1e-6 <= time <= touch + between + 1e-6 for time in times)
    assert all(later - sooner >= between - 1e-6 for sooner, later in itertools.pairwise(times))
    assert len(times) <= len(touches)


def test_the_first_change_after_a_silence_is_drawn_at_once() -> None:
    """No tick is waited for: latency is what the eye sees."""
    assert drawn([1.03, 5.07], fps=4.0) == [1.03, 5.07]


def test_nothing_is_scheduled_while_nothing_changes() -> None:
    """An idle view costs nothing."""
    virtual = TestScheduler()
    coalescer = Coalescer(lambda: None, 20.0, virtual)
    assert not virtual._queue
    coalescer.touch()
    coalescer.touch()
    assert len(virtual._queue) == 1
    virtual.advance_by(1.0)
    assert not virtual._queue


def test_stopped_it_draws_no_more_and_flushed_it_draws_now() -> None:
    """What was armed goes, and counts as drawn."""
    virtual, times = TestScheduler(), list[float]()
    coalescer = Coalescer(lambda: times.append(virtual.clock), 4.0, virtual)
    coalescer.touch()
    coalescer.stop()
    virtual.advance_by(1.0)
    assert times == []
    coalescer.touch()
    coalescer.flush()
    virtual.advance_by(1.0)
    assert times == [1.0]
