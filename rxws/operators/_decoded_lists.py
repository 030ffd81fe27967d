"""A sink of lists of messages: decoded in one go, as long as nothing is wrong with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import length_hint
from typing import Any, Generic, TypeVar

from reactivex import abc

from rxws.operators._decoded import Decoding
from rxws.types import Connection

__all__ = ["DecodedLists"]

T = TypeVar("T")


class DecodedLists(Generic[T]):
    """Decodes lists of one connection's messages.

    `decode` is not called from here: `map` calls it, and `list.extend` keeps what came before one that raises. What
    stands behind the end of the connection, whoever ended it from within, is late.

    Args:
        decoding: what is made of a message.
        connection: whose messages they are; its journal is told of what could not be decoded, in its place.
        emit: gets the values of each list, unless there are none.
        observer: told of a bad frame that is an error.
    """

    def __init__(
        self,
        decoding: Decoding[T],
        connection: Connection,
        emit: Callable[[list[T]], None],
        observer: abc.ObserverBase[Any],  # Any: it gets no value from here
    ) -> None:
        self._decoding = decoding
        self._connection = connection
        self._hand_on = emit
        self._observer = observer

    def __call__(self, payloads: list[bytes], is_text: bool) -> None:
        """Take messages that are all text, or all binary."""
        keep = self._decoding.keep
        if keep is None:
            self._decode(payloads, is_text)
            return
        rest = iter(payloads)
        while self._goes_on and length_hint(rest):
            kept: list[bytes] = []
            problem: Exception | None = None
            try:
                for payload in rest:
                    if keep(payload):
                        kept.append(payload)
            except Exception as error:
                problem = error
            self._decode(kept, is_text)
            if problem is not None:
                self._refuse(_last(payloads, rest), is_text, problem)
        self._late(length_hint(rest))

    def _decode(self, payloads: list[bytes], is_text: bool) -> None:
        text, binary, otherwise = self._decoding.decoder
        make = text if is_text else binary
        rest, values = iter(payloads), list[T]()
        while self._goes_on and length_hint(rest):
            try:
                _decode_into(values, make, rest)
            except Exception as problem:
                payload = _last(payloads, rest)
                try:
                    values.append(otherwise(payload, is_text, problem))
                except Exception as error:
                    self._emit(values)
                    self._refuse(payload, is_text, error)
                    values = []
        self._emit(values)
        self._late(length_hint(rest))

    @property
    def _goes_on(self) -> bool:
        return self._connection.end_reason is None

    def _emit(self, values: list[T]) -> None:
        if not self._goes_on:  # a function that was asked has ended it
            self._late(len(values))
        elif values:
            self._hand_on(values)

    def _refuse(self, payload: bytes, is_text: bool, error: Exception) -> None:
        if not self._goes_on:
            self._late(1)
            return
        connection = self._connection
        self._decoding.tell(payload, is_text, error, self._observer, connection.journal, connection.fail)

    def _late(self, count: int) -> None:
        for _ in range(count):
            self._connection.journal.late()


def _decode_into(values: list[T], make: Callable[[bytes], T], rest: Iterator[bytes]) -> None:
    """Decode what is left, up to one that raises; what `map` takes for the end of its input is raised too."""
    in_all = len(values) + length_hint(rest)
    values.extend(map(make, rest))
    if len(values) + length_hint(rest) != in_all:
        raise StopIteration


def _last(payloads: list[bytes], rest: Iterator[bytes]) -> bytes:
    """Return the one that was taken last."""
    return payloads[len(payloads) - length_hint(rest) - 1]
