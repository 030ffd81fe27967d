"""What decoding does with a message, as an operator of its own and in `ws_observable` alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from reactivex import abc

from rxws.decoding import Decode, NotUtf8, decoder
from rxws.errors import ConfigError, DecodeError, ProtocolError
from rxws.types import Journal, Sink

T = TypeVar("T")

Keep = Callable[[bytes], object] | None
OnBadFrame = Literal["skip", "raise"]


class Decoding(Generic[T]):
    """What `keep` and `decode` make of messages; checked once, and made into a sink for each connection.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(self, decode: Decode[T], keep: Keep, on_bad_frame: OnBadFrame) -> None:
        if on_bad_frame not in ("skip", "raise"):
            raise ConfigError("on_bad_frame", f'{on_bad_frame!r} is unknown; take "skip" or "raise"')
        if keep is not None and not callable(keep):
            raise ConfigError("keep", f"{keep!r} is not callable; take a function of a message's bytes")
        self.keep = keep
        self.decode, self.otherwise = decoder(decode)
        self._skip = on_bad_frame == "skip"

    def sink(self, observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]) -> Sink:
        """Return a sink that decodes for an observer; `invalid` is told of a text message that is not UTF-8."""
        on_next, keep, decode, otherwise = observer.on_next, self.keep, self.decode, self.otherwise

        def decoding(payload: bytes, is_text: bool) -> None:
            # The one call that a message makes here is the decoder's own, written in C where it is msgspec's.
            assert decode is not None
            try:
                value = decode(payload)
            except Exception as error:
                rest(payload, is_text, error)
            else:
                on_next(value)

        def raw(payload: bytes, is_text: bool) -> None:
            rest(payload, is_text, None)

        def rest(payload: bytes, is_text: bool, problem: Exception | None) -> None:
            try:
                value = otherwise(payload, is_text, problem)
            except Exception as error:
                self.tell(payload, is_text, error, observer, journal, invalid)
            else:
                on_next(value)

        def keeping(payload: bytes, is_text: bool) -> None:
            try:
                kept = keep is None or keep(payload)
            except Exception as error:
                self.tell(payload, is_text, error, observer, journal, invalid)
            else:
                if kept:
                    sink(payload, is_text)

        sink = raw if decode is None else decoding
        return sink if keep is None else keeping

    def tell(
        self,
        payload: bytes,
        is_text: bool,
        error: Exception,
        observer: abc.ObserverBase[Any],  # Any: it is told of errors only
        journal: Journal,
        invalid: Callable[[Exception], None],
    ) -> bool:
        """Tell of a message that is no value, and return whether the connection goes on."""
        problem: Exception
        if isinstance(error, NotUtf8):
            problem = ProtocolError("a text message is not UTF-8", 1007)
            problem.__cause__ = error.__cause__
            invalid(problem)
            return False
        frame = payload.decode("utf-8", "backslashreplace") if is_text else payload
        problem = DecodeError(frame, f"{type(error).__name__}: {error}")
        problem.__cause__ = error
        if self._skip:
            journal.bad_frame(problem)
        else:
            observer.on_error(problem)
        return self._skip
