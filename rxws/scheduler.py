"""Time and the event loop: the one module below the operators that knows reactivex and asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from reactivex import abc
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import CurrentThreadScheduler, VirtualTimeScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws.errors import ConfigError

__all__ = [
    "RAISED",
    "CallersScheduler",
    "clock",
    "given",
    "is_loop_running",
    "on_loop",
    "outlasts",
    "report",
    "report_aside",
    "resolve",
    "scheduler",
    "settled",
    "wall_time_ns",
    "when_drained",
    "whose_time",
]

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# One read of asyncio takes 256 KiB; 64 of them are more than a kernel's receive buffer holds (Linux: 6 MiB, 32 MiB
# where tuned). What had arrived at a deadline has been read after so many reads.
BACKLOG_READS = 64

CLOSING = 5.0
"""Seconds that a loop which is about to end waits for sockets that are being closed."""

# What a consumer may raise. The result of a cancelled future is a CancelledError, and no wish to cancel us.
RAISED = (Exception, asyncio.CancelledError)

# asyncio keeps weak references to its tasks, and none to its transports: what closes in the background is known here.
_PENDING: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[Any]]] = WeakKeyDictionary()


class LoopScheduler(AsyncIOScheduler):
    """An `AsyncIOScheduler` of whichever loop runs when it is first used."""

    def __init__(self) -> None:
        self._found: asyncio.AbstractEventLoop | None = None

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:  # type: ignore[override]  # there an attribute
        if self._found is None or self._found.is_closed():
            self._found = _running_loop()
        return self._found


def scheduler() -> AsyncIOScheduler:
    """Return the running loop's scheduler: ``ops.buffer_with_time(1.0, scheduler=rxws.scheduler())``.

    reactivex's timer operators otherwise emit on threads of their own. It may be called with no loop running: it
    finds the running one when it is first used, and stays with it.

    Raises:
        ConfigError: on first use, where no loop is running.

    >>> import reactivex as rx, rxws
    >>> rxws.run(rx.timer(0.0, scheduler=rxws.scheduler()))
    0
    """
    return LoopScheduler()


def given(scheduler: abc.SchedulerBase | None) -> abc.SchedulerBase:
    """Return `scheduler`, or the running loop's where none was given, or one of other threads.

    Some operators (`delay`, `throttle_first`) pass reactivex's timers down to their source, which are threads; a
    connection lives on its loop's.

    Raises:
        ConfigError: none was given and no loop is running.
    """
    if isinstance(scheduler, AsyncIOScheduler | VirtualTimeScheduler):
        return scheduler
    if scheduler is not None and not _loop_runs():
        return scheduler
    return AsyncIOScheduler(_running_loop())


def whose_time(scheduler: abc.SchedulerBase) -> Hashable:
    """Return whose time it is: a loop's, which many schedulers may have, or in virtual time the scheduler's own."""
    return scheduler._loop if isinstance(scheduler, AsyncIOScheduler) else scheduler


def clock(scheduler: abc.SchedulerBase | None) -> Callable[[], float]:
    """Return a monotonic clock in seconds: the loop's, or the virtual one of a virtual scheduler.

    Args:
        scheduler: whose; None: the running loop's, and where none runs that of reactivex's current thread.

    >>> from reactivex.testing import TestScheduler
    >>> virtual = TestScheduler()
    >>> now = clock(virtual)
    >>> virtual.advance_by(2.5)
    >>> now()
    2.5
    """
    if isinstance(scheduler, AsyncIOScheduler):
        return scheduler._loop.time
    if scheduler is None:
        try:
            return asyncio.get_running_loop().time
        except RuntimeError:
            scheduler = CurrentThreadScheduler.singleton()
    return lambda: (scheduler.now - EPOCH).total_seconds()


def is_loop_running() -> bool:
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def wall_time_ns(scheduler: abc.SchedulerBase) -> int:
    """Return the scheduler's wall clock in nanoseconds since the epoch, UTC."""
    since = scheduler.now - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


class CallersScheduler(AsyncIOScheduler):
    """The loop's scheduler on behalf of somebody who waits for the end, and wants to hear what a consumer raised."""

    def __init__(self, loop: asyncio.AbstractEventLoop, crashed: Callable[[BaseException], None]) -> None:
        super().__init__(loop)
        self.crashed = crashed


def report(error: BaseException, scheduler: abc.SchedulerBase | None = None) -> None:
    """Tell of `error`, which a consumer raised.

    Whoever waits behind `scheduler` hears of it (`run`, `aiter`), else the running loop's exception handler; with no
    loop (virtual time) it is raised.
    """
    if isinstance(scheduler, CallersScheduler):
        scheduler.crashed(error)
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    if loop is None:
        raise error  # outside of the `except`, which would take its cause or context away
    loop.call_exception_handler({"message": "what consumes the messages of a WebSocket raised", "exception": error})


def report_aside(error: BaseException, scheduler: abc.SchedulerBase) -> None:
    """Report `error`, so that it ends nothing that goes on here: without a loop it is raised, and that a turn later."""
    if is_loop_running():
        report(error, scheduler)
    else:
        scheduler.schedule(lambda *_: report(error, scheduler))


def on_loop(scheduler: abc.SchedulerBase, disposable: abc.DisposableBase) -> abc.DisposableBase:
    """Return `disposable`, disposed on the thread of the scheduler's loop whichever thread disposes it.

    A timer operator that was given no scheduler disposes from a thread of its own.
    """

    def dispose() -> None:
        loop = scheduler._loop if isinstance(scheduler, AsyncIOScheduler) else None
        if loop is None or not loop.is_running() or asyncio._get_running_loop() is loop:
            disposable.dispose()
        else:
            loop.call_soon_threadsafe(disposable.dispose)

    return Disposable(dispose)


def resolve(
    value: T | Awaitable[T],
    then: Callable[[T], None],
    fail: Callable[[Exception], None],
) -> abc.DisposableBase:
    """Call `then` with `value`, or with what it gives once awaited, or `fail` with what it raises.

    A plain value is handed on before this returns. Disposing cancels what is still awaited. Without a running loop
    (virtual time) a coroutine that never waits for anything works too.
    """
    if not inspect.isawaitable(value):
        then(value)
        return Disposable()
    awaitable = cast(Awaitable[T], value)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _step(awaitable, then, fail)
        return Disposable()

    answers: list[T] = []

    async def answered() -> None:
        # Not returned: asyncio's debug mode logs what a slow task has returned, and this may be a URL with a token.
        answers.append(await awaitable)

    def done(task: asyncio.Task[None]) -> None:
        if inspect.iscoroutine(awaitable):
            awaitable.close()  # cancelled before its first step, it would never have been awaited
        if awaiting.is_disposed:
            return  # what it raised all the same, asyncio tells the loop's handler
        if task.cancelled():
            # A loop that ends cancels its tasks; else what was awaited was cancelled elsewhere, a failure like another.
            if not task.cancelling():
                fail(RuntimeError("what was awaited was cancelled"))
            return
        error = task.exception()
        if error is None:
            then(answers[0])
        elif isinstance(error, Exception):
            fail(error)

    def cancel() -> None:
        if not task.done():  # else it would keep back what the task raised
            task.cancel()

    task = loop.create_task(answered(), name="rxws")
    task.add_done_callback(done)
    awaiting = Disposable(cancel)
    return awaiting


def when_drained(
    scheduler: abc.SchedulerBase, reads: Callable[[], int], then: Callable[[], None]
) -> abc.DisposableBase:
    """Call `then` once all that had arrived by now has been read.

    A timer of a loop that was busy fires before the socket is read, though what it waits for has long arrived. So:
    a turn of the loop in which nothing was read, or as many reads as a kernel's buffer can fill. Two schedulings make
    one turn: asyncio runs what was ready before it puts the sockets' callbacks behind it.

    Args:
        scheduler: whose turns.
        reads: how often the socket was read so far.
        then: called on the scheduler.
    """
    first = reads()
    turn = SerialDisposable()

    def look(seen: int) -> None:
        now = reads()
        if now == seen or now - first >= BACKLOG_READS:
            then()
        else:
            wait(now)

    def wait(seen: int) -> None:
        turn.disposable = scheduler.schedule(
            lambda *_: setattr(turn, "disposable", scheduler.schedule(lambda *_: look(seen)))
        )

    wait(first)
    return turn


def outlasts(future: asyncio.Future[Any]) -> None:  # Any: only that it ends matters
    """Note that what `future` stands for, a socket that is being closed, goes on after its subscription has ended."""
    pending = _PENDING.setdefault(future.get_loop(), set())
    pending.add(future)
    future.add_done_callback(pending.discard)


async def settled() -> None:
    """Wait until all that outlasts its subscription on this loop is over, `CLOSING` seconds at most."""
    pending = _PENDING.get(asyncio.get_running_loop())
    if pending:
        await asyncio.wait(tuple(pending), timeout=CLOSING)


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "scheduler",
            "no event loop is running here; in a script use rxws.run(observable), in async code subscribe inside a "
            "coroutine",
        ) from None


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _step(awaitable: Awaitable[T], then: Callable[[T], None], fail: Callable[[Exception], None]) -> None:
    coroutine: Coroutine[Any, Any, T] = _awaited(awaitable)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        then(stop.value)
    except Exception as error:
        fail(error)
    else:
        coroutine.close()
        fail(ConfigError("scheduler", "a coroutine that waits needs a running event loop, and none is running"))
