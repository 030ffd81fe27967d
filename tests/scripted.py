"""A stream over the scripted transport in virtual time, and all that was seen of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable, abc
from reactivex.testing import TestScheduler

from rxws import Stats, ws_observable
from rxws.errors import RxwsError
from rxws.events import Event
from rxws.testing import Attempt, ScriptedTransport
from rxws.transport import Dial, Receiver


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


class Full(ScriptedTransport):
    """Its sockets take `room` messages, and then raise `error`."""

    def __init__(self, room: int, error: RxwsError, *attempts: Attempt) -> None:
        super().__init__(*attempts)
        self._room = room
        self._error = error

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        opened = receiver.on_open

        def on_open(socket: Any) -> None:
            send = socket.send

            def bounded(payload: bytes, is_text: bool) -> None:
                if len(self.dials[-1].sent) == self._room:
                    raise self._error
                send(payload, is_text)

            socket.send = bounded
            opened(socket)

        receiver.on_open = on_open  # type: ignore[method-assign]
        return super().open(dial, receiver, scheduler)
