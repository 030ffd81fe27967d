"""Sequences of which the order matters, and that begin anew: two connections of a book, or of how something stands."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws.rotation import Beginning, Ordered
from tests.joined import Joined


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
@example(
    steps=[
        *[("server", 1), ("rotate", 0), ("new", 0), ("lost", 0)],
        *[("rotate", 1), ("new", 0), ("new renewed", 0), ("new", 1)],
    ]
)
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


def keys(*numbers: int | Beginning) -> list[Hashable]:
    """Keys of one topic."""
    return [number if isinstance(number, Beginning) else Ordered(("a", number)) for number in numbers]


def begins(number: int) -> Beginning:
    """The key with which the topic begins anew."""
    return Beginning(("a", number))


@pytest.mark.parametrize("delivered", [4, 2_000], ids=["lately", "long ago"])
def test_what_was_obsolete_before_the_next_overlap_is_no_duplicate_in_it(delivered: int) -> None:
    """Neither what the connection before the current one had told, nor what is still remembered of before that."""
    joined = Joined(lambda value: value)
    joined.old(keys(1))
    joined.begin()
    joined.old(keys(*range(2, delivered + 1)))
    joined.new(begins(1))  # the next is behind by all of these
    assert joined.cut
    joined.old(keys(begins(2), 3))
    joined.begin()
    told = len(joined.delivered)
    for key in keys(begins(3), 4, 5):
        joined.new(key)
    if not joined.cut:
        joined.take_over()
    assert joined.delivered[told:] == keys(4, 5)


def test_what_has_begun_anew_in_an_overlap_is_known_though_the_last_one_is_forgotten() -> None:
    """Whatever was told since is not told twice."""
    joined = Joined(lambda value: value)
    joined.old(keys(1))
    joined.begin()
    joined.old(keys(begins(2), 3))
    joined.splice.forget()
    for key in keys(begins(2), 3, 4):
        joined.new(key)
    assert joined.delivered == keys(1, begins(2), 3, 4)


def test_an_obsolete_first_does_not_ask_for_the_cut() -> None:
    """The old one has told what follows it, but not since it began anew."""
    joined = Joined(lambda value: value)
    joined.old(keys(1))
    joined.begin()
    joined.old(keys(2, 3, begins(6)))
    joined.new(begins(2))
    assert not joined.cut


def test_a_beginning_of_its_own_brings_one_that_is_behind_up_to_date() -> None:
    """What it brought before that is obsolete, and what follows is not."""
    joined = Joined(lambda value: value)
    joined.old(keys(1))
    joined.begin()
    for key in keys(begins(1), begins(5)):
        joined.splice.new(key)
    joined.old(keys(begins(6)))
    assert joined.cut
    joined.new(Ordered(("a", 6)))
    assert joined.delivered[2:] == keys(begins(5), 6)


def test_one_that_is_behind_is_so_no_longer_than_what_was_told_is_remembered() -> None:
    """Its numbers may never be those of the old one."""
    joined = Joined(lambda value: value)
    joined.old(keys(1))
    joined.begin()
    joined.splice.new(begins(1))
    joined.old(keys(begins(6)))
    assert joined.cut
    for key in keys(2, 3):
        joined.new(key)
    assert joined.delivered[2:] == []
    joined.splice.forget()
    joined.new(Ordered(("a", 9)))
    assert joined.delivered[2:] == keys(9)


@pytest.mark.parametrize("is_renewed", [False, True], ids=["not yet", "already"])
def test_a_snapshot_that_was_asked_for_comes_though_its_number_was_told(is_renewed: bool) -> None:
    """Where the old one has brought its own, it is no news."""
    joined = Joined(lambda value: value)
    joined.old(keys(99))
    joined.begin()
    joined.new(("b", 1))
    joined.old(keys(100, 101, 102, 103))
    for key in keys(begins(100), 101, 102, begins(103), 104):
        joined.new(key)
    if is_renewed:
        joined.old(keys(begins(103)))
    told = len(joined.delivered)
    joined.take_over()
    assert joined.delivered[told:] == [("b", 1), *([] if is_renewed else keys(begins(103))), *keys(104)]
