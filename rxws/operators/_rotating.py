"""One subscription of `rotate`: the current connection, the next one beside it, and the cut from one to the other.

Theory of operation. `Requests` says when a rotation is asked for. `Rotating` then waits until it may begin (no window
against it, no more than one socket left), subscribes the source a second time, and gives what both deliver to a
`Splice`, which says when the cut is due. At the cut the old leg is disposed, the new one is the current one, and what
it had brought follows. A leg hands its values to whatever its `take` is at the moment: nothing is asked about a message
that was known before it came.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

from reactivex import Observable, Subject, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable
from reactivex.subject import BehaviorSubject

from rxws.backoff import Policy
from rxws.errors import ConfigError, ConnectTimeout, Disconnected, RxwsError
from rxws.operators._attempts import Attempts
from rxws.operators._gate import WindowGate
from rxws.operators._requests import EARLY, Request, Requests
from rxws.operators.after import after
from rxws.rotation import Rotation
from rxws.scheduler import RAISED, report
from rxws.splice import CUT, PASS, Splice
from rxws.types import Handover, RetrySignal

__all__ = ["Rotating"]

T = TypeVar("T")


class Leg(Generic[T]):
    """One connection's subscription, and who takes its values."""

    def __init__(self, take: Callable[[T], None]) -> None:
        self.take = take
        self.subscription = SingleAssignmentDisposable()
        self.runs = False


class Rotating(Generic[T]):
    """The state of one subscription of `rotate`."""

    def __init__(
        self,
        source: Observable[T],
        observer: abc.ObserverBase[T],
        rotation: Rotation,
        retry: Policy | None,
        limit: float | None,
        random: Callable[[], float],
        handover: Handover,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self._source = source
        self._observer = observer
        self._rotation = rotation
        self._handover = handover
        self._scheduler = scheduler
        self._splice: Splice[T] = Splice(
            rotation.key,
            lambda error: handover.callback_failed("key", error),
            lambda: handover.dropped("overlap"),
        )
        self._messages: Subject[T] | None = Subject() if callable(rotation.when) else None
        self._hand_on = observer.on_next if self._messages is None else self._hand_on_and_show
        self._take = self._hand_on if rotation.key is None else self._deliver
        self._current: Leg[T] = Leg(self._take)
        self._next: Leg[T] | None = None
        self._request: Request | None = None
        self._kept_back = False
        self._backoff = after(retry, random=random, journal=handover)
        self._attempts = Attempts(inf)
        self._requests = Requests(rotation, limit, random, handover, self._messages, self._asked, self._over)
        self._permit, self._room, self._deadline = SerialDisposable(), SerialDisposable(), SerialDisposable()
        self._retrying, self._forgetting = SerialDisposable(), SerialDisposable()
        self._everything = CompositeDisposable(
            *(self._permit, self._room, self._deadline, self._retrying, self._forgetting), Disposable(self._end_legs)
        )

    def begin(self) -> abc.DisposableBase:
        """Subscribe the first connection, and wait for what asks for the next."""
        self._everything.add(self._requests.begin(self._scheduler))
        self._room.disposable = self._handover.room(self._begin_first)
        return self._everything

    def _begin_first(self) -> None:
        self._subscribe(self._current)
        self._requests.connected(self._scheduler)

    def _subscribe(self, leg: Leg[T]) -> None:
        leg.runs = True
        leg.subscription.disposable = self._source.subscribe(
            lambda value: leg.take(value),
            lambda error: self._lost(leg, error),
            lambda: self._completed(leg),
            scheduler=self._scheduler,
        )

    # The current connection

    def _deliver(self, value: T) -> None:
        step = self._splice.old(value)
        if step is PASS:
            self._hand_on(value)
        elif step is CUT:
            successor = self._next
            self._hand_on(value)
            if self._next is successor and self._may_cut():  # else whoever got the value has ended one of the two
                self._cut()

    def _hand_on_and_show(self, value: T) -> None:
        self._observer.on_next(value)
        assert self._messages is not None
        if self._messages.observers:
            self._messages.on_next(value)

    def _lost(self, leg: Leg[T], error: Exception) -> None:
        leg.runs = False
        if leg is not self._current:
            self._failed(error)
        elif self._splice.delivers and isinstance(error, Disconnected) and not self._handover.is_final(error):
            self._cut_between_reads()
        else:
            self._over(error)

    def _completed(self, leg: Leg[T]) -> None:
        leg.runs = False
        if self._handover.is_final(None):
            self._everything.dispose()
            self._observer.on_completed()
        elif leg is not self._current:
            self._abandon()
            self._request = None
            self._requests.again(self._scheduler)
        elif self._splice.delivers:
            self._cut_between_reads()
        else:
            self._abandon()
            self._everything.dispose()
            self._observer.on_completed()

    # The next one

    def _asked(self, request: Request) -> None:
        if self._request is None:
            self._request = request
            self._start()
        elif request.forced:
            self._request = request
            if self._kept_back:
                self._start()

    def _start(self) -> None:
        """Open the next connection as soon as it may be opened."""
        request, unless = self._request, self._rotation.unless
        assert request is not None
        self._permit.disposable = Disposable()
        self._kept_back = unless is not None and not request.forced
        if unless is None or request.forced:
            self._permitted()
        else:
            self._permit.disposable = WindowGate(unless).watch(self._scheduler, False, self._permitted)

    def _permitted(self) -> None:
        self._kept_back = False
        self._room.disposable = self._handover.room(self._dial)

    def _dial(self) -> None:
        if not self._current.runs or self._handover.age() is None:
            self._request = None  # it is about to be opened, and so as fresh as can be
            self._requests.again(self._scheduler)  # or a callable's first answer would have been its last
            return
        self._splice.begin()
        self._handover.succeeding(self._attempts.in_a_row + 1, self._dials)
        self._next = Leg(self._hold)
        self._subscribe(self._next)

    def _dials(self) -> None:
        """It is the new one's turn: a governor may have kept it waiting until now."""
        self._deadline.disposable = self._scheduler.schedule_relative(self._rotation.overlap, self._overlap_over)

    def _hold(self, value: T) -> None:
        due = self._splice.new(value, self._handover.successor_is_live())
        if self._splice.delivers:
            self._handover.successor_delivers()
        if due and self._may_cut():
            self._cut()

    def _may_cut(self) -> bool:
        return self._handover.successor_is_settled() or self._splice.is_full

    def _overlap_over(self, *_: object) -> None:
        left = self._rotation.overlap - self._handover.read_for()
        if left > EARLY:  # what a pause has kept from us is not lost: it comes when the old one is read again
            self._deadline.disposable = self._scheduler.schedule_relative(left, self._overlap_over)
        elif self._splice.delivers:
            self._cut_between_reads()
        else:
            self._failed(ConnectTimeout("rotate", self._rotation.overlap))

    def _failed(self, error: Exception) -> None:
        """The next connection failed; the current one stays."""
        self._abandon()
        signal = self._attempts.lost(error)
        if signal is None and not isinstance(error, ConfigError):
            self._over(error)  # a DecodeError, say: no other connection would do better
        elif signal is None or self._handover.is_final(error):
            self._give_up(error)
        else:
            self._retry(signal)

    def _retry(self, signal: RetrySignal) -> None:
        self._retrying.disposable = self._backoff(BehaviorSubject(signal)).subscribe(
            lambda _: self._start(),
            # What the policy itself raised is the result's error, as after an ordinary loss.
            lambda error: self._give_up(error) if isinstance(error, RxwsError) else self._over(error),
            lambda: self._give_up(signal.error),
            scheduler=self._scheduler,
        )

    def _give_up(self, error: Exception) -> None:
        self._request, self._attempts = None, Attempts(inf)
        self._handover.waiting(None, "rotate", error, 1)
        if not self._everything.is_disposed:
            self._requests.again(self._scheduler)

    def _abandon(self) -> None:
        self._deadline.disposable = Disposable()
        leg, self._next = self._next, None
        self._splice.end()
        if leg is not None:
            self._handover.abandon()
            leg.subscription.dispose()

    # The cut

    def _cut(self) -> None:
        leg, request = self._next, self._request
        assert leg is not None and request is not None
        self._deadline.disposable = Disposable()
        self._retrying.disposable = Disposable()
        old, self._current, self._next = self._current, leg, None
        self._request, self._attempts = None, Attempts(inf)
        leg.take = self._take
        rest = self._splice.rest()
        self._handover.hand_over(request.reason, request.rule)
        old.subscription.dispose()
        self._forgetting.disposable = self._scheduler.schedule_relative(self._rotation.overlap, self._forget)
        self._handover.handed_over()
        if not self._everything.is_disposed:
            self._requests.connected(self._scheduler)
        for value in rest:  # who leaves meanwhile is told nothing more
            self._hand_on(value)

    def _cut_between_reads(self) -> None:
        # No transport's read stands around this: what the consumer raises is caught here.
        try:
            self._cut()
        except RAISED as error:
            if not self._handover.crashed(error):
                report(error, self._scheduler)

    def _forget(self, *_: object) -> None:
        self._splice.forget()

    # The end

    def _over(self, error: Exception) -> None:
        self._abandon()
        self._everything.dispose()
        self._observer.on_error(error)

    def _end_legs(self) -> None:
        legs = (self._current, self._next)
        self._next = None
        for leg in legs:
            if leg is not None:
                leg.subscription.dispose()
