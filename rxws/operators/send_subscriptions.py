"""Log in and subscribe on every connection, before anything is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.errors import ConfigError, ConnectionFailed, ConnectTimeout, Disconnected, RxwsError
from rxws.operators._payloads import Subscriptions, for_each_connection
from rxws.scheduler import RAISED, given, report, resolve
from rxws.types import Connection, Logbook, Payload, Silence

__all__ = ["OnOpen", "send_subscriptions"]

OnOpen = Callable[[Connection], Awaitable[object]]


def send_subscriptions(
    on_open: OnOpen | None = None,
    subscriptions: Subscriptions = (),
    outgoing: Observable[Payload] | None = None,
    *,
    journal: Logbook | None = None,
) -> Callable[[Observable[Connection]], Observable[Connection]]:
    """Run a script and send payloads on every connection, then let it pass.

    ::

        source    ──C────────────x──C──────────
        sent        └on_open, s1, s2  └on_open, s1, s2, then what `outgoing` emits
        result    ────────C──────x────────C────

    What arrives while `on_open` runs is held and handed on in order afterwards; the script may read it meanwhile, from
    `connection.messages`.

    Args:
        on_open: an async callable of the Connection: a login, a handshake script. It has the connection's open_timeout.
        subscriptions: payloads sent next, in order, exactly once a connection: dict and list as JSON, str, bytes; or a
            callable that returns them, asked anew for each connection.
        outgoing: payloads sent as they come, on the current connection. What it emits while there is none is dropped,
            counted and told. Under `rotate`, which subscribes all this twice in an overlap, each would go out twice:
            `ws_observable` sends once.
        journal: told of what `outgoing` emits before the first connection; None: nobody.

    Raises:
        ConfigError: an argument is wrong, or a payload cannot be sent; it names its place.

    Errors of the result: `ConnectTimeout("on_open")`; `ConnectionFailed` from what `on_open` raised; those of
    `outgoing`.

    >>> from reactivex.testing import TestScheduler
    >>> from rxws import connect
    >>> from rxws.testing import ScriptedTransport
    >>> virtual, transport = TestScheduler(), ScriptedTransport()
    >>> subscribed = send_subscriptions(subscriptions=[{"op": "subscribe", "channel": "trades"}])
    >>> _ = connect("ws://scripted", transport=transport).pipe(subscribed).subscribe(scheduler=virtual)
    >>> virtual.advance_to(1.0)
    >>> transport.dials[0].sent
    ['{"op":"subscribe","channel":"trades"}']
    """
    if on_open is not None and not callable(on_open):
        raise ConfigError("on_open", f"{on_open!r} is not callable; take an async function of a Connection, or None")
    wanted = for_each_connection(subscriptions)
    told: Logbook = Silence() if journal is None else journal

    def operator(source: Observable[Connection]) -> Observable[Connection]:
        def subscribe(
            observer: abc.ObserverBase[Connection], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            script = SerialDisposable()
            current: Connection | None = None

            def on_connection(connection: Connection) -> None:
                if on_open is None:
                    ready(connection)
                else:
                    script.disposable = run_script(on_open, connection, given(scheduler), scripted)

            def scripted(connection: Connection) -> None:
                # This is the script's own task: what the subscriber raises here, no transport catches.
                try:
                    ready(connection)
                except RAISED as error:
                    everything.dispose()
                    if not connection.journal.crashed(error):
                        report(error, scheduler)

            def ready(connection: Connection) -> None:
                nonlocal current
                if connection.end_reason is not None:
                    return
                try:
                    payloads = wanted()
                except Exception as error:
                    connection.fail(failed(connection, error, "subscriptions"))
                    return
                try:
                    for payload in payloads:
                        connection.send(payload)
                except Disconnected:
                    # The server has closed it already, in the segment that brought its answer: what it wrote before
                    # that is handed on, and then the connection is lost by its close code.
                    payloads = ()
                except RxwsError as error:
                    connection.fail(failed(connection, error, "subscriptions"))
                    return
                current = connection
                observer.on_next(connection)
                # Told last, so that what is sent by whoever hears of it goes out, behind what was held for this.
                count = len(payloads)
                if count and connection.end_reason is None:
                    connection.when_sent(lambda: connection.journal.subscribed(count))

            def send(payload: Payload) -> None:
                if current is None:
                    told.dropped("outgoing")
                    return
                try:
                    current.send(payload)
                except RxwsError:
                    current.journal.dropped("outgoing")
                except Exception as error:
                    broken(error)

            def broken(error: Exception) -> None:
                everything.dispose()
                observer.on_error(error)

            everything = CompositeDisposable(script)
            if outgoing is not None:
                everything.add(outgoing.subscribe(send, broken, scheduler=scheduler))
            everything.add(
                source.subscribe(on_connection, observer.on_error, observer.on_completed, scheduler=scheduler)
            )
            return everything

        return Observable(subscribe)

    return operator


def run_script(
    on_open: OnOpen,
    connection: Connection,
    scheduler: abc.SchedulerBase,
    then: Callable[[Connection], None],
) -> abc.DisposableBase:
    """Run `on_open` on `connection`, within its open_timeout, holding what arrives; then call `then`."""
    timer = SerialDisposable()

    def done(_: object) -> None:
        timer.dispose()
        connection.release()
        then(connection)

    def broke(error: Exception) -> None:
        timer.dispose()
        connection.fail(error if isinstance(error, Disconnected) else failed(connection, error, "on_open"))

    connection.hold()
    timeout = connection.open_timeout
    if timeout is not None:
        timer.disposable = scheduler.schedule_relative(
            timeout, lambda *_: connection.fail(ConnectTimeout("on_open", timeout))
        )
    try:
        script = on_open(connection)
    except Exception as error:
        broke(error)
        return timer
    return CompositeDisposable(timer, resolve(script, done, broke))


def failed(connection: Connection, error: Exception, script: str) -> ConnectionFailed:
    """Make a loss of what a script raised."""
    failure = ConnectionFailed(connection.url, 1, error, script)
    failure.__cause__ = error
    return failure
