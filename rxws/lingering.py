"""What stays for a while after the last who wanted it has left, unless its loop is about to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from reactivex import abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

__all__ = ["end_lingering", "linger"]

# Any: a loop, of which there is one class a platform.
_LINGERING: WeakKeyDictionary[Any, dict[object, Callable[[], None]]] = WeakKeyDictionary()


def linger(scheduler: abc.SchedulerBase, seconds: float, then: Callable[[], None]) -> abc.DisposableBase:
    """Call `then` once, in so many seconds or when the loop is about to end, whichever comes first."""
    timer = SerialDisposable()
    key = object()
    waiting: dict[object, Callable[[], None]] = {}
    if isinstance(scheduler, AsyncIOScheduler):
        waiting = _LINGERING.setdefault(scheduler._loop, {})

    def forget() -> None:
        waiting.pop(key, None)

    def over(*_: object) -> None:
        everything.dispose()
        then()

    everything = CompositeDisposable(timer, Disposable(forget))
    waiting[key] = over
    timer.disposable = scheduler.schedule_relative(seconds, over)
    return everything


def end_lingering() -> None:
    """The running loop is about to end: nothing lingers any more."""
    for over in list(_LINGERING.get(asyncio.get_running_loop(), {}).values()):
        over()
