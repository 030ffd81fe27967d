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
        ping: sends a ping with this payload, or has it wait; `left` follows once it has left.
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
        self._probe_within: float | None = None
        self._paused = False
        self._due: float | None = None
        self._left = interval
        self._wait(interval)

    def left(self) -> None:
        """Count the seconds of the ping that was asked for last: it has left."""
        if self._paused:
            return
        self._sent_at = self._clock()
        within = self._within
        if within is None:
            self._wait(self._interval)
        else:
            self._after(within, lambda: self._overdue(within))

    def on_pong(self, payload: bytes) -> None:
        """Take a pong; one that answers no ping of ours is ignored (RFC 6455, section 5.5.3)."""
        if self._sent_at is None or payload != self._payload():
            return
        self.latency = self._clock() - self._sent_at
        self._sent_at = self._probe_within = None
        if not self._timer.is_disposed:
            self._wait(self._interval)

    def probe(self, timeout: float) -> None:
        """Ping now, or when it is resumed, and take at most `timeout` seconds, or the usual ones, for an answer."""
        self._probe_within = timeout if self._timeout is None else min(timeout, self._timeout)
        if not self._paused:
            self._send()

    def pause(self) -> None:
        """Ask for nothing, and wait for no pong: nothing is read."""
        # A pong that is waited for says nothing of the server's speed any more: the next ping's does.
        self._left = self._interval if self._due is None else max(0.0, self._due - self._clock())
        self._paused, self._sent_at = True, None
        self._timer.disposable = Disposable()

    def resume(self) -> None:
        """Go on with what was left of the interval; a probe that is not answered yet begins anew."""
        self._paused = False
        if self._probe_within is None:
            self._wait(self._left)
        else:
            self._send()

    def dispose(self) -> None:
        """Send nothing more."""
        self._timer.dispose()

    @property
    def _within(self) -> float | None:
        return self._timeout if self._probe_within is None else self._probe_within

    def _payload(self) -> bytes:
        return self._number.to_bytes(4)

    def _wait(self, seconds: float | None) -> None:
        if seconds is None:
            self._timer.disposable = Disposable()
        else:
            self._due = self._clock() + seconds
            self._after(seconds, self._send)

    def _send(self) -> None:
        self._number = (self._number + 1) % 2**32
        self._sent_at = self._due = None
        self._timer.disposable = Disposable()
        self._ping(self._payload())

    def _overdue(self, within: float) -> None:
        assert self._sent_at is not None
        # Where the loop was busy, and a server on the same loop with it, that time is given back, once.
        late = self._clock() - self._sent_at - within
        if late > 0:
            self._after(min(late, within), lambda: self._drain(within))
        else:
            self._drain(within)

    def _drain(self, within: float) -> None:
        self._timer.disposable = when_drained(self._scheduler, self._reads, lambda: self._missed(PingTimeout(within)))

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._timer.disposable = self._scheduler.schedule_relative(seconds, lambda *_: action())
