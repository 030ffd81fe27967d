"""What a venue does to a connection by the clock: pings, their deadline, the end of its days."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from rxws.testing._clock import Clock, Timer
from rxws.testing._limits import Limits

__all__ = ["Patient", "Upkeep"]

_PINGS_REMEMBERED = 16


class Patient(Protocol):
    """The connection that is looked after."""

    def send_ping(self, payload: bytes) -> None:
        """Send a ping."""

    def announce_shutdown(self) -> None:
        """Send `serverShutdown`."""

    def say_close(self, code: int | None, reason: str = "") -> bool:
        """Send a close frame."""


class Upkeep:
    """The timers of one connection.

    Args:
        patient: the connection.
        limits: how often, and how long.
        clock: time.
        random: chance, uniform in [0, 1).
    """

    def __init__(self, patient: Patient, limits: Limits, clock: Clock, random: Callable[[], float]) -> None:
        self._patient = patient
        self._limits = limits
        self._clock = clock
        self._timers: dict[str, Timer] = {}
        self._pings: deque[bytes] = deque(maxlen=_PINGS_REMEMBERED)
        self._sent = 0
        self._end: float | None = None
        if limits.max_age is not None:
            life = limits.max_age * (1 - limits.max_age_jitter * random())
            self._end = clock.time() + life

    def start(self) -> None:
        """Begin, or go on after `stop`; an age that was reached meanwhile is reached at once."""
        self._set("ping", self._limits.ping_interval, self._ping)
        if self._end is not None:
            left = max(0.0, self._end - self._clock.time())
            self._set("age", left, self._retire)
            if self._limits.notice is not None:
                self._set("notice", max(0.0, left - self._limits.notice), self._announce)

    def stop(self) -> None:
        """Do nothing any more. No timer is left."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._pings.clear()

    def pong(self, payload: bytes) -> None:
        """A pong came. It answers the ping with its payload, and the ones before."""
        if payload not in self._pings:
            return
        self._pings.clear()
        if timer := self._timers.pop("pong", None):
            timer.cancel()

    def shut_down(self, lead: float) -> None:
        """Announce the end now, and bring it about `lead` seconds later."""
        self._announce()
        self._end = self._clock.time() + lead
        self._set("age", lead, self._retire)

    def _ping(self) -> None:
        self._sent += 1
        payload = b"%d" % self._sent
        self._pings.append(payload)
        if "pong" not in self._timers:
            self._set("pong", self._limits.pong_timeout, self._give_up)
        self._set("ping", self._limits.ping_interval, self._ping)
        self._patient.send_ping(payload)

    def _give_up(self) -> None:
        self._patient.say_close(1008, "Pong timeout")

    def _retire(self) -> None:
        self._patient.say_close(1001)

    def _announce(self) -> None:
        if timer := self._timers.pop("notice", None):
            timer.cancel()
        self._patient.announce_shutdown()

    def _set(self, name: str, delay: float | None, callback: Callable[[], object]) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()
        if delay is not None:
            self._timers[name] = self._clock.call_later(delay, callback)
