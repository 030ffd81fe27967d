"""What operators do in a turn of their own, where nobody below catches what a subscriber raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import SingleAssignmentDisposable

from rxws.scheduler import RAISED, report

__all__ = ["in_turn", "leaving", "leaving_whole"]

P = ParamSpec("P")
T = TypeVar("T")


def in_turn(
    act: Callable[P, object], everything: abc.DisposableBase, scheduler: abc.SchedulerBase | None
) -> Callable[P, None]:
    """Return `act`, by which `everything` is disposed where a subscriber raises, and that is reported."""

    def turn(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            act(*arguments, **named)
        except RAISED as error:
            everything.dispose()
            report(error, scheduler)

    return turn


def leaving(act: Callable[P, object], everything: abc.DisposableBase) -> Callable[P, None]:
    """Return `act`, by which `everything` is disposed where a subscriber raises: no timer calls that one again."""

    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            act(*arguments, **named)
        except RAISED:
            everything.dispose()
            raise

    return guarded


def leaving_whole(source: Observable[T]) -> Observable[T]:
    """Return `source`, of which all is disposed where a subscriber raises, of however many it was made."""

    def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        running = SingleAssignmentDisposable()
        running.disposable = source.subscribe(
            leaving(observer.on_next, running), observer.on_error, observer.on_completed, scheduler=scheduler
        )
        return running

    return Observable(subscribe)
