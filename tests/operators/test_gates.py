"""Gates by themselves: what `connect_while` and the planned ends of a stream stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import reactivex as rx
from reactivex import abc
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from rxws.errors import ConfigError
from rxws.events import DisconnectReason
from rxws.operators._gate import Gate, LevelGate, Polled, WindowGate, gate_of
from rxws.operators._gates import Gates
from rxws.windows import Window, always, daily, never
from tests.operators.seen import Seen, at, turns

FIVE_PAST = daily("00:05", "00:10", "UTC")


def begun(gate: Gate, virtual: TestScheduler) -> Gate:
    """Return the gate, keeping its level."""
    gate.begin(virtual, pytest.fail)
    return gate


# How long until they open


@pytest.mark.parametrize(
    ("window", "seconds"), [(FIVE_PAST, 240.0), (always(), 0.0), (never(), None), (daily("00:00", "00:10", "UTC"), 0.0)]
)
def test_a_window_knows_how_long_until_it_opens(window: Window, seconds: float | None) -> None:
    """None where it never does."""
    assert WindowGate(window).opens_in(at(60)) == seconds


def test_levels_and_callables_know_only_whether_they_are_open() -> None:
    """Nobody can say when they will be."""
    virtual = at(60)
    for level, seconds in ((True, 0.0), (False, None)):
        assert begun(LevelGate(BehaviorSubject(level)), virtual).opens_in(virtual) == seconds
        polled = Polled(lambda level=level: level, 5.0)  # type: ignore[misc]
        polled.ask(virtual, bool)
        assert polled.opens_in(virtual) == seconds


def test_together_they_open_with_the_last_of_them() -> None:
    """Which nobody knows where one of them does not."""
    virtual = at(60)
    later, closed = WindowGate(daily("00:06", "00:10", "UTC")), LevelGate(rx.never())
    assert Gates([]).opens_in(virtual) == 0.0
    assert Gates([WindowGate(FIVE_PAST), later, WindowGate(always())]).opens_in(virtual) == 300.0
    assert Gates([WindowGate(FIVE_PAST), closed]).opens_in(virtual) is None


# Windows


class SetClock:
    """A scheduler whose wall clock may be set, as an operator of the machine may; its timers know nothing of it."""

    def __init__(self, virtual: TestScheduler) -> None:
        self.ahead = timedelta(0)
        self._virtual = virtual

    @property
    def now(self) -> datetime:
        return self._virtual.now + self.ahead

    def schedule_relative(self, seconds: float, action: Callable[..., None]) -> abc.DisposableBase:
        return self._virtual.schedule_relative(seconds, action)


@pytest.mark.parametrize(
    ("ahead", "opens"), [(0.0, 300), (250.0, 60), (100.0, 200), (-30.0, 330)], ids=["as it is", "far", "near", "back"]
)
def test_a_window_follows_a_wall_clock_that_is_set(ahead: float, opens: float) -> None:
    """Its timer looks at the clock again every minute, and once more where it has come too early."""
    virtual, told = at(0), []  # type: ignore[var-annotated]
    clock: Any = SetClock(virtual)
    WindowGate(FIVE_PAST).watch(clock, True, lambda: told.append(virtual.clock))
    virtual.advance_to(10)
    clock.ahead = timedelta(seconds=ahead)
    virtual.advance_to(900)
    assert told == [opens]


def test_a_window_that_never_changes_is_not_watched() -> None:
    """No timer runs for it."""
    for window, wanted in ((always(), False), (never(), True)):
        virtual, told = at(0), []  # type: ignore[var-annotated]
        WindowGate(window).watch(virtual, wanted, lambda told=told: told.append(1))  # type: ignore[misc]
        virtual.advance_to(1_000_000)
        assert told == []
        assert len(virtual._queue) == 0


def test_a_watch_that_is_already_so_is_told_at_once() -> None:
    """Once."""
    virtual, told = at(0), []  # type: ignore[var-annotated]
    WindowGate(always()).watch(virtual, True, lambda: told.append("window"))
    level = BehaviorSubject(True)
    begun(LevelGate(level), virtual).watch(virtual, True, lambda: told.append("level"))
    level.on_next(True)
    assert told == ["window", "level"]


def test_a_watch_that_is_disposed_is_told_nothing() -> None:
    """Whatever it stands on."""
    virtual, told, level = at(0), [], BehaviorSubject(False)  # type: ignore[var-annotated]
    for gate in (WindowGate(FIVE_PAST), begun(LevelGate(level), virtual), Polled(lambda: True, 5.0)):
        gate.watch(virtual, True, lambda: told.append(1)).dispose()
    level.on_next(True)
    virtual.advance_to(1000)
    assert told == []


# Callables


def test_a_callable_may_say_when_to_leave_instead_of_when_to_stay() -> None:
    """`disconnect_when`: open while it says no."""
    virtual, answers = at(0), []  # type: ignore[var-annotated]
    for said in (True, False):
        Polled(lambda said=said: said, 5.0, opens_when=False).ask(virtual, answers.append)  # type: ignore[misc]
    assert answers == [False, True]


def test_what_a_callable_raises_is_told_and_its_last_answer_stands() -> None:
    """Each time; before its first answer it stands where it leads to nothing."""
    virtual, answers, failures = at(0), [], []  # type: ignore[var-annotated]
    error = OSError("disk")
    said: list[Any] = [error, False, error, True, error]

    def condition() -> bool:
        answer = said.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    polled = Polled(condition, 5.0, failures.append)
    while said:
        polled.ask(virtual, answers.append)
    assert answers == [False, False, False, True, True]
    assert failures == [error, error, error]
    leaving = Polled(condition, 5.0, failures.append, opens_when=False)
    said.append(error)
    leaving.ask(virtual, answers.append)
    assert answers[-1] is True


async def test_what_an_async_callable_raises_is_told_alike() -> None:
    """And so is an answer that has no truth."""
    virtual, answers, failures = at(0), [], []  # type: ignore[var-annotated]

    class Array:
        def __bool__(self) -> bool:
            raise ValueError("ambiguous")

    async def condition() -> object:
        if not failures:
            raise OSError("disk")
        return Array()

    polled = Polled(condition, 5.0, failures.append)
    for _ in range(2):
        polled.ask(virtual, answers.append)
        await turns()
    assert [type(error) for error in failures] == [OSError, ValueError]
    assert answers == [False, False]


@pytest.mark.parametrize("answer", [True, False])
async def test_an_answer_on_its_way_is_dropped_once_nobody_watches(answer: bool) -> None:
    """Nothing is told, and nothing is asked again."""
    virtual, told, asked = at(0), [], []  # type: ignore[var-annotated]

    async def condition() -> bool:
        asked.append(virtual.clock)
        asyncio.get_running_loop().call_soon(watch.dispose)
        return answer

    watch = Polled(condition, 5.0).watch(virtual, True, lambda: told.append(1))
    for _ in range(5):
        virtual.advance_by(5)
        await turns()
    assert (told, asked) == ([], [5])


# Several, joined


def test_the_first_that_closes_says_why() -> None:
    """A window and a level were scheduled; a callable decided."""
    virtual, level = at(60), BehaviorSubject(True)
    polled = Polled(lambda: virtual.clock < 100, 5.0)
    gates = Gates([LevelGate(level), polled])
    gates.begin(virtual, pytest.fail)
    seen = Seen(virtual, gates.closing())
    level.on_next(False)
    assert seen.messages == [(60, DisconnectReason.SCHEDULED)]
    level.on_next(True)
    seen = Seen(virtual, gates.closing())
    virtual.advance_to(200)
    assert seen.messages == [(100, DisconnectReason.CALLBACK_TRIGGERED)]
    assert WindowGate(always()).reason is DisconnectReason.SCHEDULED


def test_once_one_is_closed_the_others_are_not_asked() -> None:
    """There is nothing more to know."""
    virtual, asked = at(60), []  # type: ignore[var-annotated]
    gates = Gates([WindowGate(never()), Polled(lambda: asked.append(1), 5.0)])
    seen = Seen(virtual, gates.closing())
    virtual.advance_to(200)
    assert seen.values == [DisconnectReason.SCHEDULED]
    assert asked == []


def test_answered_comes_a_turn_after_the_last_answer_and_once() -> None:
    """Never from inside subscribe; and not at all where one is closed."""
    for said, told in ((True, [(60, None)]), (False, [])):
        virtual = at(60)
        gates = Gates([WindowGate(always()), Polled(lambda said=said: said, 5.0)])  # type: ignore[misc]
        Seen(virtual, gates.closing())
        answered = Seen(virtual, gates.answered())
        assert answered.messages == []
        virtual.advance_to(100)
        assert answered.messages == told


async def test_answered_waits_for_the_slowest_answer() -> None:
    """In whatever order they come."""
    virtual, loop = at(60), asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    gates = Gates([Polled(lambda: first, 5.0), Polled(lambda: second, 5.0)])
    Seen(virtual, gates.closing())
    answered = Seen(virtual, gates.answered())
    second.set_result(True)
    await turns()
    virtual.advance_to(61)
    assert answered.messages == []
    first.set_result(True)
    await turns()
    virtual.advance_to(62)
    assert answered.messages == [(61, None)]


# What is refused


@pytest.mark.parametrize(
    ("condition", "kind"), [(FIVE_PAST, WindowGate), (rx.never(), LevelGate), (lambda: True, Polled), (print, Polled)]
)
def test_each_kind_of_condition_has_its_gate(condition: Any, kind: type) -> None:
    """An observable is one before it is anything else."""
    assert isinstance(gate_of("connect_while", condition, 5.0, pytest.fail), kind)


def test_what_is_no_condition_is_refused_by_the_name_of_the_argument() -> None:
    """With the value, and what would be right."""
    with pytest.raises(ConfigError, match="'09:00' will not do; take a Window") as refused:
        gate_of("connect_while", "09:00", 5.0, pytest.fail)  # type: ignore[arg-type]
    assert refused.value.field == "connect_while"
