"""A notifier for `repeat_when`, made of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable

from rxws.arguments import function
from rxws.operators._notifier import deciding
from rxws.types import RepeatSignal

__all__ = ["reopen"]


def reopen(
    when: Callable[[RepeatSignal], float | Observable[Any] | None],
) -> Callable[[Observable[RepeatSignal]], Observable[Any]]:
    """Make the notifier of `repeat_when` that emits when a function says so.

    ::

        signals   ──s────────s──
        when        └ 2 s ┐  └ None
        result    ────────n──|

    Args:
        when: from a planned end to the seconds until the next connection, or an observable whose first value means now,
            or None: the result completes, as it does where the observable completes without a value. What it raises is
            the result's error.

    Raises:
        ConfigError: `when` is not callable.

    >>> from reactivex.testing import TestScheduler
    >>> import reactivex as rx
    >>> from rxws.operators import repeat_when
    >>> virtual, seen = TestScheduler(), []
    >>> twice = repeat_when(reopen(lambda signal: 5.0 if signal.total < 2 else None))
    >>> _ = rx.of("tick").pipe(twice).subscribe(seen.append, on_completed=lambda: seen.append("|"), scheduler=virtual)
    >>> virtual.advance_to(20.0)
    >>> seen
    ['tick', 'tick', '|']
    """
    function("when", when, "a RepeatSignal")
    return deciding(when)
