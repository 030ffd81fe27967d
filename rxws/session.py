"""A stream that is begun and ended by hand, as often as one likes, and what stands about it at each moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

import reactivex as rx
from reactivex import Observable, Subject, abc
from reactivex.disposable import SerialDisposable

from rxws import operators as wsops
from rxws.arguments import zero_or_more
from rxws.buffer import Buffer
from rxws.controls import Controls
from rxws.errors import ConfigError
from rxws.events import ConnectionState, Event
from rxws.lifecycle import Lifecycle
from rxws.scheduler import RAISED, report, settled
from rxws.types import Connection

__all__ = ["Session"]

T = TypeVar("T")


class Session(Generic[T]):
    """The one subscription that a client has at a time, shared by all who read its values.

    Args:
        stream: makes the stream, of what drives it and of who hears its events.
        on_begin: called whenever it begins, before anything can arrive.
        listener: hears of each event, before those who observe `events`.
    """

    def __init__(
        self,
        stream: Callable[[Controls, Callable[[Event], None]], Observable[T]],
        on_begin: Callable[[], None],
        listener: Callable[[Event], None] | None = None,
    ) -> None:
        self._stream = stream
        self._on_begin = on_begin
        self._listener = listener
        self._told: Subject[Event] = Subject()
        self.events: Observable[Event] = self._told.pipe(wsops.share_live())  # one that raises leaves alone
        self.was_begun = False
        self._running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        self._prepare()

    def _prepare(self) -> None:
        self.error: Exception | None = None
        self._raised_at: TracebackType | None = None
        self._running = self._is_paused = False
        self.controls = Controls()
        self.controls.on_change = self.look
        self._shared = self._stream(self.controls, self._heard).pipe(wsops.share_live())
        self._root = SerialDisposable()

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended; with the event loop that it ran on it is over."""
        return self._running and self._loop is not None and not self._loop.is_closed()

    @property
    def values(self) -> Observable[T]:
        """What arrives from now on; it ends at once where nothing runs, and never begins anything."""

        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            ended: Observable[T] = rx.empty() if self.error is None else rx.throw(self.error)
            return (self._shared if self.is_running else ended).subscribe(observer, scheduler=scheduler)

        return Observable(subscribe)

    @property
    def life(self) -> Lifecycle | None:
        """What the subscription knows of itself; None before the first, and behind an event loop that is closed."""
        return None if self._loop is None or self._loop.is_closed() else self.controls.life

    @property
    def connection(self) -> Connection | None:
        """The current connection, once it is open and its subscriptions are sent."""
        outgoing = self.controls.outgoing
        return outgoing.connection if self.is_running and outgoing is not None else None

    @property
    def connections(self) -> list[Connection]:
        """All that are ready: two in the overlap of a rotation."""
        outgoing = self.controls.outgoing
        return outgoing.connections if self.is_running and outgoing is not None else []

    @property
    def state(self) -> ConnectionState:
        """Where the subscription stands; DISCONNECTED where there is none."""
        life = self.life
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
        loop = _running_loop()
        if self._loop not in (None, loop):  # what is left of another loop is let go with it
            self._prepare()
        self.error, self._loop = None, loop
        self._running = self.was_begun = True
        self._root = SerialDisposable()
        self._root.disposable = self._shared.subscribe(on_error=self._ended, on_completed=self._ended)
        self._on_begin()

    def finish(self) -> None:
        """End the stream: whoever reads it hears that it has completed, and its socket is closed behind it."""
        if self.is_running:
            self.controls.finish()

    def abort(self) -> None:
        """End the stream, and every socket of it, without a closing handshake."""
        if self.life is not None:
            self.controls.abort()

    def check(self) -> None:
        """Raise the error that the stream has ended by, if it has."""
        if not self.is_running and self.error is not None:
            # Each raising would hang its own frames on it, for ever.
            raise self.error.with_traceback(self._raised_at)

    def pause(self) -> None:
        """Read nothing more from the sockets until `resume`, those that open meanwhile among them."""
        self._is_paused = True
        for connection in self.connections:
            connection.pause()

    def resume(self) -> None:
        """Read again."""
        self._is_paused = False
        for connection in self.connections:
            connection.resume()

    def dropped(self, where: str, count: int = 1) -> None:
        """Count and tell values that found no room in `where`."""
        if self.life is not None:
            self.life.dropped(where, count)

    async def until(self, condition: Callable[[], object], timeout: float | None = None) -> bool:
        """Wait until `condition()`, at most `timeout` seconds; return whether it is true."""
        zero_or_more("timeout", timeout, optional=True)
        try:
            async with asyncio.timeout(timeout):
                while not condition():  # asked again: a turn lies between what wakes us and us
                    await self._changed(condition)
        except TimeoutError:
            return False
        return True

    async def first(self, way: Observable[object], timeout: float | None) -> bool:
        """Wait for the first value of `way`, at most `timeout` seconds; return whether it came."""
        zero_or_more("timeout", timeout, optional=True)
        values: Buffer[object] = Buffer(1, "drop_newest")
        try:
            async with asyncio.timeout(timeout) as deadline:
                values.begin(way)
                await values.get()
        except TimeoutError:
            if not deadline.expired():
                raise
            return False
        except StopAsyncIteration:
            return False
        finally:
            values.end(None)
        return True

    async def gone(self) -> None:
        """Wait until no socket is left of what has ended."""
        life = self.life
        await self.until(lambda: life is None or not life.sockets)
        await settled()  # a dial that was broken off has a socket too

    def look(self) -> None:
        """Something has changed, a connection is ready, say: wake those whose condition has come true."""
        if self._is_paused:
            self.pause()
        for condition, waiter in self._waiting:
            if not waiter.done() and condition():
                waiter.set_result(None)

    async def _changed(self, condition: Callable[[], object]) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, waiter)
        self._waiting.append(entry)
        try:
            await waiter
        finally:
            self._waiting.remove(entry)

    def _heard(self, event: Event) -> None:
        try:
            if self._listener is not None:
                self._listener(event)
        except RAISED as error:
            report(error)
        self._told.on_next(event)
        self.look()

    def _ended(self, error: Exception | None = None) -> None:
        self.error, self._running = error, False
        self._raised_at = None if error is None else error.__traceback__
        self._root.dispose()
        self.look()


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError("connect", "no event loop is running here; call it inside a coroutine") from None
