"""A sink of lists of messages: decoded in one go, as long as nothing is wrong with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import length_hint
from typing import Any, Generic, TypeVar, cast

from reactivex import abc

from rxws.operators._decoded import Decoding
from rxws.types import Journal

__all__ = ["DecodedLists"]

T = TypeVar("T")


class DecodedLists(Generic[T]):
    """Decodes for an observer of lists.

    Neither `keep` nor `decode` is called from here: `filter` and `map` call them, and `list.extend` keeps what came
    before one that raises. So a message costs the calls of its own functions, and no other.

    Args:
        decoding: what is made of a message.
        emit: gets the values of each list, unless there are none.
        observer: told of a bad frame that is an error.
        journal: told of what could not be decoded, in its place between the values.
        invalid: told of a text message that is not UTF-8.
    """

    def __init__(
        self,
        decoding: Decoding[T],
        emit: Callable[[list[T]], None],
        observer: abc.ObserverBase[Any],  # Any: it gets no value from here
        journal: Journal,
        invalid: Callable[[Exception], None],
    ) -> None:
        self._decoding = decoding
        self._hand_on = emit
        self._observer = observer
        self._journal = journal
        self._invalid = invalid

    def __call__(self, payloads: list[bytes], is_text: bool) -> None:
        """Take messages that are all text, or all binary."""
        keep = self._decoding.keep
        if keep is None:
            self._decode(payloads, is_text)
            return
        rest, problem = iter(payloads), None
        while True:
            kept: list[bytes] = []
            try:
                kept.extend(filter(keep, rest))
            except Exception as error:
                problem = error
            if kept and not self._decode(kept, is_text):
                return
            if problem is None or not self._tell(_last(payloads, rest), is_text, problem):
                return
            problem = None

    def _decode(self, payloads: list[bytes], is_text: bool) -> bool:
        """Decode them, and return whether the connection goes on."""
        decode = self._decoding.decode
        if decode is None and not is_text:
            self._emit(cast(list[T], payloads))
            return True
        make = cast(Callable[[bytes], T], bytes.decode) if decode is None else decode
        rest = iter(payloads)
        values: list[T] = []
        while True:
            try:
                values.extend(map(make, rest))
                break
            except Exception as problem:
                payload = _last(payloads, rest)
                try:
                    values.append(self._decoding.otherwise(payload, is_text, problem))
                except Exception as error:
                    self._emit(values)
                    values = []
                    if not self._tell(payload, is_text, error):
                        return False
        self._emit(values)
        return True

    def _emit(self, values: list[T]) -> None:
        if values:
            self._hand_on(values)

    def _tell(self, payload: bytes, is_text: bool, error: Exception) -> bool:
        return self._decoding.tell(payload, is_text, error, self._observer, self._journal, self._invalid)


def _last(payloads: list[bytes], rest: Iterator[bytes]) -> bytes:
    """Return the one that was taken last."""
    return payloads[len(payloads) - length_hint(rest) - 1]
