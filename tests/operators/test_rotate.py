"""A connection is replaced by the next one without a gap, and what both deliver becomes one sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff, splice, ws_observable
from rxws.errors import ConnectionClosed
from rxws.events import ConnectionState, DisconnectReason, Event, Overflow, Rotated, Waiting
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.feeds import Leg, bare, keyed, leg, numbers, through
from tests.operators.seen import Seen
from tests.scripted import play

FIXED = Backoff.fixed(2.0)
FIRST = leg()


# One rotation


def test_the_next_connection_is_there_before_the_old_one_is_closed() -> None:
    """Dialled, opened, and seen to deliver; nothing is lost, and nothing comes twice."""
    played = play(FIRST, leg(opens=0.5), rotate=keyed()).to(15.5)
    assert numbers(played) == through(15)
    assert played.dials == [0.0, 10.0]
    assert played.transport.dials[0].close_code == 1000
    (rotated,) = played.of(Rotated)
    assert (rotated.generation, rotated.previous, rotated.reason) == (2, 1, DisconnectReason.CONNECTION_LIMIT)
    assert (rotated.rule, rotated.uptime, rotated.took) == ("age", 11.0, 1.0)


@pytest.mark.parametrize("new", [leg(lag=0.7), leg(back=7), leg(lag=-0.4)], ids=["slow", "replays", "fast"])
def test_with_a_key_every_value_comes_once_and_in_order(new: Leg) -> None:
    """Whichever of the two is ahead, and what the new one sends again."""
    played = play(FIRST, new, rotate=keyed()).to(40.8)
    assert numbers(played) == through(len(numbers(played)))
    assert len(numbers(played)) >= 40
    assert played.told.count("Rotated") >= 3


def test_without_a_key_the_cut_is_at_the_new_ones_first_message() -> None:
    """What it brings too is there twice, and what the old one was behind with is lost."""
    played = play(FIRST, leg(back=3, opens=0.5), rotate=bare()).to(12.5)
    assert numbers(played) == [*through(10), 8, 9, 10, 11, 12]
    played = play(leg(lag=0.9), leg(), rotate=bare(overlap=2.0)).to(12.5)
    assert numbers(played) == [*through(10), 11, 12]
    late = play(leg(lag=1.5), leg(), rotate=bare()).to(12.6)
    assert numbers(late) == [*through(9), 11, 12]


def test_what_the_new_one_answers_before_its_first_data_is_handed_on_behind_the_cut() -> None:
    """`is_data` says what is data; an answer is none, and asks for no cut."""
    new = leg(messages=[(0.2, '"subscribed"')])
    played = play(FIRST, new, rotate=bare(), is_data=lambda payload: payload[:1] != b'"').to(13.0)
    assert [value for _, value in played.values] == [*through(11), "subscribed", 11, 12, 13]


def test_events_are_told_in_order_and_a_rotation_is_no_outage() -> None:
    """Rotated, not Closed; the state stays CONNECTED, and the statistics call it proactive."""
    played = play(FIRST, leg(), rotate=keyed()).to(12.0)
    assert played.told == ["Connecting", "Opened", "Live", "Connecting", "Opened", "Live", "Rotated"]
    assert [event.generation for event in played.events] == [1, 1, 1, 2, 2, 2, 2]
    assert {event.state for event in played.events[1:]} == {ConnectionState.CONNECTED}
    stats = played.stats
    assert (stats.connects, stats.proactive_disconnects, stats.reactive_disconnects) == (2, 1, 0)
    assert stats.reasons == {DisconnectReason.CONNECTION_LIMIT: 1}


def test_in_the_stream_itself_the_event_stands_at_the_cut() -> None:
    """Between what the old one brought and what the new one brings."""
    played = play(FIRST, leg(), rotate=keyed(), lifecycle=True).to(12.0)
    kinds = [value if isinstance(value, int) else type(value).__name__ for _, value in played.values]
    assert kinds[-6:] == ["Connecting", "Opened", 11, "Live", "Rotated", 12]


def test_nothing_is_told_of_the_old_one_after_the_cut() -> None:
    """What it still sends while it is being closed is late, and counted as that."""
    played = play(leg(closing=3.0), leg(), rotate=keyed(), close_timeout=5.0).to(13.5)
    assert numbers(played) == through(13)
    assert played.stats.late == 2


def test_the_script_and_the_subscriptions_are_the_new_ones_too() -> None:
    """All that one connection is, is done a second time, before it counts as delivering."""
    scripted: list[int] = []

    async def on_open(connection: Any) -> None:
        scripted.append(connection.generation)

    played = play(FIRST, leg(), rotate=keyed(), on_open=on_open, subscriptions=["s"]).to(12.0)
    assert scripted == [1, 2]
    assert [dialed.sent for dialed in played.transport.dials] == [["s"], ["s"]]
    assert numbers(played) == through(12)


def test_what_the_old_one_delivered_is_remembered_for_as_long_as_an_overlap() -> None:
    """A feed that begins its numbers anew is not taken for one that is behind."""
    again = [(6.0, "9"), (8.5, "10")]
    new = Attempt(messages=[(1.0, "11"), *again])  # the cut is at 11, and the overlap's length after it at 16
    played = play(leg(), new, rotate=keyed(overlap=5.5)).to(20.0)
    assert numbers(played) == [*through(11), 10]


def test_whoever_gets_the_last_value_before_the_cut_may_end_the_old_one() -> None:
    """The new one takes over at that, and the cut that was due is none any more."""
    connections: list[Any] = []

    async def on_open(connection: Any) -> None:
        connections.append(connection)

    def consumer(value: int) -> int:
        if value == 11 and len(connections) == 2:
            connections[0].fail(ConnectionClosed(1006))
        return value

    transport = ScriptedTransport(leg(lag=0.5), leg())
    virtual = TestScheduler()
    stream = ws_observable("ws://scripted", transport=transport, rotate=keyed(), on_open=on_open)
    seen = Seen(virtual, stream.pipe(ops.map(consumer)))
    virtual.advance_to(15.0)
    assert seen.values == through(15)
    assert len(transport.dials) == 2


def test_whoever_is_told_of_a_rotation_may_ask_for_the_next() -> None:
    """At that very moment: what the new one had brought still follows, once."""
    ticks: Subject[int] = Subject()

    def again(event: Event) -> None:
        if isinstance(event, Rotated) and event.generation < 4:
            ticks.on_next(1)

    played = play(leg(lag=0.9), leg(lag=0.5), leg(), rotate=keyed(ticks), events=again).to(10.0)
    ticks.on_next(1)
    played.to(20.0)
    assert numbers(played) == through(20)
    assert len(played.dials) == 4


def test_answers_without_end_find_no_room_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Overflow each, counted as dropped."""
    monkeypatch.setattr(splice, "HELD", 2)
    answers = [(0.1, '"1"'), (0.2, '"2"'), (0.3, '"3"')]
    played = play(leg(), leg(messages=answers), rotate=keyed(), is_data=lambda payload: payload[:1] != b'"').to(12.0)
    assert [value for _, value in played.values] == [*through(11), "2", "3", 12] or numbers(played) == through(12)
    assert [(event.where, event.dropped) for event in played.of(Overflow)] == [("overlap", 1)]
    assert played.stats.dropped == 1


@pytest.mark.parametrize(("uptime", "attempt"), [(60.0, 1), (9.0, 2)])
def test_a_connection_that_was_replaced_is_proof_if_it_had_been_up_for_long(uptime: float, attempt: int) -> None:
    """The next failure is the first in a row then, though the connection that failed is young."""
    retry = Backoff.fixed(1.0, max_attempts=None)
    retry = replace(retry, stable_after=50.0)
    new = leg(back=3, lost=(4.0, ConnectionClosed(1006)))
    played = play(Attempt.refused(), leg(), new, leg(), rotate=keyed(uptime), retry=retry).to(uptime + 20.0)
    assert [event.attempt for event in played.of(Waiting)] == [2, attempt + 1]


def test_two_subscribers_are_independent() -> None:
    """Each has connections, ages and a splice of its own."""
    virtual = TestScheduler()
    transport = ScriptedTransport(leg())
    stream = ws_observable("ws://scripted", transport=transport, rotate=keyed())
    first = Seen(virtual, stream)
    virtual.advance_to(4.0)
    second = Seen(virtual, stream)
    virtual.advance_to(18.0)
    assert first.values == through(18)
    assert second.values == list(range(5, 19))
    assert [dialed.at for dialed in transport.dials] == [0.0, 4.0, 10.0, 14.0]
    first.dispose()
    virtual.advance_to(20.0)
    assert second.values[-1] == 20
