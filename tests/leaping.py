"""An event loop whose clock leaps to the next timer when nothing else is to be done: minutes pass in no time."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

__all__ = ["LeapingLoop", "leap", "leaping"]

P = ParamSpec("P")
T = TypeVar("T")

KERNEL = 0.001
"""Real seconds in which what was written to loopback must have arrived."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """All on it, the server's side too, takes its time from it; code takes none."""

    def __init__(self) -> None:
        self._now = 1_000.0
        super().__init__(Patient(self))

    def time(self) -> float:
        """Return the seconds of timers alone."""
        return self._now

    def _make_socket_transport(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
        # The kernel would keep a small message back for 40 ms, until the one before is acknowledged.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return super()._make_socket_transport(sock, *args, **kwargs)  # type: ignore[misc]

    def leap(self, seconds: float) -> None:
        """Let so much time pass."""
        # Where the sum is rounded down, the timer would not be due, and nothing would ever happen again.
        self._now += seconds + 1e-9


class Patient(selectors.DefaultSelector):
    """Looks whether there is anything to be read, and else lets the time pass that it should have waited."""

    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; never wait for a timer."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0) or (super().select(KERNEL) if timeout > 0 else [])
        if not ready and timeout > 0:
            self._loop.leap(timeout)
        return ready


def leap(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on such a loop."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(main)


def leaping(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run an async test on such a loop, in place of pytest's."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return leap(test(*args, **kwargs))

    return run
