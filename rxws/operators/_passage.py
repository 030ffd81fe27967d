"""An observable whose values pass as they are: between its source and its subscriber there is no call a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from reactivex import Observable, Observer, abc

__all__ = ["Passage", "passing"]

T = TypeVar("T")


def passing(source: Observable[Any], subscribe: abc.Subscription[T]) -> Observable[T]:  # Any: its values may be lists
    """Return what an operator makes that looks at ends only: a passage where `source` is one, else an observable."""
    return Passage(subscribe) if isinstance(source, Passage) else Observable(subscribe)


class Passage(Observable[T]):
    """What emits nothing from inside `subscribe`, and nothing after it was disposed or has ended: as connections do.

    reactivex puts an observer of its own before each subscriber, which asks with every value whether it has been
    stopped. Here errors and completions go through that observer, and values past it: `subscribe` is given the
    subscriber's own `on_next`.
    """

    def subscribe(
        self,
        on_next: abc.ObserverBase[T] | abc.OnNext[T] | None = None,
        on_error: abc.OnError | None = None,
        on_completed: abc.OnCompleted | None = None,
        *,
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        """Subscribe as to any observable."""
        # An observer, or what looks like one, or a function: as reactivex takes it.
        take = cast("Callable[[T], None] | None", getattr(on_next, "on_next", on_next)) or _ignore

        def core(observer: abc.ObserverBase[T], on: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            return self._subscribe_core(_Past(take, observer), on)

        return Observable(core).subscribe(on_next, on_error, on_completed, scheduler=scheduler)


class _Past(Observer[T]):
    """Hands values to one, and the end to another."""

    def __init__(self, on_next: Callable[[T], None], ends: abc.ObserverBase[T]) -> None:
        super().__init__(on_next, ends.on_error, ends.on_completed)
        vars(self)["on_next"] = on_next  # found before the method of the class: no call in between


def _ignore(value: object) -> None: ...
