"""A server in a process of its own, so that what is measured here is the client's alone: `ServerProcess("crowd")`.

The child prints where it listens, and then answers each line of its stdin with a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Self

from benchmarks.reliability.raw_server import Peer, RawServer

__all__ = ["PIECE", "ServerProcess"]

ROOT = Path(__file__).parents[2]
PIECE = 100
"""Messages of a connection of `ending`, and of a piece of `streaming`."""


class ServerProcess:
    """The process, used as a context."""

    def __init__(self, kind: str, *args: int) -> None:
        self._command = [sys.executable, "-m", "benchmarks.reliability.process", kind, *map(str, args)]
        self._process: Process
        self.url = ""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        self.url = (await self._answer())["url"]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.kill()
        await self._process.wait()

    async def ask(self, command: str) -> dict[str, Any]:
        """Send "report" or "drop", and return what the server then tells of itself: dials, live, most, numbered."""
        assert self._process.stdin is not None
        self._process.stdin.write(command.encode() + b"\n")
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer


class Counting(RawServer):
    """A server that forgets its peers once they are gone, and knows how many there were."""

    def __init__(self, kind: str, *args: int) -> None:
        super().__init__(getattr(self, kind))
        self.dials = self.most = 0
        self.there: set[Peer] = set()
        self._args = args

    async def crowd(self, peer: Peer) -> None:
        """Accept, send a message, and stay."""
        await self._begin(peer)
        peer.number()
        await peer.listen()
        self._forget(peer)

    async def ending(self, peer: Peer) -> None:
        """Accept, number the messages, and end: by a close frame, a FIN and a reset in turn; at last, stay."""
        await self._begin(peer)
        peer.number(PIECE)
        (ends,) = self._args
        if self.dials > ends:
            await peer.listen()
        elif self.dials % 3 == 0:
            await peer.end(1012)
        elif self.dials % 3 == 1:
            peer.fin()
        else:
            await peer.reset()
        self._forget(peer)

    async def streaming(self, peer: Peer) -> None:
        """Accept, number so many messages as fast as they are taken, and stay."""
        await self._begin(peer)
        listening = asyncio.ensure_future(peer.listen())
        (count,) = self._args
        for _ in range(count // PIECE):
            peer.number(PIECE)
            self.written.clear()
            await peer.writer.drain()
        await listening

    async def drop(self) -> None:
        """Reset all connections at once."""
        for peer in tuple(self.there):
            await peer.reset()
            self._forget(peer)

    def report(self) -> dict[str, int]:
        """Return what there is to tell."""
        return {"dials": self.dials, "live": len(self.there), "most": self.most, "numbered": self.numbered}

    async def _begin(self, peer: Peer) -> None:
        self.dials += 1
        self.there.add(peer)
        self.most = max(self.most, len(self.there))
        self.peers.clear()
        self.written.clear()
        await peer.accept()

    def _forget(self, peer: Peer) -> None:
        self.there.discard(peer)


async def serve(kind: str, *args: int) -> None:
    """Listen, and answer what is asked, until stdin ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Counting(kind, *args) as server:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()
        async for line in reader:
            if line.strip() == b"drop":
                await server.drop()
            sys.stdout.write(json.dumps(server.report()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], *map(int, sys.argv[2:])))
