"""The arithmetic of sliding windows is exact, seen against the definition in fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf, nextafter

from hypothesis import example, given
from hypothesis import strategies as st

from rxws._sliding import earliest, sum_up

INSTANTS = st.floats(-1e9, 1e9)
# Few different ones, and those hard to add: so that many are exactly a window apart, or a rounding error off that.
NEAR = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 2.0, nextafter(1.0, 0.0), nextafter(1.1, 2)])
PERIODS = st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.0, 1.1]) | st.floats(1e-6, 1e6)


def fits(taken: Sequence[float], at: float, count: int, per: float) -> bool:
    """Whether no window of `per` that holds `at` would hold more than `count`."""
    near = [Fraction(each) for each in taken if abs(Fraction(each) - Fraction(at)) < Fraction(per)]
    for first in sorted([*near, Fraction(at)]):
        held = sum(first <= each < first + Fraction(per) for each in near)
        if held + (first <= at < first + Fraction(per)) > count and first <= at:
            return False
    return True


@given(INSTANTS | NEAR, INSTANTS | PERIODS)
@example(0.3, 0.6)
@example(0.1, 0.2)
@example(1e9, 1e-9)
def test_a_sum_is_rounded_up(a: float, b: float) -> None:
    """It is the first float that is not below: no error of rounding makes a wait too short."""
    total = sum_up(a, b)

    assert Fraction(nextafter(total, -inf)) < Fraction(a) + Fraction(b) <= Fraction(total)


@given(st.lists(NEAR | INSTANTS, max_size=12).map(sorted), st.integers(1, 4), PERIODS, NEAR | INSTANTS)
@example([0.3], 1, 0.6, 0.3)
@example([0.0, 1.5], 2, 1.0, 0.5)
@example([0.0, 0.5, 1.0], 2, 1.0, 0.25)
def test_the_earliest_instant_is_the_first_that_fits(taken: list[float], count: int, per: float, start: float) -> None:
    """Also between instants that are taken, and where windows are too full already."""
    at = earliest(taken, count, per, start)

    assert at >= start
    assert fits(taken, at, count, per)
    # The first that fits is the start, or just where a window that began with another one ends.
    sooner = [each for each in [start, *(sum_up(first, per) for first in taken)] if start <= each < at]
    assert [each for each in sooner if fits(taken, each, count, per)] == []
