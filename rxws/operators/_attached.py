"""From connections to values in one step: `messages` and `decode` as the one sink of the Connection."""

from __future__ import annotations

from collections.abc import Callable
from operator import length_hint
from typing import TypeVar

from reactivex import Observable, abc

from rxws.operators._decoded import Decoding
from rxws.operators._decoded_lists import DecodedLists
from rxws.operators._passage import Passage
from rxws.types import Connection

__all__ = ["decoded", "decoded_lists"]

T = TypeVar("T")


def decoded(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[T]]:
    """Turn connections into their values, one by one.

    Where `keep` is asked, messages are gathered first: what is not kept costs a fifth less. What is kept is then handed
    on at the end of the read, or of 64 messages.
    """

    def attach(connection: Connection, observer: abc.ObserverBase[T]) -> None:
        told = (connection.journal, connection.fail)
        if decoding.keep is None:
            connection.attach(decoding.sink(observer, *told), decoding.entry(observer, *told))
        else:
            connection.attach_lists(DecodedLists(decoding, OneByOne(connection, observer), *told))

    return _attached(attach)


def decoded_lists(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[list[T]]]:
    """Turn connections into lists of their values; no list goes over the end of a read, or holds more than 64."""

    def attach(connection: Connection, observer: abc.ObserverBase[list[T]]) -> None:
        connection.attach_lists(DecodedLists(decoding, observer, connection.journal, connection.fail))

    return _attached(attach)


class OneByOne(abc.ObserverBase[list[T]]):
    """Hands the values of lists to an observer, until the connection has ended."""

    def __init__(self, connection: Connection, observer: abc.ObserverBase[T]) -> None:
        self._observer = observer
        self._journal = connection.journal
        self._values: list[T] = []
        self._left = iter(self._values)
        connection.on_end(self._ended)

    def on_next(self, value: list[T]) -> None:
        self._values, self._left = value, iter(value)
        on_next = self._observer.on_next
        for each in self._left:
            on_next(each)

    def on_error(self, error: Exception) -> None:
        self._observer.on_error(error)

    def on_completed(self) -> None:
        self._observer.on_completed()

    def _ended(self) -> None:
        # Whoever got a value has ended the connection: those behind it are late, and a list that is empty ends a loop.
        for _ in range(length_hint(self._left)):
            self._journal.late()
        self._values.clear()


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
