"""What operators with several subscribers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from reactivex import abc

from rxws.scheduler import RAISED, report

__all__ = ["Raised", "Sharer", "report_all", "tell_end"]

T = TypeVar("T")


class Sharer(NamedTuple, Generic[T]):
    """One who shares it, and who is told of what this one raises."""

    observer: abc.ObserverBase[T]
    scheduler: abc.SchedulerBase | None


Raised: TypeAlias = list[tuple[BaseException, abc.SchedulerBase | None]]


def tell_end(
    sharers: Iterable[Sharer[Any]],  # Any: none of them gets a value from here
    tell: Callable[[abc.ObserverBase[Any]], None],
) -> None:
    """Tell each of the end; what they raise is reported when all have heard."""
    raised: Raised = []
    for sharer in sharers:
        try:
            tell(sharer.observer)
        except RAISED as error:
            raised.append((error, sharer.scheduler))
    report_all(raised)


def report_all(raised: Raised) -> None:
    """Report what was raised, once all have heard: without a loop the first is raised again."""
    for error, scheduler in raised:
        report(error, scheduler)
