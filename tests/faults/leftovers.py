"""What a client leaves behind: its tasks, timers, sockets and threads, told from those of the servers."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

# Tasks, timers and the callbacks of sockets inherit the context of whoever makes them.
_IS_CLIENT: ContextVar[bool] = ContextVar("is_client", default=False)


class Leftovers:
    """Knows all that the client makes on the running loop from now on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._context.run(_IS_CLIENT.set, True)
        self._tasks: list[asyncio.Task[Any]] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._threads = set(threading.enumerate())
        self._sockets = {id(each) for each in _open_sockets()}
        self._call_at = self._loop.call_at
        self._loop.call_at = self._timer  # type: ignore[method-assign]  # call_later goes through it too
        self._loop.set_task_factory(self._task)

    def as_client(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call something as the client."""
        return self._context.run(call, *args, **kwargs)

    def found(self, *server_ports: int) -> list[str]:
        """What there is of the client now, in words."""
        now = self._loop.time()
        tasks = [f"task {each.get_name()}: {each.get_coro()}" for each in self._tasks if not each.done()]
        timers = [f"timer {each}" for each in self._timers if not each.cancelled() and each.when() > now]
        threads = [f"thread {each.name}" for each in set(threading.enumerate()) - self._threads]
        sockets = [
            f"socket {each}"
            for each in _open_sockets()
            if id(each) not in self._sockets and _own_port(each) not in server_ports
        ]
        return tasks + timers + threads + sockets

    def _timer(self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        handle = self._call_at(when, callback, *args, **kwargs)
        if _IS_CLIENT.get():
            self._timers.append(handle)
        return handle

    def _task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **kwargs)
        if _IS_CLIENT.get():
            self._tasks.append(task)
        return task


def _open_sockets() -> list[socket.socket]:
    return [each for each in gc.get_objects() if type(each) is socket.socket and each.fileno() != -1]


def _own_port(each: socket.socket) -> int:
    try:
        return int(each.getsockname()[1])
    except (OSError, IndexError):  # closed meanwhile, or not of TCP
        return -1
