"""At most one value a key every so often, the latest; nothing is lost at the end, or in silence."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

import rxws
from rxws import Stats, ws_observable
from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import Event, Overflow
from rxws.operators import conflate, decode
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.hand import STAMP, Hand, closed, opened
from tests.operators.seen import COMPLETED, Seen


def first(value: str) -> str | None:
    """The key of "a1" is "a"; that of "-1" is none."""
    return None if value[0] == "-" else value[0]


def hand(every: float = 1.0, key: Any = first, merge: Any = None, **options: Any) -> Hand:
    """Return a source that is conflated."""
    return Hand(lambda hand: conflate(every, key, merge, **{"told": hand.tell, **options}))


def test_the_first_comes_at_once_then_the_latest_of_each_interval() -> None:
    """And after an interval in which nothing came, the next at once again."""
    fed = hand().at(5.0, "a1").at(5.2, "a2").at(5.9, "a3").at(6.5, "a4").at(9.0, "a5").at(20.0)
    assert fed.messages == [(5.0, "a1"), (6.0, "a3"), (7.0, "a4"), (9.0, "a5")]
    assert fed.timers == 0


def test_keys_are_conflated_each_by_itself() -> None:
    """By whatever can be hashed."""
    fed = hand().at(5.0, "a1", "b1", "a2", "b2").at(5.5, "c1", "c2").at(20.0)
    at_once = [(5.0, "a1"), (5.0, "b1"), (5.5, "c1")]
    assert fed.messages == [*at_once, (6.0, "a2"), (6.0, "b2"), (6.5, "c2")]


def test_without_a_key_all_values_are_of_one() -> None:
    """The latest of them all."""
    assert hand(key=None).at(5.0, "a1", "b1", "c1").at(20.0).messages == [(5.0, "a1"), (6.0, "c1")]


def test_a_value_without_a_key_passes_at_once() -> None:
    """An acknowledgement among quotes; nothing is conflated with it, and what waits goes on waiting."""
    fed = hand().at(5.0, "a1", "a2", "-1", "-2").at(20.0)
    assert fed.messages == [(5.0, "a1"), (5.0, "-1"), (5.0, "-2"), (6.0, "a2")]
    assert fed.told == []


def test_values_that_are_due_together_come_in_the_order_in_which_their_keys_began_to_wait() -> None:
    """And not in that of the latest values, or of the intervals."""
    fed = hand().at(5.0, "a1", "b1", "c1").at(5.1, "c2").at(5.2, "a2").at(5.3, "b2", "c3").at(6.0)
    assert fed.values[3:] == ["c3", "a2", "b2"]


def test_what_waits_may_be_merged() -> None:
    """Nothing is dropped then: `merge` has had it."""
    stats = Stats()
    fed = hand(merge=lambda old, new: old + new[1:], stats=stats).at(5.0, "a1", "a2", "a3", "a4").at(20.0)
    assert fed.messages == [(5.0, "a1"), (6.0, "a234")]
    assert (fed.told, stats.dropped) == ([], 0)


def test_nothing_is_lost_at_the_end() -> None:
    """What waits comes before the completion, in the order in which it began to wait, and before an error too."""
    fed = hand().at(5.0, "a1").at(5.1, "b1").at(5.2, "b2").at(5.3, "a2")
    assert fed.ends().values == ["a1", "b1", "b2", "a2", COMPLETED]
    assert fed.is_left
    error = ConnectionClosed(1006)
    fed = hand().at(5.0, "a1", "a2").ends(error)
    assert (fed.messages, fed.is_left) == ([(5.0, "a1"), (5.0, "a2"), (5.0, error)], True)


# Events


def test_an_event_passes_at_once_behind_what_waits() -> None:
    """Its order among the values is kept."""
    fed = hand().at(5.0, opened(), "a1", "a2").at(5.5, closed()).at(20.0)
    assert fed.messages == [(5.0, opened()), (5.0, "a1"), (5.5, "a2"), (5.5, closed())]


def test_what_came_before_its_time_for_an_event_begins_an_interval() -> None:
    """The next of that key waits for its end."""
    fed = hand().at(5.0, "a1", "a2").at(5.5, closed()).at(5.6, "a3").at(20.0)
    assert fed.messages[-1] == (6.5, "a3")


def test_what_came_before_its_time_does_not_hold_up_others() -> None:
    """Their intervals end when they end."""
    fed = hand().at(5.0, "a1", "a2").at(5.25, "b1").at(5.5, closed(), "a3", "b2").at(20.0)
    assert fed.messages[-2:] == [(6.25, "b2"), (6.5, "a3")]


def test_an_event_behind_which_somebody_leaves_is_not_seen() -> None:
    """Nor are the others that waited."""
    fed = Hand(lambda hand: lambda source: source.pipe(conflate(1.0, first, told=hand.tell), ops.take(3)))
    fed.at(5.0, "a1", "b1", "a2", "b2").at(5.5, closed())
    assert (fed.values, fed.is_left) == (["a1", "b1", "a2", COMPLETED], True)


# What is told


def test_what_was_replaced_is_counted_and_told_at_once_then_seldom_and_at_the_end() -> None:
    """Exactly, with the origin of the latest event."""
    stats, told = Stats(), list[Overflow]()
    fed = hand(told=told.append, stats=stats).at(5.0, opened(), "a1", "a2", "a3", "a4").at(7.0, "a5", "a6", "a7")
    assert stats.dropped == 3
    assert [(each.where, each.dropped) for each in told] == [("conflate", 1)]
    fed.at(10.0)
    assert [each.dropped for each in told] == [1, 2]
    fed.at(11.0, "b1", "b2", "b3").ends()
    assert [each.dropped for each in told] == [1, 2, 1]
    assert sum(each.dropped for each in told) == stats.dropped == 4
    assert [(each.generation, each.origin, each.state) for each in told] == [(3, STAMP["origin"], opened().state)] * 3
    assert told[-1].time_ns == 11_000_000_000


def test_without_anybody_who_is_told_the_log_has_it_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Not in silence, and not in a storm."""
    caplog.set_level(logging.INFO, "rxws")
    fed = hand(told=None)
    for second in range(100):
        fed.at(5.0 + second, "a1", "a2", "a3")
    records = [each for each in caplog.records if each.name == "rxws"]
    assert [(each.levelno, each.getMessage()) for each in records] == [
        (logging.INFO, "1 dropped so far by the operator conflate"),
        (logging.INFO, records[1].getMessage()),
    ]
    assert fed.at(200.0).timers == 0


def test_who_leaves_is_told_the_rest() -> None:
    """And no timer is left."""
    fed = hand().at(5.0, "a1", "a2", "a3", "a4")
    fed.seen.dispose()
    assert (fed.told, fed.is_left) == ([(5.0, 1), (5.0, 1)], True)
    assert fed.at(20.0).values == ["a1"]


async def test_what_told_raises_reaches_the_loop_and_changes_nothing() -> None:
    """The value waits all the same."""
    heard: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    source: Subject[str] = Subject()
    values: asyncio.Queue[str] = asyncio.Queue()
    source.pipe(conflate(0.01, first, told=lambda overflow: overflow.nothing)).subscribe(values.put_nowait)
    for value in ("a1", "a2", "a3"):
        source.on_next(value)
    async with asyncio.timeout(10):
        assert [await values.get(), await values.get()] == ["a1", "a3"]
    assert [type(each) for each in heard] == [AttributeError]


def test_what_told_raises_at_the_end_comes_out_of_run() -> None:
    """Though the stream is over then."""

    def raising(overflow: Overflow) -> None:
        if overflow.dropped == 2:
            raise RuntimeError("told's own")

    with pytest.raises(RuntimeError, match="told's own"):
        rxws.run(rx.of(*range(5)).pipe(conflate(60.0, told=raising)))


async def test_with_a_loop_its_handler_hears_what_told_raised() -> None:
    """And the stream goes on."""
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    source: Subject[int] = Subject()
    seen: list[int] = []
    source.pipe(conflate(0.01, told=lambda overflow: 1 / 0)).subscribe(seen.append)
    for value in range(5):
        source.on_next(value)
    await asyncio.sleep(0.05)
    source.on_completed()
    assert seen == [0, 4]
    assert {type(error) for error in heard} == {ZeroDivisionError}


# What the caller's functions raise


@pytest.mark.parametrize("key", [lambda value: value.nothing, lambda value: [value]], ids=["raises", "is no key"])
def test_what_key_raises_is_the_results_error(key: Any) -> None:
    """The source is left."""
    fed = hand(key=key)
    fed.on_seen = lambda error: observers.extend(fed.source.observers)
    observers: list[Any] = []
    fed.at(5.0, "a1", "a2")
    assert observers == []  # before anybody hears of it
    assert [type(value) for value in fed.values] in ([AttributeError], [TypeError])
    assert fed.is_left


def test_what_merge_raises_is_the_results_error_behind_what_waits() -> None:
    """What came before is not lost by it."""
    fed = hand(merge=lambda old, new: 1 / 0).at(5.0, "a1", "a2", "a3")
    assert fed.values[:2] == ["a1", "a2"]
    assert isinstance(fed.values[2], ZeroDivisionError)
    assert fed.is_left


def test_what_the_subscriber_raises_at_a_timers_value_ends_it() -> None:
    """It is reported, and nothing follows."""
    fed = hand().at(5.0, "a1", "a2")
    fed.on_seen = lambda value: value.nothing
    with pytest.raises(AttributeError):
        fed.at(6.0)
    assert fed.is_left


# The stream's own order


def test_what_comes_because_of_a_value_waits() -> None:
    """Where values are due together, one that comes within another does not overtake those that wait."""
    fed = hand().at(5.0, "a1", "b1", "a2", "b2")
    fed.on_seen = lambda value: fed.source.on_next("b3") if value == "a2" else None
    fed.at(6.5)
    assert fed.messages[2:] == [(6.0, "a2"), (6.0, "b3")]


def test_what_comes_because_of_what_is_emitted_for_an_event_waits_for_its_time() -> None:
    """There is an end to it."""
    fed = hand().at(5.0, "a1", "a2")
    fed.on_seen = lambda value: fed.source.on_next("a3") if str(value)[0] == "a" else None
    fed.at(5.5, closed())
    assert fed.messages[1:] == [(5.5, "a2"), (5.5, closed())]


def test_a_key_whose_value_was_taken_within_another_is_not_emitted_twice() -> None:
    """An event that comes within a value takes all that waits with it."""
    fed = hand().at(5.0, "a1", "b1", "a2", "b2")
    fed.on_seen = lambda value: fed.source.on_next(opened()) if value == "a2" else None
    assert fed.at(6.5).values[2:] == ["a2", "b2", opened()]
    fed = hand().at(5.0, "a1", "b1", "a2", "b2")
    fed.on_seen = lambda value: fed.source.on_next(opened()) if value == "a2" else None
    assert fed.at(5.5, closed()).values[2:] == ["a2", "b2", opened(), closed()]


def test_a_subscriber_that_leaves_at_a_value_gets_no_other() -> None:
    """Of those that are due together."""
    fed = hand().at(5.0, "a1", "b1", "a2", "b2")
    fed.on_seen = lambda value: fed.seen.dispose()
    assert (fed.at(20.0).values, fed.is_left) == (["a1", "b1", "a2"], True)


def test_two_subscribers_are_independent() -> None:
    """Each has its own intervals."""
    fed = hand().at(5.0, "a1")
    second = Seen(fed.virtual, fed.stream)
    fed.at(5.5, "a2").at(20.0)
    assert (fed.messages, second.messages) == ([(5.0, "a1"), (6.0, "a2")], [(5.5, "a2")])


# Bounds and properties


def test_of_too_many_keys_the_oldest_ends_its_interval_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited is emitted, not dropped."""
    monkeypatch.setattr(sys.modules["rxws.operators._conflating"], "MOST", 2)
    fed = hand().at(5.0, "a1", "a2", "b1", "c1", "d1", "d2").at(20.0)
    assert fed.messages == [(5.0, "a1"), (5.0, "b1"), (5.0, "a2"), (5.0, "c1"), (5.0, "d1"), (6.0, "d2")]
    assert fed.told == []


def test_there_is_one_timer_for_all_keys() -> None:
    """And it is gone when all are quiet."""
    fed = hand().at(5.0, *(f"{chr(100 + each)}{each}" for each in range(50))).at(5.5, "a1")
    assert fed.timers == 1
    assert fed.at(20.0).timers == 0


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from("abc")), max_size=40))
def test_conflated_is_the_latest_and_never_too_soon(steps: list[tuple[int, str]]) -> None:
    """Of each key: spaced by the interval, in order, the last one there, and all others counted."""
    stats, now, sent = Stats(), 0.0, list[str]()
    fed = hand(stats=stats)
    for number, (wait, key) in enumerate(steps):
        now += wait / 4 + 1 / 64
        sent.append(f"{key}{number}")
        fed.at(now, sent[-1])
    fed.at(now + 10.0)
    for key in "abc":
        mine = [(at, value) for at, value in fed.messages if value[0] == key]
        of_key = [value for value in sent if value[0] == key]
        assert [value for _, value in mine] == [value for value in of_key if value in dict(map(reversed, mine))]
        assert all(later - sooner >= 1.0 - 1e-9 for (sooner, _), (later, _) in itertools.pairwise(mine))
        assert [value for _, value in mine[-1:]] == of_key[-1:]
    assert len(fed.messages) + stats.dropped == len(sent)
    assert fed.timers == 0


# Before decoding


def test_what_was_conflated_away_was_never_decoded() -> None:
    """Raw messages are conflated by a key on their bytes, then decoded; lifecycle events pass both."""
    decoded: list[bytes] = []

    def note(payload: bytes) -> str:
        decoded.append(payload)
        return payload.decode()

    transport = ScriptedTransport(Attempt(messages=[(1.0 + n / 8, f"a{n}") for n in range(25)] + [(9.0, b"b1")]))
    raw = ws_observable("ws://scripted", transport=transport, decode=None, lifecycle=True, ping_interval=None)
    stats = Stats()
    quotes = raw.pipe(conflate(1.0, lambda raw: raw[:1], stats=stats, told=bool), decode(note))
    virtual = TestScheduler()
    seen = Seen(virtual, quotes)
    virtual.advance_to(20.0)
    values = [value for value in seen.values if not isinstance(value, Event)]
    assert values == ["a0", "a8", "a16", "a24", "b1"]
    assert decoded == [value.encode() for value in values]
    assert stats.dropped == 21
    assert any(isinstance(value, Event) for value in seen.values)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"every": 0.0}, "every"),
        ({"every": None}, "every"),
        ({"key": "s"}, "key"),
        ({"merge": "s"}, "merge"),
        ({"told": "s"}, "told"),
        ({"stats": "s"}, "stats"),
    ],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        conflate(**{"every": 1.0, **arguments})
    assert caught.value.field == field
