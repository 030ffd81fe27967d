"""A queue between a source and a slower subscriber: bounded, by a policy, and nothing is dropped in silence."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.testing import TestScheduler

import rxws
from rxws import Stats
from rxws.arguments import POLICIES
from rxws.errors import BufferOverflow, ConfigError, ConnectionClosed
from rxws.events import Event, Overflow
from rxws.operators import flatten, overflow
from tests.operators.hand import STAMP, Hand, closed, opened, stale
from tests.operators.seen import COMPLETED, Seen


def hand(maxsize: int = 3, policy: Any = "error", **options: Any) -> Hand:
    """Return a source that is queued."""
    return Hand(lambda hand: overflow(maxsize, policy, **{"told": hand.tell, **options}))


def test_values_come_in_order_after_the_source_went_on() -> None:
    """Nothing within the call that brought them."""
    fed = hand().at(5.0, 1, 2, 3)
    assert fed.values == []
    assert fed.at(5.1).values == [1, 2, 3]
    assert (fed.at(6.0, 4).at(6.1).values, fed.told, fed.timers) == ([1, 2, 3, 4], [], 0)


def test_a_turn_hands_on_what_fits_into_five_milliseconds_and_one_at_least() -> None:
    """Between two turns others have theirs."""
    fed = hand(100).at(5.0, *range(10))
    others: list[list[int]] = []
    fed.virtual.schedule_relative(0.001, lambda *_: others.append(fed.values))
    fed.on_seen = lambda value: fed.virtual.sleep(0.002)
    fed.at(6.0)
    assert fed.values == list(range(10))
    assert others == [[0, 1, 2]]
    slow = hand(100).at(5.0, 1, 2, 3)
    slow.on_seen = lambda value: (slow.virtual.sleep(1.0), slow.virtual.schedule(lambda *_: slow.messages.append("x")))
    assert [each if each == "x" else each[1] for each in slow.at(60.0).messages] == [1, "x", 2, "x", 3, "x"]


def test_what_comes_within_a_turn_waits_for_the_next() -> None:
    """So that a feedback stops no loop."""
    fed = hand().at(5.0, 1, 2)
    fed.on_seen = lambda value: fed.source.on_next(value + 2) if value < 5 else None
    fed.at(6.0)
    assert fed.values == [1, 2, 3, 4, 5, 6]
    fed = hand().at(5.0, 1)
    fed.on_seen = lambda value: (
        value == 1 and (fed.virtual.schedule(lambda *_: others.append(fed.values)), fed.at(5.0, 2))
    )
    others: list[list[int]] = []
    fed.at(6.0)
    assert (fed.values, others) == ([1, 2], [[1]])


@pytest.mark.parametrize(
    ("policy", "values", "dropped"),
    [("drop_oldest", [4, 5, 6], 3), ("drop_newest", [1, 2, 3], 3), ("latest", [6], 5)],
)
def test_what_finds_no_room_is_dropped_by_the_policy_and_counted(policy: Any, values: list[int], dropped: int) -> None:
    """The newest, the oldest, or all but the newest; and then there is room again."""
    stats = Stats()
    fed = hand(3, policy, stats=stats).at(5.0, 1, 2, 3, 4, 5, 6).at(5.1)
    assert (fed.values, stats.dropped) == (values, dropped)
    assert fed.at(6.0, 7).at(6.1).values == [*values, 7]
    assert sum(count for _, count in fed.ends().at(7.0).told) == stats.dropped == dropped


def test_with_error_what_waits_comes_and_then_the_error() -> None:
    """The source is left at once, and what it still says is not heard."""
    stats = Stats()
    fed = hand(3, stats=stats).at(5.0, 1, 2, 3)
    sources = list(fed.source.observers)
    fed.at(5.0, 4)
    assert fed.source.observers == []
    sources[0].on_next(5)
    *values, error = fed.at(6.0).values
    assert values == [1, 2, 3]
    assert isinstance(error, BufferOverflow)
    assert (error.size, error.dropped, stats.dropped, fed.told) == (3, 1, 1, [(5.0, 1)])
    assert fed.is_left


def test_a_source_that_emits_all_within_its_subscription_is_left_too() -> None:
    """What it says behind the error is not heard, its own end neither."""

    def all_at_once(observer: Any, _: object = None) -> Any:
        for value in range(6):
            observer.on_next(value)
        observer.on_completed()
        return Disposable()

    virtual, stats = TestScheduler(), Stats()
    seen = Seen(virtual, rx.Observable(all_at_once).pipe(overflow(2, stats=stats, told=bool)))
    virtual.advance_to(1.0)
    assert ([type(value) for value in seen.values], stats.dropped) == ([int, int, BufferOverflow], 1)


def test_the_end_comes_behind_what_waits() -> None:
    """Completion and error alike; with nothing that waits, in the next turn."""
    assert hand().at(5.0, 1, 2).ends().at(6.0).messages[-2:] == [(5.0, 2), (5.0, COMPLETED)]
    error = ConnectionClosed(1006)
    fed = hand().at(5.0, 1, 2).ends(error)
    assert fed.values == []
    fed.on_seen = lambda value: left.append(fed.is_left)
    left: list[bool] = []
    assert (fed.at(6.0).values, fed.is_left) == ([1, 2, error], True)
    assert left == [True, True, True]
    assert hand().ends().at(1.0).values == [COMPLETED]


def test_all_that_was_dropped_is_told_before_the_end() -> None:
    """As exactly as it is counted."""
    fed = hand(1, "drop_newest").at(5.0, 1, 2, 3, 4).ends()
    fed.on_seen = lambda value: told.append((value, sum(count for _, count in fed.told)))
    told: list[Any] = []
    fed.at(5.1)
    assert told == [(1, 1), (COMPLETED, 3)]


def test_events_take_no_room_and_are_not_dropped() -> None:
    """They keep their place among what is not dropped either."""
    fed = hand(2, "drop_oldest").at(5.0, opened(), 1, closed(), 2, opened(), 3, stale()).at(6.0)
    assert fed.values == [opened(), closed(), 2, opened(), 3, stale()]
    fed = hand(2, "latest").at(5.0, 1, closed(), 2, opened()).at(6.0)
    assert fed.values == [closed(), 2, opened()]
    fed = hand(1, "drop_newest").at(5.0, 1, closed(), 2, opened()).at(6.0)
    assert fed.values == [1, closed(), opened()]


def test_a_storm_of_events_has_a_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them are taken for values; when they have gone on, there is room again."""
    monkeypatch.setattr(sys.modules["rxws.operators._queueing"], "EVENTS", 2)
    fed = hand(1, "drop_oldest").at(5.0, opened(), closed(), stale("a"), stale("b")).at(6.0)
    assert fed.values == [opened(), closed(), stale("b")]
    assert fed.at(6.0, opened(), 1, closed()).at(7.0).values[3:] == [opened(), 1, closed()]


def test_what_is_told_says_of_which_connection() -> None:
    """By the latest event that came."""
    told: list[Overflow] = []
    hand(1, "drop_newest", told=told.append).at(5.0, opened(), 1, 2)
    assert [(each.where, each.dropped, each.generation, each.origin) for each in told] == [
        ("overflow", 1, 3, STAMP["origin"])
    ]


def test_without_anybody_who_is_told_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    """Once a minute."""
    hand(1, "drop_newest", told=None).at(5.0, 1, 2, 3)
    assert [each.getMessage() for each in caplog.records] == ["1 dropped so far by the operator overflow"]


def test_who_leaves_gets_nothing_more_and_leaves_no_turn() -> None:
    """Also within a value."""
    fed = hand().at(5.0, 1, 2)
    fed.seen.dispose()
    assert (fed.is_left, fed.at(6.0).values) == (True, [])
    fed = hand().at(5.0, 1, 2)
    fed.on_seen = lambda value: fed.seen.dispose()
    assert (fed.at(6.0).values, fed.is_left) == ([1], True)
    fed = Hand(lambda hand: lambda source: source.pipe(overflow(), ops.take(1))).at(5.0, 1, 2).at(6.0)
    assert (fed.values, fed.is_left) == ([1, COMPLETED], True)


def test_what_the_subscriber_raises_ends_it() -> None:
    """It is reported, for nobody else would hear it."""
    fed = hand().at(5.0, 1, 2)
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(6.0)
    assert (fed.values, fed.is_left) == ([1], True)


def test_two_subscribers_are_independent() -> None:
    """Each has its own queue."""
    fed = hand(1, "drop_newest").at(5.0, 1)
    second = Seen(fed.virtual, fed.stream)
    fed.at(5.0, 2).at(6.0)
    assert (fed.values, second.values) == ([1], [2])


async def test_on_a_loop_others_have_their_turns() -> None:
    """What consumes slowly does not stop what else runs; and each value is there."""
    loop = asyncio.get_running_loop()
    turns: list[int] = []
    seen: list[int] = []

    def slowly(value: int) -> None:
        until = loop.time() + 0.006
        while loop.time() < until:
            pass
        seen.append(value)

    done = asyncio.Event()
    rx.of(list(range(5))).pipe(flatten(), overflow()).subscribe(slowly, on_completed=done.set)
    assert seen == []
    while not done.is_set():
        turns.append(len(seen))
        await asyncio.sleep(0)
    assert {1, 2, 3, 4} <= set(turns)


def test_a_script_may_use_it() -> None:
    """Its values are the last ones."""
    got: list[int] = []
    rxws.run(rx.of(list(range(10))).pipe(flatten(), overflow(2, "drop_newest", told=bool)), got.append)
    assert got == [0, 1]


@given(
    st.lists(st.one_of(st.integers(), st.sampled_from(["turn", opened()])), max_size=40),
    st.integers(1, 4),
    st.sampled_from([each for each in POLICIES if each != "error"]),
)
def test_nothing_is_lost_that_is_not_counted(steps: list[Any], maxsize: int, policy: Any) -> None:
    """What came is what was dropped and what came out, in order; no event is missing; the policies by brute force."""
    stats = Stats()
    fed = hand(maxsize, policy, stats=stats)
    now, waiting, expected = 0.0, list[Any](), list[Any]()
    for step in steps:
        if step == "turn":
            now += 1.0
            fed.at(now)
            expected, waiting = expected + waiting, []
            continue
        fed.at(now, step)
        room = 1 if policy == "latest" else maxsize
        values = [each for each in waiting if not isinstance(each, Event)]
        if isinstance(step, Event) or len(values) < room:
            waiting.append(step)
        elif policy != "drop_newest":
            waiting.pop(next(at for at, each in enumerate(waiting) if not isinstance(each, Event)))
            waiting.append(step)
    fed.at(now + 1.0)
    assert fed.values == expected + waiting
    assert len(fed.values) + stats.dropped == sum(step != "turn" for step in steps)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"maxsize": 0}, "maxsize"),
        ({"maxsize": True}, "maxsize"),
        ({"policy": "block"}, "policy"),
        ({"told": 5}, "told"),
        ({"stats": 5}, "stats"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        overflow(**arguments)
    assert caught.value.field == field
