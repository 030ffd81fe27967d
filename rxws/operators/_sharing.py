"""What operators with several subscribers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from reactivex import abc

from rxws.scheduler import RAISED, report

__all__ = ["tell_end"]


def tell_end(
    observers: Iterable[abc.ObserverBase[Any]],  # Any: none of them gets a value from here
    tell: Callable[[abc.ObserverBase[Any]], None],
) -> None:
    """Tell each observer of the end; what they raise is reported when all have heard."""
    raised: list[BaseException] = []
    for observer in observers:
        try:
            tell(observer)
        except RAISED as error:
            raised.append(error)
    for problem in raised:  # without a loop `report` raises
        report(problem)
