"""The ends that we plan, and the way back from them: windows, callbacks, ticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import reactivex as rx
from reactivex import Observable, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable

from rxws.arguments import seconds
from rxws.controls import Controls
from rxws.errors import ConfigError
from rxws.events import DisconnectReason
from rxws.lifecycle import Lifecycle
from rxws.operators._gate import Callback, Condition, Gate, Polled, gate_of
from rxws.operators._gates import Gates
from rxws.scheduler import given
from rxws.types import RepeatSignal
from rxws.way_back import WayBack, polled_way
from rxws.windows import Window

__all__ = ["PlannedEnds", "Plans", "Ticks", "next_window"]

Ticks = Observable[Any] | Callback  # Any: a tick is a tick
"""Ends a connection: at each value of an observable, or while a callable, sync or async, says so."""


@dataclass(frozen=True, slots=True)
class Plans:
    """What the caller planned, checked.

    Raises:
        ConfigError: an argument is wrong; it is named.
    """

    connect_while: Condition | None
    disconnect_when: Ticks | None
    reconnect_when: WayBack | None
    check_interval: float

    def __post_init__(self) -> None:
        seconds("check_interval", self.check_interval, optional=False)
        if self.connect_while is not None:
            gate_of("connect_while", self.connect_while, self.check_interval, _nobody)
        for name in ("disconnect_when", "reconnect_when"):
            value = getattr(self, name)
            if not (value is None or isinstance(value, Observable) or callable(value)):
                way_out = "take an observable or a callable; a window goes into connect_while"
                raise ConfigError(name, f"{value!r} will not do; {way_out}")


class PlannedEnds:
    """The plans of one subscription at work.

    Args:
        plans: what the caller planned.
        life: told of every end before it happens.
        controls: the hand that ends connections too, and brings them back; None: there is none.
    """

    def __init__(self, plans: Plans, life: Lifecycle, controls: Controls | None = None) -> None:
        self._plans = plans
        self._life = life
        self._controls = controls
        self._gates = Gates(_gates(plans, life))
        self.asked = self._gates.answered()

    def begin(self, scheduler: abc.SchedulerBase, fail: Callable[[Exception], None]) -> abc.DisposableBase:
        """Begin to keep the levels of observables."""
        return self._gates.begin(scheduler, fail)

    def notifier(self) -> Observable[DisconnectReason]:
        """Emit when a connection is to end, with why; the journal hears of it first."""
        # The hand first: a callable that a gate asks may use it.
        ends = [self._controls.ends] if self._controls is not None else []
        ends.append(self._gates.closing())
        if isinstance(self._plans.disconnect_when, Observable):
            ends.append(self._plans.disconnect_when.pipe(ops.map(_scheduled)))

        def subscribe(
            observer: abc.ObserverBase[DisconnectReason],
            scheduler: abc.SchedulerBase | None = None,
        ) -> abc.DisposableBase:
            over = False

            def on_next(reason: DisconnectReason) -> None:
                nonlocal over
                over = True
                self._life.planned(reason)
                observer.on_next(reason)

            watching = CompositeDisposable()
            for end in ends:
                if over:
                    break
                watching.add(end.subscribe(on_next, observer.on_error, scheduler=scheduler))
            return watching

        return Observable(subscribe)

    def way_back(self, signal: RepeatSignal) -> Observable[Any] | None:
        """Return the way from a planned end to the next connection; None: it was the last."""
        life, controls = self._life, self._controls
        if life.finished or (life.reason is DisconnectReason.USER_REQUESTED and not life.comes_back):
            return None
        life.ended_by_plan()
        if controls is None:
            return self._ordinary_way()
        planned = self._plans.connect_while is not None or self._plans.reconnect_when is not None
        return controls.way_back(self._ordinary_way, planned=planned, opening=self._gates.opening())

    def _ordinary_way(self) -> Observable[Any]:
        life = self._life
        held_back = self._held_back()
        ways: list[Observable[Any]] = [rx.timer(held_back)] if held_back else []
        asked = self._plans.reconnect_when
        if isinstance(asked, Observable):
            ways.append(asked)
        elif asked is not None:
            ways.append(
                polled_way(
                    life.timed(asked),
                    self._plans.check_interval,
                    lambda wait: life.waiting(wait, "reconnect_when"),
                    lambda error: life.callback_failed("reconnect_when", error),
                )
            )
        opens_in = self._gates.opens_in(self._life.scheduler)
        known = asked is None and opens_in is not None
        rule = "planned end" if life.reason is None else life.reason.value
        life.waiting(max(held_back, opens_in or 0.0) if known else None, rule)
        opening = self._gates.opening()
        return rx.zip(*ways).pipe(ops.take(1), ops.flat_map(lambda _: opening)) if ways else opening

    def _held_back(self) -> float:
        # Never sooner than check_interval after the last dial: callbacks that contradict each other do not storm.
        last = self._life.last_dial_time
        earliest = (
            self._life.not_before if last is None else max(self._life.not_before, last + self._plans.check_interval)
        )
        return max(0.0, earliest - self._life.now())


def next_window(plans: Plans, life: Lifecycle) -> Observable[Any]:
    """Emit once a connection is wanted, by `connect_while`, `disconnect_when` and `reconnect_when`.

    Args:
        plans: what the caller planned; observables among them are subscribed anew.
        life: told of callables that raise.
    """
    gates = Gates(_gates(plans, life))
    asked = plans.reconnect_when

    def subscribe(observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        way: Observable[Any] = gates.opening()
        if isinstance(asked, Observable):
            way = asked.pipe(ops.take(1), ops.flat_map(lambda _: gates.opening()))
        elif asked is not None:
            polled = polled_way(
                asked, plans.check_interval, _nobody, lambda error: life.callback_failed("reconnect_when", error)
            )
            way = polled.pipe(ops.take(1), ops.flat_map(lambda _: gates.opening()))
        levels = gates.begin(given(scheduler), observer.on_error)
        return CompositeDisposable(levels, way.subscribe(observer, scheduler=scheduler))

    return Observable(subscribe)


def _gates(plans: Plans, life: Lifecycle) -> list[Gate]:
    gates: list[Gate] = []

    def timed(condition: Condition) -> Condition:
        return condition if isinstance(condition, Window | Observable) else life.timed(condition)

    if plans.connect_while is not None:
        told = partial(life.callback_failed, "connect_while")
        gates.append(gate_of("connect_while", timed(plans.connect_while), plans.check_interval, told))
    leave = plans.disconnect_when
    if leave is not None and not isinstance(leave, Observable):
        told = partial(life.callback_failed, "disconnect_when")
        gates.append(Polled(life.timed(leave), plans.check_interval, told, opens_when=False))
    return gates


def _scheduled(tick: object) -> DisconnectReason:
    return DisconnectReason.SCHEDULED


def _nobody(_: object) -> None:
    """Only asked whether the argument is one, or when it is time."""
