"""Pings on the scheduler's time, one for all transports; a pong is missed only when it has not come."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.errors import Disconnected, PingTimeout
from rxws.scheduler import clock, when_drained

__all__ = ["Keepalive"]


class Keepalive:
    """Sends a ping every `interval` seconds, and says so when its pong does not come within `timeout`.

    The libraries' own keepalive closes good connections whose reader is busy: its timer fires before the pong that
    has long arrived is read. Here a pong is missing only once everything that had arrived has been read.

    Args:
        interval: seconds between a pong and the next ping; None: no pings but probes.
        timeout: seconds that a pong may take; None: for ever.
        ping: sends a ping with this payload.
        reads: how often the socket was read so far.
        missed: told once that a pong did not come.
        scheduler: whose time.
    """

    def __init__(
        self,
        interval: float | None,
        timeout: float | None,
        ping: Callable[[bytes], None],
        reads: Callable[[], int],
        missed: Callable[[Disconnected], None],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.latency: float | None = None
        self._interval = interval
        self._timeout = timeout
        self._ping = ping
        self._reads = reads
        self._missed = missed
        self._scheduler = scheduler
        self._clock = clock(scheduler)
        self._timer = SerialDisposable()
        self._number = 0
        self._sent_at: float | None = None
        self._within = timeout
        self._left = interval
        self._due = 0.0
        self._wait(interval)

    def on_pong(self, payload: bytes) -> None:
        """Take a pong; one that answers no ping of ours is ignored (RFC 6455, section 5.5.3)."""
        if self._sent_at is None or payload != self._payload():
            return
        self.latency = self._clock() - self._sent_at
        self._sent_at = None
        if not self._timer.is_disposed:
            self._wait(self._interval)

    def probe(self, timeout: float) -> None:
        """Ping now, and take at most `timeout` seconds, or the usual ones, for an answer."""
        self._within = timeout if self._timeout is None else min(timeout, self._timeout)
        self._send()

    def pause(self) -> None:
        """Ask for nothing, and wait for no pong: nothing is read."""
        # A pong that is waited for says nothing of the server's speed any more: the next ping's does.
        asked = self._interval is None or self._sent_at is not None
        self._left = self._interval if asked else max(0.0, self._due - self._clock())
        self._sent_at = None
        self._timer.disposable = Disposable()

    def resume(self) -> None:
        """Go on with what was left of the interval."""
        self._wait(self._left)

    def dispose(self) -> None:
        """Send nothing more."""
        self._timer.dispose()

    def _payload(self) -> bytes:
        return self._number.to_bytes(4)

    def _wait(self, seconds: float | None) -> None:
        self._within = self._timeout
        if seconds is None:
            self._timer.disposable = None
        else:
            self._due = self._clock() + seconds
            self._after(seconds, self._send)

    def _send(self) -> None:
        self._number = (self._number + 1) % 2**32
        self._sent_at = self._clock()
        if self._within is None:
            self._wait(self._interval)
        else:
            self._after(self._within, self._overdue)
        self._ping(self._payload())

    def _overdue(self) -> None:
        assert self._within is not None and self._sent_at is not None
        # Where the loop was busy, and a server on the same loop with it, that time is given back, once.
        late = self._clock() - self._sent_at - self._within
        if late > 0:
            self._after(min(late, self._within), self._drain)
        else:
            self._drain()

    def _drain(self) -> None:
        self._timer.disposable = when_drained(self._scheduler, self._reads, self._give_up)

    def _give_up(self) -> None:
        assert self._within is not None
        self._missed(PingTimeout(self._within))

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._timer.disposable = self._scheduler.schedule_relative(seconds, lambda *_: action())
