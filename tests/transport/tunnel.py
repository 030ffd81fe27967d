"""What stands between a client and a raw server: TLS, or an HTTP proxy."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol


class Listening(Protocol):
    """What is behind: a raw server, or another tunnel."""

    port: int


class Tunnel:
    """Passes the bytes of one client on to `server`, both ways, and each end too: a FIN as one, a RST as an abort.

    With `answer` it is an HTTP proxy first: it reads a CONNECT and answers so; b"" is silence, and what is no 200
    passes nothing on.
    """

    def __init__(self, server: Listening, answer: bytes | None) -> None:
        self.port = 0
        self.request = ""
        self.asked = asyncio.Event()
        self._server = server
        self._answer = answer
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See one client through to its end."""
        self._writers.append(writer)
        try:
            if self._answer is None or await self._connects(reader, writer):
                behind, back = await asyncio.open_connection("127.0.0.1", self._server.port)
                self._writers.append(back)
                await asyncio.gather(passed_on(reader, back), passed_on(behind, writer))
        finally:
            for each in self._writers:
                each.transport.abort()

    def reset(self) -> None:
        """Reset both ways."""
        for writer in self._writers:
            reset(writer)

    async def _connects(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        assert self._answer is not None
        self.request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.set()
        writer.write(self._answer)
        if b" 200 " not in self._answer:
            await reader.read()
            return False
        return True


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy up to the end, and end alike."""
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
        writer.close()
    except ConnectionError:
        reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close at once, by a RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def tunnel(
    server: Listening, *, context: ssl.SSLContext | None = None, answer: bytes | None = None
) -> AsyncIterator[Tunnel]:
    """Listen on a port chosen by the system, under TLS if there is a context."""
    made = Tunnel(server, answer)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(made.serve(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
