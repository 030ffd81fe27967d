"""What decoding does with a message, as an operator of its own and in `ws_observable` alike."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Generic, Literal, TypeVar, cast

from reactivex import abc

from rxws.decoding import Decode, Decoder, NotUtf8, PerConnection, decoder, is_type, json_decimals, json_or_text
from rxws.errors import ConfigError, DecodeError, ProtocolError
from rxws.scheduler import RAISED
from rxws.types import Entry, Journal, Sink, Tally

T = TypeVar("T")

Keep = Callable[[bytes], object] | None
OnBadFrame = Literal["skip", "raise"]

OURS = (json_or_text, json_decimals)
"""Functions that `decode` may be, and that dispose of nothing."""


class Decoding(Generic[T]):
    """What `keep` and `decode` make of messages; checked once, and made into a sink for each connection.

    Raises:
        ConfigError: an argument is wrong.
    """

    def __init__(self, decode: Decode[T] | PerConnection[T], keep: Keep, on_bad_frame: OnBadFrame) -> None:
        if on_bad_frame not in ("skip", "raise"):
            raise ConfigError("on_bad_frame", f'{on_bad_frame!r} is unknown; take "skip" or "raise"')
        if keep is not None and not callable(keep):
            raise ConfigError("keep", f"{keep!r} is not callable; take a function of a message's bytes")
        if iscoroutinefunction(keep):
            raise ConfigError("keep", "an async function is true of every message; take one that is not")
        self.keep = keep
        self.per_connection = decode if isinstance(decode, PerConnection) else None
        """What makes a decoder for each connection; `decoder` is then that of nobody."""
        self.decoder = cast(Decoder[T], decoder(None if isinstance(decode, PerConnection) else decode))
        self.asks_in_between = keep is None and not (decode is None or decode in OURS or is_type(decode))
        """Whether a function of the user's, which may dispose, is called between `sink` and the subscriber."""
        self._skip = on_bad_frame == "skip"

    def sink(self, observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]) -> Sink:
        """Return a sink that decodes for an observer; `invalid` is told of a text message that is not UTF-8."""
        on_next, keep = observer.on_next, self.keep
        text, binary, _ = self.decoder
        rest = self._rest(observer, journal, invalid)

        def sink(payload: bytes, is_text: bool) -> None:
            try:
                if keep is not None and not keep(payload):
                    return
            except Exception as error:
                self.tell(payload, is_text, error, observer, journal, invalid)
                return
            try:
                value = text(payload) if is_text else binary(payload)
            except Exception as error:
                rest(payload, is_text, error)
            else:
                on_next(value)

        return sink

    def entry(self, observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]) -> Entry:
        """Return what does the same in one call, where there is no `keep`."""
        on_next = observer.on_next
        text, binary, _ = self.decoder
        rest = self._rest(observer, journal, invalid)

        def entry(tally: Tally, crashed: Callable[[BaseException], None]) -> Sink:
            def decoding(payload: bytes, is_text: bool) -> None:
                # The only call that a message makes here is the decoder's own, written in C where it is msgspec's.
                tally.messages += 1
                tally.bytes += len(payload)
                try:
                    try:
                        value = text(payload) if is_text else binary(payload)
                    except Exception as error:
                        rest(payload, is_text, error)
                    else:
                        on_next(value)
                except RAISED as error:
                    crashed(error)

            return decoding

        return entry

    def _rest(
        self, observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]
    ) -> Callable[[bytes, bool, Exception], None]:
        def rest(payload: bytes, is_text: bool, problem: Exception) -> None:
            try:
                value = self.decoder.otherwise(payload, is_text, problem)
            except Exception as error:
                self.tell(payload, is_text, error, observer, journal, invalid)
            else:
                observer.on_next(value)

        return rest

    def tell(
        self,
        payload: bytes,
        is_text: bool,
        error: Exception,
        observer: abc.ObserverBase[Any],  # Any: it is told of errors only
        journal: Journal,
        invalid: Callable[[Exception], None],
    ) -> None:
        """Tell of a message that is no value."""
        problem: Exception
        if isinstance(error, NotUtf8):
            problem = ProtocolError("a text message is not UTF-8", 1007)
            problem.__cause__ = error.__cause__
            invalid(problem)
            return
        frame = payload.decode("utf-8", "backslashreplace") if is_text else payload
        problem = DecodeError(frame, f"{type(error).__name__}: {error}")
        problem.__cause__ = error
        if self._skip:
            journal.bad_frame(problem)
        else:
            observer.on_error(problem)
