"""Whose functions are behind an observer, whatever stands between."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable, Observer, Subject, abc
from reactivex import operators as ops
from reactivex.subject import BehaviorSubject, ReplaySubject
from reactivex.testing import TestScheduler

from rxws import operators as wsops
from rxws.channels import Channels, generic
from rxws.consumers import MOST, SHOWN, names_behind

HERE = "tests.test_consumers"


def decide(value: Any) -> Any:
    """A function of the caller's."""
    return value


def note(value: Any) -> None:
    """The last one."""


def grow(total: Any, value: Any) -> Any:
    """An accumulator."""
    return total


class Strategy:
    """An object of the caller's, that is called, and has a method that is."""

    def __call__(self, value: Any) -> None: ...

    def trade(self, value: Any) -> None: ...

    @classmethod
    def of(cls, value: Any) -> None: ...

    @staticmethod
    def at(value: Any) -> None: ...


class Book(abc.ObserverBase[Any]):
    """An observer of the caller's."""

    def on_next(self, value: Any) -> None: ...

    def on_error(self, error: Exception) -> None: ...

    def on_completed(self) -> None: ...


def behind(way: Callable[[Observable[Any]], Observable[Any]], *last: Any) -> str | None:
    """Return what is found behind a source that goes through `way` to `last`."""
    source: Subject[Any] = Subject()
    virtual = TestScheduler()
    found = source.pipe(way).subscribe(*(last or (note,)), scheduler=virtual)
    virtual.advance_by(0.5)  # some subscribe a turn later
    names = names_behind(source)
    found.dispose()
    return names


def itself(source: Observable[Any]) -> Observable[Any]:
    """No operator at all."""
    return source


# Who subscribes


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (note, f"{HERE}.note"),
        (lambda value: None, f"{HERE}.<lambda>"),
        (Strategy().trade, f"{HERE}.Strategy.trade"),
        (Strategy.of, f"{HERE}.Strategy.of"),
        (Strategy.at, f"{HERE}.Strategy.at"),
        (Strategy(), f"{HERE}.Strategy"),
        (functools.partial(grow, 1), f"{HERE}.grow"),
        (functools.partial(functools.partial(Strategy().trade)), f"{HERE}.Strategy.trade"),
        (functools.lru_cache(decide), f"{HERE}.decide"),
        (functools.partial(operator.setitem, {}, 1), "setitem"),
        ([].append, "list.append"),
        (print, "print"),
        (Strategy, f"{HERE}.Strategy"),
        (Book(), f"{HERE}.Book.on_next"),
        (Observer(note), f"{HERE}.note"),
    ],
)
def test_whoever_subscribes_is_named(last: Any, name: str) -> None:
    """A function, a method, a callable object, a builtin, a class, an observer."""
    assert behind(itself, last) == name


def test_functions_stand_for_themselves() -> None:
    """Also several; None is nobody."""
    assert names_behind(decide, None, note) == f"{HERE}.decide, {HERE}.note"


# What stands between

WAYS: list[tuple[str, Callable[[Observable[Any]], Observable[Any]], list[str]]] = [
    ("map", ops.map(decide), ["decide", "note"]),
    ("filter", ops.filter(decide), ["decide", "note"]),
    ("scan", ops.scan(grow, 0), ["grow", "note"]),
    ("do_action", ops.do_action(decide), ["decide", "note"]),
    ("buffer", ops.buffer_with_count(2), ["note"]),
    ("buffer_with_time", ops.buffer_with_time(1.0), []),
    ("pairwise", ops.pairwise(), ["note"]),
    ("distinct", ops.distinct_until_changed(decide), ["decide", "note"]),
    ("take", ops.take(5), ["note"]),
    ("take_while", ops.take_while(decide), ["decide", "note"]),
    ("flat_map", ops.flat_map(decide), ["decide"]),
    ("group_by", ops.group_by(decide), ["decide", "note"]),
    ("merge", ops.merge(rx.never()), ["note"]),
    ("zip", ops.zip(rx.never()), ["note"]),
    ("combine_latest", ops.combine_latest(rx.never()), ["note"]),
    ("with_latest_from", ops.with_latest_from(rx.never()), ["note"]),
    ("sample", ops.sample(1.0), []),
    ("share", ops.share(), ["note"]),
    ("publish", lambda source: source.pipe(ops.multicast(Subject()), ops.ref_count()), ["note"]),
    ("replay", lambda source: source.pipe(ops.multicast(ReplaySubject()), ops.ref_count()), ["note"]),
    ("behaviour", lambda source: source.pipe(ops.multicast(BehaviorSubject(0)), ops.ref_count()), ["note"]),
    ("share_live", wsops.share_live(), ["note"]),
    ("route", lambda source: source.pipe(wsops.route(decide)).rest, ["decide", "note"]),
    ("disconnect_alerts", wsops.disconnect_alerts(5.0), []),
    ("match", wsops.match({"e": 1}), ["note"]),
    ("filter_kline", wsops.filter_kline, ["note"]),
    ("data_only", wsops.data_only(), ["note"]),
    ("topic_timeout", wsops.topic_timeout(5.0, decide, grow), ["decide", "note"]),
    ("reconnect", wsops.reconnect(), ["note"]),
    ("take_until", wsops.take_until(rx.never()), ["note"]),
    ("deep", lambda source: functools.reduce(lambda at, _: at.pipe(ops.map(decide)), range(40), source), ["decide"]),
]


@pytest.mark.parametrize(("way", "names"), [(way, names) for _, way, names in WAYS], ids=[name for name, *_ in WAYS])
def test_operators_are_looked_through(way: Any, names: list[str]) -> None:
    """Their functions are named in the order of the walk, and then whoever subscribes."""
    found = behind(way) or ""
    assert [name for name in ("decide", "grow", "note") if f"{HERE}.{name}" in found.split(", ")][: len(names)] == names
    for word in ("rxws.", "reactivex.", "AutoDetach"):
        assert word not in found


def test_what_a_client_is_subscribed_to_names_who_is_asked() -> None:
    """The callable that is asked for it, and what makes payloads of channels."""
    here = f"{HERE}.test_what_a_client_is_subscribed_to_names_who_is_asked.<locals>"

    def payload(action: str, channel: str) -> dict[str, str]:
        return {action: channel}

    def asked() -> list[str]:
        return ["trades"]

    assert names_behind(Channels(asked, payload).wanted) == f"{here}.payload, {here}.asked"
    assert names_behind(Channels(asked, generic).wanted) == f"{here}.asked"
    assert names_behind(Channels(["trades"], payload).wanted) == f"{here}.payload"


def test_all_who_share_are_named() -> None:
    """By share_live and by a Subject; each once."""
    source: Subject[Any] = Subject()
    shared = source.pipe(wsops.share_live())
    for last in (note, decide, Strategy().trade, note):
        shared.subscribe(last)
    assert names_behind(source) == f"{HERE}.note, {HERE}.decide, {HERE}.Strategy.trade"


def test_all_who_have_a_topic_are_named() -> None:
    """Behind what tells the topics apart, several of one topic too."""
    source: Subject[Any] = Subject()
    routes = source.pipe(wsops.route(decide))
    for topic, last in ((1, note), (1, Strategy().trade), (2, note), (3, Strategy.of)):
        routes[topic].subscribe(last)
    assert names_behind(source) == f"{HERE}.decide, {HERE}.note, {HERE}.Strategy.trade, {HERE}.Strategy.of"


async def test_nobody_is_named_where_a_value_only_waits() -> None:
    """The body of an `async for` is not called with it; what stands before is."""
    from rxws import aiter

    source: Subject[Any] = Subject()
    iteration = aiter(source)
    iteration.begin()
    assert names_behind(source) is None
    other: Subject[Any] = Subject()
    mapped = aiter(other.pipe(ops.map(decide)))
    mapped.begin()
    assert names_behind(other) == f"{HERE}.decide"
    for each in (iteration, mapped):
        await each.aclose()


# What it must not do


def test_many_names_are_counted() -> None:
    """A few are told, of the rest the number."""
    source: Subject[Any] = Subject()
    for number in range(SHOWN + 3):
        source.subscribe(type(f"C{number}", (Strategy,), {})())
    found = names_behind(source)
    assert found is not None
    assert found.count(",") == SHOWN - 1
    assert found.endswith(" and 3 more")


def test_the_work_is_bounded() -> None:
    """Whatever hangs behind an observer: a hundred thousand subscribers, a chain without an end, a circle."""
    source: Subject[Any] = Subject()
    looked: list[int] = []

    class Looked(Strategy):
        def __getattribute__(self, name: str) -> Any:
            looked.append(1)
            return super().__getattribute__(name)

    source.observers.extend(Looked() for _ in range(100_000))
    assert names_behind(source) is not None
    assert len(looked) <= 10 * MOST
    assert names_behind(Endless()) is None
    circle: Subject[Any] = Subject()
    circle.subscribe(circle)
    assert names_behind(circle) is None


class Endless(Observer[Any]):
    """Leads to another of its kind, for ever."""

    @property
    def observers(self) -> list[Any]:  # type: ignore[misc]
        return [Endless()]


Endless.__module__ = "rxws.tests"


class Hostile:
    """Does not let itself be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


class Moduleless(Strategy):
    """Says that it is of no module."""

    __module__ = None  # type: ignore[assignment]


def test_it_never_raises() -> None:
    """What an object does when it is looked at is no reason to end the stream."""
    for odd in (Hostile(), Moduleless(), object(), None, 1, "text", [Hostile()], Hostile):
        assert isinstance(names_behind(odd), str | None)
        assert (names_behind(note, odd, decide) or "").startswith(f"{HERE}.note")


@given(st.lists(st.sampled_from([way for _, way, _ in WAYS if _ != ["decide"]]), max_size=6))
def test_any_composition_is_looked_at_without_harm(ways: list[Any]) -> None:
    """Nothing of ours is named, and nothing is raised."""
    found = behind(lambda source: functools.reduce(lambda at, way: way(at), ways, source))
    for word in ("rxws.operators", "reactivex.", "AutoDetach"):
        assert word not in (found or "")


def test_a_closure_that_is_not_finished_is_no_hindrance() -> None:
    """A function may close over what is not assigned yet."""

    def make() -> Any:
        def inner(value: Any) -> None:
            later(value)

        inner.__module__ = "rxws.tests"
        found = names_behind(inner)
        later = note
        return found, names_behind(inner)

    assert make() == (None, f"{HERE}.note")
