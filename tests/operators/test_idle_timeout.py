"""A connection without data for so long is lost; what has arrived and could not be read yet is no silence."""

from __future__ import annotations

from typing import Any

import pytest
from reactivex import operators as ops

from rxws.backoff import Backoff
from rxws.errors import ConfigError, ConnectionClosed, IdleTimeout
from rxws.operators import after, idle_timeout, messages, retry_when
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Silence
from tests.operators.seen import COMPLETED, Seen, at, dialled

LOST = ConnectionClosed(1006)


class Told(Silence):
    """A journal that notes silence and what the caller's conditions raise."""

    def __init__(self) -> None:
        self.idle: list[float] = []
        self.failures: list[tuple[str, Exception]] = []

    def stale(self, idle: float) -> None:
        self.idle.append(idle)

    def callback_failed(self, name: str, error: Exception) -> None:
        self.failures.append((name, error))


def watched(attempt: Attempt, *arguments: Any, journal: Any = None, **options: Any) -> tuple[Any, Seen, Any]:
    """Return a clock at 0, what is seen of the messages of a watched connection, and its transport."""
    virtual, transport = at(0), ScriptedTransport(attempt)
    source = dialled(transport, journal=journal, **options)
    return virtual, Seen(virtual, source.pipe(idle_timeout(*arguments), messages())), transport


def ended(seen: Seen) -> tuple[float, type]:
    """Return when it ended, and how."""
    when, error = seen.messages[-1]
    return when, type(error)


# The clock


@pytest.mark.parametrize("opens", [0.0, 7.0])
def test_a_connection_that_never_brings_anything_is_lost(opens: float) -> None:
    """The clock runs from its opening; the journal hears of the silence, and the socket is closed."""
    told = Told()
    virtual, seen, transport = watched(Attempt(opens=opens), 5.0, journal=told)
    virtual.advance_to(opens + 4.9)
    assert seen.messages == []
    virtual.advance_to(100)
    [(when, error)] = seen.messages
    assert (when, type(error)) == (opens + 5.0, IdleTimeout)
    assert (error.timeout, error.uptime) == (5.0, 5.0)
    assert told.idle == [5.0]
    assert transport.live == 0


def test_data_begins_the_clock_anew() -> None:
    """Each message; the end comes so long after the last one."""
    virtual, seen, _ = watched(Attempt(messages=[(3.0, "a"), (7.0, "b"), (11.5, b"c")]), 5.0)
    virtual.advance_to(100)
    assert seen.messages[:-1] == [(3.0, "a"), (7.0, "b"), (11.5, b"c")]
    assert ended(seen) == (16.5, IdleTimeout)


def test_pongs_are_no_data() -> None:
    """A server may answer pings and send nothing: that is what this is for."""
    virtual, seen, transport = watched(Attempt(), 5.0, ping_interval=1.0)
    virtual.advance_to(100)
    assert transport.dials[0].pings == 5
    assert ended(seen) == (5.0, IdleTimeout)


def test_without_a_reader_messages_count_too() -> None:
    """It stands on the Connection, not on who reads it."""
    virtual, transport = at(0), ScriptedTransport(Attempt(messages=[(3.0, "a")]))
    seen = Seen(virtual, dialled(transport).pipe(idle_timeout(5.0)))
    virtual.advance_to(100)
    assert ended(seen) == (8.0, IdleTimeout)


def test_silence_counts_from_when_the_connection_came_by() -> None:
    """A login script before it may take longer than the timeout."""
    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(ops.delay(20.0), idle_timeout(5.0)))
    virtual.advance_to(100)
    assert ended(seen) == (25.0, IdleTimeout)


# What is data


def test_heartbeats_do_not_feed_it() -> None:
    """What `is_data` says no to is handed on, and counts as silence; it gets bytes."""
    asked: list[bytes] = []

    def is_data(payload: bytes) -> bool:
        asked.append(payload)
        return payload != b"heartbeat"

    attempt = Attempt(messages=[(1.0, "tick"), (3.0, "heartbeat"), (5.0, b"heartbeat"), (5.9, "heartbeat")])
    virtual, seen, _ = watched(attempt, 5.0, is_data)
    virtual.advance_to(100)
    assert seen.values[:-1] == ["tick", "heartbeat", b"heartbeat", "heartbeat"]
    assert ended(seen) == (6.0, IdleTimeout)
    assert asked == [b"tick", b"heartbeat", b"heartbeat", b"heartbeat"]


def test_data_among_heartbeats_feeds_it() -> None:
    """Truth counts, whatever it returns."""
    attempt = Attempt(messages=[(float(second), "data" if second % 4 == 0 else "") for second in range(1, 11)])
    virtual, seen, _ = watched(attempt, 5.0, bytes.strip)
    virtual.advance_to(100)
    assert ended(seen) == (13.0, IdleTimeout)


def test_what_is_data_raises_is_told_and_the_message_is_no_data() -> None:
    """It is handed on all the same."""

    def is_data(payload: bytes) -> bool:
        raise KeyError(payload)

    told = Told()
    virtual, seen, _ = watched(Attempt(messages=[(3.0, "a")]), 5.0, is_data, journal=told)
    virtual.advance_to(100)
    assert seen.values[0] == "a"
    assert ended(seen) == (5.0, IdleTimeout)
    assert [(name, type(error)) for name, error in told.failures] == [("is_data", KeyError)]


def test_without_a_timeout_nothing_is_watched_but_is_data_still_says_what_data_is() -> None:
    """The first data is told to the journal, whoever watches."""
    virtual, transport, connections = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    seen = Seen(virtual, dialled(transport).pipe(idle_timeout(None, bytes.strip)), connections.append)
    virtual.advance_to(1_000_000)
    assert len(seen.messages) == 1
    assert connections[0].is_data == bytes.strip


# A loop that is busy


def test_data_that_is_read_only_after_the_timer_counts() -> None:
    """What arrived while the loop was busy is behind the timer; it is read before the connection is given up."""
    virtual, transport = at(0), ScriptedTransport()
    told = Told()

    def read_right_behind_the_timer(connection: Any) -> None:
        def read(*_: object) -> None:
            connection.on_read()
            connection.on_message(b"late", True)

        virtual.schedule_relative(5.0, read)

    source = dialled(transport, journal=told).pipe(idle_timeout(5.0), ops.do_action(read_right_behind_the_timer))
    seen = Seen(virtual, source.pipe(messages()))
    virtual.advance_to(100)
    assert seen.messages[0] == (5.0, "late")
    assert ended(seen) == (10.0, IdleTimeout)
    assert told.idle == [5.0]


def test_reads_without_data_are_waited_for_and_then_it_is_lost() -> None:
    """As long as every turn reads something there may be data behind it; but not for ever."""
    virtual, transport, reads = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]

    def keep_reading(connection: Any) -> None:
        def read(*_: object) -> None:
            if connection.end_reason is None:
                reads.append(1)
                connection.on_read()
                virtual.schedule(read)

        virtual.schedule_relative(5.0, read)

    seen = Seen(virtual, dialled(transport).pipe(idle_timeout(5.0), ops.do_action(keep_reading)))
    virtual.advance_to(100)
    assert ended(seen) == (5.0, IdleTimeout)
    assert 64 <= len(reads) < 200


@pytest.mark.parametrize(("busy", "ends"), [(2.0, 7.0), (4.0, 11.0), (50.0, 59.0)])
def test_time_in_which_the_loop_was_busy_is_given_back_once(busy: float, ends: float) -> None:
    """As long as the timer came too late, though never longer than the timeout: a server on this loop was busy too."""
    virtual, transport = at(0), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(idle_timeout(5.0)))
    virtual.advance_to(4)
    virtual.sleep(busy)  # the clock goes on, and no timer fires
    virtual.advance_to(100)
    assert ended(seen) == (ends, IdleTimeout)


def test_a_loop_that_is_busy_again_is_not_excused_again() -> None:
    """Else a loop that always is would never find a silence; data excuses it anew."""
    for script, busy_again, ends in ((Attempt(), 10, 20.0), (Attempt(messages=[(10.0, "a")]), 14, 29.0)):
        virtual = at(0)
        seen = Seen(virtual, dialled(ScriptedTransport(script)).pipe(idle_timeout(5.0)))
        virtual.advance_to(4)
        virtual.sleep(4.0)
        virtual.advance_to(busy_again)
        virtual.sleep(10.0)
        virtual.advance_to(100)
        assert ended(seen) == (ends, IdleTimeout)


def test_data_in_the_time_given_back_counts() -> None:
    """The clock begins anew with it."""
    virtual, transport = at(0), ScriptedTransport(Attempt(messages=[(1.0, "a"), (11.0, "b")]))
    seen = Seen(virtual, dialled(transport).pipe(idle_timeout(5.0), messages()))
    virtual.advance_to(4)
    virtual.sleep(5.0)
    virtual.advance_to(100)
    assert seen.values[:-1] == ["a", "b"]
    assert ended(seen) == (16.0, IdleTimeout)


# Ends


def test_an_end_of_the_source_stops_the_clock() -> None:
    """A loss is the result's error, our own close its completion; the journal hears of no silence."""
    told = Told()
    virtual, seen, _ = watched(Attempt(lost=(3.0, LOST)), 5.0, journal=told)
    virtual.advance_to(100)
    assert seen.messages == [(3.0, LOST)]
    virtual, transport, connections = at(0), ScriptedTransport(), []  # type: ignore[var-annotated]
    seen = Seen(virtual, dialled(transport, journal=told).pipe(idle_timeout(5.0)), connections.append)
    virtual.advance_to(2)
    connections[0].close()
    virtual.advance_to(100)
    assert seen.messages[1:] == [(2.0, COMPLETED)]
    assert told.idle == []


def test_dispose_stops_the_clock() -> None:
    """Nobody hears of any silence."""
    told = Told()
    virtual, seen, transport = watched(Attempt(), 5.0, journal=told)
    virtual.advance_to(3)
    seen.dispose()
    virtual.advance_to(100)
    assert (seen.messages, told.idle, transport.live) == ([], [], 0)


def test_each_connection_has_a_clock_of_its_own() -> None:
    """Whether retry_when stands behind it or before."""
    again = retry_when(after(Backoff.fixed(10.0)))
    for operators in ((idle_timeout(5.0), again), (again, idle_timeout(5.0))):
        virtual, transport, told = at(0), ScriptedTransport(Attempt(lost=(3.0, LOST)), Attempt()), Told()
        Seen(virtual, dialled(transport, journal=told).pipe(*operators))
        virtual.advance_to(40)
        assert [dialed.at for dialed in transport.dials] == [0.0, 13.0, 28.0]
        assert told.idle == [5.0, 5.0]


def test_two_subscribers_are_independent() -> None:
    """Each has a connection and a clock."""
    virtual, transport = at(0), ScriptedTransport(Attempt(messages=[(1.0, "a")]), Attempt())
    result = dialled(transport).pipe(idle_timeout(5.0))
    first = Seen(virtual, result)
    virtual.advance_to(2)
    second = Seen(virtual, result)
    virtual.advance_to(100)
    assert ended(first) == (6.0, IdleTimeout)
    assert ended(second) == (7.0, IdleTimeout)


# What is refused


@pytest.mark.parametrize(
    ("timeout", "is_data", "field"),
    [
        (0, None, "idle_timeout"),
        (-1.0, None, "idle_timeout"),
        (float("nan"), None, "idle_timeout"),
        (True, None, "idle_timeout"),
        ("5", None, "idle_timeout"),
        (5.0, b"tick", "is_data"),
        (None, 5, "is_data"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(timeout: Any, is_data: Any, field: str) -> None:
    """When the operator is made, with the value."""
    with pytest.raises(ConfigError) as refused:
        idle_timeout(timeout, is_data)
    assert refused.value.field == field
    assert repr(is_data if field == "is_data" else timeout) in str(refused.value)
