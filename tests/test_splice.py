"""How the values of two connections become one sequence."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws import splice as module
from rxws.splice import HELD, RECENT, Splice, Step
from tests.joined import Joined

TURNS = st.lists(st.booleans(), max_size=80)


@given(
    before=st.integers(0, 3 * RECENT),
    replayed=st.integers(0, 1_000),
    ahead=st.integers(0, 30),
    length=st.integers(1, 60),
    turns=TURNS,
)
@example(before=0, replayed=0, ahead=3, length=5, turns=[True])
def test_a_sequence_is_delivered_once_and_in_order(
    before: int, replayed: int, ahead: int, length: int, turns: list[bool]
) -> None:
    """Wherever the new connection begins, replays or not, whichever of the two is ahead, however they interleave."""
    joined = Joined()
    joined.old(range(1, before + 1))
    joined.begin()
    first = max(1, before + 1 - replayed + ahead)
    last = before + ahead + length
    joined.interleave(range(before + 1, last + 1), range(first, last + 20), turns)
    assert joined.delivered == list(range(1, last + 20))
    assert joined.cut


@given(
    before=st.integers(0, 2_000),
    start=st.integers(-1_000, 30),
    brought=st.integers(0, 40),
    lost_after=st.integers(0, 40),
    turns=TURNS,
)
def test_a_loss_of_the_old_one_costs_what_neither_brought_and_nothing_else(
    before: int, start: int, brought: int, lost_after: int, turns: list[bool]
) -> None:
    """The new one takes over where it delivers: nothing comes twice, and all is in order."""
    joined, first = Joined(), max(1, before + 1 + start)
    joined.old(range(1, before + 1))
    joined.begin()
    joined.interleave(range(before + 1, before + 1 + lost_after), range(first, first + brought), turns)
    if not joined.cut and joined.splice.delivers:
        joined.take_over()
    for number in range(first + brought, first + brought + 10) if joined.cut else ():
        joined.new(number)
    last = joined.delivered[-1] if joined.delivered else 0
    neither = set(range(before + lost_after + 1, first))
    assert joined.delivered == [number for number in range(1, last + 1) if number not in neither]
    assert last >= first + brought + 9 if joined.cut else last == before + lost_after


@given(
    warm=st.lists(st.sampled_from("abcd"), max_size=40),
    topics=st.lists(st.sampled_from("abcd"), min_size=60, max_size=120),
    begins=st.fixed_dictionaries({topic: st.integers(-30, 40) for topic in "abcd"}),
    turns=TURNS,
)
def test_several_topics_are_each_delivered_once_and_in_order(
    warm: list[str], topics: list[str], begins: dict[str, int], turns: list[bool]
) -> None:
    """Also where the new connection's topics begin one after another: it waits for the first of each."""
    counts = dict.fromkeys("abcd", 0)

    def numbered(names: Iterable[str]) -> list[tuple[str, int]]:
        values = []
        for name in names:
            counts[name] += 1
            values.append((name, counts[name]))
        return values

    before, during = numbered(["a", "b", "c", "d", *warm]), numbered(topics)
    everything = before + during
    new = [
        value for place, value in enumerate(everything, -len(before)) if place >= begins[value[0]]
    ]  # of each topic from its own place on
    joined = Joined(lambda value: value)
    joined.old(before)
    joined.begin()
    joined.interleave(during, new, turns)
    for topic, values in groupby(sorted(joined.delivered, key=lambda value: value[0]), lambda value: value[0]):
        assert [number for _, number in values] == list(range(1, counts[topic] + 1))


def test_a_topic_that_is_quiet_does_not_keep_the_old_one_beyond_the_overlap() -> None:
    """The cut is not due, yet the new one delivers, so that it can take over when the overlap ends."""
    joined = Joined(lambda value: value)
    joined.old([("a", 1), ("quiet", 1)])
    joined.begin()
    joined.new(("a", 2))
    joined.old([("a", 2), ("a", 3)])
    assert not joined.cut
    assert joined.splice.delivers
    joined.take_over()
    assert joined.delivered == [("a", 1), ("quiet", 1), ("a", 2), ("a", 3)]


@pytest.mark.parametrize("told", ["by the new one", "by the old one"])
def test_a_topic_that_appears_in_the_overlap_is_waited_for_too(told: str) -> None:
    """Whichever of the two brings it first, the old one stays until it has delivered the new one's first of it."""
    joined = Joined(lambda value: value)
    joined.old([("a", 1)])
    joined.begin()
    if told == "by the new one":
        joined.new(("b", 7))
        joined.new(("a", 1))
    else:
        joined.old([("b", 6)])
        joined.new(("a", 1))
        joined.new(("b", 7))
    assert not joined.cut
    joined.old([("b", 7)])
    assert joined.cut
    assert joined.delivered[-1] == ("b", 7)
    assert len(joined.delivered) == len(set(joined.delivered))


def test_what_followed_a_cut_is_remembered_for_the_next() -> None:
    """It had been held, and the connection after that one replays it."""
    joined = Joined()
    joined.old([1, 2])
    joined.begin()
    for number in (3, 4, 5):
        joined.new(number)
    joined.old([3])
    joined.splice.forget()
    joined.begin()
    joined.new(4)
    assert joined.cut
    joined.new(5)
    assert joined.delivered == [1, 2, 3, 4, 5]


def test_without_a_key_the_cut_is_at_the_new_ones_first_data() -> None:
    """What it answered before comes with it, in order; what the old one had is there twice."""
    joined = Joined(None)
    joined.old([1, 2])
    joined.begin()
    joined.new("subscribed", live=False)
    joined.old([3])
    assert not joined.splice.delivers
    joined.new(2)
    assert joined.cut
    assert joined.delivered == [1, 2, 3, "subscribed", 2]


def test_a_value_without_a_key_is_handed_on_in_its_place_and_asks_for_no_cut() -> None:
    """None: it belongs to no sequence."""
    joined = Joined(lambda value: value if isinstance(value, int) else None)
    joined.old([1, "old"])
    joined.begin()
    joined.new("hello")
    assert not joined.splice.delivers
    for value in (2, "between", 3):
        joined.new(value)
    joined.old(["old again", 2])
    assert joined.delivered == [1, "old", "old again", 2, "hello", "between", 3]


def test_a_key_before_the_new_one_is_live_counts_as_its_first() -> None:
    """A snapshot that is no data: what follows it is live."""
    joined = Joined()
    joined.old([1, 2])
    joined.begin()
    joined.new(2, live=False)
    assert not joined.cut
    joined.new(3)
    assert (joined.cut, joined.delivered) == (True, [1, 2, 3])


@pytest.mark.parametrize(
    ("key", "problem"), [(lambda value: value["n"], "KeyError"), (lambda value: [value], "TypeError")]
)
def test_a_key_that_raises_or_cannot_be_hashed_is_told_and_the_value_handed_on(key: Any, problem: str) -> None:
    """On both sides; by such values nobody can take over."""
    failed: list[Exception] = []
    joined = Joined(key, failed=failed.append)
    joined.old([{}])
    joined.begin()
    joined.new({})
    assert not joined.splice.delivers
    assert joined.delivered == [{}]
    assert [type(error).__name__ for error in failed] == [problem, problem]
    assert Splice(key).old({}) is Step.PASS  # and where nobody is told


def test_an_old_one_that_never_delivers_the_first_is_replaced_when_that_is_asked_for() -> None:
    """At the overlap's end: all that was held follows, but what had been delivered."""
    joined = Joined()
    joined.old([1, 2])
    joined.begin()
    for number in (5, 6, 7):
        joined.new(number)
    joined.old([6])
    assert not joined.cut
    joined.take_over()
    assert joined.delivered == [1, 2, 6, 5, 7]


def test_what_an_abandoned_connection_brought_is_forgotten() -> None:
    """The old one goes on, and the next overlap begins anew."""
    joined = Joined()
    joined.old([1])
    joined.begin()
    joined.new(3)
    joined.splice.end()
    assert not joined.splice.delivers
    joined.old([2, 3, 4])
    joined.begin()
    joined.new(4)
    assert joined.delivered == [1, 2, 3, 4]


def test_what_the_new_one_is_behind_with_is_dropped_until_it_is_forgotten() -> None:
    """Nothing of the old one's comes again, and no more is remembered than is needed."""
    joined = Joined()
    joined.old([1, 2, 3, 4])
    joined.begin()
    for number in (2, 3):
        joined.new(number)
    assert joined.delivered == [1, 2, 3, 4]
    joined.splice.forget()
    joined.new(4)
    assert joined.delivered[-2:] == [4, 4]


@given(behind=st.integers(1, 3 * RECENT), caught_up=st.integers(0, 3 * RECENT), start=st.integers(0, 3 * RECENT))
def test_a_second_overlap_knows_what_the_first_one_delivered(behind: int, caught_up: int, start: int) -> None:
    """The first rotation's new one lags far behind its old one, and is rotated itself before it has caught up."""
    joined, last = Joined(), 4 * RECENT
    joined.begin()  # the first overlap: the old one is ahead by `behind`
    joined.old(range(1, last + 1))
    joined.new(last - behind)
    assert joined.cut
    reached = min(last, last - behind + caught_up)
    for number in range(last - behind + 1, reached + 1):
        joined.new(number)
    joined.begin()
    joined.interleave([], range(min(last, last - behind + start), last + 10), [])
    assert joined.cut
    assert joined.delivered == list(range(1, last + 10))


# Bounds


def test_the_new_one_takes_over_when_no_more_can_be_held() -> None:
    """At 65,536 values, in order, though the old one has not delivered the first."""
    joined = Joined()
    joined.old([1])
    joined.begin()
    for number in range(10, 10 + HELD - 1):
        joined.new(number)
    assert not joined.cut
    joined.new(10 + HELD - 1)
    assert joined.cut
    assert joined.delivered == [1, *range(10, 10 + HELD)]


@pytest.mark.parametrize("key", [None, lambda value: None])
def test_answers_without_end_drop_the_oldest_and_that_is_told(key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new connection that brings no data holds no more than the bound."""
    monkeypatch.setattr(module, "HELD", 3)
    dropped: list[None] = []
    joined = Joined(key, dropped=lambda: dropped.append(None))
    joined.begin()
    for number in range(5):
        joined.new(number, live=key is not None)
    assert (joined.cut, len(dropped)) == (False, 2)
    joined.take_over()
    assert joined.delivered == [2, 3, 4]
    monkeypatch.setattr(module, "HELD", 0)
    assert Splice(key).new(1, live=False) is False  # and where nobody is told


@given(rounds=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.booleans()), max_size=12))
@example(rounds=[(13, 21, False), (0, 21, False), (0, 0, False)])
def test_memory_is_bounded_over_any_number_of_rotations(rounds: list[tuple[int, int, bool]]) -> None:
    """What is held, and what is remembered of before, of now and of lately."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "HELD", 20)
        patched.setattr(module, "RECENT", 8)
        joined, number = Joined(), 0
        for old, new, takes_over in rounds:
            joined.begin()
            for _ in range(old):
                number += 1
                joined.old([number]) if not joined.cut else None
            for each in range(1, new):
                joined.new(number + each)
            if not joined.cut and takes_over:
                joined.take_over()
            splice = joined.splice
            joined.cut = True
            assert len(splice._held) <= 20
            assert len(splice._recent) <= 8
            assert len(splice._seen) <= 20
            assert len(splice._before) <= 20
            splice.end()
            assert not (splice._held or splice._seen or splice._firsts or splice._awaited)


def test_topics_are_bounded_where_each_value_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key whose number stands first, say: those of the old one that are waited for, and those of the new one."""
    monkeypatch.setattr(module, "HELD", 20)
    joined = Joined(lambda number: (number, "trades"))
    joined.begin()
    for number in range(100):
        joined.splice.new(number, live=False)
        joined.old([1_000 + number])
    assert len(joined.splice._firsts) <= 20
    assert len(joined.splice._awaited) <= 20


def test_nothing_is_remembered_where_there_is_no_key() -> None:
    """Not even the latest."""
    joined = Joined(None)
    joined.old(range(10))
    joined.begin()
    joined.old(range(10))
    assert not (joined.splice._recent or joined.splice._seen)
