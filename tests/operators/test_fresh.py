"""A leg is fresh with each value, and dead once it can no longer be relied on: told once, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import ConnectionState, Event, TopicStatus
from rxws.market import Trade
from rxws.operators import fresh
from rxws.operators.fresh import Leg
from tests.operators.hand import STAMP, Hand, changed, closed, opened, rejected, stale
from tests.operators.seen import COMPLETED, Seen


def hand(max_age: float | None = 5.0, begins: float = 0.0) -> Hand:
    """Return a source whose values age."""
    return Hand(fresh(max_age), begins)


def told(fed: Hand) -> list[Any]:
    """When, which value, and why it does not hold."""
    return [(at, each.value, each.why) if isinstance(each, Leg) else (at, each) for at, each in fed.messages]


def test_each_value_is_a_fresh_leg() -> None:
    """With the value as it came."""
    [leg] = hand().at(1.0, {"p": 1}).values
    assert leg == Leg(value={"p": 1}, is_fresh=True, why="", origin="", age=0.0)


def test_one_that_falls_silent_is_told_dead_once() -> None:
    """With its last value, and that one's age; then it is alive again with the next."""
    fed = hand().at(1.0, 1).at(3.0, 2).at(100.0, 3).at(200.0)
    assert told(fed) == [(1.0, 1, ""), (3.0, 2, ""), (8.0, 2, "silent"), (100.0, 3, ""), (105.0, 3, "silent")]
    assert [(leg.is_fresh, leg.age) for leg in fed.values[1:3]] == [(True, 0.0), (False, 5.0)]
    assert fed.timers == 0


def test_one_that_never_says_anything_is_dead_too() -> None:
    """So that who combines does not wait for ever; with no value, and no age."""
    fed = hand(begins=1.0).at(100.0)
    assert fed.messages == [(6.0, Leg(value=None, is_fresh=False, why="silent", origin="", age=None))]
    assert told(fed.at(101.0, 1))[1:] == [(101.0, 1, "")]


def test_none_is_a_value() -> None:
    """It has an age."""
    assert [leg.age for leg in hand().at(1.0, None).at(50.0).values] == [0.0, 5.0]


def test_without_an_age_only_events_tell() -> None:
    """And there is no timer."""
    fed = hand(None).at(1.0, 1).at(500.0, closed())
    assert (told(fed), fed.timers) == ([(1.0, 1, ""), (500.0, 1, "closed")], 0)
    assert [leg.age for leg in fed.values] == [0.0, 499.0]


def test_a_lost_connection_is_a_dead_leg_until_the_next_value() -> None:
    """Not until one opens; and nothing is told twice."""
    fed = hand().at(1.0, 1).at(2.0, closed(), closed(), stale()).at(3.0, opened()).at(50.0).at(51.0, 2)
    assert told(fed) == [(1.0, 1, ""), (2.0, 1, "closed"), (51.0, 2, "")]
    assert hand().at(1.0, 1, closed()).timers == 0
    assert told(hand().at(1.0, closed()).at(50.0)) == [(1.0, None, "closed")]


def test_a_stream_that_says_it_is_stale_is_a_dead_leg() -> None:
    """For one topic, or all of it."""
    assert told(hand().at(1.0, 1).at(2.0, stale()).at(50.0)) == [(1.0, 1, ""), (2.0, 1, "stale")]
    assert told(hand().at(1.0, 1).at(2.0, stale("trades")).at(50.0)) == [(1.0, 1, ""), (2.0, 1, "stale")]


@pytest.mark.parametrize(("event", "why"), [(rejected(), "rejected"), (changed(TopicStatus.TIMED_OUT), "silent")])
def test_a_topic_that_brings_nothing_is_a_dead_leg(event: Event, why: str) -> None:
    """Whoever combines need not wait for its age."""
    assert told(hand(None).at(1.0, event).at(50.0)) == [(1.0, None, why)]
    assert told(hand().at(1.0, 1).at(2.0, event).at(50.0)) == [(1.0, 1, ""), (2.0, 1, why)]


@pytest.mark.parametrize("status", [each for each in TopicStatus if each is not TopicStatus.TIMED_OUT])
def test_no_other_news_of_a_topic_kills_a_leg(status: TopicStatus) -> None:
    """One that is refused is told as such."""
    assert told(hand().at(1.0, 1).at(2.0, changed(status))) == [(1.0, 1, "")]


def test_a_rotation_kills_no_leg() -> None:
    """What ends there leaves a connection."""
    fed = hand().at(1.0, 1).at(2.0, closed(ConnectionState.CONNECTED), opened()).at(5.9)
    assert told(fed) == [(1.0, 1, "")]


def test_it_says_where_it_comes_from() -> None:
    """By the latest event, else by the venue of what it is."""
    one = Decimal(1)
    trade = Trade(venue="okx", symbol="s", price=one, size=one, side=None, id="", time_ns=0)
    fed = hand().at(1.0, 5, trade).at(2.0, opened(), trade, 5)
    assert [leg.origin for leg in fed.values] == ["", "okx", STAMP["origin"], STAMP["origin"]]


@pytest.mark.parametrize("error", [None, ConnectionClosed(1006)])
def test_the_end_of_the_source_is_told_and_then_it_ends(error: Any) -> None:
    """Also where it was dead already: nothing follows any more."""
    last = COMPLETED if error is None else error
    fed, left = hand().at(1.0, 1).at(2.0), list[bool]()
    fed.on_seen = lambda leg: left.append(fed.is_left)
    fed.ends(error)
    assert left == [True, True]  # before anybody hears of it
    assert told(fed) == [(1.0, 1, ""), (2.0, 1, "ended"), (2.0, last)]
    assert (fed.values[1].is_fresh, fed.values[1].age, fed.is_left) == (False, 1.0, True)
    fed = hand().at(1.0, 1, closed()).ends(error)
    assert [each[1:] for each in told(fed)] == [(1, ""), (1, "closed"), (1, "ended"), (last,)]


def test_combined_it_tells_at_each_moment_which_leg_is_dead() -> None:
    """With combine_latest."""
    a, b = hand(), hand(2.0)
    b.virtual = a.virtual
    both = rx.combine_latest(a.stream, b.stream).pipe(ops.map(lambda legs: [leg.why or leg.value for leg in legs]))
    seen = Seen(a.virtual, both)
    a.at(1.0, 100)
    b.source.on_next(7)
    a.at(2.0, 101).at(4.0, 102).at(5.0)
    b.source.on_next(8)
    a.at(6.5, closed())
    assert seen.messages == [
        (1.0, [100, 7]),
        (2.0, [101, 7]),
        (3.0, [101, "silent"]),
        (4.0, [102, "silent"]),
        (5.0, [102, 8]),
        (6.5, ["closed", 8]),
    ]


def test_what_had_arrived_before_a_busy_loop_went_on_is_read_first() -> None:
    """Its timer fires before the socket is read."""
    fed = hand().at(1.0, 1)
    fed.virtual.schedule_absolute(6.0, lambda *_: fed.virtual.schedule(lambda *_: fed.source.on_next(2)))
    fed.at(10.0)
    assert told(fed) == [(1.0, 1, ""), (6.0, 2, "")]


def test_a_value_touches_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand of them cost one."""
    fed, scheduled = hand().at(1.0), list[float]()
    relative = fed.virtual.schedule_relative
    monkeypatch.setattr(
        fed.virtual, "schedule_relative", lambda due, *rest: (scheduled.append(due), relative(due, *rest))[1]
    )
    fed.at(1.0, *range(100)).at(3.0, *range(100))
    assert (fed.timers, scheduled) == (1, [])
    assert told(fed.at(50.0))[-1] == (8.0, 99, "silent")


@given(st.lists(st.integers(1, 40), max_size=30), st.sampled_from([0.1, 0.7, 2.5]))
def test_dead_is_what_was_silent(waits: list[int], max_age: float) -> None:
    """By brute force: between two values that are farther apart than the age, and after the last."""
    fed, now, times = hand(max_age), 0.0, [0.0]
    for wait in waits:
        now += wait / 8 + 1 / 1024
        times.append(now)
        fed.at(now, now)
    fed.at(now + 10.0)
    dead = [at for at, leg in fed.messages if not leg.is_fresh]
    expected = [at + max_age for at, after in zip(times, [*times[1:], now + 10.0], strict=True) if after > at + max_age]
    assert dead == pytest.approx(expected, abs=1e-5)
    assert [leg.value for leg in fed.values if leg.is_fresh] == times[1:]


def test_who_leaves_gets_nothing_more() -> None:
    """And no timer is left."""
    fed = hand().at(1.0, 1)
    fed.seen.dispose()
    assert (fed.is_left, told(fed.at(50.0))) == (True, [(1.0, 1, "")])
    fed = Hand(lambda _: lambda source: source.pipe(fresh(5.0), ops.take(1))).at(1.0, 1, 2).ends()
    assert ([each[1:] for each in told(fed)], fed.is_left) == ([(1, ""), (COMPLETED,)], True)


def test_what_the_subscriber_raises_at_a_timers_leg_ends_it() -> None:
    """It is reported."""
    fed = hand().at(1.0, 1)
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(50.0)
    assert fed.is_left


def test_two_subscribers_are_independent() -> None:
    """Each ages by itself, from its own beginning."""
    fed = hand().at(1.0, 1).at(4.0)
    second = Seen(fed.virtual, fed.stream)
    fed.at(50.0)
    assert told(fed) == [(1.0, 1, ""), (6.0, 1, "silent")]
    assert [(at, leg.value, leg.why) for at, leg in second.messages] == [(9.0, None, "silent")]


@pytest.mark.parametrize("max_age", [0.0, -1.0, "5"])
def test_a_wrong_age_is_named(max_age: Any) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        fresh(max_age)
    assert caught.value.field == "max_age"
