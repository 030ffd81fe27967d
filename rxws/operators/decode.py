"""From messages to values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from reactivex import Observable, abc

from rxws.decoding import Decode, json_or_text
from rxws.events import Event
from rxws.operators._decoded import Decoding, Keep, OnBadFrame
from rxws.types import Journal, Message, Silence

__all__ = ["decode"]

T = TypeVar("T")


@overload
def decode(
    *, keep: Keep = None, on_bad_frame: OnBadFrame = "skip", journal: Journal | None = None
) -> Callable[[Observable[Message]], Observable[Any]]: ...  # Any: whatever JSON holds
@overload
def decode(
    decode: type[T],
    keep: Keep = None,
    on_bad_frame: OnBadFrame = "skip",
    *,
    journal: Journal | None = None,
) -> Callable[[Observable[Message]], Observable[T]]: ...
@overload
def decode(
    decode: Callable[[bytes], T],
    keep: Keep = None,
    on_bad_frame: OnBadFrame = "skip",
    *,
    journal: Journal | None = None,
) -> Callable[[Observable[Message]], Observable[T]]: ...
@overload
def decode(
    decode: None,
    keep: Keep = None,
    on_bad_frame: OnBadFrame = "skip",
    *,
    journal: Journal | None = None,
) -> Callable[[Observable[Message]], Observable[Message]]: ...
def decode(
    decode: Decode[Any] = json_or_text,  # Any: the overloads say which
    keep: Keep = None,
    on_bad_frame: OnBadFrame = "skip",
    *,
    journal: Journal | None = None,
) -> Callable[[Observable[Message]], Observable[Any]]:
    """Turn each message into a value.

    ::

        source    ──'{"a":1}'──'{'────'{"a":2}'──
        result    ──{a: 1}────────────{a: 2}─────     on_bad_frame="skip"
        result    ──{a: 1}─────#                      on_bad_frame="raise"

    Args:
        decode: a type that msgspec decodes JSON into; a function of the message's bytes; None: as it came. By default
            JSON where it parses, and else as it came.
        keep: a predicate on the bytes, asked before decoding; None: all are kept.
        on_bad_frame: what an exception of `keep` or `decode` does: "skip" tells `journal` and goes on, "raise" is the
            result's `DecodeError`, which nothing retries.
        journal: told of what was skipped; None: nobody.

    Raises:
        ConfigError: an argument is wrong.

    Lifecycle events pass, so that the raw messages of ``ws_observable(url, decode=None, lifecycle=True)`` may be
    conflated or queued before they are decoded.

    >>> import msgspec, reactivex as rx
    >>> class Trade(msgspec.Struct):
    ...     p: str
    >>> _ = rx.of('{"e":"trade","p":"61250.10"}', "pong").pipe(decode(Trade)).subscribe(print)
    Trade(p='61250.10')
    """
    decoding = Decoding(decode, keep, on_bad_frame)
    told: Journal = Silence() if journal is None else journal

    def operator(source: Observable[Message]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            sink = decoding.sink(observer, told, observer.on_error)

            def on_next(message: Message) -> None:
                if isinstance(message, str):
                    sink(message.encode(), True)
                elif isinstance(message, Event):
                    observer.on_next(message)
                else:
                    sink(message, False)

            return source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return operator
