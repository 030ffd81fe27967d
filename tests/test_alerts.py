"""What is told at once, what accumulates, and when that is told."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from itertools import pairwise
from math import inf, nan, nextafter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.alerts import DisconnectAlert, Throttle
from rxws.errors import ConfigError
from rxws.events import DisconnectReason


def test_the_first_is_told_at_once() -> None:
    """With its own count, and nothing is left."""
    throttle = Throttle(60.0)
    assert (throttle.hit(5.0, 3), throttle.due, throttle.flush(6.0)) == (3, None, None)


def test_what_comes_within_the_interval_accumulates_until_it_is_due() -> None:
    """It is due an interval after the telling, and told once."""
    throttle = Throttle(60.0)
    assert [throttle.hit(at) for at in (5.0, 6.0, 64.0)] == [1, None, None]
    assert throttle.due == 65.0
    assert (throttle.flush(65.0), throttle.due, throttle.flush(65.0)) == (2, None, None)


def test_who_comes_after_the_interval_tells_all_that_has_accumulated() -> None:
    """Itself included; the interval begins again."""
    throttle = Throttle(60.0)
    throttle.hit(0.0)
    throttle.hit(10.0, 4)
    assert throttle.hit(nextafter(60.0, 0.0)) is None
    assert throttle.hit(60.0) == 6
    assert (throttle.hit(61.0), throttle.due) == (None, 120.0)


def test_a_flush_begins_the_interval_too() -> None:
    """Also one that comes before its time; one that tells nothing does not."""
    throttle = Throttle(60.0)
    throttle.hit(0.0)
    throttle.hit(1.0)
    assert throttle.flush(30.0) == 1
    assert (throttle.hit(80.0), throttle.due) == (None, 90.0)
    assert throttle.flush(90.0) == 1
    assert throttle.flush(140.0) is None
    assert throttle.hit(150.0) == 1


def test_after_a_quiet_time_it_is_told_at_once_again() -> None:
    """Nothing is due meanwhile."""
    throttle = Throttle(60.0)
    throttle.hit(0.0)
    assert throttle.due is None
    assert throttle.hit(1000.0) == 1


@given(
    st.sampled_from([0.1, 0.3, 1.0]) | st.floats(1e-3, 1e3),
    st.lists(st.tuples(st.sampled_from([0.0, 0.3, 1.0]) | st.floats(0.0, 3.0), st.integers(1, 5)), max_size=50),
)
def test_nothing_is_lost_and_nothing_told_too_soon(interval: float, hits: list[tuple[float, int]]) -> None:
    """What is told, and what is left at the end, is what happened; two tellings are an interval apart."""
    throttle, now = Throttle(interval), 0.0
    told: list[tuple[float, int]] = []
    for part, count in hits:
        now += part * interval
        if throttle.due is not None and throttle.due < now:
            told.append((throttle.due, throttle.flush(throttle.due) or 0))
        answer = throttle.hit(now, count)
        if answer is not None:
            told.append((now, answer))
    left = throttle.flush(now) or 0

    assert sum(count for _, count in told) + left == sum(count for _, count in hits)
    assert all(after - before >= interval for (before, _), (after, _) in pairwise(told))


@pytest.mark.parametrize("interval", [0.0, -1.0, inf, nan, None, "1", True], ids=repr)
def test_an_interval_is_a_positive_number_of_seconds(interval: Any) -> None:
    """Anything else is refused by name."""
    with pytest.raises(ConfigError) as refused:
        Throttle(interval)

    assert refused.value.field == "interval"


def test_an_alert_is_a_value() -> None:
    """Frozen, and compared by what it says."""
    said = {"reason": DisconnectReason.SERVER_CLOSED, "count": 2, "origin": "ws://x", "time_ns": 7}
    alert = DisconnectAlert(**said)  # type: ignore[arg-type]

    assert alert == DisconnectAlert(**said)  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        alert.count = 3  # type: ignore[misc]
