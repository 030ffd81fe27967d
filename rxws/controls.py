"""The verbs of a client that is driven by hand, as subjects of its stream's pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable

from rxws.events import DisconnectReason
from rxws.lifecycle import Lifecycle
from rxws.outgoing import Outgoing
from rxws.scheduler import given

__all__ = ["Controls"]

BY_HAND = "by hand"


class Controls:
    """Drives one subscription of a stream: its `ends` go into the `take_until`, its ways back into the `repeat_when`.

    Its `losses` are told to the connection, so that `retry_when` hears of them. `life` and `outgoing` are those of the
    subscription, once it has begun.
    """

    def __init__(self) -> None:
        self.ends: Subject[DisconnectReason] = Subject()
        self.losses: Subject[Exception] = Subject()
        self.life: Lifecycle | None = None
        self.outgoing: Outgoing | None = None
        self._asked = False
        self._back_in: float | None = None
        self._wait: Callable[[float], None] | None = None
        self._complete: Callable[[], None] | None = None
        self._stranded = False
        self.on_change: Callable[[], None] = _nothing

    def begin(self, life: Lifecycle, outgoing: Outgoing) -> abc.DisposableBase:
        """Take the place of the hand at a subscription."""
        self.life, self.outgoing = life, outgoing
        self._asked, self._back_in = False, None
        life.on_gone, outgoing.on_ready = self.on_change, self.on_change
        return self.losses.subscribe(life.lose)

    def disconnect(self, reason: DisconnectReason, back_in: float | None) -> None:
        """End the connection by plan, and come back in so many seconds; None: as the stream's own plans say."""
        self._asked = True
        if back_in is not None:
            self._back_in = back_in
        self.ends.on_next(reason)

    def come_back(self, seconds: float) -> None:
        """Connect again in so many seconds; while there is a connection, so many seconds after its planned end."""
        if self._wait is not None:
            self._wait(seconds)
        else:
            self._back_in = seconds

    def finish(self) -> None:
        """Complete the stream for good."""
        if self._complete is not None:
            self._complete()
        else:
            self.ends.on_next(DisconnectReason.USER_REQUESTED)

    @property
    def waits_for_hand(self) -> bool:
        """Whether it is away, and nothing but the hand will bring it back."""
        return self._wait is not None and self._stranded

    @property
    def asked(self) -> bool:
        """Whether the planned end that is going on was asked for by hand."""
        return self._asked

    def way_back(self, ordinary: Callable[[], Observable[Any]] | None, opening: Observable[Any]) -> Observable[Any]:
        """Return the way back from a planned end: what the hand says, as soon as it says something.

        Args:
            ordinary: makes the stream's own way; None: it has none, and the hand alone decides.
            opening: emits when no window stands against it.
        """
        life = self.life
        assert life is not None
        self._asked, back_in, self._back_in = False, self._back_in, None
        if back_in is None and ordinary is None:
            life.waiting(None, BY_HAND)
        own = ordinary() if back_in is None and ordinary is not None else None

        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            on = given(scheduler)
            waiting = SerialDisposable()

            def open_again(*_: object) -> None:
                waiting.disposable = opening.subscribe(observer.on_next, observer.on_error, scheduler=scheduler)

            def wait(seconds: float) -> None:
                self._stranded = False
                seconds = max(seconds, life.not_before - life.now())
                life.waiting(seconds, BY_HAND)
                waiting.disposable = on.schedule_relative(seconds, open_again)

            self._wait, self._complete = wait, observer.on_completed
            self._stranded = back_in is None and own is None
            if back_in is not None:
                wait(back_in)
            elif own is not None:
                waiting.disposable = own.subscribe(observer.on_next, observer.on_error, scheduler=scheduler)
            return CompositeDisposable(waiting, Disposable(self._is_back))

        return Observable(subscribe).pipe(ops.take(1))

    def _is_back(self) -> None:
        self._wait = self._complete = None


def _nothing() -> None: ...
