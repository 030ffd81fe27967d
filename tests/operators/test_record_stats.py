"""Connections are counted at the wire, into a Stats or what keeps one."""

from __future__ import annotations

import pytest
from reactivex import operators as ops

from rxws.backoff import Backoff
from rxws.errors import ConnectionClosed
from rxws.events import DisconnectReason
from rxws.lifecycle import Lifecycle
from rxws.operators import after, max_age, messages, record_stats, reopen, repeat_when, retry_when
from rxws.stats import Stats
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.seen import Seen, at, dialled

TALKING = Attempt(messages=[(1.0, "ä"), (2.0, b"xyz")], lost=(5.0, ConnectionClosed(1001)))


def test_connections_messages_and_bytes_are_counted() -> None:
    """Also while the connection is open, and whether or not anybody reads."""
    virtual, stats = at(0), Stats()
    Seen(virtual, dialled(ScriptedTransport(TALKING)).pipe(record_stats(stats)))
    virtual.advance_to(1.5)
    assert (stats.connects, stats.disconnects, stats.messages_received, stats.bytes_received) == (1, 0, 1, 2)
    assert (stats.uptime, stats.last_connect_time, stats.last_message_time) == (1.5, 0.0, 1.0)
    virtual.advance_to(10)
    assert (stats.connects, stats.disconnects, stats.messages_received, stats.bytes_received) == (1, 1, 2, 5)
    assert (stats.uptime, stats.last_disconnect_time) == (5.0, 5.0)


def test_what_is_sent_is_counted() -> None:
    """Messages and their payloads' bytes."""
    virtual, stats = at(0), Stats()
    send = ops.do_action(lambda connection: [connection.send("ä"), connection.send({"op": 1})])
    Seen(virtual, dialled(ScriptedTransport()).pipe(record_stats(stats), send))
    virtual.advance_to(1)
    assert (stats.messages_sent, stats.bytes_sent) == (2, 2 + len('{"op":1}'))


def test_losses_and_planned_ends_are_told_apart() -> None:
    """By the reasons that the journal knows."""
    virtual, transport = at(0), ScriptedTransport(TALKING, Attempt.closes(3.0), Attempt())
    life = Lifecycle(virtual, stable_after=60.0)
    counted = dialled(transport, journal=life).pipe(record_stats(life), max_age(10.0, 0.0))
    again = counted.pipe(retry_when(after(Backoff.fixed(1.0))), repeat_when(reopen(lambda end: 1.0)))
    seen = Seen(virtual, again)
    virtual.advance_to(25)
    seen.dispose()
    stats = life.stats
    assert (stats.connects, stats.disconnects) == (4, 4)
    assert (stats.proactive_disconnects, stats.reactive_disconnects) == (2, 2)
    assert stats.reasons == {
        DisconnectReason.SERVER_CLOSED: 1,
        DisconnectReason.NETWORK_ERROR: 1,
        DisconnectReason.CONNECTION_LIMIT: 1,
        DisconnectReason.USER_REQUESTED: 1,
    }


def test_it_is_counted_before_anybody_hears_of_the_end() -> None:
    """Who is told finds the numbers right."""
    virtual, stats = at(0), Stats()
    counts: list[tuple[int, int]] = []
    source = dialled(ScriptedTransport(TALKING)).pipe(record_stats(stats), messages())
    Seen(virtual, source, lambda _: counts.append((stats.messages_received, stats.disconnects)))
    virtual.advance_to(10)
    assert counts == [(1, 0), (2, 0), (2, 1)]


def test_a_dial_that_fails_is_no_connection() -> None:
    """Nothing opened."""
    virtual, stats = at(0), Stats()
    Seen(virtual, dialled(ScriptedTransport(Attempt.refused())).pipe(record_stats(stats)))
    virtual.advance_to(10)
    assert (stats.connects, stats.disconnects) == (0, 0)


def test_rates_are_sampled_at_each_read() -> None:
    """So that a rate over a short time says what came in it."""
    virtual, stats = at(0), Stats()
    attempt = Attempt(messages=[(second / 2, "x") for second in range(1, 41)])
    Seen(virtual, dialled(ScriptedTransport(attempt)).pipe(record_stats(stats)))
    virtual.advance_to(20)
    assert stats.rate(5.0) == pytest.approx(2.0, abs=0.25)
    virtual.advance_to(40)
    assert stats.rate(5.0) == 0.0


def test_the_connection_passes_as_it_is() -> None:
    """Nothing stands between it and who reads it."""
    virtual, before, after_ = at(0), [], []  # type: ignore[var-annotated]
    source = dialled(ScriptedTransport()).pipe(ops.do_action(before.append), record_stats(Stats()))
    Seen(virtual, source, after_.append)
    virtual.advance_to(1)
    assert after_[0] is before[0]


def test_several_streams_may_count_into_one() -> None:
    """And one stream's end leaves the others counted."""
    virtual, stats = at(0), Stats()
    first = Seen(virtual, dialled(ScriptedTransport(Attempt())).pipe(record_stats(stats)))
    Seen(virtual, dialled(ScriptedTransport(TALKING)).pipe(record_stats(stats)))
    virtual.advance_to(2)
    first.dispose()
    virtual.advance_to(4)
    assert (stats.connects, stats.disconnects, stats.messages_received) == (2, 1, 2)
    assert stats.uptime == 6.0
    assert stats.reasons == {DisconnectReason.USER_REQUESTED: 1}
