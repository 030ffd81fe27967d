"""One client, in a process of its own, before one server; and what was seen of both."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.compare.server import FaultyServer

ROOT = Path(__file__).parents[2]
STARTING = 30.0  # seconds that a client may take until its first dial; imports are slow on a busy machine
STEP = 0.02  # between two looks


@dataclass(frozen=True)
class Program:
    """How to start a client: ROW, URL and a variant are added to the command."""

    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    between: Sequence[str] = ()
    """What stands between the URL and the variant."""


class Client:
    """The process of one client, and what it has told."""

    def __init__(self, program: Program, row: str, url: str, variant: str) -> None:
        self.received = 0
        self.error: str | None = None
        self.completed = False
        self.raised = False
        """Whether the user's code got to see what its consumer raised."""
        self.stopped = False
        self.logged = ""
        """What it wrote to stderr."""
        self._command = [*program.command, row, url, *program.between, *filter(None, [variant])]
        self._environment = program.environment
        self._process: Process

    async def __aenter__(self) -> Self:
        # A proxy of the user's would stand between the client and loopback.
        direct = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **direct, **self._environment},
        )
        self._reading = asyncio.gather(self._listen(), self._log())
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._reading
        await self._process.wait()

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.returncode is not None

    async def stop(self) -> None:
        """Have it stop its stream, by its own means."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"stop\n")
        with suppress(ConnectionError):
            await self._process.stdin.drain()

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            for name, value in json.loads(line).items():
                assert hasattr(self, name), line
                setattr(self, name, value)

    async def _log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.logged += line.decode(errors="replace")


class Trial:
    """A client before a server."""

    def __init__(self, server: FaultyServer, client: Client) -> None:
        self.server = server
        self.client = client

    async def until(self, condition: Callable[[], object], within: float) -> bool:
        """Wait for something for so many seconds, and say whether it came."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while not condition():
            if loop.time() > end:
                return False
            await asyncio.sleep(STEP)
        return True

    async def begun(self) -> None:
        """Wait for the first dial.

        Raises:
            RuntimeError: it never comes, so that nothing can be said of this client.
        """
        if not await self.until(lambda: self.server.dials or self.client.ended, STARTING) or not self.server.dials:
            raise RuntimeError(f"{self.client._command} never dialled\n{self.client.logged}")


def python(module: str, interpreter: str = sys.executable) -> Program:
    """Return how to start a Python client."""
    return Program([interpreter, "-m", f"benchmarks.compare.clients.{module}"])
