"""A scripted transport that notes the instant of every frame that a server would count."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from reactivex import abc

from rxws.scheduler import clock
from rxws.testing import Attempt, ScriptedTransport
from rxws.transport import Dial, Receiver

__all__ = ["Counted", "CountingTransport", "most_in_any"]


class Counted:
    """The frames of one connection: (instant, kind)."""

    def __init__(self, receiver: Receiver, now: Any) -> None:
        self.frames: list[tuple[float, str]] = []
        self._receiver = receiver
        self._now = now
        self.on_message = receiver.on_message

    def note(self, kind: str) -> None:
        """A frame leaves."""
        self.frames.append((self._now(), kind))

    def on_open(self, socket: Any) -> None:
        self._receiver.on_open(CountedSocket(socket, self))

    def on_ping(self) -> None:
        self.note("pong")  # the transport answers, and then tells
        self._receiver.on_ping()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._receiver, name)


class CountedSocket:
    """Notes what is sent, on its way to the script's socket; as a script says, it is full for a while."""

    def __init__(self, socket: Any, counted: Counted) -> None:
        self._socket = socket
        self._counted = counted

    def send(self, payload: bytes, is_text: bool) -> None:
        self._socket.send(payload, is_text)
        self._counted.note("message")

    def ping(self, payload: bytes) -> None:
        self._socket.ping(payload)
        self._counted.note("ping")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class CountingTransport:
    """A `ScriptedTransport`; `connections` has the frames of each dial."""

    def __init__(self, *attempts: Attempt) -> None:
        self.script = ScriptedTransport(*attempts)
        self.connections: list[Counted] = []

    def check(self, options: Mapping[str, object]) -> None: ...

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        self.connections.append(Counted(receiver, clock(scheduler)))
        return self.script.open(dial, self.connections[-1], scheduler)


def most_in_any(per: float, instants: list[float]) -> int:
    """Return the most that any half-open window of `per` seconds holds, by looking at each."""
    most, window = 0, deque[float]()
    for instant in sorted(instants):
        window.append(instant)
        while round(instant - window[0], 6) >= per:
            window.popleft()
        most = max(most, len(window))
    return most
