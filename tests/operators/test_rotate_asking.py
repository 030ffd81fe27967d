"""What asks for a rotation, and when it may begin."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation, windows
from rxws.events import Closed, DisconnectReason, Rotated
from rxws.testing import Attempt
from tests.operators.feeds import bare, keyed, leg, numbers, through
from tests.scripted import play

FIXED = Backoff.fixed(2.0)
FIRST = leg()


# What asks for one


@pytest.mark.parametrize(("jitter", "chance", "asked"), [(0.1, 0.0, 20.0), (0.1, 0.5, 19.0), (1.0, 0.75, 5.0)])
def test_an_age_is_jittered_by_the_chance_that_is_passed_in(jitter: float, chance: float, asked: float) -> None:
    """Only downwards; a new chance for each connection."""
    played = play(FIRST, rotate=Rotation(20.0, jitter=jitter), random=chance).to(asked + 0.5)
    assert played.dials == pytest.approx([0.0, asked])


def test_the_next_age_counts_from_the_cut() -> None:
    """And the first from the opening, not from the dial."""
    played = play(leg(opens=3.0), leg(opens=2.0), leg(), rotate=keyed()).to(30.0)
    assert [event.took for event in played.of(Rotated)] == [3.0, 1.0]
    assert played.dials == [0.0, 13.0, 26.0]


def test_an_age_may_be_shorter_than_the_overlap() -> None:
    """One rotation at a time, each counted from the cut before."""
    played = play(leg(), rotate=keyed(1.0, overlap=5.0)).to(30.5)
    assert numbers(played) == through(30)
    assert len(played.of(Rotated)) == 15
    assert played.transport.most_live == 2


def test_each_value_of_an_observable_asks() -> None:
    """SCHEDULED, by "tick"; one that comes while a rotation is under way asks for nothing more."""
    ticks: Subject[int] = Subject()
    played = play(FIRST, leg(), rotate=keyed(ticks)).to(10.0)
    ticks.on_next(1)
    ticks.on_next(2)
    played.to(20.5)
    ticks.on_next(3)
    played.to(25.0)
    assert played.dials == [0.0, 10.0, 20.5]
    assert [(event.reason, event.rule) for event in played.of(Rotated)] == [(DisconnectReason.SCHEDULED, "tick")] * 2


def test_a_tick_before_a_connection_is_open_asks_for_nothing() -> None:
    """The one that is being opened is as fresh as can be."""
    ticks: Any = BehaviorSubject(0)
    played = play(leg(opens=2.0), leg(), rotate=keyed(ticks)).to(1.0)
    ticks.on_next(1)
    played.to(10.0)
    assert played.dials == [0.0]
    ticks.on_next(2)
    assert played.to(11.0).dials == [0.0, 10.0]


def test_a_callable_that_asks_before_its_connection_is_open_is_called_again() -> None:
    """A dial may wait for its turn for long, and one answer is all that a callable has."""
    played = play(leg(opens=5.0), leg(), rotate=keyed(lambda messages: rx.timer(3.0))).to(7.0)
    assert played.dials == [0.0, 6.0]
    assert [event.rule for event in played.of(Rotated)] == ["tick"]


def test_the_error_of_an_observable_is_the_streams() -> None:
    """It ends both connections first."""
    ticks: Subject[int] = Subject()
    played = play(FIRST, leg(), rotate=bare(ticks)).to(10.0)
    ticks.on_next(1)
    played.to(10.2)
    assert played.transport.live == 2
    ticks.on_error(ValueError("ticks"))
    assert isinstance(played.error, ValueError)
    assert played.transport.live == 0
    assert played.to(60.0).dials == [0.0, 10.0]


def test_an_observable_that_errors_at_once_lets_nothing_be_dialled() -> None:
    """Its error is the stream's."""
    played = play(FIRST, rotate=bare(rx.throw(ValueError("ticks")))).to(5.0)
    assert isinstance(played.error, ValueError)
    assert played.dials == []


NOTICES = [
    ('{"e":"serverShutdown","E":1781234567890}', lambda m: m.get("e") == "serverShutdown"),
    (
        '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1781234567890}}',
        lambda m: m.get("data", {}).get("e") == "serverShutdown",
    ),
    ('{"e":"listenKeyExpired","E":1781234567890}', lambda m: m.get("e") == "listenKeyExpired"),
    (
        '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. '
        'Please reconnect.","connId":"c0ffee01"}',
        lambda m: m.get("code") == "64008",
    ),
    ('{"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}', lambda m: m.get("code") == 20051),
]


@pytest.mark.parametrize(("frame", "is_notice"), NOTICES, ids=["spot", "combined", "listen key", "OKX", "Bitfinex"])
def test_a_message_of_the_stream_itself_asks(frame: str, is_notice: Callable[[Any], bool]) -> None:
    """The subscriber sees it too, once; each connection is listened to."""
    rotation = keyed(lambda seen: seen.pipe(ops.filter(lambda m: isinstance(m, dict) and is_notice(m))))
    legs = [leg(messages=[(9.5, frame)]), leg(messages=[(9.8, frame)]), leg()]
    played = play(*legs, rotate=rotation).to(25.0)
    assert played.dials == pytest.approx([0.0, 9.5, 19.3])
    assert numbers(played) == through(25)
    assert len(played.values) == 27
    assert {event.reason for event in played.of(Rotated)} == {DisconnectReason.SCHEDULED}


def test_a_callable_may_return_an_awaitable() -> None:
    """It is called for each connection, with its messages."""
    called: list[float] = []
    virtual = TestScheduler()

    async def when(_: Any) -> None:
        called.append(virtual.clock)

    played = play(FIRST, leg(), leg(), leg(), virtual=virtual, rotate=keyed(when)).to(6.5)
    assert called == [0.0, 2.0, 4.0, 6.0]  # at the cuts
    assert played.dials == [0.0, 1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    "when",
    [
        lambda seen: 1 / 0,
        lambda seen: 60.0,
        lambda seen: None,
        lambda seen: rx.throw(ValueError("when")),
        lambda seen: seen.pipe(ops.map(lambda value: value["no dict"])),
        lambda seen: raising(),
    ],
    ids=["raises", "a number", "nothing", "an error", "an operator raises", "a coroutine raises"],
)
def test_what_a_callable_raises_or_wrongly_returns_is_told_and_asks_for_nothing(
    when: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream goes on, and so does `limit`."""
    with caplog.at_level(logging.WARNING, "rxws"):
        played = play(FIRST, leg(), rotate=keyed(when), max_age=40.0, max_age_jitter=0.0).to(50.0)
    assert numbers(played) == through(50)
    assert played.dials == [0.0, 35.0]
    assert "rotate raised" in caplog.text


async def raising() -> None:
    """An awaitable that raises."""
    raise ValueError("when")


def test_a_callable_whose_observable_ends_without_a_value_asks_for_nothing() -> None:
    """And it is no error."""
    played = play(FIRST, rotate=keyed(lambda _: rx.empty())).to(50.0)
    assert (numbers(played), played.dials) == (through(50), [0.0])


@pytest.mark.parametrize(
    "when", [lambda seen: rx.of(1), lambda seen: seen.pipe(ops.start_with(0))], ids=["of", "start_with"]
)
def test_a_callable_that_asks_at_once_rotates_once_a_second_at_most(when: Any) -> None:
    """Also where messages come faster than that."""
    fast = Attempt(messages=[(place / 10, str(place)) for place in range(1, 600)])
    played = play(fast, rotate=bare(when)).to(11.05)
    assert played.dials == pytest.approx([1.1 * place for place in range(11)], abs=0.11)
    assert len(played.dials) == 11


def test_a_message_of_a_connections_first_second_asks_when_that_is_over() -> None:
    """Not a second later than it came: the venue has said that it will close."""
    asked = keyed(lambda seen: seen.pipe(ops.filter(lambda value: value == "close")))
    played = play(leg(messages=[(0.7, '"close"')]), leg(), rotate=asked).to(5.0)
    assert played.dials == [0.0, 1.0]


# Windows


def test_unless_holds_a_rotation_back_until_the_window_is_over() -> None:
    """Open from 0 to 30 of each 100 seconds."""
    busy = windows.every(100.0, open_for=30.0)
    played = play(FIRST, leg(), rotate=keyed(unless=busy)).to(35.0)
    assert played.dials == [0.0, 30.0]
    assert numbers(played) == through(35)


def test_outside_of_the_window_it_begins_at_once() -> None:
    """The window is asked when the rotation is."""
    busy = windows.every(100.0, open_for=30.0, offset=50.0)
    assert play(FIRST, leg(), rotate=keyed(unless=busy)).to(15.0).dials == [0.0, 10.0]


def test_max_age_wins_against_unless() -> None:
    """The rotation begins `overlap` before the earliest moment at which `max_age` would end the connection."""
    played = play(
        FIRST, leg(), rotate=keyed(unless=windows.always(), overlap=5.0), max_age=40.0, max_age_jitter=0.1
    ).to(45.0)
    assert played.dials == [0.0, 31.0]
    (rotated,) = played.of(Rotated)
    assert (rotated.reason, rotated.rule) == (DisconnectReason.CONNECTION_LIMIT, "limit")
    assert Closed not in map(type, played.events)


def test_max_age_below_the_overlap_leaves_half_of_it() -> None:
    """A new connection has at least that long to deliver."""
    played = play(FIRST, leg(), rotate=keyed(100.0), max_age=4.0, max_age_jitter=0.0).to(3.5)
    assert played.dials == [0.0, 2.0]


def test_one_that_max_age_forced_begins_no_second_time_when_the_window_ends() -> None:
    """It was kept back when the limit came."""
    busy = windows.every(100.0, open_for=31.0)
    played = play(FIRST, leg(opens=1.5), leg(), rotate=keyed(20.0, unless=busy), max_age=35.0, max_age_jitter=0.0).to(
        50.0
    )
    assert played.dials == [0.0, 30.0]
    assert numbers(played) == through(50)
    assert len(played.of(Rotated)) == 1


def test_a_rotation_that_failed_is_kept_back_by_the_window_too() -> None:
    """Its next try would come inside."""
    busy = windows.every(100.0, open_for=50.0, offset=11.0)
    played = play(FIRST, Attempt.refused(), leg(), rotate=keyed(unless=busy), retry=FIXED).to(65.0)
    assert played.dials == [0.0, 10.0, 61.0]


def test_max_age_may_ask_while_a_try_waits_and_then_no_window_keeps_it_back() -> None:
    """The try was asked for by an age, failed, and its next time lies within the window."""
    busy = windows.every(100.0, open_for=80.0, offset=11.0)
    played = play(FIRST, Attempt.refused(), leg(), rotate=keyed(unless=busy), retry=Backoff.fixed(6.0), max_age=18.0)
    played.to(20.0)
    assert played.dials == [0.0, 10.0, 16.0]
    assert [event.rule for event in played.of(Rotated)] == ["limit"]
