"""Send something at regular times for as long as a connection lives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.arguments import seconds
from rxws.errors import RxwsError
from rxws.operators._payloads import encoded_one
from rxws.scheduler import clock, given, resolve
from rxws.types import Connection, Payload

__all__ = ["Beat", "heartbeat"]

Beat = Payload | Callable[[], Payload | Awaitable[Payload | None] | None]
"""A payload, or a callable, sync or async, that does what is to be done and returns a payload to send, or None."""


def heartbeat(every: float, beat: Beat) -> Callable[[Observable[Connection]], Observable[Connection]]:
    """Send a payload, or run a function, every so many seconds while a connection is open.

    ::

        source    ──C────────────x──C──────
        sent        └──h──h──h──      └──h──

    What venues call a ping is often a message of their own (OKX wants the text "ping" within 30 s of silence), and a
    listen key of Binance lives for 60 minutes after the last PUT. WebSocket's own pings are `ping_interval`. In the
    overlap of a rotation each connection has beats of its own.

    Args:
        every: seconds between two; the first comes so long after the connection is open and subscribed.
        beat: a payload (dict or list as JSON, str, bytes); or a callable without arguments, sync or async, of which
            what is returned is sent, None: nothing. What it raises is logged, and changes nothing. One that still runs
            when the next is due is waited for, so that there are never two; give it a timeout of its own. When the
            connection ends, it is cancelled. A beat that finds no room in the outbox is dropped, counted and told.

    Raises:
        ConfigError: an argument is wrong.

    Source: OKX v5, WebSocket, "Connect", read 2026-11; Binance spot, user data streams, read 2026-11.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import connect
    >>> from rxws.testing import ScriptedTransport
    >>> virtual, transport = TestScheduler(), ScriptedTransport()
    >>> _ = connect("ws://scripted", transport=transport).pipe(heartbeat(20.0, "ping")).subscribe(scheduler=virtual)
    >>> virtual.advance_to(50.0)
    >>> transport.dials[0].sent
    ['ping', 'ping']
    """
    seconds("every", every, optional=False)
    made = beat if callable(beat) else encoded_one("beat", beat)

    def operator(source: Observable[Connection]) -> Observable[Connection]:
        def subscribe(
            observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            beating = SerialDisposable()

            def on_next(connection: Connection) -> None:
                pulse = Pulse(connection, every, made, given(scheduler))
                beating.disposable = pulse.timers
                connection.on_end(pulse.timers.dispose)
                pulse.wait()
                observer.on_next(connection)

            running = source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(beating, running)

        return Observable(subscribe)

    return operator


class Pulse:
    """The beats of one connection."""

    def __init__(self, connection: Connection, every: float, beat: Beat, scheduler: abc.SchedulerBase) -> None:
        self._connection = connection
        self._every = every
        self._beat = connection.journal.timed(beat) if callable(beat) else beat
        self._scheduler = scheduler
        self._clock = clock(scheduler)
        self._began = self._clock()
        self._timer, self._running = SerialDisposable(), SerialDisposable()
        self.timers = CompositeDisposable(self._timer, self._running)

    def wait(self) -> None:
        """Beat `every` seconds after the last one began, and at once where it took longer."""
        left = max(0.0, self._began + self._every - self._clock())
        self._timer.disposable = self._scheduler.schedule_relative(left, self._due)

    def _due(self, *_: object) -> None:
        self._began = self._clock()
        if not callable(self._beat):
            self._send(self._beat)
            return
        try:
            answer = self._beat()
        except Exception as error:
            self._raised(error)
        else:
            self._running.disposable = resolve(answer, self._send, self._raised)

    def _send(self, payload: Payload | None) -> None:
        if payload is not None and not self.timers.is_disposed:
            try:
                self._connection.send(payload)
            except RxwsError:
                self._connection.journal.dropped("heartbeat")
            except Exception as error:  # what a callable returned cannot be sent
                self._connection.journal.callback_failed("heartbeat", error)
        self.wait()

    def _raised(self, error: Exception) -> None:
        self._connection.journal.callback_failed("heartbeat", error)
        self.wait()
