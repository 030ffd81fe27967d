"""Nuisances that nobody asked to be told of: the log has them, now and then."""

from __future__ import annotations

import logging

from reactivex import abc

from rxws.scheduler import clock

__all__ = ["LOG", "Nuisances"]

LOG = logging.getLogger("rxws")
LOG_EVERY = 60.0
"""Seconds between two log records about the same nuisance."""


class Nuisances:
    """Says when one kind of nuisance is to be logged: at most once a minute; made once a subscription."""

    def __init__(self, scheduler: abc.SchedulerBase | None) -> None:
        self._now = clock(scheduler)
        self._logged: float | None = None

    def is_due(self) -> bool:
        """Tell whether the one that happens now is to be logged, which it then is."""
        now = self._now()
        if self._logged is not None and now - self._logged < LOG_EVERY:
            return False
        self._logged = now
        return True
