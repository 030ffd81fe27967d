"""A server on loopback that does to its clients what a script says, and counts what they do."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Play = Callable[[ServerConnection, int], Awaitable[object]]
"""Called with each connection and its number, from 1 on; when it returns, the connection is left open."""

Refusal = tuple[HTTPStatus, dict[str, str]]
Refuse = Callable[[int], Refusal | None]
"""Called with the number of each handshake, from 1 on; None: it is accepted."""

NO_LINGER = struct.pack("ii", 1, 0)  # an abort sends a reset

# Its clients end in every way there is; what websockets logs of that is no news.
QUIET = logging.getLogger("benchmarks.compare")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


class FaultyServer:
    """Plays a script to all that connect.

    Attributes:
        dials: when each handshake was asked for, on the loop's clock.
        opened: how many were accepted.
        live: the connections that have not ended.
        received: the messages of each connection.
        refuse: what becomes of handshakes; it may be changed meanwhile.
    """

    def __init__(self, play: Play, refuse: Refuse) -> None:
        self.dials: list[float] = []
        self.opened = 0
        self.live: set[ServerConnection] = set()
        self.received: list[list[str | bytes]] = []
        self.refuse = refuse
        self._play = play
        self._server: Server

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}/ws"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._connected,
            "127.0.0.1",
            0,
            process_request=self._asked,
            ping_interval=None,
            close_timeout=0.2,
            compression=None,
            logger=QUIET,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close(close_connections=False)
        for connection in (*self.live, *self._server.connections):
            connection.transport.abort()
        await self._server.wait_closed()

    def _asked(self, connection: ServerConnection, request: Request) -> Response | None:
        self.dials.append(asyncio.get_running_loop().time())
        refusal = self.refuse(len(self.dials))
        if refusal is None:
            return None
        status, headers = refusal
        response = connection.respond(status, f"{status.phrase}\n")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    async def _connected(self, connection: ServerConnection) -> None:
        self.opened += 1
        self.live.add(connection)
        self.received.append([])
        listening = asyncio.create_task(self._listen(connection, self.received[-1]))
        try:
            with suppress(ConnectionClosed):
                await self._play(connection, self.opened)
            await connection.wait_closed()
        finally:
            listening.cancel()
            self.live.discard(connection)

    async def _listen(self, connection: ServerConnection, received: list[str | bytes]) -> None:
        with suppress(ConnectionClosed):
            async for message in connection:
                received.append(message)


def reset(connection: ServerConnection) -> None:
    """End TCP by a reset, with no close frame."""
    raw: socket.socket = connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.transport.abort()


def go_deaf(connection: ServerConnection) -> None:
    """Read nothing more, so that no ping and no close is answered, and leave TCP open: a half-open connection."""
    connection.transport.pause_reading()
