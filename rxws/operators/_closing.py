"""One subscription of `close_candles`: the candle of each series that still grows, and the timer that closes it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from msgspec.structs import replace
from reactivex import abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws._sliding import TICK
from rxws.events import Event
from rxws.market import Candle
from rxws.operators._nuisances import LOG, Nuisances
from rxws.operators._stamps import is_down
from rxws.operators._turns import in_turn
from rxws.scheduler import wall_time_ns, when_drained

__all__ = ["Closing"]

MOST = 65_536
"""Series of candles; of more, the one that moved longest ago is forgotten."""
LONGEST_WAIT = 60.0
"""Seconds after which the wall clock is looked at again: it may have been set, or gone on while a machine slept."""


@dataclass(slots=True)
class Series:
    """The candles of one venue, symbol and interval: the one that grows, and when the last began that is over."""

    growing: Candle | None = None
    is_whole: bool = True
    over_ns: float = -inf


class Closing:
    """The series, the one that moved longest ago first, and one timer for all of them."""

    def __init__(
        self,
        observer: abc.ObserverBase[Any],  # Any: candles, and whatever else passes
        grace: float | None,
        late: Callable[[Candle], object] | None,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.running = SingleAssignmentDisposable()
        self._timer = SerialDisposable()
        self.everything = CompositeDisposable(self.running, self._timer)
        self._observer = observer
        self._grace_ns = None if grace is None else round(grace * 1e9)
        self._late = self._log if late is None else late
        self._scheduler = scheduler
        self._nuisances = Nuisances(scheduler)
        self._series: OrderedDict[tuple[str, str, str], Series] = OrderedDict()
        self._seen = 0
        self._due: float = inf

    def on_next(self, value: object) -> None:
        """Pass on whatever comes, candles as what they are."""
        self._seen += 1
        if isinstance(value, Candle) and value.closed is None:
            self._grow(value)
            return
        if isinstance(value, Candle) and value.closed:
            self._is_over(value)
        elif isinstance(value, Event) and is_down(value):
            for series in self._series.values():
                series.is_whole = False
        self._observer.on_next(value)

    def _grow(self, candle: Candle) -> None:
        series = self._of(candle)
        grows = series.growing
        first = series.over_ns if grows is None else grows.open_ns
        if candle.open_ns < first or candle.open_ns == series.over_ns:
            self._too_late(candle)
            return
        if grows is not None and grows.open_ns < candle.open_ns:
            self._end(series, series.is_whole or None)
        series.growing, series.is_whole = candle, True
        self._observer.on_next(replace(candle, closed=False))
        self._wait_for(candle)

    def _is_over(self, candle: Candle) -> None:
        """The venue says so."""
        series = self._of(candle)
        grows = series.growing
        if grows is not None and grows.open_ns < candle.open_ns:
            self._end(series, series.is_whole or None)
        if grows is not None and grows.open_ns <= candle.open_ns:
            series.growing = None
        series.over_ns = max(series.over_ns, candle.open_ns)

    def _of(self, candle: Candle) -> Series:
        key = (candle.venue, candle.symbol, candle.interval)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series()
            if len(self._series) > MOST:
                _, oldest = self._series.popitem(last=False)
                self._end(oldest, None)
        self._series.move_to_end(key)
        return series

    def _end(self, series: Series, closed: bool | None) -> None:
        candle = series.growing
        if candle is not None:
            series.growing, series.over_ns = None, candle.open_ns
            self._observer.on_next(replace(candle, closed=closed))

    def _too_late(self, candle: Candle) -> None:
        try:
            self._late(candle)
        except Exception as error:
            self.everything.dispose()
            self._observer.on_error(error)

    def _log(self, candle: Candle) -> None:
        if self._nuisances.is_due():
            whose = (candle.venue, candle.symbol, candle.interval)
            LOG.warning("%r: a candle of %r, interval %r, came after it was closed", *whose)

    # The timer

    def _wait_for(self, candle: Candle) -> None:
        if self._grace_ns is not None and candle.close_ns + self._grace_ns < self._due:
            self._wait(candle.close_ns + self._grace_ns)

    def _wait(self, due_ns: int) -> None:
        self._due = due_ns
        seconds = min(max((due_ns - wall_time_ns(self._scheduler)) / 1e9, TICK), LONGEST_WAIT)
        self._timer.disposable = self._scheduler.schedule_relative(seconds, self._look)

    def _look(self, *_: object) -> None:
        if wall_time_ns(self._scheduler) < self._due:
            self._wait_again()
        else:
            turn = in_turn(self._close_due, self.everything, self._scheduler)
            self._timer.disposable = when_drained(self._scheduler, lambda: self._seen, turn)

    def _close_due(self) -> None:
        now = wall_time_ns(self._scheduler)
        for series in tuple(self._series.values()):
            if self._due_ns(series) <= now:
                self._end(series, True)
        self._wait_again()

    def _wait_again(self) -> None:
        self._due = min((self._due_ns(series) for series in self._series.values()), default=inf)
        if self._due < inf:
            self._wait(int(self._due))

    def _due_ns(self, series: Series) -> float:
        """When a timer closes its candle; one that may not be whole waits for what the venue says of it."""
        if series.growing is None or not series.is_whole or self._grace_ns is None:
            return inf
        return series.growing.close_ns + self._grace_ns
