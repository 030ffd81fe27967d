"""What an operator drops by its caller's choice: counted, and told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from reactivex import abc

from rxws.arguments import function
from rxws.errors import ConfigError
from rxws.events import Event, Overflow
from rxws.operators._nuisances import LOG, Nuisances
from rxws.operators._overflows import Overflows
from rxws.operators._stamps import Stamps
from rxws.scheduler import RAISED, report_aside
from rxws.stats import Stats

__all__ = ["Drops", "Told", "check_told"]

Told: TypeAlias = Callable[[Overflow], object]
"""Hears how many were dropped: at once, then every five seconds with the number since."""


def check_told(stats: object, told: object) -> None:
    """Refuse what cannot count, or cannot be told.

    Raises:
        ConfigError: it names the argument.
    """
    if not (stats is None or isinstance(stats, Stats)):
        raise ConfigError("stats", f"{stats!r} is no Stats; take a Stats(), or None")
    if told is not None:
        function("told", told, "an Overflow")


class Drops:
    """Counts and tells the drops of one subscription.

    Args:
        where: they are dropped.
        stats: counts each of them; None: nobody does.
        told: hears of them; what it raises is reported, and changes nothing. None: the log has it, once a minute.
        scheduler: whose time.
        level: of the log's records.
    """

    def __init__(
        self,
        where: str,
        stats: Stats | None,
        told: Told | None,
        scheduler: abc.SchedulerBase,
        level: int = logging.WARNING,
    ) -> None:
        self.count = 0
        self._where = where
        self._stats = stats
        self._told = told
        self._level = level
        self._scheduler = scheduler
        self._stamps = Stamps(scheduler)
        self._nuisances = Nuisances(scheduler)
        self._overflows = Overflows(scheduler, self._tell)

    def passes(self, event: Event) -> None:
        """Take note of an event, which says of which connection the next drop is."""
        self._stamps.last = event

    def dropped(self) -> None:
        """One more was dropped."""
        self.count += 1
        if self._stats is not None:
            self._stats.dropped += 1
        if self._told is not None:
            self._overflows.dropped(self._where, 1)
        elif self._nuisances.is_due():
            LOG.log(self._level, "%d dropped so far by the operator %s", self.count, self._where)

    def dispose(self) -> None:
        """Tell what has not been told yet; no timer is left."""
        self._overflows.end()

    def _tell(self, where: str, count: int) -> None:
        assert self._told is not None
        try:
            self._told(Overflow(**self._stamps.now(), where=where, dropped=count))
        except RAISED as error:
            report_aside(error, self._scheduler)
