"""Lists whose values go one by one through operators that look at each, and are gathered again behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from reactivex import Observable, abc

from rxws.types import LIST

__all__ = ["Regrouping"]

T = TypeVar("T")
C = TypeVar("C")


class Regrouping(Generic[T]):
    """What comes out of one list on its way is one list again; what comes at another time is a list of one.

    Made once a subscription. `singly` and `gathered` belong together, with the operators between them.
    """

    def __init__(self) -> None:
        self._gathered: list[T] = []
        self._within = False
        self._hand_on: Callable[[list[T]], None] | None = None

    def singly(self, lists: Callable[[Observable[C]], Observable[list[T]]]) -> Callable[[Observable[C]], Observable[T]]:
        """Return `lists`, whose values come one by one."""

        def operator(source: Observable[C]) -> Observable[T]:
            def subscribe(
                observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
            ) -> abc.DisposableBase:
                def each(values: list[T]) -> None:
                    self._within = True
                    try:
                        for value in values:
                            observer.on_next(value)
                    finally:
                        self._within = False
                    self.flush()

                return lists(source).subscribe(each, observer.on_error, observer.on_completed, scheduler=scheduler)

            return Observable(subscribe)

        return operator

    def gathered(self, source: Observable[T]) -> Observable[list[T]]:
        """Gather the values of what was one list."""

        def subscribe(
            observer: abc.ObserverBase[list[T]], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            self._hand_on = observer.on_next

            def gather(value: T) -> None:
                self._gathered.append(value)
                if not self._within or len(self._gathered) == LIST:
                    self.flush()

            def failed(error: Exception) -> None:
                self.flush()
                observer.on_error(error)

            def completed() -> None:
                self.flush()
                observer.on_completed()

            return source.subscribe(gather, failed, completed, scheduler=scheduler)

        return Observable(subscribe)

    def flush(self) -> None:
        """Hand on what has been gathered: something else is about to be told."""
        if self._gathered and self._hand_on is not None:
            values, self._gathered = self._gathered, []
            self._hand_on(values)
