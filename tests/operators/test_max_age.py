"""A connection ends by plan at its age, counted from its opening, and chance takes only off."""

from __future__ import annotations

from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from rxws.backoff import Backoff
from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import DisconnectReason
from rxws.lifecycle import Lifecycle
from rxws.operators import after, max_age, reopen, repeat_when, retry_when
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.seen import COMPLETED, Seen, at, dialled

LOST = ConnectionClosed(1006)


def test_the_result_completes_when_the_connection_is_that_old() -> None:
    """A planned end: the socket is closed, and no error is seen."""
    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(max_age(60.0, jitter=0.0)))
    virtual.advance_to(59.9)
    assert (len(seen.messages), transport.live) == (1, 1)
    virtual.advance_to(100)
    assert seen.messages[1:] == [(60.0, COMPLETED)]
    assert (transport.live, transport.dials[0].close_code) == (0, 1000)


def test_the_journal_hears_the_reason_before_the_end() -> None:
    """CONNECTION_LIMIT, as the connection's own reason too."""
    virtual, transport, connections = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    life = Lifecycle(virtual, stable_after=60.0)
    Seen(virtual, dialled(transport, journal=life).pipe(max_age(60.0)), connections.append)
    virtual.advance_to(1)
    assert connections[0].end_reason is None
    virtual.advance_to(100)
    assert life.reason is DisconnectReason.CONNECTION_LIMIT
    assert connections[0].end_reason is DisconnectReason.CONNECTION_LIMIT


def test_the_connection_is_over_before_the_subscriber_hears_of_the_end() -> None:
    """Its socket is gone by then."""
    virtual, transport, live = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    Seen(virtual, dialled(transport).pipe(max_age(60.0)), lambda _: live.append(transport.live))
    virtual.advance_to(100)
    assert live == [1, 0]


@pytest.mark.parametrize(
    ("jitter", "chance", "age"),
    [(0.1, 0.0, 100.0), (0.1, 0.5, 95.0), (0.1, 0.99, 90.1), (1.0, 0.75, 25.0), (0.0, 0.9, 100.0), (None, 0.5, 95.0)],
)
def test_jitter_takes_only_off(jitter: float | None, chance: float, age: float) -> None:
    """A tenth at most by default: never later than asked."""
    virtual, transport = at(0), ScriptedTransport()
    arguments = {} if jitter is None else {"jitter": jitter}
    seen = Seen(virtual, dialled(transport).pipe(max_age(100.0, **arguments, random=lambda: chance)))
    virtual.advance_to(200)
    assert seen.messages[-1] == (pytest.approx(age), COMPLETED)


def test_age_counts_from_the_opening() -> None:
    """Not from the dial."""
    virtual, transport = at(0), ScriptedTransport(Attempt(opens=7.0))
    seen = Seen(virtual, dialled(transport).pipe(max_age(60.0, 0.0)))
    virtual.advance_to(100)
    assert seen.messages[-1] == (67.0, COMPLETED)


@pytest.mark.parametrize(("late", "ends"), [(20.0, 60.0), (70.0, 70.0)], ids=["in time", "too old already"])
def test_age_counts_from_the_opening_though_a_script_ran_before(late: float, ends: float) -> None:
    """What stands before it may take its time: the venue's limit does not wait for it."""
    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(ops.delay(late), max_age(60.0, 0.0)))
    virtual.advance_to(200)
    assert [when for when, _ in seen.messages] == [late, ends]


def test_each_connection_has_an_age_of_its_own() -> None:
    """And a chance."""
    virtual, transport, chances = at(0), ScriptedTransport(), iter([0.0, 0.5, 0.0])
    aged = dialled(transport).pipe(max_age(100.0, 0.1, random=lambda: next(chances)))
    Seen(virtual, aged.pipe(repeat_when(reopen(lambda end: 10.0))))
    virtual.advance_to(300)
    assert [dialed.at for dialed in transport.dials] == [0.0, 110.0, 215.0]


def test_a_loss_before_that_age_is_the_results_error() -> None:
    """And nothing follows it."""
    virtual, transport = at(0), ScriptedTransport(Attempt(lost=(30.0, LOST)))
    seen = Seen(virtual, dialled(transport).pipe(max_age(60.0)))
    virtual.advance_to(100)
    assert seen.messages[1:] == [(30.0, LOST)]


def test_the_age_of_a_lost_connection_ends_nothing() -> None:
    """Where several come by one after another, behind retry_when: the clock of the lost one is stopped."""
    virtual, transport = at(0), ScriptedTransport(Attempt(lost=(30.0, LOST)), Attempt())
    seen = Seen(virtual, dialled(transport).pipe(retry_when(after(Backoff.fixed(50.0))), max_age(60.0, 0.0)))
    virtual.advance_to(300)
    assert [when for when, _ in seen.messages] == [0.0, 80.0, 140.0]
    assert seen.values[-1] == COMPLETED


def test_without_an_age_the_source_is_as_it_is() -> None:
    """Nothing stands on it."""
    source: Any = rx.never()
    assert max_age(None)(source) is source


def test_dispose_ends_the_connection_and_its_clock() -> None:
    """Nothing is seen any more."""
    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(max_age(60.0)))
    virtual.advance_to(30)
    seen.dispose()
    virtual.advance_to(100)
    assert (len(seen.messages), transport.live) == (1, 0)


def test_two_subscribers_are_independent() -> None:
    """Each has a connection and an age."""
    virtual, transport = at(0), ScriptedTransport()
    result = dialled(transport).pipe(max_age(60.0, 0.0))
    first = Seen(virtual, result)
    virtual.advance_to(20)
    second = Seen(virtual, result)
    virtual.advance_to(100)
    assert (first.messages[-1], second.messages[-1]) == ((60.0, COMPLETED), (80.0, COMPLETED))


@pytest.mark.parametrize(
    ("age", "jitter", "field"),
    [
        (0, 0.1, "max_age"),
        (-1.0, 0.1, "max_age"),
        (float("inf"), 0.1, "max_age"),
        (True, 0.1, "max_age"),
        ("24h", 0.1, "max_age"),
        (60.0, -0.1, "max_age_jitter"),
        (60.0, 1.1, "max_age_jitter"),
        (60.0, float("nan"), "max_age_jitter"),
        (None, 2.0, "max_age_jitter"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(age: Any, jitter: Any, field: str) -> None:
    """When the operator is made, with the value."""
    with pytest.raises(ConfigError) as refused:
        max_age(age, jitter)
    assert refused.value.field == field
    assert repr(jitter if "jitter" in field else age) in str(refused.value)
