"""Topics that fall silent while others go on, in virtual time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex.testing import TestScheduler

from rxws.errors import ConfigError, ConnectionClosed
from rxws.operators import topic_timeout
from tests.operators.seen import COMPLETED, Seen

TIMEOUT = 5.0


class Feed:
    """A source that is driven by hand, watched; and what was told of its topics."""

    def __init__(self, timeout: float | None = TIMEOUT, topic: Callable[[Any], Hashable] = str, **options: Any) -> None:
        self.virtual = TestScheduler()
        self.source: Subject[Any] = Subject()
        self.stale: list[tuple[float, Hashable, float]] = []
        self.on_stale: Callable[[Hashable], object] = bool
        self.watch = topic_timeout(timeout, topic, self._told, **options)
        self.seen = Seen(self.virtual, self.source.pipe(self.watch))

    def at(self, seconds: float, *values: Any) -> Feed:
        """Emit `values` at a time."""
        self.virtual.advance_to(seconds)
        for value in values:
            self.source.on_next(value)
        return self

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)

    def _told(self, topic: Hashable, silent: float) -> None:
        self.stale.append((self.virtual.clock, topic, silent))
        self.on_stale(topic)


def test_a_topic_that_falls_silent_is_told_once_a_silence() -> None:
    """And again after it has brought something, and fallen silent again."""
    feed = Feed().at(1.0, "a", "b")
    for second in range(2, 40):
        feed.at(second, "b", *(["a"] if second == 20 else []))
    assert feed.stale == [(6.0, "a", 5.0), (25.0, "a", 5.0)]
    assert feed.seen.values.count("b") == 39


def test_all_that_fall_silent_together_are_told_together() -> None:
    """In the order in which they were heard last."""
    feed = Feed().at(1.0, "a", "b", "c").at(2.0, "a").at(60.0)
    assert [(at, topic) for at, topic, _ in feed.stale] == [(6.0, "b"), (6.0, "c"), (7.0, "a")]


def test_what_comes_at_the_last_moment_counts() -> None:
    """At the very instant too, whichever of the two is asked first."""
    feed = Feed().at(1.0, "a")
    feed.virtual.schedule_absolute(6.0, lambda *_: feed.source.on_next("a"))
    feed.at(10.9)
    assert feed.stale == []
    assert feed.at(60.0).stale == [(11.0, "a", 5.0)]


@pytest.mark.parametrize("instant", [0.1, 0.3, 1.1, 1.7, 1_000_000.1, 123_456.789012])
@pytest.mark.parametrize("timeout", [0.1, 0.7, 5.0, 3600.0])
def test_what_floats_make_of_a_sum_stops_no_clock(instant: float, timeout: float) -> None:
    """6.1 - 1.1 is less than 5: a timer for the rest would never be over, in virtual time."""
    feed = Feed(timeout).at(instant, "a").at(instant + timeout / 3, "b").at(instant + 3 * timeout)
    assert [topic for _, topic, _ in feed.stale] == ["a", "b"]
    assert all(timeout - 1e-5 <= at - instant <= timeout * 1.4 for at, _, _ in feed.stale)


def test_a_value_without_a_topic_is_nobody_s() -> None:
    """It is handed on."""
    feed = Feed(topic=lambda value: None).at(1.0, "a").at(60.0)
    assert (feed.stale, feed.timers, feed.seen.values) == ([], 0, ["a"])


def test_without_a_timeout_the_source_is_the_result() -> None:
    """Nothing stands between."""
    source: Subject[Any] = Subject()
    assert source.pipe(topic_timeout(None, str, print)) is source


def test_two_subscribers_are_independent() -> None:
    """Each has its own topics, and its own clock."""
    feed = Feed().at(1.0, "a").at(4.0)
    stream = feed.source.pipe(feed.watch)
    second = Seen(feed.virtual, stream)
    feed.at(4.5, "a")
    feed.seen.dispose()
    feed.at(60.0)
    assert feed.stale == [(9.5, "a", 5.0)]
    second.dispose()


@pytest.mark.parametrize(("end", "last"), [("on_completed", COMPLETED), ("on_error", ConnectionClosed)])
def test_when_the_source_ends_nothing_is_told_any_more(end: str, last: Any) -> None:
    """And no timer is left."""
    feed = Feed().at(1.0, "a")
    getattr(feed.source, end)(*([] if last is COMPLETED else [last(1006)]))
    assert feed.timers == 0
    assert feed.at(60.0).stale == []


def test_disposed_it_leaves_no_timer() -> None:
    """Also where it is disposed by who is told: the others that are silent as well are not told."""
    feed = Feed().at(1.0, "a", "b")
    feed.on_stale = lambda topic: feed.seen.dispose()
    feed.at(60.0)
    assert ([topic for _, topic, _ in feed.stale], feed.timers) == (["a"], 0)


def test_who_is_told_may_bring_the_topic_back() -> None:
    """A callback that asks for it again, and gets an answer at once."""
    feed = Feed().at(1.0, "a")
    feed.on_stale = lambda topic: feed.source.on_next(topic)
    assert [at for at, _, _ in feed.at(17.0).stale] == [6.0, 11.0, 16.0]


# What the caller's functions raise


def raising(value: Any) -> Hashable:
    """Knows only what has an s."""
    return str(value["s"])


def test_what_topic_raises_is_the_results_error() -> None:
    """Nothing is raised into the source, and no timer is left."""
    feed = Feed(topic=raising).at(1.0, {"s": "a"}, {"result": None}, {"s": "b"})
    assert isinstance(feed.seen.values[-1], KeyError)
    assert (len(feed.seen.values), feed.timers) == (2, 0)


def test_a_topic_that_cannot_be_hashed_is_an_error_too() -> None:
    """A list, say."""
    assert isinstance(Feed(topic=lambda value: [value]).at(1.0, "a").seen.values[-1], TypeError)


def test_where_somebody_wants_to_hear_of_it_the_value_belongs_to_none() -> None:
    """It is handed on, and the others are watched."""
    failed: list[Exception] = []
    feed = Feed(topic=raising, failed=failed.append).at(1.0, {"s": "a"}, {"result": None}, {"s": "b"}).at(60.0)
    assert [type(error) for error in failed] == [KeyError]
    assert ([topic for _, topic, _ in feed.stale], len(feed.seen.values)) == (["a", "b"], 3)


def test_what_stale_raises_is_the_results_error() -> None:
    """It is raised by a timer, where nobody would hear it."""
    feed = Feed().at(1.0, "a", "b")
    feed.on_stale = raising
    feed.at(60.0)
    assert isinstance(feed.seen.values[-1], TypeError)
    assert ([topic for _, topic, _ in feed.stale], feed.timers) == (["a"], 0)


# Cost and bounds


def test_a_thousand_topics_cost_a_message_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One timer for all; a message touches none, and looks at no other topic."""
    feed = Feed().at(1.0, *range(1_000))
    scheduled: list[float] = []
    relative = feed.virtual.schedule_relative
    monkeypatch.setattr(
        feed.virtual, "schedule_relative", lambda due, *rest: (scheduled.append(due), relative(due, *rest))[1]
    )
    assert feed.timers == 1
    for tenth in range(100):
        feed.at(1.0 + tenth / 10, *range(1_000))
    assert (feed.timers, feed.stale) == (1, [])
    assert len(scheduled) <= 4


def test_of_too_many_topics_those_that_were_silent_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes an id of each value has a bound all the same."""
    monkeypatch.setattr(sys.modules["rxws.operators.topic_timeout"], "MOST", 3)
    feed = Feed().at(1.0, "a", "b", "c").at(2.0, "a").at(3.0, "d").at(60.0)
    assert [topic for _, topic, _ in feed.stale] == ["c", "a", "d"]


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from("abc")), max_size=30))
def test_told_is_what_was_silent(steps: list[tuple[int, str]]) -> None:
    """By brute force: each silence of `timeout` after a value is told once, at its time."""
    feed, last, expected, now = Feed(), dict[str, int](), list[tuple[float, str]](), 0
    for wait, topic in steps:
        now += wait
        feed.at(now / 4, topic)
        if topic in last and now - last[topic] >= 4 * TIMEOUT:
            expected.append((last[topic] / 4 + TIMEOUT, topic))
        last[topic] = now
    feed.at(now / 4 + 100.0)
    expected += [(at / 4 + TIMEOUT, topic) for topic, at in last.items()]
    assert sorted((at, str(topic)) for at, topic, _ in feed.stale) == sorted(expected)


# A busy loop, and a connection that is paused


def test_a_loop_that_was_busy_does_not_make_topics_stale() -> None:
    """Its timer fires before what has arrived is read; that time is given back, once."""
    feed = Feed().at(1.0, "a", "b")
    feed.virtual.sleep(7.0)
    feed.virtual.schedule_relative(0.5, lambda *_: feed.source.on_next("a"))
    feed.at(60.0)
    assert [(at, topic) for at, topic, _ in feed.stale] == [(10.0, "b"), (13.5, "a")]


class Link:
    """What is asked of a connection."""

    def __init__(self) -> None:
        self.reads = 0
        self.reading_since = 0.0


def test_a_pause_is_no_silence() -> None:
    """Silence counts from when it could be heard."""
    link = Link()
    feed = Feed(connection=lambda: link).at(1.0, "a")
    for second in range(2, 41):  # paused from 2 to 40
        feed.virtual.schedule_absolute(second, lambda *_: setattr(link, "reading_since", feed.virtual.clock))
    assert feed.at(44.9).stale == []
    assert feed.at(60.0).stale == [(45.0, "a", 5.0)]


def test_what_the_socket_still_brings_is_waited_for() -> None:
    """As long as it is read in each turn of the loop, for a while."""
    link, turns = Link(), list[int]()
    feed = Feed(connection=lambda: link).at(1.0, "a")

    def read(*_: object) -> None:
        link.reads += 1
        turns.append(1)
        if len(turns) == 20:
            feed.source.on_next("a")
        elif len(turns) < 20:
            feed.virtual.schedule(read)

    feed.virtual.schedule_absolute(6.0, read)
    assert feed.at(10.9).stale == []
    assert feed.at(60.0).stale == [(11.0, "a", 5.0)]


# Arguments


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0.0, str, print), "topic_timeout"),
        ((-1.0, str, print), "topic_timeout"),
        ((True, str, print), "topic_timeout"),
        ((5.0, "s", print), "topic"),
        ((5.0, str, None), "stale"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        topic_timeout(*arguments)
    assert caught.value.field == field
