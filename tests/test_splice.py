"""How the values of two connections become one sequence."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import groupby
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws import splice as module
from rxws.rotation import Beginning, Ordered
from rxws.splice import HELD, RECENT, Splice, Step


class Joined:
    """Two connections through a splice, as an operator would hand them on; it notes all that is delivered."""

    def __init__(self, key: Callable[[Any], Hashable] | None = int, **told: Any) -> None:
        self.splice: Splice[Any] = Splice(key, **told)
        self.delivered: list[Any] = []
        self.cut = True

    def old(self, values: Iterable[Any]) -> None:
        """The current connection brings these."""
        for value in values:
            step = self.splice.old(value)
            if step is not Step.DROP:
                self.delivered.append(value)
            if step is Step.CUT:
                self.take_over()
                return

    def begin(self) -> None:
        """The next connection is dialled."""
        self.splice.begin()
        self.cut = False

    def new(self, value: Any, live: bool = True) -> None:
        """The new connection brings this; once it is the current one, that is no news."""
        if self.cut:
            self.old([value])
        elif self.splice.new(value, live):
            self.take_over()

    def take_over(self) -> None:
        """The old connection is closed."""
        assert not self.cut
        self.cut = True
        self.delivered += self.splice.rest()

    def interleave(self, old: Iterable[Any], new: Iterable[Any], turns: Iterable[bool]) -> None:
        """Both bring theirs, by turns (true: the new one), the old one until the cut."""
        olds, news = iter(old), iter(new)
        for is_new in turns:
            for value in [next(news if is_new else olds, None)]:
                if value is not None and is_new:
                    self.new(value)
                elif value is not None and not self.cut:
                    self.old([value])
        for value in olds:
            if not self.cut:
                self.old([value])
        for value in news:
            self.new(value)


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


# Topics that begin anew


class Line:
    """One connection to a book: a snapshot, then each change; asked for anew, it goes on from a later snapshot."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.is_begun = False

    def step(self, size: int, server: int) -> list[tuple[str, int]]:
        """It brings a snapshot if it has brought none, else up to `size` changes of those that there are."""
        if not self.is_begun:
            return self.renew(0, server)
        brought = range(self.at + 1, min(self.at + size, server) + 1)
        self.at = max(self.at, brought.stop - 1)
        return [Ordered(("book", number)) for number in brought]

    def renew(self, hole: int, server: int) -> list[tuple[str, int]]:
        """It brings the book as it was after `hole` changes that are not told."""
        self.at, self.is_begun = min(self.at + hole, server), True
        return [Beginning(("book", self.at))]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["server", "old", "new", "old renewed", "new renewed", "rotate", "lost", "forget"]),
        st.integers(0, 4),
    ),
    max_size=80,
)


@given(steps=STEPS)
@example(steps=[("server", 4), ("old", 4), ("rotate", 0), ("server", 4), ("new", 0), ("old renewed", 3), ("lost", 0)])
@example(steps=[("server", 4), ("old", 4), ("rotate", 0), ("new", 0), ("server", 2), ("new", 2), ("new renewed", 0)])
@example(steps=[("server", 4), ("old", 4), ("rotate", 0), ("server", 2), ("new", 0), ("old", 2), ("old renewed", 0)])
def test_a_book_that_begins_anew_on_either_connection_stays_whole(steps: list[tuple[str, int]]) -> None:
    """In an overlap, behind it and in the next: each change follows the one before it, or a snapshot; none is lost."""
    joined, server = Joined(lambda value: value), 0
    old, new = Line(0), Line(0)
    for what, size in [*steps, ("lost", 0), ("server", 4), ("old", 1_000), ("old", 1_000)]:
        if what == "server":
            server += size
        elif what == "old":
            joined.old(old.step(size, server))
        elif what == "old renewed":
            joined.old(old.renew(size, server))
        elif what == "rotate" and joined.cut:
            joined.begin()
            new = Line(max(0, server - size))
        elif what.startswith("new") and not joined.cut:
            for value in new.renew(size, server) if what == "new renewed" else new.step(size, server):
                joined.new(value)
        elif what == "lost" and joined.splice.delivers:
            joined.take_over()
        elif what == "lost" and not joined.cut:
            joined.splice.end()
            joined.cut = True
        elif what == "forget" and joined.cut and old.at >= max((number for _, number in joined.delivered), default=0):
            joined.splice.forget()
        if joined.cut and new.is_begun:
            old, new = new, Line(0)
    follows(joined.delivered)
    assert joined.delivered[-1][1] == server


def follows(book: list[tuple[str, int]]) -> None:
    """Each change follows what is before it."""
    at = None
    for key in book:
        assert type(key) is Beginning or key[1] == at + 1, book
        at = key[1]


def test_a_snapshot_of_its_own_is_no_duplicate_and_what_follows_it_comes() -> None:
    """Though the connection before it had delivered them; what it had of other topics is still delivered once."""
    joined = Joined(lambda value: value)
    joined.old([Beginning(("a", 1)), Beginning(("b", 1))])
    joined.begin()
    for value in (Beginning(("a", 1)), Beginning(("b", 1))):
        joined.new(value)
    assert joined.cut
    joined.begin()
    joined.old([("a", 2), ("a", 3), ("b", 2), ("b", 3)])
    for value in (Beginning(("a", 1)), Beginning(("b", 1))):
        joined.new(value)
    assert joined.cut
    told = len(joined.delivered)
    joined.old([("a", 2), ("b", 2), Beginning(("a", 2)), ("a", 3), ("b", 3), ("b", 4)])
    assert joined.delivered[told:] == [("a", 2), ("a", 3), ("b", 4)]


def test_a_new_one_that_is_behind_where_the_old_one_began_anew_catches_up_first() -> None:
    """What it brought is obsolete, though it was not delivered; it goes on where the old one was, or from its own."""
    for then, rest in (
        ([4, 5, 6, 7, 8], [Ordered(("a", 8))]),
        ([4, Beginning(("a", 6)), 7], [Beginning(("a", 6)), Ordered(("a", 7))]),
    ):
        joined = Joined(lambda value: value)
        joined.old([Ordered(("a", 1))])
        joined.begin()
        joined.new(Beginning(("a", 0)))
        for number in (1, 2, 3):
            joined.new(Ordered(("a", number)))
        joined.old([Ordered(("a", 2)), Beginning(("a", 6)), Ordered(("a", 7))])
        told = len(joined.delivered)
        joined.take_over()
        for key in then:
            joined.new(key if isinstance(key, tuple) else Ordered(("a", key)))
        assert joined.delivered[told:] == rest


@given(turns=st.lists(st.sampled_from(["old", "new", "market"]), max_size=60), hole=st.integers(0, 4))
def test_how_something_stands_never_goes_back(turns: list[str], hole: int) -> None:
    """A subscription begins with a state that the other connection may never bring; some states the old one misses."""
    joined, last = Joined(lambda value: value), 10
    joined.old([Ordered(("quote", number)) for number in range(1, 11)])
    joined.begin()
    old, new = 10, 9.5
    for turn in [*turns, "old", "new", "lost", "market", *["new"] * 80]:
        if turn == "market":
            last += 1
        elif turn == "old" and old < last and not joined.cut:
            old = min(last, old + 1 + hole)
            joined.old([Ordered(("quote", old))])
        elif turn == "new" and new < last:
            joined.new(Ordered(("quote", new)))
            new = int(new) + 1
        elif turn == "lost" and not joined.cut and new > old:  # it has caught up
            joined.take_over()
    if joined.cut:
        numbers = [number for _, number in joined.delivered]
        assert numbers == sorted(set(numbers))


def test_trades_that_the_old_one_missed_are_handed_on_however_late() -> None:
    """A plain tuple is one of which each counts."""
    for kind, rest in ((tuple, [4, 5, 7]), (Ordered, [7])):
        joined = Joined(lambda value: value)
        joined.begin()
        joined.new(kind(("a", 2)))
        for number in (3, 4, 5, 6, 7):
            joined.new(kind(("a", number)))
        joined.old([kind(("a", 1)), kind(("a", 3)), kind(("a", 6))])
        joined.old([kind(("a", 2))])
        assert joined.delivered[4:] == [("a", number) for number in rest]


@pytest.mark.parametrize("key", [(), ("book",), "book", 3, None])
def test_any_key_is_delivered_once_and_none_by_each(key: Hashable) -> None:
    """Also one that has no topic, or no number."""
    joined = Joined(lambda value: value)
    joined.begin()
    joined.old([key, key])
    joined.new(key)
    assert joined.delivered.count(key) == 2
