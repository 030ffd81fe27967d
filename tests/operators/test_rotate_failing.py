"""The new connection fails, or the old one ends in the overlap: what is an outage, and what is none."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject

from rxws import Backoff
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    DecodeError,
    HandshakeRejected,
    RetriesExhausted,
)
from rxws.events import Closed, Connecting, ConnectionState, DisconnectReason, Rotated, Waiting
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.feeds import keyed, leg, numbers, through
from tests.scripted import play

FIXED = Backoff.fixed(2.0)
FIRST = leg()


# Where it fails


URL = "ws://scripted/ws"
REFUSED = HandshakeRejected(URL, 503)
BUSY = HandshakeRejected(URL, 429, retry_after=7.0)
DENIED = HandshakeRejected(URL, 401)


@pytest.mark.parametrize(
    ("failing", "again", "error"),
    [
        (Attempt.refused(0.5), 12.5, ConnectionFailed),
        (Attempt.refused(0.5, REFUSED), 12.5, HandshakeRejected),
        (Attempt.refused(0.5, BUSY), 17.5, HandshakeRejected),
        (Attempt(opens=None), 17.0, ConnectTimeout),
        (Attempt(opens=4.9), 17.0, ConnectTimeout),
        (Attempt(messages=[(1.0, '"answer"'), (2.0, '"answer"')]), 17.0, ConnectTimeout),
        (Attempt(lost=(0.5, ConnectionClosed(1006))), 12.5, ConnectionClosed),
        (Attempt(messages=[(0.5, '"answer"')], lost=(0.7, ConnectionClosed(1001))), 12.7, ConnectionClosed),
        (Attempt(messages=[(0.5, "99")], lost=(0.7, ConnectionClosed(1012))), 12.7, ConnectionClosed),
    ],
    ids=["nobody", "503", "429", "hangs", "no data", "answers only", "opens", "answers", "data, and no cut"],
)
def test_where_the_new_one_fails_the_old_one_goes_on(failing: Attempt, again: float, error: type[Exception]) -> None:
    """The overlap is counted from the dial, and the next try waits as `retry` says; nothing of it is an outage."""
    played = play(FIRST, failing, leg(), rotate=keyed(), retry=FIXED, is_data=lambda payload: payload[:1] != b'"').to(
        again + 5.0
    )
    assert played.dials == pytest.approx([0.0, 10.0, again])
    assert numbers(played) == through(int(again + 5.0))
    (waiting,) = played.of(Waiting)
    assert isinstance(waiting.error, error)
    assert (waiting.attempt, waiting.generation, waiting.state) == (2, 1, ConnectionState.CONNECTED)
    (closed,) = played.of(Closed)
    assert (closed.generation, closed.state) == (2, ConnectionState.CONNECTED)
    assert [event.attempt for event in played.of(Connecting)] == [1, 1, 2]
    assert len(played.of(Rotated)) == 1


def test_a_failed_dial_tells_how_manieth_try_it_was() -> None:
    """The rotation's own, not the stream's."""
    played = play(
        FIRST, Attempt.refused(), Attempt.refused(error=ConnectionFailed(URL)), leg(), rotate=keyed(), retry=FIXED
    )
    played.to(20.0)
    assert [event.error.attempts for event in played.of(Waiting)] == [1, 2]


def test_the_back_off_grows_and_begins_anew_after_a_rotation() -> None:
    """Counted apart from the losses of the stream."""
    policy = Backoff(1.0, 2.0, 60.0, jitter="none")
    legs = [FIRST, *[Attempt.refused()] * 3, leg(), Attempt.refused(), leg()]
    played = play(*legs, rotate=keyed(), retry=policy).to(35.0)
    assert played.dials == [0.0, 10.0, 11.0, 13.0, 17.0, 28.0, 29.0]
    assert numbers(played) == through(35)
    assert [event.seconds for event in played.of(Waiting)] == [1.0, 2.0, 4.0, 1.0]


@pytest.mark.parametrize(
    ("retry", "failing", "error"),
    [
        (None, Attempt.refused(), ConnectionFailed),
        (FIXED, Attempt.refused(error=DENIED), HandshakeRejected),
        (Backoff.fixed(2.0, max_attempts=1), Attempt.refused(), RetriesExhausted),
        (lambda signal: None, Attempt.refused(), RetriesExhausted),
        (lambda signal: rx.empty(), Attempt.refused(), ConnectionFailed),
        (lambda signal: "soon", Attempt.refused(), ConfigError),
        (None, Attempt.closes(0.5, 4000), ConnectionClosed),
        (FIXED, Attempt.closes(0.5, 4001), ConnectionClosed),
    ],
    ids=["no policy", "401", "exhausted", "gives up", "an empty wait", "junk", "no policy, closed", "a final code"],
)
def test_where_nothing_is_tried_again_the_old_one_stays_until_the_next_is_asked_for(
    retry: Any, failing: Attempt, error: type[Exception]
) -> None:
    """An age counts from then on."""
    played = play(FIRST, failing, leg(), rotate=keyed(), retry=retry, final_close_codes=[4001]).to(30.0)
    assert played.error is None
    assert played.dials == pytest.approx([0.0, 10.0, 20.0], abs=0.5)
    assert numbers(played) == through(30)
    waiting = played.of(Waiting)[-1]
    assert isinstance(waiting.error, error)
    assert (waiting.seconds, waiting.rule, waiting.attempt) == (None, "rotate", 1)


def test_after_giving_up_a_callable_is_asked_anew() -> None:
    """Else one that waits for a time would never ask again."""
    rotation = keyed(lambda _: rx.timer(10.0))
    played = play(FIRST, Attempt.refused(), leg(), rotate=rotation, retry=None).to(25.0)
    assert played.dials == [0.0, 10.0, 20.0]


def test_what_the_policy_raises_is_the_streams_error() -> None:
    """As after an ordinary loss."""
    played = play(FIRST, Attempt.refused(), rotate=keyed(), retry=lambda signal: 1 / 0).to(20.0)
    assert isinstance(played.error, ZeroDivisionError)
    assert played.transport.live == 0


def test_a_url_that_is_wrong_this_once_costs_the_old_one_nothing() -> None:
    """For an ordinary dial it is fatal; here there is a connection that goes on."""
    urls = iter([URL, "http://wrong", URL])
    played = play(FIRST, leg(), url=lambda: next(urls), rotate=keyed()).to(25.0)
    assert played.error is None
    assert played.dials == [0.0, 20.0]
    assert numbers(played) == through(25)


def test_a_bad_frame_of_the_new_one_is_fatal_where_bad_frames_are() -> None:
    """No other connection would bring a better one; both are closed."""
    played = play(FIRST, leg(messages=[(0.5, "{")]), rotate=keyed(), decode=int, on_bad_frame="raise").to(12.0)
    assert isinstance(played.error, DecodeError)
    assert played.transport.live == 0


def test_failures_are_logged_like_other_dials_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """At most once a minute."""
    with caplog.at_level(logging.WARNING, "rxws"):
        played = play(FIRST, *[Attempt.refused()] * 20, leg(), rotate=keyed(), retry=FIXED).to(45.0)
    assert len(played.of(Waiting)) > 15
    assert len(caplog.records) == 1
    assert "attempt 2 follows" in caplog.text


# The old one's end in the overlap


def test_the_old_ones_loss_while_none_delivers_is_an_ordinary_loss() -> None:
    """The successor is disposed before anybody hears of it, and `retry` says when the next comes."""
    live: list[int] = []
    transport = ScriptedTransport(leg(to=10, lost=(10.5, ConnectionClosed(1006))), leg(opens=3.0), leg())

    def policy(signal: Any) -> float:
        live.append(transport.live)
        return 2.0

    played = play(transport=transport, rotate=keyed(), retry=policy).to(20.0)
    assert live == [0]
    assert [dialed.at for dialed in transport.dials] == [0.0, 10.0, 12.5]
    assert numbers(played) == [*through(10), *range(13, 21)]
    assert [(event.generation, event.reason) for event in played.of(Closed)] == [
        (1, DisconnectReason.NETWORK_ERROR),
        (2, DisconnectReason.SCHEDULED),
    ]
    assert played.of(Waiting)[0].state is ConnectionState.RECONNECTING
    assert played.of(Rotated) == []


@pytest.mark.parametrize("end", [ConnectionClosed(1012), ConnectionClosed(1006)])
def test_the_old_ones_loss_while_the_new_one_delivers_is_no_outage(end: ConnectionClosed) -> None:
    """It takes over, with all that it has brought; the loss is told and counted as what it is."""
    old = leg(lag=0.9, lost=(11.5, end))
    played = play(old, leg(), rotate=keyed()).to(15.5)
    assert numbers(played) == through(15)
    assert played.told[-3:] == ["Live", "Closed", "Rotated"]
    assert {event.state for event in played.events[1:]} == {ConnectionState.CONNECTED}
    assert (played.stats.reactive_disconnects, played.stats.proactive_disconnects) == (1, 0)
    assert played.of(Waiting) == []


LIMITED: dict[str, Any] = {"max_age": 20.0, "max_age_jitter": 0.0, "retry": FIXED, "check_interval": 5.0}
"""A rotation begins at 15; where its first try fails, the second one's overlap is longer than the old one lives."""


def test_max_age_of_the_old_one_while_the_new_one_delivers_is_no_outage() -> None:
    """It takes over at that moment; what the old one was behind with is lost, as at the end of an overlap."""
    played = play(leg(lag=2.9), Attempt.refused(), leg(), rotate=keyed(100.0), **LIMITED).to(25.5)
    assert numbers(played) == [*through(17), *range(18, 26)]
    closed = played.of(Closed)[-1]
    assert (closed.generation, closed.reason) == (1, DisconnectReason.CONNECTION_LIMIT)
    assert played.told[-2:] == ["Closed", "Rotated"]
    assert {event.state for event in played.events[1:]} == {ConnectionState.CONNECTED}


def test_max_age_of_the_old_one_while_none_delivers_is_a_planned_end() -> None:
    """Both are closed, and the way back is the ordinary one."""
    played = play(FIRST, Attempt.refused(), leg(opens=4.0), rotate=keyed(100.0), **LIMITED).to(20.0)
    assert [(event.generation, event.reason) for event in played.of(Closed)[1:]] == [
        (1, DisconnectReason.CONNECTION_LIMIT),
        (3, DisconnectReason.SCHEDULED),
    ]
    assert played.events[-1].state is ConnectionState.DISCONNECTED
    assert played.to(30.0).dials == [0.0, 15.0, 17.0, 22.0]  # check_interval after the last


@pytest.mark.parametrize("delivers", [True, False])
def test_a_final_close_code_completes_for_good_also_in_an_overlap(delivers: bool) -> None:
    """Whether or not the new one delivers: the server does not want us any more."""
    old = leg(lag=0.9, lost=(11.5, ConnectionClosed(4001)))
    played = play(old, leg(opens=0.0 if delivers else 3.0), rotate=keyed(), final_close_codes=[4001]).to(60.0)
    assert played.completed
    assert (len(played.dials), played.transport.live) == (2, 0)


@pytest.mark.parametrize("which", [0, 1], ids=["the old one", "the new one"])
@pytest.mark.parametrize("delivers", [True, False])
def test_the_users_close_completes_for_good_also_in_an_overlap(which: int, delivers: bool) -> None:
    """Of either connection: whoever closes has the newest one in hand, or the one before it."""
    connections: list[Any] = []

    async def on_open(connection: Any) -> None:
        connections.append(connection)

    old = leg(lag=0.9)
    new = leg() if delivers else Attempt()
    played = play(old, new, rotate=keyed(), on_open=on_open).to(11.5)
    assert played.transport.live == 2
    connections[which].close()
    assert played.completed
    assert played.transport.live == 0
    assert {event.reason for event in played.of(Closed)} == {DisconnectReason.USER_REQUESTED}
    assert played.events[-1].state in (ConnectionState.CLOSING, ConnectionState.CLOSED)
    assert len(played.to(60.0).dials) == 2


@pytest.mark.parametrize(("delivers", "cut"), [(True, 15.0), (False, None)])
def test_what_a_pause_keeps_from_us_is_not_cut_off(delivers: bool, cut: float | None) -> None:
    """`overlap` ends when the old one has been read for so long; by then it has delivered what it held back."""
    connections: list[Any] = []
    successor = leg() if delivers else Attempt()
    played = play(leg(), successor, rotate=keyed(overlap=3.0), heartbeat=ops.do_action(connections.append)).to(8.5)
    connections[0].pause()
    played.to(15.0)
    assert numbers(played) == through(8)
    connections[0].resume()
    played.to(17.0)
    assert numbers(played) == through(17)
    assert [event.time_ns for event in played.of(Rotated)] == ([] if cut is None else [cut * 1e9])
    assert played.of(Closed) == []
    played.to(18.5)
    assert len(played.of(Closed)) == (0 if delivers else 1)


@pytest.mark.parametrize("delivers", [True, False])
def test_a_gate_that_closes_in_the_overlap_ends_both_and_tells_both(delivers: bool) -> None:
    """SCHEDULED; the stream is disconnected, and comes back when the gate opens."""
    gate: Any = BehaviorSubject(True)
    new = leg() if delivers else Attempt()
    played = play(leg(lag=0.9), new, leg(), rotate=keyed(), connect_while=gate).to(11.5)
    assert played.transport.live == 2
    gate.on_next(False)
    assert played.transport.live == 0
    closed = played.of(Closed)
    assert [(event.generation, event.reason) for event in closed] == [
        (1, DisconnectReason.SCHEDULED),
        (2, DisconnectReason.SCHEDULED),
    ]
    assert closed[-1].state is ConnectionState.DISCONNECTED
    played.to(30.0)
    gate.on_next(True)
    assert played.to(35.5).dials == [0.0, 10.0, 30.0]
    assert numbers(played)[-5:] == [31, 32, 33, 34, 35]
