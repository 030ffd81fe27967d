"""The stream under test with its settings, and all that was seen of it, in one order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Self

from reactivex import Observable, abc

from rxws import Backoff, ws_observable
from rxws.events import Blocked, Closed, Connecting, Event, Live, Opened, Rotated, Subscribed, Suspended, Waiting
from rxws.testing import Leftovers

__all__ = ["CHANCE", "SETTINGS", "Client", "Watch"]

Client = Callable[..., Observable[Any]]
"""What is tried: `ws_observable`, or what stands in its place."""

SETTINGS: dict[str, Any] = {
    "retry": Backoff(initial=0.05, cap=0.4),
    "open_timeout": 1.0,
    "ping_interval": 0.3,
    "ping_timeout": 0.3,
    "idle_timeout": 1.0,
    "close_timeout": 0.5,
}
"""What a fault is played with; who waits for something else changes it."""

CHANCE: dict[str, Any] = {"random": lambda: 0.9}
"""A tenth of each delay, so that nobody waits; what is about delays says otherwise."""

LETTERS = {Connecting: "C", Opened: "O", Subscribed: "S", Live: "L", Closed: "X", Waiting: "W", Rotated: "R"}
ORDER = re.compile(r"(C(O(S?Ld*|S)?)?XW)*(C(O(S?Ld*|S)?)?X?)?")
"""The order of what is told: c.f. `rxws.events`; d is data."""
ROTATING = re.compile(r"C(O(S?L?R?|S|R)?)?X?")
"""The order of what is told of one connection where two overlap; R: it has taken over."""


class Watch:
    """One subscription; used as a context, it is disposed at the end, and nothing of it may be left then.

    Args:
        leftovers: who knows what the client makes.
        url: where to.
        consumer: called with each value, after it was noted.
        listener: called with each event, after it was noted.
        client: what makes the stream.
        patience: seconds after which what is waited for is missed.
        settings: what is not as in SETTINGS.
    """

    def __init__(
        self,
        leftovers: Leftovers,
        url: Any,
        consumer: Callable[[Any], object] | None = None,
        listener: Callable[[Event], object] | None = None,
        client: Client = ws_observable,
        patience: float = 10.0,
        **settings: Any,
    ) -> None:
        self.told: list[Any] = []
        self.error: Exception | None = None
        self.completed = False
        self._leftovers = leftovers
        self._rotates = "rotate" in settings
        self._consumer = consumer
        self._listener = listener
        self._patience = patience
        self._rotates = settings.get("rotate") is not None
        self._stream = client(url, events=self._heard, **{**SETTINGS, **CHANCE, **settings})
        self.subscription: abc.DisposableBase | None = None

    def subscribe(self) -> Self:
        """Subscribe, as the client."""
        self.subscription = self._leftovers.as_client(self._stream.subscribe, self._seen, self._failed, self._completed)
        return self

    def dispose(self) -> None:
        """Dispose, as the client."""
        assert self.subscription is not None
        self._leftovers.as_client(self.subscription.dispose)

    async def until(self, condition: Callable[[], object], seconds: float | None = None) -> None:
        """Wait until `condition()`; the seconds are only a guard, by default the patience.

        Raises:
            AssertionError: it never came true.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + (self._patience if seconds is None else seconds)
        while not condition():
            if self.error is not None or self.completed:
                end = min(end, loop.time() + 1.0)  # only what is under way can still come
            if loop.time() > end:
                raise AssertionError(f"never came true; so far {self.shape[-80:]}, at last {self.told[-3:]}")
            await asyncio.sleep(0.005)

    async def closes(self, count: int) -> list[Closed]:
        """Wait for so many ends of attempts."""
        await self.until(lambda: len(self.of(Closed)) >= count)
        return self.of(Closed)

    async def gone(self) -> None:
        """Wait until nothing is left of it, two seconds at most.

        Raises:
            AssertionError: something is.
        """
        if left := await self._leftovers.after_a_while():
            raise AssertionError(f"left behind: {left}")

    async def __aenter__(self) -> Self:
        return self.subscribe()

    async def __aexit__(self, failed: object, *_: object) -> None:
        self.dispose()
        if failed is None:
            if not self.in_order:
                raise AssertionError(f"told out of order: {self.shape[-200:]}")
            await self.gone()

    @property
    def values(self) -> list[Any]:
        """The data."""
        return [each for each in self.told if not isinstance(each, Event)]

    @property
    def numbers(self) -> list[int]:
        """The numbers of what the server numbered."""
        return [each["n"] for each in self.values if isinstance(each, dict) and "n" in each]

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one kind."""
        return [each for each in self.told if isinstance(each, kind)]

    @property
    def shape(self) -> str:
        """What was told, a letter each."""
        return "".join(LETTERS.get(type(each), "?") if isinstance(each, Event) else "d" for each in self.of_the_stream)

    @property
    def of_the_stream(self) -> list[Any]:
        """What was told, but for what the machine does: a busy one stops loops by itself."""
        return [each for each in self.told if not isinstance(each, Blocked | Suspended)]

    @property
    def _shapes(self) -> dict[int, str]:
        """What was told of each connection, by its number."""
        shapes: dict[int, str] = {}
        for event in self.of(Event):
            if type(event) in LETTERS and not isinstance(event, Waiting):
                shapes[event.generation] = shapes.get(event.generation, "") + LETTERS[type(event)]
        return shapes

    @property
    def in_order(self) -> bool:
        """Whether Connecting, Opened, Subscribed, Live, data, Closed, Waiting came in this order, over and over.

        Two connections of a rotation are told between each other: there, each for itself.
        """
        if self._rotates:
            return all(ROTATING.fullmatch(shape) for shape in self._shapes.values())
        return ORDER.fullmatch(re.sub(r"[?]", "", self.shape)) is not None

    def _heard(self, event: Event) -> None:
        self.told.append(event)
        if self._listener is not None:
            self._listener(event)

    def _seen(self, value: Any) -> None:
        self.told.append(value)
        if self._consumer is not None:
            self._consumer(value)

    def _failed(self, error: Exception) -> None:
        self.error = error

    def _completed(self) -> None:
        self.completed = True
