"""A row of the table, what it is given, and what it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from benchmarks.reliability.watching import Client, Watch
from rxws import ws_observable
from rxws.testing import Leftovers

__all__ = ["Figure", "Row", "Trial", "counted", "row"]


@dataclass(frozen=True)
class Figure:
    """What was seen: whether what must hold did, and the figure for the table."""

    passed: bool
    text: str

    @classmethod
    def of(cls, text: str, **checks: object) -> Self:
        """Passed if all of the checks, each by its name, are true; those that are not are named behind the text."""
        failed = [name.replace("_", " ") for name, held in checks.items() if not held]
        return cls(not failed, f"{text}; not so: {', '.join(failed)}" if failed else text)


@dataclass
class Trial:
    """What a row is given.

    Args:
        leftovers: who knows what the client makes.
        short: whether a reduced size will do.
        client: what makes the stream; a test puts a broken one here.
        patience: seconds after which what a row waits for counts as missed.
    """

    leftovers: Leftovers
    short: bool
    client: Client = ws_observable
    patience: float = 10.0
    expected: list[BaseException] = field(default_factory=list)
    """What the event loop's exception handler is to hear; anything else fails the row."""

    def watch(self, url: Any, consumer: Any = None, listener: Any = None, **settings: Any) -> Watch:
        """Return a subscription to be used as a context, in the settings of `watching` and those given."""
        return Watch(self.leftovers, url, consumer, listener, self.client, self.patience, **settings)

    def size(self, short: int, long: int) -> int:
        """Return how often, or how many."""
        return short if self.short else long

    async def until(self, condition: Callable[[], object], seconds: float | None = None) -> None:
        """Wait for something that is not one subscription's.

        Raises:
            AssertionError: it never came true.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + (self.patience if seconds is None else seconds)
        while not condition():
            if loop.time() > end:
                raise AssertionError("what the row waits for never came")
            await asyncio.sleep(0.005)

    async def after_a_while(self) -> None:
        """Wait until nothing is left of the client.

        Raises:
            AssertionError: something is.
        """
        if left := await self.leftovers.after_a_while():
            raise AssertionError(f"left behind: {left}")


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    key: str
    happens: str
    must_hold: str
    run: Callable[[Trial], Awaitable[Figure]]
    limit: float
    """Seconds that the row may take."""


def row(key: str, happens: str, must_hold: str, limit: float = 60.0) -> Callable[[Callable[..., Any]], Row]:
    """Make a row of a function of a `Trial` that returns a `Figure`."""
    return lambda run: Row(key, happens, must_hold, run, limit)


def counted(count: int, what: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {what if count == 1 else many or what + 's'}"
