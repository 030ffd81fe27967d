"""Nuisances that nobody asked to be told of: the log has them, now and then."""

from __future__ import annotations

import logging

from reactivex import abc

from rxws.scheduler import clock

__all__ = ["Nuisances"]

LOG = logging.getLogger("rxws")
LOG_EVERY = 60.0
"""Seconds between two log records about the same nuisance."""


class Nuisances:
    """Logs one kind of nuisance, at most once a minute; made once a subscription."""

    def __init__(self, scheduler: abc.SchedulerBase | None) -> None:
        self._now = clock(scheduler)
        self._logged: float | None = None

    def warn(self, message: str, *args: object) -> None:
        """Log it, unless that was done lately."""
        now = self._now()
        if self._logged is None or now - self._logged >= LOG_EVERY:
            self._logged = now
            LOG.warning(message, *args)
