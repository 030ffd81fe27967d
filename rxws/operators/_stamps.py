"""What the events say that operators tell by themselves: of which connection, and when."""

from __future__ import annotations

from reactivex import abc
from reactivex.scheduler import CurrentThreadScheduler

from rxws.events import Closed, ConnectionState, Event
from rxws.scheduler import wall_time_ns
from rxws.types import Stamp

__all__ = ["Stamps", "is_down"]


class Stamps:
    """The latest event that has passed says of which connection all is; before any: generation 0.

    Args:
        scheduler: whose wall clock; None: that of reactivex's current thread.
    """

    def __init__(self, scheduler: abc.SchedulerBase | None) -> None:
        self._scheduler: abc.SchedulerBase = CurrentThreadScheduler.singleton() if scheduler is None else scheduler
        self.last: Event | None = None

    def now(self, origin: str = "") -> Stamp:
        """Return what every event tells; `origin` where no event has passed."""
        last = self.last
        return Stamp(
            generation=0 if last is None else last.generation,
            origin=origin if last is None else last.origin,
            time_ns=wall_time_ns(self._scheduler),
            state=ConnectionState.DISCONNECTED if last is None else last.state,
        )


def is_down(event: Event) -> bool:
    """Tell whether by `event` no connection is left that data could come from.

    The end of a rotation's next connection, which did not take over, and of an old one that is covered by it, is none.
    """
    return isinstance(event, Closed) and event.state is not ConnectionState.CONNECTED
