"""Order books that are fetched as a whole: no oftener than the venue lets an address ask."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TypeAlias

import reactivex as rx
from reactivex import Observable, abc
from reactivex import operators as ops

from rxws.market import BookSnapshot
from rxws.scheduler import given, resolve
from rxws.turn import Turn, governor_for
from rxws.venue import Rate, Snapshots

__all__ = ["TIMEOUT", "Get", "book_fetch"]

LOG = logging.getLogger("rxws")

TIMEOUT = 10.0
"""Seconds that a snapshot may take, from its turn on."""

Get: TypeAlias = Callable[[str], Awaitable[bytes]]
"""Gets the body of a URL by HTTP, with whatever library one has."""


def book_fetch(venue: str, snapshots: Snapshots, get: Get) -> Callable[[str], Observable[BookSnapshot]]:
    """Return what fetches the book of a symbol, in its turn among all of that venue that are fetched on this loop.

    Args:
        venue: its name.
        snapshots: where they are, and how often an address may ask.
        get: the caller's.
    """

    def fetch(symbol: str) -> Observable[BookSnapshot]:
        async def fetched() -> BookSnapshot:
            answer = get(snapshots.url(symbol))
            if not isawaitable(answer):
                right = "take an async function; what blocks goes into `await asyncio.to_thread(…)` there"
                raise TypeError(f"get returned {type(answer).__name__}, and nothing to await; {right}")
            return snapshots.decode(await answer, symbol)

        def subscribe(
            observer: abc.ObserverBase[BookSnapshot], _: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            return resolve(fetched(), observer.on_next, observer.on_error)

        late = rx.throw(TimeoutError(f"no snapshot within {TIMEOUT:g} s"))
        answer = Observable(subscribe).pipe(ops.take(1), ops.timeout(TIMEOUT, late))
        return _turn(f"{venue} snapshots", symbol, snapshots.rate).pipe(ops.flat_map(lambda _: answer))

    return fetch


def _turn(name: str, symbol: str, rate: Rate) -> Observable[None]:
    def subscribe(observer: abc.ObserverBase[None], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        on = given(scheduler)

        def waiting(seconds: float, _: str) -> None:
            LOG.debug("the book of %s is fetched in %.3f s: %s are limited", symbol, seconds, name)

        def now() -> None:
            observer.on_next(None)
            observer.on_completed()

        turn = Turn(governor_for(name, rate, on), on, waiting)
        turn.wait(name, now)
        return turn

    return Observable(subscribe)
