"""The notifier is subscribed before the source, and its first value ends it all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.errors import ConfigError
from rxws.operators import take_until
from rxws.testing import ScriptedTransport
from tests.operators.seen import COMPLETED, Seen, at, dialled

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
FATAL = ValueError("fatal")


def ticking(virtual: TestScheduler) -> Any:
    """Return a hot source: 1 at 210, 2 at 220, 3 at 230, completed at 240."""
    return virtual.create_hot_observable(on_next(210, 1), on_next(220, 2), on_next(230, 3), on_completed(240))


# When which end comes first


@pytest.mark.parametrize(
    ("notifier", "messages", "source_until", "notifier_until"),
    [
        ([on_next(225, "n"), on_next(228, "n")], [(210, 1), (220, 2), (225, COMPLETED)], 225, 225),
        ([on_error(225, FATAL)], [(210, 1), (220, 2), (225, FATAL)], 225, 225),
        ([on_completed(225)], [(210, 1), (220, 2), (230, 3), (240, COMPLETED)], 240, 225),
        ([], [(210, 1), (220, 2), (230, 3), (240, COMPLETED)], 240, 240),
        ([on_next(205, "n")], [(205, COMPLETED)], 205, 205),
        ([on_next(250, "n")], [(210, 1), (220, 2), (230, 3), (240, COMPLETED)], 240, 240),
    ],
    ids=["emits", "errors", "completes", "never", "emits before the source", "emits after the source"],
)
def test_the_notifier_beside_a_source_that_completes(
    notifier: list[Any], messages: list[Any], source_until: int, notifier_until: int
) -> None:
    """Its first value completes, its error errors, its completion means nothing; both are disposed in the end."""
    virtual = at(200)
    source, ends = ticking(virtual), virtual.create_hot_observable(notifier)
    seen = Seen(virtual, source.pipe(take_until(ends)))
    virtual.advance_to(1000)
    assert seen.messages == messages
    assert source.subscriptions == [Span(200, source_until)]
    assert ends.subscriptions == [Span(200, notifier_until)]


@pytest.mark.parametrize(
    ("notifier", "messages", "source_until"),
    [
        ([on_next(225, "n")], [(225, COMPLETED)], 225),
        ([on_error(225, FATAL)], [(225, FATAL)], 225),
        ([on_completed(225)], [], None),
        ([], [], None),
    ],
    ids=["emits", "errors", "completes", "never"],
)
def test_the_notifier_beside_a_source_that_never_ends(
    notifier: list[Any], messages: list[Any], source_until: int | None
) -> None:
    """It alone can end it."""
    virtual = at(200)
    source = virtual.create_hot_observable()
    seen = Seen(virtual, source.pipe(take_until(virtual.create_hot_observable(notifier))))
    virtual.advance_to(1000)
    assert seen.messages == messages
    assert source.subscriptions == [Span(200, source_until)]


def test_an_error_of_the_source_goes_through_untouched() -> None:
    """And the notifier is left."""
    virtual = at(200)
    source = virtual.create_hot_observable(on_next(210, 1), on_error(220, FATAL))
    ends = virtual.create_hot_observable(on_next(230, "n"))
    seen = Seen(virtual, source.pipe(take_until(ends)))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, FATAL)]
    assert source.subscriptions == ends.subscriptions == [Span(200, 220)]


@pytest.mark.parametrize("end", [on_next(225, "n"), on_error(225, FATAL)], ids=["emits", "errors"])
def test_the_source_is_disposed_before_the_subscriber_hears_of_the_end(end: Any) -> None:
    """Who is told may rely on its being over."""
    virtual = at(200)
    source, spans = ticking(virtual), []  # type: ignore[var-annotated]
    ends = virtual.create_hot_observable(end)
    Seen(virtual, source.pipe(take_until(ends)), lambda _: spans.append(source.subscriptions[:]))
    virtual.advance_to(1000)
    assert spans[-1] == [Span(200, 225)]


# The notifier before the source


def test_the_notifier_is_subscribed_first_and_the_source_a_turn_later() -> None:
    """In the same instant, but after all that was due before."""
    virtual, order = at(200), []  # type: ignore[var-annotated]

    def noted(name: str) -> Observable[Any]:
        return rx.defer(lambda _: (order.append(name), rx.never())[1])

    Seen(virtual, noted("source").pipe(take_until(noted("notifier"))))
    virtual.schedule(lambda *_: order.append("what was scheduled next"))
    assert order == ["notifier"]
    virtual.advance_to(201)
    assert order == ["notifier", "source", "what was scheduled next"]


SPEAKING: dict[str, Callable[[], Observable[Any]]] = {
    "BehaviorSubject": lambda: BehaviorSubject(1),
    "of": lambda: rx.of(1),
    "of many": lambda: rx.of(1, 2, 3),
    "merge of a level": lambda: rx.merge(BehaviorSubject(1), rx.never()),
}
# Two turns later: the source may have been subscribed, but `connect` dials a turn later still.
SPEAKING_LATER: dict[str, Callable[[], Observable[Any]]] = {
    **SPEAKING,
    "merge of a value": lambda: rx.merge(rx.of(1), rx.never()),
    "start_with": lambda: rx.never().pipe(ops.start_with(1)),
}


@pytest.mark.parametrize("notifier", SPEAKING.values(), ids=SPEAKING)
def test_a_notifier_that_speaks_at_once_never_lets_the_source_be_subscribed(
    notifier: Callable[[], Observable[Any]],
) -> None:
    """Also where it speaks a turn of the scheduler later, as `merge` and `of` do."""
    virtual = at(200)
    source = ticking(virtual)
    seen = Seen(virtual, source.pipe(take_until(notifier())))
    virtual.advance_to(1000)
    assert seen.messages == [(200, COMPLETED)]
    assert source.subscriptions == []


@pytest.mark.parametrize("on_loop", [False, True], ids=["without a scheduler", "with the loop's"])
@pytest.mark.parametrize("notifier", SPEAKING.values(), ids=SPEAKING)
async def test_in_a_running_loop_such_a_notifier_never_lets_the_source_be_subscribed(
    notifier: Callable[[], Observable[Any]], on_loop: bool
) -> None:
    """With no scheduler given, it is the running loop's turn that counts."""
    begun: list[str] = []
    ended = asyncio.get_running_loop().create_future()
    source = rx.defer(lambda _: (begun.append("source"), rx.never())[1])
    source.pipe(take_until(notifier())).subscribe(
        on_completed=lambda: ended.set_result("|"),
        scheduler=AsyncIOScheduler(asyncio.get_running_loop()) if on_loop else None,
    )
    assert await ended == "|"
    for _ in range(3):
        await asyncio.sleep(0)
    assert begun == []


@pytest.mark.parametrize("notifier", SPEAKING_LATER.values(), ids=SPEAKING_LATER)
def test_a_notifier_that_speaks_at_once_never_lets_a_connection_be_dialled(
    notifier: Callable[[], Observable[Any]],
) -> None:
    """However reactivex composes it: no socket is opened in a closed window."""
    virtual, transport = at(200), ScriptedTransport()
    seen = Seen(virtual, dialled(transport).pipe(take_until(notifier())))
    virtual.advance_to(1000)
    assert seen.messages == [(200, COMPLETED)]
    assert transport.dials == []


@pytest.mark.parametrize("on_loop", [False, True], ids=["without a scheduler", "with the loop's"])
async def test_in_a_running_loop_a_silent_notifier_lets_the_source_run(on_loop: bool) -> None:
    """The source begins a turn of the loop later."""
    begun: list[str] = []
    source = rx.defer(lambda _: (begun.append("source"), rx.never())[1])
    subscription = source.pipe(take_until(rx.never())).subscribe(
        scheduler=AsyncIOScheduler(asyncio.get_running_loop()) if on_loop else None
    )
    assert begun == []
    await asyncio.sleep(0)
    assert begun == ["source"]
    subscription.dispose()


def test_a_notifier_that_errors_at_once_never_lets_the_source_be_subscribed() -> None:
    """The result is its error."""
    virtual = at(200)
    source = ticking(virtual)
    seen = Seen(virtual, source.pipe(take_until(rx.throw(FATAL))))
    virtual.advance_to(1000)
    assert seen.messages == [(200, FATAL)]
    assert source.subscriptions == []


@pytest.mark.parametrize("late", [False, True], ids=["within its subscribe", "a turn later"])
def test_a_notifier_that_completes_at_once_lets_the_source_run(late: bool) -> None:
    """It has said nothing."""
    virtual = at(200)
    source = ticking(virtual)
    silent: Subject[int] = Subject()
    silent.on_completed()
    seen = Seen(virtual, source.pipe(take_until(rx.empty() if late else silent)))
    virtual.advance_to(1000)
    assert seen.values == [1, 2, 3, COMPLETED]
    assert source.subscriptions == [Span(200, 240)]


def test_without_a_loop_it_is_refused_and_nothing_is_subscribed() -> None:
    """The error names what to use; not even the notifier is left behind."""
    notifier: Subject[int] = Subject()
    errors: list[Exception] = []
    rx.never().pipe(take_until(notifier)).subscribe(on_error=errors.append)
    assert [type(error) for error in errors] == [ConfigError]
    assert "rxws.run" in str(errors[0])
    assert notifier.observers == []


# What begins the source, where the caller says


@pytest.mark.parametrize("begins", [on_next(215, "go"), on_completed(215)], ids=["a value", "completion"])
def test_start_begins_the_source(begins: Any) -> None:
    """By its first value, or by completing; nothing of the source is heard before, and start is left at once."""
    virtual = at(200)
    source = ticking(virtual)
    start = virtual.create_hot_observable(begins, on_next(225, "go"), on_error(228, FATAL))
    seen = Seen(virtual, source.pipe(take_until(rx.never(), start=start)))
    virtual.advance_to(1000)
    assert seen.messages == [(220, 2), (230, 3), (240, COMPLETED)]
    assert source.subscriptions == [Span(215, 240)]
    assert start.subscriptions == [Span(200, 215)]


def test_start_that_speaks_within_its_subscribe_begins_the_source_once() -> None:
    """And is left, though it could speak again."""
    virtual, start = at(200), BehaviorSubject("go")
    source = ticking(virtual)
    Seen(virtual, source.pipe(take_until(rx.never(), start=start)))
    assert start.observers == []
    start.on_next("go")
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 240)]


def test_start_that_speaks_and_completes_within_its_subscribe_begins_the_source_once() -> None:
    """Its completion is no second word."""

    def speak(observer: abc.ObserverBase[str], scheduler: abc.SchedulerBase | None = None) -> None:
        observer.on_next("go")
        observer.on_completed()

    virtual = at(200)
    source = ticking(virtual)
    seen = Seen(virtual, source.pipe(take_until(rx.never(), start=Observable(speak))))  # type: ignore[arg-type]
    virtual.advance_to(1000)
    assert seen.values == [1, 2, 3, COMPLETED]
    assert source.subscriptions == [Span(200, 240)]


def test_an_error_of_start_is_the_results() -> None:
    """The source was never touched."""
    virtual = at(200)
    source = ticking(virtual)
    ends = virtual.create_hot_observable()
    start = virtual.create_hot_observable(on_error(215, FATAL))
    seen = Seen(virtual, source.pipe(take_until(ends, start=start)))
    virtual.advance_to(1000)
    assert seen.messages == [(215, FATAL)]
    assert source.subscriptions == []
    assert ends.subscriptions == [Span(200, 215)]


def test_a_notifier_that_speaks_before_start_does_leaves_the_source_untouched() -> None:
    """What comes of start later is not waited for."""
    virtual = at(200)
    source = ticking(virtual)
    start = virtual.create_hot_observable(on_next(225, "go"))
    seen = Seen(virtual, source.pipe(take_until(virtual.create_hot_observable(on_next(215, "n")), start=start)))
    virtual.advance_to(1000)
    assert seen.messages == [(215, COMPLETED)]
    assert source.subscriptions == []
    assert start.subscriptions == [Span(200, 215)]


def test_start_that_speaks_as_the_result_ends_begins_nothing() -> None:
    """What is over stays over, though the subscriber's own handler asks for more."""
    virtual, start, notifier = at(200), Subject[str](), Subject[str]()
    source = ticking(virtual)
    result = source.pipe(take_until(notifier, start=start))
    result.subscribe(on_completed=lambda: start.on_next("go"), scheduler=virtual)
    notifier.on_next("n")
    assert source.subscriptions == []


def test_start_is_not_asked_where_the_notifier_has_spoken() -> None:
    """A closed gate ends it within subscribe."""
    virtual = at(200)
    start = virtual.create_hot_observable(on_next(225, "go"))
    Seen(virtual, ticking(virtual).pipe(take_until(BehaviorSubject(1), start=start)))
    assert start.subscriptions == []


# Dispose


@pytest.mark.parametrize(("when", "values"), [(205, []), (215, [1]), (225, [1, 2])])
def test_dispose_ends_source_and_notifier(when: int, values: list[int]) -> None:
    """At every point."""
    virtual = at(200)
    source, ends = ticking(virtual), virtual.create_hot_observable(on_next(235, "n"))
    seen = Seen(virtual, source.pipe(take_until(ends)))
    virtual.advance_to(when)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == values
    assert source.subscriptions == ends.subscriptions == [Span(200, when)]


def test_dispose_before_the_turn_leaves_the_source_untouched() -> None:
    """The turn that was to begin it does nothing."""
    virtual = at(200)
    source = ticking(virtual)
    Seen(virtual, source.pipe(take_until(rx.never()))).dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == []


def test_dispose_inside_on_next_ends_source_and_notifier() -> None:
    """Nothing more comes."""
    virtual, subscription = at(200), SerialDisposable()
    source, ends = ticking(virtual), virtual.create_hot_observable(on_next(235, "n"))
    values: list[int] = []

    def leave(value: int) -> None:
        values.append(value)
        subscription.dispose()

    subscription.disposable = source.pipe(take_until(ends)).subscribe(leave, scheduler=virtual)
    virtual.advance_to(1000)
    assert values == [1]
    assert source.subscriptions == ends.subscriptions == [Span(200, 210)]


def test_the_chain_of_disposals_is_not_broken_by_operators_around() -> None:
    """Explicit dispose reaches source and notifier through what stands before and behind."""
    virtual = at(200)
    source, ends = ticking(virtual), virtual.create_hot_observable(on_next(235, "n"))
    around = ops.flat_map(lambda value: rx.return_value(value, virtual))
    seen = Seen(virtual, source.pipe(around, take_until(ends), around))
    virtual.advance_to(225)
    seen.dispose()
    virtual.advance_to(1000)
    assert seen.values == [1, 2]
    assert source.subscriptions == ends.subscriptions == [Span(200, 225)]


def test_two_subscribers_are_independent() -> None:
    """Each has its own notifier's subscription; one's end is not the other's."""
    virtual = at(200)
    source = ticking(virtual)
    ends = virtual.create_cold_observable(on_next(15, "n"))
    result = source.pipe(take_until(ends))
    first = Seen(virtual, result)
    virtual.advance_to(208)
    second = Seen(virtual, result)
    virtual.advance_to(1000)
    assert first.messages == [(210, 1), (215, COMPLETED)]
    assert second.messages == [(210, 1), (220, 2), (223, COMPLETED)]


def test_the_scheduler_reaches_source_notifier_and_start() -> None:
    """So that a virtual clock drives all three."""
    virtual, given = at(0), []  # type: ignore[var-annotated]

    def noted(name: str, then: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            given.append((name, scheduler))
            return then.subscribe(observer, scheduler=scheduler)

        return Observable(subscribe)

    result = noted("source", rx.never()).pipe(
        take_until(noted("notifier", rx.never()), start=noted("start", rx.empty()))
    )
    Seen(virtual, result)
    virtual.advance_to(1)
    assert given == [("notifier", virtual), ("start", virtual), ("source", virtual)]
