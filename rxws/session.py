"""A stream that is begun and ended by hand, as often as one likes, and what stands about it at each moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws import operators as wsops
from rxws.controls import Controls
from rxws.errors import ConfigError
from rxws.events import ConnectionState, Event
from rxws.scheduler import report, scheduler
from rxws.types import Connection

__all__ = ["Session"]

T = TypeVar("T")


class Session(Generic[T]):
    """The one subscription that a client has at a time, shared by all who read its values.

    Args:
        stream: makes the stream, of what drives it and of who hears its events.
        on_begin: called whenever it begins, before anything can arrive.
    """

    def __init__(
        self,
        stream: Callable[[Controls, Callable[[Event], None]], Observable[T]],
        on_begin: Callable[[], None],
    ) -> None:
        self.controls = Controls()
        self.events: Subject[Event] = Subject()
        self.error: Exception | None = None
        self.is_running = self.was_begun = False
        self.controls.on_change = self.look
        self._shared = stream(self.controls, self._heard).pipe(wsops.share_live())
        self._on_begin = on_begin
        self._root = SerialDisposable()
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    @property
    def values(self) -> Observable[T]:
        """What arrives from now on; it ends at once where nothing runs, and never begins anything."""

        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            ended: Observable[T] = rx.empty() if self.error is None else rx.throw(self.error)
            return (self._shared if self.is_running else ended).subscribe(observer, scheduler=scheduler)

        return Observable(subscribe)

    @property
    def connection(self) -> Connection | None:
        """The current connection, once it is open and its subscriptions are sent."""
        outgoing = self.controls.outgoing
        return outgoing.connection if self.is_running and outgoing is not None else None

    @property
    def connections(self) -> list[Connection]:
        """All that are ready: two in the overlap of a rotation."""
        outgoing = self.controls.outgoing
        return outgoing.connections if outgoing is not None else []

    @property
    def state(self) -> ConnectionState:
        """Where the subscription stands; DISCONNECTED where there is none."""
        life = self.controls.life
        if life is None or not (self.is_running or life.sockets):
            return ConnectionState.DISCONNECTED
        return life.state if self.is_running else ConnectionState.CLOSING

    def begin(self) -> None:
        """Subscribe, if that is not so already.

        Raises:
            ConfigError: no loop is running.
        """
        if self.is_running:
            return
        _running_loop()
        self.error = None
        self.is_running = self.was_begun = True
        self._root.disposable = self._shared.subscribe(on_error=self._ended, on_completed=self._ended)
        self._on_begin()

    def finish(self) -> None:
        """End the stream: whoever reads it hears that it has completed, and its socket is closed behind it."""
        if self.is_running:
            self.controls.finish()

    def abort(self) -> None:
        """End the stream, and every socket of it, without a closing handshake."""
        if self.controls.life is not None:
            self.controls.life.abort()
        self.finish()

    def pause(self) -> None:
        """Read nothing more from the sockets until `resume`."""
        for connection in self.connections:
            connection.pause()

    def resume(self) -> None:
        """Read again."""
        for connection in self.connections:
            connection.resume()

    async def until(self, condition: Callable[[], object], timeout: float | None = None) -> bool:
        """Wait until `condition()`, at most `timeout` seconds; return whether it came true."""
        if condition():
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, waiter)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiting.remove(entry)
        return True

    async def first(self, way: Observable[object], timeout: float | None) -> bool:
        """Wait for the first value of `way`, at most `timeout` seconds; return whether it came."""
        came = asyncio.Event()
        failed: list[Exception] = []

        def fail(error: Exception) -> None:
            failed.append(error)
            came.set()

        waiting = way.subscribe(lambda _: came.set(), fail, scheduler=scheduler())
        try:
            async with asyncio.timeout(timeout):
                await came.wait()
        except TimeoutError:
            return False
        finally:
            waiting.dispose()
        if failed:
            raise failed[0]
        return True

    async def gone(self) -> None:
        """Wait until no socket is left of what has ended."""
        life = self.controls.life
        await self.until(lambda: life is None or not life.sockets)

    def look(self) -> None:
        """Something has changed: wake those whose condition has come true."""
        for condition, waiter in self._waiting:
            if not waiter.done() and condition():
                waiter.set_result(None)

    def _heard(self, event: Event) -> None:
        try:
            self.events.on_next(event)
        except Exception as error:
            report(error)
        self.look()

    def _ended(self, error: Exception | None = None) -> None:
        self.error, self.is_running = error, False
        self._root.disposable = Disposable()
        self.look()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError("connect", "no event loop is running here; call it inside a coroutine") from None
