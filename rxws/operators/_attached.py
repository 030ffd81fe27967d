"""From connections to values in one step: `messages` and `decode` as the one sink of the Connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable, abc

from rxws.operators._decoded import Decoding
from rxws.operators._decoded_lists import DecodedLists
from rxws.operators._passage import Passage
from rxws.types import Connection, Journal

__all__ = ["decoded", "decoded_lists"]

T = TypeVar("T")


def decoded(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[T]]:
    """Turn connections into their values, one by one."""
    return _attached(lambda connection, observer: connection.attach(decoding.sink(observer, *_told(connection))))


def decoded_lists(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[list[T]]]:
    """Turn connections into lists of their values; no list goes over the end of a read, or holds more than 64."""
    return _attached(
        lambda connection, observer: connection.attach_lists(DecodedLists(decoding, observer, *_told(connection)))
    )


def _told(connection: Connection) -> tuple[Journal, Callable[[Exception], None]]:
    return connection.journal, connection.fail


def _attached(
    attach: Callable[[Connection, abc.ObserverBase[T]], None],
) -> Callable[[Observable[Connection]], Observable[T]]:
    def operator(source: Observable[Connection]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            return source.subscribe(
                lambda connection: attach(connection, observer),
                observer.on_error,
                observer.on_completed,
                scheduler=scheduler,
            )

        return Passage(subscribe)

    return operator
