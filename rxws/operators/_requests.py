"""What asks for a rotation: ages, ticks, and callables that look at the messages."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from reactivex import Observable, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable

from rxws.errors import ConfigError
from rxws.events import DisconnectReason
from rxws.rotation import Rotation
from rxws.scheduler import resolve
from rxws.types import Handover

__all__ = ["EARLY", "Request", "Requests"]

EARLY = 1e-3
"""Seconds that an age may be short of: its timer counts from the dial, and a clock's last digits differ."""

AT_ONCE = 1.0
"""Seconds to which a callable's request waits after it was called: one that always asks at once would dial without a
pause, and so would a venue that announces its end to whoever comes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One that has been made; what is `forced` is not kept back by a window."""

    reason: DisconnectReason
    rule: str
    forced: bool = False


AGE = Request(DisconnectReason.CONNECTION_LIMIT, "age")
LIMIT = Request(DisconnectReason.CONNECTION_LIMIT, "limit", forced=True)
TICK = Request(DisconnectReason.SCHEDULED, "tick")


class Requests:
    """The requests of one subscription of `rotate`.

    Args:
        rotation: what asks.
        limit: seconds of age before which one is made in any case; None: no limit.
        random: for the jitter of an age.
        handover: who knows the age of the current connection, and is told what a callable raised.
        messages: what a callable is given; None where there is none.
        ask: called with each request.
        fail: told the error of an observable `when`.
    """

    def __init__(
        self,
        rotation: Rotation,
        limit: float | None,
        random: Callable[[], float],
        handover: Handover,
        messages: Observable[Any] | None,  # Any: whatever `decode` returns
        ask: Callable[[Request], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._rotation = rotation
        self._limit = inf if limit is None else max(limit - rotation.overlap, limit / 2)
        self._random = random
        self._handover = handover
        self._messages = messages
        self._ask = ask
        self._fail = fail
        self._age, self._last, self._asking, self._pause = (SerialDisposable() for _ in range(4))

    def begin(self, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        """Listen to an observable `when`."""
        everything = CompositeDisposable(self._age, self._last, self._asking, self._pause)
        when = self._rotation.when
        if isinstance(when, Observable):
            everything.add(when.subscribe(lambda _: self._ask(TICK), self._fail, scheduler=scheduler))
        return everything

    def connected(self, scheduler: abc.SchedulerBase) -> None:
        """A connection is the current one, or begins to be: count its age, and ask the callable about it."""
        self._at_age(self._limit, LIMIT, self._last, scheduler)
        self.again(scheduler)

    def again(self, scheduler: abc.SchedulerBase) -> None:
        """Count the age from now on, and ask the callable anew: what they asked for came about, or did not."""
        self._at_age((self._handover.age() or 0.0) + self._rotation.age(self._random), AGE, self._age, scheduler)
        if self._messages is not None:
            self._call(self._messages, scheduler)

    def _at_age(self, age: float, request: Request, timer: SerialDisposable, scheduler: abc.SchedulerBase) -> None:
        timer.disposable = Disposable()
        if age == inf:
            return

        def look(*_: object) -> None:
            left = age - (self._handover.age() or 0.0)  # while it is being opened, it has no age
            if left > EARLY:
                timer.disposable = scheduler.schedule_relative(left, look)
            else:
                self._ask(request)

        left = age - (self._handover.age() or 0.0)
        timer.disposable = scheduler.schedule_relative(max(0.0, left), look)

    def _call(self, messages: Observable[Any], scheduler: abc.SchedulerBase) -> None:
        early, asked = True, False

        def asks(*_: object) -> None:
            nonlocal asked
            asked = True
            if not early:
                self._ask(TICK)

        def raised(error: Exception) -> None:
            self._handover.callback_failed("rotate", error)

        def late(*_: object) -> None:
            nonlocal early
            early = False
            if asked:
                self._ask(TICK)

        when = self._rotation.when
        assert callable(when)
        self._pause.disposable = scheduler.schedule_relative(AT_ONCE, late)
        try:
            answer = when(messages)
        except Exception as error:
            raised(error)
            return
        if isinstance(answer, Observable):
            self._asking.disposable = answer.pipe(ops.take(1)).subscribe(asks, raised, scheduler=scheduler)
        elif inspect.isawaitable(answer):
            self._asking.disposable = resolve(answer, asks, raised)
        else:
            raised(ConfigError("when", f"it returned {answer!r}; return an observable or an awaitable"))
