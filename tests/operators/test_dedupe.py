"""Each key passes once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from rxws.errors import ConfigError, ConnectionClosed
from rxws.operators import dedupe
from tests.operators.hand import Hand, opened
from tests.operators.seen import COMPLETED, Seen


def test_a_value_whose_key_has_passed_does_not_pass_again() -> None:
    """The first does, as it is."""
    hand = Hand(dedupe(lambda value: value[0])).at(0.0, "a1", "b1", "a2", "c1", "b2")
    assert hand.values == ["a1", "b1", "c1"]


def test_a_value_without_a_key_always_passes() -> None:
    """None is no key; what is only false is one."""
    assert Hand(dedupe(lambda value: value)).at(0.0, None, None, 0, 0, "", "").values == [None, None, 0, ""]


def test_events_pass_and_no_key_is_asked_of_them() -> None:
    """Two that are equal are two."""
    hand = Hand(dedupe(lambda value: value["t"])).at(0.0, opened(), {"t": 1}, opened(), {"t": 1})
    assert hand.values == [opened(), {"t": 1}, opened()]


def test_of_too_many_keys_the_one_that_came_longest_ago_is_forgotten() -> None:
    """One that comes again, and does not pass, has come lately."""
    hand = Hand(dedupe(lambda value: value, remember=2)).at(0.0, "a", "b", "a", "c", "a", "b", "c", "b")
    assert hand.values == ["a", "b", "c", "b", "c"]
    assert Hand(dedupe(str, remember=1)).at(0.0, 1, 1, 2, 2, 1).values == [1, 2, 1]


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 7))
def test_what_passes_is_what_was_not_among_the_last_keys(values: list[int], remember: int) -> None:
    """By brute force."""
    expected, recent = [], list[int]()
    for value in values:
        if value not in recent:
            expected.append(value)
        recent = [*(each for each in recent if each != value), value][-remember:]
    assert Hand(dedupe(lambda value: value, remember=remember)).at(0.0, *values).values == expected


@pytest.mark.parametrize("key", [lambda value: value["t"], lambda value: [value]], ids=["raises", "is no key"])
def test_what_key_raises_is_the_results_error(key: Any) -> None:
    """So is that what it returned cannot be hashed; the source is left, and nothing is raised into it."""
    hand, left = Hand(dedupe(key)), list[bool]()
    hand.on_seen = lambda error: left.append(hand.is_left)
    hand.at(0.0, 5, 6)
    assert left == [True]  # before anybody hears of it
    assert [type(value) for value in hand.values] == [TypeError]
    assert hand.is_left


def test_two_subscribers_are_independent() -> None:
    """Each has seen what it has seen."""
    hand = Hand(dedupe(str)).at(0.0, 1)
    second = Seen(hand.virtual, hand.stream)
    hand.at(1.0, 1, 2)
    assert (hand.values, second.values) == ([1, 2], [1, 2])


def test_it_ends_as_the_source_does_and_leaves_with_its_subscriber() -> None:
    """Also with one that leaves at a value."""
    assert Hand(dedupe(str)).at(0.0, 1).ends().values == [1, COMPLETED]
    error = ConnectionClosed(1006)
    assert Hand(dedupe(str)).ends(error).values == [error]
    hand = Hand(lambda _: lambda source: source.pipe(dedupe(str), ops.take(1))).at(0.0, 1, 2)
    assert (hand.values, hand.is_left) == ([1, COMPLETED], True)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"key": "t"}, "key"), ({"remember": 0}, "remember"), ({"remember": None}, "remember")],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        dedupe(**{"key": str, **arguments})
    assert caught.value.field == field
