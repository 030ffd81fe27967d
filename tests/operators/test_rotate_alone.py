"""`rotate` as an operator of its own, without a journal: it knows no sockets, and does what it can without them."""

from __future__ import annotations

from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from rxws import Rotation
from rxws.errors import ConfigError, ConnectionClosed
from rxws.operators import messages, rotate
from rxws.testing import Attempt, ScriptedTransport
from tests.operators.feeds import leg, through
from tests.operators.seen import COMPLETED, Seen, at, dialled

LOST = ConnectionClosed(1006)


def values(transport: ScriptedTransport) -> Observable[int]:
    """The numbers of one connection."""
    return dialled(transport).pipe(messages(), ops.map(int))


def sources(*each: Observable[Any]) -> Observable[Any]:
    """One of these a subscription, in their order."""
    following = iter(each)
    return rx.defer(lambda _: next(following))


def every(seconds: float, **how: Any) -> Rotation:
    """A rotation at an age without jitter, of numbers."""
    return Rotation(seconds, key=int, jitter=0.0, **how)


def test_ages_count_from_the_subscription_and_from_the_cut() -> None:
    """Nobody knows when a connection opens."""
    virtual, transport = at(0), ScriptedTransport(leg(opens=0.5), leg(opens=0.5))
    seen = Seen(virtual, values(transport).pipe(rotate(every(10.0))))
    virtual.advance_to(30.5)
    assert seen.values == through(30)
    assert [dialed.at for dialed in transport.dials] == [0.0, 10.0, 21.0]
    assert transport.live == 1


def test_limit_asks_against_a_window_here_too() -> None:
    """`overlap` before."""
    from rxws.windows import always

    virtual, transport = at(0), ScriptedTransport(leg())
    Seen(virtual, values(transport).pipe(rotate(every(10.0, unless=always()), limit=40.0)))
    virtual.advance_to(36.5)
    assert [dialed.at for dialed in transport.dials] == [0.0, 35.0]


def test_a_tick_that_comes_at_once_asks_for_nothing() -> None:
    """There is no connection yet that could be replaced."""
    virtual, transport = at(0), ScriptedTransport(leg())
    ticks: Any = BehaviorSubject(0)
    seen = Seen(virtual, values(transport).pipe(rotate(Rotation(ticks))))
    virtual.advance_to(5.0)
    assert len(transport.dials) == 1
    ticks.on_next(1)
    virtual.advance_to(10.0)
    assert len(transport.dials) == 2
    assert seen.values[-1] == 10


def test_failures_are_retried_and_given_up_here_too() -> None:
    """The old one goes on."""
    virtual, transport = at(0), ScriptedTransport(leg(), Attempt.refused(), leg())
    seen = Seen(virtual, values(transport).pipe(rotate(every(10.0), None)))
    virtual.advance_to(25.0)
    assert [dialed.at for dialed in transport.dials] == [0.0, 10.0, 20.0]
    assert seen.values == through(25)


@pytest.mark.parametrize(
    ("last", "result"), [(rx.throw(LOST), LOST), (rx.empty(), COMPLETED)], ids=["lost", "completes"]
)
@pytest.mark.parametrize("takes_over", [True, False])
def test_the_end_of_the_current_source_is_the_results_unless_the_next_delivers(
    last: Observable[Any], result: Any, takes_over: bool
) -> None:
    """A completion is an end like a loss: by plan."""
    virtual = at(0)
    first = rx.concat(rx.of(1), rx.timer(12.0).pipe(ops.ignore_elements()), last)
    second = rx.concat(rx.of(5) if takes_over else rx.empty(), rx.never())
    seen = Seen(virtual, sources(first, second).pipe(rotate(every(10.0))))
    virtual.advance_to(14.0)
    assert seen.values == ([1, 5] if takes_over else [1, result])


def test_a_next_source_that_completes_changes_nothing() -> None:
    """The next one is asked for anew."""
    virtual, subscribed = at(0), []  # type: ignore[var-annotated]

    def source(_: Any) -> Observable[Any]:
        subscribed.append(virtual.clock)
        return rx.empty() if len(subscribed) == 2 else rx.concat(rx.of(1), rx.never())

    seen = Seen(virtual, rx.defer(source).pipe(rotate(Rotation(10.0, jitter=0.0))))
    virtual.advance_to(25.0)
    assert subscribed == [0.0, 10.0, 20.0]
    assert seen.values == [1, 1]


def test_what_the_users_own_operators_raise_on_the_next_source_is_the_results_error() -> None:
    """It is no error of a connection, and so it is fatal."""
    virtual = at(0)
    wrong = ValueError("the user's")
    seen = Seen(virtual, sources(rx.never(), rx.throw(wrong)).pipe(rotate(every(10.0))))
    virtual.advance_to(20.0)
    assert seen.values == [wrong]


def test_sources_that_deliver_inside_their_subscribe_are_taken_over_at_once() -> None:
    """The cut comes while the next one is still being subscribed."""
    virtual = at(0)
    feeds = [rx.concat(rx.from_([3 * place + 1, 3 * place + 2, 3 * place + 3]), rx.never()) for place in range(3)]
    seen = Seen(virtual, sources(*feeds).pipe(rotate(Rotation(10.0, jitter=0.0))))
    virtual.advance_to(25.0)
    assert seen.values == list(range(1, 10))


@pytest.mark.parametrize("at_value", [3, 11, 12])
def test_a_consumer_that_raises_ends_it_all(at_value: int) -> None:
    """No later rotation comes back for it."""
    virtual, transport = at(0), ScriptedTransport(leg(), leg(lag=0.5))

    def consumer(value: int) -> None:
        if value == at_value:
            raise ValueError(value)

    values(transport).pipe(rotate(every(10.0))).subscribe(consumer, scheduler=virtual)
    with pytest.raises(ValueError, match=str(at_value)):
        virtual.advance_to(20.0)
    assert transport.live == 0
    dials = len(transport.dials)
    virtual.advance_to(100.0)
    assert len(transport.dials) == dials


def test_a_consumer_that_raises_at_the_end_of_the_overlap_is_reported_and_ends_it_all() -> None:
    """A timer is no transport's read."""
    virtual, transport = at(0), ScriptedTransport(leg(to=10), leg())

    def consumer(value: int) -> None:
        if value == 12:
            raise ValueError(value)

    values(transport).pipe(rotate(every(10.0))).subscribe(consumer, scheduler=virtual)
    with pytest.raises(ValueError, match="12"):
        virtual.advance_to(20.0)
    virtual.advance_to(100.0)
    assert (transport.live, len(transport.dials)) == (0, 2)


def test_dispose_in_an_overlap_leaves_nothing() -> None:
    """Both are closed, and no timer dials again."""
    virtual, transport = at(0), ScriptedTransport(leg(lag=0.9), leg())
    seen = Seen(virtual, values(transport).pipe(rotate(every(10.0))))
    virtual.advance_to(11.5)
    assert transport.live == 2
    seen.dispose()
    virtual.advance_to(100.0)
    assert (transport.live, len(transport.dials)) == (0, 2)


def test_none_leaves_the_source_as_it_is() -> None:
    """Nothing stands on it."""
    source: Any = rx.never()
    assert rotate(None)(source) is source


class NoObservable:
    """It has a `subscribe`, and is none of reactivex."""

    def subscribe(self) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("20h",), "rotate"),
        ((60.0,), "rotate"),
        ((Rotation(60.0), "often"), "retry"),
        ((Rotation(NoObservable()),), "when"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_by_name(arguments: Any, field: str) -> None:
    """When the operator is made."""
    with pytest.raises(ConfigError) as refused:
        rotate(*arguments)
    assert refused.value.field == field


def test_a_wrong_limit_is_refused_by_name() -> None:
    """Seconds, more than 0."""
    with pytest.raises(ConfigError) as refused:
        rotate(Rotation(60.0), limit=0.0)
    assert refused.value.field == "limit"


def test_ticks_of_a_subject_that_completes_ask_for_nothing_more() -> None:
    """The stream goes on."""
    virtual, transport = TestScheduler(), ScriptedTransport(leg())
    ticks: Subject[int] = Subject()
    seen = Seen(virtual, values(transport).pipe(rotate(Rotation(ticks))))
    ticks.on_completed()
    virtual.advance_to(20.0)
    assert seen.values == through(20)
