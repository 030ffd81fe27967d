"""One subscription of the source for many, none of whom can hurt another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

import rxws
from rxws.errors import ConfigError, ConnectionClosed
from rxws.operators import share_live
from tests.operators.seen import COMPLETED, Seen, at, turns

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
LOST = ConnectionClosed(1006)


class Bug(Exception):
    """What a subscriber raises."""


def bug(_: object = None) -> None:
    """Raise, as a subscriber with a bug does."""
    raise Bug


@pytest.fixture
def virtual() -> TestScheduler:
    """A clock that shows 200."""
    return at(200)


@pytest.fixture
def source(virtual: TestScheduler) -> Any:
    """A cold source: 1 after 10, 2 after 20, 3 after 30, and on."""
    return virtual.create_cold_observable(on_next(10, 1), on_next(20, 2), on_next(30, 3))


@pytest.fixture
async def reported() -> Any:
    """What the running loop's exception handler is told."""
    errors: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    return errors


# One subscription


def test_the_first_subscriber_begins_it_and_the_last_ones_leaving_ends_it(virtual: TestScheduler, source: Any) -> None:
    """However many there are in between."""
    shared = source.pipe(share_live())
    virtual.advance_to(205)
    assert source.subscriptions == []
    first = Seen(virtual, shared)
    virtual.advance_to(217)
    second = Seen(virtual, shared)
    virtual.advance_to(227)
    first.dispose()
    virtual.advance_to(237)
    second.dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(205, 237)]
    assert first.messages == [(215, 1), (225, 2)]
    assert second.messages == [(225, 2), (235, 3)]


def test_nothing_is_replayed(virtual: TestScheduler) -> None:
    """Who comes later hears what comes later."""
    level = BehaviorSubject("old")
    shared = level.pipe(share_live())
    first, second = Seen(virtual, shared), Seen(virtual, shared)
    level.on_next("new")
    assert (first.values, second.values) == (["old", "new"], ["new"])


def test_who_comes_back_begins_a_new_subscription(virtual: TestScheduler, source: Any) -> None:
    """After all had left."""
    shared = source.pipe(share_live())
    Seen(virtual, shared).dispose()
    virtual.advance_to(250)
    again = Seen(virtual, shared)
    virtual.advance_to(265)
    assert again.messages == [(260, 1)]
    assert [span.subscribe for span in source.subscriptions] == [200, 250]


def test_leaving_twice_is_leaving_once(virtual: TestScheduler, source: Any) -> None:
    """The others stay subscribed."""
    shared = source.pipe(share_live())
    first, second = Seen(virtual, shared), Seen(virtual, shared)
    first.dispose()
    first.dispose()
    virtual.advance_to(215)
    assert second.values == [1]
    assert source.subscriptions == [Span(200)]


def test_each_use_of_the_operator_shares_by_itself(virtual: TestScheduler, source: Any) -> None:
    """Two shared observables are two subscriptions."""
    operator = share_live()
    Seen(virtual, source.pipe(operator))
    Seen(virtual, source.pipe(operator))
    assert source.subscriptions == [Span(200), Span(200)]


# Its end


@pytest.mark.parametrize(("end", "last"), [(on_completed(20), COMPLETED), (on_error(20, LOST), LOST)])
def test_all_hear_of_the_end_and_the_next_one_begins_anew(virtual: TestScheduler, end: Any, last: object) -> None:
    """The source is disposed before anybody hears of it."""
    source, spans = virtual.create_cold_observable(on_next(10, 1), end), []  # type: ignore[var-annotated]
    shared = source.pipe(share_live())
    first = Seen(virtual, shared, lambda _: spans.append(source.subscriptions[:]))
    second = Seen(virtual, shared)
    virtual.advance_to(300)
    third = Seen(virtual, shared)
    virtual.advance_to(400)
    assert first.messages == second.messages == [(210, 1), (220, last)]
    assert third.messages == [(310, 1), (320, last)]
    assert spans[-1] == [Span(200, 220)]
    assert source.subscriptions == [Span(200, 220), Span(300, 320)]


def test_a_subscriber_may_come_back_in_the_very_moment_of_the_end(virtual: TestScheduler) -> None:
    """It begins anew, and the others still hear of the end."""
    source = virtual.create_cold_observable(on_next(10, 1), on_completed(20))
    shared = source.pipe(share_live())
    back: list[Seen] = []

    def come_back(what: Any) -> None:
        if what == COMPLETED:
            back.append(Seen(virtual, shared))

    Seen(virtual, shared, come_back)
    other = Seen(virtual, shared)
    virtual.advance_to(235)
    assert other.messages == [(210, 1), (220, COMPLETED)]
    assert back[0].messages == [(230, 1)]
    assert source.subscriptions == [Span(200, 220), Span(220)]


def test_a_source_that_ends_within_its_subscribe_is_over_for_who_began_it() -> None:
    """The next subscriber begins anew."""
    begun: list[int] = []

    def subscribe(observer: abc.ObserverBase[int], scheduler: abc.SchedulerBase | None = None) -> None:
        begun.append(1)
        observer.on_next(1)
        observer.on_completed()

    shared = Observable(subscribe).pipe(share_live())  # type: ignore[arg-type]
    for rounds in (1, 2):
        heard: list[object] = []
        shared.subscribe(heard.append, on_completed=lambda heard=heard: heard.append("|"))  # type: ignore[misc]
        assert (heard, len(begun)) == ([1, "|"], rounds)


# Subscribers that raise


async def test_a_subscriber_that_raises_is_disposed_alone_and_reported(reported: list[BaseException]) -> None:
    """The others get that very value, and all that follow; the loop's exception handler gets the error, once."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    before: list[int] = []
    after: list[int] = []
    tried: list[int] = []

    def raises(value: int) -> None:
        tried.append(value)
        raise Bug(value)

    shared.subscribe(before.append)
    shared.subscribe(raises)
    shared.subscribe(after.append)
    for value in (1, 2, 3):
        source.on_next(value)
    assert before == after == [1, 2, 3]
    assert tried == [1]
    assert [error.args for error in reported] == [(1,)]
    assert len(source.observers) == 1


async def test_what_an_operator_of_a_subscriber_raises_hurts_nobody_else(reported: list[BaseException]) -> None:
    """Whether reactivex turns it into that subscriber's own error, or not."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    errors: list[Exception] = []
    values: list[int] = []
    shared.pipe(ops.map(lambda value: 1 // value)).subscribe(on_error=errors.append)
    shared.pipe(ops.flat_map(rx.of)).subscribe(bug)
    shared.subscribe(values.append)
    source.on_next(0)
    source.on_next(1)
    assert values == [0, 1]
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert [type(error) for error in reported] == [Bug]


async def test_the_last_subscriber_that_raises_ends_the_subscription(reported: list[BaseException]) -> None:
    """There is nobody left to share with."""
    source: Subject[int] = Subject()
    source.pipe(share_live()).subscribe(bug)
    source.on_next(1)
    assert source.observers == []
    assert [type(error) for error in reported] == [Bug]


@pytest.mark.parametrize(
    "end", [lambda source: source.on_error(LOST), lambda source: source.on_completed()], ids=["error", "completion"]
)
async def test_a_subscriber_that_raises_at_the_end_keeps_it_from_nobody(
    end: Callable[[Subject[int]], None], reported: list[BaseException]
) -> None:
    """As one does that takes no errors: reactivex raises what it does not take."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    heard: list[object] = []
    shared.subscribe(on_error=bug, on_completed=bug)
    shared.subscribe(on_error=heard.append, on_completed=lambda: heard.append(COMPLETED))
    end(source)
    assert heard in ([LOST], [COMPLETED])
    assert [type(error) for error in reported] == [Bug]


def test_without_a_loop_what_a_subscriber_raises_goes_to_the_producer_behind_the_others() -> None:
    """In virtual time there is nobody to report to; still all have that value, and all hear of the end."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    heard: list[object] = []
    shared.subscribe(bug)
    shared.subscribe(on_error=bug)
    shared.subscribe(heard.append, heard.append)
    with pytest.raises(Bug):
        source.on_next(1)
    source.on_next(2)
    with pytest.raises(Bug):
        source.on_error(LOST)
    assert heard == [1, 2, LOST]


# Subscribers that come and go meanwhile


def test_who_is_disposed_by_another_does_not_hear_that_value_any_more() -> None:
    """Dispose holds from the moment on."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    second, heard = SerialDisposable(), []  # type: ignore[var-annotated]
    shared.subscribe(lambda _: second.dispose())
    second.disposable = shared.subscribe(heard.append)
    source.on_next(1)
    assert heard == []
    assert len(source.observers) == 1


def test_who_comes_while_a_value_is_handed_out_hears_the_next_one() -> None:
    """Not that one a second time, and not that one late."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live())
    heard: list[int] = []
    shared.pipe(ops.take(1)).subscribe(lambda _: shared.subscribe(heard.append))
    source.on_next(1)
    source.on_next(2)
    assert heard == [2]


# Linger


@pytest.mark.parametrize(("back", "spans"), [(269, [Span(200)]), (271, [Span(200, 270), Span(271)])])
def test_the_source_lingers_for_who_comes_back_in_time(
    virtual: TestScheduler, source: Any, back: float, spans: list[Any]
) -> None:
    """After that it is ended, and who comes then begins anew."""
    shared = source.pipe(share_live(linger=45.0))
    first = Seen(virtual, shared)
    virtual.advance_to(225)
    first.dispose()
    virtual.advance_to(back)
    Seen(virtual, shared)
    virtual.advance_to(1000)
    assert source.subscriptions == spans


def test_who_comes_while_it_lingers_goes_on_with_it(virtual: TestScheduler, source: Any) -> None:
    """And what came meanwhile is heard by nobody."""
    shared = source.pipe(share_live(linger=100.0))
    virtual.advance_to(205)
    Seen(virtual, shared).dispose()
    virtual.advance_to(228)
    second = Seen(virtual, shared)
    virtual.advance_to(1000)
    assert second.messages == [(235, 3)]


def test_linger_begins_anew_with_each_leaving(virtual: TestScheduler, source: Any) -> None:
    """The last one counts."""
    shared = source.pipe(share_live(linger=50.0))
    for when in (210, 240, 280):
        seen = Seen(virtual, shared)
        virtual.advance_to(when)
        seen.dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 330)]


def test_without_linger_it_ends_at_once(virtual: TestScheduler, source: Any) -> None:
    """That is the default."""
    seen = Seen(virtual, source.pipe(share_live()))
    virtual.advance_to(225)
    seen.dispose()
    assert source.subscriptions == [Span(200, 225)]


def test_a_source_that_ends_while_it_lingers_is_begun_anew(virtual: TestScheduler) -> None:
    """Nobody was there to hear of the end; the old linger does not end the new subscription."""
    source = virtual.create_cold_observable(on_next(10, 1), on_error(20, LOST))
    shared = source.pipe(share_live(linger=100.0))
    Seen(virtual, shared).dispose()
    virtual.advance_to(290)
    seen = Seen(virtual, shared)
    virtual.advance_to(305)
    assert seen.messages == [(300, 1)]
    assert source.subscriptions == [Span(200, 220), Span(290)]


def test_a_source_that_ends_while_it_lingers_has_ended(virtual: TestScheduler) -> None:
    """The linger that runs out afterwards ends nothing a second time."""
    source = virtual.create_cold_observable(on_completed(20))
    Seen(virtual, source.pipe(share_live(linger=100.0))).dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 220)]


def test_a_subscriber_that_raises_lingers_too(virtual: TestScheduler) -> None:
    """On the clock of who began it, whoever left."""
    source = virtual.create_hot_observable(on_next(210, 1), on_next(220, 2))
    shared = source.pipe(share_live(linger=50.0))
    shared.subscribe(bug, scheduler=virtual)
    with pytest.raises(Bug):
        virtual.advance_to(215)
    virtual.stop()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 260)]


async def test_on_a_running_loop_linger_needs_no_scheduler() -> None:
    """The loop's own clock is taken."""
    source: Subject[int] = Subject()
    shared = source.pipe(share_live(linger=1e-9))
    shared.subscribe().dispose()
    assert len(source.observers) == 1
    await turns()
    assert source.observers == []


def test_without_a_loop_linger_is_refused_when_it_is_subscribed() -> None:
    """There is no clock to linger by; the source is not touched."""
    source: Subject[int] = Subject()
    errors: list[Exception] = []
    source.pipe(share_live(linger=1.0)).subscribe(on_error=errors.append)
    assert [type(error) for error in errors] == [ConfigError]
    assert "rxws.run" in str(errors[0])
    assert source.observers == []


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf"), True, None, "1"])
def test_a_wrong_linger_is_refused_by_name(wrong: Any) -> None:
    """When the operator is made, with the value and what would be right."""
    with pytest.raises(ConfigError, match="0 or more") as refused:
        share_live(linger=wrong)
    assert refused.value.field == "linger"
    assert repr(wrong) in str(refused.value)


def test_the_scheduler_of_the_first_subscriber_reaches_the_source(virtual: TestScheduler) -> None:
    """So that a virtual clock drives it."""
    given: list[object] = []

    def subscribe(observer: abc.ObserverBase[int], scheduler: abc.SchedulerBase | None = None) -> None:
        given.append(scheduler)

    shared = Observable(subscribe).pipe(share_live())  # type: ignore[arg-type]
    shared.subscribe(scheduler=virtual)
    shared.subscribe()
    assert given == [virtual]


async def test_the_result_of_a_cancelled_future_hurts_only_who_asks_for_it(reported: list[BaseException]) -> None:
    """A CancelledError that a subscriber raises is its own, and no wish to cancel the others."""
    source: Subject[int] = Subject()
    shared, seen = source.pipe(share_live()), []  # type: ignore[var-annotated]
    cancelled: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    shared.subscribe(lambda _: cancelled.result())
    shared.subscribe(seen.append)
    source.on_next(1)
    source.on_next(2)
    assert seen == [1, 2]
    assert [type(error) for error in reported] == [asyncio.CancelledError]


@pytest.mark.parametrize("moment", ["value", "completed", "error"])
def test_what_an_operator_below_raises_comes_out_of_run(moment: str) -> None:
    """At a value, and at the end."""
    source = {"value": rx.of(1), "completed": rx.empty(), "error": rx.throw(LOST)}[moment]

    with pytest.raises(Bug):
        rxws.run(source.pipe(share_live(), raising))


def raising(source: Observable[Any]) -> Observable[Any]:
    """Return what an operator with a bug makes of it."""

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        return source.subscribe(bug, bug, bug, scheduler=scheduler)

    return Observable(subscribe)
