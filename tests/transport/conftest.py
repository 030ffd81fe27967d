"""A server, clients, and the rule that none of their sockets, tasks and timers outlives a test."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest
from picows import WSTransport

from rxws.transport import transport_named
from tests.transport.raw_server import PATIENCE, RawServer
from tests.transport.receiving import Client

DESCRIPTORS = Path("/dev/fd")


def sockets() -> set[tuple[int, int]]:
    """Return the open sockets of this process, where the system shows them."""
    found = set()
    for name in os.listdir(DESCRIPTORS) if DESCRIPTORS.exists() else []:
        try:
            about = os.fstat(int(name))
        except OSError:  # the descriptor of the listing itself
            continue
        if stat.S_ISSOCK(about.st_mode):
            found.add((int(name), about.st_ino))
    return found


def left(before: set[tuple[int, int]]) -> list[object]:
    """Return the tasks and sockets that are not of the test itself."""
    return [*(asyncio.all_tasks() - {asyncio.current_task()}), *(sockets() - before)]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxies are not asked; by default a transport asks them."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def tidy() -> AsyncIterator[None]:
    """Fail where a task, a timer or a socket is left."""
    before = sockets()
    yield
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while left(before) and loop.time() < deadline:
        await asyncio.sleep(0)
    assert left(before) == []
    # Not waited for: a timer that has come and gone by itself has outlived the test too.
    timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert [timer for timer in timers if not of_picows(timer)] == []


def of_picows(timer: asyncio.TimerHandle) -> bool:
    """Whether it is the one of 10 ms by which picows would close what it could not parse; it leads nowhere here."""
    return isinstance(getattr(timer._callback, "__self__", None), WSTransport)


@pytest.fixture
async def server(tidy: None) -> AsyncIterator[RawServer]:
    """A raw server on loopback."""
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
async def leap(tidy: None) -> AsyncIterator[Callable[[float], None]]:
    """Move the loop's clock forward by some seconds, so that nothing waits out a timer."""
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0

    def leap(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    loop.time = lambda: real() + ahead  # type: ignore[method-assign]
    yield leap
    loop.time = real  # type: ignore[method-assign]


@pytest.fixture(params=["websockets", "picows"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport that has a socket: the tests say what both do alike."""
    return cast(str, request.param)


@pytest.fixture
async def dial(tidy: None, transport: str) -> AsyncIterator[Callable[..., Client]]:
    """Dial by a transport; what is open at the end of the test is aborted."""
    clients: list[Client] = []

    def dial(*args: object, **kwargs: object) -> Client:
        kwargs.setdefault("transport", transport_named(transport))
        clients.append(Client(*args, **kwargs))  # type: ignore[arg-type]
        return clients[-1]

    yield dial
    for client in clients:
        client.opening.dispose()
        if "open" in client.told:
            client.socket.abort()
