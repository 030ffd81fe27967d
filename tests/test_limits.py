"""The strict limit of what is sent, seen against all its windows in exact arithmetic."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from fractions import Fraction
from itertools import pairwise
from math import inf, nan, nextafter, ulp
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws._sliding import TICK
from rxws.errors import ConfigError
from rxws.limits import SendLimit, SlidingWindow

PERIODS = st.sampled_from([0.1, 0.3, 0.7, 1.0, 1.1]) | st.floats(1e-3, 1e3)
STARTS = st.sampled_from([0.0, 0.1, 1e5 + 0.1, 1e9]) | st.floats(0.0, 1e9)
# Time passes in parts of a period: nothing, just less, a whole one, just more.
PARTS = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, nextafter(1.0, 0.0), 1.0, nextafter(1.0, 2.0), 2.5]) | st.floats(
    0, 3
)
STEPS = st.lists(st.tuples(PARTS, st.sampled_from(["try", "wait", "wait", "pong"])), max_size=60)


def overfull(frames: list[float], count: int, per: float) -> list[tuple[float, float]]:
    """Return the windows with more than `count` frames: the first and the last instant of each."""
    groups = zip(frames, frames[count:], strict=False)
    return [(first, last) for first, last in groups if Fraction(last) - Fraction(first) < Fraction(per)]


def played(limit: SendLimit, start: float, steps: list[tuple[float, str]], *, pong_every: float) -> list[float]:
    """Send as `steps` say, and return when each frame went; pongs go at least `pong_every` seconds apart."""
    window, now, frames, last_pong = limit.window(), start, [], -inf
    for part, what in steps:
        now += part * limit.per
        if what == "pong":
            if last_pong == -inf or Fraction(now) - Fraction(last_pong) >= Fraction(pong_every):
                window.answered(now)
                frames.append(now)
                last_pong = now
            continue
        if what == "wait":
            now += window.wait(now)
            assert window.wait(now) == 0.0
        if window.wait(now) == 0.0:
            window.take(now)
            frames.append(now)
    return frames


@given(st.integers(2, 7), PERIODS, STARTS, STEPS)
@example(2, 0.6, 0.3, [(0.0, "wait"), (0.0, "wait"), (0.0, "wait")])
@example(2, 0.7, 0.2, [(0.0, "wait"), (0.0, "wait"), (0.0, "wait")])
def test_no_window_holds_more_than_the_limit(count: int, per: float, start: float, steps: Any) -> None:
    """Whenever messages and pongs come, with a pong a period at most: not one too many, not by a rounding error."""
    frames = played(SendLimit(count, per), start, steps, pong_every=per)

    assert overfull(frames, count, per) == []


@given(PERIODS, STARTS, st.lists(st.tuples(PARTS, st.sampled_from(["try", "wait"])), max_size=60))
def test_one_at_a_time_is_the_same_without_a_place_for_pongs(per: float, start: float, steps: Any) -> None:
    """Where only one frame is allowed, messages have its place."""
    frames = played(SendLimit(1, per), start, steps, pong_every=per)

    assert overfull(frames, 1, per) == []


@given(st.integers(1, 7), PERIODS, STARTS, STEPS)
def test_a_message_never_makes_a_window_too_full(count: int, per: float, start: float, steps: Any) -> None:
    """However many pongs the server asks for: they push messages back."""
    limit = SendLimit(count, per)
    window, now, frames = limit.window(), start, []
    for part, what in steps:
        now += part * per
        if what == "pong":
            window.answered(now)
        else:
            now += window.wait(now)
            window.take(now)
        frames.append(now)
        if what != "pong":
            assert sum(Fraction(now) - Fraction(each) < Fraction(per) for each in frames) <= count


@given(st.integers(1, 7), PERIODS, STARTS, STEPS)
def test_nobody_waits_longer_than_the_limit_asks(count: int, per: float, start: float, steps: Any) -> None:
    """A message waits for the place of the last but so many messages and frames, at most a microsecond longer."""
    window, now = SendLimit(count, per).window(), start
    messages: list[float] = []
    frames: list[float] = []
    places = max(1, count - 1)
    for part, what in steps:
        now += part * per
        if what == "pong":
            window.answered(now)
            frames.append(now)
            continue
        ends = [Fraction(messages[-places]) + Fraction(per)] if len(messages) >= places else []
        ends += [Fraction(frames[-count]) + Fraction(per)] if len(frames) >= count else []
        free = max([Fraction(now), *ends])
        wait = window.wait(now)
        assert free <= Fraction(now + wait) <= free + Fraction(TICK) + 4 * Fraction(ulp(now + wait))
        assert wait == 0.0 or wait >= TICK
        now += wait
        window.take(now)
        messages.append(now)
        frames.append(now)


def test_binances_five_a_second_is_four_messages_and_a_pong() -> None:
    """A token bucket would let nine into the first second."""
    window, now, sent = SendLimit(5).window(), 0.0, []
    for _ in range(10):
        now += window.wait(now)
        window.take(now)
        sent.append(now)

    assert sent == [0.0] * 4 + [1.0] * 4 + [2.0] * 2


def test_a_ping_is_answered_without_taking_a_messages_place() -> None:
    """One pong has the place that is kept free; the next takes one from the messages."""
    window = SendLimit(3).window()
    window.answered(0.0)
    window.take(0.25)
    assert window.wait(0.5) == 0.0
    window.answered(0.5)
    assert window.wait(0.5) == 0.5


def test_with_one_place_a_pong_is_counted_too() -> None:
    """The next message waits for it."""
    window = SendLimit(1).window()
    window.answered(0.0)
    assert window.wait(0.25) == 0.75


def test_two_that_are_exactly_a_window_apart_are_in_none_together() -> None:
    """Windows are half-open; just before that, it waits."""
    window = SendLimit(1).window()
    window.take(1.0)
    assert window.wait(2.0) == 0.0
    assert window.wait(nextafter(2.0, 0.0)) == TICK


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_window_keeps_no_more_than_it_must(count: int) -> None:
    """A connection that lives for weeks has the memory of a new one."""
    window = SendLimit(count).window()
    for second in range(1000):
        window.take(float(second))
        window.answered(second + 0.5)
    kept = [getattr(window, name) for name in SlidingWindow.__slots__]

    assert sum(len(each) for each in kept if isinstance(each, list)) <= 2 * count


def test_each_connection_has_a_window_of_its_own() -> None:
    """What one has sent does not hold another back."""
    limit = SendLimit(1)
    limit.window().take(0.0)
    assert limit.window().wait(0.0) == 0.0


def test_a_limit_is_a_value() -> None:
    """Frozen, compared by what it says, and a second long by default."""
    limit = SendLimit(5)

    assert (limit, limit.per) == (SendLimit(5, 1.0), 1.0)
    assert len({limit, SendLimit(5, 1.0), SendLimit(4)}) == 2
    with pytest.raises(FrozenInstanceError):
        limit.count = 6  # type: ignore[misc]
    assert not hasattr(limit, "__dict__")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"count": 0}, "count: 0 is out of range; take a whole number, 1 or more"),
        ({"count": 2.0}, "count: 2.0 is out of range; take a whole number, 1 or more"),
        ({"count": True}, "count: True is out of range; take a whole number, 1 or more"),
        ({"count": None}, "count: None is out of range; take a whole number, 1 or more"),
        ({"count": 5, "per": 0.0}, "per: 0.0 is out of range; take more than 0 seconds"),
        ({"count": 5, "per": inf}, "per: inf is out of range; take more than 0 seconds"),
        ({"count": 5, "per": nan}, "per: nan is out of range; take more than 0 seconds"),
        ({"count": 5, "per": None}, "per: None is no float or int; take seconds"),
    ],
)
def test_a_limit_that_says_nothing_is_refused(arguments: Any, says: str) -> None:
    """When it is made, with the argument's name and the way out."""
    with pytest.raises(ConfigError) as refused:
        SendLimit(**arguments)

    assert str(refused.value) == says


def test_times_in_order_are_all_it_needs() -> None:
    """Any clock will do, also one that begins below zero."""
    window, now, sent = SendLimit(1, 0.3).window(), -1.0, []
    for _ in range(8):
        now += window.wait(now)
        window.take(now)
        sent.append(now)

    assert all(Fraction(after) - Fraction(before) >= Fraction(0.3) for before, after in pairwise(sent))
