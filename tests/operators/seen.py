"""What a subscription in virtual time brought, each with its time; and the connections that operators stand on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reactivex import Observable
from reactivex.testing import TestScheduler

from rxws import connect
from rxws.testing import ScriptedTransport
from rxws.types import Connection

COMPLETED = "completed"


class Seen:
    """Subscribes at the time that it is, and notes (time, value), (time, error) or (time, COMPLETED)."""

    def __init__(self, virtual: TestScheduler, stream: Observable[Any], told: Callable[[Any], object] = bool) -> None:
        self.virtual = virtual
        self.messages: list[tuple[float, Any]] = []
        self._told = told
        self.subscription = stream.subscribe(self._note, self._note, lambda: self._note(COMPLETED), scheduler=virtual)

    def _note(self, what: Any) -> None:
        self.messages.append((self.virtual.clock, what))
        self._told(what)

    @property
    def values(self) -> list[Any]:
        """What came, without the times."""
        return [value for _, value in self.messages]

    def dispose(self) -> None:
        """Leave."""
        self.subscription.dispose()


def at(time: float) -> TestScheduler:
    """Return a virtual clock that shows `time`."""
    virtual = TestScheduler()
    virtual.advance_to(time)
    return virtual


def dialled(transport: ScriptedTransport, **options: Any) -> Observable[Connection]:
    """Connect over `transport`, without pings."""
    return connect("ws://scripted", **{"transport": transport, "ping_interval": None, **options})


async def turns() -> None:
    """Let the running loop do what is due: a few turns, no time."""
    for _ in range(10):
        await asyncio.sleep(0)
