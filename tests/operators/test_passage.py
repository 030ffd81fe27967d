"""Operators that hand on the subscriber's own `on_next`, over sources that emit when they should not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff
from rxws.operators import after, repeat_when, retry_when, route, take_until
from rxws.operators._passage import Passage, passing
from tests.operators.seen import turns

Operator = Callable[[Observable[Any]], Observable[Any]]


def routed(source: Observable[Any]) -> Observable[Any]:
    """One topic has all."""
    return source.pipe(route(lambda value: "all"))["all"]


OPERATORS: dict[str, Operator] = {
    "take_until": take_until(rx.never()),
    "retry_when": retry_when(after(Backoff.immediate())),
    "repeat_when": repeat_when(lambda ends: rx.never()),
    "route": routed,
    "all": lambda source: routed(source.pipe(retry_when(after(Backoff.immediate())), take_until(rx.never()))),
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
async def test_who_disposes_among_values_that_come_from_inside_subscribe_gets_no_more(operator: Operator) -> None:
    """The source has no disposable yet; reactivex's observer holds back what it goes on to emit."""
    seen: list[int] = []
    disposable = rx.disposable.SerialDisposable()

    def leave(value: int) -> None:
        seen.append(value)
        disposable.dispose()

    # `take_until` begins a turn later, when the subscriber has its disposable.
    disposable.disposable = rx.of(1, 2, 3).pipe(operator, take_until(rx.never())).subscribe(leave)
    await turns()
    assert seen == [1]


async def test_what_a_source_emits_from_inside_subscribe_behind_the_end_is_held_back() -> None:
    """As by reactivex's own operators."""
    seen: list[Any] = []
    stop: Subject[None] = Subject()

    def note(value: int) -> None:
        seen.append(value)
        stop.on_next(None)

    source = Observable(lambda observer, _: [observer.on_next(n) for n in (1, 2, 3)] and rx.disposable.Disposable())
    virtual = TestScheduler()
    source.pipe(take_until(stop)).subscribe(note, seen.append, lambda: seen.append("done"), scheduler=virtual)
    virtual.advance_by(1.0)

    assert seen == [1, "done"]


def test_one_function_may_be_subscribed_to_a_route_twice() -> None:
    """It gets each value twice, and once when it has left once."""
    seen: list[int] = []
    subject: Subject[int] = Subject()
    stream: Observable[int] = Passage(lambda observer, scheduler=None: subject.subscribe(observer, scheduler=scheduler))
    route_of = stream.pipe(route(lambda value: "all"))["all"]
    take = seen.append
    first, second = (route_of.subscribe(take) for _ in range(2))
    subject.on_next(1)
    first.dispose()
    subject.on_next(2)
    second.dispose()
    subject.on_next(3)

    assert seen == [1, 1, 2]


def test_a_passage_is_made_of_a_passage_only() -> None:
    """And hands on the very function that is subscribed."""
    takes: list[Any] = []

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        takes.append(observer.on_next)
        return rx.disposable.Disposable()

    def mine(value: object) -> None: ...

    passage: Observable[int] = Passage(subscribe)
    assert type(passing(passage, subscribe)) is Passage
    assert type(passing(passage.pipe(ops.filter(bool)), subscribe)) is Observable
    passage.subscribe(mine)
    assert takes == [mine]
    passage.subscribe()
    takes[-1]("nobody hears it")
