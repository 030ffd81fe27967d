"""The pipeline as a whole, in virtual time: what ends it, what brings it back, and what never happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation, Stats, ws_observable
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    DecodeError,
    HandshakeRejected,
    IdleTimeout,
    PingTimeout,
    RetriesExhausted,
)
from rxws.events import BadFrame, Closed, DisconnectReason, Event, GaveUp, Overflow, Waiting
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Connection
from rxws.windows import always, daily
from tests.scripted import Played, play

ONE = Attempt(messages=[(1.0, '{"n": 1}')])
FIXED = Backoff.fixed(2.0)


# What comes back after a loss


def test_a_lost_connection_is_dialled_again_after_the_policys_wait() -> None:
    """Each loss waits as the policy says, and the values of all connections make one stream."""
    played = play(Attempt(messages=[(1.0, "1")], lost=(3.0, ConnectionClosed(1006))), ONE, retry=FIXED).to(20.0)
    assert played.dials == [0.0, 5.0]
    assert played.values == [(1.0, 1), (6.0, {"n": 1})]


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011, 1012, 3000, 4999])
def test_a_close_by_the_server_is_a_loss_whatever_its_code(code: int) -> None:
    """1000 and 1001 too: only what we end ourselves is a planned end."""
    played = play(Attempt.closes(1.0, code), Attempt(), retry=FIXED).to(10.0)
    assert played.dials == [0.0, 3.0]
    assert played.stats.reactive_disconnects == 1


def test_a_close_code_that_asks_for_a_pause_waits_the_policys_cap() -> None:
    """1013 waits between half the cap and all of it, though the first delay would be 1 s."""
    played = play(Attempt.closes(1.0, 1013), Attempt(), retry=Backoff(cap=60.0), random=0.0).to(100.0)
    assert played.dials == [0.0, 61.0]
    assert played.of(Waiting)[0].rule == "pause"


def test_retry_after_is_a_floor_under_the_policy() -> None:
    """The server's Retry-After is kept to the second, whatever the policy says."""
    refused = HandshakeRejected("ws://scripted", 429, retry_after=7.0)
    played = play(Attempt.refused(error=refused), Attempt(), retry=Backoff(initial=0.05, cap=0.4)).to(30.0)
    assert played.dials == [0.0, 7.0]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_no_attempt_can_cure_is_the_streams_error_at_once(status: int) -> None:
    """401, 403 and 404 go to the subscriber untouched, after one attempt."""
    refused = HandshakeRejected("ws://scripted", status, body=b"no")
    played = play(Attempt.refused(error=refused)).to(1000.0)
    assert played.error is refused
    assert len(played.dials) == 1
    assert isinstance(played.events[-1], GaveUp)


def test_without_a_policy_a_loss_is_the_streams_error() -> None:
    """`retry=None` hands the error on as it is."""
    lost = ConnectionClosed(1001)
    played = play(Attempt(lost=(1.0, lost)), retry=None).to(100.0)
    assert played.error is lost
    assert lost.uptime == 1.0


def test_a_policy_that_gives_up_is_told_from_the_last_error() -> None:
    """`max_attempts` counts the first dial; the last failure is the cause."""
    played = play(Attempt.refused(), retry=Backoff.fixed(1.0, max_attempts=3)).to(100.0)
    assert played.dials == [0.0, 1.0, 2.0]
    assert isinstance(played.error, RetriesExhausted)
    assert (played.error.in_a_row, played.error.total) == (3, 3)
    assert isinstance(played.error.__cause__, ConnectionFailed)
    assert played.error.__cause__.attempts == 3


def test_the_back_off_grows_until_a_connection_has_proved_itself() -> None:
    """Neither a handshake nor a first message resets it: `stable_after` seconds of uptime do."""
    short = Attempt(messages=[(0.5, "1")], lost=(1.0, ConnectionClosed(1006)))
    long = Attempt(lost=(30.0, ConnectionClosed(1006)))
    policy = Backoff(initial=1.0, factor=2.0, cap=100.0, jitter="none", stable_after=30.0)
    played = play(short, short, short, long, short, retry=policy).to(47.0)
    assert [wait.seconds for wait in played.of(Waiting)] == [1.0, 2.0, 4.0, 1.0, 2.0, 4.0]


def test_a_policy_may_answer_with_an_observable() -> None:
    """Its first value means now."""
    go: Subject[None] = Subject()
    played = play(Attempt.closes(1.0), Attempt(), retry=lambda signal: go).to(50.0)
    assert played.dials == [0.0]
    go.on_next(None)
    assert played.to(51.0).dials == [0.0, 50.0]


def test_what_a_policy_raises_is_the_streams_error() -> None:
    """A bug in the caller's policy is not swallowed."""
    bug = ZeroDivisionError()

    def policy(signal: object) -> float:
        raise bug

    assert play(Attempt.closes(1.0), retry=policy).to(5.0).error is bug


# What we end ourselves


def test_a_closed_window_dials_nothing_and_an_open_one_dials() -> None:
    """A gate is a level: it is asked before any dial."""
    window = daily("00:00:10", "00:00:20")
    played = play(Attempt(), connect_while=window).to(9.0)
    assert played.dials == []
    assert played.to(15.0).dials == [10.0]
    assert played.transport.live == 1
    assert played.to(21.0).transport.live == 0
    assert played.of(Closed)[0].reason is DisconnectReason.SCHEDULED
    assert played.to(86_400.0 + 11.0).dials == [10.0, 86_410.0]


def test_a_window_that_closes_during_a_back_off_opens_no_socket() -> None:
    """The window stands outside the retries, so that it cuts their waits too."""
    window = daily("00:00:00", "00:00:10")
    played = play(Attempt.closes(5.0), Attempt(), connect_while=window, retry=Backoff.fixed(8.0)).to(60.0)
    assert played.dials == [0.0]


def test_the_wait_for_a_window_is_told_with_its_seconds() -> None:
    """A person who asks how long until the next attempt gets an answer."""
    played = play(Attempt(), connect_while=daily("00:01:00", "00:02:00")).to(1.0)
    (waiting,) = played.of(Waiting)
    assert (waiting.seconds, waiting.rule, waiting.error) == (60.0, "scheduled", None)


def test_an_observable_of_bool_is_a_level_that_outlives_the_connections() -> None:
    """Its last value is asked; it is subscribed once a subscription, not once a connection."""
    subscribed = 0
    market: BehaviorSubject[bool] = BehaviorSubject(False)

    def count(_: Any) -> rx.Observable[bool]:
        nonlocal subscribed
        subscribed += 1
        return market

    played = play(Attempt(), connect_while=rx.defer(count)).to(5.0)
    assert played.dials == []
    market.on_next(True)
    assert played.to(6.0).dials == [5.0]
    market.on_next(False)
    assert played.to(20.0).transport.live == 0
    market.on_next(True)
    assert played.to(21.0).dials == [5.0, 20.0]
    assert subscribed == 1


def test_an_observable_of_bool_that_fails_is_the_streams_error() -> None:
    """It is the caller's, so it is not retried."""
    bug = ValueError("feed of the market's hours")
    assert play(Attempt(), connect_while=rx.throw(bug)).to(1.0).error is bug


def test_a_callable_is_polled_and_leads_back_when_it_no_longer_holds() -> None:
    """`disconnect_when` ends the connection while true; without a way back of its own it is the way back too."""
    away = False
    played = play(Attempt(), disconnect_when=lambda: away, check_interval=5.0).to(6.0)
    away = True
    played.to(11.0)
    assert played.transport.live == 0
    assert played.of(Closed)[0].reason is DisconnectReason.CALLBACK_TRIGGERED
    assert played.to(30.0).dials == [0.0]
    away = False
    assert played.to(40.0).dials == [0.0, 35.0]


def test_a_callable_that_is_true_from_the_start_dials_nothing() -> None:
    """It is asked before any dial."""
    assert play(Attempt(), disconnect_when=lambda: True).to(100.0).dials == []


def test_a_callable_that_raises_changes_nothing_and_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a condition neither connects nor disconnects, and does not flood the log."""

    def broken() -> bool:
        raise KeyError("balance")

    played = play(Attempt(), disconnect_when=broken, check_interval=5.0).to(125.0)
    assert (played.dials, played.transport.live) == ([0.0], 1)
    assert len(caplog.records) == 3
    assert "disconnect_when raised KeyError('balance')" in caplog.text


def test_an_async_callable_is_asked_like_any_other() -> None:
    """Nothing is dialled before its first answer."""
    is_open = False

    async def market_open() -> bool:
        return is_open

    played = play(Attempt(), connect_while=market_open, check_interval=5.0).to(7.0)
    assert played.dials == []
    is_open = True
    assert played.to(11.0).dials == [10.0]


def test_a_tick_ends_the_connection_and_it_comes_back() -> None:
    """Never sooner than check_interval after the last dial, else at once."""
    ticks: Subject[int] = Subject()
    played = play(Attempt(), disconnect_when=ticks, check_interval=5.0).to(2.0)
    ticks.on_next(1)
    assert played.to(4.9).dials == [0.0]
    assert played.to(5.1).dials == [0.0, 5.0]
    played.to(100.0)
    ticks.on_next(2)
    assert played.to(100.1).dials == [0.0, 5.0, 100.0]
    assert [closed.reason for closed in played.of(Closed)] == [DisconnectReason.SCHEDULED] * 2


@pytest.mark.parametrize("with_never", [True, False])
def test_a_tick_at_once_dials_nothing(with_never: bool) -> None:
    """Also where `merge` subscribes it a turn later than everybody would think."""
    tick = rx.merge(rx.of(1), rx.never()) if with_never else rx.of(1)
    played = play(Attempt(), disconnect_when=tick, reconnect_when=rx.never()).to(10.0)
    assert played.transport.live == 0
    assert not any(dialed.opened for dialed in played.transport.dials)


def test_reconnect_when_is_asked_for_the_way_back() -> None:
    """A number means in so many seconds, true means now, and false ask again."""
    answers: list[object] = [False, None, 0, 12.5]
    asked: list[float] = []
    ticks: Subject[int] = Subject()

    def when() -> object:
        asked.append(played.virtual.clock)
        return answers.pop(0)

    played = play(Attempt(), disconnect_when=ticks, reconnect_when=when, check_interval=5.0).to(10.0)
    ticks.on_next(1)
    played.to(60.0)
    assert asked == [10.0, 15.0, 20.0, 25.0]
    assert [(wait.seconds, wait.rule) for wait in played.of(Waiting)] == [(None, "scheduled"), (12.5, "reconnect_when")]
    assert played.dials == [0.0, 37.5]


def test_reconnect_when_may_be_an_observable_or_async() -> None:
    """The first value of an observable means now; a coroutine's answer counts like another's."""
    ticks: Subject[int] = Subject()
    go: Subject[int] = Subject()
    played = play(Attempt(), disconnect_when=ticks, reconnect_when=go).to(10.0)
    ticks.on_next(1)
    assert played.to(50.0).dials == [0.0]
    go.on_next(1)
    assert played.to(51.0).dials == [0.0, 50.0]

    async def yes() -> bool:
        return True

    played = play(Attempt(), disconnect_when=ticks, reconnect_when=yes).to(10.0)
    ticks.on_next(1)
    assert played.to(11.0).dials == [0.0, 10.0]


def test_callbacks_that_contradict_each_other_do_not_thrash() -> None:
    """Leave while more than 30 s are left, come back with less than 60: between them the leaving one wins."""
    virtual = TestScheduler()
    played = play(
        Attempt(),
        virtual=virtual,
        disconnect_when=lambda: 100.0 - virtual.clock > 30.0,
        reconnect_when=lambda: 100.0 - virtual.clock < 60.0,
        check_interval=1.0,
    )
    assert played.to(100.0).dials == [70.0]


def test_an_aged_connection_is_replaced_before_the_venue_does() -> None:
    """`max_age` is a planned end, CONNECTION_LIMIT, jittered downwards only."""
    played = play(Attempt(), max_age=100.0, max_age_jitter=0.1, random=0.5).to(96.0)
    assert played.dials == [0.0, 95.0]
    assert played.of(Closed)[0].reason is DisconnectReason.CONNECTION_LIMIT
    assert played.stats.proactive_disconnects == 1


def test_a_final_close_code_completes_for_good() -> None:
    """It does not reopen, also with plans that would lead back."""
    played = play(Attempt.closes(1.0, 4001), max_age=10.0, final_close_codes={4001}).to(1000.0)
    assert played.completed
    assert played.error is None
    assert played.dials == [0.0]


def test_totals_and_the_count_in_a_row_outlive_planned_ends() -> None:
    """A planned end is no proof: the back-off goes on where it was, and totals are the subscription's."""
    ticks: Subject[int] = Subject()
    policy = Backoff(initial=1.0, cap=100.0, jitter="none", max_attempts=5)
    played = play(
        Attempt.refused(), Attempt.refused(), Attempt(), Attempt.refused(), retry=policy, disconnect_when=ticks
    )
    played.to(4.0)
    assert played.transport.live == 1
    ticks.on_next(1)
    played.to(100.0)
    assert isinstance(played.error, RetriesExhausted)
    assert (played.error.in_a_row, played.error.total) == (5, 5)


def test_a_planned_end_of_a_proven_connection_is_proof() -> None:
    """After it the next failure is the first in a row again."""
    ticks: Subject[int] = Subject()
    policy = Backoff(initial=1.0, cap=100.0, jitter="none", stable_after=10.0)
    played = play(
        Attempt.refused(),
        Attempt.refused(),
        Attempt(),
        Attempt.refused(),
        Attempt(),
        retry=policy,
        disconnect_when=ticks,
    )
    played.to(50.0)
    ticks.on_next(1)
    assert [wait.seconds for wait in played.to(60.0).of(Waiting) if wait.error] == [1.0, 2.0, 1.0]


# What is lost


def test_silence_is_a_loss() -> None:
    """Armed at open: a connection that never brings anything is found too."""
    played = play(Attempt(), Attempt(), retry=FIXED, idle_timeout=5.0, ping_interval=None).to(7.5)
    assert isinstance(played.of(Closed)[0].error, IdleTimeout)
    assert played.told[:5] == ["Connecting", "Opened", "Stale", "Closed", "Waiting"]
    assert played.dials == [0.0, 7.0]


def test_pongs_that_do_not_come_are_a_loss_and_pongs_are_no_data() -> None:
    """A half-open socket is found by its pings; answered pings do not feed the idle clock."""
    played = play(Attempt(pongs=False), retry=None, ping_interval=2.0, ping_timeout=1.0).to(10.0)
    assert isinstance(played.error, PingTimeout)
    assert played.error.uptime == 3.0
    played = play(Attempt(), retry=None, ping_interval=1.0, ping_timeout=1.0, idle_timeout=4.5).to(10.0)
    assert isinstance(played.error, IdleTimeout)
    assert played.transport.dials[0].pings == 4


def test_a_handshake_that_hangs_is_a_loss() -> None:
    """`open_timeout` seconds after the dial, and the dial is broken off."""
    played = play(Attempt(opens=None), retry=None, open_timeout=3.0).to(10.0)
    assert isinstance(played.error, ConnectTimeout)
    assert (played.error.operation, played.error.timeout, played.error.uptime) == ("open", 3.0, 0.0)
    assert played.transport.live == 0


def test_only_what_is_data_keeps_a_connection() -> None:
    """A venue's heartbeats do not count where `is_data` says so; they are handed on all the same."""
    beats = Attempt(messages=[(float(at), '{"e": "heartbeat"}') for at in range(1, 20)])
    played = play(beats, retry=None, idle_timeout=5.0, is_data=lambda frame: b"heartbeat" not in frame).to(30.0)
    assert isinstance(played.error, IdleTimeout)
    assert len(played.values) == 5


# Decoding


def test_by_default_json_is_decoded_and_anything_else_comes_as_it_is() -> None:
    """Text stays text, bytes stay bytes."""
    frames = Attempt(messages=[(1.0, "[1]"), (2.0, "pong"), (3.0, b"\xff\x00"), (4.0, b'{"a": 1}')])
    assert [value for _, value in play(frames).to(5.0).values] == [[1], "pong", b"\xff\x00", {"a": 1}]


class Trade(msgspec.Struct):
    p: str


def test_a_bad_frame_is_counted_told_logged_and_skipped(caplog: pytest.LogCaptureFixture) -> None:
    """By default nothing ends, and nothing is lost in silence."""
    frames = Attempt(messages=[(1.0, '{"p": "1"}'), (2.0, "{"), (3.0, '{"q": 1}'), (4.0, '{"p": "2"}')])
    played = play(frames, decode=Trade).to(5.0)
    assert [value for _, value in played.values] == [Trade("1"), Trade("2")]
    assert played.stats.bad_frames == 2
    assert [bad.count for bad in played.of(BadFrame)] == [1, 2]
    assert played.of(BadFrame)[0].error.frame == "{"
    assert len(caplog.records) == 1


def test_a_bad_frame_is_a_fatal_error_where_asked_for() -> None:
    """It is never retried, and the connection is closed."""
    played = play(Attempt(messages=[(1.0, "{")]), decode=Trade, on_bad_frame="raise").to(100.0)
    assert isinstance(played.error, DecodeError)
    assert played.dials == [0.0]
    assert played.transport.live == 0


def test_keep_is_asked_before_decoding() -> None:
    """With the bytes, of text and binary alike; what it raises is a bad frame."""

    def keep(frame: bytes) -> bool:
        return frame[0] != ord("x")

    frames = Attempt(messages=[(1.0, "x{"), (2.0, b"1"), (3.0, "")])
    played = play(frames, decode=int, keep=keep).to(5.0)
    assert [value for _, value in played.values] == [1]
    assert played.stats.bad_frames == 1


# What the consumer does


def test_what_a_consumer_raises_is_not_retried_and_disposes_the_subscription() -> None:
    """With no loop it reaches whoever drives the time; in a loop its exception handler (tests/faults)."""
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt(messages=[(1.0, "1"), (2.0, "2")]))

    def consume(value: object) -> None:
        raise ConnectionError("the consumer's own")

    errors: list[Exception] = []
    ws_observable("ws://scripted", transport=transport).subscribe(consume, errors.append, scheduler=virtual)
    with pytest.raises(ConnectionError, match="the consumer's own"):
        virtual.advance_to(100.0)
    assert (errors, transport.live, len(transport.dials)) == ([], 0, 1)


def test_a_mapper_above_the_stream_that_raises_ends_it_untouched() -> None:
    """An error of the caller's operators is no loss."""
    virtual, transport = TestScheduler(), ScriptedTransport(ONE)
    errors: list[Exception] = []
    ws_observable("ws://scripted", transport=transport).pipe(ops.map(lambda value: value["absent"])).subscribe(
        on_error=errors.append, scheduler=virtual
    )
    virtual.advance_to(50.0)
    assert [type(error) for error in errors] == [KeyError]
    assert (transport.live, len(transport.dials)) == (0, 1)


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0, 4.5, 9.0])
def test_dispose_ends_it_for_good_at_any_moment(moment: float) -> None:
    """While connecting, open, waiting: no socket is left, nothing is dialled any more, nobody hears of it."""
    attempt = Attempt(opens=1.0, messages=[(1.5, "1")], lost=(4.0, ConnectionClosed(1006)))
    played = play(attempt, retry=FIXED)
    if moment:
        played.to(moment)
    dials, values = len(played.dials), len(played.values)
    played.subscription.dispose()
    played.to(1000.0)
    assert (len(played.dials), len(played.values)) == (dials, values)
    assert (played.transport.live, played.error, played.completed) == (0, None, False)


def test_dispose_counts_as_user_requested() -> None:
    """It is a proactive end like the others."""
    played = play(Attempt()).to(3.0)
    played.subscription.dispose()
    assert played.of(Closed)[0].reason is DisconnectReason.USER_REQUESTED
    assert played.stats.reasons == {DisconnectReason.USER_REQUESTED: 1}


def test_two_subscribers_are_two_sockets() -> None:
    """Nothing is shared unless the caller shares it."""
    virtual, transport = TestScheduler(), ScriptedTransport(ONE)
    stream = ws_observable("ws://scripted", transport=transport)
    first, second = [
        (values, stream.subscribe(values.append, scheduler=virtual))
        for values in ([], [])  # type: ignore[var-annotated]
    ]
    virtual.advance_to(0.5)
    assert transport.live == 2
    first[1].dispose()
    virtual.advance_to(2.0)
    assert (first[0], second[0], transport.live) == ([], [{"n": 1}], 1)


def test_nothing_happens_before_subscribe_and_nothing_is_emitted_within_it() -> None:
    """Cold, and never reentrant: the first dial comes one turn later."""
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt.refused())
    stream = ws_observable("ws://scripted", transport=transport, retry=None)
    errors: list[Exception] = []
    assert transport.dials == []
    stream.subscribe(on_error=errors.append, scheduler=virtual)
    assert (transport.dials, errors) == ([], [])
    virtual.advance_to(1.0)
    assert len(errors) == 1


# Sending


def test_subscriptions_are_sent_once_on_every_connection_in_order() -> None:
    """After each open, before anything is read."""
    script = Attempt.closes(5.0, 1001)
    played = play(script, retry=FIXED, subscriptions=[{"op": "a"}, "b", b"c", ["d"]]).to(13.0)
    assert [dialed.sent for dialed in played.transport.dials] == [['{"op":"a"}', "b", b"c", '["d"]']] * 2


def test_outgoing_is_subscribed_once_and_sent_on_the_current_connection() -> None:
    """While there is none it is dropped, counted and told."""
    outgoing: Subject[Any] = Subject()
    played = play(Attempt.closes(5.0), Attempt(), retry=FIXED, outgoing=outgoing)
    outgoing.on_next("too early")
    played.to(1.0)
    outgoing.on_next({"op": "first"})
    played.to(6.0)
    outgoing.on_next("between two connections")
    played.to(8.0)
    outgoing.on_next("second")
    assert [dialed.sent for dialed in played.transport.dials] == [['{"op":"first"}'], ["second"]]
    assert played.stats.dropped == 2
    assert [(event.where, event.dropped) for event in played.of(Overflow)] == [("outgoing", 1)] * 2
    assert played.stats.messages_sent == 2
    assert len(outgoing.observers) == 1
    played.subscription.dispose()
    assert len(outgoing.observers) == 0


def test_an_error_of_outgoing_is_the_streams_and_is_not_retried() -> None:
    """Also where it looks like a loss: it is another stream's."""
    outgoing: Subject[Any] = Subject()
    played = play(Attempt(), outgoing=outgoing).to(1.0)
    lost = ConnectionClosed(1006)
    outgoing.on_error(lost)
    assert played.to(100.0).error is lost
    assert (played.dials, played.transport.live) == ([0.0], 0)


def test_a_payload_that_cannot_be_sent_is_the_streams_error() -> None:
    """A set is no JSON: the caller hears of it, and it is not retried."""
    outgoing: Subject[Any] = Subject()
    played = play(Attempt(), outgoing=outgoing).to(1.0)
    outgoing.on_next(object())
    assert isinstance(played.to(2.0).error, TypeError)


# What is asked anew


def test_url_and_headers_are_asked_anew_for_each_connection() -> None:
    """Tokens and listen keys: sync or async."""
    tokens = iter("ab")

    async def headers() -> dict[str, str]:
        return {"X-Token": next(tokens)}

    urls = iter(["ws://one", "ws://two"])
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt.closes(1.0))
    ws_observable(lambda: next(urls), headers=headers, transport=transport, retry=FIXED).subscribe(scheduler=virtual)
    virtual.advance_to(3.5)
    assert [(dialed.url, dialed.headers) for dialed in transport.dials] == [
        ("ws://one", {"X-Token": "a"}),
        ("ws://two", {"X-Token": "b"}),
    ]


def test_what_a_url_callable_raises_is_retried() -> None:
    """A token service that is down is no reason to give up."""
    answers: list[Any] = [OSError("token service"), "ws://scripted"]

    def url() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    virtual, transport, events = TestScheduler(), ScriptedTransport(), []  # type: ignore[var-annotated]
    ws_observable(url, transport=transport, retry=FIXED, events=events.append).subscribe(scheduler=virtual)
    virtual.advance_to(3.0)
    closed = next(event for event in events if isinstance(event, Closed))
    assert isinstance(closed.error, ConnectionFailed)
    assert isinstance(closed.error.__cause__, OSError)
    assert len(transport.dials) == 1


def test_a_url_callable_that_gives_no_url_is_a_clear_error() -> None:
    """A wrong URL is no loss: no attempt can cure it."""
    virtual, errors = TestScheduler(), []  # type: ignore[var-annotated]
    ws_observable(lambda: "https://x", transport=ScriptedTransport()).subscribe(
        on_error=errors.append, scheduler=virtual
    )
    virtual.advance_to(1.0)
    assert isinstance(errors[0], ConfigError)
    assert errors[0].field == "url"


# Bad input


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("open_timeout", {"open_timeout": 0}),
        ("ping_interval", {"ping_interval": -1.0}),
        ("ping_timeout", {"ping_timeout": "3"}),
        ("close_timeout", {"close_timeout": float("nan")}),
        ("max_size", {"max_size": 0}),
        ("max_size", {"max_size": 1.5}),
        ("idle_timeout", {"idle_timeout": 0}),
        ("is_data", {"is_data": 3}),
        ("keep", {"keep": "e"}),
        ("decode", {"decode": 3}),
        ("on_bad_frame", {"on_bad_frame": "ignore"}),
        ("retry", {"retry": 3}),
        ("max_age", {"max_age": -1}),
        ("max_age_jitter", {"max_age_jitter": 1.5}),
        ("check_interval", {"check_interval": 0}),
        ("check_interval", {"check_interval": None}),
        ("connect_while", {"connect_while": "09:00"}),
        ("disconnect_when", {"disconnect_when": 3}),
        ("reconnect_when", {"reconnect_when": 3}),
        ("subscriptions", {"subscriptions": {"op": "subscribe"}}),
        ("subscriptions[1]", {"subscriptions": ["a", {1, object()}]}),
        ("final_close_codes", {"final_close_codes": [42]}),
        ("headers", {"headers": {"X": "a\r\nY: b"}}),
        ("headers", {"headers": 3}),
        ("transport", {"transport": "carrier pigeon"}),
        ("transport", {"transport": "aiohttp"}),
        ("rotate", {"rotate": object()}),
        ("max_age_jitter", {"rotate": Rotation(60.0), "max_age": 600.0, "max_age_jitter": 1.0}),
        ("dials", {"dials": object()}),
        ("maxsize", {"maxsize": 3}),
        ("compression", {"compression": "zip", "transport": "websockets"}),
    ],
)
def test_a_wrong_argument_is_refused_when_the_observable_is_built(field: str, options: dict[str, Any]) -> None:
    """The error names the argument; nobody has to subscribe to hear of it."""
    with pytest.raises(ConfigError) as raised:
        ws_observable("ws://scripted", **{"transport": ScriptedTransport(), **options})
    assert raised.value.field == field


@pytest.mark.parametrize("name", ["disconnect_when", "reconnect_when"])
def test_a_window_given_to_the_wrong_argument_is_told_its_place(name: str) -> None:
    """Windows say when to be connected: both ends are in one argument."""
    options: dict[str, Any] = {name: always()}
    with pytest.raises(ConfigError, match="a window goes into connect_while") as raised:
        ws_observable("ws://scripted", **options)
    assert raised.value.field == name


@pytest.mark.parametrize("url", ["", "http://x", "ws://", "ws://h:99999", "ws://h/#f", "ws://h/a b", 3, None])
def test_a_wrong_url_is_refused_when_the_observable_is_built(url: Any) -> None:
    """The error names it."""
    with pytest.raises(ConfigError) as raised:
        ws_observable(url)
    assert raised.value.field == "url"


def test_the_time_of_events_is_the_schedulers_wall_clock() -> None:
    """In nanoseconds since the epoch."""
    played = play(Attempt(opens=1.5)).to(2.0)
    assert [event.time_ns for event in played.events] == [0, 1_500_000_000]
    assert datetime.fromtimestamp(1.5, UTC).year == 1970


# The opening script


def scripted_login(*attempts: Attempt, on_open: Any, **options: Any) -> tuple[list[Any], list[Any], ScriptedTransport]:
    """Run a stream with this `on_open` on a real loop until three values came."""

    async def main() -> tuple[list[Any], list[Any], ScriptedTransport]:
        transport, seen, events = ScriptedTransport(*attempts), [], []  # type: ignore[var-annotated]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(value: Any) -> None:
            seen.append(value)
            if len(seen) == 3 and not done.done():
                done.set_result(None)

        stream = ws_observable("ws://scripted", transport=transport, on_open=on_open, events=events.append, **options)
        subscription = stream.subscribe(take)
        async with asyncio.timeout(10):
            await done
        subscription.dispose()
        return seen, events, transport

    return asyncio.run(main())


async def log_in(connection: Connection) -> None:
    """Say hello, and wait for the answer."""
    connection.send({"op": "login"})
    await connection.messages.pipe(ops.filter(lambda message: "welcome" in str(message)), ops.take(1))


def test_on_open_reads_its_answers_and_nothing_is_lost_meanwhile() -> None:
    """What arrived while it ran is handed on in order afterwards, before what follows."""
    script = Attempt(messages=[(0.0, "1"), (0.0, '"welcome"'), (0.0, "3")])
    seen, _, transport = scripted_login(script, on_open=log_in, subscriptions=["after the login"])
    assert seen == [1, "welcome", 3]
    assert transport.dials[0].sent == ['{"op":"login"}', "after the login"]


@pytest.mark.parametrize("is_data", [None, lambda payload: payload == b"3"])
def test_what_the_script_has_read_is_data_like_the_rest(is_data: Any) -> None:
    """Live is told before the first of it is handed on, as for data that nobody has read."""
    script = Attempt(messages=[(0.0, "1"), (0.0, '"welcome"'), (0.0, "3")])
    asked: list[bytes] = []
    check = is_data and (lambda payload: asked.append(payload) or is_data(payload))
    seen, _, _ = scripted_login(script, on_open=log_in, lifecycle=True, is_data=check)
    names = [type(value).__name__ if isinstance(value, Event) else value for value in seen]
    expected = ["Live", 1, "welcome", 3] if is_data is None else [1, "welcome", "Live", 3]
    assert names == ["Connecting", "Opened", *expected]
    assert asked == ([] if is_data is None else [b"1", b'"welcome"', b"3"])


def test_what_on_open_raises_is_a_loss() -> None:
    """Retried, with its cause; nothing of that connection is handed on."""
    failures = [PermissionError("no such key")]

    async def fail_once(connection: Connection) -> None:
        if failures:
            raise failures.pop()

    script = Attempt(messages=[(0.0, "1"), (0.0, "2"), (0.0, "3")])
    seen, events, transport = scripted_login(script, on_open=fail_once, retry=Backoff.fixed(0.0))
    assert seen == [1, 2, 3]
    assert len(transport.dials) == 2
    closed = next(event for event in events if isinstance(event, Closed))
    assert isinstance(closed.error, ConnectionFailed)
    assert isinstance(closed.error.__cause__, PermissionError)


def test_on_open_has_open_timeout_seconds() -> None:
    """A login that hangs is a loss."""
    hung = []

    async def hang_once(connection: Connection) -> None:
        if not hung:
            hung.append(connection)
            await asyncio.get_running_loop().create_future()

    script = Attempt(messages=[(0.0, "1"), (0.0, "2"), (0.0, "3")])
    seen, events, _ = scripted_login(script, on_open=hang_once, retry=Backoff.fixed(0.0), open_timeout=0.01)
    assert seen == [1, 2, 3]
    closed = next(event for event in events if isinstance(event, Closed))
    assert isinstance(closed.error, ConnectTimeout)
    assert closed.error.operation == "on_open"


def test_the_idle_clock_begins_after_the_opening_script() -> None:
    """A login that takes longer than `idle_timeout` is no silence."""
    virtual = TestScheduler()

    async def at_once(connection: Connection) -> None:
        virtual.sleep(3.0)

    played = play(Attempt(), virtual=virtual, on_open=at_once, idle_timeout=2.0, retry=None).to(4.5)
    assert played.error is None
    assert isinstance(played.to(6.0).error, IdleTimeout)


def test_a_condition_that_contradicts_itself_neither_storms_nor_spins() -> None:
    """A callable that says yes, no, yes, no in turn: no two dials are nearer than check_interval."""
    asked: list[float] = []
    virtual = TestScheduler()

    def moody() -> bool:
        asked.append(virtual.clock)
        return len(asked) % 2 == 0

    played = play(Attempt(), virtual=virtual, connect_while=moody, check_interval=5.0).to(60.0)
    assert all(later - earlier >= 5.0 for earlier, later in pairwise(played.dials))
    assert len(asked) <= 30


def test_a_connection_that_the_caller_closes_completes_the_stream_for_good() -> None:
    """`close` on the Connection is the caller's own end: nothing leads back."""

    async def leave(connection: Connection) -> None:
        connection.close()

    played = play(Attempt(), on_open=leave, retry=FIXED).to(100.0)
    assert (played.completed, played.error, played.dials) == (True, None, [0.0])


def test_an_error_from_beside_ends_the_connection_before_it_is_told() -> None:
    """An error of a level, or of outgoing: Closed comes before GaveUp, and no socket is open when it is heard."""
    outgoing: Subject[Any] = Subject()
    virtual, transport, heard, events = TestScheduler(), ScriptedTransport(), [], []  # type: ignore[var-annotated]
    ws_observable("ws://scripted", transport=transport, outgoing=outgoing, events=events.append).subscribe(
        on_error=lambda error: heard.append((error, transport.live)), scheduler=virtual
    )
    virtual.advance_to(1.0)
    bug = ValueError("of the caller's")
    outgoing.on_error(bug)
    assert heard == [(bug, 0)]
    assert [type(event).__name__ for event in events] == ["Connecting", "Opened", "Closed", "GaveUp"]


# Plans and losses mixed


@pytest.mark.parametrize(
    ("refused", "opens_at"),
    [(HandshakeRejected("ws://scripted", 429, retry_after=120.0), 120.0), (ConnectionClosed(1008), 40.0)],
)
def test_a_planned_end_does_not_cut_what_the_server_asked_for(refused: Any, opens_at: float) -> None:
    """Retry-After and a pause are kept, though a window closes and opens meanwhile."""
    open_now: BehaviorSubject[bool] = BehaviorSubject(True)
    script = (Attempt.refused(error=refused), Attempt())
    played = play(*script, connect_while=open_now, retry=Backoff(cap=40.0), random=0.0, check_interval=1.0).to(4.0)
    open_now.on_next(False)
    played.to(6.0)
    open_now.on_next(True)
    assert played.to(opens_at - 0.1).dials == [0.0]
    assert played.to(opens_at + 0.1).dials == [0.0, opens_at]


def test_a_way_back_that_raises_or_talks_nonsense_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """It changes nothing, and is told."""

    class Ambiguous:
        def __bool__(self) -> bool:
            raise ValueError("which of them?")

    async def cancelled() -> None:
        raise OSError("down")

    answers: list[Any] = [KeyError("bug"), float("nan"), Ambiguous(), cancelled, True]
    ticks: Subject[int] = Subject()

    def when() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    played = play(Attempt(), disconnect_when=ticks, reconnect_when=when, check_interval=20.0).to(30.0)
    ticks.on_next(1)
    assert played.to(120.0).dials == [0.0, 110.0]
    assert "reconnect_when raised KeyError('bug')" in caplog.text
    assert len(caplog.records) == 2


def test_what_does_not_come_about_is_logged_and_what_comes_back_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """A typo in the host is no silence; a loss that is made good at once is daily work."""
    play(Attempt.closes(1.0), Attempt.closes(1.0), Attempt(), retry=FIXED).to(20.0)
    assert caplog.records == []
    play(Attempt.refused(), retry=FIXED).to(59.0)
    assert len(caplog.records) == 1
    assert "no connection to ws://scripted" in caplog.text
    caplog.clear()
    play(Attempt.closes(0.5), retry=FIXED).to(20.0)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("on_open", {"on_open": 5}),
        ("events", {"events": 5}),
        ("random", {"random": 5}),
        ("random", {"random": None}),
        ("stats", {"stats": {}}),
        ("stats", {"stats": Stats}),
        ("outgoing", {"outgoing": [1]}),
        ("retry", {"retry": Backoff}),
        ("retry", {"retry": Backoff.immediate}),
        ("subscriptions", {"subscriptions": None}),
        ("subscriptions[0]", {"subscriptions": [None]}),
        ("subscriptions[0]", {"subscriptions": [5]}),
        ("subscriptions[1]", {"subscriptions": ["a", "\ud800"]}),
        ("final_close_codes", {"final_close_codes": 1000}),
        ("max_age_jitter", {"max_age_jitter": "0.1"}),
        ("decode", {"decode": Played}),
    ],
)
def test_what_would_break_only_later_is_refused_now(field: str, options: dict[str, Any]) -> None:
    """At the first loss, say, weeks after the start."""
    with pytest.raises(ConfigError) as raised:
        ws_observable("ws://scripted", **{"transport": ScriptedTransport(), **options})
    assert raised.value.field == field


def test_a_misspelled_keyword_is_answered_with_the_right_one() -> None:
    """Of all keywords, not of the transport's only."""
    with pytest.raises(ConfigError, match="did you mean 'retry'"):
        ws_observable("ws://scripted", retries=3)  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="did you mean 'idle_timeout'"):
        ws_observable("ws://scripted", idle_timout=3)  # type: ignore[call-overload]


def test_a_reader_that_outlives_the_script_sees_each_message_once() -> None:
    """Who answers a venue's heartbeats from on_open on hears what was held once, like the rest."""
    beside: list[Any] = []

    async def listen(connection: Connection) -> None:
        connection.messages.subscribe(beside.append)
        await connection.messages.pipe(ops.filter(lambda message: "welcome" in str(message)), ops.take(1))

    script = Attempt(messages=[(0.0, "1"), (0.0, '"welcome"'), (0.0, "3")])
    seen, _, _ = scripted_login(script, on_open=listen)
    assert seen == [1, "welcome", 3]
    assert beside == ["1", '"welcome"', "3"]


def test_a_wrong_url_of_a_callable_is_no_network_error() -> None:
    """Nothing that the network did."""
    virtual, events = TestScheduler(), []  # type: ignore[var-annotated]
    stream = ws_observable(lambda: "https://x", transport=ScriptedTransport(), events=events.append)
    stream.subscribe(on_error=lambda _: None, scheduler=virtual)
    virtual.advance_to(1.0)
    (closed,) = [event for event in events if isinstance(event, Closed)]
    assert closed.reason is DisconnectReason.USER_REQUESTED


def test_a_server_that_accepts_and_closes_sees_fewer_than_40_attempts_in_four_seconds() -> None:
    """By 200 seeded chances; each wait is within its bound, and the bounds grow to the cap."""
    for seed in range(200):
        virtual, transport = TestScheduler(), ScriptedTransport(Attempt.closes(0.0, 1000))
        waits: list[float] = []

        def note(event: Any, waits: list[float] = waits) -> None:
            if isinstance(event, Waiting):
                waits.append(event.seconds or 0.0)

        policy = Backoff(initial=0.05, cap=0.4)
        stream = ws_observable(
            "ws://scripted", transport=transport, retry=policy, events=note, random=Random(seed).random
        )
        stream.subscribe(scheduler=virtual)
        virtual.advance_to(4.0)
        assert 10 < len(transport.dials) < 40
        assert all(0 < wait <= min(0.4, 0.05 * 2**number) for number, wait in enumerate(waits))
