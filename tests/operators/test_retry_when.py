"""Losses, and only losses, subscribe the source again, when the notifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import CurrentThreadScheduler
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.errors import ConfigError, ConnectionClosed, DecodeError, Disconnected, RetriesExhausted
from rxws.operators import retry_when
from rxws.operators._attempts import Attempts
from rxws.types import RetrySignal
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
LOST = ConnectionClosed(1006)


def lost(uptime: float = 0.0) -> Disconnected:
    """Return the loss of a connection that had been open for `uptime` seconds."""
    error = ConnectionClosed(1006)
    error.uptime = uptime
    return error


def at_once(signals: Observable[RetrySignal]) -> Observable[RetrySignal]:
    """Say now to every loss."""
    return signals


def failing(virtual: TestScheduler, error: Exception = LOST) -> Any:
    """Return a source that brings 1 and 2, and is lost after 30."""
    return virtual.create_cold_observable(on_next(10, 1), on_next(20, 2), on_error(30, error))


def synchronous(body: Callable[[abc.ObserverBase[int]], None], over: Callable[[], None] = bool) -> Observable[int]:
    """Return a source that does all that it does within its subscribe, whether or not it was disposed."""

    def subscribe(observer: abc.ObserverBase[int], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        body(observer)
        return Disposable(over)

    return Observable(subscribe)


# What passes untouched


def test_values_and_completion_pass_and_all_is_disposed() -> None:
    """A source that is never lost is mirrored; its completion leaves nobody subscribed."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_next(10, 1), on_completed(20))
    notifier = virtual.create_hot_observable(on_next(900, "now"))
    seen = Seen(virtual, source.pipe(retry_when(lambda _: notifier)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, COMPLETED)]
    assert source.subscriptions == [Span(200, 220)]
    assert notifier.subscriptions == [Span(200, 220)]


def test_a_source_that_never_ends_is_subscribed_once() -> None:
    """There is nothing to retry."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_next(10, 1))
    seen = Seen(virtual, source.pipe(retry_when(at_once)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1)]
    assert source.subscriptions == [Span(200)]


@pytest.mark.parametrize("error", [ValueError("a bug"), DecodeError("{"), RetriesExhausted(1, 1), OSError("raw")])
def test_an_error_that_is_no_loss_goes_through_untouched(error: Exception) -> None:
    """The notifier never hears of it, and the subscriber gets that very object."""
    virtual, heard = at(200), []  # type: ignore[var-annotated]
    source = failing(virtual, error)
    seen = Seen(virtual, source.pipe(retry_when(lambda signals: signals.pipe(ops.do_action(heard.append)))))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, 2), (230, error)]
    assert seen.values[-1] is error
    assert source.subscriptions == [Span(200, 230)]
    assert heard == []


def test_what_an_operator_above_raises_is_no_loss() -> None:
    """A bug in a `map` ends the stream, though the map stands between the connection and retry_when."""

    def bug(value: int) -> float:
        return value / 0

    virtual = at(200)
    source = failing(virtual)
    seen = Seen(virtual, source.pipe(ops.map(bug), retry_when(at_once)))
    virtual.advance_to(1000)
    assert [type(value) for value in seen.values] == [ZeroDivisionError]
    assert source.subscriptions == [Span(200, 210)]


def test_what_the_subscriber_raises_is_no_loss_and_is_not_swallowed() -> None:
    """It goes to whoever produced the value, and nothing is subscribed again."""

    def raises(value: int) -> None:
        raise KeyError(value)

    source: Subject[int] = Subject()
    heard: list[RetrySignal] = []
    source.pipe(retry_when(lambda signals: signals.pipe(ops.do_action(heard.append)))).subscribe(raises)
    with pytest.raises(KeyError):
        source.on_next(1)
    assert heard == []


# When it is subscribed again


def test_each_value_of_the_notifier_subscribes_again() -> None:
    """After a loss it waits for the notifier; values follow one another over the attempts."""
    virtual = at(200)
    source = failing(virtual)
    seen = Seen(virtual, source.pipe(retry_when(lambda signals: signals.pipe(ops.delay(5.0)))))
    virtual.advance_to(275)
    seen.dispose()
    assert seen.messages == [(210, 1), (220, 2), (245, 1), (255, 2)]
    assert source.subscriptions == [Span(200, 230), Span(235, 265), Span(270, 275)]


def test_a_notifier_that_waits_for_nothing_subscribes_again_at_the_very_moment() -> None:
    """Each attempt begins when the one before it has ended."""
    virtual = at(200)
    source = failing(virtual)
    Seen(virtual, source.pipe(retry_when(at_once)))
    virtual.advance_to(299)
    assert source.subscriptions == [Span(200, 230), Span(230, 260), Span(260, 290), Span(290)]


def test_a_notifier_that_never_speaks_leaves_the_subscriber_waiting() -> None:
    """The loss is hidden; the source is gone, and stays so."""
    virtual = at(200)
    source = failing(virtual)
    seen = Seen(virtual, source.pipe(retry_when(lambda _: rx.never())))
    virtual.advance_to(1000)
    assert seen.values == [1, 2]
    assert source.subscriptions == [Span(200, 230)]


def test_a_hot_source_that_recovers_is_heard_again_from_there() -> None:
    """What it brought while nobody was subscribed is lost."""
    virtual = at(200)
    source = virtual.create_hot_observable(
        on_next(210, "a"), on_next(250, "missed"), on_next(270, "b"), on_completed(280)
    )
    broken = virtual.create_cold_observable(on_error(30, LOST))
    seen = Seen(virtual, source.pipe(ops.merge(broken), retry_when(lambda signals: signals.pipe(ops.delay(25.0)))))
    virtual.advance_to(281)
    assert seen.values == ["a", "b"]
    assert source.subscriptions == [Span(200, 230), Span(255, 280)]


def test_a_notifier_that_speaks_while_the_source_runs_replaces_the_attempt() -> None:
    """Each value subscribes again; there are never two attempts at a time."""
    virtual = at(200)
    source = failing(virtual)
    notifier = virtual.create_hot_observable(on_next(215, "now"))
    seen = Seen(virtual, source.pipe(retry_when(lambda _: notifier)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (225, 1), (235, 2)]
    assert source.subscriptions == [Span(200, 215), Span(215, 245)]


def test_a_notifier_that_speaks_within_its_subscribe_begins_no_second_attempt() -> None:
    """The first attempt is due anyway; only what comes later subscribes again."""
    virtual, notifier = at(200), BehaviorSubject("at once")
    source = failing(virtual)
    Seen(virtual, source.pipe(retry_when(lambda _: notifier)))
    virtual.advance_to(240)
    assert source.subscriptions == [Span(200, 230)]
    notifier.on_next("again")
    assert source.subscriptions == [Span(200, 230), Span(240)]


# How the notifier ends it


def test_the_notifier_is_called_and_subscribed_once_a_subscription() -> None:
    """Not once a loss; and not before the subscription."""
    virtual, calls = at(200), []  # type: ignore[var-annotated]

    def notifier(signals: Observable[RetrySignal]) -> Observable[Any]:
        calls.append(virtual.clock)
        return signals

    result = failing(virtual).pipe(retry_when(notifier))
    assert calls == []
    Seen(virtual, result)
    virtual.advance_to(300)
    assert calls == [200]
    Seen(virtual, result)
    assert calls == [200, 300]


def test_a_notifier_that_completes_completes_the_result() -> None:
    """While the attempt runs; the source is disposed before the subscriber hears of it."""
    virtual = at(200)
    source = failing(virtual)
    notifier = virtual.create_hot_observable(on_completed(215))
    spans: list[Any] = []
    seen = Seen(virtual, source.pipe(retry_when(lambda _: notifier)), lambda _: spans.append(source.subscriptions[:]))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (215, COMPLETED)]
    assert spans[-1] == source.subscriptions == [Span(200, 215)]


def test_a_notifier_that_errors_errors_the_result() -> None:
    """While the attempt runs; the source is disposed before the subscriber hears of it."""
    virtual, error = at(200), ValueError("enough")
    source = failing(virtual)
    notifier = virtual.create_hot_observable(on_error(215, error))
    spans: list[Any] = []
    seen = Seen(virtual, source.pipe(retry_when(lambda _: notifier)), lambda _: spans.append(source.subscriptions[:]))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (215, error)]
    assert spans[-1] == source.subscriptions == [Span(200, 215)]


def test_a_notifier_may_end_it_after_some_losses() -> None:
    """By an error of its own, or by completion: what it says counts, not the last loss."""
    for end, last in ((rx.throw(KeyError("over")), KeyError), (rx.empty(), str)):
        virtual = at(200)
        source = failing(virtual)

        def twice(signals: Observable[RetrySignal], end: Observable[Any] = end) -> Observable[Any]:
            return signals.pipe(ops.take(2), ops.filter(lambda s: s.total < 2), ops.concat(end))

        seen = Seen(virtual, source.pipe(retry_when(twice)))
        virtual.advance_to(1000)
        assert seen.values[:-1] == [1, 2, 1, 2]
        assert isinstance(seen.values[-1], last)
        assert source.subscriptions == [Span(200, 230), Span(230, 260)]


@pytest.mark.parametrize("notifier", [rx.empty(), rx.of(1), rx.throw(LOST)], ids=["empty", "of", "throw"])
def test_a_notifier_that_ends_within_its_subscribe_leaves_the_source_untouched(notifier: Observable[Any]) -> None:
    """The result is over before anything began."""
    begun: list[int] = []
    source = synchronous(lambda observer: begun.append(1))
    ended: list[object] = []
    source.pipe(retry_when(lambda _: notifier)).subscribe(on_error=ended.append, on_completed=lambda: ended.append("|"))
    assert begun == []
    assert ended in (["|"], [LOST])


def test_a_notifier_that_raises_when_called_errors_the_result() -> None:
    """The source is not touched."""

    def notifier(signals: Observable[RetrySignal]) -> Observable[Any]:
        raise ValueError("a bug")

    virtual = at(200)
    source = failing(virtual)
    seen = Seen(virtual, source.pipe(retry_when(notifier)))
    assert [str(value) for value in seen.values] == ["a bug"]
    assert source.subscriptions == []


def test_a_notifier_that_raises_on_a_signal_errors_the_result() -> None:
    """The source is gone by then."""

    def bug(signal: RetrySignal) -> float:
        return signal.total / 0

    virtual = at(200)
    source = failing(virtual)
    seen = Seen(virtual, source.pipe(retry_when(lambda signals: signals.pipe(ops.map(bug)))))
    virtual.advance_to(1000)
    assert [type(value) for value in seen.values] == [int, int, ZeroDivisionError]
    assert source.subscriptions == [Span(200, 230)]


def test_a_notifier_that_speaks_as_the_result_ends_subscribes_nothing() -> None:
    """What is over stays over, though the subscriber's own handler asks for more."""
    notifier: Subject[str] = Subject()
    begun: list[int] = []

    def body(observer: abc.ObserverBase[int]) -> None:
        begun.append(1)
        observer.on_error(ValueError("fatal"))

    source = synchronous(body)
    source.pipe(retry_when(lambda _: notifier)).subscribe(on_error=lambda _: notifier.on_next("again"))
    assert begun == [1]


# The order of an end


def test_an_attempt_is_disposed_before_the_notifier_hears_of_its_end() -> None:
    """The notifier may rely on the old connection's being over."""
    virtual = at(200)
    source = failing(virtual)
    spans: list[Any] = []

    def notifier(signals: Observable[RetrySignal]) -> Observable[Any]:
        return signals.pipe(ops.do_action(lambda _: spans.append(source.subscriptions[:])), ops.delay(5.0))

    Seen(virtual, source.pipe(retry_when(notifier)))
    virtual.advance_to(270)
    assert spans == [
        [Span(200, 230)],
        [Span(200, 230), Span(235, 265)],
    ]


def test_an_attempt_is_disposed_before_the_subscriber_hears_of_a_fatal_error() -> None:
    """And of a completion."""
    for end in (on_error(30, ValueError("fatal")), on_completed(30)):
        virtual = at(200)
        source = virtual.create_cold_observable(end)
        spans: list[Any] = []
        Seen(virtual, source.pipe(retry_when(at_once)), lambda _, s=source, o=spans: o.append(s.subscriptions[:]))  # type: ignore[misc]
        virtual.advance_to(1000)
        assert spans == [[Span(200, 230)]]


def test_a_synchronous_attempt_is_finalized_before_the_next_one_begins() -> None:
    """Also where it ends within its own subscribe."""
    results: list[object] = []

    def body(observer: abc.ObserverBase[int]) -> None:
        observer.on_next(1)
        observer.on_next(2)
        observer.on_error(LOST)

    source = synchronous(body, lambda: results.append("finalized"))
    thrice = retry_when(lambda signals: signals.pipe(ops.take_while(lambda signal: signal.total < 3)))
    source.pipe(thrice).subscribe(results.append, results.append, lambda: results.append("|"))
    assert results == [1, 2, "finalized", 1, 2, "finalized", 1, 2, "|", "finalized"]


# The stack


def test_synchronous_losses_do_not_grow_the_stack() -> None:
    """20,000 resubscriptions, in the first subscribe."""
    attempts = 0

    def body(observer: abc.ObserverBase[int]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 20_000:
            observer.on_error(LOST)
        else:
            observer.on_completed()

    ended: list[str] = []
    synchronous(body).pipe(retry_when(at_once)).subscribe(on_completed=lambda: ended.append("|"))
    assert (attempts, ended) == (20_001, ["|"])


def test_synchronous_losses_do_not_grow_the_stack_after_a_wait() -> None:
    """20,000 resubscriptions, begun by the notifier's timer."""
    virtual, attempts = at(200), 0

    def body(observer: abc.ObserverBase[int]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 20_001:
            observer.on_error(LOST)
        else:
            observer.on_completed()

    def first_later(signals: Observable[RetrySignal]) -> Observable[Any]:
        now: Subject[RetrySignal] = Subject()

        def on_signal(signal: RetrySignal) -> None:
            if signal.total == 1:
                virtual.schedule_relative(5.0, lambda *_: now.on_next(signal))
            else:
                now.on_next(signal)

        signals.subscribe(on_signal)
        return now

    seen = Seen(virtual, synchronous(body).pipe(retry_when(first_later)))
    virtual.advance_to(300)
    assert (attempts, seen.messages) == (20_002, [(205, COMPLETED)])


def test_losses_on_the_trampoline_do_not_grow_the_stack() -> None:
    """20,000 resubscriptions of a source that reactivex schedules."""
    attempts = 0
    failing_later: Observable[int] = rx.throw(LOST, CurrentThreadScheduler.singleton())

    def attempt(_: object) -> Observable[int]:
        nonlocal attempts
        attempts += 1
        return failing_later if attempts <= 20_000 else rx.of(attempts)

    values: list[int] = []
    rx.defer(attempt).pipe(retry_when(at_once)).subscribe(values.append)
    assert values == [20_001]


# Dispose


@pytest.mark.parametrize(
    ("when", "values", "spans"),
    [
        (205, [], [Span(200, 205)]),
        (215, [1], [Span(200, 215)]),
        (235, [1, 2], [Span(200, 230)]),
        (245, [1, 2], [Span(200, 230), Span(240, 245)]),
    ],
    ids=["before the first value", "in the source", "while waiting", "in the second attempt"],
)
def test_dispose_ends_everything(when: float, values: list[int], spans: list[Any]) -> None:
    """The attempt, the notifier and what it waits for; nothing begins afterwards."""
    virtual = at(200)
    source = failing(virtual)
    notifier = virtual.create_hot_observable(on_next(240, "now"), on_next(280, "now"))
    seen = Seen(virtual, source.pipe(retry_when(lambda _: notifier)))
    virtual.advance_to(when)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == values
    assert source.subscriptions == spans
    assert notifier.subscriptions == [Span(200, when)]


def test_dispose_inside_on_next_ends_everything() -> None:
    """Nothing more of that attempt, and no other."""
    virtual, subscription = at(200), SerialDisposable()
    source = failing(virtual)
    values: list[int] = []

    def leave(value: int) -> None:
        values.append(value)
        subscription.dispose()

    subscription.disposable = source.pipe(retry_when(at_once)).subscribe(leave, scheduler=virtual)
    virtual.advance_to(1000)
    assert values == [1]
    assert source.subscriptions == [Span(200, 210)]


def test_dispose_inside_the_notifier_ends_everything() -> None:
    """The loss that the notifier was told of is the last."""
    virtual, subscription = at(200), SerialDisposable()
    source = failing(virtual)

    def leave(signals: Observable[RetrySignal]) -> Observable[Any]:
        return signals.pipe(ops.do_action(lambda _: subscription.dispose()))

    subscription.disposable = source.pipe(retry_when(leave)).subscribe(scheduler=virtual)
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 230)]


@pytest.mark.parametrize("wanted", [1, 3])
def test_a_synchronous_source_is_not_subscribed_again_once_enough_has_come(wanted: int) -> None:
    """The subscriber leaves while the very first subscribe still runs."""
    begun = 0

    def body(observer: abc.ObserverBase[int]) -> None:
        nonlocal begun
        begun += 1
        assert begun < 100, "it never stops"
        observer.on_next(begun)
        observer.on_error(LOST)

    values: list[int] = []
    synchronous(body).pipe(retry_when(at_once), ops.take(wanted)).subscribe(values.append)
    assert values == list(range(1, wanted + 1))
    assert begun == wanted


def test_the_chain_of_disposals_is_not_broken_by_operators_around() -> None:
    """Explicit dispose reaches the source through what stands before and behind."""
    virtual = at(200)
    source = failing(virtual)
    around = ops.flat_map(lambda value: rx.return_value(value, virtual))
    seen = Seen(virtual, source.pipe(around, retry_when(at_once), around))
    virtual.advance_to(242)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == [1, 2, 1]
    assert source.subscriptions == [Span(200, 230), Span(230, 242)]


# What the signals tell


def told(virtual: TestScheduler, uptimes: list[float], **options: Any) -> list[tuple[int, int, float]]:
    """Return (total, in_a_row, uptime) of the signals of losses with these up-times."""
    losses = iter([lost(uptime) for uptime in uptimes])
    signals: list[RetrySignal] = []

    def attempt(_: object) -> Observable[int]:
        error = next(losses, None)
        return rx.empty() if error is None else rx.throw(error)

    noted = retry_when(lambda all_: all_.pipe(ops.do_action(signals.append)), **options)
    Seen(virtual, rx.defer(attempt).pipe(noted))
    virtual.advance_by(1.0)
    return [(signal.total, signal.in_a_row, signal.uptime) for signal in signals]


def test_a_signal_carries_the_error_its_uptime_and_the_counts() -> None:
    """`total` counts all losses, and the error is the very one."""
    virtual, error = at(0), lost(2.5)
    signals: list[RetrySignal] = []
    Seen(virtual, rx.throw(error).pipe(retry_when(lambda all_: all_.pipe(ops.do_action(signals.append), ops.take(1)))))
    virtual.advance_to(1)
    assert signals[0] == RetrySignal(error, 1, 1, 2.5)
    assert signals[0].error is error


def test_in_a_row_begins_anew_only_after_an_attempt_that_was_stable() -> None:
    """A connection that opened and was lost soon proves nothing; `stable_after` seconds do, and no less."""
    uptimes = [0.0, 59.9, 60.0, 0.0, 100.0, 59.999]
    counts = [(1, 1), (2, 2), (3, 1), (4, 2), (5, 1), (6, 2)]
    assert told(at(0), uptimes) == [(*count, uptime) for count, uptime in zip(counts, uptimes, strict=True)]


def test_stable_after_is_the_callers() -> None:
    """With 0 every attempt has proved itself."""
    assert [signal[1] for signal in told(at(0), [0.0, 5.0, 4.0, 6.0], stable_after=5.0)] == [1, 1, 2, 1]
    assert [signal[1] for signal in told(at(0), [0.0, 0.0, 0.0], stable_after=0.0)] == [1, 1, 1]


def test_values_prove_nothing() -> None:
    """Messages do not reset the count: a server that sends one and closes is met with growing delays."""
    virtual = at(200)
    seen: list[int] = []
    Seen(
        virtual,
        failing(virtual).pipe(retry_when(lambda all_: all_.pipe(ops.do_action(lambda s: seen.append(s.in_a_row))))),
    )
    virtual.advance_to(299)
    assert seen == [1, 2, 3]


def test_two_subscribers_are_independent() -> None:
    """Each has counts, an attempt and a notifier of its own; one's dispose leaves the other alone."""
    virtual = at(200)
    source = failing(virtual)
    heard: list[tuple[float, int]] = []

    def notifier(signals: Observable[RetrySignal]) -> Observable[Any]:
        return signals.pipe(ops.do_action(lambda signal: heard.append((virtual.clock, signal.total))))

    result = source.pipe(retry_when(notifier))
    first = Seen(virtual, result)
    virtual.advance_to(235)
    second = Seen(virtual, result)
    virtual.advance_to(262)
    first.dispose()
    virtual.advance_to(290)
    assert heard == [(230, 1), (260, 2), (265, 1)]
    assert first.messages == [(210, 1), (220, 2), (240, 1), (250, 2)]
    assert second.messages == [(245, 1), (255, 2), (275, 1), (285, 2)]


def test_a_count_that_is_passed_in_goes_on() -> None:
    """Several operators may share one."""
    attempts = Attempts(10.0)
    assert [signal[:2] for signal in told(at(0), [0.0, 0.0], attempts=attempts)] == [(1, 1), (2, 2)]
    assert [signal[:2] for signal in told(at(0), [0.0, 10.0], attempts=attempts)] == [(3, 3), (4, 1)]


def test_the_scheduler_reaches_the_source_and_the_notifier() -> None:
    """So that a virtual clock drives both."""
    virtual, given = at(0), []  # type: ignore[var-annotated]

    def noted(name: str, then: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            given.append((name, scheduler))
            return then.subscribe(observer, scheduler=scheduler)

        return Observable(subscribe)

    Seen(virtual, noted("source", rx.never()).pipe(retry_when(lambda signals: noted("notifier", signals))))
    assert given == [("notifier", virtual), ("source", virtual)]


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf"), True, None, "60"])
def test_a_wrong_stable_after_is_refused_by_name(wrong: Any) -> None:
    """When the operator is made, with the value and what would be right."""
    with pytest.raises(ConfigError, match="0 or more") as refused:
        retry_when(at_once, stable_after=wrong)
    assert refused.value.field == "stable_after"
    assert repr(wrong) in str(refused.value)
