"""Topics of a stream: told by the connection that they are silent on, which may be lost for it."""

from __future__ import annotations

from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation
from rxws.controls import Controls
from rxws.errors import ConnectionClosed, IdleTimeout
from rxws.events import Closed, DisconnectReason, Rotated, Stale
from rxws.testing import Attempt, ScriptedTransport
from tests.scripted import Played, play

WATCHED: dict[str, Any] = {
    "topic": lambda value: value["s"],
    "topic_timeout": 5.0,
    "retry": Backoff.fixed(2.0),
    "random": 0.999_999_999,
    "ping_interval": None,
}


def says(*told: tuple[float, str]) -> list[tuple[float, str]]:
    """Return messages of topics at times."""
    return [(at, f'{{"s":"{topic}"}}') for at, topic in told]


def feed(topic: str, until: int, begin: int = 1) -> list[tuple[float, str]]:
    """Return a message a second."""
    return says(*((float(second), topic) for second in range(begin, until)))


def stale(played: Played) -> list[tuple[int, str | None, float]]:
    """Return what was told of silent topics."""
    return [(event.generation, event.topic, event.idle) for event in played.of(Stale)]


def test_a_topic_that_falls_silent_is_told_and_nothing_else_happens() -> None:
    """The connection stays."""
    played = play(Attempt(messages=[*feed("a", 30), *says((1.5, "b"))]), **WATCHED).to(20.0)
    assert stale(played) == [(1, "b", 5.0)]
    assert "Closed" not in played.told
    assert len(played.values) == 21


def test_it_may_cost_the_connection() -> None:
    """Stale is told before Closed, once, though two topics fell silent together; the next connection begins anew."""
    silent = Attempt(messages=[*feed("a", 30), *says((1.5, "b"), (1.5, "c"))])
    played = play(silent, Attempt(messages=feed("a", 60)), on_stale_topic="reconnect", **WATCHED).to(60.0)
    assert stale(played) == [(1, "b", 5.0)]
    (closed,) = played.of(Closed)
    assert (closed.reason, closed.uptime) == (DisconnectReason.IDLE_TIMEOUT, 6.5)
    assert isinstance(closed.error, IdleTimeout)
    assert closed.error.timeout == 5.0
    names = played.told
    assert names.index("Stale") + 1 == names.index("Closed")
    assert played.dials == [0.0, pytest.approx(8.5)]


def test_at_once_retried_it_costs_one_connection_and_not_the_next_one() -> None:
    """Each watch is of its own connection, whichever is the current one by then."""
    silent = Attempt(messages=says((1.0, "a"), (1.0, "b"), (1.0, "c")))
    options = {**WATCHED, "retry": Backoff.immediate()}
    played = play(silent, Attempt(messages=feed("a", 90)), on_stale_topic="reconnect", **options).to(60.0)
    assert [closed.generation for closed in played.of(Closed)] == [1]
    assert len(played.dials) == 2


def test_a_reconnect_begins_anew() -> None:
    """A topic that the last connection brought is none of this one's until it brings it."""
    lost = Attempt(messages=says((1.0, "a")), lost=(2.0, ConnectionClosed(1001)))
    played = play(lost, Attempt(messages=feed("b", 90)), **WATCHED).to(60.0)
    assert stale(played) == []


def test_what_the_topic_raises_is_told_and_the_stream_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """An acknowledgement has none: once a minute that is logged, and it is handed on."""
    messages = [(0.5, '{"result":null}'), *feed("a", 30), *says((1.5, "b")), (2.5, "[1]"), (3.5, '{"s":[1]}')]
    played = play(Attempt(messages=messages), **WATCHED).to(20.0)
    assert stale(played) == [(1, "b", 5.0)]
    assert (len(played.values), played.error) == (24, None)
    assert [record.getMessage() for record in caplog.records if "topic raised" in record.getMessage()] == [
        "ws://scripted/ws: topic raised KeyError('s'); it changes nothing"
    ]


def test_silence_of_all_is_told_by_the_connections_own_clock() -> None:
    """With `is_data`, a venue's heartbeats feed a topic if they have one, and not the idle clock."""
    messages = [*says((1.0, "a")), *((float(second), '{"s":"pong"}') for second in range(2, 30))]
    played = play(Attempt(messages=messages), idle_timeout=8.0, is_data=lambda raw: b"pong" not in raw, **WATCHED)
    played.to(9.5)
    assert stale(played) == [(1, "a", 5.0), (1, None, 8.0)]
    assert played.of(Closed)[0].reason is DisconnectReason.IDLE_TIMEOUT


def test_what_keep_leaves_out_is_no_life_of_a_topic() -> None:
    """A topic is of a value."""
    messages = [*says((1.0, "a")), *feed("a", 30, begin=2)]
    played = play(Attempt(messages=messages), keep=Once(), **WATCHED).to(20.0)
    assert stale(played) == [(1, "a", 5.0)]


class Once:
    """Keeps the first message."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, payload: bytes) -> bool:
        self.count += 1
        return self.count == 1


def test_two_subscriptions_watch_apart() -> None:
    """Topics are of a connection, and each has its own."""
    first = play(Attempt(messages=says((1.0, "a"))), **WATCHED)
    second = play(Attempt(messages=feed("a", 90)), virtual=first.virtual, **WATCHED)
    first.to(30.0)
    assert (stale(first), stale(second)) == ([(1, "a", 5.0)], [])


def test_while_a_connection_is_paused_nothing_is_silent() -> None:
    """What somebody does not want to read now is no fault of the server's; it counts from when it is read again."""
    controls = Controls()
    played = play(Attempt(messages=says((1.0, "a"))), controls=controls, idle_timeout=8.0, **WATCHED).to(2.0)
    assert controls.outgoing is not None
    connection = controls.outgoing.connection
    assert connection is not None
    connection.pause()
    played.to(50.0)
    connection.resume()
    assert stale(played.to(54.9)) == []
    assert stale(played.to(57.9)) == [(1, "a", 5.0)]
    assert [event.idle for event in played.to(58.5).of(Stale)] == [5.0, 8.0]


# Rotations: two connections at once

ROTATED: dict[str, Any] = {**WATCHED, "rotate": Rotation(20.0, overlap=15.0, key=lambda value: value["n"])}


def numbered(first: int, *told: tuple[float, str]) -> list[tuple[float, str]]:
    """Return numbered messages of topics."""
    return [(at, f'{{"s":"{topic}","n":{number}}}') for number, (at, topic) in enumerate(told, first)]


def test_in_an_overlap_each_connection_has_its_own_topics() -> None:
    """One that is silent on the new one is no fault of the old one, and told with the new one's generation."""
    old = Attempt(messages=numbered(1, *((float(at), "a") for at in range(1, 60))))
    new = Attempt(messages=numbered(1_000, (1.0, "b"), *((float(at), "a") for at in range(2, 60))))
    played = play(old, new, on_stale_topic="reconnect", **ROTATED).to(27.0)
    assert stale(played) == [(2, "b", 5.0)]
    assert [closed.generation for closed in played.of(Closed)] == [2]
    assert not played.of(Rotated)
    assert len(played.values) == 27


def test_after_the_cut_the_old_ones_topics_are_forgotten() -> None:
    """And the new one's are watched from their first value in the overlap on."""
    old = Attempt(messages=numbered(1, *((float(at), "a") for at in range(1, 60)), (18.0, "old")))
    new = Attempt(messages=numbered(21, (0.5, "new"), *((at + 0.5, "a") for at in range(1, 60))))
    played = play(old, new, **ROTATED).to(39.0)
    assert len(played.of(Rotated)) == 1
    assert stale(played) == [(2, "new", 5.0)]


# Arguments


def test_without_a_timeout_or_a_topic_nothing_is_watched() -> None:
    """Nobody asks for the topic."""
    asked: list[Any] = []
    played = play(Attempt(messages=feed("a", 5)), topic=asked.append, virtual=TestScheduler()).to(60.0)
    assert (asked, stale(played), len(played.values)) == ([], [], 4)
    assert isinstance(played.transport, ScriptedTransport)
