"""Waiting for an exchange, and doing one thing to it after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from inspect import isawaitable

from rxws.testing._clock import Clock

__all__ = ["Schedule", "Step"]

Step = tuple[float, Callable[[], object]]
"""Seconds from the start of a script, and what to do then, such as `exchange.reset`."""


class Schedule:
    """Conditions that somebody waits for, and scripts.

    Args:
        clock: monotonic time in seconds, and timers.
    """

    _running = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiters: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        self._pauses: set[asyncio.Event] = set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` is true.

        It is asked whenever something is told, heard, opened, refused or ended. `asyncio.timeout`
        around it sets a limit.

        Args:
            condition: such as `lambda: exchange.handshakes_accepted == 2`.

        Raises:
            asyncio.CancelledError: the exchange was stopped.
        """
        if condition():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, waiter)
        self._waiters.append(entry)
        try:
            await waiter
        finally:
            self._waiters.remove(entry)

    async def play(self, script: Iterable[Step]) -> None:
        """Do one thing after the other at its time, and return after the last.

        It returns early when the exchange is stopped.

        Args:
            script: pairs of seconds from now, 0 or more, and what to do: a method of this exchange,
                or any function without arguments, sync or async. Arguments come by `lambda`.

        Raises:
            RuntimeError: the exchange is not started.
        """
        if not self._running:
            raise RuntimeError("the exchange does not run; start it, or write `async with`")
        start = self._clock.time()
        for at, act in sorted(script, key=lambda step: step[0]):
            await self._pause(start + at)
            if not self._running:
                return
            result = act()
            if isawaitable(result):
                await result

    async def _pause(self, until: float) -> None:
        due = asyncio.Event()
        self._pauses.add(due)
        timer = self._clock.call_later(max(0.0, until - self._clock.time()), due.set)
        try:
            await due.wait()
        finally:
            timer.cancel()
            self._pauses.discard(due)

    def changed(self) -> None:
        """Something has happened: ask all conditions."""
        for condition, waiter in self._waiters:
            if not waiter.done() and condition():
                waiter.set_result(None)

    def give_up_waiting(self) -> None:
        """End the scripts, and cancel whoever waits for a condition."""
        for pause in self._pauses:
            pause.set()
        for _, waiter in self._waiters:
            waiter.cancel()
