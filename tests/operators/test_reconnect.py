"""Losses by the policy and planned ends by the function, with one count of the failures."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.backoff import Backoff
from rxws.errors import ConfigError, ConnectionClosed, RetriesExhausted
from rxws.operators import after, reconnect, reopen, repeat_when, retry_when
from rxws.types import RepeatSignal, RetrySignal
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
LOST = ConnectionClosed(1006)
GROWING = Backoff(1.0, 2.0, 64.0, "none", stable_after=50.0)


def attempts(virtual: TestScheduler, *each: tuple[float, Exception | None]) -> tuple[Observable[int], list[float]]:
    """Return a source whose attempts last so long and end by that error, or by plan; and when each began."""
    begun: list[float] = []

    def attempt(_: object) -> Observable[int]:
        lasts, error = each[len(begun)] if len(begun) < len(each) else (1e6, None)
        begun.append(virtual.clock)
        end = on_completed(lasts) if error is None else on_error(lasts, error)  # type: ignore[arg-type]
        return virtual.create_cold_observable(end)  # type: ignore[arg-type]

    return rx.defer(attempt), begun


def lost(uptime: float) -> ConnectionClosed:
    """Return the loss of a connection that had been open for `uptime` seconds."""
    error = ConnectionClosed(1006)
    error.uptime = uptime
    return error


def test_losses_wait_for_the_policy_and_planned_ends_come_back_at_once() -> None:
    """Unless the caller says otherwise."""
    virtual = at(200)
    source, begun = attempts(virtual, (10, LOST), (10, None), (10, None), (10, LOST))
    Seen(virtual, source.pipe(reconnect(Backoff.fixed(5.0))))
    virtual.advance_to(400)
    assert begun == [200, 215, 225, 235, 250]


def test_planned_ends_come_back_when_the_function_says_so() -> None:
    """By seconds, by an observable, or never."""
    virtual = at(200)
    source, begun = attempts(virtual, (10, None), (10, None), (10, None))
    answers = iter([3.0, rx.timer(4.0), None])
    seen = Seen(virtual, source.pipe(reconnect(when=lambda end: next(answers))))
    virtual.advance_to(400)
    assert begun == [200, 213, 227]
    assert seen.messages == [(237, COMPLETED)]


def test_failures_are_counted_across_planned_ends() -> None:
    """A planned end of a short connection is no proof: the back-off goes on growing."""
    virtual = at(0)
    source, begun = attempts(virtual, (0.5, LOST), (0.5, LOST), (49.0, None), (0.5, LOST), (0.5, LOST))
    Seen(virtual, source.pipe(reconnect(GROWING)))
    virtual.advance_to(1000)
    assert [b - a for a, b in pairwise(begun)] == [1.5, 2.5, 49.0, 4.5, 8.5]


def test_a_planned_end_of_a_stable_connection_is_proof() -> None:
    """The next failure is the first in a row."""
    virtual = at(0)
    source, begun = attempts(virtual, (0.5, LOST), (0.5, LOST), (50.0, None), (0.5, LOST), (0.5, LOST))
    Seen(virtual, source.pipe(reconnect(GROWING)))
    virtual.advance_to(1000)
    assert [b - a for a, b in pairwise(begun)] == [1.5, 2.5, 50.0, 1.5, 2.5]


def test_the_time_that_failed_attempts_took_proves_nothing() -> None:
    """Only the attempt that ended counts, however long the failures before it dragged on."""
    virtual = at(0)
    slow = [(30.0, LOST)] * 3
    source, begun = attempts(virtual, *slow, (1.0, None), (0.5, LOST))
    ends: list[RepeatSignal] = []
    Seen(virtual, source.pipe(reconnect(GROWING, lambda end: ends.append(end) or 0.0)))
    virtual.advance_to(1000)
    assert [b - a for a, b in pairwise(begun)] == [31.0, 32.0, 34.0, 1.0, 8.5]
    assert ends == [RepeatSignal(None, 1, 1.0)]


def test_the_backoffs_own_stable_after_counts() -> None:
    """And 60 seconds where the policy is a function."""
    virtual, signals = at(0), []  # type: ignore[var-annotated]

    def policy(signal: RetrySignal) -> float:
        signals.append((signal.total, signal.in_a_row))
        return 1.0

    source, _ = attempts(virtual, (1, lost(59.0)), (1, lost(60.0)), (1, lost(0.0)))
    Seen(virtual, source.pipe(reconnect(policy)))
    virtual.advance_to(1000)
    assert signals == [(1, 1), (2, 1), (3, 2)]
    virtual = at(0)
    source, begun = attempts(virtual, (1.0, LOST), (1.0, lost(50.0)), (1.0, LOST))
    Seen(virtual, source.pipe(reconnect(GROWING)))
    virtual.advance_to(1000)
    assert begun == [0.0, 2.0, 4.0, 7.0]


def test_without_a_policy_a_loss_is_the_results_error() -> None:
    """Planned ends go on."""
    virtual = at(200)
    source, begun = attempts(virtual, (10, None), (10, LOST))
    seen = Seen(virtual, source.pipe(reconnect(None)))
    virtual.advance_to(400)
    assert begun == [200, 210]
    assert seen.messages == [(220, LOST)]


def test_it_gives_up_when_the_policy_does_with_all_losses_counted() -> None:
    """`total` outlives the planned ends."""
    virtual = at(200)
    source, _ = attempts(virtual, (1, LOST), (1, None), (1, LOST), (1, LOST))
    seen = Seen(virtual, source.pipe(reconnect(Backoff.fixed(1.0, max_attempts=3))))
    virtual.advance_to(400)
    [(_, error)] = seen.messages
    assert isinstance(error, RetriesExhausted)
    assert (error.in_a_row, error.total) == (3, 3)


def test_any_other_error_goes_through_untouched() -> None:
    """It is a bug of somebody's."""
    virtual, error = at(200), ValueError("a bug")
    source, begun = attempts(virtual, (10, error))
    seen = Seen(virtual, source.pipe(reconnect()))
    virtual.advance_to(400)
    assert (begun, seen.messages) == ([200], [(210, error)])


def test_chance_is_what_was_passed_in() -> None:
    """Full jitter: the delay times one minus chance."""
    virtual = at(0)
    source, begun = attempts(virtual, (1.0, LOST))
    Seen(virtual, source.pipe(reconnect(Backoff(8.0, cap=8.0), random=lambda: 0.75)))
    virtual.advance_to(100)
    assert begun == [0.0, 3.0]


def test_two_subscribers_are_independent() -> None:
    """Each counts its own failures."""
    virtual = at(0)
    source = virtual.create_cold_observable(on_error(1, LOST))
    result = source.pipe(reconnect(Backoff(1.0, 2.0, 64.0, "none")))
    first = Seen(virtual, result)
    virtual.advance_to(9)
    first.dispose()
    Seen(virtual, result)
    virtual.advance_to(15)
    assert [span.subscribe for span in source.subscriptions] == [0, 2, 5, 9, 11, 14]


def test_dispose_while_waiting_ends_everything() -> None:
    """After a loss and after a planned end alike."""
    virtual = at(200)
    for end in (on_error(10, LOST), on_completed(10)):
        source = virtual.create_cold_observable(end)
        seen = Seen(virtual, source.pipe(reconnect(Backoff.fixed(50.0), lambda _: 50.0)))
        virtual.advance_by(20)
        seen.dispose()
        virtual.advance_by(200)
        assert len(source.subscriptions) == 1
    assert source.subscriptions == [Span(420, 430)]


async def test_without_a_scheduler_it_runs_on_the_running_loop() -> None:
    """A planned end comes back a turn later."""
    begun: list[Subject[int]] = []

    def attempt(_: object) -> Observable[int]:
        begun.append(Subject())
        return begun[-1]

    subscription = rx.defer(attempt).pipe(reconnect()).subscribe()
    begun[0].on_completed()
    await asyncio.sleep(0)
    assert len(begun) == 2
    subscription.dispose()


WRONG: Any = 5


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (partial(reconnect, WRONG), "policy"),
        (partial(after, WRONG), "policy"),
        (partial(reconnect, when=WRONG), "when"),
        (partial(reopen, WRONG), "when"),
        (partial(retry_when, WRONG), "notifier"),
        (partial(repeat_when, WRONG), "notifier"),
    ],
    ids=["reconnect", "after", "reconnect's way back", "reopen", "retry_when", "repeat_when"],
)
def test_what_would_break_at_the_first_end_is_refused_where_it_is_built(build: Any, field: str) -> None:
    """Not weeks later."""
    with pytest.raises(ConfigError) as refused:
        build()
    assert refused.value.field == field
