"""What decoding does with a message, as an operator of its own and in `ws_observable` alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar, cast

from reactivex import Observable, abc

from rxws.decoding import Decode, NotUtf8, as_it_came, decoder
from rxws.errors import ConfigError, DecodeError, ProtocolError
from rxws.operators._passage import Passage
from rxws.types import Connection, Journal, Sink

T = TypeVar("T")

Keep = Callable[[bytes], object] | None
OnBadFrame = Literal["skip", "raise"]


def sink_of(
    decode: Decode[T], keep: Keep, on_bad_frame: OnBadFrame
) -> Callable[[abc.ObserverBase[T], Journal, Callable[[Exception], None]], Sink]:
    """Check the arguments, and return what makes a sink that decodes for an observer.

    The sink's last argument is told of a text message that is not UTF-8.
    """
    if on_bad_frame not in ("skip", "raise"):
        raise ConfigError("on_bad_frame", f'{on_bad_frame!r} is unknown; take "skip" or "raise"')
    if keep is not None and not callable(keep):
        raise ConfigError("keep", f"{keep!r} is not callable; take a function of a message's bytes")
    decode_one, otherwise = decoder(decode)

    def sink_for(observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]) -> Sink:
        on_next = observer.on_next

        def decoding(payload: bytes, is_text: bool) -> None:
            # The one call that a message makes here is the decoder's own, written in C where it is msgspec's.
            assert decode_one is not None
            try:
                value = decode_one(payload)
            except Exception as error:
                rest(payload, is_text, partial(otherwise, payload, is_text, error))
            else:
                on_next(value)

        def raw(payload: bytes, is_text: bool) -> None:
            rest(payload, is_text, cast(Callable[[], T], partial(as_it_came, payload, is_text)))

        def rest(payload: bytes, is_text: bool, make: Callable[[], T]) -> None:
            try:
                value = make()
            except NotUtf8 as error:
                problem = ProtocolError("a text message is not UTF-8", 1007)
                problem.__cause__ = error.__cause__
                invalid(problem)
            except Exception as error:
                bad(payload, is_text, error)
            else:
                on_next(value)

        def keeping(payload: bytes, is_text: bool) -> None:
            try:
                kept = keep is None or keep(payload)
            except Exception as error:
                bad(payload, is_text, error)
            else:
                if kept:
                    sink(payload, is_text)

        def bad(payload: bytes, is_text: bool, error: Exception) -> None:
            frame = payload.decode("utf-8", "backslashreplace") if is_text else payload
            problem = DecodeError(frame, f"{type(error).__name__}: {error}")
            problem.__cause__ = error
            if on_bad_frame == "skip":
                journal.bad_frame(problem)
            else:
                observer.on_error(problem)

        sink = raw if decode_one is None else decoding
        return sink if keep is None else keeping

    return sink_for


def decoded(
    decode: Decode[T], keep: Keep, on_bad_frame: OnBadFrame
) -> Callable[[Observable[Connection]], Observable[T]]:
    """From connections to values in one step: `messages` and `decode` as the one sink of the Connection."""
    sink_for = sink_of(decode, keep, on_bad_frame)

    def operator(source: Observable[Connection]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            def on_connection(connection: Connection) -> None:
                connection.attach(sink_for(observer, connection.journal, connection.fail))

            return source.subscribe(on_connection, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Passage(subscribe)

    return operator
