"""What a client leaves behind: its tasks, timers, sockets and threads, told from those of everybody else on the loop.

>>> import asyncio
>>> from rxws import ws_observable
>>> from rxws.testing import SimulatedExchange
>>> async def main():
...     with Leftovers() as leftovers:
...         async with SimulatedExchange("spot") as exchange:
...             stream = ws_observable(exchange.combined_url())
...             subscription = leftovers.as_client(stream.subscribe)
...             await exchange.until(lambda: exchange.handshakes_accepted)
...             while_connected = [each.split()[0] for each in leftovers.found()]
...             leftovers.as_client(subscription.dispose)
...             return "socket" in while_connected, await leftovers.after_a_while()
>>> asyncio.run(main())
(True, [])
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Collection
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, Self, TypeVar
from weakref import WeakSet

__all__ = ["Leftovers"]

P = ParamSpec("P")
T = TypeVar("T")

ASYNCIOS_OWN = "asyncio"
"""How asyncio's own threads are named: its executor, which resolves host names and lives as long as the loop does, and
who waits for child processes."""

# Tasks, timers and the callbacks of sockets inherit the context of whoever makes them.
_IS_CLIENT: ContextVar[bool] = ContextVar("is_client", default=False)


class Leftovers:
    """Knows all that a client makes on the running loop from now on, and keeps none of it alive.

    The client is what is called by `as_client`, and all that comes of it: the tasks, timers and sockets that it makes,
    those that these make, and so on. What others make on the same loop, a test's server for example, does not count;
    of threads, every new one does, except asyncio's own.

    Args:
        threads: names of threads that are no client's.

    Raises:
        RuntimeError: no event loop is running.

    It wraps methods of the running loop, one of asyncio's own, until `stop` or the end of its ``with``.
    """

    def __init__(self, threads: Collection[str] = ()) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._context.run(_IS_CLIENT.set, True)
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._timers: WeakSet[asyncio.TimerHandle] = WeakSet()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._ignored = frozenset(threads)
        self._threads = set(threading.enumerate())
        self._call_at = self._loop.call_at
        self._sock_connect = self._loop.sock_connect
        self._factory = self._loop.get_task_factory()
        self._loop.call_at = self._timer  # type: ignore[method-assign,assignment]  # call_later goes through it too
        self._loop.sock_connect = self._connect  # type: ignore[method-assign,assignment]  # so does create_connection
        self._loop.set_task_factory(self._task)

    def stop(self) -> None:
        """Leave the loop as it was; what is known already is known."""
        self._loop.call_at = self._call_at  # type: ignore[method-assign]
        self._loop.sock_connect = self._sock_connect  # type: ignore[method-assign]
        self._loop.set_task_factory(self._factory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def as_client(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something as the client, and return what it returns."""
        return self._context.copy().run(call, *args, **kwargs)

    def found(self) -> list[str]:
        """Return what there is of the client now, in words: each begins with task, timer, socket or thread."""
        now = self._loop.time()
        tasks = [f"task {each.get_name()}: {each.get_coro()}" for each in self._tasks if not each.done()]
        timers = [f"timer {each}" for each in self._timers if not each.cancelled() and each.when() > now]
        sockets = [f"socket {each}" for each in self._sockets if each.fileno() != -1]
        new = [each.name for each in set(threading.enumerate()) - self._threads]
        threads = [f"thread {name}" for name in new if name not in self._ignored and not name.startswith(ASYNCIOS_OWN)]
        return tasks + timers + sockets + threads

    async def after_a_while(self, seconds: float = 2.0) -> list[str]:
        """Return as soon as nothing is there, or what still is after so many seconds: a closing handshake takes time.

        Args:
            seconds: how long to wait at most; take more than the client's `close_timeout`.
        """
        end = self._loop.time() + seconds
        while found := self.found():
            if self._loop.time() > end:
                break
            await asyncio.sleep(0.002)
        return found

    def _timer(self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        handle = self._call_at(when, callback, *args, **kwargs)
        if _IS_CLIENT.get():
            self._timers.add(handle)
        return handle

    def _task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
        make: Callable[..., asyncio.Task[Any]] = self._factory or _task  # type: ignore[assignment]  # of asyncio's own
        task = make(loop, coroutine, **kwargs)
        if _IS_CLIENT.get():
            self._tasks.add(task)
        return task

    def _connect(self, sock: socket.socket, address: Any) -> Awaitable[None]:
        if _IS_CLIENT.get():
            self._sockets.add(sock)
        return self._sock_connect(sock, address)


def _task(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **kwargs)
