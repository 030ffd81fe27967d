"""From connections to values in one step: `messages` and `decode` as the one sink of the Connection."""

from __future__ import annotations

from collections.abc import Callable
from operator import length_hint
from typing import Generic, TypeVar

from reactivex import Observable, abc

from rxws.decoding import PerConnection
from rxws.operators._decoded import Decoding
from rxws.operators._decoded_lists import DecodedLists
from rxws.operators._passage import Passage
from rxws.scheduler import given
from rxws.types import LIST, Connection, Sink

__all__ = ["decoded", "decoded_lists"]

T = TypeVar("T")

KEPT_OF = 8 * LIST
"""Messages that `keep` is asked about in one go: more than a `LIST`, for those that it leaves out become no values."""


def decoded(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[T]]:
    """Turn connections into their values, one by one.

    Where `keep` is asked, messages are gathered first, which makes those that are not kept cheaper. What is kept is
    handed on at the end of the read, or of `KEPT_OF` messages.
    """

    def attach(connection: Connection, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase) -> None:
        told = (connection.journal, connection.fail)
        if decoding.per_connection is not None:
            connection.attach(_per_connection(decoding, decoding.per_connection, connection, observer, scheduler))
        elif decoding.keep is None:
            connection.attach(decoding.sink(observer, *told), decoding.entry(observer, *told))
        else:
            emit = OneByOne(connection, observer.on_next)
            connection.attach_lists(DecodedLists(decoding, connection, emit, observer), KEPT_OF)

    return _attached(attach)


def decoded_lists(decoding: Decoding[T]) -> Callable[[Observable[Connection]], Observable[list[T]]]:
    """Turn connections into lists of their values; no list goes over the end of a read, or holds more than 64."""

    def attach(connection: Connection, observer: abc.ObserverBase[list[T]], _: abc.SchedulerBase) -> None:
        connection.attach_lists(DecodedLists(decoding, connection, observer.on_next, observer))

    return _attached(attach)


class OneByOne(Generic[T]):
    """Hands on the values of lists, until the connection has ended."""

    def __init__(self, connection: Connection, on_next: Callable[[T], None]) -> None:
        self._on_next = on_next
        self._journal = connection.journal
        self._values: list[T] = []
        self._left = iter(self._values)
        connection.on_end(self._ended)

    def __call__(self, values: list[T]) -> None:
        on_next = self._on_next
        self._values, self._left = values, iter(values)
        for value in self._left:
            on_next(value)

    def _ended(self) -> None:
        # Whoever got a value has ended the connection: those behind it are late, and a list that is empty ends a loop.
        for _ in range(length_hint(self._left)):
            self._journal.late()
        self._values.clear()


def _per_connection(
    decoding: Decoding[T],
    per_connection: PerConnection[T],
    connection: Connection,
    observer: abc.ObserverBase[T],
    scheduler: abc.SchedulerBase,
) -> Sink:
    decode, on_next = per_connection.make(connection, scheduler), observer.on_next

    def sink(payload: bytes, is_text: bool) -> None:
        try:
            value = decode(payload)
        except Exception as error:
            decoding.tell(payload, is_text, error, observer, connection.journal, connection.fail)
        else:
            if value is not None:
                on_next(value)

    return sink


def _attached(
    attach: Callable[[Connection, abc.ObserverBase[T], abc.SchedulerBase], None],
) -> Callable[[Observable[Connection]], Observable[T]]:
    def operator(source: Observable[Connection]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            return source.subscribe(
                lambda connection: attach(connection, observer, given(scheduler)),
                observer.on_error,
                observer.on_completed,
                scheduler=scheduler,
            )

        return Passage(subscribe)

    return operator
