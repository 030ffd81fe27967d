"""From connections to their messages."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.types import Connection, Message

__all__ = ["messages"]


def messages() -> Callable[[Observable[Connection]], Observable[Message]]:
    """Turn each connection into its whole messages.

    ::

        source    ──C1──────────x
        C1        ────"a"──b"b"──
        result    ────"a"──b"b"─x

    A text message is `str`, a binary one `bytes`; a text message that is not UTF-8 ends its connection with
    `ProtocolError` and close code 1007. The result ends as soon as its source does, by completion too: there `flat_map`
    and `switch_latest` would wait for the connection.

    Source: RFC 6455, sections 5.6 (data frames) and 8.1 (UTF-8).

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import connect
    >>> from rxws.testing import Attempt, ScriptedTransport
    >>> virtual = TestScheduler()
    >>> transport = ScriptedTransport(Attempt(messages=[(1.0, "text"), (2.0, b"bytes")]))
    >>> _ = connect("ws://scripted", transport=transport).pipe(messages()).subscribe(print, scheduler=virtual)
    >>> virtual.advance_to(3.0)
    text
    b'bytes'
    """

    def operator(source: Observable[Connection]) -> Observable[Message]:
        def subscribe(
            observer: abc.ObserverBase[Message], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            current = SerialDisposable()

            def on_connection(connection: Connection) -> None:
                current.disposable = connection.messages.subscribe(
                    observer.on_next, observer.on_error, scheduler=scheduler
                )

            running = source.subscribe(on_connection, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(running, current)

        return Observable(subscribe)

    return operator
