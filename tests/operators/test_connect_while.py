"""The source is subscribed only while all conditions hold, and no condition lets it begin before it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.disposable import SerialDisposable
from reactivex.subject import BehaviorSubject
from reactivex.testing import ReactiveTest, TestScheduler
from reactivex.testing.subscription import Subscription as Span

from rxws.backoff import Backoff
from rxws.errors import ConfigError, ConnectionClosed
from rxws.operators import after, connect_while, retry_when
from rxws.testing import Attempt, ScriptedTransport
from rxws.windows import daily
from tests.operators.seen import COMPLETED, Seen, at, dialled, turns

on_next, on_error, on_completed = ReactiveTest.on_next, ReactiveTest.on_error, ReactiveTest.on_completed

LOST = ConnectionClosed(1006)


def ticking(virtual: TestScheduler) -> Any:
    """Return a source that never ends by itself: 1 after 10, 2 after 20."""
    return virtual.create_cold_observable(on_next(10, 1), on_next(20, 2))


class Said:
    """A callable condition: answers what `answer` is, and notes when it was asked."""

    def __init__(self, virtual: TestScheduler, answer: Any = True) -> None:
        self.answer = answer
        self.asked: list[float] = []
        self._virtual = virtual

    def __call__(self) -> Any:
        self.asked.append(self._virtual.clock)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


# An observable of bool


def test_a_closed_level_lets_nothing_begin() -> None:
    """And the subscriber waits, for ever if need be."""
    virtual = at(200)
    source = ticking(virtual)
    seen = Seen(virtual, source.pipe(connect_while(BehaviorSubject(False))))
    virtual.advance_to(1000)
    assert (seen.messages, source.subscriptions) == ([], [])


def test_a_level_begins_and_ends_the_source_as_it_changes() -> None:
    """Every time anew; what is no change of the level changes nothing."""
    virtual = at(200)
    source = ticking(virtual)
    levels = virtual.create_hot_observable(
        on_next(210, True), on_next(215, True), on_next(225, False), on_next(226, False), on_next(300, True)
    )
    seen = Seen(virtual, source.pipe(connect_while(levels)))
    virtual.advance_to(400)
    assert seen.messages == [(220, 1), (310, 1), (320, 2)]
    assert source.subscriptions == [Span(210, 225), Span(300)]
    assert levels.subscriptions == [Span(200)]


def test_a_level_that_is_open_at_once_lets_the_source_begin_at_once() -> None:
    """In the same instant."""
    virtual = at(200)
    source = ticking(virtual)
    Seen(virtual, source.pipe(connect_while(BehaviorSubject(True))))
    virtual.advance_to(201)
    assert source.subscriptions == [Span(200)]


def test_a_level_that_completes_stays_as_it_was() -> None:
    """Its last value counts on."""
    virtual = at(200)
    source = ticking(virtual)
    levels = virtual.create_hot_observable(on_next(210, True), on_completed(215))
    seen = Seen(virtual, source.pipe(connect_while(levels)))
    virtual.advance_to(400)
    assert seen.values == [1, 2]
    assert source.subscriptions == [Span(210)]


def test_an_error_of_a_level_is_the_results() -> None:
    """The source is disposed before the subscriber hears of it."""
    virtual, error, spans = at(200), ValueError("broken"), []  # type: ignore[var-annotated]
    source = ticking(virtual)
    levels = virtual.create_hot_observable(on_next(205, True), on_error(225, error))
    seen = Seen(virtual, source.pipe(connect_while(levels)), lambda _: spans.append(source.subscriptions[:]))
    virtual.advance_to(400)
    assert seen.messages == [(215, 1), (225, error)]
    assert spans[-1] == source.subscriptions == [Span(205, 225)]
    assert levels.subscriptions == [Span(200, 225)]


def test_a_level_that_errors_within_its_subscribe_lets_nothing_begin() -> None:
    """Not even the other conditions are asked."""
    virtual, error = at(200), ValueError("broken")
    source, other = ticking(virtual), Said(virtual)
    broken: Subject[bool] = Subject()
    broken.on_error(error)
    seen = Seen(virtual, source.pipe(connect_while(other, broken)))
    virtual.advance_to(400)
    assert seen.messages == [(200, error)]
    assert source.subscriptions == []
    assert other.asked == []


@pytest.mark.parametrize(
    "levels",
    [
        lambda: BehaviorSubject(False),
        lambda: rx.of(False),
        lambda: rx.merge(BehaviorSubject(False), rx.never()),
        lambda: rx.merge(rx.of(False), rx.never()),
        lambda: rx.never().pipe(ops.start_with(False)),
        lambda: rx.never(),
        lambda: rx.empty(),
    ],
    ids=["BehaviorSubject", "of", "merge of a level", "merge of a value", "start_with", "never", "empty"],
)
def test_no_connection_is_dialled_while_a_level_is_closed(levels: Callable[[], Observable[bool]]) -> None:
    """However reactivex composes it; before its first value a level is closed."""
    virtual, transport = at(200), ScriptedTransport()
    Seen(virtual, dialled(transport).pipe(connect_while(levels())))
    virtual.advance_to(1000)
    assert transport.dials == []


def test_a_closed_gate_inside_a_merge_dials_nothing() -> None:
    """The open one beside it does."""
    virtual, closed, opened = at(200), ScriptedTransport(), ScriptedTransport()
    Seen(
        virtual,
        rx.merge(
            dialled(closed).pipe(connect_while(BehaviorSubject(False))),
            dialled(opened).pipe(connect_while(BehaviorSubject(True))),
        ),
    )
    virtual.advance_to(1000)
    assert (len(closed.dials), len(opened.dials)) == (0, 1)


def test_a_window_that_closes_during_a_backoff_opens_no_socket() -> None:
    """It stands outside of retry_when, and cuts its wait; reopened, the stream begins at once."""
    virtual, gate = at(0), BehaviorSubject(True)
    transport = ScriptedTransport(Attempt(lost=(5.0, ConnectionClosed(1006))), Attempt())
    Seen(virtual, dialled(transport).pipe(retry_when(after(Backoff.fixed(60.0))), connect_while(gate)))
    virtual.advance_to(30)
    gate.on_next(False)
    virtual.advance_to(500)
    assert [dialed.at for dialed in transport.dials] == [0.0]
    gate.on_next(True)
    virtual.advance_to(501)
    assert [dialed.at for dialed in transport.dials] == [0.0, 500.0]


# A window


def test_a_window_begins_and_ends_the_source_exactly_at_its_edges() -> None:
    """Day after day; subscribed while it is closed, the source is not touched."""
    virtual = at(60)
    source = ticking(virtual)
    seen = Seen(virtual, source.pipe(connect_while(daily("00:05", "00:10", "UTC"))))
    virtual.advance_to(299)
    assert source.subscriptions == []
    virtual.advance_to(2 * 86_400)
    assert source.subscriptions == [Span(300, 600), Span(86_700, 87_000)]
    assert seen.messages == [(310, 1), (320, 2), (86_710, 1), (86_720, 2)]


def test_subscribed_in_an_open_window_the_source_begins_at_once() -> None:
    """And ends at its edge."""
    virtual = at(400)
    source = ticking(virtual)
    Seen(virtual, source.pipe(connect_while(daily("00:05", "00:10", "UTC"))))
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(400, 600)]


# A callable


def test_a_callable_is_asked_at_once_and_then_at_every_interval() -> None:
    """Not before the subscription, and no more after it."""
    virtual = at(200)
    source, said = ticking(virtual), Said(virtual)
    result = source.pipe(connect_while(said, check_interval=50.0))
    assert said.asked == []
    seen = Seen(virtual, result)
    virtual.advance_to(320)
    seen.dispose()
    virtual.advance_to(1000)
    assert said.asked == [200, 250, 300]
    assert source.subscriptions == [Span(200, 320)]


def test_a_callable_ends_the_source_when_it_says_no_and_begins_it_when_it_says_yes() -> None:
    """Within an interval."""
    virtual = at(200)
    source, said = ticking(virtual), Said(virtual, False)
    Seen(virtual, source.pipe(connect_while(said, check_interval=50.0)))
    virtual.advance_to(330)
    assert source.subscriptions == []
    said.answer = True
    virtual.advance_to(430)
    said.answer = False
    virtual.advance_to(510)
    said.answer = True
    virtual.advance_to(600)
    assert source.subscriptions == [Span(350, 450), Span(550)]


class Truth:
    """What numpy answers with: no bool, but true or false all the same, or neither."""

    def __init__(self, value: bool | None) -> None:
        self._value = value

    def __bool__(self) -> bool:
        if self._value is None:
            raise ValueError("the truth value of an array is ambiguous")
        return self._value


@pytest.mark.parametrize(
    ("yes", "no"), [(1, 0), ("open", ""), (Truth(True), Truth(False)), ([0], None)], ids=["int", "str", "numpy", "list"]
)
def test_a_callables_truth_counts(yes: Any, no: Any) -> None:
    """Whatever it returns."""
    virtual = at(200)
    source, said = ticking(virtual), Said(virtual, yes)
    Seen(virtual, source.pipe(connect_while(said, check_interval=50.0)))
    virtual.advance_to(210)
    assert source.subscriptions == [Span(200)]
    said.answer = no
    virtual.advance_to(260)
    assert source.subscriptions == [Span(200, 250)]
    virtual.advance_to(310)
    said.answer = yes
    virtual.advance_to(360)
    assert source.subscriptions == [Span(200, 250), Span(350)]


@pytest.mark.parametrize("wrong", [OSError("disk"), Truth(None)], ids=["raises", "has no truth"])
def test_a_callable_that_raises_changes_nothing(wrong: Any) -> None:
    """Open stays open, closed stays closed; one that never answered does not let the source run."""
    virtual = at(200)
    source, said = ticking(virtual), Said(virtual, wrong)
    Seen(virtual, source.pipe(connect_while(said, check_interval=50.0)))
    virtual.advance_to(240)
    assert source.subscriptions == []
    said.answer = True
    virtual.advance_to(260)
    said.answer = wrong
    virtual.advance_to(340)
    assert source.subscriptions == [Span(250)]
    said.answer = False
    virtual.advance_to(360)
    said.answer = wrong
    virtual.advance_to(540)
    assert source.subscriptions == [Span(250, 350)]
    said.answer = True
    virtual.advance_to(560)
    said.answer = wrong
    virtual.advance_to(1000)
    assert source.subscriptions == [Span(250, 350), Span(550)]
    assert said.asked[-1] == 1000


def test_a_callable_that_changes_its_mind_at_every_call_does_not_go_round_for_ever() -> None:
    """What it said when it was asked whether to open counts until the next interval."""
    virtual, answers = at(200), cycle([False, True])
    asked: list[float] = []

    def fickle() -> bool:
        asked.append(virtual.clock)
        assert len(asked) < 1000, "it never stops"
        return next(answers)

    source = ticking(virtual)
    Seen(virtual, source.pipe(connect_while(fickle, check_interval=50.0)))
    virtual.advance_to(310)
    assert asked == [200, 200, 250, 250, 300, 300]
    assert source.subscriptions == [Span(200, 250), Span(250, 300), Span(300)]


# An async callable


async def test_an_async_callable_is_awaited_before_anything_begins() -> None:
    """The source begins when it has said yes, and is ended when it says no."""
    virtual = at(200)
    source, answers = ticking(virtual), [asyncio.get_running_loop().create_future() for _ in range(3)]
    asked: list[float] = []

    async def condition() -> object:
        asked.append(virtual.clock)
        return await answers[len(asked) - 1]

    seen = Seen(virtual, source.pipe(connect_while(condition, check_interval=50.0)))
    await turns()
    virtual.advance_to(230)
    assert source.subscriptions == []
    answers[0].set_result(True)
    await turns()
    virtual.advance_to(240)
    assert source.subscriptions == [Span(230)]
    virtual.advance_to(280)
    await turns()
    virtual.advance_to(290)
    answers[1].set_result(0)
    await turns()
    assert source.subscriptions == [Span(230, 290)]
    virtual.advance_to(400)
    await turns()
    assert asked == [200, 280, 290]
    seen.dispose()
    await turns()
    assert answers[2].cancelled()


async def test_an_async_callable_that_raises_changes_nothing() -> None:
    """As a sync one."""
    virtual = at(200)
    source = ticking(virtual)

    async def condition() -> bool:
        raise OSError("disk")

    seen = Seen(virtual, source.pipe(connect_while(condition, check_interval=50.0)))
    await turns()
    for time in (250, 300, 350):
        virtual.advance_to(time)
        await turns()
    assert source.subscriptions == []
    seen.dispose()


async def test_an_answer_that_was_on_its_way_at_dispose_changes_nothing() -> None:
    """The task has ended, and its answer comes a turn after the dispose."""
    for opened in (True, False):
        virtual, subscription = at(200), SerialDisposable()
        source, later = ticking(virtual), Said(virtual)

        async def condition(opened: bool = opened, subscription: SerialDisposable = subscription) -> bool:
            asyncio.get_running_loop().call_soon(subscription.dispose)
            return opened

        subscription.disposable = Seen(virtual, source.pipe(connect_while(condition, later))).subscription
        await turns()
        virtual.advance_to(1000)
        await turns()
        assert source.subscriptions == []
        assert later.asked == [200]


@pytest.mark.parametrize(
    ("levels", "asked"),
    [([], [200, 250]), ([False], [200, 240]), ([False, True], [200, 240, 245])],
    ids=["while it is open", "when it is asked whether to open", "when it is asked again whether to open"],
)
async def test_dispose_inside_a_callable_leaves_no_task(levels: list[bool], asked: list[float]) -> None:
    """What it returned to be awaited is not awaited."""
    virtual, gate, subscription = at(200), BehaviorSubject(True), SerialDisposable()
    said, answer = Said(virtual), asyncio.get_running_loop().create_future()

    def condition() -> object:
        if said() and len(said.asked) < len(asked):
            return True
        subscription.dispose()
        return answer

    result = ticking(virtual).pipe(connect_while(condition, gate, check_interval=50.0))
    subscription.disposable = Seen(virtual, result).subscription
    virtual.advance_to(240)
    for level in levels:
        gate.on_next(level)
        virtual.advance_by(5)
    virtual.advance_to(400)
    await turns()
    assert said.asked == asked
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    answer.cancel()


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("reopening", [False, True], ids=["while it is open", "when it is asked whether to open"])
def test_dispose_inside_a_callable_is_the_end(reopening: bool, answer: bool) -> None:
    """Whatever it answers: nothing is asked any more, and nothing begins."""
    virtual, gate, subscription = at(200), BehaviorSubject(True), SerialDisposable()
    said, other, source = Said(virtual), Said(virtual), ticking(virtual)

    def condition() -> bool:
        if said() and len(said.asked) == 1:
            return True
        subscription.dispose()
        return answer

    result = source.pipe(connect_while(condition, gate, other, check_interval=50.0))
    subscription.disposable = Seen(virtual, result).subscription
    virtual.advance_to(240)
    if reopening:
        gate.on_next(False)
    virtual.advance_to(1000)
    assert said.asked == [200, 240 if reopening else 250]
    assert other.asked == [200]
    assert source.subscriptions == [Span(200, 240 if reopening else 250)]


def test_dispose_inside_a_callable_that_is_waited_for_is_the_end() -> None:
    """Though it says yes: it is not asked again, and nothing begins."""
    virtual, subscription = at(200), SerialDisposable()
    said, source = Said(virtual), ticking(virtual)

    def condition() -> bool:
        said()
        if virtual.clock == 300:
            subscription.dispose()
        return virtual.clock == 300

    subscription.disposable = Seen(virtual, source.pipe(connect_while(condition, check_interval=50.0))).subscription
    virtual.advance_to(1000)
    assert said.asked == [200, 200, 250, 300]
    assert source.subscriptions == []


@pytest.mark.parametrize("answers", [True, False])
async def test_without_a_scheduler_it_runs_on_the_running_loop(answers: bool) -> None:
    """The source begins a turn later, or not at all."""
    begun: list[str] = []
    source = rx.defer(lambda _: (begun.append("source"), rx.never())[1])
    subscription = source.pipe(connect_while(lambda: answers)).subscribe()
    assert begun == []
    await turns()
    assert begun == (["source"] if answers else [])
    subscription.dispose()


# Several conditions


def test_all_conditions_must_hold() -> None:
    """Any of them ends the source, and it begins again when the last of them holds."""
    virtual = at(60)
    source, said, gate = ticking(virtual), Said(virtual, False), BehaviorSubject(False)
    Seen(virtual, source.pipe(connect_while(gate, daily("00:05", "01:00", "UTC"), said, check_interval=20.0)))
    gate.on_next(True)
    virtual.advance_to(310)
    assert source.subscriptions == []
    said.answer = True
    virtual.advance_to(330)
    gate.on_next(False)
    virtual.advance_to(350)
    said.answer = False
    gate.on_next(True)
    virtual.advance_to(380)
    said.answer = True
    virtual.advance_to(4000)
    assert source.subscriptions == [Span(320, 330), Span(390, 3600)]


def test_a_condition_that_closes_while_another_is_waited_for_is_asked_again() -> None:
    """It begins only when all hold at one time."""
    virtual = at(200)
    source, first, second = ticking(virtual), BehaviorSubject(False), BehaviorSubject(False)
    Seen(virtual, source.pipe(connect_while(first, second)))
    first.on_next(True)
    virtual.advance_to(210)
    first.on_next(False)
    second.on_next(True)
    virtual.advance_to(220)
    assert source.subscriptions == []
    first.on_next(True)
    virtual.advance_to(230)
    assert source.subscriptions == [Span(220)]


def test_a_callable_that_says_no_while_a_level_is_waited_for_is_asked_again() -> None:
    """Its yes of before does not count."""
    virtual, gate = at(200), BehaviorSubject(False)
    source, said = ticking(virtual), Said(virtual)
    Seen(virtual, source.pipe(connect_while(said, gate, check_interval=50.0)))
    virtual.advance_to(210)
    said.answer = False
    gate.on_next(True)
    virtual.advance_to(230)
    assert source.subscriptions == []
    said.answer = True
    virtual.advance_to(300)
    assert source.subscriptions == [Span(260)]


def test_levels_of_one_subject_end_the_source_once() -> None:
    """Two conditions that close together are one end."""
    virtual, gate = at(200), BehaviorSubject(True)
    source = ticking(virtual)
    same = gate.pipe(ops.map(bool))
    Seen(virtual, source.pipe(connect_while(gate, same)))
    virtual.advance_to(210)
    gate.on_next(False)
    gate.on_next(True)
    virtual.advance_to(220)
    assert source.subscriptions == [Span(200, 210), Span(210)]


def test_no_condition_at_all_always_holds() -> None:
    """The source is mirrored."""
    virtual = at(200)
    source = virtual.create_cold_observable(on_next(10, 1), on_completed(20))
    seen = Seen(virtual, source.pipe(connect_while()))
    virtual.advance_to(1000)
    assert seen.messages == [(210, 1), (220, COMPLETED)]


# The source's own end


@pytest.mark.parametrize(("end", "last"), [(on_completed(20), COMPLETED), (on_error(20, LOST), LOST)])
def test_the_sources_own_end_is_the_results(end: Any, last: object) -> None:
    """Also after it was ended by a condition once; nothing is polled or watched any more."""
    virtual = at(200)
    source = virtual.create_cold_observable(end)
    said = Said(virtual)
    levels = virtual.create_hot_observable(
        on_next(200, True), on_next(210, False), on_next(215, True), on_next(300, False)
    )
    seen = Seen(virtual, source.pipe(connect_while(levels, said, check_interval=10.0)))
    virtual.advance_to(1000)
    assert seen.messages == [(235, last)]
    assert source.subscriptions == [Span(200, 210), Span(215, 235)]
    assert levels.subscriptions == [Span(200, 235)]
    assert said.asked[-1] <= 235


# Dispose and subscribers


@pytest.mark.parametrize("when", [205, 225, 245])
def test_dispose_ends_everything(when: int) -> None:
    """Before it is open, while it is, and when it is closed again."""
    virtual = at(200)
    source, said = ticking(virtual), Said(virtual)
    levels = virtual.create_hot_observable(on_next(220, True), on_next(240, False), on_next(300, True))
    seen = Seen(virtual, source.pipe(connect_while(levels, said, check_interval=1.0)))
    virtual.advance_to(when)
    seen.dispose()
    virtual.advance_to(1000)
    assert [span.unsubscribe for span in source.subscriptions] == ([] if when < 220 else [min(when, 240)])
    assert levels.subscriptions == [Span(200, when)]
    assert said.asked == [] or said.asked[-1] <= when


def test_two_subscribers_are_independent() -> None:
    """Each keeps the levels for itself; one's dispose leaves the other alone."""
    virtual, gate = at(200), BehaviorSubject(True)
    source = ticking(virtual)
    result = source.pipe(connect_while(gate))
    first = Seen(virtual, result)
    virtual.advance_to(205)
    second = Seen(virtual, result)
    virtual.advance_to(212)
    first.dispose()
    virtual.advance_to(230)
    gate.on_next(False)
    assert (first.messages, second.messages) == ([(210, 1)], [(215, 1), (225, 2)])
    assert source.subscriptions == [Span(200, 212), Span(205, 230)]
    assert len(gate.observers) == 1


# What is refused


@pytest.mark.parametrize("wrong", [True, "09:00", None, 5])
def test_what_is_no_condition_is_refused_by_name(wrong: Any) -> None:
    """When the operator is made, with what would be right."""
    with pytest.raises(ConfigError, match="Window, an observable of bool, or a callable") as refused:
        connect_while(BehaviorSubject(True), wrong)
    assert refused.value.field == "conditions"
    assert repr(wrong) in str(refused.value)


@pytest.mark.parametrize("wrong", [0, -1.0, None, float("nan"), "5"])
def test_a_wrong_interval_is_refused_by_name(wrong: Any) -> None:
    """When the operator is made."""
    with pytest.raises(ConfigError) as refused:
        connect_while(lambda: True, check_interval=wrong)
    assert refused.value.field == "check_interval"
