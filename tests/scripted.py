"""A stream over the scripted transport in virtual time, and all that was seen of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable
from reactivex.testing import TestScheduler

from rxws import Stats, ws_observable
from rxws.events import Event
from rxws.testing import Attempt, ScriptedTransport


class Played:
    """What a subscription has brought so far; the clock moves by `to`."""

    def __init__(self, virtual: TestScheduler, transport: ScriptedTransport) -> None:
        self.virtual = virtual
        self.transport = transport
        self.values: list[tuple[float, Any]] = []
        self.events: list[Event] = []
        self.error: Exception | None = None
        self.completed = False
        self.stats = Stats()

    def subscribe(self, stream: Observable[Any]) -> Played:
        self.subscription = stream.subscribe(
            lambda value: self.values.append((self.virtual.clock, value)),
            lambda error: setattr(self, "error", error),
            lambda: setattr(self, "completed", True),
            scheduler=self.virtual,
        )
        return self

    def to(self, seconds: float) -> Played:
        self.virtual.advance_to(seconds)
        return self

    @property
    def told(self) -> list[str]:
        """The events by name, in order."""
        return [type(event).__name__ for event in self.events]

    @property
    def dials(self) -> list[float]:
        """When it dialled."""
        return [dialed.at for dialed in self.transport.dials]

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def play(
    *attempts: Attempt | Callable[[float], Attempt],
    url: Any = "ws://scripted/ws",
    random: float = 0.0,
    virtual: TestScheduler | None = None,
    **options: Any,
) -> Played:
    """Subscribe a stream of these attempts at time 0; chance always says `random`."""
    virtual, transport = virtual or TestScheduler(), options.pop("transport", None) or ScriptedTransport(*attempts)
    played = Played(virtual, transport)
    stream = ws_observable(
        url,
        **{
            "transport": transport,
            "stats": played.stats,
            "events": played.events.append,
            "random": lambda: random,
            **options,
        },
    )
    return played.subscribe(stream)
