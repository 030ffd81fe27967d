"""Open the next connection before the old one is closed."""

from __future__ import annotations

import random as chance
from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable, Observer, abc
from reactivex.disposable import SerialDisposable

from rxws.arguments import seconds
from rxws.backoff import Backoff, Policy
from rxws.errors import ConfigError
from rxws.operators._alone import Alone
from rxws.operators._rotating import Rotating
from rxws.rotation import Rotation
from rxws.scheduler import RAISED, clock, given
from rxws.types import Handover

__all__ = ["rotate"]

T = TypeVar("T")


def rotate(
    rotation: Rotation | None,
    retry: Policy | None = Backoff(),
    *,
    limit: float | None = None,
    random: Callable[[], float] = chance.random,
    journal: Handover | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Replace each connection by the next one, which is opened beside it and takes over once it delivers.

    ::

        connection 1  ──1──2──3──4·
        asked for     ─────r
        connection 2        ──dial──4──5──6──
        result        ──1──2──3──4──────5──6──      with a key; 4 is there once

    The source is everything that one connection is: it is subscribed a second time for the overlap. There are never
    more than two sockets, the one that is being closed included. What fails with the new connection is no loss: the old
    one goes on, and the next try waits as `retry` says. The old one's loss is the result's error, unless the new one
    delivers.

    Args:
        rotation: when, and how; None: never.
        retry: the policy for new connections that fail or do not deliver; where it gives up, or where no attempt can
            cure the error, the old one stays until the next rotation is asked for.
        limit: seconds of age that a connection must not reach (`max_age`): so that it is replaced in time, a rotation
            starts before, also where `unless` stands against it. None: no limit.
        random: uniform in [0, 1), for the jitter.
        journal: who knows of the connections, the journal of `connect`; None: nobody. Then an age counts from the
            subscription or the cut, every value is data, and the next dial does not wait for the old socket's end.

    Raises:
        ConfigError: an argument is wrong.

    Errors of the result: those of the current connection; of an observable `when`; what `retry` itself raises; of the
    new connection what is none of a connection's (a `DecodeError`).

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import Rotation, ws_observable
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual, seen = TestScheduler(), []
    >>> old = Attempt(messages=[(at, str(at)) for at in range(1, 20)])
    >>> new = Attempt(messages=[(at, str(at + 10)) for at in range(1, 9)])  # dialled at 10
    >>> stream = ws_observable(
    ...     "ws://scripted", transport=ScriptedTransport(old, new), rotate=Rotation(10.0, key=int, jitter=0.0)
    ... )
    >>> _ = stream.subscribe(seen.append, scheduler=virtual)
    >>> virtual.advance_to(19.0)
    >>> seen == list(range(1, 19))
    True
    """
    if rotation is None:
        return _as_it_is
    if not isinstance(rotation, Rotation):
        raise ConfigError("rotate", f"{rotation!r} is no Rotation; take a Rotation(…), or None")
    if not (isinstance(rotation.when, int | float | Observable) or callable(rotation.when)):
        raise ConfigError(
            "when", f"{rotation.when!r} is no Observable of reactivex; take one, or seconds, or a callable"
        )
    if not (retry is None or callable(retry)):
        raise ConfigError("retry", f"{retry!r} is no policy; take a Backoff(…), a function of a RetrySignal, or None")
    seconds("limit", limit)
    planned = rotation

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on = given(scheduler)
            if journal is not None:
                return Rotating(source, observer, planned, retry, limit, random, journal, on).begin()
            everything = SerialDisposable()

            def on_next(value: T) -> None:
                # Where there is a journal, it sees to this: nothing may go on for a consumer that has raised.
                try:
                    observer.on_next(value)
                except RAISED:
                    everything.dispose()
                    raise

            guarded = Observer(on_next, observer.on_error, observer.on_completed)
            rotating = Rotating(source, guarded, planned, retry, limit, random, Alone(clock(on)), on)
            everything.disposable = rotating.begin()
            return everything

        return Observable(subscribe)

    return operator


def _as_it_is(source: Observable[T]) -> Observable[T]:
    return source
