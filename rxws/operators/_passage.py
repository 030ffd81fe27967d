"""An observable whose values pass as they are: between its source and its subscriber there is no call a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from reactivex import Observable, Observer, abc

__all__ = ["Passage"]

T = TypeVar("T")


class Passage(Observable[T]):
    """What an operator returns that looks at ends only, and at no value.

    reactivex puts an observer of its own before each subscriber, which asks with every value whether it has been
    stopped. Here errors and completions go through that observer, and values past it: `subscribe` is given the
    subscriber's own `on_next`. What a source emits after its end is not held back here: it is held back where it comes
    from, by the observer of a source that is none of ours, or by the connection, which hands nothing on after its end.
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
