"""What `retry_when` and `repeat_when` share: a source that is subscribed again whenever a notifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from reactivex import Observable, Subject, abc
from reactivex.disposable import (
    CompositeDisposable,
    Disposable,
    SerialDisposable,
    SingleAssignmentDisposable,
)
from reactivex.scheduler import CurrentThreadScheduler

from rxws.operators._passage import passing

T = TypeVar("T")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)

Notifier = Callable[[Observable[S]], Observable[Any]]  # Any: only that it emits matters, not what


class Ends(Protocol[S_co]):
    """What the ends of one subscription's attempts mean; a None goes to the subscriber as it is."""

    def begin(self) -> None:
        """An attempt begins."""

    def lost(self, error: Exception) -> S_co | None:
        """Return what the notifier hears of an error."""

    def completed(self) -> S_co | None:
        """Return what the notifier hears of a completion."""


def resubscribe(
    source: Observable[T],
    notifier: Notifier[S],
    ends_of: Callable[[abc.SchedulerBase | None], Ends[S]],
) -> Observable[T]:
    """Subscribe `source`, and again at each value of what `notifier` makes of its ends.

    Args:
        source: cold.
        notifier: called once a subscription; its completion completes, its error is the error.
        ends_of: called once a subscription, with its scheduler.
    """

    def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        ends = ends_of(scheduler)
        signals: Subject[S] = Subject()
        attempt = SerialDisposable()
        wanted = looping = True

        # First the attempt, then the word of its end: who hears it may rely on its being over.

        def over(tell: Callable[[], None]) -> None:
            attempt.dispose()
            tell()

        def end(signal: S | None, otherwise: Callable[[], None]) -> None:
            if signal is None:
                over(otherwise)
            else:
                attempt.disposable = Disposable()
                signals.on_next(signal)

        def on_error(error: Exception) -> None:
            end(ends.lost(error), lambda: observer.on_error(error))

        def on_completed() -> None:
            end(ends.completed(), observer.on_completed)

        def begin() -> None:
            ends.begin()
            current = SingleAssignmentDisposable()
            attempt.disposable = current
            current.disposable = source.subscribe(observer.on_next, on_error, on_completed, scheduler=scheduler)

        def again(*_: object) -> None:
            nonlocal wanted
            wanted = True
            if not looping:
                loop()

        def loop() -> None:
            # A source that ends within its subscribe comes back to `again` before `begin` has returned: it only leaves
            # word there, and this loop goes on, so that the stack does not grow.
            nonlocal wanted, looping
            looping = True
            try:
                while wanted and not attempt.is_disposed:
                    wanted = False
                    begin()
            finally:
                looping = False

        notified = SingleAssignmentDisposable()
        everything = CompositeDisposable(notified, attempt)
        notified.disposable = notifier(signals).subscribe(
            again,
            lambda error: over(lambda: observer.on_error(error)),
            lambda: over(observer.on_completed),
            scheduler=scheduler,
        )
        # On the trampoline: a subscriber has its subscription by then, and can dispose of a source that never pauses.
        CurrentThreadScheduler.singleton().schedule(lambda *_: loop())
        return everything

    return passing(source, subscribe)
