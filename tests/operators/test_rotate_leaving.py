"""Whoever leaves, at whatever moment, leaves nothing; and never are there more than two sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff, ws_observable
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
)
from rxws.events import Closed, ConnectionState, Event
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.feeds import keyed, leg, numbers, through
from tests.operators.seen import COMPLETED, Seen
from tests.scripted import Played, play

FIXED = Backoff.fixed(2.0)
FIRST = leg()


# Sockets


@pytest.mark.parametrize(("closing", "again"), [(3.0, 14.0), (60.0, 19.0), (None, 19.0)])
def test_a_slow_close_of_the_old_one_delays_the_next_dial(closing: float | None, again: float) -> None:
    """Until its socket is closed, or aborted after `close_timeout`: never are there more than two."""
    legs = [leg(closing=closing), leg(), leg()]
    played = play(*legs, rotate=keyed(when_twice()), close_timeout=8.0).to(30.0)
    assert played.dials == [0.0, 10.0, again]
    assert played.transport.most_live == 2
    assert numbers(played) == through(30)


def when_twice() -> Any:
    """Ask at 10 and at 12 seconds."""
    return rx.merge(rx.timer(10.0), rx.timer(12.0))


def test_a_loss_in_the_overlap_waits_for_room_too() -> None:
    """The abandoned one and the one that is lost are both on their way out."""
    old = leg(lag=0.9, closing=20.0)
    played = play(old, leg(closing=20.0), leg(), rotate=keyed(), close_timeout=30.0).to(12.0)
    assert played.told[-1] == "Rotated"  # the old one is being closed, till 31
    played.subscription.dispose()
    assert played.to(30.0).transport.live == 2
    assert played.to(33.0).transport.live == 0


def test_after_a_loss_the_first_dial_waits_for_room() -> None:
    """Two are being closed already; a third would be one too many."""
    old = leg(closing=10.0)
    ends: Subject[int] = Subject()
    played = play(
        old,
        leg(closing=30.0),
        leg(),
        rotate=keyed(),
        disconnect_when=ends,
        close_timeout=60.0,
        check_interval=0.1,
    ).to(12.0)
    ends.on_next(1)
    played.to(25.0)
    assert played.dials == [0.0, 10.0, 21.0]
    assert played.transport.most_live == 2


def test_while_a_dial_waits_for_room_the_subscription_may_be_disposed() -> None:
    """It never comes then."""
    legs = [leg(closing=5.0), leg(), leg()]
    played = play(*legs, rotate=keyed(when_twice()), close_timeout=8.0).to(13.0)
    played.subscription.dispose()
    assert played.to(60.0).dials == [0.0, 10.0]
    assert played.transport.live == 0


def test_closed_is_told_of_when_all_sockets_are_gone() -> None:
    """CLOSING meanwhile."""
    legs = [leg(closing=5.0), leg(closing=1.0)]
    played = play(*legs, rotate=keyed(), close_timeout=8.0).to(12.0)
    played.subscription.dispose()
    assert played.events[-1].state is ConnectionState.CLOSING
    assert played.transport.live == 2
    assert played.to(13.5).transport.live == 1
    assert played.to(17.0).transport.live == 0


def test_close_timeout_none_does_not_go_with_a_rotation() -> None:
    """A server that never answered our close would keep the next dial for ever."""
    with pytest.raises(ConfigError) as refused:
        play(FIRST, rotate=keyed(), close_timeout=None)
    assert refused.value.field == "close_timeout"


# Dispose and consumers that raise


def lively(**options: Any) -> Played:
    """A stream with all kinds of moments: a failed try, an overlap, a cut, slow closes."""
    legs = [
        leg(opens=0.5, lag=0.6, closing=1.5),
        Attempt.refused(0.25),
        leg(opens=0.5, closing=1.5),
        leg(opens=0.25, closing=1.5),
    ]
    return play(
        *legs, **{"rotate": keyed(5.5), "retry": FIXED, "close_timeout": 2.0, "subscriptions": ["s"], **options}
    )


def left_for_good(played: Played) -> bool:
    """Whether nothing is left, and nothing comes any more."""
    dials, values = len(played.dials), len(played.values)
    played.virtual.advance_by(60.0)
    return (played.transport.live, len(played.dials), len(played.values)) == (0, dials, values)


@pytest.mark.parametrize("quarter", range(70))
def test_dispose_at_any_moment_leaves_nothing(quarter: int) -> None:
    """Before the opening, between rotations, in an overlap, in a back-off, while sockets close."""
    played = lively()
    assert lively().to(20.0).told.count("Rotated") == 2
    played.to(quarter / 4)
    played.subscription.dispose()
    assert left_for_good(played)
    assert played.error is None and not played.completed
    assert played.transport.most_live <= 2


EVENTS = [type(event).__name__ for event in lively().to(20.0).events]


@pytest.mark.parametrize("place", range(len(EVENTS)), ids=[f"{place} {name}" for place, name in enumerate(EVENTS)])
def test_dispose_inside_a_listener_leaves_nothing(place: int) -> None:
    """Whatever it has just been told; of data, nothing follows."""
    heard: list[Event] = []
    played: Played

    def listen(event: Event) -> None:
        heard.append(event)
        if len(heard) == place + 1:
            played.subscription.dispose()
            values.extend(played.values)

    values: list[Any] = []
    played = lively(events=listen)
    played.to(20.0)
    assert heard[place].generation > 0
    assert left_for_good(played)
    assert played.values == values
    assert all(isinstance(event, Closed) for event in heard[place + 1 :])


def test_all_kinds_of_events_were_disposed_in() -> None:
    """Else the test above would say less than it seems to."""
    assert set(EVENTS) == {"Connecting", "Opened", "Subscribed", "Live", "Closed", "Waiting", "Rotated"}


@pytest.mark.parametrize("at_event", ["Rotated", "Waiting"])
def test_who_leaves_at_an_event_is_not_asked_when_to_rotate_next(at_event: str) -> None:
    """Neither behind a cut, nor after a try that was given up."""
    called: list[object] = []
    played: Played

    def when(messages: object) -> Any:
        called.append(messages)
        return rx.timer(5.0)

    def leave(event: Event) -> None:
        if type(event).__name__ == at_event:
            played.subscription.dispose()

    new = leg() if at_event == "Rotated" else Attempt.refused()
    played = play(leg(), new, rotate=keyed(when), retry=None, events=leave)
    played.to(20.0)
    assert len(called) == 1
    assert left_for_good(played)


@pytest.mark.parametrize("place", range(1, 20))
def test_who_leaves_at_a_value_gets_no_further_one(place: int) -> None:
    """`take`: the last one is the last."""
    virtual, transport = TestScheduler(), ScriptedTransport(leg(lag=0.9), leg())
    stream = ws_observable("ws://scripted", transport=transport, rotate=keyed(5.0))
    seen = Seen(virtual, stream.pipe(ops.take(place)))
    virtual.advance_to(60.0)
    assert seen.values == [*through(place), COMPLETED]
    assert transport.live == 0


class Raises(Exception):
    """What a consumer raises."""


def consumed(
    consumer: Callable[[Any], None], *legs: Attempt, **options: Any
) -> tuple[TestScheduler, ScriptedTransport]:
    """Subscribe a consumer that raises."""
    virtual, transport = TestScheduler(), ScriptedTransport(*legs)
    ws_observable("ws://scripted", transport=transport, **options).subscribe(consumer, scheduler=virtual)
    return virtual, transport


@pytest.mark.parametrize(
    ("old", "new", "at_value", "until"),
    [
        (leg(lag=1.4), leg(), 12, 13.0),
        (leg(), leg(lag=0.5), 12, 13.0),
        (leg(to=10), leg(), 12, 16.0),
        (leg(lag=5.0, lost=(13.0, ConnectionClosed(1006))), leg(), 12, 14.0),
        (leg(), leg(), 5, 6.0),
    ],
    ids=["behind the old one's first", "the new one's own", "at the overlap's end", "at the old one's loss", "before"],
)
def test_a_consumer_that_raises_ends_both_connections_and_is_reported(
    old: Attempt, new: Attempt, at_value: int, until: float
) -> None:
    """Never retried, never swallowed, whoever's read or timer it was; it is told nothing more."""
    heard: list[Any] = []

    def consumer(value: Any) -> None:
        heard.append(value)
        if value == at_value:
            raise Raises

    virtual, transport = consumed(consumer, old, new, rotate=keyed(), lifecycle=True)
    with pytest.raises(Raises):
        virtual.advance_to(until)
    count = len(heard)
    assert transport.live == 0
    dials = len(transport.dials)
    virtual.advance_to(120.0)
    assert (len(heard), len(transport.dials)) == (count, dials)
    assert heard[-1] == at_value
