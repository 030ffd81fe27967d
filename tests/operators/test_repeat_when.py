"""Planned ends, and only planned ends, subscribe the source again, when the notifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.errors import ConnectionClosed
from rxws.operators import repeat_when
from rxws.types import RepeatSignal
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed


def at_once(signals: Observable[RepeatSignal]) -> Observable[RepeatSignal]:
    """Say now to every end."""
    return signals


def ending(virtual: TestScheduler) -> Any:
    """Return a source that brings 1 and 2, and completes after 30."""
    return virtual.create_cold_observable(on_next(10, 1), on_next(20, 2), on_completed(30))


def synchronous(body: Callable[[abc.ObserverBase[int]], None], over: Callable[[], None] = bool) -> Observable[int]:
    """Return a source that does all that it does within its subscribe, whether or not it was disposed."""

    def subscribe(observer: abc.ObserverBase[int], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        body(observer)
        return Disposable(over)

    return Observable(subscribe)


# What passes untouched


@pytest.mark.parametrize("error", [ConnectionClosed(1006), ValueError("a bug")])
def test_every_error_goes_through_untouched(error: Exception) -> None:
    """Losses are no business of repeat_when's: its notifier does not hear of them."""
    virtual, heard = at(200), []  # type: ignore[var-annotated]
    source = virtual.create_cold_observable(on_next(10, 1), on_error(20, error))
    notifier = virtual.create_hot_observable(on_next(900, "now"))
    noted = repeat_when(lambda ends: ends.pipe(ops.do_action(heard.append), ops.merge(notifier)))
    seen = Seen(virtual, source.pipe(noted))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, error)]
    assert seen.values[-1] is error
    assert heard == []
    assert source.subscriptions == notifier.subscriptions == [Span(200, 220)]


def test_a_source_that_never_ends_is_subscribed_once() -> None:
    """There is nothing to repeat."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_next(10, 1))
    seen = Seen(virtual, source.pipe(repeat_when(at_once)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1)]
    assert source.subscriptions == [Span(200)]


# When it is subscribed again


def test_each_value_of_the_notifier_subscribes_again() -> None:
    """After an end it waits for the notifier; values follow one another over the subscriptions."""
    virtual = at(200)
    source = ending(virtual)
    seen = Seen(virtual, source.pipe(repeat_when(lambda ends: ends.pipe(ops.delay(5.0)))))
    virtual.advance_to(275)
    seen.dispose()
    assert seen.messages == [(210, 1), (220, 2), (245, 1), (255, 2)]
    assert source.subscriptions == [Span(200, 230), Span(235, 265), Span(270, 275)]


def test_a_source_that_is_empty_is_repeated_too() -> None:
    """An end is an end, also without a value."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_completed(10))
    seen = Seen(virtual, source.pipe(repeat_when(lambda ends: ends.pipe(ops.take_while(lambda end: end.total < 3)))))
    virtual.advance_to(1000)
    assert seen.messages == [(230, COMPLETED)]
    assert source.subscriptions == [Span(200, 210), Span(210, 220), Span(220, 230)]


def test_a_notifier_that_never_speaks_leaves_the_subscriber_waiting() -> None:
    """The completion is hidden; the source is gone, and stays so."""
    virtual = at(200)
    source = ending(virtual)
    seen = Seen(virtual, source.pipe(repeat_when(lambda _: rx.never())))
    virtual.advance_to(1000)
    assert seen.values == [1, 2]
    assert source.subscriptions == [Span(200, 230)]


def test_a_notifier_that_speaks_while_the_source_runs_replaces_the_subscription() -> None:
    """Each value subscribes again; there are never two at a time."""
    virtual = at(200)
    source = ending(virtual)
    notifier = virtual.create_hot_observable(on_next(215, "now"))
    seen = Seen(virtual, source.pipe(repeat_when(lambda _: notifier)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (225, 1), (235, 2)]
    assert source.subscriptions == [Span(200, 215), Span(215, 245)]


def test_a_notifier_that_speaks_within_its_subscribe_begins_no_second_subscription() -> None:
    """The first is due anyway; only what comes later subscribes again."""
    virtual, notifier = at(200), BehaviorSubject("at once")
    source = ending(virtual)
    Seen(virtual, source.pipe(repeat_when(lambda _: notifier)))
    virtual.advance_to(240)
    assert source.subscriptions == [Span(200, 230)]
    notifier.on_next("again")
    assert source.subscriptions == [Span(200, 230), Span(240)]


# How the notifier ends it


def test_a_notifier_that_completes_completes_the_result() -> None:
    """While the source runs; it is disposed before the subscriber hears of it."""
    virtual = at(200)
    source = ending(virtual)
    notifier = virtual.create_hot_observable(on_completed(215))
    spans: list[Any] = []
    seen = Seen(virtual, source.pipe(repeat_when(lambda _: notifier)), lambda _: spans.append(source.subscriptions[:]))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (215, COMPLETED)]
    assert spans[-1] == source.subscriptions == [Span(200, 215)]


def test_a_notifier_that_errors_errors_the_result() -> None:
    """While it waits, too."""
    virtual, error = at(200), ValueError("enough")
    source = ending(virtual)
    notifier = virtual.create_hot_observable(on_error(240, error))
    seen = Seen(virtual, source.pipe(repeat_when(lambda _: notifier)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, 2), (240, error)]
    assert source.subscriptions == [Span(200, 230)]
    assert notifier.subscriptions == [Span(200, 240)]


@pytest.mark.parametrize("notifier", [rx.empty(), rx.of(1)], ids=["empty", "of"])
def test_a_notifier_that_ends_within_its_subscribe_leaves_the_source_untouched(notifier: Observable[Any]) -> None:
    """The result is over before anything began, and no error is made of it."""
    begun: list[int] = []
    source = synchronous(lambda observer: begun.append(1))
    ended: list[object] = []
    source.pipe(repeat_when(lambda _: notifier)).subscribe(
        on_error=ended.append, on_completed=lambda: ended.append("|")
    )
    assert (begun, ended) == ([], ["|"])


def test_a_notifier_that_raises_when_called_errors_the_result() -> None:
    """The source is not touched."""

    def notifier(signals: Observable[RepeatSignal]) -> Observable[Any]:
        raise ValueError("a bug")

    virtual = at(200)
    source = ending(virtual)
    seen = Seen(virtual, source.pipe(repeat_when(notifier)))
    assert [str(value) for value in seen.values] == ["a bug"]
    assert source.subscriptions == []


def test_a_notifier_that_raises_on_a_signal_errors_the_result() -> None:
    """After as many rounds as it allowed."""

    def bug(end: RepeatSignal) -> float:
        return 1 / (2 - end.total)

    virtual = at(200)
    source = ending(virtual)
    seen = Seen(virtual, source.pipe(repeat_when(lambda ends: ends.pipe(ops.map(bug)))))
    virtual.advance_to(1000)
    assert seen.values[:-1] == [1, 2, 1, 2]
    assert isinstance(seen.values[-1], ZeroDivisionError)
    assert source.subscriptions == [Span(200, 230), Span(230, 260)]


# The order of an end


def test_a_subscription_is_disposed_before_the_notifier_hears_of_its_end() -> None:
    """The notifier may rely on the old connection's being over."""
    virtual = at(200)
    source = ending(virtual)
    spans: list[Any] = []

    def notifier(ends: Observable[RepeatSignal]) -> Observable[Any]:
        return ends.pipe(ops.do_action(lambda _: spans.append(source.subscriptions[:])), ops.delay(5.0))

    Seen(virtual, source.pipe(repeat_when(notifier)))
    virtual.advance_to(250)
    assert spans == [[Span(200, 230)]]


def test_a_synchronous_round_is_finalized_before_the_next_one_begins() -> None:
    """Also where it ends within its own subscribe."""
    results: list[object] = []

    def body(observer: abc.ObserverBase[int]) -> None:
        observer.on_next(1)
        observer.on_completed()

    source = synchronous(body, lambda: results.append("finalized"))
    thrice = repeat_when(lambda ends: ends.pipe(ops.take_while(lambda end: end.total < 3)))
    source.pipe(thrice).subscribe(results.append, results.append, lambda: results.append("|"))
    assert results == [1, "finalized", 1, "finalized", 1, "|", "finalized"]


# The stack


def test_synchronous_ends_do_not_grow_the_stack() -> None:
    """20,000 resubscriptions, in the first subscribe."""
    begun = 0

    def body(observer: abc.ObserverBase[int]) -> None:
        nonlocal begun
        begun += 1
        if begun <= 20_000:
            observer.on_completed()
        else:
            observer.on_error(ValueError("the last"))

    ended: list[str] = []
    synchronous(body).pipe(repeat_when(at_once)).subscribe(on_error=lambda error: ended.append(str(error)))
    assert (begun, ended) == (20_001, ["the last"])


# Dispose


@pytest.mark.parametrize(
    ("when", "values", "spans"),
    [
        (205, [], [Span(200, 205)]),
        (215, [1], [Span(200, 215)]),
        (235, [1, 2], [Span(200, 230)]),
        (245, [1, 2], [Span(200, 230), Span(240, 245)]),
    ],
    ids=["before the first value", "in the source", "while waiting", "in the second round"],
)
def test_dispose_ends_everything(when: float, values: list[int], spans: list[Any]) -> None:
    """The source, the notifier and what it waits for; nothing begins afterwards."""
    virtual = at(200)
    source = ending(virtual)
    notifier = virtual.create_hot_observable(on_next(240, "now"), on_next(280, "now"))
    seen = Seen(virtual, source.pipe(repeat_when(lambda _: notifier)))
    virtual.advance_to(when)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == values
    assert source.subscriptions == spans
    assert notifier.subscriptions == [Span(200, when)]


def test_dispose_inside_on_next_ends_everything() -> None:
    """Nothing more of that round, and no other."""
    virtual, subscription = at(200), SerialDisposable()
    source = ending(virtual)
    values: list[int] = []

    def leave(value: int) -> None:
        values.append(value)
        subscription.dispose()

    subscription.disposable = source.pipe(repeat_when(at_once)).subscribe(leave, scheduler=virtual)
    virtual.advance_to(1000)
    assert values == [1]
    assert source.subscriptions == [Span(200, 210)]


def test_dispose_inside_the_notifier_ends_everything() -> None:
    """The end that the notifier was told of is the last."""
    virtual, subscription = at(200), SerialDisposable()
    source = ending(virtual)
    leave = repeat_when(lambda ends: ends.pipe(ops.do_action(lambda _: subscription.dispose())))
    subscription.disposable = source.pipe(leave).subscribe(scheduler=virtual)
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 230)]


def test_a_synchronous_source_is_not_subscribed_again_once_enough_has_come() -> None:
    """The subscriber leaves while the very first subscribe still runs."""
    begun = 0

    def body(observer: abc.ObserverBase[int]) -> None:
        nonlocal begun
        begun += 1
        assert begun < 100, "it never stops"
        observer.on_next(begun)
        observer.on_completed()

    values: list[int] = []
    synchronous(body).pipe(repeat_when(at_once), ops.take(3)).subscribe(values.append)
    assert (values, begun) == ([1, 2, 3], 3)


def test_the_chain_of_disposals_is_not_broken_by_operators_around() -> None:
    """Explicit dispose reaches the source through what stands before and behind."""
    virtual = at(200)
    source = ending(virtual)
    around = ops.flat_map(lambda value: rx.return_value(value, virtual))
    seen = Seen(virtual, source.pipe(around, repeat_when(at_once), around))
    virtual.advance_to(242)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == [1, 2, 1]
    assert source.subscriptions == [Span(200, 230), Span(230, 242)]


# What the signals tell


def test_a_signal_counts_the_ends_and_says_how_long_the_round_had_lasted() -> None:
    """Not how long the waits between took; completions carry no reason."""
    virtual = at(200)
    lasting = iter([30.0, 7.0, 0.0])
    signals: list[RepeatSignal] = []
    source = rx.defer(lambda _: rx.timer(next(lasting)).pipe(ops.ignore_elements()))
    noted = repeat_when(
        lambda ends: ends.pipe(ops.do_action(signals.append), ops.filter(lambda s: s.total < 3), ops.delay(5.0))
    )
    Seen(virtual, source.pipe(noted))
    virtual.advance_to(1000)
    assert signals == [RepeatSignal(None, 1, 30.0), RepeatSignal(None, 2, 7.0), RepeatSignal(None, 3, 0.0)]


def test_two_subscribers_are_independent() -> None:
    """Each has counts, a source and a notifier of its own; one's dispose leaves the other alone."""
    virtual = at(200)
    source = ending(virtual)
    heard: list[tuple[float, int]] = []
    noted = repeat_when(lambda ends: ends.pipe(ops.do_action(lambda end: heard.append((virtual.clock, end.total)))))
    result = source.pipe(noted)
    first = Seen(virtual, result)
    virtual.advance_to(235)
    second = Seen(virtual, result)
    virtual.advance_to(262)
    first.dispose()
    virtual.advance_to(290)
    assert heard == [(230, 1), (260, 2), (265, 1)]
    assert first.messages == [(210, 1), (220, 2), (240, 1), (250, 2)]
    assert second.messages == [(245, 1), (255, 2), (275, 1), (285, 2)]


def test_the_clock_is_reactivexs_own_where_no_scheduler_is_given() -> None:
    """It runs in plain Rx code, without a loop: nothing of it is asynchronous."""
    source: Subject[int] = Subject()
    signals: list[RepeatSignal] = []
    source.pipe(repeat_when(lambda ends: ends.pipe(ops.do_action(signals.append), ops.ignore_elements()))).subscribe()
    source.on_completed()
    assert signals[0].uptime >= 0.0
