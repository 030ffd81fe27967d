"""The notifier of a function: seconds, an observable, or None, from each planned end."""

from __future__ import annotations

from typing import Any

import reactivex as rx
from reactivex import Observable, Subject
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest
from reactivex.testing.subscription import Subscription as Span

from rxws.errors import ConfigError
from rxws.operators import reopen, repeat_when
from rxws.types import RepeatSignal
from tests.operators.seen import COMPLETED, Seen, at

on_next, on_completed = ReactiveTest.on_next, ReactiveTest.on_completed


def repeated(when: Any) -> tuple[Any, Any, Any]:
    """Return a clock at 200, a source that completes after 10, repeated by `when`, and what is seen of it."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_completed(10))
    return virtual, source, Seen(virtual, source.pipe(repeat_when(reopen(when))))


def test_seconds_are_waited() -> None:
    """From the end, not from the beginning."""
    virtual, source, _ = repeated(lambda end: 5.0)
    virtual.advance_to(229)
    assert source.subscriptions == [Span(200, 210), Span(215, 225)]


def test_zero_seconds_are_a_turn_of_the_scheduler() -> None:
    """The same instant, but not the same stack."""
    virtual, source, _ = repeated(lambda end: 0.0)
    virtual.advance_to(215)
    assert source.subscriptions == [Span(200, 210), Span(210)]


def test_none_completes() -> None:
    """That end was the last."""
    virtual, source, seen = repeated(lambda end: None if end.total == 2 else 5.0)
    virtual.advance_to(1000)
    assert seen.messages == [(225, COMPLETED)]
    assert source.subscriptions == [Span(200, 210), Span(215, 225)]


def test_the_function_gets_the_end() -> None:
    """Its count and how long the source had lasted."""
    ends: list[RepeatSignal] = []
    virtual, _, _ = repeated(lambda end: ends.append(end) or 5.0)
    virtual.advance_to(229)
    assert ends == [RepeatSignal(None, 1, 10.0), RepeatSignal(None, 2, 10.0)]


def test_an_observable_says_now_by_its_first_value() -> None:
    """And is left then, also where it speaks within its subscribe."""
    hot: Subject[int] = Subject()
    virtual, source, _ = repeated(lambda end: hot)
    virtual.advance_to(220)
    hot.on_next(1)
    assert source.subscriptions == [Span(200, 210), Span(220)]
    assert hot.observers == []
    level = BehaviorSubject(1)
    virtual, source, _ = repeated(lambda end: level if end.total == 1 else rx.never())
    virtual.advance_to(215)
    level.on_next(2)
    assert source.subscriptions == [Span(200, 210), Span(210)]
    assert level.observers == []


def test_an_observable_that_errors_errors_the_result() -> None:
    """What it says counts."""
    error = ValueError("over")
    virtual, source, seen = repeated(lambda end: rx.throw(error))
    virtual.advance_to(1000)
    assert seen.messages == [(210, error)]
    assert source.subscriptions == [Span(200, 210)]


def test_what_the_function_raises_is_the_results_error() -> None:
    """And no round follows."""

    def bug(end: RepeatSignal) -> float:
        raise KeyError("a bug")

    virtual, source, seen = repeated(bug)
    virtual.advance_to(1000)
    assert [type(value) for value in seen.values] == [KeyError]
    assert source.subscriptions == [Span(200, 210)]


def test_dispose_while_waiting_cancels_the_wait() -> None:
    """No round begins any more."""
    virtual, source, seen = repeated(lambda end: 5.0)
    virtual.advance_to(212)
    seen.dispose()
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 210)]


def test_without_a_loop_and_a_scheduler_a_wait_is_refused() -> None:
    """There is no clock to wait by; the error names what to use."""
    source: Subject[int] = Subject()
    heard: list[Any] = []
    source.pipe(repeat_when(reopen(lambda end: 1.0))).subscribe(on_error=heard.append)
    source.on_completed()
    [error] = heard
    assert isinstance(error, ConfigError)
    assert "rxws.run" in str(error)


def test_without_a_loop_no_wait_needs_no_clock() -> None:
    """A function that says None works in plain Rx code."""
    ended: list[str] = []
    ends: Observable[int] = rx.empty()
    ends.pipe(repeat_when(reopen(lambda end: None))).subscribe(on_completed=lambda: ended.append("|"))
    assert ended == ["|"]


def test_an_observable_that_says_now_and_completes_at_once_says_now() -> None:
    """All within its subscribe: the completion that follows the value is no "never"."""

    def speak(observer: Any, _: Any) -> None:
        observer.on_next(None)
        observer.on_completed()

    virtual, source, seen = repeated(lambda end: Observable(speak) if end.total == 1 else None)
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(200, 210), Span(210, 220)]
    assert seen.messages == [(220, COMPLETED)]
