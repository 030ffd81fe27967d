"""What a venue does to a connection by the clock: pings, their deadline, the end of its days."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from rxws.testing._clock import Clock, Timer
from rxws.testing._limits import Limits
from rxws.testing._protocols.protocol import Session

__all__ = ["Patient", "Upkeep"]

_PINGS_REMEMBERED = 16


class Patient(Protocol):
    """The connection that is looked after."""

    def send_ping(self, payload: bytes) -> None:
        """Send a ping."""

    @property
    def session(self) -> Session:
        """What its venue's protocol knows of it."""

    def announce_shutdown(self) -> None:
        """Send the venue's notice of a planned end."""

    def send_heartbeat(self, idle: bool) -> bool:
        """Send the venue's heartbeat; whether it must be answered."""

    def expire(self, deadline: str) -> None:
        """The client has missed a deadline."""

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
        self._beat: float | None = None
        self._quiet = True
        """Whether nothing was sent since the last heartbeat."""
        self._active = clock.time() if limits.idle is not None else 0.0
        self._subscribed = False
        if limits.max_age is not None:
            life = limits.max_age * (1 - limits.max_age_jitter * random())
            self._end = clock.time() + life

    def start(self) -> None:
        """Begin, or go on after `stop`; an age that was reached meanwhile is reached at once."""
        self._set("ping", self._limits.ping_interval, self._ping)
        if not self._subscribed:
            self._set("first_request", self._limits.first_request, lambda: self._patient.expire("first_request"))
        if self._limits.idle is not None:
            self._active = self._clock.time()
            self._set("idle", self._limits.idle, self._look_for_life)
        self._beat = self._patient.session.beat
        self._set("beat", self._beat, self._send_heartbeat)
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

    def wrote(self) -> None:
        """Something was sent."""
        self._quiet = False
        if self._limits.idle is not None:
            self._active = self._clock.time()

    def heard(self, *, subscribed: bool) -> None:
        """A request came, and was answered; whether the client is subscribed to anything since."""
        if self._limits.idle is not None:
            self._active = self._clock.time()
        if subscribed and not self._subscribed:
            self._subscribed = True
            self._set("first_request", None, self._look_for_life)
        if not self._patient.session.asked:
            self._set("answer", None, self._look_for_life)
        if self._patient.session.beat != self._beat:
            self._beat = self._patient.session.beat
            self._quiet = True
            self._set("beat", self._beat, self._send_heartbeat)

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
        self._patient.expire("pong_timeout")

    def _send_heartbeat(self) -> None:
        asks = self._patient.send_heartbeat(self._quiet)
        self._quiet = True
        self._set("beat", self._beat, self._send_heartbeat)
        if asks and "answer" not in self._timers:
            timeout = self._limits.heartbeat_timeout
            self._set("answer", timeout, lambda: self._patient.expire("heartbeat_timeout"))

    def _look_for_life(self) -> None:
        assert self._limits.idle is not None
        left = self._active + self._limits.idle - self._clock.time()
        if left > 0.0:
            self._set("idle", left, self._look_for_life)
        else:
            self._patient.expire("idle")

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
