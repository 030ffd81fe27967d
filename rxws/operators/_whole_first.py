"""Begin a stream of a book's changes with a whole book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SingleAssignmentDisposable

from rxws.market import BookDelta, BookSnapshot
from rxws.scheduler import given

__all__ = ["whole_first"]


def whole_first(
    asking: Observable[Any],  # Any: it brings nothing; what passes are market events, and what is told of them
) -> Callable[[Observable[Any]], Observable[Any]]:
    """Leave out the changes before the first snapshot, which `asking` sees to: it is subscribed until that is here."""

    def operator(source: Observable[Any]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            asked = SingleAssignmentDisposable()
            everything = CompositeDisposable(asked)

            def on_next(value: object) -> None:
                if isinstance(value, BookSnapshot):
                    asked.dispose()
                if asked.is_disposed or not isinstance(value, BookDelta):
                    observer.on_next(value)

            everything.add(source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler))
            asked.disposable = asking.subscribe(scheduler=given(scheduler))
            return everything

        return Observable(subscribe)

    return operator
