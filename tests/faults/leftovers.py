"""What a client leaves behind: its tasks, timers, sockets and threads, told from those of the servers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar
from weakref import WeakSet

T = TypeVar("T")

SERVER_THREAD = "server"
"""The name of a server's own thread, see `raw_server.Elsewhere`."""

# Tasks, timers and the callbacks of sockets inherit the context of whoever makes them.
_IS_CLIENT: ContextVar[bool] = ContextVar("is_client", default=False)


class Leftovers:
    """Knows all that the client makes on the running loop from now on, and keeps none of it alive."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._context.run(_IS_CLIENT.set, True)
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._timers: WeakSet[asyncio.TimerHandle] = WeakSet()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._threads = set(threading.enumerate())
        self._call_at = self._loop.call_at
        self._sock_connect = self._loop.sock_connect
        self._loop.call_at = self._timer  # type: ignore[method-assign,assignment]  # call_later goes through it too
        self._loop.sock_connect = self._connect  # type: ignore[method-assign,assignment]  # so does create_connection
        self._loop.set_task_factory(self._task)

    def as_client(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call something as the client."""
        return self._context.copy().run(call, *args, **kwargs)

    def found(self) -> list[str]:
        """What there is of the client now, in words."""
        now = self._loop.time()
        tasks = [f"task {each.get_name()}: {each.get_coro()}" for each in self._tasks if not each.done()]
        timers = [f"timer {each}" for each in self._timers if not each.cancelled() and each.when() > now]
        sockets = [f"socket {each}" for each in self._sockets if each.fileno() != -1]
        new = set(threading.enumerate()) - self._threads
        threads = [f"thread {each.name}" for each in new if each.name != SERVER_THREAD]
        return tasks + timers + sockets + threads

    def _timer(self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        handle = self._call_at(when, callback, *args, **kwargs)
        if _IS_CLIENT.get():
            self._timers.add(handle)
        return handle

    def _task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **kwargs)
        if _IS_CLIENT.get():
            self._tasks.add(task)
        return task

    def _connect(self, sock: socket.socket, address: Any) -> Awaitable[None]:
        if _IS_CLIENT.get():
            self._sockets.add(sock)
        return self._sock_connect(sock, address)
