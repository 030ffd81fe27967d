"""Tell people that a stream disconnects, without a storm."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from rxws.alerts import DisconnectAlert, Throttle
from rxws.arguments import seconds
from rxws.events import Closed
from rxws.scheduler import RAISED, clock, given, report

__all__ = ["disconnect_alerts"]


def disconnect_alerts(interval: float = 300.0) -> Callable[[Observable[object]], Observable[DisconnectAlert]]:
    """Make alerts of lifecycle events: the first at once, then at most one an interval, with the number since the last.

    ::

        source    ──Closed────Closed──Closed──────────────|
        result    ──1─────────────────────────2───────────|      the 2 an interval after the 1

    Every `Closed` counts: a connection lost, one ended by plan, an attempt that failed. For some of them only, put a
    filter before it. What has accumulated is told when the interval ends, and when the source does. While there is
    nothing to tell, no timer runs. What is no `Closed` is passed over, so that the stream of
    ``ws_observable(url, lifecycle=True)`` will do as well as the events of ``events=``.

    Args:
        interval: seconds.

    Raises:
        ConfigError: `interval` is out of its range.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import Backoff, ws_observable
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual = TestScheduler()
    >>> venue = ScriptedTransport(Attempt.closes(10.0), Attempt.refused(), Attempt.closes(10.0), Attempt())
    >>> stream = ws_observable("ws://scripted", transport=venue, retry=Backoff.fixed(5.0), lifecycle=True)
    >>> alerts = stream.pipe(disconnect_alerts(300.0))
    >>> _ = alerts.subscribe(lambda alert: print(virtual.clock, alert.count, alert.reason.value), scheduler=virtual)
    >>> virtual.advance_to(1000.0)
    10.0 1 network error
    310.0 2 network error
    """
    seconds("interval", interval, optional=False)

    def operator(source: Observable[object]) -> Observable[DisconnectAlert]:
        def subscribe(
            observer: abc.ObserverBase[DisconnectAlert], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            alerts = Alerts(observer, Throttle(interval), scheduler)
            running = source.subscribe(alerts.on_next, alerts.on_error, alerts.on_completed, scheduler=scheduler)
            alerts.running.disposable = running
            return CompositeDisposable(alerts.running, alerts.timer)

        return Observable(subscribe)

    return operator


class Alerts:
    """One subscription: what has accumulated, the last end, and the timer that tells of it."""

    def __init__(
        self,
        observer: abc.ObserverBase[DisconnectAlert],
        throttle: Throttle,
        scheduler: abc.SchedulerBase | None,
    ) -> None:
        self._observer = observer
        self._throttle = throttle
        self._scheduler = scheduler
        self._on: abc.SchedulerBase | None = None
        self._last: Closed | None = None
        self.timer = SerialDisposable()
        self.running = SingleAssignmentDisposable()

    def on_next(self, event: object) -> None:
        """Count an end: tell of it, or see to it that a timer will."""
        if not isinstance(event, Closed):
            return
        # The loop is looked for now: who subscribes to the events of `events=` may do so before any loop runs.
        on = self._on = given(self._scheduler)
        now = clock(on)()
        self._last = event
        count, due = self._throttle.hit(now), self._throttle.due
        self.timer.disposable = Disposable() if due is None else on.schedule_relative(due - now, self._on_time)
        self._tell(count)

    def on_error(self, error: Exception) -> None:
        """Tell what is left, then the error."""
        self._tell_rest()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        """Tell what is left, then the end."""
        self._tell_rest()
        self._observer.on_completed()

    def _on_time(self, *_: object) -> None:
        # A turn of our own: what the subscriber raises here, nobody below catches.
        try:
            self._tell_rest()
        except RAISED as error:
            self.running.dispose()
            report(error, self._scheduler)

    def _tell_rest(self) -> None:
        self._tell(self._throttle.flush(clock(self._on)()))

    def _tell(self, count: int | None) -> None:
        last = self._last
        if count is not None and last is not None:
            alert = DisconnectAlert(reason=last.reason, count=count, origin=last.origin, time_ns=last.time_ns)
            self._observer.on_next(alert)
