"""What decoding does with a message, as an operator of its own and in `ws_observable` alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from reactivex import Observable, abc

from rxws.decoding import Decode, NotUtf8, decoder
from rxws.errors import ConfigError, DecodeError, ProtocolError
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
    decode_one = decoder(decode)

    def sink_for(observer: abc.ObserverBase[T], journal: Journal, invalid: Callable[[Exception], None]) -> Sink:
        on_next = observer.on_next

        def sink(payload: bytes, is_text: bool) -> None:
            try:
                if keep is not None and not keep(payload):
                    return
                value = decode_one(payload, is_text)
            except NotUtf8 as error:
                problem = ProtocolError("a text message is not UTF-8", 1007)
                problem.__cause__ = error.__cause__
                invalid(problem)
            except Exception as error:
                bad(payload, is_text, error)
            else:
                on_next(value)

        def bad(payload: bytes, is_text: bool, error: Exception) -> None:
            frame = payload.decode("utf-8", "backslashreplace") if is_text else payload
            problem = DecodeError(frame, f"{type(error).__name__}: {error}")
            problem.__cause__ = error
            if on_bad_frame == "skip":
                journal.bad_frame(problem)
            else:
                observer.on_error(problem)

        return sink

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

        return Observable(subscribe)

    return operator
