"""The notifier of a policy: what the error means comes first, then the policy, and its wait is kept exactly."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.backoff import Backoff, Policy
from rxws.errors import (
    TABLE,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    Disconnected,
    Fatal,
    HandshakeRejected,
    MessageTooBig,
    RetriesExhausted,
    RetryAfter,
)
from rxws.operators import after, retry_when
from rxws.types import RetrySignal, Silence
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_error = ReactiveTest.on_next, ReactiveTest.on_error
LOST = ConnectionClosed(1006)


class Told(Silence):
    """A journal that notes the waits."""

    def __init__(self) -> None:
        self.waits: list[tuple[float | None, str, Exception | None]] = []

    def waiting(
        self, seconds: float | None, rule: str, error: Exception | None = None, attempt: int | None = None
    ) -> None:
        self.waits.append((seconds, rule, error))


def waits(policy: Policy | None, *errors: Exception, random: float = 0.0) -> list[float]:
    """Return the seconds that pass before each attempt after the first, all of which fail at once."""
    virtual, source = at(0), Failing(*errors)
    Seen(virtual, source.lost_at_once.pipe(retry_when(after(policy, random=lambda: random))))
    virtual.advance_to(10_000)
    return [later - sooner for sooner, later in pairwise(source.begun)]


class Failing:
    """A source whose attempts end by these errors in turn, then never; `begun` says when each began."""

    def __init__(self, *errors: Exception) -> None:
        self.begun: list[float] = []
        self._errors = iter(errors)
        self.lost_at_once: Observable[int] = rx.Observable(self._attempt)

    def _attempt(self, observer: Any, scheduler: Any = None) -> Any:
        self.begun.append(scheduler.clock)
        error = next(self._errors, None)
        if error is not None:
            observer.on_error(error)


def lost(virtual: TestScheduler, error: Exception = LOST) -> Any:
    """Return a source that is lost after 10."""
    return virtual.create_cold_observable(on_error(10, error))


# The policy


def test_it_waits_as_long_as_the_policy_says() -> None:
    """Backoff by default; here without jitter."""
    assert waits(Backoff(1.0, 2.0, 5.0, "none"), *[LOST] * 5) == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_chance_is_what_was_passed_in() -> None:
    """Full jitter: the delay times one minus chance."""
    assert waits(Backoff(1.0, 2.0, 60.0), *[LOST] * 3, random=0.25) == [0.75, 1.5, 3.0]


def test_the_default_policy_is_backoff() -> None:
    """One second first, jittered."""
    virtual, source = at(0), Failing(LOST, LOST)
    Seen(virtual, source.lost_at_once.pipe(retry_when(after(random=lambda: 0.5))))
    virtual.advance_to(100)
    assert source.begun == [0.0, 0.5, 1.5]


def test_a_policy_may_be_any_function_of_the_signal() -> None:
    """It gets the error and the counts."""
    signals: list[RetrySignal] = []

    def policy(signal: RetrySignal) -> float:
        signals.append(signal)
        return 3.0 * signal.total

    assert waits(policy, LOST, LOST) == [3.0, 6.0]
    assert [(signal.error, signal.total) for signal in signals] == [(LOST, 1), (LOST, 2)]


def test_an_attempt_that_was_stable_begins_the_backoff_anew() -> None:
    """Only then: a short connection goes on with the growing delays."""
    short, long = ConnectionClosed(1006), ConnectionClosed(1006)
    short.uptime, long.uptime = 59.0, 60.0
    assert waits(Backoff(1.0, 2.0, 60.0, "none"), LOST, LOST, short, long, LOST) == [1.0, 2.0, 4.0, 1.0, 2.0]


def test_no_policy_means_that_the_error_goes_to_the_subscriber() -> None:
    """At once, untouched."""
    virtual = at(200)
    source = lost(virtual)
    seen = Seen(virtual, source.pipe(retry_when(after(None))))
    virtual.advance_to(1000)
    assert seen.messages == [(210, LOST)]
    assert seen.values[0] is LOST
    assert source.subscriptions == [Span(200, 210)]


def test_a_policy_that_gives_up_is_told_with_the_last_error_as_its_cause() -> None:
    """RetriesExhausted, with both counts; the attempts are those that `max_attempts` allows, the first included."""
    virtual = at(200)
    source = lost(virtual)
    seen = Seen(virtual, source.pipe(retry_when(after(Backoff.fixed(5.0, max_attempts=3)))))
    virtual.advance_to(1000)
    [(when, error)] = seen.messages
    assert when == 240
    assert isinstance(error, RetriesExhausted)
    assert (error.in_a_row, error.total) == (3, 3)
    assert error.__cause__ is LOST
    assert source.subscriptions == [Span(200, 210), Span(215, 225), Span(230, 240)]


def test_a_function_that_returns_none_gives_up_too() -> None:
    """At its first loss, if it likes."""
    virtual = at(200)
    seen = Seen(virtual, lost(virtual).pipe(retry_when(after(lambda signal: None))))
    virtual.advance_to(1000)
    [(_, error)] = seen.messages
    assert isinstance(error, RetriesExhausted)
    assert error.__cause__ is LOST


@pytest.mark.parametrize("answer", [float("nan"), float("inf")])
def test_a_policy_that_answers_no_seconds_is_told_by_name(answer: float) -> None:
    """The subscriber gets a ConfigError, and nothing is retried."""
    virtual = at(200)
    source = lost(virtual)
    seen = Seen(virtual, source.pipe(retry_when(after(lambda signal: answer))))
    virtual.advance_to(1000)
    [(_, error)] = seen.messages
    assert isinstance(error, ConfigError)
    assert error.field == "retry"
    assert len(source.subscriptions) == 1


def test_what_a_policy_raises_is_the_results_error() -> None:
    """It is a bug, and no reason to go on."""

    def policy(signal: RetrySignal) -> float:
        raise KeyError("a bug")

    virtual = at(200)
    source = lost(virtual)
    seen = Seen(virtual, source.pipe(retry_when(after(policy))))
    virtual.advance_to(1000)
    assert [type(value) for value in seen.values] == [KeyError]
    assert source.subscriptions == [Span(200, 210)]


# A policy that answers with an observable


def test_an_observable_says_now_by_its_first_value() -> None:
    """And is left then: what else it says is not heard."""
    virtual = at(200)
    source = lost(virtual)
    now = virtual.create_hot_observable(on_next(205, 0), on_next(240, 1), on_next(245, 2))
    Seen(virtual, source.pipe(ops.merge(rx.never()), retry_when(after(lambda signal: now))))
    virtual.advance_to(249)
    assert source.subscriptions == [Span(200, 210), Span(240)]
    assert now.subscriptions == [Span(210, 240)]


def test_an_observable_that_speaks_at_once_is_left_then_too() -> None:
    """A later value of it must not replace the attempt that runs."""
    virtual, now = at(200), BehaviorSubject("now")
    source = virtual.create_cold_observable(on_error(10, LOST))
    source_then_quiet = rx.defer(lambda _: source if not source.subscriptions else quiet)
    quiet = virtual.create_cold_observable()
    Seen(virtual, source_then_quiet.pipe(retry_when(after(lambda signal: now))))
    virtual.advance_to(300)
    assert now.observers == []
    now.on_next("again")
    assert quiet.subscriptions == [Span(210)]


def test_a_loss_within_an_observables_word_has_a_wait_of_its_own() -> None:
    """An observable that speaks at once begins an attempt that fails at once: the wait for that one is kept."""
    virtual = at(0)
    ends = iter([rx.timer(10.0).pipe(ops.flat_map(rx.throw(LOST))), rx.throw(LOST), rx.never()])
    answers: Any = iter([BehaviorSubject("now"), 7.0])
    begun: list[float] = []
    source = rx.defer(lambda _: (begun.append(virtual.clock), next(ends))[1])
    Seen(virtual, source.pipe(retry_when(after(lambda signal: next(answers)))))
    virtual.advance_to(100)
    assert begun == [0.0, 10.0, 17.0]


def test_an_observable_that_errors_errors_the_result() -> None:
    """What it says counts, not the loss."""
    virtual, error = at(200), ValueError("over")
    seen = Seen(virtual, lost(virtual).pipe(retry_when(after(lambda signal: rx.throw(error)))))
    virtual.advance_to(1000)
    assert seen.messages == [(210, error)]


def test_an_observable_that_completes_without_a_value_completes() -> None:
    """It will never say now, and a silent wait for ever would help nobody."""
    virtual = at(200)
    source = lost(virtual)
    seen = Seen(virtual, source.pipe(retry_when(after(lambda signal: rx.empty()))))
    virtual.advance_to(1000)
    assert seen.messages == [(210.0, "completed")]
    assert source.subscriptions == [Span(200, 210)]


# What the error means comes first


@pytest.mark.parametrize(
    "error",
    [
        HandshakeRejected("wss://venue.example", 401),
        HandshakeRejected("wss://venue.example", 403, retry_after=1.0),
        HandshakeRejected("wss://venue.example", 404),
        MessageTooBig(1024),
    ],
)
def test_a_fatal_error_goes_to_the_subscriber_untouched(error: Disconnected) -> None:
    """The policy is not even asked."""
    asked: list[RetrySignal] = []
    virtual = at(200)
    source = lost(virtual, error)
    seen = Seen(virtual, source.pipe(retry_when(after(lambda signal: asked.append(signal) or 0.0))))
    virtual.advance_to(1000)
    assert seen.messages == [(210, error)]
    assert seen.values[0] is error
    assert asked == []
    assert source.subscriptions == [Span(200, 210)]


def test_retry_after_is_a_floor_under_any_policy() -> None:
    """The server's seconds are waited, unjittered; a policy that waits longer keeps its own."""
    busy = HandshakeRejected("wss://venue.example", 503, retry_after=7.0)
    assert waits(Backoff.immediate(), busy) == [7.0]
    assert waits(Backoff(1.0, 2.0, 60.0), busy, random=0.9) == [7.0]
    assert waits(lambda signal: 2.0, busy) == [7.0]
    assert waits(Backoff.fixed(9.0), busy) == [9.0]


@pytest.mark.parametrize(
    "error", [ConnectionClosed(1008), ConnectionClosed(1013), HandshakeRejected("wss://venue.example", 429)]
)
def test_an_error_that_asks_for_a_pause_waits_the_policys_cap(error: Disconnected) -> None:
    """Jittered between half and all of it; 30 s under a policy without one."""
    assert waits(Backoff(1.0, 2.0, 40.0), error, random=0.0) == [40.0]
    assert waits(Backoff(1.0, 2.0, 40.0), error, random=0.5) == [30.0]
    assert waits(Backoff(1.0, 2.0, 40.0, "none"), error, random=0.5) == [40.0]
    assert waits(Backoff.immediate(), error, random=0.5) == [30.0]
    assert waits(Backoff.fixed(2.0), error) == [30.0]
    assert waits(Backoff.fixed(50.0), error) == [50.0]
    assert waits(lambda signal: 0.0, error) == [30.0]


def test_the_callers_table_decides() -> None:
    """A venue's own meaning of a code."""
    table = {**TABLE, 1008: RetryAfter(120.0), 1001: Fatal()}
    assert waits(Backoff(table=table), ConnectionClosed(1008)) == [120.0]
    assert waits(Backoff(table=table), ConnectionClosed(1001)) == []


def test_a_floor_holds_under_an_observable_too() -> None:
    """Both must have passed: the server's seconds, and the observable's first value."""
    busy = HandshakeRejected("wss://venue.example", 429, retry_after=20.0)
    for spoken, begins in ((215, 230), (270, 270)):
        virtual = at(200)
        source = lost(virtual, busy)
        now = virtual.create_hot_observable(on_next(spoken, "now"))
        Seen(virtual, source.pipe(retry_when(after(lambda signal, now=now: now))))  # type: ignore[misc]
        virtual.advance_to(279)
        assert [span.subscribe for span in source.subscriptions] == [200, begins]


# What the journal hears


def test_the_journal_is_told_of_each_wait() -> None:
    """How long, by which rule, and after which error; None where an observable decides."""
    busy = ConnectionClosed(1013)
    named = HandshakeRejected("wss://venue.example", 429, retry_after=5.0)
    answers = iter([2.0, 0.0, 0.0, rx.never()])
    told = Told()
    source = Failing(LOST, busy, named, LOST)
    virtual = at(0)
    Seen(virtual, source.lost_at_once.pipe(retry_when(after(lambda signal: next(answers), journal=told))))
    virtual.advance_to(1000)
    assert told.waits == [
        (2.0, "policy", LOST),
        (30.0, "pause", busy),
        (5.0, "retry after", named),
        (None, "policy", LOST),
    ]


def test_the_journal_is_not_told_of_a_wait_that_will_not_be() -> None:
    """Neither a fatal error nor giving up waits for anything."""
    told = Told()
    for policy, error in ((Backoff(), HandshakeRejected("wss://venue.example", 401)), (None, LOST)):
        virtual = at(0)
        Seen(virtual, Failing(error).lost_at_once.pipe(retry_when(after(policy, journal=told))))
    assert told.waits == []


# Dispose and subscribers


def test_dispose_while_waiting_cancels_the_wait() -> None:
    """Timer or observable; the clock may go on as it likes."""
    virtual = at(200)
    now = virtual.create_hot_observable(on_next(900, "now"))
    for policy in (Backoff.fixed(50.0), lambda signal: now):
        source = virtual.create_cold_observable(on_error(10, ConnectionFailed("ws://x")))
        seen = Seen(virtual, source.pipe(retry_when(after(policy))))
        virtual.advance_by(20)
        seen.dispose()
        virtual.advance_by(100)
        assert len(source.subscriptions) == 1
    assert now.subscriptions == [Span(330, 340)]


def test_a_newer_signal_replaces_the_wait_for_an_older_one() -> None:
    """There is one wait at a time."""
    virtual, signals = at(0), Subject[RetrySignal]()
    seen = Seen(virtual, signals.pipe(after(lambda signal: 10.0)))
    signals.on_next(RetrySignal(LOST, 1, 1, 0.0))
    virtual.advance_to(5)
    signals.on_next(RetrySignal(LOST, 2, 2, 0.0))
    virtual.advance_to(100)
    assert seen.messages == [(15, None)]


def test_the_notifier_ends_with_its_signals() -> None:
    """By completion and by error."""
    for end, last in ((rx.empty(), COMPLETED), (rx.throw(LOST), LOST)):
        virtual = at(0)
        seen = Seen(virtual, end.pipe(after()))
        virtual.advance_to(1)
        assert seen.values == [last]


def test_one_notifier_serves_several_subscriptions() -> None:
    """Each waits for itself."""
    virtual = at(200)
    source = lost(virtual)
    result = source.pipe(retry_when(after(Backoff.fixed(5.0))))
    first = Seen(virtual, result)
    virtual.advance_to(203)
    Seen(virtual, result)
    virtual.advance_to(212)
    first.dispose()
    virtual.advance_to(227)
    assert [span.subscribe for span in source.subscriptions] == [200, 203, 218]
