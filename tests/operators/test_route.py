"""One subscription of the source, parted by topic."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Hashable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Observer, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

import rxws
from rxws import ws_observable
from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import Event
from rxws.operators import route
from rxws.operators._turns import leaving_whole
from rxws.operators.route import Routes
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed
LOST = ConnectionClosed(1006)


class Bug(Exception):
    """What a subscriber or a key raises."""


def bug(_: object = None) -> None:
    """Raise, as a subscriber with a bug does."""
    raise Bug


def letter(value: str) -> str | None:
    """The topic of "a1" is "a"; what has no letter belongs to none."""
    return value[0] if value[0].isalpha() else None


@pytest.fixture
def virtual() -> TestScheduler:
    """A clock that shows 200."""
    return at(200)


@pytest.fixture
def source() -> Subject[Any]:
    """A source by hand."""
    return Subject()


@pytest.fixture
def routes(source: Subject[Any]) -> Routes[Any]:
    """Its routes, by letter."""
    return source.pipe(route(letter))


@pytest.fixture
async def reported() -> Any:
    """What the running loop's exception handler is told."""
    errors: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    return errors


def give(source: Subject[Any], *values: object) -> None:
    """Emit `values`, one after the other."""
    for value in values:
        source.on_next(value)


# Where a value goes


def test_each_topic_has_its_values_and_the_rest_has_the_others(source: Subject[Any], routes: Routes[Any]) -> None:
    """In order; of the rest are those without a topic, and those of a topic that nobody subscribes."""
    a, b, rest = list[Any](), list[Any](), list[Any]()
    routes["a"].subscribe(a.append)
    routes["b"].subscribe(b.append)
    routes.rest.subscribe(rest.append)
    give(source, "a1", "b1", "c1", "a2", "1")
    assert (a, b, rest) == (["a1", "a2"], ["b1"], ["c1", "1"])


def test_what_nobody_wants_is_passed_over(source: Subject[Any], routes: Routes[Any]) -> None:
    """As a filter would."""
    a: list[str] = []
    routes["a"].subscribe(a.append)
    give(source, "c1", "1", "a1")
    assert a == ["a1"]


def test_several_may_subscribe_one_topic_and_the_rest(source: Subject[Any], routes: Routes[Any]) -> None:
    """Each has every value, the first subscriber first, and one who leaves takes nothing from the others."""
    heard: list[tuple[int, str]] = []
    for topic in (routes["a"], routes.rest):
        for number in range(3):
            topic.subscribe(lambda value, number=number: heard.append((number, value)))
    leaving = routes["a"].subscribe(lambda value: heard.append((3, value)))
    give(source, "a1")
    leaving.dispose()
    give(source, "a2", "1")
    assert heard == [*((n, "a1") for n in range(4)), *((n, "a2") for n in range(3)), *((n, "1") for n in range(3))]


def test_a_topic_that_is_left_goes_to_the_rest_again(source: Subject[Any], routes: Routes[Any]) -> None:
    """And is a route again for who comes back."""
    a, rest = list[Any](), list[Any]()
    routes.rest.subscribe(rest.append)
    first = routes["a"].subscribe(a.append)
    give(source, "a1")
    first.dispose()
    give(source, "a2")
    routes["a"].subscribe(a.append)
    give(source, "a3")
    assert (a, rest) == (["a1", "a3"], ["a2"])


def test_the_rest_that_is_left_is_passed_over_again(source: Subject[Any], routes: Routes[Any]) -> None:
    """While the topics go on."""
    a, rest = list[Any](), list[Any]()
    routes["a"].subscribe(a.append)
    leaving = routes.rest.subscribe(rest.append)
    give(source, "1")
    leaving.dispose()
    give(source, "2", "a1")
    assert (a, rest) == (["a1"], ["1"])


def test_one_function_may_be_subscribed_more_than_once(source: Subject[Any], routes: Routes[Any]) -> None:
    """To one topic and to several; each subscription is disposed by itself."""
    heard: list[str] = []
    hear = heard.append
    both = [routes["a"].subscribe(hear) for _ in range(2)]
    routes["b"].subscribe(hear)
    give(source, "a1", "b1")
    both[0].dispose()
    give(source, "a2")
    both[1].dispose()
    give(source, "a3", "b2")
    assert heard == ["a1", "a1", "b1", "a2", "b2"]


@pytest.mark.parametrize("topic", [0, "", (1, "x"), frozenset({1}), False])
def test_a_topic_is_anything_that_can_be_hashed(topic: Hashable, source: Subject[Any]) -> None:
    """What is false is a topic too; equal topics are one."""
    heard: list[Hashable] = []
    source.pipe(route(lambda value: value))[topic].subscribe(heard.append)
    give(source, topic, "another")
    assert heard == [topic]


def test_an_observer_and_nobody_may_be_subscribed(source: Subject[Any], routes: Routes[Any]) -> None:
    """As to any observable; who takes no values still takes the topic from the rest."""
    heard: list[object] = []
    rest: list[str] = []
    routes["a"].subscribe(Observer(heard.append, heard.append, lambda: heard.append(COMPLETED)))
    routes["b"].subscribe()
    routes["c"].subscribe(on_completed=lambda: heard.append("c"))
    routes.rest.subscribe(rest.append)
    give(source, "a1", "b1", "c1", "1")
    source.on_completed()
    assert (heard, rest) == (["a1", COMPLETED, "c"], ["1"])


def test_operators_stand_on_a_route_as_on_any_observable(source: Subject[Any], routes: Routes[Any]) -> None:
    """One that ends leaves."""
    heard: list[object] = []
    routes["a"].pipe(ops.map(str.upper), ops.take(2)).subscribe(heard.append, None, lambda: heard.append(COMPLETED))
    give(source, "a1", "b1", "a2", "a3")
    assert heard == ["A1", "A2", COMPLETED]
    assert source.observers == []


def test_lifecycle_events_are_of_the_rest_whatever_the_key_would_say(virtual: TestScheduler) -> None:
    """They travel in the stream between the data, and the key knows only the data."""
    asked: list[object] = []

    def key(value: Any) -> str:
        asked.append(value)
        return "all"

    transport = ScriptedTransport(Attempt(messages=[(1.0, "1"), (2.0, "2")]))
    routes = ws_observable("ws://scripted", transport=transport, lifecycle=True).pipe(route(key))
    data, events = Seen(virtual, routes["all"]), Seen(virtual, routes.rest)
    virtual.advance_to(210)
    assert data.values == asked == [1, 2]
    assert [type(event).__name__ for event in events.values][-1] == "Live"
    assert all(isinstance(event, Event) for event in events.values)
    assert len(transport.dials) == 1


# One subscription


def test_the_first_subscriber_of_any_route_begins_it_and_the_last_ones_leaving_ends_it(virtual: TestScheduler) -> None:
    """However many there are in between; the rest counts like a topic."""
    source: Any = virtual.create_cold_observable(on_next(10, "a1"), on_next(20, "b1"), on_next(30, "a2"))
    routes: Routes[str] = source.pipe(route(letter))
    topic, rest = routes["a"], routes.rest
    virtual.advance_to(205)
    assert source.subscriptions == []
    first = Seen(virtual, rest)
    virtual.advance_to(217)
    second = Seen(virtual, topic)
    virtual.advance_to(227)
    first.dispose()
    first.dispose()
    virtual.advance_to(237)
    second.dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(205, 237)]
    assert first.messages == [(215, "a1"), (225, "b1")]
    assert second.messages == [(235, "a2")]


def test_who_comes_back_begins_a_new_subscription(virtual: TestScheduler) -> None:
    """After all had left."""
    source: Any = virtual.create_cold_observable(on_next(10, "a1"))
    routes: Routes[str] = source.pipe(route(letter))
    Seen(virtual, routes["a"]).dispose()
    virtual.advance_to(250)
    again = Seen(virtual, routes["a"])
    virtual.advance_to(265)
    assert again.messages == [(260, "a1")]
    assert [span.subscribe for span in source.subscriptions] == [200, 250]


def test_each_use_of_the_operator_shares_by_itself(source: Subject[Any]) -> None:
    """Two parted streams are two subscriptions."""
    operator = route(letter)
    for _ in range(2):
        source.pipe(operator)["a"].subscribe()
    assert len(source.observers) == 2


def test_the_scheduler_of_the_first_subscriber_reaches_the_source(virtual: TestScheduler) -> None:
    """So that a virtual clock drives it."""
    given: list[object] = []

    def subscribe(observer: abc.ObserverBase[str], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        given.append(scheduler)
        return SerialDisposable()

    routes = Observable(subscribe).pipe(route(letter))
    routes["a"].subscribe(scheduler=virtual)
    routes["b"].subscribe()
    assert given == [virtual]


# Its end


@pytest.mark.parametrize(("end", "last"), [(on_completed(20), COMPLETED), (on_error(20, LOST), LOST)])
def test_all_hear_of_the_end_and_the_next_one_begins_anew(virtual: TestScheduler, end: Any, last: object) -> None:
    """The source is disposed before anybody hears of it."""
    source: Any = virtual.create_cold_observable(on_next(10, "a1"), end)
    routes, spans = source.pipe(route(letter)), []
    seen = [
        Seen(virtual, routes["a"], lambda _: spans.append(source.subscriptions[:])),
        Seen(virtual, routes["a"]),
        Seen(virtual, routes["b"]),
        Seen(virtual, routes.rest),
    ]
    virtual.advance_to(300)
    later = Seen(virtual, routes.rest)
    virtual.advance_to(400)
    assert [each.messages for each in seen] == [[(210, "a1"), (220, last)]] * 2 + [[(220, last)]] * 2
    assert later.messages == [(310, "a1"), (320, last)]
    assert spans[-1] == [Span(200, 220)]
    assert source.subscriptions == [Span(200, 220), Span(300, 320)]


def test_a_subscriber_may_come_back_in_the_very_moment_of_the_end(virtual: TestScheduler) -> None:
    """It begins anew, and the others still hear of the end."""
    source: Any = virtual.create_cold_observable(on_next(10, "a1"), on_completed(20))
    routes: Routes[str] = source.pipe(route(letter))
    back: list[Seen] = []

    def come_back(what: Any) -> None:
        if what == COMPLETED:
            back.append(Seen(virtual, routes["a"]))

    Seen(virtual, routes["a"], come_back)
    other = Seen(virtual, routes["b"])
    virtual.advance_to(235)
    assert other.messages == [(220, COMPLETED)]
    assert back[0].messages == [(230, "a1")]
    assert source.subscriptions == [Span(200, 220), Span(220)]


def test_a_source_that_ends_within_its_subscribe_is_over_for_who_began_it() -> None:
    """The next subscriber begins anew, of whichever topic."""
    begun: list[int] = []

    def subscribe(observer: abc.ObserverBase[str], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        begun.append(1)
        give(observer, "a1", "b1")
        observer.on_completed()
        return SerialDisposable()

    routes = Observable(subscribe).pipe(route(letter))
    for rounds, topic in ((1, "a"), (2, "b")):
        heard: list[object] = []
        routes[topic].subscribe(heard.append, on_completed=lambda heard=heard: heard.append("|"))
        assert (heard, len(begun)) == ([f"{topic}1", "|"], rounds)


# Subscribers that come and go meanwhile


def test_who_is_disposed_by_another_does_not_hear_that_value_any_more(
    source: Subject[Any], routes: Routes[Any]
) -> None:
    """Dispose holds from the moment on, also among those of one topic."""
    second, heard = SerialDisposable(), list[Any]()
    routes["a"].subscribe(lambda _: second.dispose())
    second.disposable = routes["a"].subscribe(heard.append)
    routes["a"].subscribe(heard.append)
    give(source, "a1", "a2")
    assert heard == ["a1", "a2"]
    assert len(source.observers) == 1


def test_who_comes_while_a_value_is_handed_out_hears_the_next_one(source: Subject[Any], routes: Routes[Any]) -> None:
    """Of the same topic, of another one, and of the rest."""
    heard: list[str] = []

    def come(_: str) -> None:
        for each in (routes["a"], routes["b"], routes.rest):
            each.subscribe(heard.append)

    routes["a"].pipe(ops.take(1)).subscribe(come)
    give(source, "a1", "a2", "b2", "2")
    assert heard == ["a2", "b2", "2"]


def test_the_last_one_may_leave_while_it_takes_a_value(source: Subject[Any], routes: Routes[Any]) -> None:
    """The source is left within that value, and begun anew by who comes back within it."""
    heard: list[str] = []
    leaving = SerialDisposable()

    def leave(_: str) -> None:
        leaving.dispose()
        assert source.observers == []
        routes["a"].subscribe(heard.append)

    leaving.disposable = routes["a"].subscribe(leave)
    give(source, "a1", "a2")
    assert heard == ["a2"]
    assert len(source.observers) == 1


class Stubborn(Observable[str]):
    """A source of another making, that neither its dispose nor its end keeps from going on."""

    def __init__(self) -> None:
        super().__init__()
        self.subscribed: list[tuple[Any, ...]] = []

    def subscribe(self, *handlers: Any, **options: Any) -> abc.DisposableBase:
        self.subscribed.append(handlers)
        return SerialDisposable()


def test_what_an_old_source_still_brings_reaches_nobody_of_the_new_one() -> None:
    """It is no other than the next one."""
    stubborn, heard = Stubborn(), list[Any]()
    routes = stubborn.pipe(route(letter))
    routes["a"].subscribe(heard.append).dispose()
    routes["a"].subscribe(heard.append)
    for number, (on_next, *_) in enumerate(stubborn.subscribed):
        on_next(f"a{number}")
    assert heard == ["a1"]


def test_what_a_source_brings_after_its_end_reaches_nobody() -> None:
    """Neither a topic nor the rest."""
    stubborn, heard = Stubborn(), list[Any]()
    routes = stubborn.pipe(route(letter))
    routes["a"].subscribe(heard.append)
    routes.rest.subscribe(heard.append)
    on_next, _, on_completed = stubborn.subscribed[0]
    on_completed()
    on_next("a1")
    on_next("1")
    assert heard == []


def test_a_value_that_comes_within_a_value_is_handed_on_at_once(source: Subject[Any], routes: Routes[Any]) -> None:
    """Whoever sends it while it takes another."""
    heard: list[str] = []
    routes["a"].subscribe(lambda value: (heard.append(value), source.on_next("b1")))
    routes["b"].subscribe(heard.append)
    give(source, "a1")
    assert heard == ["a1", "b1"]


async def test_who_raises_at_a_value_within_a_value_hears_nothing_more(
    source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """Not even the outer one; the others of the topic have both."""
    tried: list[str] = []
    heard: list[str] = []

    def raises(value: str) -> None:
        tried.append(value)
        raise Bug(value)

    routes["a"].subscribe(lambda value: source.on_next("a2") if value == "a1" else None)
    routes["a"].subscribe(raises)
    routes["a"].subscribe(heard.append)
    give(source, "a1")
    assert (tried, heard) == (["a2"], ["a2", "a1"])
    assert [error.args for error in reported] == [("a2",)]


# Subscribers that raise


@pytest.mark.parametrize("company", [0, 2])
@pytest.mark.parametrize("topic", ["a", None])
async def test_a_subscriber_that_raises_is_disposed_alone_and_reported(
    topic: str | None, company: int, source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """The others get that very value, and all that follow; the loop's exception handler gets the error, once."""
    routed = routes.rest if topic is None else routes[topic]
    heard: list[str] = []
    other: list[str] = []
    routes["b"].subscribe(other.append)

    def raises(value: str) -> None:
        raise Bug(value)

    for _ in range(company // 2):
        routed.subscribe(heard.append)
    routed.subscribe(raises)
    for _ in range(company // 2):
        routed.subscribe(heard.append)
    values = [f"{topic or ''}{number}" for number in range(3)]
    give(source, *values, "b1")
    assert heard == [value for value in values for _ in range(company)]
    assert other == ["b1"]
    assert [error.args for error in reported] == [(values[0],)]
    assert len(source.observers) == 1


async def test_one_function_that_raises_is_disposed_where_it_raised(
    source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """Its other subscriptions go on, the rest among them."""
    tried: list[str] = []

    def raises(value: str) -> None:
        tried.append(value)
        raise Bug

    for each in (routes["a"], routes["b"], routes.rest):
        each.subscribe(raises)
    give(source, "a1", "c1", "a2", "b1", "b2")
    assert tried == ["a1", "c1", "b1"]
    assert len(reported) == 3
    assert source.observers == []


async def test_what_an_operator_of_a_subscriber_raises_hurts_nobody_else(
    source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """Whether reactivex turns it into that subscriber's own error, or not."""
    errors: list[Exception] = []
    values: list[str] = []
    routes["a"].pipe(ops.map(lambda value: 1 // int(value[1:]))).subscribe(on_error=errors.append)
    routes["a"].pipe(ops.flat_map(rx.of)).subscribe(bug)
    routes["a"].subscribe(values.append)
    give(source, "a0", "a1")
    assert values == ["a0", "a1"]
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert [type(error) for error in reported] == [Bug]


async def test_the_last_subscriber_that_raises_ends_the_subscription(
    source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """There is nobody left to share with."""
    routes["a"].subscribe(bug)
    give(source, "a1")
    assert source.observers == []
    assert [type(error) for error in reported] == [Bug]


@pytest.mark.parametrize(
    "end", [lambda source: source.on_error(LOST), lambda source: source.on_completed()], ids=["error", "completion"]
)
async def test_a_subscriber_that_raises_at_the_end_keeps_it_from_nobody(
    end: Callable[[Subject[Any]], None],
    source: Subject[Any],
    routes: Routes[Any],
    reported: list[BaseException],
) -> None:
    """As one does that takes no errors: reactivex raises what it does not take."""
    heard: list[object] = []
    routes["a"].subscribe(on_error=bug, on_completed=bug)
    routes["b"].subscribe(on_error=heard.append, on_completed=lambda: heard.append(COMPLETED))
    end(source)
    assert heard in ([LOST], [COMPLETED])
    assert [type(error) for error in reported] == [Bug]


def test_without_a_loop_what_a_subscriber_raises_goes_to_the_producer_behind_the_others(
    source: Subject[Any], routes: Routes[Any]
) -> None:
    """In virtual time there is nobody to report to; still all have that value, and all hear of the end."""
    heard: list[object] = []
    routes["a"].subscribe(bug)
    routes["a"].subscribe(on_error=bug)
    routes["a"].subscribe(heard.append, heard.append)
    with pytest.raises(Bug):
        source.on_next("a1")
    source.on_next("a2")
    with pytest.raises(Bug):
        source.on_error(LOST)
    assert heard == ["a1", "a2", LOST]


async def test_the_result_of_a_cancelled_future_hurts_only_who_asks_for_it(
    source: Subject[Any], routes: Routes[Any], reported: list[BaseException]
) -> None:
    """A CancelledError that a subscriber raises is its own, and no wish to cancel the others."""
    heard: list[str] = []
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.cancel()
    routes["a"].subscribe(lambda _: future.result())
    routes["b"].subscribe(heard.append)
    give(source, "a1", "b1")
    assert heard == ["b1"]
    assert [type(error) for error in reported] == [asyncio.CancelledError]


# A key that raises


@pytest.mark.parametrize(("key", "error"), [(bug, Bug), (lambda value: [value], TypeError)], ids=["raises", "a list"])
async def test_where_the_key_fails_the_value_is_of_the_rest_and_the_error_is_reported(
    key: Callable[[Any], Any], error: type[Exception], source: Subject[Any], reported: list[BaseException]
) -> None:
    """Once of many: at most once a minute. Nothing is lost, and nobody is disposed."""
    routes = source.pipe(route(lambda value: key(value) if value == "odd" else value))
    a, rest = list[Any](), list[Any]()
    routes["a"].subscribe(a.append)
    routes.rest.subscribe(rest.append)
    give(source, "a", "odd", "odd", "a")
    assert (a, rest) == (["a", "a"], ["odd", "odd"])
    assert [type(each) for each in reported] == [error]


async def test_a_key_that_fails_where_nobody_takes_the_rest_is_reported_too(
    source: Subject[Any], reported: list[BaseException]
) -> None:
    """The value is passed over like others."""
    source.pipe(route(bug))["a"].subscribe()
    give(source, "a")
    assert [type(each) for each in reported] == [Bug]
    assert len(source.observers) == 1


async def test_who_takes_the_rest_may_raise_at_such_a_value(
    source: Subject[Any], reported: list[BaseException]
) -> None:
    """Both are reported, and neither is told as the other's cause."""

    def key(_: object) -> None:
        raise Bug("key")

    def subscriber(_: object) -> None:
        raise Bug("subscriber")

    source.pipe(route(key)).rest.subscribe(subscriber)
    give(source, "a")
    assert [(error.args, error.__context__) for error in reported] == [(("subscriber",), None), (("key",), None)]
    assert source.observers == []


def test_what_the_key_raises_is_told_once_a_minute(virtual: TestScheduler) -> None:
    """By the clock of who began it; without a loop it is raised, when the value is handed on."""
    rest: list[str] = []
    source: Subject[str] = Subject()
    source.pipe(route(bug)).rest.subscribe(rest.append, scheduler=virtual)
    raised: list[float] = []
    for time in (200, 201, 259, 260, 319, 321):
        virtual.advance_to(time)
        try:
            source.on_next(str(time))
        except Bug:
            raised.append(time)
    assert raised == [200, 260, 321]
    assert rest == ["200", "201", "259", "260", "319", "321"]


# What is kept


def test_a_topic_that_nobody_subscribes_takes_no_room(source: Subject[Any], routes: Routes[Any]) -> None:
    """Not one that was asked for, not one whose last subscriber has left, not one that only came."""

    class Topic:
        """A key that tells whether anybody holds it."""

    seen: list[Topic] = []
    alive = source.pipe(route(lambda value: seen[0]))
    alive.rest.subscribe()
    topic = Topic()
    held = weakref.ref(topic)
    seen.append(topic)
    alive[topic]
    for _ in range(2):
        leaving = [alive[topic].subscribe() for _ in range(2)]
        give(source, "value")
        for each in leaving:
            each.dispose()
    give(source, "value")
    seen.clear()
    del topic, leaving, each
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("end", [lambda source: source.on_completed(), lambda source: None], ids=["ended", "left"])
def test_a_subscriber_that_is_gone_is_forgotten(
    end: Callable[[Subject[Any]], None], source: Subject[Any], routes: Routes[Any]
) -> None:
    """After the end of the source, and after it left."""

    class Consumer:
        """An object of the caller's."""

        def take(self, value: object) -> None: ...

    consumer = Consumer()
    held = weakref.ref(consumer)
    subscription = routes["a"].subscribe(consumer.take)
    give(source, "a1")
    end(source)
    subscription.dispose()
    del consumer, subscription
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("moment", ["value", "completed", "error"])
def test_what_an_operator_below_raises_comes_out_of_run(moment: str) -> None:
    """At a value, one that several take too, and at the end."""
    source = {"value": rx.of("a1"), "completed": rx.empty(), "error": rx.throw(LOST)}[moment]

    def raising(topic: Observable[Any]) -> Observable[Any]:
        def subscribe(_: Any, scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            return topic.subscribe(bug, bug, bug, scheduler=scheduler)

        return Observable(subscribe)

    for count in (1, 2):
        one = source.pipe(route(letter))["a"]
        with pytest.raises(Bug):
            rxws.run(rx.merge(*[raising(one)] * count, rx.never()))


async def test_what_one_raises_who_has_left_by_that_is_told_to_nobody_else(reported: list[BaseException]) -> None:
    """An operator below may leave before it raises; whoever waits for another topic goes on."""
    source: Subject[Any] = Subject()
    routes = source.pipe(route(letter))
    async with rxws.aiter(routes["a"]) as innocent:
        first = asyncio.ensure_future(anext(innocent))
        await asyncio.sleep(0)
        routes["b"].pipe(leaving_whole).subscribe(bug, scheduler=rxws.scheduler())
        give(source, "b1", "a1")
        assert await first == "a1"
        give(source, "a2")
        assert await anext(innocent) == "a2"

    assert [type(error) for error in reported] == [Bug]


# What is refused


@pytest.mark.parametrize("wrong", [None, "s", 1])
def test_a_key_that_is_no_function_is_refused_by_name(wrong: Any) -> None:
    """When the operator is made."""
    with pytest.raises(ConfigError, match="not callable") as refused:
        route(wrong)
    assert refused.value.field == "key"


@pytest.mark.parametrize(("wrong", "words"), [(None, "routes.rest"), (["a"], "cannot be hashed")])
def test_what_can_be_no_topic_is_refused_where_it_is_asked_for(wrong: Any, words: str, routes: Routes[Any]) -> None:
    """A None that a dict did not have would else be the rest."""
    with pytest.raises(ConfigError, match=words) as refused:
        routes[wrong]
    assert refused.value.field == "topic"


def test_nobody_walks_over_the_topics(routes: Routes[Any]) -> None:
    """There is no end of them: a loop, and `in`, would ask for one after the other for ever."""
    with pytest.raises(TypeError):
        iter(routes)
    with pytest.raises(TypeError):
        "a" in routes  # noqa: B015
