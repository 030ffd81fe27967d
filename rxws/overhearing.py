"""Who shows a stream hears of its connections, though the stream was described before, and by somebody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rxws.events import Event

__all__ = ["Overhearer", "overheard_by", "overhearers"]

Overhearer = Callable[[], Callable[[Event], None]]
"""Asked once a subscription for who hears of its events."""

_OVERHEARERS: ContextVar[tuple[Overhearer, ...]] = ContextVar("rxws_overhearers", default=())


@contextmanager
def overheard_by(overhearer: Overhearer) -> Iterator[None]:
    """Hear the lifecycle events of every stream that is subscribed in this block.

    Args:
        overhearer: asked by each of these subscriptions for a function that hears of its events.

    Timers and tasks that are begun in the block carry it on: what a user's own operators subscribe later, they
    subscribe in its context. A stream that is shared, and was subscribed before, is not overheard.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import ws_observable
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual = TestScheduler()
    >>> stream = ws_observable("ws://scripted", transport=ScriptedTransport(Attempt(messages=[(1.0, "1")])))
    >>> with overheard_by(lambda: lambda event: print(type(event).__name__)):
    ...     _ = stream.subscribe(print, scheduler=virtual)
    >>> virtual.advance_to(2.0)
    Connecting
    Opened
    Live
    1
    """
    token = _OVERHEARERS.set((*_OVERHEARERS.get(), overhearer))
    try:
        yield
    finally:
        _OVERHEARERS.reset(token)


def overhearers() -> tuple[Callable[[Event], None], ...]:
    """Return who overhears the subscription that begins here and now."""
    return tuple(overhearer() for overhearer in _OVERHEARERS.get())
