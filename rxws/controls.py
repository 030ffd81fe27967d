"""The verbs of a client that is driven by hand, as subjects of its stream's pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable, Subject, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from rxws.events import DisconnectReason
from rxws.lifecycle import Lifecycle
from rxws.outgoing import Outgoing
from rxws.scheduler import given

__all__ = ["Controls"]

BY_HAND = "by hand"

Way = Callable[[], Observable[Any]]  # Any: only that it emits matters


class Controls:
    """Drives one subscription of a stream: its `ends` go into the `take_until`, its ways back into the `repeat_when`.

    Its losses are told to the connection, so that `retry_when` hears of them. `life` and `outgoing` are those of the
    subscription, once it has begun. Every verb may be called at any moment, also by who is told of an event.
    """

    def __init__(self) -> None:
        self.life: Lifecycle | None = None
        self.outgoing: Outgoing | None = None
        self.is_finished = False
        self.on_change: Callable[[], None] = _nothing
        self._ends: Subject[DisconnectReason] = Subject()
        self._back_in: float | None = None
        self._away: Away | None = None

    def begin(self, life: Lifecycle, outgoing: Outgoing) -> abc.DisposableBase:
        """Take the place of the hand at a subscription."""
        self.life, self.outgoing = life, outgoing
        self.is_finished, self._back_in, self._away = False, None, None
        life.on_gone, outgoing.on_ready = self.on_change, self.on_change
        return Disposable()

    @property
    def ends(self) -> Observable[DisconnectReason]:
        """Emits when the connection is to end."""

        def subscribe(
            observer: abc.ObserverBase[DisconnectReason], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            subscription = self._ends.subscribe(observer, scheduler=scheduler)
            if self.is_finished:  # while nobody listened
                observer.on_next(DisconnectReason.USER_REQUESTED)
            return subscription

        return Observable(subscribe)

    def disconnect(self, reason: DisconnectReason, back_in: float | None) -> None:
        """End the connection by plan, and come back in so many seconds; None: as the stream's own plans say."""
        if self._away is not None:
            if back_in is None:
                self._away.leave(by_hand=True)
            else:
                self._away.wait(back_in)
            return
        life = self.life
        if life is None:
            return
        if back_in is not None or life.comes_back:  # of two that come together, the second one holds
            self._back_in = back_in
        life.comes_back = True
        self._ends.on_next(reason)

    def come_back(self, seconds: float) -> None:
        """Connect again in so many seconds; while there is a connection, so many seconds after its planned end."""
        if self._away is not None:
            self._away.wait(seconds)
        else:
            self._back_in = seconds

    def lose(self, error: Exception) -> None:
        """End the connection, or the attempt at one, as lost by `error`; without either nothing happens."""
        if self.life is not None:
            self.life.lose(error)

    def finish(self) -> None:
        """Complete the stream for good."""
        self.is_finished = True
        if self.life is not None:
            self.life.comes_back = False
        if self._away is not None:
            self._away.complete()
        else:
            self._ends.on_next(DisconnectReason.USER_REQUESTED)

    def abort(self) -> None:
        """Complete the stream for good, and cut its sockets."""
        self.is_finished = True
        if self.life is not None:
            self.life.comes_back = False
            self.life.abort()
        self.finish()

    @property
    def is_away(self) -> bool:
        """Whether it is between a planned end and the way back."""
        return self._away is not None

    @property
    def waits_for_hand(self) -> bool:
        """Whether it is away, and nothing but the hand will bring it back."""
        return self._away is not None and self._away.is_stranded

    def way_back(self, ordinary: Way, *, planned: bool, opening: Observable[Any]) -> Observable[Any]:
        """Return the way back from a planned end: what the hand says, as soon as it says something.

        Args:
            ordinary: makes the stream's own way.
            planned: whether the stream has plans for that; without them, an end by hand waits for the hand.
            opening: emits when no window stands against it.
        """
        life = self.life
        assert life is not None
        by_hand, back_in, life.comes_back, self._back_in = life.comes_back, self._back_in, False, None

        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            # In its place before it tells anybody: who is told may have something to say.
            away = self._away = Away(life, given(scheduler), observer, ordinary, planned, opening)
            if back_in is None:
                away.leave(by_hand)
            else:
                away.wait(back_in)
            return CompositeDisposable(away, Disposable(lambda: self._is_back(away)))

        return Observable(subscribe).pipe(ops.take(1))

    def _is_back(self, away: Away) -> None:
        if self._away is away:
            self._away = None


class Away(CompositeDisposable):
    """The time between a planned end and the next connection; what is said last holds."""

    def __init__(
        self,
        life: Lifecycle,
        scheduler: abc.SchedulerBase,
        observer: abc.ObserverBase[Any],
        ordinary: Way,
        planned: bool,
        opening: Observable[Any],
    ) -> None:
        self._way = SerialDisposable()
        super().__init__(self._way)
        self.is_stranded = False
        self._life = life
        self._scheduler = scheduler
        self._observer = observer
        self._ordinary = ordinary
        self._planned = planned
        self._opening = opening

    def leave(self, by_hand: bool) -> None:
        """Come back as the stream's own plans say; by hand, where it has none, not at all."""
        if by_hand and not self._planned:
            self.is_stranded = True
            self._way.disposable = Disposable()
            self._life.waiting(None, BY_HAND)
        else:
            self._go(self._ordinary)

    def wait(self, seconds: float) -> None:
        """Come back in so many seconds, as soon as a server that asked for more, and the windows, allow."""
        seconds = max(seconds, self._life.not_before - self._life.now())
        timer = self._next()
        timer.disposable = self._scheduler.schedule_relative(seconds, lambda *_: self._go(lambda: self._opening))
        self._life.waiting(seconds, BY_HAND)

    def complete(self) -> None:
        """It was the last connection."""
        self.dispose()
        self._observer.on_completed()

    def _go(self, way: Way) -> None:
        current = self._next()
        chosen = way()
        if not current.is_disposed:  # whoever was told may have chosen another
            current.disposable = chosen.subscribe(
                self._observer.on_next, self._observer.on_error, scheduler=self._scheduler
            )

    def _next(self) -> SingleAssignmentDisposable:
        self.is_stranded = False
        current = SingleAssignmentDisposable()
        self._way.disposable = current
        return current


def _nothing() -> None: ...
