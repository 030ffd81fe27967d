"""Drop lifecycle events from a stream that carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from reactivex import Observable
from reactivex import operators as ops

from rxws.events import Event

__all__ = ["data_only"]

T = TypeVar("T")


def data_only() -> Callable[[Observable[T | Event]], Observable[T]]:
    """Pass on what is no lifecycle event: the data of ``ws_observable(url, lifecycle=True)``.

    ::

        source    ──Connecting──Opened──1──2──Closed──
        result    ──────────────────────1──2──────────

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import ws_observable
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual = TestScheduler()
    >>> transport = ScriptedTransport(Attempt(messages=[(1.0, "1"), (2.0, "2")]))
    >>> stream = ws_observable("ws://scripted", transport=transport, lifecycle=True)
    >>> _ = stream.pipe(data_only()).subscribe(print, scheduler=virtual)
    >>> virtual.advance_to(3.0)
    1
    2
    """

    def operator(source: Observable[T | Event]) -> Observable[T]:
        return cast(Observable[T], source.pipe(ops.filter(_is_data)))

    return operator


def _is_data(value: object) -> bool:
    return not isinstance(value, Event)
