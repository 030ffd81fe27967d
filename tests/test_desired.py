"""What is wanted of a venue: changed at any time, told to whoever asks for it, and where each topic stands."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from rxws.desired import Topics
from rxws.errors import ConfigError
from rxws.events import TopicStatus

LIVE, REQUESTED = TopicStatus.LIVE, TopicStatus.REQUESTED


class Asking:
    """Notes what it is told."""

    def __init__(self, **statuses: TopicStatus) -> None:
        self.statuses = statuses
        self.changes = 0
        self.renewed: list[str] = []

    def changed(self) -> None:
        self.changes += 1

    def renew(self, topic: str) -> None:
        self.renewed.append(topic)


def test_each_is_wanted_once_and_keeps_its_place() -> None:
    """In the order in which they were first wanted."""
    topics = Topics(["a", "b", "a"])
    topics.add("c", "a")
    assert list(topics) == ["a", "b", "c"]
    assert (len(topics), "c" in topics, "d" in topics) == (3, True, False)


def test_those_that_stay_keep_their_place_when_all_are_replaced() -> None:
    """So that nothing is asked for in another order than it was."""
    topics = Topics(["a", "b", "c"])
    topics.replace(["d", "c", "a"])
    assert list(topics) == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("method", "given", "is_one"),
    [
        ("add", ["c"], True),
        ("add", ["a"], False),
        ("discard", ["a"], True),
        ("discard", ["c"], False),
        ("discard", ["a", "a"], True),
        ("replace", [["a"]], True),
        ("replace", [["a", "c"]], True),
        ("replace", [["a", "b", "c"]], True),
        ("replace", [["b", "a"]], False),
        ("replace", [[]], True),
    ],
)
def test_only_a_real_change_is_told(method: str, given: list[Any], is_one: bool) -> None:
    """Once each, to all who ask."""
    topics, first, second = Topics(["a", "b"]), Asking(), Asking()
    topics.join(first)
    topics.join(second)
    getattr(topics, method)(*given)
    assert (first.changes, second.changes) == (is_one, is_one)


def test_who_has_left_is_told_nothing_more() -> None:
    """Leaving twice is leaving once."""
    topics, asking = Topics(), Asking()
    topics.join(asking)
    topics.leave(asking)
    topics.leave(asking)
    topics.add("a")
    topics.renew("a")
    assert (asking.changes, asking.renewed) == (0, [])


def test_who_leaves_while_it_is_told_costs_nobody_the_news() -> None:
    """All who were there hear of a change."""
    topics, second = Topics(), Asking()

    class Leaving(Asking):
        def changed(self) -> None:
            topics.leave(self)

    topics.join(Leaving())
    topics.join(second)
    topics.add("a")
    assert second.changes == 1


def test_only_what_is_wanted_is_renewed() -> None:
    """By all who ask; and it is said which is."""
    topics, asking = Topics(["a"]), Asking()
    topics.join(asking)
    assert (topics.renew("a"), topics.renew("b")) == (True, False)
    assert asking.renewed == ["a"]


def test_a_topic_stands_where_it_has_got_furthest() -> None:
    """Of two connections that overlap, the one that brings data counts."""
    topics = Topics(["a", "b", "c"])
    order = [LIVE, TopicStatus.ACKNOWLEDGED, REQUESTED, TopicStatus.TIMED_OUT, TopicStatus.REJECTED]
    for better, worse in pairwise(order):
        both = [Asking(a=worse), Asking(a=better, d=LIVE)]
        for asking in both:
            topics.join(asking)
        assert topics.status("a") is better
        assert topics.statuses == {"a": better, "b": REQUESTED, "c": REQUESTED}
        assert topics.status("d") is None
        for asking in both:
            topics.leave(asking)
    assert topics.status("a") is REQUESTED


@pytest.mark.parametrize("wrong", ["btcusdt@trade", b"btcusdt@trade", [""], [None], [b"a"], None, 7], ids=repr)
def test_what_can_be_no_topics_is_refused_and_changes_nothing(wrong: Any) -> None:
    """One string is letters, and no list of topics."""
    with pytest.raises(ConfigError, match="topics"):
        Topics(wrong)
    topics = Topics(["a"])
    with pytest.raises(ConfigError, match="topics"):
        topics.replace(wrong)
    assert list(topics) == ["a"]


def test_ten_thousand_are_added_one_by_one_in_no_time() -> None:
    """Each costs what it costs alone: `multiplex` adds them so."""
    topics, asking = Topics(), Asking()
    topics.join(asking)
    for number in range(10_000):
        topics.add(str(number))
    for number in range(10_000):
        topics.discard(str(number))
    assert (len(topics), asking.changes) == (0, 20_000)
