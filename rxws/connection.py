"""One WebSocket connection as a cold observable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Unpack

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from rxws.arguments import check_headers, check_url
from rxws.attempt import Attempt
from rxws.bounds import Bounds
from rxws.errors import ConfigError, ConnectionFailed
from rxws.governor import Governor, host_of
from rxws.limits import SendLimit
from rxws.scheduler import given, resolve
from rxws.transport import Transport, TransportOptions, transport_named
from rxws.transport.options import check_known
from rxws.turn import Turn, governor_of
from rxws.types import Connection, Logbook, Silence

KEYWORDS = (
    *("headers", "transport", "open_timeout", "ping_interval", "ping_timeout", "close_timeout", "max_size"),
    *("send_limit", "dials"),
)

__all__ = ["Headers", "Url", "connect"]

Url = str | Callable[[], str | Awaitable[str]]
"""A WebSocket URL, or a callable, sync or async, that is asked anew for each connection."""

Headers = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]] | None
"""Headers of the opening handshake, or a callable, sync or async, that is asked anew for each connection."""


def connect(
    url: Url,
    *,
    headers: Headers = None,
    transport: str | Transport = "websockets",
    open_timeout: float | None = 10.0,
    ping_interval: float | None = 20.0,
    ping_timeout: float | None = 20.0,
    close_timeout: float | None = 1.0,
    max_size: int | None = 16 * 2**20,
    send_limit: SendLimit | None = None,
    dials: Governor | None = None,
    journal: Logbook | None = None,
    **options: Unpack[TransportOptions],
) -> Observable[Connection]:
    """One WebSocket connection as a cold observable: it emits the open `Connection`, and errors when that is lost.

    ::

        subscribe   ──dial──open─C──────────────────lost─#
        dispose     ──dial──open─C────────|  the socket is closed behind it

    Nothing happens before `subscribe`; each subscription dials once, one turn of its scheduler later. It completes only
    where the caller ends the connection (`close`, `abort`); a close by the server is an error whatever its code.
    Nothing is retried here: `operators.retry_when` does that, and `ws_observable` composes it all.

    Args:
        url: ws:// or wss://, or a callable, sync or async, asked anew for each connection; what it raises is a
            `ConnectionFailed` from it.
        headers: of the opening handshake; a mapping or a callable likewise.
        transport: "websockets", "picows" (the extra `fast`), or an object with the protocol `rxws.transport.Transport`.
        open_timeout: seconds from the dial, callables included, to the open connection; None: no limit.
        ping_interval: seconds between pings; None: no pings.
        ping_timeout: seconds that a pong may take; None: for ever.
        close_timeout: seconds that the closing handshake may take behind us; None: for ever.
        max_size: bytes of the largest message taken; None: no limit.
        send_limit: how much may be sent in how long, pings and pongs counted; what is more waits. None: no limit.
        dials: how often this host may be dialled, shared by all that are given it. None: as often as asked for, but for
            a Retry-After of this host and port, which all on this loop keep.
        journal: what is told of the connection; None: nobody.
        options: the transport's own, see `rxws.transport.TransportOptions`.

    Raises:
        ConfigError: an argument is wrong; it is named.

    Errors of the stream: `ConnectionFailed`, `HandshakeRejected`, `ConnectTimeout`, `ConnectionClosed`, `PingTimeout`,
    `ProtocolError`; each carries `uptime`.

    Source: RFC 6455, sections 4.1 (opening), 5.5 (pings), 7 (closing).

    >>> import rxws
    >>> rxws.run(rxws.connect("ws://127.0.0.1:9", open_timeout=5.0))
    Traceback (most recent call last):
        ...
    rxws.errors.ConnectionFailed: ...
    """
    limits = Bounds(open_timeout, ping_interval, ping_timeout, close_timeout, max_size, send_limit, dict(options))
    if not (dials is None or isinstance(dials, Governor)):
        raise ConfigError("dials", f"{dials!r} is no Governor; take one that all who should count together share")
    check_known(options, KEYWORDS)
    by = transport_named(transport)
    by.check(options)
    if isinstance(url, str) or not callable(url):
        check_url(url, options)
    if not callable(headers):
        check_headers(headers)

    def subscribe(
        observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        on = given(scheduler)
        logbook: Logbook = Silence() if journal is None else journal
        turn = Turn(governor_of(on) if dials is None else dials, on, logbook.waiting)
        attempt = Attempt(observer, on, by, limits, logbook, turn.refused)
        everything = CompositeDisposable(attempt, turn)

        def ask(name: str, what: Url | Headers, then: Callable[[Any], None]) -> None:  # Any: of whichever
            def fail(error: Exception) -> None:
                failed = ConnectionFailed(attempt.url or "a URL that is asked for", 1, error, name)
                failed.__cause__ = error
                attempt.fail(failed)

            try:
                answer = what() if callable(what) else what
            except Exception as error:
                fail(error)
            else:
                everything.add(resolve(answer, then, fail))

        def found(where: str) -> None:
            try:
                check_url(where, options)
            except ConfigError as error:
                attempt.fail(error)
                return
            if isinstance(url, str):
                go(where)
            elif not turn.wait(host_of(where), lambda: go(where)):  # it could not be asked before
                attempt.hold_clock()

        def go(where: str) -> None:
            attempt.run_clock()
            ask("headers", headers, lambda what: dial(where, what))

        def dial(where: str, what: Mapping[str, str] | None) -> None:
            try:
                check_headers(what)
            except ConfigError as error:
                attempt.fail(error)
            else:
                attempt.dial(where, what or {})

        def begin() -> None:
            attempt.begin(url if isinstance(url, str) else "")
            if attempt.end_reason is None:  # who was told may have disposed
                ask("url", url, found)

        def wait(*_: object) -> None:
            if isinstance(url, str):
                turn.wait(host_of(url), begin)
            else:
                begin()

        # One turn later: whoever is subscribed beside it can still say no, and nothing is told inside subscribe.
        everything.add(on.schedule(wait))
        return everything

    return Observable(subscribe)
